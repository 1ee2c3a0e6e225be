//! Keys of a customer in other systems, small: a hundred thousand customers have one or two each, and a tree's node has
//! room for eleven.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

/// System → key there. Sorted by system, none twice; written as a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalIds(Box<[(SmolStr, SmolStr)]>);

impl ExternalIds {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys, by system.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(system, key)| (system.as_str(), key.as_str()))
    }

    /// The keys.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, key)| key.as_str())
    }
}

impl FromIterator<(SmolStr, SmolStr)> for ExternalIds {
    fn from_iter<I: IntoIterator<Item = (SmolStr, SmolStr)>>(pairs: I) -> Self {
        let sorted: BTreeMap<SmolStr, SmolStr> = pairs.into_iter().collect();
        Self(sorted.into_iter().collect())
    }
}

impl Serialize for ExternalIds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for ExternalIds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::<SmolStr, SmolStr>::deserialize(deserializer)
            .map(|sorted| Self(sorted.into_iter().collect()))
    }
}
