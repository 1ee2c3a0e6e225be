//! One reconcile: everything that is declared for the Console, planned by the engine and carried out, again and again
//! until nothing more comes of it.
//!
//! The path is the engine's own, the same that the command takes. What is added here: the list of the last observation
//! to stand on, finalizers before the first intent, approvals from annotations, and pauses for what failed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use serde_json::json;
use tenantry_cluster::stores::Population;
use tenantry_engine::console::ConsoleError;
use tenantry_engine::declare::declare;
use tenantry_engine::desired::Desired;
use tenantry_engine::execute::{Outcome, Report};
use tenantry_engine::ledger::Ledger;
use tenantry_engine::observe::{Settings, list};
use tenantry_engine::observed::{Census, Details};
use tenantry_engine::plan::reasons::HeldBy;
use tenantry_engine::plan::{Approvals, Fingerprint, Plan, Step};
use tenantry_engine::run::{Before, Job, Prepared, RunError, apply_into, constrain, prepare};
use tenantry_engine::store::{OpenLedger, StoreError};

use super::declared::{Around, Changed, REQUESTED, about, approvals, matters, scoped};
use super::link::{Link, Problem};
use super::{Book, FIRST_PAUSE, LONGEST_PAUSE, Worker};
use crate::desk::Shown;
use crate::log::{Level, chain, say};
use crate::status::attested::Open;
use crate::status::view::State;

/// Details of so many changed declarations are read before they are planned; of more, in the background.
const AT_ONCE: usize = 50;
/// So often a reconcile goes on by itself; what is then left waits for the next one.
const TURNS: usize = 6;

/// So many new declarations are many: planning them takes some ten MiB.
const MANY: usize = 1000;
/// The longest that other Consoles are waited for.
const TURN_COMES: Duration = Duration::from_secs(600);

/// What a reconcile is for.
pub(super) enum Why {
    /// The list has just been read.
    Listed,
    /// Details have been read.
    Detailed,
    /// These objects changed.
    Changed(Changed),
}

/// How a reconcile ended that met no problem.
enum Ended {
    /// There is nothing more to do.
    Done,
    /// Other Consoles are to be waited for; then it begins anew.
    Waits,
}

/// How a turn ended.
#[derive(PartialEq, Eq)]
enum Turn {
    /// Something was done: what follows from it may be planned at once.
    GoOn,
    /// Nothing more comes of it now.
    Done,
    /// The console could not be read; its status says so.
    Refused,
}

/// What a turn found and did: told when no other turn follows, so that nobody is told what is over a moment later.
pub(super) struct Untold {
    shown: Arc<Shown>,
    report: Option<Report>,
}

/// What a turn's jobs are made of; approvals may grow between two of them.
struct Means<'a> {
    link: &'a Link,
    desired: &'a Desired<'a>,
    cache: &'a Details,
    before: Before<'a>,
    request_timeout: SignedDuration,
    run: &'a str,
}

impl Means<'_> {
    fn job<'j>(&'j self, approvals: &'j Approvals) -> Job<'j> {
        Job {
            console: &*self.link.console,
            identity: &self.link.identity,
            desired: self.desired,
            approvals,
            runtime: &self.link.runtime,
            cache: self.cache,
            settings: Settings { read_budget: usize::MAX },
            request_timeout: self.request_timeout,
            run: self.run,
            before: Some(self.before),
        }
    }
}

impl Worker {
    /// Takes changes.
    pub(super) async fn changed(&mut self, changed: Changed) {
        let population = self.desk.stores.population();
        let Some(object) = population.console(&self.place.0, &self.place.1) else { return };
        let asked = object.annotations.get(REQUESTED).cloned();
        let anew = asked != self.requested && asked.is_some();
        self.requested = asked;
        let connected = self.link.is_some();
        drop(population);
        // A Console that could not be connected is tried again at once when something of it changed.
        if anew || !connected {
            self.pause.over();
            if let Some(scan) = self.scan.take() {
                scan.end();
            }
            return self.observe().await;
        }
        self.reconcile(Why::Changed(changed)).await;
    }

    /// Plans and carries out.
    pub(super) async fn reconcile(&mut self, why: Why) {
        if !self.may_act() {
            return;
        }
        let began = Instant::now();
        self.desk.times.refresh().await;
        self.pause.until = None;
        let mut ended = self.turns(&why, false).await;
        if matches!(ended, Ok(Ended::Waits)) {
            // Whoever waits holds nothing that was looked at: it is old by then, and takes memory.
            self.list = None;
            let binding = Arc::clone(&self.desk.binding);
            self.alone = tokio::time::timeout(TURN_COMES, binding.lock_owned()).await.ok();
            if self.may_act() {
                ended = match self.relist().await {
                    Ok(()) => self.turns(&why, true).await,
                    Err(error) => {
                        self.alone = None;
                        self.refused(error).await;
                        Ok(Ended::Done)
                    }
                };
            }
        }
        self.alone = None;
        let how = match ended {
            Ok(_) => {
                // One whose time has come was tried just now, or is not to be tried any more.
                let now = Instant::now();
                let put_off = self.put_off.values().map(|(_, until)| *until).filter(|until| *until > now);
                self.pause.well(put_off.min());
                "done"
            }
            Err(problem) => {
                self.stumbled(&problem).await;
                "failed"
            }
        };
        self.desk.metrics.reconciled(self.name.as_str(), how, began.elapsed());
    }

    /// Reads the list again, in the worker itself.
    async fn relist(&mut self) -> Result<(), ConsoleError> {
        if let Some(link) = &self.link {
            self.list = Some(list(&*link.console, &self.name, &link.runtime).await?);
        }
        Ok(())
    }

    /// `waited`: for other Consoles; then the list was read again.
    async fn turns(&mut self, why: &Why, waited: bool) -> Result<Ended, Problem> {
        let population = self.desk.stores.population();
        if !population.synced() {
            return Ok(Ended::Done);
        }
        let (namespace, name) = (self.place.0.clone(), self.place.1.clone());
        let Some(object) = population.console(&namespace, &name).filter(|object| object.going.is_none())
        else {
            return Ok(Ended::Done);
        };
        let object = Arc::clone(object);
        self.connect(&object.spec, object.generation, false).await?;
        let desk = Arc::clone(&self.desk);
        let place = self.place.clone();
        let around = Around::new(&population, &desk.accounts, &place);
        let all = scoped(&population, &namespace, &name);
        let declaration = declare(&all, &around);
        let Some(desired) = declaration.consoles.get(&self.name) else {
            let words = declaration.findings.first().map(|finding| finding.words.clone()).unwrap_or_default();
            return Err(Problem { state: State::Stalled("NotSupportedYet"), words });
        };
        if self.list.is_none() {
            // Nothing was observed yet, or another account is: the scan will call again.
            self.due = None;
            return Ok(Ended::Done);
        }
        self.open_book().await?;
        let ledger = self.book.as_ref().map(|book| &book.ledger);
        let about = match why {
            Why::Changed(changed) => {
                let about = about(changed, &namespace, desired, ledger);
                if !matters(changed, &about) {
                    return Ok(Ended::Done);
                }
                about
            }
            Why::Listed | Why::Detailed => BTreeSet::new(),
        };
        // A wave of changes is compared as far as the cache goes, and reads what it lacks beside the work.
        let wave = about.len() > AT_ONCE;
        let about = if wave { BTreeSet::new() } else { about };
        let mut approvals = approvals(&population, &namespace, &name, &all);
        drop(all);
        if !waited && self.waits_for_others(desired) {
            return Ok(Ended::Waits);
        }
        let gate = Arc::clone(&self.gate);
        let scan_waits = gate.lock().await;
        let mut just_read = matches!(why, Why::Listed) || waited;
        if just_read && let (Some(list), Some(book)) = (&mut self.list, &self.book) {
            share_ids(list, &book.ledger);
        }
        let mut turns = 0;
        let ended = loop {
            let turn = self.turn(&population, desired, &mut approvals, just_read, &about).await;
            turns += 1;
            match turn {
                Ok(Turn::GoOn) if self.may_act() && turns < TURNS => just_read = true,
                Ok(Turn::GoOn) => {
                    self.pause.until = Some(Instant::now() + FIRST_PAUSE);
                    break Ok(Turn::GoOn);
                }
                ended => break ended,
            }
        };
        drop(scan_waits);
        self.alone = None;
        if let Some(Untold { shown, report }) = self.untold.take() {
            let well = matches!(ended, Ok(Turn::GoOn | Turn::Done));
            self.report(&population, desired, &shown.plan, report.as_ref(), well).await;
        }
        ended?;
        if wave && self.scan.is_none() && self.may_act() {
            self.read_details();
        }
        Ok(Ended::Done)
    }

    /// Where many records are to be bound for the first time: whether other Consoles that do the same are to finish
    /// first, or take a while. It costs memory for each of them, and what limits all of them is the API server.
    fn waits_for_others(&mut self, desired: &Desired<'_>) -> bool {
        let known = self.book.as_ref().map_or(0, |book| book.ledger.entries.len());
        if desired.accounts.len().saturating_sub(known) < MANY {
            return false;
        }
        self.alone = Arc::clone(&self.desk.binding).try_lock_owned().ok();
        self.alone.is_none()
    }

    /// Looks, plans, and carries out what is left of the plan.
    async fn turn(
        &mut self,
        population: &Population,
        desired: &Desired<'_>,
        approvals: &mut Approvals,
        just_read: bool,
        about: &BTreeSet<tenantry_engine::address::Address>,
    ) -> Result<Turn, Problem> {
        let (Some(link), Some(book), Some(list)) = (self.link.clone(), self.book.take(), self.list.take())
        else {
            return Ok(Turn::Done);
        };
        let run = link.runtime.ids.uuid();
        let open = Open::of(desired, &book.ledger);
        let cache = std::mem::take(&mut self.cache);
        let means = Means {
            link: &link,
            desired,
            cache: &cache,
            before: Before { census: &list, just_read, about: Some(about) },
            request_timeout: SignedDuration::try_from(self.desk.http.write_timeout)
                .unwrap_or(SignedDuration::from_mins(1)),
            run: &run[..8],
        };
        let mut ledger = OpenLedger::new(book.ledger, &*book.store);
        let mut looked = self.prepared(&means.job(approvals), &mut ledger).await;
        if let Ok(prepared) = &looked
            && consent(&prepared.planned.plan, desired, approvals)
        {
            looked = self.prepared(&means.job(approvals), &mut ledger).await;
        }
        let mut prepared = match looked {
            Ok(prepared) => prepared,
            Err(error) => {
                let book = Book { ledger: ledger.into_ledger(), store: book.store };
                (self.cache, self.list, self.book) = (cache, Some(list), Some(book));
                return self.not_prepared(error).await;
            }
        };
        let asks = |step: &Step| step.held.is_none() && !step.only_noted();
        if prepared.planned.plan.steps.iter().any(asks) {
            // Nobody waits for a vendor's pace.
            self.alone = None;
        }
        let whole = (!self.put_off.is_empty()).then(|| prepared.planned.plan.clone());
        self.put_off_failed(&mut prepared.planned.plan);
        let mut unwritten = None;
        let mut report = None;
        if self.desk.rules.plan_only {
        } else if self.held_by_finalizers(population, &prepared).await {
            let mut done = Report::default();
            let job = means.job(approvals);
            unwritten = apply_into(&job, &mut ledger, &mut prepared, &mut done).await.err();
            report = Some(done);
        } else {
            // Somebody changed an object meanwhile: its change calls again; this makes sure.
            self.pause.until = Some(Instant::now() + FIRST_PAUSE);
        }
        self.book = Some(Book { ledger: ledger.into_ledger(), store: book.store });
        let cost = prepared.observed.cost;
        let reads = u64::from(cost.pages) + u64::from(cost.details) + u64::from(cost.other);
        self.desk.metrics.requested(self.name.as_str(), "read", reads);
        self.cache = prepared.observed.details.clone();
        let mut newest = list;
        if newest.began < prepared.observed.census.began {
            if let Some(book) = &self.book {
                share_ids(&mut prepared.observed.census, &book.ledger);
            }
            newest = prepared.observed.census.clone();
        }
        self.list = Some(newest);
        // What was done before the store failed was done, and is told.
        let goes_on = report.as_ref().is_some_and(|report| self.ended(report));
        if let Some(error) = unwritten {
            return Err(self.unwritten(error));
        }
        let shown =
            Arc::new(Shown { plan: whole.unwrap_or(prepared.planned.plan), observed: prepared.observed });
        self.wake = shown.plan.wake;
        self.desk.show(&self.place, Arc::clone(&shown));
        self.attested(population, desired, &shown.plan, &open).await;
        self.untold = Some(Untold { shown, report });
        Ok(if goes_on { Turn::GoOn } else { Turn::Done })
    }

    async fn not_prepared(&mut self, error: RunError) -> Result<Turn, Problem> {
        match error {
            RunError::Console(error) => {
                self.refused(error).await;
                Ok(Turn::Refused)
            }
            RunError::Store(error) => Err(self.unwritten(error)),
            error @ RunError::OtherAccount { .. } => {
                Err(Problem { state: State::Stalled("AnotherAccount"), words: chain(&error) })
            }
        }
    }

    async fn prepared(&self, job: &Job<'_>, ledger: &mut OpenLedger<'_>) -> Result<Prepared, RunError> {
        if self.desk.rules.plan_only {
            tenantry_engine::run::look(job, ledger.ledger()).await
        } else {
            prepare(job, ledger).await
        }
    }

    /// The ledger is not known any more: it is read anew.
    fn unwritten(&mut self, error: StoreError) -> Problem {
        self.book = None;
        Problem::from(error)
    }

    /// Takes out what failed a moment ago, with what comes after it.
    fn put_off_failed(&mut self, plan: &mut Plan) {
        if self.put_off.is_empty() {
            return;
        }
        let now = Instant::now();
        let planned: BTreeSet<Fingerprint> = plan.steps.iter().map(|step| step.fingerprint.clone()).collect();
        self.put_off.retain(|step, _| planned.contains(step));
        let due: BTreeSet<Fingerprint> = planned
            .into_iter()
            .filter(|step| self.put_off.get(step).is_none_or(|(_, until)| *until <= now))
            .collect();
        if due.len() < plan.steps.len() {
            constrain(plan, &due);
        }
    }

    /// Counts what was done; whether anything was from which more may follow.
    fn ended(&mut self, report: &Report) -> bool {
        self.desk.metrics.requested(self.name.as_str(), "step", u64::from(report.requests));
        let mut goes_on = false;
        for line in &report.steps {
            let outcome = match &line.outcome {
                Outcome::Done => "done",
                Outcome::Waits { .. } => "waits",
                Outcome::Failed { .. } => "failed",
                Outcome::InDoubt { .. } => "in-doubt",
                Outcome::Held { .. } => "held",
                Outcome::Skipped { .. } => "skipped",
                Outcome::NotBegun => "not-begun",
            };
            self.desk.metrics.step(line.action.name(), outcome);
            goes_on |= matches!(outcome, "done" | "waits" | "in-doubt");
            if !matches!(outcome, "held" | "not-begun") {
                say(
                    Level::Info,
                    "step",
                    json!({
                        "console": self.name.as_str(), "address": line.address.to_string(),
                        "action": line.action.name(), "outcome": outcome, "fingerprint": line.fingerprint.as_str(),
                    }),
                );
            }
            if let Outcome::Failed { refusal } = &line.outcome {
                let slot = self.put_off.entry(line.fingerprint.clone()).or_insert((0, Instant::now()));
                let pause = FIRST_PAUSE.saturating_mul(1 << slot.0.min(16)).min(LONGEST_PAUSE);
                *slot = (slot.0 + 1, Instant::now() + pause);
                if self.pause.until.is_none_or(|until| until > slot.1) {
                    self.pause.until = Some(slot.1);
                }
                // The write credential is read again: it may have been rotated.
                if refusal.code.contains("authenticated") || refusal.code.contains("credential") {
                    self.link = None;
                }
            }
        }
        goes_on
    }
}

/// What is bound has one id, in the list as in the ledger.
fn share_ids(list: &mut Census, ledger: &Ledger) {
    list.share_ids(ledger.entries.values().filter_map(|entry| entry.remote_id.as_ref()));
}

/// Where a step of something that is leaving is held for a consent alone and was approved: the approval names the
/// step with its consequences, so it is the consent. Whether there was one.
fn consent(plan: &Plan, desired: &Desired<'_>, approvals: &mut Approvals) -> bool {
    let before = approvals.consents.len();
    for step in &plan.steps {
        let by_consent = step.held.as_ref().is_some_and(|held| held.by == HeldBy::Consent);
        let declared = desired.accounts.iter().any(|decl| decl.address == step.address);
        if by_consent && !declared && approvals.approve.contains(&step.fingerprint) {
            let causes = step.causes.iter().filter(|cause| cause.needs_consent);
            approvals.consents.extend(causes.map(|cause| (cause.code.clone(), step.address.clone())));
        }
    }
    approvals.consents.len() > before
}
