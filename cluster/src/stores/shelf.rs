//! The objects of each kind, and which stores have listed theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tenantry_crd as crd;
use tenantry_crd::Kind;

use super::object::Common;
use super::packed::Packed;
use super::{Broken, Change, How, Object, Population, Unsynced};

/// Namespace and name.
pub(super) type Key = (Arc<str>, Arc<str>);

/// One list and watch: a kind in a namespace, or in all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source {
    pub kind: Kind,
    pub namespace: Option<Arc<str>>,
    /// Only names, of all Consoles: a shard holds some of them, and must know one that is another's from one that is not
    /// there.
    pub names: bool,
}

impl Source {
    fn covers(&self, namespace: &str) -> bool {
        self.namespace.as_deref().is_none_or(|own| own == namespace)
    }
}

/// An object as it was read.
#[derive(Debug, Clone)]
pub(super) enum Read<S> {
    /// It is understood.
    Whole(Arc<Object<S>>),
    /// It is not.
    Broken(Arc<Broken>),
    /// It is understood, and another shard's; its version.
    Elsewhere(Box<str>),
}

impl<S> Read<S> {
    /// What became of what was there before.
    fn since(&self, before: Option<&Self>) -> How {
        match (before, self) {
            (Some(Read::Whole(before)), Read::Whole(now)) if before.reads_as(now) => How::Noted,
            _ => How::Changed,
        }
    }

    /// Whether it is another object than the one before, under the same name.
    fn is_another(&self, before: Option<&Self>) -> bool {
        let uid = |read: &Self| match read {
            Read::Whole(object) => Some(object.uid.clone()),
            Read::Broken(broken) => Some(broken.uid.clone()),
            Read::Elsewhere(_) => None,
        };
        matches!((before.and_then(uid), uid(self)), (Some(before), Some(now)) if before != now)
    }

    pub fn version(&self) -> &str {
        match self {
            Read::Whole(object) => &object.version,
            Read::Broken(broken) => &broken.version,
            Read::Elsewhere(version) => version,
        }
    }
}

/// All objects of one kind.
#[derive(Debug, Clone)]
pub(super) struct Shelf<S>(pub BTreeMap<Key, Read<S>>);

impl<S> Default for Shelf<S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<S> Shelf<S> {
    pub fn whole(&self) -> impl Iterator<Item = &Arc<Object<S>>> {
        self.0.values().filter_map(|read| match read {
            Read::Whole(object) => Some(object),
            _ => None,
        })
    }

    pub fn broken(&self) -> impl Iterator<Item = &Arc<Broken>> {
        self.0.values().filter_map(|read| match read {
            Read::Broken(broken) => Some(broken),
            _ => None,
        })
    }

    pub fn get(&self, namespace: &str, name: &str) -> Option<&Read<S>> {
        self.0.get(&(Arc::from(namespace), Arc::from(name)))
    }
}

/// Of a kind without behaviour only names are held.
pub(super) type Names = Shelf<()>;

/// Everything that is held, shared with every [`Population`].
#[derive(Debug, Clone, Default)]
pub(super) struct Shelves {
    pub consoles: Arc<Shelf<crd::ConsoleSpec>>,
    /// Of a shard: every Console.
    pub console_names: Arc<Names>,
    pub customers: Arc<Shelf<Packed>>,
    pub products: Arc<Shelf<crd::ProductSpec>>,
    pub licenses: Arc<Shelf<crd::LicenseSpec>>,
    pub relationships: Arc<Shelf<crd::RelationshipSpec>>,
    pub attestations: Arc<Shelf<crd::AttestationSpec>>,
    pub upgrades: Arc<Names>,
    pub inventories: Arc<Names>,
    pub policies: Arc<Names>,
}

pub(super) struct Held {
    pub shelves: Shelves,
    /// Every store with why it has not listed its objects; `None` there: nothing was said yet.
    unsynced: BTreeMap<Source, Option<String>>,
    /// A selector chooses the Consoles.
    sharded: bool,
    /// What objects share.
    pub common: Common,
}

impl Held {
    pub fn new(unsynced: BTreeMap<Source, Option<String>>, sharded: bool) -> Self {
        Self { shelves: Shelves::default(), unsynced, sharded, common: Common::default() }
    }

    pub fn synced(&self) -> bool {
        self.unsynced.is_empty()
    }

    pub fn unsynced(&self) -> Vec<Unsynced> {
        self.unsynced
            .iter()
            .map(|(source, because)| Unsynced {
                kind: source.kind,
                namespace: source.namespace.as_deref().map(str::to_owned),
                because: because.clone(),
            })
            .collect()
    }

    pub fn population(&self) -> Population {
        Population::new(self.shelves.clone(), self.unsynced.keys().cloned().collect())
    }

    /// A store could not be read; what it holds stays.
    pub fn failed(&mut self, source: &Source, because: String) {
        if let Some(said) = self.unsynced.get_mut(source) {
            *said = Some(because);
        }
    }

    /// What a store holds is not all there is until it is listed again.
    pub fn unlist(&mut self, kind: Kind, namespaces: &[Source]) {
        for source in namespaces.iter().filter(|source| source.kind == kind) {
            self.unsynced.entry(source.clone()).or_insert(None);
        }
    }

    /// Whether a selector chooses the Consoles.
    pub fn is_sharded(&self) -> bool {
        self.sharded
    }

    /// Whether the Consoles are known by which Customers are chosen.
    pub fn consoles_listed(&self) -> bool {
        !self.sharded || !self.unsynced.keys().any(|source| source.kind == Kind::Console)
    }

    /// Whether this shard has a Console of this name.
    pub fn has_console(&self, namespace: &str, name: &str) -> bool {
        self.shelves.consoles.get(namespace, name).is_some()
    }

    /// Whether this shard or another one has a Console of this name.
    pub fn knows_console(&self, namespace: &str, name: &str) -> bool {
        self.has_console(namespace, name) || self.shelves.console_names.get(namespace, name).is_some()
    }

    /// The Consoles of this shard.
    pub fn console_names(&self) -> BTreeSet<Key> {
        self.shelves.consoles.0.keys().cloned().collect()
    }

    /// One more store is complete: everything that it lists now replaces what it held. Tells what changed.
    pub fn listed<S: Clone>(
        &mut self,
        source: &Source,
        shelf: fn(&mut Shelves) -> &mut Arc<Shelf<S>>,
        list: BTreeMap<Key, Read<S>>,
    ) -> Vec<Change> {
        let shelf = Arc::make_mut(shelf(&mut self.shelves));
        let change = |key: &Key, how: How| Change::Object {
            kind: source.kind,
            namespace: Arc::clone(&key.0),
            name: Arc::clone(&key.1),
            how,
        };
        let both = || list.iter().map(|(key, read)| (key, read, shelf.0.get(key)));
        let mut changes: Vec<Change> = both()
            .filter(|(_, read, old)| old.is_none_or(|old| old.version() != read.version()))
            .map(|(key, read, old)| change(key, read.since(old)))
            .collect();
        let others = both().filter(|(_, read, old)| read.is_another(*old));
        changes.extend(others.map(|(key, ..)| change(key, How::Went)));
        let own = |key: &Key| source.covers(&key.0);
        let gone = shelf.0.keys().filter(|key| own(key) && !list.contains_key(*key));
        changes.extend(gone.map(|key| change(key, How::Went)));
        shelf.0.retain(|key, _| !own(key));
        // Collected at once, the tree is full; filled object by object, half of it would be room for more.
        shelf.0 = std::mem::take(&mut shelf.0).into_iter().chain(list).collect();
        let first = self.unsynced.remove(source).is_some();
        if first && self.synced() {
            changes.push(Change::Synced);
        }
        changes
    }

    /// One object came or changed.
    pub fn put<S: Clone>(
        &mut self,
        kind: Kind,
        shelf: fn(&mut Shelves) -> &mut Arc<Shelf<S>>,
        key: Key,
        read: Read<S>,
    ) -> Option<Change> {
        let shelf = shelf(&mut self.shelves);
        let old = shelf.0.get(&key);
        if old.is_some_and(|old| old.version() == read.version()) {
            return None;
        }
        let how = read.since(old);
        let change = Change::Object { kind, namespace: Arc::clone(&key.0), name: Arc::clone(&key.1), how };
        Arc::make_mut(shelf).0.insert(key, read);
        Some(change)
    }

    /// One object went.
    pub fn remove<S: Clone>(
        &mut self,
        kind: Kind,
        shelf: fn(&mut Shelves) -> &mut Arc<Shelf<S>>,
        key: Key,
    ) -> Option<Change> {
        let shelf = shelf(&mut self.shelves);
        if !shelf.0.contains_key(&key) {
            return None;
        }
        Arc::make_mut(shelf).0.remove(&key);
        Some(Change::Object { kind, namespace: key.0, name: key.1, how: How::Went })
    }
}
