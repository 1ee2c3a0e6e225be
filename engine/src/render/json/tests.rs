//! What a plan file promises to whoever reads it.

use std::collections::BTreeSet;

use super::*;
use crate::action::Action;
use crate::address::{Address, ConsoleName, RemoteId, VendorAccount};
use crate::capability::{Party, Row};
use crate::ledger::GuardKind;
use crate::observed::ReadCost;
use crate::origin::Origin;
use crate::plan::findings::Code;
use crate::plan::reasons::{HeldBy, Reason, ReasonCode, WaitingFor};
use crate::plan::{Change, Consequence, Fingerprint, Held, Inside, Looked, Performer, Step, Waiting};
use crate::task::Task;
use crate::value::{Field, Value};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

fn task() -> Task {
    Task {
        id: "sophos-update-billing-nordwind-0a1b2c".into(),
        title: "Nordwind: trial → usage".into(),
        party: Party::Operator,
        at: "Sophos Central Partner".into(),
        steps: vec!["Customers › Nordwind".into()],
        consequences: vec!["converts all trials".into()],
        observable: true,
    }
}

/// A plan in which every field says something.
fn plan() -> Plan {
    let nordwind = Address::account("default", "nordwind", "sophos");
    let origin = Origin::file("customers/nordwind.yaml", 3, 1);
    let change = |old, new| Change { field: Field::of("billing"), label: "billing".into(), old, new };
    let step = Step {
        address: nordwind.clone(),
        action: Action::Update,
        row: Row::TrialToPaid,
        because: Reason::new(ReasonCode::Declared, "billing is trial, usage is declared"),
        performer: Performer::Person(Box::new(task())),
        remote_id: Some(RemoteId::from("7f2e")),
        after: BTreeSet::from([Address::license("emea", "nordwind")]),
        changes: vec![
            change(Some("trial".into()), Some("usage".into())),
            change(None, Some(true.into())),
            change(Some(Value::Number(-3)), None),
            change(None, Some(Value::List([Box::from("a"), Box::from("b")].into()))),
        ],
        causes: vec![Consequence {
            code: "all-trials-converted".into(),
            words: "ends trials".into(),
            needs_consent: true,
            consented: true,
        }],
        notes: vec![("then".into(), "a mail to send".into())],
        uses: Some((GuardKind::Seats, 4)),
        held: Some(Box::new(Held {
            by: HeldBy::Consent,
            words: "needs consent".into(),
            allow: "tenantry apply".into(),
        })),
        fingerprint: Fingerprint::from_text("0123456789abcdef"),
        origin: Some(origin.clone()),
        inside: Box::new(Inside { lookalikes: vec![RemoteId::from("never shown")], ..Inside::default() }),
    };
    let create = Step {
        performer: Performer::Console,
        held: None,
        uses: None,
        action: Action::Create,
        ..step.clone()
    };
    Plan {
        console: ConsoleName::new("sophos"),
        vendor_account: VendorAccount::new("sophos:1"),
        title: "Sophos Central Partner".into(),
        steps: vec![create, step],
        waiting: vec![Waiting {
            address: nordwind.clone(),
            why: WaitingFor::Task,
            party: Some(Party::Provider),
            words: "waits".into(),
            notes: vec![("next".into(), "in 5 days".into())],
            since: Some(at("2026-11-12T08:00:00Z")),
            until: Some(at("2026-12-20T00:00:00Z")),
            overdue: true,
            task: Some(Box::new(task())),
            origin: Some(Origin::Object {
                object: "Customer".into(),
                namespace: "emea".into(),
                name: "nordwind".into(),
                generation: 4,
            }),
        }],
        findings: vec![
            Finding::new(Code::Drift, "drifted").about(&nordwind).at(&origin).field("spec").next("look"),
        ],
        wake: Some(at("2026-12-20T00:00:00Z")),
        looked: Looked {
            records: 142,
            declared: 3,
            not_compared: 1,
            cost: ReadCost { pages: 2, details: 4, other: 1, bytes: 900 },
            as_of: Some(at("2026-11-21T08:00:00Z")),
        },
    }
}

fn document() -> PlanDocument {
    let made = Made {
        at: at("2026-11-21T08:00:00Z"),
        expires: at("2026-11-22T08:00:00Z"),
        ledgers: vec![LedgerMark { vendor_account: "sophos:1".into(), lineage: "l".into(), serial: 7 }],
    };
    let finding = Finding::new(Code::NotSupportedYet, "Upgrade validates only");
    PlanDocument::new("0.1.0", vec![plan()], vec![finding], Some(made))
}

fn json(document: &PlanDocument) -> serde_json::Value {
    serde_json::from_str(&document.to_json()).expect("a plan is JSON")
}

/// What the published schema has against it.
fn faults(instance: &serde_json::Value) -> Vec<String> {
    let schema = plan_schema();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema");
    validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_published_schema_is_the_one_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/plan.json");
    let fresh = serde_json::to_string_pretty(&plan_schema()).expect("a schema is JSON") + "\n";
    if std::env::var_os("TENANTRY_BLESS").is_some() {
        std::fs::write(path, &fresh).expect("the schema can be written");
    }
    let committed = std::fs::read_to_string(path).expect("schemas/plan.json is there");
    let committed: serde_json::Value = serde_json::from_str(&committed).expect("schemas/plan.json is JSON");
    assert!(
        committed == plan_schema(),
        "schemas/plan.json is stale: TENANTRY_BLESS=1 cargo test -p tenantry-engine"
    );
}

#[test]
fn a_plan_with_everything_in_it_and_an_empty_one_fit_the_schema() {
    assert_eq!(faults(&json(&document())), [""; 0]);
    assert_eq!(faults(&json(&PlanDocument::new("0.1.0", vec![], vec![], None))), [""; 0]);
}

#[test]
fn the_schema_refuses_what_is_no_plan() {
    let mut broken = json(&document());
    broken["plans"][0]["steps"][0]["action"] = "explode".into();
    broken["plans"][0]["wake"] = "tomorrow".into();
    broken["formatVersion"] = "2.0".into();
    broken["plans"][0].as_object_mut().expect("a plan").remove("console");
    assert_eq!(faults(&broken).len(), 4, "{:?}", faults(&broken));
}

#[test]
fn fields_of_a_later_minor_version_are_read_over_and_fit_the_schema() {
    let mut later = json(&document());
    later["formatVersion"] = "1.7".into();
    later["new"] = serde_json::json!({"a": 1});
    later["plans"][0]["steps"][0]["money"] = "19.10".into();
    later["plans"][0]["findings"][0]["money"] = "19.10".into();
    assert_eq!(faults(&later), [""; 0]);
    let read = PlanDocument::from_json(&later.to_string()).expect("a minor version is read");
    assert_eq!(read.plans[0].steps.len(), 2);
    assert_eq!(read.plans[0].steps[0].fingerprint, plan().steps[0].fingerprint);
}

#[test]
fn another_major_version_is_refused_with_what_to_do() {
    let mut other = json(&document());
    other["formatVersion"] = "2.0\u{1b}[31m".into();
    // What else has changed by then must not hide the version.
    other.as_object_mut().expect("an object").remove("plans");
    assert_eq!(
        PlanDocument::from_json(&other.to_string()).expect_err("another version").to_string(),
        "the plan has format version 2.0\\u{1b}[31m, this tenantry reads 1.x; make it anew: tenantry plan --out FILE"
    );
    assert_eq!(
        PlanDocument::from_json("{}").expect_err("no plan").to_string(),
        "this is no plan of tenantry; make one: tenantry plan --out FILE"
    );
}

#[test]
fn a_saved_plan_comes_back_without_what_only_the_executor_may_see() {
    let text = document().to_json();
    assert!(!text.contains("never shown"), "{text}");
    let read = PlanDocument::from_json(&text).expect("it reads its own");
    assert_eq!(read.to_json(), text);
    assert_eq!(read.plans[0].steps[1].inside, Box::default());
}
