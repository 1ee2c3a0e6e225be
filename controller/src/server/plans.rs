//! `GET /plan` and `GET /snapshot`: what the controller would do, and what it saw.
//!
//! `?console=NAMESPACE/NAME` is one Console; `?namespace=NAMESPACE` all of a namespace; nothing, all. `Accept` chooses
//! between text (as the command prints it, byte for byte), Markdown and JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tenantry_cluster::snapshot::{ConsoleSnapshot, PATH, Snapshot};
use tenantry_engine::declare::declare;
use tenantry_engine::leads::lost;
use tenantry_engine::plan::Plan;
use tenantry_engine::plan::findings::Finding;
use tenantry_engine::render::json::PlanDocument;
use tenantry_engine::render::{Paint, markdown, text};

use super::access;
use crate::desk::{Desk, Place, Shown};
use crate::worker::console_name;

/// Which Consoles are asked for.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    console: Option<String>,
    namespace: Option<String>,
}

impl Asked {
    /// Namespace and name; a console without a namespace is refused.
    fn place(&self) -> Result<(Option<&str>, Option<&str>), access::Refused> {
        match (&self.console, &self.namespace) {
            (Some(console), None) => console
                .split_once('/')
                .filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty())
                .map(|(namespace, name)| (Some(namespace), Some(name)))
                .ok_or((StatusCode::BAD_REQUEST, "write ?console=NAMESPACE/NAME\n")),
            (Some(console), Some(namespace)) => Ok((Some(namespace), Some(console))),
            (None, namespace) => Ok((namespace.as_deref(), None)),
        }
    }
}

/// `/plan`, `/snapshot`.
pub fn router(desk: Arc<Desk>) -> Router {
    Router::new().route("/plan", get(plan)).route(PATH, get(snapshot)).with_state(desk)
}

/// What is shown of the Consoles that were asked for, after the caller's right was checked.
async fn shown(
    desk: &Desk,
    headers: &HeaderMap,
    asked: &Asked,
) -> Result<BTreeMap<Place, Arc<Shown>>, Response> {
    let (namespace, console) = asked.place().map_err(IntoResponse::into_response)?;
    access::check(&desk.client, headers, namespace, console).await.map_err(IntoResponse::into_response)?;
    let mut all = desk.all_shown();
    all.retain(|place, _| {
        namespace.is_none_or(|namespace| place.0 == namespace)
            && console.is_none_or(|console| place.1 == console)
    });
    if console.is_some() && all.is_empty() {
        let words = "this replica has no plan of this Console: it is not there, was not observed yet, or another replica acts\n";
        return Err((StatusCode::NOT_FOUND, words).into_response());
    }
    Ok(all)
}

/// What belongs to no console: kinds without behaviour, references that lead nowhere.
fn global(desk: &Desk, asked: &Asked) -> Vec<Finding> {
    let population = desk.stores.population();
    let mut all = population.declarations();
    if let Ok((Some(namespace), _)) = asked.place() {
        all.consoles.retain(|one| one.namespace == namespace);
        all.customers.retain(|one| one.namespace == namespace);
        all.products.retain(|one| one.namespace == namespace);
        all.licenses.retain(|one| one.namespace == namespace);
        all.relationships.retain(|one| one.namespace == namespace);
        all.attestations.retain(|one| one.namespace == namespace);
        all.without_behaviour.retain(|(_, origin)| {
            matches!(origin, tenantry_engine::origin::Origin::Object { namespace: own, .. } if **own == *namespace)
        });
    }
    if asked.console.is_some() {
        return Vec::new();
    }
    let mut findings = lost(&population, &all);
    findings.extend(declare(&all, population.scope()).findings);
    findings
}

async fn plan(State(desk): State<Arc<Desk>>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    let shown = match shown(&desk, &headers, &asked).await {
        Ok(shown) => shown,
        Err(refused) => return refused,
    };
    // In the order of the command: by the console's name in plans.
    let by_name: BTreeMap<_, _> =
        shown.iter().map(|(place, shown)| (console_name(&place.0, &place.1), shown)).collect();
    let plans: Vec<Plan> = by_name.values().map(|shown| shown.plan.clone()).collect();
    let findings = global(&desk, &asked);
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (kind, body) = if accept.contains("application/json") {
        let document = PlanDocument::new(env!("CARGO_PKG_VERSION"), plans, findings, None);
        ("application/json", document.to_json())
    } else if accept.contains("text/markdown") {
        ("text/markdown; charset=utf-8", markdown::plans(&plans, &findings))
    } else {
        let mut out = text::plans(&plans, &findings, Paint::default());
        out.push_str(text::next_commands(&plans));
        ("text/plain; charset=utf-8", out)
    };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], body).into_response()
}

async fn snapshot(State(desk): State<Arc<Desk>>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    let shown = match shown(&desk, &headers, &asked).await {
        Ok(shown) => shown,
        Err(refused) => return refused,
    };
    let consoles = shown
        .iter()
        .map(|(place, shown)| ConsoleSnapshot {
            namespace: place.0.clone(),
            console: console_name(&place.0, &place.1),
            observed: shown.observed.clone(),
        })
        .collect();
    match serde_json::to_vec(&Snapshot::new(desk.times.now(), consoles)) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body)
            .into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the snapshot cannot be written\n").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_is_named_with_its_namespace() {
        let asked = |console: Option<&str>, namespace: Option<&str>| Asked {
            console: console.map(str::to_owned),
            namespace: namespace.map(str::to_owned),
        };
        assert_eq!(asked(Some("emea/sophos"), None).place(), Ok((Some("emea"), Some("sophos"))));
        assert_eq!(asked(None, Some("emea")).place(), Ok((Some("emea"), None)));
        assert_eq!(asked(None, None).place(), Ok((None, None)));
        assert!(asked(Some("sophos"), None).place().is_err());
    }
}
