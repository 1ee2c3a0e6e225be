//! The customer list and details.

use serde_json::json;
use tenantry_engine::console::{Console, ConsoleError};
use tenantry_engine::observed::{DetailKey, Facet};
use tenantry_simulator::microsoft::Switches;
use tenantry_simulator::{Does, Fault, FaultBody, HOSTILE_NAMES, Kind, RetryAfter};

use crate::world::{CONTOSO, Quiet, World, identified, with_contoso};

fn bulk(count: usize) -> serde_json::Value {
    json!({"bulk": {"count": count, "hostileNames": true}})
}

#[tokio::test]
async fn pages_of_one_and_of_five_hundred_give_the_same_list() {
    let mut world = World::direct(bulk(7)).await;
    let whole = identified(&world).await.census(&Quiet).await.unwrap();
    assert_eq!(whole.records().len(), 7);
    world.page = 1;
    let console = identified(&world).await;
    console.take_cost();
    let paged = console.census(&Quiet).await.unwrap();
    assert_eq!(paged.records(), whole.records());
    assert!(paged.complete());
    assert_eq!(console.take_cost().pages, 7);
}

#[tokio::test]
async fn every_switch_leads_to_the_same_customers() {
    for (name, switches) in Switches::all_variants() {
        let mut world = World::direct(bulk(5)).await;
        world.page = 2;
        world.sim.microsoft("acme").switch(|now| *now = switches);
        let census = identified(&world).await.census(&Quiet).await.unwrap();
        assert!(census.complete(), "{name}: {:?}", census.incomplete);
        assert_eq!(census.records().len(), 5, "{name}");
    }
}

#[tokio::test]
async fn a_list_that_breaks_off_is_incomplete_and_never_short() {
    for does in [
        Does::Status { status: 500, retry_after: None, body: FaultBody::Html, after_commit: false },
        Does::CloseBeforeCommit,
        Does::Truncate,
        Does::MalformedJson,
        Does::Forbidden,
    ] {
        let mut world = World::direct(bulk(6)).await;
        world.page = 2;
        let console = identified(&world).await;
        world.sim.faults().add(Fault::new(does.clone()).on("GET", "/v1/customers").nth(2).always());
        let census = console.census(&Quiet).await.unwrap();
        let because = census.incomplete.clone().unwrap_or_default();
        assert!(because.starts_with("after 1 pages: "), "{does:?}: {because}");
        assert_eq!(census.records().len(), 2, "{does:?}");
    }
}

#[tokio::test]
async fn a_list_whose_first_page_is_refused_is_an_error() {
    let world = World::direct(bulk(1)).await;
    let console = identified(&world).await;
    world.sim.faults().add(Fault::new(Does::Forbidden).on("GET", "/v1/customers").always());
    let error = console.census(&Quiet).await.unwrap_err();
    assert!(matches!(error, ConsoleError::Refused { .. }));
    let text = error.to_string();
    assert!(
        text.starts_with("Partner Center refuses to list customers: Microsoft refuses this to our position"),
        "{text}"
    );
    assert!(text.contains("(403/1002)"), "{text}");
}

#[tokio::test]
async fn too_many_requests_are_waited_out_with_and_without_a_retry_after() {
    for retry_after in [None, Some(RetryAfter::Seconds(7)), Some(RetryAfter::HttpDate(7))] {
        let world = World::direct(bulk(3)).await;
        let console = identified(&world).await;
        let before = world.sim.clock().now();
        let does = Does::Status { status: 429, retry_after, body: FaultBody::Vendor, after_commit: false };
        world.sim.faults().add(Fault::new(does).on("GET", "/v1/customers").times(2));
        let census = console.census(&Quiet).await.unwrap();
        assert!(census.complete());
        let waited = world.sim.clock().now().duration_since(before).as_secs();
        assert!(retry_after.is_none() || waited >= 7, "{retry_after:?}: {waited} s");
    }
}

#[tokio::test]
async fn an_expired_token_is_renewed_once() {
    let world = World::direct(bulk(2)).await;
    let console = identified(&world).await;
    let since = world.sim.log().mark();
    world.sim.faults().add(Fault::new(Does::ExpiredToken).on("GET", "/v1/customers"));
    assert!(console.census(&Quiet).await.unwrap().complete());
    assert_eq!(world.count(Kind::Login, since), 1);
    world.advance(jiff::Span::new().hours(2));
    let since = world.sim.log().mark();
    assert!(console.census(&Quiet).await.unwrap().complete());
    assert_eq!(world.count(Kind::Login, since), 1, "the old one has run out");
}

#[tokio::test]
async fn hostile_names_are_kept_as_they_are_and_shown_harmless() {
    let world = World::direct(bulk(HOSTILE_NAMES.len())).await;
    let census = identified(&world).await.census(&Quiet).await.unwrap();
    let names: Vec<&str> = census.records().iter().map(|record| record.name().raw()).collect();
    for hostile in HOSTILE_NAMES {
        assert!(names.contains(&hostile), "{hostile:?}");
    }
    for record in census.records() {
        assert!(!record.name().terminal().contains(['\u{1b}', '\n', '\u{202e}']), "{:?}", record.name());
    }
}

#[tokio::test]
async fn details_show_the_profile_the_subscriptions_and_the_rights() {
    let seed = with_contoso(json!({
        "email": "it@contoso.example", "dap": true,
        "gdap": [{"name": "Helpdesk"}, {"name": "Old", "startedDaysAgo": 800}],
        "subscriptions": [{"quantity": 12}],
    }));
    let world = World::direct(seed).await;
    let console = identified(&world).await;
    console.take_cost();
    let key = |facet| DetailKey { id: CONTOSO.into(), facet };
    let wanted = [key(Facet::Account), key(Facet::Licenses), key(Facet::Access)];
    let details = console.details(&wanted, &Quiet).await.unwrap();
    let account = &details[&wanted[0]];
    assert_eq!(account.field("contact.email").unwrap().as_text(), Some("it@contoso.example"));
    assert_eq!(account.field("contact.firstName").unwrap().as_text(), Some("Alex"));
    assert_eq!(account.field("address.city").unwrap().as_text(), Some("Redmond"));
    let license = &details[&wanted[1]].licenses[0];
    assert_eq!(license.article.raw(), "CFQ7TTC0LH18:0001");
    assert!(license.in_force && license.blocks_end.is_some());
    let access = &details[&wanted[2]];
    assert_eq!(access.field("delegatedAdmin.count"), Some(tenantry_engine::value::Value::Number(1)));
    assert_eq!(access.field("delegatedAdmin.names").unwrap().terminal(), "Helpdesk");
    assert_eq!(access.field("delegatedAdmin.privileges"), Some(true.into()));
    assert_eq!(console.take_cost().details, 4, "one request each, and the customer for its older privileges");
}

#[tokio::test]
async fn a_refusal_about_one_customer_is_a_fact_of_that_customer() {
    let world = World::direct(json!({"customers": [
        {"companyName": "Contoso GmbH", "domain": "contoso.example", "tenantId": CONTOSO},
        {"companyName": "Adatum AG", "domain": "adatum.example", "tenantId": "22222222-2222-4333-8444-555555555555"},
    ]}))
    .await;
    let console = identified(&world).await;
    world.sim.faults().add(Fault::new(Does::Forbidden).about(CONTOSO).always());
    for facet in [Facet::Account, Facet::Licenses] {
        let wanted =
            [CONTOSO, "22222222-2222-4333-8444-555555555555"].map(|id| DetailKey { id: id.into(), facet });
        let details = console.details(&wanted, &Quiet).await.unwrap();
        let refusal = details[&wanted[0]].unreadable.as_ref().unwrap();
        assert_eq!(refusal.code, "position-refused");
        assert!(details[&wanted[1]].unreadable.is_none());
    }
}

#[tokio::test]
async fn a_vendor_that_is_unwell_leaves_details_out_instead_of_making_them_up() {
    let world = World::direct(with_contoso(json!({}))).await;
    let console = identified(&world).await;
    world.sim.faults().add(Fault::status(503).on("GET", "*/profiles/billing").always());
    let wanted = [DetailKey { id: CONTOSO.into(), facet: Facet::Account }];
    assert!(console.details(&wanted, &Quiet).await.unwrap().is_empty());
}
