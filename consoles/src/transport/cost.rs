//! What reading costs, and what its answers say of the time.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
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
pub struct Cost(Mutex<ReadCost>, Mutex<Option<SignedDuration>>);

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

    /// What an answer's `Date` header says (RFC 9110, section 6.6.1; whole seconds), against our clock.
    pub fn dated(&self, header: Option<&str>, now: Timestamp) {
        let Some(theirs) = header.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) else { return };
        let ahead = now.duration_since(theirs.timestamp());
        *self.1.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
    }

    /// How far our clock was ahead of the vendor's at the last answer.
    pub fn clock_ahead(&self) -> Option<SignedDuration> {
        *self.1.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The count since the last call.
    pub fn take(&self) -> ReadCost {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
