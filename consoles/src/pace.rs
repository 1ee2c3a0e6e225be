//! How fast a console may be asked: one limiter per credential, shared by readers and writers, writes first.
//!
//! Each request takes one token of its kind's bucket and one of each of the vendor's own windows. A 429 halves the
//! pace and stops everybody for as long as the vendor says; every answer without one gives a little back. Time comes
//! from the engine's clock alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tenantry_crd::console::PaceSpec;
use tenantry_engine::runtime::{Clock, Stop};
use tokio::sync::Notify;

/// A window of the vendor's: so many requests per time, with a burst.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Requests per second in the long run.
    pub per_second: f64,
    /// Requests that may come at once.
    pub burst: f64,
}

/// A console's pace.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    /// Reads.
    pub reads: Window,
    /// Writes.
    pub writes: Window,
    /// The vendor's own windows, over reads and writes together.
    pub windows: Vec<Window>,
    /// Requests under way at once.
    pub concurrency: u32,
}

impl Default for Rates {
    /// Two reads a second (ten at once), one write in two seconds (two at once), two requests at a time.
    fn default() -> Self {
        Self {
            reads: Window { per_second: 2.0, burst: 10.0 },
            writes: Window { per_second: 0.5, burst: 2.0 },
            windows: Vec::new(),
            concurrency: 2,
        }
    }
}

/// The highest rate that a Console can declare; declaring it lifts the vendor's windows too, for consoles that have
/// none (a simulator).
pub const UNLIMITED: f64 = 1000.0;

impl Rates {
    /// With what the Console declares in place of the adapter's own.
    #[must_use]
    pub fn declared(mut self, spec: &PaceSpec) -> Self {
        if let Some(rate) = spec.reads_per_second {
            self.reads = Window { per_second: rate, burst: (rate * 5.0).max(1.0) };
            if rate >= UNLIMITED {
                self.windows.clear();
            }
        }
        if let Some(rate) = spec.writes_per_second {
            self.writes = Window { per_second: rate, burst: (rate * 4.0).max(1.0) };
        }
        if let Some(most) = spec.concurrency {
            self.concurrency = most.max(1);
        }
        self
    }
}

/// Reads or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// A request that changes nothing.
    Read,
    /// A request that changes something.
    Write,
}

#[derive(Debug)]
struct Bucket {
    window: Window,
    tokens: f64,
    since: Timestamp,
}

impl Bucket {
    fn new(window: Window, now: Timestamp) -> Self {
        Self { window, tokens: window.burst, since: now }
    }

    fn refill(&mut self, now: Timestamp, pace: f64) {
        let passed = now.duration_since(self.since).as_secs_f64().max(0.0);
        self.tokens = (self.tokens + passed * self.window.per_second * pace).min(self.window.burst);
        self.since = self.since.max(now);
    }

    /// How long until one token is there.
    fn lacks(&self, pace: f64) -> Option<SignedDuration> {
        (self.tokens < 1.0).then(|| {
            let seconds = (1.0 - self.tokens) / (self.window.per_second * pace).max(1e-6);
            // A millisecond more, so that rounding never wakes too early.
            SignedDuration::from_secs_f64(seconds + 0.001)
        })
    }
}

#[derive(Debug)]
struct State {
    reads: Bucket,
    writes: Bucket,
    windows: Vec<Bucket>,
    /// 1 = as configured; halved by each 429.
    pace: f64,
    running: u32,
    writers_at_the_door: u32,
    stopped_until: Option<Timestamp>,
}

/// One limiter.
pub struct Pace {
    clock: Arc<dyn Clock>,
    stop: Stop,
    concurrency: u32,
    state: Mutex<State>,
    freed: Notify,
}

/// The slowest pace that refusals lead to.
const SLOWEST: f64 = 1.0 / 16.0;
/// What an answer gives back.
const RECOVERY: f64 = 0.05;
/// Waits are cut into pieces of this length, so that a wish to stop is heard.
const PIECE: SignedDuration = SignedDuration::from_secs(1);

/// Somebody asked to stop while a request waited for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted;

enum Turn {
    Now,
    In(SignedDuration),
    WhenFreed,
}

impl Pace {
    /// A limiter with full buckets.
    pub fn new(rates: &Rates, clock: Arc<dyn Clock>, stop: Stop) -> Self {
        let now = clock.now();
        Self {
            concurrency: rates.concurrency.max(1),
            state: Mutex::new(State {
                reads: Bucket::new(rates.reads, now),
                writes: Bucket::new(rates.writes, now),
                windows: rates.windows.iter().map(|window| Bucket::new(*window, now)).collect(),
                pace: 1.0,
                running: 0,
                writers_at_the_door: 0,
                stopped_until: None,
            }),
            clock,
            stop,
            freed: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Plain numbers: usable also after a panic elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn; the request may leave while the permit lives. Readers give up once somebody asked to stop,
    /// writers only when everything is to end at once: a step that began is finished.
    pub async fn turn(&self, lane: Lane) -> Result<Permit<'_>, Interrupted> {
        let mut door = Door { pace: self, inside: false };
        loop {
            if self.stopped(lane) {
                return Err(Interrupted);
            }
            let freed = self.freed.notified();
            let turn = self.try_turn(lane, &mut door);
            match turn {
                Turn::Now => return Ok(Permit { pace: self }),
                Turn::In(time) => self.clock.wait(time.min(PIECE)).await,
                Turn::WhenFreed => freed.await,
            }
        }
    }

    fn stopped(&self, lane: Lane) -> bool {
        match lane {
            Lane::Read => self.stop.asked(),
            Lane::Write => self.stop.now(),
        }
    }

    fn try_turn(&self, lane: Lane, door: &mut Door<'_>) -> Turn {
        let now = self.clock.now();
        let mut state = self.lock();
        let pace = state.pace;
        if let Some(until) = state.stopped_until.filter(|until| *until > now) {
            return Turn::In(until.duration_since(now));
        }
        state.stopped_until = None;
        let mut longest = None;
        let State { reads, writes, windows, .. } = &mut *state;
        let own = if lane == Lane::Read { reads } else { writes };
        own.refill(now, pace);
        longest = longest.max(own.lacks(pace));
        for window in windows.iter_mut() {
            window.refill(now, pace);
            longest = longest.max(window.lacks(pace));
        }
        if let Some(time) = longest {
            door.leave(&mut state);
            return Turn::In(time);
        }
        if lane == Lane::Read && state.writers_at_the_door > 0 {
            return Turn::WhenFreed;
        }
        if state.running >= self.concurrency {
            if lane == Lane::Write {
                door.enter(&mut state);
            }
            return Turn::WhenFreed;
        }
        door.leave(&mut state);
        state.running += 1;
        match lane {
            Lane::Read => state.reads.tokens -= 1.0,
            Lane::Write => state.writes.tokens -= 1.0,
        }
        for window in &mut state.windows {
            window.tokens -= 1.0;
        }
        Turn::Now
    }

    /// The vendor said "too many requests": halves the pace and stops everybody for this long.
    pub fn throttled(&self, wait: SignedDuration) {
        let until = self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
        let mut state = self.lock();
        state.pace = (state.pace / 2.0).max(SLOWEST);
        state.stopped_until = state.stopped_until.max(Some(until));
    }

    /// An answer that was no refusal to hurry: gives a little pace back.
    pub fn went_well(&self) {
        let mut state = self.lock();
        state.pace = (state.pace + RECOVERY).min(1.0);
    }

    /// The present share of the configured pace.
    pub fn share(&self) -> f64 {
        self.lock().pace
    }

    /// Requests that may be under way at once.
    pub fn concurrency(&self) -> usize {
        self.concurrency as usize
    }
}

/// Counts a writer that only waits for a place, so that readers let it pass; also when it gives up.
struct Door<'a> {
    pace: &'a Pace,
    inside: bool,
}

impl Door<'_> {
    fn enter(&mut self, state: &mut State) {
        if !self.inside {
            self.inside = true;
            state.writers_at_the_door += 1;
        }
    }

    fn leave(&mut self, state: &mut State) {
        if self.inside {
            self.inside = false;
            state.writers_at_the_door -= 1;
            self.pace.freed.notify_waiters();
        }
    }
}

impl Drop for Door<'_> {
    fn drop(&mut self) {
        if self.inside {
            self.leave(&mut self.pace.lock());
        }
    }
}

/// Leave to send one request.
pub struct Permit<'a> {
    pace: &'a Pace,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.pace.lock().running -= 1;
        self.pace.freed.notify_waiters();
    }
}

/// Limiters by credential.
#[derive(Default)]
pub struct Paces {
    by_key: Mutex<BTreeMap<String, Arc<Pace>>>,
}

impl Paces {
    /// The limiter of a credential (vendor, host and client id make the key; no secret does), made by `make` where
    /// nobody uses one yet.
    pub fn of(&self, key: &str, make: impl FnOnce() -> Pace) -> Arc<Pace> {
        let mut paces = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        // A limiter that nobody holds any more is forgotten, so that a long-lived process does not collect them.
        paces.retain(|known, pace| known == key || Arc::strong_count(pace) > 1);
        paces.entry(key.to_owned()).or_insert_with(|| Arc::new(make())).clone()
    }
}

#[cfg(test)]
mod tests;
