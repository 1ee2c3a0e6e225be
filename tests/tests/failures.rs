//! What consoles and networks do wrong, and what the program makes of it: what it says, how it exits, that nothing is
//! removed, and that nothing is done twice.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenantry_simulator::{Does, Fault, FaultBody, HoldAt, Kind, LogFilter, RetryAfter};
use tenantry_tests::cli::{Bench, Ran};
use tenantry_tests::crash::{APPLY, Held, entries, wait};
use tenantry_tests::watch::{run, run_command};
use tenantry_tests::{process, worlds};
use worlds::*;

#[path = "failures/stores.rs"]
mod stores;

/// The request that creates a tenant at Sophos.
const CREATE: (&str, &str) = ("POST", "/partner/v1/tenants");

/// Sophos with one customer that is there and one to be made.
fn sophos_desk(switches: &Value) -> Bench {
    let bench = Bench::new(&json!({"sophos": sophos_seed(&[sophos_tenant(1, "known")], switches)}));
    bench.write("consoles.yaml", &sophos(""));
    bench.write("known.yaml", &customer("known", &[known_at_sophos(&id(1))]));
    bench.write("fresh.yaml", &customer("fresh", &[made_at_sophos()]));
    bench
}

/// Microsoft with two customers that are there, one of which is to be left.
fn microsoft_desk(switches: &Value) -> Bench {
    let customers = [microsoft_customer(1, "known"), microsoft_customer(2, "left")];
    let bench = Bench::new(&json!({"microsoft": microsoft_seed(&customers, &[], switches)}));
    bench.write("consoles.yaml", &microsoft(""));
    bench.write("known.yaml", &bare("known", &[known_at_microsoft(&id(1), "")]));
    bench.write("left.yaml", &bare("left", &[known_at_microsoft(&id(2), "")]));
    let ran = run(&bench, &APPLY);
    assert_eq!(ran.code, 0, "{ran}");
    bench.write("left.yaml", &bare("left", &[known_at_microsoft(&id(2), LEAVES)]));
    bench
}

const LEAVES: &str = ", want: Detached, consents: [customer-told, delegated-rights-stay]";

fn fault(does: Does, (method, path): (&str, &str)) -> Fault {
    Fault::new(does).on(method, path)
}

fn status(status: u16, after_commit: bool) -> Does {
    Does::Status { status, retry_after: None, body: FaultBody::Vendor, after_commit }
}

fn made(bench: &Bench) -> usize {
    bench.simulator().log().effects("sophos/msp", "tenant-created").len()
}

fn posts(bench: &Bench) -> usize {
    let filter = LogFilter { kind: Some(Kind::Write), ..LogFilter::default() };
    bench.simulator().log().count(&filter)
}

fn says(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, code, "{ran}");
    let text = format!("{}{}", ran.stdout, ran.stderr);
    let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in words {
        assert!(flat.contains(words), "nothing says {words:?}: {ran}");
    }
}

fn plan_of(ran: &Ran) -> Vec<Value> {
    let document: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"));
    document["plans"].as_array().cloned().unwrap_or_default()
}

fn steps(ran: &Ran) -> Vec<String> {
    let mut out = Vec::new();
    for plan in plan_of(ran) {
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

fn findings(ran: &Ran) -> Vec<String> {
    let mut out = Vec::new();
    for plan in plan_of(ran) {
        for finding in plan["findings"].as_array().into_iter().flatten() {
            out.push(finding["code"].as_str().unwrap_or_default().to_owned());
        }
    }
    out
}

/// Until the next run may conclude from a list, twice, and what it led to.
fn later(bench: &Bench) -> Ran {
    wait(bench);
    let _first = run(bench, &APPLY);
    wait(bench);
    run(bench, &APPLY)
}

#[test]
fn a_wrong_read_credential_stops_before_anything_is_planned() {
    let bench = sophos_desk(&json!({}));
    bench.secret("sophos-read", &BTreeMap::from([("clientSecret", "not-the-secret-at-all".to_owned())]));
    for arguments in [&["plan"][..], &APPLY, &["drift"], &["observe"]] {
        let ran = run(&bench, arguments);
        says(&ran, 1, &["error[credential-refused]", "refuses the read credential", "tenantry doctor"]);
    }
    assert_eq!(made(&bench), 0);
}

#[test]
fn a_wrong_write_credential_fails_the_step_and_leaves_it_to_the_next_run() {
    let bench = sophos_desk(&json!({}));
    let right = bench.simulator().sophos("msp").credentials().client_secret;
    bench.secret("sophos-write", &BTreeMap::from([("clientSecret", "not-the-secret-at-all".to_owned())]));
    assert_eq!(run(&bench, &["plan"]).code, 0, "planning opens no write credential");
    says(&run(&bench, &APPLY), 1, &["FAILED", "failed 1"]);
    assert_eq!(posts(&bench), 0);
    bench.secret("sophos-write", &BTreeMap::from([("clientSecret", right)]));
    says(&run(&bench, &APPLY), 0, &["failed 0"]);
    assert_eq!(made(&bench), 1);
}

#[test]
fn a_token_that_expired_is_fetched_anew_for_reads_and_writes_nothing_twice() {
    let bench = sophos_desk(&json!({}));
    bench.simulator().faults().add(fault(Does::ExpiredToken, ("GET", "/partner/v1/tenants")));
    says(&run(&bench, &["plan", "--allow", "first-run"]), 0, &["1 to create"]);
    bench.simulator().faults().add(fault(Does::ExpiredToken, CREATE));
    says(&run(&bench, &APPLY), 1, &["FAILED", "the token or the identity header is not accepted"]);
    assert_eq!(made(&bench), 0);
    says(&run(&bench, &APPLY), 0, &["failed 0"]);
    assert_eq!(made(&bench), 1);
}

#[test]
fn one_console_that_is_down_does_not_stop_the_other() {
    let seed = json!({
        "sophos": sophos_seed(&[], &json!({})),
        "microsoft": microsoft_seed(&[microsoft_customer(1, "known")], &[], &json!({})),
    });
    let bench = Bench::new(&seed);
    bench.write("consoles.yaml", &(sophos("") + &microsoft("")));
    bench.write("known.yaml", &customer("known", &[known_at_microsoft(&id(1), LEAVES), made_at_sophos()]));
    bench.simulator().faults().add(Fault::new(status(503, false)).at("microsoft/msp").always());
    let planned = run(&bench, &["plan"]);
    says(&planned, 1, &["1 to create", "Partner Center", "the other consoles were planned all the same"]);
    let applied = run(&bench, &APPLY);
    says(&applied, 1, &["the other consoles were applied all the same", "nothing is done twice"]);
    assert_eq!(made(&bench), 1);
    bench.simulator().faults().clear();
    let mark = bench.simulator().log().mark();
    let _back = run(&bench, &APPLY);
    assert_eq!((made(&bench), bench.simulator().log().effects("sophos/msp", "tenant-created").len()), (1, 1));
    assert!(bench.simulator().log().mark() > mark);
}

#[test]
fn a_console_that_nobody_answers_for_is_told_as_unreachable() {
    let bench = sophos_desk(&json!({}));
    let nobody = process::Nobody::hold().expect("there is a free port");
    let port = nobody.port();
    let mut command = bench.command(&["plan"]);
    command.env("TENANTRY_ENDPOINT", format!("sophos=http://127.0.0.1:{port}"));
    let ran = run_command(&bench, &["plan"], command);
    says(&ran, 1, &["error[console-unreachable]", "check the network and --endpoint"]);
}

#[test]
fn a_refusal_about_one_customer_is_that_customers_fact() {
    let bench = microsoft_desk(&json!({}));
    bench.write("known.yaml", &customer("known", &[known_at_microsoft(&id(1), "")]));
    bench.simulator().faults().add(Fault::new(Does::Forbidden).about(&id(1)).always());
    let ran = run(&bench, &["plan", "-o", "json"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(steps(&ran), ["detach customer/left/microsoft"], "the other customer is planned: {ran}");
    assert!(findings(&ran).contains(&"not-readable".to_owned()), "{ran}");
    let before = bound(&bench);
    let ran = run(&bench, &APPLY);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(bound(&bench), before, "what cannot be read is not gone");
}

fn bound(bench: &Bench) -> BTreeMap<String, Value> {
    entries(&bench.dir())
        .into_iter()
        .filter_map(|(address, all)| Some((address, all.last()?["remoteId"].clone())))
        .collect()
}

#[test]
fn a_list_that_breaks_off_ends_nothing_and_forgets_nothing() {
    // 500 a page: the second page never arrives whole, and with it the customers that are bound.
    let mut seed = json!({"microsoft": microsoft_seed(&[], &[], &json!({}))});
    seed["microsoft"]["msp"]["bulk"] = json!({"count": 500});
    let bench = Bench::new(&seed);
    let late = json!({"microsoft": {"msp": {"customers": [microsoft_customer(1, "known"), microsoft_customer(2, "left")]}}});
    bench.simulator().seed(&late).expect("it is a seed");
    bench.write("consoles.yaml", &microsoft(""));
    bench.write("known.yaml", &bare("known", &[known_at_microsoft(&id(1), "")]));
    bench.write("left.yaml", &bare("left", &[known_at_microsoft(&id(2), "")]));
    assert_eq!(run(&bench, &APPLY).code, 0);
    let before = bound(&bench);
    bench.write("left.yaml", &bare("left", &[known_at_microsoft(&id(2), LEAVES)]));
    for does in [Does::Truncate, Does::MalformedJson] {
        wait(&bench);
        bench.simulator().faults().add(fault(does, ("GET", "/v1/customers")).nth(2).always());
        let ran = run(&bench, &["plan", "-o", "json"]);
        assert!(findings(&ran).contains(&"incomplete-census".to_owned()), "{ran}");
        assert!(!findings(&ran).contains(&"ended-elsewhere".to_owned()), "{ran}");
        bench.simulator().faults().clear();
        bench.simulator().faults().add(fault(Does::Truncate, ("GET", "/v1/customers")).nth(2).always());
        let ran = run(&bench, &APPLY);
        assert!(matches!(ran.code, 0 | 4), "{ran}");
        assert_eq!(
            bench.simulator().log().effects("microsoft/msp", "relationship-removed").len(),
            0,
            "{ran}"
        );
        assert_eq!(bound(&bench), before, "{ran}");
        bench.simulator().faults().clear();
    }
}

#[test]
fn values_and_fields_that_no_document_names_change_no_plan() {
    let expected = steps(&run(&sophos_desk(&json!({})), &["plan", "-o", "json"]));
    assert!(expected.contains(&"create customer/fresh/sophos held by first-run".to_owned()), "{expected:?}");
    for switches in [json!({"unexpected": "fields"}), json!({"unexpected": "enum-values"})] {
        let ran = run(&sophos_desk(&switches), &["plan", "-o", "json"]);
        assert_eq!((ran.code, steps(&ran)), (0, expected.clone()), "{switches}: {ran}");
    }
    let ran = run(&microsoft_desk(&json!({"enums": "unknown"})), &["plan", "-o", "json"]);
    assert_eq!((ran.code, steps(&ran)), (0, vec!["detach customer/left/microsoft".to_owned()]), "{ran}");
}

#[test]
fn names_that_attack_whoever_prints_them_are_only_names() {
    let mut seed = json!({
        "sophos": sophos_seed(&[], &json!({})),
        "microsoft": microsoft_seed(&[], &[], &json!({})),
    });
    seed["sophos"]["msp"]["generate"] = json!({"count": 0, "hostile": 12});
    seed["microsoft"]["msp"]["bulk"] = json!({"count": 12, "hostileNames": true});
    let bench = Bench::new(&seed);
    bench.write("consoles.yaml", &(sophos("") + &microsoft("naming: Legal")));
    let (_, tenants) = bench.ask("GET", "/_sim/sophos/msp/tenants", None);
    let tenants: Value = serde_json::from_str(&tenants).expect("it is JSON");
    let (_, state) = bench.ask("GET", "/_sim/microsoft/msp/state", None);
    let state: Value = serde_json::from_str(&state).expect("it is JSON");
    let mut n = 0;
    let mut known = |id: Option<&str>, account: &dyn Fn(&str) -> String| {
        let id = id.unwrap_or_else(|| panic!("a record without an id: {tenants} {state}"));
        n += 1;
        bench.write(&format!("c{n}.yaml"), &customer(&format!("c{n}"), &[account(id)]));
    };
    for tenant in tenants["tenants"].as_array().into_iter().flatten() {
        known(tenant["id"].as_str(), &known_at_sophos);
    }
    for one in state["customers"].as_array().into_iter().flatten() {
        known(one["id"].as_str().or_else(|| one["tenantId"].as_str()), &|id| known_at_microsoft(id, ""));
    }
    assert!(n >= 24, "there are {n} hostile records");
    // The watch refuses any byte that acts on a terminal, in each of these.
    for round in 0..2 {
        for arguments in
            [&["plan"][..], &["drift"], &["observe"], &["plan", "-o", "json"], &["observe", "-o", "json"]]
        {
            assert_eq!(run(&bench, arguments).code, 0, "{arguments:?}, round {round}");
        }
        let ran = run(&bench, &["plan", "-o", "markdown"]);
        for bad in ["<script", "<img", "](https://evil", "\n|---|"] {
            assert!(!ran.stdout.contains(bad), "Markdown holds {bad:?}: {ran}");
        }
        assert!(matches!(run(&bench, &APPLY).code, 0 | 4));
    }
    assert_eq!(run(&bench, &["log"]).code, 0);
}

#[test]
fn too_many_requests_put_a_write_off_and_never_double_it() {
    for retry_after in [None, Some(RetryAfter::Seconds(7)), Some(RetryAfter::HttpDate(30))] {
        let bench = sophos_desk(&json!({}));
        let does = Does::Status { status: 429, retry_after, body: FaultBody::Vendor, after_commit: false };
        bench.simulator().faults().add(fault(does, CREATE).times(2));
        says(&run(&bench, &APPLY), 0, &["failed 0"]);
        assert_eq!((made(&bench), posts(&bench)), (1, 3), "{retry_after:?}");
    }
}

#[test]
fn too_many_requests_without_end_fail_the_step_and_the_next_run_does_it() {
    let bench = sophos_desk(&json!({}));
    bench.simulator().faults().add(fault(status(429, false), CREATE).always());
    says(&run(&bench, &APPLY), 1, &["FAILED", "throttled", "failed 1"]);
    assert!(posts(&bench) <= 6);
    bench.simulator().faults().clear();
    says(&run(&bench, &APPLY), 0, &["failed 0"]);
    assert_eq!(made(&bench), 1);
}

#[test]
fn a_login_that_is_put_off_is_no_wrong_credential() {
    let bench = sophos_desk(&json!({}));
    bench.simulator().faults().add(Fault::new(status(429, false)).at("sophos/msp").always());
    let ran = run(&bench, &["plan"]);
    says(
        &ran,
        1,
        &["sophos: Sophos Central Partner refuses to give a token: too many requests", "wait, or lower"],
    );
    assert!(!ran.stderr.contains("credential is not accepted"), "{ran}");
}

#[test]
fn an_error_of_the_vendor_is_asked_again_when_reading() {
    let bench = sophos_desk(&json!({}));
    bench.simulator().faults().add(fault(status(500, false), ("GET", "/partner/v1/tenants")).times(2));
    let ran = run(&bench, &["plan", "-o", "json"]);
    assert_eq!(ran.code, 0, "{ran}");
    let filter = LogFilter { path: Some("/partner/v1/tenants"), ..LogFilter::default() };
    assert_eq!(bench.simulator().log().count(&filter), 3);
}

/// A write whose fate is unknown: in doubt, not repeated, settled by looking; done once in the end.
fn in_doubt(does: Does, happened: bool) {
    let name = format!("{does:?}");
    let bench = sophos_desk(&json!({"listing": "after-10-minutes"}));
    bench.simulator().faults().add(fault(does, CREATE));
    says(&run(&bench, &APPLY), 1, &["IN DOUBT", "the next run looks for it", "in doubt 1"]);
    let sent = posts(&bench);
    assert_eq!((made(&bench), sent), (usize::from(happened), 1), "{name}");
    let ran = run(&bench, &["plan"]);
    says(&ran, 0, &["may or may not have happened; it is looked for, not repeated"]);
    assert!(!ran.stdout.contains("to create, 1"), "{ran}");
    let _soon = run(&bench, &APPLY);
    assert_eq!(posts(&bench), 1, "{name}: nothing proves yet that it did not happen");
    let ran = later(&bench);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!((made(&bench), posts(&bench)), (1, if happened { 1 } else { 2 }), "{name}");
    assert_eq!(run(&bench, &["plan", "--detailed-exitcode"]).code, 0, "{name}");
}

#[test]
fn an_error_of_the_vendor_leaves_a_write_in_doubt_until_it_is_seen_not_to_be_there() {
    in_doubt(status(500, false), false);
    in_doubt(Does::CloseBeforeCommit, false);
}

#[test]
fn a_write_whose_answer_was_lost_is_found_and_not_repeated() {
    in_doubt(status(500, true), true);
    in_doubt(Does::CloseAfterCommit, true);
    in_doubt(Does::Truncate, true);
    in_doubt(Does::MalformedJson, true);
}

#[test]
fn a_write_that_is_not_answered_in_time_is_in_doubt() {
    let bench = sophos_desk(&json!({}));
    bench.simulator().faults().add(fault(Does::Hold { at: HoldAt::AfterCommit }, CREATE));
    let mut running = Held::start(&bench, &APPLY);
    running.until_held(&bench);
    says(&running.ended(&bench), 1, &["IN DOUBT", "no answer in time"]);
    bench.simulator().faults().release();
    let ran = run(&bench, &APPLY);
    assert_eq!((ran.code, made(&bench), posts(&bench)), (0, 1, 1), "{ran}");
}

/// What happened at Microsoft in a world where one customer is made, one changed, one left and one invited.
fn at_microsoft(bench: &Bench) -> [usize; 3] {
    ["customer-created", "billing-profile-updated", "relationship-removed"]
        .map(|effect| bench.simulator().log().effects("microsoft/msp", effect).len())
}

/// The three unsafe requests of that world's last apply.
const UNSAFE: [(&str, &str); 3] =
    [("POST", "/v1/customers"), ("PUT", "/v1/customers/*/profiles/billing"), ("PATCH", "/v1/customers/*")];

#[test]
fn too_many_requests_in_the_middle_of_an_apply_put_off_that_step_alone() {
    for (method, path) in UNSAFE {
        for retry_after in [None, Some(RetryAfter::Seconds(7))] {
            let bench = everything_at_microsoft(&json!({})).desk();
            let before = at_microsoft(&bench);
            let sent = posts(&bench);
            let does =
                Does::Status { status: 429, retry_after, body: FaultBody::Vendor, after_commit: false };
            bench.simulator().faults().add(fault(does, (method, path)));
            says(&run(&bench, &APPLY), 0, &["Applied 4", "failed 0"]);
            assert_eq!(
                at_microsoft(&bench),
                before.map(|count| count + 1),
                "{method} {path} {retry_after:?}"
            );
            assert_eq!(posts(&bench), sent + 4, "{method} {path} {retry_after:?}");
        }
    }
}

#[test]
fn an_error_in_the_middle_of_an_apply_leaves_one_step_in_doubt_and_does_the_others() {
    for (method, path) in UNSAFE {
        for after_commit in [false, true] {
            let name = format!("{method} {path}, after the commit: {after_commit}");
            let bench = everything_at_microsoft(&json!({})).desk();
            let before = at_microsoft(&bench);
            bench.simulator().faults().add(fault(status(500, after_commit), (method, path)));
            says(&run(&bench, &APPLY), 1, &["Applied 3", "IN DOUBT", "in doubt 1"]);
            let done: usize = at_microsoft(&bench).iter().sum();
            let expected = before.iter().sum::<usize>() + if after_commit { 3 } else { 2 };
            assert_eq!(done, expected, "{name}");
            let ran = later(&bench);
            assert_eq!(ran.code, 0, "{name}: {ran}");
            assert_eq!(at_microsoft(&bench), before.map(|count| count + 1), "{name}");
        }
    }
}
