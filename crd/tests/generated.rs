//! What is generated and committed is what the types say.

use std::{collections::BTreeMap, fs, path::Path};

/// Of the engine: they have their own tests there.
const OF_THE_ENGINE: [&str; 2] = ["plan.json", "drift.json"];

fn committed(directory: &str) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(directory);
    fs::read_dir(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
        })
        .filter(|(name, _)| !OF_THE_ENGINE.contains(&name.as_str()))
        .collect()
}

fn assert_fresh(directory: &str, generated: Vec<(String, String)>) {
    let committed = committed(directory);
    let generated: BTreeMap<_, _> = generated.into_iter().collect();
    let stale: Vec<&String> = committed
        .keys()
        .chain(generated.keys())
        .filter(|name| committed.get(*name) != generated.get(*name))
        .collect();
    assert!(
        stale.is_empty(),
        "{directory} is not what the types say: {stale:?}. Run: cargo run -p tenantry-crd --example generate"
    );
}

#[test]
fn the_charts_crds_are_what_the_types_say() {
    assert_fresh("charts/tenantry/crds", tenantry_crd::crd_files());
}

#[test]
fn the_editors_schemas_are_what_the_types_say() {
    assert_fresh("schemas", tenantry_crd::schema_files());
}
