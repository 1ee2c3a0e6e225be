//! What is given back when a writer died between its header and its entry.

use smol_str::SmolStr;
use tenantry_engine::address::Address;
use tenantry_engine::ledger::{Entry, GuardKind, GuardUse, Ledger};
use tenantry_engine::origin::Origin;
use tenantry_engine::plan::Fingerprint;

use super::*;

fn account() -> VendorAccount {
    VendorAccount::new("sophos:1")
}

fn used(step: &str) -> GuardUse {
    GuardUse {
        at: "2026-01-12T08:00:00Z".parse().expect("a moment"),
        kind: GuardKind::Creations,
        count: 1,
        step: Fingerprint::from_text(step),
    }
}

/// A header that used something for `a` once, and one that now uses something for `b`.
fn headers() -> (Header, Header) {
    let mut before = Ledger::new(account(), "3f".to_owned()).header;
    before.guard_log.push(used("aaaaaaaaaaaaaaaa"));
    before.used_approvals.insert(Fingerprint::from_text("aaaaaaaaaaaaaaaa"));
    let mut after = before.clone();
    after.guard_log.push(used("bbbbbbbbbbbbbbbb"));
    after.used_approvals.insert(Fingerprint::from_text("bbbbbbbbbbbbbbbb"));
    (before, after)
}

fn state(header: Header, entries: BTreeMap<Short, Known>) -> State {
    State { header, header_version: "1".into(), entries, fitted: 0, unknown: false, writes: 0 }
}

fn change(name: &str) -> Change {
    let entry =
        Entry::declared(Origin::file("a.yaml", 1, 1), "2026-01-12T08:00:00Z".parse().expect("a moment"));
    Change::put(&account(), Address::account("n", name, "sophos"), Box::new(entry))
}

fn known(change: &Change, version: &str) -> BTreeMap<Short, Known> {
    BTreeMap::from([(change.name, Known { version: SmolStr::from(version), content: [0; 16] })])
}

#[test]
fn what_was_used_for_an_entry_that_never_came_is_given_back_and_nothing_else() {
    let (before, after) = headers();
    for was_there in [false, true] {
        let change = change("b");
        let entries = if was_there { known(&change, "7") } else { BTreeMap::new() };
        let reserved = of(&account(), &state(before.clone(), entries.clone()), &after, &[change]);
        let reserved = reserved.expect("it uses something up");
        assert_eq!((reserved.approvals.len(), reserved.uses), (1, 1), "{reserved:?}");
        let mut header = after.clone();
        take_back(&reserved, &mut header, &entries);
        assert_eq!(header, before);
    }
}

#[test]
fn what_was_used_for_an_entry_that_came_stays_used() {
    let (before, after) = headers();
    let change = change("b");
    let came = known(&change, "8");
    for entries in [BTreeMap::new(), known(&change, "7")] {
        let reserved = of(&account(), &state(before.clone(), entries), &after, std::slice::from_ref(&change));
        let mut header = after.clone();
        take_back(&reserved.expect("it uses something up"), &mut header, &came);
        assert_eq!(header, after);
    }
    // Of two entries one came: something was begun.
    let other = super::tests::change("c");
    let both = [change, other];
    let reserved =
        of(&account(), &state(before, BTreeMap::new()), &after, &both).expect("it uses something up");
    assert_eq!(reserved.entries.len(), 2);
    let mut header = after.clone();
    take_back(&reserved, &mut header, &came);
    assert_eq!(header, after);
}

#[test]
fn a_write_that_uses_nothing_up_reserves_nothing() {
    let (_, after) = headers();
    assert_eq!(of(&account(), &state(after.clone(), BTreeMap::new()), &after, &[change("b")]), None);
    let (before, after) = headers();
    assert_eq!(of(&account(), &state(before, BTreeMap::new()), &after, &[]), None, "nothing follows");
}
