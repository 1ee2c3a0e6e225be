//! Cells that are a person's or a provider's work: each yields its task, and no request of ours.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tenantry_engine::action::Action;
use tenantry_engine::address::Address;
use tenantry_engine::capability::{By, Party, Row};
use tenantry_engine::console::{Ask, Console, Subject};
use tenantry_engine::plan::{Performer, Plan};
use tenantry_engine::task::Task;
use tenantry_simulator::Kind;

use crate::world::{CONTOSO, Objects, World, codes, contoso, identified, nordwind, with_contoso};

fn task(plan: &Plan) -> &Task {
    match plan.steps.iter().map(|step| &step.performer).find(|performer| **performer != Performer::Console) {
        Some(Performer::Person(task)) => task,
        _ => panic!("no task in {plan:?}"),
    }
}

fn licensed(license: Value) -> Objects {
    let mut spec = json!({
        "customerRef": {"name": "contoso"}, "account": "microsoft", "productRef": {"name": "m365"}, "type": "Paid",
    });
    crate::world::merge(&mut spec, license);
    Objects {
        customers: vec![("contoso", contoso(json!({})))],
        licenses: vec![("contoso-m365", spec)],
        products: vec![(
            "m365",
            json!({
                "consoleRef": {"name": "microsoft"},
                "microsoft": {"productId": "CFQ7TTC0LH18", "skuId": "0001", "term": "P1Y", "billingCycle": "Monthly"},
            }),
        )],
        ..Objects::default()
    }
}

#[tokio::test]
async fn a_reseller_asks_its_provider_to_create() {
    let mut world = World::reseller("some").await;
    let plan = world.plan(&Objects::customer("nordwind", nordwind(json!({})))).await;
    let task = task(&plan);
    assert_eq!(task.party, Party::Provider);
    assert_eq!(task.steps[0], "ask distro to create the customer with you as its reseller");
    assert!(task.steps.contains(&"name  Nordwind GmbH".to_owned()), "{:?}", task.steps);
    assert!(task.id.starts_with("microsoft-create-nordwind-"), "{}", task.id);
    assert_eq!(world.count(Kind::Write, 0), 0);
}

#[tokio::test]
async fn a_reseller_asks_its_provider_to_detach() {
    let mut world = World::reseller("some").await;
    world.apply(&Objects::customer("contoso", contoso(json!({})))).await;
    let plan = world.plan(&Objects::customer("contoso", contoso(json!({"want": "Detached"})))).await;
    let task = task(&plan);
    assert_eq!(task.party, Party::Provider);
    assert_eq!(task.steps[0], "ask distro to remove the reseller relationship with Contoso GmbH");
    assert!(task.steps.iter().any(|step| step.contains(CONTOSO)));
}

#[tokio::test]
async fn a_reseller_asks_its_provider_to_buy() {
    let mut world = World::reseller("some").await;
    world.apply(&Objects::customer("contoso", contoso(json!({})))).await;
    let plan = world.plan(&licensed(json!({"quantity": 5}))).await;
    // What the provider bills is not shown to a reseller: it is asked for, and what the provider says counts.
    let asked = task(&plan).clone();
    assert_eq!((asked.party, asked.observable), (Party::Provider, false));
    assert_eq!(asked.steps[0], "ask distro to buy a subscription for Contoso GmbH");
    assert!(!codes(&plan).contains(&"not-readable"), "{:?}", plan.findings);
    assert_eq!(world.count(Kind::Write, 0), 0);
    world.apply(&licensed(json!({"quantity": 5}))).await;
    let mut said = licensed(json!({"quantity": 5}));
    said.attestations = vec![(
        "bought",
        json!({
            "task": asked.id, "outcome": "Done", "by": "distro", "on": "2099-01-01T00:00:00Z",
        }),
    )];
    world.apply(&said).await;
    let plan = world.plan(&said).await;
    assert_eq!((plan.steps, plan.waiting), (vec![], vec![]), "asked for once");
}

#[tokio::test]
async fn a_value_that_microsoft_does_not_document_is_told_once() {
    let mut world = World::direct(with_contoso(json!({}))).await;
    world.apply(&Objects::customer("contoso", contoso(json!({})))).await;
    let told = |plan: &Plan| {
        let unknown = plan.findings.iter().filter(|finding| finding.code.as_str() == "unknown-value");
        unknown.map(|finding| finding.words.clone()).collect::<Vec<_>>()
    };
    let plan = world.plan(&Objects::customer("contoso", contoso(json!({})))).await;
    assert_eq!(told(&plan), Vec::<String>::new());
    world.sim.microsoft("acme").switch(|now| now.enums = tenantry_simulator::microsoft::Enums::Unknown);
    let plan = world.plan(&Objects::customer("contoso", contoso(json!({})))).await;
    let told = told(&plan);
    assert!(told.len() == 1 && told[0].starts_with("Partner Center shows the relationship"), "{told:?}");
    assert_eq!(plan.steps, [], "it decides nothing");
}

#[tokio::test]
async fn a_rename_is_a_persons_work_in_the_customers_tenant() {
    let mut world = World::direct(with_contoso(json!({}))).await;
    world.spec.naming = tenantry_crd::console::Naming::Legal;
    let renamed = contoso(json!({"company": {"legalName": "Contoso Dental GmbH"}}));
    world.apply(&Objects::customer("contoso", renamed.clone())).await;
    let plan = world.plan(&Objects::customer("contoso", renamed.clone())).await;
    let task = task(&plan).clone();
    assert_eq!(task.party, Party::Operator);
    assert_eq!(task.steps.last().unwrap(), "name  Contoso Dental GmbH");
    // Done there, it closes by itself.
    world.apply(&Objects::customer("contoso", renamed.clone())).await;
    world
        .sim
        .click(
            "microsoft",
            "acme",
            &format!("customers/{CONTOSO}/rename"),
            &json!({"companyName": "Contoso Dental GmbH"}),
        )
        .expect("renamed");
    world.advance(jiff::Span::new().hours(1));
    world.apply(&Objects::customer("contoso", renamed.clone())).await;
    let plan = world.plan(&Objects::customer("contoso", renamed)).await;
    assert_eq!((plan.steps.len(), plan.waiting.len()), (0, 0), "{:?}", plan.waiting);
}

#[tokio::test]
async fn a_display_name_is_kept_where_the_console_is_told_to() {
    let mut world = World::direct(json!({})).await;
    world.spec.naming = tenantry_crd::console::Naming::Display;
    let objects = Objects::customer("nordwind", nordwind(json!({"company": {"displayName": "Nordwind"}})));
    world.apply(&objects).await;
    world.advance(jiff::Span::new().hours(1));
    assert_eq!(world.plan(&objects).await.steps, [], "created with the name that is kept");
}

#[tokio::test]
async fn licences_are_bound_and_compared_and_their_changes_are_not_supported_yet() {
    let mut world = World::direct(with_contoso(json!({"subscriptions": [{"quantity": 12}]}))).await;
    world.apply(&Objects::customer("contoso", contoso(json!({})))).await;
    world.apply(&licensed(json!({"quantity": 12, "renewal": {"autoRenew": true}}))).await;
    let plan = world.plan(&licensed(json!({"quantity": 12, "renewal": {"autoRenew": true}}))).await;
    assert_eq!((plan.steps.len(), codes(&plan)), (0, vec![]));
    for license in [
        json!({"quantity": 15}),
        json!({"quantity": 9}),
        json!({"renewal": {"autoRenew": false}}),
        json!({"renewal": {"quantity": 9}}),
        json!({"want": "Suspended"}),
        json!({"want": "Removed"}),
    ] {
        let plan = world.plan(&licensed(license.clone())).await;
        assert_eq!(plan.steps, [], "{license}");
        assert_eq!(codes(&plan), ["not-supported-yet"], "{license}");
    }
    assert_eq!(world.count(Kind::Write, 0), 0);
}

#[tokio::test]
async fn buying_is_not_supported_yet_and_says_so() {
    let mut world = World::direct(with_contoso(json!({}))).await;
    world.apply(&Objects::customer("contoso", contoso(json!({})))).await;
    let plan = world.plan(&licensed(json!({"quantity": 5}))).await;
    assert_eq!(plan.steps, []);
    assert_eq!(codes(&plan), ["not-supported-yet"]);
}

#[tokio::test]
async fn every_cell_that_a_person_or_provider_fills_has_its_instructions() {
    let address = Address::account("default", "muster", "microsoft");
    let subject = Subject { address: &address, decl: None, record: None, licenses: None, access: None };
    let mut seen = BTreeSet::new();
    for world in [
        World::direct(json!({})).await,
        World::reseller("some").await,
        World::reseller("some-without-census").await,
        World::reseller("nothing").await,
    ] {
        let console = identified(&world).await;
        let dialect = console.dialect();
        for row in Row::ALL {
            let By::Person(party) = dialect.capabilities().by(row) else { continue };
            let action = if row == Row::Detach { Action::Detach } else { Action::Update };
            let how = dialect.instructions(&Ask { row, action, subject, license: None, changes: &[] });
            assert_eq!(how.party, party, "{row:?}: {how:?}");
            assert!(how.title.contains("muster"), "{row:?}: {how:?}");
            let begins = how.steps.first().expect("a step");
            match party {
                Party::Provider => assert!(begins.starts_with("ask distro to "), "{row:?}: {begins}"),
                _ => assert!(how.steps.iter().any(|step| step.contains('›')), "{row:?}: {how:?}"),
            }
            seen.insert((row, party));
        }
        assert_eq!(world.count(Kind::Write, 0), 0);
    }
    let provider = seen.iter().filter(|(_, party)| *party == Party::Provider).count();
    assert_eq!((seen.len() - provider, provider), (4, 8), "{seen:?}");
}
