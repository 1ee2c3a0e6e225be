//! A state directory with something in it, for the tests of commands.

use std::path::Path;

use jiff::Timestamp;
use tenantry_engine::address::{Address, ConsoleName, VendorAccount};
use tenantry_engine::capability::Party;
use tenantry_engine::ledger::{Entry, Invitation, Ledger};
use tenantry_engine::origin::Origin;
use tenantry_engine::store::{LedgerStore, LogEvent, Write};
use tenantry_engine::task::{Task, TaskRecord};

use crate::app::{Colour, Globals, LogFormat};
use crate::state::StateDir;

/// Now, in these tests.
pub const NOW: &str = "2026-11-21T08:00:00Z";

/// A moment.
pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// A command line whose state is there and whose clock stands at [`NOW`].
pub fn globals(dir: &Path) -> Globals {
    Globals {
        state_dir: dir.join(".tenantry"),
        secrets_dir: None,
        endpoint: vec![],
        color: Colour::Never,
        log_format: LogFormat::Text,
        now: Some(NOW.to_owned()),
        stop: tenantry_engine::runtime::Stop::default(),
    }
}

/// An entry, declared a while ago.
pub fn entry() -> Entry {
    Entry::declared(Origin::file("customers/a.yaml", 1, 1), at("2026-11-01T08:00:00Z"))
}

/// An invitation to Adatum.
pub fn invitation() -> Invitation {
    Invitation {
        link: "https://admin.example/partner?id=1".into(),
        message_id: "0b6c".into(),
        to: "ceo@adatum.example".into(),
        language: "de".into(),
        provider: None,
        accepted_as: vec!["domain:adatum.example".into(), "email:ceo@adatum.example".into()],
        drafted: at("2026-11-12T08:30:00Z"),
        sent: None,
        reminders: vec![],
        revoked: None,
    }
}

/// A task of ours at Sophos.
pub fn task(id: &str, party: Party) -> TaskRecord {
    TaskRecord::opened(
        at("2026-11-12T08:00:00Z"),
        Task {
            id: id.into(),
            title: "Northwind IT: trial → usage".into(),
            party,
            at: "Sophos Central Partner".into(),
            steps: vec!["Customers › Northwind IT › Update Billing".into(), "choose  Monthly usage".into()],
            consequences: vec!["converts all trials of this account".into()],
            observable: true,
        },
    )
}

/// Writes a ledger with these entries for a Console.
pub async fn ledger(globals: &Globals, console: &str, account: &str, entries: Vec<(Address, Entry)>) {
    let state = StateDir::new(&globals.state_dir);
    let lock = state.lock("test").expect("free");
    let account = VendorAccount::new(account);
    let (ledger, store) = state.open(&lock, &account, || "lineage".into()).expect("opens");
    let writes = entries.into_iter().map(|(address, entry)| Write::Put(address, Box::new(entry))).collect();
    let event = LogEvent {
        at: at("2026-11-12T08:00:00Z"),
        run: "before".into(),
        what: "made".into(),
        address: None,
        words: String::new(),
    };
    store.commit(ledger.header.serial, writes, event).await.expect("durable");
    let mut index = state.index().expect("readable");
    index.consoles.insert(ConsoleName::new(console), account);
    state.write_index(&index).expect("written");
}

/// The ledger as it is now.
pub fn stored(globals: &Globals, account: &str) -> Ledger {
    StateDir::new(&globals.state_dir).ledger(&VendorAccount::new(account)).expect("readable").expect("there")
}

/// What the log says, newest last: kind and words.
pub fn logged(globals: &Globals, account: &str) -> Vec<(String, String)> {
    let log = StateDir::new(&globals.state_dir).log(&VendorAccount::new(account)).expect("readable");
    log.into_iter().map(|line| (line.event.what, line.event.words)).collect()
}
