//! Connecting a Console: its Secrets, its endpoint, who we are there, and whether it is ours to act for.
//!
//! Connected anew when its declaration or its credential changes, and after a vendor refused the credential. Opens the
//! write credential only when the engine writes.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use kube::Api;
use serde_json::json;
use tenantry_cluster::ledger::ClusterLedger;
use tenantry_consoles::{ConnectError, Credentials, WriteSecrets};
use tenantry_crd as crd;
use tenantry_engine::address::VendorAccount;
use tenantry_engine::console::{Console, ConsoleError};
use tenantry_engine::leads::{Directory, Listed};
use tenantry_engine::ledger::{Header, Ledger};
use tenantry_engine::observed::Identity;
use tenantry_engine::runtime::{Runtime, Silent};
use tenantry_engine::store::{LogEvent, OpenLedger, StoreError, Write};

use super::{Book, Worker};
use crate::clock::RandomIds;
use crate::credentials::{IntoSecrets, Known, Named, Rotated, SecretError};
use crate::desk::Place;
use crate::durable::{Durable, ReadOnly};
use crate::endpoints::{self, Refused};
use crate::log::{Level, chain, say};
use crate::status::view::{State, Who};

/// A connected Console.
#[derive(Clone)]
pub(super) struct Link {
    pub console: Arc<dyn Console>,
    pub identity: Identity,
    pub runtime: Runtime,
    /// `metadata.generation` that it was connected with.
    generation: i64,
    /// When the Console was made.
    made: Timestamp,
    secret: Named,
    known: Arc<Mutex<Known>>,
}

/// Why a Console is not reconciled now, for its condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub state: State,
    pub words: String,
}

impl Problem {
    fn new(state: State, words: impl Into<String>) -> Self {
        Self { state, words: words.into() }
    }
}

impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        Self::new(State::Awaiting(Who::Operator), error.to_string())
    }
}

impl From<Refused> for Problem {
    fn from(error: Refused) -> Self {
        Self::new(State::Stalled("EndpointRefused"), error.to_string())
    }
}

impl From<ConnectError> for Problem {
    fn from(error: ConnectError) -> Self {
        let state = match &error {
            ConnectError::MissingValues { .. } => State::Awaiting(Who::Operator),
            ConnectError::NotSupportedYet { .. } => State::Stalled("NotSupportedYet"),
            _ => State::Stalled("NotConnected"),
        };
        Self::new(state, chain(&error))
    }
}

impl From<ConsoleError> for Problem {
    fn from(error: ConsoleError) -> Self {
        let state = match &error {
            ConsoleError::Credential { .. } => State::Stalled("CredentialRefused"),
            ConsoleError::Refused { .. } => State::Stalled("Refused"),
            ConsoleError::Unreachable { .. } => State::Unknown("Unreachable"),
            ConsoleError::Stopped => State::Unknown("Interrupted"),
            _ => State::Stalled("Protocol"),
        };
        Self::new(state, chain(&error))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::new(State::Unknown("Ledger"), chain(&error))
    }
}

impl Worker {
    /// Makes sure that there is a connection with the present declaration. `again`: the Secret is read anew.
    pub(super) async fn connect(
        &mut self,
        spec: &crd::ConsoleSpec,
        generation: i64,
        again: bool,
    ) -> Result<(), Problem> {
        if let Some(link) = self.link.take()
            && link.generation == generation
        {
            let same = if again {
                let (_, now) = link.secret.read().await?;
                *link.known.lock().unwrap_or_else(PoisonError::into_inner) == now
            } else {
                true
            };
            if same {
                let named = self.book.as_ref().and_then(|book| book.ledger.header.console.as_deref());
                self.acts(&link, named)?;
                self.link = Some(link);
                return Ok(());
            }
        }
        let link = self.fresh(spec, generation).await?;
        let account = &link.identity.vendor_account;
        if self.book.as_ref().is_some_and(|book| book.ledger.header.vendor_account != *account) {
            self.given_up().await;
            self.list = None;
            self.cache.clear();
        }
        let named = ClusterLedger::console(&self.desk.client, &self.place.0, account).await?;
        self.not_anothers(account, named.as_deref())?;
        self.acts(&link, named.as_deref())?;
        self.link = Some(link);
        Ok(())
    }

    /// Whether this Console acts for the account, or another one does. `named`: by its ledger.
    fn acts(&self, link: &Link, named: Option<&str>) -> Result<(), Problem> {
        let account = &link.identity.vendor_account;
        let holds = named == Some(self.place.1.as_str());
        let claimed = self.desk.accounts.claim(account, link.made, (&self.place, &self.name), holds);
        claimed.map_err(|older| {
            let words =
                format!("{account} belongs to the older Console {older}, which acts; take one of them out");
            Problem::new(State::Stalled("SameAccount"), words)
        })
    }

    /// Whether no other Console of this namespace is named by the account's ledger and is still there for it. One that
    /// is not there counts no more; of one of which nobody knows which account it is, it is taken to be this one.
    fn not_anothers(&self, account: &VendorAccount, named: Option<&str>) -> Result<(), Problem> {
        let Some(other) = named.filter(|named| *named != self.place.1) else { return Ok(()) };
        let place: Place = (self.place.0.clone(), other.to_owned());
        let there = Directory::console(&self.desk.stores.population(), &place.0, &place.1) != Listed::Missing;
        if !there || self.desk.accounts.is_apart(&place, account) {
            return Ok(());
        }
        // Which account this one is matters to others all the same; its age does not.
        let _ = self.desk.accounts.claim(account, Timestamp::MAX, (&self.place, &self.name), false);
        let words = format!(
            "{account} belongs to the Console {other}, by whose declarations its ledger was written; take one of them out"
        );
        Err(Problem::new(State::Stalled("SameAccount"), words))
    }

    /// This Console is another account now: the ledger of the one before is nobody's. Where that cannot be written, the
    /// ledger names it still, and another Console waits until this one is known to be another account.
    async fn given_up(&mut self) {
        let Some(book) = self.book.take() else { return };
        if self.desk.rules.plan_only || book.ledger.header.console.as_deref() != Some(self.place.1.as_str()) {
            return;
        }
        let header = Header { console: None, ..book.ledger.header.clone() };
        let mut ledger = OpenLedger::new(book.ledger, &*book.store);
        let event = self.header_event("console-left");
        if let Err(error) = ledger.commit(vec![Write::Header(Box::new(header))], event).await {
            say(Level::Warn, "ledger", json!({"console": self.name.as_str(), "error": chain(&error)}));
        }
    }

    fn header_event(&self, what: &str) -> LogEvent {
        LogEvent {
            at: self.desk.times.now(),
            run: String::new(),
            what: what.to_owned(),
            address: None,
            words: self.place.1.clone(),
        }
    }

    /// Whether the read credential is another one than the console was connected with: then it is connected anew.
    pub(super) async fn rotated(&mut self) -> bool {
        let Some(link) = &self.link else { return false };
        let Ok((_, now)) = link.secret.read().await else { return false };
        let same = *link.known.lock().unwrap_or_else(PoisonError::into_inner) == now;
        if !same {
            self.link = None;
        }
        !same
    }

    async fn fresh(&self, spec: &crd::ConsoleSpec, generation: i64) -> Result<Link, Problem> {
        let desk = &self.desk;
        let (namespace, name) = (&self.place.0, &self.place.1);
        let credentials = spec.credentials.as_ref();
        let read = credentials.and_then(|credentials| credentials.read.as_ref()).ok_or_else(|| {
            let words = "the Console names no read credential; write spec.credentials.read.secretRef.name";
            Problem::new(State::Awaiting(Who::Operator), words)
        })?;
        let secret = Named::new(&desk.client, namespace, &read.secret_ref.name);
        let write = credentials
            .and_then(|credentials| credentials.write.as_ref())
            .map(|source| Named::new(&desk.client, namespace, &source.secret_ref.name));
        let (values, known) = secret.read().await?;
        let known = Arc::new(Mutex::new(known));
        let endpoint = endpoints::of(&desk.rules.endpoints, namespace, name);
        if let Some(endpoint) = endpoint {
            desk.rules.allowed.check(endpoint).await?;
        }
        // Limiters end with the wish to stop that they were made with: a worker's own, never another term's.
        let tenure = self.tenure.clone();
        let mut settings = tenantry_consoles::Settings {
            paces: Arc::clone(&self.paces),
            fence: Some(Arc::new(move || tenure.holds())),
            ..desk.http.clone()
        };
        settings.sink =
            Some(Arc::new(Rotated { read: secret.clone(), write: write.clone(), known: Arc::clone(&known) }));
        let runtime = Runtime {
            clock: desk.times.clock(),
            ids: Arc::new(RandomIds),
            stop: self.stop.clone(),
            progress: Arc::new(Silent),
            sealer: Arc::new(IntoSecrets {
                client: desk.client.clone(),
                namespace: namespace.clone(),
                wanted: spec.one_time_secrets.clone(),
            }),
        };
        let write =
            write.filter(|_| !desk.rules.plan_only).map(|write| Arc::new(write) as Arc<dyn WriteSecrets>);
        let console = tenantry_consoles::connect(
            spec,
            &self.name,
            Credentials { read: values, write },
            endpoint.cloned(),
            &runtime,
            &settings,
        )?;
        let console: Arc<dyn Console> = Arc::from(console);
        let identity = tenantry_engine::observe::identify(&*console, &runtime).await?;
        let made = self.age().await?;
        Ok(Link { console, identity, runtime, generation, made, secret, known })
    }

    /// When the Console was made: the older of two on one account acts.
    async fn age(&self) -> Result<Timestamp, Problem> {
        let api: Api<crd::Console> = Api::namespaced(self.desk.client.clone(), &self.place.0);
        let object = api.get_metadata(&self.place.1).await.map_err(|error| {
            Problem::new(State::Unknown("NotRead"), format!("the Console cannot be read: {}", chain(&error)))
        })?;
        Ok(object.metadata.creation_timestamp.map_or(Timestamp::MAX, |time| time.0))
    }

    /// Closes the ledger where somebody else wrote it (the command, with the ledger of a cluster): it is read anew.
    pub(super) async fn reread(&mut self) {
        let Some(book) = &self.book else { return };
        let header = &book.ledger.header;
        let stored = ClusterLedger::serial(&self.desk.client, &self.place.0, &header.vendor_account).await;
        // An API server that gives no answer now says so when something is written; planning alone makes no ledger.
        let other = match stored {
            Ok(Some(serial)) => serial != header.serial,
            Ok(None) => !self.desk.rules.plan_only,
            Err(_) => false,
        };
        if other {
            self.book = None;
        }
    }

    /// Makes sure that the ledger is open. It is read from the API server, never from a cache.
    pub(super) async fn open_book(&mut self) -> Result<(), Problem> {
        let Some(link) = &self.link else { return Ok(()) };
        if self.book.is_some() {
            return Ok(());
        }
        let account = &link.identity.vendor_account;
        if self.desk.rules.plan_only {
            let read = ClusterLedger::read(&self.desk.client, &self.place.0, account).await?;
            let ledger = read.unwrap_or_else(|| Ledger::new(account.clone(), link.runtime.ids.uuid()));
            self.not_anothers(account, ledger.header.console.as_deref())?;
            self.book = Some(Book { ledger, store: Box::new(ReadOnly) });
            return Ok(());
        }
        let lineage = || link.runtime.ids.uuid();
        let opened = ClusterLedger::open(&self.desk.client, &self.place.0, account, lineage).await?;
        let (ledger, store) = opened;
        let named = ledger.header.console.as_deref();
        self.not_anothers(account, named)?;
        let first = named != Some(self.place.1.as_str());
        let (tenure, desk, place) = (self.tenure.clone(), Arc::clone(&self.desk), self.place.clone());
        let store = store.fenced(self.tenure.generation, Arc::new(move || tenure.holds())).heard_by(
            Arc::new(move |events| desk.events.hear(&desk.stores.population(), Some(&place), events)),
        );
        let store = Box::new(Durable::new(store, Arc::clone(&self.desk.metrics)));
        let mut ledger = OpenLedger::new(ledger, &*store);
        if first {
            let console = Some(self.place.1.as_str().into());
            let header = Header { console, ..ledger.ledger().header.clone() };
            ledger.commit(vec![Write::Header(Box::new(header))], self.header_event("console-acts")).await?;
        }
        let ledger = ledger.into_ledger();
        self.book = Some(Book { ledger, store });
        Ok(())
    }
}
