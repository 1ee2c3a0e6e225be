//! `--target` and `--exclude`: which steps of a plan are meant.

use std::collections::BTreeSet;

use clap::Args;
use tenantry_engine::action::Action;
use tenantry_engine::address::Address;
use tenantry_engine::declare::Declaration;
use tenantry_engine::plan::reasons::WaitingFor;
use tenantry_engine::plan::{Plan, Planned};

use crate::approvals::address_of;
use crate::exit::CliError;

/// Which steps are meant.
#[derive(Debug, Clone, Default, Args)]
pub struct Selection {
    /// Only this address, and what it needs first; repeatable
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<String>,
    /// All but this address, and what needs it; repeatable
    #[arg(long, value_name = "ADDRESS")]
    pub exclude: Vec<String>,
    /// Only reminders, of these addresses or, where none is named, those that are due; `None`: everything. Set by
    /// `tenantry invitations remind`.
    #[arg(skip)]
    pub reminders: Option<Vec<String>>,
}

impl Selection {
    /// Whether anything is left out.
    pub fn is_all(&self) -> bool {
        self.target.is_empty() && self.exclude.is_empty() && self.reminders.is_none()
    }

    /// Whom a reminder is asked for.
    pub fn to_remind(&self, declaration: &Declaration<'_>) -> Result<BTreeSet<Address>, CliError> {
        let named = self.reminders.iter().flatten();
        named.map(|text| address_of(text, declaration)).collect()
    }

    /// Whether only reminders are meant, and there is none to be made and nothing to say about any.
    pub fn nothing_to_remind(&self, plans: &[&Plan]) -> bool {
        self.reminders.is_some()
            && plans
                .iter()
                .all(|plan| plan.steps.is_empty() && plan.waiting.is_empty() && plan.findings.is_empty())
    }

    /// For whom a reminder was asked for and is not planned.
    pub fn not_reminded<'p>(
        &self,
        plans: impl IntoIterator<Item = &'p Plan>,
        declaration: &Declaration<'_>,
    ) -> Result<BTreeSet<Address>, CliError> {
        let mut out = self.to_remind(declaration)?;
        for step in plans.into_iter().flat_map(|plan| &plan.steps) {
            out.remove(&step.address);
        }
        Ok(out)
    }

    /// Takes the other steps out of the plans. Waits and findings stay: they are facts.
    pub fn apply(&self, planned: &mut [&mut Planned], declaration: &Declaration<'_>) -> Result<(), CliError> {
        if self.is_all() {
            return Ok(());
        }
        if self.reminders.is_some() {
            let named = self.to_remind(declaration)?;
            for planned in planned {
                reminders(&mut planned.plan, &named);
            }
            return Ok(());
        }
        let parse = |texts: &[String]| {
            texts.iter().map(|text| address_of(text, declaration)).collect::<Result<BTreeSet<Address>, _>>()
        };
        let (mut target, mut exclude) = (parse(&self.target)?, parse(&self.exclude)?);
        for planned in planned {
            grow(&mut target, &mut exclude, planned);
            planned.plan.steps.retain(|step| {
                (target.is_empty() || target.contains(&step.address)) && !exclude.contains(&step.address)
            });
        }
        Ok(())
    }
}

/// Leaves reminders, and what explains why there is none.
fn reminders(plan: &mut Plan, named: &BTreeSet<Address>) {
    let meant = |address: &Address| named.is_empty() || named.contains(address);
    plan.steps.retain(|step| step.action == Action::Remind && meant(&step.address));
    plan.waiting.retain(|waiting| {
        let invited = waiting.why == WaitingFor::Acceptance;
        named.contains(&waiting.address) || (named.is_empty() && invited)
    });
    plan.findings.retain(|finding| finding.address.as_ref().is_some_and(|address| named.contains(address)));
}

/// A target takes along what it needs; an exclusion what needs it.
fn grow(target: &mut BTreeSet<Address>, exclude: &mut BTreeSet<Address>, planned: &Planned) {
    loop {
        let before = (target.len(), exclude.len());
        for step in &planned.plan.steps {
            if target.contains(&step.address) {
                target.extend(step.after.iter().cloned());
            }
            if step.after.iter().any(|address| exclude.contains(address)) {
                exclude.insert(step.address.clone());
            }
        }
        if (target.len(), exclude.len()) == before {
            return;
        }
    }
}
