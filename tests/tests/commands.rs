//! Commands that look, tried on simulated consoles as a person does: what they print, how they exit, and that nothing is
//! written anywhere.

use std::collections::BTreeMap;

use serde_json::json;
use tenantry_simulator::{Kind, LogFilter};
use tenantry_tests::cli::Bench;
use tenantry_tests::watch::run;
use tenantry_tests::worlds::*;

/// A console that holds one declared customer, which is on a trial there.
fn desk() -> Bench {
    let bench = Bench::new(&json!({"sophos": sophos_seed(&[sophos_tenant(1, "known")], &json!({}))}));
    bench.write("consoles.yaml", &sophos(""));
    bench.write("known.yaml", &bare("known", &[known_at_sophos(&id(1))]));
    bench
}

fn nothing_is_written(bench: &Bench) {
    let writes = LogFilter { kind: Some(Kind::Write), ..LogFilter::default() };
    assert_eq!(bench.simulator().log().count(&writes), 0);
    assert!(!bench.dir().join(".tenantry").exists(), "no state directory is made");
}

#[test]
fn doctor_finds_all_well_and_compares_clocks() {
    let bench = desk();
    let ran = run(&bench, &["doctor", "-f", "."]);
    assert_eq!(ran.code, 0, "{ran}");
    for words in ["declarations", "read credential", "identity", "may", "All is well. Nothing was written."] {
        assert!(ran.stdout.contains(words), "{words}: {ran}");
    }
    let mut ticking = bench.command(&["doctor", "-f", "."]);
    ticking.env_remove("TENANTRY_NOW");
    let ran = bench.run_command(ticking);
    let clock = |line: &str| line.trim_start().starts_with("ok") && line.contains("the console's");
    assert!(ran.stdout.lines().any(clock), "{ran}");
    nothing_is_written(&bench);
}

#[test]
fn doctor_fails_on_a_credential_that_the_vendor_refuses_and_never_shows_it() {
    let bench = desk();
    bench.secret(
        "sophos-read",
        &BTreeMap::from([("clientId", "nobody".to_owned()), ("clientSecret", "not-the-secret".to_owned())]),
    );
    let ran = run(&bench, &["doctor", "-f", "."]);
    assert_eq!(ran.code, 1, "{ran}");
    let line = ran.stdout.lines().find(|line| line.contains("FAIL")).unwrap_or_default();
    assert!(line.contains("identity") && line.contains("read credential"), "{ran}");
    assert!(ran.stdout.contains("1 thing to mend. Nothing was written."), "{ran}");
    assert!(!format!("{ran}").contains("not-the-secret"), "{ran}");
    nothing_is_written(&bench);
}

#[test]
fn tasks_with_declarations_are_those_of_a_fresh_plan_and_no_ledger_changes() {
    let bench = desk();
    let ran = run(&bench, &["apply", "-f", ".", "--auto-approve"]);
    assert_eq!(ran.code, 0, "{ran}");
    let before = run(&bench, &["state", "pull"]).stdout;
    let known = known_at_sophos(&id(1));
    let billed = known.strip_suffix('}').expect("a mapping in braces");
    bench.write("known.yaml", &bare("known", &[format!("{billed}, sophos: {{billing: Trial}}}}")]));
    let ran = run(&bench, &["tasks"]);
    assert!(!ran.stdout.contains("customer/known"), "no apply has opened it: {ran}");
    let ran = run(&bench, &["tasks", "-f", "."]);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("known"), "{ran}");
    assert!(!ran.stdout.contains("Nothing waits"), "{ran}");
    assert_eq!(run(&bench, &["state", "pull"]).stdout, before, "the ledger is as it was");
}
