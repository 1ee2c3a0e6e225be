//! A ledger in a cluster: whole, of one writer, refused where it is damaged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::future::join_all;
use kube::Client;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;
use tenantry_cluster::ledger::ClusterLedger;
use tenantry_cluster::{FENCE_ANNOTATION, WRITER_ANNOTATION, bindings};
use tenantry_crd::Kind;
use tenantry_engine::address::VendorAccount;
use tenantry_engine::ledger::{GuardKind, GuardUse, Header, Ledger};
use tenantry_engine::plan::Fingerprint;
use tenantry_engine::store::{LedgerStore, OpenLedger, StoreError, Write};
use tenantry_engine::testing::contract::{self, Home, address, bound, event, moment};

use super::{account, api, ready};

pub async fn open(client: &Client, namespace: &str) -> (Ledger, ClusterLedger) {
    ClusterLedger::open(client, namespace, &account(namespace), || "lineage".to_owned())
        .await
        .expect("the ledger opens")
}

pub fn put(name: &str, id: &str) -> Write {
    Write::Put(address(name), Box::new(bound(id)))
}

fn chain(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(" · {cause}"));
        source = cause.source();
    }
    text
}

struct InCluster(Client, String);

#[async_trait]
impl Home for InCluster {
    async fn open(&self) -> (Ledger, Box<dyn LedgerStore>) {
        let (ledger, store) = open(&self.0, &self.1).await;
        (ledger, Box::new(store))
    }
}

#[tokio::test]
async fn a_cluster_keeps_the_contract_of_ledgers() {
    let Some(cluster) = ready().await else { return };
    let home = async || InCluster(cluster.client(), cluster.namespace("contract").await);
    contract::keeps_what_is_committed(&home().await).await;
    contract::refuses_who_builds_on_something_else(&home().await).await;
    contract::keeps_what_is_staged_in_order(&home().await).await;
}

#[tokio::test]
async fn a_ledger_of_many_pages_comes_back_whole() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("pages").await);
    assert!(
        ClusterLedger::read(&client, &namespace, &account(&namespace)).await.expect("readable").is_none()
    );
    let (ledger, store) = open(&client, &namespace).await;
    let mut open_ledger = OpenLedger::new(ledger, &store);
    for n in 0..1100 {
        let writes = vec![put(&format!("customer-{n:04}"), &format!("r{n}"))];
        open_ledger.stage(writes, event("adopted")).await.expect("it is staged");
    }
    open_ledger.flush().await.expect("it is kept");
    let kept = open_ledger.into_ledger();
    let read = ClusterLedger::read(&client, &namespace, &account(&namespace)).await.expect("readable");
    assert_eq!(read, Some(kept));
    let accounts = ClusterLedger::accounts(&client, &namespace).await.expect("readable");
    assert_eq!(accounts, [account(&namespace)]);
}

#[tokio::test]
async fn of_writers_who_hold_the_same_serial_exactly_one_wins() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("writers").await);
    open(&client, &namespace).await;
    let mut stores = Vec::new();
    for _ in 0..6 {
        stores.push(open(&client, &namespace).await.1);
    }
    let runs = stores.iter().enumerate().map(|(n, store)| {
        store.commit(0, vec![put(&format!("customer-{n}"), &format!("r{n}"))], event("intent"))
    });
    let results = join_all(runs).await;
    let winners: Vec<usize> = (0..6).filter(|n| results[*n].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{results:?}");
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(error.is_conflict(), "{error:?}");
        let text = error.to_string();
        assert!(
            text.starts_with(&format!(
                "the ledger of {} (ConsoleBinding {namespace}/ledger-",
                account(&namespace)
            )) && text.ends_with("was written by somebody else (serial 1, expected 0); run again"),
            "{text}"
        );
    }
    let (ledger, _) = open(&client, &namespace).await;
    assert_eq!(ledger.header.serial, 1);
    let names: Vec<_> = ledger.entries.keys().cloned().collect();
    assert_eq!(names, [address(&format!("customer-{}", winners[0]))], "a loser wrote an entry");
    let loser = (winners[0] + 1) % 6;
    let again = stores[loser].commit(0, vec![put("late", "r")], event("intent")).await;
    let error = again.expect_err("a store goes on after it lost");
    assert_eq!(
        chain(&error),
        "the ledger's store failed · an earlier write of this run failed: what the ledger holds is not known; run again, it is read anew"
    );
}

#[tokio::test]
async fn of_many_who_make_a_ledger_all_get_the_same_one() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("headers").await);
    let account = account(&namespace);
    let runs =
        (0..6).map(|n| ClusterLedger::open(&client, &namespace, &account, move || format!("lineage-{n}")));
    let lineages: Vec<String> =
        join_all(runs).await.into_iter().map(|opened| opened.expect("it opens").0.header.lineage).collect();
    assert!(lineages.iter().all(|one| *one == lineages[0]), "{lineages:?}");
}

#[tokio::test]
async fn an_address_that_somebody_else_intends_is_not_written() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("intents").await);
    let (_, store) = open(&client, &namespace).await;
    // Another writer's entry becomes durable after we read, as that of one who was slow behind its header.
    let spec = bindings::to_spec(&address("adatum"), &bound("theirs"), &account(&namespace));
    let object = bindings::object(&account(&namespace), Some(&address("adatum")), spec);
    let theirs = kube::Api::<tenantry_crd::ConsoleBinding>::namespaced(client.clone(), &namespace);
    theirs.create(&PostParams::default(), &object).await.expect("it is made");
    let error = store
        .commit(0, vec![put("adatum", "ours")], event("intent"))
        .await
        .expect_err("two intents for one address");
    assert!(error.is_conflict(), "{error:?}");
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("ConsoleBinding {namespace}/entry-"))
            && text.contains("was written by somebody else (it is version ")
            && text.contains("by a writer that is not tenantry")
            && text.ends_with("run again, it then builds on what is there"),
        "{text}"
    );
    let (ledger, _) = open(&client, &namespace).await;
    assert_eq!(ledger.entries[&address("adatum")], bound("theirs"));
}

#[tokio::test]
async fn an_entry_that_lost_its_label_is_not_made_a_second_time() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("label").await);
    let (_, store) = open(&client, &namespace).await;
    store.commit(0, vec![put("adatum", "r1")], event("intent")).await.expect("it is kept");
    let name = bindings::binding_name(&account(&namespace), Some(&address("adatum")));
    let stripped = Patch::Merge(json!({"metadata": {"labels": null}}));
    let objects = api(&client, Kind::ConsoleBinding, &namespace);
    objects.patch(&name, &PatchParams::default(), &stripped).await.expect("it is changed");
    let (ledger, store) = open(&client, &namespace).await;
    assert!(ledger.entries.is_empty(), "it is listed without its label");
    let error = store.commit(1, vec![put("adatum", "r2")], event("intent")).await.expect_err("it is there");
    let label = bindings::ledger_label(&account(&namespace));
    assert!(error.is_conflict(), "{error:?}");
    assert!(
        error.to_string().contains(&format!("put its label back, tenantry.io/ledger={label}")),
        "{error}"
    );
}

#[tokio::test]
async fn guards_that_two_runs_reserve_at_once_are_not_counted_less() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("guards").await);
    open(&client, &namespace).await;
    let reserve = |ledger: &Ledger, step: &str| {
        let used = GuardUse {
            at: moment(),
            kind: GuardKind::Creations,
            count: 1,
            step: Fingerprint::from_text(step),
        };
        let mut header: Header = ledger.header.clone();
        header.serial += 1;
        header.guard_log.push(used);
        vec![Write::Header(Box::new(header))]
    };
    let ((a, first), (b, second)) = (open(&client, &namespace).await, open(&client, &namespace).await);
    let (one, other) = tokio::join!(
        first.commit(0, reserve(&a, "00112233aabbccdd"), event("intent")),
        second.commit(0, reserve(&b, "11112233aabbccdd"), event("intent"))
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    let (c, third) = open(&client, &namespace).await;
    third.commit(1, reserve(&c, "22112233aabbccdd"), event("intent")).await.expect("it is alone");
    let (ledger, _) = open(&client, &namespace).await;
    assert_eq!(ledger.header.guard_log.len(), 2, "a reservation was lost");
}

#[tokio::test]
async fn what_does_not_differ_is_not_written() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("quiet").await);
    let (_, store) = open(&client, &namespace).await;
    let two = vec![put("adatum", "r1"), put("fabrikam", "r2")];
    store.commit(0, two.clone(), event("adopted")).await.expect("it is kept");
    let bindings = api(&client, Kind::ConsoleBinding, &namespace);
    let versions = async || -> Vec<Option<String>> {
        let list = bindings.list(&ListParams::default()).await.expect("it is listed");
        list.items.into_iter().map(|object| object.metadata.resource_version).collect()
    };
    let before = versions().await;
    assert_eq!(store.commit(1, two, event("adopted")).await.expect("nothing to do"), 1);
    let (_, again) = open(&client, &namespace).await;
    let same = vec![put("adatum", "r1"), Write::Erase(address("never-there"))];
    assert_eq!(again.commit(1, same, event("adopted")).await.expect("nothing to do"), 1);
    assert_eq!(versions().await, before, "something was written");
    let mixed = vec![put("adatum", "r1"), put("fabrikam", "r3")];
    again.commit(1, mixed, event("adopted")).await.expect("it is kept");
    let after = versions().await;
    let changed = before.iter().zip(&after).filter(|(one, other)| one != other).count();
    assert_eq!(changed, 2, "the header and the one entry that differs");
}

#[tokio::test]
async fn no_binding_has_an_owner_and_each_names_its_writer() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("marks").await);
    let (_, store) = open(&client, &namespace).await;
    let store = store.fenced(7, Arc::new(|| true));
    store.commit(0, vec![put("adatum", "r1")], event("adopted")).await.expect("it is kept");
    let list = api(&client, Kind::ConsoleBinding, &namespace).list(&ListParams::default()).await;
    let objects = list.expect("it is listed").items;
    assert_eq!(objects.len(), 2);
    for object in objects {
        assert_eq!(object.metadata.owner_references, None);
        let annotations = object.metadata.annotations.expect("it has some");
        assert!(annotations.contains_key(WRITER_ANNOTATION));
        assert_eq!(annotations[FENCE_ANNOTATION], "7");
    }
}

#[tokio::test]
async fn a_replica_that_lost_its_lease_writes_nothing() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("fence").await);
    let held = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&held);
    let (_, store) = open(&client, &namespace).await;
    let store = store.fenced(3, Arc::new(move || asked.load(Ordering::Relaxed)));
    store.commit(0, vec![put("adatum", "r1")], event("intent")).await.expect("it is held");
    held.store(false, Ordering::Relaxed);
    let error = store.commit(1, vec![put("fabrikam", "r2")], event("intent")).await.expect_err("not held");
    assert_eq!(
        chain(&error),
        "the ledger's store failed · this replica's Lease (generation 3) is not held any more; nothing was written, the replica that holds it goes on"
    );
    let (ledger, _) = open(&client, &namespace).await;
    assert_eq!((ledger.header.serial, ledger.entries.len()), (1, 1));
}

async fn damage(client: &Client, namespace: &str, name: &str, patch: serde_json::Value) -> String {
    let bindings = api(client, Kind::ConsoleBinding, namespace);
    bindings.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.expect("it is changed");
    let read = ClusterLedger::read(client, namespace, &account(namespace)).await;
    let opened = ClusterLedger::open(client, namespace, &account(namespace), || "new".to_owned()).await;
    match (read, opened.map(|_| ())) {
        (Err(read @ StoreError::Damaged { .. }), Err(opened)) => {
            assert_eq!(read.to_string(), opened.to_string());
            read.to_string()
        }
        other => panic!("a damaged ledger was let through: {other:?}"),
    }
}

#[tokio::test]
async fn a_damaged_ledger_is_refused_and_never_read_with_a_hole() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("damage").await);
    let (_, store) = open(&client, &namespace).await;
    store.commit(0, vec![put("adatum", "r1"), put("fabrikam", "r2")], event("x")).await.expect("kept");
    let account: VendorAccount = account(&namespace);
    let entry = bindings::binding_name(&account, Some(&address("adatum")));
    let text = damage(&client, &namespace, &entry, json!({"spec": {"operation": {"id": "op1"}}})).await;
    assert!(text.starts_with(&format!("ConsoleBinding {namespace}/{entry}: spec.operation")), "{text}");
    let header = bindings::binding_name(&account, None);
    // A later format explains the entry that is not understood: it is told first.
    let text = damage(&client, &namespace, &header, json!({"spec": {"header": {"formatVersion": 9}}})).await;
    assert!(
        text.starts_with(&format!(
            "ConsoleBinding {namespace}/{header}: spec.header.formatVersion: written by a later tenantry (format 9"
        )),
        "{text}"
    );
    let bindings = api(&client, Kind::ConsoleBinding, &namespace);
    let operation = Patch::Merge(json!({"spec": {"operation": null}}));
    bindings.patch(&entry, &PatchParams::default(), &operation).await.expect("it is mended");
    bindings.delete(&header, &DeleteParams::default()).await.expect("it is deleted");
    let error = ClusterLedger::read(&client, &namespace, &account).await.expect_err("it has no header");
    assert!(
        error.to_string().starts_with(&format!(
            "ConsoleBinding {namespace}/{header}: the ledger's header is missing, 2 of its entries are there"
        )),
        "{error}"
    );
}

#[tokio::test]
async fn who_has_no_right_is_told_which_one() {
    let Some(cluster) = ready().await else { return };
    let namespace = cluster.namespace("rights").await;
    let nobody = cluster.client_as("nobody", &["system:authenticated"]);
    let error = ClusterLedger::read(&nobody, &namespace, &account(&namespace)).await.expect_err("no right");
    let text = chain(&error);
    assert!(
        text.starts_with(&format!(
            "the ledger's store failed · cannot list consolebindings in namespace {namespace}: the cluster refuses it to us (403: "
        )) && text.ends_with("grant it with a Role, as the chart's ClusterRole does, or use another context"),
        "{text}"
    );
    let client = cluster.client();
    let error = ClusterLedger::open(&client, "no-such-namespace", &account(&namespace), String::new).await;
    let text = chain(&error.map(|_| ()).expect_err("there is no such namespace"));
    assert!(text.contains("cannot create ConsoleBinding no-such-namespace/ledger-"), "{text}");
}
