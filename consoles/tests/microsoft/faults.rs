//! What planning may and may not do, whatever happens on the way.

use serde_json::json;
use tenantry_engine::execute::Outcome;
use tenantry_simulator::microsoft::Switches;
use tenantry_simulator::{Does, Fault, FaultBody, HoldAt, Kind, RetryAfter};

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
async fn an_incomplete_list_creates_and_removes_nothing_under_any_switch() {
    for (name, switches) in Switches::all_variants() {
        let mut world = World::direct(with_contoso(json!({}))).await;
        world.sim.microsoft("acme").switch(|now| *now = switches);
        world.apply(&Objects::customer("contoso", contoso(json!({})))).await;
        world.sim.seed(&json!({"microsoft": {"acme": {"bulk": {"count": 3}}}})).unwrap();
        world.page = 1;
        world.restart();
        world.approvals.consents =
            crate::world::consents(&["customer-told", "delegated-rights-stay"], "contoso");
        world.sim.faults().add(Fault::new(Does::Forbidden).on("GET", "/v1/customers").nth(2).always());
        let leaving = ("contoso", contoso(json!({"want": "Detached"})));
        let objects =
            Objects { customers: vec![leaving, ("nordwind", nordwind(json!({})))], ..Objects::default() };
        world.apply(&objects).await;
        assert_eq!(world.count(Kind::Write, 0), 0, "{name}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_leaves_it_in_doubt_and_is_settled_by_looking() {
    for at in [HoldAt::BeforeCommit, HoldAt::AfterCommit] {
        let mut world = World::direct(json!({})).await;
        world.settings.write_timeout = std::time::Duration::from_millis(700);
        let objects = Objects::customer("nordwind", nordwind(json!({})));
        world.sim.faults().add(Fault::new(Does::Hold { at }).on("POST", "/v1/customers"));
        let report = world.apply(&objects).await;
        let Outcome::InDoubt { because, .. } = &report.steps[0].outcome else { panic!("{:?}", report.steps) };
        assert_eq!(because, "no answer in time");
        // What was on its way may still arrive.
        world.sim.faults().release();
        for _ in 0..4 {
            world.advance(jiff::Span::new().hours(1));
            world.apply(&objects).await;
        }
        assert_eq!(world.effects("customer-created").len(), 1, "{at:?}");
    }
}

#[tokio::test]
async fn what_may_not_leave_any_more_does_not_leave() {
    let mut world = World::direct(json!({})).await;
    world.settings.fence = Some(std::sync::Arc::new(|| false));
    let objects = Objects::customer("nordwind", nordwind(json!({})));
    let report = world.apply(&objects).await;
    let Outcome::Failed { refusal } = &report.steps[0].outcome else { panic!("{:?}", report.steps) };
    assert_eq!(refusal.code, "not-ours");
    assert_eq!(world.count(Kind::Write, 0), 0);
}

#[tokio::test]
async fn checks_that_take_too_long_stop_the_creation_before_it_leaves() {
    let mut world = World::direct(json!({})).await;
    let slow = Does::Status {
        status: 429,
        retry_after: Some(RetryAfter::Seconds(57)),
        body: FaultBody::Vendor,
        after_commit: false,
    };
    world.sim.faults().add(Fault::new(slow).on("HEAD", "/v1/domains/*"));
    let objects = Objects::customer("nordwind", nordwind(json!({})));
    let report = world.apply(&objects).await;
    let Outcome::Failed { refusal } = &report.steps[0].outcome else { panic!("{:?}", report.steps) };
    assert_eq!(refusal.code, "slow-checks");
    assert_eq!(world.count(Kind::Write, 0), 0);
    assert_eq!(world.apply(&objects).await.steps[0].outcome, Outcome::Done, "the next run does it");
}
