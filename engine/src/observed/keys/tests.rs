//! Keys are read as they were written, whatever is in them and in whatever text they stand.

use super::*;
use crate::observed::Record;
use crate::value::{Field, Value};

const KINDS: [KeyKind; 10] = [
    KeyKind::Mark,
    KeyKind::TenantDomain,
    KeyKind::LoginEmail,
    KeyKind::ExternalId,
    KeyKind::RegistrationNumber,
    KeyKind::Name,
    KeyKind::ContactEmail,
    KeyKind::Phone,
    KeyKind::PostcodeStreet,
    KeyKind::Website,
];

const ODD: [&str; 10] = [
    "",
    ":",
    "a:b",
    "12:x",
    "@4;",
    "@17;n5:other",
    "Zahnärzte „Süd“",
    "one\ntwo\r\n",
    "\u{0}\u{202e}",
    "n5:e",
];

fn all() -> Vec<Key> {
    let of = |kind| ODD.iter().map(move |value| Key { kind, value: (*value).into() });
    KINDS.into_iter().flat_map(of).collect()
}

fn with(keys: &[Key]) -> Record {
    Record::new("id".into(), "a:b", [(Field::of("name"), Value::text("Zahnärzte „Süd“"))], keys.to_vec())
}

fn refs(keys: &[Key]) -> Vec<KeyRef<'_>> {
    keys.iter().map(KeyRef::from).collect()
}

#[test]
fn what_was_put_in_comes_out_in_order() {
    let keys = all();
    assert_eq!(with(&keys).keys().collect::<Vec<_>>(), refs(&keys));
    let backwards: Vec<Key> = keys.into_iter().rev().collect();
    assert_eq!(with(&backwards).keys().collect::<Vec<_>>(), refs(&backwards));
    assert!(!with(&backwards).keys().is_empty());
}

#[test]
fn none_are_none() {
    assert!(with(&[]).keys().is_empty());
    assert_eq!(with(&[]).keys().next(), None);
}

#[test]
fn a_key_that_is_there_twice_comes_out_twice() {
    let twice = [all()[6].clone(), all()[6].clone()];
    assert_eq!(with(&twice).keys().collect::<Vec<_>>(), refs(&twice));
}

#[test]
fn packed_with_others_each_keeps_its_own() {
    let keys = all();
    let before: Vec<Record> = (0..keys.len()).map(|n| with(&keys[..n])).collect();
    let mut after = before.clone();
    Record::pack(&mut after);
    assert_eq!(after, before);
    for (n, record) in after.iter().enumerate() {
        assert_eq!(record.keys().collect::<Vec<_>>(), refs(&keys[..n]));
    }
}

#[test]
fn ordered_and_written_as_keys_are() {
    let mut keys = all();
    let record = with(&keys);
    let mut sorted: Vec<KeyRef<'_>> = record.keys().collect();
    sorted.sort();
    let text = serde_json::to_string(&record.keys()).expect("keys are JSON");
    assert_eq!(text, serde_json::to_string(&keys).expect("keys are JSON"));
    assert!(text.starts_with(r#"[{"kind":"mark","value":""},{"kind":"mark","value":":"}"#), "{text}");
    keys.sort();
    assert_eq!(sorted, refs(&keys));
}
