//! Partner Center sheet §3: request link, remove relationship, DAP removal, partner relationships.

use serde_json::{Value, json};

use crate::{Site, guid};

async fn with_subscriptions(subscriptions: Value) -> Site {
    let customers = json!([{"tenantId": guid(1), "companyName": "A", "dap": true, "subscriptions": subscriptions,
        "gdap": [{"name": "Ours"}]}]);
    Site::open(json!({"customers": customers})).await
}

fn path() -> String {
    format!("/v1/customers/{}", guid(1))
}

fn none() -> Value {
    json!({"relationshipToPartner": "none", "attributes": {"objectType": "Customer"}})
}

/// Partner Center sheet §3 Relationship request link: the direct form, and that fetching it makes nothing.
#[tokio::test]
async fn the_direct_link_names_the_partner_and_fetching_it_makes_nothing() {
    let site = Site::open(json!({})).await;
    let before = site.sim.log().mark();
    let link = site.get("/v1/customers/relationshiprequests").await;
    assert_eq!(
        link.text("/url"),
        format!(
            "https://admin.microsoft.com/Adminportal/Home?invType=ResellerRelationship&partnerId={}&msppId=0&DAP=false#/BillingAccounts/partner-invitation",
            site.tenant()
        )
    );
    assert_eq!(link.text("/attributes/objectType"), "RelationshipRequest");
    assert_eq!(site.get("/v1/customers/relationshiprequests").await.body, link.body);
    assert_eq!(site.sim.log().writes(before), 0);
}

/// Partner Center sheet §3 Relationship request link: with the provider, either party first.
#[tokio::test]
async fn the_link_with_a_provider_names_both_in_either_order() {
    let partners = json!({"distri": {}, "small": {"position": "indirect-reseller", "providers": ["distri"], "mpnId": "4712"},
        "stranger": {"position": "indirect-provider"}});
    let small = Site::world(partners, "small").await;
    let distri = small.at("distri").await;
    let path = format!(
        "/v1/customers/relationshiprequests?indirectCloudSolutionProviderId={}&indirectResellerId={}&dualRoleIndirectRelationship=false",
        distri.tenant(),
        small.tenant()
    );
    let link = |first: &str, second: &str| {
        format!(
            "https://admin.microsoft.com/Adminportal/Home?invType=IndirectResellerRelationship&partnerId={first}&msppId=4712&indirectCSPId={second}&DAP=true#/BillingAccounts/partner-invitation"
        )
    };
    assert_eq!(small.get(&path).await.text("/url"), link(&small.tenant(), &distri.tenant()));
    small.switch(json!({"providerLink": "provider-first"})).await;
    assert_eq!(small.get(&path).await.text("/url"), link(&distri.tenant(), &small.tenant()));
    assert_eq!(distri.get(&path).await.text("/url"), link(&small.tenant(), &distri.tenant()));
    let stranger = small.at("stranger").await.tenant();
    for query in [
        format!("indirectCloudSolutionProviderId={stranger}"),
        format!("indirectCloudSolutionProviderId={}", guid(1)),
        "dualRoleIndirectRelationship=perhaps".to_owned(),
    ] {
        let refused = small.get(&format!("/v1/customers/relationshiprequests?{query}")).await;
        assert_eq!(refused.refusal(), "400/2000", "{query}");
    }
}

/// Partner Center sheet §3 Remove relationship: 200, all null but RelationshipToPartner, off the list.
#[tokio::test]
async fn a_removed_relationship_answers_nulls_and_leaves_the_list() {
    let site = with_subscriptions(json!([])).await;
    let done = site.patch(&path(), json!({"relationshipToPartner": "none"})).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(done.body["RelationshipToPartner"], "none");
    for (name, value) in done.body.as_object().expect("an object") {
        assert!(
            ["RelationshipToPartner", "Attributes"].contains(&name.as_str()) || value.is_null(),
            "{name}"
        );
    }
    assert_eq!(site.listed().await, [""; 0]);
    assert_eq!(site.get(&path()).await.refusal(), "403/20002");
    assert_eq!(site.effects("relationship-removed"), [guid(1)]);
}

/// Partner Center sheet §2 JSON: some PATCH samples answer PascalCase, others camelCase.
#[tokio::test]
async fn a_patch_can_answer_in_camel_case() {
    let site = with_subscriptions(json!([])).await;
    site.switch(json!({"patchAnswers": "camel"})).await;
    assert_eq!(site.patch(&path(), none()).await.body["relationshipToPartner"], "none");
}

/// Partner Center sheet §3 Remove relationship, preconditions.
#[tokio::test]
async fn what_is_bought_and_not_cancelled_blocks_a_removal() {
    for (blocks, subscription, why) in [
        (true, json!({}), "not cancelled"),
        (true, json!({"status": "suspended"}), "not cancelled"),
        (false, json!({"status": "deleted"}), ""),
        (false, json!({"boughtDaysAgo": 400, "autoRenew": false}), ""),
        (true, json!({"boughtDaysAgo": 400}), "not cancelled"),
        (true, json!({"commerce": "legacy"}), "active subscriptions"),
        (false, json!({"commerce": "legacy", "status": "suspended"}), ""),
        (true, json!({"commerce": "reservation"}), "Azure reserved instances"),
        (true, json!({"commerce": "software"}), "software purchases"),
        (true, json!({"commerce": "marketplace"}), "marketplace purchases"),
    ] {
        let site = with_subscriptions(json!([subscription])).await;
        let answer = site.patch(&path(), none()).await;
        if blocks {
            assert_eq!(answer.refusal(), "400/3000", "{subscription}");
            assert!(answer.text("/description").contains(why), "{}", answer.body);
        } else {
            assert_eq!(answer.status, 200, "{subscription}");
        }
        assert_eq!(site.effects("relationship-removed").len(), usize::from(!blocks));
    }
}

/// Partner Center sheet §3 Remove relationship: the code of the refusal is unknown.
#[tokio::test]
async fn a_blocked_removal_is_refused_under_each_spelling() {
    let site = with_subscriptions(json!([{}])).await;
    for (switch, refusal) in [
        ("400-3000", "400/3000"),
        ("400-800002", "400/800002"),
        ("403-600006", "403/600006"),
        ("409-600005", "409/600005"),
    ] {
        site.switch(json!({"detachRefusal": switch})).await;
        assert_eq!(site.patch(&path(), none()).await.refusal(), refusal);
    }
    assert_eq!(site.listed().await, [guid(1)]);
}

/// Partner Center sheet §2 Codes: 400/3000 observed where there is no relationship to remove.
#[tokio::test]
async fn removing_twice_says_that_there_is_nothing_to_remove() {
    let site = with_subscriptions(json!([])).await;
    assert_eq!(site.patch(&path(), none()).await.status, 200);
    let again = site.patch(&path(), none()).await;
    assert_eq!(again.refusal(), "400/3000");
    assert_eq!(
        again.text("/description"),
        "The relationship between the partner and customer does not exist"
    );
    site.switch(json!({"detachUnrelated": "as-foreign"})).await;
    assert_eq!(site.patch(&path(), none()).await.refusal(), "403/20002");
    assert_eq!(site.effects("relationship-removed").len(), 1);
}

/// Partner Center sheet §3 Remove relationship: DAP afterwards is a conflict of sources; GDAP stays.
#[tokio::test]
async fn delegated_rights_outlive_the_relationship_unless_switched() {
    for (switch, kept) in [("kept", true), ("removed", false)] {
        let site = with_subscriptions(json!([])).await;
        site.switch(json!({"dapAfterDetach": switch})).await;
        assert_eq!(site.patch(&path(), none()).await.status, 200);
        let state = site.click("GET", "state", json!({})).await.body;
        assert_eq!(state["customers"], json!([]));
        assert_eq!(state["dap"], if kept { json!([guid(1)]) } else { json!([]) });
        assert_eq!(state["gdap"][0]["status"], "active");
    }
}

/// Partner Center sheet §3: DAP alone, the same PATCH with allowDelegatedAccess false.
#[tokio::test]
async fn delegated_privileges_end_alone_and_once() {
    let site = with_subscriptions(json!([{}])).await;
    let body = json!({"allowDelegatedAccess": false, "attributes": {"objectType": "Customer"}});
    assert_eq!(site.patch(&path(), body.clone()).await.body["AllowDelegatedAccess"], false);
    assert_eq!(site.get(&path()).await.body["allowDelegatedAccess"], false);
    assert_eq!(site.patch(&path(), body).await.status, 200);
    assert_eq!(site.effects("dap-removed"), [guid(1)]);
    assert_eq!(site.listed().await, [guid(1)]);
}

/// Partner Center sheet §3: a PATCH that asks for anything else is an invalid property.
#[tokio::test]
async fn a_patch_that_asks_for_anything_else_is_refused() {
    let site = with_subscriptions(json!([])).await;
    for body in
        [json!({}), json!({"relationshipToPartner": "reseller"}), json!({"allowDelegatedAccess": true})]
    {
        assert_eq!(site.patch(&path(), body.clone()).await.refusal(), "400/3000", "{body}");
    }
}

/// Partner Center sheet §1: relationship and DAP removal need a user.
#[tokio::test]
async fn an_application_alone_removes_nothing() {
    let site = with_subscriptions(json!([])).await;
    let form = [("grant_type", "client_credentials"), ("resource", crate::API)];
    let app = site.token(&form).await.text("/access_token");
    for body in [none(), json!({"allowDelegatedAccess": false})] {
        let refused = site.call_as(Some(&app), "PATCH", &path(), Some(body), &[]).await;
        assert_eq!(refused.refusal(), "403/900329");
    }
}

/// Partner Center sheet §2: other writes than create may remember their request id.
#[tokio::test]
async fn a_repeated_removal_can_be_answered_from_memory() {
    let site = with_subscriptions(json!([])).await;
    site.switch(json!({"requestIdScope": "all-writes"})).await;
    let id = guid(71);
    for _ in 0..2 {
        let done = site.call("PATCH", &path(), Some(none()), &[("MS-RequestId", &id)]).await;
        assert_eq!(done.status, 200);
    }
    assert_eq!(site.effects("relationship-removed").len(), 1);
}

/// Partner Center sheet §3 Partner relationships: a provider's resellers, a reseller's providers, a customer's.
#[tokio::test]
async fn partners_see_each_other_and_who_else_serves_a_customer() {
    let partners = json!({
        "distri": {"position": "indirect-provider", "companyName": "Distri", "country": "DE", "customers": [
            {"tenantId": guid(1), "companyName": "A", "reseller": "small"}]},
        "small": {"position": "indirect-reseller", "companyName": "Small", "mpnId": "4712", "providers": ["distri"]},
        "other": {"position": "indirect-reseller", "companyName": "Other", "providers": ["distri"]},
    });
    let distri = Site::world(partners, "distri").await;
    let small = distri.at("small").await;
    let list = "/v1/relationships?relationship_type=IsIndirectCloudSolutionProviderOf";
    let resellers = distri.get(list).await;
    assert_eq!(resellers.body["totalCount"], 2);
    assert_eq!(resellers.text("/items/1/name"), "Small");
    assert_eq!(resellers.text("/items/1/relationshipType"), "is_indirect_cloud_solution_provider_of");
    assert_eq!(resellers.text("/items/1/state"), "Active");
    assert_eq!(resellers.text("/items/1/mpnId"), "4712");
    let name = r#"&filter={"Field":"Name","Value":"sm","Operator":"starts_with"}"#.replace('"', "%22");
    assert_eq!(distri.get(&format!("{list}{name}")).await.body["totalCount"], 1);
    assert_eq!(distri.get(&format!("{list}&filter=x")).await.refusal(), "400/2000");
    assert_eq!(distri.get("/v1/relationships").await.refusal(), "400/2000");
    assert_eq!(
        distri.get("/v1/relationships?relationship_type=IsIndirectResellerOf").await.refusal(),
        "403/1002"
    );

    let providers = small.get("/v1/relationships?relationship_type=IsIndirectResellerOf").await;
    assert_eq!(providers.text("/items/0/name"), "Distri");
    assert_eq!(providers.text("/items/0/id"), distri.tenant());
    assert_eq!(providers.text("/items/0/location"), "DE");
    let of_customer = small.get(&format!("/v1/customers/{}/relationships", guid(1))).await;
    assert_eq!(of_customer.body["totalCount"], 1);
    assert_eq!(of_customer.text("/items/0/relationshipType"), "is_indirect_cloud_solution_provider_of");
    assert!(of_customer.body["items"][0]["state"].is_null());
}
