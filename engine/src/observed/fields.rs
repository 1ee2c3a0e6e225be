//! Fields of a record with their values, small: a census holds a dozen for each of a hundred thousand records.
//!
//! The names are one list that records share ([`Fields::share`]). Invariant: as many names as values; the order is the
//! one in which the adapter gave them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::{Field, FieldLists, Value};

/// Fields and their values.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Fields {
    names: Arc<[Field]>,
    values: Box<[Value]>,
}

impl Fields {
    /// The value of a field.
    pub fn get(&self, path: &str) -> Option<&Value> {
        self.names.iter().position(|field| field.as_str() == path).map(|place| &self.values[place])
    }

    /// Fields and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Field, &Value)> {
        self.names.iter().zip(&self.values)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Lets it use a list of names that others use already.
    pub fn share(&mut self, lists: &mut FieldLists) {
        if !self.names.is_empty() {
            self.names = lists.shared(&self.names);
        }
    }
}

impl FromIterator<(Field, Value)> for Fields {
    fn from_iter<I: IntoIterator<Item = (Field, Value)>>(pairs: I) -> Self {
        let (names, values): (Vec<Field>, Vec<Value>) = pairs.into_iter().unzip();
        Self { names: names.into(), values: values.into() }
    }
}

impl From<Vec<(Field, Value)>> for Fields {
    fn from(pairs: Vec<(Field, Value)>) -> Self {
        pairs.into_iter().collect()
    }
}

impl From<Fields> for Vec<(Field, Value)> {
    fn from(fields: Fields) -> Self {
        fields.names.iter().cloned().zip(fields.values).collect()
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<(Field, Value)>::deserialize(deserializer).map(Self::from)
    }
}
