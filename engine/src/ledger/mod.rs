//! The ledger: what tenantry bound, applied, intends and waits for, per vendor account.
//!
//! It is thin (no copies of what consoles hold), sorted and line-diffable, and holds digests where a value itself is
//! not needed. Losing it creates nothing and removes nothing: a new one is unconfirmed.

mod applied;
mod entries;
mod seldom;
mod sharing;
mod undeclare;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
pub use tenantry_crd::{DeletionPolicy, Want};
pub use undeclare::undeclare;

pub use applied::LastApplied;
pub use entries::Entries;
pub use seldom::Seldom;
pub use sharing::Common;

use crate::address::{Address, RemoteId, VendorAccount};
use crate::capability::Row;
use crate::operation::Operation;
use crate::origin::Origin;
use crate::plan::Fingerprint;
use crate::task::TaskRecord;
use crate::value::{Digest, Digester};

/// Version of the format below; a reader refuses a later one.
pub const FORMAT_VERSION: u32 = 1;

/// One ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// Its header.
    pub header: Header,
    /// Its entries.
    pub entries: Entries,
}

/// What holds for the whole ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Random, made once: two ledgers are never taken for each other.
    pub lineage: String,
    /// Grows with every write.
    pub serial: u64,
    /// The account it is pinned to.
    pub vendor_account: VendorAccount,
    /// When somebody allowed the first run; `None` holds creations while the console shows unbound records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Timestamp>,
    /// What the guards count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guard_log: Vec<GuardUse>,
    /// Approvals that were used up.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub used_approvals: BTreeSet<Fingerprint>,
    /// How many records the last complete census had: a much smaller next one is suspect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_census: Option<u64>,
    /// Rows that the vendor refused to our position, and when: they are manual from then on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused_rows: BTreeMap<Row, Timestamp>,
    /// In a cluster, where two can name one account: the Console that acts for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<SmolStr>,
}

/// What a guard counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum GuardKind {
    /// Customers made.
    Creations,
    /// Invitations drafted.
    Invitations,
    /// Accounts or licences ended.
    Removals,
    /// Seats added.
    Seats,
}

/// One use of a guard's allowance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GuardUse {
    /// When it was reserved, before the intent.
    pub at: Timestamp,
    /// What was used.
    pub kind: GuardKind,
    /// How much.
    pub count: u32,
    /// By which step.
    pub step: Fingerprint,
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// Declared; bound once it has a remote id.
    Declared,
    /// Its declaration went, nothing is done; declaring it again re-binds.
    Released,
    /// Its declaration went and its deletion policy ends it.
    Leaving,
    /// Ended, by us or seen to be gone.
    Ended,
}

/// What was last applied to one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// Digest of what was declared.
    pub declared: Digest,
    /// Digest of what the console shows for it once settled, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Digest>,
    /// Written, and not yet seen as the console shows it once settled: what it then shows becomes `shown`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsettled: bool,
}

/// An invitation, a fact of its account: it is never made twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// The vendor's link.
    pub link: String,
    /// `Message-ID` of the mail, so that rendering it again gives the same bytes.
    pub message_id: String,
    /// To whom.
    pub to: String,
    /// In which language.
    pub language: String,
    /// The name of the provider that is invited with us, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The key that acceptance will show: `id:…`, `domain:…` or `email:…`.
    pub accepted_as: Vec<String>,
    /// When the link was drafted.
    pub drafted: Timestamp,
    /// When somebody said that the mail was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Timestamp>,
    /// Reminders drafted so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reminders: Vec<Reminder>,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
}

/// One reminder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reminder {
    /// When it was drafted.
    pub drafted: Timestamp,
    /// Its `Message-ID`.
    pub message_id: String,
    /// When somebody said that it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Timestamp>,
}

/// One entry: all that is remembered about an address. What most entries have none of is boxed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Where it was last declared.
    pub origin: Origin,
    /// Where it stands.
    pub standing: Standing,
    /// When that standing began.
    pub since: Timestamp,
    /// The account a licence belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Box<Address>>,
    /// The record it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<RemoteId>,
    /// It was there before this ledger, which nobody had confirmed yet: adoption confirms nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub found: bool,
    /// What was last applied, by field.
    #[serde(default, skip_serializing_if = "LastApplied::is_empty")]
    pub last_applied: LastApplied,
    /// What was last wanted.
    #[serde(default)]
    pub want: Want,
    /// What happens when its declaration goes.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// Consents given for this address.
    #[serde(default, skip_serializing_if = "Seldom::is_empty")]
    pub consents: Seldom<BTreeSet<String>>,
    /// The operation that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Box<Operation>>,
    /// The invitation, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Box<Invitation>>,
    /// Open tasks, and attested ones that nothing has overridden.
    #[serde(default, skip_serializing_if = "Seldom::is_empty")]
    pub tasks: Seldom<BTreeMap<String, TaskRecord>>,
    /// When something was last written there for it: a census that began earlier, or too soon after, proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrote: Option<Timestamp>,
    /// When the record was found to be gone without our doing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_elsewhere: Option<Box<Timestamp>>,
}

impl Entry {
    /// A new entry for a declaration.
    pub fn declared(origin: Origin, now: Timestamp) -> Self {
        Self {
            origin,
            standing: Standing::Declared,
            since: now,
            parent: None,
            remote_id: None,
            found: false,
            last_applied: LastApplied::new(),
            want: Want::Present,
            deletion_policy: DeletionPolicy::Retain,
            consents: Seldom::default(),
            operation: None,
            invitation: None,
            tasks: Seldom::default(),
            wrote: None,
            ended_elsewhere: None,
        }
    }

    /// Whether nothing hangs on it: no record, no invitation, no operation.
    pub fn is_blank(&self) -> bool {
        self.remote_id.is_none() && self.invitation.is_none() && self.operation.is_none()
    }

    /// Bound to a record that, as far as we know, is still there.
    pub fn bound(&self) -> Option<&RemoteId> {
        match self.standing {
            Standing::Declared | Standing::Leaving | Standing::Released => self.remote_id.as_ref(),
            Standing::Ended => None,
        }
    }
}

impl Ledger {
    /// A new, unconfirmed ledger.
    pub fn new(vendor_account: VendorAccount, lineage: String) -> Self {
        Self {
            header: Header {
                format_version: FORMAT_VERSION,
                lineage,
                serial: 0,
                vendor_account,
                confirmed: None,
                guard_log: Vec::new(),
                used_approvals: BTreeSet::new(),
                last_census: None,
                refused_rows: BTreeMap::new(),
                console: None,
            },
            entries: Entries::new(),
        }
    }

    /// A ledger as read: what its entries have in common is held once.
    pub fn read(header: Header, mut entries: Vec<(Address, Entry)>) -> Self {
        let mut common = Common::default();
        for (_, entry) in &mut entries {
            common.share(entry);
        }
        // Collected at once, the tree is full.
        Self { header, entries: entries.into_iter().collect() }
    }

    /// The digester of this ledger: keyed by its lineage.
    pub fn digester(&self) -> Digester {
        Digester::new(&self.header.lineage)
    }
}
