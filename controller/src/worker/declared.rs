//! What is declared for one Console, cut out of everything that is declared, and what people allow there.
//!
//! References stay in their namespace, so nothing outside of the Console's namespace matters. A Customer comes whole:
//! the engine leaves out what belongs to other Consoles.

use std::collections::{BTreeMap, BTreeSet};

use tenantry_cluster::stores::Population;
use tenantry_crd::Kind;
use tenantry_engine::address::{Address, ConsoleName, DEFAULT_NAMESPACE, Kind as Of};
use tenantry_engine::declare::Declarations;
use tenantry_engine::desired::{Desired, PackedCustomer};
use tenantry_engine::leads::{Leads, leads};
use tenantry_engine::ledger::Ledger;
use tenantry_engine::origin::{Origin, Scope};
use tenantry_engine::plan::{Approvals, Fingerprint};

use crate::desk::{Accounts, Place};

/// Releases held steps by their fingerprints.
pub const APPROVE: &str = "tenantry.io/approve";
/// Asks for an observation; any new value counts.
pub const REQUESTED: &str = "tenantry.io/reconcile-requested-at";

/// A Console by namespace and name, as plans call it.
pub fn console_name(namespace: &str, name: &str) -> ConsoleName {
    if namespace == DEFAULT_NAMESPACE {
        ConsoleName::new(name)
    } else {
        ConsoleName::new(format!("{namespace}/{name}"))
    }
}

/// What was read, as one Console's worker sees it: what an object declares for another Console of this process counts as
/// taken away from this one only where the two are known to be different accounts.
pub struct Around<'p> {
    population: &'p Population,
    accounts: &'p Accounts,
    place: &'p Place,
}

impl<'p> Around<'p> {
    /// Around this Console.
    pub fn new(population: &'p Population, accounts: &'p Accounts, place: &'p Place) -> Self {
        Self { population, accounts, place }
    }

    /// Whether another Console may be the same account as this one.
    fn may_be_ours(&self, console: &str) -> bool {
        let find = |name: &str| self.population.console(&self.place.0, name);
        let (Some(own), Some(other)) = (find(&self.place.1), find(console)) else { return false };
        let place: Place = (other.namespace.to_string(), other.name.to_string());
        own.name != other.name
            && own.spec.vendor() == other.spec.vendor()
            && !self.accounts.are_apart(self.place, &place)
    }
}

impl Scope for Around<'_> {
    fn was_read(&self, origin: &Origin, address: &Address) -> bool {
        if !self.population.was_read(origin, address) {
            return false;
        }
        // An account may be called as its Console, so each of a Customer's accounts may be the one.
        let customer = match address.kind {
            Of::Customer => self.population.customer(&address.namespace, &address.name),
            _ => None,
        };
        let accounts = customer.filter(|one| one.going.is_none()).map(|one| one.spec.accounts());
        let mut consoles = accounts.into_iter().flatten().map(|(_, console)| console.as_str());
        let led = match leads(self.population, address) {
            Leads::Console(console) => Some(console),
            Leads::Undeclared | Leads::Lost(_) => None,
        };
        let kept = |console: &str| console == self.place.1 || self.may_be_ours(console);
        !consoles.any(|console| self.may_be_ours(console)) && !led.is_some_and(kept)
    }
}

/// What is declared for this Console.
pub fn scoped<'p>(population: &'p Population, namespace: &str, console: &str) -> Declarations<'p> {
    let mut all = population.declarations();
    all.consoles.retain(|one| one.namespace == namespace && one.name == console);
    all.customers
        .retain(|one| one.namespace == namespace && one.spec.accounts().any(|(_, of)| of == console));
    let customers: BTreeSet<&str> = all.customers.iter().map(|one| one.name).collect();
    all.licenses
        .retain(|one| one.namespace == namespace && customers.contains(one.spec.customer_ref.name.as_str()));
    all.relationships.retain(|one| one.namespace == namespace && one.spec.console_ref.name == console);
    all.products.retain(|one| one.namespace == namespace);
    all.attestations.retain(|one| one.namespace == namespace);
    all.without_behaviour.clear();
    all
}

/// What changed since the last reconcile, by kind and name.
pub type Changed = BTreeSet<(Kind, String)>;

/// The addresses that changed objects are about: declared for this console, or remembered by its ledger.
pub fn about(
    changed: &Changed,
    namespace: &str,
    desired: &Desired<'_>,
    ledger: Option<&Ledger>,
) -> BTreeSet<Address> {
    let mut out = BTreeSet::new();
    let named = |kind: Kind, name: &str| changed.contains(&(kind, name.to_owned()));
    for decl in &desired.accounts {
        let invited =
            decl.invitation.as_ref().is_some_and(|one| named(Kind::Relationship, &one.relationship.name));
        if named(Kind::Customer, &decl.address.name) || invited {
            out.insert(decl.address.clone());
        }
    }
    for decl in &desired.licenses {
        if named(Kind::License, &decl.address.name)
            || named(Kind::Product, &decl.spec.product_ref.name)
            || named(Kind::Customer, &decl.spec.customer_ref.name)
        {
            out.insert(decl.address.clone());
        }
    }
    for address in ledger.iter().flat_map(|ledger| ledger.entries.keys()) {
        let kind = match address.kind {
            Of::Customer => Kind::Customer,
            Of::License => Kind::License,
            Of::Relationship => Kind::Relationship,
        };
        if address.namespace == namespace && named(kind, &address.name) {
            out.insert(address.clone());
        }
    }
    out
}

/// Whether these changes can matter to this console at all. A Console, an Attestation, a Relationship or a Product
/// may.
pub fn matters(changed: &Changed, about: &BTreeSet<Address>) -> bool {
    !about.is_empty() || changed.iter().any(|(kind, _)| !matches!(kind, Kind::Customer | Kind::License))
}

/// Fingerprints that a text of an annotation names.
fn fingerprints(text: &str) -> impl Iterator<Item = Fingerprint> + '_ {
    text.split(|c: char| c == ',' || c.is_whitespace())
        .map(str::trim)
        .filter(|one| one.len() == 16 && one.chars().all(|c| c.is_ascii_hexdigit()))
        .map(Fingerprint::from_text)
}

/// What people allow: annotations of the Console and of what is declared for it. Used ones stay used: the ledger
/// remembers them.
pub fn approvals(
    population: &Population,
    namespace: &str,
    console: &str,
    all: &Declarations<'_>,
) -> Approvals {
    let mut approve = BTreeSet::new();
    let mut take = |annotations: &BTreeMap<String, String>| {
        if let Some(text) = annotations.get(APPROVE) {
            approve.extend(fingerprints(text));
        }
    };
    if let Some(object) = population.console(namespace, console) {
        take(&object.annotations);
    }
    for one in &all.customers {
        if let Some(object) = population.customer(one.namespace, one.name) {
            take(&object.annotations);
        }
    }
    for one in &all.licenses {
        if let Some(object) = population.license(one.namespace, one.name) {
            take(&object.annotations);
        }
    }
    for one in &all.relationships {
        if let Some(object) = population.relationship(one.namespace, one.name) {
            take(&object.annotations);
        }
    }
    Approvals { approve, ..Approvals::default() }
}

/// The accounts that a Relationship invites, as the engine spreads them.
pub fn invited<'d>(desired: &'d Desired<'_>, name: &str) -> Vec<&'d Address> {
    desired
        .accounts
        .iter()
        .filter(|decl| decl.invitation.as_ref().is_some_and(|one| one.relationship.name == name))
        .map(|decl| &decl.address)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_names_fingerprints_in_any_of_the_usual_ways() {
        let found: Vec<String> = fingerprints("b2ddea7c6eaf2261, 0123456789ABCDEF\nnonsense,12")
            .map(|one| one.to_string())
            .collect();
        assert_eq!(found, ["b2ddea7c6eaf2261", "0123456789abcdef"]);
    }

    #[test]
    fn a_console_is_called_as_the_engine_calls_it() {
        assert_eq!(console_name("default", "sophos").as_str(), "sophos");
        assert_eq!(console_name("emea", "sophos").as_str(), "emea/sophos");
    }
}
