//! The held part of a plan, in short: for `status.plan` of a Console.

use sha2::{Digest, Sha256};
use tenantry_crd::status::PlanSummary;
use tenantry_engine::action::Action;
use tenantry_engine::plan::{Plan, Step};

use super::view::cut;

#[cfg(test)]
mod tests;

/// So many are named.
const NAMED: usize = 10;

/// What a reader must look at first: what ends something, then mails, then what costs or is made, then the rest.
fn risk(step: &Step) -> u8 {
    match step.action {
        Action::Remove => 0,
        Action::Detach => 1,
        Action::Invite | Action::Remind => 2,
        Action::Create => 3,
        _ => 4,
    }
}

/// One fingerprint over all held steps, sixteen hex digits; `None` where nothing is held.
fn fingerprint(held: &[&Step]) -> Option<String> {
    let mut all: Vec<&str> = held.iter().map(|step| step.fingerprint.as_str()).collect();
    all.sort_unstable();
    let digest: [u8; 32] = Sha256::digest(all.join(",").as_bytes()).into();
    (!all.is_empty()).then(|| digest[..8].iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Counts, fingerprint of the held steps, and the riskiest of them in words.
pub fn summary(plan: &Plan) -> PlanSummary {
    let mut held: Vec<&Step> = plan.steps.iter().filter(|step| step.held.is_some()).collect();
    let fingerprint = fingerprint(&held);
    held.sort_by_key(|step| (risk(step), step.address.clone()));
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    PlanSummary {
        steps: count(plan.steps.len() - held.len()),
        held: count(held.len()),
        waiting: count(plan.waiting.len()),
        fingerprint,
        riskiest: held
            .iter()
            .take(NAMED)
            .map(|step| {
                let because = step.held.as_ref().map(|held| held.words.as_str()).unwrap_or_default();
                let head = step.address.in_console(plan.console.as_str());
                cut(&format!("{} {head}: {because} ({})", step.action.name(), step.fingerprint), 1024)
                    .into_string()
            })
            .collect(),
    }
}
