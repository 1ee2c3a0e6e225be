//! What is the same company and what is not.

use jiff::Timestamp;

use super::*;

fn record(id: &str, keys: &[(KeyKind, &str)]) -> Record {
    Record::new(id.into(), id, [], keys.iter().filter_map(|(kind, raw)| Key::new(*kind, raw)))
}

fn census(records: Vec<Record>) -> Census {
    Census::new(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, None, records)
}

fn keys(raw: &[(KeyKind, &str)]) -> Vec<Key> {
    raw.iter().filter_map(|(kind, raw)| Key::new(*kind, raw)).collect()
}

#[test]
fn names_are_equal_without_legal_form_case_and_accents() {
    let same =
        ["Praxis Müller GmbH & Co. KG", "praxis mueller", "PRAXIS  MÜLLER, GmbH", "Praxis Mu\u{308}ller"];
    let wanted = Key::new(KeyKind::Name, same[0]).map(|key| key.value);
    for other in same {
        assert_eq!(Key::new(KeyKind::Name, other).map(|key| key.value), wanted, "{other}");
    }
    assert_ne!(Key::new(KeyKind::Name, "Praxis Möller").map(|key| key.value), wanted);
}

#[test]
fn a_sole_trader_is_found_without_the_letters_behind_the_name() {
    let key = |raw| Key::new(KeyKind::Name, raw);
    assert_eq!(key("Hofer Optik e.K."), key("Hofer Optik"));
}

#[test]
fn a_company_called_like_a_legal_form_keeps_its_name() {
    assert_eq!(&*Key::new(KeyKind::Name, "AG").expect("a name").value, "ag");
}

#[test]
fn phones_compare_by_digits() {
    assert_eq!(Key::new(KeyKind::Phone, "+49 (30) 12 34 56"), Key::new(KeyKind::Phone, "0049-30-123456"));
    assert_eq!(Key::new(KeyKind::Phone, "n/a"), None);
}

#[test]
fn own_and_free_mail_domains_identify_nobody() {
    let excluded = Excluded::new(["msp.example"]);
    let counts = |kind, raw| excluded.counts(&Key::new(kind, raw).expect("a key"));
    assert!(!counts(KeyKind::ContactEmail, "anna@msp.example"));
    assert!(!counts(KeyKind::ContactEmail, "anna@mail.msp.example"));
    assert!(counts(KeyKind::ContactEmail, "anna@notmsp.example"));
    assert!(!counts(KeyKind::TenantDomain, "gmail.com"));
    assert!(counts(KeyKind::ContactEmail, "praxis.mueller@gmail.com"));
}

#[test]
fn an_equal_name_alone_refuses_a_create_where_nothing_else_is_shown_and_never_binds() {
    let census = census(vec![record("a", &[(KeyKind::Name, "Muster AG")])]);
    let excluded = Excluded::default();
    let index = Index::new(&census, &excluded);
    let wanted = keys(&[(KeyKind::Name, "Muster"), (KeyKind::Phone, "030 123456")]);
    let found = index.candidates(&wanted, &excluded, |_| false);
    assert!(found[0].refuses_create());
    assert!(!found[0].suffices());
}

#[test]
fn an_equal_name_with_other_weak_keys_is_another_company() {
    let census = census(vec![record("a", &[(KeyKind::Name, "Muster AG"), (KeyKind::Phone, "040 999999")])]);
    let excluded = Excluded::default();
    let index = Index::new(&census, &excluded);
    let wanted = keys(&[(KeyKind::Name, "Muster"), (KeyKind::Phone, "030 123456")]);
    let found = index.candidates(&wanted, &excluded, |_| false);
    assert!(!found[0].refuses_create());
    assert!(!found[0].suffices());
}

#[test]
fn a_name_and_a_weak_key_bind() {
    let census = census(vec![record(
        "a",
        &[(KeyKind::Name, "Muster AG"), (KeyKind::ContactEmail, "it@muster.example")],
    )]);
    let excluded = Excluded::default();
    let index = Index::new(&census, &excluded);
    let wanted = keys(&[(KeyKind::Name, "Muster"), (KeyKind::ContactEmail, "IT@muster.example")]);
    let found = index.candidates(&wanted, &excluded, |_| false);
    assert!(found[0].suffices() && found[0].refuses_create());
    assert_eq!(found[0].words(), "name, contact e-mail");
}

#[test]
fn plain_ascii_takes_the_short_way_to_the_same_key() {
    let long = |text: &str| Key::new(KeyKind::Name, &format!("{text} ü")).expect("a key").value;
    for text in ["Contoso Ltd. of A-1", "O'Brien & Sons (Galway)", "UPPER lower 42"] {
        let short = Key::new(KeyKind::Name, text).expect("a key").value;
        assert_eq!(format!("{short} ue"), *long(text), "{text}");
    }
}

#[test]
fn a_weak_key_of_too_many_identifies_nobody_and_a_name_still_does() {
    let shared = [(KeyKind::Phone, "030 123456"), (KeyKind::Name, "Muster AG")];
    let ids: Vec<String> = (0..=SHARED).map(|n| format!("{n:02}")).collect();
    let found = |records: usize, wanted: &(KeyKind, &str)| {
        let census = census(ids[..records].iter().map(|id| record(id, &shared)).collect());
        let excluded = Excluded::default();
        let index = Index::new(&census, &excluded);
        let wanted = keys(&[*wanted]);
        let only = index.only(&wanted[0]).map(|record| record.id.clone());
        let found = index.candidates(&wanted, &excluded, |_| false);
        (found.iter().map(|one| one.record.id.to_string()).collect::<Vec<_>>(), only)
    };
    for wanted in &shared {
        assert_eq!(found(1, wanted), (ids[..1].to_vec(), Some("00".into())));
        assert_eq!(found(2, wanted), (ids[..2].to_vec(), None));
        assert_eq!(found(SHARED, wanted), (ids[..SHARED].to_vec(), None));
    }
    assert_eq!(found(SHARED + 1, &shared[0]), (vec![], None));
    assert_eq!(found(SHARED + 1, &shared[1]), (ids.clone(), None));
}

#[test]
fn a_record_that_shows_a_key_twice_has_it_once() {
    let twice =
        [(KeyKind::Phone, "030 123456"), (KeyKind::Phone, "0049 30 123456"), (KeyKind::Phone, "030-123456")];
    let census = census(vec![record("a", &twice), record("b", &twice[1..2])]);
    let excluded = Excluded::default();
    let index = Index::new(&census, &excluded);
    assert_eq!(index.only(&keys(&twice)[0]).map(|record| record.id.as_str()), Some("a"));
    let found = index.candidates(&keys(&twice), &excluded, |_| false);
    assert_eq!(found.iter().map(|one| one.record.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}
