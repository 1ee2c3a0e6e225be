//! The simulated partner `acme` of Partner Center, under the contract of every console.

use std::sync::Arc;

use serde_json::{Value, json};
use tenantry_consoles::microsoft::connect_paged;
use tenantry_consoles::{Connection, Credentials, Secrets};
use tenantry_crd::{ConsoleSpec, CustomerSpec};
use tenantry_engine::address::ConsoleName;
use tenantry_engine::capability::OperationClass;
use tenantry_engine::console::Console;
use tenantry_engine::observed::{Census, DetailKey, Facet};
use tenantry_engine::operation::Draft;
use tenantry_simulator::SwitchInfo;
use tenantry_simulator::microsoft::Switches;
use url::Url;

use crate::contract::{Bench, Vendor};
use crate::world::nordwind;

/// The vendor under contract: a direct bill partner, read by pages of two.
pub struct Microsoft;

const PAGE: u16 = 2;
const WRONG: &str = "wrong-secret-text";

fn secrets(bench: &Bench) -> Secrets {
    let (id, secret, first) = bench.running.microsoft("acme").look(|account, _| {
        (account.client_id.clone(), account.client_secret.clone(), account.first_refresh.clone())
    });
    let refresh = bench.kept.refresh_token().unwrap_or(first);
    Secrets::new([("clientId", id), ("clientSecret", secret), ("refreshToken", refresh)])
}

fn connected(bench: &Bench, credentials: Credentials, endpoint: Option<Url>) -> Box<dyn Console> {
    let own = || bench.running.partner_url("microsoft", "acme").parse().expect("a URL");
    let connection = Connection {
        spec: &Microsoft.console(bench),
        name: &ConsoleName::new("microsoft"),
        credentials,
        endpoint: Some(endpoint.unwrap_or_else(own)),
        runtime: &bench.runtime,
        settings: &bench.settings,
    };
    Box::new(connect_paged(&connection, PAGE).expect("it connects"))
}

impl Vendor for Microsoft {
    fn partner(&self) -> &'static str {
        "microsoft/acme"
    }

    fn list(&self) -> &'static str {
        "/v1/customers"
    }

    fn detail(&self) -> &'static str {
        "/v1/customers/*/subscriptions"
    }

    fn create(&self) -> (&'static str, &'static str, &'static str) {
        ("POST", "/v1/customers", "customer-created")
    }

    fn seed(&self, bench: &Bench, customers: usize, hostile: usize) {
        let bulk = json!({"count": customers + hostile, "hostileNames": hostile > 0});
        bench.running.seed(&json!({"microsoft": {"acme": {"bulk": bulk}}})).expect("a seed");
    }

    fn pages(&self, customers: usize) -> u32 {
        u32::try_from(customers.div_ceil(usize::from(PAGE)).max(1)).expect("few")
    }

    fn connect(&self, bench: &Bench, endpoint: Option<Url>) -> Box<dyn Console> {
        let both = Credentials { read: secrets(bench), write: Some(Arc::new(secrets(bench))) };
        connected(bench, both, endpoint)
    }

    fn connect_to_read(&self, bench: &Bench) -> Box<dyn Console> {
        connected(bench, Credentials { read: secrets(bench), write: None }, None)
    }

    fn connect_with_wrong_write_secret(&self, bench: &Bench) -> Box<dyn Console> {
        let id = bench.running.microsoft("acme").look(|account, _| account.client_id.clone());
        let wrong = Secrets::new([("clientId", id.as_str()), ("clientSecret", WRONG)]);
        connected(bench, Credentials { read: secrets(bench), write: Some(Arc::new(wrong)) }, None)
    }

    fn secrets(&self, bench: &Bench) -> Vec<String> {
        let (secret, refresh) = bench
            .running
            .microsoft("acme")
            .look(|account, _| (account.client_secret.clone(), account.first_refresh.clone()));
        vec![secret, refresh, WRONG.to_owned()]
    }

    fn draft(&self) -> Draft {
        Draft {
            name: "create-customer",
            unsafe_request: true,
            class: OperationClass::Keyed,
            body: json!({
                "enableGDAPByDefault": false,
                "companyProfile": {"domain": "muster.onmicrosoft.com"},
                "billingProfile": {
                    "culture": "de-DE", "email": "it@muster.example", "language": "de", "companyName": "Muster AG",
                    "defaultAddress": {"firstName": "Anna", "lastName": "Muster", "addressLine1": "Weg 1",
                        "city": "Berlin", "state": "", "postalCode": "10115", "country": "DE"},
                },
            }),
        }
    }

    fn details(&self, census: &Census) -> Vec<DetailKey> {
        let key =
            |id: &tenantry_engine::address::RemoteId| DetailKey { id: id.clone(), facet: Facet::Licenses };
        census.records().iter().map(|record| key(&record.id)).collect()
    }

    fn switches(&self) -> &'static [SwitchInfo] {
        Switches::TABLE
    }

    fn current_switches(&self, bench: &Bench) -> Value {
        let mut now = Switches::default();
        bench.running.microsoft("acme").switch(|switches| now = *switches);
        serde_json::to_value(now).expect("plain data")
    }

    fn console(&self, bench: &Bench) -> ConsoleSpec {
        let tenant = bench.running.microsoft("acme").look(|account, _| account.tenant_id.clone());
        let spec = json!({
            "microsoft": {"partner": "DirectBill", "tenantId": tenant},
            "oneTimeSecrets": {"ageRecipients": ["age1example"]},
            "pace": {"readsPerSecond": 1000, "writesPerSecond": 1000, "concurrency": 4},
        });
        serde_json::from_value(spec).expect("a Console")
    }

    fn customer(&self, number: usize) -> CustomerSpec {
        let own = format!("kunde{number}");
        let mut spec: CustomerSpec = serde_json::from_value(nordwind(json!({
            "company": {"legalName": format!("Kunde {number} GmbH"), "domains": [format!("{own}.example")]},
            "contacts": [{
                "roles": ["Admin", "Billing"], "firstName": "Anna", "lastName": "Müller",
                "email": format!("anna@{own}.example"), "phone": format!("+49 221 12345{number}"), "language": "de",
            }],
            "accounts": [{
                "consoleRef": {"name": "microsoft"}, "onboarding": "Create",
                "microsoft": {"domain": format!("{own}.onmicrosoft.com")},
            }],
        })))
        .expect("a Customer");
        spec.fill_account_names();
        spec
    }
}
