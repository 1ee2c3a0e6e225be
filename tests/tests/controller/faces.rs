//! Both faces print the same bytes: what `GET /plan` answers for an example's objects is what the command prints for
//! its files.

use std::fs;
use std::sync::Arc;

use tenantry_tests::controller::Field;
use tenantry_tests::kube::Cluster;
use tenantry_tests::parts::repository_root;
use tenantry_tests::story;

#[test]
fn every_example_has_the_same_plan_in_both_faces() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    // An API server of its own: plans name no namespace, and consoles only where it is not the default one.
    let Some(cluster) = runtime.block_on(Cluster::start()) else { return };
    let cluster = Arc::new(cluster);
    let mut examples: Vec<_> = fs::read_dir(repository_root().join("examples"))
        .expect("there are examples")
        .map(|entry| entry.expect("they can be listed").path())
        .filter(|path| path.join("plan.txt").is_file())
        .collect();
    examples.sort();
    assert!(examples.len() >= 7, "{examples:?}");
    for place in examples {
        let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let read = |file: &str| fs::read_to_string(place.join(file)).expect("the example has it");
        let seed = serde_json::from_str(&read("sim.json")).expect("it is JSON");
        let field = Field::within(&seed, Arc::clone(&cluster), "default");
        for (_, text) in story::declarations(&place) {
            field.apply(&text);
        }
        let lease = format!("example-{name}");
        let controller = field.start(&["--plan-only", "--lease-name", &lease]);
        let expected = read("plan.txt");
        field.until(&format!("the plan of {name} as the command prints it"), &[&controller], || {
            let (status, text) = field.plan(&controller, None);
            if status == 200 && text == expected { Ok(()) } else { Err(format!("{status}\n{text}")) }
        });
        assert_eq!(field.writes(0), 0, "{name}: planning alone writes nothing");
        assert_eq!(field.list("consolebindings").len(), 0, "{name}: nor a ledger");
        controller.end();
        field.kubectl(&[
            "delete",
            "consoles,customers,products,licenses,relationships,attestations",
            "--all",
            "--wait=true",
            "--timeout=30s",
        ]);
    }
}
