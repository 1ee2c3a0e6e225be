//! What the controller answers over HTTP: probes and metrics to everybody, plans and observations to whom may see them.
//!
//! Two listeners. `/healthz`, `/readyz` and `/metrics` name no customer. `/plan` and `/snapshot` are off unless given an
//! address; they take a bearer token, which the API server reviews, and answer whom it lets `get consoles/snapshot`
//! ([`access`]). Nothing here changes anything.

pub mod access;
pub mod plans;
pub mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::desk::Desk;

/// What probes are asked about.
pub struct Health {
    /// What all share.
    pub desk: Arc<Desk>,
    /// The process ends.
    pub ending: AtomicBool,
}

/// `/healthz`, `/readyz`, `/metrics`.
pub fn health(health: Arc<Health>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

/// Ready once every store has listed its objects, whoever holds the Lease.
async fn ready(State(health): State<Arc<Health>>) -> impl IntoResponse {
    if health.ending.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "ending\n".to_owned());
    }
    let missing = health.desk.stores.unsynced();
    if missing.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        let lines: String = missing.iter().map(|one| format!("{one}\n")).collect();
        (StatusCode::SERVICE_UNAVAILABLE, lines)
    }
}

async fn metrics(State(health): State<Arc<Health>>) -> impl IntoResponse {
    health.desk.metrics.synced(health.desk.stores.synced());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], health.desk.metrics.text())
}
