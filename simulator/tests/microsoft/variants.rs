//! Partner Center sheet, everything unknown, inferred or unverified: the same work under every switch.

use serde_json::{Value, json};
use tenantry_simulator::microsoft::Switches;

use crate::{Site, guid, new_customer};

/// Under every single deviation a careful client gets the same things done, each once.
#[tokio::test]
async fn a_careful_client_has_the_same_effect_under_every_switch() {
    for (name, _) in Switches::all_variants() {
        let change = match name.split_once('=') {
            Some((switch, value)) => json!({switch: value}),
            None => json!({}),
        };
        let customers =
            json!([{"tenantId": guid(1), "companyName": "A", "subscriptions": [{"id": guid(9)}]}]);
        let site = Site::open(json!({"customers": customers, "switches": change})).await;

        let made = site.create_once(new_customer("fabrikam.onmicrosoft.com"), &guid(71)).await;
        assert_eq!(made.status, 201, "{name}");
        site.create_once(new_customer("fabrikam.onmicrosoft.com"), &guid(71)).await;
        assert_eq!(site.effects("customer-created"), [made.text("/id")], "{name}");

        let base = format!("/v1/customers/{}", guid(1));
        let profile = site.get(&format!("{base}/profiles/billing")).await.body;
        let etag = format!("\"{}\"", profile["attributes"]["etag"].as_str().unwrap_or_default());
        let headers = [("If-Match", etag.as_str())];
        let put = site.call("PUT", &format!("{base}/profiles/billing"), Some(profile), &headers).await;
        assert_eq!(put.status, 200, "{name}");

        let blocked = site.patch(&base, json!({"relationshipToPartner": "none"})).await;
        assert!((400..500).contains(&blocked.status), "{name}");
        let subscription = format!("{base}/subscriptions/{}", guid(9));
        let mut whole = site.get(&subscription).await.body;
        whole["status"] = json!("deleted");
        let cancelled = site.patch(&subscription, whole).await;
        assert!([200, 202].contains(&cancelled.status), "{name}");
        site.advance("PT1M");
        let removed = site.patch(&base, json!({"relationshipToPartner": "none"})).await;
        assert_eq!(removed.status, 200, "{name}");
        assert_eq!(site.effects("relationship-removed"), [guid(1)], "{name}");

        site.advance("PT15M");
        let mut listed = Vec::new();
        for _ in 0..3 {
            listed = site.listed().await;
        }
        assert_eq!(listed, [made.text("/id")], "{name}");
    }
}

/// Partner Center sheet §3 Relationship request link: a customer can decline, or ignore the mail.
#[tokio::test]
async fn a_customer_who_declines_or_ignores_is_no_customer() {
    let prospects = json!([{"tenantId": guid(1), "companyName": "A", "domain": "a.example"}]);
    let site = Site::open(json!({"prospects": prospects})).await;
    let link = site.get("/v1/customers/relationshiprequests").await.text("/url");
    for act in ["decline", "ignore"] {
        let mail = format!("From: a@acme.example\nTo: it@a.example\nSubject: x\n\n{link}\n");
        let id = site.sim.mailbox().deliver_eml(&mail, site.sim.clock().now());
        let done = site.post_at_root(&format!("/_sim/mailbox/{id}/{act}"), Value::Null).await;
        assert!([200, 204].contains(&done.status), "{act}");
        assert_eq!(site.listed().await, [""; 0], "{act}");
    }
    assert_eq!(site.effects("relationship-accepted"), [""; 0]);
}

/// Partner Center sheet §2 Codes: each refusal of the catalogue is asserted by a test of its endpoint, spelled as the vendor does.
#[test]
fn every_refusal_of_partner_center_has_a_test() {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/microsoft");
    let mut text = String::new();
    for file in std::fs::read_dir(&tests).expect("there are tests") {
        text += &std::fs::read_to_string(file.expect("a file").path()).expect("a test is text");
    }
    for (name, code) in tenantry_simulator::microsoft::errors::ALL {
        let spelled = format!("\"{}/{}\"", code.status, code.code);
        assert!(text.contains(&spelled), "no test expects {spelled} ({name})");
    }
}
