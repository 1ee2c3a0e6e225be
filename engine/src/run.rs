//! The one path from declarations to a report: observe, plan, write down what observation settled, execute.
//!
//! Both faces take it. They differ in where declarations come from, where the ledger lives and who approves; nothing
//! here asks which of them is running.
//!
//! Invariants: [`look`] writes nothing; [`prepare`] writes only what observation alone has settled; a ledger of another
//! vendor account is refused before anything is read or written.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::address::{Address, VendorAccount};
use crate::console::{Console, ConsoleError};
use crate::desired::{Desired, settle_of};
use crate::execute::{Execution, Report, execute};
use crate::ledger::{Entry, Header, Ledger};
use crate::observe::{Settings, observe, reread, stale_grounds};
use crate::observed::{DetailKey, Details, Identity, Observed};
use crate::plan::guards::shrunken;
use crate::plan::{
    Approvals, Fingerprint, Patience, Plan, Planned, PlanningInput, Reads, Step, Upkeep, plan,
};
use crate::runtime::Runtime;
use crate::store::{LogEvent, OpenLedger, StoreError, Write};

/// How often a run looks again to settle operations in doubt.
const LOOKS_AT_MOST: u32 = 2;

/// One console's run.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The console. Opened for reading it suffices for [`look`].
    pub console: &'a dyn Console,
    /// Who we are there, as [`crate::observe::identify`] said.
    pub identity: &'a Identity,
    /// What is declared for it.
    pub desired: &'a Desired<'a>,
    /// What a person allowed.
    pub approvals: &'a Approvals,
    /// Clock, ids, stop, progress, sealer.
    pub runtime: &'a Runtime,
    /// What was read before and may still be young enough.
    pub cache: &'a Details,
    /// How much may be read.
    pub settings: Settings,
    /// The longest that one request may be on its way.
    pub request_timeout: SignedDuration,
    /// Id of this run, for the log.
    pub run: &'a str,
}

impl Job<'_> {
    /// How late the console may be.
    pub fn patience(&self) -> Patience {
        Patience { request_timeout: self.request_timeout, settle: settle_of(self.desired.console.spec) }
    }

    fn window(&self) -> SignedDuration {
        self.desired.console.spec.guards.effective().per.to_duration()
    }
}

/// What was seen and what follows from it.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What was observed; its details are the next run's cache.
    pub observed: Observed,
    /// Which details were read for it.
    pub reads: Reads,
    /// The plan, and what observation settled.
    pub planned: Planned,
}

/// Why a run ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The console cannot be read.
    #[error("the console could not be observed")]
    Console(#[from] ConsoleError),
    /// The ledger cannot be written.
    #[error("the ledger could not be written; what was on its way is settled by the next run")]
    Store(#[from] StoreError),
    /// The ledger belongs to another account at the vendor.
    #[error(
        "the ledger belongs to {ledger}, the credentials of {console} open {found}; use the credentials of that account, or another state directory for this one"
    )]
    OtherAccount {
        /// Which console.
        console: String,
        /// Whom the ledger is pinned to.
        ledger: VendorAccount,
        /// Who we are.
        found: VendorAccount,
    },
}

fn pinned(job: &Job<'_>, ledger: &Ledger) -> Result<(), RunError> {
    if ledger.header.vendor_account == job.identity.vendor_account {
        return Ok(());
    }
    Err(RunError::OtherAccount {
        console: job.desired.console.name.to_string(),
        ledger: ledger.header.vendor_account.clone(),
        found: job.identity.vendor_account.clone(),
    })
}

fn planned(job: &Job<'_>, ledger: &Ledger, observed: &Observed) -> Planned {
    plan(&PlanningInput {
        desired: job.desired,
        observed,
        ledger,
        dialect: job.console.dialect(),
        approvals: job.approvals,
        now: job.runtime.clock.now(),
        patience: job.patience(),
    })
}

/// Observes and plans. Writes nothing: what observation settles is settled in memory.
pub async fn look(job: &Job<'_>, ledger: &Ledger) -> Result<Prepared, RunError> {
    pinned(job, ledger)?;
    let (observed, reads) =
        observe(job.console, job.identity, job.desired, ledger, job.cache, job.runtime, job.settings).await?;
    let planned = planned(job, ledger, &observed);
    Ok(Prepared { observed, reads, planned })
}

/// Observes and plans in order to apply. Where one more look settles an operation in doubt, what is known is stored
/// and it looks again, at most twice. What a step rests on is read again where it came from the cache.
pub async fn prepare(job: &Job<'_>, ledger: &mut OpenLedger<'_>) -> Result<Prepared, RunError> {
    let mut prepared = look(job, ledger.ledger()).await?;
    for _ in 0..LOOKS_AT_MOST {
        if !prepared.planned.look_again {
            break;
        }
        store(job, ledger, &prepared, None).await?;
        let cost = prepared.observed.cost;
        prepared = look(job, ledger.ledger()).await?;
        prepared.observed.cost.pages += cost.pages;
        prepared.observed.cost.details += cost.details;
        prepared.observed.cost.other += cost.other;
        prepared.observed.cost.bytes += cost.bytes;
        prepared.planned.plan.looked.cost = prepared.observed.cost;
    }
    let read: BTreeSet<DetailKey> = prepared.reads.now.iter().cloned().collect();
    let again = stale_grounds(&prepared.planned.plan, &prepared.observed, &read);
    if !again.is_empty() {
        let name = &job.desired.console.name;
        reread(job.console, name, &again, &mut prepared.observed, job.runtime).await?;
        prepared.reads.now.extend(again);
        prepared.planned = planned(job, ledger.ledger(), &prepared.observed);
    }
    Ok(prepared)
}

/// Stores what observation settled, then executes the plan.
pub async fn apply(
    job: &Job<'_>,
    ledger: &mut OpenLedger<'_>,
    prepared: &Prepared,
) -> Result<Report, StoreError> {
    let header = header(job, ledger.ledger(), prepared);
    store(job, ledger, prepared, header).await?;
    let execution = Execution {
        plan: &prepared.planned.plan,
        console: job.console,
        approvals: job.approvals,
        runtime: job.runtime,
        run: job.run,
        window: job.window(),
    };
    execute(&execution, ledger).await
}

/// How many entries' words one event of the log carries.
const WORDS_AT_MOST: usize = 50;

/// One batch: the header where it changes, then the entries.
async fn store(
    job: &Job<'_>,
    ledger: &mut OpenLedger<'_>,
    prepared: &Prepared,
    header: Option<Header>,
) -> Result<(), StoreError> {
    let now = job.runtime.clock.now();
    let upkeep = &prepared.planned.upkeep;
    let mut writes: Vec<Write> = header.map(|header| Write::Header(Box::new(header))).into_iter().collect();
    writes
        .extend(ordered(upkeep).map(|(address, entry)| Write::Put(address.clone(), Box::new(entry.clone()))));
    if writes.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = upkeep
        .iter()
        .flat_map(|one| one.events.iter().map(|(what, words)| told(&one.address, what, words)))
        .collect();
    let mut words = told.iter().take(WORDS_AT_MOST).cloned().collect::<Vec<_>>().join("; ");
    if told.len() > WORDS_AT_MOST {
        words.push_str(&format!("; and {} more", told.len() - WORDS_AT_MOST));
    }
    let address = match upkeep.as_slice() {
        [one] => Some(one.address.clone()),
        _ => None,
    };
    let event = LogEvent { at: now, run: job.run.to_owned(), what: "observed".to_owned(), address, words };
    ledger.commit(writes, event).await
}

fn told(address: &Address, what: &str, words: &str) -> String {
    if words.is_empty() { format!("{address} {what}") } else { format!("{address} {what}: {words}") }
}

/// Entries that hold something before those that hold nothing any more: where a batch breaks off in the middle, a
/// binding, an invitation or an operation that moves stands twice, never nowhere.
fn ordered(upkeep: &[Upkeep]) -> impl Iterator<Item = (&Address, &Entry)> {
    let empty =
        |entry: &Entry| entry.remote_id.is_none() && entry.invitation.is_none() && entry.operation.is_none();
    let holding = upkeep.iter().filter(move |one| !empty(&one.entry));
    let rest = upkeep.iter().filter(move |one| empty(&one.entry));
    holding.chain(rest).map(|one| (&one.address, &one.entry))
}

/// The header, where this run changes it before its first step.
fn header(job: &Job<'_>, ledger: &Ledger, prepared: &Prepared) -> Option<Header> {
    let mut header: Header = ledger.header.clone();
    let census = &prepared.observed.census;
    let records = census.records().len() as u64;
    let cap = job.desired.console.spec.guards.effective().max_removal_percent;
    let shrunken = header.last_census.is_some_and(|last| shrunken(last, records, cap));
    // A list that has shrunk too much stays suspect until somebody says that it is right.
    if census.complete() && (!shrunken || job.approvals.census) {
        header.last_census = Some(records);
    }
    if job.approvals.first_run && header.confirmed.is_none() {
        header.confirmed = Some(job.runtime.clock.now());
    }
    if header == ledger.header {
        return None;
    }
    header.serial = ledger.header.serial.saturating_add(1);
    Some(header)
}

/// Steps of a saved plan, by fingerprint: what is carried out now must have been in it.
///
/// Fewer steps, or some that are done already, are fine. Steps that were not in the saved plan are dropped from
/// `plan`, with everything that comes after them, and returned.
pub fn constrain(plan: &mut Plan, saved: &BTreeSet<Fingerprint>) -> Vec<Step> {
    let mut moved: Vec<Step> = Vec::new();
    let mut gone: BTreeSet<Address> = BTreeSet::new();
    let mut kept = Vec::with_capacity(plan.steps.len());
    for step in std::mem::take(&mut plan.steps) {
        if saved.contains(&step.fingerprint) && !step.after.iter().any(|address| gone.contains(address)) {
            kept.push(step);
        } else {
            gone.insert(step.address.clone());
            moved.push(step);
        }
    }
    plan.steps = kept;
    moved
}
