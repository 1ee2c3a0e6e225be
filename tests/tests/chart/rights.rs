//! What the chart grants: in every rendering never a list of Secrets, and on a real API server exactly what is needed.

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, api::ObjectMeta};
use serde_json::json;
use tenantry_crd::{GROUP, Kind, VERSION};
use tenantry_tests::kube::Cluster;

use super::*;

/// All rules of all roles, with the role that has them.
fn rules(objects: &[Value]) -> Vec<(String, &Value)> {
    let roles = objects.iter().filter(|object| object["kind"] == "Role" || object["kind"] == "ClusterRole");
    roles
        .flat_map(|role| {
            let name = role["metadata"]["name"].as_str().unwrap_or_default();
            role["rules"].as_array().into_iter().flatten().map(move |rule| (name.to_owned(), rule))
        })
        .collect()
}

#[test]
fn nobody_may_list_or_watch_secrets_whatever_the_values() {
    let Some(helm) = Helm::find() else { return };
    let mut secrets = 0;
    for values in VARIANTS {
        let objects = rendered(&helm, values);
        for (role, rule) in rules(&objects) {
            let (resources, verbs) = (list(&rule["resources"]), list(&rule["verbs"]));
            for words in [&resources, &verbs, &list(&rule["apiGroups"])] {
                assert!(!words.contains(&"*"), "{role}: {rule}");
            }
            if resources.contains(&"secrets") {
                secrets += 1;
                let allowed = ["get", "update", "create"];
                assert!(verbs.iter().all(|verb| allowed.contains(verb)), "{values:?}: {role}: {rule}");
                assert!(!role.ends_with("-reader") && !role.ends_with("-view") && !role.ends_with("-edit"));
            }
            let dangerous = ["escalate", "bind", "impersonate"];
            assert!(verbs.iter().all(|verb| !dangerous.contains(verb)), "{role}: {rule}");
        }
    }
    assert!(secrets > VARIANTS.len() / 2, "rules about Secrets were looked at");
}

#[test]
fn secrets_are_written_only_where_that_is_switched_on() {
    let Some(helm) = Helm::find() else { return };
    let verbs = |values: &[&str]| -> Vec<(Vec<String>, Vec<String>)> {
        let objects = rendered(&helm, values);
        let texts = |value: &Value| list(value).into_iter().map(str::to_owned).collect::<Vec<_>>();
        rules(&objects)
            .into_iter()
            .filter(|(_, rule)| list(&rule["resources"]).contains(&"secrets"))
            .map(|(_, rule)| (texts(&rule["verbs"]), texts(&rule["resourceNames"])))
            .collect()
    };
    let text = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    assert_eq!(verbs(&[]), [(text(&["get"]), vec![])]);
    let named = "rbac.secrets.names={sophos-read,sophos-write}";
    let names = text(&["sophos-read", "sophos-write"]);
    assert_eq!(verbs(&[named]), [(text(&["get"]), names.clone())]);
    assert_eq!(
        verbs(&[named, "rbac.secrets.rotate=true", "rbac.secrets.oneTime=true"]),
        [(text(&["get", "update"]), names), (text(&["create"]), vec![])]
    );
}

#[test]
fn cluster_roles_of_the_controller_are_there_only_cluster_wide() {
    let Some(helm) = Helm::find() else { return };
    let bound = |values: &[&str], kind: &str| -> Vec<String> {
        let objects = rendered(&helm, values);
        let mut found: Vec<String> = of_kind(&objects, kind)
            .iter()
            .map(|binding| {
                let namespace = binding["metadata"]["namespace"].as_str().unwrap_or("*");
                format!("{namespace}: {}", binding["roleRef"]["name"].as_str().unwrap_or_default())
            })
            .collect();
        found.sort();
        found
    };
    assert_eq!(bound(&[], "RoleBinding"), ["ops: crm-tenantry", "ops: crm-tenantry-lease"]);
    assert_eq!(bound(&[], "ClusterRoleBinding"), ["*: ops-crm-tenantry-definitions"]);
    assert_eq!(bound(&["rbac.definitions=false"], "ClusterRoleBinding"), [""; 0]);
    let two = ["watch.namespaces={west,east}"];
    assert_eq!(
        bound(&two, "RoleBinding"),
        ["east: crm-tenantry", "ops: crm-tenantry-lease", "west: crm-tenantry"]
    );
    let wide = ["watch.clusterWide=true"];
    assert_eq!(bound(&wide, "RoleBinding"), ["ops: crm-tenantry-lease"]);
    assert_eq!(
        bound(&wide, "ClusterRoleBinding"),
        ["*: ops-crm-tenantry", "*: ops-crm-tenantry-definitions"]
    );
    let plans = ["snapshot.enabled=true", "snapshot.plain=true"];
    assert_eq!(
        bound(&plans, "ClusterRoleBinding"),
        ["*: ops-crm-tenantry-definitions", "*: system:auth-delegator"]
    );
}

/// A client with the rights of a ServiceAccount.
pub(super) fn as_account(cluster: &Cluster, namespace: &str, name: &str) -> Client {
    let user = format!("system:serviceaccount:{namespace}:{name}");
    let group = format!("system:serviceaccounts:{namespace}");
    cluster.client_as(&user, &["system:serviceaccounts", &group, "system:authenticated"])
}

/// Whether the owner of the client may; `what` is `verb group/resource[/subresource][:name]`.
async fn may(client: &Client, namespace: &str, what: &str) -> bool {
    let (verb, rest) = what.split_once(' ').expect("verb and resource");
    let (rest, name) =
        rest.split_once(':').map_or((rest, None), |(rest, name)| (rest, Some(name.to_owned())));
    let mut parts = rest.split('/');
    let attributes = ResourceAttributes {
        namespace: Some(namespace.to_owned()),
        verb: Some(verb.to_owned()),
        group: parts.next().map(str::to_owned),
        resource: parts.next().map(str::to_owned),
        subresource: parts.next().map(str::to_owned),
        name,
        ..ResourceAttributes::default()
    };
    let review = SelfSubjectAccessReview {
        metadata: ObjectMeta::default(),
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        },
        status: None,
    };
    let api = Api::<SelfSubjectAccessReview>::all(client.clone());
    let answer = api.create(&PostParams::default(), &review).await.expect("everybody may ask about himself");
    answer.status.expect("a review has an answer").allowed
}

async fn assert_rights(client: &Client, namespace: &str, allowed: &[&str], refused: &[&str]) {
    for what in allowed {
        assert!(may(client, namespace, what).await, "{what} in {namespace} is refused");
    }
    for what in refused {
        assert!(!may(client, namespace, what).await, "{what} in {namespace} is allowed");
    }
}

pub(super) fn install(helm: &Helm, namespace: &str, values: &[&str]) -> String {
    let mut arguments = vec!["install", "crm", CHART, "--namespace", namespace];
    arguments.extend(set(values));
    helm.stdout(&arguments)
}

#[tokio::test]
async fn the_controller_may_what_it_needs_where_it_watches_and_nothing_elsewhere() {
    let Some(cluster) = Cluster::shared().await else { return };
    let Some(helm) = Helm::find() else { return };
    let (ops, east, other) =
        (cluster.namespace("ops").await, cluster.namespace("east").await, cluster.namespace("other").await);
    let namespaces = format!("watch.namespaces={{{east}}}");
    let helm = helm.on(cluster.kubeconfig());
    install(&helm, &ops, &[&namespaces, "rbac.secrets.names={sophos-read}", "rbac.secrets.rotate=true"]);
    let client = as_account(&cluster, &ops, "crm-tenantry");
    let needed = [
        "list tenantry.io/customers",
        "watch tenantry.io/consoles",
        "patch tenantry.io/customers",
        "patch tenantry.io/licenses",
        "patch tenantry.io/consoles/status",
        "create tenantry.io/consolebindings",
        "delete tenantry.io/consolebindings",
        "create events.k8s.io/events",
        "get /secrets:sophos-read",
        "update /secrets:sophos-read",
        &format!("get /namespaces:{east}"),
    ];
    let never = [
        "list /secrets",
        "watch /secrets",
        "get /secrets:another",
        "create /secrets",
        "delete /secrets:sophos-read",
        "create tenantry.io/customers",
        "update tenantry.io/customers",
        "delete tenantry.io/customers",
        "delete tenantry.io/consoles",
        "patch tenantry.io/consoles",
        "patch tenantry.io/relationships",
        "watch tenantry.io/consolebindings",
        "list /namespaces",
        "create /pods",
        "get /configmaps:any",
        "create /serviceaccounts/token:crm-tenantry",
        "get tenantry.io/consoles/snapshot:sophos",
        "create authentication.k8s.io/tokenreviews",
        "create rbac.authorization.k8s.io/rolebindings",
    ];
    assert_rights(&client, &east, &needed, &never).await;
    assert_rights(&client, &other, &[], &needed).await;
    // It lives in one namespace and watches another: at home it has its Lease and nothing else.
    let lease = ["create coordination.k8s.io/leases", "update coordination.k8s.io/leases:crm-tenantry"];
    assert_rights(&client, &ops, &lease, &needed).await;
    let others = ["update coordination.k8s.io/leases:another", "get coordination.k8s.io/leases:another"];
    assert_rights(&client, &ops, &[], &others).await;
    let ours = ["get apiextensions.k8s.io/customresourcedefinitions:customers.tenantry.io"];
    let not_ours = [
        "get apiextensions.k8s.io/customresourcedefinitions:another.example",
        "list apiextensions.k8s.io/customresourcedefinitions",
        "delete apiextensions.k8s.io/customresourcedefinitions:customers.tenantry.io",
    ];
    assert_rights(&client, "", &ours, &not_ours).await;
}

#[tokio::test]
async fn a_reader_sees_declarations_and_plans_and_changes_nothing() {
    let Some(cluster) = Cluster::shared().await else { return };
    let Some(helm) = Helm::find() else { return };
    let namespace = cluster.namespace("reader").await;
    let helm = helm.on(cluster.kubeconfig());
    let reader = ["rbac.reader.subjects[0].kind=User", "rbac.reader.subjects[0].name=anna"];
    install(&helm, &namespace, &[reader[0], reader[1], "snapshot.enabled=true", "snapshot.plain=true"]);
    let anna = cluster.client_as("anna", &["system:authenticated"]);
    let allowed = [
        "list tenantry.io/customers",
        "get tenantry.io/consolebindings:b",
        "get tenantry.io/consoles/snapshot:sophos",
    ];
    let refused = [
        "patch tenantry.io/customers",
        "create tenantry.io/attestations",
        "get /secrets:sophos-read",
        "list /secrets",
        "patch tenantry.io/consolebindings",
    ];
    assert_rights(&anna, &namespace, &allowed, &refused).await;
    let nobody = cluster.client_as("nobody", &["system:authenticated"]);
    assert_rights(&nobody, &namespace, &[], &allowed).await;
    // With plans served, the controller may ask who a caller is.
    let controller = as_account(&cluster, &namespace, "crm-tenantry");
    let reviews =
        ["create authentication.k8s.io/tokenreviews", "create authorization.k8s.io/subjectaccessreviews"];
    assert_rights(&controller, "", &reviews, &[]).await;
}

#[tokio::test]
async fn the_controller_cannot_change_what_people_declared() {
    let Some(cluster) = Cluster::shared().await else { return };
    let Some(helm) = Helm::find() else { return };
    let namespace = cluster.namespace("held").await;
    let helm = helm.on(cluster.kubeconfig());
    install(&helm, &namespace, &[]);
    let names = Kind::Customer.crd().spec.names;
    let kind = GroupVersionKind::gvk(GROUP, VERSION, "Customer");
    let resource = ApiResource::from_gvk_with_plural(&kind, &names.plural);
    let people = Api::<DynamicObject>::namespaced_with(cluster.client(), &namespace, &resource);
    let declared: DynamicObject = serde_json::from_value(json!({
        "apiVersion": "tenantry.io/v1alpha1", "kind": "Customer",
        "metadata": {"name": "adatum", "finalizers": ["backup.example/keep"], "labels": {"tier": "gold"}},
        "spec": {"company": {"legalName": "Adatum GmbH"}},
    }))
    .expect("it is an object");
    people.create(&PostParams::default(), &declared).await.expect("people declare");
    let client = as_account(&cluster, &namespace, "crm-tenantry");
    let controller = Api::<DynamicObject>::namespaced_with(client, &namespace, &resource);
    let patch = async |patch: Value| {
        controller.patch("adatum", &PatchParams::default(), &Patch::Merge(&patch)).await.map(|_| ())
    };

    // A new policy is in force a moment after it is stored.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let declaration = json!({"spec": {"company": {"legalName": "Another GmbH"}}});
    let refusal = loop {
        match patch(declaration.clone()).await {
            Err(kube::Error::Api(status)) => break status,
            other => assert!(std::time::Instant::now() < deadline, "the policy is not in force: {other:?}"),
        }
        let before = json!({"spec": {"company": {"legalName": "Adatum GmbH"}}});
        people.patch("adatum", &PatchParams::default(), &Patch::Merge(&before)).await.expect("people may");
    };
    assert_eq!(refusal.code, 403, "{}", refusal.message);
    let said = "the controller writes finalizers and status, never a declaration";
    assert!(refusal.message.contains(said), "{}", refusal.message);
    for (wrong, said) in [
        (json!({"metadata": {"labels": {"tier": "lead"}}}), "never labels"),
        (json!({"metadata": {"finalizers": []}}), "its own finalizers, never another's"),
    ] {
        let Err(kube::Error::Api(status)) = patch(wrong).await else { panic!("it is accepted") };
        assert!(status.message.contains(said), "{}", status.message);
    }
    patch(json!({"metadata": {"finalizers": ["backup.example/keep", "tenantry.io/bindings"]}}))
        .await
        .expect("its own finalizer is its own");
    patch(json!({"metadata": {"finalizers": ["backup.example/keep"]}})).await.expect("and so is its end");
    let status = json!({"status": {"standing": "Active"}});
    controller
        .patch_status("adatum", &PatchParams::default(), &Patch::Merge(&status))
        .await
        .expect("status is the controller's");
}
