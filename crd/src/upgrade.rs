//! Upgrade: a product upgrade that the vendor runs, followed for many customers.
//!
//! The vendor's window, readiness, the order, the redirect and the devices' progress are observed facts, never
//! desires: a declaration can only choose the customers and delay our own tasks.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    reference::{CustomerSelection, NameRef},
    rollout::Rollout,
    status::ObjectStatus,
    value::{Date, IsoDuration},
};

/// A product upgrade that the vendor runs (SEP SBE to SEP Cloud), followed for many customers.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[kube(
    group = "tenantry.io",
    version = "v1alpha1",
    kind = "Upgrade",
    namespaced,
    status = "ObjectStatus",
    category = "tenantry",
    shortname = "upg",
    derive = "PartialEq",
    doc = "A product upgrade that the vendor runs (SEP SBE to SEP Cloud), followed for many customers.",
    printcolumn(name = "Console", type_ = "string", json_path = ".spec.consoleRef.name"),
    printcolumn(name = "From", type_ = "string", json_path = ".spec.from"),
    printcolumn(name = "To", type_ = "string", json_path = ".spec.to"),
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
    ("self.from != self.to", "an upgrade leads from one product to another"),
    ("self.consoleRef.name == oldSelf.consoleRef.name && self.from == oldSelf.from && self.to == oldSelf.to",
     "an Upgrade keeps its console and products; declare another instead"),
])))]
pub struct UpgradeSpec {
    /// The Console whose customers are upgraded.
    pub console_ref: NameRef,
    /// The product that customers leave, as the console's profile names it (`sep-sbe`).
    #[schemars(length(min = 1, max = 64))]
    pub from: String,
    /// The product that customers get (`sep-cloud`).
    #[schemars(length(min = 1, max = 64))]
    pub to: String,
    /// Which customers, by label.
    pub customers: CustomerSelection,
    /// How our own tasks are spread over the customers. Absent: all at once.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub rollout: Option<Rollout>,
    /// The day, 00:00 UTC, before which no task of ours is opened. The vendor may upgrade by itself all the same.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub not_before: Option<Date>,
    /// When a step that somebody else performs is called overdue.
    #[serde(default)]
    pub escalate: Escalation,
}

/// When a step that somebody else performs is called overdue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Escalation {
    /// How long the distributor may take for an order. Default: PT24H.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub order: Option<IsoDuration>,
}

impl Escalation {
    /// How long the distributor may take for an order, declared or defaulted.
    pub fn order(&self) -> IsoDuration {
        self.order.unwrap_or(IsoDuration::hours(24))
    }
}
