//! Guards: how much may change in one vendor account in a rolling window before steps are held.
//!
//! Fail closed: what is not declared has the documented default, never "unlimited".

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::{Currency, Decimal, IsoDuration, Money};

/// Limits per rolling window and vendor account, shared by every run and replica on one ledger. Steps over a limit
/// are held, the others go on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GuardsSpec {
    /// Length of the rolling window. Default: P1D.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub per: Option<IsoDuration>,
    /// Most customers and accounts created per window. Default: 20.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(range(max = 100_000))]
    pub max_creations: Option<u32>,
    /// Most invitations (mails drafted) per window. Default: 50.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(range(max = 100_000))]
    pub max_invitations: Option<u32>,
    /// Most records removed or detached per window; removals that would pass it are held all. Default: 5.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(range(max = 100_000))]
    pub max_removals: Option<u32>,
    /// Largest share of bound records removed or detached per window, in percent; counted from ten records on.
    /// Default: 10.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(range(max = 100))]
    pub max_removal_percent: Option<u32>,
    /// Most seats added per window, over all licences. Default: 25.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(range(max = 1_000_000))]
    pub max_seat_increase: Option<u32>,
    /// Most money committed per window: price times quantity times the terms bought. Default: 2000 of each
    /// currency. A commitment in another currency than the declared one is held.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub max_commitment: Option<Money>,
    /// What becomes of a purchase whose price is unknown: Allow or Hold. Default: Allow.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "Unpriced")]
    pub unpriced: Option<Unpriced>,
}

/// What becomes of a purchase whose price no Product tells.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Unpriced {
    /// It passes the commitment guard; the seat guard still counts it.
    #[default]
    Allow,
    /// It is held.
    Hold,
}

/// The limits in force: every field declared or defaulted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guards {
    /// Length of the rolling window.
    pub per: IsoDuration,
    /// Most creations per window.
    pub max_creations: u32,
    /// Most invitations per window.
    pub max_invitations: u32,
    /// Most removals and detachments per window.
    pub max_removals: u32,
    /// Largest share of bound records removed per window, in percent.
    pub max_removal_percent: u32,
    /// Most seats added per window.
    pub max_seat_increase: u32,
    /// Most money committed per window.
    pub max_commitment: Commitment,
    /// What becomes of a purchase without a price.
    pub unpriced: Unpriced,
}

/// The commitment limit in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// How much per window.
    pub amount: Decimal,
    /// In which currency; `None` (nothing declared) applies the amount to each currency apart.
    pub currency: Option<Currency>,
}

impl GuardsSpec {
    /// The limits in force, with the documented defaults where nothing is declared.
    pub fn effective(&self) -> Guards {
        Guards {
            per: self.per.unwrap_or(IsoDuration::days(1)),
            max_creations: self.max_creations.unwrap_or(20),
            max_invitations: self.max_invitations.unwrap_or(50),
            max_removals: self.max_removals.unwrap_or(5),
            max_removal_percent: self.max_removal_percent.unwrap_or(10),
            max_seat_increase: self.max_seat_increase.unwrap_or(25),
            max_commitment: self.max_commitment.map_or(
                Commitment { amount: Decimal::whole(2000), currency: None },
                |m| Commitment { amount: m.amount, currency: Some(m.currency) },
            ),
            unpriced: self.unpriced.unwrap_or_default(),
        }
    }
}
