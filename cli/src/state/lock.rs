//! One writer at a time. The operating system's lock ends with the process, however that ends: a killed run leaves
//! no lock behind; what stands in the file only tells people who holds it.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tenantry_engine::store::StoreError;

/// The lock, held while this lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

#[derive(Serialize, Deserialize)]
struct Owner {
    owner: String,
    since: String,
}

impl Lock {
    pub(super) fn take(path: &Path, owner: &str) -> Result<Self, StoreError> {
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(super::io("open", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let found = file
                    .read_to_string(&mut text)
                    .ok()
                    .and_then(|_| serde_json::from_str::<Owner>(&text).ok());
                let (owner, since) = found.map_or_else(
                    || ("another run".into(), "a moment ago".into()),
                    |found| (found.owner, found.since),
                );
                return Err(StoreError::Locked { owner, since });
            }
            Err(TryLockError::Error(error)) => return Err(super::io("lock", path)(error)),
        }
        let text = serde_json::to_string(&Owner {
            owner: owner.to_owned(),
            since: jiff::Timestamp::now().to_string(),
        })
        .expect("an owner is JSON");
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(text.as_bytes()))
            .map_err(super::io("write", path))?;
        Ok(Self { _file: file })
    }

    /// Who holds it, without taking it: owner and since when. `None` = nobody.
    pub(super) fn held(path: &Path) -> Result<Option<(String, String)>, StoreError> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(super::io("open", path)(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let found = file
                    .read_to_string(&mut text)
                    .ok()
                    .and_then(|_| serde_json::from_str::<Owner>(&text).ok());
                Ok(Some(found.map_or_else(
                    || ("another run".into(), "a moment ago".into()),
                    |found| (found.owner, found.since),
                )))
            }
            Err(TryLockError::Error(error)) => Err(super::io("lock", path)(error)),
        }
    }
}
