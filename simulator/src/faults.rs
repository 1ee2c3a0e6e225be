//! Faults: what a network and a tired vendor do to a request.
//!
//! A fault names the requests that it strikes and what it does to them; it strikes in the order in
//! which faults were added, at most `times` times, after letting `skip` matching requests pass.
//! Nothing here decides what a vendor's refusal looks like: the vendor module spells it.

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::call::Call;
use crate::lock;

/// Which requests are struck, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// `<vendor>/<partner-key>`; absent: every partner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner: Option<String>,
    /// `POST`, …; absent: every method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path below the partner's prefix, without query; `*` stands for any text. Absent: every path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only requests that name this text in path, query or an identity header: one customer's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Lets this many matching requests pass first: `2` strikes the third.
    #[serde(default)]
    pub skip: u32,
    /// Strikes this often; absent: always.
    #[serde(default = "once", skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// What happens.
    pub does: Does,
}

#[allow(clippy::unnecessary_wraps, reason = "the default of an optional field")]
fn once() -> Option<u32> {
    Some(1)
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Does {
    /// Answers with this status: before anything is committed, or after.
    Status {
        /// 429, 500, 502, 503, …
        status: u16,
        /// A `Retry-After` header.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
        /// The body; the vendor's own by default.
        #[serde(default)]
        body: FaultBody,
        /// Commits first: the caller hears a failure that was none.
        #[serde(default)]
        after_commit: bool,
    },
    /// Closes the connection; nothing was committed.
    CloseBeforeCommit,
    /// Commits, then closes the connection without an answer.
    CloseAfterCommit,
    /// Commits, then sends half of the body and closes the connection.
    Truncate,
    /// Commits, then sends a body that is not JSON.
    MalformedJson,
    /// Waits until [`Faults::release`], before or after the commit.
    Hold {
        /// On which side of the commit.
        #[serde(default)]
        at: HoldAt,
    },
    /// The vendor's 401 for a token that is no longer good.
    ExpiredToken,
    /// The vendor's refusal of a stale version.
    StaleVersion,
    /// The vendor's 403, e.g. on one customer.
    Forbidden,
    /// Any other refusal of the vendor's, by its own number; nothing is committed.
    Coded {
        /// HTTP status.
        status: u16,
        /// As the vendor numbers it; a vendor without numbers answers the status alone.
        code: u32,
    },
}

/// On which side of the commit a request waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldAt {
    /// Nothing is committed while it waits.
    #[default]
    BeforeCommit,
    /// It is committed; only the answer waits.
    AfterCommit,
    /// Nothing is committed while it waits, and it is the vendor's by then: it is committed also when whoever sent it
    /// has gone away meanwhile.
    Accepted,
}

/// How `Retry-After` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryAfter {
    /// In seconds.
    Seconds(u32),
    /// As an HTTP date, this many seconds ahead on the simulated clock.
    HttpDate(u32),
}

/// The body of an injected status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultBody {
    /// As the vendor would.
    #[default]
    Vendor,
    /// None.
    Empty,
    /// A JSON object that follows no vendor.
    Json,
    /// A proxy's HTML page.
    Html,
}

impl Fault {
    /// A fault that strikes the next request, whatever it is.
    pub fn new(does: Does) -> Self {
        Self { partner: None, method: None, path: None, customer: None, skip: 0, times: Some(1), does }
    }

    /// A status in the vendor's own spelling, before anything is committed.
    pub fn status(status: u16) -> Self {
        Self::new(Does::Status { status, retry_after: None, body: FaultBody::Vendor, after_commit: false })
    }

    /// Only requests with this method and path (`*` stands for any text).
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        self.path = Some(path.to_owned());
        self
    }

    /// Only this partner (`<vendor>/<key>`).
    #[must_use]
    pub fn at(mut self, partner: &str) -> Self {
        self.partner = Some(partner.to_owned());
        self
    }

    /// Only requests that name this customer.
    #[must_use]
    pub fn about(mut self, customer: &str) -> Self {
        self.customer = Some(customer.to_owned());
        self
    }

    /// Only the `nth` matching request, counted from 1.
    #[must_use]
    pub fn nth(mut self, nth: u32) -> Self {
        self.skip = nth.saturating_sub(1);
        self
    }

    /// Strikes this often.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Strikes every time.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    fn matches(&self, partner: &str, call: &Call) -> bool {
        self.partner.as_deref().is_none_or(|p| p == partner)
            && self.method.as_deref().is_none_or(|m| m.eq_ignore_ascii_case(call.method()))
            && self.path.as_deref().is_none_or(|p| glob(p, call.path()))
            && self.customer.as_deref().is_none_or(|c| names(call, c))
    }
}

impl Does {
    /// A word for the log.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Status { status, after_commit: false, .. } => format!("status {status}"),
            Self::Status { status, .. } => format!("status {status} after commit"),
            Self::CloseBeforeCommit => "close-before-commit".to_owned(),
            Self::CloseAfterCommit => "close-after-commit".to_owned(),
            Self::Truncate => "truncate".to_owned(),
            Self::MalformedJson => "malformed-json".to_owned(),
            Self::Hold { .. } => "hold".to_owned(),
            Self::ExpiredToken => "expired-token".to_owned(),
            Self::StaleVersion => "stale-version".to_owned(),
            Self::Forbidden => "forbidden".to_owned(),
            Self::Coded { status, code } => format!("refusal {status}/{code}"),
        }
    }
}

fn names(call: &Call, customer: &str) -> bool {
    call.path().contains(customer)
        || call.logged_target().contains(customer)
        || ["x-tenant-id", "x-partner-id"].iter().any(|h| call.header(h) == Some(customer))
}

/// `*` matches any text, everything else itself.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            (0..=tail.len()).filter(|i| tail.is_char_boundary(*i)).any(|i| glob(rest, &tail[i..]))
        }),
    }
}

#[derive(Debug)]
struct Gate {
    released: watch::Sender<u64>,
    waiting: watch::Sender<usize>,
}

/// The faults in force; clones are the same set.
#[derive(Debug, Clone)]
pub struct Faults {
    active: Arc<Mutex<Vec<Fault>>>,
    gate: Arc<Gate>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            active: Arc::default(),
            gate: Arc::new(Gate { released: watch::Sender::new(0), waiting: watch::Sender::new(0) }),
        }
    }
}

impl Faults {
    /// Adds a fault.
    pub fn add(&self, fault: Fault) {
        lock(&self.active).push(fault);
    }

    /// The faults that can still strike.
    pub fn active(&self) -> Vec<Fault> {
        lock(&self.active).clone()
    }

    /// Takes all faults away; requests on hold stay until [`Faults::release`].
    pub fn clear(&self) {
        lock(&self.active).clear();
    }

    /// Lets every request go on that is on hold now.
    pub fn release(&self) {
        self.gate.released.send_modify(|n| *n += 1);
    }

    /// How many requests are on hold.
    pub fn held(&self) -> usize {
        *self.gate.waiting.borrow()
    }

    /// Returns once this many requests are on hold.
    pub async fn until_held(&self, count: usize) {
        let mut waiting = self.gate.waiting.subscribe();
        // The sender lives as long as `self`, so this ends only when the count is reached.
        let _reached = waiting.wait_for(|n| *n >= count).await;
    }

    /// What strikes this request: all holds, and the first fault of another kind.
    pub(crate) fn strike(&self, partner: &str, call: &Call) -> (Vec<HoldAt>, Option<Does>) {
        let mut holds = Vec::new();
        let mut other = None;
        let mut active = lock(&self.active);
        active.retain_mut(|fault| {
            let is_hold = matches!(fault.does, Does::Hold { .. });
            if (!is_hold && other.is_some()) || !fault.matches(partner, call) {
                return true;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                return true;
            }
            match &fault.does {
                Does::Hold { at } => holds.push(*at),
                does => other = Some(does.clone()),
            }
            match &mut fault.times {
                None => true,
                Some(left) => {
                    *left = left.saturating_sub(1);
                    *left > 0
                }
            }
        });
        (holds, other)
    }

    pub(crate) async fn hold(&self) {
        let mut released = self.gate.released.subscribe();
        released.mark_unchanged();
        let _waiting = Waiting::enter(&self.gate);
        let _released = released.changed().await;
    }
}

/// Counts a request as waiting, also when its connection goes away meanwhile.
struct Waiting<'a>(&'a Gate);

impl<'a> Waiting<'a> {
    fn enter(gate: &'a Gate) -> Self {
        gate.waiting.send_modify(|n| *n += 1);
        Self(gate)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|n| *n -= 1);
    }
}
