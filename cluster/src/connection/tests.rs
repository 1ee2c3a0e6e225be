//! Which cluster is meant, and what people read where none is.

use std::error::Error as _;
use std::path::PathBuf;

use super::{Asked, ConnectionError, connect};

const KUBECONFIG: &str = r#"{"apiVersion": "v1", "kind": "Config", "current-context": "one",
"clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
"users": [{"name": "u", "user": {"token": "t0k3n"}}],
"contexts": [{"name": "one", "context": {"cluster": "c", "user": "u", "namespace": "emea"}},
             {"name": "two", "context": {"cluster": "c", "user": "u"}},
             {"name": "bad", "context": {"cluster": "gone", "user": "u"}}]}"#;

fn file(text: &str) -> (PathBuf, impl Drop) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("kubeconfig");
    std::fs::write(&path, text).expect("it is written");
    (path, dir)
}

async fn asked(
    text: &str,
    context: Option<&str>,
    namespace: Option<&str>,
) -> Result<super::Connection, ConnectionError> {
    let (path, _dir) = file(text);
    let asked = Asked {
        kubeconfig: Some(path),
        context: context.map(str::to_owned),
        namespace: namespace.map(str::to_owned),
    };
    connect(&asked).await
}

#[tokio::test]
async fn context_and_namespace_are_what_was_asked_for_else_the_kubeconfigs() {
    let connection = asked(KUBECONFIG, None, None).await.expect("there is a current context");
    assert_eq!((&*connection.namespace, &*connection.server), ("emea", "https://127.0.0.1:1/"));
    assert!(!format!("{connection:?}").contains("t0k3n"));
    let connection = asked(KUBECONFIG, Some("two"), None).await.expect("there is this context");
    assert_eq!(connection.namespace, "default");
    let connection = asked(KUBECONFIG, Some("two"), Some("apac")).await.expect("there is this context");
    assert_eq!(connection.namespace, "apac");
}

#[tokio::test]
async fn what_cannot_be_used_is_named_with_what_to_do() {
    let text = |error: ConnectionError| error.to_string();
    let error = asked(KUBECONFIG, Some("three"), None).await.expect_err("there is none");
    assert!(text(error).ends_with("kubeconfig has no context three; it has bad, one, two"));
    let none = KUBECONFIG.replace("\"current-context\": \"one\",", "");
    let error = asked(&none, None, None).await.expect_err("there is none");
    assert!(
        text(error).ends_with("kubeconfig has no current context; name one with --context: bad, one, two")
    );
    let error = asked("{", None, None).await.expect_err("it is no YAML");
    assert!(error.source().is_some());
    assert!(
        text(error).ends_with("kubeconfig cannot be used; correct it, or name another one with KUBECONFIG")
    );
    let error = asked(KUBECONFIG, Some("bad"), None).await.expect_err("its cluster is not there");
    assert!(
        text(error).ends_with("kubeconfig cannot be used; correct it, or name another one with KUBECONFIG")
    );
}
