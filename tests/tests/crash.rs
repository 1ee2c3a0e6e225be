//! Killed anywhere, run again: everything happens once.
//!
//! Each world's last apply is killed while the console holds one of its unsafe requests, before and after the commit,
//! and around each of its durable writes; what the next runs make of it is compared with the undisturbed outcome.

use std::fs;

use serde_json::json;
use tenantry_tests::crash::{Tally, World};
use tenantry_tests::parts::repository_root;
use tenantry_tests::worlds::{everything_at_microsoft, gone_from_the_files, two_to_make};

/// Both sides of a durable write.
const BOTH: [&str; 2] = ["before", "after"];

/// Says how often it was killed; fewer than these show that the siege missed its target.
fn besiege(world: &World, sides: &[&'static str], at_requests: usize, at_writes: usize) -> Tally {
    let tally = world.besiege(sides);
    println!(
        "{}: killed {} times at requests, {} times at writes",
        world.name, tally.at_requests, tally.at_writes
    );
    assert!(tally.at_requests >= at_requests && tally.at_writes >= at_writes, "{}: {tally:?}", world.name);
    tally
}

#[test]
fn creations_and_a_rename_happen_once_wherever_the_run_dies() {
    besiege(&two_to_make(&json!({})), &BOTH, 6, 24);
}

#[test]
fn a_creation_that_the_list_shows_late_is_not_repeated() {
    besiege(&two_to_make(&json!({"listing": "after-10-minutes"})), &BOTH, 6, 24);
}

#[test]
fn a_creation_an_update_a_detachment_and_an_invitation_happen_once_wherever_the_run_dies() {
    besiege(&everything_at_microsoft(&json!({})), &BOTH, 6, 24);
}

#[test]
fn a_vendor_that_forgets_request_ids_and_lists_late_is_asked_once_all_the_same() {
    let switches = json!({"requestIdMemory": "never", "listedAfterCreate": "15m"});
    besiege(&everything_at_microsoft(&switches), &BOTH, 6, 24);
}

#[test]
fn a_detachment_that_a_deleted_declaration_causes_happens_once_wherever_the_run_dies() {
    besiege(&gone_from_the_files(), &BOTH, 2, 8);
}

#[test]
fn every_example_survives_its_first_apply_being_killed_anywhere() {
    let examples = repository_root().join("examples");
    let mut total = Tally::default();
    let mut places: Vec<_> = fs::read_dir(&examples)
        .expect("there are examples")
        .map(|entry| entry.expect("the examples can be listed").path())
        .filter(|path| path.join("sim.json").is_file())
        .collect();
    places.sort();
    for place in places {
        // What lies between two writes is a request, and requests are killed on both of their sides.
        let tally = besiege(&World::example(&place), &["before"], 0, 2);
        total.at_requests += tally.at_requests;
        total.at_writes += tally.at_writes;
    }
    println!("examples: killed {} times at requests, {} times at writes", total.at_requests, total.at_writes);
    assert!(total.at_requests >= 2 && total.at_writes >= 20, "{total:?}");
}
