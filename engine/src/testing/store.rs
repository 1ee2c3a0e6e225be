//! A ledger's home in memory that dies where it is told to, and that can be made to make known mistakes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use crate::ledger::Ledger;
use crate::operation::Phase;
use crate::store::{LedgerStore, LogEvent, StoreError, Write};

/// Where a process dies within its writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// The write was never durable.
    Before,
    /// Only this many of the batch's writes became durable.
    Within(usize),
    /// It was durable, nobody heard of it.
    After,
}

/// A known mistake: tests make sure that it would be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// `sent` does not become durable.
    ForgetsSent,
    /// Intents do not become durable.
    ForgetsIntents,
    /// Invitations do not become durable.
    ForgetsInvitations,
    /// What a record is bound to does not become durable.
    ForgetsBindings,
    /// Nobody compares the serial: two writers do not notice each other.
    NoCompareAndSwap,
}

/// The process is dead: nothing it still does becomes durable.
#[derive(Debug, Clone, Default)]
pub struct Life(Arc<AtomicBool>);

impl Life {
    /// Dies.
    pub fn end(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Begins anew.
    pub fn begin(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Whether it is over.
    pub fn over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the process died")]
struct Died;

fn died() -> StoreError {
    StoreError::Other(Box::new(Died))
}

struct Stored {
    ledger: Ledger,
    events: Vec<LogEvent>,
    crash: Option<(u32, Crash)>,
    commits: u64,
}

/// The store.
pub struct MemoryStore {
    stored: Mutex<Stored>,
    life: Life,
    mistake: Option<Mistake>,
}

impl MemoryStore {
    /// Holds this ledger.
    pub fn new(ledger: Ledger, life: Life) -> Self {
        let stored = Stored { ledger, events: Vec::new(), crash: None, commits: 0 };
        Self { stored: Mutex::new(stored), life, mistake: None }
    }

    /// Makes this mistake from now on.
    #[must_use]
    pub fn with(mut self, mistake: Option<Mistake>) -> Self {
        self.mistake = mistake;
        self
    }

    fn stored(&self) -> std::sync::MutexGuard<'_, Stored> {
        self.stored.lock().expect("no test panics inside")
    }

    /// What is durable.
    pub fn ledger(&self) -> Ledger {
        self.stored().ledger.clone()
    }

    /// Changes what is durable, as somebody else would.
    pub fn tamper(&self, change: impl FnOnce(&mut Ledger)) {
        change(&mut self.stored().ledger);
    }

    /// How often something became durable.
    pub fn commits(&self) -> u64 {
        self.stored().commits
    }

    /// The log.
    pub fn events(&self) -> Vec<LogEvent> {
        self.stored().events.clone()
    }

    /// Dies at the n-th write from now on, counted from 0.
    pub fn crash_at(&self, n: u32, how: Crash) {
        self.stored().crash = Some((n, how));
    }

    /// Lives on.
    pub fn survive(&self) {
        self.stored().crash = None;
        self.life.begin();
    }
}

#[async_trait]
impl LedgerStore for MemoryStore {
    async fn commit(&self, expected: u64, writes: Vec<Write>, event: LogEvent) -> Result<u64, StoreError> {
        if self.life.over() {
            return Err(died());
        }
        let mut stored = self.stored();
        let found = stored.ledger.header.serial;
        if found != expected && self.mistake != Some(Mistake::NoCompareAndSwap) {
            return Err(StoreError::Conflict {
                account: stored.ledger.header.vendor_account.to_string(),
                expected,
                found,
            });
        }
        let crash = match &mut stored.crash {
            Some((0, how)) => Some(*how),
            Some((n, _)) => {
                *n -= 1;
                None
            }
            None => None,
        };
        let durable = match crash {
            Some(Crash::Before) => 0,
            Some(Crash::Within(n)) => n.min(writes.len()),
            _ => writes.len(),
        };
        let serial = found + 1;
        let whole = durable == writes.len();
        if durable > 0 {
            for write in writes.into_iter().take(durable) {
                match write {
                    Write::Header(header) => stored.ledger.header = *header,
                    Write::Put(address, mut entry) => {
                        let old = stored.ledger.entries.get(&address);
                        match self.mistake {
                            Some(Mistake::ForgetsSent) => {
                                if let Some(operation) = &mut entry.operation
                                    && matches!(operation.phase, Phase::Sent { .. })
                                {
                                    operation.phase = Phase::Intent;
                                }
                            }
                            Some(Mistake::ForgetsIntents) => {
                                entry.operation = old.and_then(|old| old.operation.clone());
                            }
                            Some(Mistake::ForgetsInvitations) => entry.invitation = None,
                            Some(Mistake::ForgetsBindings) => entry.remote_id = None,
                            Some(Mistake::NoCompareAndSwap) | None => {}
                        }
                        stored.ledger.entries.insert(address, entry);
                    }
                    Write::Erase(address) => {
                        stored.ledger.entries.remove(&address);
                    }
                }
            }
            stored.ledger.header.serial = serial;
            if whole {
                stored.events.push(event);
            }
            stored.commits += 1;
        }
        if crash.is_some() {
            stored.crash = None;
            self.life.end();
            return Err(died());
        }
        Ok(serial)
    }
}

#[cfg(test)]
mod tests;
