//! Changing the billing profile.

use jiff::Span;
use serde_json::{Value, json};
use tenantry_consoles::microsoft::PartnerCenter;
use tenantry_engine::console::{Console, Sent};
use tenantry_engine::execute::Outcome;
use tenantry_engine::operation::{Ack, Next, Request};
use tenantry_simulator::microsoft::Switches;
use tenantry_simulator::{Does, Fault, Kind};

use crate::world::{CONTOSO, Objects, World, contoso, identified, with_contoso};

fn with_contact(email: &str) -> Objects {
    Objects::customer(
        "contoso",
        contoso(
            json!({"contacts": [{"roles": ["Billing"], "firstName": "Zoë", "lastName": "Weiß", "email": email}]}),
        ),
    )
}

/// Bound, with a contact declared that the profile does not have.
async fn bound() -> World {
    let mut world = World::direct(with_contoso(json!({"email": "it@contoso.example"}))).await;
    world.apply(&Objects::customer("contoso", contoso(json!({})))).await;
    world
}

fn profile(world: &World) -> Value {
    world.sim.microsoft("acme").look(|_, cloud| cloud.tenants[CONTOSO].billing.members.clone())
}

#[tokio::test]
async fn a_declared_contact_reaches_the_profile_and_nothing_else_changes() {
    let mut world = bound().await;
    let objects = with_contact("zoe@contoso.example");
    let plan = world.plan(&objects).await;
    assert_eq!(plan.steps.len(), 1, "{:?}", plan.findings);
    let labels: Vec<&str> = plan.steps[0].changes.iter().map(|change| change.label.as_str()).collect();
    assert_eq!(labels, ["contact e-mail", "contact first name", "contact last name"]);
    let report = world.apply(&objects).await;
    assert_eq!(report.steps[0].outcome, Outcome::Done);
    assert_eq!(world.effects("billing-profile-updated").len(), 1);
    let expected = json!({
        "companyName": "Contoso GmbH", "culture": "en-US", "language": "en",
        "email": "zoe@contoso.example", "firstName": "Zoë", "lastName": "Weiß",
        "defaultAddress": {
            "addressLine1": "1 Example Way", "city": "Redmond", "country": "US", "state": "WA",
            "postalCode": "98052", "firstName": "Zoë", "lastName": "Weiß",
        },
    });
    assert_eq!(profile(&world), expected);
    world.advance(Span::new().hours(2));
    assert_eq!(world.plan(&objects).await.steps, [], "applying leaves nothing to do");
}

#[tokio::test]
async fn the_effect_is_the_same_under_every_switch() {
    for (name, switches) in Switches::all_variants() {
        let mut world = bound().await;
        world.sim.microsoft("acme").switch(|now| *now = switches);
        let objects = with_contact("zoe@contoso.example");
        let report = world.apply(&objects).await;
        assert_eq!(report.steps[0].outcome, Outcome::Done, "{name}");
        assert_eq!(world.effects("billing-profile-updated").len(), 1, "{name}");
        world.advance(Span::new().hours(2));
        assert_eq!(world.plan(&objects).await.steps, [], "{name}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_looking() {
    for does in [Does::CloseAfterCommit, Does::CloseBeforeCommit, Does::Truncate, Does::MalformedJson] {
        let mut world = bound().await;
        let objects = with_contact("zoe@contoso.example");
        world.sim.faults().add(Fault::new(does.clone()).on("PUT", "*/profiles/billing"));
        let report = world.apply(&objects).await;
        assert!(matches!(report.steps[0].outcome, Outcome::InDoubt { .. }), "{does:?}");
        for _ in 0..4 {
            world.advance(Span::new().hours(2));
            world.apply(&objects).await;
        }
        assert_eq!(world.effects("billing-profile-updated").len(), 1, "{does:?}");
        assert!(world.ledger().entries.values().all(|entry| entry.operation.is_none()), "{does:?}");
        assert_eq!(world.plan(&objects).await.steps, [], "{does:?}");
    }
}

/// Sends the step of a plan, after somebody else has changed the profile to this e-mail address and these values.
async fn send(
    world: &mut World,
    objects: &Objects,
    console: &PartnerCenter,
    email: &str,
    over: Value,
) -> Sent {
    let plan = world.plan(objects).await;
    let step = plan.steps.first().expect("a step");
    let acks: [Ack; 0] = [];
    let Next::Operation(draft) = console.dialect().next(step, &acks) else { panic!("a request") };
    let request = Request {
        id: "op",
        request_id: "7e3c12b0-0000-4000-8000-00000000aaaa",
        draft: &draft,
        remote_id: step.remote_id.as_ref(),
        account: step.remote_id.as_ref(),
    };
    put(world, email, &over).await;
    console.send(&request).await
}

/// Changes the profile as somebody else would: through the wire, with the etag of now.
async fn put(world: &World, email: &str, over: &Value) {
    let tenant = world.tenant();
    let base = world.sim.partner_url("microsoft", "acme");
    let http = reqwest::Client::new();
    let (id, secret) =
        world.sim.microsoft("acme").look(|a, _| (a.client_id.clone(), a.client_secret.clone()));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", id.as_str()),
        ("client_secret", secret.as_str()),
        ("resource", "https://api.partnercenter.microsoft.com"),
    ];
    let token: Value = http
        .post(format!("{base}/{tenant}/oauth2/token"))
        .form(&form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let token = token["access_token"].as_str().unwrap();
    let url = format!("{base}/v1/customers/{CONTOSO}/profiles/billing");
    let mut profile: Value = http.get(&url).bearer_auth(token).send().await.unwrap().json().await.unwrap();
    profile["email"] = json!(email);
    crate::world::merge(&mut profile, over.clone());
    let etag = format!("\"{}\"", profile["attributes"]["etag"].as_str().unwrap());
    let put = http.put(&url).bearer_auth(token).header("If-Match", etag).json(&profile);
    assert_eq!(put.send().await.unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn a_profile_that_moved_on_since_the_plan_is_left_alone() {
    let mut world = bound().await;
    let console = identified(&world).await;
    let wanted = with_contact("zoe@contoso.example");
    let sent = send(&mut world, &wanted, &console, "else@contoso.example", json!({})).await;
    let Sent::NotSent(refusal) = sent else { panic!("not sent") };
    assert_eq!(refusal.code, "moved-on");
    assert_eq!(refusal.words.raw(), "contact e-mail changed in Partner Center since it was planned");
    assert_eq!(profile(&world)["email"], "else@contoso.example");
}

#[tokio::test]
async fn a_profile_that_is_as_wanted_already_needs_no_request() {
    let mut world = bound().await;
    let console = identified(&world).await;
    let names = json!({"firstName": "Zoë", "lastName": "Weiß"});
    let wanted = with_contact("zoe@contoso.example");
    let sent = send(&mut world, &wanted, &console, "zoe@contoso.example", names).await;
    assert!(matches!(sent, Sent::Acked(..)));
    assert_eq!(world.effects("billing-profile-updated").len(), 1, "the other one's alone");
}

#[tokio::test]
async fn a_stale_version_is_a_refusal_that_says_to_look_again() {
    let mut world = bound().await;
    for (name, switches) in Switches::all_variants()
        .into_iter()
        .filter(|(name, _)| name.starts_with("staleEtag") || name == "default")
    {
        world.sim.microsoft("acme").switch(|now| *now = switches);
        world.sim.faults().add(Fault::new(Does::StaleVersion).on("PUT", "*/profiles/billing"));
        let report = world.apply(&with_contact("zoe@contoso.example")).await;
        let Outcome::Failed { refusal } = &report.steps[0].outcome else {
            panic!("{name}: {:?}", report.steps)
        };
        assert_eq!(refusal.code, "stale-version", "{name}");
        assert!(refusal.hint.contains("run again"), "{name}");
    }
    assert_eq!(world.effects("billing-profile-updated").len(), 0);
}

#[tokio::test]
async fn the_write_credential_is_opened_for_writing_alone() {
    let mut world = bound().await;
    world.plan(&with_contact("zoe@contoso.example")).await;
    assert_eq!(*world.write.times.lock().unwrap(), 0);
    let since = world.sim.log().mark();
    world.apply(&with_contact("zoe@contoso.example")).await;
    assert_eq!(*world.write.times.lock().unwrap(), 1);
    assert_eq!(world.count(Kind::Write, since), 1, "one PUT");
}
