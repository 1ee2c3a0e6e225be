//! The store of one console's ledger fails, beside a console whose store is well: the other one is applied and told, the
//! run fails, and nothing is lost or done twice. (The lock is the whole state directory's: see `safety.rs`.)

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tenantry_tests::cli::{Bench, Ran};
use tenantry_tests::crash::{APPLY, wait};
use tenantry_tests::snapshot::Snapshot;
use tenantry_tests::watch::{run, run_command};
use tenantry_tests::worlds::*;

use super::{at_microsoft, later, made, says, sophos_desk};

/// Customers that are there at Microsoft and changed, one to be made at Sophos. Gives the desk and the place of
/// Microsoft's ledger.
fn changes_beside_one(changes: usize) -> (Bench, PathBuf) {
    let names: Vec<String> = (1..=changes).map(|n| format!("known{n}")).collect();
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
    let (bench, place) = changes_beside_one(CHANGES);
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

/// A run that may make no file larger than so many blocks: on the desk of a disk that is full half way through. The
/// signal is ignored, so that a write fails as it does where there is no space.
fn limited(bench: &Bench, blocks: u64) -> Ran {
    let inner = bench.command(&APPLY);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", r#"trap '' XFSZ; ulimit -f "$0"; exec "$@""#, &blocks.to_string()]);
    command.arg(inner.get_program()).args(inner.get_args()).current_dir(bench.dir()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    run_command(bench, &APPLY, command)
}

/// What the lines say that a journal has gained, and whether the last one is torn.
fn gained(journal: &Path, before: usize) -> (Vec<String>, bool) {
    let text = fs::read_to_string(journal).expect("a journal is text");
    let said =
        |line: &str| Some(serde_json::from_str::<Value>(line).ok()?["event"]["what"].as_str()?.to_owned());
    (text[before..].lines().filter_map(said).collect(), !text.ends_with('\n'))
}

#[test]
fn a_state_directory_that_fills_up_half_way_stops_its_own_console_and_loses_nothing() {
    const STEPS: usize = 4;
    let (bench, place) = changes_beside_one(STEPS);
    let before = Snapshot::of(&bench);
    let journal = place.join("journal-0000000001.ndjson");
    let size = fs::metadata(&journal).expect("it has a journal").len();
    let (mut ended, mut torn) = (BTreeSet::new(), false);
    // Each line of a step is larger than two blocks: together they end a run behind each kind of line.
    for more in (2..=14).step_by(2) {
        let done = (made(&bench), at_microsoft(&bench)[1]);
        let now = || (made(&bench) - done.0, at_microsoft(&bench)[1] - done.1);
        let ran = limited(&bench, size.div_ceil(512) + more);
        says(
            &ran,
            1,
            &[
                "error[state-unreachable]: microsoft: cannot write",
                "journal-0000000001.ndjson because: File too large",
                "there is no room for it: make room on that disk, or raise the quota",
                "customer fresh created",
                "the other consoles were applied all the same; run the same command again: nothing is done twice",
            ],
        );
        let (lines, last) = gained(&journal, usize::try_from(size).expect("it is small"));
        torn |= last;
        ended.extend(lines.last().cloned());
        let count = |what: &str| lines.iter().filter(|line| *line == what).count();
        let (sent, acked) = (count("sent"), count("acked"));
        assert_eq!(now(), (1, sent), "each request has left with its durable intent: {ran}");
        let requests = if sent == 0 { "1 request".to_owned() } else { format!("{} requests", 1 + sent) };
        let in_doubt = if sent > acked { format!(", in doubt {}", sent - acked) } else { String::new() };
        let told = format!(
            "Applied {}, waiting 0, held 0, failed 0{in_doubt}, not begun {}; {requests}.",
            1 + acked,
            STEPS - sent
        );
        says(&ran, 1, &[&told]);
        assert_eq!(ran.stdout.matches("updated · ").count(), acked, "what was done is told: {ran}");

        // There is space again.
        let _settled = later(&bench);
        says(&run(&bench, &["plan", "--detailed-exitcode"]), 0, &["No changes"]);
        assert_eq!(now(), (1, STEPS), "each change once");
        before.put_back(&bench);
    }
    let kinds: Vec<&str> = ended.iter().map(String::as_str).collect();
    assert_eq!(kinds, ["acked", "intent", "sent", "settled"], "every kind of write was the last one once");
    assert!(torn, "no write broke off in the middle");
}

#[test]
fn what_only_the_next_run_would_read_and_cannot_be_written_takes_nothing_back() {
    let bench = sophos_desk(&json!({}));
    assert_eq!(run(&bench, &APPLY).code, 0);
    let accounts = bench.dir().join(".tenantry").join("accounts");
    let place = fs::read_dir(&accounts).expect("there is a ledger").next().expect("there is one");
    let cache = place.expect("it can be listed").path().join("cache.json");
    fs::remove_file(&cache).expect("it can go");
    fs::create_dir(&cache).expect("the state directory is writable");
    bench.write("more.yaml", &customer("more", &[made_at_sophos()]));
    let ran = run(&bench, &APPLY);
    says(
        &ran,
        1,
        &[
            "customer more created",
            "Applied 1, waiting 0, held 0, failed 0; 1 request.",
            "error[state-unreachable]: sophos: cannot write",
            "cache.json because:",
            "what was done there is stored all the same: only the next run has more to read \
             run the same command again: nothing is done twice",
        ],
    );
    assert!(!ran.stderr.contains("the other consoles"), "there is no other one: {ran}");
    fs::remove_dir(&cache).expect("it can go");
    assert_eq!(later(&bench).code, 0);
    assert_eq!(made(&bench), 2);
}
