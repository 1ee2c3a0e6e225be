//! Events on objects: what the ledger's log says about side effects, told where `kubectl describe` shows it.
//!
//! An Event is published after its write is durable, by a task of its own: nothing waits for it, and where the API
//! server does not take it, it is lost and counted. Words come from the engine, sanitised; nothing secret is in them.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tenantry_cluster::stores::{Population, Uid};
use tenantry_crd::{API_VERSION, Kind};
use tenantry_engine::address::{Address, Kind as Of};
use tenantry_engine::store::LogEvent;
use tenantry_engine::text::terminal;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::desk::Place;
use crate::metrics::Metrics;
use crate::status::view::cut;

#[cfg(test)]
mod tests;

/// So many may wait to be published.
const WAITING: usize = 4096;
/// So many records that were bound together are told one by one.
const EACH: usize = 10;
/// What the log says of a record that was bound.
const ADOPTED: &str = "adopted";
/// The longest note that the API server takes.
const NOTE: usize = 1024;

/// What happened, as `reason` and whether somebody should look; `None` for what is no side effect.
fn reason(what: &str) -> Option<(&'static str, EventType)> {
    Some(match what {
        "sent" => ("Requested", EventType::Normal),
        "settled" => ("Settled", EventType::Normal),
        "rejected" | "not-sent" | "throttled" => ("Refused", EventType::Warning),
        "ambiguous" => ("InDoubt", EventType::Warning),
        ADOPTED => ("Adopted", EventType::Normal),
        "drafted" => ("InvitationDrafted", EventType::Normal),
        "reminded" => ("ReminderDrafted", EventType::Normal),
        "task-opened" => ("TaskOpened", EventType::Normal),
        "forgotten" | "released" => ("Released", EventType::Normal),
        "leaving" => ("Leaving", EventType::Warning),
        _ => return None,
    })
}

/// One Event to be published.
struct Told {
    event: Event,
    on: ObjectReference,
}

/// Publishes Events.
#[derive(Clone)]
pub struct Events {
    tell: mpsc::Sender<Told>,
    metrics: Arc<Metrics>,
}

impl Events {
    /// Begins to publish; ends when every [`Events`] is dropped and all that waited was tried.
    pub fn start(client: Client, instance: String, metrics: Arc<Metrics>) -> (Self, JoinHandle<()>) {
        let reporter = Reporter { controller: "tenantry-controller".into(), instance: Some(instance) };
        let recorder = Recorder::new(client, reporter);
        let (tell, mut told) = mpsc::channel::<Told>(WAITING);
        let counted = Arc::clone(&metrics);
        let task = tokio::spawn(async move {
            while let Some(one) = told.recv().await {
                match recorder.publish(&one.event, &one.on).await {
                    Ok(()) => counted.wrote("event"),
                    Err(_) => counted.event_lost(),
                }
            }
        });
        (Self { tell, metrics }, task)
    }

    fn tell(&self, event: Event, on: ObjectReference) {
        if self.tell.try_send(Told { event, on }).is_err() {
            self.metrics.event_lost();
        }
    }

    /// Publishes that somebody should look at an object.
    pub fn warn(&self, kind: Kind, (namespace, name, uid): (&str, &str, &Uid), reason: &str, note: &str) {
        let event = Event {
            type_: EventType::Warning,
            reason: reason.to_owned(),
            note: Some(cut(&terminal(note), NOTE).into_string()),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        self.tell(event, reference(kind, namespace, name, uid));
    }

    /// Publishes what the ledger's log says, on the objects that it is about. Of many records that were bound together
    /// the Console tells, once: each of them stands in the status of its own object.
    pub fn hear(&self, population: &Population, console: Option<&Place>, all: &[LogEvent]) {
        let adopted = all.iter().filter(|said| said.what == ADOPTED).count();
        let many = console.filter(|_| adopted > EACH);
        for said in all.iter().filter(|said| many.is_none() || said.what != ADOPTED) {
            self.one(population, said);
        }
        if let Some(object) = many.and_then(|console| population.console(&console.0, &console.1)) {
            let event = Event {
                type_: EventType::Normal,
                reason: "Adopted".to_owned(),
                note: Some(format!("{adopted} records were bound to what is declared")),
                action: ADOPTED.to_owned(),
                secondary: None,
            };
            self.tell(event, reference(Kind::Console, &object.namespace, &object.name, &object.uid));
        }
    }

    fn one(&self, population: &Population, said: &LogEvent) {
        let (Some((reason, type_)), Some(address)) = (reason(&said.what), &said.address) else { return };
        let Some(on) = object_of(population, address) else { return };
        let account = address.account.as_ref().map(|account| format!("{account}: ")).unwrap_or_default();
        let event = Event {
            type_,
            reason: reason.to_owned(),
            note: Some(cut(&terminal(&format!("{account}{}", said.words)), NOTE).into_string()),
            action: said.what.clone(),
            secondary: None,
        };
        self.tell(event, on);
    }
}

fn reference(kind: Kind, namespace: &str, name: &str, uid: &Uid) -> ObjectReference {
    ObjectReference {
        api_version: Some(API_VERSION.to_owned()),
        kind: Some(kind.as_str().to_owned()),
        namespace: Some(namespace.to_owned()),
        name: Some(name.to_owned()),
        uid: Some(uid.to_string()).filter(|uid| !uid.is_empty()),
        ..ObjectReference::default()
    }
}

/// The object that declares an address; also one that is being deleted.
fn object_of(population: &Population, address: &Address) -> Option<ObjectReference> {
    let (namespace, name) = (address.namespace.as_str(), address.name.as_str());
    let (kind, uid) = match address.kind {
        Of::Customer => (Kind::Customer, population.customer(namespace, name).map(|one| one.uid.clone())),
        Of::License => (Kind::License, population.license(namespace, name).map(|one| one.uid.clone())),
        Of::Relationship => {
            (Kind::Relationship, population.relationship(namespace, name).map(|one| one.uid.clone()))
        }
    };
    uid.map(|uid| reference(kind, namespace, name, &uid))
}
