//! What is declared at one moment, for the engine and for whoever reports about it.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use tenantry_crd as crd;
use tenantry_crd::Kind;
use tenantry_engine::address::Address;
use tenantry_engine::declare::{Declarations, Declared};
use tenantry_engine::desired::CustomerSource;
use tenantry_engine::leads::{Directory, Listed, leads};
use tenantry_engine::origin::{Origin, Scope};

use super::packed::Packed;
use super::shelf::{Read, Shelf, Shelves, Source};
use super::{Broken, Going, Object};

/// What is declared at one moment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Population {
    shelves: Shelves,
    unsynced: Arc<[Source]>,
    seldom: Arc<Seldom>,
}

/// What is only looked for when somebody asks: it takes a walk over everything.
#[derive(Debug, Default)]
struct Seldom {
    broken: OnceLock<Vec<Broken>>,
    going: OnceLock<Vec<Going>>,
}

impl Population {
    pub(super) fn new(shelves: Shelves, unsynced: Vec<Source>) -> Self {
        Self { shelves, unsynced: unsynced.into(), seldom: Arc::default() }
    }

    /// Whether every store had listed its objects.
    pub fn synced(&self) -> bool {
        self.unsynced.is_empty()
    }

    /// What is declared, for [`tenantry_engine::declare::declare`]. Objects that are being deleted are left out.
    pub fn declarations(&self) -> Declarations<'_> {
        let mut out = Declarations {
            consoles: declared(Kind::Console, &self.shelves.consoles, |spec| spec),
            customers: declared(Kind::Customer, &self.shelves.customers, |packed| {
                CustomerSource::Packed(packed)
            }),
            products: declared(Kind::Product, &self.shelves.products, |spec| spec),
            licenses: declared(Kind::License, &self.shelves.licenses, |spec| spec),
            relationships: declared(Kind::Relationship, &self.shelves.relationships, |spec| spec),
            attestations: declared(Kind::Attestation, &self.shelves.attestations, |spec| spec),
            without_behaviour: Vec::new(),
        };
        let nameless = [
            (Kind::Upgrade, &self.shelves.upgrades),
            (Kind::Inventory, &self.shelves.inventories),
            (Kind::PlanPolicy, &self.shelves.policies),
        ];
        for (kind, shelf) in nameless {
            let word: Arc<str> = kind.as_str().into();
            out.without_behaviour.extend(
                shelf
                    .whole()
                    .filter(|object| object.going.is_none())
                    .map(|object| (kind.as_str(), origin(&word, object))),
            );
        }
        out
    }

    /// Tells which of the origins in a ledger were read: see [`Scope`].
    pub fn scope(&self) -> &Self {
        self
    }

    /// Objects that cannot be understood, by kind, namespace and name.
    pub fn broken(&self) -> &[Broken] {
        self.seldom.broken.get_or_init(|| {
            let mut broken = Vec::new();
            macro_rules! over {
                ($($shelf:ident),*) => {$(
                    broken.extend(self.shelves.$shelf.broken().map(|one| Broken::clone(one)));
                )*};
            }
            over!(consoles, customers, products, licenses, relationships, attestations);
            broken
        })
    }

    /// Objects that are being deleted and that our finalizer holds, by kind, namespace and name.
    pub fn going(&self) -> &[Going] {
        self.seldom.going.get_or_init(|| {
            let mut going = Vec::new();
            macro_rules! over {
                ($($kind:ident $shelf:ident),*) => {$(
                    going.extend(going_of(Kind::$kind, &self.shelves.$shelf));
                )*};
            }
            over!(
                Console consoles, Customer customers, Product products, License licenses,
                Relationship relationships, Attestation attestations
            );
            going
        })
    }

    /// The Consoles, those that are being deleted among them.
    pub fn consoles(&self) -> impl Iterator<Item = &Arc<Object<crd::ConsoleSpec>>> {
        self.shelves.consoles.whole()
    }

    /// The Customers, those that are being deleted among them.
    pub fn customers(&self) -> impl Iterator<Item = &Arc<Object<Packed>>> {
        self.shelves.customers.whole()
    }

    /// The Products, those that are being deleted among them.
    pub fn products(&self) -> impl Iterator<Item = &Arc<Object<crd::ProductSpec>>> {
        self.shelves.products.whole()
    }

    /// The Licenses, those that are being deleted among them.
    pub fn licenses(&self) -> impl Iterator<Item = &Arc<Object<crd::LicenseSpec>>> {
        self.shelves.licenses.whole()
    }

    /// The Relationships, those that are being deleted among them.
    pub fn relationships(&self) -> impl Iterator<Item = &Arc<Object<crd::RelationshipSpec>>> {
        self.shelves.relationships.whole()
    }

    /// The Attestations, those that are being deleted among them.
    pub fn attestations(&self) -> impl Iterator<Item = &Arc<Object<crd::AttestationSpec>>> {
        self.shelves.attestations.whole()
    }

    /// One Console.
    pub fn console(&self, namespace: &str, name: &str) -> Option<&Arc<Object<crd::ConsoleSpec>>> {
        one(&self.shelves.consoles, namespace, name)
    }

    /// One Customer.
    pub fn customer(&self, namespace: &str, name: &str) -> Option<&Arc<Object<Packed>>> {
        one(&self.shelves.customers, namespace, name)
    }

    /// One License.
    pub fn license(&self, namespace: &str, name: &str) -> Option<&Arc<Object<crd::LicenseSpec>>> {
        one(&self.shelves.licenses, namespace, name)
    }

    /// One Relationship.
    pub fn relationship(&self, namespace: &str, name: &str) -> Option<&Arc<Object<crd::RelationshipSpec>>> {
        one(&self.shelves.relationships, namespace, name)
    }

    /// One Product.
    pub fn product(&self, namespace: &str, name: &str) -> Option<&Arc<Object<crd::ProductSpec>>> {
        one(&self.shelves.products, namespace, name)
    }

    /// One Attestation.
    pub fn attestation(&self, namespace: &str, name: &str) -> Option<&Arc<Object<crd::AttestationSpec>>> {
        one(&self.shelves.attestations, namespace, name)
    }
}

impl Population {
    /// Whether an origin's object was listed and is understood, also where it is another shard's or is being deleted; or
    /// is not understood and is being deleted. A broken one, one that is not to be seen, and any of a store that has
    /// not synced: false. A place in a file was not read here.
    pub fn was_listed(&self, origin: &Origin) -> bool {
        let Origin::Object { object, namespace, name, .. } = origin else { return false };
        let Some(kind) = Kind::from_name(object) else { return false };
        let listed = !self.unsynced.iter().any(|source| {
            source.kind == kind && source.namespace.as_deref().is_none_or(|own| *own == **namespace)
        });
        listed
            && match kind {
                Kind::Console => read(&self.shelves.consoles, namespace, name),
                Kind::Customer => read(&self.shelves.customers, namespace, name),
                Kind::Product => read(&self.shelves.products, namespace, name),
                Kind::License => read(&self.shelves.licenses, namespace, name),
                Kind::Relationship => read(&self.shelves.relationships, namespace, name),
                Kind::Attestation => read(&self.shelves.attestations, namespace, name),
                Kind::Upgrade | Kind::Inventory | Kind::PlanPolicy | Kind::ConsoleBinding => false,
            }
    }
}

impl Scope for Population {
    fn was_read(&self, origin: &Origin, address: &Address) -> bool {
        self.was_listed(origin) && leads(self, address).lost().is_none()
    }
}

impl Directory for Population {
    fn console(&self, namespace: &str, name: &str) -> Listed<()> {
        match listed(&self.shelves.consoles, namespace, name) {
            Listed::Missing if self.shelves.console_names.get(namespace, name).is_some() => Listed::Apart,
            console => console.map(|_| ()),
        }
    }

    fn customer(&self, namespace: &str, name: &str) -> Listed<CustomerSource<'_>> {
        listed(&self.shelves.customers, namespace, name).map(|packed| CustomerSource::Packed(packed))
    }

    fn license(&self, namespace: &str, name: &str) -> Listed<&crd::LicenseSpec> {
        listed(&self.shelves.licenses, namespace, name)
    }

    fn relationship(&self, namespace: &str, name: &str) -> Listed<&crd::RelationshipSpec> {
        listed(&self.shelves.relationships, namespace, name)
    }
}

fn listed<'p, S>(shelf: &'p Shelf<S>, namespace: &str, name: &str) -> Listed<&'p S> {
    match shelf.get(namespace, name) {
        Some(Read::Whole(object)) if object.going.is_none() => Listed::Whole(&object.spec),
        Some(Read::Whole(_) | Read::Broken(_)) => Listed::Unclear,
        Some(Read::Elsewhere(_)) => Listed::Apart,
        None => Listed::Missing,
    }
}

fn read<S>(shelf: &Shelf<S>, namespace: &str, name: &str) -> bool {
    match shelf.get(namespace, name) {
        Some(Read::Whole(_) | Read::Elsewhere(_)) => true,
        Some(Read::Broken(broken)) => broken.going,
        None => false,
    }
}

fn one<'p, S>(shelf: &'p Shelf<S>, namespace: &str, name: &str) -> Option<&'p Arc<Object<S>>> {
    match shelf.get(namespace, name) {
        Some(Read::Whole(object)) => Some(object),
        _ => None,
    }
}

fn declared<'p, S, T>(kind: Kind, shelf: &'p Shelf<S>, spec: impl Fn(&'p S) -> T) -> Vec<Declared<'p, T>> {
    // Ledgers keep what an origin says: all of them the same word.
    let word: Arc<str> = kind.as_str().into();
    shelf
        .whole()
        .filter(|object| object.going.is_none())
        .map(|object| Declared {
            namespace: &object.namespace,
            name: &object.name,
            labels: &object.labels,
            origin: origin(&word, object),
            spec: spec(&object.spec),
        })
        .collect()
}

fn origin<S>(kind: &Arc<str>, object: &Object<S>) -> Origin {
    Origin::Object {
        object: Arc::clone(kind),
        namespace: Arc::clone(&object.namespace),
        name: Arc::clone(&object.name),
        generation: object.generation,
    }
}

fn going_of<S>(kind: Kind, shelf: &Shelf<S>) -> Vec<Going> {
    let going = |namespace: &Arc<str>, name: &Arc<str>| Going {
        kind,
        namespace: Arc::clone(namespace),
        name: Arc::clone(name),
    };
    let whole = shelf
        .whole()
        .filter(|object| object.going.is_some() && object.is_held())
        .map(|object| going(&object.namespace, &object.name));
    let broken = shelf
        .broken()
        .filter(|broken| broken.going && broken.held)
        .map(|broken| going(&broken.namespace, &broken.name));
    let sorted: BTreeSet<Going> = whole.chain(broken).collect();
    sorted.into_iter().collect()
}
