//! How planning writes a step or a wait: what every one of them has, then what this one has beside.
//!
//! Never decides anything. Fields that nobody names are empty; a step's fingerprint is stamped once all steps stand.

use jiff::Timestamp;

use crate::action::Action;
use crate::address::{Address, RemoteId};
use crate::capability::{Party, Row};
use crate::ledger::GuardKind;
use crate::origin::Origin;
use crate::plan::reasons::{Reason, ReasonCode, WaitingFor};
use crate::plan::{Change, Consequence, Fingerprint, Inside, Performer, Step, Waiting};
use crate::task::Task;

impl Step {
    /// A step that the console performs, without changes, consequences or a record.
    pub(crate) fn new(address: &Address, action: Action, row: Row, because: Reason) -> Self {
        Self {
            address: address.clone(),
            action,
            row,
            because,
            performer: Performer::Console,
            remote_id: None,
            after: std::collections::BTreeSet::new(),
            changes: Vec::new(),
            causes: Vec::new(),
            notes: Vec::new(),
            uses: None,
            held: None,
            fingerprint: Fingerprint::from_text(""),
            origin: None,
            inside: Box::default(),
        }
    }

    /// Performed by.
    #[must_use]
    pub(crate) fn by(mut self, performer: Performer) -> Self {
        self.performer = performer;
        self
    }

    /// About this record, where there is one.
    #[must_use]
    pub(crate) fn record(mut self, id: Option<RemoteId>) -> Self {
        self.remote_id = id;
        self
    }

    /// After the steps of these addresses.
    #[must_use]
    pub(crate) fn after(mut self, addresses: impl IntoIterator<Item = Address>) -> Self {
        self.after = addresses.into_iter().collect();
        self
    }

    /// Changing this.
    #[must_use]
    pub(crate) fn changing(mut self, changes: Vec<Change>) -> Self {
        self.changes = changes;
        self
    }

    /// Causing this.
    #[must_use]
    pub(crate) fn causing(mut self, causes: Vec<Consequence>) -> Self {
        self.causes = causes;
        self
    }

    /// One more line for a reader.
    #[must_use]
    pub(crate) fn note(mut self, label: &str, text: impl Into<String>) -> Self {
        // Most have one, and a first run has as many steps as accounts.
        self.notes.reserve_exact(1);
        self.notes.push((label.to_owned(), text.into()));
        self
    }

    /// Using so much of a guard's allowance.
    #[must_use]
    pub(crate) fn using(mut self, uses: Option<(GuardKind, u32)>) -> Self {
        self.uses = uses;
        self
    }

    /// Declared here.
    #[must_use]
    pub(crate) fn at(mut self, origin: &Origin) -> Self {
        self.origin = Some(origin.clone());
        self
    }

    /// With what the executor needs beside.
    #[must_use]
    pub(crate) fn with(mut self, inside: Inside) -> Self {
        self.inside = Box::new(inside);
        self
    }
}

impl Waiting {
    /// A wait for nobody in particular, without an end.
    pub(crate) fn new(address: &Address, why: WaitingFor, words: impl Into<String>) -> Self {
        Self {
            address: address.clone(),
            why,
            party: None,
            words: words.into(),
            notes: Vec::new(),
            since: None,
            until: None,
            overdue: false,
            task: None,
            origin: None,
        }
    }

    /// For this party.
    #[must_use]
    pub(crate) fn of(mut self, party: Option<Party>) -> Self {
        self.party = party;
        self
    }

    /// With these lines below it.
    #[must_use]
    pub(crate) fn notes(mut self, notes: Vec<(String, String)>) -> Self {
        self.notes = notes;
        self
    }

    /// Since then.
    #[must_use]
    pub(crate) fn since(mut self, since: Option<Timestamp>) -> Self {
        self.since = since;
        self
    }

    /// Until then.
    #[must_use]
    pub(crate) fn until(mut self, until: Option<Timestamp>) -> Self {
        self.until = until;
        self
    }

    /// Whether its time has passed.
    #[must_use]
    pub(crate) fn overdue(mut self, overdue: bool) -> Self {
        self.overdue = overdue;
        self
    }

    /// For this manual work.
    #[must_use]
    pub(crate) fn task(mut self, task: Box<Task>) -> Self {
        self.task = Some(task);
        self
    }

    /// Declared here, if anywhere.
    #[must_use]
    pub(crate) fn at(mut self, origin: Option<&Origin>) -> Self {
        self.origin = origin.cloned();
        self
    }
}

/// Why the console is to be changed: somebody changed the declaration, or somebody changed the console.
pub(super) fn because_changed(drifted: bool, changes: &[Change]) -> Reason {
    if drifted {
        Reason::new(ReasonCode::Drifted, "the console was changed, the declaration was not")
    } else {
        Reason::new(ReasonCode::Declared, super::compare::changes_words(changes))
    }
}
