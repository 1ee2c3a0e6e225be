//! What people read when a cluster refuses, and what a refusal proves.

use kube::Error;
use kube::core::Status;
use kube::core::response::StatusDetails;

use super::{ApiError, Late, Proof, proof};

fn refused(code: u16, message: &str, name: &str) -> Error {
    let details: StatusDetails =
        serde_json::from_value(serde_json::json!({ "name": name })).expect("details");
    Error::Api(Box::new(Status {
        code,
        message: message.to_owned(),
        details: Some(details),
        ..Status::default()
    }))
}

fn text(code: u16, name: &str) -> String {
    ApiError::new("update ConsoleBinding emea/entry-1", refused(code, "no \u{1b}[31mway", name)).to_string()
}

#[test]
fn each_refusal_says_what_where_and_what_to_do() {
    assert_eq!(
        text(403, "x"),
        "cannot update ConsoleBinding emea/entry-1: the cluster refuses it to us (403: no \\u{1b}[31mway); grant it with a Role, as the chart's ClusterRole does, or use another context"
    );
    assert_eq!(
        text(401, "x"),
        "cannot update ConsoleBinding emea/entry-1: the cluster does not know us (401: no \\u{1b}[31mway); log in again, or use another context"
    );
    assert_eq!(
        text(404, ""),
        "cannot update ConsoleBinding emea/entry-1: the cluster does not know this kind; install the definitions: tenantry crds | kubectl apply --server-side -f -"
    );
    assert!(text(422, "x").contains("the cluster does not accept it (422: "), "{}", text(422, "x"));
    assert!(text(500, "x").ends_with("see its status, and run again"), "{}", text(500, "x"));
    let late = ApiError::Unanswered { doing: "list consoles".to_owned(), source: Late(15).into() };
    assert_eq!(
        late.to_string(),
        "cannot list consoles: the cluster gave no answer that tells anything; see whether it is up, and run again"
    );
}

#[test]
fn only_an_answer_that_says_no_proves_that_nothing_happened() {
    let word = |code, name, first| match proof(refused(code, "", name), first) {
        Proof::Refused(_) => "refused",
        Proof::Raced => "raced",
        Proof::Nothing(_) => "nothing",
    };
    assert_eq!(word(409, "x", false), "raced");
    assert_eq!(word(409, "x", true), "raced");
    assert_eq!(word(404, "x", false), "raced");
    assert_eq!(word(404, "x", true), "refused", "the namespace is not there");
    assert_eq!(word(403, "x", false), "refused");
    assert_eq!(word(422, "x", true), "refused");
    assert_eq!(word(429, "x", false), "nothing");
    assert_eq!(word(500, "x", false), "nothing");
    assert_eq!(word(504, "x", true), "nothing");
}
