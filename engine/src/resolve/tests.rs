//! What a person may say about an operation, phase by phase.

use std::collections::BTreeMap;

use super::*;
use crate::capability::{OperationClass, Row};
use crate::operation::Operation;
use crate::origin::Origin;
use crate::plan::Fingerprint;
use crate::value::Digester;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

fn entry(action: Action, phase: Phase) -> Entry {
    let mut entry = Entry::declared(Origin::file("a.yaml", 1, 1), at("2026-01-01T00:00:00Z"));
    entry.operation = Some(Box::new(Operation {
        id: "op".into(),
        row: Row::Create,
        request_id: "request".into(),
        name: "create".into(),
        action,
        step: Fingerprint::from_text("0123456789abcdef"),
        class: OperationClass::Blind,
        content: Digester::new("lineage").text("content"),
        intended: at("2026-01-01T00:00:00Z"),
        phase,
        declared: BTreeMap::new(),
        expect: Vec::new(),
        lookalikes: Vec::new(),
        looked: None,
        more: false,
    }));
    entry
}

#[test]
fn what_was_never_sent_or_was_acknowledged_needs_nobody() {
    let now = at("2026-01-02T00:00:00Z");
    let mut intended = entry(Action::Create, Phase::Intent);
    assert_eq!(resolve(&mut intended, true, now), Err(NotInDoubt::NeverSent));
    let mut acked = entry(Action::Create, Phase::Acked { at: now, acks: vec![] });
    let refused = resolve(&mut acked, false, now).expect_err("the vendor said yes");
    assert_eq!(
        refused.to_string(),
        "the vendor acknowledged it on 2026-01-02; the next run settles it by itself"
    );
    acked.operation = None;
    assert_eq!(resolve(&mut acked, true, now), Err(NotInDoubt::Settled));
}

#[test]
fn a_person_may_take_a_word_back_and_saying_it_twice_changes_nothing() {
    let (sent, now) = (at("2026-01-01T12:00:00Z"), at("2026-01-02T00:00:00Z"));
    let mut one = entry(Action::Create, Phase::Sent { at: sent });
    assert_eq!(resolve(&mut one, true, now), Ok(true));
    assert_eq!(one.operation.as_ref().map(|op| op.phase.clone()), Some(Phase::Attested { at: sent }));
    assert_eq!(resolve(&mut one, true, now), Ok(false));
    assert_eq!(resolve(&mut one, false, now), Ok(true));
    assert_eq!(one.operation.as_ref().map(|op| op.phase.clone()), Some(Phase::NotHappened { at: now }));
    assert_eq!(resolve(&mut one, false, now), Ok(false));
}

#[test]
fn an_invitation_that_did_not_go_out_is_none() {
    let mut one =
        entry(Action::Invite, Phase::Unknown { at: at("2026-01-01T12:00:00Z"), because: "?".into() });
    one.invitation = Some(Box::new(crate::ledger::Invitation {
        link: String::new(),
        message_id: "m".into(),
        to: "it@adatum.example".into(),
        language: "de".into(),
        provider: None,
        accepted_as: vec![],
        drafted: at("2026-01-01T12:00:00Z"),
        sent: None,
        reminders: vec![],
        revoked: None,
    }));
    assert_eq!(resolve(&mut one, false, at("2026-01-02T00:00:00Z")), Ok(true));
    assert_eq!(one.invitation, None);
}
