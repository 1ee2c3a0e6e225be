//! One object as it is held: what planning and reporting read, and nothing else.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use smol_str::SmolStr;
use tenantry_crd::Kind;
use uuid::Uuid;

use super::packed::Accounts;
use super::shelf::Key;
use crate::{ANNOTATION_PREFIX, FINALIZER};

/// Labels or annotations, shared by objects that have the same.
pub type Notes = Arc<BTreeMap<String, String>>;

/// What objects have in common, so that it is held once: a map of one entry takes half a kilobyte.
#[derive(Debug, Default)]
pub(super) struct Common {
    notes: HashSet<Notes>,
    finalizers: HashSet<Arc<[String]>>,
    names: HashSet<Arc<str>>,
    accounts: HashSet<Accounts>,
}

/// So many different ones are remembered; of more, those that somebody holds are still shared where they were found.
const REMEMBERED: usize = 4096;

impl Common {
    fn notes(&mut self, notes: BTreeMap<String, String>) -> Notes {
        shared(&mut self.notes, notes)
    }

    fn finalizers(&mut self, finalizers: Vec<String>) -> Arc<[String]> {
        shared(&mut self.finalizers, finalizers)
    }

    pub fn accounts(&mut self, accounts: Vec<(SmolStr, SmolStr)>) -> Accounts {
        shared(&mut self.accounts, accounts)
    }

    /// A name that many objects have: that of a namespace.
    pub fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(held) = self.names.get(name) {
            return Arc::clone(held);
        }
        let new: Arc<str> = name.into();
        if self.names.len() < REMEMBERED {
            self.names.insert(Arc::clone(&new));
        }
        new
    }
}

fn shared<T: ?Sized + Eq + std::hash::Hash>(all: &mut HashSet<Arc<T>>, new: impl Into<Arc<T>>) -> Arc<T> {
    let new = new.into();
    if let Some(held) = all.get(&new) {
        return Arc::clone(held);
    }
    if all.len() >= REMEMBERED {
        all.retain(|held| Arc::strong_count(held) > 1);
    }
    if all.len() < REMEMBERED {
        all.insert(Arc::clone(&new));
    }
    new
}

/// An object's uid as it was written. The usual one needs no memory of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Uid {
    /// A UUID in its canonical spelling.
    Uuid(Uuid),
    /// Any other text, or none.
    Other(Box<str>),
}

impl Uid {
    fn new(text: String) -> Self {
        match Uuid::try_parse(&text) {
            Ok(uuid) if *uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == *text => {
                Self::Uuid(uuid)
            }
            _ => Self::Other(text.into()),
        }
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(uuid) => uuid.fmt(f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// An object of a cluster, pruned.
#[derive(Debug, Clone, PartialEq)]
pub struct Object<S> {
    /// metadata.namespace.
    pub namespace: Arc<str>,
    /// metadata.name.
    pub name: Arc<str>,
    /// metadata.uid, for Events.
    pub uid: Uid,
    /// metadata.resourceVersion.
    pub version: SmolStr,
    /// metadata.generation.
    pub generation: i64,
    /// metadata.labels.
    pub labels: Notes,
    /// Those of metadata.annotations that begin with `tenantry.io/`.
    pub annotations: Notes,
    /// metadata.finalizers.
    pub finalizers: Arc<[String]>,
    /// metadata.deletionTimestamp.
    pub going: Option<Timestamp>,
    /// What it says; of two versions that say the same, it is in memory once.
    pub spec: Arc<S>,
}

impl<S> Object<S> {
    /// Under this key: its namespace and its name.
    pub(super) fn new(key: &Key, metadata: ObjectMeta, spec: Arc<S>, common: &mut Common) -> Self {
        let mut annotations = metadata.annotations.unwrap_or_default();
        annotations.retain(|name, _| name.starts_with(ANNOTATION_PREFIX));
        Self {
            namespace: Arc::clone(&key.0),
            name: Arc::clone(&key.1),
            uid: Uid::new(metadata.uid.unwrap_or_default()),
            version: metadata.resource_version.unwrap_or_default().into(),
            generation: metadata.generation.unwrap_or_default(),
            labels: common.notes(metadata.labels.unwrap_or_default()),
            annotations: common.notes(annotations),
            finalizers: common.finalizers(metadata.finalizers.unwrap_or_default()),
            going: metadata.deletion_timestamp.map(|time| time.0),
            spec,
        }
    }

    /// Whether planning reads the same of another version of it. What it says is told by its generation.
    pub(super) fn reads_as(&self, other: &Self) -> bool {
        self.uid == other.uid
            && self.generation == other.generation
            && self.going.is_some() == other.going.is_some()
            && self.labels == other.labels
            && self.annotations == other.annotations
    }

    /// Whether our finalizer holds it.
    pub fn is_held(&self) -> bool {
        self.finalizers.iter().any(|name| name == FINALIZER)
    }
}

/// An object that cannot be understood. It holds what it declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// metadata.uid, for Events.
    pub uid: Uid,
    /// metadata.generation.
    pub generation: i64,
    /// What is wrong with it, in the decoder's words.
    pub error: String,
    pub(super) version: SmolStr,
    pub(super) going: bool,
    pub(super) held: bool,
}

impl Broken {
    pub(super) fn new(
        kind: Kind,
        key: &Key,
        metadata: ObjectMeta,
        error: String,
        common: &mut Common,
    ) -> Self {
        let object = Object::new(key, metadata, Arc::new(()), common);
        Self {
            kind,
            going: object.going.is_some(),
            held: object.is_held(),
            namespace: object.namespace,
            name: object.name,
            uid: object.uid,
            version: object.version,
            generation: object.generation,
            error,
        }
    }
}

/// An object that is being deleted and that our finalizer still holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Going {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}
