//! In which order changes of entries are made.

use tenantry_engine::address::{Address, RemoteId, VendorAccount};
use tenantry_engine::ledger::Entry;
use tenantry_engine::origin::Origin;

use super::{Change, waves};

fn account() -> VendorAccount {
    VendorAccount::new("sophos:a")
}

fn address(name: &str) -> Address {
    Address::account("default", name, "sophos")
}

fn put(name: &str, id: Option<&str>) -> Change {
    let mut entry =
        Entry::declared(Origin::file("a.yaml", 1, 1), "2026-03-02T08:00:00Z".parse().expect("a time"));
    entry.remote_id = id.map(RemoteId::new);
    Change::put(&account(), address(name), Box::new(entry))
}

fn names(changes: Vec<Change>) -> Vec<Vec<String>> {
    waves(changes)
        .into_iter()
        .map(|wave| wave.into_iter().map(|change| change.address.name.to_string()).collect())
        .collect()
}

#[test]
fn what_holds_a_record_is_durable_before_what_gave_it_up() {
    let changes = vec![put("new", Some("r1")), put("other", Some("r2")), put("old", None)];
    assert_eq!(names(changes), [vec!["new", "other"], vec!["old"]]);
    let changes = vec![put("new", Some("r1")), Change::erase(&account(), address("old"))];
    assert_eq!(names(changes), [vec!["new"], vec!["old"]]);
}

#[test]
fn two_words_about_one_address_keep_their_order() {
    let changes =
        vec![put("a", Some("r1")), put("b", Some("r2")), put("a", Some("r3")), put("c", Some("r4"))];
    assert_eq!(names(changes), [vec!["a", "b"], vec!["a", "c"]]);
    assert_eq!(names(Vec::new()), Vec::<Vec<String>>::new());
}
