//! Partner Center sheet §2 Common wire rules.

use serde_json::{Value, json};
use tenantry_simulator::{Does, Fault, Kind, LogFilter};

use crate::{Site, guid, new_customer};

async fn site() -> Site {
    Site::open(
        json!({"customers": [{"tenantId": guid(1), "companyName": "A", "subscriptions": [{"id": guid(9)}]}]}),
    )
    .await
}

/// Partner Center sheet §2: the ids are echoed, doubled or others; MS-CV and MS-ServerId are added.
#[tokio::test]
async fn answers_echo_the_request_ids_or_not() {
    let site = site().await;
    let (request, correlation) = (guid(71), guid(72));
    let headers = [("MS-RequestId", request.as_str()), ("MS-CorrelationId", correlation.as_str())];
    let same = site.call("GET", "/v1/customers", None, &headers).await;
    assert_eq!(
        (same.header("MS-RequestId"), same.header("MS-CorrelationId")),
        (request.as_str(), correlation.as_str())
    );
    assert!(!same.header("MS-CV").is_empty() && !same.header("MS-ServerId").is_empty());
    site.switch(json!({"echoedIds": "doubled"})).await;
    let doubled = site.call("GET", "/v1/customers", None, &headers).await;
    assert_eq!(doubled.header("MS-RequestId"), format!("{request},{request}"));
    site.switch(json!({"echoedIds": "other"})).await;
    let other = site.call("GET", "/v1/customers", None, &headers).await;
    assert_ne!(other.header("MS-RequestId"), request);
    assert_eq!(other.header("MS-RequestId").len(), 36);
}

/// Partner Center sheet §2 JSON: `//` and a trailing `/` are tolerated, MS-Contract-Version is not required.
#[tokio::test]
async fn doubled_and_trailing_slashes_are_tolerated() {
    let site = site().await;
    for path in ["/v1//customers/", "//v1/customers?size=5", "/v1/Customers/"] {
        assert_eq!(site.get(path).await.body["totalCount"], 1, "{path}");
    }
    assert_eq!(site.get(&format!("/v1/customers/{}/", guid(1).to_uppercase())).await.status, 200);
}

/// Partner Center sheet §2 JSON: bodies may start with a byte order mark or a stray character.
#[tokio::test]
async fn a_body_can_start_with_a_mark_or_a_stray_character() {
    let site = site().await;
    for (switch, prefix) in [("byte-order-mark", "\u{feff}{"), ("stray-character", "?{")] {
        site.switch(json!({"bodyPrefix": switch})).await;
        let answer = site.get("/v1/customers").await;
        assert!(answer.raw.starts_with(prefix.as_bytes()), "{switch}");
    }
}

/// Partner Center sheet §2 Errors: code is a number in samples and text in the schema; source and data.
#[tokio::test]
async fn a_code_can_be_a_number_or_a_text() {
    let site = site().await;
    let path = format!("/v1/customers/{}", guid(2));
    let number = site.get(&path).await;
    assert_eq!(number.body["code"], 20002);
    assert_eq!(number.body["source"], "PartnerFD");
    assert!(number.body["data"].is_array());
    site.switch(json!({"codeType": "text"})).await;
    assert_eq!(site.get(&path).await.body["code"], "20002");
}

/// Partner Center sheet §2 JSON: enumerations and members that nobody knows yet.
#[tokio::test]
async fn unknown_values_and_members_can_appear() {
    let site = site().await;
    site.switch(json!({"enums": "unknown"})).await;
    let customer = site.get(&format!("/v1/customers/{}", guid(1))).await;
    assert_eq!(customer.text("/relationshipToPartner"), "partner_of_record");
    assert_eq!(customer.body["loyaltyTier"]["level"], "gold");
    let path = format!("/v1/customers/{}/subscriptions/{}", guid(1), guid(9));
    let subscription = site.get(&path).await.body;
    assert_eq!(subscription["status"], "paused_by_vendor");
    assert_eq!(site.patch(&path, subscription).await.status, 200, "sent back as it came, nothing changes");
}

/// Partner Center sheet §2: what is not there is 404/1000, what cannot be done with it 405.
#[tokio::test]
async fn unknown_paths_and_methods_are_refused() {
    let site = site().await;
    assert_eq!(site.get("/v1/nothing").await.refusal(), "404/1000");
    assert_eq!(site.call("DELETE", &format!("/v1/customers/{}", guid(1)), None, &[]).await.status, 405);
}

/// Partner Center sheet §2 Throttling: its own body, Retry-After, rejected calls count, key and endpoints.
#[tokio::test]
async fn throttling_has_its_own_body_and_counts_rejected_calls() {
    let site = site().await;
    site.switch(json!({"throttle": "5-per-minute"})).await;
    let path = format!("/v1/customers/{}", guid(1));
    for _ in 0..5 {
        assert_eq!(site.get(&path).await.status, 200);
    }
    site.advance("PT3S");
    let refused = site.get(&path).await;
    assert_eq!((refused.status, refused.header("Retry-After")), (429, "57"));
    assert_eq!(
        refused.body,
        json!({"statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds."})
    );
    assert_eq!(site.get("/v1/customers").await.status, 200, "the list is not throttled");
    site.switch(json!({"retryAfter": "missing"})).await;
    assert_eq!(site.get(&path).await.header("Retry-After"), "");
    site.advance("PT57S");
    assert_eq!(site.get(&path).await.status, 200);
}

/// Partner Center sheet §2 Throttling: the key is the partner, or partner and customer.
#[tokio::test]
async fn throttling_can_count_by_customer() {
    let customers =
        json!([{"tenantId": guid(1), "companyName": "A"}, {"tenantId": guid(2), "companyName": "B"}]);
    let site =
        Site::open(json!({"customers": customers, "switches": {"throttle": "5-per-minute-and-customer"}}))
            .await;
    for expected in [200, 200, 200, 200, 200, 429] {
        assert_eq!(site.get(&format!("/v1/customers/{}", guid(1))).await.status, expected);
    }
    assert_eq!(site.get(&format!("/v1/customers/{}", guid(2))).await.status, 200);
    site.switch(json!({"throttle": "500-per-minute"})).await;
    assert_eq!(site.get(&format!("/v1/customers/{}", guid(1))).await.status, 200);
}

/// Injected faults are spelled as the vendor spells them, and a lost answer still commits.
#[tokio::test]
async fn injected_faults_look_like_the_vendor() {
    let site = site().await;
    let faults = site.sim.faults();
    faults.add(Fault::status(429).at("microsoft/acme"));
    let throttled = site.get("/v1/customers").await;
    assert_eq!((throttled.status, &throttled.body["statusCode"]), (429, &json!(429)));
    faults.add(Fault::new(Does::ExpiredToken));
    assert_eq!(site.get("/v1/customers").await.refusal(), "401/400");
    faults.add(Fault::new(Does::StaleVersion));
    assert_eq!(site.get("/v1/customers").await.refusal(), "400/2055");
    faults.add(Fault::new(Does::Forbidden));
    assert_eq!(site.get("/v1/customers").await.refusal(), "403/1002");
    faults.add(Fault::status(500));
    assert_eq!(site.get("/v1/customers").await.refusal(), "500/500");
    faults.add(Fault::new(Does::Coded { status: 403, code: 900_309 }));
    let refused = site.call("GET", "/v1/customers", None, &[("MS-RequestId", "r-1")]).await;
    assert_eq!((refused.refusal().as_str(), refused.header("ms-requestid")), ("403/900309", "r-1"));
    faults.add(Fault::new(Does::Coded { status: 400, code: 50_076 }));
    let token = site.token(&[("grant_type", "client_credentials"), ("resource", crate::API)]).await;
    assert_eq!((token.status, &token.body["error_codes"]), (400, &json!([50_076])));
    faults.add(Fault::status(503));
    let graph = site.get("/v1.0/organization").await;
    assert_eq!((graph.status, graph.text("/error/code")), (503, "serviceNotAvailable".to_owned()));
    faults.add(Fault::status(503));
    let token = site.token(&[("grant_type", "client_credentials"), ("resource", crate::API)]).await;
    assert_eq!((token.status, token.text("/error")), (503, "temporarily_unavailable".to_owned()));
}

/// The request log: class, caller, effects, and no secret.
#[tokio::test]
async fn the_log_knows_class_caller_and_effect_of_each_request() {
    let site = Site::open(json!({})).await;
    site.get("/v1/customers").await;
    let made = site.create(new_customer("a.onmicrosoft.com")).await;
    let address = json!({"addressLine1": "1 St", "city": "B", "postalCode": "1", "country": "DE"});
    site.call("POST", "/v1/validations/address", Some(address), &[]).await;
    let log = site.sim.log().entries(&LogFilter::default());
    let kinds: Vec<Kind> = log.iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [Kind::Login, Kind::Login, Kind::Read, Kind::Write, Kind::Read]);
    let client = site.sim.microsoft("acme").look(|a, _| a.client_id.clone());
    assert!(log.iter().all(|e| e.client.as_deref() == Some(client.as_str())));
    assert_eq!(log[3].effects[0].id, made.text("/id"));
    let written = serde_json::to_string(&log).expect("plain data");
    let secret = site.sim.microsoft("acme").look(|a, _| a.client_secret.clone());
    assert!(!written.contains(&secret) && !written.contains(&made.text("/userCredentials/password")));
}

/// The switches are listed, readable and changeable over HTTP; a value that does not exist is refused.
#[tokio::test]
async fn switches_are_listed_and_checked() {
    let site = site().await;
    let table = site.click("GET", "switches/table", Value::Null).await;
    let names = table.body.as_array().map(Vec::len);
    assert_eq!(names, Some(tenantry_simulator::microsoft::Switches::TABLE.len()));
    assert_eq!(site.click("POST", "switches", json!({"domainTaken": "418"})).await.status, 422);
    assert_eq!(site.click("POST", "switches", json!({"colour": "red"})).await.status, 422);
    assert_eq!(site.click("GET", "switches", Value::Null).await.body["domainTaken"], "409-409");
}

/// A seed that says something unknown or impossible is refused.
#[tokio::test]
async fn a_bad_seed_is_refused() {
    let site = site().await;
    for bad in [
        json!({"colour": "red"}),
        json!({"customers": [{"domain": "nameless.example"}]}),
        json!({"customers": [{"companyName": "A", "tenantId": "1"}]}),
        json!({"customers": [{"companyName": "A", "domain": "x.example"}, {"companyName": "B", "domain": "x.example"}]}),
        json!({"switches": {"enums": "latin"}}),
    ] {
        assert!(site.sim.seed(&json!({"microsoft": {"acme": bad}})).is_err(), "{bad}");
    }
}
