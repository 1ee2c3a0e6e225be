//! Partner Center sheet §1: hosts, clouds, auth.

use serde_json::json;

use crate::{API, Site};

const CUSTOMERS: &str = "/v1/customers?size=10";

fn first_refresh(site: &Site) -> String {
    site.sim.microsoft("acme").look(|a, _| a.first_refresh.clone())
}

/// Partner Center sheet §1 Token request, v1 response: all numbers are text.
#[tokio::test]
async fn a_v1_client_credentials_answer_spells_numbers_as_text_and_holds_no_refresh_token() {
    let site = Site::open(json!({})).await;
    let answer = site.token(&[("grant_type", "client_credentials"), ("resource", API)]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["expires_in"], "3599");
    assert_eq!(answer.body["ext_expires_in"], "3599");
    assert_eq!(answer.body["expires_on"], (1_768_204_800 + 3599).to_string());
    assert_eq!(answer.body["not_before"], "1768204800");
    assert_eq!(answer.body["resource"], API);
    for absent in ["refresh_token", "id_token", "scope"] {
        assert!(answer.body[absent].is_null(), "{absent}");
    }
}

/// Partner Center sheet §1: a refresh may return a new refresh token; store it.
#[tokio::test]
async fn a_refresh_answers_a_new_refresh_token_that_works_in_turn() {
    let site = Site::open(json!({})).await;
    let old = first_refresh(&site);
    let first =
        site.token(&[("grant_type", "refresh_token"), ("refresh_token", &old), ("resource", API)]).await;
    assert_eq!(first.body["scope"], "user_impersonation");
    assert!(first.body["id_token"].is_string());
    let new = first.text("/refresh_token");
    assert_ne!(new, old);
    let second =
        site.token(&[("grant_type", "refresh_token"), ("refresh_token", &new), ("resource", API)]).await;
    assert_eq!(second.status, 200);
    let again =
        site.token(&[("grant_type", "refresh_token"), ("refresh_token", &old), ("resource", API)]).await;
    assert_eq!(again.status, 200, "by default the old token goes on working");
}

/// Partner Center sheet §1: whether the old one dies, and whether there is a new one, is open.
#[tokio::test]
async fn refresh_tokens_can_die_when_used_or_stay_the_same() {
    let site = Site::open(json!({})).await;
    site.switch(json!({"refreshTokens": "rotated-old-dies"})).await;
    let old = first_refresh(&site);
    let form = [("grant_type", "refresh_token"), ("refresh_token", old.as_str()), ("resource", API)];
    assert_eq!(site.token(&form).await.status, 200);
    let dead = site.token(&form).await;
    assert_eq!((dead.status, dead.text("/error")), (400, "invalid_grant".to_owned()));
    assert_eq!(dead.body["error_codes"], json!([50173]));

    let consent = site.click("POST", "consent", json!({})).await.text("/refreshToken");
    site.switch(json!({"refreshTokens": "omitted"})).await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", consent.as_str()), ("resource", API)];
    assert!(site.token(&form).await.body["refresh_token"].is_null());
    assert_eq!(site.token(&form).await.status, 200);
}

/// Partner Center sheet §1 v2 form: numeric expires_in, none of the v1 members.
#[tokio::test]
async fn the_v2_endpoint_spells_numbers_as_numbers() {
    let site = Site::open(json!({})).await;
    let path = format!("{}/oauth2/v2.0/token", site.tenant());
    let scope = format!("{API}/.default");
    let app = site.token_at(&path, &[("grant_type", "client_credentials"), ("scope", &scope)]).await;
    assert_eq!(app.body["expires_in"], 3599);
    for absent in ["expires_on", "not_before", "resource"] {
        assert!(app.body[absent].is_null(), "{absent}");
    }
    let scope = format!("{API}/user_impersonation");
    let old = first_refresh(&site);
    let user = site
        .token_at(&path, &[("grant_type", "refresh_token"), ("refresh_token", &old), ("scope", &scope)])
        .await;
    assert_eq!(user.status, 200);
    assert!(user.body["refresh_token"].is_string());
    let no_default = site.token_at(&path, &[("grant_type", "client_credentials"), ("scope", &scope)]).await;
    assert_eq!((no_default.status, no_default.text("/error")), (400, "invalid_scope".to_owned()));
}

/// A form and what it gets: status, error, number.
type Case<'a> = (&'a [(&'a str, &'a str)], u16, &'a str, u32);

/// Partner Center sheet §1 Token error body.
#[tokio::test]
async fn every_wrong_token_request_gets_its_own_error() {
    let site = Site::open(json!({})).await;
    let good = [("grant_type", "client_credentials"), ("resource", API)];
    let cases: [Case; 8] = [
        (&[("grant_type", "client_credentials")], 400, "invalid_request", 900_144),
        (&[good[0], good[1], ("client_id", "nobody")], 400, "unauthorized_client", 700_016),
        (&[good[0], good[1], ("client_secret", "wrong")], 401, "invalid_client", 7_000_215),
        (&[good[0], ("resource", "https://other.example")], 400, "invalid_resource", 500_011),
        (&[("grant_type", "password"), good[1]], 400, "unsupported_grant_type", 70_003),
        (
            &[("grant_type", "refresh_token"), good[1], ("refresh_token", "x")],
            400,
            "invalid_grant",
            9_002_313,
        ),
        (&[("grant_type", "authorization_code"), good[1], ("code", "x")], 400, "invalid_grant", 70_008),
        (&[("resource", API)], 400, "invalid_request", 900_144),
    ];
    for (form, status, error, number) in cases {
        let answer = site.token(form).await;
        assert_eq!((answer.status, answer.text("/error")), (status, error.to_owned()), "{form:?}");
        assert_eq!(answer.body["error_codes"], json!([number]));
        assert!(answer.text("/error_description").starts_with(&format!("AADSTS{number}: ")));
        for member in ["timestamp", "trace_id", "correlation_id"] {
            assert!(answer.body[member].is_string(), "{member}");
        }
    }
    let nowhere = site.token_at("elsewhere.example/oauth2/token", &good).await;
    assert_eq!(nowhere.body["error_codes"], json!([90002]));
}

/// Partner Center sheet §1: refresh tokens expire, and a person can take them back.
#[tokio::test]
async fn an_expired_or_revoked_refresh_token_is_refused() {
    let site = Site::open(json!({})).await;
    let old = first_refresh(&site);
    let form = [("grant_type", "refresh_token"), ("refresh_token", old.as_str()), ("resource", API)];
    site.advance("P91D");
    assert_eq!(site.token(&form).await.body["error_codes"], json!([700_082]));
    let fresh = site.click("POST", "consent", json!({"mfa": true})).await.text("/refreshToken");
    assert_eq!(site.click("POST", "consent/revoke", json!({})).await.status, 204);
    let form = [("grant_type", "refresh_token"), ("refresh_token", fresh.as_str()), ("resource", API)];
    assert_eq!(site.token(&form).await.body["error_codes"], json!([50173]));
}

/// Partner Center sheet §2 Codes, auth: 401/800001 token missing, 401/400 access denied.
#[tokio::test]
async fn a_missing_an_unknown_and_an_expired_token_are_refused_with_a_realm() {
    let mut site = Site::open(json!({})).await;
    let missing = site.call_as(None, "GET", CUSTOMERS, None, &[]).await;
    assert_eq!(missing.refusal(), "401/800001");
    assert!(missing.header("WWW-Authenticate").starts_with("OAuth realm=urn:cpsvc:cpid:{"));
    assert_eq!(site.call_as(Some("made-up"), "GET", CUSTOMERS, None, &[]).await.refusal(), "401/400");
    assert_eq!(site.get(CUSTOMERS).await.status, 200);
    site.advance("PT1H");
    assert_eq!(site.get(CUSTOMERS).await.refusal(), "401/400");
    site.sign_in().await;
    assert_eq!(site.get(CUSTOMERS).await.status, 200);
}

/// Partner Center sheet §2 Errors: the body of a 401 may be empty.
#[tokio::test]
async fn a_401_can_have_no_body() {
    let site = Site::open(json!({"switches": {"unauthorised": "empty"}})).await;
    let missing = site.call_as(None, "GET", CUSTOMERS, None, &[]).await;
    assert_eq!((missing.status, missing.raw.len()), (401, 0));
    assert!(missing.header("WWW-Authenticate").starts_with("OAuth realm"));
}

/// Partner Center sheet §1 MFA: 401 without a body for a user without it; app-only is exempt.
#[tokio::test]
async fn a_user_without_mfa_is_turned_away_without_a_body_and_an_application_is_not() {
    let site = Site::open(json!({"refreshTokenMfa": false})).await;
    let refused = site.get(CUSTOMERS).await;
    assert_eq!((refused.status, refused.raw.len()), (401, 0));
    assert_eq!(refused.header("WWW-Authenticate"), r#"Bearer error="invalid_token""#);
    assert_eq!(site.get_as_app(CUSTOMERS).await.status, 200);
    assert_eq!(reason(&site).await, "Unauthorized - MFA required");
}

/// The words of the status line, which clients of this kind do not hand out.
async fn reason(site: &Site) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let old = first_refresh(site);
    let form = [("grant_type", "refresh_token"), ("refresh_token", old.as_str()), ("resource", API)];
    let token = site.token(&form).await.text("/access_token");
    let address = site.sim.base_url().trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let request = format!(
        "GET /microsoft/acme{CUSTOMERS} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    let line = answer.lines().next().unwrap_or_default();
    line.trim_start_matches("HTTP/1.1 401 ").to_owned()
}

/// Partner Center sheet §1: audience graph.windows.net is retired; other audiences are no good either.
#[tokio::test]
async fn tokens_for_another_audience_are_refused() {
    let site = Site::open(json!({})).await;
    let token = |resource: &'static str| async {
        let form = [("grant_type", "client_credentials"), ("resource", resource)];
        site.token(&form).await.text("/access_token")
    };
    let retired = token("https://graph.windows.net").await;
    assert_eq!(site.call_as(Some(&retired), "GET", CUSTOMERS, None, &[]).await.refusal(), "401/900420");
    site.switch(json!({"retiredAudience": "401-400"})).await;
    assert_eq!(site.call_as(Some(&retired), "GET", CUSTOMERS, None, &[]).await.refusal(), "401/400");
    let graph = token("https://graph.microsoft.com").await;
    assert_eq!(site.call_as(Some(&graph), "GET", CUSTOMERS, None, &[]).await.refusal(), "401/400");
}

/// Partner Center sheet §1 Who may call what: app-only on an app+user operation is 403/900329.
#[tokio::test]
async fn an_application_alone_may_not_call_what_needs_a_user() {
    let id = crate::guid(1);
    let customers = json!([{"tenantId": id, "companyName": "A", "subscriptions": [{"id": crate::guid(9)}]}]);
    let site = Site::open(json!({"position": "indirect-provider", "customers": customers})).await;
    let paths = [
        format!("/v1/customers/{id}/profiles/company"),
        "/v1/customers/relationshiprequests".to_owned(),
        format!("/v1/customers/{id}/relationships"),
        "/v1/relationships?relationship_type=IsIndirectCloudSolutionProviderOf".to_owned(),
        format!("/v1/customers/{id}/subscriptions/{}/provisioningstatus", crate::guid(9)),
        "/v1/profiles/mpn".to_owned(),
        format!("/v1/compliance/csp/agreementstatus?tenantId={id}"),
    ];
    for path in paths {
        assert_eq!(site.get_as_app(&path).await.refusal(), "403/900329", "{path}");
        assert_ne!(site.get(&path).await.refusal(), "403/900329", "{path}");
    }
    for path in [
        format!("/v1/customers/{id}"),
        format!("/v1/customers/{id}/profiles/billing"),
        "/v1/auditrecords".to_owned(),
    ] {
        assert_eq!(site.get_as_app(&path).await.status, 200, "{path}");
    }
}
