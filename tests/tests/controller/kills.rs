//! Killed wherever it can hurt: while a console holds one of its requests, before and after the commit, and around its
//! durable writes. Whoever comes next makes everything once.

use jiff::ToSpan;
use serde_json::json;
use tenantry_simulator::{Does, Fault, HoldAt};
use tenantry_tests::controller::{Controller, Field, failpoints_binary};
use tenantry_tests::worlds;

use super::worlds::{KNOWN, approve, declared, made, shown};

/// Waits until a customer is bound, moving the clock past whatever is waited for.
fn until_bound(field: &Field, controllers: &[&Controller], name: &str) {
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
    let first = field.start(&["--lease-duration", "4s"]);
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
    let second = field.start(&["--lease-duration", "4s"]);
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

#[test]
fn killed_around_every_write_of_a_binding_it_makes_everything_once() {
    let Some(field) = about_to_make() else { return };
    let dir = field.bench().dir();
    let dir = dir.parent().expect("it lies in the bench's own").to_owned();
    // Each life ends at its next write: first those that bind what is known.
    let lives = |lives: &[(u32, &str)]| {
        for (n, side) in lives {
            let mut command = field.command(failpoints_binary());
            command.args(["--lease-duration", "3s", "--debounce", "50ms"]);
            command.env("TENANTRY_FAILPOINT", format!("{n}:{side}"));
            let controller = std::cell::RefCell::new(Controller::start(command, &dir));
            field.until("it has died, or has nothing more to write", &[], || {
                field.simulator().clock().advance(2.minutes()).expect("the clock goes forward");
                let bound = field
                    .list("consolebindings")
                    .iter()
                    .filter(|one| one["spec"]["remoteId"].is_string() && one["spec"]["operation"].is_null())
                    .count();
                let over = controller.borrow_mut().died() || bound == KNOWN.len() + 2;
                if over { Ok(()) } else { Err(format!("{bound} bound")) }
            });
        }
    };
    lives(&[(1, "before"), (1, "after"), (1, "after")]);
    let calm = field.start(&["--lease-duration", "3s"]);
    approve(&field, &[&calm], "sophos");
    calm.kill();
    // Then those that journal what is made: intent, sent, acked, settled, each of two.
    lives(&[
        (1, "before"),
        (1, "after"),
        (2, "before"),
        (2, "after"),
        (3, "after"),
        (1, "after"),
        (2, "after"),
    ]);
    let last = field.start(&["--lease-duration", "3s"]);
    for name in ["one", "two"] {
        until_bound(&field, &[&last], name);
    }
    assert_eq!(made(&field, 0), 2, "{:?}", field.requests(0));
    assert_eq!(shown(&field).len(), KNOWN.len() + 2);
    assert_eq!(
        json!(field.get("customers", "one")["metadata"]["finalizers"]),
        json!(["tenantry.io/bindings"])
    );
}
