//! Partner Center sheet §3 Billing profile, §2 ETag.

use serde_json::{Value, json};

use crate::{Answer, Site, guid};

async fn site() -> Site {
    Site::open(json!({"customers": [{"tenantId": guid(1), "companyName": "A", "email": "a@a.example"}]}))
        .await
}

fn path() -> String {
    format!("/v1/customers/{}/profiles/billing", guid(1))
}

async fn put(site: &Site, body: &Value, if_match: Option<&str>) -> Answer {
    let headers: Vec<(&str, &str)> = if_match.map(|v| ("If-Match", v)).into_iter().collect();
    site.call("PUT", &path(), Some(body.clone()), &headers).await
}

/// Partner Center sheet §3 Billing profile: PUT of the full resource answers it with a new etag.
#[tokio::test]
async fn a_put_with_the_present_etag_changes_the_profile_and_the_etag() {
    let site = site().await;
    let mut profile = site.get(&path()).await.body;
    assert_eq!(profile["attributes"]["objectType"], "CustomerBillingProfile");
    assert_eq!(profile["links"]["self"]["uri"], format!("/customers/{}/profiles/billing", guid(1)));
    profile["email"] = json!("new@a.example");
    let old = profile["attributes"]["etag"].clone();
    let done = put(&site, &profile, Some(&format!("\"{}\"", old.as_str().expect("text")))).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(done.text("/email"), "new@a.example");
    assert_ne!(done.body["attributes"]["etag"], old);
    assert_eq!(site.get(&path()).await.body, done.body);
    assert_eq!(site.effects("billing-profile-updated"), [guid(1)]);
    assert_eq!(
        site.get(&format!("/v1/customers/{}", guid(1))).await.text("/companyProfile/companyName"),
        "A"
    );
}

/// Partner Center sheet §2 ETag: If-Match is compared, else the body's etag; stale is 400/2055.
#[tokio::test]
async fn a_stale_etag_is_refused_under_each_spelling() {
    let site = site().await;
    let profile = site.get(&path()).await.body;
    let mut stale = profile.clone();
    stale["attributes"]["etag"] = json!("-1");
    for (switch, refusal) in [("400-2055", "400/2055"), ("412", "412/2055"), ("417-800036", "417/800036")] {
        site.switch(json!({"staleEtag": switch})).await;
        assert_eq!(put(&site, &stale, None).await.refusal(), refusal);
        assert_eq!(put(&site, &profile, Some("\"-1\"")).await.refusal(), refusal);
    }
    assert_eq!(site.effects("billing-profile-updated"), [""; 0]);
}

/// Partner Center sheet §2 ETag: the page requires the header, its sample sends the body's etag only.
#[tokio::test]
async fn which_etag_counts_is_a_switch() {
    let site = site().await;
    for (switch, header_only, body_only) in
        [("if-match-else-body", 200, 200), ("if-match-only", 200, 400), ("body-only", 400, 200)]
    {
        site.switch(json!({"billingEtag": switch})).await;
        let profile = site.get(&path()).await.body;
        let etag = profile["attributes"]["etag"].as_str().expect("text").to_owned();
        let mut bare = profile.clone();
        bare["attributes"] = Value::Null;
        assert_eq!(put(&site, &bare, Some(&etag)).await.status, header_only, "{switch}");
        let profile = site.get(&path()).await.body;
        assert_eq!(put(&site, &profile, None).await.status, body_only, "{switch}");
        let profile = site.get(&path()).await.body;
        let etag = profile["attributes"]["etag"].as_str().expect("text").to_owned();
        assert_eq!(put(&site, &profile, Some(&etag)).await.status, 200, "both always do: {switch}");
    }
}

/// Partner Center sheet §3 Billing profile: the whole resource, as valid as at create.
#[tokio::test]
async fn a_put_of_half_a_profile_is_refused_and_changes_nothing() {
    let site = site().await;
    let profile = site.get(&path()).await.body;
    let changed = |pointer: &str, to: Value| {
        let mut body = profile.clone();
        *body.pointer_mut(pointer).expect("a member") = to;
        body
    };
    for (body, refusal) in [
        (changed("/defaultAddress", Value::Null), "400/3000"),
        (changed("/id", json!(guid(8))), "400/3000"),
        (changed("/email", json!("nobody")), "400/27002"),
    ] {
        assert_eq!(put(&site, &body, None).await.refusal(), refusal);
    }
    assert_eq!(site.get(&path()).await.body, profile);
}
