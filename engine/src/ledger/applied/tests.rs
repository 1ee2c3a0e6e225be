//! What was last applied answers and reads as a sorted map does.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::LastApplied;
use crate::ledger::Applied;
use crate::value::{Digester, Field, FieldLists};

fn applied(text: &str, shown: Option<&str>, unsettled: bool) -> Applied {
    let digester = Digester::new("a key");
    Applied { declared: digester.text(text), shown: shown.map(|shown| digester.text(shown)), unsettled }
}

fn of(pairs: &[(&'static str, &str)]) -> LastApplied {
    pairs.iter().map(|(field, text)| (Field::of(field), applied(text, None, false))).collect()
}

#[test]
fn it_is_the_same_map_whatever_the_order_of_insertion() {
    let map = of(&[("b", "2"), ("a", "1"), ("c.d", "3"), ("b", "4")]);
    assert_eq!(map, of(&[("c.d", "3"), ("a", "1"), ("b", "4")]));
    assert_eq!(map.keys().map(Field::as_str).collect::<Vec<_>>(), ["a", "b", "c.d"]);
    assert_eq!(map.get(&Field::of("b")), Some(applied("4", None, false)));
    assert_eq!((map.get(&Field::of("x")), map.contains_key(&Field::of("x")), map.len()), (None, false, 3));
}

#[test]
fn what_is_shown_otherwise_or_not_settled_stays_with_its_field() {
    let mut map = of(&[("a", "1"), ("c", "3")]);
    map.insert(Field::of("c"), applied("3", Some("three"), false));
    map.insert(Field::of("b"), applied("2", None, true));
    let expected = [applied("1", None, false), applied("2", None, true), applied("3", Some("three"), false)];
    assert_eq!(map.iter().map(|(_, applied)| applied).collect::<Vec<_>>(), expected);
    map.insert(Field::of("b"), applied("2", None, false));
    map.insert(Field::of("c"), applied("3", None, false));
    assert_eq!(map, of(&[("a", "1"), ("b", "2"), ("c", "3")]));
    map.clear();
    assert!(map.is_empty());
}

#[test]
fn it_is_written_and_read_as_a_map_is() {
    let mut map = of(&[("address.city", "1"), ("billing", "2"), ("zone", "3")]);
    map.insert(Field::of("zone"), applied("3", Some("three"), true));
    let text = serde_json::to_string(&map).expect("it is JSON");
    assert_eq!(serde_json::from_str::<LastApplied>(&text).expect("it is a map"), map);
    let tree: BTreeMap<Field, Applied> = serde_json::from_str(&text).expect("it is a map");
    assert!(tree.iter().map(|(field, applied)| (field, *applied)).eq(map.iter()));
    assert_eq!(serde_json::to_string(&tree).expect("it is JSON"), text);
    let backwards: Vec<String> = tree
        .iter()
        .rev()
        .map(|(field, applied)| {
            format!("\"{field}\":{}", serde_json::to_string(applied).expect("it is JSON"))
        })
        .collect();
    let unsorted: LastApplied =
        serde_json::from_str(&format!("{{{}}}", backwards.join(","))).expect("it is a map");
    assert_eq!(unsorted, map);
}

#[test]
fn entries_with_the_same_fields_share_one_list_until_one_gets_another_field() {
    let mut lists = FieldLists::default();
    let (mut one, mut other) = (of(&[("a", "1"), ("b", "2")]), of(&[("b", "3"), ("a", "4")]));
    one.share(&mut lists);
    other.share(&mut lists);
    assert!(Arc::ptr_eq(&one.fields, &other.fields));
    other.insert(Field::of("a"), applied("5", None, true));
    assert!(Arc::ptr_eq(&one.fields, &other.fields));
    other.insert(Field::of("c"), applied("6", None, false));
    assert_eq!((one.len(), other.len()), (2, 3));
}
