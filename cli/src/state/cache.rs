//! Details that were read, beside the ledger. It proves no absence and authorises no write; losing it costs requests.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tenantry_engine::address::RemoteId;
use tenantry_engine::observed::{DetailKey, Details, Facet, FacetRead};
use tenantry_engine::store::StoreError;
use tenantry_engine::value::FieldLists;

#[derive(Deserialize)]
struct Line {
    id: RemoteId,
    facet: Facet,
    read: FacetRead,
}

#[derive(Serialize)]
struct Written<'a> {
    id: &'a RemoteId,
    facet: Facet,
    read: &'a FacetRead,
}

/// What is there; anything that cannot be read is as if it were not there.
pub(super) fn read(path: &Path) -> Details {
    let Ok(file) = File::open(path) else { return Details::new() };
    let mut file = BufReader::with_capacity(128 << 10, file);
    let mut line = Vec::new();
    let mut details = Vec::new();
    let mut lists = FieldLists::default();
    loop {
        line.clear();
        match file.read_until(b'\n', &mut line) {
            Ok(0) => return details.into_iter().collect(),
            Ok(_) => {
                if let Ok(Line { id, facet, mut read }) = serde_json::from_slice(&line) {
                    read.fields.share(&mut lists);
                    details.push((DetailKey { id, facet }, read.into()));
                }
            }
            Err(_) => return Details::new(),
        }
    }
}

pub(super) fn write(path: &Path, details: &Details) -> Result<(), StoreError> {
    super::write_whole(path, |out| {
        for (key, read) in details {
            serde_json::to_writer(&mut *out, &Written { id: &key.id, facet: key.facet, read })?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })
}
