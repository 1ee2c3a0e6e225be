//! TLS for clients that speak nothing else: a certificate and its key, both PEM.
//!
//! Never makes a certificate, and never prints a key.

use std::fmt;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Who the simulator is to a TLS client.
#[derive(Clone)]
pub struct Identity {
    /// The certificate, then those of its issuers; PEM.
    pub certificate: String,
    /// Its private key; PEM.
    pub key: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// What serves as this identity, or why nothing can.
pub(crate) fn acceptor(identity: &Identity) -> Result<TlsAcceptor, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(identity.certificate.as_bytes()).collect();
    let chain = chain.map_err(|error| format!("the certificate is none ({error})"))?;
    let key =
        PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).map_err(|_| "the key is none".to_owned())?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| format!("they do not belong together ({error})"))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
