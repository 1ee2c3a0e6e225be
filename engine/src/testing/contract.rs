//! What every home of a ledger keeps: tried on the one in memory, the directory and the cluster alike.
//!
//! Each function takes a home that holds no ledger yet and panics, in a sentence, where the contract is broken.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::address::{Address, RemoteId};
use crate::ledger::{Entry, GuardKind, GuardUse, Header, Ledger, Standing};
use crate::origin::Origin;
use crate::plan::Fingerprint;
use crate::store::{LedgerStore, LogEvent, OpenLedger, Write};

/// A place that keeps one ledger, opened as often as a test likes, one after the other.
#[async_trait]
pub trait Home: Send + Sync {
    /// Opens it for writing.
    async fn open(&self) -> (Ledger, Box<dyn LedgerStore>);
}

/// A moment of these tests.
pub fn moment() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().expect("a timestamp")
}

/// An address of these tests.
pub fn address(name: &str) -> Address {
    Address::account("default", name, "sophos")
}

/// An entry that is bound to this record.
pub fn bound(id: &str) -> Entry {
    let mut entry = Entry::declared(Origin::file("customers/a.yaml", 3, 1), moment());
    entry.remote_id = Some(RemoteId::new(id));
    entry
}

/// An event of these tests.
pub fn event(what: &str) -> LogEvent {
    LogEvent { at: moment(), run: "contract".into(), what: what.into(), address: None, words: String::new() }
}

fn put(name: &str, id: &str) -> Write {
    Write::Put(address(name), Box::new(bound(id)))
}

/// What was committed is there when it is opened again: header, entries, erasures, serial.
pub async fn keeps_what_is_committed(home: &dyn Home) {
    let (ledger, store) = home.open().await;
    assert!(ledger.entries.is_empty(), "a new home holds entries");
    let lineage = ledger.header.lineage.clone();
    let mut open = OpenLedger::new(ledger, &*store);
    open.commit(vec![put("adatum", "r1"), put("fabrikam", "r2")], event("first")).await.expect("it is kept");
    let header = Header {
        serial: open.ledger().header.serial + 1,
        confirmed: Some(moment()),
        guard_log: vec![GuardUse {
            at: moment(),
            kind: GuardKind::Creations,
            count: 2,
            step: Fingerprint::from_text("00112233aabbccdd"),
        }],
        last_census: Some(142),
        ..open.ledger().header.clone()
    };
    let mut released = bound("r2");
    released.standing = Standing::Released;
    let writes = vec![
        Write::Header(Box::new(header)),
        Write::Put(address("fabrikam"), Box::new(released)),
        Write::Erase(address("adatum")),
    ];
    open.commit(writes, event("second")).await.expect("it is kept");
    let kept = open.into_ledger();
    drop(store);
    let (again, _) = home.open().await;
    assert_eq!(again, kept, "another ledger comes back than the one that was committed");
    assert_eq!(again.header.lineage, lineage, "the ledger took another lineage");
    assert_eq!(again.entries.len(), 1, "an erased entry is back");
}

/// Whoever builds on another serial than the stored one writes nothing.
pub async fn refuses_who_builds_on_something_else(home: &dyn Home) {
    let (ledger, store) = home.open().await;
    let serial = ledger.header.serial;
    let serial = store.commit(serial, vec![put("adatum", "r1")], event("first")).await.expect("it is kept");
    let refused = store.commit(serial + 7, vec![put("adatum", "r2")], event("second")).await;
    let error = refused.expect_err("a writer who built on another serial was let through");
    assert!(error.is_conflict(), "it is refused for another reason: {error}");
    drop(store);
    let (again, _) = home.open().await;
    assert_eq!(again.entries[&address("adatum")], bound("r1"), "the refused writer wrote all the same");
}

/// Staged facts are kept together and in order: of several words about one address the last one counts.
pub async fn keeps_what_is_staged_in_order(home: &dyn Home) {
    let (ledger, store) = home.open().await;
    let mut open = OpenLedger::new(ledger, &*store);
    for n in 0..40 {
        let name = format!("customer-{}", n % 20);
        open.stage(vec![put(&name, &format!("r{n}"))], event("adopted")).await.expect("it is staged");
    }
    open.stage(vec![Write::Erase(address("customer-3"))], event("forgotten")).await.expect("it is staged");
    open.commit(vec![put("last", "r99")], event("intent")).await.expect("it is kept");
    let kept = open.into_ledger();
    drop(store);
    let (again, _) = home.open().await;
    assert_eq!(again, kept, "another ledger comes back than the one that was staged");
    assert_eq!(again.entries.len(), 20, "20 customers less one, and the last");
    assert_eq!(again.entries[&address("customer-5")], bound("r25"), "an earlier word won");
}
