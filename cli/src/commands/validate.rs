//! `tenantry validate`: syntax, schema, rules and references, offline.

use clap::{Args, ValueEnum};
use tenantry_engine::declare::declare;
use tenantry_engine::plan::findings::Severity;
use tenantry_engine::text;

use crate::app::{Files, Globals, print};
use crate::declarations::{FileScope, base, declarations};
use crate::diagnostics::{self, Style, Tally, counted};
use crate::exit::{CliError, Exit};
use crate::load;

/// How diagnostics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, with the source line.
    Text,
    /// One JSON document.
    Json,
    /// Annotations for GitHub workflows.
    Github,
}

/// Check declarations offline.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry validate -f .\n  tenantry validate -f customers/ -o github\n  cat customer.yaml | tenantry validate -f -"
)]
pub struct Validate {
    /// What to check.
    #[command(flatten)]
    pub files: Files,
    /// How to write it
    #[arg(short = 'o', long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub output: Format,
}

impl Validate {
    /// Runs it.
    pub fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        let base = base(&self.files.files, &globals.state_dir);
        let loaded = load::validate(&self.files.files, &load::Options::new(base));
        let exit = if loaded.has_errors() { Exit::Failure } else { Exit::Done };
        match self.output {
            Format::Json => {
                let document = diagnostics::json(&loaded.diagnostics, loaded.counts.files);
                print(&text::json(&format!("{document:#}\n")))?;
            }
            Format::Github => print(&diagnostics::github(&loaded.diagnostics))?,
            Format::Text => {
                let style = if globals.paint().colour { Style::Colour } else { Style::Plain };
                print(&diagnostics::text(&loaded.diagnostics, style))?;
                let objects: usize = loaded.counts.objects.values().sum();
                print(&format!(
                    "{} ({}).\n",
                    Tally::of(&loaded.diagnostics).sentence(loaded.counts.files),
                    counted(objects, "object")
                ))?;
                for (what, count) in &loaded.counts.skipped {
                    print(&format!("passed over: {} of {what}\n", counted(*count, "document")))?;
                }
                if exit == Exit::Done {
                    let scope = FileScope(&loaded.scope);
                    let all = declarations(&loaded);
                    for finding in declare(&all, &scope)
                        .findings
                        .iter()
                        .filter(|finding| finding.severity != Severity::Info)
                    {
                        let place =
                            finding.origin.as_ref().map_or_else(String::new, |origin| format!("{origin}: "));
                        print(&format!("{place}{}: {}\n", finding.code.as_str(), finding.words))?;
                    }
                }
            }
        }
        Ok(exit)
    }
}
