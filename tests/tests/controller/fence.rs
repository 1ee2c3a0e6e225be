//! A Lease that is lost while something is on its way: nothing leaves any more, and what has left happens once.

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use tenantry_simulator::{Does, Fault, HoldAt};
use tenantry_tests::controller::{Controller, Field, SHORT_LEASE};
use tenantry_tests::worlds;

use super::kills::until_bound;
use super::worlds::{KNOWN, approve, declared, made, shown};

/// A field whose only creation waits for an approval.
fn about_to_make_one() -> Option<Field> {
    let field = declared()?;
    field.apply(&worlds::customer("one", &[worlds::made_at_sophos()]));
    Some(field)
}

/// Somebody else has the Lease, for so many seconds.
fn taken(field: &Field, seconds: u32) {
    let leases: Api<Lease> = Api::namespaced(field.client(), field.namespace());
    let patch = json!({"spec": {"holderIdentity": "somebody", "leaseDurationSeconds": seconds}});
    let (params, patch) = (PatchParams::default(), Patch::Merge(&patch));
    field.wait(leases.patch("tenantry-controller", &params, &patch)).expect("the Lease is there");
}

fn until_held(field: &Field, controller: &Controller) {
    field.until("a request is held", &[controller], || {
        let held = field.simulator().faults().held();
        if held > 0 { Ok(()) } else { Err(format!("{:?}", field.requests(0))) }
    });
}

/// Creations that were answered or given up, and those that the console still holds.
fn on_their_way(field: &Field) -> usize {
    asked(field) + field.simulator().faults().held()
}

/// Creations that were answered or given up.
fn asked(field: &Field) -> usize {
    field.requests(0).iter().filter(|line| line.contains("POST /partner/v1/tenants")).count()
}

#[test]
fn what_waits_for_its_token_while_the_lease_is_lost_never_leaves() {
    let Some(field) = about_to_make_one() else { return };
    let first = field.start(&[&SHORT_LEASE[..], &["--identity", "first"]].concat());
    field.until_condition(&[&first], ("customers", "one"), ("Stalled", "True", "Held"));
    // The write credential logs in after the request was written down, right before it would leave.
    let hold = Fault::new(Does::Hold { at: HoldAt::BeforeCommit }).at("sophos/msp").on("POST", "*/token");
    field.simulator().faults().add(hold);
    approve(&field, &[&first], "sophos");
    until_held(&field, &first);
    taken(&field, 30);
    field.until("it knows that it lost the Lease", &[&first], || {
        if first.said().contains("\"lease-lost\"") { Ok(()) } else { Err("not yet".into()) }
    });
    field.simulator().faults().release();
    field.until("its run ends", &[&first], || {
        if first.said().contains("is not held any more") { Ok(()) } else { Err("not yet".into()) }
    });
    assert_eq!((asked(&field), made(&field, 0)), (0, 0), "{:?}", field.requests(0));
    field.simulator().faults().clear();
    taken(&field, 1);
    let second = field.start(&[&SHORT_LEASE[..], &["--identity", "second"]].concat());
    until_bound(&field, &[&first, &second], "one");
    assert_eq!((asked(&field), made(&field, 0)), (1, 1), "{:?}", field.requests(0));
    assert_eq!(shown(&field).len(), KNOWN.len() + 1);
}

#[test]
fn a_request_that_outlives_its_lease_happens_once_and_the_next_replica_does_not_repeat_it() {
    let Some(field) = about_to_make_one() else { return };
    let hold = Fault::new(Does::Hold { at: HoldAt::BeforeCommit })
        .at("sophos/msp")
        .on("POST", "/partner/v1/tenants*");
    field.simulator().faults().add(hold);
    let long = ["--lease-duration", "80s", "--write-timeout", "40s", "--identity", "first"];
    let first = field.start(&long);
    approve(&field, &[&first], "sophos");
    until_held(&field, &first);
    taken(&field, 1);
    let second = field.start(&[&SHORT_LEASE[..], &["--identity", "second"]].concat());
    let mark = field.simulator().log().mark();
    field.until("the second replica looks for it", &[&first, &second], || {
        let looked = field.requests(mark).iter().any(|line| line.contains("GET /partner/v1/tenants"));
        let told = field.metric(&second, "tenantry_reconciles_total") > 0.5;
        if looked && told { Ok(()) } else { Err(format!("{:?}", field.requests(mark))) }
    });
    assert_eq!((on_their_way(&field), made(&field, 0)), (1, 0), "{:?}", field.requests(0));
    field.simulator().faults().release();
    until_bound(&field, &[&first, &second], "one");
    assert_eq!((asked(&field), made(&field, 0)), (1, 1), "{:?}", field.requests(0));
    assert_eq!(shown(&field).len(), KNOWN.len() + 1);
}
