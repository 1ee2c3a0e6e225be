//! Why a step is planned, held or waits: enumerations with documented kebab-case codes.

use serde::{Deserialize, Serialize};

/// Why a step is planned: a code and the words for this case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct Reason {
    /// The code.
    pub code: ReasonCode,
    /// The words.
    pub words: String,
}

impl Reason {
    /// A reason.
    pub fn new(code: ReasonCode, words: impl Into<String>) -> Self {
        Self { code, words: words.into() }
    }
}

/// The reasons for steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReasonCode {
    /// Declared, and in no page of the console.
    NotThere,
    /// The declaration changed since it was last applied.
    Declared,
    /// The console changed, the declaration did not.
    Drifted,
    /// `id` names the record.
    NamedById,
    /// Keys match.
    Matched,
    /// The invitation was accepted.
    Accepted,
    /// The invitation names somebody who is already listed.
    AlreadyListed,
    /// A Relationship invites.
    Invited,
    /// A reminder is due.
    ReminderDue,
    /// `formerly` names the old address.
    Renamed,
    /// The declaration asks for an end.
    Wanted,
    /// The declaration is gone.
    Undeclared,
    /// A released or ended one is declared again.
    DeclaredAgain,
    /// It is not there any more, as wanted.
    SeenGone,
}

/// What a held step is held by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HeldBy {
    /// The ledger is new and the console holds records that nobody bound.
    FirstRun,
    /// `guards.maxCreations`.
    MaxCreations,
    /// `guards.maxInvitations`.
    MaxInvitations,
    /// `guards.maxRemovals`.
    MaxRemovals,
    /// `guards.maxRemovalPercent`.
    MaxRemovalPercent,
    /// `guards.maxSeatIncrease`.
    MaxSeatIncrease,
    /// The census is incomplete: nothing is removed.
    IncompleteCensus,
    /// The census is empty: nothing is removed.
    EmptyCensus,
    /// The census has shrunk by more than the cap: nothing is removed.
    ShrunkenCensus,
    /// Nothing at all is declared: nothing is removed.
    NothingDeclared,
    /// A consent is missing.
    Consent,
    /// `management: Observe`.
    Observe,
}

impl HeldBy {
    /// Whether `--approve FINGERPRINT` releases it.
    pub const fn approvable(self) -> bool {
        matches!(
            self,
            HeldBy::FirstRun
                | HeldBy::MaxCreations
                | HeldBy::MaxInvitations
                | HeldBy::MaxRemovals
                | HeldBy::MaxRemovalPercent
                | HeldBy::MaxSeatIncrease
                | HeldBy::ShrunkenCensus
        )
    }
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WaitingFor {
    /// The customer accepts.
    Acceptance,
    /// A person does a task.
    Task,
    /// A request's effect may still appear; looked at again later.
    Settling,
    /// A person says what became of a request: `resolve`.
    Resolve,
    /// Another declaration must be there first.
    Prerequisite,
    /// A date.
    NotBefore,
}
