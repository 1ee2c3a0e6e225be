//! License: what a customer has of one Product in one account, now and from the next term on.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    reference::NameRef,
    status::ObjectStatus,
    value::Date,
    want::{DeletionPolicy, LicenseWant},
};

/// What a customer has of one Product in one account: how many, of which kind, and what happens at renewal.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[kube(
    group = "tenantry.io",
    version = "v1alpha1",
    kind = "License",
    namespaced,
    status = "ObjectStatus",
    category = "tenantry",
    shortname = "lic",
    derive = "PartialEq",
    doc = "What a customer has of one Product in one account: how many, of which kind, and what happens at renewal.",
    printcolumn(name = "Customer", type_ = "string", json_path = ".spec.customerRef.name"),
    printcolumn(name = "Product", type_ = "string", json_path = ".spec.productRef.name"),
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "Quantity", type_ = "integer", json_path = ".spec.quantity"),
    printcolumn(name = "Standing", type_ = "string", json_path = ".status.standing"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("!has(self.notBefore) || (has(self.want) && self.want != 'Present')",
     "notBefore delays an ending: it needs a want other than Present"),
    ("self.type != 'Usage' || !has(self.renewal)", "a licence billed by usage has no term and no renewal"),
    ("!has(self.quantity) || self.quantity >= 1 || self.type == 'Usage'",
     "quantity 0 does not end a licence: say want: Removed"),
    ("self.customerRef.name == oldSelf.customerRef.name && self.account == oldSelf.account",
     "a licence keeps its customer and account; declare another licence instead"),
    ("oldSelf.type == self.type || oldSelf.type == 'Trial'",
     "only a trial changes its type; a paid licence is not turned back"),
])))]
pub struct LicenseSpec {
    /// The Customer that has the licence.
    pub customer_ref: NameRef,
    /// The account of that customer, by its name.
    #[schemars(length(min = 1, max = 63))]
    pub account: String,
    /// The Product. A change is an upgrade or a replacement, as the vendor allows.
    pub product_ref: NameRef,
    /// Trial, Paid (a term is bought), Usage (billed by what is used) or Msp (our own licence covers the customer).
    #[serde(rename = "type")]
    pub type_: LicenseType,
    /// The remote id of the subscription, kept in Git. `tenantry pull` writes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 512))]
    pub id: Option<Box<str>>,
    /// How many seats or units now. Absent: not managed.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(range(max = 10_000_000))]
    pub quantity: Option<u32>,
    /// What holds from the next term on.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub renewal: Option<Renewal>,
    /// What is wanted: Present, Suspended or Removed (cancelled). Default: Present.
    #[serde(default)]
    pub want: LicenseWant,
    /// The day, 00:00 UTC, before which a want other than Present is not acted on. Default: at once.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub not_before: Option<Date>,
    /// Consequences that are accepted, by code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 64)), extend("x-kubernetes-list-type" = "set"))]
    pub consents: Vec<String>,
    /// What becomes of the licence when this declaration goes: Retain, Detach or Remove. Default: the console's
    /// defaults, then Retain.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "DeletionPolicy")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// Names that this object had before: the binding follows, and no request is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 253)), extend("x-kubernetes-list-type" = "set"))]
    pub formerly: Vec<String>,
}

/// The kind of a licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum LicenseType {
    /// For a time, without a price.
    Trial,
    /// A term is bought.
    Paid,
    /// Billed by what is used.
    Usage,
    /// Our own MSP licence covers the customer; it ends with our link to the customer.
    Msp,
}

/// What holds from the next term on. Each field absent: not managed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Renewal {
    /// Whether the licence renews by itself.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub auto_renew: Option<bool>,
    /// How many from the next term on.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub quantity: Option<u32>,
    /// Which Product from the next term on.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub product_ref: Option<NameRef>,
}
