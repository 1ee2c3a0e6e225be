//! `tenantry drift`: what changed in the consoles since the last apply. Cannot write.

use clap::Args;
use tenantry_engine::declare::declare;
use tenantry_engine::plan::Approvals;
use tenantry_engine::render::Paint;
use tenantry_engine::render::drift::{ConsoleDrift, DriftDocument};
use tenantry_engine::value::Value;

use crate::app::{Files, Globals, print};
use crate::declarations::{FileScope, declarations, read};
use crate::diagnostics::counted;
use crate::exit::{CliError, Exit};
use crate::output::{Format, print_json};
use crate::pipeline::{self, READ_BUDGET, Run};

/// Show what changed in the consoles since the last apply.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry drift -f .\n  tenantry drift -f . -o json                   for programs; what it holds: tenantry schema drift\n  tenantry drift -f . --detailed-exitcode       2 = something drifted"
)]
pub struct Drift {
    /// What is declared.
    #[command(flatten)]
    pub files: Files,
    /// How to write it
    #[arg(short = 'o', long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub output: Format,
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
        // As if everything were corrected: a step says what can be put back.
        let approvals = Approvals { correct_drift: true, ..Approvals::default() };
        let keep = |seen: pipeline::Seen<'_>| ConsoleDrift::of(&seen.prepared.planned);
        let (consoles, failed) =
            pipeline::look(&run, &declaration, &approvals, self.read_budget, keep).await?;
        let findings = [pipeline::not_planned(&failed), declaration.findings.clone()].concat();
        let document = DriftDocument::new(env!("CARGO_PKG_VERSION"), consoles, findings);
        match self.output {
            Format::Json => print_json(&document)?,
            Format::Text => print(&text(&document, globals.paint()))?,
        }
        if let Some(error) = pipeline::together(failed) {
            return Err(error);
        }
        let drifted = document.summary.drifted();
        Ok(if self.detailed_exitcode && drifted { Exit::Pending } else { Exit::Done })
    }
}

/// The document for people.
fn text(document: &DriftDocument, paint: Paint) -> String {
    let mut out = String::new();
    for one in &document.consoles {
        let console = one.console.as_str();
        let mut lines = String::new();
        for record in &one.changed {
            for field in &record.fields {
                let word = |value: &Option<Value>| {
                    value.as_ref().map_or_else(|| "nothing".to_owned(), Value::terminal)
                };
                let for_good =
                    if field.can_be_put_back { "" } else { " · nobody can put it back through tenantry" };
                let words = format!(
                    "{}: applied {}, now {}{for_good}",
                    field.label,
                    word(&field.applied),
                    word(&field.shows)
                );
                paint.labelled(&mut lines, 2, &record.address.in_console(console), 32, &words);
            }
        }
        for record in &one.gone {
            let name =
                record.address.as_ref().map_or_else(String::new, |address| address.in_console(console));
            paint.labelled(&mut lines, 2, &name, 32, "was there and is gone");
        }
        if !lines.is_empty() {
            out.push_str(&format!("{}\n{lines}\n", paint.strong(console)));
        }
    }
    let summary = &document.summary;
    out.push_str(&if summary.drifted() {
        format!(
            "Drift: {} changed, {} gone.\nPut it back: tenantry apply --correct-drift   Accept it: tenantry pull\n",
            counted(summary.changed, "record"),
            counted(summary.gone, "record")
        )
    } else if summary.not_read > 0 {
        "No drift where a console was read.\n".to_owned()
    } else {
        "No drift: the consoles show what was applied.\n".to_owned()
    });
    if summary.not_compared > 0 {
        out.push_str(&format!(
            "{} not compared: not read in this run.\n",
            counted(summary.not_compared, "record")
        ));
    }
    if summary.not_read > 0 {
        out.push_str(&format!(
            "{} not read: nothing is known of what changed there.\n",
            counted(summary.not_read, "console")
        ));
    }
    out
}
