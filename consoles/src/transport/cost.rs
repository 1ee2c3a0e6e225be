//! What reading costs.

use std::sync::{Mutex, PoisonError};

use tenantry_engine::observed::ReadCost;

/// What a request counts as. Repetitions of it count as other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// A page of the census.
    Page,
    /// A detail.
    Detail,
    /// A token, identity, a probe.
    Other,
}

/// A running count.
#[derive(Debug, Default)]
pub struct Cost(Mutex<ReadCost>);

impl Cost {
    /// One request more.
    pub fn count(&self, what: Counted) {
        let mut cost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match what {
            Counted::Page => cost.pages += 1,
            Counted::Detail => cost.details += 1,
            Counted::Other => cost.other += 1,
        }
    }

    /// So many bytes more.
    pub fn received(&self, bytes: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes += bytes;
    }

    /// The count since the last call.
    pub fn take(&self) -> ReadCost {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
