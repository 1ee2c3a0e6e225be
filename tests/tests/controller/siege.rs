//! Killed at every unsafe request, on both sides of its commit, and around every write of a ConsoleBinding: everything
//! happens once.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::json;
use tenantry_tests::crash::{Tally, World};
use tenantry_tests::parts::repository_root;
use tenantry_tests::siege::{self, Sides};
use tenantry_tests::story;
use tenantry_tests::worlds::{everything_at_microsoft, gone_from_the_files, two_to_make};

/// Says how often it was killed; fewer than these show that the siege missed its target.
fn enough(name: &str, tally: Tally, began: Instant, at_requests: usize, at_writes: usize) {
    let Tally { at_requests: requests, at_writes: writes } = tally;
    let took = began.elapsed().as_secs();
    println!("{name}: killed {requests} times at requests, {writes} times at writes, in {took} s");
    assert!(requests >= at_requests && writes >= at_writes, "{name}: {tally:?}");
}

fn besiege(world: &World, sides: Sides, at_requests: usize, at_writes: usize) {
    let began = Instant::now();
    let Some(tally) = siege::besiege(world, sides) else { return };
    enough(&world.name, tally, began, at_requests, at_writes);
}

#[test]
fn creations_and_a_rename_happen_once_wherever_the_controller_dies() {
    besiege(&two_to_make(&json!({})), Sides::Before, 6, 24);
}

#[test]
fn a_creation_an_update_a_detachment_and_an_invitation_happen_once_wherever_the_controller_dies() {
    besiege(&everything_at_microsoft(&json!({})), Sides::Before, 6, 30);
}

#[test]
fn a_detachment_that_a_deleted_object_causes_happens_once_wherever_the_controller_dies() {
    besiege(&gone_from_the_files(), Sides::Both, 2, 16);
}

/// Each example with the applies that are besieged of it, in a time that a gate can give, and how often the controller is
/// killed there at requests and at writes, at least.
const EXAMPLES: [(&str, usize, usize, usize); 7] = [
    ("rename", 1, 0, 4),
    ("one-console-down", 1, 0, 4),
    ("indirect-reseller", 1, 0, 5),
    ("offboarding", 1, 0, 10),
    ("takeover", 1, 2, 14),
    ("trial-and-usage", 1, 4, 20),
    ("quickstart", 1, 4, 32),
];

#[test]
fn the_first_apply_of_every_example_survives_that_the_controller_is_killed_anywhere() {
    let examples = repository_root().join("examples");
    let there = story::names(&examples);
    let besieged: BTreeSet<String> = EXAMPLES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(there, besieged, "every example has its place in the siege");
    let (mut total, all) = (Tally::default(), Instant::now());
    for (name, applies, at_requests, at_writes) in EXAMPLES {
        let began = Instant::now();
        let place = examples.join(name);
        let Some(tally) = siege::besiege_example(&place, applies, Sides::Before) else { return };
        enough(name, tally, began, at_requests, at_writes);
        total += tally;
    }
    enough("all examples", total, all, 10, 90);
}
