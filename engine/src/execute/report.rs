//! What a run did, step by step.

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::address::{Address, ConsoleName, RemoteId};
use crate::observed::Refusal;
use crate::plan::Fingerprint;

/// What became of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Outcome {
    /// Done.
    Done,
    /// A task was opened; somebody has to do it.
    Waits {
        /// Its id.
        task: String,
    },
    /// The vendor refused, or could not be reached; nothing happened.
    Failed {
        /// Why.
        refusal: Box<Refusal>,
    },
    /// It may or may not have happened; the next run looks for it.
    InDoubt {
        /// What came instead of an answer; fit for a terminal.
        because: String,
        /// The operation's id.
        operation: String,
    },
    /// Held by a guard, a consent, or the plan file.
    Held {
        /// By what, in words.
        because: String,
    },
    /// Something it depends on did not succeed.
    Skipped {
        /// What.
        because: String,
    },
    /// The run stopped before it.
    NotBegun,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// Which console.
    pub console: ConsoleName,
    /// To what.
    pub address: Address,
    /// What.
    pub action: Action,
    /// Which step.
    pub fingerprint: Fingerprint,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The record's id, once known; as the vendor wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<RemoteId>,
    /// More words: where a first password went, what comes next; fit for a terminal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

/// What a run did at one console.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Its steps, in order.
    pub steps: Vec<StepReport>,
    /// Requests sent for them.
    pub requests: u32,
    /// Whether somebody stopped it.
    pub interrupted: bool,
}
