//! `tenantry plan --from-cluster`: what files would change in a cluster, with the right to read and nothing else.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::Api;
use kube::api::{ListParams, PostParams};
use kube::config::Kubeconfig;
use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry_cluster::snapshot::{self, Access, ConsoleSnapshot, FORMAT_VERSION, Snapshot};
use tenantry_crd::Kind;
use tenantry_engine::address::{Address, ConsoleName, RemoteId};
use tenantry_engine::ledger::{Entry, Header};
use tenantry_engine::observed::{Census, Details, Identity, Observed, ReadCost, Record};
use tenantry_engine::origin::Origin;
use tenantry_engine::store::{LedgerStore, Write};
use tenantry_engine::testing::contract::{event, moment};
use tenantry_tests::cli::binary;
use tenantry_tests::kube::Cluster;
use tenantry_tests::process::run;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::ledgers::open;
use super::{account, api, create, ready, sophos};

fn record(id: &str, name: &str) -> Record {
    let keys = tenantry_engine::plan::matching::Key::new(tenantry_engine::observed::KeyKind::Name, name);
    Record::new(RemoteId::new(id), name, [], keys)
}

fn exported(namespace: &str) -> Snapshot {
    let records = vec![record("r1", "Adatum GmbH"), record("r2", "Fabrikam AG")];
    let observed = Observed {
        identity: Identity {
            vendor_account: account(namespace),
            title: "Sophos Central Partner · MSP Flex".to_owned(),
            probed: json!({"readsOnly": false}),
        },
        census: Census::new(moment(), moment(), None, records),
        details: Details::new(),
        cost: ReadCost::default(),
    };
    let console = ConsoleName::new(format!("{namespace}/sophos"));
    Snapshot::new(moment(), vec![ConsoleSnapshot { namespace: namespace.to_owned(), console, observed }])
}

/// A customer's file; its onboarding says whether it may be made.
fn file(name: &str, legal: &str, onboarding: &str) -> String {
    let spec = spec(legal, onboarding);
    json!({"apiVersion": tenantry_crd::API_VERSION, "kind": "Customer", "metadata": {"name": name}, "spec": spec})
        .to_string()
}

fn spec(legal: &str, onboarding: &str) -> Value {
    json!({
        "company": {"legalName": legal, "address": {
            "line1": "Markt 1", "city": "Ulm", "postalCode": "89073", "country": "DE",
        }},
        "contacts": [{
            "roles": ["Admin"], "firstName": "Erika", "lastName": "Muster", "email": "erika@contoso.example",
            "phone": "+49 731 1",
        }],
        "accounts": [{
            "name": "sophos", "consoleRef": {"name": "sophos"}, "onboarding": onboarding,
            "sophos": {"billing": "Trial", "dataGeography": "DE"},
        }],
    })
}

/// A user of this namespace who may list our kinds, and a kubeconfig that acts as that user.
async fn reader(cluster: &Cluster, namespace: &str, dir: &Path) {
    let client = cluster.client();
    let roles = Api::<Role>::namespaced(client.clone(), namespace);
    let role = serde_json::from_value(json!({
        "metadata": {"name": "reader"},
        "rules": [{"apiGroups": ["tenantry.io"], "resources": ["*"], "verbs": ["get", "list"]}],
    }))
    .expect("it is a Role");
    roles.create(&PostParams::default(), &role).await.expect("the Role is made");
    let bindings = Api::<RoleBinding>::namespaced(client, namespace);
    let binding = serde_json::from_value(json!({
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "reader"}],
    }))
    .expect("it is a RoleBinding");
    bindings.create(&PostParams::default(), &binding).await.expect("the RoleBinding is made");
    let mut kubeconfig = Kubeconfig::read_from(cluster.kubeconfig()).expect("it is readable");
    for user in &mut kubeconfig.auth_infos {
        if let Some(login) = &mut user.auth_info {
            login.impersonate = Some("reader".to_owned());
        }
    }
    // JSON is YAML.
    let text = serde_json::to_string(&kubeconfig).expect("it is JSON");
    fs::write(dir.join("kubeconfig"), text).expect("it is written");
}

fn tenantry(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(dir).env_clear().env("HOME", dir);
    command.env("KUBECONFIG", dir.join("kubeconfig")).env("TENANTRY_NOW", "2026-03-02T09:00:00Z");
    let output = run(command, Duration::from_secs(120)).expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// A cluster with a Console, Adatum and Fabrikam bound, and a directory to plan from.
async fn world(cluster: &Cluster) -> (String, TempDir) {
    let (client, namespace) = (cluster.client(), cluster.namespace("plan").await);
    create(&client, Kind::Console, &namespace, "sophos", sophos()).await;
    let (ledger, store) = open(&client, &namespace).await;
    let header = Header { serial: 1, confirmed: Some(moment()), last_census: Some(2), ..ledger.header };
    let mut writes = vec![Write::Header(Box::new(header))];
    for (name, id, legal) in [("adatum", "r1", "Adatum GmbH"), ("fabrikam", "r2", "Fabrikam AG")] {
        create(&client, Kind::Customer, &namespace, name, spec(legal, "Existing")).await;
        let origin = Origin::Object {
            object: "Customer".into(),
            namespace: namespace.as_str().into(),
            name: name.into(),
            generation: 1,
        };
        let mut entry = Entry::declared(origin, moment());
        entry.remote_id = Some(RemoteId::new(id));
        writes.push(Write::Put(Address::account(&namespace, name, "sophos"), Box::new(entry)));
    }
    store.commit(0, writes, event("adopted")).await.expect("the ledger is kept");
    let dir = tempfile::tempdir().expect("a directory");
    reader(cluster, &namespace, dir.path()).await;
    fs::create_dir_all(dir.path().join("base")).expect("a directory");
    fs::create_dir_all(dir.path().join("changes")).expect("a directory");
    let write = |place: &str, text: String| fs::write(dir.path().join(place), text).expect("it is written");
    write("base/adatum.yaml", file("adatum", "Adatum GmbH", "Existing"));
    write("base/fabrikam.yaml", file("fabrikam", "Fabrikam AG", "Existing"));
    write("changes/fabrikam.yaml", file("fabrikam", "Fabrikam AG", "Existing"));
    write("changes/contoso.yaml", file("contoso", "Contoso SE", "Create"));
    write("snapshot.json", serde_json::to_string(&exported(&namespace)).expect("it is JSON"));
    (namespace, dir)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_planned_against_a_cluster_by_somebody_who_may_only_read() {
    let Some(cluster) = ready().await else { return };
    let (namespace, dir) = world(&cluster).await;
    let bindings = api(&cluster.client(), Kind::ConsoleBinding, &namespace);
    let versions = async || {
        let list = bindings.list(&ListParams::default()).await.expect("it is listed");
        list.items.into_iter().map(|one| one.metadata.resource_version).collect::<Vec<_>>()
    };
    let before = versions().await;
    let cluster_alone = ["plan", "--from-cluster", "-n", &namespace, "--snapshot", "snapshot.json"];
    let (code, out, err) = tenantry(dir.path(), &cluster_alone);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.starts_with("No changes: "), "{out}{err}");
    assert!(err.contains("2 customers, seen by the controller at 2026-03-02 08:00 UTC"), "{err}");
    let mut arguments = cluster_alone.to_vec();
    arguments.extend(["-f", "changes", "--base", "base"]);
    let (code, out, err) = tenantry(dir.path(), &arguments);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("+ customer contoso"), "{out}");
    assert!(out.contains(". customer adatum"), "what was deleted from the files is not forgotten: {out}");
    assert!(!out.contains("customer fabrikam"), "{out}");
    // Without the base nothing says that Adatum was taken away.
    let (_, out, _) = tenantry(dir.path(), &[&cluster_alone[..], &["-f", "changes"]].concat());
    assert!(out.contains("+ customer contoso") && !out.contains("adatum"), "{out}");
    assert_eq!(versions().await, before, "planning wrote");
    assert!(!dir.path().join(".tenantry").exists(), "planning made a state directory");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_named_with_what_to_do() {
    let Some(cluster) = ready().await else { return };
    let (namespace, dir) = world(&cluster).await;
    let (code, _, err) = tenantry(dir.path(), &["plan", "--from-cluster", "-n", &namespace]);
    assert_eq!(code, 64, "{err}");
    assert!(err.contains("--controller-url URL asks the controller"), "{err}");
    let mut empty = exported(&namespace);
    empty.consoles.clear();
    fs::write(dir.path().join("empty.json"), serde_json::to_string(&empty).expect("it is JSON"))
        .expect("it is written");
    let asked =
        |file: &str| tenantry(dir.path(), &["plan", "--from-cluster", "-n", &namespace, "--snapshot", file]);
    let (code, _, err) = asked("empty.json");
    assert_eq!(code, 1, "{err}");
    assert!(
        err.contains(&format!(
            "error[not-observed]: the controller has not observed Console {namespace}/sophos"
        )),
        "{err}"
    );
    let elsewhere = ["plan", "--from-cluster", "-n", "default", "--snapshot", "snapshot.json"];
    let (code, _, err) = tenantry(dir.path(), &elsewhere);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("error[cluster-refused]: cannot list"), "{err}");
    assert!(err.contains("in namespace default: the cluster refuses it to us (403: "), "{err}");
    let (code, _, err) = tenantry(dir.path(), &[&elsewhere[..], &["--context", "nowhere"]].concat());
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("error[no-cluster]: ") && err.contains("has no context nowhere; it has "), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_runs_it_as_a_plugin() {
    let Some(cluster) = ready().await else { return };
    let dir = tempfile::tempdir().expect("a directory");
    let plugin = dir.path().join("kubectl-tenantry");
    fs::copy(binary(), &plugin).expect("it is copied");
    let kubectl = |arguments: &[&str]| {
        let mut command = cluster.kubectl(arguments).expect("there is a kubectl beside the API server");
        command.env("PATH", dir.path());
        run(command, Duration::from_secs(60)).expect("it ends")
    };
    let version = kubectl(&["tenantry", "--version"]);
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    assert_eq!(version.trim(), format!("tenantry {}", env!("CARGO_PKG_VERSION")));
    let help = kubectl(&["tenantry", "plan", "--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(help.contains("Usage: kubectl tenantry plan"), "{help}");
}

/// Answers one request with this status and body; gives the request's head.
async fn answer(status: &str, body: String) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let status = status.to_owned();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a request"));
        }
        let head_of_answer =
            format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(head_of_answer.as_bytes()).await.expect("it listens");
        stream.write_all(body.as_bytes()).await.expect("it listens");
        String::from_utf8(head).expect("a head is text")
    });
    (url, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_is_asked_with_the_token_and_gives_what_it_observed() {
    let snapshot = exported("emea");
    let (url, asked) = answer("200 OK", serde_json::to_string(&snapshot).expect("it is JSON")).await;
    let token = secrecy::SecretString::from("t0k3n");
    let read = snapshot::fetch(&url, "emea", &Access::Token(&token), None).await.expect("it is read");
    assert_eq!(read, snapshot);
    let head = asked.await.expect("it was asked").to_lowercase();
    assert!(head.starts_with("get /snapshot?namespace=emea http/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: bearer t0k3n\r\n"), "{head}");
    let (url, _) = answer("403 Forbidden", "no".to_owned()).await;
    let error = snapshot::fetch(&url, "emea", &Access::Token(&token), None).await.expect_err("it is refused");
    assert_eq!(
        error.to_string(),
        format!(
            "the controller at {url} refuses the token (403); it asks for the right to get consoles/snapshot in tenantry.io, and a token that this cluster made (kubectl create token NAME)"
        )
    );
    let mut later: Value = serde_json::to_value(&snapshot).expect("it is JSON");
    later["formatVersion"] = json!(FORMAT_VERSION + 1);
    let (url, _) = answer("200 OK", later.to_string()).await;
    let error = snapshot::fetch(&url, "emea", &Access::Token(&token), None).await.expect_err("it is later");
    assert!(error.to_string().contains("is a snapshot of a later tenantry (format 2"), "{error}");
    assert!(!format!("{error:?}").contains("t0k3n"));
}
