//! Who acts: one holder of a Lease, which stops before another one can begin.
//!
//! Not kube-lease-manager 0.13: it fits kube 5, but renews and takes over with patches without a `resourceVersion`
//! precondition, tells neither when the last renewal left nor the number of transitions, and reports a loss only after
//! the Lease has expired. Here every write of the Lease is a compare-and-swap, and:
//!
//! - A renewal leaves every fifth of the duration. Counted from the moment at which the last successful one *left*,
//!   nothing is begun but while the Lease counts for as long as the longest write to a vendor may take, and never after
//!   two thirds of the duration ([`Tenure::holds`]). What was begun is over before anybody else can begin.
//! - Others take over once they have seen the Lease unchanged for its whole duration on their own clock: clocks of
//!   different machines are never compared.
//! - Both may fail: somebody deletes the Lease, a process stands still between its last look and its first byte. A
//!   request was journalled before it left, so the next holder finds it in doubt, looks for it and does not repeat it;
//!   ConsoleBindings are written by compare-and-swap.
//!
//! The number of transitions goes with the tenure, and onto what it writes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use serde_json::json;
use tokio::sync::watch;

use crate::log::{Level, say};

#[cfg(test)]
mod tests;

/// Which Lease, and as whom.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Who we are.
    pub identity: String,
    /// How long it counts, in whole seconds.
    pub duration: Duration,
    /// How long what was begun may go on: the longest write to a vendor.
    pub longest: Duration,
}

impl Terms {
    fn pause(&self) -> Duration {
        self.duration / 5
    }

    /// How long after a renewal something may be begun.
    fn work(&self) -> Duration {
        self.duration.saturating_sub(self.longest).min(self.duration * 2 / 3)
    }
}

/// The Lease is ours.
#[derive(Clone)]
pub struct Tenure {
    /// How often the Lease has changed hands.
    pub generation: i64,
    until: Arc<Mutex<Instant>>,
}

impl Tenure {
    /// Whether something may be begun.
    pub fn holds(&self) -> bool {
        Instant::now() < self.until()
    }

    fn until(&self) -> Instant {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn renewed(&self, until: Instant) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// It is over, whatever time was left: everybody who holds it begins nothing more.
    fn over(&self) {
        self.renewed(Instant::now());
    }
}

/// What somebody else's Lease looked like, and since when it has looked so.
struct Seen {
    version: String,
    since: Instant,
}

/// Tries to hold the Lease until dropped.
pub struct Elector {
    api: Api<Lease>,
    terms: Terms,
    tell: watch::Sender<Option<Tenure>>,
    /// The Lease as we last wrote it.
    own: Option<Lease>,
    seen: Option<Seen>,
}

impl Elector {
    /// An elector, and where it tells whether the Lease is ours.
    pub fn new(client: Client, terms: Terms) -> (Self, watch::Receiver<Option<Tenure>>) {
        let (tell, told) = watch::channel(None);
        let api = Api::namespaced(client, &terms.namespace);
        (Self { api, terms, tell, own: None, seen: None }, told)
    }

    /// Tries and renews until `end`; then gives the Lease back.
    ///
    /// `end` says whether everything that was begun is over. Where it is not, the Lease is left to run out.
    pub async fn run(mut self, end: impl Future<Output = bool>) {
        let mut end = std::pin::pin!(end);
        let over = loop {
            tokio::select! {
                over = &mut end => break over,
                () = self.round() => {}
            }
        };
        self.tell.send_replace(None);
        if over {
            self.release().await;
        } else {
            say(Level::Warn, "lease-not-released", json!({"lease": self.terms.name}));
        }
    }

    /// One try, and the pause after it. A tenure that cannot be renewed in time ends here.
    async fn round(&mut self) {
        let left = Instant::now();
        let limit = match &*self.tell.borrow() {
            Some(tenure) => tenure.until().saturating_duration_since(left).min(self.terms.pause()),
            None => self.terms.pause(),
        };
        let tried = tokio::time::timeout(limit.max(Duration::from_millis(50)), self.attempt()).await;
        let until = left + self.terms.work();
        match tried {
            Ok(Ok(Some(generation))) => self.won(generation, until),
            Ok(Ok(None)) => self.lost("another one holds it"),
            Ok(Err(error)) => self.unanswered(&error.to_string()),
            Err(_) => self.unanswered("no answer in time"),
        }
        let sleep = match &*self.tell.borrow() {
            Some(tenure) => tenure.until().saturating_duration_since(Instant::now()).min(self.terms.pause()),
            None => self.terms.pause().min(Duration::from_secs(2)),
        };
        tokio::time::sleep(sleep).await;
        let over = self.tell.borrow().as_ref().is_some_and(|tenure| !tenure.holds());
        if over {
            self.lost("it could not be renewed in time");
        }
    }

    fn won(&mut self, generation: i64, until: Instant) {
        let renewed = match &*self.tell.borrow() {
            Some(tenure) if tenure.generation == generation => {
                tenure.renewed(until);
                true
            }
            _ => false,
        };
        if !renewed {
            say(Level::Info, "lease-held", json!({"lease": self.terms.name, "generation": generation}));
            self.tell.send_replace(Some(Tenure { generation, until: Arc::new(Mutex::new(until)) }));
        }
    }

    fn lost(&mut self, because: &str) {
        if let Some(tenure) = self.tell.send_replace(None) {
            tenure.over();
            say(Level::Warn, "lease-lost", json!({"lease": self.terms.name, "because": because}));
        }
    }

    fn unanswered(&mut self, because: &str) {
        // Whether our write arrived is not known: what is there is read again.
        self.own = None;
        say(
            Level::Warn,
            "lease-unanswered",
            json!({"lease": self.terms.name, "because": tenantry_engine::text::terminal(because)}),
        );
    }

    /// Renews, takes, or sees who holds it; the generation where it is ours.
    async fn attempt(&mut self) -> Result<Option<i64>, kube::Error> {
        if let Some(own) = self.own.clone() {
            match self.write(own).await {
                Ok(generation) => return Ok(Some(generation)),
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => self.own = None,
                Err(error) => return Err(error),
            }
        }
        let Some(mut lease) = self.api.get_opt(&self.terms.name).await? else {
            let metadata = ObjectMeta { name: Some(self.terms.name.clone()), ..ObjectMeta::default() };
            return self.take(Lease { metadata, spec: None }, 0).await;
        };
        let spec = lease.spec.take().unwrap_or_default();
        let transitions = spec.lease_transitions.unwrap_or_default();
        let holder = spec.holder_identity.clone().unwrap_or_default();
        if holder == self.terms.identity {
            lease.spec = Some(spec);
            return match self.write(lease).await {
                Ok(generation) => Ok(Some(generation)),
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(None),
                Err(error) => Err(error),
            };
        }
        let version = lease.metadata.resource_version.clone().unwrap_or_default();
        let counts =
            Duration::from_secs(u64::try_from(spec.lease_duration_seconds.unwrap_or(0)).unwrap_or(0));
        let since = match &self.seen {
            Some(seen) if seen.version == version => seen.since,
            _ => {
                self.seen = Some(Seen { version, since: Instant::now() });
                Instant::now()
            }
        };
        if holder.is_empty() || since.elapsed() >= counts.max(self.terms.pause()) {
            return self.take(lease, transitions.saturating_add(1)).await;
        }
        Ok(None)
    }

    async fn take(&mut self, mut lease: Lease, transitions: i32) -> Result<Option<i64>, kube::Error> {
        lease.spec = Some(LeaseSpec {
            acquire_time: Some(MicroTime(Timestamp::now())),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        });
        match self.write(lease).await {
            Ok(generation) => Ok(Some(generation)),
            // Somebody else was faster.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the Lease as ours, under the version that it was read with.
    async fn write(&mut self, mut lease: Lease) -> Result<i64, kube::Error> {
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(self.terms.identity.clone());
        spec.lease_duration_seconds = i32::try_from(self.terms.duration.as_secs()).ok();
        spec.renew_time = Some(MicroTime(Timestamp::now()));
        let generation = i64::from(spec.lease_transitions.unwrap_or_default());
        let params =
            PostParams { field_manager: Some(crate::FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let written = if lease.metadata.resource_version.is_some() {
            self.api.replace(&self.terms.name, &params, &lease).await?
        } else {
            self.api.create(&params, &lease).await?
        };
        self.own = Some(written);
        self.seen = None;
        Ok(generation)
    }

    /// Gives it back, so that the next one need not wait.
    async fn release(&mut self) {
        let Some(mut lease) = self.own.take() else { return };
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = None;
        spec.renew_time = Some(MicroTime(Timestamp::now()));
        spec.lease_duration_seconds = Some(1);
        let params = PostParams::default();
        let replaced = self.api.replace(&self.terms.name, &params, &lease);
        match tokio::time::timeout(self.terms.pause(), replaced).await {
            Ok(Ok(_)) => say(Level::Info, "lease-released", json!({"lease": self.terms.name})),
            _ => say(Level::Warn, "lease-not-released", json!({"lease": self.terms.name})),
        }
    }
}
