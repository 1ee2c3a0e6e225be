//! What changed in the consoles since the last apply, as a document: a version, a published schema
//! (`schemas/drift.json`).
//!
//! The text of `tenantry drift` is made of the same document, so that both say the same. Fields are added, never changed
//! or taken away, within one major version.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::{Address, ConsoleName, RemoteId, VendorAccount};
use crate::plan::Planned;
use crate::plan::findings::{Code, Finding};
use crate::value::{Field, Value};

/// Version of the format: major.minor.
pub const DRIFT_FORMAT_VERSION: &str = "1.0";

/// What drifted at all consoles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DriftDocument {
    /// [`DRIFT_FORMAT_VERSION`].
    pub format_version: String,
    /// Version of tenantry that made it.
    pub tool_version: String,
    /// Findings that belong to no console: among them each console that was not read (`not-planned`), of which nothing
    /// is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Every console that was read, in the order of their names.
    pub consoles: Vec<ConsoleDrift>,
    /// Counts.
    pub summary: DriftSummary,
}

/// What drifted at one console.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ConsoleDrift {
    /// Which console.
    pub console: ConsoleName,
    /// Which account there.
    pub vendor_account: VendorAccount,
    /// Records that show something else than was applied.
    pub changed: Vec<ChangedRecord>,
    /// Records that were there and are gone.
    pub gone: Vec<GoneRecord>,
    /// Declarations of which something was not compared: not read in this run, or not shown by the console.
    pub not_compared: usize,
    /// When the census began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub as_of: Option<Timestamp>,
}

/// A record that shows something else than was applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChangedRecord {
    /// Which declaration is bound to it.
    pub address: Address,
    /// Its id, as the vendor writes it.
    pub remote_id: RemoteId,
    /// Its fields that changed.
    pub fields: Vec<ChangedField>,
}

/// A field that shows something else than was applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChangedField {
    /// Which field.
    pub field: Field,
    /// How a reader calls it.
    pub label: String,
    /// What was applied, and is declared still; absent = nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Value>,
    /// What the console shows now; absent = nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shows: Option<Value>,
    /// Whether `tenantry apply --correct-drift` has a step about it. Where it has none, nobody can put it back through
    /// tenantry.
    pub can_be_put_back: bool,
}

/// A record that was there and is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct GoneRecord {
    /// Which declaration was bound to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// What is known of its end; fit for a terminal.
    pub words: String,
}

/// Counts over all consoles.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DriftSummary {
    /// Records that show something else than was applied.
    pub changed: usize,
    /// Records that are gone.
    pub gone: usize,
    /// Declarations of which something was not compared.
    pub not_compared: usize,
    /// Consoles that could not be reached or read: nothing is known of what changed there.
    pub not_read: usize,
}

impl DriftSummary {
    /// Whether something drifted.
    pub fn drifted(&self) -> bool {
        self.changed + self.gone > 0
    }
}

impl ConsoleDrift {
    /// Of a plan that was made as if all drift were corrected.
    pub fn of(planned: &Planned) -> Self {
        let plan = &planned.plan;
        let steps: BTreeSet<(&Address, &Field)> = plan
            .steps
            .iter()
            .flat_map(|step| step.changes.iter().map(move |change| (&step.address, &change.field)))
            .collect();
        let mut changed: Vec<ChangedRecord> = Vec::new();
        for one in &planned.drift {
            let field = ChangedField {
                can_be_put_back: steps.contains(&(&one.address, &one.change.field)),
                field: one.change.field.clone(),
                label: one.change.label.clone(),
                applied: one.change.new.clone(),
                shows: one.change.old.clone(),
            };
            match changed.last_mut() {
                Some(last) if last.address == one.address => last.fields.push(field),
                _ => changed.push(ChangedRecord {
                    address: one.address.clone(),
                    remote_id: one.remote_id.clone(),
                    fields: vec![field],
                }),
            }
        }
        let ended = plan.findings.iter().filter(|finding| finding.code == Code::EndedElsewhere);
        Self {
            console: plan.console.clone(),
            vendor_account: plan.vendor_account.clone(),
            changed,
            gone: ended
                .map(|finding| GoneRecord { address: finding.address.clone(), words: finding.words.clone() })
                .collect(),
            not_compared: plan.looked.not_compared,
            as_of: plan.looked.as_of,
        }
    }
}

impl DriftDocument {
    /// Of these consoles, in this order.
    pub fn new(tool_version: &str, consoles: Vec<ConsoleDrift>, findings: Vec<Finding>) -> Self {
        let sum = |count: fn(&ConsoleDrift) -> usize| consoles.iter().map(count).sum();
        let summary = DriftSummary {
            changed: sum(|one| one.changed.len()),
            gone: sum(|one| one.gone.len()),
            not_compared: sum(|one| one.not_compared),
            not_read: findings.iter().filter(|finding| finding.code == Code::NotPlanned).count(),
        };
        Self {
            format_version: DRIFT_FORMAT_VERSION.to_owned(),
            tool_version: tool_version.to_owned(),
            findings,
            consoles,
            summary,
        }
    }
}

/// The schema of [`DriftDocument`] (JSON Schema, draft 2020-12), as `schemas/drift.json` holds it.
///
/// It allows fields that it does not know, as readers must within one major version.
#[cfg(any(test, feature = "schema"))]
pub fn drift_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(DriftDocument).to_value();
    schema["title"] = "tenantry drift".into();
    schema["description"] = format!(
        "What `tenantry drift -o json` prints, format version {DRIFT_FORMAT_VERSION}. Within one major version fields and codes are added, never changed or taken away: ignore what you do not know, refuse another major version."
    )
    .into();
    schema["properties"]["formatVersion"]["pattern"] = r"^1\.[0-9]+$".into();
    schema
}

#[cfg(test)]
mod tests;
