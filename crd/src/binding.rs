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

/// The longest guard log that a header holds, so that its object stays far below what an API server takes.
const USES_AT_MOST: u32 = 4096;

/// The most used approvals that a header remembers.
const APPROVALS_AT_MOST: u32 = 16384;

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
    printcolumn(name = "Standing", type_ = "string", json_path = ".spec.standing"),
    printcolumn(name = "Remote-Id", type_ = "string", json_path = ".spec.remoteId", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("has(self.address) != has(self.header)", "name exactly one of address (an entry) and header"),
    ("has(self.address) == (has(self.origin) && has(self.standing) && has(self.since))",
     "an entry says where it was declared, where it stands and since when; the header does not"),
    ("self.vendorAccount == oldSelf.vendorAccount", "a ledger is pinned to its vendor account"),
    ("has(self.address) == has(oldSelf.address) && (!has(self.address) || self.address == oldSelf.address)",
     "an entry keeps its address"),
    ("!has(self.header) || !has(oldSelf.header) || (self.header.lineage == oldSelf.header.lineage && self.header.serial >= oldSelf.header.serial)",
     "a ledger keeps its lineage, and its serial never falls"),
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
    /// Where the address was last declared.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub origin: Option<BoundOrigin>,
    /// Where the entry stands.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "BoundStanding")]
    pub standing: Option<BoundStanding>,
    /// Since when it stands there.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub since: Option<Moment>,
    /// The account that a licence belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub parent: Option<BoundAddress>,
    /// The record in the console. Absent: intended, not yet known.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 512))]
    pub remote_id: Option<String>,
    /// The record was there before this ledger, which nobody had confirmed yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub found: bool,
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
    /// When something was last written to the console for it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub wrote: Option<Moment>,
    /// When the record was found to be gone without our doing.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub ended_elsewhere: Option<Moment>,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum BoundStanding {
    /// Declared; bound once it has a remote id.
    Declared,
    /// Its declaration went and nothing is done; declaring it again binds it again.
    Released,
    /// Its declaration went and its deletion policy ends it; planned like a declaration.
    Leaving,
    /// Ended, by us or seen to be gone.
    Ended,
}

/// Where something was declared: an object of this cluster, or a place in a file. Exactly one of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("has(self.object) != has(self.file)", "name exactly one of object and file"),
])))]
pub struct BoundOrigin {
    /// An object of a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub object: Option<OriginObject>,
    /// A place in a file.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub file: Option<OriginFile>,
}

/// An object that declared something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OriginObject {
    /// Its kind.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// Its namespace.
    #[schemars(length(min = 1, max = 63))]
    pub namespace: String,
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// metadata.generation that was read.
    pub generation: i64,
}

/// A place in a file that declared something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OriginFile {
    /// The file, relative to the repository's root, else to the state directory.
    #[schemars(length(min = 1, max = 4096))]
    pub path: String,
    /// The line on which the document begins, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
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
    /// Written, and not yet seen as the console shows it once settled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsettled: bool,
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
    /// What the guards counted in their windows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = USES_AT_MOST), extend("x-kubernetes-list-type" = "atomic"))]
    pub guard_log: Vec<GuardUse>,
    /// Fingerprints of approvals that were used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = APPROVALS_AT_MOST), inner(length(min = 1, max = 64)), extend("x-kubernetes-list-type" = "set"))]
    pub used_approvals: Vec<String>,
    /// How many records the last complete census had.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub last_census: Option<i64>,
    /// What the vendor refused to our position, by the row of the table of consoles, and when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub refused_rows: BTreeMap<String, Moment>,
    /// The Console of this namespace that acts for the account: no other one does while it is there.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 253))]
    pub console: Option<String>,
    /// What the last write used up before its entries followed. Where none of them did, nothing was begun, and it counts
    /// as not used.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub reserved: Option<Reserved>,
}

/// What a write of the ledger used up, and for which entries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reserved {
    /// The entries that the write was to change.
    #[schemars(length(min = 1, max = RESERVED_AT_MOST), extend("x-kubernetes-list-type" = "atomic"))]
    pub entries: Vec<ReservedEntry>,
    /// Which of the used approvals are its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = RESERVED_AT_MOST), inner(length(min = 1, max = 64)), extend("x-kubernetes-list-type" = "set"))]
    pub approvals: Vec<String>,
    /// How many at the end of the guards' log are its own.
    #[serde(default, skip_serializing_if = "is_none_used")]
    pub uses: u32,
}

/// So many entries are changed by a write that uses something up, at most.
pub const RESERVED_AT_MOST: usize = 16;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none_used(uses: &u32) -> bool {
    *uses == 0
}

/// An entry before the write.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReservedEntry {
    /// metadata.name of its ConsoleBinding.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// metadata.resourceVersion that it had. Absent: it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 64))]
    pub version: Option<String>,
}

/// One use of a guard's allowance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GuardUse {
    /// When it was reserved.
    pub at: Moment,
    /// What was used: creations, invitations, removals or seats.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// How much.
    pub count: u32,
    /// By the step with this fingerprint.
    #[schemars(length(min = 1, max = 64))]
    pub step: String,
}
