//! Tokens: both grants, rotation, refusals.

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tenantry_consoles::{SecretSink, Secrets, SinkError};
use tenantry_engine::address::ConsoleName;
use tenantry_engine::console::{Console, ConsoleError};
use tenantry_engine::execute::Outcome;
use tenantry_simulator::microsoft::RefreshTokens;
use tenantry_simulator::{Does, Fault, Kind};

use crate::world::{Objects, Quiet, World, identified, nordwind};

fn refusal(error: ConsoleError) -> tenantry_engine::observed::Refusal {
    match error {
        ConsoleError::Credential { refusal, .. } => *refusal,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_new_refresh_token_is_stored_and_used_from_then_on() {
    let mut world = World::direct(json!({})).await;
    world.sim.microsoft("acme").switch(|switches| switches.refresh_tokens = RefreshTokens::RotatedOldDies);
    let console = identified(&world).await;
    assert!(console.census(&Quiet).await.unwrap().complete());
    world.advance(jiff::Span::new().hours(2));
    assert!(
        console.census(&Quiet).await.unwrap().complete(),
        "the next token comes from the new refresh token"
    );
    let stored = world.stored.all();
    assert!(stored.len() >= 3, "two audiences, and one again: {}", stored.len());
    assert!(stored.iter().all(|(what, _)| what == "microsoft read refreshToken"));
    // The next process starts with what was stored last.
    let (id, secret) =
        (world.read.get("clientId").unwrap().clone(), world.read.get("clientSecret").unwrap().clone());
    world.read = Secrets::new([
        ("clientId", id.expose_secret()),
        ("clientSecret", secret.expose_secret()),
        ("refreshToken", stored.last().unwrap().1.as_str()),
    ]);
    assert!(world.console().identify().await.is_ok());
}

/// A place that cannot be written.
struct Full;

#[async_trait::async_trait]
impl SecretSink for Full {
    async fn store(
        &self,
        _: &ConsoleName,
        _: &'static str,
        _: &'static str,
        _: &SecretString,
    ) -> Result<(), SinkError> {
        Err(SinkError { because: "/etc/tenantry/secret: no space left".into() })
    }
}

#[tokio::test]
async fn a_new_refresh_token_that_cannot_be_stored_stops_the_run_in_words() {
    let mut world = World::direct(json!({})).await;
    world.settings.sink = Some(std::sync::Arc::new(Full));
    let console = world.console();
    let error = console.identify().await.unwrap_err();
    let first = world.read.get("refreshToken").unwrap().expose_secret().to_owned();
    assert!(!format!("{error} {error:?}").contains(&first), "{error}");
    let refusal = refusal(error);
    assert_eq!(refusal.code, "refresh-token-not-stored");
    assert_eq!(
        refusal.words.raw(),
        "Microsoft gave a new refresh token: it cannot be stored: /etc/tenantry/secret: no space left"
    );
    assert!(refusal.hint.starts_with("make the place writable and run again"), "{}", refusal.hint);
    // The newer token is kept while the process lives: it is not lost for a disk that is full for a moment.
    world.sim.microsoft("acme").switch(|switches| switches.refresh_tokens = RefreshTokens::Omitted);
    assert!(console.identify().await.is_ok());
}

#[tokio::test]
async fn one_refresh_token_for_reading_and_writing_is_held_once() {
    let mut world = World::direct(json!({})).await;
    world.sim.microsoft("acme").switch(|switches| switches.refresh_tokens = RefreshTokens::RotatedOldDies);
    // The write credential is the same secret: its file still holds the token that reading has outdated.
    let report = world.apply(&Objects::customer("nordwind", nordwind(json!({})))).await;
    assert_eq!(report.steps[0].outcome, Outcome::Done);
}

#[tokio::test]
async fn a_refresh_without_a_new_token_keeps_the_old_one() {
    let world = World::direct(json!({})).await;
    world.sim.microsoft("acme").switch(|switches| switches.refresh_tokens = RefreshTokens::Omitted);
    let console = identified(&world).await;
    world.advance(jiff::Span::new().hours(2));
    assert!(console.census(&Quiet).await.unwrap().complete());
    assert_eq!(world.stored.all(), []);
}

#[tokio::test]
async fn tokens_are_asked_once_per_audience() {
    let world = World::direct(json!({})).await;
    let console = identified(&world).await;
    console.census(&Quiet).await.unwrap();
    assert_eq!(world.count(Kind::Login, 0), 2);
}

#[tokio::test]
async fn a_wrong_secret_is_told_without_it() {
    let mut world = World::direct(json!({})).await;
    let id = world.sim.microsoft("acme").look(|a, _| a.client_id.clone());
    world.read = Secrets::new([("clientId", id.as_str()), ("clientSecret", "hunter2-wrong")]);
    let error = world.console().identify().await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.starts_with("Partner Center refuses the read credential: "), "{text}");
    assert_eq!(refusal(error).code, "client-secret-wrong");
}

#[tokio::test]
async fn a_revoked_refresh_token_asks_for_new_consent() {
    let world = World::direct(json!({})).await;
    world.sim.click("microsoft", "acme", "consent/revoke", &json!({})).expect("revoked");
    let refusal = refusal(world.console().identify().await.unwrap_err());
    assert!(refusal.code.starts_with("refresh-token-"), "{}", refusal.code);
    assert!(refusal.hint.contains("consent anew"), "{}", refusal.hint);
}

#[tokio::test]
async fn a_user_without_a_second_factor_is_told_so() {
    let world = World::direct(json!({"refreshTokenMfa": false})).await;
    let refusal = refusal(world.console().identify().await.unwrap_err());
    assert_eq!(refusal.code, "mfa-required");
    assert!(refusal.hint.contains("multi-factor"), "{}", refusal.hint);
}

#[tokio::test]
async fn a_token_endpoint_that_is_unwell_is_asked_again() {
    let world = World::direct(json!({})).await;
    world.sim.faults().add(Fault::status(503).on("POST", "*/oauth2/token").times(2));
    assert!(world.console().identify().await.is_ok());
}

#[tokio::test]
async fn a_token_refused_for_good_is_an_error_of_the_credential() {
    let world = World::direct(json!({})).await;
    let console = identified(&world).await;
    world.sim.faults().add(Fault::new(Does::ExpiredToken).on("GET", "/v1/customers").always());
    assert_eq!(refusal(console.census(&Quiet).await.unwrap_err()).code, "access-denied");
}

#[tokio::test]
async fn a_write_credential_of_another_tenant_writes_nothing() {
    let mut world = World::open(json!({"acme": {}, "other": {}}), "acme", json!({})).await;
    let (tenant, id, secret) = world
        .sim
        .microsoft("other")
        .look(|a, _| (a.tenant_id.clone(), a.client_id.clone(), a.client_secret.clone()));
    // The simulator serves each partner below its own URL, so the other tenant's token cannot be had there: what the
    // adapter sees is a refused credential, and nothing leaves.
    world.write_with(Secrets::new([
        ("clientId", id.as_str()),
        ("clientSecret", secret.as_str()),
        ("tenant", tenant.as_str()),
    ]));
    let report = world.apply(&Objects::customer("nordwind", nordwind(json!({})))).await;
    assert!(matches!(report.steps[0].outcome, Outcome::Failed { .. }), "{:?}", report.steps);
    assert_eq!(world.count(Kind::Write, 0), 0);
}

#[tokio::test]
async fn nothing_secret_is_in_what_can_be_printed() {
    let world = World::direct(json!({})).await;
    let secrets: Vec<String> = ["clientSecret", "refreshToken"]
        .into_iter()
        .map(|key| world.read.get(key).unwrap().expose_secret().to_owned())
        .collect();
    let console = identified(&world).await;
    world.sim.faults().add(Fault::new(Does::ExpiredToken).on("GET", "/v1/customers").always());
    let error = console.census(&Quiet).await.unwrap_err();
    let printed = format!("{error} {error:?} {:?} {:?}", world.read, world.settings);
    for secret in secrets {
        assert!(!printed.contains(&secret));
    }
}
