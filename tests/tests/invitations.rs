//! `tenantry invitations remind` and `revoke` on simulated Microsoft: at most once, whoever asks, and nothing is claimed
//! to be taken back there.

use std::path::Path;

use jiff::ToSpan;
use serde_json::{Value, json};
use tenantry_simulator::{Kind, LogFilter};
use tenantry_tests::besiege::besiege_command;
use tenantry_tests::cli::{self, Bench, Ran};
use tenantry_tests::crash::{APPLY, Tally, binary, entries};
use tenantry_tests::watch::run;
use tenantry_tests::worlds::*;

const ADDRESS: &str = "customer/invited/microsoft";

/// Somebody was invited, and its mail was said to be sent.
fn invited(policy: &str) -> Bench {
    let bench = drafted(policy);
    send(&bench);
    bench
}

fn drafted(policy: &str) -> Bench {
    drafted_with(cli::binary(), policy)
}

fn seed() -> Value {
    let prospects = [microsoft_customer(3, "invited")];
    json!({"microsoft": microsoft_seed(&[], &prospects, &json!({}))})
}

fn drafted_with(binary: &Path, policy: &str) -> Bench {
    let bench = Bench::new(&seed()).binary(binary.to_owned());
    let console = microsoft("").replace("invitation: {", &format!("invitation: {{{policy}, "));
    bench.write("consoles.yaml", &console);
    let account = known_at_microsoft(&id(3), "");
    bench.write("invited.yaml", &(customer("invited", &[account]) + &invitation("invited")));
    let ran = run(&bench, &APPLY);
    assert_eq!(ran.code, 0, "{ran}");
    bench
}

/// Says that the mail that waits is sent.
fn send(bench: &Bench) {
    let task = list(bench)["unsentMail"]["task"].as_str().expect("a mail waits").to_owned();
    let ran = run(bench, &["tasks", "done", &task, "--by", "anna"]);
    assert_eq!(ran.code, 0, "{ran}");
}

/// The one invitation, as JSON.
fn list(bench: &Bench) -> Value {
    let ran = run(bench, &["invitations", "-o", "json"]);
    assert_eq!(ran.code, 0, "{ran}");
    let document: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"));
    assert_eq!(document["formatVersion"], "1.0");
    assert_eq!(document["invitations"].as_array().map(Vec::len), Some(1), "{ran}");
    document["invitations"][0].clone()
}

fn reminders(bench: &Bench) -> usize {
    list(bench)["reminders"].as_array().map_or(0, Vec::len)
}

fn days(bench: &Bench, days: i64) {
    bench.simulator().clock().advance((days * 24).hours()).expect("the clock goes forward");
}

fn remind(bench: &Bench, more: &[&str]) -> Ran {
    // Reminding is an apply of reminders alone: it may write the ledger, and nothing at the console.
    let before = writes(bench);
    let arguments: Vec<&str> = ["invitations", "remind"].iter().chain(more).copied().collect();
    let ran = run(bench, &arguments);
    assert_eq!(writes(bench), before, "{ran}");
    ran
}

fn writes(bench: &Bench) -> usize {
    bench.simulator().log().count(&LogFilter { kind: Some(Kind::Write), ..LogFilter::default() })
}

fn says(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, code, "{ran}");
    let flat: String =
        format!("{}{}", ran.stdout, ran.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    for words in words {
        assert!(flat.contains(words), "nothing says {words:?}: {ran}");
    }
}

#[test]
fn a_reminder_that_is_due_is_drafted_once_and_nothing_else_is_done() {
    let bench = invited("remindAfter: P7D, maxReminders: 2, expireAfter: P60D");
    bench.write("fresh.yaml", &customer("fresh", &[made_at_microsoft("freshworks")]));
    says(&remind(&bench, &["--auto-approve"]), 0, &["accepted by nobody yet", "1 waiting"]);
    assert_eq!(reminders(&bench), 0, "its day has not come");
    days(&bench, 8);
    let asked = remind(&bench, &[]);
    says(&asked, 64, &["nobody can be asked: this is no terminal", "tenantry apply --auto-approve"]);
    let planned = remind(&bench, &["--dry-run", "-o", "json"]);
    let plan: Value =
        serde_json::from_str(&planned.stdout).unwrap_or_else(|error| panic!("{error}: {planned}"));
    let steps = &plan["plans"][0]["steps"];
    assert_eq!(steps.as_array().map(Vec::len), Some(1), "reminders alone: {planned}");
    assert_eq!((&steps[0]["action"], &steps[0]["address"]), (&json!("remind"), &json!(ADDRESS)));
    assert_eq!(reminders(&bench), 0, "a dry run drafts nothing");
    let ran = remind(&bench, &["--auto-approve"]);
    says(
        &ran,
        0,
        &["reminder 1 is due", "reminder drafted", "tenantry invitations --eml outbox/", "Applied 1"],
    );
    assert_eq!(bench.simulator().log().effects("microsoft/msp", "customer-created").len(), 0, "{ran}");
    // Its mail waits: no second one, whoever asks and how often.
    for more in [&["--auto-approve"][..], &["--auto-approve", ADDRESS]] {
        remind(&bench, more);
        assert_eq!(reminders(&bench), 1);
    }
    let ran = remind(&bench, &["--auto-approve", ADDRESS]);
    says(
        &ran,
        4,
        &["a mail to it@invited.example waits for you", &format!("No reminder was made for {ADDRESS}")],
    );
    let ran = run(&bench, &["invitations", "--eml", "outbox"]);
    says(&ran, 0, &["reminder 1 of customer/invited/microsoft", "1 mail in outbox"]);
}

#[test]
fn a_reminder_that_is_asked_for_by_name_comes_before_its_day_and_never_beyond_the_most() {
    let bench = invited("remindAfter: P7D, maxReminders: 1, expireAfter: P60D");
    let ran = remind(&bench, &["--auto-approve", "invited"]);
    says(&ran, 0, &["reminder 1 is asked for before its day", "Applied 1"]);
    send(&bench);
    days(&bench, 20);
    let ran = remind(&bench, &["--auto-approve", ADDRESS]);
    says(&ran, 4, &["1 of 1 made; no more follow", "No reminder was made for"]);
    assert_eq!(reminders(&bench), 1);
    says(&remind(&bench, &["--auto-approve", "nobody"]), 64, &["nothing is declared as nobody"]);
    says(&remind(&bench, &["-o", "json", "--auto-approve"]), 64, &["-o is for --dry-run"]);
}

#[test]
fn who_has_accepted_is_not_reminded() {
    let bench = invited("remindAfter: P7D, maxReminders: 2, expireAfter: P60D");
    accept(&bench, &mail(&bench));
    days(&bench, 8);
    says(&remind(&bench, &["--auto-approve"]), 0, &["No reminder is due."]);
    assert_eq!(reminders(&bench), 0);
}

#[test]
fn an_invitation_that_was_taken_back_makes_no_mail_and_may_still_be_accepted() {
    let bench = drafted("remindAfter: P7D, maxReminders: 2, expireAfter: P60D");
    let mail = mail(&bench);
    let revoke = |more: &[&str]| {
        let arguments: Vec<&str> =
            ["invitations", "revoke", "--by", "anna"].iter().chain(more).copied().collect();
        run(&bench, &arguments)
    };
    let mark = bench.simulator().log().mark();
    says(
        &revoke(&["invited"]),
        64,
        &["Take back the invitation of", "no console takes a link back. Nobody can be asked", "add --yes"],
    );
    let ran = revoke(&["invited", "--yes", "--note", "chose another partner"]);
    says(
        &ran,
        0,
        &[
            "Taken back: customer/invited/microsoft",
            "Nothing was taken back in the console",
            "can still accept",
        ],
    );
    says(&revoke(&[ADDRESS, "--yes"]), 0, &["was taken back before. Nothing was written."]);
    assert_eq!(bench.simulator().log().mark(), mark, "no console is asked");
    let one = list(&bench);
    assert_eq!((&one["stands"], &one["unsentMail"]), (&json!("ended"), &Value::Null), "{one}");
    assert!(one["revoked"].is_string(), "{one}");
    says(&run(&bench, &["invitations", "--eml", "outbox"]), 0, &["No mail waits to be sent."]);
    says(&run(&bench, &["tasks"]), 0, &["Nothing waits for a person."]);
    days(&bench, 8);
    let ran = run(&bench, &["plan"]);
    says(&ran, 0, &["invitation-revoked", "the invitation was taken back on", "tenantry state forget"]);
    assert!(!ran.stdout.contains("to remind") && !ran.stdout.contains("> customer"), "{ran}");
    assert_eq!(remind(&bench, &["--auto-approve", ADDRESS]).code, 4);
    assert_eq!(reminders(&bench), 0);
    // The mail was out all the same, and the customer accepts.
    accept(&bench, &mail);
    says(&run(&bench, &APPLY), 0, &["adopted"]);
    says(&revoke(&[ADDRESS, "--yes"]), 4, &["error[accepted-already]", "declare want: Detached"]);
    let log = run(&bench, &["log", "--address", "invited"]);
    says(&log, 0, &["revoked", "no mail and no reminder any more, says anna · note: chose another partner"]);
    assert_eq!(entries(&bench.dir()).len(), 1);
}

#[test]
fn who_was_never_invited_has_nothing_to_be_taken_back() {
    let bench =
        Bench::new(&json!({"microsoft": microsoft_seed(&[microsoft_customer(1, "known")], &[], &json!({}))}));
    bench.write("consoles.yaml", &microsoft(""));
    bench.write("known.yaml", &bare("known", &[known_at_microsoft(&id(1), "")]));
    assert_eq!(run(&bench, &APPLY).code, 0);
    let ran = run(&bench, &["invitations", "revoke", "known", "--yes", "--by", "anna"]);
    says(&ran, 4, &["error[not-invited]", "there is nothing to take back", "tenantry invitations"]);
}

/// The mail of the one invitation, as a person sends it.
fn mail(bench: &Bench) -> String {
    let one = list(bench);
    let entries = entries(&bench.dir());
    let link = &entries.values().flatten().last().expect("it has an entry")["invitation"]["link"];
    format!(
        "From: msp@msp.example\r\nTo: {}\r\nSubject: Hallo\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n",
        one["to"].as_str().expect("an addressee"),
        link.as_str().expect("a link")
    )
}

/// Its reader accepts.
fn accept(bench: &Bench, mail: &str) {
    let mail = bench.simulator().mailbox().deliver_eml(mail, bench.simulator().clock().now());
    let who = json!({"customer": id(3)}).to_string();
    let (status, said) = bench.ask("POST", &format!("/_sim/mailbox/{mail}/accept"), Some(who));
    assert_eq!(status, 200, "{said}");
}

#[test]
fn what_is_said_of_a_mail_is_said_once_wherever_the_command_dies() {
    let bench = drafted_with(binary(), "remindAfter: P7D, maxReminders: 1, expireAfter: P60D");
    let seed = seed().to_string();
    let killed = |arguments: &[&str], at_writes: usize| {
        let tally = besiege_command(&bench, &seed, arguments);
        assert_eq!(tally, Tally { at_requests: 0, at_writes }, "{arguments:?}");
    };
    // Before the line in the journal, before the ledger is written whole, and after that.
    let task = list(&bench)["unsentMail"]["task"].as_str().expect("a mail waits").to_owned();
    let said = ["tasks", "done", &task, "--by", "anna"];
    killed(&said, 3);
    killed(&["invitations", "revoke", ADDRESS, "--yes", "--by", "anna"], 3);
    send(&bench);
    days(&bench, 8);
    // It is an apply: what observation settled, and what was read, are written too.
    killed(&["invitations", "remind", "--auto-approve"], 5);
}
