//! Partner Center sheet §1 API access by position, own position.

use serde_json::json;

use crate::{Site, guid, new_customer};

async fn reseller(calls: &str) -> Site {
    let partners = json!({
        "distri": {"position": "indirect-provider", "customers": [
            {"tenantId": guid(1), "companyName": "A", "reseller": "small", "subscriptions": [{"id": guid(9)}]}]},
        "small": {"position": "indirect-reseller", "providers": ["distri"], "switches": {"resellerCalls": calls}},
    });
    Site::world(partners, "small").await
}

/// Partner Center sheet §1: for a reseller some calls answer and others fail with 403 and code 1002.
#[tokio::test]
async fn for_a_reseller_some_calls_answer_and_others_refuse() {
    let site = reseller("some").await;
    let customer = format!("/v1/customers/{}", guid(1));
    for path in [
        "/v1/customers?size=5".to_owned(),
        customer.clone(),
        "/v1/customers/relationshiprequests".to_owned(),
        "/v1/relationships?relationship_type=IsIndirectResellerOf".to_owned(),
        format!("{customer}/relationships"),
        "/v1/profiles/mpn".to_owned(),
    ] {
        assert_eq!(site.get(&path).await.status, 200, "{path}");
    }
    for path in [
        format!("{customer}/profiles/billing"),
        format!("{customer}/subscriptions"),
        "/v1/auditrecords".to_owned(),
        "/v1/compliance/csp/agreementstatus?mpnId=1".to_owned(),
    ] {
        let refused = site.get(&path).await;
        assert_eq!(refused.refusal(), "403/1002", "{path}");
        assert_eq!(refused.text("/description"), "Authorization Failed");
    }
    assert_eq!(site.listed().await, [guid(1)]);
}

/// Partner Center sheet §3 Create: indirect resellers cannot create; their provider does.
/// §3 Remove relationship: they cannot remove either.
#[tokio::test]
async fn a_reseller_neither_creates_nor_removes() {
    let site = reseller("some").await;
    assert_eq!(site.create(new_customer("a.onmicrosoft.com")).await.refusal(), "403/1002");
    let path = format!("/v1/customers/{}", guid(1));
    for body in [json!({"relationshipToPartner": "none"}), json!({"allowDelegatedAccess": false})] {
        assert_eq!(site.patch(&path, body).await.refusal(), "403/1002");
    }
    assert_eq!(site.listed().await, [guid(1)]);
}

/// Partner Center sheet §1: some resellers' census is refused, some get no Partner Center API at all.
#[tokio::test]
async fn a_reseller_can_be_refused_the_census_or_everything_and_graph_still_answers() {
    let site = reseller("some-without-census").await;
    assert_eq!(site.get("/v1/customers?size=5").await.refusal(), "403/1002");
    assert_eq!(site.get("/v1/customers/relationshiprequests").await.status, 200);
    site.switch(json!({"resellerCalls": "nothing"})).await;
    for path in ["/v1/customers/relationshiprequests", "/v1/profiles/mpn", "/v1/relationships"] {
        assert_eq!(site.get(path).await.refusal(), "403/1002", "{path}");
    }
    let form = [("grant_type", "client_credentials"), ("resource", "https://graph.microsoft.com")];
    let graph = site.token(&form).await.text("/access_token");
    assert_eq!(site.call_as(Some(&graph), "GET", "/v1.0/organization", None, &[]).await.status, 200);
}

/// Partner Center sheet §3 Partner relationships: 1002 observed for a caller of the wrong position.
#[tokio::test]
async fn partner_relationships_are_not_for_direct_bill_partners() {
    let site = Site::open(json!({"customers": [{"tenantId": guid(1), "companyName": "A"}]})).await;
    let path = "/v1/relationships?relationship_type=IsIndirectResellerOf";
    assert_eq!(site.get(path).await.refusal(), "403/1002");
    assert_eq!(site.get(&format!("/v1/customers/{}/relationships", guid(1))).await.refusal(), "403/1002");
}
