//! What a write uses up before its entries follow: approvals, and allowance of the guards.
//!
//! The header is written first, and a writer can die before the entries are. Then nothing was begun and nothing left for
//! a vendor, but the approval would be used up. So the header says which entries were to follow, each with the version
//! that it had: where all of them are still as they were, what was used up for them counts as not used. Somebody else's
//! write of one of them, also one by hand, leaves it used up: that way a step is held once more, and never begun twice.

use std::collections::BTreeMap;

use kube::core::DynamicObject;
use serde::Deserialize;
use tenantry_crd::binding::{RESERVED_AT_MOST, Reserved, ReservedEntry};
use tenantry_engine::address::VendorAccount;
use tenantry_engine::ledger::Header;

use super::{Change, Known, Short, State, first_bits};
use crate::bindings::binding_name;

#[cfg(test)]
mod tests;

/// What this header uses up that the one before had not, for these changes; `None`: nothing, or for too many.
pub(super) fn of(
    account: &VendorAccount,
    state: &State,
    header: &Header,
    changes: &[Change],
) -> Option<Reserved> {
    let before = &state.header;
    let approvals: Vec<String> =
        header.used_approvals.difference(&before.used_approvals).map(|one| one.as_str().to_owned()).collect();
    let own = header.guard_log.iter().rev().take_while(|used| !before.guard_log.contains(used));
    let uses = u32::try_from(own.count()).ok()?;
    let entries: Vec<ReservedEntry> = changes
        .iter()
        .filter(|change| change.differs(&state.entries))
        .map(|change| ReservedEntry {
            name: binding_name(account, Some(&change.address)),
            version: state.entries.get(&change.name).map(|known| known.version.to_string()),
        })
        .collect();
    let used = !approvals.is_empty() || uses > 0;
    let few = !entries.is_empty() && entries.len() <= RESERVED_AT_MOST && approvals.len() <= RESERVED_AT_MOST;
    (used && few).then_some(Reserved { entries, approvals, uses })
}

/// What the header's object says. One that cannot be understood is told by whoever reads the header.
pub(super) fn read(object: &DynamicObject) -> Option<Reserved> {
    Reserved::deserialize(object.data.pointer("/spec/header/reserved")?).ok()
}

/// Gives back what was used up for entries of which none was written.
pub(super) fn take_back(reserved: &Reserved, header: &mut Header, known: &BTreeMap<Short, Known>) {
    let untouched = |entry: &ReservedEntry| {
        let now = known.get(&first_bits(entry.name.as_bytes())).map(|known| known.version.as_str());
        now == entry.version.as_deref()
    };
    if !reserved.entries.iter().all(untouched) {
        return;
    }
    header.used_approvals.retain(|one| !reserved.approvals.iter().any(|own| own == one.as_str()));
    let uses = usize::try_from(reserved.uses).unwrap_or(usize::MAX);
    header.guard_log.truncate(header.guard_log.len().saturating_sub(uses));
}
