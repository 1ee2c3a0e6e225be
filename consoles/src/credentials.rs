//! Credentials as named secret values.
//!
//! Never printed, never serialised. The write credential is a provider that is asked when something is to be written,
//! so that planning never opens it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tenantry_engine::address::ConsoleName;

/// The values of one credential by the vendor's key (`clientId`, `clientSecret`, …).
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, SecretString>);

impl Secrets {
    /// From keys and values; surrounding white space, which files and editors leave behind, is no part of a value.
    pub fn new<K: Into<String>, V: AsRef<str>>(values: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(
            values
                .into_iter()
                .map(|(key, value)| (key.into(), SecretString::from(value.as_ref().trim().to_owned())))
                .collect(),
        )
    }

    /// One value.
    pub fn get(&self, key: &str) -> Option<&SecretString> {
        self.0.get(key).filter(|value| !value.expose_secret().is_empty())
    }

    /// Those of the wanted keys that have no value.
    pub fn missing(&self, wanted: &[&'static str]) -> Vec<&'static str> {
        wanted.iter().copied().filter(|key| self.get(key).is_none()).collect()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A credential could not be opened. In words fit for a terminal, without the secret.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the write credential cannot be opened: {because}")]
pub struct SecretsError {
    /// Why, and where it was looked for.
    pub because: String,
}

/// Opens the write credential when something is to be written.
#[async_trait]
pub trait WriteSecrets: Send + Sync {
    /// Opens it.
    async fn open(&self) -> Result<Secrets, SecretsError>;
}

#[async_trait]
impl WriteSecrets for Secrets {
    async fn open(&self) -> Result<Secrets, SecretsError> {
        Ok(self.clone())
    }
}

/// A new secret could not be stored. In words fit for a terminal, without the secret.
#[derive(Debug, Clone, thiserror::Error)]
#[error("it cannot be stored: {because}")]
pub struct SinkError {
    /// Why, and where it was to be stored.
    pub because: String,
}

/// Where a secret goes that a vendor has replaced (a rotated refresh token), so that the next process has it.
#[async_trait]
pub trait SecretSink: Send + Sync {
    /// Puts the value in place of the credential's old one under this key. `which` is `read` or `write`.
    async fn store(
        &self,
        console: &ConsoleName,
        which: &'static str,
        key: &'static str,
        value: &SecretString,
    ) -> Result<(), SinkError>;
}

/// What a console is connected with.
#[derive(Clone)]
pub struct Credentials {
    /// For observing.
    pub read: Secrets,
    /// For applying; `None`: every write is refused before it leaves.
    pub write: Option<Arc<dyn WriteSecrets>>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("read", &self.read).field("write", &self.write.is_some()).finish()
    }
}
