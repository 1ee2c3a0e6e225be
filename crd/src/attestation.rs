//! Attestation: a human fact that closes a task or resolves an operation in doubt.
//!
//! The weakest evidence: an observation begun later overrides it.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{status::ObjectStatus, value::Moment};

/// A human fact: closes a task, or resolves an operation in doubt.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[kube(
    group = "tenantry.io",
    version = "v1alpha1",
    kind = "Attestation",
    namespaced,
    status = "ObjectStatus",
    category = "tenantry",
    shortname = "attest",
    derive = "PartialEq",
    doc = "A human fact: closes a task, or resolves an operation in doubt.",
    printcolumn(name = "Task", type_ = "string", json_path = ".spec.task"),
    printcolumn(name = "Operation", type_ = "string", json_path = ".spec.operation"),
    printcolumn(name = "Outcome", type_ = "string", json_path = ".spec.outcome"),
    printcolumn(name = "By", type_ = "string", json_path = ".spec.by"),
    printcolumn(name = "On", type_ = "date", json_path = ".spec.on", priority = 1),
    printcolumn(name = "Note", type_ = "string", json_path = ".spec.note", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("has(self.task) != has(self.operation)", "name exactly one of task and operation"),
    ("!has(self.task) || self.outcome in ['Done', 'Refused']", "a task is Done or Refused"),
    ("!has(self.operation) || self.outcome in ['Happened', 'NotHappened']",
     "an operation in doubt Happened or NotHappened"),
    ("self == oldSelf", "an Attestation is a fact and never changes; write another"),
])))]
pub struct AttestationSpec {
    /// The task that this closes, by its id. Exactly one of task and operation.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 256))]
    pub task: Option<String>,
    /// The operation in doubt that this resolves, by its id. Exactly one of task and operation.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 256))]
    pub operation: Option<String>,
    /// Done or Refused for a task; Happened or NotHappened for an operation.
    pub outcome: Outcome,
    /// Who says so.
    #[schemars(length(min = 1, max = 256))]
    pub by: String,
    /// When it was so, RFC 3339. Counts only if not before the task was opened. Quote the key (`"on"`) in YAML for
    /// kubectl, which reads a bare `on` as true.
    pub on: Moment,
    /// What should be remembered with it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 4096))]
    pub note: Option<String>,
    /// A file kept as proof, elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub file: Option<ProofFile>,
}

/// What a person attests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Outcome {
    /// The task is done.
    Done,
    /// The operation took effect.
    Happened,
    /// The operation took no effect and may be sent again.
    NotHappened,
    /// The customer or the provider refused the task.
    Refused,
}

/// A file kept as proof; only its name and digest are here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProofFile {
    /// The file's name.
    #[schemars(length(min = 1, max = 256))]
    pub name: String,
    /// SHA-256 of its content, 64 hex digits.
    #[schemars(length(min = 64, max = 64), regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: String,
}
