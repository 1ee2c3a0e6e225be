//! A few values by field, small: a ledger holds one for each of a hundred thousand accounts.
//!
//! Invariant: sorted by field, no field twice; serialised as a map in that order.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::Field;

/// A map from fields to values, as one sorted list without room to spare.
#[derive(Clone, PartialEq, Eq)]
pub struct FieldMap<V>(Vec<(Field, V)>);

impl<V> FieldMap<V> {
    /// An empty map.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many fields it holds.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn place(&self, field: &Field) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.cmp(field))
    }

    /// The value of a field.
    pub fn get(&self, field: &Field) -> Option<&V> {
        self.place(field).ok().map(|place| &self.0[place].1)
    }

    /// The value of a field, to be changed.
    pub fn get_mut(&mut self, field: &Field) -> Option<&mut V> {
        self.place(field).ok().map(|place| &mut self.0[place].1)
    }

    /// Whether the field has a value.
    pub fn contains_key(&self, field: &Field) -> bool {
        self.place(field).is_ok()
    }

    /// Sets a field; returns what it was.
    pub fn insert(&mut self, field: Field, value: V) -> Option<V> {
        match self.place(&field) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place].1, value)),
            Err(place) => {
                self.0.reserve_exact(1);
                self.0.insert(place, (field, value));
                None
            }
        }
    }

    /// Takes a field out.
    pub fn remove(&mut self, field: &Field) -> Option<V> {
        self.place(field).ok().map(|place| self.0.remove(place).1)
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Fields and values, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&Field, &V)> {
        self.0.iter().map(|(field, value)| (field, value))
    }

    /// Fields, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().map(|(field, _)| field)
    }

    /// Values, in the order of their fields.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }
}

impl<V> Default for FieldMap<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: fmt::Debug> fmt::Debug for FieldMap<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<V> Extend<(Field, V)> for FieldMap<V> {
    fn extend<I: IntoIterator<Item = (Field, V)>>(&mut self, values: I) {
        for (field, value) in values {
            self.insert(field, value);
        }
    }
}

impl<V> FromIterator<(Field, V)> for FieldMap<V> {
    fn from_iter<I: IntoIterator<Item = (Field, V)>>(values: I) -> Self {
        let mut map = Self::new();
        map.extend(values);
        map
    }
}

impl<'m, V> IntoIterator for &'m FieldMap<V> {
    type Item = (&'m Field, &'m V);
    type IntoIter =
        std::iter::Map<std::slice::Iter<'m, (Field, V)>, fn(&'m (Field, V)) -> (&'m Field, &'m V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(field, value)| (field, value))
    }
}

impl<V: Serialize> Serialize for FieldMap<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for FieldMap<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Fields<V> {
            type Value = FieldMap<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut map = FieldMap(Vec::new());
                while let Some((field, value)) = access.next_entry::<Field, V>()? {
                    // Written sorted: the usual case appends.
                    if map.0.last().is_none_or(|(last, _)| *last < field) {
                        map.0.push((field, value));
                    } else {
                        map.insert(field, value);
                    }
                }
                map.0.shrink_to_fit();
                Ok(map)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

#[cfg(test)]
mod tests;
