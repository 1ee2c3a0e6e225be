//! The transport that writes: at most one unsafe request per call, never repeated.
//!
//! It says what is certain. Only a request that never left, or an answer that by its meaning was not processed,
//! may lead to another try; that decision is the engine's.

use std::sync::Arc;

use jiff::SignedDuration;
use tenantry_engine::observed::Refusal;
use tenantry_engine::runtime::Runtime;
use tenantry_engine::text::{Untrusted, terminal};

use super::allow::AllowList;
use super::answer::Answer;
use super::client::{Client, Lost};
use super::outgoing::Outgoing;
use super::retry_after;
use crate::auth::Tokens;
use crate::connect::Fence;
use crate::pace::{Lane, Pace};

/// What became of a write.
pub enum Wrote {
    /// 2xx, 3xx or 4xx, read whole: the vendor's own words decide.
    Answered(Answer),
    /// Not a byte left.
    NotSent(Refusal),
    /// 401: the vendor did not know who asked, and processed nothing. The next write asks for a new token.
    NotKnown(Answer),
    /// 429: not processed.
    Throttled(Option<SignedDuration>, Refusal),
    /// Nobody knows.
    Ambiguous(String),
}

/// How long a limiter stops after a 429 without `Retry-After`.
const UNTOLD: SignedDuration = SignedDuration::from_secs(10);

/// Writes to one console.
pub struct Writer {
    client: Client,
    allow: AllowList,
    pace: Arc<Pace>,
    runtime: Runtime,
    fence: Option<Fence>,
}

impl Writer {
    /// A transport that sends nothing but what `allow` lists.
    pub fn new(
        client: Client,
        allow: AllowList,
        pace: Arc<Pace>,
        runtime: &Runtime,
        fence: Option<Fence>,
    ) -> Self {
        Self { client, allow, pace, runtime: runtime.clone(), fence }
    }

    /// Sends once.
    pub async fn send(&self, out: &Outgoing, tokens: &Tokens) -> Wrote {
        if !self.allow.allows(&out.method, &out.url) {
            let words = format!("{} {} is on no list of writes", out.method, terminal(out.url.path()));
            return Wrote::NotSent(refusal("not-a-write", None, &words, "this is a defect of the adapter"));
        }
        let bearer = match tokens.bearer().await {
            Ok(bearer) => bearer,
            Err(tenantry_engine::console::ConsoleError::Credential { refusal, .. }) => {
                return Wrote::NotSent(*refusal);
            }
            Err(error) => return Wrote::NotSent(refusal("no-token", None, &error.to_string(), "")),
        };
        let got = {
            let Ok(_permit) = self.pace.turn(Lane::Write).await else {
                return Wrote::NotSent(refusal("interrupted", None, "interrupted before it was sent", ""));
            };
            // A token and a turn may have taken their time: the last word before the first byte.
            if self.fence.as_ref().is_some_and(|fence| !fence()) {
                let hint = "whoever acts now looks for it first";
                return Wrote::NotSent(refusal("not-ours", None, "another one may act now", hint));
            }
            self.client.once(&self.client.writes, out, Some(&bearer)).await
        };
        match got {
            Err(Lost::Unsent(because)) => {
                Wrote::NotSent(refusal("unreachable", None, &because, "check the network and --endpoint"))
            }
            Err(Lost::NoAnswer(because)) => Wrote::Ambiguous(because),
            Ok(answer) => self.meaning(answer, tokens, &bearer).await,
        }
    }

    async fn meaning(&self, answer: Answer, tokens: &Tokens, bearer: &crate::auth::Bearer) -> Wrote {
        match answer.status {
            401 => {
                tokens.refused(bearer).await;
                Wrote::NotKnown(answer)
            }
            429 => {
                let asked = answer
                    .header("retry-after")
                    .and_then(|value| retry_after(value, self.runtime.clock.now()));
                self.pace.throttled(asked.unwrap_or(UNTOLD));
                Wrote::Throttled(asked, refusal("throttled", Some(429), "too many requests", ""))
            }
            // A request timeout may be said by a proxy that has passed the request on.
            status @ (408 | 500..) => Wrote::Ambiguous(format!("status {status}, which proves nothing")),
            _ => {
                self.pace.went_well();
                Wrote::Answered(answer)
            }
        }
    }
}

/// A refusal in our own words.
pub(crate) fn refusal(code: &str, status: Option<u16>, words: &str, hint: &str) -> Refusal {
    Refusal {
        code: code.to_owned(),
        status,
        vendor_code: None,
        words: Untrusted::from(words),
        hint: hint.to_owned(),
        request_id: None,
        correlation_id: None,
    }
}
