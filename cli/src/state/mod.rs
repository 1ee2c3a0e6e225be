//! The state directory: one ledger per vendor account, its journal, a losable cache, and one lock.
//!
//! Layout below the directory (`.tenantry` by default):
//! ```text
//! state.json                  which Console was seen with which vendor account
//! lock                        held by the one run that may write
//! accounts/<account>/ledger.json           the last compacted ledger, one entry a line
//! accounts/<account>/journal-<serial>.ndjson   every write since, and before: it is also what `log` reads
//! accounts/<account>/cache.json            details that were read; may be deleted at any time
//! ```
//! Invariants: a write is durable before [`LedgerStore::commit`] returns; a torn last line of a journal was never
//! durable and is dropped; nothing here is ever rewritten in place. [`StateDir::scrub`] alone replaces past lines of a
//! journal, file by file: what is to be erased must not live on in the log.

mod cache;
mod index;
mod journal;
mod lock;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tenantry_cluster::failpoint;
use tenantry_engine::address::{Address, VendorAccount};
use tenantry_engine::ledger::{Entry, Ledger};
use tenantry_engine::observed::Details;
use tenantry_engine::store::{Batch, LedgerStore, LogEvent, StoreError, Write};
use tokio::sync::Mutex;

pub use index::Index;
pub use journal::Logged;
pub use lock::Lock;

/// A state directory.
#[derive(Debug, Clone)]
pub struct StateDir {
    root: PathBuf,
}

pub(crate) fn io(doing: &'static str, place: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let place = place.display().to_string();
    move |source| StoreError::Io { doing, place, source }
}

impl StateDir {
    /// The directory; it need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Takes the lock; creates the directory. `owner` is shown to whoever finds it taken.
    pub fn lock(&self, owner: &str) -> Result<Lock, StoreError> {
        std::fs::create_dir_all(&self.root).map_err(io("create", &self.root))?;
        Lock::take(&self.root.join("lock"), owner)
    }

    /// Who holds the lock and since when, without taking it; `None` = nobody.
    pub fn held(&self) -> Result<Option<(String, String)>, StoreError> {
        Lock::held(&self.root.join("lock"))
    }

    /// Which Console was seen with which vendor account.
    pub fn index(&self) -> Result<Index, StoreError> {
        Index::read(&self.root.join("state.json"))
    }

    /// Writes the index.
    pub fn write_index(&self, index: &Index) -> Result<(), StoreError> {
        index.write(&self.root.join("state.json"))
    }

    fn account(&self, account: &VendorAccount) -> PathBuf {
        let slug: String = account
            .as_str()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' })
            .collect();
        self.root.join("accounts").join(slug)
    }

    /// The ledger of a vendor account, if there is one.
    pub fn ledger(&self, account: &VendorAccount) -> Result<Option<Ledger>, StoreError> {
        Ok(journal::read(&self.account(account))?.map(|read| read.ledger))
            .map(|ledger| ledger.filter(|ledger| ledger.header.vendor_account == *account))
    }

    /// Every vendor account that has a ledger here, sorted.
    pub fn accounts(&self) -> Result<Vec<VendorAccount>, StoreError> {
        let dir = self.root.join("accounts");
        let mut out = Vec::new();
        match std::fs::read_dir(&dir) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(out),
            Err(error) => return Err(io("read", &dir)(error)),
            Ok(entries) => {
                for entry in entries {
                    let path = entry.map_err(io("read", &dir))?.path();
                    if let Some(read) = journal::read(&path)? {
                        out.push(read.ledger.header.vendor_account);
                    }
                }
            }
        }
        out.sort();
        Ok(out)
    }

    /// Opens a ledger for writing; the lock proves that nobody else does. A new one gets the given lineage.
    pub fn open(
        &self,
        _lock: &Lock,
        account: &VendorAccount,
        lineage: impl FnOnce() -> String,
    ) -> Result<(Ledger, LocalStore), StoreError> {
        let dir = self.account(account);
        std::fs::create_dir_all(&dir).map_err(io("create", &dir))?;
        let (ledger, writer) = journal::open(&dir, account, lineage)?;
        Ok((ledger, LocalStore { writer: Mutex::new(writer) }))
    }

    /// What happened, oldest first.
    pub fn log(&self, account: &VendorAccount) -> Result<Vec<Logged>, StoreError> {
        journal::log(&self.account(account))
    }

    /// Rewrites what the journal still holds of entries: those that `clean` changes. Events keep their kind, time and
    /// run; `words` may shorten what they say. Returns how many lines changed.
    pub fn scrub(
        &self,
        _lock: &Lock,
        account: &VendorAccount,
        clean: &dyn Fn(&Address, &mut Entry),
        words: &dyn Fn(&mut LogEvent),
    ) -> Result<usize, StoreError> {
        journal::scrub(&self.account(account), clean, words)
    }

    /// Details that were read before; an unreadable cache is an empty one.
    pub fn cache(&self, account: &VendorAccount) -> Details {
        cache::read(&self.account(account).join("cache.json"))
    }

    /// Stores details; failure costs only requests.
    pub fn write_cache(&self, account: &VendorAccount, details: &Details) -> Result<(), StoreError> {
        let dir = self.account(account);
        std::fs::create_dir_all(&dir).map_err(io("create", &dir))?;
        cache::write(&dir.join("cache.json"), details)
    }

    /// Where sealed one-time secrets of this directory go.
    pub fn secrets(&self) -> PathBuf {
        self.root.join("sealed")
    }
}

/// A ledger in the state directory, open for writing.
pub struct LocalStore {
    writer: Mutex<journal::Writer>,
}

impl LocalStore {
    /// Rewrites the ledger file, so that the next run needs no journal.
    pub async fn compact(&self, ledger: &Ledger) -> Result<(), StoreError> {
        self.writer.lock().await.compact(ledger)
    }
}

#[async_trait]
impl LedgerStore for LocalStore {
    async fn commit(&self, expected: u64, writes: Vec<Write>, event: LogEvent) -> Result<u64, StoreError> {
        self.writer.lock().await.commit(expected, vec![(writes, event)])
    }

    async fn commit_all(&self, expected: u64, batches: Vec<Batch>) -> Result<u64, StoreError> {
        self.writer.lock().await.commit(expected, batches)
    }
}

/// Writes a file whole or not at all: see [`write_whole`].
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    write_whole(path, |out| out.write_all(bytes))
}

/// Writes a file whole or not at all, piece by piece: a temporary beside it, synced, then renamed, then the directory
/// synced.
pub(crate) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> Result<(), StoreError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(dir).map_err(io("create", dir))?;
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(io("write", path))?;
    let mut out = std::io::BufWriter::with_capacity(128 << 10, file.as_file_mut());
    write(&mut out).and_then(|()| std::io::Write::flush(&mut out)).map_err(io("write", path))?;
    drop(out);
    file.as_file().sync_all().map_err(io("write", path))?;
    failpoint::pass("before");
    file.persist(path).map_err(|error| io("write", path)(error.error))?;
    std::fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(io("write", path))?;
    failpoint::pass("after");
    Ok(())
}

#[cfg(test)]
mod tests;
