//! A console's terms without a connection: for planning from what somebody else observed.
//!
//! Opens no credential and sends nothing. What identification found out comes with the observation; without it the
//! terms are those of a console that nobody has asked yet.

use serde_json::Value;
use tenantry_crd::ConsoleSpec;
use tenantry_engine::address::ConsoleName;
use tenantry_engine::console::Dialect;

use crate::connect::ConnectError;
use crate::microsoft::{Found, MicrosoftDialect};

#[cfg(test)]
mod tests;

/// The pure half of a console, from its declaration and what
/// [`Identity::probed`](tenantry_engine::observed::Identity::probed) says where it was observed.
pub fn offline(
    spec: &ConsoleSpec,
    name: &ConsoleName,
    probed: &Value,
) -> Result<Box<dyn Dialect>, ConnectError> {
    let vendor = spec.vendor().ok_or_else(|| ConnectError::NoVendor { console: name.clone() })?;
    if let Some(sophos) = &spec.sophos {
        return Ok(crate::sophos::offline(sophos, spec.naming, probed));
    }
    if let Some(microsoft) = &spec.microsoft {
        // What another version found out may be unknown here: then it counts as not asked, which promises nothing.
        let found: Found = serde_json::from_value(probed.clone()).unwrap_or_default();
        return Ok(Box::new(MicrosoftDialect::new(spec, microsoft, found)));
    }
    Err(ConnectError::NotSupportedYet { console: name.clone(), vendor: vendor.field() })
}
