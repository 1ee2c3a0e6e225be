//! Ctrl-C once: what is on its way is finished, nothing new begins. Twice: the program is gone at once, and what the
//! vendor made of the request that was on its way is found by the next runs, once.

use std::thread;
use std::time::{Duration, Instant};

use tenantry_simulator::HoldAt;
use tenantry_tests::cli::Bench;
use tenantry_tests::crash::{APPLY, Held, wait};
use tenantry_tests::watch::run;

use super::{held_at_the_first_of_two, made, says, writes};

#[test]
fn ctrl_c_finishes_what_is_on_its_way_and_begins_nothing_new() {
    for at in [HoldAt::BeforeCommit, HoldAt::AfterCommit] {
        for signal in ["INT", "TERM"] {
            let bench = held_at_the_first_of_two(at);
            let mut running = Held::start(&bench, &APPLY);
            running.until_held(&bench);
            running.signal(signal);
            running.until_it_says("Stopping: what is on its way is waited for, nothing new begins");
            bench.simulator().faults().release();
            let ran = running.ended(&bench);
            says(&ran, 130, &["Interrupted. Applied 1", "not begun 1", "nothing is done twice"]);
            assert_eq!(made(&bench), 1);
            // Its answer was stored: nothing is in doubt, and what was not begun is all that is left.
            says(
                &run(&bench, &["plan"]),
                0,
                &["Plan: 1 to create, 0 to invite, 0 to update, 0 to remove; 0 waiting"],
            );
            says(&run(&bench, &APPLY), 0, &["Applied 1"]);
            assert_eq!((made(&bench), writes(&bench)), (2, 2));
        }
    }
}

/// What became of the request that was on its way when its sender was gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Its connection went with the sender, and it with the connection.
    Dropped,
    /// It was committed before, and only its answer was missing.
    Committed,
    /// The vendor had it, and committed it when its sender was long gone.
    CommittedLater,
}

/// Waits until the simulator has done it.
fn until(done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < deadline, "it never happens");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Leaves at the second Ctrl-C while the request that makes the first of two customers is held.
fn left_at_once(at: HoldAt) -> Bench {
    let bench = held_at_the_first_of_two(at);
    let mut running = Held::start(&bench, &APPLY);
    running.until_held(&bench);
    running.signal("INT");
    running.until_it_says("Stopping: what is on its way is waited for, nothing new begins");
    running.signal("INT");
    let ran = running.ended(&bench);
    says(&ran, 130, &["Left at once: the next run settles what was on its way."]);
    bench
}

#[test]
fn a_second_ctrl_c_leaves_at_once_and_the_next_runs_find_out_what_happened() {
    for fate in [Fate::Dropped, Fate::Committed, Fate::CommittedLater] {
        let bench = left_at_once(match fate {
            Fate::Dropped => HoldAt::BeforeCommit,
            Fate::Committed => HoldAt::AfterCommit,
            Fate::CommittedLater => HoldAt::Accepted,
        });
        // The journal is whole and says how far it came.
        says(&run(&bench, &["state", "list"]), 0, &["customer/one/sophos declared – (request sent)"]);
        says(&run(&bench, &["log"]), 0, &["create create-tenant", "sent"]);
        let plan = run(&bench, &["plan"]);
        says(&plan, 0, &["Plan: 1 to create, 0 to invite, 0 to update, 0 to remove"]);
        let in_doubt = "? customer one may or may not have happened; it is looked for, not repeated";
        if fate != Fate::Committed {
            says(&plan, 0, &[in_doubt, "1 waiting"]);
        }
        // At once, as somebody would who saw it end: what is in doubt is not sent again.
        says(&run(&bench, &APPLY), 0, &["customer two created", "Applied 1, waiting 0, held 0, failed 0"]);
        let now = if fate == Fate::Committed { 2 } else { 1 };
        assert_eq!((made(&bench), writes(&bench)), (now, now), "{fate:?}");
        if fate == Fate::CommittedLater {
            bench.simulator().faults().release();
            until(|| made(&bench) == 2);
        }
        // What two lists in a row do not show has not happened, and happens now.
        for _ in 0..3 {
            wait(&bench);
            let ran = run(&bench, &APPLY);
            assert!(ran.code == 0 && made(&bench) <= 2, "{fate:?}: {ran}");
        }
        assert_eq!((made(&bench), writes(&bench)), (2, 2), "{fate:?}");
        says(&run(&bench, &["plan", "--detailed-exitcode"]), 0, &["No changes"]);
    }
}

#[test]
fn two_ctrl_c_in_one_breath_are_both_heard() {
    let bench = held_at_the_first_of_two(HoldAt::AfterCommit);
    let mut running = Held::start(&bench, &APPLY);
    running.until_held(&bench);
    // Nobody waits for the first word: each is heard, or the two are one.
    running.signal("INT");
    running.signal("TERM");
    says(
        &running.ended(&bench),
        130,
        &["Stopping:", "Left at once: the next run settles what was on its way."],
    );
    assert_eq!((made(&bench), writes(&bench)), (1, 1));
}
