//! Fields and digests are written and read alike.

use super::{Digest, Digester, FREQUENT, Field, Value};

#[test]
fn a_digest_reads_back_as_it_was_written_and_nothing_else_is_one() {
    let digest = Digester::new("lineage").text("value");
    let text = serde_json::to_string(&digest).expect("a digest is JSON");
    assert_eq!(text, format!("\"{digest}\""));
    assert_eq!(text.len(), 34);
    assert_eq!(serde_json::from_str::<Digest>(&text).expect("it is one"), digest);
    for wrong in ["\"\"", "\"0011\"", &text.replacen(|c: char| c.is_ascii_hexdigit(), "g", 1), "7"] {
        assert!(serde_json::from_str::<Digest>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_digest_is_the_first_half_of_the_keyed_hash() {
    // RFC 4231, test case 2.
    let digest = Digester::new("Jefe").text("what do ya want for nothing?");
    assert_eq!(digest.to_string(), "5bdcc146bf60754e6a042426089575c7");
}

#[test]
fn values_of_other_kinds_have_other_digests() {
    let digester = Digester::new("x");
    assert_ne!(digester.value(&Value::text("1")), digester.value(&Value::Number(1)));
    assert_ne!(digester.value(&Value::List([Box::from("a")].into())), digester.value(&Value::text("a")));
}

#[test]
fn a_field_that_is_read_equals_the_one_an_adapter_names() {
    assert!(FREQUENT.is_sorted());
    for path in ["contact.email", "name", "a.plugin's own", "zzz"] {
        let read: Field = serde_json::from_str(&format!("{path:?}")).expect("it is a field");
        assert_eq!((read.as_str(), &read), (path, &Field::owned(path.to_owned())));
        assert_eq!(serde_json::to_string(&read).expect("it is JSON"), format!("{path:?}"));
    }
}
