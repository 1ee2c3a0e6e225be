//! Inviting an existing customer: a link that Microsoft makes, a mail that a person sends, a customer who accepts.

use jiff::Span;
use serde_json::json;
use tenantry_engine::address::RemoteId;
use tenantry_engine::execute::Outcome;
use tenantry_engine::plan::Performer;
use tenantry_simulator::microsoft::Switches;
use tenantry_simulator::{Does, Fault, Kind};

use crate::world::{CONTOSO, DISTRO, Objects, World, contoso};

fn invited(over: serde_json::Value) -> Objects {
    let mut relationship = json!({
        "consoleRef": {"name": "microsoft"}, "customerRef": {"name": "contoso"}, "type": "Reseller",
        "invitation": {"to": "ceo@contoso.example", "language": "de"},
    });
    crate::world::merge(&mut relationship, over);
    Objects {
        customers: vec![("contoso", contoso(json!({"company": {"domains": ["contoso.example"]}})))],
        relationships: vec![("contoso-link", relationship)],
        ..Objects::default()
    }
}

fn prospect() -> serde_json::Value {
    json!({"prospects": [{"companyName": "Contoso GmbH", "domain": "contoso.example", "tenantId": CONTOSO}]})
}

#[tokio::test]
async fn the_link_is_fetched_once_and_acceptance_binds() {
    for (name, switches) in Switches::all_variants() {
        let mut world = World::direct(prospect()).await;
        world.sim.microsoft("acme").switch(|now| *now = switches);
        let objects = invited(json!({}));
        let report = world.apply(&objects).await;
        assert_eq!(report.steps[0].outcome, Outcome::Done, "{name}");
        let link = invitation(&world);
        assert!(link.contains(&world.tenant()), "{name}: {link}");
        assert_eq!(world.count(Kind::Write, 0), 0, "{name}: a link is a read");
        world.apply(&objects).await;
        assert_eq!(invitation(&world), link, "{name}: drafted once");
        let accept = format!("prospects/{CONTOSO}/accept");
        world.sim.click("microsoft", "acme", &accept, &json!({ "link": link })).expect("accepted");
        for _ in 0..3 {
            world.advance(Span::new().hours(1));
            world.apply(&objects).await;
        }
        let entry = world.ledger().entries.values().next().unwrap();
        assert_eq!(entry.bound().map(RemoteId::as_str), Some(CONTOSO), "{name}");
    }
}

fn invitation(world: &World) -> String {
    world.ledger().entries.values().find_map(|entry| entry.invitation.as_ref()).expect("drafted").link.clone()
}

#[tokio::test]
async fn a_reseller_invites_with_its_provider_where_the_link_answers() {
    let mut world = World::reseller("some").await;
    let tenant = "44444444-2222-4333-8444-555555555555";
    world
        .sim
        .click(
            "microsoft",
            "acme",
            "prospects",
            &json!({"companyName": "Adatum AG", "domain": "adatum.example", "tenantId": tenant}),
        )
        .expect("a prospect");
    let mut objects = invited(json!({"reseller": {"provider": "distro"}, "customerRef": {"name": "adatum"}}));
    objects.customers = vec![(
        "adatum",
        json!({"company": {"legalName": "Adatum AG"}, "accounts": [{"consoleRef": {"name": "microsoft"}, "id": tenant}]}),
    )];
    let report = world.apply(&objects).await;
    assert_eq!(report.steps[0].outcome, Outcome::Done);
    let link = invitation(&world);
    assert!(link.contains(&world.tenant()) && link.contains(DISTRO), "{link}");
}

#[tokio::test]
async fn a_link_that_names_somebody_else_is_never_drafted() {
    // The answer comes, and is no link: Microsoft's words are not trusted to go into a mail.
    let mut world = World::direct(prospect()).await;
    let objects = invited(json!({}));
    let odd = Does::Status {
        status: 200,
        retry_after: None,
        body: tenantry_simulator::FaultBody::Json,
        after_commit: false,
    };
    // The first such read is the probe.
    world.sim.faults().add(Fault::new(odd).on("GET", "/v1/customers/relationshiprequests").nth(2));
    let report = world.apply(&objects).await;
    let Outcome::Failed { refusal } = &report.steps[0].outcome else { panic!("{:?}", report.steps) };
    assert_eq!(refusal.code, "unexpected-link");
    assert!(world.ledger().entries.values().all(|entry| entry.invitation.is_none()));
}

#[tokio::test]
async fn where_the_link_is_refused_a_person_invites_along_the_documented_clicks() {
    let mut world = World::direct(prospect()).await;
    world.read = world.app_only();
    let plan = world.plan(&invited(json!({}))).await;
    let Performer::Person(task) = &plan.steps[0].performer else { panic!("a task") };
    assert_eq!(
        task.steps,
        [
            "Partner Center dashboard › Customers",
            "Request a reseller relationship",
            "review the draft; its words may change, its link may not",
            "copy it into a mail of your own and select Done",
            "send it, once, to  ceo@contoso.example",
        ]
    );
    assert!(task.observable, "acceptance shows in the list");
}

#[tokio::test]
async fn a_customer_that_is_listed_already_is_bound_and_not_invited() {
    let mut world = World::direct(crate::world::with_contoso(json!({}))).await;
    let since = world.sim.log().mark();
    world.apply(&invited(json!({}))).await;
    assert!(world.ledger().entries.values().all(|entry| entry.invitation.is_none()));
    assert_eq!(
        world.requests(since).iter().filter(|request| request.contains("relationshiprequests")).count(),
        1,
        "the probe alone"
    );
}
