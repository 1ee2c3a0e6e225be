//! Finalizers: put on an object before the first intent for it, and what its deletion leaves in the ledger.
//!
//! Without the finalizer an object could vanish between two looks, and nobody could tell that from a store that lost it.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use kube::api::{Patch, PatchParams};
use serde_json::json;
use smol_str::SmolStr;
use tenantry_cluster::FINALIZER;
use tenantry_cluster::stores::{Object, Population};
use tenantry_crd::Kind;
use tenantry_engine::action::Action;
use tenantry_engine::address::{Address, Kind as Of};
use tenantry_engine::ledger::undeclare;
use tenantry_engine::run::Prepared;
use tenantry_engine::store::OpenLedger;

use super::{Book, Gone, Worker};
use crate::FIELD_MANAGER;
use crate::desk::Unheld;
use crate::log::{Level, chain, say};
use crate::status::patch::api;

/// So many finalizers are put on at once.
const AT_ONCE: usize = 8;

/// So many are made ready at once.
const READY: usize = 128;

/// An object without our finalizer.
struct Bare {
    kind: Kind,
    namespace: Arc<str>,
    name: Arc<str>,
    version: SmolStr,
    finalizers: Vec<String>,
}

impl Bare {
    fn unheld(&self) -> Unheld {
        (self.kind, Arc::clone(&self.namespace), Arc::clone(&self.name), self.version.clone())
    }
}

/// How an object stands.
enum Stands {
    Held,
    Bare(Bare),
    /// It goes, or is gone.
    Goes,
}

fn stands<S>(kind: Kind, object: Option<&Arc<Object<S>>>) -> Stands {
    match object {
        Some(object) if object.going.is_some() => Stands::Goes,
        Some(object) if object.is_held() => Stands::Held,
        Some(object) => Stands::Bare(Bare {
            kind,
            namespace: Arc::clone(&object.namespace),
            name: Arc::clone(&object.name),
            version: object.version.clone(),
            finalizers: object.finalizers.to_vec(),
        }),
        None => Stands::Goes,
    }
}

fn look(population: &Population, kind: Kind, namespace: &str, name: &str) -> Stands {
    match kind {
        Kind::Customer => stands(kind, population.customer(namespace, name)),
        Kind::License => stands(kind, population.license(namespace, name)),
        _ => Stands::Held,
    }
}

/// The kind of object that declares an address.
pub(crate) fn kind_of(address: &Address) -> Kind {
    match address.kind {
        Of::Customer => Kind::Customer,
        Of::License => Kind::License,
        Of::Relationship => Kind::Relationship,
    }
}

impl Worker {
    /// Puts the finalizer on every object that this plan will write about; whether all have it.
    pub(super) async fn held_by_finalizers(&self, population: &Population, prepared: &Prepared) -> bool {
        let steps = prepared.planned.plan.steps.iter();
        let acts = steps
            .filter(|step| step.held.is_none() && step.action != Action::Forget)
            .map(|step| &step.address);
        let kept = prepared.planned.upkeep.iter().map(|one| &one.address);
        let mut objects: Vec<(Kind, &str, &str)> = acts
            .chain(kept)
            .map(|address| (kind_of(address), address.namespace.as_str(), address.name.as_str()))
            .collect();
        objects.sort_unstable();
        objects.dedup();
        objects.retain(|(kind, namespace, name)| {
            matches!(look(population, *kind, namespace, name), Stands::Bare(_))
        });
        if objects.is_empty() {
            if let Ok(mut holding) = self.desk.holding.try_lock() {
                *holding = HashSet::new();
            }
            return true;
        }
        // Another worker may be putting them on, or may have: what it changed may not have reached us.
        let mut holding = self.desk.holding.lock().await;
        let now = self.desk.stores.population();
        let mut all = true;
        for some in objects.chunks(READY) {
            let mut sending = Vec::with_capacity(some.len());
            for (kind, namespace, name) in some {
                match look(&now, *kind, namespace, name) {
                    Stands::Held => {}
                    Stands::Bare(bare) if holding.contains(&bare.unheld()) => {}
                    Stands::Bare(bare) => sending.push(self.hold(bare)),
                    Stands::Goes => all = false,
                }
            }
            let mut results = stream::iter(sending).buffer_unordered(AT_ONCE);
            while let Some((unheld, held)) = results.next().await {
                if held {
                    holding.insert(unheld);
                }
                all &= held;
            }
        }
        all
    }

    async fn hold(&self, object: Bare) -> (Unheld, bool) {
        (object.unheld(), self.put_on(object).await)
    }

    async fn put_on(&self, mut object: Bare) -> bool {
        object.finalizers.push(FINALIZER.to_owned());
        let patch = json!({"metadata": {
            "resourceVersion": object.version, "finalizers": object.finalizers
        }});
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let api = api(&self.desk.client, object.kind, &object.namespace);
        match api.patch(&object.name, &params, &Patch::Merge(&patch)).await {
            Ok(_) => {
                self.desk.metrics.wrote("finalizer");
                true
            }
            // Changed, or gone, or held meanwhile: seen by the next look.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {
                self.again(&object, api).await
            }
            Err(error) => {
                let name = format!("{}/{}", object.namespace, object.name);
                say(
                    Level::Warn,
                    "finalizer",
                    json!({"kind": object.kind.as_str(), "object": name, "error": chain(&error)}),
                );
                false
            }
        }
    }

    /// Reads the object and tries once more: what we hold of it may be a moment old, by our own status among others.
    async fn again(&self, object: &Bare, api: kube::Api<kube::core::DynamicObject>) -> bool {
        let Ok(Some(now)) = api.get_metadata_opt(&object.name).await else { return false };
        if now.metadata.deletion_timestamp.is_some() {
            return false;
        }
        let mut finalizers = now.metadata.finalizers.unwrap_or_default();
        if finalizers.iter().any(|one| one == FINALIZER) {
            return true;
        }
        finalizers.push(FINALIZER.to_owned());
        let patch =
            json!({"metadata": {"resourceVersion": now.metadata.resource_version, "finalizers": finalizers}});
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let patched = api.patch(&object.name, &params, &Patch::Merge(&patch)).await.is_ok();
        if patched {
            self.desk.metrics.wrote("finalizer");
        }
        patched
    }

    /// Writes into the ledger that declarations go; tells whether it did.
    pub(super) async fn withdraw(&mut self, gone: Gone) {
        if gone.told {
            self.book = None;
            return self.inbox.tell(gone.objects);
        }
        let Some(book) = self.book.take() else { return };
        let now = self.desk.times.now();
        let named = |address: &Address| {
            address.namespace == self.place.0
                && gone.objects.contains(&(kind_of(address), address.name.to_string()))
        };
        let batches = undeclare(&book.ledger, |address, _| named(address), now, "deleted", gone.retain);
        let mut ledger = OpenLedger::new(book.ledger, &*book.store);
        for (writes, event) in batches {
            if let Err(error) = ledger.commit(writes, event).await {
                say(Level::Warn, "undeclare", json!({"console": self.name.as_str(), "error": chain(&error)}));
                // Unknown now: read anew, and asked again.
                return;
            }
        }
        let ledger = ledger.into_ledger();
        let account = ledger.header.vendor_account.clone();
        self.book = Some(Book { ledger, store: book.store });
        let _ = gone.done.send(account);
        self.inbox.tell(gone.objects);
    }
}
