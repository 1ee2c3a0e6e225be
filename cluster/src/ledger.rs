//! A ledger kept as ConsoleBindings: one object an entry, one for the header.
//!
//! What it does: reads the whole ledger from the API server itself, never from a cache of ours, and writes with
//! compare-and-swap. What it never does: decide, set an owner, or write what does not differ.
//!
//! How two writers are kept apart. Every commit writes the header first, with the next serial, under the
//! `resourceVersion` that this writer read or wrote last: of two writers who hold the same serial one gets `409` and
//! nothing else of its batch is sent. Guards reserve in that same write. An entry is written under its own
//! `resourceVersion`, and a first one is a POST under a name that follows from its address: a writer who was overtaken
//! between its header and its entry, or who read before another one's entry was durable, meets the other one there
//! (`409` or `AlreadyExists`) before any byte leaves for a vendor. So an intent is durable for one writer only, whatever
//! they read and whenever. An entry that lost its label is not listed, and still cannot be made a second time.
//!
//! Invariants:
//! - A list is one consistent state: no resourceVersion is asked for, and its pages belong to one revision.
//! - After an error the ledger is unknown: this store refuses every further write.
//! - A write without an answer is looked up before it is told: objects name the opened ledger and the write that made
//!   them ([`WRITER_ANNOTATION`]), so equal content of somebody else is not taken for ours. It is sent again only under
//!   the same `resourceVersion`, which lets at most one of the two count.
//! - With a fence ([`ClusterLedger::fenced`]) nothing is written once the Lease may be lost.

mod reserved;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt};
use kube::api::{Api, ListParams};
use kube::core::DynamicObject;
use kube::discovery::ApiResource;
use kube::{Client, Resource};
use sha2::{Digest as _, Sha256};
use smol_str::SmolStr;
use tenantry_crd::binding::LedgerHeader;
use tenantry_crd::{ConsoleBinding, ConsoleBindingSpec};
use tenantry_engine::address::{Address, VendorAccount};
use tenantry_engine::ledger::{Common, Entries, Entry, Header, Ledger};
use tenantry_engine::store::{Batch, LedgerStore, LogEvent, StoreError, Write};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::LEDGER_LABEL;
#[cfg(doc)]
use crate::WRITER_ANNOTATION;
use crate::api::ApiError;
use crate::bindings::{self, Bound, binding_name, ledger_label};

#[cfg(test)]
mod tests;

/// How many objects a page of a list has.
const PAGE: u32 = 500;

/// How many writes of one wave are on their way at once.
const AT_ONCE: usize = 8;

/// How many writes are made ready at once.
const READY: usize = 128;

/// Whether the Lease is still ours; asked before every write.
pub type StillHeld = Arc<dyn Fn() -> bool + Send + Sync>;

/// Hears of events once their writes are durable: all of those that were stored together.
pub type Hear = Arc<dyn Fn(&[LogEvent]) + Send + Sync>;

/// The replica may not write any more.
#[derive(Debug, thiserror::Error)]
#[error(
    "this replica's Lease (generation {generation}) is not held any more; nothing was written, the replica that holds it goes on"
)]
pub struct NotHeld {
    /// Generation of the Lease under which this replica wrote.
    pub generation: i64,
}

/// An earlier write failed.
#[derive(Debug, thiserror::Error)]
#[error(
    "an earlier write of this run failed: what the ledger holds is not known; run again, it is read anew"
)]
pub struct Unknown;

/// 128 bits of a name or of a content.
type Short = [u8; 16];

/// What is stored of an object, as far as we read or wrote it.
#[derive(Clone)]
struct Known {
    version: SmolStr,
    content: Short,
}

struct State {
    header: Header,
    header_version: SmolStr,
    /// A tree: read or grown by much it is made anew, without room for more.
    entries: BTreeMap<Short, Known>,
    /// How many there were when that tree was made.
    fitted: usize,
    /// A commit began and did not end well: nothing more is written.
    unknown: bool,
    /// Numbers the writes of this opened ledger.
    writes: u64,
}

struct Fence {
    generation: i64,
    still_held: StillHeld,
}

/// A ledger in a cluster, open for writing.
pub struct ClusterLedger {
    api: Api<ConsoleBinding>,
    namespace: String,
    account: VendorAccount,
    writer: Uuid,
    fence: Option<Fence>,
    hear: Option<Hear>,
    state: Mutex<State>,
}

/// A ledger as listed, with what is needed to write it.
struct Listed {
    header: Option<(Header, SmolStr)>,
    entries: Entries,
    known: BTreeMap<Short, Known>,
}

impl ClusterLedger {
    /// Opens the ledger of a vendor account in a namespace: lists it from the API server, and makes its header where
    /// there is none. Of two that make it at once, the other one reads what the first one made.
    pub async fn open(
        client: &Client,
        namespace: &str,
        account: &VendorAccount,
        lineage: impl FnOnce() -> String,
    ) -> Result<(Ledger, Self), StoreError> {
        let mut listed = list(client, namespace, account).await?;
        let api = Api::namespaced(client.clone(), namespace);
        let writer = Uuid::new_v4();
        if listed.header.is_none() {
            let header = Ledger::new(account.clone(), lineage()).header;
            match write::create_header(&api, namespace, &header, writer).await? {
                Some(version) => listed.header = Some((header, version)),
                None => listed = list(client, namespace, account).await?,
            }
        }
        let (header, header_version) = listed.header.ok_or_else(|| StoreError::Overtaken {
            place: bindings::place(&bindings::object(account, None, ConsoleBindingSpec::default()).metadata),
            found: "it was made and taken away while it was being opened".to_owned(),
        })?;
        let ledger = Ledger { header: header.clone(), entries: listed.entries };
        let (entries, fitted) = (listed.known, ledger.entries.len());
        let state = State { header, header_version, entries, fitted, unknown: false, writes: 0 };
        let store = Self {
            api,
            namespace: namespace.to_owned(),
            account: account.clone(),
            writer,
            fence: None,
            hear: None,
            state: Mutex::new(state),
        };
        Ok((ledger, store))
    }

    /// The ledger of a vendor account without the right to write it; `None` where there is none. For planning.
    pub async fn read(
        client: &Client,
        namespace: &str,
        account: &VendorAccount,
    ) -> Result<Option<Ledger>, StoreError> {
        let listed = list(client, namespace, account).await?;
        Ok(listed.header.map(|(header, _)| Ledger { header, entries: listed.entries }))
    }

    /// The serial of the last write; `None` where there is no ledger. For whoever holds one and asks whether somebody else
    /// wrote.
    pub async fn serial(
        client: &Client,
        namespace: &str,
        account: &VendorAccount,
    ) -> Result<Option<u64>, StoreError> {
        let header = stored_header(client, namespace, account).await?;
        Ok(header.and_then(|header| u64::try_from(header.serial).ok()))
    }

    /// The Console that acts for a vendor account; `None` where there is no ledger, or none acted yet.
    pub async fn console(
        client: &Client,
        namespace: &str,
        account: &VendorAccount,
    ) -> Result<Option<String>, StoreError> {
        Ok(stored_header(client, namespace, account).await?.and_then(|header| header.console))
    }

    /// Every vendor account that has a ledger in a namespace, sorted.
    pub async fn accounts(client: &Client, namespace: &str) -> Result<Vec<VendorAccount>, StoreError> {
        let mut accounts = Vec::new();
        for object in all(client, namespace, None).await? {
            let text = |path: &str| object.data.pointer(path).and_then(serde_json::Value::as_str);
            if let (Some(account), Some(_)) =
                (text("/spec/vendorAccount"), object.data.pointer("/spec/header"))
            {
                accounts.push(VendorAccount::new(account));
            }
        }
        accounts.sort();
        accounts.dedup();
        Ok(accounts)
    }

    /// Writes only while `still_held` says so, and names the Lease's generation on what it writes. The generation tells
    /// people who wrote; what keeps an older replica from writing is `resourceVersion`.
    #[must_use]
    pub fn fenced(mut self, generation: i64, still_held: StillHeld) -> Self {
        self.fence = Some(Fence { generation, still_held });
        self
    }

    /// Tells every event whose writes are durable: an API server keeps no log of ours.
    #[must_use]
    pub fn heard_by(mut self, hear: Hear) -> Self {
        self.hear = Some(hear);
        self
    }

    async fn write(&self, expected: u64, batches: Vec<Batch>) -> Result<u64, StoreError> {
        let mut state = self.state.lock().await;
        if state.unknown {
            return Err(StoreError::Other(Box::new(Unknown)));
        }
        if state.header.serial != expected {
            return Err(StoreError::Conflict {
                account: self.account.to_string(),
                expected,
                found: state.header.serial,
            });
        }
        let raised = expected.saturating_add(batches.len() as u64);
        let (mut header, mut changes, mut events) = (None, Vec::new(), Vec::new());
        for (writes, event) in batches {
            events.push(event);
            for write in writes {
                match write {
                    Write::Header(one) => header = Some(*one),
                    Write::Put(address, entry) => changes.push(Change::put(&self.account, address, entry)),
                    Write::Erase(address) => changes.push(Change::erase(&self.account, address)),
                }
            }
        }
        let header = Header { serial: raised, ..header.unwrap_or_else(|| state.header.clone()) };
        let same = Header { serial: expected, ..header.clone() } == state.header;
        if same && !changes.iter().any(|change| change.differs(&state.entries)) {
            return Ok(expected);
        }
        state.unknown = true;
        let reserved = reserved::of(&self.account, &state, &header, &changes);
        self.header(&mut state, header, reserved).await?;
        for wave in waves(changes) {
            self.wave(&mut state, wave).await?;
        }
        state.unknown = false;
        if state.entries.len() > state.fitted + state.fitted / 4 {
            state.entries = std::mem::take(&mut state.entries).into_iter().collect();
            state.fitted = state.entries.len();
        }
        if let Some(hear) = &self.hear {
            hear(&events);
        }
        Ok(raised)
    }

    /// One wave: what differs, eight at a time. After a failure no further write begins, and those on their way are
    /// waited for.
    async fn wave(&self, state: &mut State, wave: Vec<Change>) -> Result<(), StoreError> {
        let failed = std::sync::atomic::AtomicBool::new(false);
        let mut changes =
            wave.into_iter().filter(|change| change.differs(&state.entries)).collect::<Vec<_>>();
        let mut first = None;
        // An object is made of an entry shortly before it is sent: a hundred thousand of them would be too many.
        while !changes.is_empty() && first.is_none() {
            let some: Vec<Change> = changes.drain(..changes.len().min(READY)).collect();
            let mut sending = Vec::with_capacity(some.len());
            for change in some {
                let known = state.entries.get(&change.name).cloned();
                state.writes += 1;
                let (number, failed) = (state.writes, &failed);
                sending.push(async move {
                    if failed.load(std::sync::atomic::Ordering::Relaxed) {
                        return Ok(None);
                    }
                    let name = change.name;
                    let result = self.change(change, known, number).await;
                    if result.is_err() {
                        failed.store(true, std::sync::atomic::Ordering::Relaxed);
                    }
                    result.map(|known| Some((name, known)))
                });
            }
            let mut results = stream::iter(sending).buffer_unordered(AT_ONCE);
            while let Some(result) = results.next().await {
                match result {
                    Ok(Some((name, Some(known)))) => {
                        state.entries.insert(name, known);
                    }
                    Ok(Some((name, None))) => {
                        state.entries.remove(&name);
                    }
                    Ok(None) => {}
                    Err(error) => first = first.or(Some(error)),
                }
            }
        }
        first.map_or(Ok(()), Err)
    }
}

#[async_trait]
impl LedgerStore for ClusterLedger {
    async fn commit(&self, expected: u64, writes: Vec<Write>, event: LogEvent) -> Result<u64, StoreError> {
        self.write(expected, vec![(writes, event)]).await
    }

    /// One header for all of them, then their entries in waves: see [`waves`].
    async fn commit_all(&self, expected: u64, batches: Vec<Batch>) -> Result<u64, StoreError> {
        self.write(expected, batches).await
    }
}

/// What is to become of one entry.
struct Change {
    name: Short,
    address: Address,
    /// What it becomes, and the digest of the object that is made of it; `None`: it is erased.
    put: Option<(Box<Entry>, Short)>,
    /// Binding, invitation or operation stand in it.
    holds: bool,
}

impl Change {
    fn put(account: &VendorAccount, address: Address, entry: Box<Entry>) -> Self {
        let content = content(&bindings::to_spec(&address, &entry, account));
        let holds = !entry.is_blank();
        Self { name: short(account, &address), address, put: Some((entry, content)), holds }
    }

    fn erase(account: &VendorAccount, address: Address) -> Self {
        Self { name: short(account, &address), address, put: None, holds: false }
    }

    fn differs(&self, known: &BTreeMap<Short, Known>) -> bool {
        match (&self.put, known.get(&self.name)) {
            (Some((_, content)), Some(known)) => known.content != *content,
            (Some(_), None) | (None, Some(_)) => true,
            (None, None) => false,
        }
    }
}

/// Cuts changes into waves of which each is durable before the next begins: what holds a binding, an invitation or an
/// operation goes before what holds none any more, as the caller ordered it, so that a write that breaks off leaves one
/// that moves twice and never nowhere; and two changes of one address never share a wave.
fn waves(changes: Vec<Change>) -> Vec<Vec<Change>> {
    let mut waves: Vec<Vec<Change>> = Vec::new();
    let mut names = std::collections::HashSet::new();
    for change in changes {
        let begins = waves.last().and_then(|wave| wave.last()).is_none_or(|last| last.holds != change.holds);
        if begins || names.contains(&change.name) {
            waves.push(Vec::new());
            names.clear();
        }
        names.insert(change.name);
        if let Some(wave) = waves.last_mut() {
            wave.push(change);
        }
    }
    waves
}

/// The address's part of the object's name, as bits.
fn short(account: &VendorAccount, address: &Address) -> Short {
    first_bits(binding_name(account, Some(address)).as_bytes())
}

fn content(spec: &ConsoleBindingSpec) -> Short {
    first_bits(&serde_json::to_vec(spec).expect("a spec is JSON"))
}

fn first_bits(bytes: &[u8]) -> Short {
    let whole: [u8; 32] = Sha256::digest(bytes).into();
    std::array::from_fn(|place| whole[place])
}

/// The header alone.
async fn stored_header(
    client: &Client,
    namespace: &str,
    account: &VendorAccount,
) -> Result<Option<LedgerHeader>, StoreError> {
    let api = Api::<ConsoleBinding>::namespaced(client.clone(), namespace);
    let name = binding_name(account, None);
    let found = api.get_opt(&name).await;
    let found =
        found.map_err(|error| ApiError::new(format!("get ConsoleBinding {namespace}/{name}"), error))?;
    Ok(found.and_then(|object| object.spec.header))
}

/// Every ConsoleBinding of a namespace with this label, or all, of one revision.
async fn all(
    client: &Client,
    namespace: &str,
    label: Option<&str>,
) -> Result<Vec<DynamicObject>, StoreError> {
    let mut out = Vec::new();
    pages(client, namespace, label, &mut |object| {
        out.push(object);
        Ok(())
    })
    .await?;
    Ok(out)
}

/// Hands over the objects page by page. A list that grows too old while it is read (`410`) is an error of the run.
async fn pages(
    client: &Client,
    namespace: &str,
    label: Option<&str>,
    each: &mut (dyn FnMut(DynamicObject) -> Result<(), StoreError> + Send),
) -> Result<(), StoreError> {
    let resource = ApiResource::erase::<ConsoleBinding>(&());
    let api = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &resource);
    let mut params = ListParams::default().limit(PAGE);
    if let Some(label) = label {
        params = params.labels(label);
    }
    loop {
        let page = api.list(&params).await.map_err(|error| {
            ApiError::new(format!("list {} in namespace {namespace}", ConsoleBinding::plural(&())), error)
        })?;
        for object in page.items {
            each(object)?;
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(()),
        }
    }
}

async fn list(client: &Client, namespace: &str, account: &VendorAccount) -> Result<Listed, StoreError> {
    let label = format!("{LEDGER_LABEL}={}", ledger_label(account));
    let mut listed = Listed { header: None, entries: Entries::new(), known: BTreeMap::new() };
    let mut common = Common::default();
    // A header of a later format explains every other object that is not understood: it is told before them.
    let (mut later, mut damaged) = (None, None);
    let mut reserved = None;
    pages(client, namespace, Some(&label), &mut |object| {
        let version: SmolStr = object.metadata.resource_version.clone().unwrap_or_default().into();
        let header = object.data.pointer("/spec/header").is_some();
        let used = if header { reserved::read(&object) } else { None };
        match bindings::decode(&object, account) {
            Ok(Bound::Header(header)) => {
                listed.header = Some((*header, version));
                reserved = used;
            }
            Ok(Bound::Entry(address, mut entry)) => {
                common.share(&mut entry);
                let content = content(&bindings::to_spec(&address, &entry, account));
                listed.known.insert(short(account, &address), Known { version, content });
                listed.entries.insert(address, entry);
            }
            Err(error) if header => later = Some(error),
            Err(error) => damaged = damaged.take().or(Some(error)),
        }
        Ok(())
    })
    .await?;
    if let Some(error) = later.or(damaged) {
        return Err(error);
    }
    if let (Some((header, _)), Some(reserved)) = (&mut listed.header, reserved) {
        reserved::take_back(&reserved, header, &listed.known);
    }
    listed.entries.fit();
    listed.known = listed.known.into_iter().collect();
    if listed.header.is_none() && !listed.entries.is_empty() {
        return Err(StoreError::Damaged {
            place: format!("ConsoleBinding {namespace}/{}", binding_name(account, None)),
            because: format!(
                "the ledger's header is missing, {} of its entries are there; restore it from a backup, or delete them too (kubectl delete consolebindings -n {namespace} -l {label}): a new ledger creates nothing that is there",
                listed.entries.len()
            ),
        });
    }
    Ok(listed)
}
