//! The ledger's store as the controller uses it: each durable write is counted. Planning alone has a store that takes
//! nothing.

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
        let serial = self.store.commit_all(expected, batches).await?;
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
