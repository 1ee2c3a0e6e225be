//! PlanPolicy: an organisation's own rules over planned steps, shaped like Kubernetes' ValidatingAdmissionPolicy.
//!
//! A policy that cannot be evaluated fails, unless it says otherwise.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::status::ObjectStatus;

/// Rules over planned steps, in CEL. `step` is the planned step as the JSON plan shows it; `customer`, `console` and
/// `account` are the declarations that it comes from, where there are any.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[kube(
    group = "tenantry.io",
    version = "v1alpha1",
    kind = "PlanPolicy",
    plural = "planpolicies",
    namespaced,
    status = "ObjectStatus",
    category = "tenantry",
    shortname = "pp",
    derive = "PartialEq",
    doc = "An organisation's own rules over planned steps, shaped like ValidatingAdmissionPolicy.",
    printcolumn(name = "Actions", type_ = "string", json_path = ".spec.validationActions"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("!has(self.validationActions) || !('Deny' in self.validationActions && 'Warn' in self.validationActions)",
     "Deny and Warn together would say the same thing twice"),
])))]
pub struct PlanPolicySpec {
    /// What becomes of a step when an expression cannot be evaluated: Fail (as if it were false) or Ignore.
    /// Default: Fail.
    #[serde(default)]
    pub failure_policy: FailurePolicy,
    /// Which steps the policy is about: all conditions must be true. Absent: every step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub match_conditions: Vec<NamedExpression>,
    /// Values computed once per step, used as `variables.name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub variables: Vec<NamedExpression>,
    /// The rules: each must be true.
    #[schemars(length(min = 1, max = 64))]
    pub validations: Vec<PolicyValidation>,
    /// What a false rule does: Deny (the step is held), Warn or Audit. Default: Deny.
    #[serde(default = "deny", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 2), extend("x-kubernetes-list-type" = "set"))]
    pub validation_actions: Vec<ValidationAction>,
}

fn deny() -> Vec<ValidationAction> {
    vec![ValidationAction::Deny]
}

/// What an expression that cannot be evaluated counts as.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum FailurePolicy {
    /// As a broken rule.
    #[default]
    Fail,
    /// As a fulfilled rule.
    Ignore,
}

/// A named CEL expression.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedExpression {
    /// A name, unique in its list.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[A-Za-z_][A-Za-z0-9_-]*$"))]
    pub name: String,
    /// The CEL expression.
    #[schemars(length(min = 1, max = 4096))]
    pub expression: String,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyValidation {
    /// A CEL expression that must be true.
    #[schemars(length(min = 1, max = 4096))]
    pub expression: String,
    /// What is said where it is not. Default: the expression.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 1024))]
    pub message: Option<String>,
    /// A CEL expression that yields the message; `message` where it fails.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 4096))]
    pub message_expression: Option<String>,
}

/// What a false rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ValidationAction {
    /// The step is held.
    Deny,
    /// The plan shows a warning.
    Warn,
    /// The plan's JSON records it.
    Audit,
}
