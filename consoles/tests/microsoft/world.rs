//! One simulated partner, the console connected to it, a ledger in memory, and a clock that moves when it is waited on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Span, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tenantry_consoles::microsoft::{PartnerCenter, connect_paged};
use tenantry_consoles::{
    Connection, Credentials, SecretSink, Secrets, SecretsError, Settings, SinkError, WriteSecrets,
};
use tenantry_crd::{AttestationSpec, ConsoleSpec, CustomerSpec, LicenseSpec, ProductSpec, RelationshipSpec};
use tenantry_engine::address::{Address, ConsoleName};
use tenantry_engine::console::{Console, Reading};
use tenantry_engine::declare::{Declarations, Declared, declare};
use tenantry_engine::execute::Report;
use tenantry_engine::ledger::Ledger;
use tenantry_engine::observe::identify;
use tenantry_engine::observed::Details;
use tenantry_engine::origin::{Origin, Scope};
use tenantry_engine::plan::{Approvals, Plan};
use tenantry_engine::run::{Job, Prepared, apply, look, prepare};
use tenantry_engine::runtime::{Clock, Ids, OneTimeSecret, Runtime, SealError, Sealer, Silent, Stop};
use tenantry_engine::store::{LedgerStore, LogEvent, OpenLedger, StoreError, Write};
use tenantry_simulator::{Config, Effect, Kind, LogFilter, Running, Simulator};

/// The simulated clock; waiting moves it.
struct SimTime(Arc<Running>);

#[async_trait]
impl Clock for SimTime {
    fn now(&self) -> Timestamp {
        self.0.clock().now()
    }

    async fn wait(&self, duration: SignedDuration) {
        let span = Span::new().milliseconds(i64::try_from(duration.as_millis()).expect("short waits"));
        self.0.clock().advance(span).expect("inside time");
        tokio::task::yield_now().await;
    }
}

#[derive(Default)]
struct Counter(Mutex<u64>);

impl Ids for Counter {
    fn uuid(&self) -> String {
        let mut n = self.0.lock().expect("a counter");
        *n += 1;
        format!("7e3c12b0-0000-4000-8000-{:012x}", *n)
    }
}

/// Keeps what it is handed.
#[derive(Default)]
pub struct Kept(pub Mutex<Vec<(String, String)>>);

impl Kept {
    pub fn all(&self) -> Vec<(String, String)> {
        self.0.lock().expect("a list").clone()
    }
}

#[async_trait]
impl Sealer for Kept {
    async fn seal(&self, address: &Address, secret: OneTimeSecret) -> Result<String, SealError> {
        self.0.lock().expect("a list").push((secret.label, secret.secret));
        Ok(format!("sealed/{address}"))
    }
}

#[async_trait]
impl SecretSink for Kept {
    async fn store(
        &self,
        console: &ConsoleName,
        which: &'static str,
        key: &'static str,
        value: &SecretString,
    ) -> Result<(), SinkError> {
        self.0
            .lock()
            .expect("a list")
            .push((format!("{console} {which} {key}"), value.expose_secret().to_owned()));
        Ok(())
    }
}

struct Memory;

#[async_trait]
impl LedgerStore for Memory {
    async fn commit(&self, expected: u64, _: Vec<Write>, _: LogEvent) -> Result<u64, StoreError> {
        Ok(expected + 1)
    }
}

struct Everything;

impl Scope for Everything {
    fn was_read(&self, _: &Origin, _: &Address) -> bool {
        true
    }
}

/// Counts how often a write credential is opened.
pub struct Opened {
    secrets: Secrets,
    pub times: Mutex<u32>,
}

#[async_trait]
impl WriteSecrets for Opened {
    async fn open(&self) -> Result<Secrets, SecretsError> {
        *self.times.lock().expect("a counter") += 1;
        Ok(self.secrets.clone())
    }
}

/// Tells nobody.
pub struct Quiet;

impl Reading for Quiet {
    fn page(&self, _: u32, _: usize, _: Option<u32>) {}
    fn detail(&self, _: usize) {}
}

/// What is declared beside the Console.
#[derive(Default)]
pub struct Objects {
    pub customers: Vec<(&'static str, Value)>,
    pub relationships: Vec<(&'static str, Value)>,
    pub licenses: Vec<(&'static str, Value)>,
    pub products: Vec<(&'static str, Value)>,
    pub attestations: Vec<(&'static str, Value)>,
}

impl Objects {
    pub fn customer(name: &'static str, spec: Value) -> Self {
        Self { customers: vec![(name, spec)], ..Self::default() }
    }
}

/// One partner's world.
pub struct World {
    pub sim: Arc<Running>,
    pub key: &'static str,
    pub spec: ConsoleSpec,
    pub runtime: Runtime,
    pub sealed: Arc<Kept>,
    pub stored: Arc<Kept>,
    pub settings: Settings,
    pub page: u16,
    pub read: Secrets,
    pub write: Arc<Opened>,
    pub approvals: Approvals,
    ledger: Option<Ledger>,
    console: Option<Arc<PartnerCenter>>,
}

impl World {
    /// A partner `acme`, direct bill unless the seed says otherwise; `seed` may hold other partners too.
    pub async fn open(partners: Value, key: &'static str, microsoft: Value) -> Self {
        let sim = Arc::new(Simulator::start(Config::default()).await.expect("a free port"));
        sim.seed(&json!({ "microsoft": partners })).expect("a good seed");
        let (tenant, id, secret, refresh) = sim.microsoft(key).look(|a, _| {
            (a.tenant_id.clone(), a.client_id.clone(), a.client_secret.clone(), a.first_refresh.clone())
        });
        let mut block = json!({"partner": "DirectBill", "tenantId": tenant});
        merge(&mut block, microsoft);
        let spec = json!({
            "microsoft": block,
            "ownDomains": ["msp.example"],
            "oneTimeSecrets": {"ageRecipients": ["age1example"]},
            "guards": {"maxRemovalPercent": 100},
            "pace": {"readsPerSecond": 1000, "writesPerSecond": 1000, "concurrency": 4},
        });
        let read = Secrets::new([
            ("clientId", id.as_str()),
            ("clientSecret", secret.as_str()),
            ("refreshToken", refresh.as_str()),
        ]);
        let (sealed, stored) = (Arc::new(Kept::default()), Arc::new(Kept::default()));
        let runtime = Runtime {
            clock: Arc::new(SimTime(sim.clone())),
            ids: Arc::new(Counter::default()),
            stop: Stop::default(),
            progress: Arc::new(Silent),
            sealer: sealed.clone(),
        };
        Self {
            key,
            spec: serde_json::from_value(spec).expect("a good Console"),
            runtime,
            sealed,
            settings: Settings { sink: Some(stored.clone()), ..Settings::default() },
            stored,
            page: 500,
            write: Arc::new(Opened { secrets: read.clone(), times: Mutex::new(0) }),
            read,
            approvals: Approvals { first_run: true, ..Approvals::default() },
            ledger: None,
            console: None,
            sim,
        }
    }

    /// A direct bill partner.
    pub async fn direct(seed: Value) -> Self {
        Self::open(json!({ "acme": seed }), "acme", json!({})).await
    }

    /// An indirect reseller whose customers its provider bills.
    pub async fn reseller(calls: &str) -> Self {
        let partners = json!({
            "acme": {"position": "indirect-reseller", "mpnId": "4711", "switches": {"resellerCalls": calls}},
            "distro": {
                "position": "indirect-provider",
                "tenantId": DISTRO,
                "customers": [{"companyName": "Contoso GmbH", "domain": "contoso.example", "tenantId": CONTOSO, "reseller": "acme"}],
            },
        });
        let block =
            json!({"partner": "IndirectReseller", "providers": [{"name": "distro", "tenantId": DISTRO}]});
        Self::open(partners, "acme", block).await
    }

    /// Another credential for writing.
    pub fn write_with(&mut self, secrets: Secrets) {
        self.write = Arc::new(Opened { secrets, times: Mutex::new(0) });
        self.console = None;
    }

    /// The next run is another process: it connects anew, with the refresh token that was stored last.
    pub fn restart(&mut self) {
        self.console = None;
        let Some((_, token)) = self.stored.all().pop() else { return };
        let (id, secret) =
            self.sim.microsoft(self.key).look(|a, _| (a.client_id.clone(), a.client_secret.clone()));
        self.read = Secrets::new([("clientId", id), ("clientSecret", secret), ("refreshToken", token)]);
    }

    /// Without the refresh token: the application alone.
    pub fn app_only(&self) -> Secrets {
        let (id, secret) =
            self.sim.microsoft(self.key).look(|a, _| (a.client_id.clone(), a.client_secret.clone()));
        Secrets::new([("clientId", id), ("clientSecret", secret)])
    }

    /// The partner as the log names it.
    pub fn partner(&self) -> String {
        format!("microsoft/{}", self.key)
    }

    pub fn tenant(&self) -> String {
        self.sim.microsoft(self.key).look(|a, _| a.tenant_id.clone())
    }

    /// A fresh connection, as a new process makes it.
    pub fn console(&self) -> PartnerCenter {
        let name = ConsoleName::new("microsoft");
        let connection = Connection {
            spec: &self.spec,
            name: &name,
            credentials: Credentials { read: self.read.clone(), write: Some(self.write.clone()) },
            endpoint: Some(self.sim.partner_url("microsoft", self.key).parse().expect("a URL")),
            runtime: &self.runtime,
            settings: &self.settings,
        };
        connect_paged(&connection, self.page).expect("a connection")
    }

    /// Plans, and applies where asked; ledger and connection go from run to run, as in the controller.
    async fn run(&mut self, objects: &Objects, acts: bool) -> (Prepared, Option<Report>) {
        let console = self.console.take().unwrap_or_else(|| Arc::new(self.console()));
        self.console = Some(console.clone());
        let console: &PartnerCenter = &console;
        let identity = identify(console, &self.runtime).await.expect("identity");
        let ledger = self
            .ledger
            .take()
            .unwrap_or_else(|| Ledger::new(identity.vendor_account.clone(), "lineage".into()));
        let labels = BTreeMap::new();
        let customers: Vec<(&str, CustomerSpec)> =
            typed(&objects.customers, CustomerSpec::fill_account_names);
        let relationships: Vec<(&str, RelationshipSpec)> = typed(&objects.relationships, |_| {});
        let licenses: Vec<(&str, LicenseSpec)> = typed(&objects.licenses, |_| {});
        let products: Vec<(&str, ProductSpec)> = typed(&objects.products, |_| {});
        let attestations: Vec<(&str, AttestationSpec)> = typed(&objects.attestations, |_| {});
        let declarations = Declarations {
            consoles: vec![declared(("microsoft", &self.spec), &labels)],
            customers: customers.iter().map(|(name, spec)| declared((name, spec), &labels)).collect(),
            relationships: relationships.iter().map(|(name, spec)| declared((name, spec), &labels)).collect(),
            licenses: licenses.iter().map(|(name, spec)| declared((name, spec), &labels)).collect(),
            products: products.iter().map(|(name, spec)| declared((name, spec), &labels)).collect(),
            attestations: attestations.iter().map(|(name, spec)| declared((name, spec), &labels)).collect(),
            ..Declarations::default()
        };
        let declaration = declare(&declarations, &Everything);
        assert_eq!(declaration.findings, [], "what is declared makes sense");
        let desired = declaration.consoles.values().next().expect("one console");
        let cache = Details::new();
        let job = Job {
            console,
            identity: &identity,
            desired,
            approvals: &self.approvals,
            runtime: &self.runtime,
            cache: &cache,
            settings: tenantry_engine::observe::Settings { read_budget: 1000 },
            request_timeout: SignedDuration::from_secs(60),
            run: "test",
            before: None,
        };
        let store = Memory;
        if !acts {
            let prepared = look(&job, &ledger).await.expect("a plan");
            self.ledger = Some(ledger);
            return (prepared, None);
        }
        let mut open = OpenLedger::new(ledger, &store);
        let mut prepared = prepare(&job, &mut open).await.expect("a plan");
        let report = apply(&job, &mut open, &mut prepared).await.expect("a report");
        self.ledger = Some(open.into_ledger());
        (prepared, Some(report))
    }

    pub async fn plan(&mut self, objects: &Objects) -> Plan {
        self.run(objects, false).await.0.planned.plan
    }

    pub async fn apply(&mut self, objects: &Objects) -> Report {
        self.run(objects, true).await.1.expect("it acted")
    }

    pub fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().expect("something ran")
    }

    pub fn advance(&self, span: Span) {
        self.sim.clock().advance(span).expect("inside time");
    }

    /// Effects of a kind at our partner.
    pub fn effects(&self, kind: &str) -> Vec<Effect> {
        self.sim.log().effects(&self.partner(), kind)
    }

    /// How many requests of a kind arrived at our partner since a mark.
    pub fn count(&self, kind: Kind, since: u64) -> usize {
        let partner = self.partner();
        let filter = LogFilter { partner: Some(&partner), since, kind: Some(kind), ..LogFilter::default() };
        self.sim.log().count(&filter)
    }

    /// `METHOD path` of every request since a mark.
    pub fn requests(&self, since: u64) -> Vec<String> {
        let partner = self.partner();
        let filter = LogFilter { partner: Some(&partner), since, ..LogFilter::default() };
        self.sim.log().entries(&filter).into_iter().map(|e| format!("{} {}", e.method, e.path)).collect()
    }
}

fn typed<T: serde::de::DeserializeOwned>(
    objects: &[(&'static str, Value)],
    fill: impl Fn(&mut T),
) -> Vec<(&'static str, T)> {
    objects
        .iter()
        .map(|(name, spec)| {
            let mut spec: T = serde_json::from_value(spec.clone()).expect("a good object");
            fill(&mut spec);
            (*name, spec)
        })
        .collect()
}

fn declared<'a, S>(
    (name, spec): (&'a str, impl Into<S>),
    labels: &'a BTreeMap<String, String>,
) -> Declared<'a, S> {
    let (origin, spec) = (Origin::file(format!("{name}.yaml"), 1, 1), spec.into());
    Declared { namespace: "default", name, labels, origin, spec }
}

/// Lays one object over another.
pub fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

pub const CONTOSO: &str = "11111111-2222-4333-8444-555555555555";
pub const DISTRO: &str = "99999999-2222-4333-8444-555555555555";

/// A customer that can be created, with changes laid over it.
pub fn nordwind(over: Value) -> Value {
    let mut spec = json!({
        "company": {
            "legalName": "Nordwind GmbH",
            "domains": ["nordwind.example"],
            "address": {"line1": "Hauptstraße 5", "city": "Köln", "postalCode": "50667", "country": "DE"},
        },
        "contacts": [{
            "roles": ["Admin", "Billing"], "firstName": "Anna", "lastName": "Müller",
            "email": "anna@nordwind.example", "phone": "+49 221 123456", "language": "de",
        }],
        "accounts": [{
            "consoleRef": {"name": "microsoft"}, "onboarding": "Create",
            "microsoft": {"domain": "nordwind.onmicrosoft.com"},
        }],
    });
    merge(&mut spec, over);
    spec
}

/// A customer that exists, bound by its id.
pub fn contoso(over: Value) -> Value {
    let mut spec = json!({
        "company": {"legalName": "Contoso GmbH"},
        "accounts": [{"consoleRef": {"name": "microsoft"}, "id": CONTOSO}],
    });
    merge(&mut spec, over);
    spec
}

/// A direct bill partner's seed with Contoso as its customer, with changes laid over the customer.
pub fn with_contoso(over: Value) -> Value {
    let mut customer =
        json!({"companyName": "Contoso GmbH", "domain": "contoso.example", "tenantId": CONTOSO});
    merge(&mut customer, over);
    json!({ "customers": [customer] })
}

/// Consents given on the command line for an account.
pub fn consents(codes: &[&str], name: &str) -> BTreeSet<(String, Address)> {
    codes.iter().map(|code| ((*code).to_owned(), Address::account("default", name, "microsoft"))).collect()
}

/// Codes of a plan's findings.
pub fn codes(plan: &Plan) -> Vec<&'static str> {
    plan.findings.iter().map(|finding| finding.code.as_str()).collect()
}

/// Signs in, so that a test's console knows who it is.
pub async fn identified(world: &World) -> PartnerCenter {
    let console = world.console();
    console.identify().await.expect("identity");
    console
}
