//! Mistakes that the judge must notice.

use tenantry_engine::testing::Mistake;

/// Mistakes of the harness, never of the engine: the judge must notice each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// A store that forgets that a request left.
    ForgetsSent,
    /// A store that forgets invitations.
    ForgetsInvitations,
    /// A store where two writers do not notice each other.
    NoCompareAndSwap,
    /// Operations in doubt are taken for not happened, without a look.
    NoProbe,
    /// A settle time that the lists do not keep.
    NoPatience,
    /// A new ledger counts as confirmed.
    LostIsConfirmed,
    /// Files that could not be read count as read.
    UnreadIsRead,
    /// The console's own log is not looked at, and nothing is ever executed: the end is never reached.
    NeverExecutes,
}

impl Mutation {
    pub const ALL: [Mutation; 8] = [
        Mutation::ForgetsSent,
        Mutation::ForgetsInvitations,
        Mutation::NoCompareAndSwap,
        Mutation::NoProbe,
        Mutation::NoPatience,
        Mutation::LostIsConfirmed,
        Mutation::UnreadIsRead,
        Mutation::NeverExecutes,
    ];

    pub fn mistake(self) -> Option<Mistake> {
        match self {
            Mutation::ForgetsSent => Some(Mistake::ForgetsSent),
            Mutation::ForgetsInvitations => Some(Mistake::ForgetsInvitations),
            Mutation::NoCompareAndSwap => Some(Mistake::NoCompareAndSwap),
            _ => None,
        }
    }
}
