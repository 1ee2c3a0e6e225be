//! HTTP to vendors: a transport that can only read, and one that sends each write once.
//!
//! What it does: bearer tokens, pace, repetition of reads, size limits, UTF-8 whatever the headers say, counting.
//!
//! What it never does: follow a redirect, send anything outside an allow-list of (method, host, path), send a write
//! twice, send a bearer to a host that is not on the list, wait on another clock than the engine's, or put a secret,
//! a URL's query or an unsanitised answer into an error.

mod allow;
mod answer;
mod client;
mod cost;
mod outgoing;
mod read;
mod retry_after;
mod write;

pub use allow::{AllowList, Base};
pub use answer::Answer;
pub use client::Client;
pub use cost::{Cost, Counted};
pub use outgoing::Outgoing;
pub use read::Reader;
pub use retry_after::retry_after;
pub(crate) use write::refusal;
pub use write::{Writer, Wrote};

use std::time::Duration;

/// How long one request may take, from the first byte sent to the last received. A write that was sent may still
/// arrive at the vendor for as long.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// The largest answer that is read: 32 MiB after decompression. A full page of any vendor is far below.
pub const LARGEST_ANSWER: usize = 32 << 20;

#[cfg(test)]
mod tests;
