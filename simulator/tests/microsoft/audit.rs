//! Partner Center sheet §10 Audit.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{Site, guid, new_customer, string};

/// Partner Center sheet §10: what was done, to whom, by whom, with values as PascalCase JSON in a text.
#[tokio::test]
async fn a_create_and_a_removal_are_recorded() {
    let site = Site::open(json!({})).await;
    let made = site.create_once(new_customer("a.onmicrosoft.com"), &guid(71)).await;
    let id = made.text("/id");
    site.patch(&format!("/v1/customers/{id}"), json!({"relationshipToPartner": "none"})).await;
    let log = site.get("/v1/auditrecords?startDate=2026-01-12").await;
    assert_eq!(log.body["totalCount"], 2);
    let record = &log.body["items"][0];
    assert_eq!(record["operationType"], "add_customer");
    assert_eq!(record["customerId"], id);
    assert_eq!(record["customerName"], "Fabrikam");
    assert_eq!(record["partnerId"], site.tenant());
    assert_eq!(record["operationStatus"], "succeeded");
    assert_eq!(record["operationDate"], "2026-01-12T08:00:00Z");
    assert!(string(&record["userPrincipalName"]).starts_with("admin@"));
    assert_eq!(string(&record["originalCorrelationId"]).len(), 36);
    let new: Value = serde_json::from_str(&string(&record["resourceNewValue"])).expect("JSON");
    assert_eq!(new["CompanyProfile"]["Domain"], "a.onmicrosoft.com");
    assert!(!string(&record["resourceNewValue"]).contains("Password"), "no secret in the audit log");
    assert_eq!(log.text("/items/1/operationType"), "remove_partner_customer_relationship");
}

fn encoded(filter: &Value) -> String {
    utf8_percent_encode(&filter.to_string(), NON_ALPHANUMERIC).to_string()
}

/// Partner Center sheet §10: dates, size, filter, pages.
#[tokio::test]
async fn the_log_is_asked_by_dates_filters_and_pages() {
    let mut site = Site::open(json!({})).await;
    for name in ["a", "b", "c"] {
        site.create(new_customer(&format!("{name}.onmicrosoft.com"))).await;
        site.advance("P1D");
        site.sign_in().await;
    }
    let count = |query: String| {
        let site = &site;
        async move { site.get(&format!("/v1/auditrecords?{query}")).await.body["totalCount"].clone() }
    };
    assert_eq!(count(String::new()).await, 3);
    assert_eq!(count("startDate=2026-01-13".to_owned()).await, 2);
    assert_eq!(count("startDate=2026-01-12&endDate=2026-01-13".to_owned()).await, 2);
    let page = site.get("/v1/auditrecords?startDate=2026-01-01&size=2").await;
    assert_eq!(page.body["totalCount"], 2);
    let token = page.text("/continuationToken");
    assert_eq!(page.text("/links/next/headers/0/value"), token);
    let next = page.text("/links/next/uri");
    let last = site.call("GET", &format!("/v1{next}"), None, &[("MS-ContinuationToken", &token)]).await;
    assert_eq!(last.body["totalCount"], 1);
    assert!(last.body["links"]["next"].is_null());
    let filter = |field: &str, value: &str, operator: &str| {
        format!("filter={}", encoded(&json!({"Field": field, "Value": value, "Operator": operator})))
    };
    let first = site.listed().await.swap_remove(0);
    assert_eq!(count(filter("CustomerId", &first, "equals")).await, 1);
    assert_eq!(count(filter("CompanyName", "abri", "substring")).await, 3);
    assert_eq!(count(filter("ResourceType", "subscription", "equals")).await, 0);
    for bad in [
        "startDate=2025-10-01".to_owned(),
        "startDate=yesterday".to_owned(),
        "size=0".to_owned(),
        "filter=x".to_owned(),
        filter("Colour", "red", "equals"),
        filter("CustomerId", "x", "starts_with"),
    ] {
        assert_eq!(site.get(&format!("/v1/auditrecords?{bad}")).await.refusal(), "400/2000", "{bad}");
    }
    let bad_token = site.call("GET", "/v1/auditrecords", None, &[("MS-ContinuationToken", "?")]).await;
    assert_eq!(bad_token.refusal(), "400/2000");
}

/// Partner Center sheet §10: billing profiles, subscriptions and delegated rights are recorded too.
#[tokio::test]
async fn every_kind_of_change_is_recorded() {
    let customers =
        json!([{"tenantId": guid(1), "companyName": "A", "dap": true, "subscriptions": [{"id": guid(9)}]}]);
    let site = Site::open(json!({"customers": customers})).await;
    let base = format!("/v1/customers/{}", guid(1));
    let billing = site.get(&format!("{base}/profiles/billing")).await.body;
    site.call("PUT", &format!("{base}/profiles/billing"), Some(billing), &[]).await;
    site.patch(&format!("{base}/subscriptions/{}", guid(9)), json!({"status": "deleted"})).await;
    site.patch(&base, json!({"allowDelegatedAccess": false})).await;
    let log = site.get("/v1/auditrecords").await;
    let operations: Vec<String> =
        log.body["items"].as_array().expect("items").iter().map(|r| string(&r["operationType"])).collect();
    assert_eq!(
        operations,
        ["update_customer_billing_profile", "update_subscription", "dap_admin_relationship_terminated"]
    );
}
