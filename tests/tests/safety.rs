//! What must never happen, whatever people do to files, state and processes.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use tenantry_simulator::{Does, Fault, HoldAt, Kind, LogFilter};
use tenantry_tests::cli::{Bench, Ran};
use tenantry_tests::crash::{APPLY, Held, entries, wait};
use tenantry_tests::watch::{run, run_command};
use tenantry_tests::worlds::*;

#[path = "safety/interrupts.rs"]
mod interrupts;

const LEAVES: &str = ", want: Detached, consents: [customer-told, delegated-rights-stay]";
const DETACHES: &str = ", deletionPolicy: Detach, consents: [customer-told, delegated-rights-stay]";
/// An apply that nobody allowed anything.
const PLAIN: [&str; 2] = ["apply", "--auto-approve"];

fn says(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, code, "{ran}");
    let text = format!("{}{}", ran.stdout, ran.stderr);
    let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in words {
        assert!(flat.contains(words), "nothing says {words:?}: {ran}");
    }
}

fn writes(bench: &Bench) -> usize {
    bench.simulator().log().count(&LogFilter { kind: Some(Kind::Write), ..LogFilter::default() })
}

fn bound(bench: &Bench) -> BTreeMap<String, Value> {
    entries(&bench.dir())
        .into_iter()
        .filter_map(|(address, all)| Some((address, all.last()?["remoteId"].clone())))
        .collect()
}

fn steps(ran: &Ran) -> Vec<String> {
    let document: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"));
    let mut out = Vec::new();
    for plan in document["plans"].as_array().into_iter().flatten() {
        for step in plan["steps"].as_array().into_iter().flatten() {
            let held = step["held"]["by"].as_str().map(|by| format!(" held by {by}")).unwrap_or_default();
            out.push(format!(
                "{} {}{held}",
                step["action"].as_str().unwrap_or_default(),
                step["address"].as_str().unwrap_or_default()
            ));
        }
    }
    out
}

fn planned(bench: &Bench, more: &[&str]) -> Vec<String> {
    let arguments: Vec<&str> = ["plan", "-o", "json"].iter().chain(more).copied().collect();
    let ran = run(bench, &arguments);
    assert_eq!(ran.code, 0, "{ran}");
    steps(&ran)
}

/// Two customers of Microsoft, bound; each would be detached if its declaration went.
fn two_that_would_be_detached() -> Bench {
    let customers = [microsoft_customer(1, "stays"), microsoft_customer(2, "goes")];
    let bench = Bench::new(&json!({"microsoft": microsoft_seed(&customers, &[], &json!({}))}));
    bench.write("base/consoles.yaml", &microsoft(""));
    bench.write("customers/stays.yaml", &bare("stays", &[known_at_microsoft(&id(1), DETACHES)]));
    bench.write("customers/goes.yaml", &bare("goes", &[known_at_microsoft(&id(2), DETACHES)]));
    assert_eq!(run(&bench, &APPLY).code, 0);
    wait(&bench);
    bench
}

#[test]
fn only_a_declaration_that_is_seen_to_be_gone_is_undeclared() {
    let bench = two_that_would_be_detached();
    let goes = bench.read("customers/goes.yaml");
    let nothing: [&str; 0] = [];
    assert_eq!(planned(&bench, &[]), nothing);
    // Not read.
    assert_eq!(planned(&bench, &["-f", "base", "-f", "customers/stays.yaml"]), nothing);
    // Broken: nothing is planned at all.
    bench.write("customers/goes.yaml", "kind: Customer\nmetadata: [\n");
    let mark = bench.simulator().log().mark();
    let ran = run(&bench, &["plan"]);
    says(&ran, 1, &["nothing was read from a console, nothing was changed"]);
    assert_eq!(run(&bench, &APPLY).code, 1);
    assert_eq!(bench.simulator().log().mark(), mark, "a broken file is noticed before anything is asked");
    // Gone, but its directory was not walked.
    bench.remove("customers/goes.yaml");
    assert_eq!(planned(&bench, &["-f", "base", "-f", "customers/stays.yaml"]), nothing);
    // Gone, and seen to be.
    assert_eq!(planned(&bench, &[]), ["detach customer/goes/microsoft"]);
    // Moved to another file: declared all the same.
    bench.write("elsewhere/goes.yaml", &goes);
    assert_eq!(planned(&bench, &[]), nothing);
    assert_eq!(writes(&bench), 0);
}

#[test]
fn what_was_declared_on_stdin_is_never_undeclared() {
    let customers = [microsoft_customer(1, "piped")];
    let bench = Bench::new(&json!({"microsoft": microsoft_seed(&customers, &[], &json!({}))}));
    bench.write("consoles.yaml", &microsoft(""));
    bench.write("../piped.yaml", &bare("piped", &[known_at_microsoft(&id(1), DETACHES)]));
    let piped = fs::read_to_string(bench.dir().join("../piped.yaml")).expect("it was written");
    let arguments: Vec<&str> = APPLY.iter().copied().chain(["-f", "consoles.yaml", "-f", "-"]).collect();
    let mut child = bench
        .command(&arguments)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program can be run");
    let mut stdin = child.stdin.take().expect("it is piped");
    std::io::Write::write_all(&mut stdin, piped.as_bytes()).expect("it reads");
    drop(stdin);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    wait(&bench);
    assert_eq!(bound(&bench).len(), 1);
    let nothing: [&str; 0] = [];
    assert_eq!(planned(&bench, &["-f", "consoles.yaml"]), nothing);
}

#[test]
fn declaring_nothing_at_all_ends_nothing() {
    let bench = two_that_would_be_detached();
    bench.remove("customers/goes.yaml");
    bench.remove("customers/stays.yaml");
    assert_eq!(
        planned(&bench, &[]),
        [
            "detach customer/goes/microsoft held by nothing-declared",
            "detach customer/stays/microsoft held by nothing-declared"
        ]
    );
    says(&run(&bench, &APPLY), 4, &["HELD", "nothing at all is declared for this console", "held 2"]);
    assert_eq!(writes(&bench), 0);
}

#[test]
fn removals_over_the_guard_are_held_all_and_of_creations_only_the_surplus() {
    let customers = [microsoft_customer(1, "a"), microsoft_customer(2, "b"), microsoft_customer(3, "stays")];
    let seed = json!({
        "microsoft": microsoft_seed(&customers, &[], &json!({})),
        "sophos": sophos_seed(&[], &json!({})),
    });
    let bench = Bench::new(&seed);
    bench.write(
        "consoles.yaml",
        &(microsoft("guards: {maxRemovals: 1}") + &sophos("guards: {maxCreations: 1}")),
    );
    bench.write("stays.yaml", &customer("stays", &[known_at_microsoft(&id(3), "")]));
    for (n, name) in [(1, "a"), (2, "b")] {
        bench.write(&format!("{name}.yaml"), &customer(name, &[known_at_microsoft(&id(n), "")]));
    }
    assert_eq!(run(&bench, &PLAIN).code, 0);
    wait(&bench);
    for (n, name) in [(1, "a"), (2, "b")] {
        let accounts = [known_at_microsoft(&id(n), LEAVES), made_at_sophos()];
        bench.write(&format!("{name}.yaml"), &customer(name, &accounts));
    }
    let ran = run(&bench, &PLAIN);
    says(
        &ran,
        4,
        &[
            "removals within a day would be 2; guards.maxRemovals is 1",
            "tenantry apply --allow removals=2",
            "held 3",
        ],
    );
    assert_eq!(bench.simulator().log().effects("microsoft/msp", "relationship-removed").len(), 0, "{ran}");
    assert_eq!(bench.simulator().log().effects("sophos/msp", "tenant-created").len(), 1, "{ran}");
    let ran = run(&bench, &["apply", "--auto-approve", "--allow", "removals=2"]);
    says(&ran, 4, &["creations within a day would be 2; guards.maxCreations is 1"]);
    assert_eq!(bench.simulator().log().effects("microsoft/msp", "relationship-removed").len(), 2, "{ran}");
    assert_eq!(bench.simulator().log().effects("sophos/msp", "tenant-created").len(), 1, "{ran}");
}

#[test]
fn another_vendor_account_is_refused_and_nothing_of_the_first_is_lost() {
    let seed = json!({"sophos": {
        "msp": sophos_seed(&[sophos_tenant(1, "known")], &json!({}))["msp"],
        "other": sophos_seed(&[sophos_tenant(2, "stranger")], &json!({}))["msp"],
    }});
    let bench = Bench::new(&seed);
    bench.write("consoles.yaml", &console("sophos-msp", "sophos: {program: MspFlex}", ""));
    let known = known_at_sophos(&id(1)).replace("{name: sophos}", "{name: sophos-msp}");
    bench.write("known.yaml", &customer("known", &[known]));
    let own = format!("sophos-msp={}", bench.simulator().partner_url("sophos", "msp"));
    let foreign = format!("sophos-msp={}", bench.simulator().partner_url("sophos", "other"));
    let at = |endpoint: &str, arguments: &[&str]| {
        let mut command = bench.command(arguments);
        command.env("TENANTRY_ENDPOINT", endpoint);
        run_command(&bench, arguments, command)
    };
    assert_eq!(at(&own, &APPLY).code, 0);
    let before = bound(&bench);
    let secret = |key: &str| {
        let credentials = bench.simulator().sophos(key).credentials();
        BTreeMap::from([("clientId", credentials.client_id), ("clientSecret", credentials.client_secret)])
    };
    for which in ["sophos-msp-read", "sophos-msp-write"] {
        bench.secret(which, &secret("other"));
    }
    for arguments in [&["plan"][..], &APPLY] {
        let ran = at(&foreign, arguments);
        says(
            &ran,
            1,
            &["error[another-account]", "its credential now belongs to sophos:", "nothing was planned"],
        );
    }
    assert_eq!((bound(&bench), writes(&bench)), (before, 0));
    for which in ["sophos-msp-read", "sophos-msp-write"] {
        bench.secret(which, &secret("msp"));
    }
    says(&at(&own, &["plan", "--detailed-exitcode"]), 0, &["No changes"]);
}

#[test]
fn two_consoles_on_one_account_are_refused() {
    let bench = Bench::new(&json!({"sophos": sophos_seed(&[sophos_tenant(1, "known")], &json!({}))}));
    let twin = console("twin", "sophos: {program: MspFlex}", "")
        .replace("twin-read", "sophos-read")
        .replace("twin-write", "sophos-write");
    bench.write("consoles.yaml", &(sophos("") + &twin));
    let url = bench.simulator().partner_url("sophos", "msp");
    for arguments in [&["plan"][..], &APPLY] {
        let mut command = bench.command(arguments);
        command.env("TENANTRY_ENDPOINT", format!("sophos={url},twin={url}"));
        let ran = run_command(&bench, arguments, command);
        says(
            &ran,
            1,
            &[
                "error[same-account]",
                "sophos and twin are the same vendor account",
                "one account has one Console",
            ],
        );
    }
    assert_eq!(writes(&bench), 0);
}

/// Everything is there, an invitation is out; then the state directory is gone.
fn lost(with_strangers: bool) -> Bench {
    let mut customers = vec![microsoft_customer(1, "known")];
    if with_strangers {
        customers.push(microsoft_customer(9, "stranger"));
    }
    let prospects = [microsoft_customer(3, "invited")];
    let tenants: Vec<Value> = if with_strangers { vec![sophos_tenant(8, "stranger")] } else { Vec::new() };
    let bench = Bench::new(&json!({
        "microsoft": microsoft_seed(&customers, &prospects, &json!({})),
        "sophos": sophos_seed(&tenants, &json!({})),
    }));
    bench.write("consoles.yaml", &(microsoft("") + &sophos("")));
    bench.write("known.yaml", &bare("known", &[known_at_microsoft(&id(1), "")]));
    bench.write(
        "invited.yaml",
        &(customer("invited", &[known_at_microsoft(&id(3), "")]) + &invitation("invited")),
    );
    let mut accounts = vec![made_at_sophos()];
    if with_strangers {
        accounts.push(made_at_microsoft("freshworks"));
    }
    bench.write("fresh.yaml", &customer("fresh", &accounts));
    let ran = run(&bench, &APPLY);
    assert_eq!(ran.code, 0, "{ran}");
    wait(&bench);
    assert_eq!(run(&bench, &APPLY).code, 0);
    let drafted =
        entries(&bench.dir()).values().flatten().filter(|entry| entry["invitation"].is_object()).count();
    assert!(drafted > 0, "an invitation is out");
    fs::remove_dir_all(bench.dir().join(".tenantry")).expect("there is a state directory");
    bench
}

#[test]
fn a_lost_ledger_creates_nothing_in_the_next_run_or_the_tenth() {
    for with_strangers in [true, false] {
        let bench = lost(with_strangers);
        let made = writes(&bench);
        for n in 1..=10 {
            let ran = run(&bench, &PLAIN);
            assert!(matches!(ran.code, 0 | 4), "run {n}: {ran}");
            assert_eq!(writes(&bench), made, "run {n}: {ran}");
            let invited =
                entries(&bench.dir()).values().flatten().any(|entry| entry["invitation"].is_object());
            assert!(!invited, "run {n} invites again (strangers: {with_strangers}): {ran}");
            wait(&bench);
        }
    }
}

/// Two customers to be made, and a hold on the first request that makes one.
fn held_at_the_first_of_two(at: HoldAt) -> Bench {
    let bench = Bench::new(&json!({"sophos": sophos_seed(&[], &json!({}))}));
    bench.write("consoles.yaml", &sophos(""));
    for name in ["one", "two"] {
        bench.write(&format!("{name}.yaml"), &customer(name, &[made_at_sophos()]));
    }
    let hold = Fault::new(Does::Hold { at }).on("POST", "/partner/v1/tenants");
    bench.simulator().faults().add(hold);
    bench
}

fn made(bench: &Bench) -> usize {
    bench.simulator().log().effects("sophos/msp", "tenant-created").len()
}

#[test]
fn a_second_writer_is_refused_and_a_killed_one_leaves_no_lock() {
    let bench = held_at_the_first_of_two(HoldAt::AfterCommit);
    let mut running = Held::start(&bench, &APPLY);
    running.until_held(&bench);
    let second = run(&bench, &APPLY);
    says(&second, 1, &["error[state-locked]", "the state is locked by tester, process"]);
    assert_eq!(run(&bench, &["plan"]).code, 0, "whoever only looks needs no lock");
    running.kill(&bench);
    bench.simulator().faults().clear();
    let ran = run(&bench, &APPLY);
    assert_eq!((ran.code, made(&bench), writes(&bench)), (0, 2, 2), "{ran}");
}

#[test]
fn validating_asks_nobody_and_looking_leaves_no_trace() {
    let bench = held_at_the_first_of_two(HoldAt::BeforeCommit);
    let mark = bench.simulator().log().mark();
    assert_eq!(run(&bench, &["validate"]).code, 0);
    assert_eq!(bench.simulator().log().mark(), mark, "validate is offline");
    for arguments in [
        &["plan"][..],
        &["plan", "-o", "json"],
        &["plan", "-o", "markdown"],
        &["plan", "--out", "../saved.json"],
        &["drift"],
        &["observe"],
        &["observe", "-o", "json"],
        &["log"],
    ] {
        assert_eq!(run(&bench, arguments).code, 0, "{arguments:?}");
        assert!(!bench.dir().join(".tenantry").exists(), "{arguments:?} leaves state behind");
    }
    assert_eq!(writes(&bench), 0);
}
