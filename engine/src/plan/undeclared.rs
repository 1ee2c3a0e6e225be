//! Entries that nothing declares any more: renamed, released, or ended by the policy that the ledger remembers.
//!
//! Undeclared means seen to be gone: the place that last declared the address was read in this run and no longer
//! does. A broken or unread file holds what it declared, and so does an object whose Console is not to be found.

use std::collections::BTreeMap;

use crate::action::Action;
use crate::address::{Address, Kind};
use crate::capability::Row;
use crate::ledger::{DeletionPolicy, Entry, Standing};
use crate::origin::Origin;
use crate::plan::Step;
use crate::plan::context::Context;
use crate::plan::ends::Ending;
use crate::plan::findings::{Code, Finding};
use crate::plan::reasons::{Reason, ReasonCode};

impl Context<'_> {
    /// Two declarations say that they are the same one: `formerly` names an address that is declared. Nothing is done
    /// for the one that has no record yet, because it could be the other's. Whether it is so.
    pub fn renames_a_live_one(&mut self, own: &Address, formerly: &[Address], origin: &Origin) -> bool {
        let settled = self.entry(own).is_some_and(|entry| !vacated(entry) && entry.bound().is_some());
        let live = formerly.iter().find(|old| *old != own && self.is_declared(old)).filter(|_| !settled);
        let Some(old) = live else { return false };
        let finding = Finding::new(
            Code::Contradiction,
            format!("formerly names {old}, which is declared beside {own}"),
        );
        self.unseen.insert(own.clone());
        self.finding(
            finding
                .about(own)
                .at(origin)
                .field("spec.formerly")
                .next("if it was renamed, take the old declaration out · if not, take formerly out"),
        );
        true
    }
}

/// `formerly`: the entry follows its declaration to the new address.
pub(super) fn collect_renames(ctx: &mut Context<'_>) {
    let desired = ctx.input.desired;
    let mut renamed = BTreeMap::new();
    let names = desired
        .accounts
        .iter()
        .map(|decl| (&decl.address, &decl.formerly))
        .chain(desired.licenses.iter().map(|decl| (&decl.address, &decl.formerly)));
    for (new, formerly) in names {
        if ctx.entry(new).is_some_and(|entry| !vacated(entry)) {
            continue;
        }
        let old = formerly.iter().find(|old| {
            ctx.entry(old).is_some_and(|entry| entry.standing != Standing::Ended) && !ctx.is_declared(old)
        });
        if let Some(old) = old {
            renamed.insert(old.clone(), new.clone());
        }
    }
    for (old, new) in &renamed {
        if let Some(mut entry) = ctx.entry(old).cloned() {
            if entry.standing != Standing::Declared {
                entry.standing = Standing::Declared;
            }
            if let Some(id) = &entry.remote_id
                && new.kind == Kind::Customer
            {
                ctx.adopted.insert(id.clone(), new.clone());
            }
            ctx.put(new, "renamed", format!("formerly {old}"), entry);
            ctx.edit(old, "", "", vacate);
        }
    }
    ctx.renamed = renamed;
}

/// A move that broke off in the middle left its entry at both addresses: what the new one has, the old one has no
/// more. Comes before operations are settled, so that none is settled twice.
pub(super) fn finish_renames(ctx: &mut Context<'_>) {
    let desired = ctx.input.desired;
    let entries = &ctx.input.ledger.entries;
    let names = desired
        .accounts
        .iter()
        .map(|decl| (&decl.address, &decl.formerly))
        .chain(desired.licenses.iter().map(|decl| (&decl.address, &decl.formerly)));
    for (new, formerly) in names.filter(|(_, formerly)| !formerly.is_empty()) {
        let Some(moved) = entries.get(new) else { continue };
        for old in formerly {
            let twice = !ctx.is_declared(old) && entries.get(old).is_some_and(|left| same(left, moved));
            if twice {
                ctx.edit(old, "renamed", format!("now {new}"), vacate);
            }
        }
    }
}

/// Whether two entries hold the same record, operation or invitation.
fn same(a: &Entry, b: &Entry) -> bool {
    let operation = |entry: &Entry| entry.operation.as_ref().map(|operation| operation.id.clone());
    let invitation = |entry: &Entry| entry.invitation.as_ref().map(|one| one.message_id.clone());
    (a.remote_id.is_some() && a.remote_id == b.remote_id)
        || (a.operation.is_some() && operation(a) == operation(b))
        || (a.invitation.is_some() && invitation(a) == invitation(b))
}

/// What an entry becomes whose declaration has another address now.
fn vacate(entry: &mut Entry) {
    entry.remote_id = None;
    entry.invitation = None;
    entry.operation = None;
    entry.tasks.clear();
    entry.ended_elsewhere = None;
    entry.standing = Standing::Ended;
}

/// Whether an entry is only the trace of a move: a declaration that comes back to this address moves in again.
fn vacated(entry: &Entry) -> bool {
    entry.standing == Standing::Ended
        && entry.remote_id.is_none()
        && entry.invitation.is_none()
        && entry.operation.is_none()
        && entry.ended_elsewhere.is_none()
}

/// Plans them.
pub(super) fn plan(ctx: &mut Context<'_>) {
    let gone: Vec<(Address, Standing, DeletionPolicy, bool)> = ctx
        .input
        .ledger
        .entries
        .iter()
        .filter(|(address, _)| !ctx.is_declared(address) && !ctx.renamed.contains_key(address))
        .filter(|(_, entry)| matches!(entry.standing, Standing::Declared | Standing::Leaving))
        .filter(|(address, entry)| {
            entry.standing == Standing::Leaving || ctx.input.desired.scope.was_read(&entry.origin, address)
        })
        .map(|(address, _)| {
            let entry = ctx.entry(address).expect("it is in the ledger");
            (address.clone(), entry.standing, entry.deletion_policy, entry.bound().is_some())
        })
        .collect();
    for (address, standing, policy, bound) in gone {
        let in_doubt = ctx
            .entry(&address)
            .and_then(|entry| entry.operation.as_ref())
            .is_some_and(|operation| !matches!(operation.phase, crate::operation::Phase::NotHappened { .. }));
        if in_doubt || standing == Standing::Ended {
            continue;
        }
        match (policy, bound, address.kind) {
            (DeletionPolicy::Retain, ..) | (_, false, _) => forget(ctx, &address),
            (_, true, Kind::Customer) => end(ctx, address, policy),
            (_, true, _) => ctx.finding(
                Finding::new(Code::NotSupportedYet, "its declaration is gone and its deletion policy would end it: not supported yet for licences")
                    .about(&address)
                    .next("declare it again with want: Removed"),
            ),
        }
    }
}

fn end(ctx: &mut Context<'_>, address: Address, policy: DeletionPolicy) {
    let census = &ctx.input.observed.census;
    let entry = ctx.entry(&address).expect("it is in the ledger").clone();
    if let Some(id) = entry.bound()
        && ctx.holder(id) != Some(&address)
    {
        // Another declaration has the record: only the memory of it goes.
        return forget(ctx, &address);
    }
    let listed = entry.bound().is_some_and(|id| census.get(id).is_some());
    if !listed {
        if ctx.conclusive_since(entry.wrote) {
            forget(ctx, &address);
        }
        return;
    }
    let row = if policy == DeletionPolicy::Remove { Row::Remove } else { Row::Detach };
    ctx.ending.push(Ending {
        address,
        decl: None,
        row,
        because: Reason::new(
            ReasonCode::Undeclared,
            format!("its declaration is gone; deletionPolicy was {policy:?}"),
        ),
    });
}

fn forget(ctx: &mut Context<'_>, address: &Address) {
    let entry = ctx.entry(address).expect("it is in the ledger");
    let because =
        Reason::new(ReasonCode::Undeclared, "its declaration is gone; nothing is done in the console");
    let step = Step::new(address, Action::Forget, Row::Adopt, because)
        .record(entry.remote_id.clone())
        .at(&entry.origin);
    ctx.steps.push(step);
}
