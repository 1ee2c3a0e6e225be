//! The registry of kinds: from a kind's name to its typed object, its CRD and its fields.
//!
//! One function, [`AnyObject::from_value`], turns a decoded document into a typed object for every reader of files.
//! It dispatches on `kind` by hand, because a tagged enum would lose where an error is.

use std::fmt;

use k8s_openapi::{
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::CustomResourceExt;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    API_VERSION, Attestation, Console, ConsoleBinding, Customer, Inventory, License, PlanPolicy, Product,
    Relationship, Upgrade, path::FieldPath,
};

#[cfg(test)]
mod tests;

macro_rules! kinds {
    ($($kind:ident: $doc:literal),* $(,)?) => {
        /// A kind of the group `tenantry.io`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = $doc] $kind,)*
        }

        impl Kind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The kind as YAML writes it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => stringify!($kind),)* }
            }

            pub(crate) fn derived_crd(self) -> CustomResourceDefinition {
                match self { $(Self::$kind => $kind::crd(),)* }
            }
        }

        /// An object of any kind.
        #[derive(Clone, Debug, PartialEq)]
        pub enum AnyObject {
            $(#[doc = $doc] $kind(Box<$kind>),)*
        }

        impl AnyObject {
            /// The object's kind.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)* }
            }

            /// The object's metadata.
            pub fn metadata(&self) -> &ObjectMeta {
                match self { $(Self::$kind(o) => &o.metadata,)* }
            }

            /// The object's metadata, to be changed.
            pub fn metadata_mut(&mut self) -> &mut ObjectMeta {
                match self { $(Self::$kind(o) => &mut o.metadata,)* }
            }

            /// The object as JSON, with apiVersion and kind.
            pub fn to_value(&self) -> Value {
                match self { $(Self::$kind(o) => json(o),)* }
            }

            fn decode(kind: Kind, value: Value) -> Result<Self, ObjectError> {
                Ok(match kind { $(Kind::$kind => Self::$kind(Box::new(typed(value)?)),)* })
            }
        }

        $(impl From<$kind> for AnyObject {
            fn from(object: $kind) -> Self {
                Self::$kind(Box::new(object))
            }
        })*
    };
}

kinds! {
    Console: "One connection to one vendor's partner console.",
    Customer: "A company and its accounts.",
    Product: "A vendor's article.",
    License: "What a customer has of a product.",
    Relationship: "A link to customers, or rights in their tenants.",
    Upgrade: "A product upgrade that the vendor runs.",
    Attestation: "A human fact.",
    Inventory: "A list exported from a console.",
    PlanPolicy: "Rules over planned steps.",
    ConsoleBinding: "The ledger in a cluster.",
}

fn json<T: Serialize>(object: &T) -> Value {
    serde_json::to_value(object).expect("every kind has string keys and finite numbers")
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Kind {
    /// The kind of this exact name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|k| k.as_str() == name)
    }

    /// The kind that a person means: its name in any case, its plural, or its short name.
    pub fn lookup(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        Self::ALL.iter().copied().find(|kind| {
            let names = kind.derived_crd().spec.names;
            kind.as_str().eq_ignore_ascii_case(&name)
                || names.plural == name
                || names.short_names.unwrap_or_default().contains(&name)
        })
    }

    /// The kind whose name is most like `name`, if any is like it at all.
    pub fn nearest(name: &str) -> Option<Self> {
        let names = Self::ALL.iter().map(|k| k.as_str());
        nearest(name, names).and_then(Self::from_name)
    }
}

/// The candidate most like `name`, if any is like it at all.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .map(|c| (strsim::jaro_winkler(&lower, &c.to_lowercase()), c))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(a, x), (b, y)| a.total_cmp(b).then_with(|| y.cmp(x)))
        .map(|(_, c)| c)
}

/// A document that is no object of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ObjectError {
    /// Where in the document.
    pub path: FieldPath,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The document is a list or a scalar.
    #[error("this is not an object: expected `apiVersion: tenantry.io/v1alpha1`, `kind` and `metadata.name`")]
    NotAnObject,
    /// `apiVersion` is absent or not ours.
    #[error("apiVersion is {}: write `apiVersion: tenantry.io/v1alpha1`", quoted(.found.as_ref()))]
    ApiVersion {
        /// What was written.
        found: Option<String>,
    },
    /// `kind` is absent or not ours.
    #[error("kind is {}: {}", quoted(.found.as_ref()), did_you_mean(.nearest.as_deref(), "write one of Console, Customer, Product, License, Relationship, Upgrade, Attestation, Inventory or PlanPolicy"))]
    Kind {
        /// What was written.
        found: Option<String>,
        /// The kind whose name is most like it.
        nearest: Option<String>,
    },
    /// `metadata.name` is absent or empty.
    #[error("metadata.name is missing: every object needs a name")]
    NoName,
    /// A field that the kind does not have.
    #[error("unknown field `{field}`: {}", did_you_mean(.nearest.as_deref(), .known))]
    UnknownField {
        /// The field.
        field: String,
        /// The field whose name is most like it.
        nearest: Option<String>,
        /// Which fields there are, in words.
        known: String,
    },
    /// A value of `null`: absent, `[]` and a value are three statements, `null` is none.
    #[error("null says nothing here: leave the field out (not managed), or write `[]` for none of a list")]
    Null,
    /// A value of another type or outside its range.
    #[error("{0}")]
    Value(String),
}

fn quoted(found: Option<&String>) -> String {
    found.map_or_else(|| "missing".to_owned(), |f| format!("`{f}`"))
}

fn did_you_mean(nearest: Option<&str>, otherwise: &str) -> String {
    nearest.map_or_else(|| otherwise.to_owned(), |n| format!("did you mean `{n}`?"))
}

impl AnyObject {
    /// The typed object of a decoded document. Account names that are left out are filled in.
    pub fn from_value(value: Value) -> Result<Self, ObjectError> {
        let error = |path: FieldPath, problem| Err(ObjectError { path, problem });
        let root = FieldPath::default();
        let Value::Object(fields) = &value else {
            return error(root, Problem::NotAnObject);
        };
        let text = |key: &str| fields.get(key).and_then(Value::as_str).map(str::to_owned);
        let api_version = text("apiVersion");
        if api_version.as_deref() != Some(API_VERSION) {
            return error(root.key("apiVersion"), Problem::ApiVersion { found: api_version });
        }
        let found = text("kind");
        let Some(kind) = found.as_deref().and_then(Kind::from_name) else {
            let nearest = found.as_deref().and_then(Kind::nearest).map(|k| k.as_str().to_owned());
            return error(root.key("kind"), Problem::Kind { found, nearest });
        };
        known_keys(&root, fields, &["apiVersion", "kind", "metadata", "spec", "status"])?;
        if let Some(Value::Object(metadata)) = fields.get("metadata") {
            known_keys(&root.key("metadata"), metadata, METADATA)?;
        }
        let mut object = Self::decode(kind, value)?;
        if object.metadata().name.as_deref().is_none_or(str::is_empty) {
            return error(root.key("metadata"), Problem::NoName);
        }
        if let Self::Customer(customer) = &mut object {
            customer.spec.fill_account_names();
        }
        Ok(object)
    }

    /// metadata.name.
    pub fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }

    /// metadata.namespace; `default` where a file names none.
    pub fn namespace(&self) -> &str {
        self.metadata().namespace.as_deref().filter(|n| !n.is_empty()).unwrap_or("default")
    }

    /// The object as YAML, one document without a separator.
    pub fn to_yaml(&self) -> String {
        crate::crds::yaml(&self.to_value())
    }
}

const METADATA: &[&str] = &[
    "name",
    "namespace",
    "labels",
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

fn known_keys(at: &FieldPath, fields: &Map<String, Value>, known: &[&str]) -> Result<(), ObjectError> {
    match fields.keys().find(|k| !known.contains(&k.as_str())) {
        None => Ok(()),
        Some(field) => Err(unknown_field(at.key(field.clone()), field, known)),
    }
}

fn unknown_field(path: FieldPath, field: &str, known: &[&str]) -> ObjectError {
    let shown = if known.len() > 12 { &known[..12] } else { known };
    let dots = if known.len() > 12 { ", …" } else { "" };
    ObjectError {
        path,
        problem: Problem::UnknownField {
            field: field.to_owned(),
            nearest: nearest(field, known.iter().copied()).map(str::to_owned),
            known: if known.is_empty() {
                "there are no fields here".to_owned()
            } else {
                format!("there is {}{dots}", shown.join(", "))
            },
        },
    }
}

fn typed<T: DeserializeOwned>(value: Value) -> Result<T, ObjectError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = FieldPath::from_serde(error.path());
        let message = error.inner().to_string();
        if let Some((field, rest)) =
            message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'))
        {
            let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
            let path = if path.0.last() == Some(&crate::path::Segment::Key(field.to_owned())) {
                path
            } else {
                path.key(field)
            };
            return unknown_field(path, field, &known);
        }
        if message.starts_with("invalid type: null") {
            return ObjectError { path, problem: Problem::Null };
        }
        ObjectError { path, problem: Problem::Value(message) }
    })
}
