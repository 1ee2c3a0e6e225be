//! Commands that look at ledgers, with a ledger that a cluster keeps: what `kubectl tenantry tasks --ledger cluster`
//! answers, and what is said there reaches the ConsoleBindings.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use kube::Client;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tenantry_cluster::ledger::ClusterLedger;
use tenantry_crd::Kind;
use tenantry_engine::action::Action;
use tenantry_engine::address::{Address, RemoteId, VendorAccount};
use tenantry_engine::capability::{OperationClass, Party, Row};
use tenantry_engine::ledger::{Entry, Invitation, Ledger};
use tenantry_engine::operation::{Operation, Phase};
use tenantry_engine::origin::Origin;
use tenantry_engine::plan::Fingerprint;
use tenantry_engine::store::{LedgerStore, Write};
use tenantry_engine::task::{Task, TaskRecord};
use tenantry_engine::testing::contract::{event, moment};
use tenantry_tests::cli::binary;
use tenantry_tests::kube::Cluster;
use tenantry_tests::process::run;

use super::ledgers::open;
use super::{account, api, create, ready};

const TASK: &str = "microsoft-update-billing-fabrikam-5e16ee";

fn tenantry(cluster: &Cluster, dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(dir).env_clear().env("HOME", dir).env("TENANTRY_BY", "anna");
    command.env("KUBECONFIG", cluster.kubeconfig()).env("TENANTRY_NOW", "2026-03-12T09:00:00Z");
    let output = run(command, Duration::from_secs(120)).expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn entry(namespace: &str, name: &str) -> (Address, Entry) {
    let origin = Origin::Object {
        object: "Customer".into(),
        namespace: namespace.into(),
        name: name.into(),
        generation: 1,
    };
    (Address::account(namespace, name, "microsoft"), Entry::declared(origin, moment()))
}

fn invitation() -> Invitation {
    Invitation {
        link: "https://admin.example/partner?id=1".into(),
        message_id: "0b6c".into(),
        to: "ceo@adatum.example".into(),
        language: "de".into(),
        provider: None,
        accepted_as: vec!["domain:adatum.example".into()],
        drafted: moment(),
        sent: Some(moment()),
        reminders: vec![],
        revoked: None,
    }
}

/// A request whose answer was lost.
fn operation() -> Operation {
    let digester = Ledger::new(VendorAccount::new("x"), "x".into()).digester();
    Operation {
        id: "11111111-aaaa".into(),
        row: Row::Create,
        request_id: "r".into(),
        name: "create-customer".into(),
        action: Action::Create,
        step: Fingerprint::from_text("0123456789abcdef"),
        class: OperationClass::Keyed,
        content: digester.text("content"),
        intended: moment(),
        phase: Phase::Sent { at: moment() },
        declared: BTreeMap::default(),
        expect: vec![],
        lookalikes: vec![],
        looked: None,
        more: false,
    }
}

/// A Console of Microsoft with a ledger of three entries: one bound, one invited, one with a task, one in doubt.
async fn world(client: &Client, namespace: &str) {
    let spec = json!({
        "microsoft": {"partner": "DirectBill", "tenantId": "msp.example"},
        "credentials": {"read": {"secretRef": {"name": "microsoft-read"}}},
        "ownDomains": ["msp.example"],
        "invitation": {"expireAfter": "P5D"},
    });
    create(client, Kind::Console, namespace, "microsoft", spec).await;
    let status = json!({"status": {"vendorAccount": account(namespace).as_str()}});
    let consoles = api(client, Kind::Console, namespace);
    consoles
        .patch_status("microsoft", &PatchParams::default(), &Patch::Merge(&status))
        .await
        .expect("the status is written");
    let (_, store) = open(client, namespace).await;
    let mut bound = entry(namespace, "bound");
    bound.1.remote_id = Some(RemoteId::new("r1"));
    let mut invited = entry(namespace, "adatum");
    invited.1.invitation = Some(Box::new(invitation()));
    let mut asked = entry(namespace, "fabrikam");
    let task = Task {
        id: TASK.into(),
        title: "Fabrikam AG: trial → usage".into(),
        party: Party::Operator,
        at: "Partner Center".into(),
        steps: vec!["Customers › Fabrikam AG".into()],
        consequences: vec![],
        observable: true,
    };
    asked.1.tasks.insert(TASK.into(), TaskRecord::opened(moment(), task));
    let mut doubtful = entry(namespace, "doubtful");
    doubtful.1.operation = Some(Box::new(operation()));
    let entries = [bound, invited, asked, doubtful];
    let writes = entries.map(|(address, entry)| Write::Put(address, Box::new(entry)));
    store.commit(0, writes.to_vec(), event("adopted")).await.expect("the ledger is kept");
}

async fn stored(client: &Client, namespace: &str) -> Ledger {
    let read = ClusterLedger::read(client, namespace, &account(namespace)).await;
    read.expect("it is readable").expect("it is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_a_cluster_is_shown_without_a_vendors_credential() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("shown").await);
    world(&client, &namespace).await;
    let dir = tempfile::tempdir().expect("a directory");
    let ask = |arguments: &[&str]| {
        let place = ["--ledger", "cluster", "-n", &namespace];
        tenantry(&cluster, dir.path(), &[arguments, &place[..]].concat())
    };
    let well = |arguments: &[&str]| {
        let (code, out, err) = ask(arguments);
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
        out
    };
    let list = well(&["state", "list"]);
    for line in [
        format!("{namespace}/microsoft   {}", account(&namespace)),
        format!("{namespace}:customer/bound/microsoft"),
    ] {
        assert!(list.contains(&line), "{line}: {list}");
    }
    assert!(list.contains("(request") && list.contains("(invited)") && list.contains("(1 task)"), "{list}");
    let show = well(&["state", "show", "adatum"]);
    assert!(show.contains("to ceo@adatum.example, drafted 2026-03-02, sent 2026-03-02"), "{show}");
    let events =
        format!("What happened to it: kubectl describe customer adatum -n {namespace}, under Events");
    assert!(show.contains(&events), "{show}");
    let tasks = well(&["tasks"]);
    assert!(tasks.contains(TASK) && tasks.contains("Fabrikam AG: trial → usage"), "{tasks}");
    assert!(tasks.contains(&format!("From the ledgers in namespace {namespace},")), "{tasks}");
    assert!(well(&["tasks", "show", TASK]).contains("1.  Customers › Fabrikam AG"));
    let document: Value = serde_json::from_str(&well(&["tasks", "-o", "json"])).expect("it is JSON");
    assert_eq!(document["tasks"][0]["console"], format!("{namespace}/microsoft"));
    // Days of patience are those that the cluster declares.
    let invitations = well(&["invitations"]);
    assert!(
        invitations.contains("overdue") && invitations.contains("since 2026-03-07 (5 days ago)"),
        "{invitations}"
    );
    let ledger: Value = serde_json::from_str(&well(&["state", "pull"])).expect("it is JSON");
    assert_eq!(ledger["header"]["vendorAccount"], account(&namespace).as_str());
    let (code, _, err) = ask(&["tasks", "-f", "."]);
    assert_eq!(code, 64, "{err}");
    assert!(err.contains("tenantry plan --from-cluster"), "{err}");
    assert!(!dir.path().join(".tenantry").exists(), "looking made a state directory");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_reaches_the_ledger_in_the_cluster() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("said").await);
    world(&client, &namespace).await;
    let dir = tempfile::tempdir().expect("a directory");
    let say = |arguments: &[&str]| {
        let place = ["--ledger", "cluster", "-n", &namespace];
        tenantry(&cluster, dir.path(), &[arguments, &place[..]].concat())
    };
    let (code, out, err) = say(&["tasks", "done", TASK, "--note", "by phone"]);
    assert_eq!(code, 0, "{out}{err}");
    let (code, out, err) = say(&["resolve", "11111111-aaaa", "--not-happened"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("The next apply may send it again, once."), "{out}");
    let (code, out, err) = say(&["invitations", "revoke", "adatum", "--yes"]);
    assert_eq!(code, 0, "{out}{err}");
    let ledger = stored(&client, &namespace).await;
    let at = |name: &str| &ledger.entries[&Address::account(&namespace, name, "microsoft")];
    let said = at("fabrikam").tasks[TASK].attested.as_ref().expect("it was said");
    assert_eq!((said.by.as_str(), said.note.as_str()), ("anna", "by phone"));
    let operation = at("doubtful").operation.as_ref().expect("it is kept until the next run");
    assert!(matches!(operation.phase, Phase::NotHappened { .. }), "{operation:?}");
    assert!(at("adatum").invitation.as_ref().is_some_and(|invitation| invitation.revoked.is_some()));
    // As Attestations for Git or kubectl, where that is wanted: the ids are checked against the cluster's ledger.
    let (code, out, err) = say(&["tasks", "done", TASK, "--write", "attestations"]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(fs::read_dir(dir.path().join("attestations")).expect("it was made").count(), 1);
    assert!(!dir.path().join(".tenantry").exists(), "no state directory is made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_without_a_ledger_is_named_with_what_to_do() {
    let Some(cluster) = ready().await else { return };
    let namespace = cluster.namespace("none").await;
    let dir = tempfile::tempdir().expect("a directory");
    let place = ["--ledger", "cluster", "-n", &namespace];
    let (code, out, err) = tenantry(&cluster, dir.path(), &[&["state", "list"][..], &place].concat());
    assert_eq!(
        (code, out),
        (0, format!("There is no ledger in namespace {namespace} yet: tenantry apply makes one.\n")),
        "{err}"
    );
    let (code, _, err) = tenantry(&cluster, dir.path(), &[&["state", "show", "adatum"][..], &place].concat());
    assert_eq!(code, 1, "{err}");
    assert!(
        err.contains(&format!("error[no-state]: there is no ledger in namespace {namespace} of https://")),
        "{err}"
    );
    assert!(err.contains("another namespace is named with -n"), "{err}");
}
