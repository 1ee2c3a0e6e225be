//! `--target` and `--exclude`: which steps of a plan are meant.

use std::collections::BTreeSet;

use clap::Args;
use tenantry_engine::address::Address;
use tenantry_engine::declare::Declaration;
use tenantry_engine::plan::Planned;

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
}

impl Selection {
    /// Whether anything is left out.
    pub fn is_all(&self) -> bool {
        self.target.is_empty() && self.exclude.is_empty()
    }

    /// Takes the other steps out of the plans. Waits and findings stay: they are facts.
    pub fn apply(&self, planned: &mut [&mut Planned], declaration: &Declaration<'_>) -> Result<(), CliError> {
        if self.is_all() {
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
