//! Finalizers: put on an object before the first intent for it, and what its deletion leaves in the ledger.
//!
//! Without the finalizer an object could vanish between two looks, and nobody could tell that from a store that lost it.

use futures_util::{StreamExt, stream};
use kube::api::{Patch, PatchParams};
use serde_json::json;
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
use crate::log::{Level, chain, say};
use crate::status::patch::api;

/// So many finalizers are put on at once.
const AT_ONCE: usize = 8;

/// An object without our finalizer.
struct Bare {
    kind: Kind,
    namespace: String,
    name: String,
    version: String,
    finalizers: Vec<String>,
}

fn bare<S>(kind: Kind, object: &Object<S>) -> Option<Bare> {
    (!object.is_held() && object.going.is_none()).then(|| Bare {
        kind,
        namespace: object.namespace.to_string(),
        name: object.name.to_string(),
        version: object.version.to_string(),
        finalizers: object.finalizers.clone(),
    })
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
        let bare: Vec<Bare> = objects
            .into_iter()
            .filter_map(|(kind, namespace, name)| match kind {
                Kind::Customer => population.customer(namespace, name).and_then(|one| bare(kind, one)),
                Kind::License => population.license(namespace, name).and_then(|one| bare(kind, one)),
                _ => None,
            })
            .collect();
        let mut holding = Vec::with_capacity(bare.len());
        for one in bare {
            holding.push(self.hold(one));
        }
        let results: Vec<bool> = stream::iter(holding).buffer_unordered(AT_ONCE).collect().await;
        results.into_iter().all(|held| held)
    }

    async fn hold(&self, mut object: Bare) -> bool {
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
