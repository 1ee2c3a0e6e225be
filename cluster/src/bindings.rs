//! Entries and headers of a ledger as ConsoleBindings, and back.
//!
//! The engine's types are the truth; a ConsoleBinding holds all of what they persist. What cannot be read back is an
//! error that names the object and the field, and never an entry less: a ledger with a hole could create twice.
//!
//! Invariants: `read(write(x)) == x`; the name of an object follows from vendor account and address alone, so that two
//! writers who mean the same address meet at one name; an object under another name, account or label is damaged.

use std::collections::BTreeMap;

use kube::api::ObjectMeta;
use kube::core::DynamicObject;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tenantry_crd::binding::{
    AppliedField, BoundAddress, BoundOrigin, BoundStanding, GuardUse, LedgerHeader, OriginFile, OriginObject,
};
use tenantry_crd::{ConsoleBinding, ConsoleBindingSpec, Moment};
use tenantry_engine::address::{Address, Kind, RemoteId, VendorAccount};
use tenantry_engine::ledger::{Applied, Entry, FORMAT_VERSION, Header, Standing};
use tenantry_engine::origin::Origin;
use tenantry_engine::plan::Fingerprint;
use tenantry_engine::store::StoreError;
use tenantry_engine::value::{Digest, Field};

use crate::LEDGER_LABEL;

#[cfg(test)]
mod tests;

/// What one ConsoleBinding holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// The ledger's header.
    Header(Box<Header>),
    /// An entry.
    Entry(Address, Box<Entry>),
}

/// A field that does not say what an entry or header needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {because}")]
pub struct BadBinding {
    /// Path of the field.
    pub field: String,
    /// What is wrong with it.
    pub because: String,
}

impl BadBinding {
    fn new(field: impl Into<String>, because: impl std::fmt::Display) -> Self {
        Self { field: field.into(), because: because.to_string() }
    }
}

/// `metadata.name` of the ConsoleBinding of an address, or of the header: 128 bits of SHA-256 over vendor account and
/// address, in hex behind a word, so that it is a DNS label and stays the same for ever.
pub fn binding_name(account: &VendorAccount, address: Option<&Address>) -> String {
    let digest = |parts: &[&str]| hex(&sha256(parts)[..16]);
    match address {
        None => format!("ledger-{}", digest(&["header", account.as_str()])),
        Some(address) => {
            let (has_account, inside) = match &address.account {
                Some(inside) => ("1", inside.as_str()),
                None => ("0", ""),
            };
            let kind = kind_name(address.kind);
            let parts =
                ["entry", account.as_str(), kind, &address.namespace, &address.name, has_account, inside];
            format!("entry-{}", digest(&parts))
        }
    }
}

/// The value of [`LEDGER_LABEL`] for a vendor account.
pub fn ledger_label(account: &VendorAccount) -> String {
    hex(&sha256(&["label", account.as_str()])[..16])
}

/// SHA-256 over length-prefixed parts.
fn sha256(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An object with this spec under its name and label, not yet with a resourceVersion.
pub fn object(
    account: &VendorAccount,
    address: Option<&Address>,
    spec: ConsoleBindingSpec,
) -> ConsoleBinding {
    ConsoleBinding {
        metadata: ObjectMeta {
            name: Some(binding_name(account, address)),
            labels: Some(BTreeMap::from([(LEDGER_LABEL.to_owned(), ledger_label(account))])),
            ..ObjectMeta::default()
        },
        spec,
    }
}

/// What an object of the API server holds; anything that is not wholly understood is [`StoreError::Damaged`].
pub fn decode(object: &DynamicObject, account: &VendorAccount) -> Result<Bound, StoreError> {
    let place = place(&object.metadata);
    let damaged = |error: BadBinding| StoreError::Damaged {
        place: place.clone(),
        because: format!(
            "{error}; nothing is planned from a ledger with a hole: restore this object from a backup, or use the tenantry that wrote it"
        ),
    };
    if let Some(version) = format_version(&object.data)
        && version > u64::from(FORMAT_VERSION)
    {
        return Err(later(&place, version));
    }
    let spec = object.data.get("spec").cloned().unwrap_or_default();
    let spec: ConsoleBindingSpec = field("spec", spec).map_err(damaged)?;
    if spec.vendor_account != account.as_str() {
        let because = format!("is {}, the ledger belongs to {account}", spec.vendor_account);
        return Err(damaged(BadBinding::new("spec.vendorAccount", because)));
    }
    let (bound, name) = if spec.header.is_some() {
        (Bound::Header(Box::new(header_from_spec(spec).map_err(damaged)?)), binding_name(account, None))
    } else {
        let (address, entry) = from_spec(spec).map_err(damaged)?;
        let name = binding_name(account, Some(&address));
        (Bound::Entry(address, Box::new(entry)), name)
    };
    if object.metadata.name.as_deref() != Some(name.as_str()) {
        let because = format!("is not {name}, which follows from what it binds: two objects could bind it");
        return Err(damaged(BadBinding::new("metadata.name", because)));
    }
    Ok(bound)
}

/// The ledger's format, before anything else of an object is understood.
fn format_version(data: &Value) -> Option<u64> {
    data.pointer("/spec/header/formatVersion")?.as_u64()
}

fn later(place: &str, version: u64) -> StoreError {
    StoreError::Damaged {
        place: place.to_owned(),
        because: format!(
            "spec.header.formatVersion: written by a later tenantry (format {version}, this one knows {FORMAT_VERSION}); use that one"
        ),
    }
}

/// How an object is called in messages.
pub fn place(metadata: &ObjectMeta) -> String {
    format!(
        "ConsoleBinding {}/{}",
        metadata.namespace.as_deref().unwrap_or_default(),
        metadata.name.as_deref().unwrap_or_default()
    )
}

/// An entry as a ConsoleBinding's spec.
pub fn to_spec(address: &Address, entry: &Entry, account: &VendorAccount) -> ConsoleBindingSpec {
    ConsoleBindingSpec {
        vendor_account: account.as_str().to_owned(),
        address: Some(bound_address(address)),
        header: None,
        origin: Some(bound_origin(&entry.origin)),
        standing: Some(bound_standing(entry.standing)),
        since: Some(Moment(entry.since)),
        parent: entry.parent.as_deref().map(bound_address),
        remote_id: entry.remote_id.as_ref().map(|id| id.as_str().to_owned()),
        found: entry.found,
        last_applied: entry
            .last_applied
            .iter()
            .map(|(field, applied)| (field.as_str().to_owned(), applied_field(&applied)))
            .collect(),
        want: Some(entry.want),
        deletion_policy: Some(entry.deletion_policy),
        consents: entry.consents.iter().cloned().collect(),
        operation: entry.operation.as_ref().map(free),
        invitation: entry.invitation.as_ref().map(free),
        tasks: (!entry.tasks.is_empty()).then(|| free(&entry.tasks)),
        wrote: entry.wrote.map(Moment),
        ended_elsewhere: entry.ended_elsewhere.as_deref().copied().map(Moment),
    }
}

/// The entry that a spec holds, with its address.
pub fn from_spec(spec: ConsoleBindingSpec) -> Result<(Address, Entry), BadBinding> {
    let needed =
        |name: &str| BadBinding::new(format!("spec.{name}"), "an entry needs it, and it is not there");
    let address = from_address("spec.address", spec.address.ok_or_else(|| needed("address"))?)?;
    let mut last_applied = Vec::with_capacity(spec.last_applied.len());
    for (path, applied) in spec.last_applied {
        let at = format!("spec.lastApplied.{path}");
        last_applied.push((Field::owned(path), from_applied(&at, &applied)?));
    }
    let entry = Entry {
        origin: from_origin(spec.origin.ok_or_else(|| needed("origin"))?)?,
        standing: from_standing(spec.standing.ok_or_else(|| needed("standing"))?),
        since: spec.since.ok_or_else(|| needed("since"))?.0,
        parent: spec.parent.map(|parent| from_address("spec.parent", parent).map(Box::new)).transpose()?,
        remote_id: spec.remote_id.map(RemoteId::new),
        found: spec.found,
        last_applied: last_applied.into_iter().collect(),
        want: spec.want.unwrap_or_default(),
        deletion_policy: spec.deletion_policy.unwrap_or_default(),
        consents: spec.consents.into_iter().collect(),
        operation: spec.operation.map(|open| field("spec.operation", Value::Object(open))).transpose()?,
        invitation: spec.invitation.map(|made| field("spec.invitation", Value::Object(made))).transpose()?,
        tasks: spec
            .tasks
            .map(|tasks| field("spec.tasks", Value::Object(tasks)))
            .transpose()?
            .unwrap_or_default(),
        wrote: spec.wrote.map(|at| at.0),
        ended_elsewhere: spec.ended_elsewhere.map(|at| at.0.into()),
    };
    Ok((address, entry))
}

/// A header as a ConsoleBinding's spec.
pub fn header_to_spec(header: &Header) -> ConsoleBindingSpec {
    ConsoleBindingSpec {
        vendor_account: header.vendor_account.as_str().to_owned(),
        header: Some(LedgerHeader {
            format_version: header.format_version,
            lineage: header.lineage.clone(),
            serial: i64::try_from(header.serial).unwrap_or(i64::MAX),
            confirmed: header.confirmed.map(Moment),
            guard_log: header
                .guard_log
                .iter()
                .map(|used| GuardUse {
                    at: Moment(used.at),
                    kind: word(&used.kind),
                    count: used.count,
                    step: used.step.as_str().to_owned(),
                })
                .collect(),
            used_approvals: header.used_approvals.iter().map(|one| one.as_str().to_owned()).collect(),
            last_census: header.last_census.map(|records| i64::try_from(records).unwrap_or(i64::MAX)),
            refused_rows: header.refused_rows.iter().map(|(row, at)| (word(row), Moment(*at))).collect(),
            console: header.console.as_ref().map(ToString::to_string),
            reserved: None,
        }),
        ..ConsoleBindingSpec::default()
    }
}

/// The header that a spec holds.
pub fn header_from_spec(spec: ConsoleBindingSpec) -> Result<Header, BadBinding> {
    let header = spec
        .header
        .ok_or_else(|| BadBinding::new("spec.header", "a header needs it, and it is not there"))?;
    let whole = |name: &str, number: i64| {
        u64::try_from(number).map_err(|_| BadBinding::new(format!("spec.header.{name}"), "is below zero"))
    };
    let mut guard_log = Vec::with_capacity(header.guard_log.len());
    for (n, used) in header.guard_log.into_iter().enumerate() {
        guard_log.push(tenantry_engine::ledger::GuardUse {
            at: used.at.0,
            kind: field(&format!("spec.header.guardLog[{n}].kind"), Value::String(used.kind))?,
            count: used.count,
            step: Fingerprint::from_text(&used.step),
        });
    }
    let mut refused_rows = BTreeMap::new();
    for (row, at) in header.refused_rows {
        let path = format!("spec.header.refusedRows.{row}");
        refused_rows.insert(field(&path, Value::String(row))?, at.0);
    }
    Ok(Header {
        format_version: header.format_version,
        lineage: header.lineage,
        serial: whole("serial", header.serial)?,
        vendor_account: VendorAccount::new(spec.vendor_account),
        confirmed: header.confirmed.map(|at| at.0),
        guard_log,
        used_approvals: header.used_approvals.iter().map(|text| Fingerprint::from_text(text)).collect(),
        last_census: header.last_census.map(|records| whole("lastCensus", records)).transpose()?,
        refused_rows,
        console: header.console.map(Into::into),
    })
}

const KINDS: [(Kind, &str); 3] =
    [(Kind::Customer, "Customer"), (Kind::License, "License"), (Kind::Relationship, "Relationship")];

fn kind_name(kind: Kind) -> &'static str {
    KINDS.iter().find(|(one, _)| *one == kind).map_or("", |(_, name)| name)
}

fn bound_address(address: &Address) -> BoundAddress {
    BoundAddress {
        namespace: address.namespace.to_string(),
        kind: kind_name(address.kind).to_owned(),
        name: address.name.to_string(),
        account: address.account.as_ref().map(ToString::to_string),
    }
}

fn from_address(path: &str, bound: BoundAddress) -> Result<Address, BadBinding> {
    let kind = KINDS.iter().find(|(_, name)| *name == bound.kind).map(|(kind, _)| *kind);
    let kind = kind.ok_or_else(|| {
        BadBinding::new(format!("{path}.kind"), format!("no kind {} has entries in a ledger", bound.kind))
    })?;
    if bound.account.is_some() != (kind == Kind::Customer) {
        return Err(BadBinding::new(format!("{path}.account"), "a Customer has one, no other kind does"));
    }
    Ok(Address {
        kind,
        namespace: bound.namespace.into(),
        name: bound.name.into(),
        account: bound.account.map(Into::into),
    })
}

fn bound_origin(origin: &Origin) -> BoundOrigin {
    match origin {
        Origin::File { path, line, column } => BoundOrigin {
            object: None,
            file: Some(OriginFile { path: path.to_string(), line: *line, column: *column }),
        },
        Origin::Object { object, namespace, name, generation } => BoundOrigin {
            object: Some(OriginObject {
                kind: object.to_string(),
                namespace: namespace.to_string(),
                name: name.to_string(),
                generation: *generation,
            }),
            file: None,
        },
    }
}

fn from_origin(bound: BoundOrigin) -> Result<Origin, BadBinding> {
    match (bound.object, bound.file) {
        (Some(object), None) => Ok(Origin::Object {
            object: object.kind.into(),
            namespace: object.namespace.into(),
            name: object.name.into(),
            generation: object.generation,
        }),
        (None, Some(file)) => Ok(Origin::file(file.path, file.line, file.column)),
        _ => Err(BadBinding::new("spec.origin", "names not exactly one of object and file")),
    }
}

const fn bound_standing(standing: Standing) -> BoundStanding {
    match standing {
        Standing::Declared => BoundStanding::Declared,
        Standing::Released => BoundStanding::Released,
        Standing::Leaving => BoundStanding::Leaving,
        Standing::Ended => BoundStanding::Ended,
    }
}

const fn from_standing(standing: BoundStanding) -> Standing {
    match standing {
        BoundStanding::Declared => Standing::Declared,
        BoundStanding::Released => Standing::Released,
        BoundStanding::Leaving => Standing::Leaving,
        BoundStanding::Ended => Standing::Ended,
    }
}

fn applied_field(applied: &Applied) -> AppliedField {
    AppliedField {
        declared: applied.declared.to_string(),
        shown: applied.shown.map(|shown| shown.to_string()),
        unsettled: applied.unsettled,
    }
}

fn from_applied(path: &str, field: &AppliedField) -> Result<Applied, BadBinding> {
    let digest = |name: &str, text: &str| -> Result<Digest, BadBinding> {
        self::field(&format!("{path}.{name}"), Value::String(text.to_owned()))
    };
    Ok(Applied {
        declared: digest("declared", &field.declared)?,
        shown: field.shown.as_deref().map(|text| digest("shown", text)).transpose()?,
        unsettled: field.unsettled,
    })
}

/// The word that serde writes for an enum without fields.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        other => unreachable!("an enum without fields is a word, not {other:?}"),
    }
}

/// An object that the engine's format defines.
fn free(value: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => map,
        other => unreachable!("a struct or map with text keys is an object, not {other:?}"),
    }
}

/// A value read from an object's field, or the path at which it is not understood.
fn field<T: DeserializeOwned + for<'de> Deserialize<'de>>(path: &str, value: Value) -> Result<T, BadBinding> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let inner = error.path().to_string();
        let at = if inner == "." { path.to_owned() } else { format!("{path}.{inner}") };
        BadBinding::new(at, error.inner())
    })
}
