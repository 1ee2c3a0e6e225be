//! A field map answers and reads as a sorted map does.

use std::collections::BTreeMap;

use super::FieldMap;
use crate::value::Field;

#[test]
fn it_is_the_same_map_whatever_the_order_of_insertion() {
    let pairs = [("b", 2), ("a", 1), ("c.d", 3), ("b", 4)];
    let of = |pairs: &mut dyn Iterator<Item = (&'static str, i32)>| -> FieldMap<i32> {
        pairs.map(|(field, value)| (Field::of(field), value)).collect()
    };
    let map = of(&mut pairs.into_iter());
    assert_eq!(map, of(&mut [("c.d", 3), ("a", 1), ("b", 4)].into_iter()));
    assert_eq!(map.keys().map(Field::as_str).collect::<Vec<_>>(), ["a", "b", "c.d"]);
    assert_eq!((map.get(&Field::of("b")), map.get(&Field::of("x"))), (Some(&4), None));
}

#[test]
fn it_is_written_and_read_as_a_map_is() {
    let text = r#"{"address.city":1,"billing":2,"zone":3}"#;
    let map: FieldMap<u8> = serde_json::from_str(text).expect("it is a map");
    assert_eq!(serde_json::to_string(&map).expect("it is JSON"), text);
    let unsorted: FieldMap<u8> =
        serde_json::from_str(r#"{"zone":3,"billing":2,"address.city":1}"#).expect("too");
    assert_eq!(unsorted, map);
    let tree: BTreeMap<Field, u8> = serde_json::from_str(text).expect("it is a map");
    assert!(tree.iter().eq(map.iter()));
}

#[test]
fn changing_and_taking_out_touch_one_field() {
    let mut map: FieldMap<u8> = [(Field::of("a"), 1), (Field::of("b"), 2)].into_iter().collect();
    *map.get_mut(&Field::of("a")).expect("it is there") = 7;
    assert_eq!(map.remove(&Field::of("b")), Some(2));
    assert_eq!((map.len(), map.contains_key(&Field::of("a")), map.remove(&Field::of("b"))), (1, true, None));
    map.clear();
    assert!(map.is_empty());
}
