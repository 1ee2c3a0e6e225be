//! When a status is written, and which times its conditions have.

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

fn status(ready: &str, message: &str) -> Value {
    json!({"observedGeneration": 1, "conditions": [
        {"type": "Ready", "status": ready, "reason": "R", "message": message, "lastTransitionTime": "1970-01-01T00:00:00Z"}
    ]})
}

#[test]
fn the_same_is_not_written_again() {
    let (first, later) = (at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"));
    let written = next(None, status("True", ""), first).expect("there was none");
    assert_eq!(next(Some(&shown(&written)), status("True", ""), later), None);
}

#[test]
fn a_time_moves_only_when_its_status_does() {
    let (first, later) = (at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"));
    let written = next(None, status("False", "a"), first).expect("there was none");
    let other_words = next(Some(&shown(&written)), status("False", "b"), later).expect("it differs");
    assert_eq!(other_words["conditions"][0]["lastTransitionTime"], "2026-01-01T00:00:00Z");
    let ready = next(Some(&shown(&other_words)), status("True", "b"), later).expect("it differs");
    assert_eq!(ready["conditions"][0]["lastTransitionTime"], "2026-01-02T00:00:00Z");
}

#[test]
fn what_is_read_from_the_api_server_counts_as_what_was_written() {
    let written = next(None, status("True", ""), at("2026-01-01T00:00:00Z")).expect("there was none");
    let read: Value = serde_json::from_str(&written.to_string()).expect("JSON");
    assert_eq!(next(Some(&shown(&read)), status("True", ""), at("2026-01-03T00:00:00Z")), None);
}
