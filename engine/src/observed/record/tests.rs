//! A record is what it was made of, in whatever text it stands, and is written as it always was.

use super::*;
use crate::observed::{KeyKind, KeyRef};

fn fields(n: usize) -> Vec<(Field, Value)> {
    vec![
        (Field::of("domain"), Value::text(format!("customer-{n}.example"))),
        (Field::of("name"), Value::text(format!("Müller & Söhne {n}"))),
        (Field::of("displayName"), Value::text(format!("Müller & Söhne {n}"))),
        (Field::of("seats"), Value::Number(12)),
        (Field::of("groups"), Value::List([Box::from("sales"), Box::from("sales")].into())),
    ]
}

fn keys(n: usize) -> Vec<Key> {
    let domain = Key::new(KeyKind::TenantDomain, &format!("customer-{n}.example"));
    domain.into_iter().chain(Key::new(KeyKind::Name, &format!("Müller & Söhne {n}"))).collect()
}

fn one(n: usize) -> Record {
    Record::new(RemoteId::from(format!("id-{n}")), &format!("Müller & Söhne {n}"), fields(n), keys(n))
}

fn has_what_it_was_made_of(record: &Record, n: usize) {
    assert_eq!(record.id.as_str(), format!("id-{n}"));
    assert_eq!(record.name().raw(), format!("Müller & Söhne {n}"));
    assert_eq!(Vec::from(record.fields().clone()), fields(n));
    assert_eq!(record.field("displayName"), Some(Value::text(format!("Müller & Söhne {n}"))));
    assert_eq!(record.field("seats"), Some(Value::Number(12)));
    assert_eq!(record.field("other"), None);
    assert_eq!(record.keys().collect::<Vec<_>>(), keys(n).iter().map(KeyRef::from).collect::<Vec<_>>());
}

#[test]
fn small() {
    assert!(size_of::<Record>() <= 72, "{} bytes", size_of::<Record>());
}

#[test]
fn a_text_stands_once_in_what_is_written() {
    let record = one(7);
    for text in ["Müller & Söhne 7", "customer-7.example"] {
        assert_eq!(record.written().matches(text).count(), 1, "{}", record.written());
    }
    has_what_it_was_made_of(&record, 7);
}

#[test]
fn packed_with_others_each_keeps_its_own() {
    let before: Vec<Record> = (0..=TOGETHER * 2).map(one).collect();
    let mut after = before.clone();
    Record::pack(&mut after);
    assert_eq!(after, before);
    assert_ne!(after[0], after[1]);
    for (n, record) in after.iter().enumerate() {
        has_what_it_was_made_of(record, n);
    }
    // One stands right behind the other.
    for some in after.chunks(TOGETHER) {
        assert!(
            some.windows(2)
                .all(|two| two[0].written().as_bytes().as_ptr_range().end == two[1].written().as_ptr())
        );
    }
    // What is packed can be packed anew, beside others than before.
    let mut again: Vec<Record> = after.iter().rev().cloned().collect();
    Record::pack(&mut again);
    assert!(again.iter().rev().eq(&before));
}

#[test]
fn records_differ_by_each_of_their_parts() {
    let record = one(1);
    let made = |id: &str, name: &str, fields, keys| Record::new(id.into(), name, fields, keys);
    assert_eq!(record, made("id-1", "Müller & Söhne 1", fields(1), keys(1)));
    assert_ne!(record, made("id-2", "Müller & Söhne 1", fields(1), keys(1)));
    assert_ne!(record, made("id-1", "Müller & Söhne 2", fields(1), keys(1)));
    assert_ne!(record, made("id-1", "Müller & Söhne 1", fields(2), keys(1)));
    assert_ne!(record, made("id-1", "Müller & Söhne 1", fields(1), keys(2)));
    assert_ne!(record, made("id-1", "Müller & Söhne 1", fields(1), keys(1).into_iter().rev().collect()));
    assert_ne!(record, made("id-1", "Müller & Söhne 1", Vec::new(), keys(1)));
}

#[test]
fn odd_names_are_kept_and_shown_with_care() {
    for name in ["", ":", "@4;", "3:abc", "t4:same", "one\ntwo", "\u{1b}[31mred", "Zahnärzte „Süd“"] {
        let plain = Record::new("id".into(), name, [], []);
        let beside = Record::new("id".into(), name, [(Field::of("name"), Value::text(name))], keys(1));
        for record in [plain, beside] {
            assert_eq!(record.name().raw(), name);
            assert_eq!(record.name().terminal(), Untrusted::new(name).terminal());
            assert!(!format!("{record:?}").contains(['\u{1b}', '\n']), "{record:?}");
        }
    }
}

/// The shape that exports have had all along.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: RemoteId,
    name: Untrusted,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<(Field, Value)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<Key>,
}

#[test]
fn exported_as_before() {
    for (fields, keys) in
        [(fields(3), keys(3)), (Vec::new(), keys(3)), (fields(3), Vec::new()), (vec![], vec![])]
    {
        let mut record = [Record::new("id-3".into(), "A \"B\"\n", fields.clone(), keys.clone())];
        Record::pack(&mut record);
        let text = serde_json::to_string(&record[0]).expect("a record is JSON");
        let before = Listed { id: "id-3".into(), name: Untrusted::new("A \"B\"\n"), fields, keys };
        assert_eq!(text, serde_json::to_string(&before).expect("a record is JSON"));
        assert_eq!(serde_json::from_str::<Record>(&text).expect("it was just written"), record[0]);
    }
    let bare = serde_json::to_string(&Record::new("a".into(), "b", [], [])).expect("a record is JSON");
    assert_eq!(bare, r#"{"id":"a","name":"b"}"#);
    let text =
        serde_json::to_string(&Record::new("a".into(), "b", [(Field::of("on"), true.into())], keys(3)))
            .expect("a record is JSON");
    let keys = r#"[{"kind":"tenantDomain","value":"customer-3.example"},{"kind":"name","value":"mueller soehne 3"}]"#;
    assert_eq!(text, format!(r#"{{"id":"a","name":"b","fields":[["on",true]],"keys":{keys}}}"#));
}
