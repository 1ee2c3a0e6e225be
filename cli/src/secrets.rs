//! Where credentials of files come from: a directory, or the environment.
//!
//! `--secrets-dir DIR` holds `DIR/<secret>/<key>` (as a mounted Kubernetes Secret does); else
//! `TENANTRY_SECRET_<SECRET>_<KEY>`, upper case with `_`. Values never reach a message, a log or a plan.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tenantry_consoles::{SecretSink, Secrets, SecretsError, SinkError, WriteSecrets};
use tenantry_engine::address::ConsoleName;
use tenantry_engine::text::terminal;

use crate::exit::{CliError, io};

/// Finds credentials.
#[derive(Debug, Clone, Default)]
pub struct Finder {
    /// `--secrets-dir`.
    pub dir: Option<PathBuf>,
}

/// `clientId` → `CLIENT_ID`, `sophos-read` → `SOPHOS_READ`.
pub fn upper_snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        out.push(if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    }
    out
}

/// `CLIENT_ID` → `clientId`.
fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = !out.is_empty();
        } else if upper {
            out.push(c.to_ascii_uppercase());
            upper = false;
        } else {
            out.push(c.to_ascii_lowercase());
        }
    }
    out
}

impl Finder {
    /// The values of a secret, by key.
    pub fn find(&self, secret: &str) -> Result<Secrets, CliError> {
        let mut values: Vec<(String, String)> = Vec::new();
        let prefix = format!("TENANTRY_SECRET_{}_", upper_snake(secret));
        for (name, value) in std::env::vars_os() {
            let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
            if let Some(key) = name.strip_prefix(&prefix) {
                values.push((camel(key), value.to_owned()));
            }
        }
        if let Some(dir) = &self.dir {
            values.extend(read_dir(&dir.join(secret))?);
        }
        if values.is_empty() {
            let place = self.dir.as_ref().map_or_else(
                || format!("{prefix}* is not set and there is no --secrets-dir"),
                |dir| format!("neither {} nor {prefix}* is there", dir.join(secret).display()),
            );
            return Err(CliError::new("no-secret", format!("the secret {secret} was not found: {place}"))
                .hint(format!("put each value into a file DIR/{secret}/KEY and pass --secrets-dir DIR, or set {prefix}KEY")));
        }
        Ok(Secrets::new(values))
    }

    /// Opens a secret only when something is to be written.
    pub fn later(&self, secret: &str) -> Later {
        Later { finder: self.clone(), secret: secret.to_owned() }
    }

    /// Stores a value that a vendor rotated; only a directory can take it.
    pub fn store(&self, secret: &str, key: &str, value: &str) -> Result<bool, CliError> {
        let Some(dir) = &self.dir else { return Ok(false) };
        let path = dir.join(secret).join(key);
        let parent = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(parent).map_err(|error| io("write", &path, &error))?;
        std::io::Write::write_all(&mut file, value.as_bytes()).map_err(|error| io("write", &path, &error))?;
        file.as_file().sync_all().map_err(|error| io("write", &path, &error))?;
        file.persist(&path).map_err(|error| io("write", &path, &error.error))?;
        Ok(true)
    }
}

/// Keeps what a vendor rotated, beside the old value's file. Where nothing can be kept (the environment, a directory
/// that cannot be written) the run goes on and says so: the old value goes on too, until its own end.
pub struct Keeper {
    /// Where credentials are.
    pub finder: Finder,
    /// The read credential's secret, and the write credential's.
    pub names: BTreeMap<&'static str, String>,
}

#[async_trait]
impl SecretSink for Keeper {
    async fn store(
        &self,
        console: &ConsoleName,
        which: &'static str,
        key: &'static str,
        value: &SecretString,
    ) -> Result<(), SinkError> {
        let Some(secret) = self.names.get(which) else { return Ok(()) };
        match self.finder.store(secret, key, value.expose_secret()) {
            Ok(true) => {}
            Ok(false) => crate::app::tell(&format!(
                "{console}: a new {key} came for the secret {secret}; the environment cannot keep it. The old one goes on until its end; with --secrets-dir DIR it is kept"
            )),
            Err(error) => crate::app::tell(&format!(
                "{console}: a new {key} came for the secret {secret} and was not kept: {}. The old one goes on until its end; make the directory writable",
                terminal(&error.sentence())
            )),
        }
        Ok(())
    }
}

fn read_dir(dir: &Path) -> Result<Vec<(String, String)>, CliError> {
    let mut out = Vec::new();
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(out),
        Err(error) => return Err(io("read", dir, &error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| io("read", dir, &error))?.path();
        let Some(key) = path.file_name().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.'))
        else {
            continue;
        };
        if path.is_file() {
            let value = std::fs::read_to_string(&path).map_err(|error| io("read", &path, &error))?;
            out.push((key.to_owned(), value));
        }
    }
    Ok(out)
}

/// A secret that is opened when it is needed.
pub struct Later {
    finder: Finder,
    secret: String,
}

#[async_trait]
impl WriteSecrets for Later {
    async fn open(&self) -> Result<Secrets, SecretsError> {
        self.finder.find(&self.secret).map_err(|error| SecretsError { because: error.message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_keys_go_both_ways() {
        for key in ["clientId", "clientSecret", "tenant", "refreshToken"] {
            assert_eq!(camel(&upper_snake(key)), key);
        }
        assert_eq!(upper_snake("sophos-read"), "SOPHOS_READ");
    }

    #[test]
    fn a_missing_secret_says_where_it_was_looked_for() {
        let finder = Finder { dir: Some("/nowhere".into()) };
        let error = finder.find("sophos-read").expect_err("not there");
        assert_eq!(
            error.text(),
            "error[no-secret]: the secret sophos-read was not found: neither /nowhere/sophos-read nor TENANTRY_SECRET_SOPHOS_READ_* is there\n  \
             put each value into a file DIR/sophos-read/KEY and pass --secrets-dir DIR, or set TENANTRY_SECRET_SOPHOS_READ_KEY\n"
        );
    }

    #[tokio::test]
    async fn a_rotated_value_replaces_the_one_in_the_directory_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let secret = dir.path().join("ms-read");
        std::fs::create_dir(&secret).expect("made");
        std::fs::write(secret.join("refreshToken"), "old").expect("written");
        let keeper = Keeper {
            finder: Finder { dir: Some(dir.path().to_owned()) },
            names: BTreeMap::from([("read", "ms-read".to_owned())]),
        };
        let console = ConsoleName::new("microsoft");
        let value = SecretString::from("new");
        keeper.store(&console, "read", "refreshToken", &value).await.expect("kept");
        keeper
            .store(&console, "write", "refreshToken", &value)
            .await
            .expect("nothing is named: nothing is kept");
        assert_eq!(std::fs::read_to_string(secret.join("refreshToken")).expect("there"), "new");
        assert_eq!(std::fs::read_dir(dir.path()).expect("read").count(), 1);
    }

    #[tokio::test]
    async fn a_rotated_value_that_cannot_be_kept_does_not_end_the_run() {
        let keeper = Keeper {
            finder: Finder { dir: Some("/nowhere".into()) },
            names: BTreeMap::from([("read", "ms-read".to_owned())]),
        };
        let value = SecretString::from("new");
        let kept = keeper.store(&ConsoleName::new("microsoft"), "read", "refreshToken", &value).await;
        assert!(kept.is_ok());
    }
}
