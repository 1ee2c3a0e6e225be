//! Partner Center sheet §1 Own position; §11 GDAP, the reads.

use serde_json::{Value, json};

use crate::{Answer, Site, guid, string};

async fn graph(site: &Site, path: &str) -> Answer {
    let form = [("grant_type", "client_credentials"), ("resource", "https://graph.microsoft.com")];
    let token = site.token(&form).await.text("/access_token");
    let path = path.strip_prefix(&site.base()).unwrap_or(path);
    site.call_as(Some(&token), "GET", path, None, &[]).await
}

const LIST: &str = "/v1.0/tenantRelationships/delegatedAdminRelationships";

/// Partner Center sheet §1 Own position.
#[tokio::test]
async fn the_organisation_says_what_kind_of_partner_it_is() {
    for (position, kind) in [
        ("direct-bill", "resellerPartnerDelegatedAdmin"),
        ("indirect-provider", "resellerPartnerDelegatedAdmin"),
        ("indirect-reseller", "valueAddedResellerPartnerDelegatedAdmin"),
    ] {
        let site = Site::open(json!({"position": position})).await;
        let organisation = graph(&site, "/v1.0/organization").await;
        assert_eq!(organisation.text("/value/0/partnerTenantType"), kind);
        assert_eq!(organisation.text("/value/0/id"), site.tenant());
    }
}

/// Partner Center sheet §11: Graph wants its own audience and has its own error body.
#[tokio::test]
async fn graph_refuses_partner_center_tokens_in_its_own_words() {
    let site = Site::open(json!({})).await;
    let refused = site.get("/v1.0/organization").await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.text("/error/code"), "InvalidAuthenticationToken");
    assert!(refused.body["error"]["message"].is_string() && refused.body["error"]["innerError"].is_object());
    assert_eq!(graph(&site, "/v1.0/nothing").await.status, 404);
}

/// Partner Center sheet §11: list, get, the fields, filters by customer and status.
#[tokio::test]
async fn delegated_relationships_are_listed_filtered_and_read() {
    let customers = json!([
        {"tenantId": guid(1), "companyName": "A", "gdap": [{"name": "One"}, {"name": "Old", "days": 30, "startedDaysAgo": 40}]},
        {"tenantId": guid(2), "companyName": "B", "gdap": [{"name": "Two", "roles": ["r1", "r2"], "provider": guid(5)}]},
    ]);
    let site = Site::open(json!({"customers": customers})).await;
    let all = graph(&site, LIST).await;
    assert_eq!(all.body["value"].as_array().map(Vec::len), Some(3));
    let one = &all.body["value"][0];
    assert_eq!(one["displayName"], "One");
    assert_eq!(one["duration"], "P730D");
    assert_eq!(one["customer"], json!({"tenantId": guid(1), "displayName": "A"}));
    assert_eq!((&one["status"], &all.body["value"][1]["status"]), (&json!("active"), &json!("expired")));
    assert_eq!(one["endDateTime"], "2028-01-12T08:00:00Z");
    assert!(string(&one["@odata.etag"]).starts_with("W/\""));
    let two = &all.body["value"][2];
    assert_eq!(two["@odata.type"], "#microsoft.graph.resellerDelegatedAdminRelationship");
    assert_eq!(two["indirectProviderTenantId"], guid(5));
    assert_eq!(two["accessDetails"]["unifiedRoles"][1], json!({"roleDefinitionId": "r2"}));
    let names = |answer: Answer| -> Vec<String> {
        answer.body["value"].as_array().expect("values").iter().map(|g| string(&g["displayName"])).collect()
    };
    let filtered = |filter: String| {
        let site = &site;
        async move { graph(site, &format!("{LIST}?$filter={}", filter.replace(' ', "%20"))).await }
    };
    assert_eq!(names(filtered(format!("customer/tenantId eq '{}'", guid(2))).await), ["Two"]);
    let both = format!("customer/tenantId eq '{}' and status eq 'active'", guid(1));
    assert_eq!(names(filtered(both).await), ["One"]);
    assert_eq!(filtered("colour eq 'red'".to_owned()).await.text("/error/code"), "badRequest");
    let id = string(&one["id"]);
    assert_eq!(graph(&site, &format!("{LIST}/{id}")).await.body["id"], id);
    let unknown = graph(&site, &format!("{LIST}/{}-{}", guid(1), guid(2))).await;
    assert_eq!(unknown.text("/error/message"), "The passed in delegatedAdminRelationshipId is invalid.");
}

/// Partner Center sheet §11: $top up to 300, nextLink until the last page, $select.
#[tokio::test]
async fn delegated_relationships_come_in_pages() {
    let site = Site::open(json!({"bulk": {"count": 7, "gdapEvery": 1}})).await;
    let mut path = format!("{LIST}?$top=3&$filter=status%20eq%20'active'&$select=id,status");
    let mut sizes = Vec::new();
    loop {
        let page = graph(&site, &path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let values = page.body["value"].as_array().expect("values").clone();
        assert!(values.iter().all(|v| v["displayName"].is_null() && v["id"].is_string()));
        sizes.push(values.len());
        match page.body["@odata.nextLink"].as_str() {
            Some(next) => next.clone_into(&mut path),
            None => break,
        }
    }
    assert_eq!(sizes, [3, 3, 1]);
    assert_eq!(graph(&site, &format!("{LIST}?$top=301")).await.status, 400);
}

/// Partner Center sheet §11: a person ends a relationship; it shows as terminated.
#[tokio::test]
async fn an_ended_relationship_is_terminated() {
    let site = Site::open(json!({"customers": [{"tenantId": guid(1), "companyName": "A"}]})).await;
    let id =
        site.click("POST", &format!("customers/{}/gdap", guid(1)), json!({"name": "Ours"})).await.text("/id");
    assert_eq!(graph(&site, &format!("{LIST}/{id}")).await.body["status"], "active");
    let end = format!("customers/{}/gdap/{id}/end", guid(1));
    assert_eq!(site.click("POST", &end, Value::Null).await.status, 204);
    assert_eq!(graph(&site, &format!("{LIST}/{id}")).await.body["status"], "terminated");
    assert_eq!(site.effects("gdap-ended"), [id]);
}
