//! Partner Center sheet §2 Pagination and Filter, §3 List.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{Answer, Site, guid, string};

fn bulk(count: usize) -> Value {
    json!({"bulk": {"count": count}})
}

fn ids(page: &Answer) -> Vec<String> {
    page.body["items"].as_array().expect("items").iter().map(|c| string(&c["id"])).collect()
}

async fn follow(site: &Site, link: &Value) -> Answer {
    let headers = link["headers"].as_array().expect("headers");
    let headers: Vec<(String, String)> =
        headers.iter().map(|h| (string(&h["key"]), string(&h["value"]))).collect();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let uri = string(&link["uri"]);
    let path = if uri.starts_with("/v1/") { uri } else { format!("/v1{uri}") };
    site.call("GET", &path, None, &headers).await
}

/// Partner Center sheet §3 List: items only hold the short form.
#[tokio::test]
async fn a_list_shows_the_short_form_of_each_customer() {
    let site = Site::open(json!({"customers": [{"tenantId": guid(1), "companyName": "Fabrikam", "domain": "fabrikam.example"}]})).await;
    let page = site.get("/v1/customers?size=40").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.body["totalCount"], 1);
    assert_eq!(page.body["attributes"]["objectType"], "Collection");
    assert_eq!(page.body["links"]["self"]["uri"], "/customers?size=40");
    let item = &page.body["items"][0];
    assert_eq!(item["id"], guid(1));
    assert_eq!(item["companyProfile"]["tenantId"], guid(1));
    assert_eq!(item["companyProfile"]["domain"], "fabrikam.example");
    assert_eq!(item["companyProfile"]["companyName"], "Fabrikam");
    assert_eq!(item["relationshipToPartner"], "reseller");
    assert_eq!(item["attributes"]["objectType"], "Customer");
    assert!(item["billingProfile"].is_null() && item["allowDelegatedAccess"].is_null());
}

/// Partner Center sheet §2 Pagination: links.next with its header; the last page lacks it; totalCount = items.
#[tokio::test]
async fn pages_follow_the_link_with_its_header_until_there_is_none() {
    for next_link in ["relative", "versioned", "bare"] {
        let site = Site::open(bulk(7)).await;
        site.switch(json!({"nextLink": next_link})).await;
        let mut page = site.get("/v1/customers?size=3").await;
        let mut seen = Vec::new();
        let mut sizes = Vec::new();
        loop {
            sizes.push(page.body["totalCount"].as_u64());
            seen.extend(ids(&page));
            let next = &page.body["links"]["next"];
            assert_eq!(next.is_null(), page.body["continuationToken"].is_null());
            if next.is_null() {
                break;
            }
            assert_eq!(next["headers"][0]["key"], "MS-ContinuationToken");
            page = follow(&site, next).await;
        }
        assert_eq!(sizes, [Some(3), Some(3), Some(1)], "{next_link}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 7, "{next_link}");
    }
}

/// Partner Center sheet §2 Pagination: `?seekOperation=Next` and the header, nothing else.
#[tokio::test]
async fn the_token_alone_leads_on_back_and_to_the_ends() {
    let site = Site::open(bulk(5)).await;
    let all = site.listed().await;
    let first = site.get("/v1/customers?size=2").await;
    let seek = |operation: &'static str, token: String| {
        let site = &site;
        async move {
            let path = format!("/v1/customers?seekOperation={operation}");
            site.call("GET", &path, None, &[("MS-ContinuationToken", token.as_str())]).await
        }
    };
    let second = seek("Next", first.text("/continuationToken")).await;
    assert_eq!(ids(&second), all[2..4]);
    assert_eq!(ids(&follow(&site, &second.body["links"]["previous"]).await), all[..2]);
    assert_eq!(ids(&seek("First", second.text("/continuationToken")).await), all[..2]);
    assert_eq!(ids(&seek("Last", second.text("/continuationToken")).await), all[3..]);
    assert_eq!(seek("PageIndex", second.text("/continuationToken")).await.refusal(), "400/2000");
    assert_eq!(seek("Next", "nonsense".to_owned()).await.refusal(), "400/2000");
    assert_eq!(site.get("/v1/customers?seekOperation=Next").await.refusal(), "400/2000");
}

/// Partner Center sheet §2 Pagination: a page is as long as the customers it returns, to the last full one.
#[tokio::test]
async fn a_last_page_that_is_full_lacks_next() {
    let site = Site::open(bulk(4)).await;
    let first = site.get("/v1/customers?size=2").await;
    let second = follow(&site, &first.body["links"]["next"]).await;
    assert_eq!(second.body["totalCount"], 2);
    assert!(second.body["links"]["next"].is_null());
    assert!(site.get("/v1/customers?size=4").await.body["links"]["next"].is_null());
}

/// Partner Center sheet §2 Pagination: size 1–500, 0 = no limit, documents disagree whether it is required.
#[tokio::test]
async fn sizes_have_their_bounds_and_their_switches() {
    let site = Site::open(bulk(3)).await;
    assert_eq!(site.get("/v1/customers").await.body["totalCount"], 3);
    assert_eq!(site.get("/v1/customers?size=0").await.body["totalCount"], 3);
    assert_eq!(site.get("/v1/customers?size=1").await.body["totalCount"], 1);
    assert_eq!(site.get("/v1/customers?size=500").await.status, 200);
    assert_eq!(site.get("/v1/customers?size=501").await.refusal(), "400/2000");
    assert_eq!(site.get("/v1/customers?size=x").await.refusal(), "400/2000");
    site.switch(json!({"listSize": "required", "listOversize": "reduced"})).await;
    assert_eq!(site.get("/v1/customers").await.refusal(), "400/2000");
    assert_eq!(site.get("/v1/customers?size=501").await.status, 200);
}

/// Partner Center sheet §2 Pagination: what is removed between two pages shifts nothing.
#[tokio::test]
async fn a_removal_between_two_pages_skips_nobody() {
    let site = Site::open(bulk(6)).await;
    let all = site.listed().await;
    let first = site.get("/v1/customers?size=2").await;
    site.click("POST", &format!("customers/{}/remove", all[0]), json!({})).await;
    let second = follow(&site, &first.body["links"]["next"]).await;
    assert_eq!(ids(&second), all[2..4]);
}

fn filter(field: &str, value: &str, operator: &str) -> String {
    let json = json!({"Field": field, "Value": value, "Operator": operator}).to_string();
    let encoded = utf8_percent_encode(&json, NON_ALPHANUMERIC);
    format!("/v1/customers?size=2&filter={encoded}")
}

/// Partner Center sheet §2 Filter: starts_with only, case-insensitive, four fields.
#[tokio::test]
async fn a_filter_narrows_the_list_and_its_pages() {
    let customers: Vec<Value> = (1..=5)
        .map(|n| json!({"tenantId": guid(n), "companyName": format!("Con{n}"), "domain": format!("con{n}.example")}))
        .chain([json!({"tenantId": guid(9), "companyName": "Fabrikam", "domain": "fab.example", "reseller": "small"})])
        .collect();
    let partners = json!({"acme": {"position": "indirect-provider", "customers": customers}, "small": {}});
    let site = Site::world(partners, "acme").await;
    let page = site.get(&filter("CompanyName", "cON", "starts_with")).await;
    assert_eq!(page.body["totalCount"], 2);
    let page = follow(&site, &page.body["links"]["next"]).await;
    let page = follow(&site, &page.body["links"]["next"]).await;
    assert_eq!(ids(&page), [guid(5)]);
    assert!(page.body["links"]["next"].is_null());
    assert_eq!(ids(&site.get(&filter("Domain", "fab", "starts_with")).await), [guid(9)]);
    let reseller = site.sim.microsoft("small").look(|a, _| a.tenant_id.clone());
    assert_eq!(ids(&site.get(&filter("IndirectReseller", &reseller, "starts_with")).await), [guid(9)]);
    let small = site.at("small").await;
    let provider = filter("IndirectCloudSolutionProvider", &site.tenant(), "starts_with");
    assert_eq!(ids(&small.get(&provider).await), [guid(9)]);
    for bad in [
        filter("CompanyName", "x", "equals"),
        filter("Colour", "x", "starts_with"),
        "/v1/customers?filter=x".to_owned(),
    ] {
        assert_eq!(site.get(&bad).await.refusal(), "400/2000", "{bad}");
    }
}

/// Partner Center sheet §3 List: every customer of a large partner is listed once.
#[tokio::test]
async fn twelve_hundred_customers_are_listed_once_each_and_the_same_each_time() {
    let site = Site::open(json!({"bulk": {"count": 1200, "hostileNames": true}})).await;
    let mut all = site.listed().await;
    assert_eq!(all.len(), 1200);
    let other = Site::open(json!({"bulk": {"count": 1200}})).await;
    assert_eq!(all, other.listed().await);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 1200);
}
