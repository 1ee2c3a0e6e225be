//! What becomes of entries whose declaration is deleted without a look at the console.

use super::undeclare;
use crate::address::{Address, RemoteId, VendorAccount};
use crate::ledger::{DeletionPolicy, Entry, Ledger, Standing, Want};
use crate::operation::{Operation, Phase};
use crate::origin::Origin;
use crate::store::Write;

fn now() -> jiff::Timestamp {
    "2026-03-02T08:00:00Z".parse().expect("a timestamp")
}

fn address(name: &str) -> Address {
    Address::account("default", name, "sophos")
}

fn ledger(entries: Vec<(&str, Entry)>) -> Ledger {
    let mut ledger = Ledger::new(VendorAccount::new("sophos:a"), "lineage".to_owned());
    ledger.entries.extend(entries.into_iter().map(|(name, entry)| (address(name), entry)));
    ledger
}

fn bound(policy: DeletionPolicy) -> Entry {
    let mut entry = Entry::declared(Origin::file("a.yaml", 1, 1), now());
    entry.remote_id = Some(RemoteId::new("r1"));
    entry.deletion_policy = policy;
    entry
}

fn operation(phase: Phase) -> Operation {
    let mut open: Operation = serde_json::from_value(serde_json::json!({
        "id": "op1", "row": "create", "requestId": "q1", "name": "create-tenant", "action": "create",
        "step": "00112233aabbccdd", "class": "blind", "content": "00112233445566778899aabbccddeeff",
        "intended": "2026-03-02T07:00:00Z", "phase": "intent",
    }))
    .expect("an operation as ledgers hold it");
    open.phase = phase;
    open
}

fn becomes(entry: Entry, retain: bool) -> Entry {
    let batches = undeclare(&ledger(vec![("adatum", entry)]), |_, _| true, now(), "run", retain);
    assert_eq!(batches.len(), 1);
    match &batches[0].0[..] {
        [Write::Put(at, entry)] if *at == address("adatum") => (**entry).clone(),
        other => panic!("not one entry: {other:?}"),
    }
}

#[test]
fn retained_records_are_released_and_stay_bound() {
    let entry = becomes(bound(DeletionPolicy::Retain), false);
    assert_eq!(entry.standing, Standing::Released);
    assert_eq!(entry.remote_id, Some(RemoteId::new("r1")));
}

#[test]
fn a_policy_that_ends_the_record_leaves_with_what_is_wanted() {
    let entry = becomes(bound(DeletionPolicy::Remove), false);
    assert_eq!((entry.standing, entry.want), (Standing::Leaving, Want::Removed));
    let entry = becomes(bound(DeletionPolicy::Detach), false);
    assert_eq!((entry.standing, entry.want), (Standing::Leaving, Want::Detached));
}

#[test]
fn retain_overrules_every_policy() {
    let entry = becomes(bound(DeletionPolicy::Remove), true);
    assert_eq!((entry.standing, entry.deletion_policy), (Standing::Released, DeletionPolicy::Retain));
    assert_eq!(entry.want, Want::Present);
}

#[test]
fn what_is_on_its_way_stays_planned_until_it_is_settled() {
    let mut entry = bound(DeletionPolicy::Retain);
    entry.remote_id = None;
    entry.operation = Some(Box::new(operation(Phase::Sent { at: now() })));
    let after = becomes(entry, false);
    assert_eq!(after.standing, Standing::Leaving);
    assert!(after.operation.is_some());
    let mut entry = bound(DeletionPolicy::Retain);
    entry.operation = Some(Box::new(operation(Phase::NotHappened { at: now() })));
    assert_eq!(becomes(entry, false).standing, Standing::Released);
}

#[test]
fn only_declared_entries_that_are_named_are_touched() {
    let mut released = bound(DeletionPolicy::Remove);
    released.standing = Standing::Released;
    let ledger = ledger(vec![
        ("adatum", bound(DeletionPolicy::Remove)),
        ("fabrikam", bound(DeletionPolicy::Remove)),
        ("gone", released),
    ]);
    let batches = undeclare(&ledger, |address, _| address.name != "fabrikam", now(), "run", false);
    let touched: Vec<_> = batches.iter().filter_map(|(_, event)| event.address.clone()).collect();
    assert_eq!(touched, [address("adatum")]);
}
