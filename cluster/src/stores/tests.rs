//! What an object costs in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::api::ObjectMeta;
use serde_json::json;
use tenantry_crd::CustomerSpec;
use tenantry_engine::desired::PackedCustomer;

use super::object::Common;
use super::{Object, Packed};

/// Resident bytes of this process.
fn resident() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

fn spec(n: usize) -> CustomerSpec {
    let account = |console: &str| {
        json!({
            "name": console, "consoleRef": {"name": console}, "onboarding": "Create",
            "id": format!("00000000-0000-4000-8000-{n:012}"), "displayName": format!("Praxis {n} (K{n})"),
        })
    };
    serde_json::from_value(json!({
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
    .expect("it is a customer")
}

fn customer(n: usize, common: &mut Common) -> Object<Packed> {
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
    let packed = Packed::new(&spec(n), common);
    Object::new(&key, metadata, Arc::new(packed), common)
}

#[test]
fn a_customer_costs_what_is_said() {
    const MANY: usize = 10_000;
    let Some(before) = resident() else { return };
    let mut common = Common::default();
    let held: Vec<Arc<Object<Packed>>> = (0..MANY).map(|n| Arc::new(customer(n, &mut common))).collect();
    let after = resident().expect("it was there before");
    let each = after.saturating_sub(before) / held.len();
    println!(
        "{each} bytes a customer with three accounts, {} of them its object",
        size_of::<Object<Packed>>()
    );
    assert!(each < 1024, "{each} bytes a customer with three accounts");
    assert!(held.iter().all(|one| one.annotations.is_empty()));
    for (n, one) in held.iter().enumerate().step_by(1000) {
        assert_eq!(*one.spec.open(), spec(n));
    }
}

#[test]
fn every_field_of_a_customer_is_packed() {
    let account = |name: &str, vendor: &str, block: serde_json::Value| {
        json!({
            "name": name, "consoleRef": {"name": vendor}, "onboarding": "Existing", "distinctFrom": ["7", "8"],
            "deletionPolicy": "Remove", "id": "ü\"\n", "want": "Suspended", "notBefore": "2027-02-28",
            "consents": ["msp-licence-lost"], "via": {"account": "acronis", "system": "x"}, "role": "Reseller",
            "parent": {"customerRef": {"name": "mother"}, "account": "a"}, "displayName": "Ünal & Söhne", vendor: block,
        })
    };
    let full: CustomerSpec = serde_json::from_value(json!({
        "externalIds": {"psa": "1", "crm": "2"},
        "company": {
            "legalName": "L", "displayName": "D", "registrationNumber": "HRB 1", "website": "https://l.example",
            "domains": [], "address": {
                "line1": "1", "line2": "2", "city": "C", "postalCode": "P", "state": "S", "country": "DE"
            },
        },
        "contacts": [{"roles": ["Admin", "Terms"], "firstName": "F", "lastName": "L", "email": "f@l.example",
            "phone": "+49 1", "language": "de"}],
        "formerly": ["old"], "want": "Removed", "notBefore": "2027-01-01", "consents": ["data-removed"],
        "accounts": [
            account("a", "sophos", json!({"billing": "Usage", "dataGeography": "DE"})),
            account("b", "microsoft", json!({"domain": "l.onmicrosoft.com", "language": "de", "culture": "de-DE",
                "enableGdapByDefault": true, "resellerTenantId": "t"})),
            account("c", "plugin", json!({"deep": {"er": [1, 2.5, null, "x"]}})),
        ],
    }))
    .expect("it is a customer");
    let mut common = Common::default();
    let packed = Packed::new(&full, &mut common);
    assert_eq!(*packed.open(), full);
    assert_eq!(packed, Packed::new(&full.clone(), &mut common));
    let names: Vec<(&str, &str)> = packed.accounts().iter().map(|(name, of)| (&**name, &**of)).collect();
    assert_eq!(names, [("a", "sophos"), ("b", "microsoft"), ("c", "plugin")]);
    let least: CustomerSpec =
        serde_json::from_value(json!({"company": {"legalName": "L"}})).expect("it is a customer");
    assert_eq!(*Packed::new(&least, &mut common).open(), least);
}
