//! Killed anywhere, run again: everything happens once.
//!
//! Each world's last apply, and every command that writes in every example's story, is killed while the console holds
//! one of its unsafe requests, before and after the commit, and around each of its durable writes; what the next runs
//! make of it is compared with the undisturbed outcome.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde_json::json;
use tenantry_tests::besiege::besiege as besiege_story;
use tenantry_tests::crash::{Tally, World};
use tenantry_tests::parts::repository_root;
use tenantry_tests::story::{self, writes};
use tenantry_tests::worlds::{everything_at_microsoft, gone_from_the_files, two_to_make};

/// Both sides of a durable write.
const BOTH: [&str; 2] = ["before", "after"];

/// Says how often it was killed; fewer than these show that the siege missed its target.
fn enough(name: &str, tally: Tally, at_requests: usize, at_writes: usize) {
    println!("{name}: killed {} times at requests, {} times at writes", tally.at_requests, tally.at_writes);
    assert!(tally.at_requests >= at_requests && tally.at_writes >= at_writes, "{name}: {tally:?}");
}

fn besiege(world: &World, sides: &[&'static str], at_requests: usize, at_writes: usize) {
    enough(&world.name, world.besiege(sides), at_requests, at_writes);
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

/// Each example with its commands that write, and how often they are killed at requests and at writes, at least; the
/// longest first. Fewer show that the siege missed its target.
const STORIES: [(&str, usize, usize, usize); 7] = [
    ("quickstart", 5, 6, 43),
    ("offboarding", 4, 10, 36),
    ("indirect-reseller", 7, 0, 27),
    ("trial-and-usage", 3, 4, 20),
    ("takeover", 3, 2, 14),
    ("one-console-down", 3, 4, 24),
    ("rename", 3, 0, 13),
];

#[test]
fn every_command_that_writes_in_every_example_survives_being_killed_anywhere() {
    let examples = repository_root().join("examples");
    let told: BTreeMap<String, usize> = story::names(&examples)
        .into_iter()
        .map(|name| {
            let story = fs::read_to_string(examples.join(&name).join("story.txt")).expect("a story is text");
            let commands = story.lines().filter_map(|line| line.strip_prefix("$ tenantry "));
            let writing = commands.filter(|line| writes(&line.split(' ').collect::<Vec<_>>())).count();
            (name, writing)
        })
        .collect();
    let besieged = STORIES.map(|(name, commands, ..)| (name.to_owned(), commands)).into();
    assert_eq!(told, besieged, "every command that writes has its place in the siege");
    let next = Mutex::new(STORIES.into_iter());
    let total = Mutex::new(Tally::default());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let story = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((name, of, at_requests, at_writes)) = story else { return };
                    let (commands, tally) = besiege_story(&examples.join(name));
                    assert_eq!(commands, of, "{name}");
                    enough(name, tally, at_requests, at_writes);
                    let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
                    *total += tally;
                }
            });
        }
    });
    enough("all examples", total.into_inner().unwrap_or_else(PoisonError::into_inner), 26, 177);
}
