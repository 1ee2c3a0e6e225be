//! How documents become typed objects, and what is refused.

use serde_json::json;

use super::*;

fn customer(spec: Value) -> Value {
    let mut document = json!({ "apiVersion": API_VERSION, "kind": "Customer", "metadata": { "name": "a" } });
    document["spec"] = spec;
    document
}

fn said(value: Value) -> (String, String) {
    let error = AnyObject::from_value(value).unwrap_err();
    (error.path.to_string(), error.to_string())
}

#[test]
fn an_account_without_a_name_is_named_after_its_console() {
    let object = AnyObject::from_value(customer(json!({
        "company": { "legalName": "A" },
        "accounts": [{ "consoleRef": { "name": "sophos" } }, { "name": "second", "consoleRef": { "name": "sophos" } }]
    })))
    .unwrap();
    let AnyObject::Customer(customer) = object else { panic!("a Customer was read") };
    let names: Vec<&str> = customer.spec.accounts.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["sophos", "second"]);
    assert!(customer.spec.account("second").is_some());
}

#[test]
fn a_misspelt_field_names_the_nearest_one_and_its_place() {
    let (path, text) = said(customer(json!({ "company": { "legalname": "A" } })));
    assert_eq!(path, "spec.company.legalname");
    assert_eq!(text, "unknown field `legalname`: did you mean `legalName`?");
    let (path, text) =
        said(customer(json!({ "company": { "legalName": "A" }, "contacts": [{ "mail": "x" }] })));
    assert_eq!(path, "spec.contacts[0].mail");
    assert_eq!(text, "unknown field `mail`: did you mean `email`?");
}

#[test]
fn a_misspelt_kind_names_the_nearest_one() {
    let mut document = customer(json!({}));
    document["kind"] = json!("Costumer");
    assert_eq!(
        said(document),
        ("kind".to_owned(), "kind is `Costumer`: did you mean `Customer`?".to_owned())
    );
    let document = json!({ "apiVersion": API_VERSION, "metadata": {} });
    assert_eq!(
        said(document).1,
        "kind is missing: write one of Console, Customer, Product, License, Relationship, Upgrade, Attestation, \
         Inventory or PlanPolicy"
    );
}

#[test]
fn another_api_version_is_refused_with_ours() {
    let text = said(json!({ "apiVersion": "v1", "kind": "Secret" })).1;
    assert_eq!(text, "apiVersion is `v1`: write `apiVersion: tenantry.io/v1alpha1`");
    assert_eq!(
        said(json!({ "kind": "Customer" })).1,
        "apiVersion is missing: write `apiVersion: tenantry.io/v1alpha1`"
    );
}

#[test]
fn a_document_that_is_no_object_says_what_one_is() {
    assert_eq!(
        said(json!(["a"])).1,
        "this is not an object: expected `apiVersion: tenantry.io/v1alpha1`, `kind` and `metadata.name`"
    );
}

#[test]
fn an_object_without_a_name_is_refused() {
    let mut document = customer(json!({ "company": { "legalName": "A" } }));
    document["metadata"] = json!({});
    assert_eq!(
        said(document),
        ("metadata".to_owned(), "metadata.name is missing: every object needs a name".to_owned())
    );
}

#[test]
fn unknown_fields_beside_spec_and_in_metadata_are_refused() {
    let mut document = customer(json!({ "company": { "legalName": "A" } }));
    document["sepc"] = json!({});
    assert_eq!(said(document.clone()).1, "unknown field `sepc`: did you mean `spec`?");
    document.as_object_mut().unwrap().remove("sepc");
    document["metadata"]["label"] = json!({});
    assert_eq!(
        said(document),
        ("metadata.label".to_owned(), "unknown field `label`: did you mean `labels`?".to_owned())
    );
}

#[test]
fn null_says_what_to_write_instead() {
    let (path, text) = said(customer(json!({ "company": { "legalName": "A", "website": null } })));
    assert_eq!(path, "spec.company.website");
    assert_eq!(
        text,
        "null says nothing here: leave the field out (not managed), or write `[]` for none of a list"
    );
}

#[test]
fn a_wrong_value_is_named_with_what_is_expected() {
    let (path, text) = said(customer(json!({ "company": { "legalName": "A" }, "want": "Gone" })));
    assert_eq!(path, "spec.want");
    assert_eq!(text, "unknown variant `Gone`, expected one of `Present`, `Suspended`, `Detached`, `Removed`");
    let (path, text) = said(customer(json!({ "company": { "legalName": "A" }, "notBefore": "31.12.2026" })));
    assert_eq!(
        (path.as_str(), text.as_str()),
        ("spec.notBefore", "`31.12.2026` is not a date such as 2026-12-31")
    );
}

#[test]
fn kinds_are_found_by_name_plural_and_short_name() {
    for (name, kind) in [
        ("Customer", Kind::Customer),
        ("customers", Kind::Customer),
        ("lic", Kind::License),
        ("inventories", Kind::Inventory),
        ("planpolicies", Kind::PlanPolicy),
    ] {
        assert_eq!(Kind::lookup(name), Some(kind), "{name}");
    }
    assert_eq!(Kind::lookup("secret"), None);
    assert_eq!(Kind::from_name("customer"), None, "YAML writes a kind in one way");
}

#[test]
fn a_file_without_a_namespace_is_in_default() {
    let object = AnyObject::from_value(customer(json!({ "company": { "legalName": "A" } }))).unwrap();
    assert_eq!((object.name(), object.namespace()), ("a", "default"));
}

#[test]
fn what_is_written_for_a_cluster_quotes_the_keys_that_kubectl_would_read_as_true() {
    let attestation = json!({
        "apiVersion": API_VERSION, "kind": "Attestation", "metadata": { "name": "a" },
        "spec": { "task": "t", "outcome": "Done", "by": "b", "on": "2026-11-20T09:30:00Z" }
    });
    let yaml = AnyObject::from_value(attestation).unwrap().to_yaml();
    assert!(yaml.contains("\n  \"on\": "), "{yaml}");
}
