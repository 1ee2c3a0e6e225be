//! Which entries of the log are told as Events.

use super::*;

#[test]
fn what_leaves_for_a_vendor_or_a_person_is_told_and_bookkeeping_is_not() {
    for what in [
        "sent",
        "settled",
        "rejected",
        "ambiguous",
        "adopted",
        "drafted",
        "task-opened",
        "released",
        "leaving",
    ] {
        assert!(reason(what).is_some(), "{what}");
    }
    for what in ["intent", "acked", "observed", "looked"] {
        assert!(reason(what).is_none(), "{what}");
    }
}

#[test]
fn reasons_are_words_that_the_api_server_takes() {
    for what in ["sent", "ambiguous", "task-opened"] {
        let (reason, _) = reason(what).expect("it is told");
        assert!(reason.chars().all(char::is_alphanumeric) && reason.len() <= 128, "{reason}");
    }
}
