//! The home in memory keeps the contract that the real ones keep.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Life, MemoryStore};
use crate::address::VendorAccount;
use crate::ledger::Ledger;
use crate::store::{LedgerStore, LogEvent, StoreError, Write};
use crate::testing::block_on;
use crate::testing::contract::{self, Home};

struct Shared(Arc<MemoryStore>);

#[async_trait]
impl LedgerStore for Shared {
    async fn commit(&self, expected: u64, writes: Vec<Write>, event: LogEvent) -> Result<u64, StoreError> {
        self.0.commit(expected, writes, event).await
    }
}

struct Memory(Arc<MemoryStore>);

#[async_trait]
impl Home for Memory {
    async fn open(&self) -> (Ledger, Box<dyn LedgerStore>) {
        (self.0.ledger(), Box::new(Shared(Arc::clone(&self.0))))
    }
}

fn home() -> Memory {
    let ledger = Ledger::new(VendorAccount::new("memory:a"), "lineage".to_owned());
    Memory(Arc::new(MemoryStore::new(ledger, Life::default())))
}

#[test]
fn the_home_in_memory_keeps_the_contract() {
    block_on(contract::keeps_what_is_committed(&home()));
    block_on(contract::refuses_who_builds_on_something_else(&home()));
    block_on(contract::keeps_what_is_staged_in_order(&home()));
}
