//! Partner Center sheet §3 Create, Get, Domain check; §2 request ids.

use serde_json::{Value, json};

use tenantry_simulator::{Does, Fault};

use crate::{Answer, Site, guid, new_customer};

async fn is_taken(site: &Site, domain: &str) -> bool {
    let answer = site.call("HEAD", &format!("/v1/domains/{domain}"), None, &[]).await;
    assert!(answer.raw.is_empty());
    match answer.status {
        200 => true,
        404 => false,
        other => panic!("a domain check answered {other}"),
    }
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = new_customer("fabrikam.onmicrosoft.com");
    change(&mut body);
    body
}

async fn create_with(site: &Site, change: impl FnOnce(&mut Value)) -> Answer {
    site.create(with(change)).await
}

/// Partner Center sheet §3 Create: 201 with ids, etag and credentials that no later answer repeats.
#[tokio::test]
async fn a_created_customer_has_ids_an_etag_and_credentials_shown_once() {
    let site = Site::open(json!({})).await;
    let made = site.create(new_customer("Fabrikam.onmicrosoft.com")).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.text("/id");
    assert_eq!(made.header("Location"), format!("/customers/{id}"));
    assert_ne!(made.text("/commerceId"), id);
    assert_eq!(made.text("/companyProfile/tenantId"), id);
    assert_eq!(made.text("/companyProfile/domain"), "fabrikam.onmicrosoft.com");
    assert_eq!(made.text("/userCredentials/userName"), "admin");
    assert!(!made.text("/userCredentials/password").is_empty());
    assert!(made.text("/billingProfile/attributes/etag").parse::<i64>().is_ok(), "a signed integer as text");
    assert_eq!(made.text("/relationshipToPartner"), "reseller");
    assert_eq!(site.effects("customer-created"), [id.as_str()]);

    let got = site.get(&format!("/v1/customers/{id}")).await;
    assert_eq!(got.status, 200);
    assert!(got.body["userCredentials"].is_null());
    assert_eq!(got.text("/billingProfile/companyName"), "Fabrikam");
    assert_eq!(got.text("/companyProfile/companyName"), "Fabrikam");
    assert_eq!(got.body["allowDelegatedAccess"], false);
    assert_eq!(site.listed().await, [id]);
}

/// Partner Center sheet §3 Create: relationshipToPartner and delegated rights differ between samples.
#[tokio::test]
async fn a_create_can_answer_none_and_grant_delegated_rights() {
    let site =
        Site::open(json!({"switches": {"createRelationship": "none", "dapAfterCreate": "granted"}})).await;
    let made = site.create(new_customer("a.onmicrosoft.com")).await;
    assert_eq!(made.text("/relationshipToPartner"), "none");
    let got = site.get(&format!("/v1/customers/{}", made.text("/id"))).await;
    assert_eq!(got.text("/relationshipToPartner"), "reseller");
    assert_eq!(got.body["allowDelegatedAccess"], true);
}

/// Partner Center sheet §2 JSON: input in PascalCase with nulls is accepted.
#[tokio::test]
async fn pascal_case_with_nulls_is_accepted() {
    let site = Site::open(json!({})).await;
    let body = json!({
        "Id": null, "UserCredentials": null, "CompanyProfile": {"Domain": "x.onmicrosoft.com", "Email": null},
        "BillingProfile": {"Culture": "en-US", "Email": "a@b.example", "Language": "en", "CompanyName": "X",
            "DefaultAddress": {"FirstName": "A", "LastName": "B", "AddressLine1": "1 St", "City": "Redmond",
                "State": "WA", "PostalCode": "98052", "Country": "US", "PhoneNumber": null}},
    });
    let made = site.create(body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.text("/billingProfile/defaultAddress/firstName"), "A");
}

/// Partner Center sheet §3 Create, Required.
#[tokio::test]
async fn every_required_member_is_required() {
    let site = Site::open(json!({})).await;
    let members = [
        "/companyProfile/domain",
        "/billingProfile/email",
        "/billingProfile/culture",
        "/billingProfile/language",
        "/billingProfile/companyName",
        "/billingProfile/defaultAddress/firstName",
        "/billingProfile/defaultAddress/lastName",
        "/billingProfile/defaultAddress/addressLine1",
        "/billingProfile/defaultAddress/city",
        "/billingProfile/defaultAddress/state",
        "/billingProfile/defaultAddress/postalCode",
        "/billingProfile/defaultAddress/country",
    ];
    for pointer in members {
        let refused = create_with(&site, |b| *b.pointer_mut(pointer).expect("a member") = Value::Null).await;
        assert_eq!(refused.refusal(), "400/3000", "{pointer}");
        assert_eq!(refused.body["data"][0], pointer[1..].replace('/', "."));
    }
    for (pointer, bad) in [
        ("/companyProfile/domain", json!("no domain")),
        ("/billingProfile/defaultAddress/country", json!("USA")),
        ("/billingProfile/defaultAddress/state", json!("Washington")),
        ("/billingProfile/defaultAddress/firstName", json!("x".repeat(51))),
        ("/billingProfile/defaultAddress/addressLine1", json!("x".repeat(201))),
    ] {
        let refused = create_with(&site, |b| *b.pointer_mut(pointer).expect("a member") = bad).await;
        assert_eq!(refused.refusal(), "400/3000", "{pointer}");
    }
    assert!(!is_taken(&site, "fabrikam.onmicrosoft.com").await);
    assert_eq!(site.effects("customer-created"), [""; 0]);
}

/// Partner Center sheet §3 Create: sending a password is refused; a body that is no object is invalid input.
#[tokio::test]
async fn a_password_and_a_body_that_is_no_object_are_refused() {
    let site = Site::open(json!({})).await;
    let password = create_with(&site, |b| b["userCredentials"] = json!({"password": "secret"})).await;
    assert_eq!(password.refusal(), "400/800002");
    assert_eq!(site.create(json!([1])).await.refusal(), "400/800002");
}

/// Partner Center sheet §3 Create: MS-RequestId and MS-CorrelationId are required (the swagger makes them).
#[tokio::test]
async fn both_request_headers_are_required_unless_the_server_makes_them() {
    let site = Site::open(json!({})).await;
    let (id, other) = (guid(71), guid(72));
    for headers in [vec![], vec![("MS-RequestId", id.as_str())], vec![("MS-CorrelationId", other.as_str())]] {
        let body = new_customer("a.onmicrosoft.com");
        assert_eq!(site.call("POST", "/v1/customers", Some(body), &headers).await.refusal(), "400/2000");
    }
    let both = [("MS-RequestId", "not-a-guid"), ("MS-CorrelationId", other.as_str())];
    let body = new_customer("a.onmicrosoft.com");
    assert_eq!(site.call("POST", "/v1/customers", Some(body), &both).await.refusal(), "400/2000");
    site.switch(json!({"createHeaders": "generated"})).await;
    let made = site.call("POST", "/v1/customers", Some(new_customer("a.onmicrosoft.com")), &[]).await;
    assert_eq!(made.status, 201);
}

/// Partner Center sheet §3 Create: domain taken, status and code unknown; HEAD the domain first.
#[tokio::test]
async fn a_taken_domain_is_refused_under_each_spelling() {
    let site = Site::open(json!({})).await;
    let domain = "fabrikam.onmicrosoft.com";
    assert!(!is_taken(&site, domain).await);
    assert_eq!(site.create(new_customer(domain)).await.status, 201);
    assert!(is_taken(&site, "FABRIKAM.onmicrosoft.com").await);
    for (switch, refusal) in
        [("409-409", "409/409"), ("400-800002", "400/800002"), ("403-600006", "403/600006")]
    {
        site.switch(json!({"domainTaken": switch})).await;
        assert_eq!(site.create(new_customer(domain)).await.refusal(), refusal);
    }
    assert_eq!(site.effects("customer-created").len(), 1);
}

/// Partner Center sheet §2 Domain taken, the hazard: a create that fails reserves the domain all the same.
#[tokio::test]
async fn a_failed_create_can_leave_the_domain_reserved() {
    let site = Site::open(json!({})).await;
    let bad = with(|b| b["billingProfile"]["email"] = json!("nobody"));
    assert_eq!(site.create(bad.clone()).await.refusal(), "400/27002");
    assert!(!is_taken(&site, "fabrikam.onmicrosoft.com").await);
    site.switch(json!({"failedCreate": "reserves-domain"})).await;
    assert_eq!(site.create(bad).await.refusal(), "400/27002");
    assert!(is_taken(&site, "fabrikam.onmicrosoft.com").await);
    assert_eq!(site.create(new_customer("fabrikam.onmicrosoft.com")).await.refusal(), "409/409");
    assert_eq!(site.listed().await, [""; 0]);
}

/// Partner Center sheet §2 Codes, customer: 27002 is unverified.
#[tokio::test]
async fn a_malformed_email_can_be_invalid_input() {
    let site = Site::open(json!({"switches": {"badEmail": "400-800002"}})).await;
    for email in ["nobody", "a@b", "a b@c.example", "@c.example"] {
        let refused = create_with(&site, |b| b["billingProfile"]["email"] = json!(email)).await;
        assert_eq!(refused.refusal(), "400/800002", "{email}");
    }
}

/// Partner Center sheet §2 Codes, customer: older documents only, 2007 with JSON in its description.
#[tokio::test]
async fn a_bad_address_can_be_refused_with_json_in_the_description() {
    let site = Site::open(json!({"switches": {"badAddress": "400-2007"}})).await;
    let bad = |b: &mut Value| b["billingProfile"]["defaultAddress"]["postalCode"] = json!("00000");
    let refused = create_with(&site, bad).await;
    assert_eq!(refused.refusal(), "400/2007");
    let description: Value = serde_json::from_str(&refused.text("/description")).expect("JSON");
    assert_eq!(description["code"], "60071");
    site.switch(json!({"badAddress": "accepted"})).await;
    assert_eq!(create_with(&site, bad).await.status, 201);
}

fn registered(country: &str, number: Option<&str>, phone: Option<&str>) -> Value {
    with(|b| {
        b["billingProfile"]["defaultAddress"]["country"] = json!(country);
        b["billingProfile"]["defaultAddress"]["state"] = json!(if country == "US" { "WA" } else { "" });
        b["billingProfile"]["defaultAddress"]["phoneNumber"] = json!(phone);
        b["companyProfile"]["organizationRegistrationNumber"] = json!(number);
    })
}

/// Partner Center sheet §3 Create: organizationRegistrationNumber and phone by country.
#[tokio::test]
async fn registration_numbers_follow_the_country() {
    let site = Site::open(json!({})).await;
    let refusals = [
        (registered("HU", None, Some("+361")), "400/600049"),
        (registered("HU", Some("!!"), Some("+361")), "400/600050"),
        (registered("HU", Some("12-3456789"), None), "400/600051"),
        (registered("BR", None, Some("+55")), "400/600049"),
        (registered("BR", Some("12-3456789"), None), "400/600051"),
        (registered("DE", Some("12-3456789"), None), "400/600002"),
    ];
    for (body, refusal) in refusals {
        assert_eq!(site.create(body.clone()).await.refusal(), refusal, "{body}");
    }
    site.switch(json!({"registrationRules": "2021", "registrationElsewhere": "accepted"})).await;
    assert_eq!(site.create(registered("HU", Some("12-3456789"), None)).await.refusal(), "400/600051");
    assert_eq!(site.create(registered("BR", Some("12-3456789"), None)).await.status, 201);
    let mut german = registered("DE", Some("12-3456789"), None);
    german["companyProfile"]["domain"] = json!("other.onmicrosoft.com");
    let made = site.create(german).await;
    assert_eq!(made.status, 201);
    let got = site.get(&format!("/v1/customers/{}", made.text("/id"))).await;
    assert_eq!(got.text("/companyProfile/organizationRegistrationNumber"), "12-3456789");
}

/// Partner Center sheet §2: the same MS-RequestId on a retry gives the same answer and one customer.
#[tokio::test]
async fn a_repeated_request_id_creates_one_customer() {
    let site = Site::open(json!({})).await;
    let body = new_customer("fabrikam.onmicrosoft.com");
    let first = site.create_once(body.clone(), &guid(71)).await;
    let second = site.create_once(body.clone(), &guid(71)).await;
    assert_eq!((second.status, &second.body), (201, &first.body));
    assert_eq!(site.effects("customer-created").len(), 1);
    assert_eq!(site.create_once(body, &guid(72)).await.refusal(), "409/409");
}

/// Partner Center sheet §2 Request headers: the same value on a retry after a timeout.
#[tokio::test]
async fn an_answer_that_was_lost_is_given_again_and_nothing_is_made_twice() {
    let site = Site::open(json!({})).await;
    let body = new_customer("fabrikam.onmicrosoft.com");
    site.sim.faults().add(Fault::new(Does::CloseAfterCommit).on("POST", "/v1/customers"));
    assert!(site.try_create(&body, &guid(71)).await.is_none(), "the answer is lost");
    let made = site.effects("customer-created");
    assert_eq!(made.len(), 1, "what it committed is not");
    let again = site.create_once(body.clone(), &guid(71)).await;
    assert_eq!((again.status, again.text("/id")), (201, made[0].clone()));
    assert_eq!(site.effects("customer-created").len(), 1);

    let other = new_customer("other.onmicrosoft.com");
    site.sim.faults().add(Fault::new(Does::CloseBeforeCommit).on("POST", "/v1/customers"));
    assert!(site.try_create(&other, &guid(72)).await.is_none());
    assert_eq!(site.effects("customer-created").len(), 1, "nothing was committed");
    assert_eq!(site.create_once(other, &guid(72)).await.status, 201);
}

/// Partner Center sheet §2: how long a MS-RequestId is remembered, and what is compared, is unknown.
#[tokio::test]
async fn a_request_id_is_forgotten_ignored_or_compared_as_switched() {
    let mut site = Site::open(json!({"switches": {"requestIdMemory": "5m"}})).await;
    let body = new_customer("fabrikam.onmicrosoft.com");
    assert_eq!(site.create_once(body.clone(), &guid(71)).await.status, 201);
    site.advance("PT4M");
    assert_eq!(site.create_once(body.clone(), &guid(71)).await.status, 201);
    assert_eq!(
        site.create_once(new_customer("other.onmicrosoft.com"), &guid(71))
            .await
            .text("/companyProfile/domain"),
        "fabrikam.onmicrosoft.com"
    );
    site.switch(json!({"requestIdBodies": "compared"})).await;
    assert_eq!(site.create_once(new_customer("other.onmicrosoft.com"), &guid(71)).await.refusal(), "409/409");
    site.advance("PT2M");
    assert_eq!(
        site.create_once(body, &guid(71)).await.refusal(),
        "409/409",
        "forgotten, so the domain is taken"
    );

    site.switch(json!({"requestIdMemory": "24h", "requestIdBodies": "ignored"})).await;
    let body = new_customer("third.onmicrosoft.com");
    assert_eq!(site.create_once(body.clone(), &guid(73)).await.status, 201);
    site.advance("PT23H");
    site.sign_in().await;
    assert_eq!(site.create_once(body.clone(), &guid(73)).await.status, 201);
    site.switch(json!({"requestIdMemory": "never"})).await;
    assert_eq!(site.create_once(body, &guid(73)).await.refusal(), "409/409");
}

/// Partner Center sheet §2: new request id after any definite answer; a memory of failures would hold on.
#[tokio::test]
async fn a_failure_can_be_replayed_too() {
    let site = Site::open(json!({})).await;
    let bad = with(|b| b["billingProfile"]["email"] = json!("nobody"));
    let good = new_customer("fabrikam.onmicrosoft.com");
    site.switch(json!({"requestIdReplays": "everything"})).await;
    assert_eq!(site.create_once(bad.clone(), &guid(71)).await.refusal(), "400/27002");
    assert_eq!(site.create_once(good.clone(), &guid(71)).await.refusal(), "400/27002");
    site.switch(json!({"requestIdReplays": "successes"})).await;
    assert_eq!(site.create_once(bad, &guid(72)).await.refusal(), "400/27002");
    assert_eq!(site.create_once(good, &guid(72)).await.status, 201);
}

/// Partner Center sheet §3 Create: when it is listed is not stated; get by id knows it at once.
#[tokio::test]
async fn a_created_customer_can_be_listed_late() {
    let mut site = Site::open(json!({"switches": {"listedAfterCreate": "15m"}})).await;
    let id = site.create(new_customer("a.onmicrosoft.com")).await.text("/id");
    assert_eq!(site.listed().await, [""; 0]);
    assert_eq!(site.get(&format!("/v1/customers/{id}")).await.status, 200);
    site.advance("PT14M59S");
    assert_eq!(site.listed().await, [""; 0]);
    site.advance("PT1S");
    assert_eq!(site.listed().await, [id.as_str()]);

    site.switch(json!({"listedAfterCreate": "2-calls"})).await;
    let second = site.create(new_customer("b.onmicrosoft.com")).await.text("/id");
    for expected in [1, 1, 2] {
        assert_eq!(site.listed().await.len(), expected);
    }
    site.switch(json!({"listedAfterCreate": "60s"})).await;
    site.create(new_customer("c.onmicrosoft.com")).await;
    assert_eq!(site.listed().await, [id, second]);
    site.advance("PT1M");
    site.sign_in().await;
    assert_eq!(site.listed().await.len(), 3);
}

/// Partner Center sheet §3 Create: associatedPartnerId needs an active partnership, a provider and a user.
#[tokio::test]
async fn a_provider_creates_for_its_own_reseller_only() {
    let partners = json!({
        "distri": {"position": "indirect-provider"},
        "small": {"position": "indirect-reseller", "providers": ["distri"]},
        "stranger": {"position": "indirect-reseller"},
        "direct": {},
    });
    let distri = Site::world(partners, "distri").await;
    let small = distri.at("small").await;
    let stranger = distri.at("stranger").await.tenant();
    let body = |domain: &str, reseller: &str| {
        let mut body = new_customer(domain);
        body["associatedPartnerId"] = json!(reseller);
        body
    };
    let made = distri.create(body("a.onmicrosoft.com", &small.tenant())).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.text("/associatedPartnerId"), small.tenant());
    let id = made.text("/id");
    assert_eq!(small.listed().await, [id.as_str()]);
    assert_eq!(distri.listed().await, [id]);

    for (switch, refusal) in
        [("400-800002", "400/800002"), ("400-3000", "400/3000"), ("403-1002", "403/1002")]
    {
        distri.switch(json!({"unknownReseller": switch})).await;
        assert_eq!(distri.create(body("b.onmicrosoft.com", &stranger)).await.refusal(), refusal);
    }
    let direct = distri.at("direct").await;
    assert_eq!(direct.create(body("b.onmicrosoft.com", &small.tenant())).await.refusal(), "400/3000");
    direct.switch(json!({"resellerNotOurs": "403-1002"})).await;
    assert_eq!(direct.create(body("b.onmicrosoft.com", &small.tenant())).await.refusal(), "403/1002");
    direct.switch(json!({"resellerNotOurs": "ignored"})).await;
    assert_eq!(direct.create(body("b.onmicrosoft.com", &small.tenant())).await.status, 201);
    assert_eq!(small.listed().await.len(), 1);
}

/// Partner Center sheet §1 Who may call what: creating for an indirect reseller needs a user.
#[tokio::test]
async fn an_application_alone_creates_customers_but_not_for_a_reseller() {
    let partners = json!({
        "distri": {"position": "indirect-provider"},
        "small": {"position": "indirect-reseller", "providers": ["distri"]},
    });
    let distri = Site::world(partners, "distri").await;
    let app = distri
        .token(&[("grant_type", "client_credentials"), ("resource", crate::API)])
        .await
        .text("/access_token");
    let (request, correlation) = (guid(71), guid(72));
    let headers = [("MS-RequestId", request.as_str()), ("MS-CorrelationId", correlation.as_str())];
    let mut body = new_customer("a.onmicrosoft.com");
    body["associatedPartnerId"] = json!(distri.at("small").await.tenant());
    let refused = distri.call_as(Some(&app), "POST", "/v1/customers", Some(body.clone()), &headers).await;
    assert_eq!(refused.refusal(), "403/900329");
    body["associatedPartnerId"] = Value::Null;
    let made = distri.call_as(Some(&app), "POST", "/v1/customers", Some(body), &headers).await;
    assert_eq!(made.status, 201);
}

/// Partner Center sheet §3 Get: address, email and customDomains are hidden without delegated privileges.
#[tokio::test]
async fn a_get_shows_address_and_domains_only_with_delegated_privileges() {
    let customers = json!([{"tenantId": guid(1), "companyName": "A"}, {"tenantId": guid(2), "companyName": "B", "dap": true}]);
    let site = Site::open(json!({"customers": customers})).await;
    let without = site.get(&format!("/v1/customers/{}", guid(1))).await;
    let with = site.get(&format!("/v1/customers/{}", guid(2))).await;
    for pointer in ["/companyProfile/address", "/companyProfile/email", "/customDomains"] {
        assert!(without.body.pointer(pointer).is_none(), "{pointer}");
        assert!(with.body.pointer(pointer).is_some(), "{pointer}");
    }
    assert_eq!(with.body["allowDelegatedAccess"], true);
    let company = site.get(&format!("/v1/customers/{}/profiles/company", guid(2))).await;
    assert_eq!(company.text("/attributes/objectType"), "CustomerCompanyProfile");
    assert_eq!(company.text("/companyName"), "B");
}

/// Partner Center sheet §3 Get: not yours is 403/20002 or 404, which one is inferred.
#[tokio::test]
async fn a_customer_that_is_not_ours_is_refused_under_each_spelling() {
    let site = Site::open(json!({"prospects": [{"tenantId": guid(1), "companyName": "A"}]})).await;
    let path = format!("/v1/customers/{}", guid(1));
    let refused = site.get(&path).await;
    assert_eq!(refused.refusal(), "403/20002");
    assert!(refused.text("/description").contains("has no commerce relationship with the customer ID"));
    for (switch, refusal) in [("404-1000", "404/1000"), ("404-60003", "404/60003")] {
        site.switch(json!({"foreignCustomer": switch})).await;
        assert_eq!(site.get(&path).await.refusal(), refusal);
    }
    assert_eq!(site.get("/v1/customers/12345").await.refusal(), "400/900118");
}
