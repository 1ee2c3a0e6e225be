//! What a declaration wants of a record, and what becomes of the record when the declaration goes.
//!
//! Each kind has its own list of wants, so that a schema refuses a want that the kind does not know; [`Want`] is
//! their union for code that treats all alike.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every want of every kind, from the most to the least that is wanted.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Want {
    /// Is to exist and work.
    #[default]
    Present,
    /// Is to exist but not to work.
    Suspended,
    /// Our link to it is to end; the record lives on without us.
    Detached,
    /// A right is to end (delegated administration).
    Ended,
    /// Is to be gone, with its data.
    Removed,
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Present => "Present",
            Self::Suspended => "Suspended",
            Self::Detached => "Detached",
            Self::Ended => "Ended",
            Self::Removed => "Removed",
        })
    }
}

/// What is wanted of a customer's account.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum CustomerWant {
    /// The account exists and works.
    #[default]
    Present,
    /// The account exists, its services are paused.
    Suspended,
    /// Our relationship with the customer ends; the customer keeps the account.
    Detached,
    /// The account is deleted with its data.
    Removed,
}

/// What is wanted of a licence.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum LicenseWant {
    /// The licence runs.
    #[default]
    Present,
    /// The licence exists, its service is paused; it may still be billed.
    Suspended,
    /// The licence is cancelled.
    Removed,
}

/// What is wanted of a relationship.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum RelationshipWant {
    /// The relationship exists.
    #[default]
    Present,
    /// The relationship is terminated (type DelegatedAdmin only).
    Ended,
}

impl From<CustomerWant> for Want {
    fn from(want: CustomerWant) -> Self {
        match want {
            CustomerWant::Present => Self::Present,
            CustomerWant::Suspended => Self::Suspended,
            CustomerWant::Detached => Self::Detached,
            CustomerWant::Removed => Self::Removed,
        }
    }
}

impl From<LicenseWant> for Want {
    fn from(want: LicenseWant) -> Self {
        match want {
            LicenseWant::Present => Self::Present,
            LicenseWant::Suspended => Self::Suspended,
            LicenseWant::Removed => Self::Removed,
        }
    }
}

impl From<RelationshipWant> for Want {
    fn from(want: RelationshipWant) -> Self {
        match want {
            RelationshipWant::Present => Self::Present,
            RelationshipWant::Ended => Self::Ended,
        }
    }
}

/// What becomes of the record in the console when its declaration goes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum DeletionPolicy {
    /// The record stays as it is and is forgotten.
    #[default]
    Retain,
    /// The relationship with the record is ended, the record stays.
    Detach,
    /// The record is deleted with its data.
    Remove,
}
