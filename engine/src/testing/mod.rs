//! An in-memory console, ledger store, clock and ids, for tests: of this crate, and of whoever builds on it.
//!
//! The console keeps its own log of effects, which is what tests judge by: never what the engine says about itself.
//! Everything is deterministic; nothing sleeps; a future never waits for anything but its own next poll.

pub mod console;
pub mod contract;
pub mod declared;
pub mod dialect;
pub mod store;

use std::future::Future;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

pub use console::{Effect, EffectKind, Fault, MemoryConsole, World};
pub use declared::{Company, Declared};
pub use dialect::{MemoryDialect, Terms};
pub use store::{Crash, MemoryStore, Mistake};

use crate::address::Address;
use crate::runtime::{Clock, Ids, OneTimeSecret, Runtime, SealError, Sealer, Silent, Stop};

/// Runs a future of in-memory parts to its end.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(std::task::Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// A clock that moves when it is told to, when somebody waits, and by a millisecond whenever somebody looks: no two
/// moments are the same.
#[derive(Debug)]
pub struct SimClock(AtomicI64);

impl Default for SimClock {
    fn default() -> Self {
        let start: Timestamp = "2026-03-02T08:00:00Z".parse().expect("a timestamp");
        Self(AtomicI64::new(start.as_millisecond()))
    }
}

impl SimClock {
    /// Moves on.
    pub fn pass(&self, duration: SignedDuration) {
        let milliseconds = i64::try_from(duration.as_millis()).expect("tests pass less than an age");
        self.0.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// Now, without moving on.
    pub fn peek(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::Relaxed)).expect("within an age")
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.fetch_add(1, Ordering::Relaxed) + 1).expect("within an age")
    }

    async fn wait(&self, duration: SignedDuration) {
        self.pass(duration);
    }
}

/// `00000000-0000-4000-8000-000000000001` and so on.
#[derive(Debug, Default)]
pub struct CountedIds(AtomicU64);

impl Ids for CountedIds {
    fn uuid(&self) -> String {
        format!("00000000-0000-4000-8000-{:012x}", self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Keeps sealed secrets in memory; refuses when told to.
#[derive(Debug, Default)]
pub struct MemorySealer {
    /// What was sealed: whose, what for, the secret.
    pub sealed: Mutex<Vec<(Address, String, String)>>,
    /// Refuse from now on, because of this.
    pub refuse: Mutex<Option<String>>,
}

#[async_trait]
impl Sealer for MemorySealer {
    async fn seal(&self, address: &Address, secret: OneTimeSecret) -> Result<String, SealError> {
        if let Some(because) = self.refuse.lock().expect("no test panics inside").clone() {
            return Err(SealError { address: address.clone(), because });
        }
        self.sealed.lock().expect("no test panics inside").push((
            address.clone(),
            secret.label,
            secret.secret,
        ));
        Ok("in memory".to_owned())
    }
}

/// The parts of a runtime, kept apart so that a test can move time and look into the sealer.
#[derive(Clone, Default)]
pub struct Parts {
    /// The clock.
    pub clock: Arc<SimClock>,
    /// The ids.
    pub ids: Arc<CountedIds>,
    /// The sealer.
    pub sealer: Arc<MemorySealer>,
    /// The wish to stop.
    pub stop: Stop,
}

impl Parts {
    /// A runtime of these parts.
    pub fn runtime(&self) -> Runtime {
        Runtime {
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            stop: self.stop.clone(),
            progress: Arc::new(Silent),
            sealer: self.sealer.clone(),
        }
    }
}
