//! Creating a customer.

use jiff::Span;
use serde_json::json;
use tenantry_engine::execute::Outcome;
use tenantry_simulator::microsoft::{
    CreateRelationship, DomainTaken, FailedCreate, ListedAfterCreate, RequestIdMemory, Switches,
};
use tenantry_simulator::{Does, Fault, FaultBody, Kind};

use crate::world::{Objects, World, codes, merge, nordwind};

fn failed(outcome: &Outcome) -> &tenantry_engine::observed::Refusal {
    match outcome {
        Outcome::Failed { refusal } => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_customer_is_created_once_with_its_password_sealed() {
    let mut world = World::direct(json!({})).await;
    let objects = Objects::customer("nordwind", nordwind(json!({})));
    let since = world.sim.log().mark();
    let plan = world.plan(&objects).await;
    assert_eq!(plan.steps.len(), 1, "{:?}", plan.findings);
    assert_eq!(world.count(Kind::Write, since), 0, "planning only reads");
    let report = world.apply(&objects).await;
    assert_eq!(report.steps[0].outcome, Outcome::Done);
    assert_eq!(world.effects("customer-created").len(), 1);
    let sealed = world.sealed.all();
    assert_eq!(sealed.len(), 1);
    assert_eq!(sealed[0].0, "first password of admin@nordwind.onmicrosoft.com");
    let told = serde_json::to_string(&report).unwrap() + &format!("{:?}", world.ledger());
    assert!(!told.contains(&sealed[0].1), "the password is nowhere else");
    world.advance(Span::new().hours(1));
    let plan = world.plan(&objects).await;
    assert_eq!(plan.steps, [], "applying leaves nothing to do");
    assert_eq!(codes(&plan), [] as [&str; 0]);
}

#[tokio::test]
async fn the_creation_asks_for_domain_and_address_first_and_carries_the_legal_name() {
    let mut world = World::direct(json!({})).await;
    world.spec.naming = tenantry_crd::console::Naming::Ignore;
    let objects = Objects::customer("nordwind", nordwind(json!({"company": {"displayName": "Nordwind"}})));
    world.plan(&objects).await;
    let since = world.sim.log().mark();
    world.apply(&objects).await;
    let sent: Vec<String> =
        world.requests(since).into_iter().skip_while(|request| !request.starts_with("HEAD")).collect();
    assert_eq!(
        sent,
        ["HEAD /v1/domains/nordwind.onmicrosoft.com", "POST /v1/validations/address", "POST /v1/customers"]
    );
    let id = &world.effects("customer-created")[0].id;
    let name = world.sim.microsoft("acme").look(|_, cloud| cloud.tenants[id].company_name.clone());
    assert_eq!(name, "Nordwind GmbH");
}

#[tokio::test]
async fn a_domain_that_is_taken_is_refused_before_the_creation_leaves() {
    let prospects = json!({"prospects": [{"companyName": "Other", "domain": "nordwind.onmicrosoft.com"}]});
    let mut world = World::direct(prospects).await;
    let objects = Objects::customer("nordwind", nordwind(json!({})));
    let report = world.apply(&objects).await;
    let refusal = failed(&report.steps[0].outcome);
    assert_eq!(refusal.code, "domain-taken");
    assert_eq!(refusal.words.raw(), "the domain nordwind.onmicrosoft.com is taken at Microsoft");
    assert_eq!(world.count(Kind::Write, 0), 0);
}

#[tokio::test]
async fn an_address_that_microsoft_does_not_find_is_refused_before_the_creation_leaves() {
    for (address, words) in [
        (json!({"postalCode": "00000"}), "Microsoft does not find the address"),
        (json!({"line1": "Hauptstraße"}), "Microsoft finds the street, not the house"),
    ] {
        let mut world = World::direct(json!({})).await;
        let objects = Objects::customer("nordwind", nordwind(json!({"company": {"address": address}})));
        let report = world.apply(&objects).await;
        let refusal = failed(&report.steps[0].outcome);
        assert_eq!((refusal.code.as_str(), refusal.words.raw()), ("address-invalid", words));
        assert_eq!(world.count(Kind::Write, 0), 0);
    }
}

#[tokio::test]
async fn a_domain_taken_in_between_is_refused_by_microsoft_and_told() {
    let variants = [
        (DomainTaken::Conflict, "already-exists"),
        (DomainTaken::InvalidInput, "invalid-input"),
        (DomainTaken::NotAllowed, "not-allowed"),
    ];
    for (answers, code) in variants {
        let prospects =
            json!({"prospects": [{"companyName": "Other", "domain": "nordwind.onmicrosoft.com"}]});
        let mut world = World::direct(prospects).await;
        world.sim.microsoft("acme").switch(|switches| switches.domain_taken = answers);
        // The check says free, as it did a moment before somebody else took it.
        let free =
            Does::Status { status: 404, retry_after: None, body: FaultBody::Empty, after_commit: false };
        world.sim.faults().add(Fault::new(free).on("HEAD", "/v1/domains/*"));
        let report = world.apply(&Objects::customer("nordwind", nordwind(json!({})))).await;
        assert_eq!(failed(&report.steps[0].outcome).code, code);
        assert_eq!(world.effects("customer-created").len(), 0);
    }
}

#[tokio::test]
async fn a_failed_creation_that_reserved_its_domain_is_told_and_never_tried_again() {
    let mut world = World::direct(json!({})).await;
    world.sim.microsoft("acme").switch(|switches| switches.failed_create = FailedCreate::ReservesDomain);
    let contacts = json!([{"roles": ["Admin"], "firstName": "Anna", "lastName": "Müller", "email": "anna@nordwind", "language": "de"}]);
    let broken = Objects::customer("nordwind", nordwind(json!({ "contacts": contacts })));
    let report = world.apply(&broken).await;
    assert_eq!(failed(&report.steps[0].outcome).code, "notification-email-invalid");
    let repaired = Objects::customer("nordwind", nordwind(json!({})));
    let report = world.apply(&repaired).await;
    let refusal = failed(&report.steps[0].outcome);
    assert_eq!(refusal.code, "domain-taken");
    assert!(refusal.hint.contains("earlier creation"), "{}", refusal.hint);
    assert_eq!(world.count(Kind::Write, 0), 1, "only the first creation left");
}

#[tokio::test]
async fn a_creation_lost_after_commit_is_found_and_not_repeated() {
    for (name, switches) in Switches::all_variants() {
        let mut world = World::direct(json!({})).await;
        world.sim.microsoft("acme").switch(|now| *now = switches);
        let objects = Objects::customer("nordwind", nordwind(json!({})));
        world.sim.faults().add(Fault::new(Does::CloseAfterCommit).on("POST", "/v1/customers"));
        let report = world.apply(&objects).await;
        assert!(matches!(report.steps[0].outcome, Outcome::InDoubt { .. }), "{name}: {:?}", report.steps);
        for _ in 0..3 {
            world.advance(Span::new().hours(1));
            world.apply(&objects).await;
        }
        assert_eq!(world.effects("customer-created").len(), 1, "{name}");
        let entry = world.ledger().entries.values().next().unwrap();
        assert_eq!(entry.bound().unwrap().as_str(), world.effects("customer-created")[0].id, "{name}");
        assert!(entry.operation.is_none(), "{name}");
    }
}

#[tokio::test]
async fn a_creation_lost_before_commit_is_sent_again_with_the_same_request_id_after_proof() {
    for memory in [RequestIdMemory::OneDay, RequestIdMemory::FiveMinutes, RequestIdMemory::Never] {
        let mut world = World::direct(json!({})).await;
        world.sim.microsoft("acme").switch(|switches| switches.request_id_memory = memory);
        let objects = Objects::customer("nordwind", nordwind(json!({})));
        world.sim.faults().add(Fault::new(Does::CloseBeforeCommit).on("POST", "/v1/customers"));
        let since = world.sim.log().mark();
        world.apply(&objects).await;
        world.apply(&objects).await;
        assert_eq!(world.count(Kind::Write, since), 1, "too early to know: nothing is sent");
        for _ in 0..3 {
            world.advance(Span::new().hours(1));
            world.apply(&objects).await;
        }
        assert_eq!(world.effects("customer-created").len(), 1);
        let ids: Vec<String> = world
            .sim
            .log()
            .entries(&tenantry_simulator::LogFilter { since, kind: Some(Kind::Write), ..Default::default() })
            .into_iter()
            .map(|entry| entry.headers["ms-requestid"].clone())
            .collect();
        assert_eq!(ids.len(), 2);
        assert_eq!(ids[0], ids[1], "the second net: the vendor can tell a repetition");
    }
}

#[tokio::test]
async fn answers_that_prove_nothing_leave_the_creation_in_doubt() {
    for does in [
        Does::Status { status: 500, retry_after: None, body: FaultBody::Vendor, after_commit: true },
        Does::Status { status: 502, retry_after: None, body: FaultBody::Html, after_commit: false },
        Does::Status { status: 408, retry_after: None, body: FaultBody::Empty, after_commit: true },
        Does::Truncate,
        Does::MalformedJson,
    ] {
        let mut world = World::direct(json!({})).await;
        world.sim.faults().add(Fault::new(does.clone()).on("POST", "/v1/customers"));
        let objects = Objects::customer("nordwind", nordwind(json!({})));
        let report = world.apply(&objects).await;
        assert!(matches!(report.steps[0].outcome, Outcome::InDoubt { .. }), "{does:?}: {:?}", report.steps);
        for _ in 0..4 {
            world.advance(Span::new().hours(1));
            world.apply(&objects).await;
        }
        assert_eq!(world.effects("customer-created").len(), 1, "{does:?}");
    }
}

#[tokio::test]
async fn too_many_requests_put_the_creation_off_without_doubt() {
    let mut world = World::direct(json!({})).await;
    world.sim.faults().add(Fault::status(429).on("POST", "/v1/customers").times(2));
    let report = world.apply(&Objects::customer("nordwind", nordwind(json!({})))).await;
    assert_eq!(report.steps[0].outcome, Outcome::Done);
    assert_eq!(world.effects("customer-created").len(), 1);
}

#[tokio::test]
async fn what_microsoft_requires_is_asked_for_in_the_plan() {
    let mut world = World::direct(json!({})).await;
    world.spec.one_time_secrets = None;
    let mut bare = nordwind(json!({}));
    bare["accounts"][0].as_object_mut().unwrap().remove("microsoft");
    bare["company"].as_object_mut().unwrap().remove("address");
    bare.as_object_mut().unwrap().remove("contacts");
    let plan = world.plan(&Objects::customer("nordwind", bare)).await;
    assert_eq!(plan.steps, []);
    let paths: Vec<String> = plan.findings.iter().filter_map(|finding| finding.path.clone()).collect();
    for path in [
        "spec.accounts[0].microsoft.domain",
        "spec.contacts.email",
        "spec.contacts.firstName",
        "spec.contacts.lastName",
        "spec.accounts[0].microsoft.language",
        "spec.accounts[0].microsoft.culture",
        "spec.company.address.line1",
        "spec.company.address.city",
        "spec.company.address.postalCode",
        "spec.company.address.country",
    ] {
        assert!(paths.iter().any(|found| found == path), "{path} in {paths:?}");
    }
    assert!(codes(&plan).contains(&"no-secret-recipient"));
}

#[tokio::test]
async fn a_domain_of_our_own_is_no_customers_domain() {
    let mut world = World::direct(json!({})).await;
    let mut spec = nordwind(json!({}));
    spec["accounts"][0]["microsoft"]["domain"] = json!("kunde.msp.example");
    let plan = world.plan(&Objects::customer("nordwind", spec)).await;
    assert_eq!(plan.steps, []);
    assert_eq!(codes(&plan), ["contradiction"]);
}

#[tokio::test]
async fn some_countries_want_a_registration_number_and_a_phone_and_others_refuse_the_number() {
    let polish = |over| {
        let mut spec = nordwind(
            json!({"company": {"address": {"country": "PL", "city": "Łódź", "postalCode": "90-001"}}}),
        );
        merge(&mut spec, over);
        Objects::customer("nordwind", spec)
    };
    let mut world = World::direct(json!({})).await;
    let plan = world.plan(&polish(json!({}))).await;
    assert_eq!(codes(&plan), ["missing-field"]);
    assert_eq!(plan.findings[0].path.as_deref(), Some("spec.company.registrationNumber"));
    let report = world.apply(&polish(json!({"company": {"registrationNumber": "KRS 0000123456"}}))).await;
    assert_eq!(report.steps[0].outcome, Outcome::Done);
    // Germany rejects the number that its register gives.
    let mut world = World::direct(json!({})).await;
    let german = nordwind(json!({"company": {"registrationNumber": "HRB 12345"}}));
    let report = world.apply(&Objects::customer("nordwind", german)).await;
    assert_eq!(report.steps[0].outcome, Outcome::Done);
}

#[tokio::test]
async fn a_look_alike_refuses_the_creation() {
    let seed = json!({"customers": [{"companyName": "Nordwind", "domain": "nordwind.example"}]});
    let mut world = World::direct(seed).await;
    let plan = world.plan(&Objects::customer("nordwind", nordwind(json!({})))).await;
    assert_eq!(plan.steps, []);
    assert!(codes(&plan).contains(&"possible-duplicate"));
}

#[tokio::test]
async fn an_indirect_provider_creates_for_its_reseller() {
    let partners = json!({
        "acme": {"position": "indirect-provider"},
        "shop": {"position": "indirect-reseller", "tenantId": "33333333-2222-4333-8444-555555555555", "providers": ["acme"]},
    });
    let mut world = World::open(partners, "acme", json!({"partner": "IndirectProvider"})).await;
    let mut spec = nordwind(json!({}));
    spec["accounts"][0]["microsoft"]["resellerTenantId"] = json!("33333333-2222-4333-8444-555555555555");
    let objects = Objects::customer("nordwind", spec.clone());
    let report = world.apply(&objects).await;
    assert_eq!(report.steps[0].outcome, Outcome::Done);
    world.advance(Span::new().hours(1));
    assert_eq!(world.plan(&objects).await.steps, []);
    // A direct bill partner has no resellers, and is told so before anything leaves.
    let mut world = World::direct(json!({})).await;
    let plan = world.plan(&Objects::customer("nordwind", spec)).await;
    assert_eq!(codes(&plan), ["contradiction"]);
}

#[tokio::test]
async fn a_customer_that_is_listed_late_is_neither_missed_nor_made_again() {
    for (listed, relationship) in [
        (ListedAfterCreate::AfterQuarter, CreateRelationship::Reseller),
        (ListedAfterCreate::AfterTwoCalls, CreateRelationship::None),
    ] {
        let mut world = World::direct(json!({})).await;
        world.sim.microsoft("acme").switch(|switches| {
            switches.listed_after_create = listed;
            switches.create_relationship = relationship;
        });
        let objects = Objects::customer("nordwind", nordwind(json!({})));
        for _ in 0..4 {
            let report = world.apply(&objects).await;
            assert!(report.steps.iter().all(|step| step.outcome == Outcome::Done), "{:?}", report.steps);
            world.advance(Span::new().minutes(9));
        }
        assert_eq!(world.effects("customer-created").len(), 1);
        assert_eq!(world.plan(&objects).await.steps, []);
    }
}
