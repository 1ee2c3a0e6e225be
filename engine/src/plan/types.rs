//! What a plan consists of. Plain data: made by [`super::plan`], read by renderers and the executor.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::action::Action;
use crate::address::{Address, ConsoleName, RemoteId, VendorAccount};
use crate::capability::{Party, Row};
use crate::ledger::{GuardKind, LastApplied};
use crate::observed::ReadCost;
use crate::origin::Origin;
use crate::plan::findings::Finding;
use crate::plan::matching::Key;
use crate::plan::reasons::{HeldBy, Reason, WaitingFor};
use crate::task::Task;
use crate::value::{Field, Value};

/// What a step is, whatever time moves: address, action, canonical change, performer and consequences. 64 bits, hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Fingerprint(#[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))] SmolStr);

impl Fingerprint {
    /// Sixteen hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From the digest of a step.
    pub(crate) fn from_digest(digest: &[u8; 32]) -> Self {
        Self(crate::value::hex(&digest[..8]).into())
    }

    /// Takes a text as typed by a person or stored in a plan file.
    pub fn from_text(text: &str) -> Self {
        Self(text.trim().to_ascii_lowercase().into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The plan for one console.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Which console.
    pub console: ConsoleName,
    /// Which account there.
    pub vendor_account: VendorAccount,
    /// One line that says who we are there.
    pub title: String,
    /// What will be done, in the order it will be done.
    pub steps: Vec<Step>,
    /// What waits, and for whom.
    pub waiting: Vec<Waiting>,
    /// What a reader should know.
    pub findings: Vec<Finding>,
    /// When time alone will change this plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub wake: Option<Timestamp>,
    /// What was looked at.
    pub looked: Looked,
}

/// What a plan is based on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Looked {
    /// Records in the census.
    pub records: usize,
    /// Declarations compared.
    pub declared: usize,
    /// Those whose details are younger than their facet's age; others are `not compared` there.
    pub not_compared: usize,
    /// What reading cost.
    pub cost: ReadCost,
    /// When the census began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub as_of: Option<Timestamp>,
}

/// One field's change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Which field.
    pub field: Field,
    /// How a reader calls it.
    pub label: String,
    /// What it is; `None` = nothing, or not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What it shall be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

/// Who performs a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Performer {
    /// The adapter.
    Console,
    /// A person.
    Person(Box<Task>),
}

/// What a step causes beside the change, or cannot undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Consequence {
    /// Kebab-case; where it needs consent, the consent's code.
    pub code: String,
    /// In words.
    pub words: String,
    /// Whether somebody must consent before the step runs.
    pub needs_consent: bool,
    /// Whether somebody has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub consented: bool,
}

impl Consequence {
    /// What an action causes; where it needs consent, nobody has given it yet.
    pub fn new(code: &str, words: impl Into<String>, needs_consent: bool) -> Self {
        Self { code: code.to_owned(), words: words.into(), needs_consent, consented: false }
    }
}

/// Why a step is held, and what allows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// By what.
    pub by: HeldBy,
    /// In words.
    pub words: String,
    /// The command that allows it; empty where nothing does.
    pub allow: String,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// To what.
    pub address: Address,
    /// What.
    pub action: Action,
    /// The row of the table that allows it.
    pub row: Row,
    /// Why.
    pub because: Reason,
    /// Who.
    pub performer: Performer,
    /// The record it is about, if it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<RemoteId>,
    /// Steps of this plan that must succeed first, by address.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub after: BTreeSet<Address>,
    /// What changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// What it causes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Consequence>,
    /// More lines for a reader (`then`, `stays`): label and text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<(String, String)>,
    /// What it uses of a guard's allowance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<(GuardKind, u32)>,
    /// Why it is held, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Box<Held>>,
    /// What it is.
    pub fingerprint: Fingerprint,
    /// Where it was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What the executor needs beside; never shown, never saved.
    #[serde(skip)]
    pub inside: Box<Inside>,
}

/// What the executor needs of a step and nobody else may see.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inside {
    /// Keys by which what it makes will be recognised.
    pub keys: Vec<Key>,
    /// Records that look like it already.
    pub lookalikes: Vec<RemoteId>,
    /// What the record shows now, for adoption.
    pub shown: LastApplied,
    /// The address that its entry has so far.
    pub moved_from: Option<Box<Address>>,
    /// The invitation to draft.
    pub invitation: Option<Box<InvitationTerms>>,
}

/// What an invitation says and how its acceptance will show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InvitationTerms {
    /// To whom.
    pub to: String,
    /// Language tag.
    pub language: String,
    /// Name of the provider to be invited with us.
    pub provider: Option<String>,
    /// `id:…`, `domain:…`, `email:…`.
    pub accepted_as: Vec<String>,
}

impl Step {
    /// Whether a person performs it.
    pub fn manual(&self) -> bool {
        matches!(self.performer, Performer::Person(_))
    }

    /// Whether it writes the ledger and nothing else: it binds a record, or opens a person's task.
    pub fn only_noted(&self) -> bool {
        self.manual() || self.action == Action::Adopt
    }

    /// The new value of a field.
    pub fn new_value(&self, path: &str) -> Option<&Value> {
        self.changes
            .iter()
            .find(|change| change.field.as_str() == path)
            .and_then(|change| change.new.as_ref())
    }

    /// The new text of a field.
    pub fn new_text(&self, path: &str) -> Option<&str> {
        self.new_value(path).and_then(Value::as_text)
    }
}

/// Something that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// What waits.
    pub address: Address,
    /// For what.
    pub why: WaitingFor,
    /// For whom; `None` = for time or for another step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Party>,
    /// In words: `invited 9 days ago, accepted by nobody yet`.
    pub words: String,
    /// More lines: label and text (`next`, `by you`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<(String, String)>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub since: Option<Timestamp>,
    /// When it changes by itself, or is overdue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub until: Option<Timestamp>,
    /// Whether that has passed.
    pub overdue: bool,
    /// The manual work, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Box<Task>>,
    /// Where it was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}
