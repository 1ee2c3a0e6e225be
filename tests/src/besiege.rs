//! Killing every command of a story that writes wherever it can hurt, and seeing what the next ones make of it:
//! [`crash`](crate::crash) for stories.
//!
//! The story is told once. Before each of its applies, and of its words for the ledger (`tasks done`), the desk is
//! remembered ([`Snapshot`]), and the command is run once undisturbed, with the arguments that the story gives it; that
//! says what has to happen. Then, each time with files and consoles put back, it is killed: with SIGKILL while a console
//! holds one of its unsafe requests, before or after the commit; and around each of its durable writes. After that the
//! same command is run again, time going on, until nothing changes: the consoles must have seen exactly the same effects,
//! the ledger must be bound to the same records and hold the same words about tasks, each invitation must have kept its
//! `Message-ID`, and the plan must be the same. Then the story goes on as if nothing had been.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use tenantry_simulator::{Does, Fault};

use crate::cli::Bench;
use crate::crash::{Held, Kill, Outcome, Tally, binary, entries, kills_at, last, outcome, wait, writes};
use crate::snapshot::Snapshot;
use crate::{story, watch};

/// How often a killed apply is run again at most.
const ROUNDS: usize = 6;

/// A command that is to be killed, with the desk just before it.
struct Target<'a> {
    name: String,
    bench: &'a Bench,
    /// The ids in it are known from the beginning.
    seed: &'a str,
    arguments: &'a [&'a str],
    before: Snapshot,
    /// How it may end: a console that is down throughout fails the undisturbed run too, and every one after a kill.
    codes: BTreeSet<i32>,
}

/// What ledgers remember of what people said and were sent: by the entry's address and what it is about.
type Words = BTreeMap<(String, String), String>;

/// Besieges each command that writes in the story of this directory, and tells the story to its end. How many there
/// were, and how often they were killed.
///
/// # Panics
/// Where something happened twice, or not at all, or a kill missed.
pub fn besiege(place: &Path) -> (usize, Tally) {
    let seed = fs::read_to_string(place.join("sim.json"))
        .unwrap_or_else(|error| panic!("{}/sim.json: {error}", place.display()));
    let (mut commands, mut total) = (0, Tally::default());
    story::run_with(place, binary(), &mut |bench, line, arguments| {
        let name = format!("{}/story.txt:{line}", place.display());
        let codes = BTreeSet::from([0, 4]);
        let mut target = Target { name, bench, seed: &seed, arguments, before: Snapshot::of(bench), codes };
        let tally = target.besiege();
        commands += 1;
        total += tally;
    });
    (commands, total)
}

/// Besieges one command at a desk whose consoles were seeded with `seed`, and leaves the desk as it was found.
///
/// # Panics
/// As [`besiege`].
pub fn besiege_command(bench: &Bench, seed: &str, arguments: &[&str]) -> Tally {
    let codes = BTreeSet::from([0, 4]);
    Target { name: arguments.join(" "), bench, seed, arguments, before: Snapshot::of(bench), codes }.besiege()
}

impl Target<'_> {
    /// Kills the command everywhere and demands the undisturbed outcome each time; leaves the desk as it was found.
    ///
    /// It dies before and after the commit of each unsafe request, before each durable write, and after the last one.
    /// These are all the places there are. After the nth write and before the next one, the process computes in its own
    /// memory, reads, or sends unsafe requests. Computing and reading change nothing outside (that reads commit nothing
    /// is checked at the log of each run); so without an unsafe request between them the two places are one. With one,
    /// "after the nth" is the request held before its commit, and "before the next" is the request held after it.
    fn besiege(&mut self) -> Tally {
        let mark = self.bench.simulator().log().mark();
        let ran = watch::run(self.bench, self.arguments);
        assert!((0..=4).contains(&ran.code), "{}: {ran}", self.name);
        self.codes.insert(ran.code);
        let requests = kills_at(writes(self.bench, mark));
        let expected = self.converge(mark);
        let mut tally = Tally::default();
        let mut problems = Vec::new();
        let mut kill = |there: &Kill| -> bool {
            let died = self.killed(there);
            if let Some(outcome) = died.as_ref().filter(|outcome| **outcome != expected) {
                problems.push(format!("{there:?}:\n{outcome:#?}"));
            }
            died.is_some()
        };
        for request in &requests {
            assert!(kill(request), "{}: {request:?} did not come to pass", self.name);
            tally.at_requests += 1;
        }
        let mut written = 0;
        while kill(&Kill::Durable { nth: written + 1, side: "before" }) {
            written += 1;
            tally.at_writes += 1;
        }
        if written > 0 {
            let last = Kill::Durable { nth: written, side: "after" };
            assert!(kill(&last), "{}: write {written} did not come to pass again", self.name);
            tally.at_writes += 1;
        }
        assert!(problems.is_empty(), "{}: undisturbed:\n{expected:#?}\n{}", self.name, problems.join("\n"));
        self.before.put_back(self.bench);
        tally
    }

    /// Kills the command there and runs it again to the end. `None`: it ended before.
    fn killed(&self, kill: &Kill) -> Option<(Outcome, Words)> {
        self.before.put_back(self.bench);
        let bench = self.bench;
        let mark = bench.simulator().log().mark();
        match kill {
            Kill::Durable { nth, side } => {
                let mut command = bench.command(self.arguments);
                command.env("TENANTRY_FAILPOINT", format!("{nth}:{side}"));
                let ran = watch::run_command(bench, self.arguments, command);
                if ran.code != -1 {
                    assert!(self.codes.contains(&ran.code), "{}: {ran}", self.name);
                    return None;
                }
            }
            Kill::Request { partner, method, path, nth, at } => {
                let fault = Fault::new(Does::Hold { at: *at }).at(partner).on(method, path).nth(*nth);
                bench.simulator().faults().add(fault);
                let mut running = Held::start(bench, self.arguments);
                running.until_held(bench);
                running.kill(bench);
            }
        }
        // At once, as somebody would who saw it die; then as time goes by.
        Some(self.converge(mark))
    }

    /// Runs the same command until nothing more arrives, the clock moving past whatever is waited for, and gives what it
    /// led to.
    fn converge(&self, mark: u64) -> (Outcome, Words) {
        let bench = self.bench;
        let mut before = None;
        for _ in 0..ROUNDS {
            let ran = watch::run(bench, self.arguments);
            assert!(self.codes.contains(&ran.code), "{}: a run after the kill fails: {ran}", self.name);
            wait(bench);
            let now = (writes(bench, mark).len(), last(&entries(&bench.dir())));
            if before.as_ref() == Some(&now) {
                return (outcome(bench, self.seed, mark), words(bench));
            }
            before = Some(now);
        }
        panic!("{}: no end after {ROUNDS} runs: {before:#?}", self.name)
    }
}

/// What the ledgers hold of what people said and were sent.
fn words(bench: &Bench) -> Words {
    let mut out = Words::new();
    for (address, entry) in last(&entries(&bench.dir())) {
        let invitation = &entry["invitation"];
        if invitation.is_object() {
            let reminders = invitation["reminders"].as_array().map_or(0, Vec::len);
            let revoked = if invitation["revoked"].is_null() { "open" } else { "revoked" };
            let told = format!("{reminders} reminders, {revoked}");
            out.insert((address.clone(), "invitation".to_owned()), told);
        }
        for (task, record) in entry["tasks"].as_object().into_iter().flatten() {
            if let Some(outcome) = record["attested"]["outcome"].as_str() {
                out.insert((address.clone(), task.clone()), outcome.to_owned());
            }
        }
    }
    out
}
