//! Guards: what is held, by what, and what allows it. They fail closed.
//!
//! Counted in a rolling window per vendor account, in the ledger's header, shared by everybody who writes there.
//! Removals over a guard are held all (no mistake is rationed out five a day); of creations, invitations and seats
//! only the surplus.

use std::collections::BTreeSet;

use tenantry_crd::console::Management;

use crate::action::Action;
use crate::ledger::GuardKind;
use crate::plan::context::Context;
use crate::plan::reasons::HeldBy;
use crate::plan::{Held, Step};

/// The share of removals counts from this many bound records on.
const SHARE_FROM: usize = 10;

/// Whether a census has shrunk by more than the cap, in percent, since the last complete one.
pub(crate) fn shrunken(last: u64, now: u64, cap_percent: u32) -> bool {
    last >= SHARE_FROM as u64 && now < last && (last - now) * 100 > last * u64::from(cap_percent)
}

/// Holds what must be held.
pub(super) fn hold(ctx: &mut Context<'_>) {
    let mut steps = std::mem::take(&mut ctx.steps);
    let released: Vec<bool> = steps
        .iter()
        .map(|step| {
            ctx.input.approvals.approve.contains(&step.fingerprint)
                && (!ctx.input.ledger.header.used_approvals.contains(&step.fingerprint)
                    || did_not_happen(ctx, step))
        })
        .collect();
    let mut held: Vec<Option<Box<Held>>> = vec![None; steps.len()];
    observe(ctx, &steps, &mut held);
    consents(ctx, &mut steps, &mut held);
    first_run(ctx, &steps, &mut held, &released);
    census(ctx, &steps, &mut held, &released);
    for kind in [GuardKind::Creations, GuardKind::Invitations, GuardKind::Seats] {
        surplus(ctx, kind, &steps, &mut held, &released);
    }
    removals(ctx, &steps, &mut held, &released);
    for (step, held) in steps.iter_mut().zip(held) {
        step.held = held;
    }
    ctx.steps = steps;
}

/// Whether this very step was begun and is known not to have happened: its approval was not used up.
fn did_not_happen(ctx: &Context<'_>, step: &Step) -> bool {
    ctx.entry(&step.address).and_then(|entry| entry.operation.as_ref()).is_some_and(|operation| {
        operation.step == step.fingerprint
            && matches!(operation.phase, crate::operation::Phase::NotHappened { .. })
    })
}

fn set(held: &mut Option<Box<Held>>, by: HeldBy, words: String, allow: String) {
    if held.is_none() {
        *held = Some(Box::new(Held { by, words, allow }));
    }
}

fn observe(ctx: &Context<'_>, steps: &[Step], held: &mut [Option<Box<Held>>]) {
    if ctx.input.desired.console.spec.management != Management::Observe {
        return;
    }
    for (step, held) in steps.iter().zip(held) {
        if !step.action.ledger_only() {
            set(
                held,
                HeldBy::Observe,
                "this Console is only observed".into(),
                "management: Manage in its declaration".into(),
            );
        }
    }
}

fn consents(ctx: &Context<'_>, steps: &mut [Step], held: &mut [Option<Box<Held>>]) {
    for (step, held) in steps.iter_mut().zip(held) {
        for cause in step.causes.iter_mut().filter(|cause| cause.needs_consent) {
            let remembered =
                ctx.entry(&step.address).is_some_and(|entry| entry.consents.contains(&cause.code));
            let now = (cause.code.clone(), step.address.clone());
            cause.consented = remembered || ctx.input.approvals.consents.contains(&now);
        }
        let missing: Vec<&str> = step
            .causes
            .iter()
            .filter(|cause| cause.needs_consent && !cause.consented)
            .map(|cause| cause.code.as_str())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        if !missing.is_empty() {
            let flags: Vec<String> =
                missing.iter().map(|code| format!("--consent {code}@{}", step.address)).collect();
            set(
                held,
                HeldBy::Consent,
                format!("needs consent: {}", missing.join(", ")),
                format!(
                    "tenantry apply {} · or consents: [{}] in the declaration",
                    flags.join(" "),
                    missing.join(", ")
                ),
            );
        }
    }
}

/// A new ledger while the console holds records that it did not make: it may be the second ledger of this account, and
/// the first one may have made or invited what is declared. That they are adopted meanwhile proves nothing.
fn first_run(ctx: &Context<'_>, steps: &[Step], held: &mut [Option<Box<Held>>], released: &[bool]) {
    if ctx.input.ledger.header.confirmed.is_some() || ctx.input.approvals.first_run {
        return;
    }
    if !ctx.shows_unbound() && !ctx.shows_found() {
        return;
    }
    for ((step, held), released) in steps.iter().zip(held).zip(released) {
        let buys = step.row == crate::capability::Row::MoreSeats;
        if (buys || matches!(step.action, Action::Create | Action::Invite)) && !released {
            set(
                held,
                HeldBy::FirstRun,
                "a new ledger, and the console holds records that it does not know".into(),
                "tenantry apply --allow first-run".into(),
            );
        }
    }
}

/// Without a trustworthy census nothing ends.
fn census(ctx: &Context<'_>, steps: &[Step], held: &mut [Option<Box<Held>>], released: &[bool]) {
    let census = &ctx.input.observed.census;
    let cap = ctx.input.desired.console.spec.guards.effective().max_removal_percent;
    let records = census.records().len() as u64;
    let is_shrunken = ctx.input.ledger.header.last_census.is_some_and(|last| shrunken(last, records, cap));
    let nothing_declared = ctx.input.desired.accounts.is_empty() && ctx.input.desired.licenses.is_empty();
    for ((step, held), released) in steps.iter().zip(held).zip(released) {
        if !step.action.ends() {
            continue;
        }
        if !census.complete() {
            set(
                held,
                HeldBy::IncompleteCensus,
                "the list of customers did not arrive whole".into(),
                "run again".into(),
            );
        } else if records == 0 {
            set(held, HeldBy::EmptyCensus, "the console lists nobody".into(), String::new());
        } else if nothing_declared {
            set(
                held,
                HeldBy::NothingDeclared,
                "nothing at all is declared for this console".into(),
                "declare what is to stay".into(),
            );
        } else if is_shrunken && !released && !ctx.input.approvals.census {
            set(
                held,
                HeldBy::ShrunkenCensus,
                "the list has shrunk too much since the last run".into(),
                "tenantry apply --allow census".into(),
            );
        }
    }
}

/// How much of a guard was used within the window. What a step reserved that did not happen is used once, by the step
/// that does it now: whoever runs the same command again after a crash needs no larger allowance.
fn used(ctx: &Context<'_>, kind: GuardKind, steps: &[Step]) -> u32 {
    let per = ctx.input.desired.console.spec.guards.effective().per.to_duration();
    let from = ctx.input.now.saturating_sub(per).unwrap_or(jiff::Timestamp::MIN);
    let log = || ctx.input.ledger.header.guard_log.iter().filter(|used| used.kind == kind && used.at > from);
    let again = steps.iter().filter(|step| {
        let entry = ctx.entry(&step.address);
        entry
            .and_then(|entry| entry.operation.as_ref())
            .is_some_and(|operation| operation.step == step.fingerprint)
    });
    let reserved = again
        .filter_map(|step| log().find(|used| used.step == step.fingerprint))
        .fold(0u32, |sum, used| sum.saturating_add(used.count));
    log().fold(0u32, |sum, used| sum.saturating_add(used.count)).saturating_sub(reserved)
}

fn cap(ctx: &Context<'_>, kind: GuardKind) -> u32 {
    let guards = ctx.input.desired.console.spec.guards.effective();
    let declared = match kind {
        GuardKind::Creations => guards.max_creations,
        GuardKind::Invitations => guards.max_invitations,
        GuardKind::Removals => guards.max_removals,
        GuardKind::Seats => guards.max_seat_increase,
    };
    declared.max(ctx.input.approvals.allow.get(&kind).copied().unwrap_or(0))
}

const fn words(kind: GuardKind) -> (&'static str, &'static str, HeldBy) {
    match kind {
        GuardKind::Creations => ("creations", "guards.maxCreations", HeldBy::MaxCreations),
        GuardKind::Invitations => ("invitations", "guards.maxInvitations", HeldBy::MaxInvitations),
        GuardKind::Removals => ("removals", "guards.maxRemovals", HeldBy::MaxRemovals),
        GuardKind::Seats => ("seats", "guards.maxSeatIncrease", HeldBy::MaxSeatIncrease),
    }
}

/// How long the window is, in words.
fn window(ctx: &Context<'_>) -> String {
    let per = ctx.input.desired.console.spec.guards.effective().per;
    match per.to_duration().as_hours() {
        24 => "a day".to_owned(),
        168 => "a week".to_owned(),
        hours if hours > 0 && hours % 24 == 0 => format!("{} days", hours / 24),
        _ => per.to_string(),
    }
}

fn surplus(
    ctx: &Context<'_>,
    kind: GuardKind,
    steps: &[Step],
    held: &mut [Option<Box<Held>>],
    released: &[bool],
) {
    let (name, field, by) = words(kind);
    let cap = cap(ctx, kind);
    let count = |step: &Step| step.uses.filter(|(k, _)| *k == kind).map_or(0, |(_, count)| count);
    let before = used(ctx, kind, steps);
    let wanted = steps.iter().fold(before, |sum, step| sum.saturating_add(count(step)));
    // What was approved goes whatever the cap says, wherever it stands, and leaves less of it to the others.
    let approved =
        steps.iter().zip(held.iter()).zip(released).filter(|((_, held), on)| held.is_none() && **on);
    let mut sum = approved.fold(before, |sum, ((step, _), _)| sum.saturating_add(count(step)));
    for ((step, held), released) in steps.iter().zip(held).zip(released) {
        let count = count(step);
        if count == 0 || held.is_some() || *released {
            continue;
        }
        if sum.saturating_add(count) > cap {
            set(
                held,
                by,
                format!(
                    "{name} within {} would be {}; {field} is {cap}",
                    window(ctx),
                    sum.saturating_add(count)
                ),
                format!("tenantry apply --allow {name}={wanted}"),
            );
        } else {
            sum = sum.saturating_add(count);
        }
    }
}

fn removals(ctx: &Context<'_>, steps: &[Step], held: &mut [Option<Box<Held>>], released: &[bool]) {
    let ends: Vec<usize> = (0..steps.len())
        .filter(|n| {
            steps[*n].uses.is_some_and(|(kind, _)| kind == GuardKind::Removals)
                && held[*n].is_none()
                && !released[*n]
        })
        .collect();
    if ends.is_empty() {
        return;
    }
    // What was approved one by one goes too, and counts.
    let approved = (0..steps.len()).filter(|n| {
        released[*n]
            && held[*n].is_none()
            && steps[*n].uses.is_some_and(|(kind, _)| kind == GuardKind::Removals)
    });
    let approved = u32::try_from(approved.count()).unwrap_or(u32::MAX);
    let before = used(ctx, GuardKind::Removals, steps).saturating_add(approved);
    let total = before.saturating_add(u32::try_from(ends.len()).unwrap_or(u32::MAX));
    let cap = cap(ctx, GuardKind::Removals);
    let allowed = ctx.input.approvals.allow.get(&GuardKind::Removals).is_some_and(|allow| total <= *allow);
    let bound = ctx.bound_count();
    let percent = ctx.input.desired.console.spec.guards.effective().max_removal_percent;
    let share = bound >= SHARE_FROM && u64::from(total) * 100 > bound as u64 * u64::from(percent);
    for n in ends {
        let allow = format!("tenantry apply --allow removals={total}");
        if total > cap {
            set(
                &mut held[n],
                HeldBy::MaxRemovals,
                format!("removals within {} would be {total}; guards.maxRemovals is {cap}", window(ctx)),
                allow,
            );
        } else if share && !allowed {
            set(
                &mut held[n],
                HeldBy::MaxRemovalPercent,
                format!("{total} of {bound} bound records would go; guards.maxRemovalPercent is {percent}"),
                allow,
            );
        }
    }
}
