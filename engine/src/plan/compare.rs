//! Comparing a bound account's fields: caused changes, drift, and what the console merely spells otherwise.
//!
//! Caused: declared ≠ last applied. Drift: declared = last applied, and the console shows something else than it
//! showed for it. What was not read is not compared.

use std::collections::BTreeMap;

use tenantry_crd::console::{DriftPolicy, Naming};

use crate::action::Action;
use crate::capability::{By, Row};
use crate::console::Projection;
use crate::desired::OpenAccount;
use crate::ledger::{Applied, Entry};
use crate::observed::{Facet, Record};
use crate::plan::context::Context;
use crate::plan::findings::{Code, Finding};
use crate::plan::steps::because_changed;
use crate::plan::{Change, Performer, Step};
use crate::text::terminal;
use crate::value::{Field, Value};

/// The field of the name that contracts carry.
pub const LEGAL_NAME: &str = "name";
/// The field of the name that people see.
pub const DISPLAY_NAME: &str = "displayName";

/// Whether the console's naming policy keeps this field; every other field is kept.
pub(super) fn kept(ctx: &Context<'_>, field: &Field) -> bool {
    match field.as_str() {
        LEGAL_NAME => ctx.input.desired.console.spec.naming == Naming::Legal,
        DISPLAY_NAME => ctx.input.desired.console.spec.naming == Naming::Display,
        _ => true,
    }
}

/// What comparing one field gave.
enum Outcome {
    Same,
    /// Same, and the ledger should remember that it was declared.
    Note(Applied),
    NotCompared,
    /// The console shows it nowhere: no look ever will, and nothing waits for one.
    NotShown,
    Caused(Option<Value>),
    Drift(Option<Value>),
}

/// Plans the differences of a bound account.
pub(super) fn fields(
    ctx: &mut Context<'_>,
    decl: &OpenAccount<'_>,
    entry: &Entry,
    record: &Record,
    projection: &Projection,
) {
    let facet = ctx.input.observed.facet(&record.id, Facet::Account);
    if let Some(refusal) = facet.and_then(|read| read.unreadable.as_ref()) {
        ctx.finding(
            Finding::new(
                Code::NotReadable,
                format!(
                    "{}; not compared, nothing is planned for it",
                    crate::console::refusal_reason(refusal)
                ),
            )
            .about(&decl.address)
            .at(&decl.origin),
        );
        ctx.not_compared += 1;
        ctx.unseen.insert(decl.address.clone());
        return;
    }
    let mut caused: BTreeMap<Row, Vec<Change>> = BTreeMap::new();
    let mut drifted: BTreeMap<Row, Vec<Change>> = BTreeMap::new();
    let mut notes: Vec<(Field, Applied)> = Vec::new();
    let (mut unread, mut not_shown) = (false, false);
    let readable = projection.facets.contains(&Facet::Account);
    for (field, wanted) in &projection.fields {
        let Some(rule) = ctx.caps().fields.get(field) else { continue };
        if !kept(ctx, field) {
            continue;
        }
        let change =
            |old| Change { field: field.clone(), label: rule.label.into(), old, new: Some(wanted.clone()) };
        match one(ctx, entry, record, field, wanted, rule.observable, readable) {
            Outcome::Same => {}
            Outcome::Note(applied) => notes.push((field.clone(), applied)),
            Outcome::NotCompared => unread = true,
            Outcome::NotShown => not_shown = true,
            Outcome::Caused(old) => caused.entry(rule.row).or_default().push(change(old)),
            Outcome::Drift(old) => drifted.entry(rule.row).or_default().push(change(old)),
        }
    }
    ctx.not_compared += usize::from(unread || not_shown);
    if unread {
        ctx.unseen.insert(decl.address.clone());
    }
    if !notes.is_empty() {
        ctx.edit(&decl.address, "", "", |entry| entry.last_applied.extend(notes));
    }
    let correct = ctx.input.approvals.correct_drift
        || ctx.input.desired.console.spec.drift.accounts == DriftPolicy::Correct;
    ctx.drift.extend(drifted.values().flatten().map(|change| super::Drifted {
        address: decl.address.clone(),
        remote_id: record.id.clone(),
        change: change.clone(),
    }));
    for (row, changes) in drifted {
        // One request carries the whole profile: a caused change takes the drifted fields of its row along. What
        // nobody can put back is only told.
        let back = !matches!(ctx.by(row), By::Never | By::NotYet);
        if back && (correct || caused.contains_key(&row)) {
            caused.entry(row).or_default().extend(changes);
        } else {
            report(ctx, decl, row, &changes);
        }
    }
    for (row, changes) in caused {
        update(ctx, decl, entry, record, row, changes);
    }
}

fn one(
    ctx: &Context<'_>,
    entry: &Entry,
    record: &Record,
    field: &Field,
    wanted: &Value,
    observable: bool,
    readable: bool,
) -> Outcome {
    let last = entry.last_applied.get(field);
    let declared = ctx.digester.value(wanted);
    let as_declared = last.is_some_and(|last| last.declared == declared);
    if !observable {
        return if as_declared { Outcome::Same } else { Outcome::Caused(None) };
    }
    let (shown, as_of) = match record.field(field.as_str()) {
        Some(value) => (Some(value), ctx.input.observed.census.began),
        None => match ctx.input.observed.facet(&record.id, Facet::Account) {
            Some(read) => (read.field(field.as_str()), read.as_of),
            None if readable => return Outcome::NotCompared,
            None => return Outcome::NotShown,
        },
    };
    // Read before, or too soon after, our own write: it proves nothing yet.
    let early = entry.wrote.is_some_and(|wrote| as_of < ctx.input.patience.conclusive_from(wrote));
    if shown.as_ref().is_some_and(|shown| ctx.input.dialect.same(field, wanted, shown)) {
        return match last {
            Some(last) if as_declared && !last.unsettled => Outcome::Same,
            _ => Outcome::Note(Applied { declared, shown: None, unsettled: false }),
        };
    }
    if !as_declared {
        return Outcome::Caused(shown);
    }
    let last = last.expect("as_declared has one");
    if early {
        return Outcome::NotCompared;
    }
    // What the console shows for nothing has a digest too: some vendors leave out what they were given.
    let digest = shown.as_ref().map_or_else(|| ctx.digester.text(""), |value| ctx.digester.value(value));
    if last.unsettled {
        return Outcome::Note(Applied { declared, shown: Some(digest), unsettled: false });
    }
    if last.shown.as_ref() == Some(&digest) { Outcome::Same } else { Outcome::Drift(shown) }
}

fn report(ctx: &mut Context<'_>, decl: &OpenAccount<'_>, row: Row, changes: &[Change]) {
    let next = if matches!(ctx.by(row), By::Never | By::NotYet) {
        "nobody can put it back through tenantry · accept it: tenantry pull"
    } else {
        "put it back: tenantry apply --correct-drift · or accept it: tenantry pull"
    };
    for change in changes {
        let old = change.old.as_ref().map_or_else(|| "nothing".to_owned(), Value::terminal);
        let new = change.new.as_ref().map_or_else(|| "nothing".to_owned(), Value::terminal);
        ctx.finding(
            Finding::new(Code::Drift, format!("{} is {old} in the console, {new} was applied", change.label))
                .about(&decl.address)
                .at(&decl.origin)
                .next(next),
        );
    }
}

fn update(
    ctx: &mut Context<'_>,
    decl: &OpenAccount<'_>,
    entry: &Entry,
    record: &Record,
    row: Row,
    changes: Vec<Change>,
) {
    let subject = ctx.subject(&decl.address, Some(decl), Some(record));
    let causes = ctx.input.dialect.consequences(row, Action::Update, &subject);
    let performer = match ctx.by(row) {
        By::Api => Performer::Console,
        By::Person(_) => super::manual::performer(ctx, row, Action::Update, subject, None, &changes),
        by @ (By::NotYet | By::Never) => return cannot(ctx, decl, by, &changes),
    };
    let drift_only = changes.iter().all(|change| {
        entry.last_applied.get(&change.field).is_some_and(|last| {
            change.new.as_ref().is_some_and(|new| ctx.digester.value(new) == last.declared)
        })
    });
    ctx.steps.push(
        Step::new(&decl.address, Action::Update, row, because_changed(drift_only, &changes))
            .by(performer)
            .record(Some(record.id.clone()))
            .changing(changes)
            .causing(causes)
            .at(&decl.origin),
    );
}

/// `billing is trial, usage is declared`.
pub(super) fn changes_words(changes: &[Change]) -> String {
    match changes {
        [one] => match (&one.old, &one.new) {
            (Some(old), Some(new)) => {
                format!("{} is {}, {} is declared", one.label, old.terminal(), new.terminal())
            }
            (None, Some(new)) => format!("{} is declared as {}", one.label, new.terminal()),
            _ => format!("{} is declared otherwise", one.label),
        },
        several => {
            let mut labels: Vec<&str> = several.iter().map(|change| change.label.as_str()).collect();
            labels.dedup();
            format!("{} are declared otherwise", labels.join(", "))
        }
    }
}

fn cannot(ctx: &mut Context<'_>, decl: &OpenAccount<'_>, by: By, changes: &[Change]) {
    for change in changes {
        let old = change.old.as_ref().map_or_else(|| "not shown".to_owned(), Value::terminal);
        let code = if by == By::NotYet { Code::NotSupportedYet } else { Code::Immutable };
        let words = match by {
            By::NotYet => format!("{} is {old}: changing it is not supported yet", change.label),
            _ => format!("{} is {old} and cannot be changed there", terminal(&change.label)),
        };
        ctx.finding(
            Finding::new(code, words).about(&decl.address).at(&decl.origin).next("declare what is there"),
        );
    }
}
