//! Killed at every unsafe request, on both sides of its commit, and around every write of a ConsoleBinding: everything
//! happens once.

use serde_json::json;
use tenantry_tests::crash::World;
use tenantry_tests::parts::repository_root;
use tenantry_tests::siege;
use tenantry_tests::worlds::{gone_from_the_files, two_to_make};

/// Both sides of a write.
const BOTH: [&str; 2] = ["before", "after"];

/// Says how often it was killed; fewer than these show that the siege missed its target.
fn besiege(world: &World, sides: &[&'static str], at_requests: usize, at_writes: usize) {
    let began = std::time::Instant::now();
    let Some(tally) = siege::besiege(world, sides) else { return };
    println!(
        "{}: killed {} times at requests, {} times at writes, in {:?}",
        world.name,
        tally.at_requests,
        tally.at_writes,
        began.elapsed()
    );
    assert!(tally.at_requests >= at_requests && tally.at_writes >= at_writes, "{}: {tally:?}", world.name);
}

#[test]
fn creations_and_a_rename_happen_once_wherever_the_controller_dies() {
    besiege(&two_to_make(&json!({})), &BOTH, 6, 24);
}

#[test]
fn a_detachment_that_a_deleted_object_causes_happens_once_wherever_the_controller_dies() {
    besiege(&gone_from_the_files(), &BOTH, 2, 8);
}

#[test]
fn a_licence_that_comes_with_its_account_is_bound_wherever_the_controller_dies() {
    let example = repository_root().join("examples").join("trial-and-usage");
    besiege(&World::example(&example), &BOTH, 4, 16);
}
