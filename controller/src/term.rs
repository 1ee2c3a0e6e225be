//! One term of holding the Lease: a worker for each Console, and every change to whom it may concern.
//!
//! A change is passed on only where something that planning reads is another than before: our own statuses and other
//! programs' notes wake nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tenantry_cluster::stores::{Change, Changes, How, Population};
use tenantry_crd::Kind;

use crate::desk::{Desk, Place};
use crate::lease::Tenure;
use crate::leaving;
use crate::log::{Level, say};
use crate::status::board::bare;
use crate::status::lost::{self, Named};
use crate::status::view::State;
use crate::worker::{Handle, Worker};

/// How soon what could not be taken off an object that goes is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// Whether an object is there and understood.
fn is_there(population: &Population, kind: Kind, namespace: &str, name: &str) -> bool {
    match kind {
        Kind::Console => population.console(namespace, name).is_some(),
        Kind::Customer => population.customer(namespace, name).is_some(),
        Kind::Product => population.product(namespace, name).is_some(),
        Kind::License => population.license(namespace, name).is_some(),
        Kind::Relationship => population.relationship(namespace, name).is_some(),
        Kind::Attestation => population.attestation(namespace, name).is_some(),
        _ => false,
    }
}

/// Runs workers until the Lease is lost or the process is to end; then lets them finish what they have begun.
pub struct Term {
    desk: Arc<Desk>,
    tenure: Tenure,
    workers: BTreeMap<Place, Handle>,
}

impl Term {
    /// A term that begins now.
    pub fn new(desk: Arc<Desk>, tenure: Tenure) -> Self {
        Self { desk, tenure, workers: BTreeMap::new() }
    }

    /// Runs it until `over`; whether everything that was begun has ended too.
    pub async fn run(
        mut self,
        changes: &mut Changes,
        over: impl Future<Output = ()>,
        drain: Duration,
    ) -> bool {
        self.desk.statuses.forget().await;
        let mut over = std::pin::pin!(over);
        let mut begun = false;
        let mut leaving_again = false;
        loop {
            if !begun && self.desk.stores.synced() {
                begun = true;
                // What is there at the beginning has not changed: each worker begins with an observation.
                changes.skip();
                self.begin().await;
                leaving_again = !leaving::all(&self.desk, &self.tenure, &self.workers).await;
            }
            let again = async {
                if leaving_again || !begun {
                    tokio::time::sleep(AGAIN).await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = &mut over => break,
                changed = changes.next() => {
                    if begun && self.pass(changed).await {
                        leaving_again = !leaving::all(&self.desk, &self.tenure, &self.workers).await;
                    }
                }
                () = again => {
                    if begun {
                        leaving_again = !leaving::all(&self.desk, &self.tenure, &self.workers).await;
                    }
                }
            }
        }
        self.finish(drain).await
    }

    /// Everything that is there at the beginning.
    async fn begin(&mut self) {
        let population = self.desk.stores.population();
        for console in population.consoles().filter(|console| console.going.is_none()) {
            self.worker(&console.namespace, &console.name);
        }
        for broken in population.broken() {
            self.broken(broken).await;
        }
        self.tell_lost(lost::all(&population, None));
    }

    /// Beside everything else: nobody waits for it.
    fn tell_lost(&self, candidates: BTreeSet<Named>) {
        if !candidates.is_empty() {
            tokio::spawn(lost::tell(Arc::clone(&self.desk), self.tenure.clone(), candidates));
        }
    }

    fn worker(&mut self, namespace: &str, name: &str) {
        let place: Place = (namespace.to_owned(), name.to_owned());
        let ended = self.workers.get(&place).is_none_or(|handle| handle.task.is_finished());
        if ended {
            let handle = Worker::start(Arc::clone(&self.desk), place.clone(), self.tenure.clone());
            self.workers.insert(place, handle);
        }
    }

    /// Passes changes on; whether something is being deleted.
    async fn pass(&mut self, changed: BTreeSet<Change>) -> bool {
        let population = self.desk.stores.population();
        let mut told: BTreeMap<Arc<str>, Vec<(Kind, String)>> = BTreeMap::new();
        // What could lead nowhere now, and Consoles that went: another one may wait for that.
        let (mut candidates, mut gone) = (BTreeSet::new(), BTreeSet::new());
        for change in changed {
            let Change::Object { kind, namespace, name, how } = change else { continue };
            if how == How::Noted {
                continue;
            }
            if !is_there(&population, kind, &namespace, &name) {
                let broken = population
                    .broken()
                    .iter()
                    .find(|one| one.kind == kind && one.namespace == namespace && one.name == name);
                if let Some(broken) = broken {
                    self.broken(broken).await;
                }
                self.desk.statuses.gone(kind, &namespace, &name);
                if kind == Kind::Console {
                    self.console(&population, &namespace, &name);
                    candidates.append(&mut lost::all(&population, Some(&namespace)));
                    gone.insert((Arc::clone(&namespace), name.to_string()));
                }
                told.entry(namespace).or_default().push((kind, name.to_string()));
                continue;
            }
            if how == How::Went {
                // Made again before anybody noticed: what was said of the one before was not said of this one.
                self.desk.statuses.gone(kind, &namespace, &name);
                self.desk.board.forget(kind, &namespace, &name);
            }
            candidates.insert((kind, Arc::clone(&namespace), Arc::clone(&name)));
            if kind == Kind::Console {
                self.console(&population, &namespace, &name);
            }
            told.entry(namespace).or_default().push((kind, name.to_string()));
        }
        let customers: BTreeSet<(&str, &str)> = told
            .iter()
            .flat_map(|(namespace, objects)| {
                let customers = objects.iter().filter(|(kind, _)| *kind == Kind::Customer);
                customers.map(|(_, name)| (&**namespace, name.as_str()))
            })
            .collect();
        if !customers.is_empty() {
            let theirs = population
                .licenses()
                .filter(|one| customers.contains(&(&*one.namespace, one.spec.customer_ref.name.as_str())));
            candidates
                .extend(theirs.map(|one| (Kind::License, Arc::clone(&one.namespace), Arc::clone(&one.name))));
        }
        self.tell_lost(candidates);
        for (namespace, objects) in told {
            for ((_, console), handle) in self.workers.iter().filter(|(place, _)| *place.0 == *namespace) {
                // Another Console that is there concerns nobody.
                let own = objects.iter().filter(|(kind, name)| {
                    let went = || gone.contains(&(Arc::clone(&namespace), name.clone()));
                    *kind != Kind::Console || name == console || went()
                });
                let own: Vec<_> = own.cloned().collect();
                if !own.is_empty() {
                    handle.inbox.tell(own);
                }
            }
        }
        !population.going().is_empty()
    }

    /// A Console came, changed or went.
    fn console(&mut self, population: &Population, namespace: &str, name: &str) {
        match population.console(namespace, name) {
            Some(object) if object.going.is_none() => self.worker(namespace, name),
            _ => {
                let place: Place = (namespace.to_owned(), name.to_owned());
                if let Some(handle) = self.workers.remove(&place) {
                    // What it has begun it finishes; its objects stay as they are.
                    handle.end();
                    say(Level::Info, "console-gone", json!({"namespace": namespace, "console": name}));
                }
            }
        }
    }

    /// An object that cannot be understood says so itself; what it declared stays.
    async fn broken(&self, broken: &tenantry_cluster::stores::Broken) {
        let words = format!("not understood, what it declared before is kept: {}", broken.error);
        let status = bare(&State::Stalled("NotUnderstood"), &words, broken.generation);
        let (kind, namespace, name) = (broken.kind, &*broken.namespace, &*broken.name);
        match self.desk.statuses.write(kind, namespace, name, || &status, self.desk.times.now()).await {
            Ok(true) => {
                self.desk.metrics.wrote("status");
                self.desk.events.warn(kind, (namespace, name, &broken.uid), "NotUnderstood", &words);
            }
            Ok(false) => {}
            Err(error) => say(Level::Warn, "status", json!({"error": error.to_string()})),
        }
    }

    /// Nothing new is begun; what was begun is finished, within this time.
    async fn finish(self, drain: Duration) -> bool {
        self.workers.values().for_each(Handle::end);
        let all = async {
            for (_, handle) in self.workers {
                let _ = handle.task.await;
            }
        };
        let drained = tokio::time::timeout(drain, all).await.is_ok();
        if !drained {
            say(
                Level::Warn,
                "not-drained",
                json!({"because": "a request was still on its way; its journal settles it"}),
            );
        }
        drained
    }
}
