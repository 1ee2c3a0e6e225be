//! What of a subscription counts, and until when it stands in the way.

use serde_json::json;

use super::*;

fn now() -> Timestamp {
    "2026-11-21T00:00:00Z".parse().unwrap()
}

fn read(over: &Json) -> LicenseRecord {
    let mut subscription = json!({
        "id": "AAAAAAAA-0000-4000-8000-000000000001",
        "offerId": "CFQ7TTC0LH18:0001:CFQ7TTC0K971", "offerName": "Microsoft 365 Business Basic",
        "productType": {"id": "OnlineServicesNCE"}, "quantity": 12, "status": "active", "autoRenewEnabled": false,
        "commitmentEndDate": "2027-03-01T00:00:00Z", "cancellationAllowedUntilDate": "2026-11-08T00:00:00Z",
    });
    for (key, value) in over.as_object().unwrap() {
        subscription[key] = value.clone();
    }
    record(&subscription, now()).unwrap()
}

#[test]
fn an_article_is_product_and_sku_because_the_rest_rotates() {
    assert_eq!(read(&json!({})).article.raw(), "CFQ7TTC0LH18:0001");
    assert_eq!(read(&json!({})).id.as_str(), "aaaaaaaa-0000-4000-8000-000000000001");
    let legacy = read(
        &json!({"offerId": "031c9e47-4802-4248-838e-778fb1d2cc05", "productType": {"id": "OnlineServices"}}),
    );
    assert_eq!(legacy.article.raw(), "031c9e47-4802-4248-838e-778fb1d2cc05");
}

#[test]
fn a_term_blocks_until_its_end_and_says_since_when_it_is_too_late() {
    let blocker = read(&json!({})).blocks_end.unwrap();
    assert_eq!(
        blocker.words,
        "subscription Microsoft 365 Business Basic (12) is active: cancelling was possible until 2026-11-08"
    );
    assert_eq!(blocker.until, Some("2027-03-01T00:00:00Z".parse().unwrap()));
    let open =
        read(&json!({"cancellationAllowedUntilDate": "2026-11-25T00:00:00Z", "autoRenewEnabled": true}));
    assert!(open.blocks_end.unwrap().words.ends_with(
        "it can be cancelled until 2026-11-25; it renews by itself unless automatic renewal is switched off"
    ));
}

#[test]
fn only_what_has_ended_stands_in_nobodys_way() {
    for (status, legacy, blocks, in_force) in [
        ("active", false, true, true),
        ("suspended", false, true, true),
        ("pending", false, true, true),
        ("disabled", false, true, false),
        ("deleted", false, false, false),
        ("expired", false, false, false),
        ("active", true, true, true),
        ("suspended", true, false, true),
        ("expired", true, false, false),
        ("notDocumentedYet", false, true, true),
        ("notDocumentedYet", true, true, true),
    ] {
        let offer = if legacy { "031c9e47" } else { "CFQ7TTC0LH18:0001:CFQ7TTC0K971" };
        let product = if legacy { "OnlineServices" } else { "OnlineServicesNCE" };
        let record = read(&json!({"status": status, "offerId": offer, "productType": {"id": product}}));
        assert_eq!(record.blocks_end.is_some(), blocks, "{status}, legacy {legacy}");
        assert_eq!(record.in_force, in_force, "{status}, legacy {legacy}");
    }
}

#[test]
fn what_the_next_term_brings_is_a_field_of_its_own() {
    let scheduled = read(&json!({"scheduledNextTermInstructions": {"quantity": 10}}));
    let field = |name: &str| {
        scheduled.fields.iter().find(|(field, _)| field.as_str() == name).map(|(_, value)| value.clone())
    };
    assert_eq!(field("quantity"), Some(Value::Number(12)));
    assert_eq!(field("renewal.quantity"), Some(Value::Number(10)));
    assert_eq!(field("autoRenew"), Some(Value::Bool(false)));
}

#[test]
fn a_subscription_without_an_id_is_none() {
    assert!(record(&json!({"offerId": "x"}), now()).is_none());
}
