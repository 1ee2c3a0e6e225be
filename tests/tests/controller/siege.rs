//! Killed at every unsafe request, on both sides of its commit, and around every write of a ConsoleBinding: everything
//! happens once.

use serde_json::json;
use tenantry_tests::crash::{Tally, World};
use tenantry_tests::parts::repository_root;
use tenantry_tests::siege::{self, Sides};
use tenantry_tests::worlds::{everything_at_microsoft, gone_from_the_files, two_to_make};

/// Says how often it was killed; fewer than these show that the siege missed its target.
fn enough(name: &str, tally: Tally, at_requests: usize, at_writes: usize) {
    println!("{name}: killed {} times at requests, {} times at writes", tally.at_requests, tally.at_writes);
    assert!(tally.at_requests >= at_requests && tally.at_writes >= at_writes, "{name}: {tally:?}");
}

fn besiege(world: &World, at_requests: usize, at_writes: usize) {
    let began = std::time::Instant::now();
    let Some(tally) = siege::besiege(world, Sides::Both) else { return };
    println!("{}: {:?}", world.name, began.elapsed());
    enough(&world.name, tally, at_requests, at_writes);
}

#[test]
fn creations_and_a_rename_happen_once_wherever_the_controller_dies() {
    besiege(&two_to_make(&json!({})), 6, 24);
}

#[test]
fn a_creation_an_update_a_detachment_and_an_invitation_happen_once_wherever_the_controller_dies() {
    besiege(&everything_at_microsoft(&json!({})), 6, 24);
}

#[test]
fn a_detachment_that_a_deleted_object_causes_happens_once_wherever_the_controller_dies() {
    besiege(&gone_from_the_files(), 2, 8);
}

/// Each example with its applies as far as they are told, and how often the controller is killed there at requests and
/// at writes, at least.
const EXAMPLES: [(&str, usize, usize, usize); 7] = [
    ("quickstart", 1, 0, 0),
    ("offboarding", 4, 0, 0),
    ("indirect-reseller", 1, 0, 0),
    ("trial-and-usage", 3, 0, 0),
    ("takeover", 1, 0, 0),
    ("one-console-down", 2, 0, 0),
    ("rename", 3, 0, 0),
];

#[test]
fn applies_of_every_example_survive_that_the_controller_is_killed_anywhere() {
    let examples = repository_root().join("examples");
    let mut total = Tally::default();
    for (name, of, at_requests, at_writes) in EXAMPLES {
        if std::env::var("ONLY").is_ok_and(|only| only != name) {
            continue;
        }
        let began = std::time::Instant::now();
        let Some((applies, tally)) = siege::besiege_example(&examples.join(name), Sides::Before) else {
            return;
        };
        println!("{name}: {applies} {:?}", began.elapsed());
        enough(name, tally, at_requests, at_writes);
        total.at_requests += tally.at_requests;
        total.at_writes += tally.at_writes;
    }
    enough("all examples", total, 0, 0);
}
