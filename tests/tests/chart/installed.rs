//! The chart on a real API server: installed, upgraded, uninstalled, and what is left.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ListParams};
use tenantry_tests::kube::Cluster;
use tenantry_tests::parts::repository_root;
use tenantry_tests::process::run;

use super::rights::install;
use super::*;

async fn our_crds(cluster: &Cluster) -> Vec<String> {
    let crds = Api::<CustomResourceDefinition>::all(cluster.client());
    let all = crds.list(&ListParams::default()).await.expect("CRDs can be listed");
    let ours = all.items.into_iter().filter(|crd| crd.spec.group == "tenantry.io");
    ours.filter_map(|crd| crd.metadata.name).collect()
}

#[tokio::test]
async fn the_chart_installs_upgrades_and_uninstalls_and_declarations_stay() {
    let Some(cluster) = Cluster::shared().await else { return };
    let Some(helm) = Helm::find() else { return };
    let namespace = cluster.namespace("life").await;
    let helm = helm.on(cluster.kubeconfig());
    let said = install(&helm, &namespace, &[]);
    assert!(said.contains(&format!("tenantry {} watches {namespace}.", env!("CARGO_PKG_VERSION"))), "{said}");
    assert!(said.contains("tenantry crds | kubectl apply --server-side --force-conflicts -f -"), "{said}");
    let deployments = Api::<Deployment>::namespaced(cluster.client(), &namespace);
    let deployment = deployments.get("crm-tenantry").await.expect("the Deployment is there");
    assert_eq!(deployment.spec.expect("a spec").replicas, Some(2));
    assert_eq!(our_crds(&cluster).await.len(), tenantry_crd::Kind::ALL.len());

    let file = repository_root().join("examples").join("quickstart").join("consoles.yaml");
    let file = file.to_str().expect("the repository's path is UTF-8");
    let wait = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"];
    let Some(_) = cluster.kubectl_stdout(&wait) else { return };
    let Some(_) = cluster.kubectl_stdout(&["apply", "-n", &namespace, "-f", file]) else { return };

    let mut upgrade = vec!["upgrade", "crm", CHART, "--namespace", &namespace];
    upgrade.extend(set(&["replicas=3", "image.tag=next"]));
    helm.stdout(&upgrade);
    let deployment = deployments.get("crm-tenantry").await.expect("the Deployment is there");
    let spec = deployment.spec.expect("a spec");
    let image = spec.template.spec.expect("a pod").containers.remove(0).image;
    assert_eq!(
        (spec.replicas, image.as_deref()),
        (Some(3), Some("registry.example/tenantry-controller:next"))
    );

    helm.stdout(&["uninstall", "crm", "--namespace", &namespace]);
    assert!(deployments.get_opt("crm-tenantry").await.expect("an answer").is_none());
    assert_eq!(our_crds(&cluster).await.len(), tenantry_crd::Kind::ALL.len(), "CRDs survive");
    let Some(left) = cluster.kubectl_stdout(&["get", "consoles", "-n", &namespace, "-o", "name"]) else {
        return;
    };
    assert_eq!(left, "console.tenantry.io/microsoft\nconsole.tenantry.io/sophos\n");

    // And the whole comes back over what it left.
    install(&helm, &namespace, &["watch.clusterWide=true", "snapshot.enabled=true", "snapshot.plain=true"]);
}

#[tokio::test]
async fn new_definitions_come_by_kubectl_over_those_that_helm_installed() {
    // Alone: it changes definitions that other tests rely on.
    let Some(cluster) = Cluster::start().await else { return };
    let Some(helm) = Helm::find() else { return };
    let namespace = cluster.namespace("crds").await;
    install(&helm.on(cluster.kubeconfig()), &namespace, &[]);
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let newer = directory.path().join("crds.yaml");
    let text: Vec<String> = tenantry_crd::crd_files().into_iter().map(|(_, text)| text).collect();
    // The next version has another short name.
    let text = text.join("---\n").replace("- cust\n", "- cstm\n");
    std::fs::write(&newer, &text).expect("the temporary directory is writable");
    let newer = newer.to_str().expect("a temporary path is UTF-8");

    let Some(command) = cluster.kubectl(&["apply", "--server-side", "-f", newer]) else { return };
    let output = run(command, std::time::Duration::from_secs(60)).expect("kubectl can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("conflict with \"helm\""), "{said}");

    let Some(_) = cluster.kubectl_stdout(&["apply", "--server-side", "--force-conflicts", "-f", newer])
    else {
        return;
    };
    let crds = Api::<CustomResourceDefinition>::all(cluster.client());
    let crd = crds.get("customers.tenantry.io").await.expect("it is there");
    assert_eq!(crd.spec.names.short_names, Some(vec!["cstm".to_owned()]));
}
