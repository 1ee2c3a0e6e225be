//! Small worlds for these tests: one Sophos partner with known customers, and how to see that all is well.

use serde_json::{Value, json};
use tenantry_tests::controller::{Controller, Field, condition};
use tenantry_tests::worlds;

/// Names of the customers that are there.
pub const KNOWN: [&str; 3] = ["alder", "birch", "cedar"];

/// A partner whose console allows renames, with [`KNOWN`] customers.
pub fn seed() -> Value {
    let tenants: Vec<Value> = (1..).zip(KNOWN).map(|(n, name)| worlds::sophos_tenant(n, name)).collect();
    json!({"sophos": worlds::sophos_seed(&tenants, &json!({"patchTenant": "200"}))})
}

/// A known customer, shown under this name.
pub fn known(n: u32, name: &str, shown: &str) -> String {
    worlds::customer(name, &[worlds::known_at_sophos(&worlds::id(n))])
        .replace("company:\n", &format!("company:\n    displayName: {shown}\n"))
}

/// A field with the Console and all [`KNOWN`] customers declared.
pub fn declared() -> Option<Field> {
    Some(declare(Field::new(&seed())?))
}

/// Declares the Console and all [`KNOWN`] customers.
pub fn declare(field: Field) -> Field {
    field.apply(&worlds::sophos("naming: Display"));
    for (n, name) in (1..).zip(KNOWN) {
        field.apply(&known(n, name, &format!("{name} works GmbH")));
    }
    field
}

/// Waits until a customer is as declared.
pub fn until_ready(field: &Field, controllers: &[&Controller], name: &str) -> Value {
    field.until(&format!("{name} is ready"), controllers, || {
        let object = field.get("customers", name);
        let ready = condition(&object, "Ready")["status"] == "True"
            && object["status"]["observedGeneration"] == object["metadata"]["generation"];
        if ready { Ok(object) } else { Err(object["status"].to_string()) }
    })
}

/// A field with a controller that has bound everything.
pub fn settled(arguments: &[&str]) -> Option<(Field, Controller)> {
    let field = declared()?;
    let controller = field.start(arguments);
    for name in KNOWN {
        until_ready(&field, &[&controller], name);
    }
    Some((field, controller))
}

/// Allows the first run: approves whatever is held at the Console.
pub fn approve(field: &Field, controllers: &[&Controller], console: &str) {
    let fingerprints = field.until("something is held", controllers, || {
        let object = field.get("consoles", console);
        let held = held(&object);
        if held.is_empty() { Err(object["status"].to_string()) } else { Ok(held) }
    });
    field.annotate("consoles", console, "tenantry.io/approve", &fingerprints.join(","));
}

/// Fingerprints of the held steps of a Console, as its status names them in words.
pub fn held(console: &Value) -> Vec<String> {
    let lines = console["status"]["plan"]["riskiest"].as_array().cloned().unwrap_or_default();
    lines
        .iter()
        .filter_map(|line| Some(line.as_str()?.rsplit_once('(')?.1.trim_end_matches(')').to_owned()))
        .collect()
}

/// The names under which the partner's console shows its customers.
pub fn shown(field: &Field) -> Vec<String> {
    let (_, answer) = field.bench().ask("GET", "/_sim/sophos/msp/tenants", None);
    let answer: Value = serde_json::from_str(&answer).expect("the simulator answers in JSON");
    let tenants = answer["tenants"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    tenants
        .iter()
        .map(
            |tenant| {
                if tenant["showAs"].is_string() { text(&tenant["showAs"]) } else { text(&tenant["name"]) }
            },
        )
        .collect()
}

/// How many customers were made since then.
pub fn made(field: &Field, mark: u64) -> usize {
    let filter = tenantry_simulator::LogFilter { since: mark, ..Default::default() };
    let entries = field.simulator().log().entries(&filter);
    entries.iter().flat_map(|entry| &entry.effects).filter(|effect| effect.kind.contains("create")).count()
}
