//! From a Console's declaration to a connected console.
//!
//! Opens no connection itself: the first request leaves when the engine asks for something.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tenantry_crd::{ConsoleSpec, Vendor};
use tenantry_engine::address::ConsoleName;
use tenantry_engine::console::Console;
use tenantry_engine::runtime::Runtime;
use url::Url;

use crate::credentials::{Credentials, SecretSink, Secrets};
use crate::pace::Paces;
use crate::transport::{LARGEST_ANSWER, REQUEST_TIMEOUT};

/// What all consoles of a process share.
#[derive(Clone)]
pub struct Settings {
    /// How long one read may take in all.
    pub timeout: Duration,
    /// How long one write may take in all, and so be on its way: the engine's patience counts with the same figure.
    pub write_timeout: Duration,
    /// The largest answer that is read, in bytes after decompression.
    pub largest_answer: usize,
    /// Pace limiters by credential: two consoles on one credential share one.
    pub paces: Arc<Paces>,
    /// Where replaced secrets go; `None`: they are used while the process lives, and forgotten.
    pub sink: Option<Arc<dyn SecretSink>>,
    /// Asked right before a write leaves, after everything that it had to wait for: whether it still may. `None`: it may.
    pub fence: Option<Fence>,
}

/// Whether a write may leave now.
pub type Fence = Arc<dyn Fn() -> bool + Send + Sync>;

impl Default for Settings {
    /// [`REQUEST_TIMEOUT`], [`LARGEST_ANSWER`], no limiter in use yet, no place for replaced secrets, no fence.
    fn default() -> Self {
        Self {
            timeout: REQUEST_TIMEOUT,
            write_timeout: REQUEST_TIMEOUT,
            largest_answer: LARGEST_ANSWER,
            paces: Arc::default(),
            sink: None,
            fence: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("timeout", &self.timeout)
            .field("write_timeout", &self.write_timeout)
            .field("largest_answer", &self.largest_answer)
            .finish_non_exhaustive()
    }
}

/// Everything a vendor's module needs to connect.
pub struct Connection<'a> {
    /// The declaration.
    pub spec: &'a ConsoleSpec,
    /// `metadata.name` of the Console.
    pub name: &'a ConsoleName,
    /// Credentials.
    pub credentials: Credentials,
    /// Where to send everything instead of the vendor's own hosts.
    pub endpoint: Option<Url>,
    /// Clock, identifiers, wish to stop, progress.
    pub runtime: &'a Runtime,
    /// What all consoles share.
    pub settings: &'a Settings,
}

impl Connection<'_> {
    /// The read credential's values under these keys, in this order, or which of them are missing.
    pub fn read_values<const N: usize>(
        &self,
        keys: [&'static str; N],
    ) -> Result<[secrecy::SecretString; N], ConnectError> {
        values(&self.credentials.read, keys).map_err(|missing| ConnectError::MissingValues {
            console: self.name.clone(),
            which: "read",
            missing: missing.join(", "),
        })
    }
}

/// Values under these keys, or the keys without one.
pub(crate) fn values<const N: usize>(
    secrets: &Secrets,
    keys: [&'static str; N],
) -> Result<[secrecy::SecretString; N], Vec<&'static str>> {
    let missing = secrets.missing(&keys);
    if missing.is_empty() {
        Ok(keys.map(|key| secrets.get(key).expect("it is not missing").clone()))
    } else {
        Err(missing)
    }
}

/// Why a console cannot be connected. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The declaration names no vendor, or several.
    #[error("console {console} names no vendor; give it exactly one of {}", vendors())]
    NoVendor {
        /// Which console.
        console: ConsoleName,
    },
    /// A vendor without an adapter in this version.
    #[error(
        "console {console}: this version of tenantry has no adapter for {vendor} yet; use runbook for a console that people work"
    )]
    NotSupportedYet {
        /// Which console.
        console: ConsoleName,
        /// The vendor's field.
        vendor: &'static str,
    },
    /// The credential lacks values.
    #[error(
        "console {console}: the {which} credential lacks {missing}; add it to the secret that spec.credentials.{which}.secretRef names"
    )]
    MissingValues {
        /// Which console.
        console: ConsoleName,
        /// `read` or `write`.
        which: &'static str,
        /// The keys, separated by commas.
        missing: String,
    },
    /// `--endpoint` is no HTTP address.
    #[error("console {console}: {endpoint} is no endpoint; write --endpoint {console}=https://HOST/PATH")]
    Endpoint {
        /// Which console.
        console: ConsoleName,
        /// What was given.
        endpoint: String,
    },
    /// The HTTP client cannot be made.
    #[error(
        "console {console}: the HTTP client cannot be made; check the system's certificates and proxy settings"
    )]
    Client {
        /// Which console.
        console: ConsoleName,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

fn vendors() -> String {
    Vendor::ALL.map(Vendor::field).join(", ")
}

/// Connects a console: checks its declaration and credentials, and sends nothing.
pub fn connect(
    spec: &ConsoleSpec,
    name: &ConsoleName,
    credentials: Credentials,
    endpoint: Option<Url>,
    runtime: &Runtime,
    settings: &Settings,
) -> Result<Box<dyn Console>, ConnectError> {
    let vendor = spec.vendor().ok_or_else(|| ConnectError::NoVendor { console: name.clone() })?;
    if let Some(url) = &endpoint
        && (!matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base())
    {
        return Err(ConnectError::Endpoint { console: name.clone(), endpoint: url.to_string() });
    }
    let connection = Connection { spec, name, credentials, endpoint, runtime, settings };
    match vendor {
        Vendor::Microsoft => crate::microsoft::connect(&connection),
        Vendor::Sophos => crate::sophos::connect(&connection),
        other @ (Vendor::Acronis
        | Vendor::Watchguard
        | Vendor::Interworks
        | Vendor::Runbook
        | Vendor::Plugin) => {
            Err(ConnectError::NotSupportedYet { console: connection.name.clone(), vendor: other.field() })
        }
    }
}
