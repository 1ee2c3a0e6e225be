//! Human facts as objects: a task that is done, an operation in doubt that a person resolves.

use serde_json::Value;
use tenantry_simulator::{Does, Fault};
use tenantry_tests::controller::Field;
use tenantry_tests::worlds;

use super::worlds::{approve, declared, made};

/// The open operation of a customer's binding.
fn operation(field: &Field, name: &str) -> Value {
    let bindings = field.list("consolebindings");
    let one = bindings.iter().find(|one| one["spec"]["address"]["name"] == name);
    one.map(|one| one["spec"]["operation"].clone()).unwrap_or_default()
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
    field.apply(&format!(
        "apiVersion: tenantry.io/v1alpha1\nkind: Attestation\nmetadata: {{name: not-there}}\nspec:\n  \
         operation: \"{id}\"\n  outcome: NotHappened\n  by: anna\n  \"on\": \"{}\"\n",
        field.simulator().clock().now()
    ));
    field.until("it is made after all", &[&controller], || {
        let count = made(&field, 0);
        if count == 1 && operation(&field, "fresh").is_null() { Ok(()) } else { Err(format!("{count} made")) }
    });
    super::worlds::until_ready(&field, &[&controller], "fresh");
    assert_eq!(made(&field, 0), 1);
}
