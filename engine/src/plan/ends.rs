//! Ending accounts: `want: Detached | Removed`, or a deletion policy after the declaration went.
//!
//! Decided after all licences and undeclared entries are known: nothing that still holds a licence ends by
//! implication.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::action::Action;
use crate::address::Address;
use crate::capability::{By, Row};
use crate::desired::AccountDecl;
use crate::ledger::{GuardKind, Want};
use crate::observed::Facet;
use crate::plan::context::Context;
use crate::plan::findings::{Code, Finding};
use crate::plan::reasons::{Reason, ReasonCode, WaitingFor};
use crate::plan::{Performer, Step, Waiting};

/// An account that is to end.
pub(super) struct Ending<'a> {
    pub address: Address,
    pub decl: Option<&'a AccountDecl<'a>>,
    pub row: Row,
    pub because: Reason,
}

/// A declared account that is to end.
pub(super) fn want(ctx: &mut Context<'_>, decl: &AccountDecl<'_>, row: Row) {
    let word = if row == Row::Detach { "Detached" } else { "Removed" };
    let decl = ctx.account(&decl.address).expect("it is declared");
    ctx.ending.push(Ending {
        address: decl.address.clone(),
        decl: Some(decl),
        row,
        because: Reason::new(ReasonCode::Wanted, format!("declared as {word}")),
    });
}

/// Plans all of them.
pub(super) fn plan(ctx: &mut Context<'_>) {
    let endings = std::mem::take(&mut ctx.ending);
    let mut children: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
    for ending in &endings {
        let Some(decl) = ending.decl.map(AccountDecl::open) else { continue };
        if let Some(parent) = &decl.account.parent {
            let parent =
                Address::account(&decl.address.namespace, &parent.customer_ref.name, &parent.account);
            children.entry(parent).or_default().insert(ending.address.clone());
        }
    }
    for ending in endings {
        one(ctx, &ending, children.remove(&ending.address).unwrap_or_default());
    }
}

fn one(ctx: &mut Context<'_>, ending: &Ending<'_>, children: BTreeSet<Address>) {
    let address = &ending.address;
    let Some(entry) = ctx.entry(address).cloned() else { return };
    let Some(id) = entry.bound().cloned() else { return };
    let Some(record) = ctx.input.observed.census.get(&id) else { return };
    if still_licensed(ctx, ending) {
        return;
    }
    let decl = ending.decl.map(AccountDecl::open);
    let subject = ctx.subject(address, decl.as_ref(), Some(record));
    let by = ctx.by(ending.row);
    if matches!(by, By::Never | By::NotYet) {
        let gap = Finding::gap(ctx.input.dialect.title(), by, ending.row.words());
        let mut finding = gap.about(address).at(&entry.origin);
        if ending.row == Row::Remove {
            finding = finding.next("want: Detached ends the relationship");
        }
        return ctx.finding(finding);
    }
    for facet in ctx.input.dialect.facets_to_end() {
        match ctx.input.observed.facet(&id, facet) {
            Some(read) if read.unreadable.is_none() => {}
            Some(read) => {
                let words =
                    read.unreadable.as_deref().map(crate::console::refusal_reason).unwrap_or_default();
                ctx.unseen.insert(address.clone());
                return ctx.finding(
                    Finding::new(
                        Code::NotReadable,
                        format!("what stands against ending it cannot be read: {words}"),
                    )
                    .about(address)
                    .at(&entry.origin),
                );
            }
            None => {
                ctx.not_compared += 1;
                ctx.unseen.insert(address.clone());
                return;
            }
        }
    }
    let blockers = ctx.input.dialect.blockers(&subject);
    if !blockers.is_empty() {
        let until = blockers.iter().filter_map(|blocker| blocker.until).max();
        for blocker in &blockers {
            ctx.finding(
                Finding::new(Code::StillLicensed, format!("cannot end yet: {}", blocker.words))
                    .about(address)
                    .at(&entry.origin)
                    .next(blocker.until.map_or_else(
                        || "end that first".to_owned(),
                        |until| format!("it can end on {}", super::accounts::date(until)),
                    )),
            );
        }
        return wait(ctx, address, &entry.origin, "blocked by what it still holds", until);
    }
    let action = if ending.row == Row::Remove { Action::Remove } else { Action::Detach };
    let causes = ctx.input.dialect.consequences(ending.row, action, &subject);
    let performer = match by {
        By::Person(_) => super::manual::performer(ctx, ending.row, action, subject, None, &[]),
        _ => Performer::Console,
    };
    ctx.steps.push(
        Step::new(address, action, ending.row, ending.because.clone())
            .by(performer)
            .record(Some(id))
            .after(children)
            .causing(causes)
            .note("ends", format!("\"{}\"", record.name().terminal()))
            .using(Some((GuardKind::Removals, 1)))
            .at(&entry.origin),
    );
}

/// A licence that is still wanted, or not ended yet, keeps its account.
fn still_licensed(ctx: &mut Context<'_>, ending: &Ending<'_>) -> bool {
    let desired = ctx.input.desired;
    let present: Vec<&crate::desired::LicenseDecl<'_>> =
        desired.licenses.iter().filter(|license| license.account == ending.address).collect();
    let mut blocked = false;
    for license in present {
        let bound = ctx.entry(&license.address).is_some_and(|entry| entry.bound().is_some());
        if license.want == Want::Present {
            blocked = true;
            let until = ctx
                .entry(&ending.address)
                .and_then(|entry| entry.remote_id.clone())
                .and_then(|id| ctx.input.observed.facet(&id, Facet::Licenses))
                .and_then(|read| {
                    let license = ctx.entry(&license.address)?.remote_id.clone()?;
                    read.licenses.iter().find(|one| one.id == license)?.blocks_end.as_ref()?.until
                });
            ctx.finding(
                Finding::new(
                    Code::StillLicensed,
                    format!("{} is still declared as Present", license.address),
                )
                .about(&ending.address)
                .at(&license.origin)
                .next(until.map_or_else(
                    || "declare it as Removed first".to_owned(),
                    |until| {
                        format!("declare it as Removed first; it can end on {}", super::accounts::date(until))
                    },
                )),
            );
        } else if bound {
            blocked = true;
            let origin = license.origin.clone();
            let words = format!("waits until {} has ended", license.address);
            wait(ctx, &ending.address.clone(), &origin, &words, None);
        }
    }
    blocked
}

fn wait(
    ctx: &mut Context<'_>,
    address: &Address,
    origin: &crate::origin::Origin,
    words: &str,
    until: Option<Timestamp>,
) {
    ctx.waiting.push(Waiting::new(address, WaitingFor::Prerequisite, words).until(until).at(Some(origin)));
}
