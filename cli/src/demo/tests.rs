//! What the demo is made of, and that it says so.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

fn below(dir: &Path, root: &Path, out: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).expect("the example can be listed") {
        let path = entry.expect("its entries can be read").path();
        if path.is_dir() {
            below(&path, root, out);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            out.insert(path.strip_prefix(root).expect("below").to_string_lossy().into_owned());
        }
    }
}

#[test]
fn the_program_holds_the_whole_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart");
    let mut there = BTreeSet::new();
    below(&root, &root, &mut there);
    let held: BTreeSet<String> = quickstart::FILES.iter().map(|(file, _)| (*file).to_owned()).collect();
    assert_eq!(held, there);
}

async fn started(seed: serde_json::Value) -> Consoles {
    Consoles::start(0, &seed, jiff::Timestamp::UNIX_EPOCH).await.expect("they start")
}

#[tokio::test]
async fn consoles_are_named_after_their_vendor_and_after_their_key_where_there_are_several() {
    let seed = serde_json::json!({"sophos": {"a": {}, "b": {}}, "microsoft": {"msp": {}}});
    let consoles = started(seed).await;
    let mut names: Vec<&str> = consoles.all.iter().map(|console| console.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["microsoft", "sophos-a", "sophos-b"]);
}

#[tokio::test]
async fn what_is_to_be_pasted_names_every_value_once() {
    let consoles = started(serde_json::json!({"microsoft": {"msp": {}}})).await;
    let exports = consoles.exports(None);
    for name in ["ENDPOINT", "SECRET_MICROSOFT_READ_CLIENT_ID", "SECRET_MICROSOFT_WRITE_REFRESH_TOKEN"] {
        assert_eq!(exports.matches(&format!("export TENANTRY_{name}=")).count(), 1, "{exports}");
    }
    let short = consoles.exports(Some(Path::new("/secrets")));
    assert!(short.ends_with("export TENANTRY_SECRETS_DIR='/secrets'\n"), "{short}");
}

#[tokio::test]
async fn a_seed_that_is_refused_says_what_a_seed_is() {
    let seed = serde_json::json!({"acme": {"msp": {}}});
    let Err(error) = Consoles::start(0, &seed, jiff::Timestamp::UNIX_EPOCH).await else {
        panic!("acme is no vendor")
    };
    assert!(
        error.text().starts_with("error[bad-seed]: the seed is refused: acme: not simulated"),
        "{}",
        error.text()
    );
}
