//! One HTTP request and what became of it. Nothing here repeats anything.

use std::time::Duration;

use reqwest::redirect::Policy;
use secrecy::ExposeSecret;
use tenantry_engine::text::terminal;

use super::answer::Answer;
use super::outgoing::Outgoing;
use crate::auth::Bearer;

/// What came instead of an answer. Texts are fit for a terminal and name no URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lost {
    /// No connection: not a byte of the request left.
    Unsent(String),
    /// It may have left.
    NoAnswer(String),
}

/// The HTTP clients of one console: reads keep connections open, each write makes its own, so that a write never
/// leaves on a connection that the other side has closed meanwhile.
#[derive(Clone)]
pub struct Client {
    pub(super) reads: reqwest::Client,
    pub(super) writes: reqwest::Client,
    largest: usize,
}

/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl Client {
    /// Clients that verify certificates, follow no redirect and repeat nothing by themselves.
    pub fn new(reads: Duration, writes: Duration, largest: usize) -> Result<Self, reqwest::Error> {
        let builder = |timeout: Duration| {
            reqwest::Client::builder()
                .user_agent(concat!("tenantry/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .connect_timeout(CONNECT_TIMEOUT.min(timeout))
                .timeout(timeout)
        };
        let (reads, writes) = (builder(reads), builder(writes).pool_max_idle_per_host(0));
        Ok(Self { reads: reads.build()?, writes: writes.build()?, largest })
    }

    pub(super) async fn once(
        &self,
        client: &reqwest::Client,
        out: &Outgoing,
        bearer: Option<&Bearer>,
    ) -> Result<Answer, Lost> {
        let mut request = out.build(client);
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer.access.expose_secret());
        }
        let mut response = request.send().await.map_err(lost)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => return Ok(Answer { status, headers, body }),
                Ok(Some(chunk)) if body.len() + chunk.len() > self.largest => {
                    return Err(Lost::NoAnswer(format!(
                        "status {status}, and more than {} bytes of answer",
                        self.largest
                    )));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Err(error) => {
                    let because = words(error);
                    return Err(Lost::NoAnswer(format!(
                        "status {status}, then the answer broke off: {because}"
                    )));
                }
            }
        }
    }
}

fn lost(error: reqwest::Error) -> Lost {
    if error.is_connect() || error.is_builder() {
        Lost::Unsent(words(error))
    } else if error.is_timeout() {
        Lost::NoAnswer("no answer in time".to_owned())
    } else {
        Lost::NoAnswer(words(error))
    }
}

/// The innermost cause, which is what a person can act on; never the URL.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    terminal(&cause.to_string())
}
