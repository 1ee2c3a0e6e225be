//! One record of a census, small: a controller holds some for each of a hundred thousand customers.
//!
//! The values of its fields, its name and its keys are written one after the other into one text, of which many
//! records take a part each ([`Record::pack`]). Invariant: fields, name and keys stand in this order without a gap.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::fields::{Fields, place};
use super::keys::Keys;
use super::written::{Reader, Writer};
use crate::address::RemoteId;
use crate::plan::matching::Key;
use crate::text::{Untrusted, UntrustedRef};
use crate::value::{Field, FieldLists, Value};

#[cfg(test)]
mod tests;

/// The text of so many records is one piece of memory.
const TOGETHER: usize = 512;

/// One record of a census.
#[derive(Clone, Deserialize)]
#[serde(from = "Read")]
pub struct Record {
    /// The vendor's id.
    pub id: RemoteId,
    /// In their text the name and the keys follow.
    fields: Fields,
    /// Where in the text the keys end.
    end: u32,
}

impl Record {
    /// A record with the name that people see there (as the vendor sent it), fields that the list shows (in the terms of
    /// the adapter's projection) and match keys. The order of fields and keys is kept.
    pub fn new(
        id: RemoteId,
        name: &str,
        fields: impl IntoIterator<Item = (Field, Value)>,
        keys: impl IntoIterator<Item = Key>,
    ) -> Self {
        let mut writer = Writer::default();
        let names = Fields::write(&mut writer, fields);
        let to = writer.len();
        writer.text(name);
        Keys::write(&mut writer, keys);
        let text = writer.finish();
        let end = place(text.len());
        Self { id, fields: Fields::at_the_head(names, text.into(), to), end }
    }

    /// The name people see there.
    pub fn name(&self) -> UntrustedRef<'_> {
        self.behind_fields().0
    }

    /// Fields that the list shows, in the terms of the adapter's projection.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The value of a field that the list shows.
    pub fn field(&self, path: &str) -> Option<Value> {
        self.fields.get(path)
    }

    /// Match keys, normalised.
    pub fn keys(&self) -> Keys<'_> {
        self.behind_fields().1
    }

    /// Lets its fields use a list of names that others use already.
    pub(super) fn share(&mut self, lists: &mut FieldLists) {
        self.fields.share(lists);
    }

    /// Writes what many records hold into few pieces of memory.
    pub(super) fn pack(all: &mut [Self]) {
        for some in all.chunks_mut(TOGETHER) {
            let mut text = String::with_capacity(some.iter().map(|one| one.written().len()).sum());
            let starts = some.iter().map(|one| {
                let start = place(text.len());
                text.push_str(one.written());
                start
            });
            let starts: Vec<u32> = starts.collect();
            let text: Arc<str> = text.into();
            for (one, start) in some.iter_mut().zip(starts) {
                one.end = start + place(one.written().len());
                one.fields.move_to(&text, start);
            }
        }
    }

    fn written(&self) -> &str {
        self.fields.with_what_follows(self.end)
    }

    fn shown(&self) -> Shown<'_> {
        let (name, keys) = self.behind_fields();
        Shown { id: &self.id, name, fields: &self.fields, keys }
    }

    fn behind_fields(&self) -> (UntrustedRef<'_>, Keys<'_>) {
        let mut reader = Reader::from(self.written(), self.fields.written().len());
        let name = reader.text().expect("behind the fields of a record its name is written");
        (UntrustedRef::new(name), Keys::rest(reader))
    }
}

/// The same things are written in one way only, wherever they stand.
impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.fields == other.fields && self.written() == other.written()
    }
}

impl Eq for Record {}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(f)
    }
}

/// A record as it is exported.
#[derive(Debug, Serialize)]
#[serde(rename = "Record", rename_all = "camelCase")]
struct Shown<'a> {
    id: &'a RemoteId,
    name: UntrustedRef<'a>,
    #[serde(skip_serializing_if = "Fields::is_empty")]
    fields: &'a Fields,
    #[serde(skip_serializing_if = "Keys::is_empty")]
    keys: Keys<'a>,
}

/// A record as an export holds it.
#[derive(Deserialize)]
#[serde(rename = "Record", rename_all = "camelCase")]
struct Read {
    id: RemoteId,
    name: Untrusted,
    #[serde(default)]
    fields: Vec<(Field, Value)>,
    #[serde(default)]
    keys: Vec<Key>,
}

impl From<Read> for Record {
    fn from(read: Read) -> Self {
        Self::new(read.id, read.name.raw(), read.fields, read.keys)
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown().serialize(serializer)
    }
}
