//! One declared licence: found among its account's licences, compared, bought, ended; mostly by a person so far.

use crate::action::Action;
use crate::address::RemoteId;
use crate::capability::{By, Party, Row};
use crate::console::LicenseProjection;
use crate::desired::{AccountDecl, LicenseDecl};
use crate::ledger::{Applied, Entry, GuardKind, Standing, Want};
use crate::observed::{Facet, FacetRead, LicenseRecord};
use crate::plan::compare::changes_words;
use crate::plan::context::{Context, same_place};
use crate::plan::findings::{Code, Finding};
use crate::plan::reasons::{Reason, ReasonCode, WaitingFor};
use crate::plan::steps::because_changed;
use crate::plan::{Change, Inside, Performer, Step, Waiting};
use crate::text::terminal;
use crate::value::{Field, Value};

/// Plans the n-th declared licence.
pub(super) fn plan(ctx: &mut Context<'_>, n: usize) {
    let decl: &LicenseDecl<'_> = &ctx.input.desired.licenses[n];
    if super::accounts::not_before(ctx, &decl.address, decl.want, decl.not_before, &decl.origin) {
        return;
    }
    if ctx.renames_a_live_one(&decl.address, &decl.formerly, &decl.origin) || claimed_twice(ctx, decl) {
        return;
    }
    remember(ctx, decl);
    let projection = ctx.input.dialect.license(decl);
    if !projection.refused.is_empty() {
        for finding in projection.refused {
            ctx.finding(finding.about(&decl.address).at(&decl.origin));
        }
        return;
    }
    let account = ctx.entry(&decl.account).cloned();
    let bound = account
        .as_ref()
        .and_then(|entry| entry.bound().cloned())
        .filter(|id| ctx.input.observed.census.get(id).is_some());
    let Some(id) = bound else { return before_its_account(ctx, decl, &projection) };
    let Some(read) = ctx.licenses(&id) else {
        ctx.not_compared += 1;
        return;
    };
    if let Some(refusal) = &read.unreadable {
        ctx.not_compared += 1;
        let words = crate::console::refusal_reason(refusal);
        if by_word_alone(ctx) {
            return unseen(ctx, decl, &projection, &words);
        }
        return ctx.finding(
            Finding::new(
                Code::NotReadable,
                format!("the licences of {} cannot be read: {words}", decl.account),
            )
            .about(&decl.address)
            .at(&decl.origin),
        );
    }
    let entry = ctx.entry(&decl.address).cloned();
    let fresh = ctx.input.observed.fresh(&id, Facet::Licenses).is_some();
    match found(ctx, decl, entry.as_ref(), read, fresh, &projection) {
        Found::Bound(record) => bound_license(ctx, decl, entry.as_ref(), record, &projection),
        Found::Adoptable(record) => adopt(ctx, decl, record, &projection),
        Found::Gone => gone(ctx, decl),
        Found::NotRead => {
            ctx.not_compared += 1;
            ctx.unseen.insert(decl.address.clone());
        }
        Found::Nothing => nothing(ctx, decl, &projection, false),
        Found::Several(count) => ctx.finding(
            Finding::new(
                Code::AmbiguousMatch,
                format!("{count} licences of {} there match", terminal(&projection.article)),
            )
            .about(&decl.address)
            .at(&decl.origin)
            .field("spec.id")
            .next("write the right one's id into spec.id"),
        ),
    }
}

enum Found<'r> {
    Bound(&'r LicenseRecord),
    Adoptable(&'r LicenseRecord),
    Gone,
    /// Bound, and missing from what was read before it was bound, perhaps: that proves nothing.
    NotRead,
    Nothing,
    Several(usize),
}

/// Whether nobody but another party orders licences here: what it ordered need not be shown to us.
pub(super) fn by_word_alone(ctx: &Context<'_>) -> bool {
    matches!(ctx.by(Row::BuyLicense), By::Person(party) if party != Party::Operator)
}

/// Two declarations want the same licence.
fn claimed_twice(ctx: &mut Context<'_>, decl: &LicenseDecl<'_>) -> bool {
    let Some(id) = decl.spec.id.as_deref() else { return false };
    let others = ctx.claimants(&decl.account, id).iter().filter(|other| other.address != decl.address);
    let names: Vec<String> = others.map(|other| other.address.to_string()).collect();
    if names.is_empty() {
        return false;
    }
    ctx.unseen.insert(decl.address.clone());
    ctx.finding(
        Finding::new(
            Code::Contradiction,
            format!("{} and {} are one licence there, \"{}\"", decl.address, names.join(", "), terminal(id)),
        )
        .about(&decl.address)
        .at(&decl.origin)
        .field("spec.id")
        .next("one licence belongs to one declaration: correct the id here or there"),
    );
    true
}

/// A licence that the console does not show to us and that another party orders: it is asked for once, and what people
/// said about it counts.
fn unseen(ctx: &mut Context<'_>, decl: &LicenseDecl<'_>, projection: &LicenseProjection, refusal: &str) {
    let entry = ctx.entry(&decl.address).cloned();
    if entry.as_ref().is_some_and(|entry| entry.standing == Standing::Ended) {
        return;
    }
    let said = |field: &Field, value: &Value| {
        entry
            .as_ref()
            .and_then(|entry| entry.last_applied.get(field))
            .is_some_and(|last| last.declared == ctx.digester.value(value))
    };
    let article = article(projection);
    let there = entry.as_ref().is_some_and(|entry| entry.bound().is_some())
        || article.new.as_ref().is_some_and(|new| said(&article.field, new));
    let blind = format!("its licences are not shown to us: {refusal}");
    if decl.want != Want::Present {
        if there {
            let because = Reason::new(ReasonCode::Wanted, format!("declared as {}; {blind}", decl.want));
            let (action, row) = ending(decl.want);
            act(
                ctx,
                decl,
                Wish { action, row, changes: vec![], remote_id: None, because, kind: Kind::Unseen },
            );
        }
        return;
    }
    if !there {
        let because = Reason::new(ReasonCode::NotThere, format!("declared; {blind}"));
        return buy(ctx, decl, projection, because, Kind::Unseen);
    }
    let changes: Vec<Change> = projection
        .fields
        .iter()
        .filter(|(field, value)| !said(field, value))
        .map(|(field, value)| Change {
            field: field.clone(),
            label: field.to_string(),
            old: None,
            new: Some(value.clone()),
        })
        .collect();
    for change in changes {
        let because = Reason::new(
            ReasonCode::Declared,
            format!("{}; {blind}", changes_words(std::slice::from_ref(&change))),
        );
        let row = row(&change);
        let changes = vec![change];
        act(
            ctx,
            decl,
            Wish { action: Action::Update, row, changes, remote_id: None, because, kind: Kind::Unseen },
        );
    }
}

/// How a licence ends.
const fn ending(want: Want) -> (Action, Row) {
    match want {
        Want::Suspended => (Action::Suspend, Row::Suspend),
        Want::Present | Want::Removed | Want::Detached | Want::Ended => (Action::Remove, Row::FewerSeats),
    }
}

fn found<'r>(
    ctx: &Context<'_>,
    decl: &LicenseDecl<'_>,
    entry: Option<&Entry>,
    read: &'r FacetRead,
    fresh: bool,
    projection: &LicenseProjection,
) -> Found<'r> {
    if let Some(id) = entry.and_then(Entry::bound) {
        return match read.licenses.iter().find(|one| one.id == *id && one.in_force) {
            Some(record) => Found::Bound(record),
            None if fresh => Found::Gone,
            None => Found::NotRead,
        };
    }
    if entry.is_some_and(|entry| entry.standing == Standing::Ended) {
        return Found::Gone;
    }
    if let Some(id) = decl.spec.id.as_deref() {
        return read
            .licenses
            .iter()
            .find(|one| one.id.as_str() == id)
            .map_or(Found::Nothing, Found::Adoptable);
    }
    let taken = |id: &RemoteId| {
        ctx.claimants(&decl.account, id.as_str()).iter().any(|other| other.address != decl.address)
    };
    let free: Vec<&LicenseRecord> = read
        .licenses
        .iter()
        .filter(|one| one.in_force && one.article.raw() == projection.article && !taken(&one.id))
        .collect();
    match free.as_slice() {
        [] => Found::Nothing,
        [one] => Found::Adoptable(one),
        several => Found::Several(several.len()),
    }
}

fn remember(ctx: &mut Context<'_>, decl: &LicenseDecl<'_>) {
    let Some(entry) = ctx.entry(&decl.address) else { return };
    let fresh = remembered(entry.clone(), decl);
    if fresh != *entry {
        ctx.put(&decl.address, "", "", fresh);
    }
}

fn remembered(mut entry: Entry, decl: &LicenseDecl<'_>) -> Entry {
    if !same_place(&entry.origin, &decl.origin) {
        entry.origin = decl.origin.clone();
    }
    entry.parent = Some(Box::new(decl.account.clone()));
    entry.want = decl.want;
    entry.deletion_policy = decl.deletion_policy;
    entry.consents.extend(decl.spec.consents.iter().cloned());
    entry
}

fn ensure_entry(ctx: &mut Context<'_>, decl: &LicenseDecl<'_>) {
    if ctx.entry(&decl.address).is_none() {
        let entry = remembered(Entry::declared(decl.origin.clone(), ctx.input.now), decl);
        ctx.put(&decl.address, "", "", entry);
    }
}

/// The account is not there yet: after its creation in this plan, or later.
fn before_its_account(ctx: &mut Context<'_>, decl: &LicenseDecl<'_>, projection: &LicenseProjection) {
    if decl.want != Want::Present {
        return;
    }
    let with_account = ctx.input.dialect.made_with(decl).is_some();
    if !with_account
        && !ctx.input.dialect.brings_licenses()
        && ctx
            .steps
            .iter()
            .any(|step| step.address == decl.account && step.action == Action::Create && !step.manual())
    {
        return nothing(ctx, decl, projection, true);
    }
    let words = if with_account {
        format!("made together with {}", decl.account)
    } else if ctx.input.dialect.brings_licenses() {
        format!("until {} is there, which may bring it along", decl.account)
    } else {
        format!("until {} is there", decl.account)
    };
    ctx.waiting.push(Waiting::new(&decl.address, WaitingFor::Prerequisite, words).at(Some(&decl.origin)));
}

fn gone(ctx: &mut Context<'_>, decl: &LicenseDecl<'_>) {
    let now = ctx.input.now;
    if decl.want != Want::Present {
        if ctx.entry(&decl.address).is_some_and(|entry| entry.standing != Standing::Ended) {
            ctx.edit(&decl.address, "ended", "the console does not list it any more, as wanted", |entry| {
                entry.standing = Standing::Ended;
                entry.since = now;
                entry.tasks.clear();
            });
        }
        return;
    }
    ctx.finding(
        Finding::new(Code::EndedElsewhere, "it was there and is gone; tenantry does not buy it again")
            .about(&decl.address)
            .at(&decl.origin)
            .next(format!("if it is to be bought anew: tenantry state forget {}", decl.address)),
    );
}

fn adopt(
    ctx: &mut Context<'_>,
    decl: &LicenseDecl<'_>,
    record: &LicenseRecord,
    projection: &LicenseProjection,
) {
    if decl.want != Want::Present && decl.spec.id.is_none() {
        return;
    }
    ensure_entry(ctx, decl);
    let because = if decl.spec.id.is_some() {
        Reason::new(ReasonCode::NamedById, "its id is declared")
    } else {
        Reason::new(ReasonCode::Matched, "the account's only licence of this article")
    };
    let changes = differences(projection, record);
    let binds = format!("{} · {}", record.article.terminal(), terminal(record.id.as_str()));
    let shown = ctx.applied_as_shown(record.fields.iter().map(|(field, value)| (field, value)));
    let step =
        super::accounts::binding(&decl.address, &decl.origin, because, &record.id, binds, changes, shown);
    ctx.steps.push(step);
}

fn differences(projection: &LicenseProjection, record: &LicenseRecord) -> Vec<Change> {
    projection
        .fields
        .iter()
        .filter_map(|(field, wanted)| {
            let shown =
                record.fields.iter().find(|(other, _)| other == field).map(|(_, value)| value.clone())?;
            (shown != *wanted).then(|| Change {
                field: field.clone(),
                label: field.to_string(),
                old: Some(shown),
                new: Some(wanted.clone()),
            })
        })
        .collect()
}

/// Which row a change of a licence belongs to.
fn row(change: &Change) -> Row {
    match (&change.old, &change.new) {
        (Some(Value::Number(old)), Some(Value::Number(new))) if new > old => Row::MoreSeats,
        (Some(Value::Number(_)), Some(Value::Number(_))) => Row::FewerSeats,
        _ if change.field.as_str() == "type" => Row::TrialToPaid,
        _ => Row::FewerSeats,
    }
}

fn bound_license(
    ctx: &mut Context<'_>,
    decl: &LicenseDecl<'_>,
    entry: Option<&Entry>,
    record: &LicenseRecord,
    projection: &LicenseProjection,
) {
    if decl.want != Want::Present {
        let (action, row) = ending(decl.want);
        let because = Reason::new(ReasonCode::Wanted, format!("declared as {}", decl.want));
        let remote_id = Some(record.id.clone());
        let wish = Wish { action, row, changes: vec![], remote_id, because, kind: Kind::There };
        return act(ctx, decl, wish);
    }
    let changes = differences(projection, record);
    let noted: Vec<_> = projection
        .fields
        .iter()
        .filter(|(field, _)| changes.iter().all(|change| change.field != *field))
        .map(|(field, value)| {
            (field.clone(), Applied { declared: ctx.digester.value(value), shown: None, unsettled: false })
        })
        .filter(|(field, applied)| entry.and_then(|entry| entry.last_applied.get(field)) != Some(*applied))
        .collect();
    if !noted.is_empty() {
        ctx.edit(&decl.address, "", "", |entry| entry.last_applied.extend(noted));
    }
    let report = ctx.input.desired.console.spec.drift.licenses == tenantry_crd::console::DriftPolicy::Report
        && !ctx.input.approvals.correct_drift;
    for change in changes {
        let drifted = entry.and_then(|entry| entry.last_applied.get(&change.field)).is_some_and(|last| {
            change.new.as_ref().is_some_and(|new| ctx.digester.value(new) == last.declared)
        });
        if drifted {
            ctx.drift.push(super::Drifted {
                address: decl.address.clone(),
                remote_id: record.id.clone(),
                change: change.clone(),
            });
        }
        if drifted && report {
            let words = changes_words(std::slice::from_ref(&change));
            ctx.finding(
                Finding::new(Code::Drift, words)
                    .about(&decl.address)
                    .at(&decl.origin)
                    .next("put it back: tenantry apply --correct-drift · or accept it: tenantry pull"),
            );
            continue;
        }
        let because = because_changed(drifted, std::slice::from_ref(&change));
        let row = row(&change);
        let (changes, remote_id) = (vec![change], Some(record.id.clone()));
        act(ctx, decl, Wish { action: Action::Update, row, changes, remote_id, because, kind: Kind::There });
    }
}

fn article(projection: &LicenseProjection) -> Change {
    Change {
        field: Field::of("article"),
        label: "article".into(),
        old: None,
        new: Some(Value::text(projection.article.as_str())),
    }
}

fn buy(
    ctx: &mut Context<'_>,
    decl: &LicenseDecl<'_>,
    projection: &LicenseProjection,
    because: Reason,
    kind: Kind,
) {
    let mut changes = vec![article(projection)];
    changes.extend(projection.fields.iter().map(|(field, value)| Change {
        field: field.clone(),
        label: field.to_string(),
        old: None,
        new: Some(value.clone()),
    }));
    let wish = Wish { action: Action::Create, row: Row::BuyLicense, changes, remote_id: None, because, kind };
    act(ctx, decl, wish);
}

/// Nothing there: to be bought.
fn nothing(
    ctx: &mut Context<'_>,
    decl: &LicenseDecl<'_>,
    projection: &LicenseProjection,
    after_account: bool,
) {
    if decl.want != Want::Present {
        return;
    }
    if decl.spec.id.is_some() {
        return ctx.finding(
            Finding::new(
                Code::IdNotFound,
                format!(
                    "the account has no licence with the id \"{}\"",
                    terminal(decl.spec.id.as_deref().unwrap_or_default())
                ),
            )
            .about(&decl.address)
            .at(&decl.origin)
            .field("spec.id"),
        );
    }
    let because = Reason::new(ReasonCode::NotThere, "declared, and not among the account's licences");
    buy(ctx, decl, projection, because, if after_account { Kind::AfterAccount } else { Kind::There });
}

/// What a step about a licence rests on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its account's licences were read.
    There,
    /// Its account is made by this plan.
    AfterAccount,
    /// The console does not show them to us.
    Unseen,
}

/// What is to be done about a licence.
struct Wish {
    action: Action,
    row: Row,
    changes: Vec<Change>,
    remote_id: Option<RemoteId>,
    because: Reason,
    kind: Kind,
}

/// A row of the table in the words of what is done to one licence.
const fn deed(action: Action, row: Row) -> &'static str {
    match action {
        Action::Remove => "end a licence",
        _ => row.words(),
    }
}

fn act(ctx: &mut Context<'_>, decl: &LicenseDecl<'_>, wish: Wish) {
    let Wish { action, row, changes, remote_id, because, kind } = wish;
    let account = ctx.account(&decl.account).map(AccountDecl::open);
    let record = ctx
        .entry(&decl.account)
        .and_then(|entry| entry.remote_id.clone())
        .and_then(|id| ctx.input.observed.census.get(&id));
    let subject = ctx.subject(&decl.account, account.as_ref(), record);
    let performer = match ctx.by(row) {
        By::Api => Performer::Console,
        By::Person(_) => {
            let mut performer = super::manual::performer(ctx, row, action, subject, Some(decl), &changes);
            if let (Kind::Unseen, Performer::Person(task)) = (kind, &mut performer) {
                task.observable = false;
            }
            performer
        }
        by @ (By::NotYet | By::Never) => {
            let what = format!("{} ({})", deed(action, row), because.words);
            let gap = Finding::gap(ctx.input.dialect.title(), by, &what);
            return ctx.finding(gap.about(&decl.address).at(&decl.origin));
        }
    };
    let causes = ctx.input.dialect.consequences(row, action, &subject);
    let lookalikes = match (action, subject.licenses) {
        (Action::Create, Some(read)) => read.licenses.iter().map(|one| one.id.clone()).collect(),
        _ => Vec::new(),
    };
    ensure_entry(ctx, decl);
    let seats = changes.iter().find(|change| change.field.as_str() == "quantity").map_or(0, |change| {
        let number = |value: &Option<Value>| match value {
            Some(Value::Number(n)) => *n,
            _ => 0,
        };
        (number(&change.new) - number(&change.old)).max(0)
    });
    let uses = match action {
        Action::Remove => Some((GuardKind::Removals, 1)),
        _ if seats > 0 => Some((GuardKind::Seats, u32::try_from(seats).unwrap_or(u32::MAX))),
        _ => None,
    };
    ctx.steps.push(
        Step::new(&decl.address, action, row, because)
            .by(performer)
            .record(remote_id)
            .after((kind == Kind::AfterAccount).then(|| decl.account.clone()))
            .changing(changes)
            .causing(causes)
            .note("of", subject.shown_name())
            .using(uses)
            .at(&decl.origin)
            .with(Inside { lookalikes, ..Inside::default() }),
    );
}
