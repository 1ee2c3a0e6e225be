//! Partner Center sheet §3: domain check, address check, MPN profile, agreement status.

use serde_json::{Value, json};

use crate::{Site, guid};

/// Partner Center sheet §3 Domain check: 200 taken, 404 free, no body.
#[tokio::test]
async fn a_domain_is_taken_by_any_tenant_not_only_by_ours() {
    let site =
        Site::open(json!({"prospects": [{"tenantId": guid(1), "companyName": "A", "domain": "a.example"}]}))
            .await;
    for (domain, status) in [("a.example", 200), ("b.example", 404)] {
        let answer = site.call("HEAD", &format!("/v1/domains/{domain}"), None, &[]).await;
        assert_eq!((answer.status, answer.raw.len()), (status, 0), "{domain}");
    }
}

/// Partner Center sheet §2 Errors: HEAD errors have empty bodies.
#[tokio::test]
async fn a_refused_head_has_no_body() {
    let site = Site::open(json!({})).await;
    let refused = site.call_as(None, "HEAD", "/v1/domains/a.example", None, &[]).await;
    assert_eq!((refused.status, refused.raw.len()), (401, 0));
}

/// Partner Center sheet §3 Address check: a bad address is a status, not an error.
#[tokio::test]
async fn an_address_is_judged_by_its_status() {
    let site = Site::open(json!({})).await;
    let check = |line: &str, code: &str| {
        let body = json!({"addressLine1": line, "city": "Redmond", "state": "WA", "postalCode": code, "country": "US"});
        let site = &site;
        async move { site.call("POST", "/v1/validations/address", Some(body), &[]).await }
    };
    let good = check("1 Main St", "98052").await;
    assert_eq!((good.status, good.text("/status")), (200, "VerifiedShippable".to_owned()));
    assert_eq!(good.body["originalAddress"]["city"], "Redmond");
    assert_eq!(good.body["suggestedAddresses"], json!([]));
    assert_eq!(check("Main St", "98052").await.text("/status"), "StreetPartial");
    let bad = check("1 Main St", "00000").await;
    assert_eq!((bad.status, bad.text("/status")), (200, "None".to_owned()));
    assert!(bad.body["validationMessage"].is_string());
    assert_eq!(check("", "98052").await.refusal(), "400/800002");
}

/// Partner Center sheet §3 Partner relationships: own MPN profile, another's, 404/3000.
#[tokio::test]
async fn an_mpn_profile_is_ours_anothers_or_not_found() {
    let site = Site::world(
        json!({"acme": {"mpnId": "4711", "companyName": "Acme"}, "other": {"mpnId": "4712"}}),
        "acme",
    )
    .await;
    let own = site.get("/v1/profiles/mpn").await;
    assert_eq!((own.text("/mpnId"), own.text("/partnerName")), ("4711".to_owned(), "Acme".to_owned()));
    assert_eq!(own.text("/profileType"), "MpnProfile");
    assert_eq!(site.get("/v1/profiles/mpn?mpnId=4712").await.text("/mpnId"), "4712");
    let unknown = site.get("/v1/profiles/mpn?mpnId=9999999").await;
    assert_eq!(unknown.refusal(), "404/3000");
    assert_eq!(
        unknown.text("/description"),
        "Partner Organization with partner_id 9999999 could not be found"
    );
}

/// Partner Center sheet §3 agreementstatus; §2 Codes, agreementstatus.
#[tokio::test]
async fn an_agreement_status_wants_exactly_one_id_of_a_reseller() {
    let partners = json!({
        "acme": {"position": "indirect-provider", "mpnId": "4711"},
        "small": {"position": "indirect-reseller", "mpnId": "4712", "providers": ["acme"]},
    });
    let site = Site::world(partners, "acme").await;
    let status = |query: String| {
        let site = &site;
        async move { site.get(&format!("/v1/compliance/csp/agreementstatus{query}")).await }
    };
    let small = site.sim.microsoft("small").look(|a, _| a.tenant_id.clone());
    assert_eq!(status("?mpnId=4712".to_owned()).await.body, json!({"isAgreementSigned": true}));
    assert_eq!(status(format!("?tenantId={small}")).await.body["isAgreementSigned"], true);
    for (query, refusal) in [
        (String::new(), "400/2001"),
        (format!("?mpnId=4712&tenantId={small}"), "400/2000"),
        ("?mpnId=1".to_owned(), "400/2200"),
        ("?mpnId=4711".to_owned(), "400/2204"),
        (format!("?tenantId={}", guid(1)), "400/2205"),
    ] {
        assert_eq!(status(query.clone()).await.refusal(), refusal, "{query}");
    }
    site.at("small").await.click("POST", "agreement", json!({"signed": false})).await;
    assert_eq!(status("?mpnId=4712".to_owned()).await.body["isAgreementSigned"], Value::Bool(false));
    site.switch(json!({"unsignedAgreement": "400-2203"})).await;
    assert_eq!(status("?mpnId=4712".to_owned()).await.refusal(), "400/2203");
}
