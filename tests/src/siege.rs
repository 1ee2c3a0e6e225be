//! Killing a controller wherever it can hurt, and seeing what the next one makes of it: [`crash`](crate::crash) for the
//! controller, on a real API server.
//!
//! Some copies of what is besieged live side by side, each with a namespace and simulated consoles of its own. What
//! comes before a stage is brought about once in each; then the copy is put back there ([`Moment`]) for every kill. The
//! stage begins, and a controller lives until it is killed: with SIGKILL while a console holds one of its unsafe
//! requests, before or after the commit; or by its own failpoint, before or after a write of a ConsoleBinding. Where to
//! kill is taken from an undisturbed run: its unsafe requests, and its writes as the API server tells them. The next
//! controller lives while time goes on, until the world looks as the undisturbed one: the same effects at the consoles,
//! the same bindings, one `Message-ID` for each invitation over every version of every binding, the same plan. And it
//! must still look so afterwards.
//!
//! With [`Sides::Before`] a write is not killed after it. Between the nth write and the next one a controller sends
//! unsafe requests, on both sides of which it is killed anyway, and else writes only what the ledger does not depend
//! on: finalizers, statuses, Events, and Secrets with what a console said once. With [`Sides::Both`] these are lost too.
//!
//! Of an example as many applies can be besieged as come before somebody sends a mail or says that a task is done, which
//! is done with the command ([`stages`]); the tests say how many are. Its consoles are all up: an outage of the example
//! is left out. The command is killed at all applies of all examples ([`besiege`](crate::besiege)).
//!
//! Whatever is held is approved once, as somebody would who only wants to go on; guards are those of the world. An
//! approval is used up with the ledger's header, which is written before the entry: killed between the two, the step is
//! held again and the same approval must count still.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
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
use crate::moment::Moment;
use crate::story::{Stage, stages};

/// How often time goes on at most until a world looks as it should; from [`SLOWLY`] on it goes slower, because
/// controllers pause after a failure as long as their own clock says.
const ROUNDS: usize = 40;
const SLOWLY: usize = 6;
/// So often nothing changes where nothing more comes.
const STEADY: usize = 2;
/// The same where something waits that may come by itself: longer than controllers pause after one failure.
const PATIENT: usize = 10;
/// So many kills with another outcome say enough.
const ENOUGH: usize = 3;
/// Kills under way at once: most of their time they wait.
const AT_ONCE: usize = 4;
const SOON: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Time goes on where a request has not come for so many looks.
const IN_VAIN: u32 = 10;

/// On which sides of a write of a ConsoleBinding it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// Before and after each one.
    Both,
    /// Before each one, and after the last.
    Before,
}

/// The process died, where that was to be expected.
struct Died;

/// A version of a binding: its number, its address, the `Message-ID` of its invitation.
type Version = (u64, String, Option<String>);

/// Where a life begins: at the simulator's log, and at the API server's versions.
struct Mark {
    log: u64,
    version: u64,
    /// The invitations that there were.
    invited: BTreeMap<String, BTreeSet<String>>,
}

/// What is besieged: consoles, what happens before each apply, and from which one on it is killed.
struct Target {
    name: String,
    seed: Value,
    stages: Vec<Stage>,
    from: usize,
}

/// A copy of what is besieged.
struct Post<'w> {
    target: &'w Target,
    field: Field,
    /// Just before the present stage.
    moment: Moment,
    /// The declarations of the stages before.
    files: BTreeMap<&'w str, &'w str>,
    /// What the API server told about every version of every binding.
    told: Arc<Mutex<Vec<Version>>>,
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

/// The `Message-ID` of a binding's invitation.
fn message(binding: &Value) -> Option<String> {
    binding["spec"]["invitation"]["messageId"].as_str().map(str::to_owned)
}

/// A `resourceVersion`: those of an API server are numbers that grow with every write.
fn number(version: Option<String>) -> u64 {
    version.and_then(|version| version.parse().ok()).expect("a version is a number")
}

/// Hears of every version of every binding, until the field is dropped.
fn hear(field: &Field) -> Arc<Mutex<Vec<Version>>> {
    let told: Arc<Mutex<Vec<Version>>> = Arc::default();
    let bindings = field.api("consolebindings");
    let listed = field.wait(bindings.list(&ListParams::default())).expect("the API server answers");
    let mut from = listed.metadata.resource_version.unwrap_or_default();
    let heard = Arc::clone(&told);
    field.spawn(async move {
        loop {
            let params = WatchParams::default().disable_bookmarks();
            let Ok(stream) = bindings.watch(&params, &from).await else { return };
            let mut stream = std::pin::pin!(stream);
            while let Ok(Some(event)) = stream.try_next().await {
                let (WatchEvent::Added(object) | WatchEvent::Modified(object) | WatchEvent::Deleted(object)) =
                    event
                else {
                    continue;
                };
                from = object.metadata.resource_version.clone().unwrap_or_default();
                let version = number(object.metadata.resource_version.clone());
                let binding = serde_json::to_value(object).expect("an object is JSON");
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.push((version, address(&binding), message(&binding)));
            }
        }
    });
    told
}

impl<'w> Post<'w> {
    /// Consoles of which nothing is declared yet.
    fn new(target: &'w Target) -> Option<Self> {
        let field = Field::new(&target.seed)?;
        let (told, moment) = (hear(&field), Moment::of(&field));
        let (approved, rounds) = (Mutex::default(), AtomicUsize::new(0));
        Some(Self { target, field, moment, files: BTreeMap::new(), told, approved, rounds })
    }

    /// Goes back to the moment before this stage, and does what happens there.
    fn begin(&self, stage: &Stage) -> Mark {
        self.moment.put_back(&self.field);
        self.approved.lock().unwrap_or_else(PoisonError::into_inner).clear();
        for (file, text) in &stage.files {
            if text.is_empty() {
                self.field.withdraw(self.files.get(file.as_str()).copied().unwrap_or_default());
            } else {
                self.field.declare(text);
            }
        }
        stage.acts.iter().for_each(|act| act.at(self.field.bench()));
        self.mark()
    }

    /// Lives through this stage in peace; the next one begins there.
    fn pass(&mut self, stage: &'w Stage) {
        let mark = self.begin(stage);
        let calm = self.live(None);
        let settled = self.settled(&calm, &mark).is_ok();
        assert!(settled, "{}: it died:\n{}", self.target.name, calm.said());
        calm.kill();
        for (file, text) in &stage.files {
            if text.is_empty() {
                self.files.remove(file.as_str());
            } else {
                self.files.insert(file, text);
            }
        }
        self.moment = Moment::of(&self.field);
    }

    fn mark(&self) -> Mark {
        let bindings = self.field.api("consolebindings");
        let listed = self.field.wait(bindings.list(&ListParams::default())).expect("the API server answers");
        let mut invited: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for object in listed.items {
            let binding = serde_json::to_value(object).expect("an object is JSON");
            if let Some(message) = message(&binding) {
                invited.entry(address(&binding)).or_default().insert(message);
            }
        }
        let version = number(listed.metadata.resource_version);
        Mark { log: self.field.simulator().log().mark(), version, invited }
    }

    /// The versions of bindings since then.
    fn told(&self, mark: &Mark) -> Vec<Version> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().filter(|(version, ..)| *version > mark.version).cloned().collect()
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

    fn writes(&self, mark: &Mark) -> Vec<Entry> {
        let filter = LogFilter { since: mark.log, kind: Some(Kind::Write), ..LogFilter::default() };
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

    /// Asks each Console to be looked at anew.
    fn ask(&self) {
        let round = self.rounds.fetch_add(1, Ordering::Relaxed).to_string();
        for name in self.field.bench().partners().keys() {
            self.field.annotate("consoles", name, "tenantry.io/reconcile-requested-at", &round);
        }
    }

    /// Time goes on: past the longest that a request may be on its way and a list may be late.
    fn later(&self) {
        self.field.simulator().clock().advance(17.minutes()).expect("the clock goes forward");
    }

    /// Looks at each Console anew; then time goes on. Not while a controller is at work where that can be helped: what it
    /// is about to send would have taken too long, and it would pause by its own clock.
    fn round(&self, controller: &Controller) -> Result<(), Died> {
        self.approve();
        let before = self.reconciled(controller).ok_or(Died)?;
        self.ask();
        let deadline = Instant::now() + SOON;
        let mut last = before.clone();
        loop {
            let now = self.reconciled(controller).ok_or(Died)?;
            if now == last && now.iter().zip(&before).all(|(now, before)| now > before) {
                break;
            }
            last = now;
            let said = || controller.said();
            assert!(Instant::now() < deadline, "{}: nothing is reconciled\n{}", self.target.name, said());
            thread::sleep(LOOK_AGAIN);
        }
        self.later();
        Ok(())
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
    fn settled(&self, controller: &Controller, mark: &Mark) -> Result<Outcome, Died> {
        let (mut before, mut same) = (None, 0);
        for n in 0..ROUNDS {
            slowly(n);
            self.round(controller)?;
            let now = self.outcome(controller, mark)?;
            same = if before.as_ref() == Some(&now) { same + 1 } else { 0 };
            if same >= PATIENT || (same >= STEADY && !self.pending(&now)) {
                return Ok(now);
            }
            before = Some(now);
        }
        panic!("{}: no end after {ROUNDS} rounds: {before:#?}\n{}", self.target.name, controller.said())
    }

    fn outcome(&self, controller: &Controller, mark: &Mark) -> Result<Outcome, Died> {
        let document = self.field.plan_document(controller).ok_or(Died)?;
        let bindings = self.field.list("consolebindings");
        let bound: BTreeMap<String, String> = bindings
            .iter()
            .filter_map(|one| Some((address(one), one["spec"]["remoteId"].as_str()?.to_owned())))
            .collect();
        let mut messages = mark.invited.clone();
        for (_, address, message) in self.told(mark) {
            if let Some(message) = message {
                messages.entry(address).or_default().insert(message);
            }
        }
        let invited = messages.into_iter().map(|(address, ids)| (address, ids.len())).collect();
        let planned = planned_in(&document)
            .into_iter()
            .map(|line| line.replace(&format!("{}:", self.field.namespace()), ""))
            .collect();
        Ok(Outcome::of(&self.target.seed.to_string(), self.writes(mark), &bound, invited, planned))
    }

    /// A life in which everything goes well: what it leads to, its requests, and how often it writes a binding.
    fn undisturbed(&self, stage: &Stage) -> (Outcome, Vec<Kill>, usize) {
        let mark = self.begin(stage);
        let life = self.live(None);
        let Ok(outcome) = self.settled(&life, &mark) else { panic!("it died:\n{}", life.said()) };
        (outcome, kills_at(self.writes(&mark)), self.told(&mark).len())
    }

    /// A life that is killed there; whether it was.
    fn killed(&self, kill: &Kill, mark: &Mark) -> bool {
        match kill {
            Kill::Durable { nth, side } => {
                let life = self.live(Some(format!("{nth}:{side}")));
                self.settled(&life, mark).is_err()
            }
            Kill::Request { partner, method, path, nth, at } => {
                let faults = self.field.simulator().faults();
                faults.add(Fault::new(Does::Hold { at: *at }).at(partner).on(method, path).nth(*nth));
                let life = self.live(None);
                let deadline = Instant::now() + SOON;
                let mut looks = 0_u32;
                while faults.held() == 0 {
                    assert!(Instant::now() < deadline, "never held: {kill:?}\n{}", life.said());
                    self.approve();
                    looks += 1;
                    // What waits for a later hour is not sent before.
                    if looks.is_multiple_of(IN_VAIN) {
                        self.later();
                        self.ask();
                    }
                    thread::sleep(LOOK_AGAIN);
                }
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
    fn ends_as(&self, expected: &Outcome, mark: &Mark) -> Result<(), String> {
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
pub fn besiege(world: &World, sides: Sides) -> Option<Tally> {
    let stages = world.stages.iter().map(|files| Stage { files: files.clone(), acts: Vec::new() }).collect();
    let (name, seed, from) = (world.name.clone(), world.seed.clone(), world.stages.len() - 1);
    Target { name, seed, stages, from }.besiege(sides)
}

/// The same at the first `applies` of the example in this directory.
///
/// # Panics
/// Where something happened twice, or not at all, or it has not so many that can be told without the command.
pub fn besiege_example(place: &Path, applies: usize, sides: Sides) -> Option<Tally> {
    let World { name, seed, .. } = World::example(place);
    let mut stages = stages(place);
    assert!(stages.len() >= applies, "{name}: only {} applies can be told", stages.len());
    stages.truncate(applies);
    Target { name, seed, stages, from: 0 }.besiege(sides)
}

impl Target {
    fn besiege(&self, sides: Sides) -> Option<Tally> {
        let mut posts = Vec::new();
        for _ in 0..AT_ONCE {
            posts.push(Post::new(self)?);
        }
        let mut tally = Tally::default();
        for (n, stage) in self.stages.iter().enumerate() {
            if n >= self.from {
                let more = self.besiege_stage(&posts, n, stage, sides);
                tally += more;
            }
            if n + 1 < self.stages.len() {
                thread::scope(|scope| {
                    for post in &mut posts {
                        scope.spawn(move || post.pass(stage));
                    }
                });
            }
        }
        Some(tally)
    }

    fn besiege_stage(&self, posts: &[Post<'_>], n: usize, stage: &Stage, sides: Sides) -> Tally {
        let (expected, mut kills, writes) = posts[0].undisturbed(stage);
        let requests = kills.len();
        let writes = u32::try_from(writes).expect("there are fewer");
        kills.extend((1..=writes).map(|nth| Kill::Durable { nth, side: "before" }));
        let after = if sides == Sides::Both { 1 } else { writes.max(1) };
        kills.extend((after..=writes).map(|nth| Kill::Durable { nth, side: "after" }));
        let next = AtomicUsize::new(0);
        let (problems, tally) = (Mutex::new(Vec::new()), Mutex::new(Tally::default()));
        let kill_all = |post: &Post<'_>| {
            while let Some(kill) = kills.get(next.fetch_add(1, Ordering::Relaxed)) {
                let mark = post.begin(stage);
                let died = post.killed(kill, &mark);
                let ended = post.ends_as(&expected, &mark);
                if died {
                    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                    match kill {
                        Kill::Request { .. } => tally.at_requests += 1,
                        Kill::Durable { .. } => tally.at_writes += 1,
                    }
                }
                if let Err(found) = ended {
                    let mut problems = problems.lock().unwrap_or_else(PoisonError::into_inner);
                    problems.push(format!("{kill:?}:\n{found}"));
                    if problems.len() >= ENOUGH {
                        return next.store(kills.len(), Ordering::Relaxed);
                    }
                }
            }
        };
        let kill_all = &kill_all;
        thread::scope(|scope| {
            for post in posts {
                scope.spawn(move || kill_all(post));
            }
        });
        let problems = problems.into_inner().unwrap_or_else(PoisonError::into_inner);
        let all = problems.join("\n");
        assert!(problems.is_empty(), "{}, apply {}: undisturbed:\n{expected:#?}\n{all}", self.name, n + 1);
        let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(tally.at_requests, requests, "{}: not every request was held", self.name);
        tally
    }
}
