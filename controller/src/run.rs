//! The process from its start to its end: clients, stores, servers, the Lease, and one term after the other.
//!
//! Asked to end, it begins nothing new, lets requests that are on their way come back, writes down what they said,
//! publishes its Events, and gives the Lease back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kube::{Client, Config};
use serde_json::json;
use tenantry_cluster::stores::{Changes, Stores, Watched};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::clock::{ClockError, Times};
use crate::desk::{Accounts, Chance, Desk, Rules};
use crate::events::Events;
use crate::flags::Flags;
use crate::lease::{Elector, Tenure, Terms};
use crate::log::{Level, chain, say};
use crate::metrics::Metrics;
use crate::server::{self, Health, tls};
use crate::status::patch::Statuses;
use crate::term::Term;

/// Why the controller cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No API server is configured.
    #[error("no cluster is configured: run it in a pod with a ServiceAccount, or set KUBECONFIG")]
    NoCluster(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The clock.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// TLS of the plan server.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// An address is taken.
    #[error("cannot listen on {address}; give another one with {flag}")]
    Listen {
        /// Which.
        address: String,
        /// Which flag.
        flag: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// How long a read of the API server may take; watches are longer by themselves.
const CONNECT: Duration = Duration::from_secs(10);

/// A number between 0 and 1.
fn chance() -> Chance {
    Arc::new(|| {
        let bytes = uuid::Uuid::new_v4().into_bytes();
        f64::from(u16::from_be_bytes([bytes[0], bytes[1]])) / f64::from(u16::MAX)
    })
}

async fn listen(address: std::net::SocketAddr, flag: &'static str) -> Result<TcpListener, RunError> {
    TcpListener::bind(address).await.map_err(|source| RunError::Listen {
        address: address.to_string(),
        flag,
        source,
    })
}

/// Runs until asked to end.
pub async fn run(flags: Flags, asked_to_end: impl Future<Output = ()>) -> Result<(), RunError> {
    let mut config = Config::infer().await.map_err(|error| RunError::NoCluster(Box::new(error)))?;
    config.connect_timeout = Some(CONNECT);
    let own_namespace = config.default_namespace.clone();
    let client = Client::try_from(config).map_err(|error| RunError::NoCluster(Box::new(error)))?;
    let times = Times::new(flags.now_from.as_ref()).await?;
    let identity = flags.identity.clone().unwrap_or_else(|| {
        let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "tenantry-controller".to_owned());
        format!("{host}-{}", &uuid::Uuid::new_v4().simple().to_string()[..8])
    });
    let metrics = Arc::new(Metrics::default());
    let (events, publishing) = Events::start(client.clone(), identity.clone(), Arc::clone(&metrics));
    let watched = Watched {
        namespaces: (!flags.namespaces.is_empty()).then(|| flags.namespaces.iter().cloned().collect()),
        consoles: flags.console_selector.clone(),
    };
    let (stores, changes, watching) = Stores::start(client.clone(), watched);
    let http = tenantry_consoles::Settings {
        timeout: flags.request_timeout,
        write_timeout: flags.write_timeout,
        ..Default::default()
    };
    let desk = Arc::new(Desk {
        client: client.clone(),
        stores,
        times,
        http,
        rules: Rules {
            endpoints: flags.endpoints(),
            allowed: flags.allowed(),
            debounce: flags.debounce,
            jitter: f64::from(flags.jitter) / 100.0,
            plan_only: flags.plan_only,
        },
        chance: chance(),
        metrics,
        events,
        board: Default::default(),
        words: Default::default(),
        statuses: Statuses::new(client.clone()),
        accounts: Accounts::default(),
        holding: Default::default(),
        binding: Default::default(),
        shown: Default::default(),
    });
    let health = Arc::new(Health { desk: Arc::clone(&desk), ending: AtomicBool::new(false) });
    let (servers_end, _) = watch::channel(false);
    let servers = serve(&flags, &desk, &health, &servers_end).await?;
    let terms = Terms {
        namespace: flags.lease_namespace.clone().unwrap_or(own_namespace),
        name: flags.lease_name.clone(),
        identity: identity.clone(),
        duration: flags.lease_duration,
        longest: flags.write_timeout,
    };
    say(Level::Info, "started", json!({"identity": identity, "version": env!("CARGO_PKG_VERSION")}));
    let (elector, tenure) = Elector::new(client, terms);
    let (give_back, back) = oneshot::channel::<bool>();
    let electing = tokio::spawn(elector.run(async { back.await.unwrap_or(false) }));
    let over = lead(&desk, changes, tenure, asked_to_end, &health, flags.shutdown_timeout).await;
    // Only where all workers have ended may another replica begin at once.
    let _ = give_back.send(over);
    let _ = electing.await;
    watching.abort();
    servers_end.send_replace(true);
    for server in servers {
        let _ = server.await;
    }
    drop(health);
    drop(desk);
    if tokio::time::timeout(Duration::from_secs(3), publishing).await.is_err() {
        say(Level::Warn, "events-not-published", json!({}));
    }
    say(Level::Info, "ended", json!({}));
    Ok(())
}

/// One term after the other, until asked to end; whether everything that was begun is over.
async fn lead(
    desk: &Arc<Desk>,
    mut changes: Changes,
    mut tenure: watch::Receiver<Option<Tenure>>,
    asked_to_end: impl Future<Output = ()>,
    health: &Health,
    drain: Duration,
) -> bool {
    let (ends, mut ending) = watch::channel(false);
    let mut asked = std::pin::pin!(asked_to_end);
    let terms = async {
        let mut finished = true;
        loop {
            let held = tenure.borrow_and_update().clone();
            let Some(held) = held else {
                tokio::select! {
                    changed = tenure.changed() => if changed.is_err() { return finished },
                    _ = ending.changed() => return finished,
                }
                continue;
            };
            desk.metrics.leads(true);
            let generation = held.generation;
            let (mut lost, mut end) = (tenure.clone(), ending.clone());
            let over = async {
                loop {
                    tokio::select! {
                        changed = lost.changed() => if changed.is_err() { return },
                        _ = end.changed() => return,
                    }
                    let same = lost.borrow().as_ref().is_some_and(|now| now.generation == generation);
                    if !same {
                        return;
                    }
                }
            };
            finished = Term::new(Arc::clone(desk), held).run(&mut changes, over, drain).await;
            desk.metrics.leads(false);
            if *ending.borrow() {
                return finished;
            }
        }
    };
    let mut terms = std::pin::pin!(terms);
    tokio::select! {
        finished = &mut terms => return finished,
        () = &mut asked => {}
    }
    say(Level::Info, "ending", json!({}));
    health.ending.store(true, Ordering::Relaxed);
    ends.send_replace(true);
    terms.await
}

/// Starts the servers.
async fn serve(
    flags: &Flags,
    desk: &Arc<Desk>,
    health: &Arc<Health>,
    end: &watch::Sender<bool>,
) -> Result<Vec<tokio::task::JoinHandle<()>>, RunError> {
    let until = |mut end: watch::Receiver<bool>| async move {
        let _ = end.wait_for(|ended| *ended).await;
    };
    let told = |what: &'static str, listener: &TcpListener| {
        let address = listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
        say(Level::Info, "listening", json!({"what": what, "address": address}));
    };
    let failed = |error: std::io::Error| say(Level::Error, "server", json!({"error": chain(&error)}));
    let mut servers = Vec::new();
    let listener = listen(flags.health_address, "--health-address").await?;
    told("health", &listener);
    let (router, ending) = (server::health(Arc::clone(health)), until(end.subscribe()));
    servers.push(tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(ending).await;
        served.unwrap_or_else(failed);
    }));
    if let Some(address) = flags.plan_address {
        let listener = listen(address, "--plan-address").await?;
        told("plan", &listener);
        let (router, ending) = (server::plans::router(Arc::clone(desk)), until(end.subscribe()));
        let files = flags.plan_certificate.clone().zip(flags.plan_key.clone());
        if let Some((certificate, key)) = files {
            let listener = tls::Tls::new(listener, tls::Files { certificate, key })?;
            servers.push(tokio::spawn(async move {
                axum::serve(listener, router).with_graceful_shutdown(ending).await.unwrap_or_else(failed);
            }));
        } else {
            servers.push(tokio::spawn(async move {
                axum::serve(listener, router).with_graceful_shutdown(ending).await.unwrap_or_else(failed);
            }));
        }
    }
    Ok(servers)
}
