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
fn packed_with_others_each_keeps_its_own() {
    let one = |n: usize| Fields::from(vec![(Field::of("n"), Value::text(n.to_string())), all()[0].clone()]);
    let before: Vec<Fields> = (0..=TOGETHER * 2).map(one).collect();
    let mut after = before.clone();
    Fields::pack(&mut after);
    assert_eq!(after, before);
    assert_ne!(after[0], after[1]);
    assert_eq!(after[700].get("n"), Some(Value::text("700")));
    let texts: std::collections::BTreeSet<*const u8> = after.iter().map(|one| one.text.as_ptr()).collect();
    assert_eq!(texts.len(), 3);
}

#[test]
fn written_and_read_as_a_list_of_pairs() {
    let fields = Fields::from(all());
    let text = serde_json::to_string(&fields).expect("fields are JSON");
    assert_eq!(text, serde_json::to_string(&all()).expect("pairs are JSON"));
    assert_eq!(serde_json::from_str::<Fields>(&text).expect("it was just written"), fields);
}
