//! Where a ledger lives: durable writes with compare-and-swap.
//!
//! A store is opened for one vendor account by one writer at a time. [`LedgerStore::commit`] returns only when the
//! writes are durable; after an error the caller must take the ledger for unknown and stop writing.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::ledger::{Entry, Header, Ledger};

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

/// A ledger's durable home.
#[async_trait]
pub trait LedgerStore: Send + Sync {
    /// Makes the writes durable, in order, header first. The new header's serial is the old one plus one; where the
    /// batch holds no header, the store raises the serial itself. `expected` is the serial that the caller's copy
    /// has; another one stored is [`StoreError::Conflict`] and nothing is written. Returns the new serial.
    async fn commit(&self, expected: u64, writes: Vec<Write>, event: LogEvent) -> Result<u64, StoreError>;
}

/// A ledger in memory together with its store: every change goes through here, store first.
pub struct OpenLedger<'a> {
    ledger: Ledger,
    store: &'a dyn LedgerStore,
}

impl<'a> OpenLedger<'a> {
    /// Opens a ledger as read from its store.
    pub fn new(ledger: Ledger, store: &'a dyn LedgerStore) -> Self {
        Self { ledger, store }
    }

    /// The ledger as it is now.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Gives the ledger back.
    pub fn into_ledger(self) -> Ledger {
        self.ledger
    }

    /// Writes, durable first, then in memory.
    pub async fn commit(&mut self, writes: Vec<Write>, event: LogEvent) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        let expected = self.ledger.header.serial;
        let serial = self.store.commit(expected, writes.clone(), event).await?;
        for write in writes {
            match write {
                Write::Header(header) => self.ledger.header = *header,
                Write::Put(address, entry) => {
                    self.ledger.entries.insert(address, *entry);
                }
                Write::Erase(address) => {
                    self.ledger.entries.remove(&address);
                }
            }
        }
        self.ledger.header.serial = serial;
        Ok(())
    }
}
