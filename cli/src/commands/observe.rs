//! `tenantry observe`: export what the consoles hold and what is bound. Cannot write.

use clap::Args;
use serde_json::json;
use tenantry_engine::declare::declare;
use tenantry_engine::plan::Approvals;
use tenantry_engine::text;

use crate::app::{Files, Globals, print};
use crate::declarations::{FileScope, declarations, read};
use crate::diagnostics::counted;
use crate::exit::{CliError, Exit};
use crate::pipeline::{self, READ_BUDGET, Run};

/// Version of the export's format.
const FORMAT_VERSION: &str = "1.0";

/// Export what the consoles hold and what is bound.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry observe -f .                    a table\n  tenantry observe -f . -o json > seen.json"
)]
pub struct Observe {
    /// What is declared: its Consoles are read.
    #[command(flatten)]
    pub files: Files,
    /// text or json
    #[arg(short = 'o', long, default_value = "text", value_parser = ["text", "json"], value_name = "FORMAT")]
    pub output: String,
    /// Details read at most in this run
    #[arg(long, value_name = "N", default_value_t = READ_BUDGET)]
    pub read_budget: usize,
}

impl Observe {
    /// Runs it.
    pub async fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        let loaded = read(globals, &self.files.files)?;
        let scope = FileScope(&loaded.scope);
        let all = declarations(&loaded);
        let declaration = declare(&all, &scope);
        let run = Run::new(globals, Vec::new())?;
        let approvals = Approvals::default();
        let (seen, failed) =
            pipeline::look(&run, &declaration, &approvals, self.read_budget, |seen| seen).await?;
        if self.output == "json" {
            let consoles: Vec<_> = seen.iter().map(export).collect();
            let mut document = json!({"formatVersion": FORMAT_VERSION, "consoles": consoles});
            if !failed.is_empty() {
                // Whoever reads the document alone must not take a console that failed for an empty one.
                let error = |error: &CliError| json!({"console": error.console, "code": error.code, "message": error.sentence()});
                document["notRead"] = failed.iter().map(error).collect();
            }
            print(&text::json(&format!("{document:#}\n")))?;
        } else {
            for seen in &seen {
                print(&table(seen))?;
            }
            if !failed.is_empty() {
                print(&format!("{} not read.\n", counted(failed.len(), "console")))?;
            }
        }
        match pipeline::together(failed) {
            Some(error) => Err(error),
            None => Ok(Exit::Done),
        }
    }
}

fn holder<'s>(seen: &'s pipeline::Seen<'_>) -> std::collections::BTreeMap<&'s str, String> {
    seen.ledger
        .entries
        .iter()
        .filter_map(|(address, entry)| Some((entry.bound()?.as_str(), address.to_string())))
        .collect()
}

fn export(seen: &pipeline::Seen<'_>) -> serde_json::Value {
    let holder = holder(seen);
    let observed = &seen.prepared.observed;
    let mut licenses: std::collections::BTreeMap<&str, Vec<_>> = std::collections::BTreeMap::new();
    for (key, read) in &observed.details {
        for license in &read.licenses {
            licenses.entry(key.id.as_str()).or_default().push(json!({
                "id": license.id, "article": license.article, "status": license.status, "inForce": license.in_force,
                "fields": license.fields.iter().map(|(field, value)| (field.to_string(), json!(value))).collect::<serde_json::Map<_, _>>(),
                "asOf": read.as_of,
            }));
        }
    }
    let records: Vec<_> = observed
        .census
        .records()
        .iter()
        .map(|record| {
            json!({
                "id": record.id,
                "name": record.name,
                "boundTo": holder.get(record.id.as_str()),
                "fields": record.fields.iter().map(|(field, value)| (field.to_string(), json!(value))).collect::<serde_json::Map<_, _>>(),
                "licenses": licenses.get(record.id.as_str()).cloned().unwrap_or_default(),
            })
        })
        .collect();
    json!({
        "console": seen.one.desired.console.name,
        "vendorAccount": seen.one.identity.vendor_account,
        "began": observed.census.began,
        "ended": observed.census.ended,
        "complete": observed.census.complete(),
        "requests": observed.cost,
        "records": records,
    })
}

fn table(seen: &pipeline::Seen<'_>) -> String {
    let holder = holder(seen);
    let census = &seen.prepared.observed.census;
    let mut out = format!("{}\n", seen.one.desired.console.name);
    for record in census.records() {
        let bound = holder.get(record.id.as_str()).map_or("declared nowhere", String::as_str);
        out.push_str(&format!(
            "  {:<36}  {:<38}  {bound}\n",
            record.name.terminal(),
            tenantry_engine::text::terminal(record.id.as_str())
        ));
    }
    let complete = census
        .incomplete
        .as_deref()
        .map_or_else(String::new, |why| format!(", incomplete: {}", tenantry_engine::text::terminal(why)));
    out.push_str(&format!("{}{complete}\n\n", counted(census.records().len(), "record")));
    out
}
