//! Answers that get lost between the API server and us: looked up, never guessed.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::{Method, Request, Response};
use kube::Client;
use kube::client::Body;
use tenantry_engine::store::{LedgerStore, OpenLedger};
use tenantry_engine::testing::contract::{address, bound, event};
use tower::BoxError;

use super::ledgers::{open, put};
use super::ready;

/// What becomes of the next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is answered.
    Answered,
    /// The API server does it, and the answer is lost.
    AnswerLost,
    /// It is lost before the API server sees it.
    NeverSent,
}

type Fates = Arc<Mutex<VecDeque<Fate>>>;

/// A client whose writes meet these fates, one after the other.
#[derive(Clone)]
struct Unreliable {
    inner: Client,
    fates: Fates,
}

impl tower::Service<Request<Body>> for Unreliable {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let client = self.inner.clone();
        let writes = matches!(*request.method(), Method::POST | Method::PUT | Method::DELETE);
        let fate = writes.then(|| self.fates.lock().expect("no test panics inside").pop_front()).flatten();
        Box::pin(async move {
            let lost = || BoxError::from("connection reset by peer");
            if fate == Some(Fate::NeverSent) {
                return Err(lost());
            }
            let response = client.send(request).await?;
            if fate == Some(Fate::AnswerLost) {
                return Err(lost());
            }
            Ok(response)
        })
    }
}

fn unreliable(inner: Client, fates: &[Fate]) -> (Client, Fates) {
    let fates: Fates = Arc::new(Mutex::new(fates.iter().copied().collect()));
    let service = Unreliable { inner, fates: Arc::clone(&fates) };
    (Client::new(service, "default"), fates)
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_counts_and_is_not_repeated() {
    let Some(cluster) = ready().await else { return };
    let namespace = cluster.namespace("answers").await;
    let (client, fates) = unreliable(cluster.client(), &[Fate::AnswerLost]);
    let (ledger, store) = open(&client, &namespace).await;
    let mut ledger = OpenLedger::new(ledger, &store);
    fates.lock().expect("no test panics inside").extend([Fate::AnswerLost, Fate::AnswerLost]);
    ledger.commit(vec![put("adatum", "r1")], event("intent")).await.expect("it happened");
    fates.lock().expect("no test panics inside").extend([Fate::Answered, Fate::AnswerLost]);
    ledger.commit(vec![put("adatum", "r2")], event("acked")).await.expect("it happened");
    fates.lock().expect("no test panics inside").extend([Fate::Answered, Fate::AnswerLost]);
    let erase = vec![tenantry_engine::store::Write::Erase(address("adatum"))];
    ledger.commit(erase, event("forgotten")).await.expect("it happened");
    let (read, _) = open(&cluster.client(), &namespace).await;
    assert_eq!(read, ledger.into_ledger());
    assert!(fates.lock().expect("no test panics inside").is_empty(), "not every fate was met");
}

#[tokio::test]
async fn a_write_that_never_arrived_is_sent_again_under_its_old_version() {
    let Some(cluster) = ready().await else { return };
    let namespace = cluster.namespace("answers").await;
    let (client, fates) = unreliable(cluster.client(), &[Fate::NeverSent]);
    let (_, store) = open(&client, &namespace).await;
    fates.lock().expect("no test panics inside").extend([
        Fate::NeverSent,
        Fate::NeverSent,
        Fate::Answered,
        Fate::NeverSent,
    ]);
    store.commit(0, vec![put("adatum", "r1")], event("intent")).await.expect("it is sent again");
    let (read, _) = open(&cluster.client(), &namespace).await;
    assert_eq!(read.entries[&address("adatum")], bound("r1"));
    assert_eq!(read.header.serial, 1);
}

#[tokio::test]
async fn equal_content_of_somebody_else_is_not_taken_for_ours() {
    let Some(cluster) = ready().await else { return };
    let namespace = cluster.namespace("answers").await;
    let (client, fates) = unreliable(cluster.client(), &[]);
    open(&client, &namespace).await;
    let (_, ours) = open(&client, &namespace).await;
    let (_, theirs) = open(&cluster.client(), &namespace).await;
    theirs.commit(0, vec![put("adatum", "r1")], event("intent")).await.expect("they are first");
    // Ours is lost, and what is then looked up says, byte for byte, what ours would have said.
    fates.lock().expect("no test panics inside").push_back(Fate::NeverSent);
    let error = ours.commit(0, vec![put("adatum", "r1")], event("intent")).await.expect_err("theirs won");
    assert!(error.is_conflict(), "{error:?}");
}
