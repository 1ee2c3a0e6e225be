//! Histories of a partner's year, crashes included: nothing is made, mailed or ended twice or unasked.
//!
//! Shows: over at least 100 000 random histories (declare, undeclare, rename, edit, plan, apply with faults on the way
//! and deaths around every durable write, late and broken lists, time, lost ledgers, rival runs, people who say what
//! happened), judged by the console's own log: never two live creations of one company, never a creation beside a
//! record that the last list shows, never a second invitation, never an ending that nobody asked for, never a creation
//! or an invitation by a new ledger beside records that it does not know; and once everything is calm, a second run
//! finds nothing to do. Known mistakes, switched on in the harness, are found by the same judge.

mod counts;
mod history;
mod judge;
mod mutation;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use counts::Counts;
use history::{Histories, Step};
use judge::Case;
use mutation::Mutation;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use proptest_state_machine::ReferenceStateMachine;

/// Histories of the proof, over all threads.
const HISTORIES: u32 = 100_000;
/// Steps of one history, before the calm.
const STEPS: std::ops::RangeInclusive<usize> = 2..=9;

/// Runs that many histories; the number that ran, what happened in them, and the first failure, shrunk.
fn run(cases: u32, seed: u8, mutation: Option<Mutation>, total: &Counts) -> (u64, Option<String>) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let ran = AtomicU64::new(0);
    let outcome = TestRunner::new_with_rng(config, rng).run(
        &Histories::sequential_strategy(STEPS).prop_map(|(_, steps, seen)| (steps, seen)),
        |(steps, seen)| {
            ran.fetch_add(1, Ordering::Relaxed);
            let mut case = Case::new(mutation);
            for step in &steps {
                if let Some(seen) = &seen {
                    seen.fetch_add(1, Ordering::SeqCst);
                }
                case.step(step).map_err(TestCaseError::fail)?;
            }
            case.calm().map_err(TestCaseError::fail)?;
            total.add(&case.counts);
            Ok(())
        },
    );
    let failure = match outcome {
        Ok(()) => None,
        Err(TestError::Fail(reason, (steps, _))) => Some(format!("{reason}\nhistory: {steps:#?}")),
        Err(abort) => Some(abort.to_string()),
    };
    (ran.load(Ordering::Relaxed), failure)
}

#[test]
fn nothing_is_made_mailed_or_ended_twice_or_unasked() {
    let began = Instant::now();
    let counts = Counts::default();
    let results: Vec<(u64, Option<String>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4u8)
            .map(|n| {
                let counts = &counts;
                scope.spawn(move || run(HISTORIES / 4, 11 + n, None, counts))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a history panicked")).collect()
    });
    let histories: u64 = results.iter().map(|(ran, _)| ran).sum();
    println!("{histories} histories in {:.1?}: {counts:?}", began.elapsed());
    let failures: Vec<String> = results.into_iter().filter_map(|(_, failure)| failure).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(histories >= u64::from(HISTORIES), "{histories} histories are too few");
    counts.assert_eventful(histories);
}

#[test]
fn known_mistakes_are_found() {
    let counts = Counts::default();
    for mutation in Mutation::ALL {
        let (ran, failure) = run(20_000, 7, Some(mutation), &counts);
        let failure = failure.unwrap_or_else(|| panic!("{mutation:?} was not noticed in {ran} histories"));
        println!(
            "{mutation:?} found after {ran} runs, shrinking included: {}",
            failure.lines().next().unwrap_or("")
        );
    }
}

#[test]
fn a_failure_is_shrunk_to_a_few_steps() {
    let counts = Counts::default();
    let (_, failure) = run(20_000, 5, Some(Mutation::NoProbe), &counts);
    let failure = failure.expect("it is found");
    let steps = failure.lines().filter(|line| line.starts_with("    ") && !line.starts_with("     ")).count();
    assert!((1..=14).contains(&steps), "{failure}");
}

#[test]
fn histories_hold_every_kind_of_step() {
    let seen: std::sync::Mutex<std::collections::BTreeSet<&'static str>> = std::sync::Mutex::default();
    let config = Config { cases: 2_000, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]);
    TestRunner::new_with_rng(config, rng)
        .run(&Histories::sequential_strategy(STEPS), |(_, steps, counter)| {
            if let Some(counter) = counter {
                counter.store(steps.len(), Ordering::SeqCst);
            }
            seen.lock().expect("nobody panics inside").extend(steps.iter().map(Step::kind));
            Ok(())
        })
        .expect("it only collects");
    let seen = seen.into_inner().expect("nobody panics inside");
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), Step::KINDS);
}
