//! What a console holds, as far as it was read: a census of all records, details of wanted ones, each with its time.
//!
//! What was not read is not there to be compared: it is neither equal nor different, and above all not absent.
//! Invariant: `Census::complete` is only true where every page arrived, in one listing, without a gap.

mod fields;
mod keys;
mod record;
mod written;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::{RemoteId, VendorAccount};
use crate::text::Untrusted;
use crate::value::{Field, FieldLists, Value};

pub use fields::Fields;
pub use keys::{KeyKind, KeyRef, Keys};
pub use record::Record;

/// Who we are at the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The account that the ledger is pinned to.
    pub vendor_account: VendorAccount,
    /// One line for people: `Sophos Central Partner · MSP Flex · partner 8a1c7f…`.
    pub title: String,
    /// What identification found out beside who we are, in the adapter's own terms: exported with an observation, it
    /// gives the same [`Dialect`](crate::console::Dialect) without a connection. Holds no secret; null = nothing.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub probed: serde_json::Value,
}

/// A listing of all records of a console. Read from an export it is sorted anew. A copy shares the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "Exported")]
pub struct Census {
    /// When the first page was asked for.
    pub began: Timestamp,
    /// When the last page arrived.
    pub ended: Timestamp,
    /// Why it is not complete; `None` = complete.
    pub incomplete: Option<String>,
    /// The records, sorted by id, without duplicates.
    records: Arc<[Record]>,
}

/// A census as an export holds it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Exported {
    began: Timestamp,
    ended: Timestamp,
    incomplete: Option<String>,
    records: Vec<Record>,
}

impl From<Exported> for Census {
    fn from(read: Exported) -> Self {
        Self::new(read.began, read.ended, read.incomplete, read.records)
    }
}

impl Census {
    /// A census of these records; sorts them and drops exact repetitions of an id (a record that moved between two
    /// pages is listed twice by some vendors; the later page wins).
    pub fn new(
        began: Timestamp,
        ended: Timestamp,
        incomplete: Option<String>,
        mut records: Vec<Record>,
    ) -> Self {
        // Stable, so that of one id the last stays last.
        records.sort_by(|a, b| a.id.cmp(&b.id));
        records.dedup_by(|later, kept| {
            let again = later.id == kept.id;
            if again {
                std::mem::swap(later, kept);
            }
            again
        });
        let mut lists = FieldLists::default();
        for record in &mut records {
            record.share(&mut lists);
        }
        Record::pack(&mut records);
        Self { began, ended, incomplete, records: records.into() }
    }

    /// Where a record has one of these ids, lets it use that one, so that an id which a ledger holds too is in memory
    /// once. Where a copy of the census shares the records, nothing is done: it would hold them twice.
    pub fn share_ids<'i>(&mut self, ids: impl IntoIterator<Item = &'i RemoteId>) {
        let Some(records) = Arc::get_mut(&mut self.records) else { return };
        for id in ids {
            if let Ok(n) = records.binary_search_by(|record| record.id.cmp(id)) {
                records[n].id = id.clone();
            }
        }
    }

    /// Whether absence from it means something.
    pub fn complete(&self) -> bool {
        self.incomplete.is_none()
    }

    /// Lets go of the records; when it was read and whether it is complete stays.
    pub fn forget_records(&mut self) {
        self.records = Arc::default();
    }

    /// The records, sorted by id.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The record with this id.
    pub fn get(&self, id: &RemoteId) -> Option<&Record> {
        self.records.binary_search_by(|record| record.id.cmp(id)).ok().map(|n| &self.records[n])
    }
}

/// A group of facts with one age, as in `Console.spec.observe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Facet {
    /// The account's own fields beyond the list (billing profile).
    Account,
    /// Rights in the customer's tenant.
    Access,
    /// Licences and subscriptions.
    Licenses,
}

/// Names one detail: which record, which facet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DetailKey {
    /// The record.
    pub id: RemoteId,
    /// The facet.
    pub facet: Facet,
}

/// One licence that an account holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LicenseRecord {
    /// The vendor's id.
    pub id: RemoteId,
    /// The article's key, as the adapter derives it from a Product too (`CIXA-MSP`, `CFQ7TTC0LH18:0001`).
    pub article: Untrusted,
    /// Whether it is in force (active, or suspended but still billed).
    pub in_force: bool,
    /// The vendor's word for its status.
    pub status: Untrusted,
    /// Fields (`type`, `quantity`, `autoRenew`, …).
    pub fields: Vec<(Field, Value)>,
    /// Why it stands in the way of ending the account, and until when, if it does.
    pub blocks_end: Option<Blocker>,
}

/// Something that stands in the way of ending an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocker {
    /// What it is, in the console's words; fit for a terminal.
    pub words: String,
    /// The day it ends by itself, if known.
    pub until: Option<Timestamp>,
}

/// A vendor's refusal, kept with its code and ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// Our kebab-case code, one per meaning (`seats-assigned`), `refused` where the vendor's code is not listed.
    pub code: String,
    /// HTTP status, if there was one.
    pub status: Option<u16>,
    /// The vendor's code.
    pub vendor_code: Option<Untrusted>,
    /// What happened, in our words where the code is known, else the vendor's.
    pub words: Untrusted,
    /// What to do about it; may be empty.
    pub hint: String,
    /// The vendor's request id, for support.
    pub request_id: Option<Untrusted>,
    /// Its correlation id.
    pub correlation_id: Option<Untrusted>,
}

/// What reading one facet gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FacetRead {
    /// When it was read.
    pub as_of: Timestamp,
    /// `Some` = this customer is not readable: nothing of it is compared, nothing is planned for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<Box<Refusal>>,
    /// Fields.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
    /// Licences, for the licence facet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<LicenseRecord>,
}

impl FacetRead {
    /// The value of a field.
    pub fn field(&self, path: &str) -> Option<Value> {
        self.fields.get(path)
    }
}

/// Details by record and facet. Shared, because a run keeps what is young of what the one before has read.
pub type Details = BTreeMap<DetailKey, Arc<FacetRead>>;

/// Details as a list: no format that people read has keys of two parts.
mod as_list {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{DetailKey, Details, FacetRead};

    #[derive(Serialize)]
    struct Written<'a> {
        #[serde(flatten)]
        key: &'a DetailKey,
        read: &'a FacetRead,
    }

    #[derive(Deserialize)]
    struct Read {
        #[serde(flatten)]
        key: DetailKey,
        read: FacetRead,
    }

    pub(super) fn serialize<S: Serializer>(details: &Details, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(details.iter().map(|(key, read)| Written { key, read }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Details, D::Error> {
        let list = Vec::<Read>::deserialize(deserializer)?;
        Ok(list.into_iter().map(|one| (one.key, one.read.into())).collect())
    }
}

/// Everything one run knows about one console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// Who we are there.
    pub identity: Identity,
    /// All records.
    pub census: Census,
    /// Details, read in this run or young enough in the cache.
    #[serde(with = "as_list")]
    pub details: Details,
    /// What it cost.
    pub cost: ReadCost,
}

impl Observed {
    /// One facet of one record.
    pub fn facet(&self, id: &RemoteId, facet: Facet) -> Option<&FacetRead> {
        self.details.get(&DetailKey { id: id.clone(), facet }).map(|read| &**read)
    }

    /// One facet of one record, where this run has read it: later than its census began, and not from the cache.
    pub fn fresh(&self, id: &RemoteId, facet: Facet) -> Option<&FacetRead> {
        self.facet(id, facet).filter(|read| read.unreadable.is_none() && read.as_of >= self.census.began)
    }
}

/// What reading cost, printed with every plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReadCost {
    /// Pages of the census.
    pub pages: u32,
    /// Details read in this run.
    pub details: u32,
    /// Other requests: tokens, identity, position probes, repetitions after 429 and 5xx.
    pub other: u32,
    /// Bytes received.
    pub bytes: u64,
}

#[cfg(test)]
mod tests;
