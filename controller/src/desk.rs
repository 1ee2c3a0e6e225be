//! What all workers of a process share.
//!
//! It decides nothing. Whoever takes a lock here holds it for a look, never across a request.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use kube::Client;
use smol_str::SmolStr;
use tenantry_cluster::stores::Stores;
use tenantry_consoles::Settings as HttpSettings;
use tenantry_crd::Kind;
use tenantry_engine::address::{ConsoleName, VendorAccount};
use tenantry_engine::observed::Observed;
use tenantry_engine::plan::Plan;
use url::Url;

use crate::clock::Times;
use crate::endpoints::Allowed;
use crate::events::Events;
use crate::metrics::Metrics;
use crate::status::attested::Words;
use crate::status::board::Board;
use crate::status::patch::Statuses;

/// A Console by namespace and name.
pub type Place = (String, String);

/// An object without our finalizer: kind, namespace, name, and version.
pub type Unheld = (Kind, Arc<str>, Arc<str>, SmolStr);

/// A number between 0 and 1, for jitter; passed in, so that tests are steady.
pub type Chance = Arc<dyn Fn() -> f64 + Send + Sync>;

/// What `GET /plan` and `GET /snapshot` show of a console.
pub struct Shown {
    /// The plan that was made last.
    pub plan: Plan,
    /// What it was made from.
    pub observed: Observed,
}

/// Settings that do not change while the process runs.
pub struct Rules {
    /// Endpoints by Console.
    pub endpoints: BTreeMap<String, Url>,
    /// Which endpoints may be spoken to.
    pub allowed: Allowed,
    /// How long changes are gathered.
    pub debounce: std::time::Duration,
    /// Share of an interval that is left to chance, 0 to 0.5.
    pub jitter: f64,
    /// Plan and report, and write neither consoles nor ledgers.
    pub plan_only: bool,
}

/// Shared by all workers.
pub struct Desk {
    /// The client.
    pub client: Client,
    /// What is declared.
    pub stores: Stores,
    /// Time.
    pub times: Times,
    /// What all consoles share: pace limiters, the request timeout.
    pub http: HttpSettings,
    /// Settings.
    pub rules: Rules,
    /// Jitter.
    pub chance: Chance,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Events.
    pub events: Events,
    /// What all consoles say about objects.
    pub board: Board,
    /// What all consoles say about Attestations.
    pub words: Words,
    /// Statuses.
    pub statuses: Statuses,
    /// Who acts for which vendor account.
    pub accounts: Accounts,
    /// Objects on which a finalizer was put, as they were before; held while some are: workers of one Customer do it
    /// once.
    pub holding: tokio::sync::Mutex<HashSet<Unheld>>,
    /// Held by a Console that binds many records at once: what several of them need for that is not needed together.
    pub binding: Arc<tokio::sync::Mutex<()>>,
    /// Plans and observations by Console.
    pub shown: Mutex<BTreeMap<Place, Arc<Shown>>>,
}

impl Desk {
    /// Puts a console's plan where the server finds it.
    pub fn show(&self, place: &Place, shown: Arc<Shown>) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).insert(place.clone(), shown);
    }

    /// Takes a console's plan away.
    pub fn hide(&self, place: &Place) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).remove(place);
    }

    /// The plans of all consoles.
    pub fn all_shown(&self) -> BTreeMap<Place, Arc<Shown>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A Console says which account it is.
struct Claim {
    account: VendorAccount,
    /// When the Console was made, in whole seconds.
    made: Timestamp,
    place: Place,
    name: ConsoleName,
}

/// Which Consoles belong to which vendor account, in the order in which they said so: of several the oldest acts, and of
/// those that were made in one second the first. Within a namespace the Console that the ledger names acts, whatever its
/// age: the ledger remembers it when this process ends.
#[derive(Default)]
pub struct Accounts(Mutex<Vec<Claim>>);

impl Accounts {
    /// Claims an account for a Console of this age; the one that has it is the error. `holds`: the ledger names it.
    pub fn claim(
        &self,
        account: &VendorAccount,
        made: Timestamp,
        (place, name): (&Place, &ConsoleName),
        holds: bool,
    ) -> Result<(), ConsoleName> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.iter_mut().find(|claim| claim.place == *place) {
            Some(own) if own.account == *account => own.made = made,
            _ => {
                all.retain(|claim| claim.place != *place);
                let (account, place, name) = (account.clone(), place.clone(), name.clone());
                all.push(Claim { account, made, place, name });
            }
        }
        let rivals = all.iter().filter(|claim| {
            claim.account == *account && (!holds || claim.place == *place || claim.place.0 != place.0)
        });
        match rivals.min_by_key(|claim| claim.made) {
            Some(first) if first.place != *place => Err(first.name.clone()),
            _ => Ok(()),
        }
    }

    /// Takes a Console's claim back.
    pub fn release(&self, place: &Place) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|claim| claim.place != *place);
    }

    /// Whether two Consoles are known to be different accounts.
    pub fn are_apart(&self, one: &Place, other: &Place) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let account =
            |place: &Place| all.iter().find(|claim| claim.place == *place).map(|claim| &claim.account);
        matches!((account(one), account(other)), (Some(one), Some(other)) if one != other)
    }

    /// Whether a Console is known to be another account than this one.
    pub fn is_apart(&self, place: &Place, account: &VendorAccount) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|claim| claim.place == *place && claim.account != *account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(namespace: &str, name: &str) -> (Place, ConsoleName) {
        ((namespace.to_owned(), name.to_owned()), name.into())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    #[test]
    fn of_two_consoles_on_one_account_the_older_acts_whoever_came_first() {
        let accounts = Accounts::default();
        let ((old, old_name), (new, new_name)) = (place("n", "old"), place("n", "new"));
        let account = VendorAccount::new("sophos:1");
        let (older, newer) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
        assert_eq!(accounts.claim(&account, newer, (&new, &new_name), false), Ok(()));
        assert_eq!(accounts.claim(&account, older, (&old, &old_name), false), Ok(()));
        assert_eq!(accounts.claim(&account, newer, (&new, &new_name), false), Err("old".into()));
        accounts.release(&old);
        assert_eq!(accounts.claim(&account, newer, (&new, &new_name), false), Ok(()));
    }

    #[test]
    fn of_two_that_were_made_in_one_second_the_first_to_say_so_acts_whatever_they_are_called() {
        let accounts = Accounts::default();
        let ((first, first_name), (other, other_name)) = (place("n", "sophos"), place("n", "other"));
        let account = VendorAccount::new("sophos:1");
        let made = at("2026-01-01T00:00:00Z");
        for _ in 0..2 {
            assert_eq!(accounts.claim(&account, made, (&first, &first_name), false), Ok(()));
            assert_eq!(accounts.claim(&account, made, (&other, &other_name), false), Err("sophos".into()));
        }
    }

    #[test]
    fn the_console_that_the_ledger_names_acts_beside_an_older_one_of_its_namespace_only() {
        let accounts = Accounts::default();
        let ((named, named_name), (older, older_name)) = (place("n", "named"), place("n", "older"));
        let account = VendorAccount::new("sophos:1");
        let (new, old) = (at("2026-02-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
        assert_eq!(accounts.claim(&account, old, (&older, &older_name), false), Ok(()));
        assert_eq!(accounts.claim(&account, new, (&named, &named_name), true), Ok(()));
        let (elsewhere, elsewhere_name) = place("m", "elsewhere");
        assert_eq!(accounts.claim(&account, old, (&elsewhere, &elsewhere_name), true), Err("older".into()));
        accounts.release(&older);
        assert_eq!(accounts.claim(&account, new, (&named, &named_name), true), Err("elsewhere".into()));
    }

    #[test]
    fn a_console_is_known_to_be_apart_only_once_it_said_so() {
        let accounts = Accounts::default();
        let (one, name) = place("n", "one");
        let account = VendorAccount::new("sophos:1");
        let (other, other_name) = place("n", "other");
        assert!(!accounts.is_apart(&one, &account), "nothing is known of it");
        let made = at("2026-01-01T00:00:00Z");
        accounts.claim(&VendorAccount::new("sophos:2"), made, (&one, &name), false).expect("it is alone");
        assert!(accounts.is_apart(&one, &account));
        assert!(!accounts.are_apart(&one, &other), "nothing is known of the other one");
        accounts.claim(&account, made, (&other, &other_name), false).expect("it is alone");
        assert!(accounts.are_apart(&one, &other));
        assert_eq!(accounts.claim(&account, made, (&one, &name), false), Err("other".into()));
        assert!(!accounts.is_apart(&one, &account), "it is the same one now");
        assert!(!accounts.are_apart(&one, &other));
    }
}
