//! What an object costs in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::api::ObjectMeta;
use serde_json::json;
use tenantry_crd::{CustomerAccount, CustomerSpec};

use super::Object;
use super::object::{Common, fit};

/// Resident bytes of this process.
fn resident() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

fn customer(n: usize, common: &mut Common) -> Object<CustomerSpec> {
    let account = |console: &str| {
        json!({
            "name": console, "consoleRef": {"name": console}, "onboarding": "Create",
            "id": format!("00000000-0000-4000-8000-{n:012}"), "displayName": format!("Praxis {n} (K{n})"),
        })
    };
    let mut spec = serde_json::from_value(json!({
        "externalIds": {"psa": n.to_string()},
        "company": {
            "legalName": format!("Praxis {n} GbR"), "displayName": format!("Praxis {n}"),
            "domains": [format!("praxis-{n}.example")],
            "address": {"line1": "Markt 1", "city": "Ulm", "postalCode": "89073", "country": "DE"},
        },
        "contacts": [{
            "roles": ["Admin"], "firstName": "Erika", "lastName": "Muster",
            "email": format!("erika@praxis-{n}.example"), "phone": "+49 731 1",
        }],
        "accounts": [account("sophos"), account("microsoft"), account("acronis")],
    }))
    .expect("it is a customer");
    fit(&mut spec, common);
    let metadata = ObjectMeta {
        name: Some(format!("praxis-{n}")),
        namespace: Some("default".to_owned()),
        uid: Some(format!("00000000-0000-4000-8000-{n:012}")),
        resource_version: Some(n.to_string()),
        labels: Some(BTreeMap::from([("tier".to_owned(), "gold".to_owned())])),
        annotations: Some(BTreeMap::from([(
            "kubectl.kubernetes.io/last-applied-configuration".to_owned(),
            "x".repeat(2000),
        )])),
        managed_fields: Some(Vec::new()),
        ..ObjectMeta::default()
    };
    let key = (common.name("default"), format!("praxis-{n}").into());
    Object::new(&key, metadata, Arc::new(spec), common)
}

#[test]
fn a_customer_costs_what_is_said() {
    const MANY: usize = 10_000;
    let Some(before) = resident() else { return };
    let mut common = Common::default();
    let held: Vec<Arc<Object<CustomerSpec>>> =
        (0..MANY).map(|n| Arc::new(customer(n, &mut common))).collect();
    let after = resident().expect("it was there before");
    let each = after.saturating_sub(before) / held.len();
    println!(
        "{each} bytes a customer with three accounts, {} of them its object and {} each account",
        size_of::<Object<CustomerSpec>>(),
        size_of::<CustomerAccount>()
    );
    assert!(each < 3 * 1024, "{each} bytes a customer with three accounts");
    assert!(held.iter().all(|one| one.annotations.is_empty()));
}
