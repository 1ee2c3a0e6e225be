//! `tenantry drift`: what changed in the consoles since the last apply. Cannot write.

use clap::Args;
use tenantry_engine::declare::declare;
use tenantry_engine::plan::Approvals;
use tenantry_engine::plan::findings::Code;
use tenantry_engine::plan::reasons::ReasonCode;

use crate::app::{Files, Globals, print};
use crate::declarations::{FileScope, declarations, read};
use crate::diagnostics::counted;
use crate::exit::{CliError, Exit};
use crate::pipeline::{self, READ_BUDGET, Run};

/// Show what changed in the consoles since the last apply.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry drift -f .\n  tenantry drift -f . --detailed-exitcode       2 = something drifted"
)]
pub struct Drift {
    /// What is declared.
    #[command(flatten)]
    pub files: Files,
    /// 2 = something drifted
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Details read at most in this run
    #[arg(long, value_name = "N", default_value_t = READ_BUDGET)]
    pub read_budget: usize,
}

impl Drift {
    /// Runs it.
    pub async fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        let loaded = read(globals, &self.files.files)?;
        let scope = FileScope(&loaded.scope);
        let all = declarations(&loaded);
        let declaration = declare(&all, &scope);
        let run = Run::new(globals, Vec::new())?;
        // As if everything were corrected: what would be put back is what drifted.
        let approvals = Approvals { correct_drift: true, ..Approvals::default() };
        let (seen, failed) =
            pipeline::look(&run, &declaration, &approvals, self.read_budget, |seen| seen).await?;
        let paint = globals.paint();
        let (mut drifted, mut gone, mut blind) = (0usize, 0usize, 0usize);
        let mut out = String::new();
        for seen in &seen {
            let plan = seen.plan();
            blind += plan.looked.not_compared;
            let mut lines = String::new();
            for step in plan.steps.iter().filter(|step| step.because.code == ReasonCode::Drifted) {
                drifted += 1;
                for change in &step.changes {
                    let (applied, shows) = (change.new.as_ref(), change.old.as_ref());
                    let word = |value: Option<&tenantry_engine::value::Value>| {
                        value.map_or_else(|| "nothing".to_owned(), tenantry_engine::value::Value::terminal)
                    };
                    paint.labelled(
                        &mut lines,
                        2,
                        &step.address.in_console(plan.console.as_str()),
                        32,
                        &format!("{}: applied {}, now {}", change.label, word(applied), word(shows)),
                    );
                }
            }
            for finding in plan.findings.iter().filter(|finding| finding.code == Code::EndedElsewhere) {
                gone += 1;
                let name = finding
                    .address
                    .as_ref()
                    .map_or_else(String::new, |address| address.in_console(plan.console.as_str()));
                paint.labelled(&mut lines, 2, &name, 32, "was there and is gone");
            }
            if !lines.is_empty() {
                out.push_str(&format!("{}\n{lines}\n", paint.strong(plan.console.as_str())));
            }
        }
        out.push_str(&if drifted + gone == 0 && !failed.is_empty() {
            "No drift where a console was read.\n".to_owned()
        } else if drifted + gone == 0 {
            "No drift: the consoles show what was applied.\n".to_owned()
        } else {
            format!(
                "Drift: {} changed, {} gone.\nPut it back: tenantry apply --correct-drift   Accept it: tenantry pull\n",
                counted(drifted, "record"),
                counted(gone, "record")
            )
        });
        if blind > 0 {
            out.push_str(&format!("{} not compared: not read in this run.\n", counted(blind, "record")));
        }
        if !failed.is_empty() {
            out.push_str(&format!(
                "{} not read: nothing is known of what changed there.\n",
                counted(failed.len(), "console")
            ));
        }
        print(&out)?;
        if let Some(error) = pipeline::together(failed) {
            return Err(error);
        }
        Ok(if self.detailed_exitcode && drifted + gone > 0 { Exit::Pending } else { Exit::Done })
    }
}
