//! What was last applied to an account, by field, small: a ledger holds one for each of a hundred thousand accounts.
//!
//! The names of the fields are one list that entries share ([`LastApplied::share`]), and what most fields have, a
//! digest and nothing else, is all that they cost.
//!
//! Invariant: sorted by field, no field twice; serialised as a map in that order.

use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Applied;
use crate::value::{Digest, Field, FieldLists};

/// A map from fields to what was last applied to them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct LastApplied {
    fields: Arc<[Field]>,
    /// In the order of `fields`.
    declared: Box<[Digest]>,
    /// By place: those that the console shows otherwise, or that are not settled. Most entries have none.
    others: Option<Box<Others>>,
}

#[derive(Clone, PartialEq, Eq)]
struct Others(Box<[Other]>);

#[derive(Clone, PartialEq, Eq)]
struct Other {
    place: u16,
    shown: Option<Digest>,
    unsettled: bool,
}

impl LastApplied {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// How many fields it holds.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    fn at(&self, place: usize) -> Applied {
        let others = self.others.as_deref().map(|others| &*others.0).unwrap_or_default();
        let other = others.iter().find(|other| usize::from(other.place) == place);
        Applied {
            declared: self.declared[place],
            shown: other.and_then(|other| other.shown),
            unsettled: other.is_some_and(|other| other.unsettled),
        }
    }

    /// What was last applied to a field.
    pub fn get(&self, field: &Field) -> Option<Applied> {
        self.fields.binary_search(field).ok().map(|place| self.at(place))
    }

    /// Whether anything was applied to the field.
    pub fn contains_key(&self, field: &Field) -> bool {
        self.fields.binary_search(field).is_ok()
    }

    /// Sets a field.
    pub fn insert(&mut self, field: Field, applied: Applied) {
        self.extend([(field, applied)]);
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Fields and what was applied to them, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&Field, Applied)> {
        self.fields.iter().enumerate().map(|(place, field)| (field, self.at(place)))
    }

    /// Fields, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter()
    }

    /// Lets it use a list of fields that others use already.
    pub fn share(&mut self, lists: &mut FieldLists) {
        if !self.fields.is_empty() {
            self.fields = lists.shared(&self.fields);
        }
    }

    /// From pairs that are sorted, no field twice.
    fn sorted(pairs: Vec<(Field, Applied)>) -> Self {
        let mut fields = Vec::with_capacity(pairs.len());
        let mut declared = Vec::with_capacity(pairs.len());
        let mut others = Vec::new();
        for (place, (field, applied)) in pairs.into_iter().enumerate() {
            fields.push(field);
            declared.push(applied.declared);
            if applied.shown.is_some() || applied.unsettled {
                let place = u16::try_from(place).expect("no account has 65 536 fields");
                others.push(Other { place, shown: applied.shown, unsettled: applied.unsettled });
            }
        }
        Self {
            fields: fields.into(),
            declared: declared.into(),
            others: (!others.is_empty()).then(|| Box::new(Others(others.into()))),
        }
    }
}

impl Extend<(Field, Applied)> for LastApplied {
    fn extend<I: IntoIterator<Item = (Field, Applied)>>(&mut self, new: I) {
        let mut pairs: Vec<(Field, Applied)> =
            self.iter().map(|(field, applied)| (field.clone(), applied)).collect();
        let before = Arc::clone(&self.fields);
        for (field, applied) in new {
            match pairs.binary_search_by(|(other, _)| other.cmp(&field)) {
                Ok(place) => pairs[place].1 = applied,
                Err(place) => pairs.insert(place, (field, applied)),
            }
        }
        *self = Self::sorted(pairs);
        // Where no field was added, the list stays the shared one.
        if self.fields == before {
            self.fields = before;
        }
    }
}

impl FromIterator<(Field, Applied)> for LastApplied {
    fn from_iter<I: IntoIterator<Item = (Field, Applied)>>(pairs: I) -> Self {
        let mut map = Self::new();
        map.extend(pairs);
        map
    }
}

impl fmt::Debug for LastApplied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for LastApplied {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for LastApplied {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;

        impl<'de> Visitor<'de> for Map {
            type Value = LastApplied;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<LastApplied, A::Error> {
                let mut pairs: Vec<(Field, Applied)> = Vec::with_capacity(16);
                let mut is_sorted = true;
                while let Some((field, applied)) = access.next_entry::<Field, Applied>()? {
                    is_sorted &= pairs.last().is_none_or(|(last, _)| *last < field);
                    pairs.push((field, applied));
                }
                // Written sorted: anything else was written by somebody else.
                Ok(if is_sorted { LastApplied::sorted(pairs) } else { pairs.into_iter().collect() })
            }
        }

        deserializer.deserialize_map(Map)
    }
}

#[cfg(test)]
mod tests;
