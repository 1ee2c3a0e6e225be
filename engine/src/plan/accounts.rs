//! One declared account: bound, to be adopted, to be created, to be invited, or in the way of itself.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use tenantry_crd::customer::Onboarding;

use crate::action::Action;
use crate::address::{Address, RemoteId};
use crate::capability::{By, Row};
use crate::console::Projection;
use crate::desired::OpenAccount;
use crate::ledger::{Entry, GuardKind, LastApplied, Standing, Want};
use crate::observed::{Facet, Record};
use crate::operation::Phase;
use crate::origin::Origin;
use crate::plan::context::{Context, remembered, up_to_date};
use crate::plan::findings::{Code, Finding};
use crate::plan::reasons::{Reason, ReasonCode, WaitingFor};
use crate::plan::{Change, Consequence, Inside, Performer, Step, Waiting};
use crate::text::terminal;
use crate::value::{Field, Value};

/// Plans the n-th declared account.
pub(super) fn plan(ctx: &mut Context<'_>, n: usize) {
    let decl = &ctx.input.desired.accounts[n];
    if ctx.renames_a_live_one(&decl.address, &decl.formerly, &decl.origin) {
        return;
    }
    let decl = &decl.open();
    let want = effective_want(ctx, decl);
    remember(ctx, decl, want);
    let entry = ctx.entry_now(&decl.address);
    let entry = entry.as_deref();
    if entry
        .and_then(|entry| entry.operation.as_ref())
        .is_some_and(|operation| !matches!(operation.phase, Phase::NotHappened { .. }))
    {
        return;
    }
    super::contacts::own(ctx, decl);
    if let Some(entry) = entry
        && let Some(id) = entry.bound()
    {
        return bound(ctx, decl, want, entry, id, &ctx.input.dialect.managed(decl));
    }
    let projection = ctx.project(decl);
    match want {
        Want::Present => unbound(ctx, decl, entry, &projection),
        // Nothing of ours is there to be ended.
        Want::Suspended | Want::Detached | Want::Removed | Want::Ended => {
            if let Some(id) = named(decl) {
                adopt_named(ctx, decl, &id, &projection);
            }
        }
    }
}

/// What is wanted today, and the wait for what is wanted from a later day on.
fn effective_want(ctx: &mut Context<'_>, decl: &OpenAccount<'_>) -> Want {
    not_before(ctx, &decl.address, decl.want, decl.not_before, &decl.origin);
    want_today(ctx, decl)
}

/// An end that is wanted from a later day on waits for it. Whether it does.
pub(super) fn not_before(
    ctx: &mut Context<'_>,
    address: &Address,
    want: Want,
    day: Option<Timestamp>,
    origin: &Origin,
) -> bool {
    let Some(day) = day.filter(|day| *day > ctx.input.now && want != Want::Present) else { return false };
    let words = format!("to be {} from {} on", want.to_string().to_lowercase(), date(day));
    let wait = Waiting::new(address, WaitingFor::NotBefore, words).until(Some(day)).at(Some(origin));
    ctx.waiting.push(wait);
    true
}

/// What is wanted today, without telling anybody. Before its day an ending is not wanted, even if it was wanted
/// before and put off since; what has ended stays as it was meant.
fn want_today(ctx: &Context<'_>, decl: &OpenAccount<'_>) -> Want {
    if decl.want == Want::Present || decl.not_before.is_none_or(|day| day <= ctx.input.now) {
        return decl.want;
    }
    match ctx.entry(&decl.address) {
        Some(entry) if entry.standing == Standing::Ended || entry.want == Want::Suspended => entry.want,
        _ => Want::Present,
    }
}

pub(super) fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// Brings what the ledger remembers of a declaration up to date, where there is an entry.
fn remember(ctx: &mut Context<'_>, decl: &OpenAccount<'_>, want: Want) {
    let Some(entry) = ctx.entry(&decl.address) else { return };
    let given = given(ctx, decl);
    if up_to_date(entry, decl, want, &given) {
        return;
    }
    let fresh = remembered(entry.clone(), decl, want, given.into_iter());
    ctx.put(&decl.address, "", "", fresh);
}

fn given(ctx: &Context<'_>, decl: &OpenAccount<'_>) -> Vec<String> {
    ctx.input
        .approvals
        .consents
        .iter()
        .filter(|(_, address)| *address == decl.address)
        .map(|(code, _)| code.clone())
        .collect()
}

/// Makes sure that there is an entry to carry what a step does.
pub(super) fn ensure_entry(ctx: &mut Context<'_>, decl: &OpenAccount<'_>) {
    if ctx.entry(&decl.address).is_none() {
        let given = given(ctx, decl);
        let entry = remembered(
            Entry::declared(decl.origin.clone(), ctx.input.now),
            decl,
            want_today(ctx, decl),
            given.into_iter(),
        );
        ctx.put(&decl.address, "", "", entry);
    }
}

fn bound(
    ctx: &mut Context<'_>,
    decl: &OpenAccount<'_>,
    want: Want,
    entry: &Entry,
    id: &RemoteId,
    projection: &Projection,
) {
    if let Some(named) = named(decl)
        && named != *id
    {
        return ctx.finding(
            Finding::new(
                Code::Contradiction,
                format!(
                    "id says \"{}\", but it is bound to \"{}\"",
                    terminal(named.as_str()),
                    terminal(id.as_str())
                ),
            )
            .about(&decl.address)
            .at(&decl.origin)
            .field(decl.path("id"))
            .next(format!(
                "correct the id, or give the old record up first: tenantry state forget {}",
                decl.address
            )),
        );
    }
    let Some(record) = ctx.input.observed.census.get(id) else {
        return gone(ctx, decl, want, entry);
    };
    ctx.note_unknown(&decl.address, record);
    if entry.ended_elsewhere.is_some() {
        ctx.edit(&decl.address, "seen-again", "the record is listed again", |entry| {
            entry.ended_elsewhere = None;
        });
    }
    if entry.standing == Standing::Released {
        let again =
            Reason::new(ReasonCode::DeclaredAgain, "declared again; it was never let go in the console");
        let step = adopt(ctx, decl, record, projection, again);
        ctx.steps.push(step);
        return;
    }
    let renamed = ctx.renamed.values().any(|new| *new == decl.address);
    if renamed {
        let mut step = adopt(
            ctx,
            decl,
            record,
            projection,
            Reason::new(
                ReasonCode::Renamed,
                "formerly names its old address; nothing is asked of the console",
            ),
        );
        step.inside.moved_from =
            ctx.renamed.iter().find(|(_, new)| **new == decl.address).map(|(old, _)| Box::new(old.clone()));
        step.changes.clear();
        if let Some(old) = &step.inside.moved_from {
            step.changes.push(Change {
                field: Field::of("address"),
                label: "formerly".into(),
                old: Some(Value::text(old.to_string())),
                new: Some(Value::text(decl.address.to_string())),
            });
        }
        ctx.steps.push(step);
    }
    match want {
        Want::Present => {
            for gate in projection.refused.iter().filter(|finding| finding.code == Code::ProgramExcludes) {
                ctx.finding(gate.clone().about(&decl.address).at(&decl.origin));
            }
            super::compare::fields(ctx, decl, entry, record, projection);
        }
        Want::Suspended => unavailable(ctx, decl, Row::Suspend),
        Want::Detached | Want::Ended => super::ends::want(ctx, decl, Row::Detach),
        Want::Removed => super::ends::want(ctx, decl, Row::Remove),
    }
}

/// Bound, and not in the census.
fn gone(ctx: &mut Context<'_>, decl: &OpenAccount<'_>, want: Want, entry: &Entry) {
    if !ctx.conclusive_since(entry.wrote) {
        ctx.not_compared += 1;
        ctx.unseen.insert(decl.address.clone());
        return;
    }
    let now = ctx.input.now;
    if want != Want::Present {
        return ctx.edit(
            &decl.address,
            "ended",
            "the console does not list it any more, as wanted",
            |entry| {
                entry.standing = Standing::Ended;
                entry.since = now;
                entry.tasks.clear();
            },
        );
    }
    if entry.ended_elsewhere.is_none() {
        ctx.edit(&decl.address, "ended-elsewhere", "the console does not list it any more", |entry| {
            entry.ended_elsewhere = Some(now.into());
        });
    }
    ended_elsewhere(ctx, decl);
}

fn ended_elsewhere(ctx: &mut Context<'_>, decl: &OpenAccount<'_>) {
    ctx.finding(
        Finding::new(
            Code::EndedElsewhere,
            "it was there and is gone; tenantry did not end it in this way and does not make it again",
        )
        .about(&decl.address)
        .at(&decl.origin)
        .next(format!("if it is to begin anew: tenantry state forget {}", decl.address))
        .next("if it is to stay away: want: Detached"),
    );
}

fn unavailable(ctx: &mut Context<'_>, decl: &OpenAccount<'_>, row: Row) {
    let note = ctx.caps().cells.get(&row).map(|cell| cell.note.clone()).unwrap_or_default();
    let mut finding = Finding::gap(ctx.input.dialect.title(), ctx.by(row), row.words())
        .about(&decl.address)
        .at(&decl.origin)
        .field(decl.path("want"));
    if !note.is_empty() {
        finding = finding.next(note);
    }
    ctx.finding(finding);
}

fn named(decl: &OpenAccount<'_>) -> Option<RemoteId> {
    decl.account.id.as_deref().map(RemoteId::from)
}

fn unbound(ctx: &mut Context<'_>, decl: &OpenAccount<'_>, entry: Option<&Entry>, projection: &Projection) {
    if let Some(id) = named(decl)
        && ctx.input.observed.census.get(&id).is_some()
    {
        return adopt_named(ctx, decl, &id, projection);
    }
    if entry.is_some_and(|entry| entry.standing == Standing::Ended) {
        return ended_elsewhere(ctx, decl);
    }
    if let Some(entry) = entry
        && let Some(invitation) = entry.invitation.clone()
    {
        return super::invitations::pending(ctx, decl, &invitation, projection);
    }
    if decl.account.via.is_some() {
        return made_elsewhere(ctx, decl, projection);
    }
    if named(decl).is_some() && decl.invitation.is_none() {
        return id_not_found(ctx, decl);
    }
    let candidates = ctx.lookalikes(projection, decl);
    let free: Vec<_> =
        candidates.iter().filter(|candidate| ctx.holder(&candidate.record.id).is_none()).cloned().collect();
    match decl.account.onboarding.unwrap_or_default() {
        Onboarding::Create => {
            // Where a person creates it, its appearance is what closes the task.
            let asked = entry.is_some_and(|entry| !entry.tasks.is_empty());
            let made: Vec<_> = free.iter().filter(|candidate| asked && candidate.suffices()).collect();
            if let [one] = made.as_slice() {
                let because =
                    Reason::new(ReasonCode::Matched, format!("created as asked: the same {}", one.words()));
                let step = adopt(ctx, decl, one.record, projection, because);
                ctx.steps.push(step);
            } else {
                create(ctx, decl, projection, &candidates);
            }
        }
        Onboarding::Existing => {
            let sufficing: Vec<_> = free.iter().filter(|candidate| candidate.suffices()).collect();
            match sufficing.as_slice() {
                [one] => {
                    let words = format!("the same {}", one.words());
                    let step =
                        adopt(ctx, decl, one.record, projection, Reason::new(ReasonCode::Matched, words));
                    ctx.steps.push(step);
                }
                [] if decl.invitation.is_some() => super::invitations::invite(ctx, decl, projection),
                [] => not_found(ctx, decl, &free),
                several => {
                    ctx.named.extend(several.iter().map(|one| one.record.id.clone()));
                    let ids: Vec<String> = several
                        .iter()
                        .map(|one| format!("\"{}\" ({})", terminal(one.record.id.as_str()), one.words()))
                        .collect();
                    ctx.finding(
                        Finding::new(
                            Code::AmbiguousMatch,
                            format!("{} records match: {}", ids.len(), ids.join(", ")),
                        )
                        .about(&decl.address)
                        .at(&decl.origin)
                        .field(decl.path("id"))
                        .next(format!("bind the right one: tenantry adopt {} --id ID", decl.address)),
                    );
                }
            }
        }
    }
}

fn id_not_found(ctx: &mut Context<'_>, decl: &OpenAccount<'_>) {
    if ctx.input.observed.census.complete() {
        ctx.finding(
            Finding::new(
                Code::IdNotFound,
                format!(
                    "no record there has the id \"{}\"",
                    terminal(decl.account.id.as_deref().unwrap_or_default())
                ),
            )
            .about(&decl.address)
            .at(&decl.origin)
            .field(decl.path("id"))
            .next("correct it, or leave it out"),
        );
    } else {
        ctx.not_compared += 1;
    }
}

fn made_elsewhere(ctx: &mut Context<'_>, decl: &OpenAccount<'_>, projection: &Projection) {
    let free: Vec<_> = ctx
        .lookalikes(projection, decl)
        .into_iter()
        .filter(|c| c.suffices() && ctx.holder(&c.record.id).is_none())
        .collect();
    if let [one] = free.as_slice() {
        let step = adopt(
            ctx,
            decl,
            one.record,
            projection,
            Reason::new(ReasonCode::Matched, format!("the same {}", one.words())),
        );
        return ctx.steps.push(step);
    }
    let via = decl.account.via.as_ref().map(|via| via.account.clone()).unwrap_or_default();
    let words = format!("made by its account {via}; bound as soon as it is listed here");
    ctx.waiting.push(Waiting::new(&decl.address, WaitingFor::Prerequisite, words).at(Some(&decl.origin)));
}

fn not_found(ctx: &mut Context<'_>, decl: &OpenAccount<'_>, free: &[super::matching::Candidate<'_>]) {
    if let Some(one) = free.first() {
        ctx.named.insert(one.record.id.clone());
        return ctx.finding(
            Finding::new(
                Code::PossibleMatch,
                format!(
                    "\"{}\" shares only its {}: too little to bind it",
                    one.record.name().terminal(),
                    one.words()
                ),
            )
            .about(&decl.address)
            .at(&decl.origin)
            .field(decl.path("id"))
            .next(bind_it(decl, one.record))
            .next(other_company(one.record)),
        );
    }
    if !ctx.input.observed.census.complete() {
        ctx.not_compared += 1;
        return;
    }
    ctx.finding(
        Finding::new(Code::NotFound, "no record there matches, and nothing invites it")
            .about(&decl.address)
            .at(&decl.origin)
            .next("onboarding: Create makes it · a Relationship invites it · id binds it"),
    );
}

/// Binding by `accounts[].id`.
fn adopt_named(ctx: &mut Context<'_>, decl: &OpenAccount<'_>, id: &RemoteId, projection: &Projection) {
    if let Some(holder) = ctx.holder(id).cloned() {
        return ctx.finding(
            Finding::new(
                Code::BoundTwice,
                format!("\"{}\" is bound to {holder} already", terminal(id.as_str())),
            )
            .about(&decl.address)
            .at(&decl.origin)
            .field(decl.path("id"))
            .next("one record belongs to one declaration: correct the id here or there"),
        );
    }
    if let Some(record) = ctx.input.observed.census.get(id) {
        let invited = ctx.entry(&decl.address).is_some_and(|entry| entry.invitation.is_some());
        let because = if invited {
            Reason::new(ReasonCode::Accepted, "the invitation was accepted")
        } else {
            Reason::new(ReasonCode::NamedById, "its id is declared")
        };
        let step = adopt(ctx, decl, record, projection, because);
        ctx.steps.push(step);
    }
}

/// A step that binds a record. What differs is listed; the next plan changes it.
pub(super) fn adopt(
    ctx: &mut Context<'_>,
    decl: &OpenAccount<'_>,
    record: &Record,
    projection: &Projection,
    because: Reason,
) -> Step {
    ensure_entry(ctx, decl);
    ctx.adopted.insert(record.id.clone(), decl.address.clone());
    let mut changes = Vec::new();
    let mut shown: Vec<(&Field, Value)> = Vec::with_capacity(projection.fields.len());
    let facet = ctx.input.observed.fresh(&record.id, Facet::Account);
    for (field, wanted) in &projection.fields {
        let Some(rule) = ctx.caps().fields.get(field) else { continue };
        let Some(value) = record.field(field.as_str()) else {
            // Beyond the list: remembered, so that it need not be read again only to know what it was.
            let beyond = facet.and_then(|read| read.field(field.as_str()));
            shown.extend(beyond.map(|value| (field, value)));
            continue;
        };
        if super::compare::kept(ctx, field) && !ctx.input.dialect.same(field, wanted, &value) {
            changes.push(Change {
                field: field.clone(),
                label: rule.label.into(),
                old: Some(value.clone()),
                new: Some(wanted.clone()),
            });
        }
        shown.push((field, value));
    }
    let binds = format!("\"{}\" · {}", record.name().terminal(), terminal(record.id.as_str()));
    let shown = ctx.applied_as_shown(shown.iter().map(|(field, value)| (*field, value)));
    binding(&decl.address, &decl.origin, because, &record.id, binds, changes, shown)
}

/// The step that binds an account or a licence; nothing is asked of the console.
pub(super) fn binding(
    address: &Address,
    origin: &Origin,
    because: Reason,
    id: &RemoteId,
    binds: String,
    changes: Vec<Change>,
    shown: LastApplied,
) -> Step {
    let step = Step::new(address, Action::Adopt, Row::Adopt, because).note("binds", binds);
    let step =
        if changes.is_empty() { step } else { step.note("then", "what differs is changed by the next plan") };
    step.record(Some(id.clone())).changing(changes).at(origin).with(Inside { shown, ..Inside::default() })
}

/// What the create request brings along of the account's licences.
fn made_with(ctx: &Context<'_>, decl: &OpenAccount<'_>) -> Vec<Change> {
    let mut articles: std::collections::BTreeMap<Field, Vec<Box<str>>> = std::collections::BTreeMap::new();
    let licenses = &ctx.input.desired.licenses;
    for license in licenses.iter().filter(|one| one.account == decl.address && one.want == Want::Present) {
        if let Some((field, article)) = ctx.input.dialect.made_with(license) {
            articles.entry(field).or_default().push(article);
        }
    }
    articles
        .into_iter()
        .map(|(field, mut articles)| {
            articles.sort();
            articles.dedup();
            let label = field.to_string();
            Change { field, label, old: None, new: Some(Value::List(articles.into())) }
        })
        .collect()
}

/// What to do with a record that may be the declared customer.
fn bind_it(decl: &OpenAccount<'_>, record: &Record) -> String {
    let id = terminal(record.id.as_str());
    format!("if it is this customer, bind it: tenantry adopt {} --id {id}", decl.address)
}

fn other_company(record: &Record) -> String {
    format!("if it is another company: distinctFrom: [\"{}\"]", terminal(record.id.as_str()))
}

fn create(
    ctx: &mut Context<'_>,
    decl: &OpenAccount<'_>,
    projection: &Projection,
    candidates: &[super::matching::Candidate<'_>],
) {
    // A record whose holder is declared no more is as good as nobody's: most often a name was changed.
    let twin = candidates
        .iter()
        .filter(|candidate| candidate.refuses_create())
        .map(|candidate| (candidate, ctx.holder(&candidate.record.id).cloned()))
        .find(|(_, holder)| holder.as_ref().is_none_or(|holder| !ctx.kept(holder)));
    if let Some((twin, _)) = &twin {
        ctx.named.insert(twin.record.id.clone());
    }
    if let Some((twin, Some(holder))) = &twin {
        return ctx.finding(
            Finding::new(
                Code::PossibleDuplicate,
                format!(
                    "not created: \"{}\" is there with the same {}, bound to {holder}, which is declared no more",
                    twin.record.name().terminal(),
                    twin.words()
                ),
            )
            .about(&decl.address)
            .at(&decl.origin)
            .next(format!("if it was renamed: formerly: [{}]", terminal(&holder.name)))
            .next(other_company(twin.record)),
        );
    }
    if let Some((twin, None)) = twin {
        return ctx.finding(
            Finding::new(
                Code::PossibleDuplicate,
                format!(
                    "not created: \"{}\" is there with the same {}",
                    twin.record.name().terminal(),
                    twin.words()
                ),
            )
            .about(&decl.address)
            .at(&decl.origin)
            .next(bind_it(decl, twin.record))
            .next(other_company(twin.record)),
        );
    }
    if !ctx.input.observed.census.complete() {
        // A twin could be on a page that did not arrive.
        ctx.not_compared += 1;
        ctx.unseen.insert(decl.address.clone());
        return;
    }
    if let Some((words, until)) = ctx.unlisted_twin(&decl.address, projection) {
        ctx.unseen.insert(decl.address.clone());
        let words = format!("not created yet: {words}");
        return ctx.waiting.push(
            Waiting::new(&decl.address, WaitingFor::Settling, words).until(until).at(Some(&decl.origin)),
        );
    }
    if !projection.refused.is_empty() {
        for finding in projection.refused.clone() {
            ctx.finding(finding.about(&decl.address).at(&decl.origin));
        }
        return;
    }
    ensure_entry(ctx, decl);
    let mut changes: Vec<Change> = projection
        .fields
        .iter()
        // No create puts a customer into groups: that is a step of its own, once the customer is there.
        .filter(|(field, _)| ctx.caps().fields.get(field).is_none_or(|rule| rule.row != Row::Groups))
        .map(|(field, value)| Change {
            field: field.clone(),
            label: ctx
                .caps()
                .fields
                .get(field)
                .map_or_else(|| field.to_string(), |rule| rule.label.to_owned()),
            old: None,
            new: Some(value.clone()),
        })
        .collect();
    changes.extend(made_with(ctx, decl));
    let record = None;
    let subject = ctx.subject(&decl.address, Some(decl), record);
    let causes: Vec<Consequence> = ctx.input.dialect.consequences(Row::Create, Action::Create, &subject);
    let performer = match ctx.by(Row::Create) {
        By::Api => Performer::Console,
        By::Person(_) => super::manual::performer(ctx, Row::Create, Action::Create, subject, None, &changes),
        By::NotYet | By::Never => return unavailable(ctx, decl, Row::Create),
    };
    let after =
        decl.account.parent.iter().map(|parent| {
            Address::account(&decl.address.namespace, &parent.customer_ref.name, &parent.account)
        });
    let lookalikes = candidates
        .iter()
        .filter(|candidate| {
            candidate.agree.iter().any(|kind| kind.strong() || *kind == crate::observed::KeyKind::Name)
        })
        .map(|candidate| candidate.record.id.clone())
        .chain(decl.account.distinct_from.iter().map(|id| RemoteId::from(id.as_str())))
        .collect();
    let because = Reason::new(ReasonCode::NotThere, "declared, and in no page of the console");
    ctx.steps.push(
        Step::new(&decl.address, Action::Create, Row::Create, because)
            .by(performer)
            .after(after)
            .changing(changes)
            .causing(causes)
            .using(Some((GuardKind::Creations, 1)))
            .at(&decl.origin)
            .with(Inside { keys: projection.keys.clone(), lookalikes, ..Inside::default() }),
    );
}

/// Creations under a parent that is not there, and that this plan does not make or bind, wait for it.
pub(super) fn under_parents(ctx: &mut Context<'_>) {
    loop {
        let mut steps = std::mem::take(&mut ctx.steps);
        let comes: BTreeSet<&Address> = steps
            .iter()
            .filter(|step| matches!(step.action, Action::Create | Action::Adopt))
            .map(|step| &step.address)
            .collect();
        let missing = |step: &Step| -> Option<Address> {
            let parent = step.after.iter().find(|parent| {
                step.action == Action::Create
                    && ctx.account(parent).is_some()
                    && !comes.contains(*parent)
                    && ctx.entry(parent).is_none_or(|entry| entry.bound().is_none())
            });
            parent.cloned()
        };
        let wait: HashMap<usize, Address> =
            steps.iter().enumerate().filter_map(|(n, step)| Some((n, missing(step)?))).collect();
        if wait.is_empty() {
            ctx.steps = steps;
            return;
        }
        let mut n = 0;
        steps.retain(|step| {
            let parent = wait.get(&n);
            n += 1;
            if let Some(parent) = parent {
                let words = format!("until {parent} is there");
                let waiting = Waiting::new(&step.address, WaitingFor::Prerequisite, words);
                ctx.waiting.push(waiting.at(step.origin.as_ref()));
            }
            parent.is_none()
        });
        ctx.steps = steps;
    }
}
