//! Partner Center and Graph over real HTTP: every test names the section of the Partner Center sheet (the
//! project's summary of Microsoft's documents) whose words it holds the simulator to.

use std::sync::Arc;

use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use tenantry_simulator::{Config, Effect, Running, Simulator};

mod audit;
mod auth;
mod billing;
mod checks;
mod create;
mod graph;
mod invitations;
mod list;
mod positions;
mod relationships;
mod subscriptions;
mod variants;
mod wire;

/// Partner Center's resource.
pub(crate) const API: &str = "https://api.partnercenter.microsoft.com";

/// One partner's client, as a program outside would be one.
pub(crate) struct Site {
    pub(crate) sim: Arc<Running>,
    http: reqwest::Client,
    key: String,
    user: String,
    app: String,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) raw: Vec<u8>,
    pub(crate) body: Value,
}

impl Answer {
    /// `status/code` of a refusal.
    pub(crate) fn refusal(&self) -> String {
        format!("{}/{}", self.status, self.body["code"])
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// A text member of the body.
    pub(crate) fn text(&self, pointer: &str) -> String {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

impl Site {
    /// A simulator with one partner, `acme`, seeded so.
    pub(crate) async fn open(seed: Value) -> Self {
        Self::world(json!({"acme": seed}), "acme").await
    }

    /// A simulator with several partners; the client is one of them.
    pub(crate) async fn world(partners: Value, key: &str) -> Self {
        let sim = Simulator::start(Config::default()).await.expect("a free port");
        sim.seed(&json!({"microsoft": partners})).expect("a good seed");
        Self::client(Arc::new(sim), key).await
    }

    /// Another partner's client in the same simulator.
    pub(crate) async fn at(&self, key: &str) -> Self {
        Self::client(self.sim.clone(), key).await
    }

    async fn client(sim: Arc<Running>, key: &str) -> Self {
        let mut site = Self {
            sim,
            http: reqwest::Client::new(),
            key: key.to_owned(),
            user: String::new(),
            app: String::new(),
        };
        site.sign_in().await;
        site
    }

    /// Fresh tokens.
    pub(crate) async fn sign_in(&mut self) {
        let refresh = self.sim.microsoft(&self.key).look(|a, _| a.first_refresh.clone());
        let user = self
            .token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh), ("resource", API)])
            .await;
        let app = self.token(&[("grant_type", "client_credentials"), ("resource", API)]).await;
        self.user = user.text("/access_token");
        self.app = app.text("/access_token");
    }

    /// Asks the v1 token endpoint, with the right client unless the form says otherwise.
    pub(crate) async fn token(&self, form: &[(&str, &str)]) -> Answer {
        let tenant = self.tenant();
        self.token_at(&format!("{tenant}/oauth2/token"), form).await
    }

    /// Asks a token endpoint, with the right client unless the form says otherwise.
    pub(crate) async fn token_at(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let (id, secret) =
            self.sim.microsoft(&self.key).look(|a, _| (a.client_id.clone(), a.client_secret.clone()));
        let mut form = form.to_vec();
        for (name, value) in [("client_id", id.as_str()), ("client_secret", secret.as_str())] {
            if !form.iter().any(|(n, _)| *n == name) {
                form.push((name, value));
            }
        }
        let url = format!("{}/{path}", self.base());
        read(self.http.post(url).form(&form)).await
    }

    pub(crate) fn base(&self) -> String {
        self.sim.partner_url("microsoft", &self.key)
    }

    pub(crate) fn tenant(&self) -> String {
        self.sim.microsoft(&self.key).look(|a, _| a.tenant_id.clone())
    }

    /// A call as application and user.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.call_as(Some(&self.user), method, path, body, headers).await
    }

    /// A call with any token.
    pub(crate) async fn call_as(
        &self,
        token: Option<&str>,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let method: Method = method.parse().expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.base()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        read(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None, &[]).await
    }

    /// A read by the application alone.
    pub(crate) async fn get_as_app(&self, path: &str) -> Answer {
        self.call_as(Some(&self.app), "GET", path, None, &[]).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call("PATCH", path, Some(body), &[]).await
    }

    /// A create with fresh ids in its headers.
    pub(crate) async fn create(&self, body: Value) -> Answer {
        self.create_once(body, &uuid::Uuid::new_v4().to_string()).await
    }

    /// A create with this request id.
    pub(crate) async fn create_once(&self, body: Value, request_id: &str) -> Answer {
        let correlation = uuid::Uuid::new_v4().to_string();
        let headers = [("MS-RequestId", request_id), ("MS-CorrelationId", correlation.as_str())];
        self.call("POST", "/v1/customers", Some(body), &headers).await
    }

    /// A create whose answer may be lost.
    pub(crate) async fn try_create(&self, body: &Value, request_id: &str) -> Option<u16> {
        let request =
            self.http.post(format!("{}/v1/customers", self.base())).bearer_auth(&self.user).json(body);
        let request = request.header("MS-RequestId", request_id).header("MS-CorrelationId", guid(90));
        request.send().await.ok().map(|r| r.status().as_u16())
    }

    /// A person's click.
    pub(crate) async fn click(&self, method: &str, path: &str, body: Value) -> Answer {
        let method: Method = method.parse().expect("a method");
        let url = format!("{}/_sim/microsoft/{}/{path}", self.sim.base_url(), self.key);
        read(self.http.request(method, url).json(&body)).await
    }

    /// A call to the simulator itself.
    pub(crate) async fn post_at_root(&self, path: &str, body: Value) -> Answer {
        read(self.http.post(format!("{}{path}", self.sim.base_url())).json(&body)).await
    }

    /// Sets switches, over HTTP as a person would.
    pub(crate) async fn switch(&self, change: Value) {
        let answer = self.click("POST", "switches", change).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// What was committed of this kind, by id.
    pub(crate) fn effects(&self, kind: &str) -> Vec<String> {
        let log = self.sim.log().effects(&format!("microsoft/{}", self.key), kind);
        log.into_iter().map(|Effect { id, .. }| id).collect()
    }

    /// Moves the clock.
    pub(crate) fn advance(&self, span: &str) {
        self.sim.clock().advance(span.parse().expect("a span")).expect("a clock that goes on");
    }

    /// The ids that the customer list shows, over all pages.
    pub(crate) async fn listed(&self) -> Vec<String> {
        let mut ids = Vec::new();
        let mut page = self.get("/v1/customers?size=500").await;
        loop {
            assert_eq!(page.status, 200, "{}", page.body);
            ids.extend(page.body["items"].as_array().expect("items").iter().map(|c| string(&c["id"])));
            if page.body["links"]["next"].is_null() {
                return ids;
            }
            let token = page.text("/links/next/headers/0/value");
            page = self
                .call("GET", "/v1/customers?seekOperation=Next", None, &[("MS-ContinuationToken", &token)])
                .await;
        }
    }
}

async fn read(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let raw = response.bytes().await.expect("a body").to_vec();
    // A mark or a stray character may stand before the body; clients strip it.
    let start = raw.iter().position(|b| b"{[".contains(b)).unwrap_or(0);
    let body = serde_json::from_slice(&raw[start..]).unwrap_or(Value::Null);
    Answer { status, headers, raw, body }
}

/// A JSON text as a text.
pub(crate) fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A body that creates a customer with this domain.
pub(crate) fn new_customer(domain: &str) -> Value {
    json!({
        "enableGDAPByDefault": false,
        "companyProfile": {"domain": domain},
        "billingProfile": {
            "culture": "en-US", "email": "buyer@fabrikam.example", "language": "en", "companyName": "Fabrikam",
            "defaultAddress": {
                "firstName": "Ada", "lastName": "Byron", "addressLine1": "1 Main St", "city": "Redmond",
                "state": "WA", "postalCode": "98052", "country": "US",
            },
        },
    })
}

/// Tenant ids that are easy to read in a failure.
pub(crate) fn guid(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

/// Every refusal in the catalogue is asserted somewhere in these tests.
#[test]
fn every_error_code_that_is_served_has_a_test() {
    let sources = [
        include_str!("audit.rs"),
        include_str!("auth.rs"),
        include_str!("billing.rs"),
        include_str!("checks.rs"),
        include_str!("create.rs"),
        include_str!("list.rs"),
        include_str!("positions.rs"),
        include_str!("relationships.rs"),
        include_str!("subscriptions.rs"),
        include_str!("variants.rs"),
        include_str!("wire.rs"),
    ]
    .concat();
    let missing: Vec<&str> = tenantry_simulator::microsoft::errors::ALL
        .iter()
        .filter(|(_, c)| !sources.contains(&format!("\"{}/{}\"", c.status, c.code)))
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(missing, [""; 0]);
}
