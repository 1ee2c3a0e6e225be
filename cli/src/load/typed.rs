//! Trees to typed objects: a serde deserializer that knows where it stands and never converts a scalar.
//!
//! The same code reads good and bad documents, so there is no second reading that could disagree with the first.
//! After a mistake the entry that holds it is left out and the document is read again, so that one run shows all
//! mistakes of a document (up to [`MAX_PROBLEMS`]).
//!
//! Never recurses deeper than the tree ([`super::yaml::MAX_DEPTH`]); never looks at files.
//! Invariant: a plain scalar becomes text only if every YAML reader takes it for text ([`super::scalar`]).

mod error;
mod words;

use std::cell::RefCell;
use std::collections::HashSet;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

pub use error::{Kind, TypedError};
pub use words::{explain, nearest};

use super::problem::Problem;
use super::scalar::{Plain, Trap, fraction};
use super::tree::{Node, Span, Value};

/// Keys of the document that were read before, or that only a cluster writes.
const ROOT_KEYS: [&str; 3] = ["apiVersion", "kind", "status"];

/// After so many mistakes in one document the rest is left for the next run.
pub const MAX_PROBLEMS: usize = 20;

/// Decodes `root` with `decode`; on failure says everything that is wrong, in source order.
///
/// `kind` is the object's kind, for the messages. Unknown keys of structs are mistakes even where serde would pass
/// over them.
pub fn decode<'t, T>(
    kind: &str,
    root: &'t Node<'t>,
    decode: impl Fn(Decoder<'t, '_>) -> Result<T, TypedError>,
) -> Result<T, Vec<Problem>> {
    let cx = Context::default();
    loop {
        let decoder = Decoder { node: root, key: None, cx: &cx, is_root: true };
        match decode(decoder) {
            Ok(value) => {
                let mut found = cx.found.take();
                if found.is_empty() {
                    return Ok(value);
                }
                return Err(words::problems(kind, root, &mut found));
            }
            Err(error) => {
                let at = error.at.unwrap_or_else(|| decoder.at());
                if !cx.caused_by_leaving_out(&error, at) {
                    cx.report(at, error.kind);
                }
                // The entry that cannot be left out twice is the document itself.
                let again = at.skip != root.span.start && cx.skip.borrow_mut().insert(at.skip);
                if !again || cx.found.borrow().len() >= MAX_PROBLEMS {
                    return Err(words::problems(kind, root, &mut cx.found.take()));
                }
            }
        }
    }
}

/// Where an error belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// What to put the caret under.
    span: Span,
    /// The first byte of the entry that holds it: of its key, or of the list's item.
    skip: u32,
    /// The first byte of the node that it happened in.
    container: u32,
    /// True when the caret is under a container's first key, because nothing else stands for the container.
    first_key: bool,
}

#[derive(Default)]
struct Context {
    /// Mistakes of all readings so far.
    found: RefCell<Vec<(At, Kind)>>,
    /// Entries that are left out.
    skip: RefCell<HashSet<u32>>,
    /// Which keys of which containers were left out in any reading.
    left_out: RefCell<HashSet<(u32, String)>>,
}

impl Context {
    fn report(&self, at: At, kind: Kind) {
        let mut found = self.found.borrow_mut();
        if found.len() < MAX_PROBLEMS && !found.iter().any(|(a, k)| a.span == at.span && *k == kind) {
            found.push((at, kind));
        }
    }

    /// A field is missing only because its entry was left out.
    fn caused_by_leaving_out(&self, error: &TypedError, at: At) -> bool {
        match &error.kind {
            Kind::MissingField(field) => {
                self.left_out.borrow().contains(&(at.container, (*field).to_owned()))
            }
            _ => !self.skip.borrow().is_empty() && matches!(error.kind, Kind::Length),
        }
    }
}

/// Deserializes one node.
#[derive(Clone, Copy)]
pub struct Decoder<'t, 'c> {
    node: &'t Node<'t>,
    key: Option<&'t Node<'t>>,
    cx: &'c Context,
    is_root: bool,
}

impl<'t> Decoder<'t, '_> {
    fn at(&self) -> At {
        let first_key = self.node.entries().first().map(|(key, _)| key.span).filter(|_| self.key.is_none());
        let span = match self.key {
            Some(key) if self.node.is_container() || self.node.span.start == self.node.span.end => key.span,
            _ => first_key.unwrap_or(self.node.span),
        };
        let skip = self.key.map_or(self.node.span.start, |key| key.span.start);
        At { span, skip, container: self.node.span.start, first_key: first_key.is_some() }
    }

    fn err(&self, kind: Kind) -> TypedError {
        TypedError { kind, at: Some(self.at()) }
    }

    fn located<T>(&self, result: Result<T, TypedError>) -> Result<T, TypedError> {
        result.map_err(|error| TypedError { at: error.at.or_else(|| Some(self.at())), ..error })
    }

    /// The scalar for a field that wants something else than any kind of value.
    fn scalar(&self, wanted: &'static str) -> Result<(&'t str, Plain), TypedError> {
        let Value::Scalar { text, .. } = &self.node.value else {
            let found = if matches!(self.node.value, Value::Sequence(_)) { "a list" } else { "a mapping" };
            return Err(self.err(Kind::Type { found: found.to_owned(), wanted: wanted.to_owned() }));
        };
        let class = self.node.class().unwrap_or(Plain::Text);
        if class == Plain::Null {
            return Err(self.err(Kind::Null));
        }
        Ok((text, class))
    }

    fn text(&self) -> Result<&'t str, TypedError> {
        let (text, class) = self.scalar("text")?;
        match class {
            Plain::Text => Ok(text),
            Plain::Trap(trap) => Err(self.err(Kind::Trap { text: text.to_owned(), trap, wanted: "text" })),
            Plain::Bool(_) => Err(self.err(Kind::Unquoted { text: text.to_owned(), is: "a boolean" })),
            _ => Err(self.err(Kind::Unquoted { text: text.to_owned(), is: "a number" })),
        }
    }

    fn number<V: Visitor<'t>>(
        self,
        visitor: V,
        wanted: &'static str,
        float: bool,
    ) -> Result<V::Value, TypedError> {
        let (text, class) = self.scalar(wanted)?;
        let result = match class {
            Plain::Unsigned(n) => visitor.visit_u64(n),
            Plain::Signed(n) => visitor.visit_i64(n),
            Plain::Float(n) if float => visitor.visit_f64(n),
            Plain::Trap(trap) => match fraction(text).filter(|_| float) {
                Some(number) => visitor.visit_f64(number),
                None => Err(self.err(Kind::Trap { text: text.to_owned(), trap, wanted })),
            },
            _ => {
                Err(self.err(Kind::Scalar { text: text.to_owned(), class, quoted: !self.is_plain(), wanted }))
            }
        };
        self.located(result)
    }

    fn is_plain(&self) -> bool {
        matches!(self.node.value, Value::Scalar { plain: true, .. })
    }

    fn entries<V: Visitor<'t>>(
        self,
        visitor: V,
        fields: Option<&'static [&'static str]>,
    ) -> Result<V::Value, TypedError> {
        let Value::Mapping(entries) = &self.node.value else {
            if self.node.is_null() {
                return Err(self.err(Kind::Null));
            }
            let found = words::found(self.node);
            return Err(self.err(Kind::Type { found, wanted: "a mapping".to_owned() }));
        };
        let access = Entries { rest: entries.iter(), value: None, fields, parent: self, root: self.is_root };
        self.located(visitor.visit_map(access))
    }
}

macro_rules! numbers {
    ($($method:ident)+) => {
        $(fn $method<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, TypedError> {
            self.number(visitor, "a whole number", false)
        })+
    };
}

macro_rules! texts {
    ($($method:ident)+) => {
        $(fn $method<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, TypedError> {
            let text = self.text()?;
            self.located(visitor.visit_borrowed_str(text))
        })+
    };
}

impl<'t> Deserializer<'t> for Decoder<'t, '_> {
    type Error = TypedError;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, TypedError> {
        match &self.node.value {
            Value::Sequence(_) => self.deserialize_seq(visitor),
            Value::Mapping(_) => self.deserialize_map(visitor),
            Value::Scalar { text, .. } => {
                let (_, class) = self.scalar("a value")?;
                let result = match class {
                    Plain::Bool(value) => visitor.visit_bool(value),
                    Plain::Unsigned(n) => visitor.visit_u64(n),
                    Plain::Signed(n) => visitor.visit_i64(n),
                    Plain::Float(n) => visitor.visit_f64(n),
                    Plain::Trap(trap) => {
                        return Err(self.err(Kind::Trap {
                            text: text.to_string(),
                            trap,
                            wanted: "anything",
                        }));
                    }
                    Plain::Text | Plain::Null => visitor.visit_borrowed_str(text),
                };
                self.located(result)
            }
        }
    }

    fn deserialize_bool<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, TypedError> {
        const WANTED: &str = "true or false";
        let (text, class) = self.scalar(WANTED)?;
        match class {
            Plain::Bool(value) => self.located(visitor.visit_bool(value)),
            Plain::Trap(trap @ Trap::Boolean(_)) => {
                Err(self.err(Kind::Trap { text: text.to_owned(), trap, wanted: WANTED }))
            }
            _ => Err(self.err(Kind::Scalar {
                text: text.to_owned(),
                class,
                quoted: !self.is_plain(),
                wanted: WANTED,
            })),
        }
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_f32<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, TypedError> {
        self.number(visitor, "a number", true)
    }

    fn deserialize_f64<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, TypedError> {
        self.number(visitor, "a number", true)
    }

    texts! { deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf deserialize_identifier }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, TypedError> {
        if self.node.is_null() {
            return Err(self.err(Kind::Null));
        }
        self.located(visitor.visit_some(self))
    }

    fn deserialize_unit<V: Visitor<'t>>(self, _: V) -> Result<V::Value, TypedError> {
        Err(self.err(Kind::Null))
    }

    fn deserialize_unit_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        self.located(visitor.visit_newtype_struct(self))
    }

    fn deserialize_seq<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, TypedError> {
        let Value::Sequence(items) = &self.node.value else {
            if self.node.is_null() {
                return Err(self.err(Kind::Null));
            }
            let found = words::found(self.node);
            return Err(self.err(Kind::Type { found, wanted: "a list".to_owned() }));
        };
        self.located(visitor.visit_seq(Items { items: items.iter(), cx: self.cx }))
    }

    fn deserialize_tuple<V: Visitor<'t>>(self, _: usize, visitor: V) -> Result<V::Value, TypedError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, TypedError> {
        self.entries(visitor, None)
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        self.entries(visitor, Some(fields))
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        let (name, at, content) = match &self.node.value {
            Value::Scalar { .. } => (self.text()?, self, None),
            Value::Mapping(entries) if entries.len() == 1 => {
                let (key, value) = &entries[0];
                let at = Decoder { node: key, key: None, cx: self.cx, is_root: false };
                (at.text()?, at, Some(Decoder { node: value, key: Some(key), cx: self.cx, is_root: false }))
            }
            _ => {
                let found = words::found(self.node);
                return Err(
                    self.err(Kind::Type { found, wanted: format!("one of {}", words::list(variants)) })
                );
            }
        };
        if !variants.contains(&name) {
            let kind = Kind::Variant { text: name.to_owned(), variants: words::owned(variants) };
            return Err(TypedError { kind, at: Some(At { skip: self.at().skip, ..at.at() }) });
        }
        self.located(visitor.visit_enum(Variant { name, content, at: self }))
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, TypedError> {
        visitor.visit_unit()
    }
}

struct Items<'t, 'c> {
    items: std::slice::Iter<'t, Node<'t>>,
    cx: &'c Context,
}

impl<'t> SeqAccess<'t> for Items<'t, '_> {
    type Error = TypedError;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<Option<T::Value>, TypedError> {
        for node in self.items.by_ref() {
            if self.cx.skip.borrow().contains(&node.span.start) {
                continue;
            }
            return seed.deserialize(Decoder { node, key: None, cx: self.cx, is_root: false }).map(Some);
        }
        Ok(None)
    }

    /// Exact, so that lists are allocated as large as they are: a hundred thousand objects feel it.
    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Entries<'t, 'c> {
    rest: std::slice::Iter<'t, (Node<'t>, Node<'t>)>,
    value: Option<(&'t Node<'t>, &'t Node<'t>)>,
    /// The field names when the target is a struct.
    fields: Option<&'static [&'static str]>,
    parent: Decoder<'t, 'c>,
    /// True for the document itself.
    root: bool,
}

impl<'t> MapAccess<'t> for Entries<'t, '_> {
    type Error = TypedError;

    fn next_key_seed<K: DeserializeSeed<'t>>(&mut self, seed: K) -> Result<Option<K::Value>, TypedError> {
        let cx = self.parent.cx;
        for (key, value) in self.rest.by_ref() {
            let name = key.text().unwrap_or_default();
            if self.root && ROOT_KEYS.contains(&name) {
                continue;
            }
            if cx.skip.borrow().contains(&key.span.start) {
                cx.left_out.borrow_mut().insert((self.parent.node.span.start, name.to_owned()));
                continue;
            }
            self.value = Some((key, value));
            let Some(fields) = self.fields else {
                return seed.deserialize(Decoder { node: key, key: None, cx, is_root: false }).map(Some);
            };
            if fields.contains(&name) {
                return seed.deserialize(IntoDeserializer::<TypedError>::into_deserializer(name)).map(Some);
            }
            cx.report(
                Decoder { node: key, key: None, cx, is_root: false }.at(),
                Kind::Field { name: name.to_owned(), fields: words::owned(fields) },
            );
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'t>>(&mut self, seed: V) -> Result<V::Value, TypedError> {
        let Some((key, node)) = self.value.take() else {
            return Err(serde::de::Error::custom("a value was asked for before its key"));
        };
        let decoder = Decoder { node, key: Some(key), cx: self.parent.cx, is_root: false };
        decoder.located(seed.deserialize(decoder))
    }
}

struct Variant<'t, 'c> {
    name: &'t str,
    content: Option<Decoder<'t, 'c>>,
    at: Decoder<'t, 'c>,
}

impl<'t, 'c> EnumAccess<'t> for Variant<'t, 'c> {
    type Error = TypedError;
    type Variant = Content<'t, 'c>;

    fn variant_seed<V: DeserializeSeed<'t>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Content<'t, 'c>), TypedError> {
        let name: StrDeserializer<'_, TypedError> = self.name.into_deserializer();
        let value = self.at.located(seed.deserialize(name))?;
        Ok((value, Content { content: self.content, at: self.at }))
    }
}

struct Content<'t, 'c> {
    content: Option<Decoder<'t, 'c>>,
    at: Decoder<'t, 'c>,
}

impl<'t, 'c> Content<'t, 'c> {
    fn content(&self) -> Result<Decoder<'t, 'c>, TypedError> {
        self.content.ok_or_else(|| {
            self.at.err(Kind::Type {
                found: "a word".to_owned(),
                wanted: "a mapping of this word to its settings".to_owned(),
            })
        })
    }
}

impl<'t> VariantAccess<'t> for Content<'t, '_> {
    type Error = TypedError;

    fn unit_variant(self) -> Result<(), TypedError> {
        match self.content {
            None => Ok(()),
            Some(_) => Err(self
                .at
                .err(Kind::Type { found: "a mapping".to_owned(), wanted: "the word alone".to_owned() })),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'t>>(self, seed: T) -> Result<T::Value, TypedError> {
        let content = self.content()?;
        content.located(seed.deserialize(content))
    }

    fn tuple_variant<V: Visitor<'t>>(self, _: usize, visitor: V) -> Result<V::Value, TypedError> {
        self.content()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'t>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        self.content()?.entries(visitor, Some(fields))
    }
}
