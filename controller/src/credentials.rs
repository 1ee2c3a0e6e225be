//! Credentials from Secrets, and secrets into Secrets.
//!
//! A Secret is read by name when a console is connected, at each observation, and when a vendor refuses what was read
//! before; Secrets are never listed or watched. A rotated refresh token goes back into its Secret. A first password
//! goes into a Secret of its own, which is never overwritten. Values never reach an error, a log or an Event.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Api, ObjectMeta, PostParams};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tenantry_consoles::{SecretSink, Secrets, SecretsError, SinkError, WriteSecrets};
use tenantry_crd::console::OneTimeSecrets;
use tenantry_engine::address::{Address, ConsoleName};
use tenantry_engine::runtime::{OneTimeSecret, SealError, Sealer};
use tenantry_engine::text::terminal;

use crate::FIELD_MANAGER;

#[cfg(test)]
mod tests;

/// Why a Secret cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It is not there, or goes.
    #[error(
        "there is no Secret {namespace}/{name}; make it: kubectl -n {namespace} create secret generic {name} …"
    )]
    Missing {
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
    },
    /// The API server does not give it to us.
    #[error("the Secret {namespace}/{name} cannot be read: {because}")]
    Unreadable {
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
        /// Why.
        because: String,
    },
}

/// So often a rotated value is put into its Secret while somebody else writes that too.
const STORE_TRIES: usize = 5;

/// Digests of a credential's values by key: tells a rotated one without holding the old one.
pub type Known = BTreeMap<String, [u8; 32]>;

/// One Secret that a Console names.
#[derive(Clone)]
pub struct Named {
    client: Client,
    namespace: String,
    name: String,
}

impl Named {
    /// The Secret of this name.
    pub fn new(client: &Client, namespace: &str, name: &str) -> Self {
        Self { client: client.clone(), namespace: namespace.to_owned(), name: name.to_owned() }
    }

    fn api(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Reads it; its values, and their digests.
    pub async fn read(&self) -> Result<(Secrets, Known), SecretError> {
        let missing = || SecretError::Missing { namespace: self.namespace.clone(), name: self.name.clone() };
        let unreadable = |because: String| SecretError::Unreadable {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            because,
        };
        let read = self.api().get_opt(&self.name).await;
        let secret = read.map_err(|error| unreadable(terminal(&error.to_string())))?.ok_or_else(missing)?;
        if secret.metadata.deletion_timestamp.is_some() {
            return Err(missing());
        }
        let mut values = Vec::new();
        let mut known = Known::new();
        for (key, value) in secret.data.unwrap_or_default() {
            let value = String::from_utf8(value.0)
                .map_err(|_| unreadable(format!("{} is no text", terminal(&key))))?;
            known.insert(key.clone(), digest(&value));
            values.push((key, value));
        }
        Ok((Secrets::new(values), known))
    }

    async fn put(&self, key: &str, value: &SecretString) -> Result<(), kube::Error> {
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let mut tries = 0;
        loop {
            // Under the version that was read: what somebody else puts there meanwhile is not taken back.
            let mut secret = self.api().get(&self.name).await?;
            let value = k8s_openapi::ByteString(value.expose_secret().as_bytes().to_vec());
            secret.data.get_or_insert_default().insert(key.to_owned(), value);
            tries += 1;
            match self.api().replace(&self.name, &params, &secret).await {
                Ok(_) => return Ok(()),
                Err(kube::Error::Api(status)) if status.code == 409 && tries < STORE_TRIES => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn digest(value: &str) -> [u8; 32] {
    Sha256::digest(value.trim().as_bytes()).into()
}

#[async_trait]
impl WriteSecrets for Named {
    async fn open(&self) -> Result<Secrets, SecretsError> {
        self.read()
            .await
            .map(|(secrets, _)| secrets)
            .map_err(|error| SecretsError { because: error.to_string() })
    }
}

/// Puts rotated values back into the Secrets of one Console.
pub struct Rotated {
    /// The read credential's Secret.
    pub read: Named,
    /// The write credential's.
    pub write: Option<Named>,
    /// What the read credential's Secret holds, as far as we know.
    pub known: Arc<Mutex<Known>>,
}

#[async_trait]
impl SecretSink for Rotated {
    async fn store(
        &self,
        console: &ConsoleName,
        which: &'static str,
        key: &'static str,
        value: &SecretString,
    ) -> Result<(), SinkError> {
        let secret = if which == "write" { self.write.as_ref() } else { Some(&self.read) };
        let secret =
            secret.ok_or_else(|| SinkError { because: format!("{console} names no {which} credential") })?;
        secret.put(key, value).await.map_err(|error| SinkError {
            because: format!(
                "the Secret {}/{}: {}",
                secret.namespace,
                secret.name,
                terminal(&error.to_string())
            ),
        })?;
        if secret.name == self.read.name {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(key.to_owned(), digest(value.expose_secret()));
        }
        Ok(())
    }
}

/// Puts first passwords into Secrets: as they are behind a prefix, or sealed for age recipients.
pub struct IntoSecrets {
    /// The client.
    pub client: Client,
    /// The Console's namespace.
    pub namespace: String,
    /// Where the Console wants them.
    pub wanted: Option<OneTimeSecrets>,
}

/// Prefix of Secrets that hold what is sealed for age recipients.
const SEALED: &str = "tenantry-sealed-";

/// A part of a name that the API server accepts.
fn slug(text: &str) -> String {
    let mapped = text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let out: String = mapped.collect();
    out.trim_matches('-').to_owned()
}

impl IntoSecrets {
    fn sealed(recipients: &[String], secret: &str) -> Result<Vec<u8>, String> {
        let recipients: Vec<age::x25519::Recipient> = recipients
            .iter()
            .map(|text| text.parse().map_err(|error: &str| format!("{text} is no age recipient: {error}")))
            .collect::<Result<_, _>>()?;
        let all = recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(all).map_err(|error| error.to_string())?;
        let mut out = Vec::new();
        let mut writer = encryptor.wrap_output(&mut out).map_err(|error| error.to_string())?;
        std::io::Write::write_all(&mut writer, secret.as_bytes())
            .and_then(|()| writer.finish().map(drop))
            .map_err(|error| error.to_string())?;
        Ok(out)
    }

    /// Name, key and value of the Secret.
    fn place(&self, address: &Address, secret: &OneTimeSecret) -> Result<(String, String, Vec<u8>), String> {
        let wanted = self.wanted.as_ref().ok_or("the Console names no oneTimeSecrets")?;
        let label = slug(&secret.label);
        let account = address.account.as_deref().unwrap_or(address.kind.word());
        let name = |prefix: &str| {
            format!("{}-{}-{}", prefix.trim_end_matches('-'), slug(&address.name), slug(account))
        };
        match (&wanted.secret_prefix, &wanted.age_recipients) {
            (Some(prefix), _) => Ok((name(prefix), label, secret.secret.clone().into_bytes())),
            (None, Some(recipients)) => {
                Ok((name(SEALED), format!("{label}.age"), Self::sealed(recipients, &secret.secret)?))
            }
            (None, None) => Err("the Console names no oneTimeSecrets".to_owned()),
        }
    }
}

#[async_trait]
impl Sealer for IntoSecrets {
    async fn seal(&self, address: &Address, secret: OneTimeSecret) -> Result<String, SealError> {
        let failed = |because: String| SealError { address: address.clone(), because };
        let (first, key, value) = self.place(address, &secret).map_err(failed)?;
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        let mut name = first.clone();
        loop {
            let object = Secret {
                metadata: ObjectMeta {
                    name: Some(name.clone()),
                    labels: Some(BTreeMap::from([(
                        "app.kubernetes.io/managed-by".into(),
                        "tenantry".into(),
                    )])),
                    annotations: Some(BTreeMap::from([("tenantry.io/address".into(), address.to_string())])),
                    ..ObjectMeta::default()
                },
                data: Some(BTreeMap::from([(key.clone(), k8s_openapi::ByteString(value.clone()))])),
                type_: Some("Opaque".into()),
                ..Secret::default()
            };
            let params =
                PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
            match api.create(&params, &object).await {
                Ok(_) => return Ok(format!("Secret {}/{name}, key {key}", self.namespace)),
                // An earlier one of this account: it stays.
                Err(kube::Error::Api(status)) if status.code == 409 && name == first => {
                    name = format!("{first}-{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
                }
                Err(error) => return Err(failed(terminal(&error.to_string()))),
            }
        }
    }
}
