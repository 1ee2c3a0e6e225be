//! Partner Center sheet §3 Relationship request link: what customers do with it; and what people click.

use serde_json::{Value, json};

use crate::{Site, guid};

fn mail(to: &str, link: &str) -> String {
    let wrapped: String = link.replace('=', "=3D");
    let (first, second) = wrapped.split_at(60);
    format!(
        "From: sales@acme.example\r\nTo: {to}\r\nSubject: Invitation\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\nPlease click:\r\n{first}=\r\n{second}\r\nThank you.\r\n"
    )
}

async fn invited() -> Site {
    let prospects = json!([{"tenantId": guid(1), "companyName": "A", "domain": "a.example", "email": "boss@mail.example"}]);
    Site::open(json!({"prospects": prospects})).await
}

/// Partner Center sheet §3: accepted = the customer appears in the list; nothing else shows it.
#[tokio::test]
async fn a_customer_who_follows_the_link_in_a_mail_appears_in_the_list() {
    let site = invited().await;
    let link = site.get("/v1/customers/relationshiprequests").await.text("/url");
    assert_eq!(site.get(&format!("/v1/customers/{}", guid(1))).await.refusal(), "403/20002");
    let now = site.sim.clock().now();
    let id = site.sim.mailbox().deliver_eml(&mail("it@a.example", &link), now);
    assert_eq!(site.listed().await, [""; 0], "delivered is not accepted");
    site.sim.accept_mail(id, None).expect("a known link");
    assert_eq!(site.listed().await, [guid(1)]);
    assert_eq!(site.effects("relationship-accepted"), [guid(1)]);
    site.sim.accept_mail(id, None).expect("a known link");
    assert_eq!(site.effects("relationship-accepted").len(), 1, "a second click ties nobody twice");
    let got = site.get(&format!("/v1/customers/{}", guid(1))).await;
    assert_eq!(
        (got.text("/relationshipToPartner"), got.body["allowDelegatedAccess"].clone()),
        ("reseller".to_owned(), json!(false))
    );
}

/// Partner Center sheet §3: the text may change, the link may not.
#[tokio::test]
async fn an_altered_link_and_an_unknown_recipient_lead_nowhere() {
    let site = invited().await;
    let link = site.get("/v1/customers/relationshiprequests").await.text("/url");
    let now = site.sim.clock().now();
    let altered =
        site.sim.mailbox().deliver_eml(&mail("it@a.example", &link.replace("partnerId", "partner")), now);
    assert!(site.sim.accept_mail(altered, None).is_err());
    let stranger = site.sim.mailbox().deliver_eml(&mail("it@elsewhere.example", &link), now);
    assert!(site.sim.accept_mail(stranger, None).expect("a known link").contains("no Microsoft tenant"));
    assert_eq!(site.listed().await, [""; 0]);
    let by_contact = site.sim.mailbox().deliver_eml(&mail("boss@mail.example", &link), now);
    site.sim.accept_mail(by_contact, None).expect("a known link");
    assert_eq!(site.listed().await, [guid(1)]);
}

/// Partner Center sheet §3: with the provider, one acceptance ties both and names the reseller.
#[tokio::test]
async fn an_invitation_with_the_provider_shows_at_both() {
    for order in ["reseller-first", "provider-first"] {
        let partners = json!({
            "distri": {"position": "indirect-provider"},
            "small": {"position": "indirect-reseller", "providers": ["distri"], "switches": {"providerLink": order},
                "prospects": [{"tenantId": guid(1), "companyName": "A", "domain": "a.example"}]},
        });
        let small = Site::world(partners, "small").await;
        let distri = small.at("distri").await;
        let path =
            format!("/v1/customers/relationshiprequests?indirectCloudSolutionProviderId={}", distri.tenant());
        let link = small.get(&path).await.text("/url");
        let id = small.sim.mailbox().deliver_eml(&mail("it@a.example", &link), small.sim.clock().now());
        small.sim.accept_mail(id, Some(&guid(1))).expect("a known link");
        assert_eq!(small.listed().await, [guid(1)]);
        assert_eq!(distri.listed().await, [guid(1)]);
        assert_eq!(small.effects("relationship-accepted"), distri.effects("relationship-accepted"));
        let at_distri = distri.get(&format!("/v1/customers/{}", guid(1))).await;
        assert_eq!(at_distri.text("/associatedPartnerId"), small.tenant());
        assert_eq!(at_distri.body["allowDelegatedAccess"], true);
    }
}

/// Partner Center sheet §3: a provider that nobody has opened yet gets its customer all the same.
#[tokio::test]
async fn a_provider_that_is_opened_later_has_the_customer_too() {
    let prospects = json!([{"tenantId": guid(1), "companyName": "A", "domain": "a.example"}]);
    let seed = json!({"position": "indirect-reseller", "providers": ["distri"], "prospects": prospects});
    let small = Site::world(json!({"small": seed}), "small").await;
    let providers = small.get("/v1/relationships?relationship_type=IsIndirectResellerOf").await;
    let path = format!(
        "/v1/customers/relationshiprequests?indirectCloudSolutionProviderId={}",
        providers.text("/items/0/id")
    );
    let link = small.get(&path).await.text("/url");
    let id = small.sim.mailbox().deliver_eml(&mail("it@a.example", &link), small.sim.clock().now());
    small.sim.accept_mail(id, None).expect("a known link");
    assert_eq!(small.effects("relationship-accepted-at-distri"), [guid(1)]);
    assert_eq!(small.at("distri").await.listed().await, [guid(1)]);
}

/// Partner Center sheet §3: alone, an invitation ties the reseller and not its provider.
#[tokio::test]
async fn an_invitation_without_the_provider_shows_at_the_reseller_alone() {
    let partners = json!({
        "distri": {"position": "indirect-provider"},
        "small": {"position": "indirect-reseller", "providers": ["distri"],
            "prospects": [{"tenantId": guid(1), "companyName": "A"}]},
    });
    let small = Site::world(partners, "small").await;
    let accept = format!("prospects/{}/accept", guid(1));
    assert_eq!(small.click("POST", &accept, json!({})).await.status, 204);
    assert_eq!(small.listed().await, [guid(1)]);
    let distri = small.at("distri").await;
    assert_eq!(distri.listed().await, [""; 0]);
    assert_eq!(small.click("POST", &accept, json!({"provider": "distri"})).await.status, 204);
    assert_eq!(distri.listed().await, [guid(1)]);
    assert_eq!(small.effects("relationship-accepted-at-distri"), [guid(1)]);
}

/// Partner Center sheet §3: when an acceptance shows is not stated.
#[tokio::test]
async fn an_acceptance_can_show_late() {
    for (switch, moves) in [("60s", Some("PT1M")), ("15m", Some("PT15M")), ("2-calls", None)] {
        let site = invited().await;
        site.switch(json!({"listedAfterAccept": switch})).await;
        site.click("POST", &format!("prospects/{}/accept", guid(1)), json!({})).await;
        assert_eq!(site.listed().await, [""; 0], "{switch}");
        assert_eq!(site.get(&format!("/v1/customers/{}", guid(1))).await.refusal(), "403/20002", "{switch}");
        match moves {
            Some(span) => site.advance(span),
            None => assert_eq!(site.listed().await, [""; 0], "{switch}"),
        }
        assert_eq!(site.listed().await, [guid(1)], "{switch}");
    }
}

/// Partner Center sheet §3: a customer who was let go can be invited again.
#[tokio::test]
async fn a_removed_customer_can_accept_again() {
    let site = invited().await;
    let accept = format!("prospects/{}/accept", guid(1));
    site.click("POST", &accept, json!({})).await;
    site.patch(&format!("/v1/customers/{}", guid(1)), json!({"relationshipToPartner": "none"})).await;
    assert_eq!(site.listed().await, [""; 0]);
    site.click("POST", &accept, json!({})).await;
    assert_eq!(site.listed().await, [guid(1)]);
}

/// What people click shows on the wire: a rename, a removal, a customer made for a reseller, rights.
#[tokio::test]
async fn what_people_click_shows_on_the_wire() {
    let partners = json!({
        "distri": {"position": "indirect-provider"},
        "small": {"position": "indirect-reseller", "providers": ["distri"]},
    });
    let distri = Site::world(partners, "distri").await;
    let small = distri.at("small").await;
    let made = distri
        .click("POST", "customers", json!({"companyName": "A", "domain": "a.example", "reseller": "small"}))
        .await;
    let id = made.text("/tenantId");
    assert_eq!(distri.effects("customer-created"), [id.as_str()]);
    assert_eq!(small.listed().await, [id.as_str()]);
    let customer = format!("customers/{id}");
    distri.click("POST", &format!("{customer}/rename"), json!({"companyName": "B"})).await;
    let got = distri.get(&format!("/v1/{customer}")).await;
    assert_eq!(got.text("/companyProfile/companyName"), "B");
    assert_eq!(got.text("/billingProfile/companyName"), "A", "a billing profile is not renamed");
    distri.click("POST", &format!("{customer}/dap"), json!({"granted": true})).await;
    assert_eq!(distri.get(&format!("/v1/{customer}")).await.body["allowDelegatedAccess"], true);
    distri.click("POST", &format!("{customer}/subscriptions"), json!({})).await;
    let remove = format!("{customer}/remove");
    assert_eq!(distri.click("POST", &remove, json!({})).await.status, 409);
    assert_eq!(distri.click("POST", &remove, json!({"force": true})).await.status, 204);
    assert_eq!(distri.listed().await, [""; 0]);
    assert_eq!(small.listed().await, [id]);
    assert_eq!(distri.click("POST", "nonsense", Value::Null).await.status, 404);
    let writes = distri.sim.log().writes(0);
    assert_eq!(writes, 0, "a person's clicks are not requests");
}
