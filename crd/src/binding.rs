//! ConsoleBinding: one entry of the ledger, or its header, in a cluster.
//!
//! Written by tenantry only. It has no owner and outlives what it binds; its name is a hash of vendor account and
//! address, the header's is the vendor account's.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    customer::FreeForm,
    value::Moment,
    want::{DeletionPolicy, Want},
};

/// One entry of the ledger, or its header. Written by tenantry only: do not edit.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[kube(
    group = "tenantry.io",
    version = "v1alpha1",
    kind = "ConsoleBinding",
    namespaced,
    category = "tenantry",
    shortname = "cbind",
    derive = "PartialEq",
    doc = "One entry of the ledger, or its header. Written by tenantry only: do not edit.",
    printcolumn(name = "Kind", type_ = "string", json_path = ".spec.address.kind"),
    printcolumn(name = "Object", type_ = "string", json_path = ".spec.address.name"),
    printcolumn(name = "Account", type_ = "string", json_path = ".spec.address.account"),
    printcolumn(name = "Remote-Id", type_ = "string", json_path = ".spec.remoteId", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("has(self.address) != has(self.header)", "name exactly one of address (an entry) and header"),
    ("!has(self.released) || !has(self.leaving)", "a binding is released or leaving, not both"),
    ("self.vendorAccount == oldSelf.vendorAccount", "a ledger is pinned to its vendor account"),
    ("has(self.address) == has(oldSelf.address) && (!has(self.address) || self.address == oldSelf.address)",
     "an entry keeps its address"),
])))]
pub struct ConsoleBindingSpec {
    /// The vendor account that the ledger is pinned to.
    #[schemars(length(min = 1, max = 512))]
    pub vendor_account: String,
    /// What the entry binds. Exactly one of address and header.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub address: Option<BoundAddress>,
    /// The ledger's header. Exactly one of address and header.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub header: Option<LedgerHeader>,
    /// The object that last declared the address.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 1024))]
    pub origin: Option<String>,
    /// The record in the console. Absent: intended, not yet known.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 512))]
    pub remote_id: Option<String>,
    /// What was last applied, by field path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 1024))]
    pub last_applied: BTreeMap<String, AppliedField>,
    /// What was last wanted.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "Want")]
    pub want: Option<Want>,
    /// What becomes of the record when its declaration goes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "DeletionPolicy")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// Consequences accepted for this address, by code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 64)), extend("x-kubernetes-list-type" = "set"))]
    pub consents: Vec<String>,
    /// The operation under way, with its acknowledgements, as the ledger's format has it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(schema_with = "crate::schema::free_form")]
    pub operation: Option<FreeForm>,
    /// The invitation, as the ledger's format has it: drafted once, never again.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(schema_with = "crate::schema::free_form")]
    pub invitation: Option<FreeForm>,
    /// Open and closed tasks by id, as the ledger's format has them.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(schema_with = "crate::schema::free_form")]
    pub tasks: Option<FreeForm>,
    /// Since when the record stands as it does.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub since: Option<Moment>,
    /// When the declaration went and the record was forgotten; declaring it again binds it again.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub released: Option<Moment>,
    /// When the declaration went with a policy that detaches or removes; planned like a declaration.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub leaving: Option<Moment>,
}

/// What an entry binds: the declaration's address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[derive(Eq, PartialOrd, Ord, Hash)]
pub struct BoundAddress {
    /// Namespace of the object.
    #[schemars(length(min = 1, max = 63))]
    pub namespace: String,
    /// Kind of the object.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// metadata.name of the object.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The account, where the object has several.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 253))]
    pub account: Option<String>,
}

/// Keyed digests of one field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppliedField {
    /// Digest of what was declared.
    #[schemars(length(min = 1, max = 128))]
    pub declared: String,
    /// Digest of what the console shows once settled, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 128))]
    pub shown: Option<String>,
}

/// The ledger's header.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LedgerHeader {
    /// Version of the ledger's format.
    pub format_version: u32,
    /// Which ledger this is: a new one has a new lineage.
    #[schemars(length(min = 1, max = 64))]
    pub lineage: String,
    /// Counts the writes.
    pub serial: i64,
    /// When the first run was confirmed. Absent: creations, invitations and purchases are held while the console
    /// lists records that are not bound.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub confirmed: Option<Moment>,
    /// What the guards counted in their windows, as the ledger's format has it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(schema_with = "crate::schema::free_form")]
    pub guard_log: Option<FreeForm>,
    /// Fingerprints of approvals that were used, each with its moment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 4096))]
    pub used_approvals: BTreeMap<String, Moment>,
}
