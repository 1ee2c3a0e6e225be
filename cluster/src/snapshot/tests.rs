//! Exports that are understood, and those that are not.

use secrecy::SecretString;

use super::{Access, Snapshot, SnapshotError, fetch};

fn export() -> Snapshot {
    Snapshot::new("2026-03-02T08:00:00Z".parse().expect("a time"), Vec::new())
}

#[test]
fn an_export_comes_back_as_it_went_and_a_later_one_is_refused() {
    let bytes = serde_json::to_vec(&export()).expect("it is JSON");
    assert_eq!(Snapshot::from_json(&bytes, "s.json").expect("it is understood"), export());
    let later = br#"{"formatVersion": 2, "asOf": "2026-03-02T08:00:00Z", "planets": []}"#;
    let error = Snapshot::from_json(later, "s.json").expect_err("it is later");
    assert_eq!(
        error.to_string(),
        "s.json is a snapshot of a later tenantry (format 2, this one knows 1); use that one"
    );
    let error = Snapshot::from_json(b"{}", "s.json").expect_err("it is none");
    assert_eq!(
        error.to_string(),
        "s.json is no snapshot of a tenantry controller; use the tenantry that fits it"
    );
}

#[tokio::test]
async fn a_token_is_only_sent_over_tls_or_within_this_machine() {
    let token = SecretString::from("t0k3n");
    let refused = async |url: &str| match fetch(url, "emea", &Access::Token(&token), None).await {
        Err(error @ SnapshotError::Address { .. }) => error.to_string(),
        other => panic!("{url} was asked: {other:?}"),
    };
    assert_eq!(
        refused("http://controller.example").await,
        "http://controller.example is no controller's address: a token is only sent over https, or within this machine; write --controller-url https://HOST[:PORT]"
    );
    assert!(refused("ftp://controller.example").await.contains("it does not begin with https://"));
    assert!(refused("/snapshot").await.contains("it names no host"));
}

#[tokio::test]
async fn a_controller_that_is_not_there_is_named_with_what_to_do() {
    let token = SecretString::from("t0k3n");
    // Held and not listened on: nobody else can take it while we knock.
    let held = tokio::net::TcpSocket::new_v4().expect("a socket");
    held.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let port = held.local_addr().expect("an address").port();
    let url = format!("http://127.0.0.1:{port}");
    let error = fetch(&url, "emea", &Access::Token(&token), None).await.expect_err("nobody is there");
    assert_eq!(
        error.to_string(),
        format!(
            "the controller at {url} gives no answer; see that it serves plans (snapshot.enabled in the chart), forward its port, as in: kubectl port-forward service/tenantry-controller 8443, and see --controller-ca"
        )
    );
    assert!(std::error::Error::source(&error).is_some());
}
