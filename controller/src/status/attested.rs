//! What becomes of an Attestation: taken, overtaken, contradicted, or about nothing that is open.
//!
//! Whether a word was taken is known in the reconcile that takes it: afterwards its task or operation may be gone from
//! the ledger. So "nothing is open" is only told of an Attestation about which nothing was said before, and once every
//! Console of the namespace has looked. Pure but for the memory of what was said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tenantry_engine::desired::Desired;
use tenantry_engine::ledger::Ledger;
use tenantry_engine::origin::Origin;
use tenantry_engine::plan::findings::Code;
use tenantry_engine::plan::{Plan, send_task};

use super::view::State;
use crate::desk::Place;

#[cfg(test)]
mod tests;

/// What one Console says about an Attestation; of several the last in this order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// Nothing that is open there has this id.
    NothingOpen,
    /// It says less than is known: the task was opened, or another one spoke, later.
    Overtaken,
    /// The console showed otherwise afterwards.
    Contradicted,
    /// It counts.
    Taken,
}

impl Word {
    /// How it stands, and in words.
    pub const fn told(self) -> (State, &'static str) {
        match self {
            Self::NothingOpen => (
                State::Stalled("NothingOpen"),
                "no open task or operation has this id; statuses and tenantry tasks name those that are open",
            ),
            Self::Overtaken => (
                State::Stalled("Overtaken"),
                "it was opened, or somebody else spoke, after what this says; look again, and write another one",
            ),
            Self::Contradicted => (
                State::Stalled("Contradicted"),
                "the console showed otherwise afterwards; look again, and write another one",
            ),
            Self::Taken => (State::Ready, "taken"),
        }
    }
}

/// What a word may be about before a plan is made: ids of tasks and operations, each with the moment from which on words
/// count.
#[derive(Debug, Default)]
pub struct Open(BTreeMap<String, Timestamp>);

impl Open {
    /// What is open in a ledger; nothing where nobody says anything.
    pub fn of(desired: &Desired<'_>, ledger: &Ledger) -> Self {
        let mut open = BTreeMap::new();
        if desired.attestations.is_empty() {
            return Self(open);
        }
        let console = desired.console.name.as_str();
        for (address, entry) in &ledger.entries {
            open.extend(entry.tasks.iter().map(|(id, task)| (id.clone(), task.since)));
            open.extend(entry.operation.iter().map(|one| (one.id.clone(), one.intended)));
            for (message, drafted) in entry.invitation.iter().flat_map(|invitation| {
                let reminders = invitation.reminders.iter().map(|one| (&one.message_id, one.drafted));
                std::iter::once((&invitation.message_id, invitation.drafted)).chain(reminders)
            }) {
                open.insert(send_task(console, "", &address.name, message, "").id, drafted);
            }
        }
        Self(open)
    }

    /// What this Console says of each Attestation, by name.
    pub fn words(&self, desired: &Desired<'_>, plan: &Plan) -> BTreeMap<String, Word> {
        let mut latest: BTreeMap<&str, Timestamp> = BTreeMap::new();
        for one in &desired.attestations {
            let slot = latest.entry(&one.about).or_insert(one.attested.on);
            *slot = (*slot).max(one.attested.on);
        }
        let contradicted: BTreeSet<&str> = plan
            .findings
            .iter()
            .filter(|finding| finding.code == Code::AttestationContradicted)
            .filter_map(|finding| finding.words.split_whitespace().next())
            .collect();
        let word = |about: &str, on: Timestamp| match self.0.get(about) {
            None => Word::NothingOpen,
            Some(since) if on < *since || latest.get(about).is_some_and(|last| on < *last) => Word::Overtaken,
            Some(_) if contradicted.contains(about) => Word::Contradicted,
            Some(_) => Word::Taken,
        };
        desired
            .attestations
            .iter()
            .filter_map(|one| match &one.origin {
                Origin::Object { name, .. } => Some((name.to_string(), word(&one.about, one.attested.on))),
                Origin::File { .. } => None,
            })
            .collect()
    }
}

/// What every Console said last.
#[derive(Default)]
pub struct Words(Mutex<BTreeMap<Place, BTreeMap<String, Word>>>);

impl Words {
    /// Takes what a Console says now. A contradiction stays told until a word is taken.
    pub fn take(&self, place: &Place, mut words: BTreeMap<String, Word>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.entry(place.clone()).or_default();
        for (name, word) in &mut words {
            if before.get(name) == Some(&Word::Contradicted) && *word < Word::Contradicted {
                *word = Word::Contradicted;
            }
        }
        *before = words;
    }

    /// What is to be told of an Attestation; nothing until all of these Consoles have looked, unless one knows it.
    pub fn of(&self, namespace: &str, consoles: &[&str], name: &str) -> Option<Word> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let said = consoles.iter().map(|console| {
            let place = (namespace.to_owned(), (*console).to_owned());
            all.get(&place).and_then(|words| words.get(name)).copied()
        });
        let said: Vec<Option<Word>> = said.collect();
        let best = said.iter().flatten().max().copied();
        best.filter(|word| *word > Word::NothingOpen || said.iter().all(Option::is_some))
    }

    /// A Console says nothing any more.
    pub fn forget(&self, place: &Place) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(place);
    }
}
