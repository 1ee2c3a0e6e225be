//! What is written is read as it was, and equal fields are equal in whatever text they stand.

use super::*;

fn all() -> Vec<(Field, Value)> {
    let list = |items: &[&str]| Value::List(items.iter().map(|item| Box::from(*item)).collect());
    vec![
        (Field::of("name"), Value::text("Zahnärzte „Süd“ 12:3;t4:")),
        (Field::of("empty"), Value::text("")),
        (Field::of("on"), Value::Bool(true)),
        (Field::of("off"), Value::Bool(false)),
        (Field::of("least"), Value::Number(i64::MIN)),
        (Field::of("many"), list(&["a", "", "ü:2", "l1:"])),
        (Field::of("none"), list(&[])),
        (Field::of("last"), Value::text("z")),
    ]
}

#[test]
fn what_was_put_in_comes_out_in_order() {
    let fields = Fields::from(all());
    assert_eq!(Vec::from(fields.clone()), all());
    for (field, value) in all() {
        assert_eq!(fields.get(field.as_str()), Some(value));
        assert!(fields.has(field.as_str()));
    }
    assert_eq!(fields.get("other"), None);
    assert!(!fields.has("other"));
}

#[test]
fn a_text_that_is_there_twice_is_written_once() {
    let same = Value::text("Zahnärzte „Süd“ 12:3;t4:");
    let pairs =
        vec![(Field::of("one"), same.clone()), (Field::of("two"), same.clone()), (Field::of("three"), same)];
    let fields = Fields::from(pairs.clone());
    assert_eq!(Vec::from(fields.clone()), pairs);
    assert_eq!(fields.get("three"), Some(pairs[2].1.clone()));
    assert_eq!(fields.written().matches("Zahnärzte").count(), 1);
}

#[test]
fn in_another_text_they_are_the_same() {
    let one = Fields::from(all());
    let text: Arc<str> = format!("{}{}", one.written(), one.written()).into();
    let mut other = one.clone();
    other.move_to(&text, one.to);
    assert_eq!(other, one);
    assert_eq!(Vec::from(other.clone()), all());
    assert_ne!(other, Fields::from(all()[..4].to_vec()));
}

#[test]
fn written_and_read_as_a_list_of_pairs() {
    let fields = Fields::from(all());
    let text = serde_json::to_string(&fields).expect("fields are JSON");
    assert_eq!(text, serde_json::to_string(&all()).expect("pairs are JSON"));
    assert_eq!(serde_json::from_str::<Fields>(&text).expect("it was just written"), fields);
}
