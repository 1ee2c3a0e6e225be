//! The order of steps: ledger notes first, then what makes, what changes, what ends; parents before children when
//! making, children before parents when ending.

use std::collections::{BTreeMap, BTreeSet};

use crate::action::Action;
use crate::address::Address;
use crate::plan::Step;

fn phase(action: Action) -> u8 {
    match action {
        Action::Adopt => 0,
        Action::Create => 1,
        Action::Invite | Action::Remind => 2,
        Action::Detach | Action::Revoke => 4,
        Action::Remove => 5,
        Action::Forget => 6,
        _ => 3,
    }
}

/// Sorts: by phase and address, but never before a step named in `after`. A cycle, which validation refuses, falls
/// back to that order, so that planning stays total.
pub(super) fn sort(steps: &mut Vec<Step>) {
    steps.sort_by(|a, b| {
        (phase(a.action), &a.address, a.action, a.row).cmp(&(phase(b.action), &b.address, b.action, b.row))
    });
    if steps.iter().all(|step| step.after.is_empty()) {
        return;
    }
    let mut left: BTreeMap<&Address, usize> = BTreeMap::new();
    for step in steps.iter() {
        *left.entry(&step.address).or_default() += 1;
    }
    let left: BTreeMap<Address, usize> = left.into_iter().map(|(address, n)| (address.clone(), n)).collect();
    let mut left = left;
    let mut waiting: BTreeSet<usize> = (0..steps.len()).collect();
    let mut order = Vec::with_capacity(steps.len());
    // Steps with prerequisites are few: ready ones are taken in one sweep, the rest in as many as the tree is deep.
    while !waiting.is_empty() {
        let ready: Vec<usize> = waiting
            .iter()
            .copied()
            .filter(|n| {
                steps[*n]
                    .after
                    .iter()
                    .all(|address| *address == steps[*n].address || left.get(address).is_none_or(|n| *n == 0))
            })
            .collect();
        let ready = if ready.is_empty() { waiting.iter().copied().collect() } else { ready };
        for n in ready {
            waiting.remove(&n);
            if let Some(count) = left.get_mut(&steps[n].address) {
                *count -= 1;
            }
            order.push(n);
        }
    }
    let mut taken: Vec<Option<Step>> = std::mem::take(steps).into_iter().map(Some).collect();
    *steps = order.into_iter().map(|n| taken[n].take().expect("each index once")).collect();
}
