//! What `explain` says of a kind or a field, read from the same schema that the cluster gets.

use std::fmt::Write as _;

use serde_json::Value;

use crate::kind::{Kind, nearest};

#[cfg(test)]
mod tests;

/// What there is to say of one kind or field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The kind.
    pub kind: Kind,
    /// The field with its parents, `spec.accounts[].sophos`; empty for the kind itself.
    pub path: String,
    /// Its type: `string`, `integer`, `[]object`, `map[string]string`, …
    pub type_name: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub description: String,
    /// The default that the schema fills in, as YAML.
    pub default: Option<String>,
    /// The values that it may have, where they are a closed list.
    pub values: Vec<String>,
    /// Limits in words: `1 to 63 characters`, `pattern …`.
    pub limits: Vec<String>,
    /// The rules on it: the messages shown where they are broken.
    pub rules: Vec<String>,
    /// The fields in it.
    pub fields: Vec<FieldDoc>,
}

/// One field in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDoc {
    /// The path from the object's root, `spec.accounts[].name`.
    pub path: String,
    /// The field's own name.
    pub name: String,
    /// Its type.
    pub type_name: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub description: String,
}

/// A path that explains nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// No kind of that name.
    #[error("there is no kind `{name}`{}; kinds: {}", hint(.nearest.as_deref()), kind_names())]
    Kind {
        /// What was asked for.
        name: String,
        /// The kind most like it.
        nearest: Option<String>,
    },
    /// No field of that name.
    #[error("{parent} has no field `{name}`{}{}", hint(.nearest.as_deref()), known_fields(.known))]
    Field {
        /// Where it was looked for, `Customer.spec`.
        parent: String,
        /// What was asked for.
        name: String,
        /// The field most like it.
        nearest: Option<String>,
        /// The fields there are.
        known: Vec<String>,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |n| format!(" (did you mean `{n}`?)"))
}

fn known_fields(known: &[String]) -> String {
    if known.is_empty() { "; it has no fields".to_owned() } else { format!("; fields: {}", known.join(", ")) }
}

fn kind_names() -> String {
    Kind::ALL.iter().map(|k| k.as_str()).collect::<Vec<_>>().join(", ")
}

/// Explains `KIND` or `KIND.field.field`. The kind may be written in any case, in the plural or short; `spec.` may be
/// left out; `[]` and `[0]` after a list are ignored.
pub fn explain(path: &str) -> Result<Explanation, ExplainError> {
    let mut parts = path.split('.').map(|p| p.split('[').next().unwrap_or(p)).filter(|p| !p.is_empty());
    let name = parts.next().unwrap_or_default();
    let kind = Kind::lookup(name).ok_or_else(|| ExplainError::Kind {
        name: name.to_owned(),
        nearest: Kind::nearest(name).map(|k| k.as_str().to_owned()),
    })?;
    let root = kind.schema();
    let mut schema = &root;
    let mut at = String::new();
    let mut required = true;
    for (i, part) in parts.enumerate() {
        let own = properties(schema).is_some_and(|p| p.contains_key(part));
        if i == 0 && !own && field(&root["properties"]["spec"], part).is_some() {
            schema = &root["properties"]["spec"];
            at.push_str("spec");
        }
        let Some(next) = field(schema, part) else {
            let known: Vec<String> =
                properties(schema).map(|p| p.keys().cloned().collect()).unwrap_or_default();
            return Err(ExplainError::Field {
                parent: if at.is_empty() { kind.to_string() } else { format!("{kind}.{at}") },
                name: part.to_owned(),
                nearest: nearest(part, known.iter().map(String::as_str)).map(str::to_owned),
                known,
            });
        };
        required = is_required(schema, part);
        if !at.is_empty() {
            at.push_str(if is_list(schema) { "[]." } else { "." });
        }
        at.push_str(part);
        schema = next;
    }
    Ok(explanation(kind, at, required, schema))
}

/// Every field of the kind with its documentation, parents before their fields, in the order of their names.
pub fn fields(kind: Kind) -> Vec<FieldDoc> {
    let mut found = Vec::new();
    collect(&kind.schema(), "", &mut found);
    found
}

fn collect(schema: &Value, at: &str, found: &mut Vec<FieldDoc>) {
    for doc in direct_fields(schema, at) {
        let child = field(schema, &doc.name).expect("listed from this schema");
        let path = doc.path.clone();
        found.push(doc);
        collect(child, &path, found);
    }
}

fn direct_fields(schema: &Value, at: &str) -> Vec<FieldDoc> {
    let joint = match (at.is_empty(), is_list(schema), is_map(schema)) {
        (true, _, _) => "",
        (_, true, _) => "[].",
        (_, _, true) => ".*.",
        _ => ".",
    };
    let Some(properties) = properties(schema) else { return Vec::new() };
    let mut names: Vec<&String> = properties.keys().collect();
    names.sort();
    names
        .into_iter()
        .map(|name| FieldDoc {
            path: format!("{at}{joint}{name}"),
            name: name.clone(),
            type_name: type_name(&properties[name]),
            required: is_required(schema, name),
            description: text(&properties[name], "description"),
        })
        .collect()
}

fn explanation(kind: Kind, path: String, required: bool, schema: &Value) -> Explanation {
    let inner = element(schema);
    let fields = direct_fields(schema, &path);
    Explanation {
        kind,
        type_name: type_name(schema),
        required,
        description: text(schema, "description"),
        default: schema.get("default").map(|d| crate::crds::yaml(d).trim_end().to_owned()),
        values: inner["enum"].as_array().map(|v| v.iter().map(plain).collect()).unwrap_or_default(),
        limits: limits(schema),
        rules: [schema, inner]
            .into_iter()
            .take(if std::ptr::eq(schema, inner) { 1 } else { 2 })
            .filter_map(|s| s["x-kubernetes-validations"].as_array())
            .flatten()
            .map(|rule| text(rule, "message"))
            .collect(),
        fields,
        path,
    }
}

fn limits(schema: &Value) -> Vec<String> {
    let mut said = Vec::new();
    let mut range = |low: &str, high: &str, unit: &str| {
        let bound = |key: &str| schema.get(key).filter(|v| !v.is_null()).map(ToString::to_string);
        match (bound(low), bound(high)) {
            (Some(low), Some(high)) if low == high => said.push(format!("exactly {low}{unit}")),
            (Some(low), Some(high)) => said.push(format!("{low} to {high}{unit}")),
            (Some(low), None) => said.push(format!("at least {low}{unit}")),
            (None, Some(high)) => said.push(format!("at most {high}{unit}")),
            (None, None) => {}
        }
    };
    range("minLength", "maxLength", " characters");
    range("minItems", "maxItems", " entries");
    range("minProperties", "maxProperties", " keys");
    range("minimum", "maximum", "");
    if let Some(pattern) = schema["pattern"].as_str() {
        said.push(format!("pattern {pattern}"));
    }
    said
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn text(value: &Value, key: &str) -> String {
    let raw = value[key].as_str().unwrap_or_default();
    let mut out = String::with_capacity(raw.len());
    for paragraph in raw.split("\n\n") {
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        let _ = write!(out, "{}", paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    out
}

fn is_list(schema: &Value) -> bool {
    schema["type"] == "array"
}

fn is_map(schema: &Value) -> bool {
    schema["additionalProperties"].is_object()
}

/// The schema in which fields are looked for: a list's entry, a map's value, or itself.
fn element(schema: &Value) -> &Value {
    if is_list(schema) {
        &schema["items"]
    } else if is_map(schema) {
        &schema["additionalProperties"]
    } else {
        schema
    }
}

fn properties(schema: &Value) -> Option<&serde_json::Map<String, Value>> {
    element(schema)["properties"].as_object()
}

fn field<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    properties(schema)?.get(name)
}

fn is_required(schema: &Value, name: &str) -> bool {
    element(schema)["required"].as_array().is_some_and(|r| r.iter().any(|n| n == name))
}

fn type_name(schema: &Value) -> String {
    if is_list(schema) {
        return format!("[]{}", type_name(&schema["items"]));
    }
    if is_map(schema) {
        return format!("map[string]{}", type_name(&schema["additionalProperties"]));
    }
    schema["type"].as_str().unwrap_or("any").to_owned()
}
