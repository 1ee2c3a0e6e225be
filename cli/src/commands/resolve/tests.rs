//! What is said is durable, what is not in doubt is refused, and each answer says what follows.

use tenantry_engine::action::Action;
use tenantry_engine::address::Address;
use tenantry_engine::address::VendorAccount;
use tenantry_engine::capability::{OperationClass, Row};
use tenantry_engine::ledger::Ledger;
use tenantry_engine::operation::{Operation, Phase};
use tenantry_engine::plan::Fingerprint;

use super::*;
use crate::ledgers::testing::{at, entry, globals, ledger, logged, stored};

fn operation(phase: Phase) -> Operation {
    let digester = Ledger::new(VendorAccount::new("x"), "x".into()).digester();
    Operation {
        id: "11111111-aaaa".into(),
        row: Row::Create,
        request_id: "r".into(),
        name: "create-tenant".into(),
        action: Action::Create,
        step: Fingerprint::from_text("0123456789abcdef"),
        class: OperationClass::Blind,
        content: digester.text("content"),
        intended: at("2026-11-20T08:00:00Z"),
        phase,
        declared: Default::default(),
        expect: vec![],
        lookalikes: vec![],
        looked: Some(at("2026-11-20T09:00:00Z")),
        more: Default::default(),
    }
}

fn address() -> Address {
    Address::account("default", "adatum", "sophos")
}

async fn with(dir: &std::path::Path, phase: Phase) -> Globals {
    let globals = globals(dir);
    let mut entry = entry();
    entry.operation = Some(Box::new(operation(phase)));
    ledger(&globals, "sophos", "sophos:1", vec![(address(), entry)]).await;
    globals
}

fn say(happened: bool) -> Resolve {
    Resolve {
        operation: "11111111-aaaa".into(),
        happened,
        not_happened: !happened,
        note: Some("looked".into()),
        by: Some("anna".into()),
        home: crate::ledgers::Home::default(),
    }
}

fn phase(globals: &Globals) -> Phase {
    stored(globals, "sophos:1").entries[&address()].operation.clone().expect("open").phase
}

#[tokio::test]
async fn what_happened_is_attested_and_never_sent_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let sent = at("2026-11-20T08:00:01Z");
    let globals = with(dir.path(), Phase::Ambiguous { at: sent, because: "timeout".into() }).await;
    let text = say(true).answer(&globals).await.expect("settled");
    assert_eq!(
        text,
        "Settled: create customer/adatum/sophos (create-tenant) happened. It is never sent again; the next plan looks for what it made.\n\
         Next: tenantry plan\n"
    );
    assert_eq!(phase(&globals), Phase::Attested { at: sent });
    assert_eq!(
        logged(&globals, "sophos:1").pop().expect("logged"),
        ("resolved".into(), "11111111-aaaa: said to have happened by anna · note: looked".into())
    );
    let again = say(true).answer(&globals).await.expect("the same again");
    assert_eq!(again, "11111111-aaaa: happened, as was said before. Nothing was written.\n");
}

#[tokio::test]
async fn what_did_not_happen_may_be_sent_again_and_can_be_taken_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let unknown =
        Phase::Unknown { at: at("2026-11-20T08:00:01Z"), because: "2 new records look like it".into() };
    let globals = with(dir.path(), unknown).await;
    let text = say(false).answer(&globals).await.expect("settled");
    assert!(text.contains("did not happen. The next apply may send it again, once.\n"), "{text}");
    assert!(text.ends_with("Before the next apply: tenantry resolve 11111111-aaaa --happened\n"), "{text}");
    assert!(matches!(phase(&globals), Phase::NotHappened { .. }));
    say(true).answer(&globals).await.expect("taken back");
    assert_eq!(phase(&globals), Phase::Attested { at: at("2026-11-20T08:00:00Z") });
}

#[tokio::test]
async fn what_is_not_in_doubt_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), Phase::Intent).await;
    let error = say(true).answer(&globals).await.expect_err("refused");
    assert_eq!(error.exit, Exit::Refused);
    assert_eq!(
        error.text(),
        "error[not-in-doubt]: 11111111-aaaa of customer/adatum/sophos is not in doubt: it was intended and never sent; the next run takes it back by itself\n"
    );
    assert_eq!(phase(&globals), Phase::Intent);
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), Phase::Acked { at: at("2026-11-20T08:00:01Z"), acks: vec![] }).await;
    let error = say(false).answer(&globals).await.expect_err("refused");
    assert!(error.text().contains("the vendor acknowledged it on 2026-11-20"), "{}", error.text());
}

#[tokio::test]
async fn an_unknown_id_names_the_nearest_and_what_is_open() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), Phase::Sent { at: at("2026-11-20T08:00:01Z") }).await;
    let error = Resolve { operation: "11111111-aaab".into(), ..say(true) }
        .answer(&globals)
        .await
        .expect_err("unknown");
    assert_eq!(
        error.text(),
        "error[usage]: no ledger has an open operation 11111111-aaab\n  did you mean 11111111-aaaa?\n  \
         open: 11111111-aaaa (customer/adatum/sophos, create-tenant, sent)\n  a settled operation is in the log: tenantry log\n"
    );
}

#[tokio::test]
async fn without_a_ledger_it_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let error = say(true).answer(&globals(dir.path())).await.expect_err("nothing there");
    assert!(error.text().contains("error[no-state]: there is no ledger in "), "{}", error.text());
    assert!(error.text().contains("tenantry apply makes one"), "{}", error.text());
}
