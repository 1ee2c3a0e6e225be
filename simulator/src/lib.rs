//! The partner consoles of the vendors, simulated over HTTP as their documents describe them.
//!
//! What it does: one listener on the loopback interface serves any number of partners, each below
//! `/<vendor>/<partner-key>`, answers as the vendor would, records every request and what it
//! committed, injects faults on request, and moves its clock only when told. What a person does in
//! the real console (and no API can) is done below `/_sim/`.
//!
//! What it never does: it depends on no other crate of this workspace, not even on wire types, so
//! that a fake and its adapter cannot share a mistake; it never calls out; it keeps nothing after
//! [`Running::stop`]; and no bearer token or secret reaches its log.
//!
//! Invariants: a request is recorded before its answer leaves; a request whose answer a fault
//! swallowed is recorded too, with `status: None` and what it committed; the same seed and the same
//! requests give the same ids, names and answers.
//!
//! # How a vendor plugs in
//!
//! A vendor is one module folder with one type that implements [`Partner`]: one value per simulated
//! partner account, made by `fn open(core: &Arc<Core>, key: &str) -> Arc<Self>` and named in
//! [`vendors::open`] (one line there is all the core needs).
//!
//! - [`Partner::answer`] gets a [`Call`] (method, decoded path segments below the partner's prefix,
//!   query, headers, body) and returns a [`Reply`]. It is synchronous: take your state's lock, look,
//!   change, answer. Route with a slice pattern:
//!   `match (call.method(), call.segments().as_slice()) { ("GET", ["v1", "customers", id]) => … }`.
//!   Empty path segments (`//`, a trailing `/`) are dropped before you see them.
//! - Name what a call committed with `reply.effect("customer-created", id)`, who called with
//!   `reply.by(client_id)`, and the request class with [`Partner::classify`] (login, read, write).
//!   The log, the faults (429, lost answers, truncation, delays) and HEAD bodies are the core's work.
//! - [`Partner::refuse`] spells the vendor's own answer for an injected refusal (429, 401 expired,
//!   stale version, 403, 500), so that a fault looks like the vendor.
//! - [`Partner::control`] serves `/_sim/<vendor>/<key>/…`: what a person clicks. The segments start
//!   below that prefix. Name effects there too; they are logged as [`Kind::Ui`].
//! - [`Partner::seed`] takes the vendor's part of a seed document; [`Partner::switches`] and
//!   [`Partner::set_switches`] expose the typed settings made with the [`switches!`] macro, one for
//!   each thing that the vendor's documents leave open.
//! - [`Partner::follow`] is asked for each link in a mail that a customer accepts: say whether the
//!   link is yours and what accepting it did. Mails that the vendor itself sends: `core.mailbox().deliver`.
//! - Time is `core.clock().now()`, ids come from `core.ids("<vendor>/<key>")`, absolute URLs from
//!   `core.public_url("<vendor>", key)`. State that a
//!   vendor's partners share: `core.of_vendor::<T>("<vendor>")`. Late listings: [`Listed`]. Deterministic companies: [`Companies`].
//! - A typed handle for tests: `impl Running { pub fn yourvendor(&self, key: &str) -> Arc<YourPartner> }`
//!   in your own module, with [`Running::partner`].

use std::sync::{Mutex, MutexGuard, PoisonError};

mod call;
mod clock;
mod control;
mod faults;
mod ids;
mod listed;
mod log;
mod mailbox;
pub mod microsoft;
mod mime;
mod partner;
mod saved;
mod seed;
mod server;
pub mod sophos;
mod switches;
mod tls;
pub mod vendors;
mod wire;

pub use call::{Call, Reply};
pub use clock::{ClockError, SimClock};
pub use faults::{Does, Fault, FaultBody, Faults, HoldAt, RetryAfter};
pub use ids::{Ids, Rng};
pub use listed::{Listed, Lists};
pub use log::{Effect, Entry, Kind, LogFilter, RequestLog};
pub use mailbox::{Choice, Mail, Mailbox};
pub use partner::{ClickRefused, Core, Followed, Partner, Refusal, Visitor};
pub use saved::Saved;
pub use seed::{Companies, Company, HOSTILE_NAMES};
pub use server::{Config, Running, Simulator, StartError};
pub use switches::SwitchInfo;
pub use tls::Identity;
pub(crate) use wire::http_date;

/// Locks, also after a panic elsewhere: the state is plain data and stays usable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
