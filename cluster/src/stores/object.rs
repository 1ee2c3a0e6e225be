//! One object as it is held: what planning and reporting read, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tenantry_crd::{CustomerSpec, Kind};

use crate::{ANNOTATION_PREFIX, FINALIZER};

/// An object of a cluster, pruned.
#[derive(Debug, Clone, PartialEq)]
pub struct Object<S> {
    /// metadata.namespace.
    pub namespace: Arc<str>,
    /// metadata.name.
    pub name: Arc<str>,
    /// metadata.uid, for Events.
    pub uid: Box<str>,
    /// metadata.resourceVersion.
    pub version: Box<str>,
    /// metadata.generation.
    pub generation: i64,
    /// metadata.labels.
    pub labels: BTreeMap<String, String>,
    /// Those of metadata.annotations that begin with `tenantry.io/`.
    pub annotations: BTreeMap<String, String>,
    /// metadata.finalizers.
    pub finalizers: Vec<String>,
    /// metadata.deletionTimestamp.
    pub going: Option<Timestamp>,
    /// Digest of the status as it was last seen; see [`Self::shows`].
    pub status: Option<[u8; 16]>,
    /// What it says.
    pub spec: S,
}

impl<S> Object<S> {
    pub(super) fn new(metadata: ObjectMeta, spec: S, status: Option<[u8; 16]>) -> Self {
        let metadata = pruned(metadata);
        Self {
            namespace: metadata.namespace.unwrap_or_default().into(),
            name: metadata.name.unwrap_or_default().into(),
            uid: metadata.uid.unwrap_or_default().into(),
            version: metadata.resource_version.unwrap_or_default().into(),
            generation: metadata.generation.unwrap_or_default(),
            labels: metadata.labels.unwrap_or_default(),
            annotations: metadata.annotations.unwrap_or_default(),
            finalizers: metadata.finalizers.unwrap_or_default(),
            going: metadata.deletion_timestamp.map(|time| time.0),
            status,
            spec,
        }
    }

    /// Whether our finalizer holds it.
    pub fn is_held(&self) -> bool {
        self.finalizers.iter().any(|name| name == FINALIZER)
    }

    /// Whether its status said this when it was last seen: a status is patched only when it changes. Nothing else may
    /// be read from a status.
    pub fn shows(&self, status: &impl Serialize) -> bool {
        self.status == status_digest(status)
    }
}

/// Gives back the room that reading a list left behind its end.
pub(super) fn fit(customer: &mut CustomerSpec) {
    customer.accounts.shrink_to_fit();
    if let Some(contacts) = &mut customer.contacts {
        contacts.shrink_to_fit();
    }
    if let Some(domains) = &mut customer.company.domains {
        domains.shrink_to_fit();
    }
}

/// Digest of a status, as [`Object::status`] holds it.
pub fn status_digest(status: &impl Serialize) -> Option<[u8; 16]> {
    let bytes = serde_json::to_vec(status).ok().filter(|bytes| bytes != b"null")?;
    let whole: [u8; 32] = Sha256::digest(&bytes).into();
    Some(std::array::from_fn(|place| whole[place]))
}

/// Without managed fields, owners and what other programs noted.
fn pruned(mut metadata: ObjectMeta) -> ObjectMeta {
    metadata.managed_fields = None;
    metadata.owner_references = None;
    if let Some(annotations) = &mut metadata.annotations {
        annotations.retain(|name, _| name.starts_with(ANNOTATION_PREFIX));
    }
    metadata
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
    pub uid: Box<str>,
    /// metadata.generation.
    pub generation: i64,
    /// What is wrong with it, in the decoder's words.
    pub error: String,
    pub(super) version: Box<str>,
    pub(super) going: bool,
    pub(super) held: bool,
}

impl Broken {
    pub(super) fn new(kind: Kind, metadata: ObjectMeta, error: String) -> Self {
        let object = Object::new(metadata, (), None);
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
