//! Ids of a census that others hold too.

use super::*;

fn census(ids: &[&str]) -> Census {
    let records = ids.iter().map(|id| Record::new((*id).into(), id, [], [])).collect();
    Census::new(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, None, records)
}

fn same(one: &RemoteId, other: &RemoteId) -> bool {
    std::ptr::eq(one.as_str(), other.as_str())
}

#[test]
fn an_id_that_another_holds_is_held_once() {
    let mut all = census(&["c", "a", "b"]);
    let before = all.clone();
    let mut all_alone = census(&["c", "a", "b"]);
    let theirs: Vec<RemoteId> = ["x", "b", "a", ""].map(RemoteId::from).into();
    all_alone.share_ids(&theirs);
    assert_eq!(all_alone, before);
    assert!(same(&all_alone.records()[0].id, &theirs[2]));
    assert!(same(&all_alone.records()[1].id, &theirs[1]));
    assert!(!theirs.iter().any(|id| same(&all_alone.records()[2].id, id)));
    assert_eq!(all_alone.get(&"b".into()).map(|record| record.name().raw()), Some("b"));

    // Another holds the same records: they stay as they are, once.
    all.share_ids(&theirs);
    assert!(!same(&all.records()[0].id, &theirs[2]));
    assert!(std::ptr::eq(all.records(), before.records()));
    drop(before);
    all.share_ids(&theirs);
    assert!(same(&all.records()[0].id, &theirs[2]));
}

#[test]
fn nothing_is_shared_where_nothing_is_there() {
    let mut none = census(&[]);
    none.share_ids(&[RemoteId::from("a")]);
    assert_eq!(none, census(&[]));
    let mut all = census(&["a"]);
    all.share_ids([]);
    assert_eq!(all, census(&["a"]));
}
