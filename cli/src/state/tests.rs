//! What survives a crash, and what is refused.

use jiff::Timestamp;
use tenantry_engine::address::Address;
use tenantry_engine::ledger::Entry;
use tenantry_engine::origin::Origin;

use super::*;

fn event(what: &str) -> LogEvent {
    LogEvent {
        at: Timestamp::UNIX_EPOCH,
        run: "r".into(),
        what: what.into(),
        address: None,
        words: String::new(),
    }
}

fn put(name: &str) -> Write {
    let entry = Entry::declared(Origin::file("a.yaml", 1, 1), Timestamp::UNIX_EPOCH);
    Write::Put(Address::account("default", name, "sophos"), Box::new(entry))
}

fn account() -> VendorAccount {
    VendorAccount::new("sophos:1")
}

fn open(dir: &StateDir) -> (Lock, Ledger, LocalStore) {
    let lock = dir.lock("test").expect("free");
    let (ledger, store) = dir.open(&lock, &account(), || "lineage".into()).expect("opens");
    (lock, ledger, store)
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_crash() {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = StateDir::new(temp.path());
    {
        let (_lock, _, store) = open(&dir);
        assert_eq!(store.commit(0, vec![put("a")], event("one")).await.expect("durable"), 1);
        assert_eq!(store.commit(1, vec![put("b")], event("two")).await.expect("durable"), 2);
    }
    let ledger = dir.ledger(&account()).expect("readable").expect("there");
    assert_eq!((ledger.header.serial, ledger.entries.len()), (2, 2));
    assert_eq!(ledger.header.lineage, "lineage");
}

#[tokio::test]
async fn a_torn_last_line_was_never_written() {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = StateDir::new(temp.path());
    let path = {
        let (_lock, _, store) = open(&dir);
        store.commit(0, vec![put("a")], event("one")).await.expect("durable");
        store.commit(1, vec![put("b")], event("two")).await.expect("durable");
        dir.account(&account()).join("journal-0000000001.ndjson")
    };
    let bytes = std::fs::read(&path).expect("a journal");
    std::fs::write(&path, &bytes[..bytes.len() - 5]).expect("torn");
    let (_lock, ledger, store) = open(&dir);
    assert_eq!((ledger.header.serial, ledger.entries.len()), (1, 1));
    store.commit(1, vec![put("c")], event("three")).await.expect("durable");
    drop(store);
    let ledger = dir.ledger(&account()).expect("readable").expect("there");
    assert!(ledger.entries.contains_key(&Address::account("default", "c", "sophos")));
    assert_eq!(ledger.entries.len(), 2);
}

#[tokio::test]
async fn compacting_keeps_the_log_and_begins_a_segment() {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = StateDir::new(temp.path());
    {
        let (_lock, _, store) = open(&dir);
        store.commit(0, vec![put("a")], event("one")).await.expect("durable");
        let ledger = dir.ledger(&account()).expect("readable").expect("there");
        store.compact(&ledger).await.expect("compacts");
        store.commit(1, vec![put("b")], event("two")).await.expect("durable");
    }
    let ledger = dir.ledger(&account()).expect("readable").expect("there");
    assert_eq!((ledger.header.serial, ledger.entries.len()), (2, 2));
    let log = dir.log(&account()).expect("readable");
    assert_eq!(log.iter().map(|line| line.event.what.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    let text = std::fs::read_to_string(dir.account(&account()).join("ledger.json")).expect("compacted");
    assert!(text.lines().any(|line| line.starts_with("\"customer/a/sophos\":{")), "{text}");
}

#[tokio::test]
async fn a_stale_writer_is_refused() {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = StateDir::new(temp.path());
    let (_lock, _, store) = open(&dir);
    store.commit(0, vec![put("a")], event("one")).await.expect("durable");
    let error = store.commit(0, vec![put("b")], event("two")).await.expect_err("stale");
    assert!(
        error.to_string().ends_with("was written by somebody else (serial 1, expected 0); run again"),
        "{error}"
    );
}

#[test]
fn two_runs_do_not_write_at_once() {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = StateDir::new(temp.path());
    let held = dir.lock("anna@host, pid 7").expect("free");
    let error = dir.lock("second").expect_err("taken").to_string();
    assert!(error.starts_with("the state is locked by anna@host, pid 7 since 2"), "{error}");
    drop(held);
    dir.lock("second").expect("free again");
}

#[test]
fn a_damaged_ledger_says_where_and_what_to_do() {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = StateDir::new(temp.path());
    let place = dir.account(&account());
    std::fs::create_dir_all(&place).expect("a directory");
    std::fs::write(place.join("ledger.json"), "{\n\"header\": 7}").expect("written");
    let error = dir.ledger(&account()).expect_err("damaged").to_string();
    assert!(error.contains("ledger.json: invalid type: integer `7`"), "{error}");
    assert!(error.contains("restore it from a backup"), "{error}");
}

#[tokio::test]
async fn several_batches_are_one_write_with_a_serial_and_an_event_each() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let state = StateDir::new(dir.path());
    let lock = state.lock("tests").expect("nobody else holds it");
    let (_, store) = state.open(&lock, &account(), || "l".to_owned()).expect("it can be opened");
    let batches = vec![(vec![put("a")], event("one")), (vec![put("b")], event("two"))];
    assert_eq!(store.commit_all(0, batches).await.expect("durable"), 2);
    let ledger = state.ledger(&account()).expect("readable").expect("it is there");
    assert_eq!((ledger.header.serial, ledger.entries.len()), (2, 2));
    let log: Vec<_> =
        state.log(&account()).expect("readable").into_iter().map(|l| (l.serial, l.event.what)).collect();
    assert_eq!(log, [(1, "one".to_owned()), (2, "two".to_owned())]);
}

struct Directory(tempfile::TempDir);

/// A store and the lock that goes with it.
struct Locked(LocalStore, #[expect(dead_code, reason = "it is held")] Lock);

#[async_trait]
impl LedgerStore for Locked {
    async fn commit(&self, expected: u64, writes: Vec<Write>, event: LogEvent) -> Result<u64, StoreError> {
        self.0.commit(expected, writes, event).await
    }

    async fn commit_all(&self, expected: u64, batches: Vec<Batch>) -> Result<u64, StoreError> {
        self.0.commit_all(expected, batches).await
    }
}

#[async_trait]
impl tenantry_engine::testing::contract::Home for Directory {
    async fn open(&self) -> (Ledger, Box<dyn LedgerStore>) {
        let (lock, ledger, store) = open(&StateDir::new(self.0.path()));
        (ledger, Box::new(Locked(store, lock)))
    }
}

#[tokio::test]
async fn the_state_directory_keeps_the_contract_of_ledgers() {
    use tenantry_engine::testing::contract;
    let home = || Directory(tempfile::tempdir().expect("a directory"));
    contract::keeps_what_is_committed(&home()).await;
    contract::refuses_who_builds_on_something_else(&home()).await;
    contract::keeps_what_is_staged_in_order(&home()).await;
}
