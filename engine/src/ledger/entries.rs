//! Entries by address, small however they came: a ledger that grows entry by entry keeps half of its tree's nodes as room
//! for more, and that room is that of a pointer.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::collections::btree_map;
use std::ops::Index;

use serde::{Deserialize, Serialize};

use super::Entry;
use crate::address::Address;

/// A map from addresses to entries, in address order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Entries(BTreeMap<Address, Box<Entry>>);

impl Entries {
    /// No entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entry of an address.
    pub fn get<Q: Ord + ?Sized>(&self, address: &Q) -> Option<&Entry>
    where
        Address: Borrow<Q>,
    {
        self.0.get(address).map(|entry| &**entry)
    }

    /// The entry of an address, to be changed.
    pub fn get_mut(&mut self, address: &Address) -> Option<&mut Entry> {
        self.0.get_mut(address).map(|entry| &mut **entry)
    }

    /// Whether the address has one.
    pub fn contains_key<Q: Ord + ?Sized>(&self, address: &Q) -> bool
    where
        Address: Borrow<Q>,
    {
        self.0.contains_key(address)
    }

    /// Sets the entry of an address; the one that it had.
    pub fn insert(&mut self, address: Address, entry: impl Into<Box<Entry>>) -> Option<Box<Entry>> {
        self.0.insert(address, entry.into())
    }

    /// Gives back the room that its tree has for more.
    pub fn fit(&mut self) {
        self.0 = std::mem::take(&mut self.0).into_iter().collect();
    }

    /// Takes the entry of an address out.
    pub fn remove(&mut self, address: &Address) -> Option<Box<Entry>> {
        self.0.remove(address)
    }

    /// Addresses and entries, in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.0.iter())
    }

    /// Addresses, in order.
    pub fn keys(&self) -> impl Iterator<Item = &Address> {
        self.0.keys()
    }

    /// Entries, by address.
    pub fn values(&self) -> impl Iterator<Item = &Entry> {
        self.0.values().map(|entry| &**entry)
    }

    /// Entries, by address, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.0.values_mut().map(|entry| &mut **entry)
    }
}

/// Addresses and entries, in order.
#[derive(Debug, Clone)]
pub struct Iter<'a>(btree_map::Iter<'a, Address, Box<Entry>>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Address, &'a Entry);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(address, entry)| (address, &**entry))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<'a> IntoIterator for &'a Entries {
    type Item = (&'a Address, &'a Entry);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl IntoIterator for Entries {
    type Item = (Address, Box<Entry>);
    type IntoIter = btree_map::IntoIter<Address, Box<Entry>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<E: Into<Box<Entry>>> Extend<(Address, E)> for Entries {
    fn extend<I: IntoIterator<Item = (Address, E)>>(&mut self, entries: I) {
        self.0.extend(entries.into_iter().map(|(address, entry)| (address, entry.into())));
    }
}

impl<E: Into<Box<Entry>>> FromIterator<(Address, E)> for Entries {
    /// Made at once, its tree is full.
    fn from_iter<I: IntoIterator<Item = (Address, E)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(address, entry)| (address, entry.into())).collect())
    }
}

impl Index<&Address> for Entries {
    type Output = Entry;

    fn index(&self, address: &Address) -> &Entry {
        &self.0[address]
    }
}
