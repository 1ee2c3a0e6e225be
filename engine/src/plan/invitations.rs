//! Invitations: drafted once per ledger entry, sent by a person, accepted by the customer, seen in the census.
//!
//! Nothing here ever leads to a second draft: an entry that has an invitation only waits, reminds or binds.

use jiff::{SignedDuration, Timestamp};

use crate::action::Action;
use crate::capability::{By, Party, Row};
use crate::console::Projection;
use crate::desired::{InvitationDecl, OpenAccount};
use crate::ledger::{GuardKind, Invitation};
use crate::observed::{KeyKind, Record};
use crate::plan::accounts::{adopt, ensure_entry};
use crate::plan::context::Context;
use crate::plan::findings::{Code, Finding};
use crate::plan::matching::Key;
use crate::plan::reasons::{Reason, ReasonCode, WaitingFor};
use crate::plan::{Inside, InvitationTerms, Performer, Step, Waiting};
use crate::task::{Outcome, Task};
use crate::text::terminal;
use crate::value::{Field, Value, hex, sha256};

/// What becomes of a draft.
const TO_SEND: &str = "a mail for you to send: tenantry invitations --eml outbox/";

/// The keys by which acceptance will show, strongest first.
fn accepted_as(ctx: &Context<'_>, decl: &OpenAccount<'_>, projection: &Projection) -> Vec<String> {
    let mut out: Vec<String> = decl.account.id.iter().map(|id| format!("id:{id}")).collect();
    let kinds = ctx.input.dialect.accepted_by();
    for key in projection.keys.iter().filter(|key| kinds.contains(&key.kind) && ctx.excluded.counts(*key)) {
        match key.kind {
            KeyKind::TenantDomain => out.push(format!("domain:{}", key.value)),
            KeyKind::LoginEmail => out.push(format!("email:{}", key.value)),
            _ => {}
        }
    }
    out
}

fn find<'a>(ctx: &Context<'a>, accepted_as: &[String]) -> Option<&'a Record> {
    accepted_as.iter().find_map(|key| {
        let (kind, value) = key.split_once(':')?;
        match kind {
            "id" => ctx.input.observed.census.get(&value.into()),
            "domain" => ctx.index().only(&Key::new(KeyKind::TenantDomain, value)?),
            "email" => ctx.index().only(&Key::new(KeyKind::LoginEmail, value)?),
            _ => None,
        }
    })
}

/// A declared invitation that was not drafted yet.
pub(super) fn invite(ctx: &mut Context<'_>, decl: &OpenAccount<'_>, projection: &Projection) {
    let Some(invitation) = &decl.invitation else { return };
    let keys = accepted_as(ctx, decl, projection);
    if let Some(record) = find(ctx, &keys) {
        if ctx.holder(&record.id).is_none() {
            let step = adopt(
                ctx,
                decl,
                record,
                projection,
                Reason::new(
                    ReasonCode::AlreadyListed,
                    "invited by a Relationship, and listed already: no mail",
                ),
            );
            ctx.steps.push(step);
        }
        return;
    }
    if keys.is_empty() {
        return ctx.finding(
            Finding::new(
                Code::UnrecognisableAcceptance,
                "an acceptance could not be told from any other new customer",
            )
            .about(&decl.address)
            .at(&invitation.origin)
            .next(
                "write accounts[].id (the tenant id), or one of the customer's domains into company.domains",
            ),
        );
    }
    if let Some(other) = ctx.invited_as(&decl.address, &keys) {
        return ctx.finding(
            Finding::new(
                Code::PossibleDuplicate,
                format!("not invited: {other} was invited already, as the same customer"),
            )
            .about(&decl.address)
            .at(&invitation.origin)
            .next(format!("if it was renamed: formerly: [{}]", terminal(&other.name))),
        );
    }
    if !ctx.input.observed.census.complete() {
        ctx.not_compared += 1;
        return;
    }
    let Some(terms) = terms(ctx, decl, invitation, keys) else { return };
    let performer = match ctx.by(Row::Invite) {
        By::Api => Performer::Console,
        By::Person(_) => {
            let subject = ctx.subject(&decl.address, Some(decl), None);
            super::manual::performer(ctx, Row::Invite, Action::Invite, subject, None, &[])
        }
        By::NotYet | By::Never => {
            return ctx.finding(
                Finding::new(Code::NotThere, format!("{} has no invitations", ctx.input.dialect.title()))
                    .about(&decl.address)
                    .at(&invitation.origin),
            );
        }
    };
    ensure_entry(ctx, decl);
    let records = ctx.input.observed.census.records().len();
    let mut changes = vec![text_change("to", "to", &terms.to)];
    changes.push(text_change("language", "language", &terms.language));
    changes.push(text_change(
        "reseller",
        "reseller",
        &terms.provider.as_ref().map_or_else(|| "us".to_owned(), |provider| format!("us and {provider}")),
    ));
    let because = Reason::new(
        ReasonCode::Invited,
        match records {
            0 => "to be invited; nobody is listed yet".to_owned(),
            1 => "to be invited; not the one customer that is listed".to_owned(),
            _ => format!("to be invited; not among the {records} customers"),
        },
    );
    let drafts = performer == Performer::Console;
    let step = Step::new(&decl.address, Action::Invite, Row::Invite, because)
        .by(performer)
        .changing(changes)
        .using(Some((GuardKind::Invitations, 1)))
        .at(&invitation.origin)
        .with(Inside { invitation: Some(Box::new(terms)), ..Inside::default() });
    ctx.steps.push(if drafts { step.note("then", TO_SEND) } else { step });
}

fn text_change(field: &'static str, label: &str, text: &str) -> super::Change {
    super::Change { field: Field::of(field), label: label.into(), old: None, new: Some(Value::text(text)) }
}

fn terms(
    ctx: &mut Context<'_>,
    decl: &OpenAccount<'_>,
    invitation: &InvitationDecl<'_>,
    accepted_as: Vec<String>,
) -> Option<InvitationTerms> {
    let spec = invitation.spec.invitation.as_ref();
    let contacts = decl.customer.contacts.as_deref().unwrap_or_default();
    let contact = contacts
        .iter()
        .find(|contact| contact.roles.contains(&tenantry_crd::customer::ContactRole::Admin))
        .or_else(|| contacts.first());
    let to = spec
        .and_then(|spec| spec.to.clone())
        .or_else(|| contact.and_then(|contact| contact.email.as_ref().map(ToString::to_string)));
    let Some(to) = to else {
        ctx.finding(
            Finding::new(Code::MissingField, "the invitation has no recipient")
                .about(&decl.address)
                .at(&invitation.origin)
                .field("spec.invitation.to")
                .next("write invitation.to, or a contact with role Admin and an e-mail"),
        );
        return None;
    };
    let language = spec
        .and_then(|spec| spec.language.clone())
        .or_else(|| contact.and_then(|contact| contact.language.as_ref().map(ToString::to_string)))
        .unwrap_or_else(|| "en".to_owned());
    let provider = invitation.spec.reseller.as_ref().and_then(|reseller| reseller.provider.clone());
    Some(InvitationTerms { to, language, provider, accepted_as })
}

/// The task of sending a drafted mail; its id is tied to the mail.
pub fn send_task(console: &str, title: &str, name: &str, message_id: &str, to: &str) -> Task {
    let digest = hex(&sha256([message_id.as_bytes()]));
    Task {
        id: format!("{console}-send-{name}-{}", &digest[..6]),
        title: format!("send the mail to {}", terminal(to)),
        party: Party::Operator,
        at: title.to_owned(),
        steps: vec![
            "tenantry invitations --eml outbox/ writes the mail, ready to send".into(),
            "send it from your own mailbox; its words may change, its link may not".into(),
        ],
        consequences: vec!["the customer is asked to accept a reseller relationship".into()],
        observable: false,
    }
}

/// An invitation that was drafted: waits, is reminded of, is accepted.
pub(super) fn pending(
    ctx: &mut Context<'_>,
    decl: &OpenAccount<'_>,
    invitation: &Invitation,
    projection: &Projection,
) {
    if let Some(record) = find(ctx, &invitation.accepted_as) {
        if let Some(holder) = ctx.holder(&record.id).cloned() {
            return ctx.finding(
                Finding::new(
                    Code::BoundTwice,
                    format!("\"{}\" accepted, but is bound to {holder} already", record.name().terminal()),
                )
                .about(&decl.address)
                .at(&decl.origin),
            );
        }
        let step = adopt(
            ctx,
            decl,
            record,
            projection,
            Reason::new(ReasonCode::Accepted, "the invitation was accepted"),
        );
        return ctx.steps.push(step);
    }
    weak_acceptance(ctx, decl, projection);
    if let Some(at) = invitation.revoked {
        return taken_back(ctx, decl, at);
    }
    let invitation = sent_by_attestation(ctx, decl, invitation);
    let reminders = ctx.input.desired.console.spec.invitation.effective();
    let now = ctx.input.now;
    let since = invitation.sent.unwrap_or(invitation.drafted);
    let expires = since.saturating_add(reminders.expire_after.to_duration()).unwrap_or(Timestamp::MAX);
    let last =
        invitation.reminders.last().map_or(since, |reminder| reminder.sent.unwrap_or(reminder.drafted));
    // Without its link (a person has invited, or it was erased) no mail of ours can be made.
    let most = reminders.max_reminders as usize;
    let next_reminder =
        (invitation.reminders.len() < most && invitation.sent.is_some() && !invitation.link.is_empty())
            .then(|| last.saturating_add(reminders.remind_after.to_duration()).unwrap_or(Timestamp::MAX));
    let overdue = now >= expires;
    if overdue {
        ctx.finding(
            Finding::new(Code::InvitationExpired, format!("invited {}, accepted by nobody", ago(since, now)))
                .about(&decl.address)
                .at(&decl.origin)
                .next("ask the customer; the link stays good, and no second mail is made"),
        );
    }
    if let Some(mail) = unsent(&invitation) {
        let waiting = mail_waits(ctx, decl, &invitation.to, &mail);
        return ctx.waiting.push(waiting.until(Some(expires)).overdue(overdue));
    }
    let asked = ctx.input.approvals.remind.contains(&decl.address);
    if !overdue && next_reminder.is_some_and(|due| due <= now || asked) {
        return remind(ctx, decl, &invitation, next_reminder.is_some_and(|due| due <= now));
    }
    let mut notes = Vec::from_iter(no_reminder(&invitation, most, asked));
    let stops = format!("we stop waiting on {}", super::accounts::date(expires));
    if let Some(due) = next_reminder.filter(|_| !overdue) {
        notes.push(("next".to_owned(), format!("reminder on {} · {stops}", super::accounts::date(due))));
    } else if !overdue {
        notes.push(("next".to_owned(), stops));
    }
    let words = format!("invited {}, accepted by nobody yet", ago(since, now));
    ctx.waiting.push(
        Waiting::new(&decl.address, WaitingFor::Acceptance, words)
            .of(Some(Party::Customer))
            .notes(notes)
            .since(Some(since))
            .until(Some(next_reminder.filter(|_| !overdue).map_or(expires, |due| due.min(expires))))
            .overdue(overdue)
            .at(Some(&decl.origin)),
    );
}

/// The mail that is drafted and not known to be sent.
fn unsent(invitation: &Invitation) -> Option<(String, Timestamp)> {
    match invitation.reminders.last() {
        Some(reminder) if reminder.sent.is_none() => Some((reminder.message_id.clone(), reminder.drafted)),
        None if invitation.sent.is_none() => Some((invitation.message_id.clone(), invitation.drafted)),
        Some(_) | None => None,
    }
}

/// Takes "sent" from an Attestation or from `tenantry tasks done`.
fn sent_by_attestation(ctx: &mut Context<'_>, decl: &OpenAccount<'_>, invitation: &Invitation) -> Invitation {
    let Some((message_id, drafted)) = unsent(invitation) else { return invitation.clone() };
    let id = send_task(ctx.input.desired.console.name.as_str(), "", &decl.address.name, &message_id, "").id;
    let recorded = ctx
        .entry(&decl.address)
        .and_then(|entry| entry.tasks.get(&id))
        .and_then(|task| task.attested.clone());
    let sent = ctx
        .input
        .desired
        .attestations
        .iter()
        .filter(|attestation| attestation.about == id)
        .map(|attestation| attestation.attested.clone())
        .chain(recorded)
        .filter(|attested| attested.outcome == Outcome::Done && attested.on >= drafted)
        .map(|attested| attested.on)
        .max();
    let Some(sent) = sent else { return invitation.clone() };
    let mut invitation = invitation.clone();
    match invitation.reminders.last_mut() {
        Some(reminder) => reminder.sent = Some(sent),
        None => invitation.sent = Some(sent),
    }
    let stored = invitation.clone();
    ctx.edit(
        &decl.address,
        "sent",
        format!("the mail was sent on {}", super::accounts::date(sent)),
        |entry| {
            entry.invitation = Some(Box::new(stored));
            entry.tasks.remove(&id);
        },
    );
    invitation
}

/// A drafted mail waits for somebody to send it.
fn mail_waits(
    ctx: &Context<'_>,
    decl: &OpenAccount<'_>,
    to: &str,
    (message_id, drafted): &(String, Timestamp),
) -> Waiting {
    let task = send_task(
        ctx.input.desired.console.name.as_str(),
        ctx.input.dialect.title(),
        &decl.address.name,
        message_id,
        to,
    );
    let words = format!("a mail to {} waits for you since {}", terminal(to), super::accounts::date(*drafted));
    let notes = vec![
        ("write it".into(), "tenantry invitations --eml outbox/".into()),
        ("once sent".into(), format!("tenantry tasks done {}", task.id)),
    ];
    Waiting::new(&decl.address, WaitingFor::Task, words)
        .of(Some(Party::Operator))
        .notes(notes)
        .since(Some(*drafted))
        .task(Box::new(task))
        .at(Some(&decl.origin))
}

/// Why no reminder follows, where that is worth a line.
fn no_reminder(invitation: &Invitation, most: usize, asked: bool) -> Option<(String, String)> {
    let made = invitation.reminders.len();
    let words = match most {
        0 if asked => "none are to be made: invitation.maxReminders is 0".to_owned(),
        1.. if made >= most => format!("{made} of {most} made; no more follow"),
        _ if asked && invitation.link.is_empty() => {
            "yours to write: the ledger holds no link for a mail".to_owned()
        }
        _ => return None,
    };
    Some(("reminders".to_owned(), words))
}

/// Taken back by a person. No vendor takes back a link: whoever accepts all the same is bound above.
fn taken_back(ctx: &mut Context<'_>, decl: &OpenAccount<'_>, at: Timestamp) {
    ctx.finding(
        Finding::new(
            Code::InvitationRevoked,
            format!(
                "the invitation was taken back on {}: no mail and no reminder is made for it; whoever holds its link can still accept",
                super::accounts::date(at)
            ),
        )
        .about(&decl.address)
        .at(&decl.origin)
        .next("if it is not wanted any more: take the Relationship and the account out of the declarations")
        .next(format!("if it is to be invited anew, with a second mail: tenantry state forget {}", decl.address)),
    );
}

fn remind(ctx: &mut Context<'_>, decl: &OpenAccount<'_>, invitation: &Invitation, due: bool) {
    let n = invitation.reminders.len() + 1;
    let why = if due { "is due" } else { "is asked for before its day" };
    let because =
        Reason::new(ReasonCode::ReminderDue, format!("invited, accepted by nobody yet; reminder {n} {why}"));
    let reminder = super::Change {
        field: Field::of("reminder"),
        label: "reminder".into(),
        old: None,
        new: Some(Value::Number(i64::try_from(n).unwrap_or(i64::MAX))),
    };
    ctx.steps.push(
        Step::new(&decl.address, Action::Remind, Row::Invite, because)
            .changing(vec![text_change("to", "to", &invitation.to), reminder])
            .note("then", TO_SEND)
            .at(&decl.origin),
    );
}

/// An unbound record that shares only a weak key with a pending invitation is told, never bound by elimination.
fn weak_acceptance(ctx: &mut Context<'_>, decl: &OpenAccount<'_>, projection: &Projection) {
    let found = ctx.lookalikes(projection, decl).into_iter();
    let found: Vec<_> = found.filter(|candidate| ctx.holder(&candidate.record.id).is_none()).collect();
    for candidate in found {
        let id = terminal(candidate.record.id.as_str());
        ctx.named.insert(candidate.record.id.clone());
        ctx.finding(
            Finding::new(
                Code::UnmatchedAcceptance,
                format!(
                    "\"{}\" (id {id}) has the same {}; it may have accepted, and is not bound by that",
                    candidate.record.name().terminal(),
                    candidate.words()
                ),
            )
            .about(&decl.address)
            .at(&decl.origin)
            .next(format!("if it is this customer, bind it: tenantry adopt {} --id {id}", decl.address)),
        );
    }
}

fn ago(then: Timestamp, now: Timestamp) -> String {
    let hours = now.duration_since(then).max(SignedDuration::ZERO).as_hours();
    match (hours, hours / 24) {
        (..24, _) => "today".to_owned(),
        (_, 1) => "yesterday".to_owned(),
        (_, days) => format!("{days} days ago"),
    }
}
