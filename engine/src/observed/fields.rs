//! Fields of a record with their values, small: a census holds a dozen for each of a hundred thousand records.
//!
//! The names are one list that records share ([`Fields::share`]). The values are written one after the other into one
//! text, of which many records take a part each ([`Fields::pack`]); a value is read out of it when it is asked for.
//! Invariants: as many names as values; the order is the one in which the adapter gave them; equal values are written
//! in one way only.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::{Field, FieldLists, Value};

#[cfg(test)]
mod tests;

/// Fields and their values.
#[derive(Clone, Default)]
pub struct Fields {
    names: Arc<[Field]>,
    /// The values of these and of other fields.
    text: Arc<str>,
    /// Which part of the text is theirs.
    from: u32,
    to: u32,
}

/// The text of so many records is one piece of memory.
const TOGETHER: usize = 512;

impl Fields {
    /// The value of a field.
    pub fn get(&self, path: &str) -> Option<Value> {
        let place = self.names.iter().position(|field| field.as_str() == path)?;
        let mut values = self.values();
        (0..place).try_for_each(|_| values.pass())?;
        values.next()
    }

    /// Whether the field has a value.
    pub fn has(&self, path: &str) -> bool {
        self.names.iter().any(|field| field.as_str() == path)
    }

    /// Fields and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Field, Value)> {
        self.names.iter().zip(self.values())
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

    /// Writes the values of many records into few pieces of memory.
    pub fn pack<'f>(all: impl IntoIterator<Item = &'f mut Self>) {
        let mut all = all.into_iter();
        loop {
            let mut some: Vec<&mut Self> = all.by_ref().take(TOGETHER).collect();
            if some.is_empty() {
                return;
            }
            let mut text = String::with_capacity(some.iter().map(|one| one.written().len()).sum());
            for one in &mut some {
                let from = place(text.len());
                text.push_str(one.written());
                (one.from, one.to) = (from, place(text.len()));
                one.text = Arc::default();
            }
            let text: Arc<str> = text.into();
            for one in some {
                one.text = Arc::clone(&text);
            }
        }
    }

    fn written(&self) -> &str {
        &self.text[self.from as usize..self.to as usize]
    }

    fn values(&self) -> Values<'_> {
        Values(self.written())
    }
}

fn place(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("what is read of a few hundred records is less than 4 GiB")
}

/// Writes `b1`, `n12;`, `t5:hello`, `l2:1:a2:bc`.
fn write(value: &Value, out: &mut String) {
    let text = |out: &mut String, text: &str| write!(out, "{}:{text}", text.len());
    match value {
        Value::Bool(on) => write!(out, "b{}", u8::from(*on)),
        Value::Number(number) => write!(out, "n{number};"),
        Value::Text(one) => {
            out.push('t');
            text(out, one)
        }
        Value::List(items) => {
            write!(out, "l{}:", items.len()).and_then(|()| items.iter().try_for_each(|item| text(out, item)))
        }
    }
    .expect("writing into a text cannot fail");
}

/// Reads values, one after the other.
struct Values<'a>(&'a str);

impl<'a> Values<'a> {
    fn until(&mut self, end: char) -> Option<&'a str> {
        let (head, rest) = self.0.split_once(end)?;
        self.0 = rest;
        Some(head)
    }

    fn take(&mut self, bytes: usize) -> Option<&'a str> {
        let (head, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(head)
    }

    fn text(&mut self) -> Option<&'a str> {
        let bytes = self.until(':')?.parse().ok()?;
        self.take(bytes)
    }

    /// Goes over a value without making it.
    fn pass(&mut self) -> Option<()> {
        match self.take(1)? {
            "b" => self.take(1).map(drop),
            "n" => self.until(';').map(drop),
            "t" => self.text().map(drop),
            _ => {
                let items: usize = self.until(':')?.parse().ok()?;
                (0..items).try_for_each(|_| self.text().map(drop))
            }
        }
    }
}

impl Iterator for Values<'_> {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        match self.take(1)? {
            "b" => self.take(1).map(|on| Value::Bool(on == "1")),
            "n" => self.until(';')?.parse().ok().map(Value::Number),
            "t" => self.text().map(Value::text),
            _ => {
                let items: usize = self.until(':')?.parse().ok()?;
                (0..items).map(|_| self.text().map(Box::from)).collect::<Option<_>>().map(Value::List)
            }
        }
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names && self.written() == other.written()
    }
}

impl Eq for Fields {}

impl FromIterator<(Field, Value)> for Fields {
    fn from_iter<I: IntoIterator<Item = (Field, Value)>>(pairs: I) -> Self {
        let mut text = String::new();
        let named = pairs.into_iter().map(|(field, value)| {
            write(&value, &mut text);
            field
        });
        let names: Vec<Field> = named.collect();
        Self { names: names.into(), from: 0, to: place(text.len()), text: text.into() }
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
