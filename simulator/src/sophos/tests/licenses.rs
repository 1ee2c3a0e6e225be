//! Sophos sheet §6 licences, §3 403 on them.

use serde_json::json;
use uuid::Uuid;

use super::Bench;

#[tokio::test]
async fn sophos_6_licences_are_one_tenants_and_not_paged() {
    let bench = Bench::new().await;
    let tenant = bench.tenant("Muster AG", "trial").await.to_string();
    let (status, body) = bench.licenses(&tenant).await;
    assert_eq!((status, &body["tenant"]["id"]), (200, &json!(tenant)));
    assert!(body.get("items").is_none() && body.get("pages").is_none());
    let licence = &body["licenses"][0];
    assert_eq!(licence["product"], json!({"code": "CIXA-MSP", "genericCode": "CIXA"}));
    assert_eq!((&licence["startDate"], &licence["endDate"]), (&json!("2026-01-12"), &json!("2026-02-11")));
    assert_eq!(
        (&licence["type"], &licence["quantity"], &licence["perpetual"]),
        (&json!("trial"), &json!(25), &json!(false))
    );
    assert!(licence["usage"]["current"]["collectedAt"].is_string());
}

#[tokio::test]
async fn sophos_6_a_monthly_licence_has_no_end_and_no_limit() {
    let bench = Bench::new().await;
    let tenant = bench.tenant("Muster AG", "usage").await.to_string();
    let (_, body) = bench.licenses(&tenant).await;
    let licence = &body["licenses"][0];
    assert_eq!((licence.get("endDate"), &licence["unlimited"]), (None, &json!(true)));
}

#[tokio::test]
async fn sophos_3_trial_and_term_licences_need_partner_assistance() {
    let bench = Bench::new().await;
    let ids: Vec<Uuid> = (1..=3).map(Uuid::from_u128).collect();
    let seed = json!({"sophos": {"acme": {"tenants": [
        {"name": "T", "id": ids[0], "billingType": "term", "assistance": false},
        {"name": "U", "id": ids[1], "billingType": "usage", "assistance": false},
        {"name": "V", "id": ids[2], "billingType": "trial", "assistance": false}]}}});
    bench.running.seed(&seed).unwrap();
    let status = async |n: usize| bench.licenses(&ids[n].to_string()).await.0;
    assert_eq!((status(0).await, status(1).await, status(2).await), (403, 200, 403));
    bench.partner.click(&format!("tenants/{}/assistance", ids[0]), &json!({"enabled": true})).unwrap();
    bench.partner.click(&format!("tenants/{}/assistance", ids[2]), &json!({"enabled": true})).unwrap();
    assert_eq!((status(0).await, status(2).await), (200, 200));
    bench.switch(&json!({"licenseReading": "trials-refused"}));
    assert_eq!((status(0).await, status(2).await), (200, 403));
    bench.partner.click(&format!("tenants/{}/assistance", ids[0]), &json!({"enabled": false})).unwrap();
    bench.switch(&json!({"licenseReading": "open"}));
    assert_eq!((status(0).await, status(2).await), (200, 200));
}

#[tokio::test]
async fn sophos_3_the_licences_of_another_partners_tenant_are_403() {
    let bench = Bench::new().await;
    bench.running.sophos("other").generate(1, 7, 0);
    let foreign = bench.running.sophos("other").tenants()[0].id.to_string();
    assert_eq!(bench.licenses(&foreign).await.0, 403);
    let request = bench.http.get(bench.url("/licenses/v1/licenses")).bearer_auth(&bench.token);
    assert_eq!(bench.send(request).await.0, 401, "X-Tenant-ID is required");
}

#[tokio::test]
async fn sophos_6_a_tenants_credential_reads_its_own_licences_only() {
    let mut bench = Bench::new().await;
    let own = bench.tenant("Own", "trial").await;
    let other = bench.tenant("Other", "trial").await.to_string();
    bench.login(&bench.partner.add_tenant_credentials(own)).await;
    assert_eq!(bench.licenses(&own.to_string()).await.0, 200);
    assert_eq!(bench.licenses(&other).await.0, 403);
}

#[tokio::test]
async fn sophos_6_no_licence_can_be_changed_over_the_wire() {
    let bench = Bench::new().await;
    let tenant = bench.tenant("Muster AG", "trial").await;
    let request = bench.request("POST", "/licenses/v1/licenses").header("X-Tenant-ID", tenant.to_string());
    assert_eq!(bench.send(request.json(&json!({"quantity": 9}))).await.0, 405);
}

#[tokio::test]
async fn sophos_6_firewall_licences_come_in_pages_for_the_partner_or_one_tenant() {
    let bench = Bench::new().await;
    let tenant = bench.tenant("Muster AG", "usage").await;
    let seed = json!({"sophos": {"acme": {"firewalls": [
        {"serialNumber": "B", "tenant": tenant, "model": "XGS 107", "hardware": true},
        {"serialNumber": "A", "model": "SFVUNL"}]}}});
    bench.running.seed(&seed).unwrap();
    let path = "/licenses/v1/licenses/firewalls?pageTotal=true&sort=serialNumber:asc";
    let (_, page) = bench.get(path).await;
    assert_eq!((&page["items"][0]["serialNumber"], &page["pages"]["items"]), (&json!("A"), &json!(2)));
    let request = bench.http.get(bench.url(path)).bearer_auth(&bench.token);
    let (_, page) = bench.send(request.header("X-Tenant-ID", tenant.to_string())).await;
    assert_eq!((&page["items"][0]["modelType"], &page["pages"]["items"]), (&json!("hardware"), &json!(1)));
}
