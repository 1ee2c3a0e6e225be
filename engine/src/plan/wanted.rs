//! Which details this run should read: few, and the same for the same input.
//!
//! A detail is wanted where the declaration changed, an operation is open, an account is to end, or what the cache
//! holds is older than its facet's age; in this order, within the run's budget. That a record could not be read is held
//! for as long: it is never taken for knowledge, and it is not asked about again in every run.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::address::{Address, RemoteId};
use crate::console::Dialect;
use crate::desired::{AccountDecl, Desired};
use crate::ledger::{Entry, Ledger, Want};
use crate::observed::{Census, DetailKey, Details, Facet};

/// What to read, and what had to be left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reads {
    /// To be read now.
    pub now: Vec<DetailKey>,
    /// Wanted, but over the budget.
    pub over_budget: usize,
}

/// How urgent a read is: lower first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    InDoubt,
    Ending,
    Changed,
    Missing,
    Stale(Timestamp),
}

/// Decides which details to read.
pub fn wanted(
    desired: &Desired<'_>,
    ledger: &Ledger,
    census: &Census,
    cache: &Details,
    dialect: &dyn Dialect,
    now: Timestamp,
    budget: usize,
) -> Reads {
    let digester = ledger.digester();
    let ages = desired.console.spec.observe.effective();
    let age = |facet: Facet| {
        match facet {
            Facet::Account => ages.accounts,
            Facet::Access => ages.access,
            Facet::Licenses => ages.licenses,
        }
        .to_duration()
    };
    let mut wants: BTreeMap<DetailKey, Urgency> = BTreeMap::new();
    let mut want = |id: &RemoteId, facet: Facet, urgent: Option<Urgency>| {
        if census.get(id).is_none() {
            return;
        }
        let key = DetailKey { id: id.clone(), facet };
        let cached = match cache.get(&key) {
            None => Some(Urgency::Missing),
            Some(read) if stale(read.as_of, now, age(facet)) => Some(Urgency::Stale(read.as_of)),
            Some(_) => None,
        };
        if let Some(urgency) = urgent.into_iter().chain(cached).min() {
            let slot = wants.entry(key).or_insert(urgency);
            *slot = urgency.min(*slot);
        }
    };
    let mut licensed: BTreeMap<&Address, bool> = BTreeMap::new();
    for license in &desired.licenses {
        let entry = ledger.entries.get(&license.address);
        let projection = dialect.license(license);
        let changed = entry.is_none_or(|entry| {
            entry.bound().is_none()
                || projection.fields.iter().any(|(field, value)| {
                    entry.last_applied.get(field).is_none_or(|last| last.declared != digester.value(value))
                })
                || !entry.tasks.is_empty()
        });
        // What the cache does not hold is not gone for that: a run that died may have bound it without storing its reads.
        let missing = entry.and_then(Entry::bound).is_some_and(|id| {
            let account = ledger.entries.get(&license.account).and_then(Entry::bound);
            let key = account.map(|account| DetailKey { id: account.clone(), facet: Facet::Licenses });
            let read = key.and_then(|key| cache.get(&key)).filter(|read| read.unreadable.is_none());
            read.is_some_and(|read| read.licenses.iter().all(|one| one.id != *id || !one.in_force))
        });
        *licensed.entry(&license.account).or_default() |= changed || missing || license.want != Want::Present;
    }
    for decl in &desired.accounts {
        let entry = entry_of(ledger, decl);
        let id = entry
            .and_then(Entry::bound)
            .cloned()
            .or_else(|| decl.open().account.id.as_deref().map(RemoteId::from));
        let Some(id) = id else { continue };
        let doubt = entry.is_some_and(|entry| entry.operation.is_some()).then_some(Urgency::InDoubt);
        if let Some(changed) = licensed.get(&decl.address) {
            want(&id, Facet::Licenses, changed.then_some(Urgency::Changed));
        }
        if decl.want != Want::Present {
            for facet in dialect.facets_to_end() {
                want(&id, facet, Some(Urgency::Ending));
            }
            continue;
        }
        if !dialect.reads_accounts() {
            continue;
        }
        let projection = dialect.managed(&decl.open());
        if projection.facets.is_empty() {
            continue;
        }
        let Some(record) = census.get(&id) else { continue };
        let (mut changed, mut new) = (false, false);
        for (field, value) in &projection.fields {
            if record.fields().has(field.as_str()) {
                continue;
            }
            match entry.and_then(|entry| entry.last_applied.get(field)) {
                None => new = true,
                Some(last) => changed |= last.unsettled || last.declared != digester.value(value),
            }
        }
        for facet in projection.facets {
            let held = || {
                let key = DetailKey { id: id.clone(), facet };
                cache
                    .get(&key)
                    .is_some_and(|read| read.unreadable.is_some() && !stale(read.as_of, now, age(facet)))
            };
            let changed = changed || (new && !held());
            want(&id, facet, doubt.or(changed.then_some(Urgency::Changed)));
        }
    }
    for (address, entry) in &ledger.entries {
        let leaving = entry.deletion_policy != tenantry_crd::DeletionPolicy::Retain
            && desired.accounts.binary_search_by(|decl| decl.address.cmp(address)).is_err();
        if leaving && let Some(id) = entry.bound() {
            for facet in dialect.facets_to_end() {
                want(id, facet, None);
            }
        }
    }
    let mut order: Vec<(Urgency, DetailKey)> =
        wants.into_iter().map(|(key, urgency)| (urgency, key)).collect();
    order.sort();
    let over_budget = order.len().saturating_sub(budget);
    order.truncate(budget);
    Reads { now: order.into_iter().map(|(_, key)| key).collect(), over_budget }
}

fn entry_of<'l>(ledger: &'l Ledger, decl: &AccountDecl<'_>) -> Option<&'l Entry> {
    ledger.entries.get(&decl.address).or_else(|| decl.formerly.iter().find_map(|old| ledger.entries.get(old)))
}

fn stale(as_of: Timestamp, now: Timestamp, age: SignedDuration) -> bool {
    as_of.saturating_add(age).is_ok_and(|until| until <= now)
}
