//! Sophos sheet §7 and §8: what a person clicks, and what the console refuses.

use jiff::ToSpan;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Bench;

impl Bench {
    fn click(&self, tenant: Uuid, what: &str, body: impl Into<Value>) -> Result<Value, String> {
        self.partner.click(&format!("tenants/{tenant}/{what}"), &body.into()).map_err(|refused| refused.code)
    }

    fn seed_term(&self, end: &str) -> Uuid {
        let id = Uuid::from_u128(42);
        let seed = json!({"sophos": {"acme": {"tenants": [{"name": "Term", "id": id, "billingType": "term",
            "licenses": [{"product": "CIXA", "type": "term", "startDate": "2024-01-01", "endDate": end}]}]}}});
        self.running.seed(&seed).unwrap();
        id
    }
}

#[tokio::test]
async fn sophos_8_update_billing_turns_a_trial_into_a_monthly_account_in_place() {
    let bench = Bench::new().await;
    let id = bench.tenant("Muster AG", "trial").await;
    let unconfirmed = bench.click(id, "update-billing", json!({"to": "usage"}));
    assert_eq!(unconfirmed.unwrap_err(), "not-confirmed");
    bench.click(id, "update-billing", json!({"to": "usage", "confirm": true})).unwrap();
    let (_, one) = bench.get(&format!("/partner/v1/tenants/{id}")).await;
    assert_eq!((&one["billingType"], &one["id"]), (&json!("usage"), &json!(id)));
    let (_, body) = bench.licenses(&id.to_string()).await;
    let kinds: Vec<&Value> = body["licenses"].as_array().unwrap().iter().map(|l| &l["type"]).collect();
    assert_eq!(kinds, ["trial", "usage"]);
    assert_eq!(body["licenses"][0]["endDate"], "2026-01-11", "every trial ended");
}

#[tokio::test]
async fn sophos_8_update_billing_needs_flex_and_the_ticks_of_the_form() {
    let bench = Bench::new().await;
    let trial = bench.tenant("Muster AG", "trial").await;
    let term = bench.seed_term("2027-01-01");
    assert_eq!(bench.click(term, "update-billing", json!({"to": "usage"})).unwrap_err(), "not-immediate");
    let ticked = json!({"to": "usage", "immediately": true});
    assert_eq!(bench.click(term, "update-billing", ticked).unwrap_err(), "no-products");
    assert_eq!(bench.click(term, "update-billing", json!({"to": "term"})).unwrap_err(), "same-billing");
    let complete = json!({"to": "usage", "immediately": true, "products": ["CIXA-MSP"]});
    bench.click(term, "update-billing", complete.clone()).unwrap();
    assert_eq!(bench.click(term, "update-billing", json!({"to": "term"})).unwrap_err(), "no-key");
    bench.click(term, "update-billing", json!({"to": "term", "key": "K-1"})).unwrap();
    assert_eq!(bench.partner.tenant(term).unwrap().billing_type, "term");
    bench.running.seed(&json!({"sophos": {"acme": {"flex": false}}})).unwrap();
    let without = bench.click(trial, "update-billing", json!({"to": "usage", "confirm": true}));
    assert_eq!(without.unwrap_err(), "needs-flex");
}

#[tokio::test]
async fn sophos_7_change_licenses_is_for_monthly_accounts() {
    let bench = Bench::new().await;
    let usage = bench.tenant("Muster AG", "usage").await;
    let trial = bench.tenant("Trial AG", "trial").await;
    let wanted = json!({"products": [{"code": "CEMA-MSP", "quantity": 5}]});
    assert_eq!(bench.click(trial, "change-licenses", wanted.clone()).unwrap_err(), "not-monthly");
    assert_eq!(bench.click(usage, "change-licenses", json!({"products": []})).unwrap_err(), "no-products");
    bench.click(usage, "change-licenses", wanted).unwrap();
    let (_, one) = bench.get(&format!("/partner/v1/tenants/{usage}")).await;
    assert_eq!(one["products"], json!([{"code": "CEMA-MSP"}]));
}

#[tokio::test]
async fn sophos_8_a_licence_key_ends_the_trial_of_its_product_and_works_once() {
    let bench = Bench::new().await;
    bench.partner.click("default-products", &json!({"products": ["CIXA", "CEMA"]})).unwrap();
    let id = bench.tenant("Muster AG", "trial").await;
    let key = json!({"key": "K-1", "product": "CIXA", "quantity": 10, "days": 365});
    bench.click(id, "apply-license-key", key.clone()).unwrap();
    assert_eq!(bench.click(id, "apply-license-key", key).unwrap_err(), "key-used");
    let facts = bench.partner.tenant(id).unwrap();
    assert_eq!(
        (facts.billing_type.as_str(), facts.products.as_slice()),
        ("term", &["CEMA".to_owned(), "CIXA".to_owned()][..])
    );
    bench
        .click(id, "apply-license-key", json!({"key": "K-2", "product": "CIXA", "quantity": 5, "days": 700}))
        .unwrap();
    let (_, body) = bench.licenses(&id.to_string()).await;
    let last = body["licenses"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["quantity"], &last["endDate"]),
        (&json!(15), &json!("2027-12-13")),
        "duplicate terms co-term"
    );
    let usage = bench.tenant("Monthly", "usage").await;
    let refused = bench.click(usage, "apply-license-key", json!({"key": "K-3", "product": "CIXA"}));
    assert_eq!(refused.unwrap_err(), "not-termed");
}

#[tokio::test]
async fn sophos_8_a_trial_is_unlinked_at_once_and_reads_as_the_switch_says() {
    let bench = Bench::new().await;
    let id = bench.tenant("Muster AG", "trial").await;
    bench.click(id, "unlink", json!({})).unwrap();
    let (_, page) = bench.get("/partner/v1/tenants").await;
    assert_eq!(page["items"], json!([]));
    let path = format!("/partner/v1/tenants/{id}");
    assert_eq!(bench.get(&path).await.0, 404);
    assert_eq!(bench.licenses(&id.to_string()).await.0, 403);
    bench.switch(&json!({"afterUnlink": "403"}));
    assert_eq!(bench.get(&path).await.0, 403);
}

#[tokio::test]
async fn sophos_11_an_unlinked_tenant_may_stay_listed_as_canceled() {
    let bench = Bench::new().await;
    bench.switch(&json!({"afterUnlink": "canceled"}));
    let id = bench.tenant("Muster AG", "trial").await;
    bench.click(id, "unlink", json!({})).unwrap();
    let (_, page) = bench.get("/partner/v1/tenants").await;
    assert_eq!(page["items"][0]["status"], "canceled");
}

#[tokio::test]
async fn sophos_8_a_monthly_account_leaves_on_the_first_of_the_next_month() {
    let bench = Bench::new().await;
    let id = bench.tenant("Muster AG", "usage").await;
    let seen = bench.click(id, "unlink", json!({})).unwrap();
    assert_eq!(seen["leaves"], "2026-02-01");
    assert_eq!(bench.click(id, "unlink", json!({})).unwrap_err(), "already-leaving");
    let path = format!("/partner/v1/tenants/{id}");
    bench.running.clock().set("2026-01-31T23:30:00Z".parse().unwrap()).unwrap();
    let mut bench = bench;
    bench.login(&bench.partner.credentials()).await;
    assert_eq!(bench.get(&path).await.0, 200);
    bench.running.clock().advance(30.minutes()).unwrap();
    assert_eq!(bench.get(&path).await.0, 404);
    assert_eq!(bench.get("/partner/v1/tenants").await.1["items"], json!([]));
}

#[tokio::test]
async fn sophos_8_a_term_account_is_unlinked_after_its_licence_and_sixty_days() {
    let bench = Bench::new().await;
    let id = bench.seed_term("2026-01-12");
    assert_eq!(bench.click(id, "unlink", json!({})).unwrap_err(), "active-license");
    bench.running.clock().advance(1.day()).unwrap();
    assert_eq!(bench.click(id, "unlink", json!({})).unwrap_err(), "reactivation-window");
    bench.running.clock().advance(58.days()).unwrap();
    assert_eq!(bench.click(id, "unlink", json!({})).unwrap_err(), "reactivation-window");
    bench.running.clock().advance(1.day()).unwrap();
    bench.click(id, "unlink", json!({})).unwrap();
}

#[tokio::test]
async fn sophos_8_an_active_term_account_leaves_once_its_licence_is_removed() {
    let bench = Bench::new().await;
    let id = bench.seed_term("2027-01-01");
    bench.click(id, "remove-license", json!({"product": "CIXA"})).unwrap();
    assert_eq!(bench.click(id, "remove-license", json!({"product": "CIXA"})).unwrap_err(), "no-license");
    bench.click(id, "unlink", json!({})).unwrap();
    assert_eq!(bench.click(id, "unlink", json!({})).unwrap_err(), "no-tenant");
}

#[tokio::test]
async fn sophos_8_name_shown_as_is_edited_by_a_person() {
    let bench = Bench::new().await;
    let id = bench.tenant("Muster AG", "trial").await;
    assert_eq!(bench.click(id, "show-as", json!({"showAs": " "})).unwrap_err(), "empty-name");
    bench.click(id, "show-as", json!({"showAs": "Muster Gruppe"})).unwrap();
    let (_, one) = bench.get(&format!("/partner/v1/tenants/{id}")).await;
    assert_eq!((&one["showAs"], &one["name"]), (&json!("Muster Gruppe"), &json!("Muster AG")));
}

#[tokio::test]
async fn sophos_8_groups_exist_first_and_belong_to_the_super_admin() {
    let bench = Bench::new().await;
    let id = bench.tenant("Muster AG", "trial").await;
    assert_eq!(bench.click(id, "groups", json!({"groups": ["Gold"]})).unwrap_err(), "no-group");
    let refused = bench.partner.click("groups", &json!({"name": "Gold", "as": "Partner Admin"})).unwrap_err();
    assert_eq!(refused.code, "not-super-admin");
    bench.partner.click("groups", &json!({"name": "Gold"})).unwrap();
    let as_admin = json!({"groups": ["Gold"], "as": "Partner Admin"});
    assert_eq!(bench.click(id, "groups", as_admin).unwrap_err(), "not-super-admin");
    let seen = bench.click(id, "groups", json!({"groups": ["Gold"]})).unwrap();
    assert_eq!(seen["groups"], json!(["Gold"]));
    let (_, one) = bench.get(&format!("/partner/v1/tenants/{id}")).await;
    assert!(one.get("groups").is_none(), "groups cannot be read over the wire");
}

#[tokio::test]
async fn a_click_over_http_is_logged_as_a_persons_and_not_as_a_write() {
    let bench = Bench::new().await;
    let id = bench.tenant("Muster AG", "trial").await;
    let mark = bench.running.log().mark();
    let url = format!("{}/_sim/sophos/acme/tenants/{id}/suspend", bench.running.base_url());
    assert_eq!(bench.http.post(url).send().await.unwrap().status(), 200);
    assert_eq!(bench.running.log().writes(mark), 0);
    let filter = crate::LogFilter { since: mark, effect: Some("tenant-suspended"), ..Default::default() };
    assert_eq!(bench.running.log().entries(&filter)[0].kind, crate::Kind::Ui);
    assert_eq!(bench.partner.tenant(id).unwrap().status, "suspended");
}
