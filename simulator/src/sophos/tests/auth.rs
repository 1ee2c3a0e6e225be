//! Sophos sheet §1: token, whoami, identity headers; §3: the error object.

use std::collections::BTreeSet;

use jiff::ToSpan;
use serde_json::{Value, json};

use super::Bench;
use crate::sophos::Credentials;

#[tokio::test]
async fn sophos_1_a_token_has_exactly_the_seven_keys_that_clients_know() {
    let bench = Bench::new().await;
    let token: Value = bench.token_for(&bench.partner.credentials()).await.json().await.unwrap();
    let keys: BTreeSet<&str> = token.as_object().unwrap().keys().map(String::as_str).collect();
    let known =
        ["access_token", "refresh_token", "token_type", "trackingId", "expires_in", "errorCode", "message"];
    assert_eq!(keys, BTreeSet::from(known));
    assert_eq!((token["expires_in"].as_i64(), token["errorCode"].as_str()), (Some(3600), Some("success")));
}

#[tokio::test]
async fn sophos_1_a_wrong_secret_is_401_invalid_client_secret() {
    let bench = Bench::new().await;
    let wrong = Credentials { client_secret: "wrong".to_owned(), ..bench.partner.credentials() };
    let answer = bench.token_for(&wrong).await;
    assert_eq!(answer.status(), 401);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(
        (&body["errorCode"], &body["message"]),
        (&json!("oauth.invalid_client_secret"), &json!("Unauthorized"))
    );
}

#[tokio::test]
async fn sophos_1_an_unknown_client_is_401_or_400_by_switch() {
    let bench = Bench::new().await;
    let unknown = Credentials {
        client_id: "00000000-0000-0000-0000-000000000001".to_owned(),
        client_secret: "x".to_owned(),
    };
    let answer = bench.token_for(&unknown).await;
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.json::<Value>().await.unwrap()["errorCode"], "oauth.client_app_does_not_exist");
    bench.switch(&json!({"unknownClient": "400"}));
    assert_eq!(bench.token_for(&unknown).await.status(), 400);
}

#[tokio::test]
async fn sophos_1_a_malformed_token_request_is_400_customer_validation() {
    let bench = Bench::new().await;
    let bad_id = Credentials { client_id: "not-an-id".to_owned(), ..bench.partner.credentials() };
    let answer = bench.token_for(&bad_id).await;
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.json::<Value>().await.unwrap()["errorCode"], "customer.validation");
    let without_scope = [("grant_type", "client_credentials"), ("client_id", "x"), ("client_secret", "y")];
    let answer =
        bench.http.post(bench.url("/api/v2/oauth2/token")).form(&without_scope).send().await.unwrap();
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn sophos_1_a_refresh_token_is_taken_as_json() {
    let bench = Bench::new().await;
    let credentials = bench.partner.credentials();
    let body = json!({"grant_type": "refresh_token", "refresh_token": "any",
        "client_id": credentials.client_id, "client_secret": credentials.client_secret});
    let answer = bench.http.post(bench.url("/api/v2/oauth2/token")).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn sophos_1_an_expired_credential_gets_no_token() {
    let bench = Bench::new().await;
    let seed = json!({"sophos": {"acme": {"credentials": [{
        "clientId": "00000000-0000-0000-0000-000000000009", "clientSecret": "s", "expires": "2026-02-01T00:00:00Z"}]}}});
    bench.running.seed(&seed).unwrap();
    let credentials = Credentials {
        client_id: "00000000-0000-0000-0000-000000000009".to_owned(),
        client_secret: "s".to_owned(),
    };
    assert_eq!(bench.token_for(&credentials).await.status(), 200);
    bench.running.clock().advance(30.days()).unwrap();
    assert_eq!(bench.token_for(&credentials).await.status(), 401);
}

#[tokio::test]
async fn sophos_1_whoami_names_a_partner_without_a_data_region() {
    let bench = Bench::new().await;
    let request = bench.http.get(bench.url("/whoami/v1")).bearer_auth(&bench.token);
    let (status, who) = bench.send(request).await;
    assert_eq!(status, 200);
    let expected = json!({"id": bench.partner.partner_id(), "idType": "partner",
        "apiHosts": {"global": bench.partner.url()}});
    assert_eq!(who, expected);
}

#[tokio::test]
async fn sophos_1_whoami_names_organizations_and_tenants() {
    let mut bench = Bench::new().await;
    let tenant = bench.tenant("Muster AG", "trial").await;
    bench.login(&bench.partner.add_tenant_credentials(tenant)).await;
    let (_, who) = bench.get("/whoami/v1").await;
    assert_eq!((&who["idType"], &who["id"]), (&json!("tenant"), &json!(tenant)));
    assert_eq!(who["apiHosts"]["dataRegion"], bench.partner.url());
    bench.login(&bench.partner.add_organization_credentials(uuid::Uuid::from_u128(5))).await;
    let (_, who) = bench.get("/whoami/v1").await;
    assert_eq!(who["idType"], "organization");
    assert!(who["apiHosts"].get("dataRegion").is_none());
}

#[tokio::test]
async fn sophos_1_the_global_host_may_end_in_a_slash_and_ids_may_be_urns() {
    let bench = Bench::new().await;
    bench.switch(&json!({"globalHost": "trailing-slash", "idSpelling": "urn"}));
    let (_, who) = bench.get("/whoami/v1").await;
    assert_eq!(who["apiHosts"]["global"], format!("{}/", bench.partner.url()));
    assert_eq!(who["id"], format!("urn:uuid:{}", bench.partner.partner_id()));
}

#[tokio::test]
async fn sophos_3_no_token_and_an_old_token_are_401_with_the_error_object() {
    let bench = Bench::new().await;
    let (status, error) = bench.send(bench.http.get(bench.url("/whoami/v1"))).await;
    assert_eq!(status, 401);
    assert_eq!((&error["error"], &error["message"]), (&json!("notAuthorized"), &json!("Not authorized.")));
    assert!(error["correlationId"].is_string() && error["requestId"].is_string());
    assert_eq!(bench.get("/whoami/v1").await.0, 200);
    bench.running.clock().advance(3599.seconds()).unwrap();
    assert_eq!(bench.get("/whoami/v1").await.0, 200);
    bench.running.clock().advance(1.second()).unwrap();
    assert_eq!(bench.get("/whoami/v1").await.0, 401);
}

#[tokio::test]
async fn sophos_3_the_error_object_is_spelled_as_the_switch_says() {
    let bench = Bench::new().await;
    let missing = "/partner/v1/tenants/00000000-0000-0000-0000-000000000001";
    bench.switch(&json!({"errorBody": "words"}));
    let (_, error) = bench.get(missing).await;
    assert_eq!(error["error"], "NotFound");
    assert!(error.get("message").is_none() && error["createdAt"].is_string());
    bench.switch(&json!({"errorBody": "full"}));
    let (_, error) = bench.get(missing).await;
    assert!(["code", "createdAt", "docUrl", "message"].iter().all(|k| error[*k].is_string()));
    bench.switch(&json!({"errorBody": "empty"}));
    assert_eq!(bench.get(missing).await, (404, Value::Null));
}

#[tokio::test]
async fn sophos_10_a_missing_partner_header_is_401_400_or_403_by_switch() {
    let bench = Bench::new().await;
    for (value, expected) in [("401", 401), ("400", 400), ("403", 403)] {
        bench.switch(&json!({"missingIdentityHeader": value}));
        let request = bench.http.get(bench.url("/partner/v1/tenants")).bearer_auth(&bench.token);
        assert_eq!(bench.send(request).await.0, expected);
    }
}

#[tokio::test]
async fn sophos_10_a_foreign_partner_header_is_403_or_401_by_switch() {
    let bench = Bench::new().await;
    for (value, expected) in [("403", 403), ("401", 401)] {
        bench.switch(&json!({"foreignIdentityHeader": value}));
        let request = bench.http.get(bench.url("/partner/v1/tenants")).bearer_auth(&bench.token);
        let request = request.header("x-partner-id", "00000000-0000-0000-0000-000000000001");
        assert_eq!(bench.send(request).await.0, expected);
    }
}

#[tokio::test]
async fn sophos_1_header_names_have_no_case() {
    let bench = Bench::new().await;
    let request = bench.http.get(bench.url("/partner/v1/tenants")).bearer_auth(&bench.token);
    let request = request.header("X-partner-id", bench.partner.partner_id().to_string());
    assert_eq!(bench.send(request).await.0, 200);
}

#[tokio::test]
async fn sophos_1_a_read_only_service_principal_reads_and_may_not_write() {
    let mut bench = Bench::new().await;
    bench.login(&bench.partner.add_credentials(true)).await;
    assert_eq!(bench.get("/partner/v1/tenants").await.0, 200);
    assert_eq!(bench.create(&super::body("Muster AG", "trial")).await.0, 403);
    bench.switch(&json!({"readOnlyWrite": "401"}));
    assert_eq!(bench.create(&super::body("Muster AG", "trial")).await.0, 401);
    assert_eq!(bench.effects("tenant-created"), 0);
}

#[tokio::test]
async fn what_no_document_names_is_not_there() {
    let bench = Bench::new().await;
    let tenant = bench.tenant("Muster AG", "trial").await;
    let one = format!("/partner/v1/tenants/{tenant}");
    assert_eq!(bench.send(bench.request("DELETE", &one)).await.0, 405);
    assert_eq!(bench.send(bench.request("PUT", &one)).await.0, 405);
    assert_eq!(bench.get("/partner/v1/provisioning").await.0, 404);
    assert_eq!(bench.get("/partner/v1/groups").await.0, 404);
    assert_eq!(bench.send(bench.request("POST", "/whoami/v1")).await.0, 405);
}
