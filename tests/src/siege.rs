//! Killing a controller wherever it can hurt, and seeing what the next one makes of it: [`crash`](crate::crash) for the
//! controller, on a real API server.
//!
//! Each kill has a namespace and simulated consoles of its own. Earlier stages of a [`World`] are brought about in peace.
//! Then the last one is applied, and a controller lives until it is killed: with SIGKILL while a console holds one of its
//! unsafe requests, before or after the commit; or by its own failpoint, before or after a write of a ConsoleBinding.
//! Where to kill is taken from an undisturbed run: its unsafe requests, and its writes as the API server tells them. The
//! next controller lives while time goes on, until the world looks as the undisturbed one: the same effects at the
//! consoles, the same bindings, one `Message-ID` for each invitation over every version of every binding, the same plan.
//! And it must still look so afterwards.
//!
//! Whatever is held is approved, as somebody would who only wants to go on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ::kube::api::{ListParams, WatchEvent, WatchParams};
use futures_util::TryStreamExt as _;
use jiff::ToSpan;
use serde_json::Value;
use tenantry_simulator::{Does, Entry, Fault, Kind, LogFilter};

use crate::controller::{Controller, Field, failpoints_binary};
use crate::crash::{Kill, Outcome, Tally, World, kills_at, planned_in};

/// How often time goes on at most until a world looks as it should; from [`SLOWLY`] on it goes slower, because
/// controllers pause after a failure as long as their own clock says.
const ROUNDS: usize = 40;
const SLOWLY: usize = 6;
/// So often nothing changes where nothing more comes.
const STEADY: usize = 2;
/// Kills under way at once: most of their time they wait.
const AT_ONCE: usize = 4;
const SOON: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// The process died, where that was to be expected.
struct Died;

/// What the API server told about every version of every binding.
#[derive(Default)]
struct Told {
    writes: usize,
    messages: BTreeMap<String, BTreeSet<String>>,
}

/// A world under siege.
struct Post<'w> {
    world: &'w World,
    field: Field,
    told: Arc<Mutex<Told>>,
    approved: Mutex<BTreeSet<String>>,
    rounds: AtomicUsize,
}

/// Gives a controller that pauses its time.
fn slowly(round: usize) {
    if round >= SLOWLY {
        thread::sleep(Duration::from_millis(500));
    }
}

/// An address as its binding has it, without the namespace, which is another one each time.
fn address(binding: &Value) -> String {
    let of = |key: &str| binding["spec"]["address"][key].as_str().unwrap_or("-").to_owned();
    let account = binding["spec"]["vendorAccount"].as_str().unwrap_or_default();
    format!("{account} {}/{}/{}", of("kind"), of("name"), of("account"))
}

impl<'w> Post<'w> {
    /// A copy of the world, ready for its last stage.
    fn new(world: &'w World) -> Option<Self> {
        let field = Field::new(&world.seed)?;
        let told: Arc<Mutex<Told>> = Arc::default();
        let bindings = field.api("consolebindings");
        let listed = field.wait(bindings.list(&ListParams::default())).expect("the API server answers");
        let from = listed.metadata.resource_version.unwrap_or_default();
        let hear = Arc::clone(&told);
        field.spawn(async move {
            let mut from = from;
            loop {
                let params = WatchParams::default().disable_bookmarks();
                let Ok(stream) = bindings.watch(&params, &from).await else { return };
                let mut stream = std::pin::pin!(stream);
                while let Ok(Some(event)) = stream.try_next().await {
                    let (WatchEvent::Added(object)
                    | WatchEvent::Modified(object)
                    | WatchEvent::Deleted(object)) = event
                    else {
                        continue;
                    };
                    from = object.metadata.resource_version.clone().unwrap_or_default();
                    let binding = serde_json::to_value(object).expect("an object is JSON");
                    let mut told = hear.lock().unwrap_or_else(PoisonError::into_inner);
                    told.writes += 1;
                    if let Some(message) = binding["spec"]["invitation"]["messageId"].as_str() {
                        told.messages.entry(address(&binding)).or_default().insert(message.to_owned());
                    }
                }
            }
        });
        let post = Self { world, field, told, approved: Mutex::default(), rounds: AtomicUsize::new(0) };
        let (last, before) = world.stages.split_last().expect("a world has a stage");
        let mut files: BTreeMap<&str, &str> = BTreeMap::new();
        for stage in before {
            post.lay_out(&mut files, stage);
            let calm = post.live(None);
            let _ = post.settled(&calm, 0);
            calm.kill();
        }
        post.lay_out(&mut files, last);
        Some(post)
    }

    fn lay_out<'s>(&self, files: &mut BTreeMap<&'s str, &'s str>, stage: &'s BTreeMap<String, String>) {
        for (file, text) in stage {
            let before = if text.is_empty() { files.remove(file.as_str()) } else { files.insert(file, text) };
            if text.is_empty() {
                self.field.withdraw(before.unwrap_or_default());
            } else {
                self.field.declare(text);
            }
        }
    }

    /// Starts a controller. All lives are one identity's: none waits for the Lease of the one before.
    fn live(&self, failpoint: Option<String>) -> Controller {
        let mut command = self.field.command(failpoints_binary());
        command.args(["--identity", "siege", "--debounce", "20ms"]);
        if let Some(failpoint) = failpoint {
            command.env("TENANTRY_FAILPOINT", failpoint);
        }
        let dir = self.field.bench().dir();
        Controller::start(command, dir.parent().expect("it lies in the bench's own"))
    }

    fn writes(&self, mark: u64) -> Vec<Entry> {
        let filter = LogFilter { since: mark, kind: Some(Kind::Write), ..LogFilter::default() };
        self.field.simulator().log().entries(&filter)
    }

    /// Approves whatever is held.
    fn approve(&self) {
        let mut approved = self.approved.lock().unwrap_or_else(PoisonError::into_inner);
        for console in self.field.list("consoles") {
            let lines = console["status"]["plan"]["riskiest"].as_array().cloned().unwrap_or_default();
            let held: BTreeSet<String> = lines
                .iter()
                .filter_map(|line| Some(line.as_str()?.rsplit_once('(')?.1.trim_end_matches(')').to_owned()))
                .collect();
            if held.is_subset(&approved) {
                continue;
            }
            approved.extend(held);
            let name = console["metadata"]["name"].as_str().unwrap_or_default();
            let all: Vec<&str> = approved.iter().map(String::as_str).collect();
            self.field.annotate("consoles", name, "tenantry.io/approve", &all.join(","));
        }
    }

    /// How often each Console was reconciled.
    fn reconciled(&self, controller: &Controller) -> Option<Vec<f64>> {
        let consoles = self.field.bench().partners().keys();
        consoles
            .map(|name| {
                let labels = format!("console=\"{}/{name}\"", self.field.namespace());
                self.field.try_metric(controller, "tenantry_reconciles_total", &labels)
            })
            .collect()
    }

    /// Time goes on: past the longest that a request may be on its way and a list may be late. Returns once every
    /// Console was looked at anew.
    fn round(&self, controller: &Controller) -> Result<(), Died> {
        self.approve();
        self.field.simulator().clock().advance(17.minutes()).expect("the clock goes forward");
        let before = self.reconciled(controller).ok_or(Died)?;
        let round = self.rounds.fetch_add(1, Ordering::Relaxed).to_string();
        for name in self.field.bench().partners().keys() {
            self.field.annotate("consoles", name, "tenantry.io/reconcile-requested-at", &round);
        }
        let deadline = Instant::now() + SOON;
        loop {
            let now = self.reconciled(controller).ok_or(Died)?;
            if now.iter().zip(&before).all(|(now, before)| now > before) {
                return Ok(());
            }
            let said = || controller.said();
            assert!(Instant::now() < deadline, "{}: nothing is reconciled\n{}", self.world.name, said());
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Whether something is still to come by itself: steps that nothing holds, operations in doubt, objects that go.
    fn pending(&self, outcome: &Outcome) -> bool {
        let moves = |line: &String| {
            (line.starts_with("step ") && line.ends_with(' ')) || line.starts_with("waiting settling ")
        };
        let goes = |kind: &str| {
            let all = self.field.list(kind);
            all.iter().any(|one| one["metadata"]["deletionTimestamp"].is_string())
        };
        let open = |one: &Value| one["spec"]["standing"] == "Leaving" || one["spec"]["operation"].is_object();
        outcome.planned.iter().any(moves)
            || ["customers", "licenses"].iter().any(|kind| goes(kind))
            || self.field.list("consolebindings").iter().any(open)
    }

    /// Lets time go on until nothing changes any more; what it led to.
    fn settled(&self, controller: &Controller, mark: u64) -> Result<Outcome, Died> {
        let (mut before, mut same) = (None, 0);
        for n in 0..ROUNDS {
            slowly(n);
            self.round(controller)?;
            let now = self.outcome(controller, mark)?;
            same = if before.as_ref() == Some(&now) && !self.pending(&now) { same + 1 } else { 0 };
            if same == STEADY {
                return Ok(now);
            }
            before = Some(now);
        }
        panic!("{}: no end after {ROUNDS} rounds: {before:#?}\n{}", self.world.name, controller.said())
    }

    fn outcome(&self, controller: &Controller, mark: u64) -> Result<Outcome, Died> {
        let document = self.field.plan_document(controller).ok_or(Died)?;
        let bindings = self.field.list("consolebindings");
        let bound: BTreeMap<String, String> = bindings
            .iter()
            .filter_map(|one| Some((address(one), one["spec"]["remoteId"].as_str()?.to_owned())))
            .collect();
        let messages = self.told.lock().unwrap_or_else(PoisonError::into_inner).messages.clone();
        let invited = messages.into_iter().map(|(address, ids)| (address, ids.len())).collect();
        let planned = planned_in(&document)
            .into_iter()
            .map(|line| line.replace(&format!("{}/", self.field.namespace()), ""))
            .collect();
        Ok(Outcome::of(&self.world.seed.to_string(), self.writes(mark), &bound, invited, planned))
    }

    /// A life in which everything goes well.
    fn undisturbed(&self) -> (Outcome, Vec<Kill>, usize) {
        let count = || self.told.lock().unwrap_or_else(PoisonError::into_inner).writes;
        let (mark, before) = (self.field.simulator().log().mark(), count());
        let life = self.live(None);
        let Ok(outcome) = self.settled(&life, mark) else { panic!("it died:\n{}", life.said()) };
        (outcome, kills_at(self.writes(mark)), count() - before)
    }

    /// A life that is killed there; whether it was.
    fn killed(&self, kill: &Kill, mark: u64) -> bool {
        match kill {
            Kill::Durable { nth, side } => {
                let life = self.live(Some(format!("{nth}:{side}")));
                self.settled(&life, mark).is_err()
            }
            Kill::Request { partner, method, path, nth, at } => {
                let faults = self.field.simulator().faults();
                faults.add(Fault::new(Does::Hold { at: *at }).at(partner).on(method, path).nth(*nth));
                let life = self.live(None);
                let until = |what: &str, held: bool| {
                    let deadline = Instant::now() + SOON;
                    while (faults.held() > 0) != held {
                        assert!(Instant::now() < deadline, "never: {what}\n{}", life.said());
                        self.approve();
                        thread::sleep(LOOK_AGAIN);
                    }
                };
                until("a request is held", true);
                let said = life.said();
                life.kill();
                faults.clear();
                let deadline = Instant::now() + SOON;
                while faults.held() > 0 {
                    assert!(Instant::now() < deadline, "the held request does not go away\n{said}");
                    thread::sleep(LOOK_AGAIN);
                }
                true
            }
        }
    }

    /// Whether the world looks as it should within its rounds, and one later; else how it looks.
    fn ends_as(&self, expected: &Outcome, mark: u64) -> Result<(), String> {
        let life = self.live(None);
        let mut found = None;
        for n in 0..ROUNDS {
            slowly(n);
            let now = match self.round(&life).and_then(|()| self.outcome(&life, mark)) {
                Ok(now) => now,
                Err(Died) => return Err(format!("it died:\n{}", life.said())),
            };
            let right = now == *expected;
            if right && found.as_ref() == Some(expected) {
                return Ok(());
            }
            found = Some(now);
        }
        Err(format!("{found:#?}\n{}", life.said()))
    }
}

/// Kills the controller at each unsafe request of this world's last stage, on both sides of its commit, and on these
/// sides of each write of a ConsoleBinding; demands the undisturbed outcome each time. `None` as
/// [`crate::parts::available`] says.
///
/// # Panics
/// Where something happened twice, or not at all.
pub fn besiege(world: &World, sides: &[&'static str]) -> Option<Tally> {
    let (expected, mut kills, writes) = Post::new(world)?.undisturbed();
    let requests = kills.len();
    for nth in 1..=u32::try_from(writes).unwrap_or(u32::MAX) {
        kills.extend(sides.iter().map(|side| Kill::Durable { nth, side }));
    }
    let (next, problems, tally) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Tally::default()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(kill) = kills.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let post = Post::new(world).expect("there was an API server a moment ago");
                    let mark = post.field.simulator().log().mark();
                    if post.killed(kill, mark) {
                        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                        match kill {
                            Kill::Request { .. } => tally.at_requests += 1,
                            Kill::Durable { .. } => tally.at_writes += 1,
                        }
                    }
                    if let Err(found) = post.ends_as(&expected, mark) {
                        let mut problems = problems.lock().unwrap_or_else(PoisonError::into_inner);
                        problems.push(format!("{kill:?}:\n{found}"));
                    }
                }
            });
        }
    });
    let problems = problems.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(problems.is_empty(), "{}: undisturbed:\n{expected:#?}\n{}", world.name, problems.join("\n"));
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(tally.at_requests, requests, "{}: not every request was held", world.name);
    Some(tally)
}
