//! Tolerant reading, piece by piece.

use serde_json::json;

use super::*;

#[test]
fn a_mark_or_a_stray_character_before_the_body_is_skipped() {
    for body in ["{\"a\":1}", "\u{feff}{\"a\":1}", "?{\"a\":1}", "\u{feff}[1]"] {
        assert!(parse(body.as_bytes()).is_some(), "{body:?}");
    }
    assert_eq!(parse(b"<html>{}</html>").map(|_| ()), None);
    assert_eq!(parse(b""), None);
}

#[test]
fn members_are_found_whatever_their_case() {
    let value = json!({"RelationshipToPartner": "none", "Null": null, "Deep": {"inner": 3}});
    assert_eq!(text(&value, &["relationshipToPartner"]), Some("none"));
    assert_eq!(get(&value, "null"), None);
    assert_eq!(number(&value, &["deep", "Inner"]), Some(3));
}

#[test]
fn numbers_come_as_texts_too() {
    let value = json!({"expires_in": "3599", "code": 1002, "flag": "True"});
    assert_eq!(number(&value, &["expires_in"]), Some(3599));
    assert_eq!(number(&value, &["code"]), Some(1002));
    assert_eq!(flag(&value, &["flag"]), Some(true));
}

#[test]
fn a_member_keeps_the_case_that_it_has() {
    let mut value = json!({"DefaultAddress": {"City": "Bonn"}});
    set(object(&mut value, "defaultAddress").unwrap(), "city", json!("Ulm"));
    set(&mut value, "email", json!("a@b.example"));
    assert_eq!(value, json!({"DefaultAddress": {"City": "Ulm"}, "email": "a@b.example"}));
}

#[test]
fn the_next_page_carries_its_headers_or_the_collections_own_token() {
    let with = json!({"links": {"next": {"uri": "/customers?size=1", "headers": [{"key": "MS-ContinuationToken", "value": "AQ=="}]}}});
    let page = next_page(&with).unwrap();
    assert_eq!(page.headers, [("MS-ContinuationToken".to_owned(), "AQ==".to_owned())]);
    let bare = json!({"continuationToken": "BQ==", "links": {"next": {"uri": "customers"}}});
    assert_eq!(next_page(&bare).unwrap().headers, [("MS-ContinuationToken".to_owned(), "BQ==".to_owned())]);
    assert_eq!(next_page(&json!({"links": {"self": {}}})), None);
}

#[test]
fn the_claims_of_a_token_can_be_read() {
    // {"typ":"JWT"} . {"tid":"7e3c…","amr":["mfa"]}
    let token = "eyJ0eXAiOiJKV1QifQ.eyJ0aWQiOiI3ZTNjMTJiMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDEifQ.sig";
    let claims = claims(token).unwrap();
    assert_eq!(text(&claims, &["tid"]), Some("7e3c12b0-0000-4000-8000-000000000001"));
    assert_eq!(super::claims("opaque"), None);
}

#[test]
fn only_guids_are_guids() {
    assert_eq!(
        guid(" 7E3C12B0-0000-4000-8000-000000000001 ").as_deref(),
        Some("7e3c12b0-0000-4000-8000-000000000001")
    );
    assert_eq!(guid("contoso.onmicrosoft.com"), None);
}
