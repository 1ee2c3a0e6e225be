//! Small builders for what the derive macros cannot say in an attribute.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// `x-kubernetes-validations` from pairs of rule and message.
pub(crate) fn rules(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(rule, message)| json!({ "rule": rule, "message": message })).collect()
}

/// An object whose fields another program defines.
pub(crate) fn free_form(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}
