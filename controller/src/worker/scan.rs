//! Observing beside the work: the list first, then the details that are wanted, a few at a time.
//!
//! Only reads, in a task of its own; what it finds goes to the worker, who alone decides. Between two details it lets
//! the worker pass, so that a changed customer never waits for ten thousand others.

use std::sync::Arc;

use tenantry_engine::address::ConsoleName;
use tenantry_engine::console::{Console, ConsoleError};
use tenantry_engine::declare::declare;
use tenantry_engine::observe::{list, read};
use tenantry_engine::observed::{Census, DetailKey, Details};
use tenantry_engine::plan::wanted;
use tenantry_engine::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Worker;
use super::declared::{Around, scoped};
use super::link::Problem;
use super::reconcile::Why;

/// So many details are on their way at once: one, so that a slow answer leaves the worker a place beside it.
const AT_ONCE: usize = 1;

/// What a scan found.
pub(super) enum Found {
    /// The list.
    List(Result<Census, ConsoleError>),
    /// Some details.
    Details(Details),
    /// It could not go on.
    Failed(ConsoleError),
}

/// A scan under way.
pub(super) struct Scan {
    found: mpsc::Receiver<Found>,
    task: JoinHandle<()>,
}

impl Scan {
    /// Ends it.
    pub fn end(self) {
        self.task.abort();
    }
}

/// What a scan finds next; `None` at its end. Pending for ever where none runs.
pub(super) async fn next(scan: &mut Option<Scan>) -> Option<Found> {
    match scan {
        Some(scan) => scan.found.recv().await,
        None => std::future::pending().await,
    }
}

fn start_list(console: Arc<dyn Console>, name: ConsoleName, runtime: Runtime) -> Scan {
    let (tell, found) = mpsc::channel(1);
    let task = tokio::spawn(async move {
        let result = list(&*console, &name, &runtime).await;
        let _ = tell.send(Found::List(result)).await;
    });
    Scan { found, task }
}

fn start_details(
    console: Arc<dyn Console>,
    name: ConsoleName,
    runtime: Runtime,
    keys: Vec<DetailKey>,
    gate: Arc<tokio::sync::Mutex<()>>,
) -> Scan {
    let (tell, found) = mpsc::channel(64);
    let task = tokio::spawn(async move {
        for some in keys.chunks(AT_ONCE) {
            // While the worker is at work, nothing new is asked; what is on its way holds nobody up.
            drop(gate.lock().await);
            let result = read(&*console, &name, some, &runtime).await;
            let (told, goes_on) = match result {
                Ok(details) => (Found::Details(details), true),
                Err(error) => (Found::Failed(error), false),
            };
            if tell.send(told).await.is_err() || !goes_on {
                return;
            }
        }
    });
    Scan { found, task }
}

impl Worker {
    /// Begins an observation, unless one runs.
    pub(super) async fn observe(&mut self) {
        if self.scan.is_some() || !self.may_act() {
            return;
        }
        self.desk.times.refresh().await;
        let population = self.desk.stores.population();
        if !population.synced() {
            self.pause.longer();
            return;
        }
        let (namespace, name) = (&self.place.0, &self.place.1);
        let Some(object) = population.console(namespace, name).filter(|object| object.going.is_none()) else {
            self.pause.longer();
            return;
        };
        let object = Arc::clone(object);
        match self.connect(&object.spec, object.generation, true).await {
            Ok(()) => {}
            Err(problem) => return self.stumbled(&problem).await,
        }
        self.reread().await;
        self.next_observation(object.spec.observe.effective().accounts.to_duration());
        self.wake = None;
        if let Some(link) = &self.link {
            self.scan = Some(start_list(Arc::clone(&link.console), self.name.clone(), link.runtime.clone()));
        }
    }

    /// Takes what the scan found.
    pub(super) async fn scanned(&mut self, found: Option<Found>) {
        match found {
            Some(Found::Details(mut details)) => {
                // Read one by one, they share nothing yet.
                for read in details.values_mut().filter_map(Arc::get_mut) {
                    read.fields.share(&mut self.lists);
                }
                self.cache.extend(details);
            }
            Some(Found::List(Ok(census))) => {
                self.scan = None;
                if self.list.as_ref().is_none_or(|list| list.began <= census.began) {
                    self.list = Some(census);
                }
                self.pause.over();
                self.reconcile(Why::Listed).await;
                self.read_details();
            }
            Some(Found::List(Err(error)) | Found::Failed(error)) => {
                self.scan = None;
                self.refused(error).await;
            }
            None => {
                self.scan = None;
                self.reconcile(Why::Detailed).await;
            }
        }
    }

    /// Reads the details that are wanted now, in the background.
    pub(super) fn read_details(&mut self) {
        let (Some(link), Some(book), Some(census)) = (&self.link, &self.book, &self.list) else { return };
        let population = self.desk.stores.population();
        let all = scoped(&population, &self.place.0, &self.place.1);
        let around = Around::new(&population, &self.desk.accounts, &self.place);
        let declaration = declare(&all, &around);
        let Some(desired) = declaration.consoles.get(&self.name) else { return };
        let now = self.desk.times.now();
        let reads =
            wanted(desired, &book.ledger, census, &self.cache, link.console.dialect(), now, usize::MAX);
        if !reads.now.is_empty() {
            self.scan = Some(start_details(
                Arc::clone(&link.console),
                self.name.clone(),
                link.runtime.clone(),
                reads.now,
                Arc::clone(&self.gate),
            ));
        }
    }

    /// A console that cannot be read: its credential is looked at again where that is why.
    pub(super) async fn refused(&mut self, error: ConsoleError) {
        if matches!(error, ConsoleError::Stopped) {
            return;
        }
        if matches!(error, ConsoleError::Credential { .. }) && self.rotated().await {
            self.pause.until = Some(std::time::Instant::now());
            return;
        }
        self.stumbled(&Problem::from(error)).await;
    }
}
