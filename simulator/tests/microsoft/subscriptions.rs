//! Partner Center sheet §6 Subscriptions; §2 Codes, subscription.

use serde_json::{Value, json};

use crate::{Answer, Site, guid};

async fn site(subscription: Value) -> Site {
    let mut subscription = subscription;
    subscription["id"] = json!(guid(9));
    let customers = json!([{"tenantId": guid(1), "companyName": "A", "subscriptions": [subscription]}]);
    Site::open(json!({"customers": customers})).await
}

fn path() -> String {
    format!("/v1/customers/{}/subscriptions/{}", guid(1), guid(9))
}

/// Gets, changes, sends the whole resource back: the documented way.
async fn change(site: &Site, change: impl FnOnce(&mut Value)) -> Answer {
    let mut whole = site.get(&path()).await.body;
    change(&mut whole);
    site.patch(&path(), whole).await
}

/// Partner Center sheet §6: the fields of a new-commerce subscription, and the list.
#[tokio::test]
async fn a_new_commerce_subscription_shows_its_term_and_window() {
    let site = site(json!({"quantity": 10})).await;
    let got = site.get(&path()).await;
    assert_eq!(got.status, 200);
    for (pointer, value) in [
        ("/productType/id", json!("OnlineServicesNCE")),
        ("/quantity", json!(10)),
        ("/status", json!("active")),
        ("/creationDate", json!("2026-01-12T08:00:00Z")),
        ("/commitmentEndDate", json!("2027-01-12T00:00:00Z")),
        ("/cancellationAllowedUntilDate", json!("2026-01-19T08:00:00Z")),
        ("/termDuration", json!("P1Y")),
        ("/billingCycle", json!("monthly")),
        ("/autoRenewEnabled", json!(true)),
        ("/refundableQuantity/totalQuantity", json!(10)),
        ("/attributes/objectType", json!("Subscription")),
    ] {
        assert_eq!(got.body.pointer(pointer), Some(&value), "{pointer}");
    }
    assert!(got.body["attributes"]["etag"].is_null());
    let list = site.get(&format!("/v1/customers/{}/subscriptions", guid(1))).await;
    assert_eq!((list.body["totalCount"].clone(), &list.body["items"][0]), (json!(1), &got.body));
    let order = got.text("/orderId");
    for (query, count) in [(order.as_str(), 1), ("elsewhere", 0)] {
        let path = format!("/v1/customers/{}/subscriptions?order_id={query}", guid(1));
        assert_eq!(site.get(&path).await.body["totalCount"], count);
    }
    site.switch(json!({"newCommerceEtag": "empty"})).await;
    assert_eq!(site.get(&path()).await.body["attributes"]["etag"], "");
}

/// Partner Center sheet §2 Codes: 404/20003 not found, 403/20002 someone else's.
#[tokio::test]
async fn unknown_subscriptions_and_foreign_customers_are_refused() {
    let site = site(json!({})).await;
    let unknown = format!("/v1/customers/{}/subscriptions/{}", guid(1), guid(8));
    assert_eq!(site.get(&unknown).await.refusal(), "404/20003");
    let foreign = format!("/v1/customers/{}/subscriptions", guid(2));
    assert_eq!(site.get(&foreign).await.refusal(), "403/20002");
}

/// Partner Center sheet §6: suspend and reactivate; each is a change of status alone.
#[tokio::test]
async fn a_subscription_is_suspended_and_reactivated() {
    let site = site(json!({})).await;
    let done = change(&site, |s| s["status"] = json!("suspended")).await;
    assert_eq!((done.status, done.text("/Status")), (200, "suspended".to_owned()));
    let quantity = change(&site, |s| s["quantity"] = json!(5)).await;
    assert_eq!(quantity.refusal(), "400/2001");
    assert_eq!(change(&site, |s| s["status"] = json!("active")).await.status, 200);
    assert_eq!(change(&site, |s| s["status"] = json!("pending")).await.refusal(), "400/800096");
    assert_eq!(site.effects("subscription-updated"), [guid(9), guid(9)]);
}

/// Partner Center sheet §6: new commerce is cancelled by status deleted within its window.
#[tokio::test]
async fn a_cancellation_within_the_window_is_final() {
    let site = site(json!({"boughtDaysAgo": 6})).await;
    let done = change(&site, |s| s["status"] = json!("deleted")).await;
    assert_eq!(done.text("/Status"), "deleted");
    assert_eq!(change(&site, |s| s["status"] = json!("active")).await.refusal(), "400/2011");
    let none = json!({"relationshipToPartner": "none"});
    assert_eq!(site.patch(&format!("/v1/customers/{}", guid(1)), none).await.status, 200);
}

/// Partner Center sheet §6: past the window the code is unverified.
#[tokio::test]
async fn a_cancellation_past_the_window_is_refused_under_each_spelling() {
    let site = site(json!({"boughtDaysAgo": 8})).await;
    for (switch, refusal) in
        [("400-900117", "400/900117"), ("400-900213", "400/900213"), ("400-800096", "400/800096")]
    {
        site.switch(json!({"lateCancellation": switch})).await;
        assert_eq!(change(&site, |s| s["status"] = json!("deleted")).await.refusal(), refusal);
    }
    assert_eq!(site.get(&path()).await.text("/status"), "active");
}

/// Partner Center sheet §6 quantity: up any time, down within the window of what was added.
#[tokio::test]
async fn seats_grow_any_time_and_shrink_only_within_their_window() {
    let site = site(json!({"quantity": 10, "boughtDaysAgo": 8})).await;
    for (switch, refusal) in
        [("400-800090", "400/800090"), ("400-900257", "400/900257"), ("400-900214", "400/900214")]
    {
        site.switch(json!({"lateReduction": switch})).await;
        assert_eq!(change(&site, |s| s["quantity"] = json!(9)).await.refusal(), refusal);
    }
    assert_eq!(change(&site, |s| s["quantity"] = json!(12)).await.status, 200);
    assert_eq!(site.get(&path()).await.body["refundableQuantity"]["totalQuantity"], 2);
    assert_eq!(change(&site, |s| s["quantity"] = json!(9)).await.status, 400);
    assert_eq!(change(&site, |s| s["quantity"] = json!(10)).await.status, 200);
    for bounds in [0, 301] {
        assert_eq!(change(&site, |s| s["quantity"] = json!(bounds)).await.refusal(), "400/2002");
    }
}

/// Partner Center sheet §6: what is omitted is reset; scheduling needs automatic renewal.
#[tokio::test]
async fn what_a_patch_omits_is_reset_and_a_schedule_needs_renewal() {
    let site = site(json!({"quantity": 10})).await;
    let next = json!({"product": {"productId": "CFQ7TTC0LH18", "skuId": "0001"}, "quantity": 8});
    assert_eq!(change(&site, |s| s["scheduledNextTermInstructions"] = next.clone()).await.status, 200);
    assert_eq!(site.get(&path()).await.body["scheduledNextTermInstructions"], next);
    let refused = change(&site, |s| s["autoRenewEnabled"] = json!(false)).await;
    assert_eq!(refused.refusal(), "400/800093");
    let suspended = change(&site, |s| s["status"] = json!("suspended")).await;
    assert_eq!(suspended.status, 200);
    assert_eq!(change(&site, |s| s["friendlyName"] = json!("x")).await.refusal(), "400/800091");
    let bare = json!({"id": guid(9), "status": "active", "quantity": 10});
    assert_eq!(site.patch(&path(), bare).await.status, 200);
    let now = site.get(&path()).await.body;
    assert_eq!(now["autoRenewEnabled"], false);
    assert!(now["scheduledNextTermInstructions"].is_null());
}

/// Partner Center sheet §6: at its end a term renews with what was scheduled.
#[tokio::test]
async fn a_term_renews_with_the_scheduled_seats_and_a_new_window() {
    let mut site = site(json!({"quantity": 10, "boughtDaysAgo": 364})).await;
    let next = json!({"quantity": 8});
    assert_eq!(change(&site, |s| s["scheduledNextTermInstructions"] = next).await.status, 200);
    site.advance("P1D");
    site.sign_in().await;
    let renewed = site.get(&path()).await.body;
    assert_eq!((&renewed["quantity"], &renewed["status"]), (&json!(8), &json!("active")));
    assert_eq!(renewed["effectiveStartDate"], "2026-01-13T00:00:00Z");
    assert_eq!(renewed["refundableQuantity"]["totalQuantity"], 8);
}

/// Partner Center sheet §6: without automatic renewal the end of the term is the end.
#[tokio::test]
async fn a_term_without_renewal_expires() {
    let site = site(json!({"boughtDaysAgo": 400, "autoRenew": false})).await;
    assert_eq!(site.get(&path()).await.text("/status"), "expired");
    assert_eq!(change(&site, |s| s["status"] = json!("active")).await.refusal(), "400/2011");
}

/// Partner Center sheet §6: 202 and a Location to poll, the change visible at once or later.
#[tokio::test]
async fn a_patch_can_be_accepted_and_done_later() {
    let site = site(json!({})).await;
    site.switch(json!({"subscriptionPatch": "202"})).await;
    let accepted = change(&site, |s| s["status"] = json!("suspended")).await;
    assert_eq!((accepted.status, accepted.raw.len()), (202, 0));
    assert_eq!(accepted.header("Location"), path().trim_start_matches("/v1"));
    assert_eq!(site.get(&path()).await.text("/status"), "suspended");
    site.switch(json!({"subscriptionPatch": "202-after-60s"})).await;
    assert_eq!(change(&site, |s| s["status"] = json!("active")).await.status, 202);
    assert_eq!(site.get(&path()).await.text("/status"), "suspended");
    site.advance("PT1M");
    assert_eq!(site.get(&path()).await.text("/status"), "active");
}

/// Partner Center sheet §2 ETag: legacy ones carry base64 of id and version; stale is refused.
#[tokio::test]
async fn a_legacy_subscription_has_an_etag_that_goes_stale() {
    let site = site(json!({"commerce": "legacy"})).await;
    let whole = site.get(&path()).await.body;
    assert!(whole["productType"].is_null());
    let etag = whole["attributes"]["etag"].as_str().expect("an etag").to_owned();
    assert!(etag.starts_with("eyJpZCI6"), "base64 of {{\"id\":…");
    let mut suspended = whole.clone();
    suspended["status"] = json!("suspended");
    let quoted = format!("\"{etag}\"");
    let headers = [("If-Match", quoted.as_str())];
    assert_eq!(site.call("PATCH", &path(), Some(suspended.clone()), &headers).await.status, 200);
    assert_eq!(site.call("PATCH", &path(), Some(suspended), &headers).await.refusal(), "400/2055");
    assert_eq!(change(&site, |s| s["status"] = json!("deleted")).await.refusal(), "400/800096");
}

/// Partner Center sheet §2 Codes: 409/800082 not ready; §6 provisioningstatus.
#[tokio::test]
async fn a_subscription_that_is_not_provisioned_yet_says_so() {
    let site = site(json!({"readyInSeconds": 600, "quantity": 3})).await;
    let status = format!("{}/provisioningstatus", path());
    assert_eq!(site.get(&status).await.text("/status"), "pending");
    assert_eq!(change(&site, |s| s["quantity"] = json!(5)).await.refusal(), "409/800082");
    site.advance("PT10M");
    let ready = site.get(&status).await;
    assert_eq!((ready.text("/status"), &ready.body["quantity"]), ("success".to_owned(), &json!(3)));
    assert_eq!(change(&site, |s| s["quantity"] = json!(5)).await.status, 200);
}

/// Partner Center sheet §6: what a subscription is cannot be changed.
#[tokio::test]
async fn the_offer_of_a_subscription_is_fixed() {
    let site = site(json!({})).await;
    assert_eq!(change(&site, |s| s["offerId"] = json!("other")).await.refusal(), "400/3000");
    assert_eq!(change(&site, |s| s["id"] = json!(guid(8))).await.refusal(), "400/3000");
}

/// Partner Center sheet §6: a person buys and cancels; past the window only when forced.
#[tokio::test]
async fn a_person_buys_and_cancels() {
    let site = Site::open(json!({"customers": [{"tenantId": guid(1), "companyName": "A"}]})).await;
    let base = format!("customers/{}/subscriptions", guid(1));
    let bought = site.click("POST", &base, json!({"quantity": 4})).await;
    let id = bought.text("/id");
    let path = format!("/v1/customers/{}/subscriptions/{id}", guid(1));
    assert_eq!(site.get(&path).await.body["quantity"], 4);
    site.advance("P8D");
    let cancel = format!("{base}/{id}/cancel");
    assert_eq!(site.click("POST", &cancel, json!({})).await.status, 409);
    assert_eq!(site.click("POST", &cancel, json!({"force": true})).await.status, 204);
    assert_eq!(site.effects("subscription-bought"), [id.as_str()]);
    assert_eq!(site.effects("subscription-cancelled"), [id]);
}
