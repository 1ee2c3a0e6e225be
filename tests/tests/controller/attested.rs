//! Human facts as objects: a task that is done, an operation in doubt that a person resolves.

use jiff::ToSpan;
use serde_json::Value;
use tenantry_simulator::{Does, Fault};
use tenantry_tests::controller::{Field, condition};
use tenantry_tests::worlds;

use super::worlds::{approve, declared, made};

/// The open operation of a customer's binding.
fn operation(field: &Field, name: &str) -> Value {
    let bindings = field.list("consolebindings");
    let one = bindings.iter().find(|one| one["spec"]["address"]["name"] == name);
    one.map(|one| one["spec"]["operation"].clone()).unwrap_or_default()
}

/// A person says that an operation did not happen.
fn attestation(name: &str, operation: &str, on: &str) -> String {
    format!(
        "apiVersion: tenantry.io/v1alpha1\nkind: Attestation\nmetadata: {{name: {name}}}\nspec:\n  \
         operation: \"{operation}\"\n  outcome: NotHappened\n  by: anna\n  \"on\": \"{on}\"\n"
    )
}

#[test]
fn a_person_resolves_an_operation_in_doubt_with_an_attestation_and_it_is_sent_once_more() {
    let Some(field) = declared() else { return };
    field.apply(&worlds::customer("fresh", &[worlds::made_at_sophos()]));
    // The request is lost on its way; nobody but a person can tell before the list has had its time.
    let lost = Fault::new(Does::CloseBeforeCommit).at("sophos/msp").on("POST", "/partner/v1/tenants*");
    field.simulator().faults().add(lost);
    let controller = field.start(&[]);
    approve(&field, &[&controller], "sophos");
    let doubtful = field.until("its operation is in doubt", &[&controller], || {
        let operation = operation(&field, "fresh");
        if operation["phase"] == "ambiguous" { Ok(operation) } else { Err(operation.to_string()) }
    });
    assert_eq!(made(&field, 0), 0);
    let id = doubtful["id"].as_str().expect("an operation has an id");
    let now = field.simulator().clock().now();
    field.apply(&attestation("too-old", id, "2020-01-01T00:00:00Z"));
    field.apply(&attestation("of-nothing", "no-such-operation", &now.to_string()));
    field.until_condition(&[&controller], ("attestations", "too-old"), ("Stalled", "True", "Overtaken"));
    let of_nothing = field.until_condition(
        &[&controller],
        ("attestations", "of-nothing"),
        ("Stalled", "True", "NothingOpen"),
    );
    assert_eq!(of_nothing["status"]["observedGeneration"], 1);
    let words = condition(&of_nothing, "Ready")["message"].clone();
    assert_eq!(
        words,
        "no open task or operation has this id; statuses and tenantry tasks name those that are open"
    );
    assert_eq!(made(&field, 0), 0, "neither counts");
    field.apply(&attestation("not-there", id, &now.to_string()));
    field.until("it is made after all", &[&controller], || {
        let count = made(&field, 0);
        if count == 1 && operation(&field, "fresh").is_null() { Ok(()) } else { Err(format!("{count} made")) }
    });
    super::worlds::until_ready(&field, &[&controller], "fresh");
    assert_eq!(made(&field, 0), 1);
    field.until_condition(&[&controller], ("attestations", "not-there"), ("Ready", "True", "AsDeclared"));

    // Its operation is settled and gone: what was said of it stays, in this life and in the next, and is not written again.
    let versions = || -> Vec<String> {
        let all = field.list("attestations");
        all.iter().map(|one| one["metadata"]["resourceVersion"].to_string()).collect()
    };
    let before = versions();
    controller.end();
    let controller = field.start(&[]);
    for round in ["1", "2"] {
        let reconciled = field.metric(&controller, "tenantry_reconciles_total");
        field.annotate("consoles", "sophos", "tenantry.io/reconcile-requested-at", round);
        field.until("it is looked at anew", &[&controller], || {
            let now = field.metric(&controller, "tenantry_reconciles_total");
            if now > reconciled { Ok(()) } else { Err(now.to_string()) }
        });
    }
    assert_eq!(versions(), before);
    // One that is made again under the same name is told again.
    field.delete("attestations", "of-nothing");
    field.until("it is gone", &[&controller], || {
        if field.get("attestations", "of-nothing").is_null() { Ok(()) } else { Err("there".into()) }
    });
    field.apply(&attestation("of-nothing", "another-one", &now.to_string()));
    field.until_condition(&[&controller], ("attestations", "of-nothing"), ("Stalled", "True", "NothingOpen"));
}

#[test]
fn what_a_person_says_about_a_task_is_taken_or_contradicted_by_what_the_console_shows() {
    let Some((field, controller)) = super::worlds::settled(&[]) else { return };
    // Billing of a known account is a person's to change.
    let alder = worlds::customer(
        "alder",
        &[format!(
            "{{name: sophos, consoleRef: {{name: sophos}}, id: {}, sophos: {{billing: Trial}}}}",
            worlds::id(1)
        )],
    );
    field.apply(&alder.replace("company:\n", "company:\n    displayName: alder works GmbH\n"));
    let task = field.until("a task", &[&controller], || {
        let alder = field.get("customers", "alder");
        let words = condition(&alder, "Ready")["message"].as_str().unwrap_or_default().to_owned();
        words.rsplit_once("task ").map(|(_, id)| id.to_owned()).ok_or(words)
    });
    let now = field.simulator().clock().now();
    field.apply(&format!(
        "apiVersion: tenantry.io/v1alpha1\nkind: Attestation\nmetadata: {{name: done}}\nspec:\n  \
         task: \"{task}\"\n  outcome: Done\n  by: anna\n  \"on\": \"{now}\"\n"
    ));
    field.until_condition(&[&controller], ("attestations", "done"), ("Ready", "True", "AsDeclared"));
    // Later the console still shows the old billing.
    for _ in 0..3 {
        field.simulator().clock().advance(61.minutes()).expect("the clock goes forward");
    }
    field.annotate("consoles", "sophos", "tenantry.io/reconcile-requested-at", "later");
    field.until_condition(&[&controller], ("attestations", "done"), ("Stalled", "True", "Contradicted"));
}
