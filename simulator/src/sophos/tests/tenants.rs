//! Sophos sheet §2 pages and §5.1 list, get, rename; §6 organization.

use jiff::ToSpan;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Bench, id_of};
use crate::Lists;

#[tokio::test]
async fn sophos_2_a_page_tells_totals_only_when_asked() {
    let bench = Bench::new().await;
    bench.partner.generate(17, 7, 0);
    let (_, page) = bench.get("/partner/v1/tenants?pageSize=2").await;
    assert_eq!(page["pages"], json!({"current": 1, "size": 2, "maxSize": 100}));
    let (_, page) = bench.get("/partner/v1/tenants?pageSize=2&pageTotal=true").await;
    assert_eq!(page["pages"], json!({"current": 1, "size": 2, "total": 9, "items": 17, "maxSize": 100}));
    let (_, page) = bench.get("/partner/v1/tenants?pageSize=2&page=9").await;
    assert_eq!(page["pages"]["size"], 2, "the size asked for, also on a short last page");
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn sophos_9_a_page_may_tell_no_totals_even_when_asked() {
    let bench = Bench::new().await;
    bench.partner.generate(3, 7, 0);
    bench.switch(&json!({"pageTotals": "never"}));
    let (_, page) = bench.get("/partner/v1/tenants?pageTotal=true").await;
    assert_eq!(page["pages"], json!({"current": 1, "size": 50, "maxSize": 100}));
}

#[tokio::test]
async fn sophos_2_the_default_page_has_fifty_items() {
    let bench = Bench::new().await;
    bench.partner.generate(60, 7, 0);
    let (_, page) = bench.get("/partner/v1/tenants").await;
    assert_eq!((page["items"].as_array().unwrap().len(), &page["pages"]["size"]), (50, &json!(50)));
}

#[tokio::test]
async fn sophos_2_booleans_have_no_case_and_the_last_duplicate_counts() {
    let bench = Bench::new().await;
    let (status, page) = bench.get("/partner/v1/tenants?pageTotal=false&pageTotal=True").await;
    assert_eq!((status, &page["pages"]["total"]), (200, &json!(0)));
    let (_, page) = bench.get("/partner/v1/tenants?pageTotal=true&pageTotal=FALSE").await;
    assert!(page["pages"].get("total").is_none());
    assert_eq!(bench.get("/partner/v1/tenants?pageTotal=maybe").await.0, 400);
}

#[tokio::test]
async fn sophos_2_a_page_above_the_maximum_is_clamped_or_refused_by_switch() {
    let bench = Bench::new().await;
    bench.partner.generate(120, 7, 0);
    let (_, page) = bench.get("/partner/v1/tenants?pageSize=500").await;
    assert_eq!((page["items"].as_array().unwrap().len(), &page["pages"]["size"]), (100, &json!(100)));
    bench.switch(&json!({"largePageSize": "400"}));
    assert_eq!(bench.get("/partner/v1/tenants?pageSize=500").await.0, 400);
    assert_eq!(bench.get("/partner/v1/tenants?pageSize=100").await.0, 200);
}

#[tokio::test]
async fn sophos_2_a_page_past_the_end_is_empty_404_or_400_by_switch() {
    let bench = Bench::new().await;
    bench.partner.generate(3, 7, 0);
    let (status, page) = bench.get("/partner/v1/tenants?page=2").await;
    assert_eq!((status, &page["items"]), (200, &json!([])));
    for (value, expected) in [("404", 404), ("400", 400)] {
        bench.switch(&json!({"pastTheEnd": value}));
        assert_eq!(bench.get("/partner/v1/tenants?page=2").await.0, expected);
    }
    assert_eq!(bench.get("/partner/v1/tenants?page=0").await.0, 400);
}

#[tokio::test]
async fn sophos_2_fields_gives_a_partial_answer() {
    let bench = Bench::new().await;
    bench.tenant("Muster AG", "trial").await;
    let (_, page) = bench.get("/partner/v1/tenants?fields=name,billingType").await;
    assert_eq!(page["items"], json!([{"name": "Muster AG", "billingType": "trial"}]));
    assert!(page["pages"].is_object());
}

#[tokio::test]
async fn sophos_2_following_the_pages_gives_every_tenant_once() {
    let bench = Bench::new().await;
    bench.partner.generate(250, 7, 0);
    let mut seen = std::collections::BTreeSet::new();
    for page in 1..=3 {
        let (_, body) = bench.get(&format!("/partner/v1/tenants?pageSize=100&page={page}")).await;
        seen.extend(body["items"].as_array().unwrap().iter().map(id_of));
    }
    assert_eq!(seen.len(), 250);
}

#[tokio::test]
async fn sophos_5_1_a_tenant_has_the_documented_shape_in_list_and_get() {
    let bench = Bench::new().await;
    let id = bench.tenant("Muster AG", "trial").await;
    let (_, one) = bench.get(&format!("/partner/v1/tenants/{id}")).await;
    let expected = json!({
        "id": id, "showAs": "Muster AG", "name": "Muster AG", "dataGeography": "DE", "dataRegion": "eu02",
        "billingType": "trial", "partner": {"id": bench.partner.partner_id()}, "organization": {"id": null},
        "apiHost": bench.partner.url(), "status": "active",
        "contact": {"firstName": "Anna", "lastName": "Muster", "email": "it@muster.example",
            "address": {"address1": "Weg 1", "city": "Berlin", "countryCode": "DE", "postalCode": "10115"}},
        "externalIds": [], "products": [{"code": "CIXA-MSP"}],
    });
    assert_eq!(one, expected);
    let (_, page) = bench.get("/partner/v1/tenants").await;
    assert_eq!(page["items"], json!([expected]));
}

#[tokio::test]
async fn sophos_5_1_fields_that_were_only_seen_live_can_be_missing() {
    let bench = Bench::new().await;
    bench.switch(&json!({"liveFields": "absent", "organizationField": "absent"}));
    let id = bench.tenant("Muster AG", "trial").await;
    let (_, one) = bench.get(&format!("/partner/v1/tenants/{id}")).await;
    let gone = ["status", "contact", "externalIds", "products", "organization"];
    assert!(gone.iter().all(|k| one.get(*k).is_none()), "{one}");
    bench.switch(&json!({"organizationField": "null", "contactPhone": "present"}));
    let (_, one) = bench.get(&format!("/partner/v1/tenants/{id}")).await;
    assert_eq!((one.get("organization"), &one["contact"]["phone"]), (Some(&Value::Null), &json!("+49 30 1")));
}

#[tokio::test]
async fn sophos_5_1_an_account_that_is_not_activated_has_no_host() {
    let bench = Bench::new().await;
    bench.switch(&json!({"newAccount": "pending"}));
    let id = bench.tenant("Muster AG", "trial").await;
    let (_, one) = bench.get(&format!("/partner/v1/tenants/{id}")).await;
    assert!(["apiHost", "dataRegion", "dataGeography"].iter().all(|k| one[*k].is_null()));
    bench.partner.click(&format!("tenants/{id}/activate"), &json!({})).unwrap();
    let (_, one) = bench.get(&format!("/partner/v1/tenants/{id}")).await;
    assert_eq!(one["apiHost"], bench.partner.url());
}

#[tokio::test]
async fn sophos_5_1_unknown_fields_and_enum_values_come_when_switched_on() {
    let bench = Bench::new().await;
    let id = bench.tenant("Muster AG", "trial").await;
    bench.switch(&json!({"unexpected": "enum-values"}));
    let (_, one) = bench.get(&format!("/partner/v1/tenants/{id}")).await;
    assert_eq!(one["status"], "hibernating");
    bench.switch(&json!({"unexpected": "fields"}));
    let (_, one) = bench.get(&format!("/partner/v1/tenants/{id}")).await;
    assert!(one["serviceTier"].is_object());
}

#[tokio::test]
async fn sophos_5_1_an_unknown_tenant_is_404_or_403_by_switch() {
    let bench = Bench::new().await;
    let path = format!("/partner/v1/tenants/{}", Uuid::from_u128(1));
    assert_eq!(bench.get(&path).await.0, 404);
    assert_eq!(bench.get("/partner/v1/tenants/no-id").await.0, 404);
    bench.switch(&json!({"unknownTenant": "403"}));
    assert_eq!(bench.get(&path).await.0, 403);
}

#[tokio::test]
async fn sophos_7_patch_is_off_by_default_and_answers_as_the_switch_says() {
    let bench = Bench::new().await;
    let id = bench.tenant("Muster AG", "trial").await;
    let path = format!("/partner/v1/tenants/{id}");
    let rename = |body: &'static str| {
        let request = bench.request("PATCH", &path).header("content-type", "application/merge-patch+json");
        bench.send(request.body(body))
    };
    for (value, expected) in [("404", 404), ("405", 405), ("415", 415)] {
        bench.switch(&json!({"patchTenant": value}));
        assert_eq!(rename(r#"{"showAs": "New"}"#).await.0, expected);
    }
    assert_eq!(bench.effects("tenant-renamed"), 0);
    bench.switch(&json!({"patchTenant": "200"}));
    let (status, one) = rename(r#"{"showAs": "New"}"#).await;
    assert_eq!((status, &one["showAs"], &one["name"]), (200, &json!("New"), &json!("Muster AG")));
    assert_eq!(rename(r#"{"name": "New"}"#).await.0, 400);
    let text = bench.request("PATCH", &path).header("content-type", "text/plain").body("{}");
    assert_eq!(bench.send(text).await.0, 415);
    assert_eq!(bench.effects("tenant-renamed"), 1);
}

#[tokio::test]
async fn sophos_11_a_new_tenant_may_be_listed_later_by_the_clock() {
    let bench = Bench::new().await;
    bench.switch(&json!({"listing": "after-60-seconds"}));
    let id = bench.tenant("Muster AG", "trial").await;
    assert_eq!(bench.get(&format!("/partner/v1/tenants/{id}")).await.0, 200, "it exists at once");
    let listed = async || bench.get("/partner/v1/tenants").await.1["items"].as_array().unwrap().len();
    assert_eq!(listed().await, 0);
    bench.running.clock().advance(59.seconds()).unwrap();
    assert_eq!(listed().await, 0);
    bench.running.clock().advance(1.second()).unwrap();
    assert_eq!(listed().await, 1);
}

#[tokio::test]
async fn sophos_11_a_new_tenant_may_be_listed_after_some_list_calls() {
    let bench = Bench::new().await;
    bench.partner.list_new_tenants(Lists::AfterCalls(2));
    bench.tenant("Muster AG", "trial").await;
    let mut counts = Vec::new();
    for _ in 0..3 {
        counts.push(bench.get("/partner/v1/tenants").await.1["items"].as_array().unwrap().len());
    }
    assert_eq!(counts, [0, 0, 1]);
}

#[tokio::test]
async fn sophos_6_an_organization_reads_its_own_tenants_and_no_others() {
    let mut bench = Bench::new().await;
    let organization = Uuid::from_u128(77);
    let seed = json!({"sophos": {"acme": {"tenants": [
        {"name": "Own", "id": Uuid::from_u128(1), "organization": organization},
        {"name": "Other", "id": Uuid::from_u128(2)}]}}});
    bench.running.seed(&seed).unwrap();
    assert_eq!(bench.get("/organization/v1/tenants").await.0, 401, "the header is missing");
    bench.login(&bench.partner.add_organization_credentials(organization)).await;
    let get = |path: String| {
        let request = bench.http.get(bench.url(&path)).bearer_auth(&bench.token);
        bench.send(request.header("X-Organization-ID", organization.to_string()))
    };
    let (_, page) = get("/organization/v1/tenants?pageTotal=true".to_owned()).await;
    assert_eq!((&page["items"][0]["name"], &page["pages"]["items"]), (&json!("Own"), &json!(1)));
    assert_eq!(page["items"][0]["organization"]["id"], organization.to_string());
    assert_eq!(get(format!("/organization/v1/tenants/{}", Uuid::from_u128(1))).await.0, 200);
    assert_eq!(get(format!("/organization/v1/tenants/{}", Uuid::from_u128(2))).await.0, 403);
    assert_eq!(bench.get("/partner/v1/tenants").await.0, 403, "an organization is no partner");
}
