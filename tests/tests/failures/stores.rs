//! The store of one console's ledger fails, beside a console whose store is well: the other one is applied and told, the
//! run fails, and nothing is lost or done twice. (The lock is the whole state directory's: see `safety.rs`.)

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tenantry_tests::cli::{Bench, Ran};
use tenantry_tests::crash::{APPLY, wait};
use tenantry_tests::watch::run;
use tenantry_tests::worlds::*;

use super::{at_microsoft, later, made, says};

/// Many customers that are there at Microsoft and changed, one to be made at Sophos. Gives the desk and the place of
/// Microsoft's ledger.
fn many_changes_beside_one() -> (Bench, PathBuf) {
    let names: Vec<String> = (1..=CHANGES).map(|n| format!("known{n}")).collect();
    let known: Vec<Value> = (1..).zip(&names).map(|(n, name)| microsoft_customer(n, name)).collect();
    let seed = json!({
        "sophos": sophos_seed(&[], &json!({})),
        "microsoft": microsoft_seed(&known, &[], &json!({})),
    });
    let bench = Bench::new(&seed);
    bench.write("consoles.yaml", &(sophos("") + &microsoft("")));
    let texts: Vec<String> =
        (1..).zip(&names).map(|(n, name)| customer(name, &[known_at_microsoft(&id(n), "")])).collect();
    bench.write("known.yaml", &texts.concat());
    // The first binds, the second writes what the console shows otherwise.
    for _ in 0..2 {
        assert_eq!(run(&bench, &APPLY).code, 0);
        wait(&bench);
    }
    bench.write("known.yaml", &texts.concat().replace("Hauptstraße 1", "Neue Gasse 2"));
    bench.write("fresh.yaml", &customer("fresh", &[made_at_sophos()]));
    let accounts = bench.dir().join(".tenantry").join("accounts");
    let place = fs::read_dir(&accounts)
        .expect("there are ledgers")
        .map(|entry| entry.expect("they can be listed").path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("microsoft")))
        .expect("one is Microsoft's");
    (bench, place)
}

/// How many customers change.
const CHANGES: usize = 16;

/// Sophos has done its part and Microsoft not; once its store is well again, each change is there once.
fn the_other_console_was_applied(bench: &Bench, ran: &Ran, changed: usize) {
    says(
        ran,
        1,
        &[
            "error[state-unreachable]",
            "customer fresh created",
            "Applied 1, waiting 0, held 0, failed 0",
            "the other consoles were applied all the same; run the same command again: nothing is done twice",
        ],
    );
    assert_eq!(made(bench), 1);
    let _settled = later(bench);
    says(&run(bench, &["plan", "--detailed-exitcode"]), 0, &["No changes"]);
    let [_, updated, _] = at_microsoft(bench);
    assert_eq!((made(bench), updated), (1, changed + CHANGES), "each change once");
}

#[test]
fn a_store_that_cannot_be_written_stops_its_own_console_before_anything_is_sent() {
    let (bench, place) = many_changes_beside_one();
    let [_, changed, _] = at_microsoft(&bench);
    let aside = place.with_extension("aside");
    fs::rename(&place, &aside).expect("a ledger can be moved");
    fs::write(&place, "no directory").expect("the state directory is writable");
    let ran = run(&bench, &APPLY);
    assert_eq!(at_microsoft(&bench)[1], changed, "{ran}");
    fs::remove_file(&place).expect("it can go");
    fs::rename(&aside, &place).expect("a ledger can be moved back");
    the_other_console_was_applied(&bench, &ran, changed);
}
