//! What the ledger of a scenario remembers, in the words of `observed.json`.
//!
//! Values are written as they were; their digests are made with the ledger's own key. Never holds what planning is to
//! find out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use tenantry_engine::action::Action;
use tenantry_engine::address::{Address, RemoteId};
use tenantry_engine::capability::{OperationClass, Row};
use tenantry_engine::ledger::{
    Applied, DeletionPolicy, Entry, GuardKind, GuardUse, Invitation, Ledger, Standing,
};
use tenantry_engine::observed::KeyKind;
use tenantry_engine::operation::{Operation, Phase};
use tenantry_engine::origin::Origin;
use tenantry_engine::plan::Fingerprint;
use tenantry_engine::plan::matching::Key;
use tenantry_engine::task::TaskRecord;
use tenantry_engine::value::{Digester, Field, Value};

/// The ledger.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Remembered {
    confirmed: bool,
    last_census: Option<u64>,
    /// Uses within the window.
    guard_log: Vec<(GuardKind, u32)>,
    used_approvals: BTreeSet<Fingerprint>,
    entries: BTreeMap<Address, Known>,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            confirmed: true,
            last_census: None,
            guard_log: Vec::new(),
            used_approvals: BTreeSet::new(),
            entries: BTreeMap::new(),
        }
    }
}

/// One entry.
#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Known {
    id: Option<RemoteId>,
    /// Default: Declared.
    standing: Option<Standing>,
    /// By field, as declared.
    applied: BTreeMap<String, serde_json::Value>,
    /// By field, as the console showed it once settled.
    shown: BTreeMap<String, serde_json::Value>,
    /// Ids of open tasks.
    tasks: Vec<String>,
    deletion_policy: DeletionPolicy,
    consents: BTreeSet<String>,
    /// The file that declared it; default: desired.yaml.
    file: Option<String>,
    parent: Option<Address>,
    /// A creation in doubt, sent then.
    doubt: Option<Timestamp>,
    /// Keys by which what it makes will be recognised.
    expect: BTreeMap<String, String>,
    /// Keys of acceptance of an invitation that was sent.
    invited_as: Vec<String>,
}

fn value(json: &serde_json::Value) -> Value {
    match (json.as_i64(), json.as_str()) {
        (Some(number), _) => Value::Number(number),
        (None, Some(text)) => Value::text(text),
        (None, None) => panic!("{json} is neither a text nor a number"),
    }
}

impl Remembered {
    /// The ledger, at this moment.
    pub fn ledger(&self, now: Timestamp) -> Ledger {
        let mut ledger = Ledger::new("memory:one".into(), "lineage".into());
        ledger.header.confirmed = self.confirmed.then_some(now);
        ledger.header.last_census = self.last_census;
        ledger.header.used_approvals.clone_from(&self.used_approvals);
        ledger.header.guard_log = self
            .guard_log
            .iter()
            .map(|(kind, count)| GuardUse {
                at: now,
                kind: *kind,
                count: *count,
                step: Fingerprint::from_text("0"),
            })
            .collect();
        let digester = ledger.digester();
        ledger.entries =
            self.entries.iter().map(|(address, one)| (address.clone(), one.entry(&digester, now))).collect();
        ledger
    }
}

impl Known {
    fn entry(&self, digester: &Digester, now: Timestamp) -> Entry {
        let file = self.file.as_deref().unwrap_or("desired.yaml");
        let mut entry = Entry::declared(Origin::file(file, 1, 1), now);
        entry.remote_id.clone_from(&self.id);
        entry.standing = self.standing.unwrap_or(Standing::Declared);
        entry.deletion_policy = self.deletion_policy;
        entry.consents = self.consents.clone().into();
        entry.parent = self.parent.clone().map(Box::new);
        for (field, declared) in &self.applied {
            let shown = self.shown.get(field).map(|shown| digester.value(&value(shown)));
            let applied = Applied { declared: digester.value(&value(declared)), shown, unsettled: false };
            entry.last_applied.insert(Field::owned(field.clone()), applied);
        }
        for task in &self.tasks {
            entry.tasks.insert(task.clone(), TaskRecord { since: now, attested: None, task: None });
        }
        entry.operation = self.doubt.map(|sent| Box::new(self.doubtful(digester, sent)));
        if !self.invited_as.is_empty() {
            entry.invitation = Some(Box::new(Invitation {
                link: "https://memory.example/accept/1".into(),
                message_id: "mail-1".into(),
                to: "info@example.example".into(),
                language: "en".into(),
                provider: None,
                accepted_as: self.invited_as.clone(),
                drafted: now,
                sent: Some(now),
                reminders: vec![],
                revoked: None,
            }));
        }
        entry
    }

    fn doubtful(&self, digester: &Digester, sent: Timestamp) -> Operation {
        let expect = self.expect.iter().map(|(kind, raw)| {
            let kind: KeyKind = serde_json::from_value(kind.as_str().into()).expect("a kind of key");
            let key = Key::new(kind, raw).expect("a key");
            (kind, digester.text(&key.value))
        });
        Operation {
            id: "op-1".into(),
            row: Row::Create,
            request_id: "request-1".into(),
            name: "create-tenant".into(),
            action: Action::Create,
            step: Fingerprint::from_text("0"),
            class: OperationClass::Blind,
            content: digester.text("content"),
            intended: sent,
            phase: Phase::Ambiguous { at: sent, because: "no answer".into() },
            declared: BTreeMap::new(),
            expect: expect.collect(),
            lookalikes: vec![],
            looked: None,
            more: false,
        }
    }
}
