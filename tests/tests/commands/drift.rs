//! `tenantry drift`: for people, and for programs.

use jiff::ToSpan as _;

use super::*;
use tenantry_tests::crash::{APPLY, wait};

/// Two customers of Sophos, bound and as declared.
fn settled() -> Bench {
    let tenants = [sophos_tenant(1, "known"), sophos_tenant(2, "left")];
    let bench = Bench::new(&json!({"sophos": sophos_seed(&tenants, &json!({}))}));
    bench.write("consoles.yaml", &sophos("naming: Display\n"));
    for (n, name) in [(1, "known"), (2, "left")] {
        bench.write(&format!("{name}.yaml"), &customer(name, &[known_at_sophos(&id(n))]));
    }
    for _ in 0..2 {
        let ran = run(&bench, &APPLY);
        assert_eq!(ran.code, 0, "{ran}");
        wait(&bench);
    }
    bench
}

fn drift_of(bench: &Bench, code: i32) -> Value {
    let ran = run(bench, &["drift", "-o", "json", "--detailed-exitcode"]);
    assert_eq!(ran.code, code, "{ran}");
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"))
}

/// What changed, what is gone, what was not read.
fn counts(document: &Value) -> Value {
    ["changed", "gone", "notRead"].iter().map(|count| document["summary"][*count].clone()).collect()
}

#[test]
fn drift_says_the_same_to_programs_as_to_people() {
    let bench = settled();
    let document = drift_of(&bench, 0);
    assert_eq!(document["formatVersion"], "1.0");
    assert_eq!(counts(&document), json!([0, 0, 0]));
    assert_eq!(document["consoles"][0]["changed"], json!([]), "a console without drift stands there too");

    let click = |path: String, body: Value| {
        bench.simulator().click("sophos", "msp", &path, &body).expect("the console takes it");
    };
    click(format!("tenants/{}/show-as", id(1)), json!({"showAs": "Known\u{202e} elsewhere"}));
    click(format!("tenants/{}/unlink", id(2)), json!({}));
    // A monthly account leaves on the first of the next month.
    bench.simulator().clock().advance(600.hours()).expect("the clock goes forward");
    let ran = run(&bench, &["drift", "--detailed-exitcode"]);
    assert_eq!(ran.code, 2, "{ran}");
    for words in [
        "applied known works GmbH, now Known\\u{202e} elsewhere",
        "was there and is gone",
        "1 record changed, 1 record gone",
    ] {
        assert!(flat(&ran.stdout).contains(words), "{words}: {ran}");
    }
    let document = drift_of(&bench, 2);
    let console = &document["consoles"][0];
    assert_eq!(console["console"], "sophos");
    assert_eq!(
        console["changed"],
        json!([{
            "address": "customer/known/sophos", "remoteId": id(1),
            "fields": [{
                "field": "displayName", "label": "name shown as", "applied": "known works GmbH",
                "shows": "Known\u{202e} elsewhere", "canBePutBack": true,
            }],
        }])
    );
    assert_eq!(console["gone"][0]["address"], "customer/left/sophos", "{document}");
    assert_eq!(counts(&document), json!([1, 1, 0]));
    // The schema is published where that of plans is.
    let schema = run(&bench, &["schema", "drift"]);
    assert!(schema.stdout.contains("What `tenantry drift -o json` prints, format version 1.0."), "{schema}");
    assert!(run(&bench, &["schema"]).stdout.lines().any(|line| line == "drift"));
}

#[test]
fn drift_of_a_console_that_was_not_read_is_not_taken_for_none() {
    let bench = half_blind();
    let document = drift_of(&bench, 1);
    assert_eq!(document["findings"][0]["code"], "not-planned", "{document}");
    assert_eq!(document["summary"]["notRead"], 1, "{document}");
    let read: Vec<&Value> =
        document["consoles"].as_array().into_iter().flatten().map(|one| &one["console"]).collect();
    assert_eq!(read, ["sophos"]);
}
