//! Fields of a record with their values, small: a census holds a dozen for each of a hundred thousand records.
//!
//! The names are one list that records share ([`Fields::share`]). The values are written one after the other into one
//! text (`written` says how), which may hold other things behind them; a value is read out of it when it is asked for.
//! Invariants: as many names as values; the order is the one in which the adapter gave them; equal values are written
//! in one way only.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::written::{Reader, Writer};
use crate::value::{Field, FieldLists, Value};

#[cfg(test)]
mod tests;

/// Fields and their values.
#[derive(Clone, Default)]
pub struct Fields {
    names: Arc<[Field]>,
    /// Their values, and what others have written.
    text: Arc<str>,
    /// Which part of the text is theirs.
    from: u32,
    to: u32,
}

impl Fields {
    /// The value of a field.
    pub fn get(&self, path: &str) -> Option<Value> {
        let place = self.names.iter().position(|field| field.as_str() == path)?;
        let mut reader = self.reader();
        (0..place).try_for_each(|_| reader.pass())?;
        reader.value()
    }

    /// Whether the field has a value.
    pub fn has(&self, path: &str) -> bool {
        self.names.iter().any(|field| field.as_str() == path)
    }

    /// Fields and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Field, Value)> {
        let mut reader = self.reader();
        self.names.iter().map_while(move |field| Some((field, reader.value()?)))
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

    /// Writes values and gives the names of their fields.
    pub(super) fn write(
        writer: &mut Writer,
        pairs: impl IntoIterator<Item = (Field, Value)>,
    ) -> Arc<[Field]> {
        let named = pairs.into_iter().map(|(field, value)| {
            writer.value(&value);
            field
        });
        named.collect::<Vec<Field>>().into()
    }

    /// Fields whose values are the first bytes of a text.
    pub(super) fn at_the_head(names: Arc<[Field]>, text: Arc<str>, to: usize) -> Self {
        Self { names, from: 0, to: place(to), text }
    }

    /// Takes the same values out of another text, where they begin at `start`.
    pub(super) fn move_to(&mut self, text: &Arc<str>, start: u32) {
        self.to = start + (self.to - self.from);
        self.from = start;
        self.text = Arc::clone(text);
    }

    /// The values as they are written.
    pub(super) fn written(&self) -> &str {
        self.with_what_follows(self.to)
    }

    /// The values and what is written behind them, up to `end`.
    pub(super) fn with_what_follows(&self, end: u32) -> &str {
        &self.text[self.from as usize..end as usize]
    }

    fn reader(&self) -> Reader<'_> {
        Reader::from(self.written(), 0)
    }
}

pub(super) fn place(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("what is read of a few hundred records is less than 4 GiB")
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names && self.written() == other.written()
    }
}

impl Eq for Fields {}

impl FromIterator<(Field, Value)> for Fields {
    fn from_iter<I: IntoIterator<Item = (Field, Value)>>(pairs: I) -> Self {
        let mut writer = Writer::default();
        let names = Self::write(&mut writer, pairs);
        let text = writer.finish();
        let to = text.len();
        Self::at_the_head(names, text.into(), to)
    }
}

impl From<Vec<(Field, Value)>> for Fields {
    fn from(pairs: Vec<(Field, Value)>) -> Self {
        pairs.into_iter().collect()
    }
}

impl From<Fields> for Vec<(Field, Value)> {
    fn from(fields: Fields) -> Self {
        fields.iter().map(|(field, value)| (field.clone(), value)).collect()
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
