//! What is generated from the types: the cluster's CRDs and the editors' JSON Schemas.
//!
//! The derived schema is corrected in one place: no field is nullable, integers have formats that an API server
//! knows, and (CRD only) the key of the accounts' list is required. Output is sorted and ends in one line feed.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Map, Value, json};

use crate::{API_VERSION, kind::Kind};

#[cfg(test)]
mod tests;

impl Kind {
    /// The CRD as a cluster gets it.
    pub fn crd(self) -> CustomResourceDefinition {
        serde_json::from_value(self.crd_value()).expect("a corrected CRD is a CRD")
    }

    fn crd_value(self) -> Value {
        let mut crd = serde_json::to_value(self.derived_crd()).expect("a CRD is JSON");
        let schema = crd
            .pointer_mut("/spec/versions/0/schema/openAPIV3Schema")
            .expect("a derived CRD has one version with a schema");
        correct(schema);
        if self == Self::Customer {
            require_account_names(schema);
        }
        crd
    }

    /// The schema of the object as files have it: like the CRD's, but account names may be left out.
    pub fn schema(self) -> Value {
        let mut schema = self
            .derived_crd()
            .spec
            .versions
            .swap_remove(0)
            .schema
            .and_then(|s| s.open_api_v3_schema)
            .map(|s| serde_json::to_value(s).expect("a schema is JSON"))
            .expect("a derived CRD has one version with a schema");
        correct(&mut schema);
        schema
    }
}

/// Every CRD, in the order of the kinds.
pub fn crds() -> Vec<CustomResourceDefinition> {
    Kind::ALL.iter().map(|k| k.crd()).collect()
}

/// Every CRD as a file: name and YAML.
pub fn crd_files() -> Vec<(String, String)> {
    Kind::ALL
        .iter()
        .map(|kind| {
            let value = kind.crd_value();
            let name = value.pointer("/metadata/name").and_then(Value::as_str).expect("a CRD has a name");
            (format!("{name}.yaml"), yaml(&value))
        })
        .collect()
}

/// The editors' JSON Schemas (draft 7) by file name: one per kind, and `tenantry.json` for any kind.
pub fn schemas() -> Vec<(String, Value)> {
    let of = |kind: Kind| editor_schema(kind);
    let written = Kind::ALL.iter().copied().filter(|k| *k != Kind::ConsoleBinding);
    let mut files: Vec<(String, Value)> = Vec::new();
    let mut definitions = Map::new();
    let mut one_of = Vec::new();
    for kind in written {
        let mut alone = of(kind);
        definitions.insert(kind.as_str().to_owned(), alone.clone());
        one_of.push(json!({ "$ref": format!("#/definitions/{kind}") }));
        alone["$schema"] = json!("http://json-schema.org/draft-07/schema#");
        files.push((format!("{}.json", kind.as_str().to_lowercase()), sorted(alone)));
    }
    let any = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "tenantry",
        "description": "Any object of tenantry.io/v1alpha1.",
        "type": "object",
        "required": ["apiVersion", "kind"],
        "oneOf": one_of,
        "definitions": definitions,
    });
    files.push(("tenantry.json".to_owned(), sorted(any)));
    files
}

/// The editors' JSON Schemas as files: name and text.
pub fn schema_files() -> Vec<(String, String)> {
    schemas()
        .into_iter()
        .map(|(name, schema)| {
            let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
            (name, text + "\n")
        })
        .collect()
}

fn editor_schema(kind: Kind) -> Value {
    let mut schema = kind.schema();
    strict(&mut schema);
    schema["title"] = json!(kind.as_str());
    schema["required"] = json!(["apiVersion", "kind", "metadata", "spec"]);
    let text_map = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let properties = schema["properties"].as_object_mut().expect("an object's schema has properties");
    properties.remove("status");
    properties.insert("apiVersion".to_owned(), json!({ "const": API_VERSION }));
    properties.insert("kind".to_owned(), json!({ "const": kind.as_str() }));
    properties.insert(
        "metadata".to_owned(),
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["name"],
            "properties": {
                "name": {
                    "type": "string", "description": "Name, unique for its kind in the namespace.",
                    "minLength": 1, "maxLength": 253,
                    "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
                },
                "namespace": { "type": "string", "description": "Default: default.", "minLength": 1, "maxLength": 63 },
                "labels": text_map,
                "annotations": text_map,
            },
        }),
    );
    schema
}

/// YAML of a value, keys sorted.
pub(crate) fn yaml(value: &Value) -> String {
    serde_saphyr::to_string(&sorted(value.clone())).expect("JSON values are YAML")
}

/// The value with the keys of every map in order, whatever order the map type keeps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// Walks every schema below and including `schema`; `visit` sees schemas only, never a map of properties.
fn each_schema(schema: &mut Value, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    let Value::Object(map) = schema else { return };
    visit(map);
    for key in ["items", "additionalProperties", "not"] {
        if let Some(child) = map.get_mut(key) {
            each_schema(child, visit);
        }
    }
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(|child| each_schema(child, visit));
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        if let Some(Value::Array(list)) = map.get_mut(key) {
            for child in list {
                each_schema(child, visit);
            }
        }
    }
}

fn correct(schema: &mut Value) {
    each_schema(schema, &mut |map| {
        map.remove("nullable");
        let format = map.get("format").and_then(Value::as_str);
        match format {
            Some("uint8" | "uint16" | "int8" | "int16") => {
                map.insert("format".to_owned(), json!("int32"));
            }
            // Above i32::MAX an int32 is refused, so a 32 bit count without a sign is a 64 bit integer.
            Some("uint32" | "uint64" | "uint" | "int") => {
                map.insert("format".to_owned(), json!("int64"));
            }
            _ => {}
        }
    });
}

fn require_account_names(schema: &mut Value) {
    let account =
        schema.pointer_mut("/properties/spec/properties/accounts/items").expect("a Customer has accounts");
    let name = account
        .pointer_mut("/properties/name")
        .and_then(Value::as_object_mut)
        .expect("an account has a name");
    name.remove("default");
    name.insert("minLength".to_owned(), json!(1));
    let required = account["required"].as_array_mut().expect("an account has required fields");
    required.push(json!("name"));
    required.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
}

fn strict(schema: &mut Value) {
    each_schema(schema, &mut |map| {
        let free = map.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
        if map.contains_key("properties") && !free {
            map.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
        map.retain(|key, _| !key.starts_with("x-kubernetes-"));
    });
}
