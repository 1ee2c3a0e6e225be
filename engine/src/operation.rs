//! One unsafe request and what is known about it.
//!
//! Phases: `intent → sent → acked | rejected | ambiguous → settled`; a settled operation leaves the ledger. Each
//! arrow is durable before the next thing happens, so that whatever dies, the next run knows at least as much as it
//! may conclude. Bodies are never kept: digests suffice to recognise what was meant.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::address::RemoteId;
use crate::capability::{OperationClass, Row};
use crate::observed::KeyKind;
use crate::plan::Fingerprint;
use crate::value::{Digest, Field, Value};

/// What an adapter wants to send next for a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The adapter's name of the request, such as `create-tenant`.
    pub name: &'static str,
    /// Whether it changes anything at the vendor. A read is repeated freely and never journalled.
    pub unsafe_request: bool,
    /// What kind of proof a repetition needs.
    pub class: OperationClass,
    /// The request's content, adapter-defined. Never stored, never printed.
    pub body: serde_json::Value,
}

/// What comes next for a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// One more request.
    Operation(Draft),
    /// The step is done.
    Finished,
}

/// The request that an adapter is to send: at most once per `id`.
#[derive(Debug, Clone, PartialEq)]
pub struct Request<'a> {
    /// Id of the intent.
    pub id: &'a str,
    /// The idempotency key to send where the vendor takes one; persisted with the intent.
    pub request_id: &'a str,
    /// What to send.
    pub draft: &'a Draft,
    /// The record it is about, if it exists.
    pub remote_id: Option<&'a RemoteId>,
    /// The record of the account, for a licence.
    pub account: Option<&'a RemoteId>,
}

/// A definite yes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ack {
    /// Name of the request that was answered.
    pub name: String,
    /// The record that it made or changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<RemoteId>,
    /// What the vendor's answer says the fields now are: known to be settled. Not persisted.
    #[serde(skip)]
    pub shown: Vec<(Field, Value)>,
    /// A link that the vendor made (an invitation's).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The vendor's request id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_request_id: Option<String>,
}

/// Where an operation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "phase")]
pub enum Phase {
    /// Decided; no byte has left.
    Intent,
    /// About to leave, or left.
    Sent {
        /// When.
        at: Timestamp,
    },
    /// The vendor said yes; more requests of the step may follow.
    Acked {
        /// When.
        at: Timestamp,
        /// Every yes so far.
        acks: Vec<Ack>,
    },
    /// No answer, or one that tells nothing.
    Ambiguous {
        /// When it was sent.
        at: Timestamp,
        /// What came instead of an answer; fit for a terminal.
        because: String,
    },
    /// Somebody says that it happened; what it made is not known yet. Never sent again.
    Attested {
        /// When it was sent.
        at: Timestamp,
    },
    /// Known not to have happened; kept until its step runs again, so that a keyed request reuses its id.
    NotHappened {
        /// When that was concluded.
        at: Timestamp,
    },
    /// A person must say: several look-alikes, or nothing to look at.
    Unknown {
        /// Since when.
        at: Timestamp,
        /// Why; fit for a terminal.
        because: String,
    },
}

/// An operation in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Unique; named by `resolve`.
    pub id: String,
    /// The row of the table that it performs.
    pub row: Row,
    /// The vendor's idempotency key for it.
    pub request_id: String,
    /// The adapter's name of the request.
    pub name: String,
    /// What its step does.
    pub action: Action,
    /// The step it belongs to.
    pub step: Fingerprint,
    /// Its class.
    pub class: OperationClass,
    /// Digest of the request's content.
    pub content: Digest,
    /// When the intent was made.
    pub intended: Timestamp,
    /// Where it stands.
    #[serde(flatten)]
    pub phase: Phase,
    /// Digests of the declared values it brings, for `lastApplied`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub declared: BTreeMap<Field, Digest>,
    /// Digests of the keys by which what it makes will be recognised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<(KeyKind, Digest)>,
    /// Ids of records that already looked like it before it was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lookalikes: Vec<RemoteId>,
    /// When the first conclusive look began that did not show it: two such looks prove that it did not happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked: Option<Timestamp>,
    /// It was acknowledged, and more requests of its step follow: the step is not done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

impl Operation {
    /// When it was sent, if it was.
    pub fn sent_at(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Sent { at }
            | Phase::Acked { at, .. }
            | Phase::Ambiguous { at, .. }
            | Phase::Unknown { at, .. }
            | Phase::Attested { at } => Some(*at),
            Phase::Intent | Phase::NotHappened { .. } => None,
        }
    }

    /// The word for its phase, in `state` and `log`.
    pub fn phase_word(&self) -> &'static str {
        match self.phase {
            Phase::Intent => "intended",
            Phase::Sent { .. } => "sent",
            Phase::Acked { .. } => "acknowledged",
            Phase::Ambiguous { .. } => "in doubt",
            Phase::NotHappened { .. } => "did not happen",
            Phase::Unknown { .. } => "unknown",
            Phase::Attested { .. } => "attested",
        }
    }
}
