//! Two controllers, each with some of the Consoles: what a Customer in both is said to be.

use serde_json::{Value, json};
use tenantry_tests::controller::{Controller, Field, condition};
use tenantry_tests::worlds;

/// A partner at both vendors, with one Customer in both, and a Console in each shard.
fn field() -> Option<Field> {
    let microsoft = [worlds::microsoft_customer(1, "both")];
    let field = Field::new(&json!({
        "sophos": worlds::sophos_seed(&[worlds::sophos_tenant(1, "both")], &json!({})),
        "microsoft": worlds::microsoft_seed(&microsoft, &[], &json!({})),
    }))?;
    field.apply(&(worlds::sophos("") + &worlds::microsoft("")));
    for (console, shard) in [("sophos", "one"), ("microsoft", "two")] {
        field.patch("consoles", console, &json!({"metadata": {"labels": {"shard": shard}}}));
    }
    let id = worlds::id(1);
    field.apply(&worlds::customer(
        "both",
        &[worlds::known_at_sophos(&id), worlds::known_at_microsoft(&id, "")],
    ));
    Some(field)
}

fn start(field: &Field, shard: &str) -> Controller {
    let selector = format!("shard={shard}");
    field.start(&["--console-selector", &selector, "--lease-name", &format!("shard-{shard}")])
}

fn accounts(object: &Value) -> Vec<String> {
    let accounts = object["status"]["accounts"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    accounts.iter().map(|one| format!("{} {}", text(&one["name"]), text(&one["ready"]))).collect()
}

#[test]
fn a_customer_in_two_shards_is_ready_when_both_say_so_and_each_keeps_the_others_word() {
    let Some(field) = field() else { return };
    let one = start(&field, "one");
    let object = field.until("the first shard spoke", &[&one], || {
        let object = field.get("customers", "both");
        if accounts(&object).contains(&"sophos True".to_owned()) {
            Ok(object)
        } else {
            Err(object["status"].to_string())
        }
    });
    let ready = condition(&object, "Ready");
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("Unknown"), &json!("NotObserved")));
    let words = ready["message"].as_str().unwrap_or_default();
    assert_eq!(words, "microsoft: the shard that has its console has not spoken yet");

    let two = start(&field, "two");
    let until_ready = |controllers: &[&Controller]| {
        field.until("both shards say so", controllers, || {
            let object = field.get("customers", "both");
            let fresh = object["status"]["observedGeneration"] == object["metadata"]["generation"];
            if fresh && condition(&object, "Ready")["status"] == "True" {
                Ok(object)
            } else {
                Err(object["status"].to_string())
            }
        })
    };
    assert_eq!(accounts(&until_ready(&[&one, &two])), ["sophos True", "microsoft True"]);

    // What a shard said of an older declaration says nothing of this one.
    two.end();
    field.patch(
        "customers",
        "both",
        &json!({"metadata": {"labels": {"tier": "gold"}}, "spec": {"externalIds": {"crm": "7"}}}),
    );
    field.until("the first shard spoke of it", &[&one], || {
        let object = field.get("customers", "both");
        let fresh = object["status"]["observedGeneration"] == object["metadata"]["generation"];
        let said = accounts(&object);
        if fresh && said == ["sophos True", "microsoft Unknown"] { Ok(()) } else { Err(format!("{said:?}")) }
    });
    let two = start(&field, "two");
    assert_eq!(accounts(&until_ready(&[&one, &two])), ["sophos True", "microsoft True"]);
}
