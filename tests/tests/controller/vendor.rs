//! What vendors do: refuse a credential, replace a token, ask for patience.

use serde_json::json;
use tenantry_simulator::{Does, Fault, FaultBody, RetryAfter};
use tenantry_tests::controller::Field;
use tenantry_tests::worlds;

use super::worlds::{KNOWN, approve, declared, made, seed, shown, until_ready};

#[test]
fn a_refused_credential_is_read_again_and_its_rotation_needs_no_restart() {
    let Some(field) = Field::new(&seed()) else { return };
    let right = field.bench().secrets()["sophos-read"].clone();
    let mut wrong = right.clone();
    wrong.insert("clientSecret".into(), "not-the-secret".into());
    field.secret("sophos-read", &wrong);
    field.apply(&worlds::sophos("naming: Display"));
    for (n, name) in (1..).zip(KNOWN) {
        field.apply(&super::worlds::known(n, name, &format!("{name} works GmbH")));
    }
    let controller = field.start(&[]);
    let console = field.until_condition(
        &[&controller],
        ("consoles", "sophos"),
        ("Stalled", "True", "CredentialRefused"),
    );
    assert!(!console.to_string().contains("not-the-secret"));
    field.secret("sophos-read", &right);
    for name in KNOWN {
        until_ready(&field, &[&controller], name);
    }
    field.until_condition(&[&controller], ("consoles", "sophos"), ("Ready", "True", "AsDeclared"));
    let said = controller.end();
    for secret in [&wrong["clientSecret"], &right["clientSecret"]] {
        assert!(!said.contains(secret.as_str()), "a secret is in the log");
    }
}

#[test]
fn a_missing_secret_waits_for_the_operator() {
    let Some(field) = declared() else { return };
    field.kubectl(&["delete", "secret", "sophos-read"]);
    let controller = field.start(&[]);
    field.until_condition(&[&controller], ("consoles", "sophos"), ("Ready", "False", "AwaitingOperator"));
    field.until_condition(&[&controller], ("customers", "alder"), ("Ready", "Unknown", "NotObserved"));
    field.secret("sophos-read", &field.bench().secrets()["sophos-read"]);
    until_ready(&field, &[&controller], "alder");
}

#[test]
fn a_step_that_was_refused_once_is_tried_again_by_itself() {
    let Some(field) = declared() else { return };
    field.apply(&worlds::customer("one", &[worlds::made_at_sophos()]));
    let does = Does::Status { status: 400, retry_after: None, body: FaultBody::Vendor, after_commit: false };
    let fault = Fault::new(does).at("sophos/msp").on("POST", "/partner/v1/tenants*").times(1);
    field.simulator().faults().add(fault);
    let controller = field.start(&[]);
    field.until_condition(&[&controller], ("customers", "one"), ("Stalled", "True", "Held"));
    approve(&field, &[&controller], "sophos");
    // Nobody changes anything meanwhile.
    until_ready(&field, &[&controller], "one");
    assert_eq!(made(&field, 0), 1);
    assert!(controller.said().contains("\"outcome\":\"failed\""), "{}", controller.said());
}

#[test]
fn a_storm_of_429_is_waited_out_and_everything_is_made_once() {
    let Some(field) = declared() else { return };
    for name in ["one", "two", "three"] {
        field.apply(&worlds::customer(name, &[worlds::made_at_sophos()]));
    }
    let controller = field.start(&[]);
    field.until_condition(&[&controller], ("customers", "one"), ("Stalled", "True", "Held"));
    let storm = |method: &str, path: &str, times: u32| {
        let does = Does::Status {
            status: 429,
            retry_after: Some(RetryAfter::Seconds(30)),
            body: FaultBody::Vendor,
            after_commit: false,
        };
        field.simulator().faults().add(Fault::new(does).at("sophos/msp").on(method, path).times(times));
    };
    storm("POST", "/partner/v1/tenants*", 4);
    storm("GET", "/partner/v1/tenants*", 3);
    approve(&field, &[&controller], "sophos");
    for name in ["one", "two", "three"] {
        until_ready(&field, &[&controller], name);
    }
    assert_eq!(made(&field, 0), 3);
    assert_eq!(shown(&field).len(), KNOWN.len() + 3);
}

#[test]
fn a_replaced_refresh_token_goes_back_into_its_secret() {
    let seed = json!({"microsoft": worlds::microsoft_seed(
        &[worlds::microsoft_customer(1, "known")], &[], &json!({}),
    )});
    let Some(field) = Field::new(&seed) else { return };
    let first = field.bench().secrets()["microsoft-read"]["refreshToken"].clone();
    field.apply(&worlds::microsoft(""));
    field.apply(&worlds::customer("known", &[worlds::known_at_microsoft(&worlds::id(1), "")]));
    let controller = field.start(&[]);
    field.until("it is bound", &[&controller], || {
        let object = field.get("customers", "known");
        let linked = object["status"]["accounts"][0]["standing"] == "Linked";
        if linked { Ok(()) } else { Err(object["status"].to_string()) }
    });
    let secrets: kube::Api<k8s_openapi::api::core::v1::Secret> =
        kube::Api::namespaced(field.client(), field.namespace());
    let stored = field.until("another token is stored", &[&controller], || {
        let secret = field.wait(secrets.get("microsoft-read")).expect("the Secret is there");
        let token = secret.data.and_then(|data| data.get("refreshToken").map(|value| value.0.clone()));
        let token = String::from_utf8(token.unwrap_or_default()).expect("a token is text");
        if token == first { Err("the first one".into()) } else { Ok(token) }
    });
    let good = field.simulator().microsoft("msp").look(|account, _| account.refresh.contains_key(&stored));
    assert!(good, "what is stored is a token that works");
    let said = controller.end();
    assert!(!said.contains(&first) && !said.contains(&stored), "a token is in the log");
}
