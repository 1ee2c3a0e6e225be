//! The request log: what arrived, what it committed, what was answered. Tests judge by it.
//!
//! It holds no bearer token and no secret: of the headers only the ones named here are kept, and
//! secret query parameters are blanked. The oldest *reads* make room at a bound; effects never do.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::lock;

/// Request headers that are worth keeping.
pub(crate) const KEPT_HEADERS: [&str; 12] = [
    "ms-requestid",
    "ms-correlationid",
    "ms-continuationtoken",
    "if-match",
    "prefer",
    "idempotency-key",
    "x-partner-id",
    "x-organization-id",
    "x-tenant-id",
    "content-type",
    "accept",
    "user-agent",
];

const CAPACITY: usize = 250_000;

/// What class of request it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Asks for a token: changes nothing at the partner's account.
    Login,
    /// Only looks.
    Read,
    /// May change something, whether it did or not.
    Write,
    /// A person's click, made through `/_sim/`.
    Ui,
}

/// One thing that was committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// What happened, e.g. `tenant-created`.
    pub kind: String,
    /// To which record.
    pub id: String,
}

/// One request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Counts from 1.
    pub seq: u64,
    /// Simulated time.
    pub at: Timestamp,
    /// `<vendor>/<partner-key>`.
    pub partner: String,
    /// `GET`, …
    pub method: String,
    /// Path below the partner's prefix, with its query.
    pub path: String,
    /// The status sent; absent where the connection was closed without an answer.
    pub status: Option<u16>,
    /// The credential's client id, where it was recognised.
    pub client: Option<String>,
    /// The class of request.
    pub kind: Kind,
    /// What it committed.
    pub effects: Vec<Effect>,
    /// Request headers of interest, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body bytes received.
    pub bytes_in: usize,
    /// Body bytes sent.
    pub bytes_out: usize,
    /// The fault that was applied, if any.
    pub fault: Option<String>,
}

/// Which entries to return; an absent field matches everything.
#[derive(Debug, Clone, Default)]
pub struct LogFilter<'a> {
    /// `<vendor>/<partner-key>`.
    pub partner: Option<&'a str>,
    /// Only entries with a higher `seq`.
    pub since: u64,
    /// Only this class.
    pub kind: Option<Kind>,
    /// Only entries that committed an effect of this kind.
    pub effect: Option<&'a str>,
    /// Only this method.
    pub method: Option<&'a str>,
    /// Only paths that begin so.
    pub path: Option<&'a str>,
}

impl LogFilter<'_> {
    fn admits(&self, e: &Entry) -> bool {
        e.seq > self.since
            && self.partner.is_none_or(|p| p == e.partner)
            && self.kind.is_none_or(|k| k == e.kind)
            && self.effect.is_none_or(|k| e.effects.iter().any(|x| x.kind == k))
            && self.method.is_none_or(|m| m == e.method)
            && self.path.is_none_or(|p| e.path.starts_with(p))
    }
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    entries: VecDeque<Entry>,
}

/// The shared log; clones are the same log.
#[derive(Debug, Clone, Default)]
pub struct RequestLog(Arc<Mutex<Inner>>);

impl RequestLog {
    pub(crate) fn append(&self, mut entry: Entry) -> u64 {
        let mut inner = lock(&self.0);
        inner.last += 1;
        entry.seq = inner.last;
        if inner.entries.len() >= CAPACITY
            && let Some(old) = inner.entries.iter().position(|e| e.effects.is_empty())
        {
            inner.entries.remove(old);
        }
        inner.entries.push_back(entry);
        inner.last
    }

    /// The number of the newest entry: a mark to read `since` later.
    pub fn mark(&self) -> u64 {
        lock(&self.0).last
    }

    /// The entries that the filter admits, oldest first.
    pub fn entries(&self, filter: &LogFilter<'_>) -> Vec<Entry> {
        lock(&self.0).entries.iter().filter(|e| filter.admits(e)).cloned().collect()
    }

    /// How many entries the filter admits.
    pub fn count(&self, filter: &LogFilter<'_>) -> usize {
        lock(&self.0).entries.iter().filter(|e| filter.admits(e)).count()
    }

    /// Everything of this kind that was committed at this partner, oldest first; a person's clicks
    /// included.
    pub fn effects(&self, partner: &str, kind: &str) -> Vec<Effect> {
        let inner = lock(&self.0);
        inner
            .entries
            .iter()
            .filter(|e| e.partner == partner)
            .flat_map(|e| e.effects.iter().filter(|x| x.kind == kind).cloned())
            .collect()
    }

    /// How many requests after `since` may have changed something at any partner (logins and reads
    /// do not, a person's clicks are not requests): zero after planning.
    pub fn writes(&self, since: u64) -> usize {
        self.count(&LogFilter { since, kind: Some(Kind::Write), ..LogFilter::default() })
    }
}
