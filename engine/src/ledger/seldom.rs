//! A set or map that most entries have empty: then it takes the room of a pointer, and no memory of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::task::TaskRecord;

/// A collection that is empty mostly. It is used as the collection that it holds.
#[derive(Clone)]
pub struct Seldom<T>(Option<Box<T>>);

/// A collection of which there is an empty one for everybody.
pub trait Collection: Default + Sized + 'static {
    /// The empty one.
    fn none() -> &'static Self;
    /// Whether this one is.
    fn is_none(&self) -> bool;
}

impl Collection for BTreeSet<String> {
    fn none() -> &'static Self {
        static NONE: BTreeSet<String> = BTreeSet::new();
        &NONE
    }

    fn is_none(&self) -> bool {
        self.is_empty()
    }
}

impl Collection for BTreeMap<String, TaskRecord> {
    fn none() -> &'static Self {
        static NONE: BTreeMap<String, TaskRecord> = BTreeMap::new();
        &NONE
    }

    fn is_none(&self) -> bool {
        self.is_empty()
    }
}

impl<T> Default for Seldom<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Collection> From<T> for Seldom<T> {
    fn from(all: T) -> Self {
        Self((!all.is_none()).then(|| Box::new(all)))
    }
}

impl<T: Collection> Deref for Seldom<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or_else(|| T::none())
    }
}

impl<T: Collection> DerefMut for Seldom<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

impl<T: Collection> Seldom<T> {
    /// Takes everything out.
    pub fn clear(&mut self) {
        self.0 = None;
    }

    /// What it holds, in order.
    pub fn iter<'a>(&'a self) -> <&'a T as IntoIterator>::IntoIter
    where
        &'a T: IntoIterator,
    {
        (**self).into_iter()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.is_none()
    }
}

impl<T: Collection + PartialEq> PartialEq for Seldom<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Collection + Eq> Eq for Seldom<T> {}

impl<T: Collection + FromIterator<I>, I> FromIterator<I> for Seldom<T> {
    fn from_iter<A: IntoIterator<Item = I>>(items: A) -> Self {
        T::from_iter(items).into()
    }
}

impl<T: Collection + Extend<I>, I> Extend<I> for Seldom<T> {
    fn extend<A: IntoIterator<Item = I>>(&mut self, items: A) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_some() {
            (**self).extend(items);
        }
    }
}

impl<'a, T: Collection> IntoIterator for &'a Seldom<T>
where
    &'a T: IntoIterator,
{
    type Item = <&'a T as IntoIterator>::Item;
    type IntoIter = <&'a T as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        (**self).into_iter()
    }
}

impl<T: Collection + fmt::Debug> fmt::Debug for Seldom<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Collection + Serialize> Serialize for Seldom<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, T: Collection + Deserialize<'de>> Deserialize<'de> for Seldom<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_was_emptied_is_one_that_never_held_anything() {
        let mut set: Seldom<BTreeSet<String>> = ["a".to_owned()].into_iter().collect();
        assert!(set.contains("a"));
        set.remove("a");
        set.extend([]);
        assert_eq!(set, Seldom::default());
        assert!(set.is_empty() && set.iter().next().is_none());
        assert_eq!(serde_json::from_str::<Seldom<BTreeSet<String>>>("[]").expect("a list"), set);
    }
}
