//! Ledgers change only where it is safe, and what is erased is erased from the log too.

use tenantry_engine::address::RemoteId;
use tenantry_engine::capability::Party;
use tenantry_engine::ledger::Entry;
use tenantry_engine::task::{Attested, Outcome};

use super::*;
use crate::ledgers::Home;
use crate::ledgers::testing::{at, entry, globals, invitation, ledger, logged, stored, task};

const ACCOUNT: &str = "microsoft:1";

fn adatum() -> Address {
    Address::account("default", "adatum", "microsoft")
}

fn license() -> Address {
    Address::license("default", "adatum-m365")
}

async fn with(dir: &std::path::Path, change: impl FnOnce(&mut Entry)) -> Globals {
    let globals = globals(dir);
    let mut one = entry();
    one.remote_id = Some(RemoteId::new("tenant-1"));
    change(&mut one);
    let mut child = entry();
    child.parent = Some(Box::new(adatum()));
    ledger(&globals, "microsoft", ACCOUNT, vec![(adatum(), one), (license(), child)]).await;
    globals
}

async fn run(globals: &Globals, what: What) -> Result<String, CliError> {
    State { what }.answer(globals).await.map(|(text, _)| text)
}

fn forget(yes: bool, with_invitation: bool) -> What {
    What::Forget(Forget { address: "adatum".into(), yes, with_invitation, within: None })
}

fn scrub(yes: bool) -> What {
    What::Scrub(Scrub { address: "adatum".into(), yes, within: None })
}

fn mv(old: &str, new: &str) -> What {
    What::Mv(Mv { old: old.into(), new: new.into(), within: None })
}

#[tokio::test]
async fn entries_are_listed_and_shown() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |entry| {
        entry.invitation = Some(Box::new(invitation()));
        entry.tasks.insert("microsoft-x-1".into(), task("microsoft-x-1", Party::Operator));
    })
    .await;
    let list = || What::List(List { within: None, output: look::Format::Text, home: Home::default() });
    assert_eq!(
        run(&globals, list()).await.expect("listed"),
        "microsoft   microsoft:1
    2 entries · serial 1 · not confirmed: its first run holds creations
  customer/adatum/microsoft                 bound     tenant-1  (1 task)
  license/adatum-m365                       declared  –
"
    );
    let show = |output| {
        What::Show(ShowEntry { address: "adatum".into(), within: None, output, home: Home::default() })
    };
    assert_eq!(
        run(&globals, show(look::Format::Text)).await.expect("shown"),
        "customer/adatum/microsoft
  console     microsoft (microsoft:1)
  standing    bound since 2026-11-01
  declared    customers/a.yaml:1:1
  remote id   tenant-1
  wanted      Present; when undeclared: Retain
  invitation  to ceo@adatum.example, drafted 2026-11-12, not said to be sent
  task        microsoft-x-1, open since 2026-11-12
What happened to it: tenantry log --address customer/adatum/microsoft
"
    );
    let json = run(&globals, show(look::Format::Json)).await.expect("shown");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["entry"]["remoteId"], "tenant-1");
    let nothing = tempfile::tempdir().expect("a directory");
    let text = run(&crate::ledgers::testing::globals(nothing.path()), list()).await.expect("listed");
    assert!(text.ends_with("yet: tenantry apply makes one.\n"), "{text}");
}

#[tokio::test]
async fn an_unknown_address_names_the_nearest() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |_| {}).await;
    let error = run(&globals, mv("customer/adatun/microsoft", "customer/x/y")).await.expect_err("unknown");
    assert_eq!(
        error.text(),
        "error[usage]: no ledger has an entry customer/adatun/microsoft\n  did you mean customer/adatum/microsoft?\n  \
         tenantry state list shows them; they are written customer/NAME/ACCOUNT or license/NAME\n"
    );
}

#[tokio::test]
async fn a_moved_entry_takes_its_licences_along() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |_| {}).await;
    let text = run(&globals, mv("adatum", "customer/adatum-ag/microsoft")).await.expect("moved");
    assert!(
        text.starts_with("Moved: customer/adatum/microsoft is customer/adatum-ag/microsoft now."),
        "{text}"
    );
    let ledger = stored(&globals, ACCOUNT);
    let new = Address::account("default", "adatum-ag", "microsoft");
    assert_eq!(ledger.entries.keys().cloned().collect::<Vec<_>>(), [new.clone(), license()]);
    assert_eq!(ledger.entries[&license()].parent.as_deref(), Some(&new));
    let last = logged(&globals, ACCOUNT).pop().expect("logged");
    assert_eq!(last, ("moved".into(), "was customer/adatum/microsoft".into()));
    let error = run(&globals, mv("adatum-ag", "license/adatum-m365")).await.expect_err("another kind").text();
    assert!(error.contains("is a customer, license/adatum-m365 would be a license"), "{error}");
    let error = run(&globals, mv("adatum-ag", "nonsense")).await.expect_err("no address").text();
    assert!(error.contains("`nonsense` is no address; write customer/NAME/ACCOUNT"), "{error}");
}

#[tokio::test]
async fn nothing_moves_onto_another_entry() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |_| {}).await;
    let other = Address::account("default", "other", "microsoft");
    ledger(&globals, "microsoft", ACCOUNT, vec![(other, entry())]).await;
    let error = run(&globals, mv("adatum", "customer/other/microsoft")).await.expect_err("taken");
    assert_eq!(error.exit, Exit::Refused);
    assert!(
        error.text().starts_with("error[taken]: customer/other/microsoft has an entry already\n"),
        "{}",
        error.text()
    );
    assert!(stored(&globals, ACCOUNT).entries.contains_key(&adatum()));
}

#[tokio::test]
async fn forgetting_says_what_it_means_and_needs_a_yes() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |_| {}).await;
    let error = run(&globals, forget(false, false)).await.expect_err("nobody to ask").text();
    assert!(
        error.contains("Forget customer/adatum/microsoft: its binding to tenant-1 goes; nothing happens"),
        "{error}"
    );
    assert!(error.contains("this is no terminal\n  add --yes if that is meant"), "{error}");
    assert!(stored(&globals, ACCOUNT).entries.contains_key(&adatum()));
    let text = run(&globals, forget(true, false)).await.expect("forgotten");
    assert!(
        text.starts_with("Forgotten: customer/adatum/microsoft. Nothing was asked of a console.\n"),
        "{text}"
    );
    assert!(!stored(&globals, ACCOUNT).entries.contains_key(&adatum()));
}

#[tokio::test]
async fn a_pending_invitation_is_not_forgotten_in_passing() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |entry| {
        entry.remote_id = None;
        entry.invitation = Some(Box::new(invitation()));
    })
    .await;
    let error = run(&globals, forget(true, false)).await.expect_err("refused");
    assert_eq!(error.exit, Exit::Refused);
    let error = error.text();
    assert!(error.contains("was invited on 2026-11-12, and nobody has accepted"), "{error}");
    assert!(error.contains("the next apply would make a second one"), "{error}");
    assert!(stored(&globals, ACCOUNT).entries.contains_key(&adatum()));
    run(&globals, forget(true, true)).await.expect("forgotten");
    assert!(!stored(&globals, ACCOUNT).entries.contains_key(&adatum()));
}

#[tokio::test]
async fn an_entry_with_a_request_under_way_is_not_touched() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |entry| {
        let digester = tenantry_engine::ledger::Ledger::new(ACCOUNT.into(), "x".into()).digester();
        entry.operation = Some(Box::new(tenantry_engine::operation::Operation {
            id: "op-1".into(),
            row: tenantry_engine::capability::Row::Create,
            request_id: "r".into(),
            name: "create".into(),
            action: tenantry_engine::action::Action::Create,
            step: tenantry_engine::plan::Fingerprint::from_text("0123456789abcdef"),
            class: tenantry_engine::capability::OperationClass::Blind,
            content: digester.text("x"),
            intended: at("2026-11-20T08:00:00Z"),
            phase: Phase::Sent { at: at("2026-11-20T08:00:00Z") },
            declared: Default::default(),
            expect: vec![],
            lookalikes: vec![],
            looked: None,
            more: Default::default(),
        }));
    })
    .await;
    for what in [forget(true, true), mv("adatum", "customer/x/microsoft")] {
        let error = run(&globals, what).await.expect_err("refused").text();
        assert!(error.contains("a request of customer/adatum/microsoft is sent: create (op-1)"), "{error}");
        assert!(error.contains("tenantry resolve op-1 --happened"), "{error}");
    }
}

/// Every byte below the state directory, as text.
fn everything(dir: &std::path::Path) -> String {
    let mut out = String::new();
    for file in std::fs::read_dir(dir).expect("a directory") {
        let path = file.expect("a file").path();
        if path.is_dir() {
            out.push_str(&everything(&path));
        } else {
            out.push_str(&String::from_utf8_lossy(&std::fs::read(path).expect("readable")));
        }
    }
    out
}

#[tokio::test]
async fn scrubbing_leaves_no_personal_data_in_the_ledger_or_its_log() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |entry| {
        entry.invitation = Some(Box::new(invitation()));
        let mut record = task("microsoft-x-1", Party::Operator);
        record.task.as_mut().expect("there").steps.push("enter  ceo@adatum.example".into());
        record.attested = Some(Attested {
            outcome: Outcome::Done,
            by: "anna".into(),
            on: at("2026-11-13T08:00:00Z"),
            note: "Mr Example was rude".into(),
        });
        entry.tasks.insert("microsoft-x-1".into(), record);
    })
    .await;
    let personal = ["ceo@adatum.example", "admin.example/partner", "rude"];
    let before = everything(&globals.state_dir);
    assert!(personal.iter().all(|text| before.contains(text)), "{before}");
    let text = run(&globals, scrub(false)).await.expect("scrubbed");
    assert!(
        text.starts_with("Scrubbed: customer/adatum/microsoft. Erased: addressee and link of its"),
        "{text}"
    );
    assert!(text.contains("Not reached: declarations in Git, mails in outboxes, backups"), "{text}");
    let after = everything(&globals.state_dir);
    for text in personal {
        assert!(!after.contains(text), "{text} is still in {after}");
    }
    let entry = stored(&globals, ACCOUNT).entries[&adatum()].clone();
    assert_eq!(entry.remote_id, Some(RemoteId::new("tenant-1")));
    assert_eq!(entry.invitation.expect("kept").message_id, "0b6c");
    let said = entry.tasks["microsoft-x-1"].attested.clone().expect("kept");
    assert_eq!((said.by.as_str(), said.note.as_str()), ("anna", ""));
    assert_eq!(
        logged(&globals, ACCOUNT).iter().map(|(what, _)| what.as_str()).collect::<Vec<_>>(),
        ["made", "scrubbed"]
    );
}

#[tokio::test]
async fn scrubbing_what_is_pending_needs_a_yes() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |entry| {
        entry.remote_id = None;
        entry.invitation = Some(Box::new(invitation()));
    })
    .await;
    let error = run(&globals, scrub(false)).await.expect_err("nobody to ask").text();
    assert!(error.contains("its mail can be written no more"), "{error}");
    assert!(error.contains("this cannot be taken back."), "{error}");
    run(&globals, scrub(true)).await.expect("scrubbed");
    let kept = stored(&globals, ACCOUNT).entries[&adatum()].invitation.clone().expect("kept");
    assert_eq!(kept.accepted_as, ["domain:adatum.example"]);
}

#[tokio::test]
async fn a_pulled_ledger_goes_back_only_as_a_newer_one() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |_| {}).await;
    let text =
        run(&globals, What::Pull(PullLedger { console: None, home: Home::default() })).await.expect("pulled");
    let file = dir.path().join("ledger.json");
    let push = |force| What::Push(Push { file: file.clone(), force });
    std::fs::write(&file, &text).expect("written");
    let error = run(&globals, push(false)).await.expect_err("no newer");
    assert_eq!(error.exit, Exit::Refused);
    assert!(
        error.text().contains("its serial is 1, the ledger's is 1\n  if the ledger was not written since"),
        "{}",
        error.text()
    );
    assert!(error.text().contains("--force replaces it all the same"), "{}", error.text());

    let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    json["header"]["serial"] = 7.into();
    json["entries"]["customer/adatum/microsoft"]["remoteId"] = "tenant-2".into();
    json["entries"].as_object_mut().expect("an object").remove("license/adatum-m365");
    std::fs::write(&file, json.to_string()).expect("written");
    let text = run(&globals, push(false)).await.expect("pushed");
    assert_eq!(
        text,
        "Pushed: the ledger of microsoft:1 has serial 2 now; 1 changed, 1 erased.\nNext: tenantry plan\n"
    );
    let ledger = stored(&globals, ACCOUNT);
    assert_eq!(ledger.header.serial, 2);
    assert_eq!(ledger.entries[&adatum()].remote_id, Some(RemoteId::new("tenant-2")));
    assert_eq!(ledger.entries.len(), 1);

    json["header"]["lineage"] = "another".into();
    std::fs::write(&file, json.to_string()).expect("written");
    let error = run(&globals, push(false)).await.expect_err("another lineage").text();
    assert!(error.contains("its lineage is another, not lineage"), "{error}");
    run(&globals, push(true)).await.expect("forced");
    assert_eq!(stored(&globals, ACCOUNT).header.lineage, "another");
    std::fs::write(&file, "{}").expect("written");
    let error = run(&globals, push(true)).await.expect_err("no ledger").text();
    assert!(error.starts_with("error[not-a-ledger]: "), "{error}");
    assert!(error.contains("push takes what tenantry state pull prints"), "{error}");
}

#[tokio::test]
async fn a_lost_ledger_can_be_pushed_into_an_empty_directory() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |_| {}).await;
    let file = dir.path().join("ledger.json");
    let text =
        run(&globals, What::Pull(PullLedger { console: Some("microsoft".into()), home: Home::default() }))
            .await
            .expect("pulled");
    std::fs::write(&file, text).expect("written");
    let elsewhere = tempfile::tempdir().expect("a directory");
    let empty = crate::ledgers::testing::globals(elsewhere.path());
    run(&empty, What::Push(Push { file, force: false })).await.expect("pushed");
    assert_eq!(stored(&empty, ACCOUNT).entries, stored(&globals, ACCOUNT).entries);
    assert_eq!(stored(&empty, ACCOUNT).header.lineage, "lineage");
}

#[tokio::test]
async fn unlock_clears_nothing_and_says_who_is_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |_| {}).await;
    let text = run(&globals, What::Unlock(Unlock {})).await.expect("free");
    assert!(text.starts_with("Nobody holds the lock of "), "{text}");
    let state = crate::state::StateDir::new(&globals.state_dir);
    let held = state.lock("anna, process 7").expect("free");
    let error = run(&globals, What::Unlock(Unlock {})).await.expect_err("held").text();
    assert!(error.starts_with("error[state-locked]: anna, process 7 holds the lock of "), "{error}");
    assert!(error.contains("a local lock ends with its process; nothing was cleared"), "{error}");
    assert!(state.lock("second").is_err(), "it is still held");
    drop(held);
}

#[tokio::test]
async fn a_moved_console_may_have_another_account() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |_| {}).await;
    let moved = |name: &str| What::MoveConsole(MoveConsole { name: name.into() });
    let error = run(&globals, moved("microsft")).await.expect_err("unknown").text();
    assert!(
        error.contains("no vendor account is remembered for a Console microsft\n  did you mean microsoft?"),
        "{error}"
    );
    let text = run(&globals, moved("microsoft")).await.expect("moved");
    assert!(
        text.starts_with("Console microsoft may belong to another account now; it was microsoft:1"),
        "{text}"
    );
    let index = crate::state::StateDir::new(&globals.state_dir).index().expect("readable");
    assert!(index.consoles.is_empty());
    assert_eq!(stored(&globals, ACCOUNT).entries.len(), 2);
    assert_eq!(logged(&globals, ACCOUNT).pop().expect("logged").0, "console-moved");
}
