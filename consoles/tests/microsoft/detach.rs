//! Ending the relationship.

use jiff::Span;
use serde_json::{Value, json};
use tenantry_engine::capability::Party;
use tenantry_engine::execute::Outcome;
use tenantry_engine::plan::{Performer, Step};
use tenantry_simulator::microsoft::{DapAfterDetach, DetachRefusal, Switches};
use tenantry_simulator::{Does, Fault, Kind};

use crate::world::{CONTOSO, Objects, World, codes, consents, contoso, with_contoso};

fn leaving() -> Objects {
    Objects::customer("contoso", contoso(json!({"want": "Detached"})))
}

/// Bound, with more laid over the customer.
async fn bound(over: Value) -> World {
    let mut world = World::direct(with_contoso(over)).await;
    world.apply(&Objects::customer("contoso", contoso(json!({})))).await;
    world
}

async fn consenting(over: Value) -> World {
    let mut world = bound(over).await;
    world.approvals.consents = consents(&["customer-told", "delegated-rights-stay"], "contoso");
    world
}

fn cause<'s>(step: &'s Step, code: &str) -> Option<&'s str> {
    step.causes.iter().find(|cause| cause.code == code).map(|cause| {
        assert!(cause.needs_consent, "{code}");
        cause.words.as_str()
    })
}

#[tokio::test]
async fn detaching_names_what_stays_and_waits_for_consent() {
    let mut world = bound(json!({"gdap": [{"name": "Helpdesk"}, {"name": "Billing"}], "dap": true})).await;
    let plan = world.plan(&leaving()).await;
    let step = &plan.steps[0];
    assert_eq!(
        cause(step, "delegated-rights-stay").unwrap(),
        "2 delegated admin relationships stay (Billing, Helpdesk); delegated admin privileges (DAP) stay: end them \
         first, or consent"
    );
    assert!(cause(step, "customer-told").unwrap().starts_with("Microsoft tells the customer nothing"));
    let held = step.held.as_ref().expect("held");
    assert_eq!(held.words, "needs consent: customer-told, delegated-rights-stay");
    let since = world.sim.log().mark();
    world.apply(&leaving()).await;
    assert_eq!(world.count(Kind::Write, since), 0, "held is held");
}

#[tokio::test]
async fn where_no_rights_stay_only_the_notice_is_asked_about() {
    let mut world = bound(json!({})).await;
    let plan = world.plan(&leaving()).await;
    assert_eq!(cause(&plan.steps[0], "delegated-rights-stay"), None);
    assert!(cause(&plan.steps[0], "customer-told").is_some());
}

#[tokio::test]
async fn rights_that_cannot_be_counted_need_consent_too() {
    let mut world = bound(json!({})).await;
    world.restart();
    world.sim.faults().add(Fault::new(Does::Forbidden).on("GET", "/v1.0/*").always());
    let plan = world.plan(&leaving()).await;
    assert_eq!(
        cause(&plan.steps[0], "delegated-rights-stay").unwrap(),
        "delegated admin rights, if there are any, stay: they could not be looked at"
    );
}

#[tokio::test]
async fn a_detached_customer_is_gone_once_and_its_rights_are_not_touched() {
    for dap in [DapAfterDetach::Kept, DapAfterDetach::Removed] {
        let mut world = consenting(json!({"gdap": [{"name": "Helpdesk"}]})).await;
        world.sim.microsoft("acme").switch(|switches| switches.dap_after_detach = dap);
        let since = world.sim.log().mark();
        let report = world.apply(&leaving()).await;
        assert_eq!(report.steps[0].outcome, Outcome::Done);
        assert_eq!(world.count(Kind::Write, since), 1);
        assert_eq!(world.effects("relationship-removed").len(), 1);
        world.advance(Span::new().hours(1));
        assert_eq!(world.plan(&leaving()).await.steps, []);
        assert_eq!(world.sim.microsoft("acme").look(|account, _| account.gdap.len()), 1);
    }
}

#[tokio::test]
async fn the_effect_is_the_same_under_every_switch() {
    for (name, switches) in Switches::all_variants() {
        let mut world = consenting(json!({})).await;
        world.sim.microsoft("acme").switch(|now| *now = switches);
        let report = world.apply(&leaving()).await;
        assert_eq!(report.steps[0].outcome, Outcome::Done, "{name}");
        for _ in 0..2 {
            world.advance(Span::new().hours(1));
            world.apply(&leaving()).await;
        }
        assert_eq!(world.effects("relationship-removed").len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_looking() {
    for does in [Does::CloseAfterCommit, Does::CloseBeforeCommit, Does::Truncate, Does::MalformedJson] {
        let mut world = consenting(json!({})).await;
        world.sim.faults().add(Fault::new(does.clone()).on("PATCH", "/v1/customers/*"));
        world.apply(&leaving()).await;
        for _ in 0..4 {
            world.advance(Span::new().hours(1));
            world.apply(&leaving()).await;
        }
        assert_eq!(world.effects("relationship-removed").len(), 1, "{does:?}");
        assert!(world.ledger().entries.values().all(|entry| entry.operation.is_none()), "{does:?}");
    }
}

#[tokio::test]
async fn what_is_gone_already_is_done_whatever_the_refusal_says() {
    for (name, switches) in Switches::all_variants() {
        let mut world = consenting(json!({})).await;
        world.sim.microsoft("acme").switch(|now| *now = switches);
        // Somebody removes it between the fresh look and our request.
        world
            .sim
            .faults()
            .add(Fault::new(Does::Hold { at: tenantry_simulator::HoldAt::BeforeCommit }).on("PATCH", "*"));
        let sim = world.sim.clone();
        let somebody = tokio::spawn(async move {
            sim.faults().until_held(1).await;
            sim.click("microsoft", "acme", &format!("customers/{CONTOSO}/remove"), &json!({}))
                .expect("removed");
            sim.faults().release();
        });
        let report = world.apply(&leaving()).await;
        somebody.await.unwrap();
        assert_eq!(report.steps[0].outcome, Outcome::Done, "{name}");
        assert_eq!(world.effects("relationship-removed").len(), 1, "{name}: the other one's");
    }
}

#[tokio::test]
async fn a_subscription_blocks_until_its_term_ends() {
    let mut world = consenting(json!({"subscriptions": [{"quantity": 12, "boughtDaysAgo": 30}]})).await;
    let plan = world.plan(&leaving()).await;
    assert_eq!(plan.steps, []);
    assert_eq!(codes(&plan), ["still-licensed"]);
    let finding = &plan.findings[0];
    assert!(
        finding.words.contains("(12) is active: cancelling was possible until 2025-12-"),
        "{}",
        finding.words
    );
    assert!(finding.next[0].starts_with("it can end on 2026-12-"), "{:?}", finding.next);
    assert!(plan.wake.is_some(), "the plan changes by itself on that day");
}

#[tokio::test]
async fn a_legacy_subscription_needs_only_to_be_suspended() {
    let legacy = |status: &str| json!({"subscriptions": [{"commerce": "legacy", "status": status}]});
    let mut world = consenting(legacy("active")).await;
    let plan = world.plan(&leaving()).await;
    assert!(plan.findings[0].words.ends_with("is active: suspend it first"), "{}", plan.findings[0].words);
    let mut world = consenting(legacy("suspended")).await;
    assert_eq!(world.apply(&leaving()).await.steps[0].outcome, Outcome::Done);
}

#[tokio::test]
async fn a_subscription_bought_after_the_plan_stops_the_removal_before_it_leaves() {
    for refuses in [DetachRefusal::InvalidProperty, DetachRefusal::NotAllowed] {
        let mut world = consenting(json!({})).await;
        world.sim.microsoft("acme").switch(|switches| switches.detach_refusal = refuses);
        // It is bought while the fresh look at the customer is on its way: the next one sees it.
        let hold = Does::Hold { at: tenantry_simulator::HoldAt::BeforeCommit };
        let of_the_customer = format!("/v1/customers/{CONTOSO}");
        // The first such read belongs to the plan's facet of rights.
        world.sim.faults().add(Fault::new(hold).on("GET", &of_the_customer).nth(2));
        let sim = world.sim.clone();
        let buyer = tokio::spawn(async move {
            sim.faults().until_held(1).await;
            sim.click("microsoft", "acme", &format!("customers/{CONTOSO}/subscriptions"), &json!({}))
                .expect("bought");
            sim.faults().release();
        });
        let report = world.apply(&leaving()).await;
        buyer.await.unwrap();
        let Outcome::Failed { refusal } = &report.steps[0].outcome else { panic!("{:?}", report.steps) };
        assert_eq!(refusal.code, "still-licensed");
        assert_eq!(world.effects("relationship-removed").len(), 0);
    }
}

#[tokio::test]
async fn an_application_alone_cannot_detach_and_says_what_is_missing() {
    let mut world = consenting(json!({})).await;
    let app_only = world.app_only();
    world.write_with(app_only);
    let since = world.sim.log().mark();
    let report = world.apply(&leaving()).await;
    let Outcome::Failed { refusal } = &report.steps[0].outcome else { panic!("{:?}", report.steps) };
    assert_eq!(refusal.code, "app-only-refused");
    assert!(refusal.hint.contains("refreshToken"));
    assert_eq!(world.count(Kind::Write, since), 0);
}

#[tokio::test]
async fn a_refusal_of_our_position_turns_the_step_into_a_task() {
    let mut world = consenting(json!({})).await;
    world.sim.faults().add(Fault::new(Does::Forbidden).on("PATCH", "/v1/customers/*"));
    let report = world.apply(&leaving()).await;
    let Outcome::Failed { refusal } = &report.steps[0].outcome else { panic!("{:?}", report.steps) };
    assert_eq!(refusal.code, "position-refused");
    let plan = world.plan(&leaving()).await;
    let Performer::Person(task) = &plan.steps[0].performer else { panic!("a task") };
    assert_eq!(task.party, Party::Operator);
    assert_eq!(task.steps[..2], ["Customers › Contoso GmbH › Account", "Remove customer relationship"]);
    assert!(codes(&plan).contains(&"position-refused"));
}

#[tokio::test]
async fn removing_the_tenant_itself_does_not_exist() {
    let mut world = bound(json!({})).await;
    let plan = world.plan(&Objects::customer("contoso", contoso(json!({"want": "Removed"})))).await;
    assert_eq!(plan.steps, []);
    assert_eq!(codes(&plan), ["not-there"]);
}
