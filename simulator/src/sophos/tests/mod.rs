//! Over real HTTP, section by section of the vendor's documents.

use std::sync::Arc;

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::switches::Switches;
use super::{Credentials, SophosPartner};
use crate::{Config, Running, Simulator};

mod accounts;
mod admins;
mod auth;
mod create;
mod licenses;
mod limits;
mod tenants;
mod ui;
mod variants;

/// A simulator with one partner and a client that is logged in.
struct Bench {
    running: Running,
    partner: Arc<SophosPartner>,
    http: Client,
    token: String,
}

impl Bench {
    async fn new() -> Self {
        let running = Simulator::start(Config::default()).await.expect("a free port");
        let partner = running.sophos("acme");
        let http = Client::new();
        let mut bench = Self { running, partner, http, token: String::new() };
        bench.login(&bench.partner.credentials()).await;
        bench
    }

    /// Changes switches by their JSON names.
    fn switch(&self, change: &Value) {
        self.partner.use_switches(Switches::default().overlay(change).expect("known switches"));
    }

    async fn token_for(&self, credentials: &Credentials) -> Response {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &credentials.client_id),
            ("client_secret", &credentials.client_secret),
            ("scope", "token"),
        ];
        self.http.post(self.url("/api/v2/oauth2/token")).form(&form).send().await.expect("an answer")
    }

    async fn login(&mut self, credentials: &Credentials) {
        let token: Value = self.token_for(credentials).await.json().await.expect("a token");
        self.token = token["access_token"].as_str().expect("a token").to_owned();
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.partner.url())
    }

    /// A request of the partner with its two headers.
    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = method.parse().expect("a method");
        self.http
            .request(method, self.url(path))
            .bearer_auth(&self.token)
            .header("X-Partner-ID", self.partner.partner_id().to_string())
    }

    /// Status and JSON body (null where there is none).
    async fn send(&self, request: RequestBuilder) -> (u16, Value) {
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let bytes = response.bytes().await.expect("a whole body");
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.send(self.request("GET", path)).await
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(self.request("POST", path).json(body)).await
    }

    async fn create(&self, body: &Value) -> (u16, Value) {
        self.post("/partner/v1/tenants", body).await
    }

    async fn licenses(&self, tenant: &str) -> (u16, Value) {
        let request = self.http.get(self.url("/licenses/v1/licenses")).bearer_auth(&self.token);
        self.send(request.header("X-Tenant-ID", tenant)).await
    }

    /// A tenant made over the wire; its id.
    async fn tenant(&self, name: &str, billing_type: &str) -> Uuid {
        let (status, made) = self.create(&body(name, billing_type)).await;
        assert_eq!(status, 201, "{made}");
        id_of(&made)
    }

    fn effects(&self, kind: &str) -> usize {
        self.running.log().effects("sophos/acme", kind).len()
    }
}

fn id_of(object: &Value) -> Uuid {
    object["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
}

/// The create body that the vendor's collection shows.
fn body(name: &str, billing_type: &str) -> Value {
    json!({
        "name": name, "dataGeography": "DE", "billingType": billing_type,
        "contact": {
            "firstName": "Anna", "lastName": "Muster", "email": "it@muster.example", "phone": "+49 30 1",
            "address": {"address1": "Weg 1", "city": "Berlin", "countryCode": "DE", "postalCode": "10115"},
        },
    })
}
