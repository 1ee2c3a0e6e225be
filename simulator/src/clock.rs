//! The simulated clock: it starts at a given instant and moves only when told, never backwards but
//! where the whole simulator is restored.
//!
//! Token expiry, late listings, scheduled changes and rate limits all read it.

use std::sync::{Arc, Mutex};

use jiff::{Span, Timestamp, tz::TimeZone};

use crate::lock;

/// A shared clock; clones are the same clock.
#[derive(Debug, Clone)]
pub struct SimClock {
    now: Arc<Mutex<Timestamp>>,
}

/// Why the clock did not move.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// The new instant lies before the present one.
    #[error("the simulated clock stands at {now} and does not go back to {to}")]
    Backwards {
        /// Where the clock stands.
        now: Timestamp,
        /// Where it was told to go.
        to: Timestamp,
    },
    /// The duration or the result is outside what a timestamp can hold.
    #[error("the simulated clock cannot be moved by this duration")]
    OutOfRange(#[source] jiff::Error),
}

impl SimClock {
    /// A clock that stands at `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        Self { now: Arc::new(Mutex::new(start)) }
    }

    /// Where the clock stands.
    pub fn now(&self) -> Timestamp {
        *lock(&self.now)
    }

    /// Moves forward by a duration; days and months count in UTC.
    pub fn advance(&self, by: Span) -> Result<Timestamp, ClockError> {
        let mut now = lock(&self.now);
        let to = now.to_zoned(TimeZone::UTC).checked_add(by).map_err(ClockError::OutOfRange)?.timestamp();
        move_to(&mut now, to)
    }

    /// Back to where it stood, with everything else that goes back.
    pub(crate) fn put_back(&self, to: Timestamp) {
        *lock(&self.now) = to;
    }

    /// Moves to an instant.
    pub fn set(&self, to: Timestamp) -> Result<Timestamp, ClockError> {
        move_to(&mut lock(&self.now), to)
    }
}

fn move_to(now: &mut Timestamp, to: Timestamp) -> Result<Timestamp, ClockError> {
    if to < *now {
        return Err(ClockError::Backwards { now: *now, to });
    }
    *now = to;
    Ok(to)
}
