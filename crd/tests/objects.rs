//! Every field of every kind: read, written, refused when null, refused when misspelt.
//!
//! `objects/KIND.yaml` holds objects that together name every field the kind has.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};
use tenantry_crd::{AnyObject, Kind, Problem, explain};

fn documents(kind: Kind) -> Vec<Value> {
    let name = format!("tests/objects/{}.yaml", kind.as_str().to_lowercase());
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&name)).expect("objects of each kind");
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn all_documents() -> impl Iterator<Item = (Kind, Value)> {
    Kind::ALL.iter().flat_map(|kind| documents(*kind).into_iter().map(|d| (*kind, d)))
}

fn read(document: &Value) -> AnyObject {
    AnyObject::from_value(document.clone()).unwrap_or_else(|e| panic!("{}: {e} in {document}", e.path))
}

/// JSON pointers of every node below `/spec`, with the path of its field in the schema.
fn nodes(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, child) in map {
                let at = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                found.push(at.clone());
                nodes(child, &at, found);
            }
        }
        Value::Array(list) => {
            for (i, child) in list.iter().enumerate() {
                let at = format!("{pointer}/{i}");
                found.push(at.clone());
                nodes(child, &at, found);
            }
        }
        _ => {}
    }
}

fn spec_nodes(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    nodes(&document["spec"], "/spec", &mut found);
    found
}

/// Blocks that another program defines: their inside is not ours to check.
fn in_free_form(pointer: &str) -> bool {
    let free = [
        "/plugin/config/",
        "/account/plugin/",
        "/spec/operation/",
        "/spec/invitation/drafted",
        "/tasks/",
        "/guardLog/",
    ];
    let product_plugin = pointer.starts_with("/spec/plugin/sku");
    let account_plugin = pointer.starts_with("/spec/accounts/") && pointer.contains("/plugin/");
    product_plugin || account_plugin || free.iter().any(|f| pointer.contains(f))
}

#[test]
fn every_kind_survives_being_written_and_read_again() {
    for (kind, document) in all_documents() {
        let object = read(&document);
        assert_eq!(object.kind(), kind);
        let written = object.to_yaml();
        let again: Value = serde_saphyr::from_str(&written).unwrap_or_else(|e| panic!("{e}\n{written}"));
        assert_eq!(read(&again), object, "{written}");
    }
}

#[test]
fn nothing_that_was_declared_is_lost_in_the_typed_object() {
    for (_, document) in all_documents() {
        let typed = read(&document).to_value();
        for pointer in spec_nodes(&document) {
            let (declared, kept) = (document.pointer(&pointer), typed.pointer(&pointer));
            if !declared.is_some_and(Value::is_object) && !declared.is_some_and(Value::is_array) {
                assert_eq!(kept, declared, "{pointer} of {typed}");
            }
        }
    }
}

#[test]
fn the_objects_of_these_tests_name_every_field() {
    for kind in Kind::ALL {
        let mut named = BTreeSet::new();
        for document in documents(*kind) {
            for pointer in spec_nodes(&document) {
                let parts: Vec<&str> =
                    pointer[1..].split('/').filter(|p| p.parse::<usize>().is_err()).collect();
                named.insert(parts.join("."));
            }
        }
        for field in explain::fields(*kind) {
            let path = field.path.replace("[]", "");
            if !path.starts_with("spec.") || path.contains('*') {
                continue;
            }
            assert!(named.contains(&path), "tests/objects names no {kind}.{path}");
        }
    }
}

#[test]
fn null_is_an_error_in_every_place() {
    let mut tried = 0;
    for (kind, document) in all_documents() {
        for pointer in spec_nodes(&document).into_iter().filter(|p| !in_free_form(p)) {
            let mut broken = document.clone();
            *broken.pointer_mut(&pointer).unwrap() = Value::Null;
            let error = AnyObject::from_value(broken).expect_err(&format!("{kind}{pointer}: null"));
            assert_eq!(error.problem, Problem::Null, "{kind}{pointer}: {error}");
            let expected = pointer[1..].replace('/', ".");
            let shown = error.path.to_string().replace('[', ".").replace([']', '"'], "");
            assert_eq!(shown, expected, "{kind}: the path of a null");
            tried += 1;
        }
    }
    assert!(tried > 200, "only {tried} places were tried");
}

#[test]
fn a_field_that_nobody_knows_is_an_error_in_every_object() {
    let mut tried = 0;
    for (kind, document) in all_documents() {
        let mut places = spec_nodes(&document);
        places.push("/spec".to_owned());
        for pointer in places.into_iter().filter(|p| !in_free_form(p)) {
            let is_map = [
                "externalIds",
                "messages",
                "columns",
                "matchLabels",
                "options",
                "values",
                "lastApplied",
                "refusedRows",
                "config",
                "plugin",
                "operation",
                "invitation",
                "tasks",
                "drafted",
            ]
            .iter()
            .any(|m| pointer.ends_with(&format!("/{m}")));
            let typed_twin = (kind == Kind::Console
                && (pointer == "/spec/invitation" || pointer == "/spec/plugin"))
                || (kind == Kind::Relationship && pointer == "/spec/invitation");
            let Some(Value::Object(_)) = document.pointer(&pointer) else { continue };
            if is_map && !typed_twin {
                continue;
            }
            let mut broken = document.clone();
            broken.pointer_mut(&pointer).unwrap()["zzz"] = json!(1);
            let error = AnyObject::from_value(broken).expect_err(&format!("{kind}{pointer}: zzz"));
            assert!(
                matches!(&error.problem, Problem::UnknownField { field, .. } if field == "zzz"),
                "{kind}{pointer}: {error}"
            );
            assert!(error.path.to_string().ends_with("zzz"), "{kind}{pointer}: {}", error.path);
            tried += 1;
        }
    }
    assert!(tried > 60, "only {tried} objects were tried");
}

#[test]
fn absent_and_empty_are_two_statements() {
    let customer = |extra: &str| {
        let text = format!(
            "{{apiVersion: tenantry.io/v1alpha1, kind: Customer, metadata: {{name: a}}, spec: {{company: {{legalName: A}}{extra}}}}}"
        );
        match read(&serde_saphyr::from_str(&text).unwrap()) {
            AnyObject::Customer(customer) => customer.spec.contacts,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(customer(""), None);
    assert_eq!(customer(", contacts: []"), Some(Vec::new()));
}
