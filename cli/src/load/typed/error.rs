//! What can go wrong between a tree and a type, before it is put into words.

use super::super::scalar::{Plain, Trap};
use super::At;

/// A mistake, and where once that is known.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedError {
    /// What is wrong.
    pub kind: Kind,
    /// Where; the innermost node that saw the mistake fills it in.
    pub at: Option<At>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A null or an empty value.
    Null,
    /// A plain scalar that readers take for different things.
    Trap {
        /// Its characters.
        text: String,
        /// Who reads what.
        trap: Trap,
        /// What the field wants: `text`, `anything`, or words for a number or boolean.
        wanted: &'static str,
    },
    /// A plain number or boolean where text is wanted.
    Unquoted {
        /// Its characters.
        text: String,
        /// `a number` or `a boolean`.
        is: &'static str,
    },
    /// A scalar of another type where a number or boolean is wanted.
    Scalar {
        /// Its characters.
        text: String,
        /// How it reads.
        class: Plain,
        /// True when it stands in quotation marks.
        quoted: bool,
        /// What is wanted.
        wanted: &'static str,
    },
    /// Another shape: a list for a mapping, a number that does not fit.
    Type {
        /// What is there.
        found: String,
        /// What is wanted.
        wanted: String,
    },
    /// Not one of an enum's words.
    Variant {
        /// What is there.
        text: String,
        /// What could be.
        variants: Vec<String>,
    },
    /// A key that the struct does not have.
    Field {
        /// The key.
        name: String,
        /// What the struct has.
        fields: Vec<String>,
    },
    /// A field that must be there.
    MissingField(&'static str),
    /// A list of the wrong length.
    Length,
    /// A type's own words.
    Custom(String),
}

impl TypedError {
    fn new(kind: Kind) -> Self {
        Self { kind, at: None }
    }
}

impl std::fmt::Display for TypedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", super::words::message("the object", "", &self.kind).0)
    }
}

impl std::error::Error for TypedError {}

impl serde::de::Error for TypedError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::new(Kind::Custom(message.to_string()))
    }

    fn invalid_type(unexpected: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::new(Kind::Type {
            found: super::words::unexpected(unexpected),
            wanted: super::words::expected(expected),
        })
    }

    fn invalid_value(unexpected: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn invalid_length(_: usize, _: &dyn serde::de::Expected) -> Self {
        Self::new(Kind::Length)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Kind::Variant { text: variant.to_owned(), variants: super::words::owned(expected) })
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Kind::Field { name: field.to_owned(), fields: super::words::owned(expected) })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Kind::MissingField(field))
    }
}
