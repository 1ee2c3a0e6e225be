//! Rollout: many customers in waves, with pauses, blackouts and a stop after failures.
//!
//! The members of a rollout freeze when it starts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::{Date, IsoDuration};

/// How a change reaches many customers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollout {
    /// The waves in order. Customers beyond the last wave's size form one more wave. Absent: one wave of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub waves: Vec<Wave>,
    /// What starts the next wave: Manual (a person promotes) or Automatic (after `pause`). Default: Manual.
    #[serde(default)]
    pub promote: Promote,
    /// How long a finished wave is watched before the next may start. Default: P0D.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub pause: Option<IsoDuration>,
    /// Failures in one wave after which nothing new starts. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(range(min = 1, max = 10_000))]
    pub abort_after_failures: Option<u32>,
    /// Days on which nothing new starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub blackout: Vec<Blackout>,
}

impl Rollout {
    /// Failures in one wave after which nothing new starts, declared or defaulted.
    pub fn abort_after_failures(&self) -> u32 {
        self.abort_after_failures.unwrap_or(1)
    }
}

/// One wave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wave {
    /// The wave's name in plans and tasks.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// How many customers, taken in the order of their names.
    #[schemars(range(min = 1, max = 100_000))]
    pub size: u32,
}

/// What starts the next wave.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Promote {
    /// A person.
    #[default]
    Manual,
    /// The end of the pause.
    Automatic,
}

/// Days on which nothing new starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("self.from < self.to", "a blackout ends after it begins"),
])))]
pub struct Blackout {
    /// First day, from 00:00 UTC.
    pub from: Date,
    /// The day after the last, from 00:00 UTC.
    pub to: Date,
}
