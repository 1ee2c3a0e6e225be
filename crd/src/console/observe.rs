//! How old each facet of an observation may become, and how fast a console may be asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::IsoDuration;

/// How old each facet may become before it is read again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObserveSpec {
    /// Age of the list of accounts. Default: PT1H.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub accounts: Option<IsoDuration>,
    /// Age of delegated administration and its assignments. Default: PT6H.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub access: Option<IsoDuration>,
    /// Age of licences and subscriptions. Default: PT24H.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub licenses: Option<IsoDuration>,
    /// Age of usage figures. Default: PT24H.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub usage: Option<IsoDuration>,
    /// How late the console's lists may be: absence within this time of a write proves nothing. Default: PT15M.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub settle: Option<IsoDuration>,
    /// Remote ids of folders or partners whose records are not ours to look at: nothing under them is reported.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 512)))]
    pub ignore_under: Vec<String>,
}

/// The ages in force: every field declared or defaulted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ages {
    /// Age of the list of accounts.
    pub accounts: IsoDuration,
    /// Age of delegated administration.
    pub access: IsoDuration,
    /// Age of licences.
    pub licenses: IsoDuration,
    /// Age of usage.
    pub usage: IsoDuration,
    /// How late a list may be.
    pub settle: IsoDuration,
}

impl ObserveSpec {
    /// The ages in force, with the documented defaults where nothing is declared.
    pub fn effective(&self) -> Ages {
        Ages {
            accounts: self.accounts.unwrap_or(IsoDuration::hours(1)),
            access: self.access.unwrap_or(IsoDuration::hours(6)),
            licenses: self.licenses.unwrap_or(IsoDuration::hours(24)),
            usage: self.usage.unwrap_or(IsoDuration::hours(24)),
            settle: self.settle.unwrap_or(IsoDuration::minutes(15)),
        }
    }
}

/// How fast the console may be asked, by readers and writers together. Absent: the adapter's own pace, which follows
/// what the vendor documents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaceSpec {
    /// Most reads per second, a fraction for less than one. Default: the adapter's.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(range(min = 0.001, max = 1000.0))]
    pub reads_per_second: Option<f64>,
    /// Most writes per second, a fraction for less than one. Default: the adapter's.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(range(min = 0.001, max = 1000.0))]
    pub writes_per_second: Option<f64>,
    /// Most requests under way at once. Default: the adapter's.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(range(min = 1, max = 64))]
    pub concurrency: Option<u32>,
}
