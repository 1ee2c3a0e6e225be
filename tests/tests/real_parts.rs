//! Each real part, started once and used once. Whatever builds on a part may rely on what is shown here.
//!
//! Never tests tenantry itself: a failure here means that the machine or the harness is at fault.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, PostParams};
use kube::{Api, Client};
use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, UpdateVersion};
use serde_json::json;
use tenantry_tests::browser::Browser;
use tenantry_tests::helm::Helm;
use tenantry_tests::kube::Cluster;
use tenantry_tests::parts::{Part, available};
use tenantry_tests::process::run;
use tenantry_tests::s3::ObjectStore;

fn trial_definition(group: &str) -> CustomResourceDefinition {
    serde_json::from_value(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("trials.{group}")},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Trial", "plural": "trials", "singular": "trial"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {"spec": {
                        "type": "object",
                        "properties": {"seats": {"type": "integer"}, "most": {"type": "integer"}},
                        "x-kubernetes-validations": [{
                            "rule": "self.seats <= self.most",
                            "message": "seats may not exceed most"
                        }]
                    }}
                }}
            }]
        }
    }))
    .expect("the definition is a valid CustomResourceDefinition")
}

async fn until_served(client: &Client, name: &str) {
    let definitions = Api::<CustomResourceDefinition>::all(client.clone());
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let conditions = definitions.get_status(name).await.ok().and_then(|found| found.status);
        let conditions = conditions.and_then(|status| status.conditions).unwrap_or_default();
        if conditions.iter().any(|condition| condition.type_ == "Established" && condition.status == "True") {
            return;
        }
        assert!(Instant::now() < deadline, "{name} is not established after 30 s: {conditions:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_api_server_enforces_the_rules_of_a_definition() {
    let Some(cluster) = Cluster::shared().await else { return };
    let client = cluster.client();
    let namespace = cluster.namespace("trial").await;
    // A group of its own, so that an existing cluster can be used twice at once.
    let group = format!("{namespace}.tenantry.test");
    let definitions = Api::<CustomResourceDefinition>::all(client.clone());
    definitions
        .create(&PostParams::default(), &trial_definition(&group))
        .await
        .expect("the definition is accepted");
    until_served(&client, &format!("trials.{group}")).await;

    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(&group, "v1", "Trial"));
    let trials = Api::<DynamicObject>::namespaced_with(client, &namespace, &kind);
    let trial = |name: &str, seats: u32| {
        DynamicObject::new(name, &kind).data(json!({"spec": {"seats": seats, "most": 10}}))
    };
    let good = trials.create(&PostParams::default(), &trial("good", 10)).await;
    let bad = trials.create(&PostParams::default(), &trial("bad", 11)).await;
    definitions
        .delete(&format!("trials.{group}"), &DeleteParams::default())
        .await
        .expect("the definition can be deleted");

    good.expect("an object within the rule is accepted");
    let Err(kube::Error::Api(refusal)) = bad else {
        panic!("an object against the rule was not refused: {bad:?}")
    };
    assert_eq!(refusal.code, 422);
    assert!(refusal.message.contains("seats may not exceed most"), "{}", refusal.message);
}

#[tokio::test]
async fn the_api_server_refuses_who_has_no_right() {
    let Some(cluster) = Cluster::shared().await else { return };
    let namespace = cluster.namespace("rights").await;
    let stranger = cluster.client_as("stranger", &["system:authenticated"]);
    let secrets = Api::<Secret>::namespaced(stranger, &namespace);
    let Err(kube::Error::Api(refusal)) = secrets.get("credentials").await else {
        panic!("a user without any role could read a Secret")
    };
    assert_eq!(refusal.code, 403);
}

#[tokio::test]
async fn kubectl_waits_for_a_condition() {
    let Some(cluster) = Cluster::shared().await else { return };
    let namespace = format!("namespace/{}", cluster.namespace("wait").await);
    let arguments = ["wait", "--for=jsonpath={.status.phase}=Active", "--timeout=20s", &namespace];
    let Some(kubectl) = cluster.kubectl(&arguments) else { return };
    let output = run(kubectl, Duration::from_secs(60)).expect("kubectl ends");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("condition met"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn the_object_store_lets_one_writer_create_and_one_update() {
    let Some(server) = ObjectStore::start() else { return };
    server.bucket("state");
    let store = AmazonS3Builder::new()
        .with_endpoint(server.endpoint())
        .with_allow_http(true)
        .with_region(server.region())
        .with_bucket_name("state")
        .with_access_key_id(server.access_key())
        .with_secret_access_key(server.secret_key())
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .build()
        .expect("the settings are complete");
    let ledger = ObjectPath::from("ledger.json");
    let put = async |text: &'static str, mode: PutMode| {
        store.put_opts(&ledger, PutPayload::from_static(text.as_bytes()), PutOptions::from(mode)).await
    };

    let first = put("1", PutMode::Create).await.expect("the first writer creates it");
    let second = put("2", PutMode::Create).await;
    assert!(matches!(second, Err(object_store::Error::AlreadyExists { .. })), "{second:?}");

    let seen = UpdateVersion::from(first);
    put("3", PutMode::Update(seen.clone())).await.expect("who has seen the newest version updates it");
    let late = put("4", PutMode::Update(seen)).await;
    assert!(matches!(late, Err(object_store::Error::Precondition { .. })), "{late:?}");
    let body = store.get(&ledger).await.expect("it is there").bytes().await.expect("it can be read");
    assert_eq!(body.as_ref(), b"3");
}

#[test]
fn the_browser_runs_a_page_with_its_script() {
    let Some(browser) = Browser::find() else { return };
    let page = "<!doctype html><p id=sum></p><script>sum.textContent = `six by seven is ${6 * 7}`</script>";
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    let url = format!("http://{}/", listener.local_addr().expect("a bound socket has an address"));
    // It ends with the test process: nobody waits for a last request.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("the browser connects");
            let mut head = BufReader::new(stream.try_clone().expect("a socket can be shared")).lines();
            // A preconnected socket that the browser closes unused has no request.
            while head.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                page.len()
            );
        }
    });
    let document = browser.document(&url);
    assert!(document.contains("<p id=\"sum\">six by seven is 42</p>"), "{document}");
}

/// A chart with one ConfigMap in it.
fn small_chart() -> tempfile::TempDir {
    let chart = tempfile::tempdir().expect("a temporary directory can be made");
    let file =
        |name: &str, text: &str| fs::write(chart.path().join(name), text).expect("the chart can be written");
    file("Chart.yaml", "apiVersion: v2\nname: trial\nversion: 0.1.0\n");
    file("values.yaml", "greeting: hello\n");
    fs::create_dir(chart.path().join("templates")).expect("the chart can be written");
    file(
        "templates/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: trial}\ndata: {greeting: \"{{ .Values.greeting }}\"}\n",
    );
    chart
}

#[test]
fn helm_renders_a_chart_from_a_directory() {
    let Some(helm) = Helm::find() else { return };
    let version = helm.stdout(&["version", "--template", "{{.Version}}"]);
    assert!(version.starts_with('v'), "{version}");
    let chart = small_chart();
    let path = chart.path().to_str().expect("a temporary path is UTF-8");
    let rendered = helm.stdout(&["template", "release", path, "--set", "greeting=good morning"]);
    assert!(rendered.contains("data: {greeting: \"good morning\"}"), "{rendered}");
    assert!(!helm.run(&["template", "release", "/does/not/exist"]).status.success());
}

#[tokio::test]
async fn helm_installs_a_chart_on_the_api_server() {
    let Some(cluster) = Cluster::shared().await else { return };
    let Some(helm) = Helm::find() else { return };
    let namespace = cluster.namespace("chart").await;
    let chart = small_chart();
    let path = chart.path().to_str().expect("a temporary path is UTF-8");
    helm.on(cluster.kubeconfig()).stdout(&["install", "release", path, "--namespace", &namespace]);
    let maps = Api::<ConfigMap>::namespaced(cluster.client(), &namespace);
    let map = maps.get("trial").await.expect("the chart's object is there");
    assert_eq!(map.data.expect("it has data")["greeting"], "hello");
}

#[test]
fn the_lua_of_argo_cd_runs_a_script() {
    let Some(program) = available(Part::Glua.find()) else { return };
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let script = directory.path().join("sum.lua");
    fs::write(&script, "local n = 0\nfor _, v in ipairs({6, 7}) do n = n + v end\nprint(n, _VERSION)\n")
        .expect("the temporary directory is writable");
    let mut command = Command::new(program);
    command.arg(&script);
    let output = run(command, Duration::from_secs(20)).expect("it can be run");
    // The version that Argo CD's scripts are written for.
    assert_eq!(String::from_utf8_lossy(&output.stdout), "13\tLua 5.1\n");
}
