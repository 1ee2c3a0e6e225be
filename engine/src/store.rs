//! Where a ledger lives: durable writes with compare-and-swap.
//!
//! A store is opened for one vendor account by one writer at a time. [`LedgerStore::commit`] returns only when the
//! writes are durable; after an error the caller must take the ledger for unknown and stop writing.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::ledger::{Common, Entry, Header, Ledger};

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// The header, whole. In a batch it is written first.
    Header(Box<Header>),
    /// An entry, whole.
    Put(Address, Box<Entry>),
    /// An entry erased (`state forget`, a move).
    Erase(Address),
}

/// What happened, for `log`; no secrets, no personal data beyond addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEvent {
    /// When.
    pub at: Timestamp,
    /// Which run.
    pub run: String,
    /// What: `intent`, `sent`, `acked`, `rejected`, `ambiguous`, `settled`, `adopted`, `drafted`, `task-opened`, …
    pub what: String,
    /// About which declaration; absent for events of the whole ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// More, in words; fit for a terminal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
}

/// Why a ledger cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer was faster.
    #[error(
        "the ledger of {account} was written by somebody else (serial {found}, expected {expected}); run again"
    )]
    Conflict {
        /// Whose ledger.
        account: String,
        /// What we built on.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// Another writer was faster at one object of it.
    #[error("{place} was written by somebody else ({found}); run again, it then builds on what is there")]
    Overtaken {
        /// Which object.
        place: String,
        /// What was found instead of what we built on.
        found: String,
    },
    /// Somebody holds the lock.
    #[error(
        "the state is locked by {owner} since {since}; wait for it, or, if that run is dead: tenantry state unlock"
    )]
    Locked {
        /// Who.
        owner: String,
        /// Since when.
        since: String,
    },
    /// It cannot be understood.
    #[error("{place}: {because}")]
    Damaged {
        /// Where.
        place: String,
        /// What is wrong and what to do.
        because: String,
    },
    /// It cannot be reached.
    #[error("cannot {doing} {place}")]
    Io {
        /// `read`, `write`, …
        doing: &'static str,
        /// Where.
        place: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Any other backend's failure.
    #[error("the ledger's store failed")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Whether another writer was faster: running again, on what is there by then, is all there is to do.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. } | Self::Overtaken { .. })
    }
}

/// A ledger's durable home.
#[async_trait]
pub trait LedgerStore: Send + Sync {
    /// Makes the writes durable, in order, header first. The new header's serial is the old one plus one; where the
    /// batch holds no header, the store raises the serial itself. `expected` is the serial that the caller's copy
    /// has; another one stored is [`StoreError::Conflict`] and nothing is written. Returns the new serial.
    async fn commit(&self, expected: u64, writes: Vec<Write>, event: LogEvent) -> Result<u64, StoreError>;

    /// Several of them at once, each with a serial and an event of its own. An interruption leaves a first part of
    /// them. Returns the last serial. By default one after the other; a store that can does it with one sync.
    async fn commit_all(&self, expected: u64, batches: Vec<Batch>) -> Result<u64, StoreError> {
        let mut serial = expected;
        for (writes, event) in batches {
            serial = self.commit(serial, writes, event).await?;
        }
        Ok(serial)
    }
}

/// What one commit writes, and why.
pub type Batch = (Vec<Write>, LogEvent);

/// So many staged writes are stored together at most.
const STAGED_AT_MOST: usize = 256;

/// A ledger in memory together with its store: every change goes through here, store first, save what is staged.
pub struct OpenLedger<'a> {
    ledger: Ledger,
    /// How many entries it had when it was opened.
    had: usize,
    store: &'a dyn LedgerStore,
    staged: Vec<Batch>,
}

impl<'a> OpenLedger<'a> {
    /// Opens a ledger as read from its store.
    pub fn new(ledger: Ledger, store: &'a dyn LedgerStore) -> Self {
        Self { had: ledger.entries.len(), ledger, store, staged: Vec::new() }
    }

    /// The ledger as it is now.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether everything is durable: nothing is staged.
    pub fn is_stored(&self) -> bool {
        self.staged.is_empty()
    }

    /// Gives the ledger back; one that has grown by much, without room for more, and with what its entries have in common
    /// held once.
    pub fn into_ledger(mut self) -> Ledger {
        if self.ledger.entries.len() > self.had + self.had / 4 {
            self.ledger.entries.fit();
            let mut common = Common::default();
            self.ledger.entries.values_mut().for_each(|entry| common.share(entry));
        }
        self.ledger
    }

    /// Writes, durable first, then in memory. What is staged is durable before it.
    pub async fn commit(&mut self, writes: Vec<Write>, event: LogEvent) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        self.flush().await?;
        let expected = self.ledger.header.serial;
        let serial = self.store.commit(expected, writes.clone(), event).await?;
        self.take(writes, serial);
        Ok(())
    }

    /// Writes in memory, and durably together with others: before the next [`commit`](Self::commit), and at the
    /// latest with [`flush`](Self::flush). For facts on which nothing outside rests: what an interruption takes back
    /// is found again by the next run. A hundred thousand adoptions are not worth a hundred thousand syncs.
    pub async fn stage(&mut self, writes: Vec<Write>, event: LogEvent) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        let serial = self.ledger.header.serial.saturating_add(1);
        self.take(writes.clone(), serial);
        self.staged.push((writes, event));
        if self.staged.len() >= STAGED_AT_MOST { self.flush().await } else { Ok(()) }
    }

    /// Makes durable what is staged.
    pub async fn flush(&mut self) -> Result<(), StoreError> {
        if self.staged.is_empty() {
            return Ok(());
        }
        let batches = std::mem::take(&mut self.staged);
        let expected = self.ledger.header.serial.saturating_sub(batches.len() as u64);
        self.ledger.header.serial = self.store.commit_all(expected, batches).await?;
        Ok(())
    }

    fn take(&mut self, writes: Vec<Write>, serial: u64) {
        for write in writes {
            match write {
                Write::Header(header) => self.ledger.header = *header,
                Write::Put(address, entry) => {
                    self.ledger.entries.insert(address, entry);
                }
                Write::Erase(address) => {
                    self.ledger.entries.remove(&address);
                }
            }
        }
        self.ledger.header.serial = serial;
    }
}
