//! `tenantry explain`: what a kind or a field means, from the same schema that the cluster gets.

mod effective;

use clap::Args;
use tenantry_crd::Kind;
use tenantry_engine::render::Paint;

use crate::app::{Files, Globals, print};
use crate::exit::{CliError, Exit};

/// What a kind or field means.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry explain                                        the kinds\n  tenantry explain customer\n  tenantry explain console.spec.guards\n  tenantry explain customer.spec.accounts.onboarding\n  tenantry explain console.spec.guards --effective -f .    what holds, and whence"
)]
pub struct Explain {
    /// KIND or KIND.field.field; without it, the kinds
    pub path: Option<String>,
    /// Show what holds for each declared object, defaults merged in, and whence it comes
    #[arg(long, requires = "path")]
    pub effective: bool,
    /// What is declared, for --effective.
    #[command(flatten)]
    pub files: Files,
}

impl Explain {
    /// Runs it.
    pub fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        let Some(path) = &self.path else { return kinds(globals.paint()) };
        let found =
            tenantry_crd::explain::explain(path).map_err(|error| CliError::usage(error.to_string()))?;
        if self.effective {
            print(&effective::effective(globals, &self.files, &found)?)?;
            return Ok(Exit::Done);
        }
        let paint = globals.paint();
        let mut out = String::new();
        let name = if found.path.is_empty() {
            found.kind.as_str().to_owned()
        } else {
            format!("{}.{}", found.kind.as_str(), found.path)
        };
        out.push_str(&format!(
            "{} <{}>{}\n",
            paint.strong(&name),
            found.type_name,
            if found.required { ", required" } else { "" }
        ));
        wrapped(&mut out, 2, &found.description, paint);
        let mut row = |label: &str, text: String| paint.labelled(&mut out, 2, label, 10, &text);
        if let Some(default) = &found.default {
            row("default", default.clone());
        }
        if !found.values.is_empty() {
            row("values", found.values.join(", "));
        }
        for limit in &found.limits {
            row("limit", limit.clone());
        }
        for rule in &found.rules {
            row("rule", rule.clone());
        }
        if !found.fields.is_empty() {
            out.push_str("\nfields\n");
            for field in &found.fields {
                out.push_str(&format!(
                    "  {} <{}>{}\n",
                    paint.strong(&field.name),
                    field.type_name,
                    if field.required { ", required" } else { "" }
                ));
                wrapped(&mut out, 6, field.description.lines().next().unwrap_or_default(), paint);
            }
        }
        print(&out)?;
        Ok(Exit::Done)
    }
}

/// Every kind with its first sentence.
fn kinds(paint: Paint) -> Result<Exit, CliError> {
    let mut out = String::new();
    for kind in Kind::ALL {
        let found = tenantry_crd::explain::explain(kind.as_str())
            .map_err(|error| CliError::usage(error.to_string()))?;
        let first = found.description.lines().next().unwrap_or_default();
        paint.labelled(&mut out, 0, kind.as_str(), 16, first);
    }
    out.push_str("More: tenantry explain KIND, or tenantry explain KIND.field\n");
    print(&out)?;
    Ok(Exit::Done)
}

fn wrapped(out: &mut String, indent: usize, text: &str, paint: Paint) {
    for line in text.lines() {
        for piece in paint.wrap(line, indent) {
            out.push_str(&format!("{}{piece}\n", " ".repeat(indent)));
        }
    }
}
