//! Objects that are being deleted: their deletion policy goes into the ledger, and the finalizer goes at once.
//!
//! No vendor is asked: an object never hangs because a console is down. Where nobody spoke about customers (the
//! namespace, the definition of the kind, the Console or its Secret goes or is gone), every policy counts as Retain; so
//! does what cannot be looked up.
//!
//! Invariant: a finalizer goes only after every ledger that knows the object has been told, durably.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, Patch, PatchParams};
use kube::core::DynamicObject;
use serde_json::json;
use tenantry_cluster::FINALIZER;
use tenantry_cluster::ledger::ClusterLedger;
use tenantry_cluster::stores::{Going, Population};
use tenantry_crd::Kind;
use tenantry_engine::desired::PackedCustomer;
use tenantry_engine::ledger::undeclare;
use tenantry_engine::runtime::Ids;
use tenantry_engine::store::{OpenLedger, StoreError};
use tokio::sync::oneshot;

use crate::FIELD_MANAGER;
use crate::clock::RandomIds;
use crate::desk::{Desk, Place};
use crate::durable::Durable;
use crate::lease::Tenure;
use crate::log::{Level, chain, say};
use crate::status::patch::{api, resource};
use crate::worker::{Changed, Gone, Handle, kind_of};

/// Handles everything that is being deleted; whether all of it is done.
pub async fn all(desk: &Arc<Desk>, tenure: &Tenure, workers: &BTreeMap<Place, Handle>) -> bool {
    let population = desk.stores.population();
    if !population.synced() {
        return false;
    }
    if desk.rules.plan_only {
        return true;
    }
    let mut by_namespace: BTreeMap<String, Vec<Going>> = BTreeMap::new();
    for going in population.going() {
        by_namespace.entry(going.namespace.to_string()).or_default().push(going.clone());
    }
    let mut done = true;
    for (namespace, going) in by_namespace {
        if !tenure.holds() {
            return false;
        }
        done &= one(desk, tenure, workers, &population, &namespace, &going).await;
    }
    done
}

async fn one(
    desk: &Arc<Desk>,
    tenure: &Tenure,
    workers: &BTreeMap<Place, Handle>,
    population: &Population,
    namespace: &str,
    going: &[Going],
) -> bool {
    let whole = nobody_spoke(desk, population, namespace).await;
    let (mut plain, mut retained) = (Changed::new(), Changed::new());
    for one in going {
        let kind_goes = defined(desk, one.kind).await != Some(true);
        let orphan = consoles_of(population, one).iter().any(|console| !whole.acts.contains(console));
        let set = if whole.retain || kind_goes || orphan { &mut retained } else { &mut plain };
        set.insert((one.kind, one.name.to_string()));
    }
    for (objects, retain) in [(plain, false), (retained, true)] {
        if objects.is_empty() {
            continue;
        }
        if let Err(error) = tell(desk, tenure, workers, namespace, &objects, retain).await {
            say(Level::Warn, "undeclare", json!({"namespace": namespace, "error": chain(&error)}));
            return false;
        }
    }
    let mut done = true;
    for one in going {
        done &= let_go(desk, one).await;
    }
    done
}

/// What is known of a namespace while something in it is deleted.
struct Whole {
    retain: bool,
    /// Consoles that are there, with their Secret.
    acts: BTreeSet<String>,
}

async fn nobody_spoke(desk: &Desk, population: &Population, namespace: &str) -> Whole {
    let api: Api<Namespace> = Api::all(desk.client.clone());
    let stays = match api.get_metadata_opt(namespace).await {
        Ok(Some(object)) => object.metadata.deletion_timestamp.is_none(),
        // Gone, or not to be seen: nobody spoke.
        Ok(None) | Err(_) => false,
    };
    let mut acts = BTreeSet::new();
    for console in population.consoles().filter(|console| *console.namespace == *namespace) {
        let secret = console
            .spec
            .credentials
            .as_ref()
            .and_then(|credentials| credentials.read.as_ref())
            .map(|source| source.secret_ref.name.clone());
        let Some(secret) = secret.filter(|_| console.going.is_none()) else { continue };
        let secrets: Api<Secret> = Api::namespaced(desk.client.clone(), namespace);
        if let Ok(Some(object)) = secrets.get_opt(&secret).await
            && object.metadata.deletion_timestamp.is_none()
        {
            acts.insert(console.name.to_string());
        }
    }
    Whole { retain: !stays, acts }
}

/// Whether the definition of a kind stays; `None` where it cannot be looked up. Discovery tells it to everybody: objects
/// of a kind that goes can be deleted and no longer created.
async fn defined(desk: &Desk, kind: Kind) -> Option<bool> {
    let resource = resource(kind);
    let served = desk.client.list_api_group_resources(&resource.api_version).await.ok()?;
    let found = served.resources.iter().find(|one| one.name == resource.plural);
    Some(found.is_some_and(|one| one.verbs.iter().any(|verb| verb == "create")))
}

/// The Consoles that an object's accounts are in, as far as it is understood.
fn consoles_of(population: &Population, going: &Going) -> BTreeSet<String> {
    let of_customer = |name: &str, account: Option<&str>| -> BTreeSet<String> {
        let customer = population.customer(&going.namespace, name);
        let accounts = customer.into_iter().flat_map(|customer| customer.spec.accounts());
        accounts
            .filter(|(name, _)| account.is_none_or(|account| name == account))
            .map(|(_, console)| console.to_string())
            .collect()
    };
    match going.kind {
        Kind::Customer => of_customer(&going.name, None),
        Kind::License => population
            .license(&going.namespace, &going.name)
            .map(|license| of_customer(&license.spec.customer_ref.name, Some(&license.spec.account)))
            .unwrap_or_default(),
        _ => BTreeSet::new(),
    }
}

/// Tells every ledger of the namespace: through the worker that has it open, else by opening it.
async fn tell(
    desk: &Arc<Desk>,
    tenure: &Tenure,
    workers: &BTreeMap<Place, Handle>,
    namespace: &str,
    objects: &Changed,
    retain: bool,
) -> Result<(), StoreError> {
    let (mut open, mut without) = (BTreeSet::new(), Vec::new());
    for (_, worker) in workers.iter().filter(|(place, _)| place.0 == namespace) {
        let (done, told) = oneshot::channel();
        let gone = Gone { objects: objects.clone(), retain, told: false, done };
        if worker.gone.send(gone).await.is_ok()
            && let Ok(account) = told.await
        {
            open.insert(account);
        } else {
            without.push(worker);
        }
    }
    for account in ClusterLedger::accounts(&desk.client, namespace).await? {
        if open.contains(&account) {
            continue;
        }
        let lineage = || RandomIds.uuid();
        let (ledger, store) = ClusterLedger::open(&desk.client, namespace, &account, lineage).await?;
        let held = tenure.clone();
        let hearing = Arc::clone(desk);
        let store = store.fenced(tenure.generation, Arc::new(move || held.holds())).heard_by(Arc::new(
            move |events| hearing.events.hear(&hearing.stores.population(), None, events),
        ));
        let store = Durable::new(store, Arc::clone(&desk.metrics));
        let named = |address: &tenantry_engine::address::Address| {
            address.namespace == namespace && objects.contains(&(kind_of(address), address.name.to_string()))
        };
        let batches = undeclare(&ledger, |address, _| named(address), desk.times.now(), "deleted", retain);
        let mut ledger = OpenLedger::new(ledger, &store);
        for (writes, event) in batches {
            ledger.commit(writes, event).await?;
        }
    }
    // Who had no ledger open may have opened it before it was told: nothing else would make it look again.
    for worker in without {
        let gone = Gone { objects: objects.clone(), retain, told: true, done: oneshot::channel().0 };
        // One that has ended reads its ledger when it begins again.
        let _ = worker.gone.send(gone).await;
    }
    Ok(())
}

/// Takes the finalizer off.
async fn let_go(desk: &Desk, going: &Going) -> bool {
    let api: Api<DynamicObject> = api(&desk.client, going.kind, &going.namespace);
    let object = match api.get_metadata_opt(&going.name).await {
        Ok(Some(object)) => object,
        Ok(None) => return true,
        Err(_) => return false,
    };
    if object.metadata.deletion_timestamp.is_none() {
        return true;
    }
    let mut finalizers = object.metadata.finalizers.unwrap_or_default();
    finalizers.retain(|one| one != FINALIZER);
    let patch =
        json!({"metadata": {"resourceVersion": object.metadata.resource_version, "finalizers": finalizers}});
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    match api.patch(&going.name, &params, &Patch::Merge(&patch)).await {
        Ok(_) => {
            desk.metrics.wrote("finalizer");
            true
        }
        Err(kube::Error::Api(status)) => status.code == 404,
        Err(_) => false,
    }
}
