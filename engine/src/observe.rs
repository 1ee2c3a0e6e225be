//! Reading a console: who we are, all records, the wanted details.
//!
//! It never writes anywhere. What the cache holds counts as long as it is younger than its facet's age, with the time
//! at which it was read; it proves no absence, and what a step rests on is read again before anything is written
//! ([`reread`]).

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::address::{Address, ConsoleName, RemoteId};
use crate::console::{Console, ConsoleError, Reading};
use crate::desired::Desired;
use crate::ledger::Ledger;
use crate::observed::{Census, DetailKey, Details, Facet, Identity, Observed};
use crate::plan::{Plan, Reads, wanted};
use crate::runtime::{Event, Runtime};

/// How much one run may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Details at most; what is wanted beyond that is `not compared`.
    pub read_budget: usize,
}

/// Who we are at the console. Comes first: it names the vendor account whose ledger is to be opened.
pub async fn identify(console: &dyn Console, runtime: &Runtime) -> Result<Identity, ConsoleError> {
    if runtime.stop.asked() {
        return Err(ConsoleError::Stopped);
    }
    console.identify().await
}

/// Reads everything that one plan needs.
pub async fn observe(
    console: &dyn Console,
    identity: &Identity,
    desired: &Desired<'_>,
    ledger: &Ledger,
    cache: &Details,
    runtime: &Runtime,
    settings: Settings,
) -> Result<(Observed, Reads), ConsoleError> {
    observe_on(console, identity, desired, ledger, cache, runtime, settings, None, None).await
}

/// As [`observe`], standing on a list that was read before, where one is given. With `about`, details are read for
/// these declarations and for operations in doubt alone.
#[expect(
    clippy::too_many_arguments,
    reason = "each is one thing that a look needs; a struct would name them twice"
)]
pub(crate) async fn observe_on(
    console: &dyn Console,
    identity: &Identity,
    desired: &Desired<'_>,
    ledger: &Ledger,
    cache: &Details,
    runtime: &Runtime,
    settings: Settings,
    before: Option<&Census>,
    about: Option<&BTreeSet<Address>>,
) -> Result<(Observed, Reads), ConsoleError> {
    let name = &desired.console.name;
    let census = match before {
        Some(census) => census.clone(),
        None => list(console, name, runtime).await?,
    };
    let now = runtime.clock.now();
    let mut reads = wanted(desired, ledger, &census, cache, console.dialect(), now, settings.read_budget);
    if let Some(about) = about {
        let records = records_of(about, desired, ledger);
        reads.now.retain(|key| records.contains(&key.id));
        reads.over_budget = 0;
    }
    let fresh = read(console, name, &reads.now, runtime).await?;
    let mut details = young(cache, &census, desired, now);
    details.extend(fresh);
    let cost = console.take_cost();
    Ok((Observed { identity: identity.clone(), census, details, cost }, reads))
}

/// The records of these declarations, of the accounts of licences among them, and of every operation in doubt.
fn records_of(about: &BTreeSet<Address>, desired: &Desired<'_>, ledger: &Ledger) -> BTreeSet<RemoteId> {
    let mut accounts: BTreeSet<&Address> = about.iter().collect();
    accounts
        .extend(desired.licenses.iter().filter(|one| about.contains(&one.address)).map(|one| &one.account));
    let doubtful = ledger.entries.iter().filter(|(_, entry)| entry.operation.is_some());
    for (address, entry) in doubtful {
        accounts.insert(entry.parent.as_deref().unwrap_or(address));
    }
    let bound = accounts
        .iter()
        .filter_map(|address| ledger.entries.get(*address).and_then(|entry| entry.remote_id.clone()));
    let named = desired
        .accounts
        .iter()
        .filter(|decl| accounts.contains(&decl.address))
        .filter_map(|decl| decl.open().account.id.as_deref().map(RemoteId::from));
    bound.chain(named).collect()
}

/// Lists all records.
pub async fn list(
    console: &dyn Console,
    name: &ConsoleName,
    runtime: &Runtime,
) -> Result<Census, ConsoleError> {
    if runtime.stop.asked() {
        return Err(ConsoleError::Stopped);
    }
    console.census(&Telling { console: name, runtime, of: 0 }).await
}

/// Reads these details.
pub async fn read(
    console: &dyn Console,
    name: &ConsoleName,
    wanted: &[DetailKey],
    runtime: &Runtime,
) -> Result<Details, ConsoleError> {
    if wanted.is_empty() {
        return Ok(Details::new());
    }
    if runtime.stop.asked() {
        return Err(ConsoleError::Stopped);
    }
    console.details(wanted, &Telling { console: name, runtime, of: wanted.len() }).await
}

/// How old a facet may become.
pub(crate) fn age(desired: &Desired<'_>, facet: Facet) -> SignedDuration {
    let ages = desired.console.spec.observe.effective();
    match facet {
        Facet::Account => ages.accounts,
        Facet::Access => ages.access,
        Facet::Licenses => ages.licenses,
    }
    .to_duration()
}

/// What of the cache still counts: younger than its age, about a record that is listed.
fn young(cache: &Details, census: &Census, desired: &Desired<'_>, now: Timestamp) -> Details {
    cache
        .iter()
        .filter(|(key, _)| census.get(&key.id).is_some())
        .filter(|(key, read)| {
            read.as_of.saturating_add(age(desired, key.facet)).is_ok_and(|until| until > now)
        })
        .map(|(key, read)| (key.clone(), Arc::clone(read)))
        .collect()
}

/// Facts from the cache that steps of this plan rest on: to be read again before anything is written.
pub fn stale_grounds(plan: &Plan, observed: &Observed, read: &BTreeSet<DetailKey>) -> Vec<DetailKey> {
    let about: BTreeSet<_> = plan
        .steps
        .iter()
        .filter(|step| step.held.is_none() && !step.action.ledger_only())
        .filter_map(|step| step.remote_id.as_ref())
        .collect();
    let licensed = plan.steps.iter().any(|step| step.address.kind == crate::address::Kind::License);
    observed
        .details
        .iter()
        .filter(|(key, _)| !read.contains(key))
        .filter(|(key, facts)| {
            about.contains(&key.id)
                || (licensed && facts.licenses.iter().any(|license| about.contains(&license.id)))
        })
        .map(|(key, _)| key.clone())
        .collect()
}

/// Reads these details again and puts them in their place.
pub async fn reread(
    console: &dyn Console,
    name: &ConsoleName,
    keys: &[DetailKey],
    observed: &mut Observed,
    runtime: &Runtime,
) -> Result<(), ConsoleError> {
    let fresh = read(console, name, keys, runtime).await?;
    for key in keys {
        observed.details.remove(key);
    }
    observed.details.extend(fresh);
    let cost = console.take_cost();
    observed.cost.pages += cost.pages;
    observed.cost.details += cost.details;
    observed.cost.other += cost.other;
    observed.cost.bytes += cost.bytes;
    Ok(())
}

struct Telling<'a> {
    console: &'a ConsoleName,
    runtime: &'a Runtime,
    of: usize,
}

impl Reading for Telling<'_> {
    fn page(&self, pages: u32, records: usize, of: Option<u32>) {
        self.runtime.progress.tell(Event::Census { console: self.console, records, pages, of });
    }

    fn detail(&self, done: usize) {
        self.runtime.progress.tell(Event::Details { console: self.console, done, of: self.of });
    }
}
