//! One word per address: what a console's plan, its report and the ledger say about a declaration.
//!
//! Order of what is told where several things hold: what nobody but a person resolves, then who is waited for, then
//! what goes on by itself, then that all is well. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tenantry_engine::address::{Address, Kind, RemoteId};
use tenantry_engine::capability::Party;
use tenantry_engine::console::refusal_words;
use tenantry_engine::desired::Desired;
use tenantry_engine::execute::{Outcome, Report};
use tenantry_engine::ledger::{Entry, Ledger, Standing};
use tenantry_engine::operation::Phase;
use tenantry_engine::plan::findings::{Code, Severity};
use tenantry_engine::plan::reasons::WaitingFor;
use tenantry_engine::plan::{Performer, Plan, Step};

#[cfg(test)]
mod tests;

/// How a declaration stands; the worst first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing goes on without a person: a reason in CamelCase.
    Stalled(&'static str),
    /// Somebody is waited for.
    Awaiting(Who),
    /// It goes on by itself.
    Progressing,
    /// Not seen yet, or not readable.
    Unknown(&'static str),
    /// As declared.
    Ready,
}

/// Whom something waits for, as reasons name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The customer.
    Customer,
    /// The vendor, or time.
    Vendor,
    /// The indirect provider, or a distributor.
    Provider,
    /// Somebody at the partner.
    Operator,
}

impl Who {
    /// Everybody.
    pub const ALL: [Self; 4] = [Self::Customer, Self::Vendor, Self::Provider, Self::Operator];

    /// The reason of the condition.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Customer => "AwaitingCustomer",
            Self::Vendor => "AwaitingVendor",
            Self::Provider => "AwaitingProvider",
            Self::Operator => "AwaitingOperator",
        }
    }
}

impl From<Party> for Who {
    fn from(party: Party) -> Self {
        match party {
            Party::Operator => Self::Operator,
            Party::Customer => Self::Customer,
            Party::Provider | Party::Distributor => Self::Provider,
            Party::Vendor => Self::Vendor,
        }
    }
}

/// What one console says about one declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// `metadata.generation` that it is about.
    pub generation: Option<i64>,
    /// How it stands.
    pub state: State,
    /// What the console shows, in a word.
    pub standing: &'static str,
    /// The record; fit for a terminal.
    pub remote_id: Option<RemoteId>,
    /// Since when it stands so.
    pub since: Option<Timestamp>,
    /// A person said so, and no observation has.
    pub attested: bool,
    /// More, in words.
    pub message: Option<Box<str>>,
}

/// The longest message that a status takes.
const MESSAGE: usize = 1024;

/// Cuts at a character boundary.
pub fn cut(text: &str, most: usize) -> Box<str> {
    if text.len() <= most {
        return text.into();
    }
    let end =
        (0..=most.saturating_sub('…'.len_utf8())).rev().find(|n| text.is_char_boundary(*n)).unwrap_or(0);
    format!("{}…", &text[..end]).into()
}

/// A kebab-case code as a condition's reason.
fn reason(code: Code) -> &'static str {
    match code {
        Code::PossibleDuplicate => "PossibleDuplicate",
        Code::AmbiguousMatch => "AmbiguousMatch",
        Code::NotFound => "NotFound",
        Code::IdNotFound => "IdNotFound",
        Code::EndedElsewhere => "EndedElsewhere",
        Code::StillLicensed => "StillLicensed",
        Code::StillDelegated => "StillDelegated",
        Code::NotSupportedYet => "NotSupportedYet",
        Code::NotThere => "NotThere",
        Code::MissingField => "MissingField",
        Code::NoSecretRecipient => "NoSecretRecipient",
        Code::Immutable => "Immutable",
        Code::BoundTwice => "BoundTwice",
        Code::Contradiction => "Contradiction",
        Code::UnrecognisableAcceptance => "UnrecognisableAcceptance",
        Code::ProgramExcludes => "ProgramExcludes",
        Code::InvitationExpired => "InvitationExpired",
        Code::UnmatchedAcceptance => "UnmatchedAcceptance",
        Code::TaskRefused => "TaskRefused",
        _ => "Refused",
    }
}

/// Findings that stop a declaration although they are no errors.
const STOPS: [Code; 4] =
    [Code::EndedElsewhere, Code::InvitationExpired, Code::UnmatchedAcceptance, Code::TaskRefused];

struct Said {
    state: State,
    words: String,
}

/// One view for each address that is declared for this console.
pub fn views(
    desired: &Desired<'_>,
    plan: &Plan,
    ledger: &Ledger,
    report: Option<&Report>,
) -> BTreeMap<Address, View> {
    let mut said: BTreeMap<&Address, Said> = BTreeMap::new();
    let mut say = |address, state: State, words: String| {
        let new = Said { state, words };
        let slot = said.entry(address).or_insert_with(|| Said { state: State::Ready, words: String::new() });
        if new.state < slot.state {
            *slot = new;
        }
    };
    let ended: BTreeMap<_, _> = report
        .iter()
        .flat_map(|report| &report.steps)
        .map(|line| (&line.fingerprint, &line.outcome))
        .collect();
    for step in &plan.steps {
        let (state, words) = of_step(step, ended.get(&step.fingerprint).copied());
        say(&step.address, state, words);
    }
    for waiting in &plan.waiting {
        let state = match (waiting.overdue, waiting.why, waiting.party) {
            (true, ..) => State::Stalled("Overdue"),
            (_, WaitingFor::NotBefore, _) => State::Ready,
            (_, WaitingFor::Acceptance, _) => State::Awaiting(Who::Customer),
            (_, _, Some(party)) => State::Awaiting(party.into()),
            (_, WaitingFor::Settling, None) => State::Awaiting(Who::Vendor),
            (_, WaitingFor::Prerequisite, None) => State::Progressing,
            (_, WaitingFor::Task | WaitingFor::Resolve, None) => State::Awaiting(Who::Operator),
        };
        let task = waiting.task.as_ref().map(|task| format!(" · task {}", task.id)).unwrap_or_default();
        say(&waiting.address, state, format!("{}{task}", waiting.words));
    }
    for finding in &plan.findings {
        let Some(address) = &finding.address else { continue };
        let next = finding.next.first().map(|next| format!("; {next}")).unwrap_or_default();
        let words = format!("{}{next}", finding.words);
        if finding.severity == Severity::Error || STOPS.contains(&finding.code) {
            say(address, State::Stalled(reason(finding.code)), words);
        } else if finding.code == Code::NotReadable {
            say(address, State::Unknown("NotReadable"), words);
        }
    }
    let accounts = desired.accounts.iter().map(|decl| (&decl.address, &decl.origin));
    let licenses = desired.licenses.iter().map(|decl| (&decl.address, &decl.origin));
    accounts
        .chain(licenses)
        .map(|(address, origin)| {
            let entry = ledger.entries.get(address);
            let (state, words) = match said.remove(address) {
                Some(said) => (said.state, said.words),
                None if entry.is_some_and(settled) => (State::Ready, String::new()),
                None => (State::Unknown("NotCompared"), "not observed yet".to_owned()),
            };
            (address.clone(), one(address, origin, entry, state, &words))
        })
        .collect()
}

/// Bound, or ended as wanted.
fn settled(entry: &Entry) -> bool {
    entry.bound().is_some() || entry.standing == Standing::Ended
}

fn of_step(step: &Step, ended: Option<&Outcome>) -> (State, String) {
    if let Some(held) = &step.held {
        let release = if held.by.approvable() {
            format!("; release it: tenantry.io/approve: {}", step.fingerprint)
        } else {
            String::new()
        };
        return (State::Stalled("Held"), format!("to {}: {}{release}", step.action.name(), held.words));
    }
    match ended {
        Some(Outcome::Failed { refusal }) => (State::Stalled("Refused"), refusal_words(refusal)),
        Some(Outcome::InDoubt { because, .. }) => (State::Awaiting(Who::Vendor), because.clone()),
        Some(Outcome::Skipped { because }) => (State::Progressing, because.clone()),
        _ => match &step.performer {
            Performer::Person(task) => {
                (State::Awaiting(task.party.into()), format!("{} · task {}", task.title, task.id))
            }
            Performer::Console => {
                (State::Progressing, format!("to {}: {}", step.action.name(), step.because.words))
            }
        },
    }
}

fn one(
    address: &Address,
    origin: &tenantry_engine::origin::Origin,
    entry: Option<&Entry>,
    state: State,
    words: &str,
) -> View {
    let generation = match origin {
        tenantry_engine::origin::Origin::Object { generation, .. } => Some(*generation),
        tenantry_engine::origin::Origin::File { .. } => None,
    };
    let attested = entry.is_some_and(|entry| {
        entry.tasks.values().any(|task| task.attested.is_some())
            || entry.operation.as_ref().is_some_and(|open| matches!(open.phase, Phase::Attested { .. }))
    });
    View {
        generation,
        state,
        standing: standing(address, entry),
        remote_id: entry.and_then(Entry::bound).map(shown),
        since: entry.map(|entry| entry.since),
        attested,
        message: (!words.is_empty()).then(|| cut(words, MESSAGE)),
    }
}

/// An id fit to show: the usual one is that already, and shared with the ledger.
fn shown(id: &RemoteId) -> RemoteId {
    let shown = cut(&tenantry_engine::text::terminal(id.as_str()), 512);
    if *shown == *id.as_str() { id.clone() } else { RemoteId::new(shown) }
}

fn standing(address: &Address, entry: Option<&Entry>) -> &'static str {
    let Some(entry) = entry else { return "Absent" };
    let doubtful =
        entry.operation.as_ref().is_some_and(|open| !matches!(open.phase, Phase::NotHappened { .. }));
    match (entry.standing, entry.bound().is_some(), doubtful) {
        (_, _, true) => "InDoubt",
        (Standing::Ended, ..) => "Ended",
        (_, true, _) if entry.ended_elsewhere.is_some() => "Gone",
        (_, true, _) if address.kind == Kind::License => "Active",
        (_, true, _) => "Linked",
        (_, false, _) if entry.invitation.is_some() => "Invited",
        _ => "Absent",
    }
}
