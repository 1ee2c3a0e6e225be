//! The account under each of its switches: whatever the vendor turns out to do, it stays one account.

use serde_json::Value;

use super::{Bench, Switches, body};

#[tokio::test]
async fn under_every_switch_a_create_commits_once_or_says_why_not() {
    for (name, switches) in Switches::all_variants() {
        let bench = Bench::new().await;
        bench.partner.use_switches(switches);
        let (status, made) = bench.create(&body("Muster AG", "trial")).await;
        assert_eq!(status, 201, "{name}: {made}");
        let id = made["id"].as_str().unwrap().trim_start_matches("urn:uuid:").to_owned();
        assert_eq!(bench.effects("tenant-created"), 1, "{name}");

        let (status, one) = bench.get(&format!("/partner/v1/tenants/{id}")).await;
        assert_eq!((status, &one["name"]), (200, &Value::from("Muster AG")), "{name}");

        // Listed at once, after ten minutes at most, or after two calls.
        bench.get("/partner/v1/tenants").await;
        bench.get("/partner/v1/tenants").await;
        bench.running.clock().advance(jiff::Span::new().minutes(10)).unwrap();
        let (status, page) = bench.get("/partner/v1/tenants").await;
        assert_eq!((status, page["items"].as_array().map(Vec::len)), (200, Some(1)), "{name}");

        let (status, _) = bench.licenses(&id).await;
        assert_eq!(status, if name == "licenseReading=trials-refused" { 403 } else { 200 }, "{name}");
        bench.partner.click(&format!("tenants/{id}/unlink"), &Value::Null).unwrap();
        assert!(bench.partner.tenants()[0].unlinked, "{name}");
    }
}
