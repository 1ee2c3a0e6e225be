//! The one path from declarations to a report: observe, plan, write down what observation settled, execute.
//!
//! Both faces take it. They differ in where declarations come from, where the ledger lives and who approves; nothing
//! here asks which of them is running.
//!
//! A run may stand on a list that was read before ([`Before`]), so that one changed declaration does not wait for all
//! others; what follows from the list alone is then looked up in a new one first.
//!
//! Invariants: [`look`] writes nothing; [`prepare`] writes only what observation alone has settled; a ledger of another
//! vendor account is refused before anything is read or written; nothing is created, invited, bound, ended or
//! concluded from a list that is older than the run that does it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use crate::action::Action;
use crate::address::{Address, VendorAccount};
use crate::console::{Console, ConsoleError};
use crate::desired::{Desired, settle_of};
use crate::execute::{Execution, Report, execute, nothing_begun};
use crate::ledger::{Entry, Header, Ledger};
use crate::observe::{Settings, observe_on, reread, stale_grounds};
use crate::observed::{Census, DetailKey, Details, Identity, Observed};
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
    /// A list that was read before, to stand on. `None`: every look reads the list.
    pub before: Option<Before<'a>>,
}

/// A list that was read before this run.
///
/// The laws hold without further ado: absence counts from the moment at which the list began, and what was written
/// later is not compared with it. What would follow from the list alone is looked up in a new one first, unless this
/// run was started because the list arrived.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// The list.
    pub census: &'a Census,
    /// Whether it has just arrived: it is as good as one that this run would read.
    pub just_read: bool,
    /// Declarations that changed: details are read for these and for operations in doubt, everything else is compared
    /// as far as the cache goes. `None`: details are read as always.
    pub about: Option<&'a BTreeSet<Address>>,
}

impl Job<'_> {
    /// How late the console may be.
    pub fn patience(&self) -> Patience {
        Patience { request_timeout: self.request_timeout, settle: settle_of(self.desired.console.spec) }
    }

    /// The list to stand on. One that did not arrive whole says too little to stand on.
    fn earlier(&self) -> Option<&Census> {
        self.before.map(|before| before.census).filter(|census| census.complete())
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
    look_on(job, ledger, job.earlier()).await
}

async fn look_on(job: &Job<'_>, ledger: &Ledger, census: Option<&Census>) -> Result<Prepared, RunError> {
    pinned(job, ledger)?;
    let about = job.before.and_then(|before| before.about);
    let (observed, reads) = observe_on(
        job.console,
        job.identity,
        job.desired,
        ledger,
        job.cache,
        job.runtime,
        job.settings,
        census,
        about,
    )
    .await?;
    let planned = planned(job, ledger, &observed);
    Ok(Prepared { observed, reads, planned })
}

/// Looks once more, at a list that is read now. What the earlier look cost is counted; what it found is let go of first,
/// so that nothing of it is there twice.
async fn look_anew(job: &Job<'_>, ledger: &Ledger, earlier: Prepared) -> Result<Prepared, RunError> {
    let cost = earlier.observed.cost;
    drop(earlier);
    let mut prepared = look_on(job, ledger, None).await?;
    prepared.observed.cost.pages += cost.pages;
    prepared.observed.cost.details += cost.details;
    prepared.observed.cost.other += cost.other;
    prepared.observed.cost.bytes += cost.bytes;
    prepared.planned.plan.looked.cost = prepared.observed.cost;
    Ok(prepared)
}

/// Whether something would follow from what the list shows, or does not show, at this moment.
fn rests_on_the_list(planned: &Planned) -> bool {
    let concluded = planned.upkeep.iter().any(|one| !one.events.is_empty());
    let acts = planned.plan.steps.iter().filter(|step| step.held.is_none()).any(|step| {
        step.action.ends()
            || matches!(
                step.action,
                Action::Create | Action::Invite | Action::Adopt | Action::Forget | Action::Move
            )
    });
    concluded || acts
}

/// Observes and plans in order to apply. Where one more look settles an operation in doubt, what is known is stored
/// and it looks again, at most twice. What a step rests on is read again where it came from the cache.
pub async fn prepare(job: &Job<'_>, ledger: &mut OpenLedger<'_>) -> Result<Prepared, RunError> {
    let mut prepared = look(job, ledger.ledger()).await?;
    let old = job.earlier().is_some() && job.before.is_some_and(|before| !before.just_read);
    if old && rests_on_the_list(&prepared.planned) {
        prepared = look_anew(job, ledger.ledger(), prepared).await?;
    }
    for _ in 0..LOOKS_AT_MOST {
        if !prepared.planned.look_again {
            break;
        }
        store(job, ledger, std::mem::take(&mut prepared.planned.upkeep), None).await?;
        prepared = look_anew(job, ledger.ledger(), prepared).await?;
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

/// Stores what observation settled, then executes the plan. What nobody shows afterwards goes into the ledger and is
/// left of `prepared` no more: its upkeep, and what steps hold for the executor alone. A first run has both for every
/// account.
pub async fn apply(
    job: &Job<'_>,
    ledger: &mut OpenLedger<'_>,
    prepared: &mut Prepared,
) -> Result<Report, StoreError> {
    let mut report = Report::default();
    apply_into(job, ledger, prepared, &mut report).await?;
    Ok(report)
}

/// The same with a report that is whole also where the store fails: what was done before is done.
pub async fn apply_into(
    job: &Job<'_>,
    ledger: &mut OpenLedger<'_>,
    prepared: &mut Prepared,
    report: &mut Report,
) -> Result<(), StoreError> {
    let header = header(job, ledger.ledger(), prepared);
    let Planned { plan, upkeep, .. } = &mut prepared.planned;
    let mut upkeep = std::mem::take(upkeep);
    let begun = begun_by_steps(&plan.steps, &mut upkeep, ledger.ledger());
    let execution = Execution {
        name: &plan.console,
        console: job.console,
        approvals: job.approvals,
        runtime: job.runtime,
        run: job.run,
        window: job.window(),
    };
    if let Err(error) = store(job, ledger, upkeep, header).await {
        *report = nothing_begun(&execution, &plan.steps);
        return Err(error);
    }
    execute(&execution, &mut plan.steps, begun, ledger, report).await
}

/// Takes out new entries whose first step only writes the ledger: they are written with it, once, instead of twice. They
/// say nothing but that somebody declared; what observation concluded is never among them.
fn begun_by_steps(
    steps: &[Step],
    upkeep: &mut Vec<Upkeep>,
    ledger: &Ledger,
) -> BTreeMap<Address, Box<Entry>> {
    let noted: BTreeSet<&Address> = steps
        .iter()
        .filter(|step| step.held.is_none() && step.only_noted())
        .map(|step| &step.address)
        .collect();
    upkeep
        .extract_if(.., |one| {
            one.events.is_empty()
                && one.entry.is_blank()
                && noted.contains(&one.address)
                && !ledger.entries.contains_key(&one.address)
        })
        .map(|one| (one.address, one.entry))
        .collect()
}

/// How many entries' words one event of the log carries.
const WORDS_AT_MOST: usize = 50;

/// How many entries one write holds at most: a first run has one for every account, and they are not needed twice.
const STORED_AT_ONCE: usize = 1000;

/// The header where it changes, then the entries. A run that dies in between has stored what is true already; the rest
/// is observed again.
async fn store(
    job: &Job<'_>,
    ledger: &mut OpenLedger<'_>,
    upkeep: Vec<Upkeep>,
    header: Option<Header>,
) -> Result<(), StoreError> {
    let mut header = header.map(|header| Write::Header(Box::new(header)));
    if upkeep.is_empty() && header.is_none() {
        return Ok(());
    }
    let mut rest = ordered(upkeep).into_iter();
    loop {
        let some: Vec<Upkeep> = rest.by_ref().take(STORED_AT_ONCE).collect();
        let event = event(job, &some);
        let entries = some.into_iter().map(|one| Write::Put(one.address, one.entry));
        ledger.commit(header.take().into_iter().chain(entries).collect(), event).await?;
        if rest.len() == 0 {
            return Ok(());
        }
    }
}

/// What the log says of entries that observation has changed.
fn event(job: &Job<'_>, upkeep: &[Upkeep]) -> LogEvent {
    let told: Vec<String> = upkeep
        .iter()
        .flat_map(|one| one.events.iter().map(|(what, words)| told(&one.address, what, words)))
        .collect();
    let mut words = told.iter().take(WORDS_AT_MOST).cloned().collect::<Vec<_>>().join("; ");
    if told.len() > WORDS_AT_MOST {
        words.push_str(&format!("; and {} more", told.len() - WORDS_AT_MOST));
    }
    let address = match upkeep {
        [one] => Some(one.address.clone()),
        _ => None,
    };
    let at = job.runtime.clock.now();
    LogEvent { at, run: job.run.to_owned(), what: "observed".to_owned(), address, words }
}

fn told(address: &Address, what: &str, words: &str) -> String {
    if words.is_empty() { format!("{address} {what}") } else { format!("{address} {what}: {words}") }
}

/// Entries that hold something before those that hold nothing any more: where a batch breaks off in the middle, a
/// binding, an invitation or an operation that moves stands twice, never nowhere.
fn ordered(upkeep: Vec<Upkeep>) -> Vec<Upkeep> {
    let (mut holding, blank): (Vec<_>, Vec<_>) = upkeep.into_iter().partition(|one| !one.entry.is_blank());
    holding.extend(blank);
    holding
}

/// The header, where this run changes it before its first step.
fn header(job: &Job<'_>, ledger: &Ledger, prepared: &Prepared) -> Option<Header> {
    let mut header: Header = ledger.header.clone();
    let census = &prepared.observed.census;
    let records = prepared.planned.plan.looked.records as u64;
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
