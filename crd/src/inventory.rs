//! Inventory: a list exported from a console that has no API, with its date. Imported evidence, weaker than observed.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{reference::NameRef, status::ObjectStatus, value::Moment};

/// A list exported from a console that has no API.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[kube(
    group = "tenantry.io",
    version = "v1alpha1",
    kind = "Inventory",
    plural = "inventories",
    namespaced,
    status = "ObjectStatus",
    category = "tenantry",
    shortname = "inv",
    derive = "PartialEq",
    doc = "A list exported from a console that has no API, with its date.",
    printcolumn(name = "Console", type_ = "string", json_path = ".spec.consoleRef.name"),
    printcolumn(name = "As-Of", type_ = "date", json_path = ".spec.asOf"),
    printcolumn(name = "Complete", type_ = "boolean", json_path = ".spec.complete"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
pub struct InventorySpec {
    /// The Console that the list was exported from.
    pub console_ref: NameRef,
    /// When it was exported, RFC 3339.
    pub as_of: Moment,
    /// Whether it lists everything: only then does absence from it mean absent. Default: false.
    #[serde(default)]
    pub complete: bool,
    /// Where the CSV is.
    pub source: InventorySource,
    /// Which column of the export holds what: our name (`id`, `name`, `login`, `domain`) to the export's heading.
    /// Default: the console's own profile.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64, "additionalProperties" = {"type": "string", "minLength": 1, "maxLength": 256}))]
    pub columns: BTreeMap<String, String>,
}

/// Where the CSV is, and its digest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("has(self.file) != has(self.configMapKeyRef)", "name exactly one of file and configMapKeyRef"),
])))]
pub struct InventorySource {
    /// A file beside this one (files only).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 1024))]
    pub file: Option<String>,
    /// A key of a ConfigMap in this namespace (cluster only).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub config_map_key_ref: Option<ConfigMapKeyRef>,
    /// SHA-256 of the content, 64 hex digits: another content is refused. Default: not checked.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 64, max = 64), regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: Option<String>,
}

/// A key of a ConfigMap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigMapKeyRef {
    /// The ConfigMap's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in its data.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}
