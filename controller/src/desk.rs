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

/// Consoles by age.
type Claims = BTreeMap<(Timestamp, Place), ConsoleName>;

/// Which Consoles belong to which vendor account: the older acts.
#[derive(Default)]
pub struct Accounts(Mutex<BTreeMap<VendorAccount, Claims>>);

impl Accounts {
    /// Claims an account for a Console of this age; an older one that has it is the error.
    pub fn claim(
        &self,
        account: &VendorAccount,
        made: Timestamp,
        place: &Place,
        name: &ConsoleName,
    ) -> Result<(), ConsoleName> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for claims in all.values_mut() {
            claims.retain(|(_, other), _| other != place);
        }
        let claims = all.entry(account.clone()).or_default();
        claims.insert((made, place.clone()), name.clone());
        match claims.first_key_value() {
            Some(((_, first), other)) if first != place => Err(other.clone()),
            _ => Ok(()),
        }
    }

    /// Takes every claim of a Console back.
    pub fn release(&self, place: &Place) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for claims in all.values_mut() {
            claims.retain(|(_, other), _| other != place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_consoles_on_one_account_the_older_acts_whoever_came_first() {
        let accounts = Accounts::default();
        let (old, new) = (("n".to_owned(), "old".to_owned()), ("n".to_owned(), "new".to_owned()));
        let at = |text: &str| text.parse::<Timestamp>().expect("a moment");
        let account = VendorAccount::new("sophos:1");
        let (older, newer) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
        assert_eq!(accounts.claim(&account, newer, &new, &"new".into()), Ok(()));
        assert_eq!(accounts.claim(&account, older, &old, &"old".into()), Ok(()));
        assert_eq!(accounts.claim(&account, newer, &new, &"new".into()), Err("old".into()));
        accounts.release(&old);
        assert_eq!(accounts.claim(&account, newer, &new, &"new".into()), Ok(()));
    }
}
