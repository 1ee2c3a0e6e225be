//! TLS for the plan server: rustls with aws-lc-rs, as everywhere here.
//!
//! The certificate is read again for new connections when its file changes, as cluster tools replace it in place. A
//! handshake that takes too long is given up and holds nobody else up.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// So many connections may wait to be served.
const WAITING: usize = 64;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {because}; --plan-certificate and --plan-key name PEM files that belong together")]
pub struct TlsError {
    file: String,
    because: String,
}

/// Where certificate and key are.
#[derive(Debug, Clone)]
pub struct Files {
    /// The certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
}

impl Files {
    fn changed(&self) -> Option<SystemTime> {
        std::fs::metadata(&self.certificate).and_then(|file| file.modified()).ok()
    }

    /// Reads them.
    pub fn read(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let error = |file: &PathBuf, because: String| TlsError { file: file.display().to_string(), because };
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|because| error(&self.certificate, because.to_string()))?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|because| error(&self.key, because.to_string()))?;
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|because| error(&self.certificate, because.to_string()))?;
        Ok(Arc::new(config))
    }
}

/// Accepts connections over TLS.
pub struct Tls {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl Tls {
    /// On this listener, with these files.
    pub fn new(listener: TcpListener, files: Files) -> Result<Self, TlsError> {
        let first = files.read()?;
        let address = listener.local_addr().map_err(|because| TlsError {
            file: files.certificate.display().to_string(),
            because: because.to_string(),
        })?;
        let (tell, ready) = mpsc::channel(WAITING);
        let current = Arc::new(Mutex::new((files.changed(), first)));
        tokio::spawn(async move {
            loop {
                let Ok((stream, from)) = listener.accept().await else {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                let config = present(&files, &current);
                let tell = tell.clone();
                if tell.is_closed() {
                    return;
                }
                tokio::spawn(async move {
                    let shaken = TlsAcceptor::from(config).accept(stream);
                    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, shaken).await {
                        let _ = tell.send((stream, from)).await;
                    }
                });
            }
        });
        Ok(Self { address, ready })
    }
}

type Current = Mutex<(Option<SystemTime>, Arc<ServerConfig>)>;

/// The certificate as it is now; the old one as long as the new one cannot be read.
fn present(files: &Files, current: &Current) -> Arc<ServerConfig> {
    let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
    let changed = files.changed();
    if changed != current.0
        && let Ok(config) = files.read()
    {
        *current = (changed, config);
    }
    Arc::clone(&current.1)
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}
