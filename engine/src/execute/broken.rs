//! What is told of a run whose store failed in the middle.
//!
//! Told as done is only what is durable: what was done at a console, or stored, and will be found there by the next run.
//! Whether a request left is read off the ledger in memory, which is never ahead of the store by more than what is
//! staged. Nothing here writes or sends.

use crate::action::Action;
use crate::execute::{Ended, Outcome, Report, Running, line};
use crate::operation::Phase;
use crate::plan::Step;

/// What the line of a step says that only writes the ledger, and whose write is lost.
const NOT_STORED: &str = "could not be stored";

impl Running<'_, '_, '_> {
    /// Completes a report after an error of the store. `left` begins with the step in which it failed, `durable` lines
    /// of the report are about what is stored.
    pub(super) fn broken_off(&self, left: &[Step], durable: usize, report: &mut Report) {
        for told in report.steps.iter_mut().skip(durable) {
            if matches!(told.outcome, Outcome::Done | Outcome::Waits { .. }) {
                told.outcome = Outcome::NotBegun;
                told.words = vec![NOT_STORED.to_owned()];
            }
        }
        let mut left = left.iter();
        report.steps.extend(left.next().map(|step| line(&self.job, step, self.broken(step), 0)));
        report.steps.extend(left.map(|step| line(&self.job, step, not_begun(step), 0)));
    }

    /// How far the step got in which the store failed.
    fn broken(&self, step: &Step) -> Ended {
        let operation = self.entry(&step.address).and_then(|entry| entry.operation.as_ref());
        let Some(operation) = operation.filter(|operation| operation.step == step.fingerprint) else {
            return Ended::from(Outcome::NotBegun);
        };
        let in_doubt = |because: &str| {
            Ended::from(Outcome::InDoubt { because: because.to_owned(), operation: operation.id.clone() })
        };
        match &operation.phase {
            Phase::Sent { .. } => in_doubt("it was sent, and what became of it could not be stored"),
            Phase::Acked { acks, .. } if !operation.more => {
                let remote_id = acks.iter().rev().find_map(|ack| ack.remote_id.clone());
                if step.action == Action::Create && remote_id.is_none() && step.remote_id.is_none() {
                    return in_doubt("the vendor says that it is done, without saying as what");
                }
                let words = vec!["the next run completes what is stored of it".to_owned()];
                Ended { outcome: Outcome::Done, remote_id, words }
            }
            _ => Ended::from(Outcome::NotBegun),
        }
    }
}

/// The line of a step that the run did not come to.
pub(crate) fn not_begun(step: &Step) -> Ended {
    Ended::from(match &step.held {
        Some(held) => Outcome::Held { because: held.words.clone() },
        None => Outcome::NotBegun,
    })
}
