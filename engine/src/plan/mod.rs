//! Planning: what is declared and what is observed in, steps, waits and findings out.
//!
//! [`plan`] is total, synchronous and deterministic. It decides everything there is to decide: the executor has no
//! choice left but whether a step's prerequisites succeeded. What observation alone has settled comes out as
//! [`Upkeep`]: entries that a run which may write stores before its first step.
//!
//! Invariants: a record that is not bound is never the subject of a step other than adoption; nothing is ended unless
//! a complete census, begun after our last write, still holds; an address with an operation in doubt has no step.

mod accounts;
mod compare;
mod contacts;
mod context;
mod ends;
pub mod findings;
mod fingerprint;
pub(crate) mod guards;
mod invitations;
mod licenses;
mod manual;
pub mod matching;
mod order;
pub mod reasons;
mod settle;
mod steps;
mod summary;
mod types;
mod undeclared;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

pub use compare::{DISPLAY_NAME, LEGAL_NAME};
pub use invitations::send_task;
pub(crate) use settle::apply as applied_by;
pub use summary::{Summary, summary};
pub use types::*;
pub use wanted::{Reads, wanted};

use crate::address::{Address, RemoteId};
use crate::console::Dialect;
use crate::desired::Desired;
use crate::ledger::{Entry, GuardKind, Ledger};
use crate::observed::Observed;

/// What a person allowed for this run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Approvals {
    /// `--allow removals=3`: raises this window's total, never lowers it.
    pub allow: BTreeMap<GuardKind, u32>,
    /// `--allow first-run`.
    pub first_run: bool,
    /// `--allow census`: the list is that much shorter, and rightly so.
    pub census: bool,
    /// `--approve`: releases the steps with these fingerprints, once each.
    pub approve: BTreeSet<Fingerprint>,
    /// `--consent CODE@ADDRESS`.
    pub consents: BTreeSet<(String, Address)>,
    /// `--correct-drift`.
    pub correct_drift: bool,
    /// `tenantry invitations remind ADDRESS`: a reminder before its day. Never one more than `maxReminders`, never one
    /// while a mail waits to be sent.
    pub remind: BTreeSet<Address>,
}

/// How long a console may take to show what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// The longest that one request may be on its way.
    pub request_timeout: SignedDuration,
    /// How late a list may be (`Console.spec.observe.settle`).
    pub settle: SignedDuration,
}

impl Patience {
    /// From when on a look proves something about a request sent then.
    pub fn conclusive_from(&self, sent: Timestamp) -> Timestamp {
        sent.saturating_add(self.request_timeout)
            .and_then(|at| at.saturating_add(self.settle))
            .unwrap_or(Timestamp::MAX)
    }
}

/// Everything planning looks at.
pub struct PlanningInput<'a> {
    /// What is declared.
    pub desired: &'a Desired<'a>,
    /// What the console holds.
    pub observed: &'a Observed,
    /// What we remember.
    pub ledger: &'a Ledger,
    /// The console's terms.
    pub dialect: &'a dyn Dialect,
    /// What a person allowed.
    pub approvals: &'a Approvals,
    /// Now.
    pub now: Timestamp,
    /// How late the console may be.
    pub patience: Patience,
}

/// An entry that observation alone has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Upkeep {
    /// Whose.
    pub address: Address,
    /// What it becomes.
    pub entry: Box<Entry>,
    /// Words for the log, one event each: kind and words.
    pub events: Vec<(&'static str, String)>,
}

/// One field that the console shows otherwise than it was applied, and that the declaration did not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drifted {
    /// Whose.
    pub address: Address,
    /// The record there.
    pub remote_id: RemoteId,
    /// Old = what the console shows, new = what is declared and was applied.
    pub change: Change,
}

/// The outcome of planning.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Entries to store before the first step, in address order.
    pub upkeep: Vec<Upkeep>,
    /// What drifted, whether or not a step puts it back: accounts, then licences, in address order.
    pub drift: Vec<Drifted>,
    /// Another census, begun later than this one, would settle an operation in doubt now.
    pub look_again: bool,
}

/// Plans one console.
pub fn plan(input: &PlanningInput<'_>) -> Planned {
    let mut ctx = context::Context::new(input);
    ctx.census_findings();
    undeclared::finish_renames(&mut ctx);
    settle::operations(&mut ctx);
    undeclared::collect_renames(&mut ctx);
    for n in 0..input.desired.accounts.len() {
        accounts::plan(&mut ctx, n);
    }
    for n in 0..input.desired.licenses.len() {
        licenses::plan(&mut ctx, n);
    }
    undeclared::plan(&mut ctx);
    ends::plan(&mut ctx);
    ctx.unbound_findings();
    ctx.unknown_findings();
    order::sort(&mut ctx.steps);
    fingerprint::stamp(&mut ctx.steps);
    manual::resolve(&mut ctx);
    accounts::under_parents(&mut ctx);
    guards::hold(&mut ctx);
    ctx.finish()
}
