//! Killed while a console holds one of its requests, before and after the commit: the replica that takes the Lease once
//! it has run out makes everything once. Where else it can be killed: `siege.rs`.

use jiff::ToSpan;
use tenantry_simulator::{Does, Fault, HoldAt};
use tenantry_tests::controller::{Controller, Field, SHORT_LEASE};
use tenantry_tests::worlds;

use super::worlds::{KNOWN, approve, declared, made, shown};

/// Waits until a customer is bound, moving the clock past whatever is waited for.
pub fn until_bound(field: &Field, controllers: &[&Controller], name: &str) {
    field.until(&format!("{name} is bound"), controllers, || {
        let bindings = field.list("consolebindings");
        let one = bindings.iter().find(|one| one["spec"]["address"]["name"] == name);
        let bound =
            one.is_some_and(|one| one["spec"]["remoteId"].is_string() && one["spec"]["operation"].is_null());
        if bound {
            return Ok(());
        }
        // Past the longest that a request may be on its way and the longest that a list may be late.
        field.simulator().clock().advance(2.minutes()).expect("the clock goes forward");
        Err(one.map(|one| one["spec"]["operation"].to_string()).unwrap_or_default())
    });
}

/// A field whose controller is about to make `one` and `two`.
fn about_to_make() -> Option<Field> {
    let field = declared()?;
    for name in ["one", "two"] {
        field.apply(&worlds::customer(name, &[worlds::made_at_sophos()]));
    }
    Some(field)
}

fn killed_while_a_request_is_held(at: HoldAt) {
    let Some(field) = about_to_make() else { return };
    let hold = Fault::new(Does::Hold { at }).at("sophos/msp").on("POST", "/partner/v1/tenants*");
    field.simulator().faults().add(hold);
    let first = field.start(&SHORT_LEASE);
    approve(&field, &[&first], "sophos");
    field.until("a request is held", &[&first], || {
        let held = field.simulator().faults().held();
        if held > 0 { Ok(()) } else { Err(format!("{held}")) }
    });
    first.kill();
    field.simulator().faults().clear();
    field.until("nobody waits any more", &[], || {
        let held = field.simulator().faults().held();
        if held == 0 { Ok(()) } else { Err(format!("{held}")) }
    });
    let second = field.start(&SHORT_LEASE);
    // An approval counts once: what the dead replica used up is asked for again where it did not happen.
    for name in ["one", "two"] {
        until_bound(&field, &[&second], name);
    }
    assert_eq!(made(&field, 0), 2, "{:?}", field.requests(0));
    assert_eq!(shown(&field).len(), KNOWN.len() + 2);
}

#[test]
fn killed_before_the_console_commits_it_makes_everything_once() {
    killed_while_a_request_is_held(HoldAt::BeforeCommit);
}

#[test]
fn killed_after_the_console_committed_it_makes_nothing_again() {
    killed_while_a_request_is_held(HoldAt::AfterCommit);
}
