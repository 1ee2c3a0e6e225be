//! Names of things: addresses of what is declared, ids of what consoles hold.
//!
//! An [`Address`] identifies a declaration across runs; a [`RemoteId`] identifies a record inside one vendor account.
//! Neither is ever derived from a company's name, which is mutable everywhere.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The kinds that have entries in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// One account of a customer in one console.
    Customer,
    /// One licence (subscription) of an account.
    License,
    /// A relationship, named by findings; the invitation itself lives in its account's entry.
    Relationship,
}

impl Kind {
    /// The word for it in plans and addresses.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Customer => "customer",
            Kind::License => "license",
            Kind::Relationship => "relationship",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a declaration is called: namespace, kind, name and, for customers, the account.
///
/// Written `customer/adatum/microsoft`, `license/adatum-m365`; another namespace than `default` stands before a
/// colon: `emea:customer/adatum/microsoft`. Ordered so that plans and ledgers have one order everywhere. Its parts are
/// mostly short, so that a hundred thousand addresses allocate nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Kind of the declaration.
    pub kind: Kind,
    /// Namespace; `default` for files that name none.
    pub namespace: SmolStr,
    /// `metadata.name`.
    pub name: SmolStr,
    /// Name of the account inside a Customer; `None` for other kinds.
    pub account: Option<SmolStr>,
}

/// The namespace of declarations that name none.
pub const DEFAULT_NAMESPACE: &str = "default";

impl Address {
    /// The address of a customer's account.
    pub fn account(namespace: &str, customer: &str, account: &str) -> Self {
        Self {
            kind: Kind::Customer,
            namespace: namespace.into(),
            name: customer.into(),
            account: Some(account.into()),
        }
    }

    /// The address of a licence.
    pub fn license(namespace: &str, name: &str) -> Self {
        Self { kind: Kind::License, namespace: namespace.into(), name: name.into(), account: None }
    }

    /// The address of a relationship.
    pub fn relationship(namespace: &str, name: &str) -> Self {
        Self { kind: Kind::Relationship, namespace: namespace.into(), name: name.into(), account: None }
    }

    /// How a plan calls it inside a console's section: the account only where its name is not the console's.
    pub fn in_console(&self, console: &str) -> String {
        match &self.account {
            Some(account) if account != console => format!("{} {}/{}", self.kind, self.name, account),
            _ => format!("{} {}", self.kind, self.name),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace != DEFAULT_NAMESPACE {
            write!(f, "{}:", self.namespace)?;
        }
        write!(f, "{}/{}", self.kind, self.name)?;
        match &self.account {
            Some(account) => write!(f, "/{account}"),
            None => Ok(()),
        }
    }
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no address; write customer/NAME/ACCOUNT, license/NAME or relationship/NAME, with NAMESPACE: before it for another namespace than `default`"
)]
pub struct BadAddress(pub String);

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress(text.to_owned());
        let (namespace, rest) = text.split_once(':').unwrap_or((DEFAULT_NAMESPACE, text));
        let mut parts = rest.split('/');
        let (kind, name, account) = (parts.next(), parts.next(), parts.next());
        let empty = |part: Option<&str>| part.is_some_and(str::is_empty);
        if namespace.is_empty() || empty(name) || empty(account) || parts.next().is_some() {
            return Err(bad());
        }
        match (kind, name, account) {
            (Some("customer"), Some(name), Some(account)) => Ok(Self::account(namespace, name, account)),
            (Some("license"), Some(name), None) => Ok(Self::license(namespace, name)),
            (Some("relationship"), Some(name), None) => Ok(Self::relationship(namespace, name)),
            _ => Err(bad()),
        }
    }
}

impl Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(any(test, feature = "schema"))]
impl schemars::JsonSchema for Address {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Address".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "What a declaration is called: `customer/NAME/ACCOUNT`, `license/NAME` or `relationship/NAME`, with `NAMESPACE:` before it for another namespace than `default`."
        })
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl serde::de::Visitor<'_> for Text {
            type Value = Address;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Address, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name! {
    /// The vendor's id of a record: opaque, compared byte for byte. Adapters hand it over in one canonical spelling
    /// (lower-case uuid, no `urn:uuid:`).
    RemoteId
}
name! {
    /// `metadata.name` of a Console.
    ConsoleName
}
name! {
    /// Which account at which vendor a credential belongs to, such as `sophos:8a1c…` or `microsoft:<tenant id>`.
    /// Ledgers are pinned to it.
    VendorAccount
}
