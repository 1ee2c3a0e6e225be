//! Ledgers as ConsoleBindings, what a cluster declares, and planning from it, on a real API server.
//!
//! Every test has a namespace and a vendor account of its own.

#[path = "cluster/answers.rs"]
mod answers;
#[path = "cluster/commands.rs"]
mod commands;
#[path = "cluster/ledgers.rs"]
mod ledgers;
#[path = "cluster/planning.rs"]
mod planning;
#[path = "cluster/stores.rs"]
mod stores;

use std::sync::Arc;

use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use kube::core::GroupVersionKind;
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tenantry_crd::{GROUP, Kind, VERSION};
use tenantry_engine::address::VendorAccount;
use tenantry_tests::kube::Cluster;

/// The shared API server with our definitions, or `None` where there is none. Says which it is.
pub async fn ready() -> Option<Arc<Cluster>> {
    let cluster = Cluster::shared().await?;
    cluster.install_crds()?;
    let version = cluster.client().apiserver_version().await.expect("the API server says its version");
    println!("on kube-apiserver {}", version.git_version);
    Some(cluster)
}

/// The vendor account of the test that has this namespace.
pub fn account(namespace: &str) -> VendorAccount {
    VendorAccount::new(format!("sophos:{namespace}"))
}

/// Objects of one of our kinds, as JSON.
pub fn api(client: &Client, kind: Kind, namespace: &str) -> Api<DynamicObject> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(GROUP, VERSION, kind.as_str()));
    Api::namespaced_with(client.clone(), namespace, &kind)
}

/// Makes an object and gives its name.
pub async fn create(client: &Client, kind: Kind, namespace: &str, name: &str, spec: Value) -> String {
    let object: DynamicObject = serde_json::from_value(json!({
        "apiVersion": tenantry_crd::API_VERSION, "kind": kind.as_str(),
        "metadata": {"name": name}, "spec": spec,
    }))
    .expect("it is an object");
    let made = api(client, kind, namespace).create(&PostParams::default(), &object).await;
    made.expect("the API server accepts it").name_any()
}

/// A Sophos console.
pub fn sophos() -> Value {
    json!({"sophos": {"program": "MspFlex"}, "credentials": {"read": {"secretRef": {"name": "sophos-read"}}}})
}

/// A customer with one account in the console `sophos`.
pub fn customer(legal_name: &str) -> Value {
    json!({
        "company": {"legalName": legal_name},
        "accounts": [{"name": "sophos", "consoleRef": {"name": "sophos"}, "onboarding": "Existing"}],
    })
}
