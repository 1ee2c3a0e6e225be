//! What a cluster declares, and what of it counts as read.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::Client;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;
use tenantry_cluster::FINALIZER;
use tenantry_cluster::stores::{Changes, Population, Stores, Watched};
use tenantry_crd::Kind;
use tenantry_engine::address::Address;
use tenantry_engine::origin::{Origin, Scope};
use tenantry_tests::kube::Cluster;
use tokio::time::timeout;

use super::{api, create, customer, ready, sophos};

const LIMIT: Duration = Duration::from_secs(60);

fn watched(namespace: &str) -> Watched {
    Watched { namespaces: Some(BTreeSet::from([namespace.to_owned()])), consoles: None }
}

fn origin(kind: Kind, namespace: &str, name: &str) -> Origin {
    Origin::Object {
        object: kind.as_str().into(),
        namespace: namespace.into(),
        name: name.into(),
        generation: 1,
    }
}

/// Waits until the population says so, looking whenever something changes.
async fn until(stores: &Stores, changes: &mut Changes, what: &str, holds: impl Fn(&Population) -> bool) {
    let waited = timeout(LIMIT, async {
        while !stores.synced() || !holds(&stores.population()) {
            changes.next().await;
        }
    });
    assert!(waited.await.is_ok(), "{what}: not within {LIMIT:?}; unsynced: {:?}", stores.unsynced());
}

fn names(population: &Population) -> Vec<String> {
    population.declarations().customers.iter().map(|one| one.name.to_owned()).collect()
}

async fn finalizer(client: &Client, namespace: &str, name: &str) {
    let patch = Patch::Merge(json!({"metadata": {"finalizers": [FINALIZER]}}));
    api(client, Kind::Customer, namespace)
        .patch(name, &PatchParams::default(), &patch)
        .await
        .expect("it takes a finalizer");
}

#[tokio::test]
async fn objects_are_declared_as_they_come_change_and_go() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("stores").await);
    create(&client, Kind::Console, &namespace, "sophos", sophos()).await;
    create(&client, Kind::Customer, &namespace, "adatum", customer("Adatum GmbH")).await;
    let (stores, mut changes, task) = Stores::start(client.clone(), watched(&namespace));
    until(&stores, &mut changes, "the first list", |all| names(all) == ["adatum"]).await;
    let held = stores.population();
    create(&client, Kind::Customer, &namespace, "fabrikam", customer("Fabrikam AG")).await;
    until(&stores, &mut changes, "a new object", |all| names(all) == ["adatum", "fabrikam"]).await;
    assert_eq!(names(&held), ["adatum"], "a population changes while it is held");
    let patch = Patch::Merge(json!({"metadata": {"labels": {"tier": "gold"}, "annotations": {
        "tenantry.io/approve": "00112233aabbccdd", "example.com/note": "x",
    }}}));
    let customers = api(&client, Kind::Customer, &namespace);
    customers.patch("adatum", &PatchParams::default(), &patch).await.expect("it is changed");
    until(&stores, &mut changes, "a change", |all| {
        all.customer(&namespace, "adatum").is_some_and(|one| one.labels.contains_key("tier"))
    })
    .await;
    let adatum = stores.population().customer(&namespace, "adatum").cloned().expect("it is there");
    let kept: Vec<_> = adatum.annotations.keys().cloned().collect();
    assert_eq!(kept, ["tenantry.io/approve"], "foreign annotations are kept in memory");
    assert!(stores.population().was_listed(&origin(Kind::Customer, &namespace, "adatum")));
    task.abort();
}

#[tokio::test]
async fn a_broken_object_stands_beside_healthy_ones_and_holds_what_it_declared() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("broken").await);
    create(&client, Kind::Customer, &namespace, "healthy", customer("Adatum GmbH")).await;
    let mut bad = customer("Fabrikam AG");
    bad["want"] = json!("Detached");
    // The pattern of the definition lets it pass; no calendar has it.
    bad["notBefore"] = json!("2026-02-30");
    create(&client, Kind::Customer, &namespace, "broken", bad).await;
    let (stores, mut changes, task) = Stores::start(client.clone(), watched(&namespace));
    until(&stores, &mut changes, "both", |all| names(all) == ["healthy"] && all.broken().len() == 1).await;
    let population = stores.population();
    let broken = &population.broken()[0];
    assert_eq!((broken.kind, &*broken.name), (Kind::Customer, "broken"));
    assert!(broken.error.contains("2026-02-30"), "{}", broken.error);
    assert!(population.was_listed(&origin(Kind::Customer, &namespace, "healthy")));
    assert!(!population.was_listed(&origin(Kind::Customer, &namespace, "broken")), "it counts as read");
    finalizer(&client, &namespace, "broken").await;
    let customers = api(&client, Kind::Customer, &namespace);
    customers.delete("broken", &DeleteParams::default()).await.expect("it is deleted");
    until(&stores, &mut changes, "its deletion", |all| {
        all.was_listed(&origin(Kind::Customer, &namespace, "broken")) && all.going().len() == 1
    })
    .await;
    task.abort();
}

#[tokio::test]
async fn a_deletion_timestamp_undeclares_and_an_object_that_is_not_to_be_seen_holds() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("deleted").await);
    for name in ["going", "vanishing", "staying"] {
        create(&client, Kind::Customer, &namespace, name, customer("Adatum GmbH")).await;
    }
    finalizer(&client, &namespace, "going").await;
    let (stores, mut changes, task) = Stores::start(client.clone(), watched(&namespace));
    until(&stores, &mut changes, "the list", |all| names(all).len() == 3).await;
    let customers = api(&client, Kind::Customer, &namespace);
    for name in ["going", "vanishing"] {
        customers.delete(name, &DeleteParams::default()).await.expect("it is deleted");
    }
    until(&stores, &mut changes, "both deletions", |all| names(all) == ["staying"]).await;
    let population = stores.population();
    assert!(population.was_listed(&origin(Kind::Customer, &namespace, "going")));
    assert!(!population.was_listed(&origin(Kind::Customer, &namespace, "vanishing")), "absence counts");
    let going: Vec<_> = population.going().iter().map(|one| one.name.to_string()).collect();
    assert_eq!(going, ["going"]);
    assert!(!population.was_listed(&origin(Kind::Customer, "elsewhere", "staying")));
    assert!(!population.was_listed(&Origin::file("a.yaml", 1, 1)));
    task.abort();
}

#[tokio::test]
async fn a_shard_holds_its_own_customers_and_knows_that_it_read_the_others() {
    let Some(cluster) = ready().await else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("shard").await);
    let consoles = api(&client, Kind::Console, &namespace);
    let label = |shard: &str| Patch::Merge(json!({"metadata": {"labels": {"shard": shard}}}));
    for (name, shard) in [("sophos", "one"), ("other", "two")] {
        create(&client, Kind::Console, &namespace, name, sophos()).await;
        consoles.patch(name, &PatchParams::default(), &label(shard)).await.expect("it is labelled");
    }
    create(&client, Kind::Customer, &namespace, "ours", customer("Adatum GmbH")).await;
    let mut theirs = customer("Fabrikam AG");
    theirs["accounts"][0]["consoleRef"]["name"] = json!("other");
    create(&client, Kind::Customer, &namespace, "theirs", theirs).await;
    let watched = Watched { consoles: Some("shard=one".to_owned()), ..watched(&namespace) };
    let (stores, mut changes, task) = Stores::start(client.clone(), watched.clone());
    until(&stores, &mut changes, "the list", |all| names(all) == ["ours"]).await;
    assert!(stores.population().was_listed(&origin(Kind::Customer, &namespace, "theirs")));
    assert_eq!(stores.population().consoles().count(), 1);
    let slip = |name: &'static str| {
        let mut one = customer("Contoso AG");
        one["accounts"][0]["consoleRef"]["name"] = json!(name);
        one
    };
    create(&client, Kind::Customer, &namespace, "slip", slip("sohpos")).await;
    until(&stores, &mut changes, "what leads nowhere", |all| names(all) == ["ours", "slip"]).await;
    let leads = |name: &str| {
        let (origin, address) =
            (origin(Kind::Customer, &namespace, name), Address::account(&namespace, name, "sophos"));
        stores.population().was_read(&origin, &address)
    };
    assert!(leads("ours") && leads("theirs"), "another shard's Console counts as missing");
    assert!(!leads("slip"), "its silence counts though it leads nowhere");
    let slipped = api(&client, Kind::Customer, &namespace);
    slipped.delete("slip", &DeleteParams::default()).await.expect("it is deleted");
    until(&stores, &mut changes, "its deletion", |all| names(all) == ["ours"]).await;
    consoles.patch("other", &PatchParams::default(), &label("one")).await.expect("it is labelled");
    until(&stores, &mut changes, "another Console", |all| names(all) == ["ours", "theirs"]).await;
    let once = tenantry_cluster::stores::list(&client, &watched).await.expect("it is listed");
    assert_eq!(names(&once), ["ours", "theirs"]);
    task.abort();
}

#[tokio::test]
async fn a_store_that_may_not_be_read_holds_everything_and_says_why() {
    let Some(cluster) = ready().await else { return };
    let namespace = cluster.namespace("unsynced").await;
    let nobody = cluster.client_as("nobody", &["system:authenticated"]);
    let (stores, _changes, task) = Stores::start(nobody.clone(), watched(&namespace));
    let said = timeout(LIMIT, async {
        loop {
            let unsynced = stores.unsynced();
            if unsynced.iter().all(|one| one.because.is_some()) {
                return unsynced[0].to_string();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let said = said.await.expect("it is said within the limit");
    assert!(said.contains(&namespace) && said.to_lowercase().contains("forbidden"), "{said}");
    assert!(!stores.synced());
    assert!(!stores.population().was_listed(&origin(Kind::Customer, &namespace, "adatum")));
    task.abort();
    let error = tenantry_cluster::stores::list(&nobody, &watched(&namespace)).await.expect_err("no right");
    assert!(
        error.to_string().starts_with(&format!(
            "cannot list consoles in namespace {namespace}: the cluster refuses it to us (403: "
        )),
        "{error}"
    );
}

#[tokio::test]
async fn watches_go_on_when_the_api_server_comes_back() {
    let Some(mut cluster) = Cluster::start().await else { return };
    let Some(()) = cluster.install_crds() else { return };
    let (client, namespace) = (cluster.client(), cluster.namespace("again").await);
    create(&client, Kind::Customer, &namespace, "before", customer("Adatum GmbH")).await;
    let (stores, mut changes, task) = Stores::start(client.clone(), watched(&namespace));
    until(&stores, &mut changes, "the list", |all| names(all) == ["before"]).await;
    let Some(()) = cluster.restart_api_server().await else { return };
    assert_eq!(names(&stores.population()), ["before"], "what was known is forgotten");
    create(&cluster.client(), Kind::Customer, &namespace, "after", customer("Fabrikam AG")).await;
    until(&stores, &mut changes, "an object after it", |all| names(all) == ["after", "before"]).await;
    assert!(stores.synced());
    task.abort();
}
