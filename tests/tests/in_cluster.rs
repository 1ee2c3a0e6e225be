//! The controller in a cluster as the chart installs it: with the chart's arguments, the chart's rights, and the
//! commands of the documentation.
//!
//! The API server is real, and its own audit log says what it refused to the controller.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use jiff::Span;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use serde_json::Value;
use tempfile::TempDir;
use tenantry_simulator::{Config, LogFilter, Running, Simulator};
use tenantry_tests::helm::Helm;
use tenantry_tests::installed::{Installed, kubeconfig_of};
use tenantry_tests::kube::Cluster;
use tenantry_tests::parts::{Part, repository_root};
use tenantry_tests::process::run;

#[path = "in_cluster/documented.rs"]
mod documented;

const RELEASE: &str = "tenantry-system";
const CUSTOMERS: &str = "customers";
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A cluster of its own, and simulated consoles with what `examples/quickstart` says they hold.
struct Setup {
    simulator: Running,
    cluster: Cluster,
    directory: TempDir,
}

impl Setup {
    async fn new() -> Option<Self> {
        let cluster = Cluster::start().await?;
        let simulator =
            Simulator::start(Config::default()).await.expect("a free port on the loopback interface");
        let seed = fs::read_to_string(repository_root().join("examples/quickstart/sim.json"));
        let seed: Value = serde_json::from_str(&seed.expect("the example is there")).expect("it is JSON");
        simulator.seed(&seed).expect("the example's consoles are accepted");
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        Some(Self { simulator, cluster, directory })
    }

    /// Values that lead the controller to the simulated consoles and their clock.
    fn values(&self) -> PathBuf {
        let endpoint = |vendor: &str| self.simulator.partner_url(vendor, "msp");
        let values = serde_json::json!({
            "image": {"repository": "registry.example/tenantry-controller"},
            "consoles": {
                "endpoints": {"sophos": endpoint("sophos"), "microsoft": endpoint("microsoft")},
                "allowNetworks": ["loopback"],
                "allowHttp": true,
            },
            // Microsoft gives a new refresh token with each use, and the old one's Secret takes it.
            "rbac": {"secrets": {"rotate": true}},
            "extraArgs": [format!("--now-from={}/_sim/clock", self.simulator.base_url()), "--debounce=50ms"],
        });
        let file = self.directory.path().join("values.json");
        fs::write(&file, values.to_string()).expect("the temporary directory is writable");
        file
    }

    /// The controller, as the installed Deployment would run it.
    async fn controller(&self, release: &str) -> Installed {
        let deployments = Api::<Deployment>::namespaced(self.cluster.client(), RELEASE);
        let deployment = deployments.get(release).await.expect("the chart is installed");
        let pod = deployment.spec.and_then(|spec| spec.template.spec).expect("a Deployment has pods");
        let arguments = pod.containers[0].args.clone().unwrap_or_default();
        let account = pod.service_account_name.expect("its pods have an account");
        let arguments: Vec<String> =
            arguments.into_iter().filter(|argument| !argument.starts_with("--health-address=")).collect();
        assert!(arguments.iter().any(|argument| argument == "--namespaces=customers"), "{arguments:?}");
        let kubeconfig = kubeconfig_of(&self.cluster, RELEASE, &account, self.directory.path()).await;
        tokio::task::spawn_blocking(move || {
            let controller = Installed::start(&kubeconfig, &arguments);
            controller.wait_until_ready();
            controller
        })
        .await
        .expect("it starts")
    }

    /// Credentials of the simulated partners by Secret and key.
    fn credentials(&self) -> BTreeMap<String, Vec<(&'static str, String)>> {
        let sophos = self.simulator.sophos("msp").credentials();
        let sophos = vec![("clientId", sophos.client_id), ("clientSecret", sophos.client_secret)];
        let microsoft = self.simulator.microsoft("msp").look(|account, _| {
            vec![
                ("clientId", account.client_id.clone()),
                ("clientSecret", account.client_secret.clone()),
                ("refreshToken", account.first_refresh.clone()),
            ]
        });
        let mut all = BTreeMap::new();
        for (console, values) in [("sophos", sophos), ("microsoft", microsoft)] {
            for access in ["read", "write"] {
                all.insert(format!("{console}-{access}"), values.clone());
            }
        }
        all
    }

    fn effects(&self, partner: &str, kind: &str) -> usize {
        self.simulator.log().effects(partner, kind).len()
    }

    /// What is declared, each as its line of status, and the fingerprints that wait for an approval.
    fn standing(&self) -> (String, BTreeSet<String>) {
        let mut text = String::new();
        let mut held = BTreeSet::new();
        let Some(all) = self.cluster.kubectl_stdout(&[
            "get",
            "consoles,customers,licenses,relationships",
            "-n",
            CUSTOMERS,
            "-o",
            "json",
        ]) else {
            return (text, held);
        };
        let all: Value = serde_json::from_str(&all).expect("kubectl prints JSON");
        for object in all["items"].as_array().into_iter().flatten() {
            let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let ready = conditions.iter().find(|condition| condition["type"] == "Ready");
            let of = |key: &str| ready.map_or("", |ready| ready[key].as_str().unwrap_or_default()).to_owned();
            let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
            writeln!(text, "{kind} {name}: {} {} · {}", of("status"), of("reason"), of("message"))
                .expect("a string can be written to");
            let approve = of("message");
            held.extend(
                approve
                    .split("tenantry.io/approve: ")
                    .skip(1)
                    .map(|rest| rest.chars().take_while(char::is_ascii_hexdigit).collect::<String>()),
            );
        }
        (text, held)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_charts_rights_alone_the_controller_brings_the_quickstart_about() {
    let Some(setup) = Setup::new().await else { return };
    let Some(helm) = Helm::find() else { return };
    let helm = helm.on(setup.cluster.kubeconfig());
    let Some(_) = setup.cluster.kubectl_stdout(&["create", "namespace", CUSTOMERS]) else { return };
    let values = setup.values();
    let names = "rbac.secrets.names={sophos-read,sophos-write,microsoft-read,microsoft-write}";
    helm.stdout(&[
        "install",
        "tenantry",
        "charts/tenantry",
        "--namespace",
        RELEASE,
        "--create-namespace",
        "--values",
        values.to_str().expect("a temporary path is UTF-8"),
        "--set",
        "watch.namespaces={customers}",
        "--set",
        names,
        "--set",
        "rbac.secrets.rotate=true",
    ]);
    setup.cluster.install_crds();
    for (name, values) in setup.credentials() {
        let mut arguments = vec!["create".to_owned(), "secret".into(), "generic".into(), name];
        arguments.extend(["-n".to_owned(), CUSTOMERS.into()]);
        arguments.extend(values.iter().map(|(key, value)| format!("--from-literal={key}={value}")));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        setup.cluster.kubectl_stdout(&arguments);
    }
    let controller = setup.controller("tenantry").await;
    for file in ["consoles.yaml", "products.yaml", "customers"] {
        let path = repository_root().join("examples/quickstart").join(file);
        let path = path.to_str().expect("the repository's path is UTF-8").to_owned();
        setup.cluster.kubectl_stdout(&["apply", "-n", CUSTOMERS, "-f", &path]);
    }

    // What a new ledger holds is approved once, as a person would, and the simulated time goes on.
    let deadline = Instant::now() + PATIENCE;
    let mut approved = BTreeSet::new();
    loop {
        let (standing, held) = setup.standing();
        let made = setup.effects("sophos/msp", "tenant-created");
        let left = setup.effects("microsoft/msp", "relationship-removed");
        let done = made == 1
            && left == 1
            && standing.contains(r#""Customer" "praxis-mueller": True"#)
            && standing.contains(r#""Customer" "altbau": True"#)
            && standing.contains(r#""Customer" "adatum": False AwaitingOperator"#)
            && standing.contains(r#""License" "praxis-mueller-endpoint": False AwaitingOperator"#);
        if done {
            break;
        }
        assert!(Instant::now() < deadline, "it does not come about:\n{standing}\n{}", controller.log());
        if held.difference(&approved).next().is_some() {
            approved.extend(held);
            let all: Vec<&str> = approved.iter().map(String::as_str).collect();
            let annotation = format!("tenantry.io/approve={}", all.join(","));
            for console in ["sophos", "microsoft"] {
                setup.cluster.kubectl_stdout(&[
                    "annotate",
                    "--overwrite",
                    "-n",
                    CUSTOMERS,
                    "console",
                    console,
                    &annotation,
                ]);
            }
        }
        setup.simulator.clock().advance(Span::new().minutes(10)).expect("time goes on");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(!approved.is_empty(), "a new ledger holds what is to be made");
    // What people see: a finalizer where there is a binding, and Events.
    let of = |arguments: &[&str]| {
        let mut all = vec!["get", "-n", CUSTOMERS];
        all.extend(arguments);
        setup.cluster.kubectl_stdout(&all).unwrap_or_default()
    };
    let finalizers = of(&["customer", "praxis-mueller", "-o", "jsonpath={.metadata.finalizers[*]}"]);
    assert_eq!(finalizers, "tenantry.io/bindings");
    let text = fs::read_to_string(repository_root().join("docs/kubernetes.md")).expect("it is there");
    assert!(
        text.contains(&format!("has the finalizer `{finalizers}`")),
        "the documentation names another one"
    );
    let events = of(&["events.events.k8s.io", "-o", "jsonpath={.items[*].reason}"]);
    assert!(events.contains("Adopted") && events.contains("Settled"), "{events}");
    // Deleting is done at once, and needs rights of its own.
    let delete = ["delete", "customer", "praxis-mueller", "-n", CUSTOMERS, "--timeout=60s"];
    setup.cluster.kubectl_stdout(&delete);
    assert_eq!(setup.effects("sophos/msp", "tenant-removed"), 0);
    // What `helm test` runs.
    let mut test = Command::new(tenantry_tests::installed::binary());
    test.arg(format!("--ready-at={}", controller.health_address()));
    let output = run(test, PATIENCE).expect("the controller's program can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let log = controller.log();
    // Not the bare number: times, ports and fingerprints have it too, once in a while.
    assert!(!log.to_lowercase().contains("forbidden"), "{log}");
    let user = format!("system:serviceaccount:{RELEASE}:tenantry");
    assert_eq!(setup.cluster.refusals(&user), [""; 0], "the API server refused something:\n{log}");
    let writes = setup.simulator.log().entries(&LogFilter::default());
    assert!(writes.iter().all(|entry| entry.status != Some(403)), "a console refused something");
    drop(controller);
    setup.simulator.stop().await;
}
