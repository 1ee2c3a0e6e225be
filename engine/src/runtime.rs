//! What the engine needs from outside: time, identifiers, a wish to stop, somewhere to report progress, a place for
//! one-time secrets. All of it is passed in; tests pass simulated ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::address::{Address, ConsoleName};

/// Time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Returns once this much time has passed; a simulated clock decides what that means.
    async fn wait(&self, duration: SignedDuration);
}

/// Unique identifiers.
pub trait Ids: Send + Sync {
    /// A new UUID, lower-case: request ids, lineages, ids of operations.
    fn uuid(&self) -> String;
}

/// Somebody's wish to stop: once = start nothing new, twice = leave now.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicU8>);

impl Stop {
    /// Asks once more.
    pub fn ask(&self) -> u8 {
        self.0.fetch_add(1, Ordering::SeqCst).saturating_add(1)
    }

    /// Whether nothing new is to be started.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }

    /// Whether to leave at once; the journal settles what was on its way.
    pub fn now(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 1
    }
}

/// Something worth telling while it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// Pages of a census arrived.
    Census {
        /// Which console.
        console: &'a ConsoleName,
        /// Records so far.
        records: usize,
        /// Pages so far.
        pages: u32,
        /// Pages in all, where the vendor says.
        of: Option<u32>,
    },
    /// Details were read.
    Details {
        /// Which console.
        console: &'a ConsoleName,
        /// So far.
        done: usize,
        /// In all.
        of: usize,
    },
    /// The console asks us to slow down.
    Throttled {
        /// Which console.
        console: &'a ConsoleName,
        /// How long nothing is sent, in seconds.
        seconds: u64,
    },
    /// A step begins.
    StepBegins {
        /// Which console.
        console: &'a ConsoleName,
        /// Which step.
        address: &'a Address,
        /// How many steps are done.
        done: usize,
        /// In all.
        of: usize,
    },
    /// A step ended; the line that the report will show for it.
    StepEnded {
        /// Which console.
        console: &'a ConsoleName,
        /// Its line.
        line: &'a crate::execute::StepReport,
    },
}

/// Where progress goes.
pub trait Progress: Send + Sync {
    /// Tells it.
    fn tell(&self, event: Event<'_>);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn tell(&self, _: Event<'_>) {}
}

/// A secret that a vendor shows once. It has no `Debug` and no `Serialize`.
pub struct OneTimeSecret {
    /// What it is for (`admin password`).
    pub label: String,
    /// The secret.
    pub secret: String,
}

/// Where one-time secrets go before their operation is settled.
#[async_trait]
pub trait Sealer: Send + Sync {
    /// Puts the secret away durably for its recipients; says where, for the report.
    async fn seal(&self, address: &Address, secret: OneTimeSecret) -> Result<String, SealError>;
}

/// A secret could not be put away. The secret is lost with the answer that brought it; the step is done.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the one-time secret of {address} could not be put away: {because}; set it anew in the console")]
pub struct SealError {
    /// Whose.
    pub address: Address,
    /// Why.
    pub because: String,
}

/// What the engine runs with.
#[derive(Clone)]
pub struct Runtime {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn Ids>,
    /// The wish to stop.
    pub stop: Stop,
    /// Progress.
    pub progress: Arc<dyn Progress>,
    /// One-time secrets.
    pub sealer: Arc<dyn Sealer>,
}
