//! One Console's queue: one worker a Console, which alone plans, writes and observes there.
//!
//! It waits for changes, for its scan, for a time that a plan named, for somebody who asks; gathers what comes close
//! together, and reconciles everything that is declared for its Console at once. Writes of a console are serial because
//! there is one worker.
//!
//! A scan runs beside it, in a task that only reads: first the list, then wanted details, a few at a time. A changed
//! declaration does not wait for it: it is planned on the last list, with its own details read first.
//!
//! Invariants: nothing is planned before every store has synced; nothing is begun when the Lease may be lost; idle, a
//! worker sleeps until its next observation.

mod declared;
mod hold;
mod link;
mod reconcile;
mod report;
mod scan;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tenantry_consoles::pace::Paces;
use tenantry_crd::Kind;
use tenantry_engine::address::{ConsoleName, VendorAccount};
use tenantry_engine::ledger::Ledger;
use tenantry_engine::observed::{Census, Details};
use tenantry_engine::plan::Fingerprint;
use tenantry_engine::runtime::Stop;
use tenantry_engine::store::LedgerStore;
use tenantry_engine::value::FieldLists;
use tokio::sync::{Notify, OwnedMutexGuard, mpsc, oneshot};

pub use declared::{APPROVE, Changed, REQUESTED, console_name};
pub(crate) use hold::kind_of;
use link::Link;
use scan::Scan;

use crate::desk::{Desk, Place};
use crate::lease::Tenure;

/// The first pause after a failure; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What changed since a worker last looked.
#[derive(Default)]
pub struct Inbox {
    changed: Mutex<Option<(Instant, Changed)>>,
    notify: Notify,
}

impl Inbox {
    /// Tells the worker.
    pub fn tell(&self, changed: impl IntoIterator<Item = (Kind, String)>) {
        let mut all = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_or_insert_with(|| (Instant::now(), Changed::new())).1.extend(changed);
        self.notify.notify_one();
    }

    fn take(&self) -> Option<(Instant, Changed)> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Objects whose declaration goes.
pub struct Gone {
    /// Kind and name.
    pub objects: Changed,
    /// Whatever the policy says: retain.
    pub retain: bool,
    /// Its ledger was told while this worker had none open: one that it opened meanwhile is read anew.
    pub told: bool,
    /// Told the account whose ledger knows of it now; dropped where this worker has none open.
    pub done: oneshot::Sender<VendorAccount>,
}

/// How to reach a worker.
pub struct Handle {
    /// Changes.
    pub inbox: Arc<Inbox>,
    /// Declarations that go.
    pub gone: mpsc::Sender<Gone>,
    /// Asks it to begin nothing new.
    pub stop: Stop,
    /// The worker's task.
    pub task: tokio::task::JoinHandle<()>,
}

impl Handle {
    /// Lets it finish what it has begun, and end.
    pub fn end(&self) {
        self.stop.ask();
        self.inbox.tell([]);
    }
}

/// A ledger, open.
struct Book {
    ledger: Ledger,
    store: Box<dyn LedgerStore>,
}

/// A pause after failures.
#[derive(Default)]
struct Pause {
    failures: u32,
    until: Option<Instant>,
}

impl Pause {
    fn longer(&mut self) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        self.failures += 1;
        self.until = Some(Instant::now() + pause);
    }

    fn over(&mut self) {
        *self = Self::default();
    }

    /// After a pass that went well: what it asked for while it ran stays, and single steps that failed come again then.
    fn well(&mut self, put_off: Option<Instant>) {
        if self.until.is_none() {
            self.failures = 0;
        }
        self.until = self.until.into_iter().chain(put_off).min();
    }
}

/// One Console's worker.
pub struct Worker {
    desk: Arc<Desk>,
    place: Place,
    name: ConsoleName,
    tenure: Tenure,
    stop: Stop,
    inbox: Arc<Inbox>,
    gone: mpsc::Receiver<Gone>,
    link: Option<Link>,
    book: Option<Book>,
    /// The last list.
    list: Option<Census>,
    cache: Details,
    /// Names of fields that details have in common.
    lists: FieldLists,
    scan: Option<Scan>,
    /// This worker's pace limiters, shared by its scan and its work.
    paces: Arc<Paces>,
    /// Held while the worker reads, so that the scan lets it pass.
    gate: Arc<tokio::sync::Mutex<()>>,
    /// When the next observation is due.
    due: Option<Timestamp>,
    /// When time alone changes the plan.
    wake: Option<Timestamp>,
    pause: Pause,
    /// Steps that failed, and when they are tried again.
    put_off: BTreeMap<Fingerprint, (u32, Instant)>,
    /// The last value of [`REQUESTED`].
    requested: Option<String>,
    /// This worker's turn to bind many records at once.
    alone: Option<OwnedMutexGuard<()>>,
    /// What the last turn found, until it is told.
    untold: Option<reconcile::Untold>,
}

impl Worker {
    /// Starts one.
    pub fn start(desk: Arc<Desk>, place: Place, tenure: Tenure) -> Handle {
        let stop = Stop::default();
        let inbox = Arc::new(Inbox::default());
        let (gone, asked) = mpsc::channel(8);
        let name = console_name(&place.0, &place.1);
        desk.board.expect(&place);
        let worker = Self {
            desk,
            name,
            place,
            tenure,
            stop: stop.clone(),
            inbox: Arc::clone(&inbox),
            gone: asked,
            link: None,
            book: None,
            list: None,
            cache: Details::new(),
            lists: FieldLists::default(),
            scan: None,
            paces: Arc::default(),
            gate: Arc::default(),
            due: None,
            wake: None,
            pause: Pause::default(),
            put_off: BTreeMap::new(),
            requested: None,
            alone: None,
            untold: None,
        };
        let task = tokio::spawn(worker.run());
        Handle { inbox, gone, stop, task }
    }

    fn may_act(&self) -> bool {
        self.tenure.holds() && !self.stop.asked()
    }

    async fn run(mut self) {
        while self.may_act() {
            self.one().await;
        }
        if let Some(scan) = self.scan.take() {
            scan.end();
        }
        self.spoke().await;
        self.desk.accounts.release(&self.place);
        self.desk.hide(&self.place);
        self.desk.words.forget(&self.place);
    }

    /// Waits for one thing and does it.
    async fn one(&mut self) {
        enum Woken {
            Ended,
            Changed,
            Gone(Gone),
            Scanned(Option<scan::Found>),
            Time,
            Retry,
        }
        let due = [self.due, self.wake].into_iter().flatten().min();
        let idle = self.scan.is_none();
        let retry = self.pause.until;
        let woken = tokio::select! {
            gone = self.gone.recv() => gone.map_or(Woken::Ended, Woken::Gone),
            () = self.inbox.notify.notified() => Woken::Changed,
            found = scan::next(&mut self.scan) => Woken::Scanned(found),
            () = wait_until(retry) => Woken::Retry,
            () = self.desk.times.until(due.unwrap_or(Timestamp::MIN)), if idle && retry.is_none() => Woken::Time,
        };
        match woken {
            Woken::Ended => {}
            Woken::Changed => {
                tokio::time::sleep(self.desk.rules.debounce).await;
                if let Some((since, changed)) = self.inbox.take() {
                    self.desk.metrics.queued(self.name.as_str(), since.elapsed());
                    self.changed(changed).await;
                }
            }
            Woken::Gone(gone) => self.withdraw(gone).await,
            Woken::Scanned(found) => self.scanned(found).await,
            Woken::Time | Woken::Retry => {
                self.pause.until = None;
                self.observe().await;
            }
        }
    }

    /// Sets the next observation: the list's age, less a share that is left to chance.
    fn next_observation(&mut self, age: SignedDuration) {
        let share = (self.desk.chance)().clamp(0.0, 1.0) * self.desk.rules.jitter;
        let interval = SignedDuration::from_secs_f64(age.as_secs_f64() * (1.0 - share));
        self.due = self.desk.times.now().saturating_add(interval).ok();
    }
}

async fn wait_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
