//! The simulated partner `acme`, its credentials, and one declared customer.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tenantry_consoles::sophos::connect_paged;
use tenantry_consoles::{Connection, Credentials, Secrets, connect};
use tenantry_crd::{ConsoleSpec, CustomerSpec, LicenseSpec, ProductSpec};
use tenantry_engine::address::{Address, ConsoleName};
use tenantry_engine::capability::OperationClass;
use tenantry_engine::console::Console;
use tenantry_engine::declare::{Declarations, Declared, declare};
use tenantry_engine::ledger::Ledger;
use tenantry_engine::observed::{Census, DetailKey, Details, Facet};
use tenantry_engine::operation::Draft;
use tenantry_engine::origin::{Origin, Scope};
use tenantry_engine::plan::{Approvals, Patience, Planned, PlanningInput, plan};
use tenantry_simulator::SwitchInfo;
use tenantry_simulator::sophos::switches::Switches;
use url::Url;

use crate::contract::{Bench, Vendor};

pub const PARTNER: &str = "sophos/acme";

/// The vendor under contract.
pub struct Sophos;

/// A Console of this contract, as fast as it may be.
pub fn console_spec(sophos: &Value) -> ConsoleSpec {
    serde_json::from_value(json!({
        "sophos": sophos,
        "naming": "Display",
        "pace": {"readsPerSecond": 1000, "writesPerSecond": 1000, "concurrency": 4},
    }))
    .expect("a Console")
}

pub fn flex() -> ConsoleSpec {
    console_spec(&json!({"program": "MspFlex"}))
}

pub fn secrets(bench: &Bench) -> Secrets {
    let own = bench.running.sophos("acme").credentials();
    Secrets::new([("clientId", own.client_id), ("clientSecret", own.client_secret)])
}

pub fn connected(
    bench: &Bench,
    spec: &ConsoleSpec,
    credentials: Credentials,
    at: Option<Url>,
) -> Box<dyn Console> {
    let own = Url::parse(&bench.running.sophos("acme").url()).expect("a URL");
    let name = ConsoleName::new("sophos");
    connect(spec, &name, credentials, Some(at.unwrap_or(own)), &bench.runtime, &bench.settings)
        .expect("it connects")
}

/// Tenants a page under contract: so few that every list has several pages.
const CONTRACT_PAGE: usize = 2;

/// Connected with pages of this size.
pub fn paged(bench: &Bench, credentials: Credentials, at: Option<Url>, page: usize) -> Box<dyn Console> {
    let own = || Url::parse(&bench.running.sophos("acme").url()).expect("a URL");
    let connection = Connection {
        spec: &flex(),
        name: &ConsoleName::new("sophos"),
        credentials,
        endpoint: Some(at.unwrap_or_else(own)),
        runtime: &bench.runtime,
        settings: &bench.settings,
    };
    connect_paged(&connection, page).expect("it connects")
}

/// Connected as an ordinary Console is: with the vendor's largest pages.
pub fn whole(bench: &Bench) -> Box<dyn Console> {
    connected(bench, &flex(), both(bench), None)
}

pub fn both(bench: &Bench) -> Credentials {
    Credentials { read: secrets(bench), write: Some(Arc::new(secrets(bench))) }
}

/// A create request as the vendor's collection shows it.
pub fn create_draft(name: &str, billing: &str) -> Draft {
    Draft {
        name: "create-tenant",
        unsafe_request: true,
        class: OperationClass::Blind,
        body: json!({
            "name": name, "showAs": name, "dataGeography": "DE", "billingType": billing,
            "contact": {"firstName": "Anna", "lastName": "Muster", "email": "it@muster.example",
                "phone": "+49 30 123456",
                "address": {"address1": "Weg 1", "city": "Berlin", "countryCode": "DE", "postalCode": "10115"}},
        }),
    }
}

impl Vendor for Sophos {
    fn partner(&self) -> &'static str {
        PARTNER
    }

    fn list(&self) -> &'static str {
        "/partner/v1/tenants"
    }

    fn detail(&self) -> &'static str {
        "/licenses/v1/licenses"
    }

    fn create(&self) -> (&'static str, &'static str, &'static str) {
        ("POST", "/partner/v1/tenants", "tenant-created")
    }

    fn seed(&self, bench: &Bench, customers: usize, hostile: usize) {
        bench.running.sophos("acme").generate(customers, 7, hostile);
    }

    fn pages(&self, customers: usize) -> u32 {
        u32::try_from(customers.div_ceil(CONTRACT_PAGE).max(1)).expect("few")
    }

    fn connect(&self, bench: &Bench, endpoint: Option<Url>) -> Box<dyn Console> {
        paged(bench, both(bench), endpoint, CONTRACT_PAGE)
    }

    fn connect_to_read(&self, bench: &Bench) -> Box<dyn Console> {
        paged(bench, Credentials { read: secrets(bench), write: None }, None, CONTRACT_PAGE)
    }

    fn connect_with_wrong_write_secret(&self, bench: &Bench) -> Box<dyn Console> {
        let own = bench.running.sophos("acme").credentials();
        let wrong =
            Secrets::new([("clientId", own.client_id.as_str()), ("clientSecret", "wrong-secret-text")]);
        let credentials = Credentials { read: secrets(bench), write: Some(Arc::new(wrong)) };
        paged(bench, credentials, None, CONTRACT_PAGE)
    }

    fn secrets(&self, bench: &Bench) -> Vec<String> {
        vec![bench.running.sophos("acme").credentials().client_secret, "wrong-secret-text".to_owned()]
    }

    fn draft(&self) -> Draft {
        create_draft("Muster AG", "trial")
    }

    fn details(&self, census: &Census) -> Vec<DetailKey> {
        census
            .records()
            .iter()
            .map(|record| DetailKey { id: record.id.clone(), facet: Facet::Licenses })
            .collect()
    }

    fn switches(&self) -> &'static [SwitchInfo] {
        Switches::TABLE
    }

    fn current_switches(&self, bench: &Bench) -> Value {
        serde_json::to_value(bench.running.sophos("acme").current_switches()).expect("plain data")
    }

    fn console(&self, _: &Bench) -> ConsoleSpec {
        flex()
    }

    fn customer(&self, number: usize) -> CustomerSpec {
        let own = format!("kunde{number}");
        let company = json!({"legalName": format!("Kunde {number} GmbH"), "displayName": format!("Kunde {number}"),
            "address": {"line1": format!("Weg {number}")}});
        let contacts = json!([{"roles": ["Admin"], "firstName": "Anna", "lastName": "Muster",
            "email": format!("it@{own}.example"), "phone": format!("+49 30 12345{number}")}]);
        customer(&json!({}), &json!({"company": company, "contacts": contacts}))
    }
}

/// A declared customer with one account; `account` and `customer` are laid over the usual one, `null` takes away.
pub fn customer(account: &Value, customer: &Value) -> CustomerSpec {
    let mut spec = json!({
        "company": {"legalName": "Muster Zahntechnik GmbH", "displayName": "Muster Zahntechnik",
            "address": {"line1": "Weg 1", "city": "Berlin", "postalCode": "10115", "country": "DE"}},
        "contacts": [
            {"roles": ["Billing"], "firstName": "Bo", "lastName": "Geld", "email": "geld@muster.example"},
            {"roles": ["Admin"], "firstName": "Anna", "lastName": "Muster", "email": "it@muster.example",
             "phone": "+49 30 123456"}],
        "accounts": [{"name": "sophos", "consoleRef": {"name": "sophos"}, "onboarding": "Create",
            "sophos": {"billing": "Trial", "dataGeography": "DE"}}],
    });
    lay(&mut spec["accounts"][0], account);
    lay(&mut spec, customer);
    serde_json::from_value(spec).expect("a Customer")
}

fn lay(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                if value.is_null() {
                    base.remove(key);
                } else {
                    lay(base.entry(key.clone()).or_insert(Value::Null), value);
                }
            }
        }
        (base, over) => *base = over.clone(),
    }
}

struct Everything;

impl Scope for Everything {
    fn was_read(&self, _: &Origin, _: &Address) -> bool {
        true
    }
}

/// What is declared in one run.
pub struct Wish {
    pub console: ConsoleSpec,
    pub customer: CustomerSpec,
    pub product: Option<ProductSpec>,
    pub license: Option<LicenseSpec>,
}

fn declared<'a, S>(
    name: &'a str,
    spec: impl Into<S>,
    labels: &'a BTreeMap<String, String>,
) -> Declared<'a, S> {
    let (origin, spec) = (Origin::file("muster.yaml", 1, 1), spec.into());
    Declared { namespace: "default", name, labels, origin, spec }
}

impl Wish {
    pub fn of(console: ConsoleSpec, customer: CustomerSpec) -> Self {
        Self { console, customer, product: None, license: None }
    }

    pub fn licensed(mut self, code: &str, license: &Value) -> Self {
        let product = json!({"consoleRef": {"name": "sophos"}, "sophos": {"code": code}});
        let mut spec = json!({"customerRef": {"name": "muster"}, "account": "sophos",
            "productRef": {"name": "product"}, "type": "Paid", "quantity": 10});
        lay(&mut spec, license);
        self.product = Some(serde_json::from_value(product).expect("a Product"));
        self.license = Some(serde_json::from_value(spec).expect("a License"));
        self
    }

    /// Observes everything and plans.
    pub async fn plan(&self, bench: &Bench, console: &dyn Console, ledger: &Ledger) -> Planned {
        let labels = BTreeMap::new();
        let all = Declarations {
            consoles: vec![declared("sophos", &self.console, &labels)],
            customers: vec![declared("muster", &self.customer, &labels)],
            products: self.product.iter().map(|spec| declared("product", spec, &labels)).collect(),
            licenses: self.license.iter().map(|spec| declared("endpoint", spec, &labels)).collect(),
            ..Declarations::default()
        };
        let declaration = declare(&all, &Everything);
        assert!(declaration.findings.is_empty(), "{:?}", declaration.findings);
        let desired = &declaration.consoles[&ConsoleName::new("sophos")];
        let identity = console.identify().await.expect("known");
        let settings = tenantry_engine::observe::Settings { read_budget: 1000 };
        let cache = Details::new();
        let (observed, _) = tenantry_engine::observe::observe(
            console,
            &identity,
            desired,
            ledger,
            &cache,
            &bench.runtime,
            settings,
        )
        .await
        .expect("observed");
        let seconds = jiff::SignedDuration::from_secs;
        plan(&PlanningInput {
            desired,
            observed: &observed,
            ledger,
            dialect: console.dialect(),
            approvals: &Approvals { first_run: true, ..Approvals::default() },
            now: bench.runtime.clock.now(),
            patience: Patience { request_timeout: seconds(60), settle: seconds(900) },
        })
    }
}
