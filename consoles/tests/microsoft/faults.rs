//! What planning may and may not do, whatever happens on the way.

use serde_json::json;
use tenantry_simulator::{Does, Fault, Kind};

use crate::world::{CONTOSO, Objects, World, contoso, nordwind, with_contoso};

#[tokio::test]
async fn planning_sends_only_reads_and_what_it_asks_is_known() {
    let mut world = World::direct(with_contoso(json!({}))).await;
    let objects = Objects {
        customers: vec![
            (
                "contoso",
                contoso(json!({"contacts": [{"roles": ["Billing"], "email": "zoe@contoso.example"}]})),
            ),
            ("nordwind", nordwind(json!({}))),
        ],
        ..Objects::default()
    };
    world.plan(&objects).await;
    let tenant = world.tenant();
    let mut requests: Vec<String> =
        world.requests(0).into_iter().map(|request| request.split('?').next().unwrap().to_owned()).collect();
    requests.sort();
    assert_eq!(
        requests,
        [
            "GET /v1.0/organization".to_owned(),
            "GET /v1.0/tenantRelationships/delegatedAdminRelationships".to_owned(),
            "GET /v1/customers".to_owned(),
            format!("GET /v1/customers/{CONTOSO}/profiles/billing"),
            "GET /v1/customers/relationshiprequests".to_owned(),
            format!("POST /{tenant}/oauth2/token"),
            format!("POST /{tenant}/oauth2/token"),
        ]
    );
    assert_eq!(world.count(Kind::Write, 0), 0);
}

#[tokio::test]
async fn planning_twice_gives_the_same_plan() {
    let mut world = World::direct(with_contoso(json!({}))).await;
    let objects = Objects::customer("nordwind", nordwind(json!({})));
    let first = world.plan(&objects).await;
    let second = world.plan(&objects).await;
    assert_eq!(first.steps, second.steps);
    assert_eq!(first.findings, second.findings);
}

#[tokio::test]
async fn an_incomplete_list_creates_and_removes_nothing() {
    let mut world = World::direct(with_contoso(json!({}))).await;
    world.apply(&Objects::customer("contoso", contoso(json!({})))).await;
    world.sim.seed(&json!({"microsoft": {"acme": {"bulk": {"count": 3}}}})).unwrap();
    world.page = 1;
    world.approvals.consents = crate::world::consents(&["customer-told", "delegated-rights-stay"], "contoso");
    world.sim.faults().add(Fault::new(Does::Forbidden).on("GET", "/v1/customers").nth(2).always());
    let objects = Objects {
        customers: vec![("contoso", contoso(json!({"want": "Detached"}))), ("nordwind", nordwind(json!({})))],
        ..Objects::default()
    };
    world.apply(&objects).await;
    assert_eq!(world.count(Kind::Write, 0), 0);
}
