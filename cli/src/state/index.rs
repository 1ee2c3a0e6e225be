//! `state.json`: which Console was seen with which vendor account, so that another account is refused.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tenantry_engine::address::{ConsoleName, VendorAccount};
use tenantry_engine::store::StoreError;

/// Version of the state directory's format.
const FORMAT_VERSION: u32 = 1;

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    format_version: u32,
    /// Console → vendor account.
    pub consoles: BTreeMap<ConsoleName, VendorAccount>,
}

impl Default for Index {
    fn default() -> Self {
        Self { format_version: FORMAT_VERSION, consoles: BTreeMap::new() }
    }
}

impl Index {
    /// Of these Consoles.
    pub fn of(consoles: BTreeMap<ConsoleName, VendorAccount>) -> Self {
        Self { consoles, ..Self::default() }
    }

    pub(super) fn read(path: &Path) -> Result<Self, StoreError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(super::io("read", path)(error)),
        };
        let index: Self = serde_json::from_str(&text).map_err(|error| StoreError::Damaged {
            place: path.display().to_string(),
            because: format!("{error}; restore it from a backup, or move it away: ledgers stay as they are"),
        })?;
        if index.format_version > FORMAT_VERSION {
            return Err(StoreError::Damaged {
                place: path.display().to_string(),
                because: format!(
                    "written by a later tenantry (format {}); use that one",
                    index.format_version
                ),
            });
        }
        Ok(index)
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), StoreError> {
        let mut text = serde_json::to_string_pretty(self).expect("an index is JSON");
        text.push('\n');
        super::write_atomically(path, text.as_bytes())
    }
}
