//! What is declared in a cluster, held in memory: pruned copies of all objects, kept current by watching.
//!
//! What it does: lists and watches every kind, drops what planning never reads (managed fields, foreign annotations,
//! status), and tells which objects changed. What it never does: write, plan, or take an object for gone because it is
//! not to be seen: only a deletion timestamp says so.
//!
//! Invariants: an object that cannot be understood is broken, beside its healthy neighbours, and holds what it declared
//! ([`Population::was_read`](tenantry_engine::origin::Scope) is false for it); so does one that vanished without a
//! deletion timestamp, and everything while its store is not synced. A failing watch is tried again for ever, later and
//! later with some chance in it, and what was known stays known meanwhile. Memory is bounded by what is declared: a
//! Customer with three accounts takes less than 1 KiB here (measured by `a_customer_costs_what_is_said`), a list that is
//! read again shares what did not change, and changes are coalesced, never queued.
//!
//! The shelves are our own and not kube's reflector: a reflector's store forgets an object that it cannot decode, or
//! that it does not hold for another reason, and here both must be told from one that is gone.
//!
//! A shard (a label selector for Consoles) holds the Customers that name one of its Consoles; of the others it keeps
//! only that they were read. Other kinds are small and held whole.

mod object;
mod packed;
mod population;
mod shelf;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use kube::Client;
use tenantry_crd::Kind;
use tokio::sync::{Notify, watch as epoch};
use tokio::task::JoinHandle;

pub use object::{Broken, Going, Notes, Object, Uid};
pub use packed::Packed;
pub use population::Population;
use shelf::{Held, Source};

#[cfg(test)]
mod tests;

/// What is to be watched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// These namespaces; `None` = all.
    pub namespaces: Option<BTreeSet<String>>,
    /// Only Consoles with these labels, as kubectl's `--selector` writes it; `None` = all.
    pub consoles: Option<String>,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// Every store has synced for the first time, or again.
    Synced,
    /// An object came, changed, broke, or went.
    Object {
        /// Its kind.
        kind: Kind,
        /// Its namespace.
        namespace: Arc<str>,
        /// Its name.
        name: Arc<str>,
        /// What became of it. Of one that went and came again since it was last asked for, both are told.
        how: How,
    },
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// It went; one that is there under its name is another one.
    Went,
    /// It came, or something that planning reads is another than before.
    Changed,
    /// Only its status, its finalizers or what other programs note there is another.
    Noted,
}

/// A store that has not listed its objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsynced {
    /// Which kind.
    pub kind: Kind,
    /// In which namespace; `None` = all.
    pub namespace: Option<String>,
    /// What the API server said last, if it refused.
    pub because: Option<String>,
}

impl std::fmt::Display for Unsynced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let namespace = self.namespace.as_deref().map_or_else(String::new, |name| format!(" in {name}"));
        match &self.because {
            None => write!(f, "{}{namespace}: not listed yet", self.kind),
            Some(because) => write!(f, "{}{namespace}: {because}", self.kind),
        }
    }
}

struct Shared {
    held: Mutex<Held>,
    changes: Mutex<BTreeSet<Change>>,
    changed: Notify,
    /// Raised whenever the Consoles of a shard become others: its Customers are then listed again.
    consoles: epoch::Sender<u64>,
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn tell(&self, changes: impl IntoIterator<Item = Change>) {
        let mut waiting = self.changes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        waiting.extend(changes);
        if !waiting.is_empty() {
            self.changed.notify_one();
        }
    }
}

/// The stores of one process, shared.
#[derive(Clone)]
pub struct Stores {
    shared: Arc<Shared>,
}

/// What changed since it was last asked for.
pub struct Changes {
    shared: Arc<Shared>,
}

impl Changes {
    /// Leaves out what has changed so far: whoever looks at what is declared after this sees it.
    pub fn skip(&mut self) {
        self.shared.changes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    }

    /// Waits for changes and takes all of them, each once, in order. May be dropped while it waits: nothing is lost.
    pub async fn next(&mut self) -> BTreeSet<Change> {
        loop {
            let changed = self.shared.changed.notified();
            let taken = std::mem::take(
                &mut *self.shared.changes.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
            );
            if !taken.is_empty() {
                return taken;
            }
            changed.await;
        }
    }
}

impl Stores {
    /// Begins to watch, in a task of its own. It never ends by itself; abort it to stop.
    pub fn start(client: Client, watched: Watched) -> (Self, Changes, JoinHandle<()>) {
        let sources = sources(&watched);
        let shared = Arc::new(Shared {
            held: Mutex::new(Held::new(sources, watched.consoles.is_some())),
            changes: Mutex::default(),
            changed: Notify::new(),
            consoles: epoch::Sender::new(0),
        });
        let task = tokio::spawn(watch::all(client, watched, Arc::clone(&shared)));
        (Self { shared: Arc::clone(&shared) }, Changes { shared }, task)
    }

    /// Whether every store has listed its objects. Nothing is to be planned before.
    pub fn synced(&self) -> bool {
        self.shared.held().synced()
    }

    /// The stores that have not, for people.
    pub fn unsynced(&self) -> Vec<Unsynced> {
        self.shared.held().unsynced()
    }

    /// What is declared now. Costs a few reference counts; it does not change while it is held.
    pub fn population(&self) -> Population {
        self.shared.held().population()
    }
}

/// Lists everything once, without watching: for a command that plans and ends. An error names the first kind that
/// cannot be listed.
pub async fn list(client: &Client, watched: &Watched) -> Result<Population, crate::api::ApiError> {
    watch::once(client, watched).await
}

/// One store a kind and namespace.
fn sources(watched: &Watched) -> BTreeMap<Source, Option<String>> {
    let namespaces: Vec<Option<Arc<str>>> = match &watched.namespaces {
        None => vec![None],
        Some(names) => names.iter().map(|name| Some(Arc::from(name.as_str()))).collect(),
    };
    let kinds = Kind::ALL.iter().copied().filter(|kind| *kind != Kind::ConsoleBinding);
    let names = watched.consoles.as_ref().map(|_| (Kind::Console, true));
    kinds
        .map(|kind| (kind, false))
        .chain(names)
        .flat_map(|(kind, names)| {
            namespaces
                .iter()
                .map(move |namespace| (Source { kind, namespace: namespace.clone(), names }, None))
        })
        .collect()
}
