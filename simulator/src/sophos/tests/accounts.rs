//! Sophos sheet §5.5 billing usage, with pages by key of §2.

use serde_json::{Value, json};

use super::Bench;

#[tokio::test]
async fn sophos_5_5_a_month_without_data_is_404() {
    let bench = Bench::new().await;
    assert_eq!(bench.get("/partner/v1/billing/usage/2026/1").await.0, 404);
    assert_eq!(bench.get("/partner/v1/billing/usage/2026/13").await.0, 400);
}

#[tokio::test]
async fn sophos_5_5_lines_carry_every_required_field_and_prices_as_text() {
    let bench = Bench::new().await;
    let tenant = bench.tenant("Muster AG", "usage").await;
    bench.partner.click("bill", &json!({"year": 2026, "month": 1})).unwrap();
    let (status, page) = bench.get("/partner/v1/billing/usage/2026/01").await;
    assert_eq!(status, 200);
    let line = &page["items"][0];
    let required = [
        "partnerAccountId",
        "partnerEdiAccountNumber",
        "partnerAccountName",
        "billingStartDate",
        "billingEndDate",
        "orderNumber",
        "orderLineItemNumber",
        "accountNumberOrSerialNumber",
        "productDescription",
        "productGroup",
        "sku",
        "billableQuantity",
        "externalId",
        "accountId",
        "accountStatus",
        "actualQuantity",
        "productCode",
    ];
    assert!(required.iter().all(|k| !line[*k].is_null()), "{line}");
    assert_eq!((&line["accountId"], &line["billingEndDate"]), (&json!(tenant), &json!("2026-01-31")));
    assert!(line["netPrice"].is_string());
}

#[tokio::test]
async fn sophos_2_pages_by_key_end_without_a_next_key() {
    let bench = Bench::new().await;
    bench.partner.generate(10, 7, 0);
    bench.partner.click("bill", &json!({"year": 2026, "month": 1})).unwrap();
    let (_, first) = bench.get("/partner/v1/billing/usage/2026/1?pageSize=5&pageTotal=true").await;
    assert_eq!((&first["pages"]["total"], &first["pages"]["items"]), (&json!(2), &json!(7)));
    let key = first["pages"]["nextKey"].as_str().unwrap();
    let (_, last) =
        bench.get(&format!("/partner/v1/billing/usage/2026/1?pageSize=5&pageFromKey={key}")).await;
    assert_eq!(last["items"].as_array().unwrap().len(), 2);
    assert_eq!((&last["pages"]["fromKey"], last["pages"].get("nextKey")), (&json!(key), None));
    assert!(last["pages"].get("total").is_none());
    assert_eq!(bench.get("/partner/v1/billing/usage/2026/1?pageFromKey=nonsense").await.0, 400);
}

#[tokio::test]
async fn sophos_5_5_usage_is_filtered_by_account_and_contact() {
    let bench = Bench::new().await;
    let tenant = bench.tenant("Muster AG", "usage").await;
    bench.partner.generate(10, 7, 0);
    bench.partner.click("bill", &json!({"year": 2026, "month": 1})).unwrap();
    let count = async |filter: String| -> usize {
        let (_, page) = bench.get(&format!("/partner/v1/billing/usage/2026/1?{filter}")).await;
        page["items"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(count(format!("accountId={tenant}")).await, 1);
    assert_eq!(count("contactEmail=it@muster.example".to_owned()).await, 1);
    assert_eq!(count(String::new()).await, 8);
}

#[tokio::test]
async fn sophos_5_5_device_lines_have_no_account() {
    let bench = Bench::new().await;
    let seed = json!({"sophos": {"acme": {"billing": [{"year": 2026, "month": 1,
        "lines": [{"product": "xg_email_std", "billable": 1, "actual": 1, "netCents": 1205}]}]}}});
    bench.running.seed(&seed).unwrap();
    let (_, page) = bench.get("/partner/v1/billing/usage/2026/1").await;
    assert_eq!(
        (page["items"][0].get("accountId"), &page["items"][0]["netPrice"]),
        (None::<&Value>, &json!("12.05"))
    );
}
