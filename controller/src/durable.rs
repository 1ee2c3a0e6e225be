//! The ledger's store as the controller uses it: each durable write is counted, and tests may end the process there.
//! Planning alone has a store that takes nothing.

use std::sync::Arc;

use async_trait::async_trait;
use tenantry_engine::store::{Batch, LedgerStore, LogEvent, StoreError, Write};

use crate::metrics::Metrics;

/// A store whose writes are counted.
pub struct Durable<S> {
    store: S,
    metrics: Arc<Metrics>,
}

impl<S> Durable<S> {
    /// Around this store.
    pub fn new(store: S, metrics: Arc<Metrics>) -> Self {
        Self { store, metrics }
    }
}

#[async_trait]
impl<S: LedgerStore> LedgerStore for Durable<S> {
    async fn commit(&self, expected: u64, writes: Vec<Write>, event: LogEvent) -> Result<u64, StoreError> {
        self.commit_all(expected, vec![(writes, event)]).await
    }

    async fn commit_all(&self, expected: u64, batches: Vec<Batch>) -> Result<u64, StoreError> {
        pass("before");
        let serial = self.store.commit_all(expected, batches).await?;
        pass("after");
        self.metrics.wrote("binding");
        Ok(serial)
    }
}

/// A store that takes nothing, for planning alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadOnly;

/// Something was to be written while only planning: a defect, stopped in time.
#[derive(Debug, thiserror::Error)]
#[error("--plan-only writes nothing")]
pub struct PlanOnly;

#[async_trait]
impl LedgerStore for ReadOnly {
    async fn commit(&self, _: u64, _: Vec<Write>, _: LogEvent) -> Result<u64, StoreError> {
        Err(StoreError::Other(Box::new(PlanOnly)))
    }
}

/// Passes a durable write. With the feature `failpoints`, and `TENANTRY_FAILPOINT=N:before|after` set, the process dies
/// there the N-th time, as if it had been killed.
#[cfg(feature = "failpoints")]
fn pass(place: &str) {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static BEFORE: AtomicUsize = AtomicUsize::new(0);
    static AFTER: AtomicUsize = AtomicUsize::new(0);
    let counter = if place == "before" { &BEFORE } else { &AFTER };
    let n = counter.fetch_add(1, Ordering::SeqCst) + 1;
    let Ok(wanted) = std::env::var("TENANTRY_FAILPOINT") else { return };
    if wanted == format!("{n}:{place}") {
        std::process::abort();
    }
}

/// Without the feature: nothing.
#[cfg(not(feature = "failpoints"))]
const fn pass(_place: &str) {}
