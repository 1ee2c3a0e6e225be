//! What people call a ledger: the name of the Console whose vendor account it belongs to.
//!
//! It comes from the Consoles' statuses and is shown, nothing else: what is decided about a ledger, and which one a
//! Console has, follows from the vendor account that the console itself names.

use std::collections::BTreeMap;

use kube::api::{Api, ListParams};
use kube::core::DynamicObject;
use kube::discovery::ApiResource;
use kube::{Client, Resource, ResourceExt};
use tenantry_crd::Console;
use tenantry_engine::address::{ConsoleName, DEFAULT_NAMESPACE, VendorAccount};

use crate::api::ApiError;

/// Console → vendor account, of the Consoles of a namespace that a controller has identified.
pub async fn consoles(
    client: &Client,
    namespace: &str,
) -> Result<BTreeMap<ConsoleName, VendorAccount>, ApiError> {
    let resource = ApiResource::erase::<Console>(&());
    let api = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &resource);
    let list = api.list(&ListParams::default()).await.map_err(|error| {
        ApiError::new(format!("list {} in namespace {namespace}", Console::plural(&())), error)
    })?;
    let named = list.items.into_iter().filter_map(|object| {
        let account = object.data.pointer("/status/vendorAccount")?.as_str()?;
        let name = object.name_any();
        let name = if namespace == DEFAULT_NAMESPACE { name } else { format!("{namespace}/{name}") };
        Some((ConsoleName::new(name), VendorAccount::new(account)))
    });
    Ok(named.collect())
}
