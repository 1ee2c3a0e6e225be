//! A client of a cluster: from a kubeconfig with a context and a namespace, else from inside the cluster.
//!
//! Never asks anything of the server: what it refuses is said where something is asked of it.

use std::path::{Path, PathBuf};

use kube::config::{AuthInfo, InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

#[cfg(test)]
mod tests;

/// Which cluster is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// This kubeconfig alone; `None`: the files of `KUBECONFIG`, else `~/.kube/config`, else from inside the cluster.
    pub kubeconfig: Option<PathBuf>,
    /// A context of the kubeconfig; `None`: its current one.
    pub context: Option<String>,
    /// A namespace; `None`: the context's.
    pub namespace: Option<String>,
}

/// A client, and what it was made for.
#[derive(Clone)]
pub struct Connection {
    /// The client.
    pub client: Client,
    /// The namespace that was asked for, else the context's, else `default`.
    pub namespace: String,
    /// The API server's address.
    pub server: String,
    login: AuthInfo,
}

impl Connection {
    /// How this connection proves who we are.
    pub(crate) fn login(&self) -> AuthInfo {
        self.login.clone()
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("namespace", &self.namespace)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// Neither a kubeconfig nor a cluster around us.
    #[error(
        "no cluster is named: there is no kubeconfig, and this does not run inside a cluster; write --context NAME with KUBECONFIG set, or log in to the cluster first"
    )]
    NoCluster {
        /// Why this is not inside a cluster.
        #[source]
        source: InClusterError,
    },
    /// A kubeconfig that cannot be used.
    #[error("{place} cannot be used; correct it, or name another one with KUBECONFIG")]
    Kubeconfig {
        /// Which.
        place: String,
        /// Why.
        #[source]
        source: KubeconfigError,
    },
    /// A context that is not there.
    #[error("{place} has no context {context}; it has {known}")]
    NoContext {
        /// Which kubeconfig.
        place: String,
        /// Which context.
        context: String,
        /// The contexts that it has.
        known: String,
    },
    /// No context is meant.
    #[error("{place} has no current context; name one with --context: {known}")]
    NoCurrentContext {
        /// Which kubeconfig.
        place: String,
        /// The contexts that it has.
        known: String,
    },
    /// The client cannot be made.
    #[error("no client can be made for {server}; check the certificates and the login of this context")]
    Client {
        /// The API server.
        server: String,
        /// Why.
        #[source]
        source: Box<kube::Error>,
    },
}

/// Makes a client. Sends nothing, except what a login plugin of the kubeconfig sends.
pub async fn connect(asked: &Asked) -> Result<Connection, ConnectionError> {
    let config = match &asked.kubeconfig {
        Some(path) => {
            let place = path.display().to_string();
            let read = Kubeconfig::read_from(path)
                .map_err(|source| ConnectionError::Kubeconfig { place: place.clone(), source })?;
            chosen(read, asked, place).await?
        }
        None => match (kubeconfig_file(), &asked.context) {
            (Some(place), _) => {
                let read = Kubeconfig::read()
                    .map_err(|source| ConnectionError::Kubeconfig { place: place.clone(), source })?;
                chosen(read, asked, place).await?
            }
            (None, _) => Config::incluster().map_err(|source| ConnectionError::NoCluster { source })?,
        },
    };
    let server = config.cluster_url.to_string();
    let namespace = asked.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    let login = config.auth_info.clone();
    let client = Client::try_from(config)
        .map_err(|source| ConnectionError::Client { server: server.clone(), source: Box::new(source) })?;
    Ok(Connection { client, namespace, server, login })
}

async fn chosen(read: Kubeconfig, asked: &Asked, place: String) -> Result<Config, ConnectionError> {
    let mut names: Vec<&str> = read.contexts.iter().map(|context| context.name.as_str()).collect();
    names.sort_unstable();
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let current = read.current_context.as_deref().filter(|name| !name.is_empty());
    let Some(context) = asked.context.as_deref().or(current) else {
        return Err(ConnectionError::NoCurrentContext { place, known });
    };
    if !names.contains(&context) {
        return Err(ConnectionError::NoContext { place, context: context.to_owned(), known });
    }
    let options = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
    Config::from_custom_kubeconfig(read, &options)
        .await
        .map_err(|source| ConnectionError::Kubeconfig { place, source })
}

/// The kubeconfig that there is, by the rules of kubectl; `None` where there is none.
fn kubeconfig_file() -> Option<String> {
    let named = std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty());
    if let Some(named) = named {
        return Some(named.to_string_lossy().into_owned());
    }
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"))?;
    let path = Path::new(&home).join(".kube").join("config");
    path.is_file().then(|| path.display().to_string())
}
