//! What a person says about an operation that no observation can settle.
//!
//! One function for everybody who takes a person's word: `tenantry resolve`, and Attestations in files or a cluster.
//! It sends nothing and looks at nothing; what follows is planned from the entry as it then is.

use jiff::Timestamp;

use crate::action::Action;
use crate::ledger::Entry;
use crate::operation::Phase;

/// The operation is settled without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotInDoubt {
    /// There is none.
    #[error("it was settled meanwhile")]
    Settled,
    /// No byte left.
    #[error("it was intended and never sent; the next run takes it back by itself")]
    NeverSent,
    /// The vendor said yes.
    #[error("the vendor acknowledged it on {}; the next run settles it by itself", .at.strftime("%Y-%m-%d"))]
    Acknowledged {
        /// When.
        at: Timestamp,
    },
}

/// Takes a person's word that the open operation of this entry happened, or did not. Gives whether anything changes.
///
/// What a person has said, a person may take back, as long as nothing has followed from it.
pub fn resolve(entry: &mut Entry, happened: bool, now: Timestamp) -> Result<bool, NotInDoubt> {
    let Some(operation) = &mut entry.operation else { return Err(NotInDoubt::Settled) };
    match (&operation.phase, happened) {
        (Phase::Intent, _) => Err(NotInDoubt::NeverSent),
        (Phase::Acked { at, .. }, _) => Err(NotInDoubt::Acknowledged { at: *at }),
        (Phase::Attested { .. }, true) | (Phase::NotHappened { .. }, false) => Ok(false),
        (
            Phase::Sent { .. } | Phase::Ambiguous { .. } | Phase::Unknown { .. } | Phase::NotHappened { .. },
            true,
        ) => {
            operation.phase = Phase::Attested { at: operation.sent_at().unwrap_or(operation.intended) };
            operation.looked = None;
            Ok(true)
        }
        (
            Phase::Sent { .. } | Phase::Ambiguous { .. } | Phase::Unknown { .. } | Phase::Attested { .. },
            false,
        ) => {
            operation.phase = Phase::NotHappened { at: now };
            operation.looked = None;
            if operation.action == Action::Invite {
                // The vendor's own mail did not go out: there is no invitation.
                entry.invitation = None;
            }
            Ok(true)
        }
    }
}

#[cfg(test)]
mod tests;
