//! Killing an apply wherever it can hurt, and seeing what the next ones make of it.
//!
//! A [`World`] is a set of simulated consoles with declarations. Its last apply is run once undisturbed, which says
//! what has to happen. Then, each time in a fresh copy of the world, it is killed: with SIGKILL while the console holds
//! one of its unsafe requests, before or after the commit; and around each of its durable writes. After that the
//! program is run again, the clock moving on, until nothing changes: the console must have seen exactly the same
//! effects, the ledger must be bound to the same records, each invitation must have kept its `Message-ID`, and the
//! plan must be the same.
//!
//! It never lets a request through that was held before its commit when the process died.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::ToSpan;
use serde_json::Value;
use tenantry_simulator::{Does, Entry, Fault, HoldAt, Kind, LogFilter};

use crate::cli::{self, Bench, Ran};
use crate::{story, watch};

/// An apply that nothing holds but a missing consent.
pub const APPLY: [&str; 4] =
    ["apply", "--auto-approve", "--allow", "first-run,creations=50,invitations=50,removals=50,seats=500"];

/// How often a killed apply is run again at most.
const ROUNDS: usize = 5;

const SOON: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The program with its failpoints compiled in. `TENANTRY_TEST_FAILPOINTS_BINARY` names another one.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        std::env::var_os("TENANTRY_TEST_FAILPOINTS_BINARY")
            .map_or_else(|| cli::build(&["failpoints"]), PathBuf::from)
    })
}

/// Consoles and declarations.
#[derive(Debug, Clone)]
pub struct World {
    /// For messages.
    pub name: String,
    /// See `POST /_sim/seed`.
    pub seed: Value,
    /// Files that are written before each apply, by path; an empty text deletes. The last apply is the one that is
    /// killed.
    pub stages: Vec<BTreeMap<String, String>>,
}

/// Where an apply is killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kill {
    /// While the console holds the `nth` request like this.
    Request {
        /// `<vendor>/<key>`.
        partner: String,
        /// Its method.
        method: String,
        /// Its path, without query.
        path: String,
        /// Counted from 1.
        nth: u32,
        /// On which side of the commit.
        at: HoldAt,
    },
    /// `before` or `after` its nth durable write.
    Durable {
        /// Counted from 1.
        nth: u32,
        /// `before` or `after`.
        side: &'static str,
    },
}

/// What an apply led to, in terms that do not depend on when it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Everything that was committed at the consoles: partner, kind, record (or for whom it was made); sorted.
    pub effects: Vec<(String, String, String)>,
    /// How many unsafe requests arrived.
    pub writes: usize,
    /// Address → record, of all ledgers.
    pub bound: BTreeMap<String, String>,
    /// Addresses with an invitation, with the number of different `Message-ID`s that the journal knows of it.
    pub invited: BTreeMap<String, usize>,
    /// What is planned, waited for and found after it.
    pub planned: BTreeSet<String>,
}

/// How a siege ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Kills while a request was held.
    pub at_requests: usize,
    /// Kills around durable writes.
    pub at_writes: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.at_requests += more.at_requests;
        self.at_writes += more.at_writes;
    }
}

impl World {
    /// The consoles and declarations of an example as they are at its beginning.
    pub fn example(place: &Path) -> Self {
        let read = fs::read_to_string(place.join("sim.json"))
            .unwrap_or_else(|error| panic!("{}/sim.json: {error}", place.display()));
        Self {
            name: place.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            seed: serde_json::from_str(&read)
                .unwrap_or_else(|error| panic!("{}/sim.json: {error}", place.display())),
            stages: vec![story::declarations(place)],
        }
    }

    /// A fresh copy, ready for its last apply.
    pub fn desk(&self) -> Bench {
        let bench = Bench::new(&self.seed).binary(binary().to_owned());
        let (last, before) = self.stages.split_last().expect("a world has a stage");
        for stage in before {
            lay_out(&bench, stage);
            let ran = watch::run(&bench, &APPLY);
            assert!(matches!(ran.code, 0 | 4), "{}: an earlier stage fails: {ran}", self.name);
            wait(&bench);
            let ran = watch::run(&bench, &APPLY);
            assert!(matches!(ran.code, 0 | 4), "{}: an earlier stage fails: {ran}", self.name);
        }
        lay_out(&bench, last);
        bench
    }

    /// What the last apply leads to when nothing happens to it, and the unsafe requests that it sends.
    pub fn undisturbed(&self) -> (Outcome, Vec<Kill>) {
        let bench = self.desk();
        let mark = bench.simulator().log().mark();
        let ran = watch::run(&bench, &APPLY);
        assert!(matches!(ran.code, 0 | 4), "{}: {ran}", self.name);
        let kills = kills_at(writes(&bench, mark));
        (self.converge(&bench, mark), kills)
    }

    /// Runs apply until nothing more arrives, the clock moving past whatever is waited for, and gives what it led to.
    fn converge(&self, bench: &Bench, mark: u64) -> Outcome {
        let mut before = None;
        for _ in 0..ROUNDS {
            let ran = watch::run(bench, &APPLY);
            assert!(matches!(ran.code, 0 | 4), "{}: a run after the kill fails: {ran}", self.name);
            wait(bench);
            let now = (writes(bench, mark).len(), last(&entries(&bench.dir())));
            if before.as_ref() == Some(&now) {
                return outcome(bench, &self.seed.to_string(), mark);
            }
            before = Some(now);
        }
        panic!("{}: no end after {ROUNDS} applies: {before:#?}", self.name)
    }

    /// Kills the last apply there. `None`: it ended before.
    pub fn killed(&self, kill: &Kill) -> Option<Outcome> {
        let bench = self.desk();
        let mark = bench.simulator().log().mark();
        let died = match kill {
            Kill::Durable { nth, side } => {
                let mut command = bench.command(&APPLY);
                command.env("TENANTRY_FAILPOINT", format!("{nth}:{side}"));
                watch::run_command(&bench, &APPLY, command).code == -1
            }
            Kill::Request { partner, method, path, nth, at } => {
                let fault = Fault::new(Does::Hold { at: *at }).at(partner).on(method, path).nth(*nth);
                bench.simulator().faults().add(fault);
                let mut running = Held::start(&bench, &APPLY);
                running.until_held(&bench);
                running.kill(&bench);
                bench.simulator().faults().clear();
                true
            }
        };
        if !died {
            return None;
        }
        // At once, as somebody would who saw it die; then as time goes by.
        Some(self.converge(&bench, mark))
    }

    /// Kills the last apply at each of its requests and on these sides of each durable write, and demands the
    /// undisturbed outcome each time.
    pub fn besiege(&self, sides: &[&'static str]) -> Tally {
        let (expected, requests) = self.undisturbed();
        let problems: Mutex<Vec<String>> = Mutex::default();
        let tally: Mutex<Tally> = Mutex::default();
        let one = |kill: &Kill| -> bool {
            let Some(outcome) = self.killed(kill) else { return false };
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            match kill {
                Kill::Request { .. } => tally.at_requests += 1,
                Kill::Durable { .. } => tally.at_writes += 1,
            }
            if outcome != expected {
                let mut problems = problems.lock().unwrap_or_else(PoisonError::into_inner);
                problems.push(format!("{kill:?}:\n{outcome:#?}"));
            }
            true
        };
        thread::scope(|scope| {
            scope.spawn(|| {
                for kill in &requests {
                    assert!(one(kill), "{kill:?} did not come to pass");
                }
            });
            scope.spawn(|| {
                for side in sides {
                    let mut nth = 1;
                    while one(&Kill::Durable { nth, side }) {
                        nth += 1;
                    }
                }
            });
        });
        let problems = problems.into_inner().unwrap_or_else(PoisonError::into_inner);
        assert!(problems.is_empty(), "{}: undisturbed:\n{expected:#?}\n{}", self.name, problems.join("\n"));
        tally.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lay_out(bench: &Bench, stage: &BTreeMap<String, String>) {
    for (file, text) in stage {
        if text.is_empty() {
            bench.remove(file);
        } else {
            bench.write(file, text);
        }
    }
}

/// Both sides of each of these unsafe requests.
pub fn kills_at(sent: Vec<Entry>) -> Vec<Kill> {
    let mut seen: BTreeMap<(String, String, String), u32> = BTreeMap::new();
    let mut kills = Vec::new();
    for entry in sent {
        let path = entry.path.split('?').next().unwrap_or_default().to_owned();
        let like = (entry.partner, entry.method, path);
        let nth = seen.entry(like.clone()).or_default();
        *nth += 1;
        for at in [HoldAt::BeforeCommit, HoldAt::AfterCommit] {
            let (partner, method, path) = like.clone();
            kills.push(Kill::Request { partner, method, path, nth: *nth, at });
        }
    }
    kills
}

/// Past the longest that a request may be on its way and the longest that a list may be late.
pub fn wait(bench: &Bench) {
    bench.simulator().clock().advance(17.minutes()).expect("the clock goes forward");
}

/// The unsafe requests that arrived since then.
pub(crate) fn writes(bench: &Bench, mark: u64) -> Vec<Entry> {
    let filter = LogFilter { since: mark, kind: Some(Kind::Write), ..LogFilter::default() };
    bench.simulator().log().entries(&filter)
}

/// The present version of each entry.
pub(crate) fn last(entries: &BTreeMap<String, Vec<Value>>) -> BTreeMap<String, Value> {
    entries.iter().filter_map(|(address, all)| Some((address.clone(), all.last()?.clone()))).collect()
}

pub(crate) fn outcome(bench: &Bench, seed: &str, mark: u64) -> Outcome {
    let sent = writes(bench, mark);
    let entries = entries(&bench.dir());
    let bound: BTreeMap<String, String> = entries
        .iter()
        .filter_map(|(address, all)| Some((address.clone(), all.last()?["remoteId"].as_str()?.to_owned())))
        .collect();
    let invited = entries
        .iter()
        .map(|(address, all)| {
            let ids: BTreeSet<&str> =
                all.iter().filter_map(|entry| entry["invitation"]["messageId"].as_str()).collect();
            (address.clone(), ids.len())
        })
        .filter(|(_, count)| *count > 0)
        .collect();
    let ran = watch::run(bench, &["plan", "-o", "json"]);
    let document: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("no plan: {error}: {ran}"));
    Outcome::of(seed, sent, &bound, invited, planned_in(&document))
}

impl Outcome {
    /// From what arrived, what is bound to which record, who was invited, and what is planned. Ids of what is made
    /// differ from run to run: a record that is not in the seed is called after whoever is bound to it.
    pub fn of(
        seed: &str,
        sent: Vec<Entry>,
        bound: &BTreeMap<String, String>,
        invited: BTreeMap<String, usize>,
        planned: BTreeSet<String>,
    ) -> Self {
        let holders: BTreeMap<&str, &str> = bound
            .iter()
            .map(|(address, id)| (id.as_str(), address.as_str()))
            .filter(|(id, _)| !seed.contains(id))
            .collect();
        let called =
            |id: &str| holders.get(id).map_or_else(|| id.to_owned(), |holder| format!("made for {holder}"));
        let writes = sent.len();
        let mut effects: Vec<_> = sent
            .into_iter()
            .flat_map(|entry| {
                let (partner, effects) = (entry.partner, entry.effects);
                effects.into_iter().map(move |effect| (partner.clone(), effect.kind, effect.id))
            })
            .map(|(partner, kind, id)| (partner, kind, called(&id)))
            .collect();
        effects.sort();
        let bound = bound.iter().map(|(address, id)| (address.clone(), called(id))).collect();
        Self { effects, writes, bound, invited, planned }
    }
}

/// Every version of every entry that the state directory knows, oldest first, by vendor account and address.
pub fn entries(dir: &Path) -> BTreeMap<String, Vec<Value>> {
    let mut out: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let accounts = dir.join(".tenantry").join("accounts");
    for account in fs::read_dir(&accounts).into_iter().flatten() {
        let account = account.expect("the state directory can be listed").path();
        let name = account.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut journals: Vec<PathBuf> = fs::read_dir(&account)
            .into_iter()
            .flatten()
            .map(|file| file.expect("the state directory can be listed").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "ndjson"))
            .collect();
        journals.sort();
        for journal in journals {
            let text = fs::read_to_string(&journal).expect("a journal is text");
            for line in text.lines() {
                // The last line of a killed run may be torn.
                let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
                for (address, entry) in line["put"].as_object().into_iter().flatten() {
                    out.entry(format!("{name} {address}")).or_default().push(entry.clone());
                }
            }
        }
    }
    out
}

/// A plan without what time moves.
pub fn planned_in(document: &Value) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for plan in document["plans"].as_array().into_iter().flatten() {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = |name: &str| plan[name].as_array().cloned().unwrap_or_default();
        for step in all("steps") {
            let held = text(&step["held"]["by"]);
            out.insert(format!("step {} {} {held}", text(&step["action"]), text(&step["address"])));
        }
        for waiting in all("waiting") {
            out.insert(format!("waiting {} {}", text(&waiting["why"]), text(&waiting["address"])));
        }
        for finding in all("findings") {
            out.insert(format!("finding {} {}", text(&finding["code"]), text(&finding["address"])));
        }
    }
    out
}

/// The program, running while the simulator holds one of its requests.
#[derive(Debug)]
pub struct Held {
    child: Child,
    out: PathBuf,
    err: PathBuf,
    arguments: Vec<String>,
    mark: u64,
}

impl Held {
    /// Starts it. Add the fault that holds a request first.
    pub fn start(bench: &Bench, arguments: &[&str]) -> Self {
        let place = bench.dir().parent().expect("the working directory lies in the bench's own").to_owned();
        let (out, err) = (place.join("held-stdout"), place.join("held-stderr"));
        let file = |path: &Path| File::create(path).expect("the bench's directory is writable");
        let mut command = bench.command(arguments);
        command.stdin(Stdio::null()).stdout(file(&out)).stderr(file(&err));
        let mark = bench.simulator().log().mark();
        let child = command.spawn().expect("the program can be run");
        Self { child, out, err, arguments: arguments.iter().map(|&word| word.to_owned()).collect(), mark }
    }

    /// Waits until the simulator holds a request.
    pub fn until_held(&mut self, bench: &Bench) {
        self.until("a request is held", || bench.simulator().faults().held() > 0);
    }

    /// Waits until stderr says this.
    pub fn until_it_says(&mut self, words: &str) {
        let err = self.err.clone();
        self.until(words, || fs::read_to_string(&err).is_ok_and(|text| text.contains(words)));
    }

    fn until(&mut self, what: &str, reached: impl Fn() -> bool) {
        let deadline = Instant::now() + SOON;
        while !reached() {
            let ended = self.child.try_wait().expect("a child can be looked at");
            let told = || fs::read_to_string(&self.err).unwrap_or_default();
            assert!(ended.is_none(), "it ended before {what}: {ended:?}\n{}", told());
            assert!(Instant::now() < deadline, "never: {what}\n{}", told());
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Sends it a signal (`INT`, `TERM`).
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .expect("kill can be run");
        assert!(status.success(), "no signal was sent");
    }

    /// Kills it and waits until the simulator has noticed that nobody waits any more. The fault that held the request
    /// is the caller's: one that strikes once is used up.
    pub fn kill(mut self, bench: &Bench) {
        self.child.kill().expect("it runs");
        let ran = self.ended(bench);
        assert_eq!(ran.code, -1, "it was killed: {ran}");
        let deadline = Instant::now() + SOON;
        while bench.simulator().faults().held() > 0 {
            assert!(Instant::now() < deadline, "the held request does not go away");
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Waits for its end, and checks what holds for every run.
    pub fn ended(&mut self, bench: &Bench) -> Ran {
        let deadline = Instant::now() + 2 * SOON;
        let status = loop {
            match self.child.try_wait().expect("a child can be looked at") {
                Some(status) => break status,
                None => assert!(Instant::now() < deadline, "it does not end"),
            }
            thread::sleep(LOOK_AGAIN);
        };
        let text = |path: &Path| {
            bench.steady(&String::from_utf8_lossy(&fs::read(path).expect("its output is there")))
        };
        let ran = Ran { code: status.code().unwrap_or(-1), stdout: text(&self.out), stderr: text(&self.err) };
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        watch::check(bench, &arguments, self.mark, &ran);
        ran
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Both fail only for a process that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
