//! Executing a plan: each step at most once, durable before and after, in the plan's order.
//!
//! The plan has decided everything; what is left is whether a step's prerequisites succeeded, what the vendor answers,
//! and whether somebody asked to stop. Steps of one console run one after the other; several consoles are run side by
//! side by the caller.
//!
//! Invariants: no byte of an unsafe request leaves before its intent and then its `sent` are durable; an address with
//! an operation in doubt is not touched; a guard's allowance and an approval are used up in the same write as the
//! intent, header first; after the first error of the store nothing more is sent. What only the ledger knows (bindings,
//! tasks) is stored together, durable before the next request leaves and before the report.
//!
//! It never decides to do something that the plan does not hold, and never sends a request again on its own but where
//! the vendor documents that it was not processed.

mod broken;
mod notes;
pub mod report;
mod requests;

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

pub use report::{Outcome, Report, StepReport};
pub use requests::POSITION_REFUSED;

use crate::action::Action;
use crate::address::{Address, ConsoleName, Kind, RemoteId};
use crate::console::Console;
use crate::ledger::{Entry, GuardUse, Header, Standing};
use crate::operation::Phase;
use crate::plan::{Approvals, Inside, Performer, Step};
use crate::runtime::{Event, Runtime};
use crate::store::{Batch, LogEvent, OpenLedger, StoreError, Write};
use crate::value::Digester;

/// What is executed, where and with what.
#[derive(Clone, Copy)]
pub struct Execution<'a> {
    /// The console's name.
    pub name: &'a ConsoleName,
    /// The console, opened for writing.
    pub console: &'a dyn Console,
    /// What a person allowed: the same that the plan was made with.
    pub approvals: &'a Approvals,
    /// Clock, ids, stop, progress, sealer.
    pub runtime: &'a Runtime,
    /// Id of this run, for the log.
    pub run: &'a str,
    /// Length of the guards' window: uses twice as old leave the log.
    pub window: SignedDuration,
}

/// Executes the steps of a plan, whose upkeep is durable already, but for `begun`: new entries that are written with the
/// step that begins them, which only writes the ledger; those whose step was not done, at the end.
///
/// The report has one line for each step, in order; an error of the store ends the run at once, and the next run settles
/// what was on its way. The report is whole then too: what was done before, and that the rest was not begun. What a step
/// holds inside is used up by it.
pub async fn execute(
    job: &Execution<'_>,
    steps: &mut [Step],
    begun: BTreeMap<Address, Box<Entry>>,
    ledger: &mut OpenLedger<'_>,
    report: &mut Report,
) -> Result<(), StoreError> {
    let mut running = Running::new(*job, begun, ledger);
    let of = steps.len();
    *report = Report { steps: Vec::with_capacity(of), ..Report::default() };
    // So many lines are about what is stored.
    let mut durable = 0;
    for done in 0..of {
        let step = &mut steps[done];
        let began = job.runtime.clock.now();
        let ended = if job.runtime.stop.asked() {
            Ended::from(Outcome::NotBegun)
        } else if let Some(held) = &step.held {
            Ended::from(Outcome::Held { because: held.words.clone() })
        } else if let Some(because) = running.blocked(step) {
            Ended::from(Outcome::Skipped { because })
        } else {
            job.runtime.progress.tell(Event::StepBegins {
                console: job.name,
                address: &step.address,
                done,
                of,
            });
            match running.one(step).await {
                Ok(ended) => {
                    *step.inside = Inside::default();
                    ended
                }
                Err(error) => {
                    running.broken_off(&steps[done..], durable, report);
                    report.requests = running.requests;
                    return Err(error);
                }
            }
        };
        report.interrupted |= ended.outcome == Outcome::NotBegun;
        running.remember(step, &ended.outcome);
        let took = job.runtime.clock.now().duration_since(began);
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(0);
        let line = line(job, step, ended, milliseconds);
        job.runtime.progress.tell(Event::StepEnded { console: job.name, line: &line });
        report.steps.push(line);
        if running.ledger.is_stored() {
            durable = report.steps.len();
        }
    }
    report.requests = running.requests;
    let stored = running.finish().await;
    if stored.is_err() {
        running.broken_off(&[], durable, report);
    }
    stored
}

/// The report of a plan of which nothing was begun, because the store failed before.
pub(crate) fn nothing_begun(job: &Execution<'_>, steps: &[Step]) -> Report {
    let lines = steps.iter().map(|step| line(job, step, broken::not_begun(step), 0));
    Report { steps: lines.collect(), ..Report::default() }
}

fn line(job: &Execution<'_>, step: &Step, ended: Ended, milliseconds: u64) -> StepReport {
    StepReport {
        console: job.name.clone(),
        address: step.address.clone(),
        action: step.action,
        fingerprint: step.fingerprint.clone(),
        outcome: ended.outcome,
        remote_id: ended.remote_id.or_else(|| step.remote_id.clone()),
        words: ended.words,
        milliseconds,
    }
}

/// How one step ended.
struct Ended {
    outcome: Outcome,
    remote_id: Option<RemoteId>,
    words: Vec<String>,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, remote_id: None, words: Vec::new() }
    }
}

/// A run under way.
struct Running<'a, 's, 'l> {
    job: Execution<'a>,
    /// New entries that their first step writes.
    begun: BTreeMap<Address, Box<Entry>>,
    ledger: &'s mut OpenLedger<'l>,
    digester: Digester,
    /// Records that released entries still name: whoever adopts one takes it over.
    released: HashMap<(Kind, RemoteId), Vec<Address>>,
    /// Addresses whose step did not succeed, and why.
    unfinished: BTreeMap<Address, &'static str>,
    requests: u32,
}

impl<'a, 's, 'l> Running<'a, 's, 'l> {
    fn new(job: Execution<'a>, begun: BTreeMap<Address, Box<Entry>>, ledger: &'s mut OpenLedger<'l>) -> Self {
        let digester = ledger.ledger().digester();
        let mut released: HashMap<(Kind, RemoteId), Vec<Address>> = HashMap::new();
        for (address, entry) in &ledger.ledger().entries {
            if entry.standing == Standing::Released
                && let Some(id) = &entry.remote_id
            {
                released.entry((address.kind, id.clone())).or_default().push(address.clone());
            }
        }
        Self { job, begun, ledger, digester, released, unfinished: BTreeMap::new(), requests: 0 }
    }

    fn now(&self) -> Timestamp {
        self.job.runtime.clock.now()
    }

    /// Why the step cannot be done now, although nothing holds it.
    fn blocked(&self, step: &Step) -> Option<String> {
        for address in step.after.iter().filter(|address| **address != step.address) {
            if let Some(why) = self.unfinished.get(address) {
                return Some(format!("{address} {why}"));
            }
        }
        if let Some(operation) = self.entry(&step.address).and_then(|entry| entry.operation.as_ref())
            && !matches!(operation.phase, Phase::NotHappened { .. })
        {
            return Some(format!(
                "an earlier request of it ({}) is {}",
                operation.name,
                operation.phase_word()
            ));
        }
        None
    }

    fn remember(&mut self, step: &Step, outcome: &Outcome) {
        let why = match outcome {
            Outcome::Done => return,
            Outcome::Waits { .. } => "waits for somebody",
            Outcome::Failed { .. } => "failed",
            Outcome::InDoubt { .. } => "is in doubt",
            Outcome::Held { .. } => "is held",
            Outcome::Skipped { .. } => "was skipped",
            Outcome::NotBegun => "was not begun",
        };
        self.unfinished.insert(step.address.clone(), why);
    }

    async fn one(&mut self, step: &mut Step) -> Result<Ended, StoreError> {
        let shown = std::mem::take(&mut step.inside.shown);
        match (&step.performer, step.action) {
            (Performer::Person(task), _) => self.open_task(step, task).await,
            (Performer::Console, Action::Adopt) => self.adopt(step, shown).await,
            (Performer::Console, Action::Forget) => self.forget(step).await,
            (Performer::Console, Action::Remind) => self.remind(step).await,
            (Performer::Console, _) => self.perform(step).await,
        }
    }

    fn entry(&self, address: &Address) -> Option<&Entry> {
        self.ledger.ledger().entries.get(address)
    }

    /// The entry to be changed. Planning has made sure that there is one; a step that was planned from elsewhere gets
    /// a fresh one.
    fn entry_for(&mut self, step: &Step) -> Entry {
        let begun = self.begun.remove(&step.address);
        self.entry(&step.address).cloned().or(begun.map(|entry| *entry)).unwrap_or_else(|| {
            let origin = step.origin.clone().unwrap_or_else(|| crate::origin::Origin::file("", 0, 0));
            Entry::declared(origin, self.now())
        })
    }

    /// What was declared and not begun after all is remembered too; then everything is durable.
    async fn finish(&mut self) -> Result<(), StoreError> {
        self.rest().await?;
        self.ledger.flush().await
    }

    async fn rest(&mut self) -> Result<(), StoreError> {
        let begun = std::mem::take(&mut self.begun).into_iter();
        let rest = begun.filter(|(address, _)| self.entry(address).is_none());
        let entries: Vec<_> = rest.map(|(address, entry)| (address, Some(*entry))).collect();
        let Some((about, _)) = entries.first() else { return Ok(()) };
        let about = about.clone();
        self.stage(None, entries, "observed", &about, String::new()).await
    }

    /// The header with what the step uses up: its guard's allowance, its approval, the first run's confirmation.
    /// `None` where nothing of it changes.
    fn reserved(&self, step: &Step, now: Timestamp) -> Option<Header> {
        let before = &self.ledger.ledger().header;
        let window = now.saturating_sub(self.job.window).unwrap_or(Timestamp::MIN);
        // What did not happen has reserved its share already.
        let again = self
            .entry(&step.address)
            .and_then(|entry| entry.operation.as_ref())
            .is_some_and(|operation| operation.step == step.fingerprint);
        let uses = step.uses.filter(|_| {
            !(again && before.guard_log.iter().any(|used| used.step == step.fingerprint && used.at > window))
        });
        let approved = self.job.approvals.approve.contains(&step.fingerprint);
        let begins = matches!(step.action, Action::Create | Action::Invite);
        let confirms = before.confirmed.is_none() && (self.job.approvals.first_run || (approved && begins));
        // Most steps use up nothing, and the log of a day is long: no copy is made for them.
        if uses.is_none() && !approved && !confirms {
            return None;
        }
        let mut header = before.clone();
        if let Some((kind, count)) = uses {
            let twice = self.job.window.saturating_add(self.job.window);
            let from = now.saturating_sub(twice).unwrap_or(Timestamp::MIN);
            header.guard_log.retain(|used| used.at > from);
            header.guard_log.push(GuardUse { at: now, kind, count, step: step.fingerprint.clone() });
        }
        if approved {
            header.used_approvals.insert(step.fingerprint.clone());
        }
        if confirms {
            header.confirmed = Some(now);
        }
        (header != *before).then_some(header)
    }

    /// One durable write of a step: the header first, where it changes, then the entries.
    async fn commit(
        &mut self,
        header: Option<Header>,
        entries: Vec<(Address, Option<Entry>)>,
        what: &str,
        about: &Address,
        words: String,
    ) -> Result<(), StoreError> {
        let (writes, event) = self.batch(header, entries, what, about, words);
        self.ledger.commit(writes, event).await
    }

    /// The write of a step that only writes the ledger: durable before the next request and before the report.
    async fn stage(
        &mut self,
        header: Option<Header>,
        entries: Vec<(Address, Option<Entry>)>,
        what: &str,
        about: &Address,
        words: String,
    ) -> Result<(), StoreError> {
        let (writes, event) = self.batch(header, entries, what, about, words);
        self.ledger.stage(writes, event).await
    }

    fn batch(
        &self,
        header: Option<Header>,
        entries: Vec<(Address, Option<Entry>)>,
        what: &str,
        about: &Address,
        words: String,
    ) -> Batch {
        let serial = self.ledger.ledger().header.serial.saturating_add(1);
        let mut writes = Vec::with_capacity(entries.len() + 1);
        if let Some(mut header) = header {
            header.serial = serial;
            writes.push(Write::Header(Box::new(header)));
        }
        for (address, entry) in entries {
            writes.push(match entry {
                Some(entry) => Write::Put(address, Box::new(entry)),
                None => Write::Erase(address),
            });
        }
        let event = LogEvent {
            at: self.now(),
            run: self.job.run.to_owned(),
            what: what.to_owned(),
            address: Some(about.clone()),
            words,
        };
        (writes, event)
    }
}

#[cfg(test)]
pub(crate) mod tests;
