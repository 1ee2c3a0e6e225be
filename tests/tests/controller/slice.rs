//! From the first object to the last: adopted, held, approved, made, invited, told, deleted.

use serde_json::{Value, json};
use tenantry_tests::controller::{Field, condition};
use tenantry_tests::parts::repository_root;

fn quickstart() -> Option<Field> {
    let place = repository_root().join("examples").join("quickstart");
    let seed = std::fs::read_to_string(place.join("sim.json")).expect("the example has a seed");
    let field = Field::new(&serde_json::from_str(&seed).expect("it is JSON"))?;
    for (_, text) in tenantry_tests::story::declarations(&place) {
        field.apply(&text);
    }
    Some(field)
}

/// Fingerprints of the held steps of a Console, as its status names them in words.
fn held(console: &Value) -> Vec<String> {
    let lines = console["status"]["plan"]["riskiest"].as_array().cloned().unwrap_or_default();
    lines
        .iter()
        .filter_map(|line| Some(line.as_str()?.rsplit_once('(')?.1.trim_end_matches(')').to_owned()))
        .collect()
}

#[test]
fn what_is_applied_is_adopted_held_approved_made_invited_told_and_let_go() {
    let Some(field) = quickstart() else { return };
    let controller = field.start(&[]);
    let all = [&controller];

    // Found and bound at once; what would make something waits for a person, because the ledger is new.
    let altbau = field.until("altbau is bound", &all, || {
        let altbau = field.get("customers", "altbau");
        let id = &altbau["status"]["accounts"][0]["remoteId"];
        if id == "3d9e8b42-1c6f-4a75-b0d4-7e5f2c8a9613" {
            Ok(altbau.clone())
        } else {
            Err(altbau.to_string())
        }
    });
    assert_eq!(altbau["metadata"]["finalizers"], json!(["tenantry.io/bindings"]));
    let muller = field.until_condition(&all, ("customers", "praxis-mueller"), ("Stalled", "True", "Held"));
    assert_eq!(condition(&muller, "Ready")["status"], "False");
    assert_eq!(field.writes(0), 0, "nothing is made before somebody says so");

    // A person approves the steps that are held.
    for console in ["sophos", "microsoft"] {
        let fingerprints = field.until("something is held", &all, || {
            let console = field.get("consoles", console);
            let held = held(&console);
            if held.is_empty() { Err(console["status"].to_string()) } else { Ok(held) }
        });
        field.annotate("consoles", console, "tenantry.io/approve", &fingerprints.join(","));
    }
    let muller = field.until("praxis-mueller is made", &all, || {
        let muller = field.get("customers", "praxis-mueller");
        let linked = muller["status"]["accounts"][0]["standing"] == "Linked";
        if linked { Ok(muller) } else { Err(muller["status"].to_string()) }
    });
    assert!(muller["status"]["accounts"][0]["remoteId"].is_string());
    field.until_condition(&all, ("customers", "adatum"), ("Ready", "False", "AwaitingOperator"));
    let adatum = field.get("customers", "adatum");
    let microsoft =
        adatum["status"]["accounts"].as_array().into_iter().flatten().find(|one| one["name"] == "microsoft");
    assert_eq!(microsoft.expect("it has an account there")["standing"], "Invited", "{adatum}");

    // Told as Events; nothing secret in them.
    let reasons = field.until("Events on the made customer", &all, || {
        let events = field.events("Customer", "praxis-mueller");
        let has = |reason: &str| events.iter().any(|(one, _)| one == reason);
        if has("Requested") && has("Settled") { Ok(events) } else { Err(format!("{events:?}")) }
    });
    assert!(!format!("{reasons:?}").contains("password"), "{reasons:?}");

    // Everybody is asked at most once, however often it is looked.
    let filter = tenantry_simulator::LogFilter::default();
    let made = field.simulator().log().entries(&filter);
    let creations =
        made.iter().flat_map(|entry| &entry.effects).filter(|effect| effect.kind.contains("create")).count();
    assert_eq!(creations, 1, "{:?}", made.iter().flat_map(|entry| &entry.effects).collect::<Vec<_>>());

    // Deleting lets the object go and the record stay.
    let mark = field.simulator().log().mark();
    field.delete("customers", "praxis-mueller");
    field.until("the object is gone", &all, || {
        let object = field.get("customers", "praxis-mueller");
        if object.is_null() { Ok(()) } else { Err(object["metadata"].to_string()) }
    });
    field.until("its binding is released", &all, || {
        let bindings = field.list("consolebindings");
        let released = bindings.iter().any(|binding| {
            binding["spec"]["address"]["name"] == "praxis-mueller"
                && binding["spec"]["standing"] == "Released"
        });
        if released { Ok(()) } else { Err(format!("{bindings:#?}")) }
    });
    assert_eq!(field.writes(mark), 0, "{:?}", field.requests(mark));
    let said = controller.end();
    assert!(said.contains("\"lease-released\""), "{said}");
}
