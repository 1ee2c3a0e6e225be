//! A simulator's life: it starts on a listener, opens partners, serves connections, stops.
//!
//! It listens where it is told, by default on the loopback interface only. Stopping closes every
//! connection, also those whose request a fault holds.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::clock::SimClock;
use crate::faults::Faults;
use crate::log::RequestLog;
use crate::mailbox::{Choice, Mailbox};
use crate::partner::{ClickRefused, Core, Partner};
use crate::tls::{self, Identity};
use crate::wire::{click, serve};
use crate::{control, lock, vendors};

/// How a simulator starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 asks for any free one.
    pub bind: SocketAddr,
    /// The URL that answers contain, if the world reaches the listener under another one.
    pub public_url: Option<String>,
    /// Serves TLS as this host; without it, plain HTTP.
    pub tls: Option<Identity>,
    /// Where the simulated clock starts.
    pub starts_at: Timestamp,
    /// Seed of ids and generated names.
    pub seed: u64,
}

impl Default for Config {
    /// A free port on 127.0.0.1, Monday 2026-01-12 08:00 UTC, seed 1.
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_url: None,
            tls: None,
            starts_at: Timestamp::from_second(1_768_204_800).expect("an instant in 2026"),
            seed: 1,
        }
    }
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("the simulator cannot listen on {address}; choose another address or port 0")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The certificate or its key is none.
    #[error("the simulator cannot serve TLS: {because}; give it a certificate and its key, both PEM")]
    Tls {
        /// Why, without the key.
        because: String,
    },
    /// The listener has no local address.
    #[error("the simulator's listener does not say where it listens")]
    Address(#[source] std::io::Error),
}

/// Starts simulators.
#[derive(Debug)]
pub struct Simulator;

impl Simulator {
    /// Listens as configured, on the present tokio runtime.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let address = config.bind;
        let listener =
            TcpListener::bind(address).await.map_err(|source| StartError::Bind { address, source })?;
        Self::start_on(listener, config)
    }

    /// Serves on a listener that somebody else made.
    #[allow(clippy::needless_pass_by_value, reason = "as `start` takes it")]
    pub fn start_on(listener: TcpListener, config: Config) -> Result<Running, StartError> {
        let address = listener.local_addr().map_err(StartError::Address)?;
        let acceptor = config.tls.as_ref().map(tls::acceptor).transpose();
        let acceptor = acceptor.map_err(|because| StartError::Tls { because })?;
        let base_url = format!("{}://{address}", if acceptor.is_some() { "https" } else { "http" });
        let core = Arc::new(Core::new(SimClock::starting_at(config.starts_at), config.seed));
        core.publish(config.public_url.as_deref().unwrap_or(&base_url));
        let shared = Arc::new(Shared { core, partners: Mutex::default() });
        let stop = watch::Sender::new(false);
        let task = tokio::spawn(accept(listener, acceptor, shared.clone(), stop.subscribe()));
        Ok(Running { base_url, shared, stop, task: Mutex::new(Some(task)) })
    }
}

/// A simulator that listens; dropping it stops it.
#[derive(Debug)]
pub struct Running {
    base_url: String,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Running {
    /// `http://127.0.0.1:PORT` (`https` where it serves TLS), without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The URL of one partner as answers spell it: `<public url>/<vendor>/<key>`.
    pub fn partner_url(&self, vendor: &str, key: &str) -> String {
        self.shared.core.public_url(vendor, key)
    }

    /// The simulated clock.
    pub fn clock(&self) -> &SimClock {
        self.shared.core.clock()
    }

    /// The request log.
    pub fn log(&self) -> &RequestLog {
        self.shared.core.log()
    }

    /// The faults in force.
    pub fn faults(&self) -> &Faults {
        self.shared.core.faults()
    }

    /// Everyone's mail.
    pub fn mailbox(&self) -> &Mailbox {
        self.shared.core.mailbox()
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Delivers a raw mail (RFC 5322) now; returns its number.
    pub fn send_mail(&self, eml: &str) -> u64 {
        self.mailbox().deliver_eml(eml, self.clock().now())
    }

    /// A person's click at a vendor's console, as `POST /_sim/<vendor>/<key>/<path>`; logged the same.
    pub fn click(
        &self,
        vendor: &str,
        key: &str,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<serde_json::Value, ClickRefused> {
        let none = || ClickRefused::at(path, "no-partner", &format!("no partner {vendor}/{key}"));
        let partner = self.shared.find(vendor, key).ok_or_else(none)?;
        click(&self.shared.core, &*partner, &format!("{vendor}/{key}"), path, body)
    }

    /// A customer follows the links of a mail: see `POST /_sim/mailbox/{id}/accept`.
    pub fn accept_mail(&self, id: u64, customer: Option<&str>) -> Result<String, String> {
        control::follow(&self.shared, id, customer, true)
    }

    /// A customer follows the links of a mail and declines.
    pub fn decline_mail(&self, id: u64, customer: Option<&str>) -> Result<String, String> {
        control::follow(&self.shared, id, customer, false)
    }

    /// A customer puts a mail aside for good.
    pub fn ignore_mail(&self, id: u64) {
        self.mailbox().choose(id, Choice::Ignored);
    }

    /// Makes records from a seed document: see `POST /_sim/seed`.
    pub fn seed(&self, document: &serde_json::Value) -> Result<(), String> {
        self.shared.seed(document)
    }

    /// A partner account with its type, opened if it is new. `None`: no such vendor, or another type.
    pub fn partner<T: Partner>(&self, vendor: &str, key: &str) -> Option<Arc<T>> {
        let partner: Arc<dyn std::any::Any + Send + Sync> = self.shared.open(vendor, key)?;
        partner.downcast().ok()
    }

    /// Stops listening, closes every connection and forgets everything.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let task = lock(&self.task).take();
        if let Some(task) = task {
            // A task that panicked has stopped too.
            let _ended = task.await;
        }
    }
}

pub(crate) struct Shared {
    pub(crate) core: Arc<Core>,
    partners: Mutex<BTreeMap<(String, String), Arc<dyn Partner>>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("core", &self.core).finish_non_exhaustive()
    }
}

impl Shared {
    /// The partner, if it was opened.
    pub(crate) fn find(&self, vendor: &str, key: &str) -> Option<Arc<dyn Partner>> {
        lock(&self.partners).get(&(vendor.to_owned(), key.to_owned())).cloned()
    }

    /// The partner, opened if the vendor is known.
    pub(crate) fn open(&self, vendor: &str, key: &str) -> Option<Arc<dyn Partner>> {
        let mut partners = lock(&self.partners);
        let at = (vendor.to_owned(), key.to_owned());
        if let Some(partner) = partners.get(&at) {
            return Some(partner.clone());
        }
        let partner = vendors::open(vendor, key, &self.core)?;
        partners.insert(at, partner.clone());
        Some(partner)
    }

    /// Closes the partners that are not among these.
    pub(crate) fn keep(&self, among: impl Fn(&(String, String)) -> bool) {
        lock(&self.partners).retain(|at, _| among(at));
    }

    /// All partners by vendor and key.
    pub(crate) fn all(&self) -> Vec<((String, String), Arc<dyn Partner>)> {
        lock(&self.partners).iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// `{"<vendor>": {"<key>": {…}}}`; a partner that is new is opened.
    pub(crate) fn seed(&self, document: &serde_json::Value) -> Result<(), String> {
        let vendors = document.as_object().ok_or("a seed is an object of vendors")?;
        for (vendor, keys) in vendors {
            let keys = keys.as_object().ok_or_else(|| format!("{vendor}: an object of partner keys"))?;
            for (key, content) in keys {
                let partner = self.open(vendor, key).ok_or_else(|| {
                    format!("{vendor}: not simulated; there are {}", vendors::NAMES.join(", "))
                })?;
                partner.seed(content).map_err(|e| format!("{vendor}/{key}: {e}"))?;
            }
        }
        Ok(())
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(connection(stream, acceptor.clone(), shared.clone(), stop.clone()));
                }
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are small and written at once.
    let _ = stream.set_nodelay(true);
    let ends = stop.clone();
    tokio::select! {
        _ = stop.changed() => {}
        () = async {
            match acceptor {
                None => requests(stream, &shared, &ends).await,
                // A handshake that fails is a client that does not trust the certificate: nothing was asked.
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        requests(stream, &shared, &ends).await;
                    }
                }
            }
        } => {}
    }
}

async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    shared: &Arc<Shared>,
    ends: &watch::Receiver<bool>,
) {
    let served = hyper::server::conn::http1::Builder::new().serve_connection(
        TokioIo::new(stream),
        service_fn(move |request| {
            let (shared, ends) = (shared.clone(), ends.clone());
            async move { serve(&shared, request, &ends).await }
        }),
    );
    // An error here is a client that went away, or a fault that closed the connection on purpose.
    let _ended = served.await;
}
