//! `tenantry apply`: plan, ask, do; or do what a saved plan says.
//!
//! A saved plan constrains: steps that were not in it are not done, and listed; fewer, or done already, is fine.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Write};
use std::path::PathBuf;

use clap::Args;
use futures_util::future::join_all;
use jiff::SignedDuration;
use tenantry_cluster::connection::Connection;
use tenantry_cluster::ledger::ClusterLedger;
use tenantry_engine::address::{ConsoleName, VendorAccount};
use tenantry_engine::declare::{Declaration, declare};
use tenantry_engine::execute::Report;
use tenantry_engine::ledger::Ledger;
use tenantry_engine::observed::Details;
use tenantry_engine::plan::{Approvals, Fingerprint, Plan as EnginePlan, Planned, Step, summary};
use tenantry_engine::render::json::PlanDocument;
use tenantry_engine::render::report::{Counts, counts, last_line, line};
use tenantry_engine::run::{Prepared, constrain};
use tenantry_engine::store::{LedgerStore, OpenLedger, StoreError};

use crate::app::{Files, Globals, print, tell};
use crate::approvals::Allowed;
use crate::cluster::in_namespace;
use crate::commands::plan::show;
use crate::declarations::{FileScope, declarations, read};
use crate::exit::{CliError, Exit, io};
use crate::ledgers::Home;
use crate::pipeline::{self, Connected, READ_BUDGET, Run, until_the_end};
use crate::selection::Selection;
use crate::state::LocalStore;

/// Plan, ask, do; or do what a saved plan says.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry apply -f .                           plan, ask, do\n  tenantry apply -f . plan.json                 only what the saved plan says\n  tenantry apply -f . --auto-approve            in a pipeline\n  tenantry apply -f . --allow removals=3        let a guard pass, for this run\n  tenantry apply -f . --ledger cluster -n msp   with the ledger that the controller there uses"
)]
pub struct Apply {
    /// A saved plan: nothing that is not in it is done
    #[arg(value_name = "PLAN")]
    pub plan: Option<PathBuf>,
    /// What is declared.
    #[command(flatten)]
    pub files: Files,
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
    /// Which steps are meant.
    #[command(flatten)]
    pub selection: Selection,
    /// What is allowed.
    #[command(flatten)]
    pub allowed: Allowed,
    /// Details read at most in this run
    #[arg(long, value_name = "N", default_value_t = READ_BUDGET)]
    pub read_budget: usize,
    /// Where the ledger is.
    #[command(flatten)]
    pub home: Home,
}

/// What was shown is looked at again where the answer took longer: consoles go on meanwhile.
const ANSWER_IS_FRESH: SignedDuration = SignedDuration::from_secs(60);

/// One console, open for writing.
struct Opened<'a> {
    one: Connected<'a>,
    store: Store,
    /// The ledger's serial when it was opened.
    serial: u64,
    cache: Details,
}

/// An open ledger's home.
enum Store {
    Local(Box<LocalStore>),
    Cluster(Box<ClusterLedger>),
}

impl Store {
    fn writes(&self) -> &dyn LedgerStore {
        match self {
            Store::Local(store) => &**store,
            Store::Cluster(store) => &**store,
        }
    }

    /// Makes the next run read less; a cluster has nothing of the kind.
    async fn compact(&self, ledger: &Ledger) -> Result<(), StoreError> {
        match self {
            Store::Local(store) => store.compact(ledger).await,
            Store::Cluster(_) => Ok(()),
        }
    }
}

impl Apply {
    /// Runs it.
    pub async fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        let saved = self.plan.as_ref().map(saved_plan).transpose()?;
        if self.plan.is_none() && !self.auto_approve && !globals.can_ask() {
            return Err(CliError::usage("nobody can be asked: this is no terminal")
                .hint("review a plan and apply it: tenantry plan --out plan.json, then tenantry apply plan.json")
                .hint("or: tenantry apply --auto-approve"));
        }
        let cluster = self.home.connect().await?;
        let mut loaded = read(globals, &self.files.files)?;
        if let Some(cluster) = &cluster {
            in_namespace(&mut loaded, &cluster.namespace);
        }
        let loaded = until_the_end(loaded);
        let scope = FileScope(&loaded.scope);
        let all = declarations(loaded);
        let declaration = declare(&all, &scope);
        let approvals = Approvals {
            remind: self.selection.to_remind(&declaration)?,
            ..self.allowed.approvals(&declaration)?
        };
        let run = Run::new(globals, pipeline::recipients(&declaration))?;
        if let Some(saved) = &saved {
            check_saved(saved, run.runtime.clock.now())?;
        }
        let lock = run.state.lock(&owner())?;
        let (connected, mut failed) = pipeline::connect(&run, &declaration, true).await?;
        let (mut opened, mut ledgers) = (Vec::new(), Vec::new());
        for one in connected {
            let name = one.desired.console.name.clone();
            match open(&run, &lock, cluster.as_ref(), one).await {
                Ok((one, ledger)) => {
                    opened.push(one);
                    ledgers.push(ledger);
                }
                Err(error) => failed.push(error.of_console(&name)),
            }
        }
        let mut ledgers: Vec<OpenLedger<'_>> = opened
            .iter()
            .zip(ledgers)
            .map(|(one, ledger)| OpenLedger::new(ledger, one.store.writes()))
            .collect();
        if let Some(saved) = &saved {
            same_ledgers(saved, &ledgers)?;
        }
        let mut ready =
            self.ready(&run, &opened, &mut ledgers, &approvals, &declaration, &mut failed).await?;
        let mut moved = saved
            .as_ref()
            .map(|saved| constrain_all(&mut ready, &Agreed::to(&saved.plans)))
            .unwrap_or_default();
        let plans = plans(&ready);
        if failed.is_empty() && self.selection.nothing_to_remind(&plans) {
            print("No reminder is due.\n")?;
        } else if saved.is_none() {
            let findings = [pipeline::not_planned(&failed), declaration.findings.clone()].concat();
            show(globals, &plans, &findings)?;
        }
        let left = self.selection.not_reminded(plans.iter().copied(), &declaration)?;
        if summary(plans.iter().copied()).changes() && saved.is_none() && !self.auto_approve {
            let asked = run.runtime.clock.now();
            if !ask()? {
                tell("Nothing was done.");
                return Ok(Exit::Refused);
            }
            if run.runtime.clock.now().duration_since(asked) > ANSWER_IS_FRESH {
                tell("The answer took its time: looking again before anything is done.");
                let agreed = Agreed::to(plans);
                ready =
                    self.ready(&run, &opened, &mut ledgers, &approvals, &declaration, &mut failed).await?;
                moved = constrain_all(&mut ready, &agreed);
            }
        }
        let (reports, broken) =
            execute(&run, &opened, &mut ledgers, &mut ready, &approvals, &mut failed).await;
        finish(&run, &opened, ledgers, &ready, &broken, &mut failed).await;
        told(globals, &reports, &moved, self.plan.is_some())?;
        for address in &left {
            tell(&format!("No reminder was made for {address}: see above what it waits for."));
        }
        let others = opened.iter().any(|one| !is_among(&one.one.desired.console.name, &failed));
        let exit = conclude(&reports, &moved, failed, others)?;
        Ok(if exit == Exit::Done && !left.is_empty() { Exit::Refused } else { exit })
    }
}

impl Apply {
    /// Looks and plans; consoles that cannot be read are told and left out.
    async fn ready(
        &self,
        run: &Run,
        opened: &[Opened<'_>],
        ledgers: &mut [OpenLedger<'_>],
        approvals: &Approvals,
        declaration: &Declaration<'_>,
        failed: &mut Vec<CliError>,
    ) -> Result<Vec<(usize, Prepared)>, CliError> {
        let prepared = prepare(run, opened, ledgers, approvals, self.read_budget).await;
        let mut ready: Vec<(usize, Prepared)> = Vec::new();
        for (n, result) in prepared.into_iter().enumerate() {
            match result {
                Ok(prepared) => ready.push((n, prepared)),
                Err(error) => failed.push(error.of_console(&opened[n].one.desired.console.name)),
            }
        }
        let mut planned: Vec<&mut Planned> =
            ready.iter_mut().map(|(_, prepared)| &mut prepared.planned).collect();
        self.selection.apply(&mut planned, declaration)?;
        Ok(ready)
    }
}

async fn open<'a>(
    run: &Run,
    lock: &crate::state::Lock,
    cluster: Option<&Connection>,
    one: Connected<'a>,
) -> Result<(Opened<'a>, Ledger), CliError> {
    pipeline::check_account(run, &one)?;
    let account = &one.identity.vendor_account;
    let lineage = || run.runtime.ids.uuid();
    let (ledger, store) = match cluster {
        None => {
            let (ledger, store) = run.state.open(lock, account, lineage)?;
            (ledger, Store::Local(Box::new(store)))
        }
        Some(cluster) => {
            let namespace = &one.desired.console.namespace;
            let (ledger, store) = ClusterLedger::open(&cluster.client, namespace, account, lineage).await?;
            (ledger, Store::Cluster(Box::new(store)))
        }
    };
    let mut index = run.state.index()?;
    if index.consoles.insert(one.desired.console.name.clone(), account.clone()).as_ref() != Some(account) {
        run.state.write_index(&index)?;
    }
    let cache = run.state.cache(account);
    Ok((Opened { one, store, serial: ledger.header.serial, cache }, ledger))
}

async fn prepare(
    run: &Run,
    opened: &[Opened<'_>],
    ledgers: &mut [OpenLedger<'_>],
    approvals: &Approvals,
    budget: usize,
) -> Vec<Result<Prepared, CliError>> {
    let _waiting = run.progress.waits_for(pipeline::names(opened.iter().map(|one| one.one.desired)));
    let both: Vec<_> = opened.iter().zip(ledgers).collect();
    pipeline::side_by_side(both, async |(opened, ledger)| {
        let job = pipeline::job(run, &opened.one, approvals, &opened.cache, budget);
        let mut prepared = tenantry_engine::run::prepare(&job, ledger).await?;
        pipeline::told_console(run, &opened.one, &prepared);
        // The plan stands; what is kept for the next run are the details.
        prepared.observed.census.forget_records();
        Ok(prepared)
    })
    .await
}

async fn execute(
    run: &Run,
    opened: &[Opened<'_>],
    ledgers: &mut [OpenLedger<'_>],
    ready: &mut [(usize, Prepared)],
    approvals: &Approvals,
    failed: &mut Vec<CliError>,
) -> (Vec<Report>, BTreeSet<usize>) {
    let mut jobs = Vec::new();
    let mut waiting: BTreeMap<usize, &mut Prepared> =
        ready.iter_mut().map(|(n, prepared)| (*n, prepared)).collect();
    for (n, ledger) in ledgers.iter_mut().enumerate() {
        let Some(prepared) = waiting.remove(&n) else { continue };
        let opened = &opened[n];
        jobs.push(async move {
            let job = pipeline::job(run, &opened.one, approvals, &opened.cache, 0);
            let mut report = Report::default();
            let stored = tenantry_engine::run::apply_into(&job, ledger, prepared, &mut report).await;
            (n, report, stored)
        });
    }
    let mut reports = Vec::new();
    let mut broken = BTreeSet::new();
    for (n, report, stored) in join_all(jobs).await {
        // What was done before its store failed is done.
        reports.push(report);
        if let Err(error) = stored {
            failed.push(CliError::from(error).of_console(&opened[n].one.desired.console.name));
            broken.insert(n);
        }
    }
    (reports, broken)
}

/// Compacts ledgers and stores what was read, for the next run. A ledger whose store has failed is unknown and left as
/// its store has it.
async fn finish(
    run: &Run,
    opened: &[Opened<'_>],
    ledgers: Vec<OpenLedger<'_>>,
    ready: &[(usize, Prepared)],
    broken: &BTreeSet<usize>,
    failed: &mut Vec<CliError>,
) {
    for (n, ledger) in ledgers.into_iter().enumerate().filter(|(n, _)| !broken.contains(n)) {
        let opened = &opened[n];
        let later = |error: StoreError| {
            CliError::from(error)
                .of_console(&opened.one.desired.console.name)
                .hint("what was done there is stored all the same: only the next run has more to read")
        };
        let ledger = ledger.into_ledger();
        if ledger.header.serial != opened.serial
            && let Err(error) = opened.store.compact(&ledger).await
        {
            failed.push(later(error));
        }
        if let Some((_, prepared)) = ready.iter().find(|(index, _)| *index == n)
            && let Err(error) =
                run.state.write_cache(&opened.one.identity.vendor_account, &prepared.observed.details)
        {
            failed.push(later(error));
        }
    }
}

fn saved_plan(path: &PathBuf) -> Result<PlanDocument, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| io("read", path, &error))?;
    Ok(PlanDocument::from_json(&text)?)
}

fn check_saved(saved: &PlanDocument, now: jiff::Timestamp) -> Result<(), CliError> {
    let Some(made) = &saved.made else {
        return Err(CliError::new("not-a-saved-plan", "this is a plan's output, not a saved plan")
            .hint("save one: tenantry plan --out plan.json"));
    };
    if now >= made.expires {
        return Err(CliError::new(
            "plan-expired",
            format!("the plan was made at {} and expired at {}", made.at, made.expires),
        )
        .exit(Exit::Refused)
        .hint("make it anew: tenantry plan --out plan.json"));
    }
    Ok(())
}

/// A plan rests on the ledger that it was made with: another one knows nothing of what that one remembers.
fn same_ledgers(saved: &PlanDocument, ledgers: &[OpenLedger<'_>]) -> Result<(), CliError> {
    for mark in saved.made.iter().flat_map(|made| &made.ledgers).filter(|mark| !mark.lineage.is_empty()) {
        let other = ledgers.iter().map(|open| &open.ledger().header).find(|header| {
            header.vendor_account.as_str() == mark.vendor_account && header.lineage != mark.lineage
        });
        if other.is_some() {
            return Err(CliError::new(
                "another-ledger",
                format!("the plan was made with another ledger of {} than the one that is here", mark.vendor_account),
            )
            .exit(Exit::Refused)
            .hint("nothing was done; name the ledger's place (--state-dir, --ledger), or make the plan anew with this one"));
        }
    }
    Ok(())
}

/// The plans of what is ready.
fn plans(ready: &[(usize, Prepared)]) -> Vec<&EnginePlan> {
    ready.iter().map(|(_, prepared)| &prepared.planned.plan).collect()
}

/// The steps that somebody has seen and agreed to, by console and account there.
struct Agreed(BTreeMap<(ConsoleName, VendorAccount), BTreeSet<Fingerprint>>);

impl Agreed {
    fn to<'p>(plans: impl IntoIterator<Item = &'p EnginePlan>) -> Self {
        let steps = |plan: &EnginePlan| {
            plan.steps
                .iter()
                .filter(|step| step.held.is_none())
                .map(|step| step.fingerprint.clone())
                .collect()
        };
        let place = |plan: &EnginePlan| (plan.console.clone(), plan.vendor_account.clone());
        Self(plans.into_iter().map(|plan| (place(plan), steps(plan))).collect())
    }
}

/// Takes out what nobody has agreed to; a plan of another account says nothing.
fn constrain_all(ready: &mut [(usize, Prepared)], agreed: &Agreed) -> Vec<(String, Step)> {
    let (mut moved, nothing) = (Vec::new(), BTreeSet::new());
    for (_, prepared) in ready {
        let plan = &mut prepared.planned.plan;
        let place = (plan.console.clone(), plan.vendor_account.clone());
        let console = plan.console.to_string();
        let steps = constrain(plan, agreed.0.get(&place).unwrap_or(&nothing));
        moved.extend(steps.into_iter().map(|step| (console.clone(), step)));
    }
    moved
}

/// Asks whoever sits there.
pub(crate) fn ask() -> Result<bool, CliError> {
    let mut err = std::io::stderr();
    let _ = write!(err, "Do it? Only \"yes\" does: ");
    let _ = err.flush();
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| io("read", std::path::Path::new("stdin"), &error))?;
    Ok(line.trim() == "yes")
}

fn told(
    globals: &Globals,
    reports: &[Report],
    moved: &[(String, Step)],
    saved: bool,
) -> Result<(), CliError> {
    let paint = globals.paint();
    let mut out = String::new();
    for report in reports {
        let mut console = String::new();
        for step in &report.steps {
            if console != step.console.as_str() {
                console = step.console.to_string();
                out.push_str(&format!("{}\n", paint.strong(&console)));
            }
            out.push_str(&line(step, paint));
        }
    }
    for (console, step) in moved {
        out.push_str(&format!(
            "  not in the {} plan, not done: {console} {} {}\n",
            if saved { "saved" } else { "shown" },
            step.action.name(),
            step.address
        ));
    }
    if !moved.is_empty() && !saved {
        out.push_str("  look again and apply these: tenantry apply\n");
    }
    if saved && !moved.is_empty() {
        out.push_str("  plan again to do these: tenantry plan --out plan.json\n");
    }
    let counts = counts(reports);
    let interrupted = reports.iter().any(|report| report.interrupted);
    if counts != Counts::default() || interrupted {
        out.push_str(&format!("{}\n", paint.strong(&last_line(&counts, interrupted))));
    }
    print(&out)
}

/// Whether one of these errors is about this Console.
fn is_among(console: &ConsoleName, failed: &[CliError]) -> bool {
    failed.iter().any(|error| error.more.console.as_deref() == Some(console.as_str()))
}

/// `others`: there are consoles where nothing failed.
fn conclude(
    reports: &[Report],
    moved: &[(String, Step)],
    failed: Vec<CliError>,
    others: bool,
) -> Result<Exit, CliError> {
    let counts = counts(reports);
    if let Some(error) = pipeline::together(failed) {
        let again = "run the same command again: nothing is done twice";
        return Err(error.hint(if others {
            format!("the other consoles were applied all the same; {again}")
        } else {
            again.to_owned()
        }));
    }
    Ok(if counts.failed > 0 || counts.in_doubt > 0 {
        Exit::Failure
    } else if counts.held > 0 || counts.skipped > 0 || !moved.is_empty() {
        Exit::Refused
    } else if reports.iter().any(|report| report.interrupted) {
        Exit::Interrupted
    } else {
        Exit::Done
    })
}

/// Who holds the lock, for whoever finds it taken.
pub fn owner() -> String {
    let user =
        std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "somebody".into());
    format!("{user}, process {}", std::process::id())
}
