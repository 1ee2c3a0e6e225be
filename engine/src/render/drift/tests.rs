//! What a drift document promises to whoever reads it.

use super::*;

fn everything() -> DriftDocument {
    let address = Address::account("default", "nordwind", "sophos");
    let field = |applied, shows| ChangedField {
        field: Field::of("contact.email"),
        label: "contact".into(),
        applied,
        shows,
        can_be_put_back: true,
    };
    let fields = vec![
        field(Some("it@a.example".into()), None),
        field(None, Some(true.into())),
        field(Some(Value::Number(3)), Some(Value::List([Box::from("a")].into()))),
    ];
    let one = ConsoleDrift {
        console: ConsoleName::new("sophos"),
        vendor_account: VendorAccount::new("sophos:1"),
        changed: vec![ChangedRecord { address: address.clone(), remote_id: RemoteId::from("7f2e"), fields }],
        gone: vec![GoneRecord { address: Some(address), words: "it was there and is gone".into() }],
        not_compared: 2,
        as_of: Some("2026-11-21T08:00:00Z".parse().expect("a moment")),
    };
    let finding = Finding::new(Code::NotPlanned, "microsoft: no answer").next("tenantry doctor");
    DriftDocument::new("0.1.0", vec![one], vec![finding])
}

/// What the published schema has against it.
fn faults(instance: &serde_json::Value) -> Vec<String> {
    let schema = drift_schema();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema");
    validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn json(document: &DriftDocument) -> serde_json::Value {
    serde_json::to_value(document).expect("it is JSON")
}

#[test]
fn the_published_schema_is_the_one_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/drift.json");
    let fresh = serde_json::to_string_pretty(&drift_schema()).expect("a schema is JSON") + "\n";
    if std::env::var_os("TENANTRY_BLESS").is_some() {
        std::fs::write(path, &fresh).expect("the schema can be written");
    }
    let committed = std::fs::read_to_string(path).expect("schemas/drift.json is there");
    assert!(
        committed == fresh,
        "schemas/drift.json is stale: TENANTRY_BLESS=1 cargo test -p tenantry-engine"
    );
}

#[test]
fn a_document_with_everything_in_it_and_an_empty_one_fit_the_schema() {
    assert_eq!(faults(&json(&everything())), [""; 0]);
    assert_eq!(faults(&json(&DriftDocument::new("0.1.0", vec![], vec![]))), [""; 0]);
    let counts = everything().summary;
    assert_eq!((counts.changed, counts.gone, counts.not_compared, counts.not_read), (1, 1, 2, 1));
}

#[test]
fn the_schema_refuses_what_is_no_drift_document() {
    let mut broken = json(&everything());
    broken["formatVersion"] = "2.0".into();
    broken["consoles"][0]["asOf"] = "yesterday".into();
    broken["consoles"][0]["changed"][0]["fields"][0]["canBePutBack"] = "perhaps".into();
    broken["consoles"][0].as_object_mut().expect("a console").remove("console");
    assert_eq!(faults(&broken).len(), 4, "{:?}", faults(&broken));
    let mut later = json(&everything());
    later["formatVersion"] = "1.7".into();
    later["consoles"][0]["changed"][0]["since"] = "a day".into();
    assert_eq!(faults(&later), [""; 0]);
}
