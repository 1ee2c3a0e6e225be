//! What a controller observed, exported: for planning with a cluster's objects and without a vendor's credential.
//!
//! The controller answers `GET /snapshot` with it; [`fetch`] reads it with a token of the cluster. It holds what
//! consoles hold, and so is as worthy of protection as they are; it holds no secret. An export of a later format is
//! refused, never half understood.

use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use jiff::Timestamp;
use kube::client::Body;
use kube::{Client, Config};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tenantry_engine::address::ConsoleName;
use tenantry_engine::observed::Observed;

use crate::connection::Connection;

#[cfg(test)]
mod tests;

/// Version of the format below; a reader refuses a later one.
pub const FORMAT_VERSION: u32 = 1;

/// The path of the controller's endpoint.
pub const PATH: &str = "/snapshot";

/// The largest export that is read, in bytes: more than a hundred thousand records with their details.
pub const LARGEST: usize = 512 << 20;

/// How long the whole answer may take.
const ANSWER: Duration = Duration::from_secs(120);

/// An export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// When it was exported.
    pub as_of: Timestamp,
    /// The consoles, by namespace and name.
    pub consoles: Vec<ConsoleSnapshot>,
}

/// What was observed of one console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsoleSnapshot {
    /// Namespace of the Console.
    pub namespace: String,
    /// Its name in plans: `metadata.name`, behind `NAMESPACE/` where that is not `default`.
    pub console: ConsoleName,
    /// Identity, census and details, with the controller's own writes laid over it until a census shows them.
    pub observed: Observed,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// No address of a controller.
    #[error("{url} is no controller's address: {because}; write --controller-url https://HOST[:PORT]")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        because: String,
    },
    /// No client can be made, as where the authority's certificates cannot be read.
    #[error("no client can be made for {url}; give --controller-ca a file of PEM certificates")]
    Client {
        /// Which controller.
        url: String,
        /// Why.
        #[source]
        source: Box<kube::Error>,
    },
    /// No answer.
    #[error(
        "the controller at {url} gives no answer; see that it serves plans (snapshot.enabled in the chart), forward its port, as in: kubectl port-forward service/tenantry-controller 8443, and see --controller-ca"
    )]
    Unreachable {
        /// Which controller.
        url: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Not allowed.
    #[error(
        "the controller at {url} refuses the token ({status}); it asks for the right to get consoles/snapshot in tenantry.io, and a token that this cluster made (kubectl create token NAME)"
    )]
    Refused {
        /// Which controller.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// Another answer.
    #[error(
        "the controller at {url} answered {status} instead of a snapshot; see its log, and whether its endpoints are on"
    )]
    Status {
        /// Which controller.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// It cannot be understood.
    #[error("{place} is no snapshot of a tenantry controller; use the tenantry that fits it")]
    NotUnderstood {
        /// Where it came from.
        place: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A later format.
    #[error(
        "{place} is a snapshot of a later tenantry (format {found}, this one knows {FORMAT_VERSION}); use that one"
    )]
    Later {
        /// Where it came from.
        place: String,
        /// Its version.
        found: u32,
    },
}

impl Snapshot {
    /// An export of these consoles.
    pub fn new(as_of: Timestamp, mut consoles: Vec<ConsoleSnapshot>) -> Self {
        consoles.sort_by(|a, b| a.console.cmp(&b.console));
        Self { format_version: FORMAT_VERSION, as_of, consoles }
    }

    /// What was observed of a console.
    pub fn console(&self, name: &ConsoleName) -> Option<&ConsoleSnapshot> {
        self.consoles.iter().find(|one| one.console == *name)
    }

    /// From the bytes of an export; `place` says where they came from.
    pub fn from_json(bytes: &[u8], place: &str) -> Result<Self, SnapshotError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            format_version: u32,
        }
        let wrong = |source| SnapshotError::NotUnderstood { place: place.to_owned(), source };
        let Version { format_version } = serde_json::from_slice(bytes).map_err(wrong)?;
        if format_version > FORMAT_VERSION {
            return Err(SnapshotError::Later { place: place.to_owned(), found: format_version });
        }
        serde_json::from_slice(bytes).map_err(wrong)
    }
}

/// Who asks a controller.
pub enum Access<'a> {
    /// Whoever holds this token, which the cluster made.
    Token(&'a SecretString),
    /// Whoever is logged in to the cluster. Certificates of a login do not count: the controller asks the cluster about
    /// a token.
    Login(&'a Connection),
}

/// Reads what a controller observed of a namespace: `url` is its address without a path, `ca` a file of PEM certificates
/// to trust instead of the system's. A token is only sent over TLS, or within this machine. Asks for no more than this
/// namespace: who may see it need not see any other.
pub async fn fetch(
    url: &str,
    namespace: &str,
    access: &Access<'_>,
    ca: Option<&Path>,
) -> Result<Snapshot, SnapshotError> {
    let bytes = get(url, &format!("{PATH}?namespace={namespace}"), access, ca).await?;
    Snapshot::from_json(&bytes, &format!("{}{PATH}", url.trim_end_matches('/')))
}

/// Gets any path of a controller: see [`fetch`].
pub async fn get(
    url: &str,
    path: &str,
    access: &Access<'_>,
    ca: Option<&Path>,
) -> Result<Vec<u8>, SnapshotError> {
    let client = client(url, access, ca)?;
    let unreachable = |source: Box<dyn std::error::Error + Send + Sync>| SnapshotError::Unreachable {
        url: url.to_owned(),
        source,
    };
    let request = http::Request::get(path).body(Body::empty()).map_err(|error| unreachable(error.into()))?;
    let answer = async {
        let response = client.send(request).await.map_err(|error| unreachable(error.into()))?;
        let status = response.status();
        match status.as_u16() {
            200 => {}
            status @ (401 | 403) => return Err(SnapshotError::Refused { url: url.to_owned(), status }),
            status => return Err(SnapshotError::Status { url: url.to_owned(), status }),
        }
        let body = Limited::new(response.into_body(), LARGEST).collect().await.map_err(unreachable)?;
        Ok(body.to_bytes().to_vec())
    };
    tokio::time::timeout(ANSWER, answer)
        .await
        .unwrap_or_else(|_| Err(unreachable(crate::api::Late(ANSWER.as_secs()).into())))
}

fn client(url: &str, access: &Access<'_>, ca: Option<&Path>) -> Result<Client, SnapshotError> {
    let bad = |because: &str| SnapshotError::Address { url: url.to_owned(), because: because.to_owned() };
    let uri: http::Uri = url.parse().map_err(|_| bad("it is no URL"))?;
    let host = uri.host().ok_or_else(|| bad("it names no host"))?;
    let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if here => {}
        Some("http") => return Err(bad("a token is only sent over https, or within this machine")),
        _ => return Err(bad("it does not begin with https://")),
    }
    let mut config = Config::new(uri);
    match access {
        Access::Token(token) => config.auth_info.token = Some(token.expose_secret().to_owned().into()),
        Access::Login(connection) => config.auth_info = connection.login(),
    }
    config.default_retry = false;
    config.read_timeout = Some(ANSWER);
    config.root_cert_file = ca.map(Path::to_owned);
    Client::try_from(config)
        .map_err(|source| SnapshotError::Client { url: url.to_owned(), source: Box::new(source) })
}
