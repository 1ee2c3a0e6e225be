//! Withdrawing declarations without a look at the console: what a deleted object leaves in the ledger.
//!
//! Whoever deletes an object is not kept waiting for a vendor: the remembered policy goes into the entries at once, and
//! planning does the rest whenever it next looks. Nothing here ends anything, and an entry with an operation that is
//! not settled stays planned until it is: what is on its way must not be forgotten.

use jiff::Timestamp;

use crate::address::Address;
use crate::ledger::{DeletionPolicy, Entry, Ledger, Standing, Want};
use crate::operation::Phase;
use crate::store::{Batch, LogEvent, Write};

#[cfg(test)]
mod tests;

/// The writes by which the declared entries that `gone` names lose their declaration: `Released`, or `Leaving` with
/// what is then wanted where the deletion policy ends the record. With `retain` (a Console, Secret, namespace or CRD
/// goes, and nobody spoke about customers) every policy counts as Retain. In address order; one batch an entry.
pub fn undeclare(
    ledger: &Ledger,
    gone: impl Fn(&Address, &Entry) -> bool,
    now: Timestamp,
    run: &str,
    retain: bool,
) -> Vec<Batch> {
    let declared = ledger.entries.iter().filter(|(_, entry)| entry.standing == Standing::Declared);
    declared
        .filter(|(address, entry)| gone(address, entry))
        .map(|(address, entry)| {
            let (entry, what) = withdrawn(entry.clone(), now, retain);
            let event = LogEvent {
                at: now,
                run: run.to_owned(),
                what: what.to_owned(),
                address: Some(address.clone()),
                words: format!("its declaration is gone; deletionPolicy is {:?}", entry.deletion_policy),
            };
            (vec![Write::Put(address.clone(), Box::new(entry))], event)
        })
        .collect()
}

fn withdrawn(mut entry: Entry, now: Timestamp, retain: bool) -> (Entry, &'static str) {
    if retain {
        entry.deletion_policy = DeletionPolicy::Retain;
    }
    entry.since = now;
    let ends = match entry.deletion_policy {
        DeletionPolicy::Retain => None,
        DeletionPolicy::Detach => Some(Want::Detached),
        DeletionPolicy::Remove => Some(Want::Removed),
    };
    let unsettled =
        entry.operation.as_ref().is_some_and(|open| !matches!(open.phase, Phase::NotHappened { .. }));
    match ends {
        Some(want) if entry.remote_id.is_some() || unsettled => {
            entry.want = want;
            entry.standing = Standing::Leaving;
            (entry, "leaving")
        }
        None if unsettled => {
            entry.standing = Standing::Leaving;
            (entry, "leaving")
        }
        _ => {
            entry.standing = Standing::Released;
            entry.tasks.clear();
            (entry, "released")
        }
    }
}
