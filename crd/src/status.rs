//! What the controller reports on an object.
//!
//! Status is a copy of facts for people and `kubectl wait`: it is never read back, carries no heartbeat, and an
//! object without status plans exactly as one with it. Unknown status fields are therefore tolerated on reading.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::Moment;

/// Status of kinds that have no accounts of their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectStatus {
    /// metadata.generation that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub observed_generation: Option<i64>,
    /// Ready, Stalled and their reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The remote id of the record that this object is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(max = 512))]
    pub remote_id: Option<String>,
    /// What the console shows, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(max = 64))]
    pub standing: Option<String>,
    /// How the standing is known: Observed, Imported or Attested.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "Evidence")]
    pub evidence: Option<Evidence>,
    /// Since when it has that standing.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub since: Option<Moment>,
}

/// Status of a Customer: one entry per account, and the least of them on top.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomerStatus {
    /// metadata.generation that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub observed_generation: Option<i64>,
    /// Ready, Stalled and their reasons; the least of all accounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The least standing of all accounts.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(max = 64))]
    pub standing: Option<String>,
    /// Each account as its console shows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub accounts: Vec<AccountStatus>,
}

/// One account of a Customer as its console shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountStatus {
    /// The account's name in spec.accounts.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// metadata.generation that this entry describes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub observed_generation: Option<i64>,
    /// Whether this account is as declared: True, False or Unknown.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(max = 7))]
    pub ready: Option<String>,
    /// Why, as the reason of a condition. The Customer's own is that of its worst account.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(max = 64))]
    pub reason: Option<String>,
    /// What the console shows, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(max = 64))]
    pub standing: Option<String>,
    /// The remote id that the account is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(max = 512))]
    pub remote_id: Option<String>,
    /// Since when it has that standing.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub since: Option<Moment>,
    /// How the standing is known: Observed, Imported or Attested.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "Evidence")]
    pub evidence: Option<Evidence>,
    /// What it waits for, in words.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
}

/// How a fact is known, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Evidence {
    /// The console itself showed it.
    Observed,
    /// An Inventory showed it.
    Imported,
    /// A person said so.
    Attested,
}

/// Status of a Console.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsoleStatus {
    /// metadata.generation that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub observed_generation: Option<i64>,
    /// Ready, Stalled and their reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The vendor account that the credentials belong to and the ledger is pinned to.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(max = 512))]
    pub vendor_account: Option<String>,
    /// The plan that waits for approval, in short.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub plan: Option<PlanSummary>,
}

/// The held part of a Console's plan, in short.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanSummary {
    /// Steps that will be done.
    pub steps: u32,
    /// Steps that a guard, a consent or a policy holds.
    pub held: u32,
    /// Steps that wait for time, a person or another console.
    pub waiting: u32,
    /// Fingerprint of the held steps.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(max = 128))]
    pub fingerprint: Option<String>,
    /// The riskiest held steps in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), inner(length(min = 1, max = 1024)))]
    pub riskiest: Vec<String>,
}

/// The `type` of the condition that tells whether everything wanted is there.
pub const READY: &str = "Ready";

/// The `type` of the condition that tells that nothing goes on without a person.
pub const STALLED: &str = "Stalled";

/// The condition of type `kind`, if reported.
pub fn condition<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|c| c.type_ == kind)
}
