//! What the manifests and editor schemas hold.

use std::collections::BTreeSet;

use super::*;

fn spec_schema(kind: Kind) -> Value {
    kind.crd_value()
        .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec")
        .cloned()
        .expect("every kind has a spec")
}

/// Paths of the schemas for which `wrong` says something.
fn wrong_places(schema: &Value, at: &str, wrong: &impl Fn(&Value) -> bool, found: &mut Vec<String>) {
    if wrong(schema) {
        found.push(at.to_owned());
    }
    for (name, child) in schema["properties"].as_object().into_iter().flatten() {
        wrong_places(child, &format!("{at}.{name}"), wrong, found);
    }
    for key in ["items", "additionalProperties"] {
        if schema[key].is_object() {
            wrong_places(&schema[key], &format!("{at}[]"), wrong, found);
        }
    }
}

fn wrong(kind: Kind, check: impl Fn(&Value) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    wrong_places(&spec_schema(kind), kind.as_str(), &check, &mut found);
    found
}

#[test]
fn every_string_list_and_map_is_bounded_so_that_rules_have_a_cost() {
    for kind in Kind::ALL {
        let unbounded = wrong(*kind, |s| match s["type"].as_str() {
            Some("string") => s["maxLength"].is_null() && s["enum"].is_null(),
            Some("array") => s["maxItems"].is_null(),
            Some("object") => s["additionalProperties"].is_object() && s["maxProperties"].is_null(),
            _ => false,
        });
        assert!(unbounded.is_empty(), "{unbounded:?}");
    }
}

#[test]
fn no_field_is_nullable_and_every_node_has_one_type() {
    for kind in Kind::ALL {
        let bad = wrong(*kind, |s| {
            s.get("nullable").is_some()
                || s.get("oneOf").is_some()
                || s.get("anyOf").is_some()
                || !s["type"].is_string()
        });
        assert!(bad.is_empty(), "{bad:?}");
    }
}

#[test]
fn every_field_says_what_it_means() {
    for kind in Kind::ALL {
        for field in crate::explain::fields(*kind) {
            assert!(field.description.len() > 8, "{kind}.{} has no documentation", field.path);
        }
    }
}

#[test]
fn keys_of_map_lists_are_required() {
    for kind in Kind::ALL {
        let bad = wrong(*kind, |s| {
            s["x-kubernetes-list-map-keys"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|key| !s["items"]["required"].as_array().is_some_and(|r| r.contains(key)))
        });
        assert!(bad.is_empty(), "{bad:?}");
    }
}

#[test]
fn a_cluster_asks_for_account_names_and_an_editor_does_not() {
    let cluster = spec_schema(Kind::Customer);
    let names = |s: &Value| s["properties"]["accounts"]["items"]["required"].clone();
    assert_eq!(names(&cluster), json!(["consoleRef", "name"]));
    assert_eq!(names(&Kind::Customer.schema()["properties"]["spec"]), json!(["consoleRef"]));
}

#[test]
fn every_crd_is_namespaced_in_the_category_with_names_and_columns() {
    let mut taken = BTreeSet::new();
    for crd in crds() {
        let names = &crd.spec.names;
        assert_eq!((crd.spec.group.as_str(), crd.spec.scope.as_str()), (crate::GROUP, "Namespaced"));
        assert_eq!(names.categories.as_deref(), Some(&["tenantry".to_owned()][..]));
        let short = names.short_names.clone().unwrap_or_default();
        assert_eq!(short.len(), 1, "{}", names.kind);
        for name in short.into_iter().chain([names.plural.clone()]) {
            assert!(taken.insert(name.clone()), "{name} is taken twice");
        }
        let version = &crd.spec.versions[0];
        assert_eq!(version.name, crate::VERSION);
        assert!(version.additional_printer_columns.as_ref().is_some_and(|c| c.len() >= 2), "{}", names.kind);
        assert_eq!(version.subresources.is_some(), names.kind != "ConsoleBinding", "{}", names.kind);
    }
    assert_eq!(crds().len(), Kind::ALL.len());
}

#[test]
fn an_editor_refuses_what_nobody_knows_and_knows_each_kind_by_its_name() {
    let files = schemas();
    let (_, all) = files.iter().find(|(name, _)| name == "tenantry.json").expect("the combined schema");
    assert_eq!(
        all["oneOf"].as_array().map(Vec::len),
        Some(Kind::ALL.len() - 1),
        "the ledger is not for editors"
    );
    for (name, definition) in all["definitions"].as_object().expect("definitions") {
        assert_eq!(definition["properties"]["kind"]["const"], json!(name));
        let mut open = Vec::new();
        wrong_places(
            definition,
            name,
            &|s| s["properties"].is_object() && s["additionalProperties"] != json!(false),
            &mut open,
        );
        assert!(open.is_empty(), "{open:?}");
        assert!(!definition.to_string().contains("x-kubernetes-"), "{name}");
    }
}

#[test]
fn output_has_one_order_whatever_order_a_map_keeps() {
    let text = yaml(&json!({ "b": 1, "a": { "d": "no", "c": "0755" } }));
    assert_eq!(text.trim_end(), "a:\n  c: \"0755\"\n  d: \"no\"\nb: 1");
}
