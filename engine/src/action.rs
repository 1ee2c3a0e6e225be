//! What a step does: one table of actions, their symbols and words.

use serde::{Deserialize, Serialize};

/// The verb of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Make a new record.
    Create,
    /// Bind a declaration to a record that exists.
    Adopt,
    /// Ask an existing customer to link.
    Invite,
    /// Ask again.
    Remind,
    /// Change fields.
    Update,
    /// Change the kind of billing in place (trial to paid).
    Convert,
    /// Arrange a change for later.
    Schedule,
    /// Prolong.
    Extend,
    /// Put a successor in place, then end the old one.
    Replace,
    /// Put under another parent.
    Move,
    /// Stop service, keep data.
    Suspend,
    /// End a suspension.
    Resume,
    /// Accept what another party asked for.
    Approve,
    /// End the relationship, leave the customer's data alone.
    Detach,
    /// Delete; data goes.
    Remove,
    /// Take an invitation back.
    Revoke,
    /// Stop keeping; nothing is done in the console.
    Forget,
}

/// How a reader tells kinds of change apart; colour only repeats the symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something comes to be.
    Adds,
    /// Something changes.
    Changes,
    /// Something goes.
    Ends,
    /// Nothing changes in the console.
    Notes,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The symbol in plans.
    pub symbol: char,
    /// "N to …" in the summary.
    pub infinitive: &'static str,
    /// What the report says when it is done.
    pub done: &'static str,
    /// Its tone.
    pub tone: Tone,
}

impl Action {
    /// The table.
    pub const fn words(self) -> Words {
        const fn row(symbol: char, infinitive: &'static str, done: &'static str, tone: Tone) -> Words {
            Words { symbol, infinitive, done, tone }
        }
        match self {
            Action::Create => row('+', "create", "created", Tone::Adds),
            Action::Adopt => row('=', "adopt", "adopted", Tone::Notes),
            Action::Invite => row('>', "invite", "invitation drafted", Tone::Adds),
            Action::Remind => row('>', "remind", "reminder drafted", Tone::Adds),
            Action::Update => row('~', "update", "updated", Tone::Changes),
            Action::Convert => row('^', "convert", "converted", Tone::Changes),
            Action::Schedule => row('~', "schedule", "scheduled", Tone::Changes),
            Action::Extend => row('~', "extend", "extended", Tone::Changes),
            Action::Replace => row('±', "replace", "replaced", Tone::Changes),
            Action::Move => row('→', "move", "moved", Tone::Changes),
            Action::Suspend => row('~', "suspend", "suspended", Tone::Changes),
            Action::Resume => row('~', "resume", "resumed", Tone::Changes),
            Action::Approve => row('~', "approve", "approved", Tone::Changes),
            Action::Detach => row('x', "detach", "detached", Tone::Ends),
            Action::Remove => row('-', "remove", "removed", Tone::Ends),
            Action::Revoke => row('x', "revoke", "revoked", Tone::Ends),
            Action::Forget => row('.', "forget", "forgotten", Tone::Notes),
        }
    }

    /// Its name in JSON and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Adopt => "adopt",
            Action::Invite => "invite",
            Action::Remind => "remind",
            Action::Update => "update",
            Action::Convert => "convert",
            Action::Schedule => "schedule",
            Action::Extend => "extend",
            Action::Replace => "replace",
            Action::Move => "move",
            Action::Suspend => "suspend",
            Action::Resume => "resume",
            Action::Approve => "approve",
            Action::Detach => "detach",
            Action::Remove => "remove",
            Action::Revoke => "revoke",
            Action::Forget => "forget",
        }
    }

    /// Whether it ends something at the vendor: counted by the removal guards, ordered children first.
    pub const fn ends(self) -> bool {
        matches!(self, Action::Detach | Action::Remove)
    }

    /// Whether it only writes the ledger.
    pub const fn ledger_only(self) -> bool {
        matches!(self, Action::Adopt | Action::Forget)
    }
}
