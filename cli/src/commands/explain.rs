//! `tenantry explain`: what a kind or a field means, from the same schema that the cluster gets.

use clap::Args;
use tenantry_engine::render::Paint;

use crate::app::{Globals, print};
use crate::exit::{CliError, Exit};

/// What a kind or field means.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry explain customer\n  tenantry explain console.spec.guards\n  tenantry explain customer.spec.accounts.onboarding"
)]
pub struct Explain {
    /// KIND or KIND.field.field
    pub path: String,
}

impl Explain {
    /// Runs it.
    pub fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        let found =
            tenantry_crd::explain::explain(&self.path).map_err(|error| CliError::usage(error.to_string()))?;
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

fn wrapped(out: &mut String, indent: usize, text: &str, paint: Paint) {
    for line in text.lines() {
        for piece in paint.wrap(line, indent) {
            out.push_str(&format!("{}{piece}\n", " ".repeat(indent)));
        }
    }
}
