//! Steps that a person performs: tasks, their evidence, and what becomes of a step whose task is open already.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::action::Action;
use crate::address::Address;
use crate::capability::Row;
use crate::console::{Ask, Subject};
use crate::desired::LicenseDecl;
use crate::ledger::{Applied, Invitation, Standing};
use crate::plan::context::Context;
use crate::plan::findings::{Code, Finding};
use crate::plan::reasons::WaitingFor;
use crate::plan::{Change, Performer, Step, Waiting};
use crate::task::{Attested, Outcome, Task, TaskRecord, task_id};

/// The task of a step; its id is completed once the step has its fingerprint.
pub(super) fn performer(
    ctx: &Context<'_>,
    row: Row,
    action: Action,
    subject: Subject<'_>,
    license: Option<&LicenseDecl<'_>>,
    changes: &[Change],
) -> Performer {
    let how = ctx.input.dialect.instructions(&Ask { row, action, subject, license, changes });
    Performer::Person(Box::new(Task {
        id: how.verb.to_owned(),
        title: how.title,
        party: match ctx.by(row) {
            crate::capability::By::Person(party) if ctx.caps().by(row) == ctx.by(row) => {
                if how.party == party { party } else { how.party }
            }
            _ => how.party,
        },
        at: how.at,
        steps: how.steps,
        consequences: how.consequences,
        observable: how.observable,
    }))
}

/// Gives tasks their ids, turns steps whose task is open into waits, closes tasks that nothing wants any more, and
/// takes what people said about them.
pub(super) fn resolve(ctx: &mut Context<'_>) {
    let mut wanted: BTreeSet<(Address, String)> = BTreeSet::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    // Collected where they stand: a first run has one for every account.
    let steps = std::mem::take(&mut ctx.steps).into_iter();
    let steps = steps.filter_map(|mut step| {
        let Performer::Person(task) = &mut step.performer else { return Some(step) };
        task.id =
            task_id(ctx.input.desired.console.name.as_str(), &task.id, &step.address.name, &step.fingerprint);
        let (id, observable) = (task.id.clone(), task.observable);
        wanted.insert((step.address.clone(), id.clone()));
        known.insert(id.clone());
        let record = ctx.entry(&step.address).and_then(|entry| entry.tasks.get(&id)).cloned();
        let said = said(ctx, &id, record.as_ref());
        match said {
            Some(said) if said.outcome == Outcome::Done => {
                done(ctx, step, &id, observable, record, said);
                None
            }
            Some(said) if said.outcome == Outcome::Refused => {
                ctx.finding(
                    Finding::new(
                        Code::TaskRefused,
                        format!("{id} was refused ({}, {})", said.by, super::accounts::date(said.on)),
                    )
                    .about(&step.address)
                    .next("declare what is there, or open it again by declaring something else"),
                );
                remember(ctx, &step.address, &id, record, said);
                None
            }
            _ => match record {
                Some(record) => {
                    open(ctx, step, record.since);
                    None
                }
                None => Some(step),
            },
        }
    });
    ctx.steps = steps.collect();
    close_unwanted(ctx, &wanted);
    unused(ctx, &known);
}

/// What was last said about a task: by the ledger, or by an Attestation that is not older than the task.
fn said(ctx: &Context<'_>, id: &str, record: Option<&TaskRecord>) -> Option<Attested> {
    let since = record.map(|record| record.since);
    ctx.input
        .desired
        .attestations
        .iter()
        .filter(|attestation| attestation.about == id)
        .map(|attestation| &attestation.attested)
        .chain(record.and_then(|record| record.attested.as_ref()))
        .filter(|attested| since.is_none_or(|since| attested.on >= since))
        .max_by_key(|attested| attested.on)
        .cloned()
}

fn remember(ctx: &mut Context<'_>, address: &Address, id: &str, record: Option<TaskRecord>, said: Attested) {
    if record.as_ref().and_then(|record| record.attested.as_ref()) == Some(&said) {
        return;
    }
    let (since, task) = record.map_or((said.on, None), |record| (record.since, record.task));
    let id = id.to_owned();
    ctx.edit(
        address,
        "attested",
        format!("{id}: {:?} by {}", said.outcome, crate::text::terminal(&said.by)),
        |entry| {
            entry.tasks.insert(id, TaskRecord { since, attested: Some(said), task });
        },
    );
}

fn done(
    ctx: &mut Context<'_>,
    step: Step,
    id: &str,
    observable: bool,
    record: Option<TaskRecord>,
    said: Attested,
) {
    if step.action == Action::Invite {
        return invited(ctx, step, id, &said);
    }
    if !observable {
        // Nothing will ever show it: what was said is what counts.
        let applied: Vec<_> = step
            .changes
            .iter()
            .filter_map(|change| {
                let declared = ctx.digester.value(change.new.as_ref()?);
                Some((change.field.clone(), Applied { declared, shown: None, unsettled: false }))
            })
            .collect();
        let id = id.to_owned();
        return ctx.edit(
            &step.address,
            "attested",
            format!("{id}: done, says {}", crate::text::terminal(&said.by)),
            |entry| {
                entry.last_applied.extend(applied);
                entry.tasks.remove(&id);
                if step.action.ends() {
                    entry.standing = Standing::Ended;
                    entry.since = said.on;
                }
            },
        );
    }
    let from = said.on.saturating_add(ctx.input.patience.settle).unwrap_or(Timestamp::MAX);
    let looked = as_of(ctx, &step);
    if looked >= from {
        ctx.finding(
            Finding::new(
                Code::AttestationContradicted,
                format!("{id} was said to be done, the console shows otherwise"),
            )
            .about(&step.address)
            .next("look again there; the task is open"),
        );
        let now = ctx.input.now;
        let owned = id.to_owned();
        let task = match &step.performer {
            Performer::Person(task) => Some(task.clone()),
            Performer::Console => None,
        };
        ctx.edit(&step.address, "attestation-contradicted", id.to_owned(), |entry| {
            entry.tasks.insert(owned, TaskRecord { since: now, attested: None, task });
        });
        return open(ctx, step, now);
    }
    remember(ctx, &step.address, id, record, said);
    ctx.waiting.push(
        Waiting::new(&step.address, WaitingFor::Settling, "said to be done; the console will show it")
            .notes(vec![("task".into(), id.to_owned())])
            .until(Some(from))
            .at(step.origin.as_ref()),
    );
}

/// A person has invited: from now on it is an invitation like any other, and never made again.
fn invited(ctx: &mut Context<'_>, step: Step, id: &str, said: &Attested) {
    let terms = *step.inside.invitation.unwrap_or_default();
    let invitation = Invitation {
        link: String::new(),
        message_id: id.to_owned(),
        to: terms.to,
        language: terms.language,
        provider: terms.provider,
        accepted_as: terms.accepted_as,
        drafted: said.on,
        sent: Some(said.on),
        reminders: Vec::new(),
        revoked: None,
    };
    let owned = id.to_owned();
    let words =
        format!("invited on {}, says {}", super::accounts::date(said.on), crate::text::terminal(&said.by));
    let waiting = Waiting::new(&step.address, WaitingFor::Acceptance, words)
        .of(Some(crate::capability::Party::Customer))
        .since(Some(said.on))
        .at(step.origin.as_ref());
    ctx.edit(
        &step.address,
        "invited",
        format!("{id}: done, says {}", crate::text::terminal(&said.by)),
        |entry| {
            entry.invitation = Some(Box::new(invitation));
            entry.tasks.remove(&owned);
        },
    );
    ctx.waiting.push(waiting);
}

/// When the facts were looked at that this step rests on.
fn as_of(ctx: &Context<'_>, step: &Step) -> Timestamp {
    let observed = ctx.input.observed;
    let census = observed.census.began;
    if step.address.kind != crate::address::Kind::License {
        return census;
    }
    ctx.input
        .desired
        .licenses
        .iter()
        .find(|decl| decl.address == step.address)
        .and_then(|decl| ctx.entry(&decl.account))
        .and_then(|entry| entry.remote_id.as_ref())
        .and_then(|id| ctx.licenses(id))
        .map_or(census, |read| read.as_of)
}

fn open(ctx: &mut Context<'_>, step: Step, since: Timestamp) {
    let Performer::Person(task) = step.performer else { return };
    let mut notes: Vec<(String, String)> = step
        .changes
        .iter()
        .filter(|_| step.action == Action::Update)
        .map(|change| {
            let old = change.old.as_ref().map_or_else(|| "?".to_owned(), crate::value::Value::terminal);
            let new = change.new.as_ref().map_or_else(|| "none".to_owned(), crate::value::Value::terminal);
            (change.label.clone(), format!("{old} → {new}"))
        })
        .collect();
    notes.push(("task".into(), task.id.clone()));
    let words = format!("{}: open since {}", task.title, super::accounts::date(since));
    ctx.waiting.push(
        Waiting::new(&step.address, WaitingFor::Task, words)
            .of(Some(task.party))
            .notes(notes)
            .since(Some(since))
            .at(step.origin.as_ref())
            .task(task),
    );
}

/// A task whose wish is fulfilled or gone is closed. One of an address that could not be compared now stays.
fn close_unwanted(ctx: &mut Context<'_>, wanted: &BTreeSet<(Address, String)>) {
    let compared = ctx.input.observed.census.complete();
    let stale: Vec<(Address, String)> = ctx
        .input
        .ledger
        .entries
        .iter()
        .flat_map(|(address, entry)| entry.tasks.keys().map(move |id| (address.clone(), id.clone())))
        .filter(|pair| !wanted.contains(pair) && !pair.1.contains("-send-"))
        .filter(|(address, _)| compared && !blind(ctx, address))
        .collect();
    for (address, id) in stale {
        ctx.edit(&address, "task-closed", id.clone(), |entry| {
            entry.tasks.remove(&id);
        });
    }
}

/// Whether what this address's tasks rest on was not read in this run, or cannot be told.
fn blind(ctx: &Context<'_>, address: &Address) -> bool {
    let in_doubt = ctx
        .entry(address)
        .and_then(|entry| entry.operation.as_ref())
        .is_some_and(|operation| !matches!(operation.phase, crate::operation::Phase::NotHappened { .. }));
    if in_doubt || ctx.unseen.contains(address) || (!ctx.is_declared(address) && ctx.kept(address)) {
        return true;
    }
    if address.kind != crate::address::Kind::License {
        return false;
    }
    let account = ctx.entry(address).and_then(|entry| entry.parent.clone());
    let id = account.and_then(|account| ctx.entry(&account).and_then(|entry| entry.remote_id.clone()));
    let by_word = super::licenses::by_word_alone(ctx);
    id.is_some_and(|id| ctx.licenses(&id).is_none_or(|read| read.unreadable.is_some() && !by_word))
}

/// Attestations that name nothing open here are only told where they name a task of this console.
fn unused(ctx: &mut Context<'_>, known: &BTreeSet<String>) {
    let prefix = format!("{}-", ctx.input.desired.console.name);
    let late: Vec<Finding> = ctx
        .input
        .desired
        .attestations
        .iter()
        .filter(|attestation| attestation.about.starts_with(&prefix))
        .filter(|attestation| !known.contains(&attestation.about))
        .filter(|attestation| {
            !ctx.input.ledger.entries.values().any(|entry| entry.tasks.contains_key(&attestation.about))
        })
        .map(|attestation| {
            Finding::new(
                Code::AttestationUnused,
                format!("{} is no open task", crate::text::terminal(&attestation.about)),
            )
            .at(&attestation.origin)
            .next("tenantry tasks lists them; an attestation of a closed task can go")
        })
        .map(|mut finding| {
            finding.severity = crate::plan::findings::Severity::Info;
            finding
        })
        .collect();
    ctx.findings.extend(late);
}
