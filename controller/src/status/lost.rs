//! Statuses of Customers, and of objects that name something which is not there: no console speaks of those.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use serde_json::json;
use tenantry_cluster::stores::Population;
use tenantry_crd::Kind;
use tenantry_crd::status::AccountStatus;
use tenantry_engine::address::Address;
use tenantry_engine::desired::PackedCustomer;
use tenantry_engine::leads::{Leads, leads};

use super::board::{self, Speaks};
use super::patch::StatusError;
use crate::desk::Desk;
use crate::lease::Tenure;
use crate::log::{Level, say};

/// So many statuses are written at once.
const AT_ONCE: usize = 8;
/// So many are made ready at once.
const READY: usize = 128;

/// An object by kind, namespace and name.
pub type Named = (Kind, Arc<str>, Arc<str>);

/// Every object of a namespace, or of all, that leads nowhere.
pub fn all(population: &Population, namespace: Option<&str>) -> BTreeSet<Named> {
    let within = |own: &str| namespace.is_none_or(|namespace| namespace == own);
    let mut lost = BTreeSet::new();
    macro_rules! every {
        ($($kind:ident $list:ident),*) => {$(
            let named = population.$list().filter(|one| within(&one.namespace)).map(|one| {
                (Kind::$kind, Arc::clone(&one.namespace), Arc::clone(&one.name))
            });
            lost.extend(named.filter(|one| is_lost(population, one)));
        )*};
    }
    every!(Customer customers, License licenses, Relationship relationships);
    lost
}

/// Writes a Customer's status: what its consoles say of it, and which of its accounts lead nowhere. Where a console is
/// about to speak for the first time, it waits for that one.
pub async fn customer(
    desk: &Desk,
    population: &Population,
    namespace: &str,
    name: &str,
) -> Result<bool, StatusError> {
    let Some(object) = population.customer(namespace, name) else { return Ok(false) };
    let accounts = object.spec.accounts();
    let consoles: Vec<&str> = accounts.iter().map(|(_, console)| console.as_str()).collect();
    if desk.board.waits(namespace, name, &consoles) {
        return Ok(false);
    }
    let addresses: Vec<Address> =
        accounts.iter().map(|(account, _)| Address::account(namespace, name, account)).collect();
    let speaks: Vec<Option<Speaks<'_>>> = addresses
        .iter()
        .map(|address| match leads(population, address) {
            Leads::Lost(lost) => Some(Speaks::Nobody(lost)),
            // Another shard's Console is known by its name only.
            Leads::Console(console) => population.console(namespace, console).map(|_| Speaks::Console),
            Leads::Undeclared => Some(Speaks::Console),
        })
        .collect();
    let status = |theirs: &[AccountStatus]| {
        let said = |name: &str| theirs.iter().find(|one| one.name == name);
        let all: Vec<(&str, Speaks<'_>)> = accounts
            .iter()
            .zip(&speaks)
            .map(|((name, _), speaks)| (name.as_str(), speaks.unwrap_or_else(|| Speaks::Shard(said(name)))))
            .collect();
        board::customer(&desk.board, namespace, name, object.generation, &all)
    };
    let now = desk.times.now();
    if speaks.iter().all(Option::is_some) {
        return desk.statuses.write(Kind::Customer, namespace, name, || status(&[]), now).await;
    }
    desk.statuses.write_beside(namespace, name, status, now).await
}

/// Writes the statuses of those that lead nowhere.
pub async fn tell(desk: Arc<Desk>, tenure: Tenure, some: BTreeSet<Named>) {
    let population = desk.stores.population();
    let some: Vec<Named> = some.into_iter().filter(|one| is_lost(&population, one)).collect();
    for few in some.chunks(READY) {
        let population = desk.stores.population();
        let mut writing = Vec::with_capacity(few.len());
        for one in few {
            writing.push(tell_one(&desk, &tenure, &population, one));
        }
        stream::iter(writing).buffer_unordered(AT_ONCE).collect::<()>().await;
    }
}

fn is_lost(population: &Population, (kind, namespace, name): &Named) -> bool {
    let leads_nowhere = |address: Address| leads(population, &address).lost().is_some();
    match kind {
        Kind::Customer => population.customer(namespace, name).is_some_and(|one| {
            one.spec
                .accounts()
                .iter()
                .any(|(account, _)| leads_nowhere(Address::account(namespace, name, account)))
        }),
        Kind::License => leads_nowhere(Address::license(namespace, name)),
        Kind::Relationship => leads_nowhere(Address::relationship(namespace, name)),
        _ => false,
    }
}

async fn tell_one(desk: &Desk, tenure: &Tenure, population: &Population, (kind, namespace, name): &Named) {
    if !tenure.holds() {
        return;
    }
    let (address, generation) = match kind {
        Kind::License => {
            let found = population.license(namespace, name).map(|one| one.generation);
            (Address::license(namespace, name), found)
        }
        Kind::Relationship => {
            let found = population.relationship(namespace, name).map(|one| one.generation);
            (Address::relationship(namespace, name), found)
        }
        _ => return written(desk, customer(desk, population, namespace, name).await),
    };
    let (Some(lost), Some(generation)) = (leads(population, &address).lost(), generation) else { return };
    let status = || board::lost(lost, generation);
    written(desk, desk.statuses.write(*kind, namespace, name, status, desk.times.now()).await);
}

/// Counts a status that was written, and says where one could not be.
pub fn written(desk: &Desk, result: Result<bool, StatusError>) {
    match result {
        Ok(true) => desk.metrics.wrote("status"),
        Ok(false) => {}
        Err(error) => say(Level::Warn, "status", json!({"error": error.to_string()})),
    }
}
