//! `tenantry plan`: what differs and what would be done about it. Opens no write credential, writes no state.

use std::borrow::Borrow;
use std::path::PathBuf;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use tenantry_engine::declare::declare;
use tenantry_engine::leads::lost;
use tenantry_engine::ledger::Header;
use tenantry_engine::plan::findings::Finding;
use tenantry_engine::plan::{Approvals, Plan as EnginePlan, Planned, Summary, summary};
use tenantry_engine::render::json::{LedgerMark, Made};
use tenantry_engine::render::text;

use crate::app::{Globals, print, tell};
use crate::approvals::Allowed;
use crate::cluster::FromCluster;
use crate::declarations::{FileScope, declarations, read};
use crate::exit::{CliError, Exit, io};
use crate::output::{Outputs, document};
use crate::pipeline::{self, READ_BUDGET, Run, Seen, until_the_end};
use crate::selection::Selection;

/// How long a saved plan may be applied.
const PLAN_LIVES: SignedDuration = SignedDuration::from_hours(24);

/// Show what differs; change nothing.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry plan -f .\n  tenantry plan -f . --out plan.json            save it, then: tenantry apply plan.json\n  tenantry plan -f . -o markdown=comment.md     for a pull request\n  tenantry plan -f . --detailed-exitcode        2 changes, 3 only waits, 5 a wait is overdue\n  tenantry plan --from-cluster -f changes/      what these files would change in a cluster"
)]
pub struct Plan {
    /// File or directory with declarations, - for stdin; repeatable. With --from-cluster they replace its objects;
    /// without it the default is the working directory
    #[arg(short = 'f', long = "file", value_name = "PATH")]
    pub files: Vec<PathBuf>,
    /// What stands in a cluster.
    #[command(flatten)]
    pub cluster: FromCluster,
    /// How to write it.
    #[command(flatten)]
    pub outputs: Outputs,
    /// Save the plan there, for `tenantry apply FILE`
    #[arg(long, value_name = "FILE", conflicts_with = "from_cluster")]
    pub out: Option<PathBuf>,
    /// 2 = changes pending, 3 = only waiting in time, 5 = a wait is overdue
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Which steps are meant.
    #[command(flatten)]
    pub selection: Selection,
    /// What is allowed.
    #[command(flatten)]
    pub allowed: Allowed,
    /// Details read at most in this run
    #[arg(long, value_name = "N", default_value_t = READ_BUDGET)]
    pub read_budget: usize,
}

impl Plan {
    /// Runs it.
    pub async fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        self.outputs.check()?;
        if self.cluster.from_cluster {
            return self.over_cluster(globals).await;
        }
        let files = if self.files.is_empty() { vec![PathBuf::from(".")] } else { self.files };
        let loaded = until_the_end(read(globals, &files)?);
        let scope = FileScope(&loaded.scope);
        let all = declarations(loaded);
        let declaration = declare(&all, &scope);
        let approvals = Approvals {
            remind: self.selection.to_remind(&declaration)?,
            ..self.allowed.approvals(&declaration)?
        };
        let run = Run::new(globals, Vec::new())?;
        let keep = |seen: Seen<'_>| (seen.prepared.planned, seen.ledger.header);
        let (mut seen, failed) =
            pipeline::look(&run, &declaration, &approvals, self.read_budget, keep).await?;
        let mut planned: Vec<&mut Planned> = seen.iter_mut().map(|(planned, _)| planned).collect();
        self.selection.apply(&mut planned, &declaration)?;
        let (plans, headers): (Vec<EnginePlan>, Vec<Header>) =
            seen.into_iter().map(|(planned, header)| (planned.plan, header)).unzip();
        let findings = [pipeline::not_planned(&failed), declaration.findings.clone()].concat();
        self.outputs.write(&plans, &findings, globals.paint())?;
        if let Some(path) = &self.out {
            save(path, &plans, &headers, &findings, run.runtime.clock.now())?;
            tell(&format!("Saved to {}. Do it: tenantry apply {}", path.display(), path.display()));
        }
        if let Some(error) = pipeline::together(failed) {
            return Err(error.hint("the other consoles were planned all the same"));
        }
        Ok(if self.detailed_exitcode { detailed(&summary(&plans)) } else { Exit::Done })
    }

    /// Plans what a cluster declares, with files laid over it, from what its controller observed.
    async fn over_cluster(self, globals: &Globals) -> Result<Exit, CliError> {
        let standing = self.cluster.read(globals, &self.files).await?;
        let overlaid = standing.overlaid();
        let declaration = declare(&overlaid.declarations, &overlaid.scope);
        let approvals = Approvals {
            remind: self.selection.to_remind(&declaration)?,
            ..self.allowed.approvals(&declaration)?
        };
        let run = Run::new(globals, Vec::new())?;
        let (mut looked, failed) = standing.look(&run, &declaration, &approvals).await?;
        self.selection.apply(&mut looked.iter_mut().collect::<Vec<_>>(), &declaration)?;
        let plans: Vec<EnginePlan> = looked.into_iter().map(|planned| planned.plan).collect();
        let mut findings = pipeline::not_planned(&failed);
        findings.extend(standing.findings());
        findings.extend(lost(&overlaid.scope, &overlaid.declarations));
        findings.extend(declaration.findings.iter().cloned());
        self.outputs.write(&plans, &findings, globals.paint())?;
        if let Some(error) = pipeline::together(failed) {
            return Err(error.hint("the other consoles were planned all the same"));
        }
        Ok(if self.detailed_exitcode { detailed(&summary(&plans)) } else { Exit::Done })
    }
}

/// The exit of `--detailed-exitcode`.
pub fn detailed(summary: &Summary) -> Exit {
    if summary.changes() {
        Exit::Pending
    } else if summary.overdue > 0 {
        Exit::Overdue
    } else if summary.waiting > 0 {
        Exit::Waiting
    } else {
        Exit::Done
    }
}

fn save(
    path: &std::path::Path,
    plans: &[EnginePlan],
    headers: &[Header],
    findings: &[Finding],
    now: Timestamp,
) -> Result<(), CliError> {
    let made = Made {
        at: now,
        expires: now.saturating_add(PLAN_LIVES).unwrap_or(Timestamp::MAX),
        ledgers: headers
            .iter()
            .map(|header| LedgerMark {
                vendor_account: header.vendor_account.to_string(),
                // A ledger that is not stored yet has no lineage to come back to.
                lineage: if header.serial == 0 { String::new() } else { header.lineage.clone() },
                serial: header.serial,
            })
            .collect(),
    };
    std::fs::write(path, document(plans, findings, Some(made)).to_json())
        .map_err(|error| io("write", path, &error))
}

/// The plan as text on stdout.
pub fn show<P: Borrow<EnginePlan>>(
    globals: &Globals,
    plans: &[P],
    findings: &[Finding],
) -> Result<(), CliError> {
    print(&text::plans(plans, findings, globals.paint()))
}
