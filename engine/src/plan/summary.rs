//! The last line of a plan, as numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::plan::Plan;
use crate::plan::findings::{Code, Finding, Severity};

/// Counts over one or several plans. Held steps are counted as held only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Steps by action, without held ones.
    pub actions: BTreeMap<Action, usize>,
    /// What waits.
    pub waiting: usize,
    /// Of these, what is overdue.
    pub overdue: usize,
    /// Manual work: steps that a person performs, and open tasks.
    pub tasks: usize,
    /// Held steps.
    pub held: usize,
    /// Findings of severity error.
    pub errors: usize,
    /// Declarations of which something was not compared: not read in this run, or not shown by the console.
    #[serde(default)]
    pub not_compared: usize,
    /// Findings that say what a console holds otherwise than declared.
    #[serde(default)]
    pub apart: usize,
    /// Consoles that could not be reached or read: nothing is planned there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_planned: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Summary {
    /// With what belongs to no console.
    #[must_use]
    pub fn beside(mut self, findings: &[Finding]) -> Self {
        self.not_planned += findings.iter().filter(|finding| finding.code == Code::NotPlanned).count();
        self.errors += findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        self
    }

    /// Whether an apply would do something.
    pub fn changes(&self) -> bool {
        self.actions.values().any(|count| *count > 0) || self.held > 0
    }
}

/// Counts.
pub fn summary<'p>(plans: impl IntoIterator<Item = &'p Plan>) -> Summary {
    let mut out = Summary::default();
    for plan in plans {
        for step in &plan.steps {
            if step.held.is_some() {
                out.held += 1;
                continue;
            }
            *out.actions.entry(step.action).or_default() += 1;
            out.tasks += usize::from(step.manual());
        }
        out.not_compared += plan.looked.not_compared;
        out.waiting += plan.waiting.len();
        out.overdue += plan.waiting.iter().filter(|waiting| waiting.overdue).count();
        out.tasks += plan.waiting.iter().filter(|waiting| waiting.task.is_some()).count();
        out.apart += plan.findings.iter().filter(|finding| finding.code.apart()).count();
        out.errors += plan.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    }
    out
}
