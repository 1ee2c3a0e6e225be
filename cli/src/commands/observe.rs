//! `tenantry observe`: export what the consoles hold and what is bound. Cannot write.

use std::borrow::Cow;
use std::collections::HashMap;

use clap::Args;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use tenantry_engine::address::{Address, ConsoleName, RemoteId, VendorAccount};
use tenantry_engine::declare::declare;
use tenantry_engine::observed::{Facet, FacetRead, Observed, ReadCost, Record};
use tenantry_engine::plan::Approvals;
use tenantry_engine::text::{Untrusted, UntrustedRef};
use tenantry_engine::value::{Field, Value};

use crate::app::{Files, Globals, print};
use crate::declarations::{FileScope, declarations, read};
use crate::diagnostics::counted;
use crate::exit::{CliError, Exit};
use crate::output::print_json;
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
            print_json(&Document {
                format_version: FORMAT_VERSION,
                consoles: seen.iter().map(Export::of).collect(),
                not_read: failed.iter().map(NotRead::of).collect(),
            })?;
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

/// Who is bound to a record.
fn holder<'s>(seen: &'s pipeline::Seen<'_>) -> HashMap<&'s RemoteId, &'s Address> {
    seen.ledger.entries.iter().filter_map(|(address, entry)| Some((entry.bound()?, address))).collect()
}

/// The export. Written as it is walked over: the consoles' records are large enough once.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'s> {
    format_version: &'static str,
    consoles: Vec<Export<'s>>,
    /// Whoever reads the document alone must not take a console that failed for an empty one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<NotRead<'s>>,
}

#[derive(Serialize)]
struct NotRead<'s> {
    console: &'s Option<String>,
    code: &'s str,
    message: String,
}

impl<'s> NotRead<'s> {
    fn of(error: &'s CliError) -> Self {
        Self { console: &error.more.console, code: error.code, message: error.sentence() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Export<'s> {
    console: &'s ConsoleName,
    vendor_account: &'s VendorAccount,
    began: Timestamp,
    ended: Timestamp,
    complete: bool,
    requests: ReadCost,
    records: Records<'s>,
}

impl<'s> Export<'s> {
    fn of(seen: &'s pipeline::Seen<'_>) -> Self {
        let observed = &seen.prepared.observed;
        Self {
            console: &seen.one.desired.console.name,
            vendor_account: &seen.one.identity.vendor_account,
            began: observed.census.began,
            ended: observed.census.ended,
            complete: observed.census.complete(),
            requests: observed.cost,
            records: Records { observed, holder: holder(seen) },
        }
    }
}

struct Records<'s> {
    observed: &'s Observed,
    holder: HashMap<&'s RemoteId, &'s Address>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'s> {
    id: &'s RemoteId,
    name: UntrustedRef<'s>,
    bound_to: Option<&'s Address>,
    fields: Named<'s>,
    licenses: Vec<Held<'s>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Held<'s> {
    id: &'s RemoteId,
    article: &'s Untrusted,
    status: &'s Untrusted,
    in_force: bool,
    fields: Named<'s>,
    as_of: Timestamp,
}

/// Fields as a map, in the order in which the adapter gave them.
struct Named<'s>(Vec<(&'s Field, Cow<'s, Value>)>);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(field, value)| (field, value)))
    }
}

impl Serialize for Records<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.observed.census.records().iter().map(|record| self.listed(record)))
    }
}

impl<'s> Records<'s> {
    fn listed(&self, record: &'s Record) -> Listed<'s> {
        let read = self.observed.facet(&record.id, Facet::Licenses);
        let held = |read: &'s FacetRead| {
            read.licenses.iter().map(|license| Held {
                id: &license.id,
                article: &license.article,
                status: &license.status,
                in_force: license.in_force,
                fields: Named(
                    license.fields.iter().map(|(field, value)| (field, Cow::Borrowed(value))).collect(),
                ),
                as_of: read.as_of,
            })
        };
        Listed {
            id: &record.id,
            name: record.name(),
            bound_to: self.holder.get(&record.id).copied(),
            fields: Named(record.fields().iter().map(|(field, value)| (field, Cow::Owned(value))).collect()),
            licenses: read.into_iter().flat_map(held).collect(),
        }
    }
}

fn table(seen: &pipeline::Seen<'_>) -> String {
    let holder = holder(seen);
    let census = &seen.prepared.observed.census;
    let mut out = format!("{}\n", seen.one.desired.console.name);
    for record in census.records() {
        let bound = holder.get(&record.id).map_or_else(|| "declared nowhere".to_owned(), ToString::to_string);
        out.push_str(&format!(
            "  {:<36}  {:<38}  {bound}\n",
            record.name().terminal(),
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
