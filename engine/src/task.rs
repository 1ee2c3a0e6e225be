//! Manual work: what a person is to do where a console has no API, and the evidence that closes it.
//!
//! A task has a stable id that ends in six hex digits of the wanted change: the same wish has the same task, another
//! wish another one. Waiting for a task never blocks a run.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::capability::Party;
use crate::plan::Fingerprint;

/// A task as the plan shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// `<console>-<verb>-<name>-<six hex digits>`.
    pub id: String,
    /// One line: what it is.
    pub title: String,
    /// Who performs it.
    pub party: Party,
    /// The console's own name and where to begin (`Sophos Central Partner`).
    pub at: String,
    /// The vendor's own click path, one step a line, with the values to enter.
    pub steps: Vec<String>,
    /// What it causes and cannot undo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consequences: Vec<String>,
    /// Whether the console shows when it is done; else it is closed by hand alone.
    pub observable: bool,
}

/// Makes the id of a task.
pub fn task_id(console: &str, verb: &str, name: &str, step: &Fingerprint) -> String {
    format!("{console}-{verb}-{name}-{}", &step.as_str()[..6])
}

/// A task in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskRecord {
    /// When it was opened, or opened again after a contradicted attestation.
    pub since: Timestamp,
    /// What somebody said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attested: Option<Attested>,
}

/// A human fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attested {
    /// What is said.
    pub outcome: Outcome,
    /// Who says so.
    pub by: String,
    /// When it was so.
    pub on: Timestamp,
    /// In their words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// What an attestation says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The task is done.
    Done,
    /// The operation happened.
    Happened,
    /// It did not.
    NotHappened,
    /// The other party refused.
    Refused,
}
