//! Details that were read, beside the ledger. It proves no absence and authorises no write; losing it costs requests.

use std::path::Path;

use serde::{Deserialize, Serialize};
use tenantry_engine::observed::{DetailKey, Details, FacetRead};
use tenantry_engine::store::StoreError;

#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    key: DetailKey,
    read: FacetRead,
}

/// What is there; anything that cannot be read is as if it were not there.
pub(super) fn read(path: &Path) -> Details {
    let Ok(text) = std::fs::read_to_string(path) else { return Details::new() };
    text.lines()
        .filter_map(|line| serde_json::from_str::<Line>(line).ok())
        .map(|line| (line.key, line.read))
        .collect()
}

pub(super) fn write(path: &Path, details: &Details) -> Result<(), StoreError> {
    let mut text = String::new();
    for (key, read) in details {
        let line = Line { key: key.clone(), read: read.clone() };
        text.push_str(&serde_json::to_string(&line).expect("details are JSON"));
        text.push('\n');
    }
    super::write_atomically(path, text.as_bytes())
}
