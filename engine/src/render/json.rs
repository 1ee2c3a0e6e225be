//! A plan as JSON: canonical order, a version, a published schema (`schemas/plan.json`).
//!
//! Fields are added, never changed or taken away, within one major version; readers ignore fields they do not know
//! and refuse another major version.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::plan::findings::Finding;
use crate::plan::{Plan, Summary, summary};

/// Version of the format: major.minor.
pub const PLAN_FORMAT_VERSION: &str = "1.0";

/// A run's plans, to be read by programs or saved for `apply`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PlanDocument {
    /// [`PLAN_FORMAT_VERSION`].
    pub format_version: String,
    /// Version of tenantry that made it.
    pub tool_version: String,
    /// What it rests on, for a saved plan; absent in output that must not move with time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
    /// Findings that belong to no console.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// One plan per console, in the order of their names.
    pub plans: Vec<Plan>,
    /// Counts.
    pub summary: Summary,
}

/// What a saved plan rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Made {
    /// When.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "String", extend("format" = "date-time")))]
    pub at: Timestamp,
    /// Until when it may be applied.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "String", extend("format" = "date-time")))]
    pub expires: Timestamp,
    /// The ledgers it was made against.
    pub ledgers: Vec<LedgerMark>,
}

/// A ledger at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LedgerMark {
    /// Whose.
    pub vendor_account: String,
    /// Which ledger.
    pub lineage: String,
    /// Its serial.
    pub serial: u64,
}

impl PlanDocument {
    /// Of these plans.
    pub fn new(tool_version: &str, plans: Vec<Plan>, findings: Vec<Finding>, made: Option<Made>) -> Self {
        Self {
            format_version: PLAN_FORMAT_VERSION.to_owned(),
            tool_version: tool_version.to_owned(),
            made,
            summary: summary(&plans).beside(&findings),
            findings,
            plans,
        }
    }

    /// Pretty JSON with a final newline.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("plans hold nothing that JSON cannot");
        let mut text = crate::text::json(&text);
        text.push('\n');
        text
    }

    /// Reads one; refuses another major version.
    pub fn from_json(text: &str) -> Result<Self, BadPlan> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Head {
            format_version: String,
        }
        let head: Head = serde_json::from_str(text).map_err(BadPlan::NotAPlan)?;
        let major = |version: &str| version.split('.').next().unwrap_or_default().to_owned();
        if major(&head.format_version) != major(PLAN_FORMAT_VERSION) {
            return Err(BadPlan::Version(crate::text::terminal(&head.format_version)));
        }
        serde_json::from_str(text).map_err(BadPlan::NotAPlan)
    }
}

/// A file that is no plan.
#[derive(Debug, thiserror::Error)]
pub enum BadPlan {
    /// Not the format.
    #[error("this is no plan of tenantry; make one: tenantry plan --out FILE")]
    NotAPlan(#[source] serde_json::Error),
    /// Another major version.
    #[error(
        "the plan has format version {0}, this tenantry reads 1.x; make it anew: tenantry plan --out FILE"
    )]
    Version(String),
}

/// The schema of [`PlanDocument`] (JSON Schema, draft 2020-12), as `schemas/plan.json` holds it.
///
/// It allows fields that it does not know, as readers must within one major version.
#[cfg(any(test, feature = "schema"))]
pub fn plan_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(PlanDocument).to_value();
    schema["title"] = "tenantry plan".into();
    schema["description"] = format!(
        "What `tenantry plan -o json` prints and `tenantry plan --out` saves, format version {PLAN_FORMAT_VERSION}. Within one major version fields and codes are added, never changed or taken away: ignore what you do not know, refuse another major version."
    )
    .into();
    schema["properties"]["formatVersion"]["pattern"] = r"^1\.[0-9]+$".into();
    schema
}

#[cfg(test)]
mod tests;
