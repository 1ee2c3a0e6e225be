//! Commands that look, tried on simulated consoles as a person does: what they print, how they exit, and that nothing is
//! written anywhere.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenantry_simulator::{Does, Fault, HoldAt, Kind, LogFilter};
use tenantry_tests::cli::{Bench, Ran};
use tenantry_tests::crash::Held;
use tenantry_tests::watch::{run, run_command};
use tenantry_tests::worlds::*;

#[path = "commands/drift.rs"]
mod drift;

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

/// Two consoles, of which one does not answer as it should.
fn half_blind() -> Bench {
    let seed = json!({
        "sophos": sophos_seed(&[sophos_tenant(1, "known")], &json!({})),
        "microsoft": microsoft_seed(&[microsoft_customer(2, "other")], &[], &json!({})),
    });
    let bench = Bench::new(&seed);
    bench.write("consoles.yaml", &(sophos("") + &microsoft("")));
    bench.write("known.yaml", &bare("known", &[known_at_sophos(&id(1))]));
    bench.write("other.yaml", &bare("other", &[known_at_microsoft(&id(2), "")]));
    assert_eq!(run(&bench, &["apply", "-f", ".", "--auto-approve"]).code, 0);
    bench.simulator().faults().add(Fault::status(503).at("microsoft/msp").always());
    bench
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn whoever_reads_results_alone_learns_which_console_was_not_read() {
    let bench = half_blind();
    let failing = |arguments: &[&str], words: &[&str]| -> Ran {
        let ran = run(&bench, arguments);
        assert_eq!(ran.code, 1, "{ran}");
        for words in words {
            assert!(
                flat(&ran.stdout).contains(words),
                "stdout of {arguments:?} does not say {words:?}: {ran}"
            );
        }
        ran
    };
    let plan = failing(
        &["plan"],
        &[
            "not-planned microsoft: Partner Center",
            "1 console not planned: nothing is known of what it holds.",
        ],
    );
    assert!(!plan.stdout.contains("the consoles hold what is declared"), "{plan}");
    assert!(plan.stderr.contains("]: microsoft: Partner Center"), "the error names the Console: {plan}");
    let aligned = plan.stderr.lines().any(|line| line.starts_with("sophos      Sophos Central Partner ·"));
    assert!(aligned, "consoles stand in columns: {plan}");
    failing(
        &["plan", "-o", "markdown"],
        &[
            "**tenantry: 1 console could not be planned",
            "### Needs your eyes - `not-planned` microsoft: Partner",
        ],
    );
    let ran = failing(&["plan", "-o", "json"], &[]);
    let document: Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!(document["findings"][0]["code"], "not-planned", "{ran}");
    assert_eq!(document["summary"]["notPlanned"], 1, "{ran}");
    failing(&["apply", "--auto-approve"], &["not-planned microsoft", "1 console not planned"]);
    let drift = failing(&["drift"], &["1 console not read: nothing is known of what changed there."]);
    assert!(!drift.stdout.contains("the consoles show what was applied"), "{drift}");
    failing(&["observe"], &["1 console not read."]);
    let ran = failing(&["observe", "-o", "json"], &[]);
    let document: Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!(document["notRead"][0]["console"], "microsoft", "{ran}");
    let ran = failing(&["tasks", "-f", "."], &[]);
    assert!(
        ran.stderr.contains("tasks of consoles that could not be read are those of their ledgers"),
        "{ran}"
    );
}

#[test]
fn with_json_logs_every_line_on_stderr_is_an_object_and_none_is_lost() {
    let bench = half_blind();
    bench.simulator().faults().add(Fault::status(503).at("sophos/msp").always());
    let lines = |arguments: &[&str]| -> Vec<Value> {
        let ran = run(&bench, arguments);
        assert_eq!(ran.code, 1, "{ran}");
        let read =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}: {ran}"));
        ran.stderr.lines().map(read).collect()
    };
    let errors = lines(&["plan", "--log-format", "json"]);
    let about = |lines: &[Value]| -> Vec<String> {
        let errors = lines.iter().filter(|line| line["level"] == "error");
        errors.map(|line| line["console"].as_str().unwrap_or("none").to_owned()).collect()
    };
    let mut consoles = about(&errors);
    consoles.sort();
    assert_eq!(consoles, ["microsoft", "sophos"], "{errors:?}");
    bench.write("broken.yaml", "apiVersion: tenantry.io/v1alpha1\nkind: Customer\nmetadata: {name: x}\nspec: {company: {legalNam: x}}\n");
    for arguments in
        [&["plan", "--log-format", "json"][..], &["apply", "--auto-approve", "--log-format", "json"]]
    {
        let errors = lines(arguments);
        let unknown = errors
            .iter()
            .find(|line| line["code"] == "unknown-field")
            .unwrap_or_else(|| panic!("{errors:?}"));
        assert_eq!(
            (&unknown["place"]["path"], &unknown["place"]["line"]),
            (&json!("broken.yaml"), &json!(4))
        );
    }
}

#[test]
fn a_console_that_does_not_answer_is_named_at_once_and_looking_ends_with_the_first_ctrl_c() {
    let bench = desk();
    bench.simulator().faults().add(Fault::new(Does::Hold { at: HoldAt::BeforeCommit }).at("sophos/msp"));
    let mut running = Held::start(&bench, &["plan"]);
    running.until_held(&bench);
    running.until_it_says("sophos: no answer yet");
    running.signal("INT");
    // The request is still held: nobody waits for its answer.
    let ran = running.ended(&bench);
    bench.simulator().faults().release();
    assert_eq!(ran.code, 130, "{ran}");
    assert!(ran.stderr.contains("Stopping: nothing was changed."), "{ran}");
    assert!(!ran.stdout.contains("No changes"), "{ran}");
    nothing_is_written(&bench);
}

#[test]
fn where_no_console_is_declared_nothing_is_said_to_be_as_declared() {
    let bench = desk();
    bench.write("customers/known.yaml", &bench.read("known.yaml"));
    bench.write("empty/README.md", "");
    for command in ["plan", "drift", "observe"] {
        let ran = run(&bench, &[command, "-f", "empty"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran}");
        for words in
            ["error[no-console]: no Console is declared in what was read", "-f names the file or directory"]
        {
            assert!(ran.stderr.contains(words), "{ran}");
        }
    }
    // One without behaviour is declared all the same.
    let plugin = "apiVersion: tenantry.io/v1alpha1\nkind: Console\nmetadata: {name: plug}\nspec:\n  plugin: {command: [x]}\n";
    bench.write("empty/plugin.yaml", plugin);
    let mut command = bench.command(&["plan", "-f", "empty"]);
    command.env_remove("TENANTRY_ENDPOINT");
    let ran = run_command(&bench, &["plan"], command);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(ran.stdout.contains("not-supported-yet"), "{ran}");
}

#[test]
fn the_log_tells_what_is_not_there_from_nothing_at_all() {
    let bench = desk();
    assert_eq!(run(&bench, &["log", "--address", "known"]).stdout, "Nothing was done yet: tenantry apply\n");
    assert_eq!(run(&bench, &["apply", "-f", ".", "--auto-approve"]).code, 0);
    for address in ["known", "customer/known/sophos"] {
        let ran = run(&bench, &["log", "--address", address]);
        assert!(ran.stdout.contains("adopted             customer/known/sophos"), "{ran}");
    }
    let ran = run(&bench, &["log", "--address", "unknown"]);
    assert!(ran.stdout.starts_with("Nothing in the log is about unknown."), "{ran}");
    let ran = run(&bench, &["log", "--ledger", "cluster", "--address", "msp:customer/known/sophos"]);
    assert_eq!(ran.code, 1, "{ran}");
    for words in [
        "error[no-log]: a ledger in a cluster keeps no log",
        "kubectl events -n msp --for customer.tenantry.io/known",
        "reportingComponent=tenantry-controller",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {ran}");
    }
}

#[test]
fn kinds_are_listed_and_namespaces_are_for_clusters() {
    let bench = desk();
    let ran = run(&bench, &["explain"]);
    assert_eq!(ran.code, 0, "{ran}");
    for words in ["Customer        A company we serve", "ConsoleBinding", "More: tenantry explain KIND"] {
        assert!(ran.stdout.contains(words), "{words}: {ran}");
    }
    for arguments in
        [&["tasks", "-n", "msp"][..], &["state", "list", "--context", "x"], &["invitations", "-n", "msp"]]
    {
        let ran = run(&bench, arguments);
        assert_eq!(ran.code, 64, "{ran}");
        assert!(ran.stderr.contains("--namespace and --context are for --ledger cluster"), "{ran}");
    }
    let mut nowhere = bench.command(&["tasks", "--ledger", "cluster"]);
    nowhere.env("KUBECONFIG", bench.dir().join("no-such-kubeconfig"));
    let ran = run_command(&bench, &["tasks"], nowhere);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stderr.contains("error[no-cluster]"), "{ran}");
}

#[test]
fn what_holds_is_explained_with_where_it_comes_from() {
    let bench = desk();
    let more = "defaults: {account: {onboarding: Create}, deletionPolicy: Detach}\nguards: {maxRemovals: 3}";
    bench.write("consoles.yaml", &sophos(more));
    let explained = |path: &str| -> String {
        let ran = run(&bench, &["explain", path, "--effective"]);
        assert_eq!(ran.code, 0, "{ran}");
        flat(&ran.stdout)
    };
    let accounts = explained("customer.spec.accounts");
    for words in [
        "customer/known/sophos",
        "onboarding Create · from the Console's defaults",
        "deletionPolicy Detach · from the Console's defaults",
        "role EndCustomer · by default",
        &format!("id {} · declared", id(1)),
    ] {
        assert!(accounts.contains(words), "{words}: {accounts}");
    }
    let one = explained("customer.accounts.onboarding");
    assert_eq!(one, "customer/known/sophos onboarding Create · from the Console's defaults");
    let guards = explained("console.spec.guards");
    for words in ["console/sophos", "guards.maxRemovals 3 · declared", "guards.maxCreations 20 · by default"]
    {
        assert!(guards.contains(words), "{words}: {guards}");
    }
    let ran = run(&bench, &["explain", "product", "--effective"]);
    assert_eq!(ran.code, 64, "{ran}");
    assert!(ran.stderr.contains("--effective is for what has defaults"), "{ran}");
    nothing_is_written(&bench);
}
