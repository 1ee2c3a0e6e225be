//! One partner's desk: the console, what is declared for it, and a ledger in memory, through the engine's own path.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Span};
use tenantry_crd::{ConsoleSpec, CustomerSpec};
use tenantry_engine::address::{Address, ConsoleName};
use tenantry_engine::console::Console;
use tenantry_engine::declare::{Declarations, Declared, declare};
use tenantry_engine::execute::Report;
use tenantry_engine::ledger::{Entry, Ledger};
use tenantry_engine::observe::identify;
use tenantry_engine::observed::Details;
use tenantry_engine::origin::{Origin, Scope};
use tenantry_engine::plan::{Approvals, Plan};
use tenantry_engine::run::{Job, apply, look, prepare};
use tenantry_engine::store::{LedgerStore, LogEvent, OpenLedger, StoreError, Write};
use tenantry_simulator::{Effect, Kind};

use super::{Bench, Case};

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

/// The desk.
pub struct Desk<'c> {
    case: &'c Case<'c>,
    pub bench: Bench,
    spec: ConsoleSpec,
    console: Option<Box<dyn Console>>,
    ledger: Option<Ledger>,
    approvals: Approvals,
}

impl<'c> Desk<'c> {
    /// With this many customers that nobody declared.
    pub async fn open(case: &'c Case<'c>, strangers: usize) -> Self {
        let bench = Bench::new().await;
        case.seed(&bench, strangers, 0);
        let spec = case.console(&bench);
        let approvals = Approvals { first_run: true, ..Approvals::default() };
        Self { case, bench, spec, console: None, ledger: None, approvals }
    }

    /// The next run is another process: what it knows is the ledger, and the credential as it was stored.
    pub fn restart(&mut self) {
        self.console = None;
    }

    pub async fn plan(&mut self, customers: &[usize]) -> Plan {
        self.run(customers, false).await.0
    }

    pub async fn apply(&mut self, customers: &[usize]) -> Report {
        self.run(customers, true).await.1.expect("it acted")
    }

    async fn run(&mut self, customers: &[usize], acts: bool) -> (Plan, Option<Report>) {
        let console = self.console.take().unwrap_or_else(|| self.case.connect(&self.bench, None));
        let identity = identify(&*console, &self.bench.runtime).await.expect("identity");
        let ledger = self
            .ledger
            .take()
            .unwrap_or_else(|| Ledger::new(identity.vendor_account.clone(), "lineage".into()));
        let labels = BTreeMap::new();
        let named: Vec<(String, CustomerSpec)> = customers
            .iter()
            .map(|number| (format!("customer-{number}"), self.case.customer(*number)))
            .collect();
        let name = self.name();
        let declarations = Declarations {
            consoles: vec![declared(name, &self.spec, &labels)],
            customers: named.iter().map(|(name, spec)| declared(name, spec, &labels)).collect(),
            ..Declarations::default()
        };
        let declaration = declare(&declarations, &Everything);
        assert_eq!(declaration.findings, [], "what is declared makes sense");
        let cache = Details::new();
        let job = Job {
            console: &*console,
            identity: &identity,
            desired: &declaration.consoles[&ConsoleName::new(name)],
            approvals: &self.approvals,
            runtime: &self.bench.runtime,
            cache: &cache,
            settings: tenantry_engine::observe::Settings { read_budget: 1000 },
            request_timeout: SignedDuration::from_secs(60),
            run: "test",
            before: None,
        };
        let (plan, report) = if acts {
            let mut open = OpenLedger::new(ledger, &Memory);
            let mut prepared = prepare(&job, &mut open).await.expect("a plan");
            let report = apply(&job, &mut open, &mut prepared).await.expect("a report");
            self.ledger = Some(open.into_ledger());
            (prepared.planned.plan, Some(report))
        } else {
            let prepared = look(&job, &ledger).await.expect("a plan");
            self.ledger = Some(ledger);
            (prepared.planned.plan, None)
        };
        self.console = Some(console);
        (plan, report)
    }

    fn name(&self) -> &'static str {
        self.case.partner().split_once('/').expect("vendor/key").0
    }

    pub fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().expect("something ran")
    }

    /// The entry of the one customer that is declared.
    pub fn entry(&self) -> &Entry {
        self.ledger().entries.values().next().expect("an entry")
    }

    /// Customers that were made at the vendor.
    pub fn made(&self) -> Vec<Effect> {
        self.bench.running.log().effects(self.case.partner(), self.case.create().2)
    }

    pub fn writes(&self) -> usize {
        self.bench.requests(Kind::Write)
    }

    pub fn advance(&self, span: Span) {
        self.bench.running.clock().advance(span).expect("time goes on");
    }
}

fn declared<'a, S>(
    name: &'a str,
    spec: impl Into<S>,
    labels: &'a BTreeMap<String, String>,
) -> Declared<'a, S> {
    let (origin, spec) = (Origin::file(format!("{name}.yaml"), 1, 1), spec.into());
    Declared { namespace: "default", name, labels, origin, spec }
}
