//! Values of fields, their canonical form and their keyed digests.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use smol_str::SmolStr;

/// The path of a field in the vendor-neutral projection of a declaration, such as `billing` or `contact.email`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Field(Cow<'static, str>);

/// Names that most entries of a ledger hold, sorted: read from a file, they cost no memory of their own.
const FREQUENT: [&str; 20] = [
    "address.city",
    "address.country",
    "address.line1",
    "address.line2",
    "address.postalCode",
    "address.state",
    "billing",
    "contact.email",
    "contact.firstName",
    "contact.lastName",
    "contact.phone",
    "culture",
    "dataGeography",
    "displayName",
    "domain",
    "groups",
    "language",
    "name",
    "quantity",
    "type",
];

impl Field {
    /// A field that an adapter knows at compile time.
    pub const fn of(path: &'static str) -> Self {
        Self(Cow::Borrowed(path))
    }

    /// A field read from elsewhere (a ledger, a plugin).
    pub fn owned(path: String) -> Self {
        Self::known(&path).unwrap_or(Self(Cow::Owned(path)))
    }

    fn known(path: &str) -> Option<Self> {
        FREQUENT.binary_search(&path).ok().map(|place| Self::of(FREQUENT[place]))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first dot: fields with one head are shown together.
    pub fn head(&self) -> &str {
        self.0.split('.').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Path;

        impl serde::de::Visitor<'_> for Path {
            type Value = Field;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the path of a field")
            }

            fn visit_str<E: serde::de::Error>(self, path: &str) -> Result<Field, E> {
                Ok(Field::known(path).unwrap_or_else(|| Field(Cow::Owned(path.to_owned()))))
            }
        }

        deserializer.deserialize_str(Path)
    }
}

impl std::borrow::Borrow<str> for Field {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Lists of fields that several records or entries have, each held once.
#[derive(Debug, Default)]
pub struct FieldLists(HashSet<Arc<[Field]>>);

impl FieldLists {
    /// The list with these fields that is shared.
    pub fn shared(&mut self, fields: &Arc<[Field]>) -> Arc<[Field]> {
        if let Some(known) = self.0.get(fields) {
            return Arc::clone(known);
        }
        self.0.insert(Arc::clone(fields));
        Arc::clone(fields)
    }
}

/// A field's value, small and without memory of its own where it is short. Text from vendors is shown through
/// [`crate::text`] only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Value {
    /// On or off.
    Bool(bool),
    /// A count.
    Number(i64),
    /// A text.
    Text(#[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))] SmolStr),
    /// A set of texts, kept sorted by whoever makes it where order means nothing.
    List(#[cfg_attr(any(test, feature = "schema"), schemars(with = "Vec<String>"))] Box<[Box<str>]>),
}

/// As an untagged enum is read, without a copy on the way.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> serde::de::Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a boolean, a whole number, a text or a list of texts")
            }

            fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Bool(value))
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Number(value))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
                let outside = |_| E::invalid_value(serde::de::Unexpected::Unsigned(value), &self);
                i64::try_from(value).map(Value::Number).map_err(outside)
            }

            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
                Ok(Value::text(value))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut items = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(64));
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Value::List(items.into()))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl Value {
    /// A text value.
    pub fn text(text: impl Into<SmolStr>) -> Self {
        Value::Text(text.into())
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// One line for a terminal.
    pub fn terminal(&self) -> String {
        match self {
            Value::Bool(true) => "yes".into(),
            Value::Bool(false) => "no".into(),
            Value::Number(n) => n.to_string(),
            Value::Text(text) => crate::text::terminal(text),
            Value::List(items) if items.is_empty() => "none".into(),
            Value::List(items) => {
                items.iter().map(|item| crate::text::terminal(item)).collect::<Vec<_>>().join(", ")
            }
        }
    }

    fn canonical(&self, out: &mut Vec<u8>) {
        match self {
            Value::Bool(b) => out.extend_from_slice(if *b { b"b1" } else { b"b0" }),
            Value::Number(n) => out.extend_from_slice(format!("n{n}").as_bytes()),
            Value::Text(text) => {
                out.extend_from_slice(format!("t{}:", text.len()).as_bytes());
                out.extend_from_slice(text.as_bytes());
            }
            Value::List(items) => {
                out.extend_from_slice(format!("l{}:", items.len()).as_bytes());
                for item in items {
                    out.extend_from_slice(format!("{}:", item.len()).as_bytes());
                    out.extend_from_slice(item.as_bytes());
                }
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

/// A keyed digest: 128 bits of HMAC-SHA-256, written as hex. It proves equality to whoever holds the ledger and tells
/// nobody else what the value was.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 16]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Hex;

        impl serde::de::Visitor<'_> for Hex {
            type Value = Digest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a digest of 32 hex digits")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Digest, E> {
                let wrong = || E::invalid_value(serde::de::Unexpected::Str(text), &self);
                let digits: &[u8; 32] = text.as_bytes().try_into().map_err(|_| wrong())?;
                let mut out = [0; 16];
                for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
                    let nibble = |digit: u8| match digit {
                        b'0'..=b'9' => Some(digit - b'0'),
                        b'a'..=b'f' => Some(digit - b'a' + 10),
                        _ => None,
                    };
                    let (high, low) = nibble(pair[0]).zip(nibble(pair[1])).ok_or_else(wrong)?;
                    *byte = high << 4 | low;
                }
                Ok(Digest(out))
            }
        }

        deserializer.deserialize_str(Hex)
    }
}

/// Makes the digests of one ledger; keyed by the ledger's lineage.
#[derive(Clone)]
pub struct Digester {
    keyed: Hmac<Sha256>,
}

impl Digester {
    /// A digester with the given key.
    pub fn new(key: &str) -> Self {
        Self { keyed: Hmac::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length") }
    }

    /// The digest of a field's value.
    pub fn value(&self, value: &Value) -> Digest {
        let mut bytes = Vec::with_capacity(64);
        value.canonical(&mut bytes);
        self.bytes(&bytes)
    }

    /// The digest of any text.
    pub fn text(&self, text: &str) -> Digest {
        self.bytes(text.as_bytes())
    }

    fn bytes(&self, bytes: &[u8]) -> Digest {
        let mut mac = self.keyed.clone();
        mac.update(bytes);
        let whole = mac.finalize().into_bytes();
        Digest(std::array::from_fn(|place| whole[place]))
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from_digit(u32::from(byte >> 4), 16).expect("a nibble"));
        out.push(char::from_digit(u32::from(byte & 15), 16).expect("a nibble"));
    }
    out
}

/// An unkeyed SHA-256 over length-prefixed parts: fingerprints of steps, ids of tasks.
pub(crate) fn sha256<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The canonical bytes of a value, for fingerprints.
pub(crate) fn canonical(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    value.canonical(&mut out);
    out
}

#[cfg(test)]
mod tests;
