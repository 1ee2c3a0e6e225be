//! Two replicas on one Lease: one acts, the other is ready and waits; and who may see plans.

use tenantry_tests::controller::{Field, SHORT_LEASE};
use tenantry_tests::worlds;

use super::worlds::{KNOWN, approve, declare, declared, made, seed, settled, shown, until_ready};

#[test]
fn one_replica_acts_and_the_other_takes_over_without_doing_anything_twice() {
    let Some(field) = declared() else { return };
    field.apply(&worlds::customer("fresh", &[worlds::made_at_sophos()]));
    let first = field.start(&[&SHORT_LEASE[..], &["--identity", "first"]].concat());
    for name in KNOWN {
        until_ready(&field, &[&first], name);
    }
    let second = field.start(&[&SHORT_LEASE[..], &["--identity", "second"]].concat());
    field.until("the second is ready", &[&first, &second], || {
        let (status, body) = field.ask(&format!("{}/readyz", second.health), None, "*/*");
        if status == 200 { Ok(()) } else { Err(body) }
    });
    approve(&field, &[&first, &second], "sophos");
    until_ready(&field, &[&first, &second], "fresh");
    assert!(field.metric(&second, "tenantry_reconciles_total").abs() < f64::EPSILON, "it holds no Lease");
    assert!((field.metric(&first, "tenantry_leader") - 1.0).abs() < f64::EPSILON);

    // The first one is lost with its node; what changes meanwhile is taken up by the second.
    let mark = field.simulator().log().mark();
    first.kill();
    field.patch(
        "customers",
        "alder",
        &serde_json::json!({"spec": {"company": {"displayName": "Alder Two"}}}),
    );
    field.until("the second one acts", &[&second], || {
        let all = shown(&field);
        if all.contains(&"Alder Two".to_owned()) { Ok(()) } else { Err(format!("{all:?}")) }
    });
    assert_eq!(made(&field, 0), 1, "fresh was made once");
    assert_eq!(field.writes(mark), 1, "{:?}", field.requests(mark));

    // A replica that is asked to end gives the Lease back: the next one need not wait for it to run out.
    let third = field.start(&["--lease-duration", "60s", "--identity", "third"]);
    let said = second.end();
    assert!(said.contains("\"lease-released\""), "{said}");
    field.until("the third one leads", &[&third], || {
        let leads = field.metric(&third, "tenantry_leader");
        if leads > 0.5 { Ok(()) } else { Err(format!("{leads}")) }
    });
}

#[test]
fn an_api_server_that_is_started_again_is_found_again_and_nothing_is_done_twice() {
    let Some(field) = Field::alone(&seed()) else { return };
    let mut field = declare(field);
    field.apply(&worlds::customer("fresh", &[worlds::made_at_sophos()]));
    let controller = field.start(&SHORT_LEASE);
    approve(&field, &[&controller], "sophos");
    until_ready(&field, &[&controller], "fresh");
    let mark = field.simulator().log().mark();
    if field.restart_api_server().is_none() {
        return;
    }
    field.patch(
        "customers",
        "alder",
        &serde_json::json!({"spec": {"company": {"displayName": "Alder Again"}}}),
    );
    field.until("what changed afterwards is done", &[&controller], || {
        let all = shown(&field);
        if all.contains(&"Alder Again".to_owned()) { Ok(()) } else { Err(format!("{all:?}")) }
    });
    until_ready(&field, &[&controller], "alder");
    assert_eq!(field.writes(mark), 1, "{:?}", field.requests(mark));
    assert_eq!(made(&field, 0), 1);
}

#[test]
fn a_plan_is_shown_to_whom_may_see_snapshots_and_to_nobody_else() {
    let Some((field, controller)) = settled(&[]) else { return };
    let url = format!("{}/plan?console={}/sophos", controller.plan, field.namespace());
    assert_eq!(field.ask(&url, None, "text/plain").0, 401);
    assert_eq!(field.ask(&url, Some("no-token-of-this-cluster"), "text/plain").0, 401);
    field.kubectl(&["create", "serviceaccount", "nobody"]);
    let nobody = field.kubectl(&["create", "token", "nobody"]);
    assert_eq!(field.ask(&url, Some(nobody.trim()), "text/plain").0, 403);
    field.kubectl(&["create", "role", "sees", "--verb=get", "--resource=consoles.tenantry.io/snapshot"]);
    let account = format!("--serviceaccount={}:nobody", field.namespace());
    field.kubectl(&["create", "rolebinding", "sees", "--role=sees", &account]);
    let (status, text) = field.until("the right counts", &[&controller], || {
        let (status, text) = field.ask(&url, Some(nobody.trim()), "text/plain");
        if status == 200 { Ok((status, text)) } else { Err(format!("{status} {text}")) }
    });
    // The console shows no contacts, and the plan does not pretend that it has seen them.
    let words =
        "No changes: what the consoles show is what is declared; 3 declarations were not compared in full.\n";
    assert_eq!((status, text.as_str()), (200, words));
    let elsewhere = format!("{}/plan?console=default/sophos", controller.plan);
    assert_eq!(field.ask(&elsewhere, Some(nobody.trim()), "text/plain").0, 403);
    let snapshot = format!("{}/snapshot?console={}/sophos", controller.plan, field.namespace());
    let (status, body) = field.ask(&snapshot, Some(nobody.trim()), "application/json");
    assert_eq!(status, 200);
    let read: serde_json::Value = serde_json::from_str(&body).expect("it is JSON");
    assert_eq!(read["formatVersion"], 1);
    assert_eq!(read["consoles"].as_array().map(Vec::len), Some(1));
    // Probes and metrics are everybody's, and name no customer.
    let (status, metrics) = field.ask(&format!("{}/metrics", controller.health), None, "*/*");
    assert_eq!(status, 200);
    assert!(!KNOWN.iter().any(|name| metrics.contains(name)), "{metrics}");
    assert_eq!(field.ask(&format!("{}/plan", controller.health), Some(nobody.trim()), "*/*").0, 404);
}
