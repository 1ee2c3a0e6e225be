//! What observation says about operations in doubt.
//!
//! Presence is proof at once: exactly one new look-alike means that it happened. Absence needs two complete looks
//! that both began later than sent + request timeout + settle. Until then the address waits; where no look can tell,
//! a person says (`resolve`, Attestation).

use jiff::Timestamp;

use crate::action::Action;
use crate::address::{Address, Kind, RemoteId};
use crate::capability::Row;
use crate::desired::AccountDecl;
use crate::ledger::{Applied, Entry, Standing};
use crate::observed::{Facet, KeyKind, Record};
use crate::operation::{Operation, Phase};
use crate::plan::Waiting;
use crate::plan::context::Context;
use crate::plan::findings::{Code, Finding};
use crate::plan::reasons::WaitingFor;
use crate::resolve::resolve;
use crate::task::Outcome;
use crate::value::{Digest, Digester, Field, Value};

enum Verdict {
    /// It happened; it made this record, where it made one.
    Happened(Option<RemoteId>),
    /// It did not; safe to intend it anew.
    NotHappened,
    /// One conclusive look did not show it; another one decides.
    LookedOnce,
    /// Too early, or not looked at.
    Wait(Timestamp),
    /// Nobody but a person can tell.
    Ask(String),
}

/// Settles what can be settled.
pub(super) fn operations(ctx: &mut Context<'_>) {
    let open: Vec<(Address, Box<Operation>)> = ctx
        .input
        .ledger
        .entries
        .iter()
        .filter(|(_, entry)| entry.operation.is_some())
        .filter_map(|(address, _)| Some((address.clone(), ctx.entry(address)?.operation.clone()?)))
        .collect();
    for (address, operation) in open {
        one(ctx, &address, *operation);
    }
}

fn one(ctx: &mut Context<'_>, address: &Address, mut operation: Operation) {
    let now = ctx.input.now;
    // What observation has concluded stands; a person's word is for what is still in doubt.
    if let Some(happened) = attested(ctx, &operation)
        && !matches!(operation.phase, Phase::NotHappened { .. })
        && let Some(mut entry) = ctx.entry(address).cloned()
        && resolve(&mut entry, happened, now) == Ok(true)
    {
        let id = operation.id.clone();
        if let Some(said) = &entry.operation {
            operation = (**said).clone();
        }
        if !happened {
            return ctx.put(address, "settled", format!("{id}: attested not to have happened"), entry);
        }
        ctx.put(address, "attested", format!("{id}: attested to have happened"), entry);
    }
    match operation.phase.clone() {
        // The marker `sent` is durable before the first byte leaves: nothing left.
        Phase::Intent => clear(
            ctx,
            address,
            "settled",
            format!("{}: intended, never sent", operation.id),
            Phase::NotHappened { at: now },
        ),
        Phase::NotHappened { .. } => {}
        Phase::Acked { at, acks } => {
            let id = acks.iter().rev().find_map(|ack| ack.remote_id.clone());
            let known = id.is_some() || ctx.entry(address).is_some_and(|entry| entry.remote_id.is_some());
            if operation.more && (known || operation.action != Action::Create) {
                return unfinished(ctx, address, &operation, at, id);
            }
            if operation.action != Action::Create || known {
                return settle(ctx, address, &operation, at, id);
            }
            asserted(ctx, address, &operation, at, "done, says the vendor, without saying as what");
        }
        Phase::Attested { at } => asserted(ctx, address, &operation, at, "said to have happened"),
        Phase::Sent { at } | Phase::Ambiguous { at, .. } | Phase::Unknown { at, .. } => {
            match verdict(ctx, address, &operation, at) {
                Verdict::Happened(id) => settle(ctx, address, &operation, at, id),
                Verdict::NotHappened => clear(
                    ctx,
                    address,
                    "settled",
                    format!("{}: two complete looks do not show it", operation.id),
                    Phase::NotHappened { at: now },
                ),
                Verdict::LookedOnce => {
                    looked_once(ctx, address, &operation);
                    wait(
                        ctx,
                        address,
                        &operation,
                        WaitingFor::Settling,
                        Some(now),
                        "may or may not have happened; one more look decides".into(),
                    );
                }
                Verdict::Wait(until) => {
                    wait(
                        ctx,
                        address,
                        &operation,
                        WaitingFor::Settling,
                        Some(until),
                        "may or may not have happened; it is looked for, not repeated".into(),
                    );
                }
                Verdict::Ask(because) => {
                    let unknown = Phase::Unknown { at, because: because.clone() };
                    if operation.phase != unknown {
                        ctx.edit(address, "unknown", format!("{}: {because}", operation.id), |entry| {
                            if let Some(operation) = &mut entry.operation {
                                operation.phase = unknown;
                            }
                        });
                    }
                    wait(ctx, address, &operation, WaitingFor::Resolve, None, because);
                }
            }
        }
    }
}

fn looked_once(ctx: &mut Context<'_>, address: &Address, operation: &Operation) {
    let began = ctx.input.observed.census.began;
    ctx.look_again = true;
    ctx.edit(address, "looked", format!("{}: one complete look does not show it", operation.id), |entry| {
        if let Some(operation) = &mut entry.operation {
            operation.looked = Some(began);
        }
    });
}

/// The vendor or a person says that it happened: it is never done again. What it made is looked for; where two
/// complete looks do not show it, somebody has ended it meanwhile.
fn asserted(ctx: &mut Context<'_>, address: &Address, operation: &Operation, at: Timestamp, by: &str) {
    let verdict = verdict(ctx, address, operation, at);
    let until = match verdict {
        Verdict::Happened(id) if operation.more => return unfinished(ctx, address, operation, at, id),
        Verdict::Happened(id) => return settle(ctx, address, operation, at, id),
        _ if operation.action != Action::Create
            || ctx.entry(address).is_some_and(|entry| entry.remote_id.is_some()) =>
        {
            return settle(ctx, address, operation, at, None);
        }
        Verdict::NotHappened => {
            let now = ctx.input.now;
            let words = format!("{}: {by}, and two complete looks do not show it", operation.id);
            return ctx.edit(address, "ended-elsewhere", words, |entry| {
                entry.operation = None;
                entry.standing = Standing::Ended;
                entry.since = now;
                entry.wrote = Some(at);
                entry.ended_elsewhere = Some(now.into());
            });
        }
        Verdict::LookedOnce => {
            looked_once(ctx, address, operation);
            Some(ctx.input.now)
        }
        Verdict::Wait(until) => Some(until),
        Verdict::Ask(because) => {
            let words = format!("{by}; {because}: write the right one's id into the account");
            return wait(ctx, address, operation, WaitingFor::Resolve, None, words);
        }
    };
    wait(ctx, address, operation, WaitingFor::Settling, until, format!("{by}; looked for in the list"));
}

/// What the latest Attestation says about it: whether it happened.
fn attested(ctx: &Context<'_>, operation: &Operation) -> Option<bool> {
    ctx.input
        .desired
        .attestations
        .iter()
        .filter(|attestation| {
            attestation.about == operation.id && attestation.attested.on >= operation.intended
        })
        .max_by_key(|attestation| attestation.attested.on)
        .and_then(|attestation| match attestation.attested.outcome {
            Outcome::Happened => Some(true),
            Outcome::NotHappened => Some(false),
            Outcome::Done | Outcome::Refused => None,
        })
}

fn wait(
    ctx: &mut Context<'_>,
    address: &Address,
    operation: &Operation,
    why: WaitingFor,
    until: Option<Timestamp>,
    words: String,
) {
    let mut notes = vec![(
        "request".to_owned(),
        format!("{} ({}), {}", operation.name, operation.action.name(), operation.phase_word()),
    )];
    if why == WaitingFor::Resolve || matches!(operation.phase, Phase::Attested { .. }) {
        notes.push((
            "say".to_owned(),
            format!("tenantry resolve {} --happened, or --not-happened", operation.id),
        ));
    }
    let wait = Waiting::new(address, why, words)
        .of((why == WaitingFor::Resolve).then_some(crate::capability::Party::Operator))
        .notes(notes)
        .since(operation.sent_at())
        .until(until)
        .at(ctx.entry(address).map(|entry| &entry.origin));
    ctx.waiting.push(wait);
}

fn clear(ctx: &mut Context<'_>, address: &Address, event: &'static str, words: String, phase: Phase) {
    ctx.edit(address, event, words, |entry| {
        if let Some(operation) = &mut entry.operation {
            operation.phase = phase;
            operation.looked = None;
            if operation.action == Action::Invite {
                // The vendor's own mail did not go out: there is no invitation.
                entry.invitation = None;
            }
        }
    });
}

/// What an operation made is somebody's from now on.
fn holds(ctx: &mut Context<'_>, address: &Address, id: Option<&RemoteId>) {
    if let Some(id) = id
        && address.kind == Kind::Customer
    {
        ctx.adopted.insert(id.clone(), address.clone());
    }
}

/// The operation happened: its entry becomes what it would have become at once.
fn settle(
    ctx: &mut Context<'_>,
    address: &Address,
    operation: &Operation,
    at: Timestamp,
    id: Option<RemoteId>,
) {
    holds(ctx, address, id.as_ref());
    let operation = operation.clone();
    ctx.edit(address, "settled", format!("{}: happened", operation.id), |entry| {
        apply(entry, &operation, at, id);
    });
}

/// One of a step's requests was acknowledged and the next one never intended: what was made is bound, and planning
/// goes on from what is observed.
fn unfinished(
    ctx: &mut Context<'_>,
    address: &Address,
    operation: &Operation,
    at: Timestamp,
    id: Option<RemoteId>,
) {
    holds(ctx, address, id.as_ref());
    ctx.edit(address, "settled", format!("{}: done, its step is not", operation.id), |entry| {
        if entry.remote_id.is_none() {
            entry.remote_id = id;
        }
        entry.operation = None;
        entry.wrote = Some(at);
    });
}

/// What an operation that happened makes of its entry. What the console shows of it is not known yet.
pub(crate) fn apply(entry: &mut Entry, operation: &Operation, at: Timestamp, id: Option<RemoteId>) {
    if let Some(id) = id {
        entry.remote_id = Some(id);
    }
    for (field, declared) in &operation.declared {
        entry
            .last_applied
            .insert(field.clone(), Applied { declared: *declared, shown: None, unsettled: true });
    }
    entry.operation = None;
    entry.wrote = Some(at);
    if operation.action.ends() {
        entry.standing = Standing::Ended;
        entry.since = at;
        entry.tasks.clear();
    }
}

fn verdict(ctx: &Context<'_>, address: &Address, operation: &Operation, at: Timestamp) -> Verdict {
    let from = ctx.input.patience.conclusive_from(at);
    let census = &ctx.input.observed.census;
    let entry = ctx.entry(address);
    if address.kind == Kind::License {
        return license(ctx, entry, operation, at, from);
    }
    match operation.action {
        // A later request of the step: the record is known, only its fields are in doubt.
        Action::Create if entry.is_some_and(|entry| entry.remote_id.is_some()) => {
            return changed(ctx, address, entry, operation, from);
        }
        Action::Create => {
            // A declared id settles it: somebody looked and wrote it down.
            let decl = ctx.account(address).map(AccountDecl::open);
            if let Some(id) = decl.as_ref().and_then(|decl| decl.account.id.as_deref())
                && census.get(&id.into()).is_some()
            {
                return Verdict::Happened(Some(id.into()));
            }
            let new: Vec<&Record> = census
                .records()
                .iter()
                .filter(|record| {
                    !operation.lookalikes.contains(&record.id) && ctx.holder(&record.id).is_none()
                })
                .filter(|record| looks_like(&ctx.digester, operation, record))
                .collect();
            match new.as_slice() {
                [record] => return Verdict::Happened(Some(record.id.clone())),
                [] => {}
                several => return Verdict::Ask(format!("{} new records look like it", several.len())),
            }
            if operation.expect.is_empty() {
                return Verdict::Ask("nothing that it makes can be recognised".into());
            }
        }
        Action::Detach | Action::Remove => {
            let Some(id) = entry.and_then(|entry| entry.remote_id.as_ref()) else {
                return Verdict::Ask("its record is not known".into());
            };
            if census.complete() && census.get(id).is_none() && census.began >= at {
                return Verdict::Happened(None);
            }
        }
        _ => return changed(ctx, address, entry, operation, from),
    }
    look(operation, census.complete().then_some(census.began), from)
}

/// Whether one more look without it is conclusive, and the first or the second.
fn look(operation: &Operation, looked: Option<Timestamp>, from: Timestamp) -> Verdict {
    match (looked, operation.looked) {
        (Some(began), _) if began < from => Verdict::Wait(from),
        (Some(began), Some(first)) if began > first => Verdict::NotHappened,
        (Some(_), _) => Verdict::LookedOnce,
        (None, _) => Verdict::Wait(from),
    }
}

/// A change of fields: it happened if the console shows every one of them as wanted.
fn changed(
    ctx: &Context<'_>,
    address: &Address,
    entry: Option<&Entry>,
    operation: &Operation,
    from: Timestamp,
) -> Verdict {
    let Some(id) = entry.and_then(|entry| entry.remote_id.as_ref()) else {
        return Verdict::Ask("its record is not known".into());
    };
    let observed = ctx.input.observed;
    let facet = observed.facet(id, Facet::Account);
    if observed.census.complete() && observed.census.get(id).is_none() {
        // Gone meanwhile, or not listed yet: what it would have changed cannot be seen.
        return look(operation, Some(observed.census.began), from);
    }
    let projection = ctx.account(address).map(|decl| ctx.project(&decl.open()));
    let mut oldest: Option<Timestamp> = None;
    let mut all = true;
    for (field, wanted) in &operation.declared {
        if ctx.caps().fields.get(field).is_some_and(|rule| !rule.observable) {
            continue;
        }
        let (shown, as_of) =
            match (observed.census.get(id).and_then(|record| record.field(field.as_str())), facet) {
                (Some(value), _) => (Some(value), observed.census.began),
                (None, Some(read)) if read.unreadable.is_none() => (read.field(field.as_str()), read.as_of),
                _ => return Verdict::Wait(from),
            };
        oldest = Some(oldest.map_or(as_of, |oldest| oldest.min(as_of)));
        all &= shown.is_some_and(|value| {
            ctx.digester.value(&value) == *wanted
                // The vendor's own spelling of what is still declared.
                || projection.iter().flat_map(|one| &one.fields).any(|(other, declared)| {
                    other == field
                        && ctx.digester.value(declared) == *wanted
                        && ctx.input.dialect.same(field, declared, &value)
                })
        });
    }
    match oldest {
        None => Verdict::Ask("nothing that it changes is shown".into()),
        Some(_) if all => Verdict::Happened(None),
        as_of => look(operation, as_of, from),
    }
}

/// An operation on a licence: its account's licences tell.
fn license(
    ctx: &Context<'_>,
    entry: Option<&Entry>,
    operation: &Operation,
    at: Timestamp,
    from: Timestamp,
) -> Verdict {
    let account = entry
        .and_then(|entry| entry.parent.as_ref())
        .and_then(|parent| ctx.entry(parent))
        .and_then(|parent| parent.remote_id.as_ref());
    let Some(account) = account else { return Verdict::Ask("the account it belongs to is not known".into()) };
    let Some(read) = ctx.licenses(account).filter(|read| read.unreadable.is_none()) else {
        return Verdict::Wait(from);
    };
    let id = entry.and_then(|entry| entry.remote_id.as_ref());
    let record = id.and_then(|id| read.licenses.iter().find(|one| one.id == *id));
    match operation.action {
        Action::Create => {
            let Some(article) = operation.declared.get("article") else {
                return Verdict::Ask("nothing tells which licence it is".into());
            };
            let ours = |id: &RemoteId| {
                ctx.input.ledger.entries.iter().any(|(address, entry)| {
                    address.kind == Kind::License && entry.remote_id.as_ref() == Some(id)
                })
            };
            let new: Vec<&RemoteId> = read
                .licenses
                .iter()
                .filter(|one| one.in_force && !operation.lookalikes.contains(&one.id) && !ours(&one.id))
                .filter(|one| ctx.digester.value(&Value::text(one.article.raw())) == *article)
                .map(|one| &one.id)
                .collect();
            match new.as_slice() {
                [one] => return Verdict::Happened(Some((*one).clone())),
                [] => {}
                several => return Verdict::Ask(format!("{} new licences look like it", several.len())),
            }
        }
        Action::Detach | Action::Remove => {
            if read.as_of >= at && record.is_none_or(|one| !one.in_force) {
                return Verdict::Happened(None);
            }
        }
        _ => {
            let Some(record) = record else { return Verdict::Ask("the licence is not listed".into()) };
            let as_wanted = |(field, wanted): (&Field, &Digest)| {
                record
                    .fields
                    .iter()
                    .any(|(other, value)| other == field && ctx.digester.value(value) == *wanted)
            };
            if operation.declared.iter().all(as_wanted) {
                return Verdict::Happened(None);
            }
        }
    }
    look(operation, Some(read.as_of), from)
}

/// Whether a record could be what the operation made: a strong key, or the name with nothing that contradicts it.
fn looks_like(digester: &Digester, operation: &Operation, record: &Record) -> bool {
    let digests: Vec<(KeyKind, Digest)> =
        record.keys().map(|key| (key.kind, digester.text(key.value))).collect();
    let mut name = false;
    let contradicted = operation.expect.iter().any(|(expected, _)| {
        // Another domain, number or mark than the one it was to get: another company of that name.
        expected.strong()
            && digests.iter().any(|(kind, _)| kind == expected)
            && !digests.iter().any(|(kind, digest)| {
                operation.expect.iter().any(|(expected, wanted)| expected == kind && wanted == digest)
                    && kind == expected
            })
    });
    for (kind, digest) in &digests {
        let agrees = operation.expect.iter().any(|(expected, wanted)| expected == kind && wanted == digest);
        if agrees && kind.strong() {
            return true;
        }
        name |= agrees && *kind == KeyKind::Name;
    }
    name && !contradicted
}

/// Whether the row's refusal by the vendor turns it into manual work from now on.
pub(crate) fn position_finding(row: Row) -> Finding {
    Finding::new(Code::PositionRefused, format!("the vendor refuses this to our position: {}", row.words()))
        .next("it is a task from now on; tenantry doctor shows what our position may do")
}
