//! Where a declaration stands: a place in a file or an object in a cluster.
//!
//! The origin that the ledger remembers decides whether a missing declaration was taken away or merely not read:
//! see [`Scope`].

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::Address;

/// The place of a declaration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", untagged)]
pub enum Origin {
    /// A document in a file.
    File {
        /// Path relative to the repository root, else to the state directory; `/` between parts.
        path: Arc<str>,
        /// Line of the document's first key, from 1.
        line: u32,
        /// Column, from 1, in characters.
        column: u32,
    },
    /// An object in a cluster.
    Object {
        /// Kind of the object.
        object: Arc<str>,
        /// Its namespace.
        namespace: Arc<str>,
        /// Its name.
        name: Arc<str>,
        /// `metadata.generation` that was read.
        generation: i64,
    },
}

impl Origin {
    /// A place in a file.
    pub fn file(path: impl Into<Arc<str>>, line: u32, column: u32) -> Self {
        Origin::File { path: path.into(), line, column }
    }
}

/// As an untagged enum would be read, without a copy of everything on the way: ledgers hold one for each entry.
impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Either {
            path: Option<Arc<str>>,
            line: Option<u32>,
            column: Option<u32>,
            object: Option<Arc<str>>,
            namespace: Option<Arc<str>>,
            name: Option<Arc<str>>,
            generation: Option<i64>,
        }

        let Either { path, line, column, object, namespace, name, generation } =
            Either::deserialize(deserializer)?;
        if let (Some(path), Some(line), Some(column)) = (path, line, column) {
            return Ok(Origin::File { path, line, column });
        }
        match (object, namespace, name, generation) {
            (Some(object), Some(namespace), Some(name), Some(generation)) => {
                Ok(Origin::Object { object, namespace, name, generation })
            }
            _ => Err(serde::de::Error::custom("an origin is path, line and column, or an object's identity")),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File { path, line, column } => {
                write!(f, "{}:{line}:{column}", crate::text::terminal(path))
            }
            Origin::Object { object, namespace, name, generation } => {
                write!(f, "{object} {namespace}/{name}@{generation}")
            }
        }
    }
}

/// What was read in this run, so that absence can be told from not having looked.
pub trait Scope: Send + Sync {
    /// Whether the place that last declared an address was read without error in this run, and says nothing of it for a
    /// Console that could be the same vendor account: see [`crate::leads`]. Only then does its silence mean that the
    /// declaration was taken away. A broken file, an unread directory, stdin, a cluster store that has not synced:
    /// `false`.
    fn was_read(&self, origin: &Origin, address: &Address) -> bool;
}
