//! What all consoles say about an object, put together: the status of Customers, Licenses and Relationships.
//!
//! The top of a Customer is the least of its accounts. An account whose console has not spoken yet is unknown, never
//! ready. Pure but for the board's own memory.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroI64;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use smol_str::SmolStr;
use tenantry_crd::status::{AccountStatus, CustomerStatus, Evidence, ObjectStatus, READY, STALLED};
use tenantry_crd::value::Moment;
use tenantry_engine::address::{Address, Kind, RemoteId};
use tenantry_engine::leads::Lost;

use super::view::{State, View, Who, cut};
use crate::desk::Place;

#[cfg(test)]
mod tests;

/// What one console says. All that is declared for it is in one namespace.
#[derive(Default)]
struct Said {
    namespace: SmolStr,
    /// What accounts are called there: mostly all of them alike.
    accounts: BTreeSet<Arc<str>>,
    views: BTreeMap<Of, Kept>,
}

/// An address within its namespace.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Of {
    kind: Kind,
    name: SmolStr,
    account: Option<Arc<str>>,
}

/// A [`View`] as it is kept: there is one for each of three hundred thousand accounts, most of them as declared.
#[derive(PartialEq, Eq)]
struct Kept {
    generation: Option<NonZeroI64>,
    remote_id: Option<RemoteId>,
    /// The earliest of all times: it is not known.
    since: Timestamp,
    /// `None`: as declared, linked, observed, and no words about it.
    unusual: Option<Box<Unusual>>,
}

#[derive(PartialEq, Eq)]
struct Unusual {
    state: State,
    standing: &'static str,
    attested: bool,
    message: Option<Box<str>>,
}

/// The reason of [`State::Progressing`].
const PROGRESSING: &str = "Progressing";

/// Why an object is stalled that names one which is not there.
const DANGLING: &str = "DanglingReference";

/// What the console shows of most accounts.
const LINKED: &str = "Linked";

impl From<View> for Kept {
    fn from(view: View) -> Self {
        let View { generation, state, standing, remote_id, since, attested, message } = view;
        let usual = state == State::Ready && standing == LINKED && !attested && message.is_none();
        Self {
            generation: generation.and_then(NonZeroI64::new),
            remote_id,
            since: since.unwrap_or(Timestamp::MIN),
            unusual: (!usual).then(|| Box::new(Unusual { state, standing, attested, message })),
        }
    }
}

impl Kept {
    fn view(&self) -> View {
        let unusual = self.unusual.as_deref();
        View {
            generation: self.generation.map(NonZeroI64::get),
            state: unusual.map_or(State::Ready, |one| one.state.clone()),
            standing: unusual.map_or(LINKED, |one| one.standing),
            remote_id: self.remote_id.clone(),
            since: Some(self.since).filter(|since| *since != Timestamp::MIN),
            attested: unusual.is_some_and(|one| one.attested),
            message: unusual.and_then(|one| one.message.clone()),
        }
    }
}

/// Views of all consoles by address.
#[derive(Default)]
pub struct Board {
    said: Mutex<BTreeMap<Box<str>, Said>>,
    /// Consoles that will say something for the first time, each with the Customers about whom another one has spoken
    /// meanwhile.
    silent: Mutex<BTreeMap<Place, BTreeSet<String>>>,
}

impl Board {
    /// Takes what a console says now; gives the addresses about which it says something else than before.
    pub fn take(&self, console: &str, views: BTreeMap<Address, View>) -> Vec<Address> {
        let mut all = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let old = all.remove(console).unwrap_or_default();
        let mut new = Said::default();
        if let Some((first, _)) = views.first_key_value() {
            new.namespace = first.namespace.clone();
        }
        new.views = views.into_iter().map(|(address, view)| (new.of(address), view.into())).collect();
        let gone = old.views.keys().filter(|of| !new.views.contains_key(*of));
        let other = new.views.iter().filter(|(of, view)| old.views.get(*of) != Some(*view));
        let changed = gone.map(|of| old.address(of)).chain(other.map(|(of, _)| new.address(of))).collect();
        if !new.views.is_empty() {
            all.insert(console.into(), new);
        }
        changed
    }

    /// Forgets what is said about an object that was made again: all of it is told anew.
    pub fn forget(&self, kind: tenantry_crd::Kind, namespace: &str, name: &str) {
        let kind = match kind {
            tenantry_crd::Kind::Customer => Kind::Customer,
            tenantry_crd::Kind::License => Kind::License,
            _ => return,
        };
        let mut all = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        for said in all.values_mut().filter(|said| said.namespace == namespace) {
            let first = Of { kind, name: name.into(), account: None };
            let own = |of: &Of| of.kind == kind && of.name == name;
            let those = said.views.range(first..).map(|(of, _)| of).take_while(|of| own(of));
            for of in those.cloned().collect::<Vec<_>>() {
                said.views.remove(&of);
            }
        }
    }

    /// A console begins: it will say something soon, or why it cannot. Until then statuses of its Customers wait, so
    /// that what all consoles say is written once.
    pub fn expect(&self, place: &Place) {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).entry(place.clone()).or_default();
    }

    /// Whether one of these consoles is about to speak for the first time: then this Customer is remembered for it.
    pub fn waits(&self, namespace: &str, customer: &str, consoles: &[&str]) -> bool {
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        if silent.is_empty() {
            return false;
        }
        let one = consoles.iter().find_map(|console| {
            let place: Place = (namespace.to_owned(), (*console).to_owned());
            silent.contains_key(&place).then_some(place)
        });
        one.and_then(|place| silent.get_mut(&place))
            .map(|waiting| waiting.insert(customer.to_owned()))
            .is_some()
    }

    /// A console has spoken, or ends; gives the Customers that have waited for it.
    pub fn spoke(&self, place: &Place) -> BTreeSet<String> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).remove(place).unwrap_or_default()
    }

    /// What is said about an address.
    pub fn get(&self, address: &Address) -> Option<View> {
        let all = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let mut there = all.values().filter(|said| said.namespace == address.namespace);
        there.find_map(|said| said.views.get(&said.known(address)?)).map(Kept::view)
    }
}

impl Said {
    /// An address with what accounts are called held once.
    fn of(&mut self, address: Address) -> Of {
        let account = address.account.map(|account| {
            self.accounts.get(account.as_str()).cloned().unwrap_or_else(|| {
                let new: Arc<str> = account.as_str().into();
                self.accounts.insert(Arc::clone(&new));
                new
            })
        });
        Of { kind: address.kind, name: address.name, account }
    }

    /// The same, of one about which something may be said here.
    fn known(&self, address: &Address) -> Option<Of> {
        let account = match &address.account {
            Some(account) => Some(Arc::clone(self.accounts.get(account.as_str())?)),
            None => None,
        };
        Some(Of { kind: address.kind, name: address.name.clone(), account })
    }

    fn address(&self, of: &Of) -> Address {
        Address {
            kind: of.kind,
            namespace: self.namespace.clone(),
            name: of.name.clone(),
            account: of.account.as_deref().map(SmolStr::from),
        }
    }
}

/// `Ready` and `Stalled` of a state. Times are filled in where they are written: only then is known what was there.
pub fn conditions(state: &State, message: &str, generation: Option<i64>) -> Vec<Condition> {
    let (ready, reason) = said(state);
    conditions_as(ready, reason, message, generation)
}

/// The status of `Ready` and its reason.
fn said(state: &State) -> (&'static str, &'static str) {
    match state {
        State::Ready => ("True", "AsDeclared"),
        State::Unknown(reason) => ("Unknown", *reason),
        State::Progressing => ("False", PROGRESSING),
        State::Awaiting(who) => ("False", who.reason()),
        State::Stalled(reason) => ("False", *reason),
    }
}

fn conditions_as(ready: &str, reason: &str, message: &str, generation: Option<i64>) -> Vec<Condition> {
    let condition = |kind: &str, status: &str, reason: &str, message: &str| Condition {
        last_transition_time: Time(Timestamp::UNIX_EPOCH),
        message: cut(message, 4096).into_string(),
        observed_generation: generation,
        reason: reason.to_owned(),
        status: status.to_owned(),
        type_: kind.to_owned(),
    };
    let stalled = matches!(Rank::of(ready, reason), Rank::Stalled);
    let (stalled, why, words) = if stalled { ("True", reason, message) } else { ("False", "NotStalled", "") };
    vec![condition(READY, ready, reason, message), condition(STALLED, stalled, why, words)]
}

/// The order of [`State`], of what a status says; the worst first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Stalled,
    Awaiting(Who),
    Progressing,
    Unknown,
    Ready,
}

impl Rank {
    fn of(ready: &str, reason: &str) -> Self {
        match ready {
            "True" => Self::Ready,
            "False" if reason == PROGRESSING => Self::Progressing,
            "False" => {
                Who::ALL.into_iter().find(|who| who.reason() == reason).map_or(Self::Stalled, Self::Awaiting)
            }
            _ => Self::Unknown,
        }
    }
}

fn evidence(view: &View) -> Option<Evidence> {
    match (view.attested, view.standing) {
        (true, _) => Some(Evidence::Attested),
        (false, "Linked" | "Active" | "Gone" | "Ended") => Some(Evidence::Observed),
        _ => None,
    }
}

/// What is said of an account, a licence or a Relationship that leads nowhere.
fn astray(lost: Lost<'_>, before: Option<View>) -> View {
    let words = format!("{lost}; what it is bound to stays as it is");
    View {
        generation: None,
        state: if lost == Lost::Unclear { State::Unknown("NotObserved") } else { State::Stalled(DANGLING) },
        standing: before.as_ref().map_or("Unknown", |view| view.standing),
        remote_id: before.as_ref().and_then(|view| view.remote_id.clone()),
        since: before.as_ref().and_then(|view| view.since),
        attested: before.is_some_and(|view| view.attested),
        message: Some(words.into()),
    }
}

/// The status of a License or a Relationship that leads nowhere.
pub fn lost(lost: Lost<'_>, generation: i64) -> ObjectStatus {
    let view = astray(lost, None);
    bare(&view.state, view.message.as_deref().unwrap_or_default(), generation)
}

/// Who speaks of an account of a Customer.
#[derive(Clone, Copy)]
pub enum Speaks<'a> {
    /// A Console of this process.
    Console,
    /// Nobody: it leads nowhere.
    Nobody(Lost<'a>),
    /// Another shard, which said this; `None`: nothing yet.
    Shard(Option<&'a AccountStatus>),
}

/// The status of a Customer with these accounts.
pub fn customer(
    board: &Board,
    namespace: &str,
    name: &str,
    generation: i64,
    accounts: &[(&str, Speaks<'_>)],
) -> CustomerStatus {
    let unseen = |words: &str| View {
        generation: None,
        state: State::Unknown("NotObserved"),
        standing: "Unknown",
        remote_id: None,
        since: None,
        attested: false,
        message: Some(words.into()),
    };
    let accounts: Vec<AccountStatus> = accounts
        .iter()
        .map(|(account, speaks)| {
            let said = || board.get(&Address::account(namespace, name, account));
            let view = match speaks {
                Speaks::Console => said().unwrap_or_else(|| unseen("its console has not been observed yet")),
                Speaks::Nobody(lost) => astray(*lost, said()),
                // About an older declaration it says nothing of this one.
                Speaks::Shard(Some(said)) if said.observed_generation.is_some_and(|of| of >= generation) => {
                    return (*said).clone();
                }
                Speaks::Shard(_) => unseen("the shard that has its console has not spoken yet"),
            };
            of_account(account, &view)
        })
        .collect();
    let text = |text: &Option<String>| text.as_deref().unwrap_or_default().to_owned();
    let rank = |one: &AccountStatus| {
        let (ready, reason) = (text(&one.ready), text(&one.reason));
        (Rank::of(&ready, &reason), reason)
    };
    let least = accounts.iter().min_by_key(|one| rank(one));
    let conditions = match least {
        None => conditions(&State::Ready, "no account is declared", Some(generation)),
        Some(one) => {
            let words = text(&one.message);
            let message = if words.is_empty() { words } else { format!("{}: {words}", one.name) };
            conditions_as(&text(&one.ready), &text(&one.reason), &message, Some(generation))
        }
    };
    CustomerStatus {
        observed_generation: Some(generation),
        conditions,
        standing: least.and_then(|one| one.standing.clone()),
        accounts,
    }
}

fn of_account(name: &str, view: &View) -> AccountStatus {
    let (ready, reason) = said(&view.state);
    AccountStatus {
        name: name.to_owned(),
        observed_generation: view.generation,
        ready: Some(ready.to_owned()),
        reason: Some(reason.to_owned()),
        standing: Some(view.standing.to_owned()),
        remote_id: view.remote_id.as_ref().map(ToString::to_string),
        since: view.since.map(Moment),
        evidence: evidence(view),
        message: view.message.as_deref().map(str::to_owned),
    }
}

/// The status of a License.
pub fn license(board: &Board, namespace: &str, name: &str, generation: i64) -> ObjectStatus {
    let view = board.get(&Address {
        kind: Kind::License,
        namespace: namespace.into(),
        name: name.into(),
        account: None,
    });
    let Some(view) = view else {
        let words = "no Console with this account has been observed yet";
        return bare(&State::Unknown("NotObserved"), words, generation);
    };
    ObjectStatus {
        observed_generation: Some(generation),
        conditions: conditions(&view.state, view.message.as_deref().unwrap_or_default(), Some(generation)),
        remote_id: view.remote_id.as_ref().map(ToString::to_string),
        standing: Some(view.standing.to_owned()),
        evidence: evidence(&view),
        since: view.since.map(Moment),
    }
}

/// The status of a Relationship that invites these accounts: the least of them.
pub fn relationship(board: &Board, accounts: &[Address], generation: i64) -> ObjectStatus {
    let least = accounts
        .iter()
        .filter_map(|address| board.get(address).map(|view| (address, view)))
        .min_by_key(|(_, view)| view.state.clone());
    let Some((address, view)) = least else {
        return bare(
            &State::Unknown("NotObserved"),
            "none of its customers has been observed yet",
            generation,
        );
    };
    let words = view.message.as_deref().unwrap_or_default();
    let message = if words.is_empty() { String::new() } else { format!("{}: {words}", address.name) };
    let one = accounts.len() == 1;
    ObjectStatus {
        observed_generation: Some(generation),
        conditions: conditions(&view.state, &message, Some(generation)),
        remote_id: view.remote_id.as_ref().filter(|_| one).map(ToString::to_string),
        standing: Some(view.standing.to_owned()),
        evidence: evidence(&view),
        since: view.since.filter(|_| one).map(Moment),
    }
}

/// A status that has nothing but its conditions.
pub fn bare(state: &State, message: &str, generation: i64) -> ObjectStatus {
    ObjectStatus {
        observed_generation: Some(generation),
        conditions: conditions(state, message, Some(generation)),
        ..ObjectStatus::default()
    }
}
