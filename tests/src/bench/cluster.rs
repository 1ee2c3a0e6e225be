//! The load bench of the controller: N Customers as objects of a real API server, the simulated consoles holding them.
//!
//! Phases: `converge` (from the controller's start until every Customer has been compared and says so), `settle` (until
//! nothing has been written or asked for a while: details are read and remembered), `idle` (a window in which nobody
//! changes anything), `change` (one declaration changes while a scan runs: until its request has
//! reached the console, and until its status says that it is as declared).
//!
//! Requests at the API server are those that it counts itself, less the bench's own; those at the consoles are the
//! simulator's log. It listens on the loopback interface only, and leaves no process and no file behind.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ::kube::api::{Api, ApiResource, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use ::kube::core::GroupVersionKind;
use futures_util::stream::{self, TryStreamExt as _};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};

use super::beside::{Beside, endpoints};
use super::measure::so_far;
use super::simulate::Tally;
use super::world::{Class, SOPHOS, World};
use crate::installed::Installed;
use crate::kube::Cluster;

/// Where everything is declared.
const NAMESPACE: &str = "bench";
/// How long a phase may take.
const LIMIT: Duration = Duration::from_secs(3600);
/// How long nothing may happen for it to count as settled.
const QUIET: Duration = Duration::from_secs(15);
/// How many objects are declared at a time.
const AT_ONCE: usize = 8;

/// What is asked for.
#[derive(Debug)]
pub struct Asked<'a> {
    /// What is declared and held.
    pub world: World,
    /// The controller's program.
    pub program: &'a Path,
    /// How long nobody changes anything.
    pub idle: Duration,
}

/// Requests that the API server counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    /// GET and LIST.
    pub reads: u64,
    /// WATCH, begun.
    pub watches: u64,
    /// POST, PUT, PATCH, APPLY, DELETE.
    pub writes: u64,
    /// Of the writes: of ConsoleBindings, of statuses, of the objects themselves (finalizers), of Events, of the Lease.
    pub of: [u64; WRITTEN.len()],
    /// Of the writes: those that the API server refused, as where somebody else was faster.
    pub refused: u64,
}

/// What [`Requests::of`] counts, in its order.
pub const WRITTEN: [&str; 5] = ["bindings", "statuses", "objects", "events", "leases"];

impl Requests {
    fn less(self, other: Self) -> Self {
        Self {
            reads: self.reads.saturating_sub(other.reads),
            watches: self.watches.saturating_sub(other.watches),
            writes: self.writes.saturating_sub(other.writes),
            of: std::array::from_fn(|n| self.of[n].saturating_sub(other.of[n])),
            refused: self.refused.saturating_sub(other.refused),
        }
    }
}

/// One phase.
#[derive(Debug, Clone)]
pub struct Phase {
    /// Its name.
    pub name: &'static str,
    /// How long it took, in seconds.
    pub wall: f64,
    /// The controller's processor time in it, in seconds.
    pub cpu: f64,
    /// The controller's largest resident size until its end, in bytes.
    pub peak: u64,
    /// At the API server.
    pub api: Requests,
    /// At the consoles.
    pub consoles: Tally,
}

/// All that was measured.
#[derive(Debug)]
pub struct Measured {
    /// How many Customers.
    pub customers: usize,
    /// The phases, in order.
    pub phases: Vec<Phase>,
    /// From the changed declaration to its request at the console, in seconds.
    pub change_sent: f64,
    /// And to the status that says so.
    pub change_shown: f64,
}

fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}

struct Bench {
    cluster: Cluster,
    simulator: Beside,
    controller: Installed,
    customers: Api<DynamicObject>,
    /// Reads and writes of this bench itself.
    own: Requests,
}

/// What was counted at the beginning of a phase.
struct Mark {
    name: &'static str,
    at: Instant,
    cpu: f64,
    api: Requests,
    own: Requests,
}

fn api(cluster: &Cluster, kind: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("tenantry.io", "v1alpha1", kind));
    Api::namespaced_with(cluster.client(), NAMESPACE, &resource)
}

/// Runs the bench; `simulator` is a command that calls [`super::simulate`].
///
/// # Panics
/// Where a real part is missing, as [`crate::parts::available`] says.
pub async fn run(asked: &Asked<'_>, simulator: Command) -> io::Result<Measured> {
    let cluster = Cluster::start().await.ok_or_else(|| other("there is no API server"))?;
    cluster.install_crds().ok_or_else(|| other("there is no kubectl"))?;
    cluster.kubectl_stdout(&["create", "namespace", NAMESPACE]);
    let (simulator, url) = Beside::start(simulator)?;
    declare(&cluster, &asked.world).await?;
    let mut arguments = vec![
        format!("--namespaces={NAMESPACE}"),
        "--lease-namespace=default".to_owned(),
        "--allow-endpoint-networks=loopback".to_owned(),
        "--allow-http-endpoints".to_owned(),
    ];
    arguments.extend(endpoints(&url).into_iter().map(|(console, url)| format!("--endpoint={console}={url}")));
    let before = counted(&cluster).await?;
    let controller = Installed::start_program(asked.program, cluster.kubeconfig(), &arguments);
    let customers = api(&cluster, "Customer");
    let mut bench = Bench { cluster, simulator, controller, customers, own: Requests::default() };
    let mut phases = Vec::new();

    let mark = Mark { name: "converge", at: Instant::now(), cpu: 0.0, api: before, own: Requests::default() };
    bench.converged(asked.world.customers).await?;
    phases.push(bench.end(mark).await?);

    let mark = bench.begin("settle").await?;
    let quiet = bench.settled().await?;
    let mut phase = bench.end(mark).await?;
    phase.consoles = quiet.1;
    phase.wall -= quiet.0;
    phases.push(phase);

    let mark = bench.begin("idle").await?;
    tokio::time::sleep(asked.idle).await;
    phases.push(bench.end(mark).await?);

    let mark = bench.begin("change").await?;
    let (change_sent, change_shown) = bench.change(&asked.world).await?;
    phases.push(bench.end(mark).await?);
    Ok(Measured { customers: asked.world.customers, phases, change_sent, change_shown })
}

/// Makes every object of the world, and its Secrets.
async fn declare(cluster: &Cluster, world: &World) -> io::Result<()> {
    let directory = tempfile::tempdir()?;
    let declared = directory.path().join("declared");
    fs::create_dir(&declared)?;
    world.write(&declared)?;
    let mut objects: Vec<DynamicObject> = Vec::new();
    for entry in fs::read_dir(&declared)? {
        let text = fs::read_to_string(entry?.path())?;
        objects.extend(serde_saphyr::from_multiple::<DynamicObject>(&text).map_err(other)?);
    }
    let kinds: BTreeMap<String, Api<DynamicObject>> = ["Console", "Customer", "Relationship"]
        .into_iter()
        .map(|kind| (kind.to_owned(), api(cluster, kind)))
        .collect();
    // Consoles last: nothing is planned while half of it is declared.
    objects.sort_by_key(|object| object.types.as_ref().is_some_and(|types| types.kind == "Console"));
    let post = PostParams::default();
    stream::iter(objects.iter().map(Ok))
        .try_for_each_concurrent(AT_ONCE, |object| {
            let (kinds, post) = (&kinds, &post);
            async move {
                let kind = object.types.as_ref().map(|types| types.kind.as_str()).unwrap_or_default();
                let api = kinds.get(kind).ok_or_else(|| other(format!("nobody declares a {kind}")))?;
                api.create(post, object).await.map(|_| ()).map_err(other)
            }
        })
        .await?;
    let secrets = directory.path().join("secrets");
    World::secrets(&secrets)?;
    let api = Api::<Secret>::namespaced(cluster.client(), NAMESPACE);
    for entry in fs::read_dir(&secrets)? {
        let entry = entry?;
        let mut data = BTreeMap::new();
        for value in fs::read_dir(entry.path())? {
            let value = value?;
            data.insert(
                value.file_name().to_string_lossy().into_owned(),
                ByteString(fs::read(value.path())?),
            );
        }
        let mut secret = Secret { data: Some(data), ..Secret::default() };
        secret.metadata.name = Some(entry.file_name().to_string_lossy().into_owned());
        api.create(&post, &secret).await.map_err(other)?;
    }
    Ok(())
}

/// Requests that the API server has counted about what this bench is about: our kinds, Secrets, Leases and Events.
async fn counted(cluster: &Cluster) -> io::Result<Requests> {
    let request = http::Request::get("/metrics").body(Vec::new()).map_err(other)?;
    let text = cluster.client().request_text(request).await.map_err(other)?;
    Ok(tally(&text))
}

fn tally(metrics: &str) -> Requests {
    let mut out = Requests::default();
    for line in metrics.lines().filter(|line| line.starts_with("apiserver_request_total{")) {
        let label = |name: &str| {
            let at = line.find(&format!("{name}=\""))? + name.len() + 2;
            line[at..].split('"').next()
        };
        let ours = matches!(
            (label("group"), label("resource")),
            (Some("tenantry.io" | "coordination.k8s.io" | "events.k8s.io"), _) | (Some(""), Some("secrets"))
        );
        // The API server's own Leases are its own.
        if !ours || (label("group") == Some("coordination.k8s.io") && label("scope") == Some("cluster")) {
            continue;
        }
        let count = line.rsplit(' ').next().and_then(|number| number.parse::<f64>().ok()).unwrap_or(0.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of requests")]
        let count = count as u64;
        match label("verb") {
            Some("GET" | "LIST") => out.reads += count,
            Some("WATCH") => out.watches += count,
            Some("POST" | "PUT" | "PATCH" | "APPLY" | "DELETE" | "DELETECOLLECTION") => {
                out.writes += count;
                let place = match (label("group"), label("resource"), label("subresource")) {
                    (Some("tenantry.io"), Some("consolebindings"), _) => Some(0),
                    (Some("tenantry.io"), _, Some("status")) => Some(1),
                    (Some("tenantry.io"), _, _) => Some(2),
                    (Some("events.k8s.io"), _, _) => Some(3),
                    (Some("coordination.k8s.io"), _, _) => Some(4),
                    _ => None,
                };
                if let Some(place) = place {
                    out.of[place] += count;
                }
                if !label("code").is_some_and(|code| code.starts_with('2')) {
                    out.refused += count;
                }
            }
            _ => {}
        }
    }
    out
}

/// Whether a status is about the object as it is, and what `Ready` says.
fn ready(object: &DynamicObject) -> Option<String> {
    let status = object.data.get("status")?;
    if status["observedGeneration"].as_i64() != object.metadata.generation {
        return None;
    }
    let conditions = status["conditions"].as_array()?;
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready")?;
    ready["status"].as_str().map(str::to_owned)
}

impl Bench {
    async fn begin(&mut self, name: &'static str) -> io::Result<Mark> {
        self.simulator.received()?;
        let (cpu, _) = so_far(self.controller.id())?;
        Ok(Mark { name, at: Instant::now(), cpu, api: counted(&self.cluster).await?, own: self.own })
    }

    async fn end(&mut self, mark: Mark) -> io::Result<Phase> {
        let wall = mark.at.elapsed().as_secs_f64();
        let (cpu, peak) = so_far(self.controller.id())?;
        let api = counted(&self.cluster).await?.less(mark.api).less(self.own.less(mark.own));
        Ok(Phase {
            name: mark.name,
            wall,
            cpu: cpu - mark.cpu,
            peak,
            api,
            consoles: self.simulator.received()?,
        })
    }

    /// Waits until every Customer says what the consoles show: ready, or what it waits for.
    async fn converged(&mut self, customers: usize) -> io::Result<()> {
        let deadline = Instant::now() + LIMIT;
        loop {
            // Looking costs the API server about a millisecond an object: large worlds are looked at seldom.
            tokio::time::sleep(Duration::from_millis(500 + customers as u64 / 4)).await;
            let list = self.customers.list(&ListParams::default()).await.map_err(other)?;
            self.own.reads += 1;
            let done = |object: &&DynamicObject| ready(object).is_some_and(|status| status != "Unknown");
            let compared = list.items.iter().filter(done).count();
            if compared == customers {
                return Ok(());
            }
            if Instant::now() > deadline {
                let log = self.controller.log();
                let end = &log[log.len().saturating_sub(4000)..];
                return Err(other(format!("{compared} of {customers} after {} s:\n{end}", LIMIT.as_secs())));
            }
        }
    }

    /// Waits until the controller has neither written nor asked for a while; how long that was, and what the consoles
    /// received before.
    async fn settled(&mut self) -> io::Result<(f64, Tally)> {
        let deadline = Instant::now() + LIMIT;
        let (mut since, mut received) = (Instant::now(), Tally::default());
        let mut writes = counted(&self.cluster).await?.writes;
        // Its Lease is renewed every few seconds, whatever happens.
        let renewals = |waited: Duration| waited.as_secs() / 2 + 1;
        while since.elapsed() < QUIET {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let (now, asked) = (counted(&self.cluster).await?.writes, self.simulator.received()?);
            if now > writes + renewals(since.elapsed()) || asked.requests() > 0 {
                (since, writes) = (Instant::now(), now);
            }
            received = received.and(asked);
            if Instant::now() > deadline {
                return Err(other("the controller does not come to rest"));
            }
        }
        Ok((since.elapsed().as_secs_f64(), received))
    }

    /// Lets a console be read anew and changes one declaration of it at once.
    async fn change(&mut self, world: &World) -> io::Result<(f64, f64)> {
        let of_console = |n: &usize| world.class(*n) == Class::Same;
        let number = (0..world.customers).find(of_console).ok_or_else(|| other("nobody is as declared"))?;
        let name = format!("kunde-{number:06}");
        let asked = json!({"metadata": {"annotations": {"tenantry.io/reconcile-requested-at": "now"}}});
        let params = PatchParams::default();
        let consoles = api(&self.cluster, "Console");
        consoles.patch(SOPHOS[0], &params, &Patch::Merge(&asked)).await.map_err(other)?;
        let declaration = json!({"spec": {"company": {"displayName": "Heißt jetzt anders"}}});
        self.customers.patch(&name, &params, &Patch::Merge(&declaration)).await.map_err(other)?;
        self.own.writes += 2;
        self.own.of[2] += 2;
        let began = Instant::now();
        let mut received = Tally::default();
        while received.writes == 0 {
            self.in_time(began)?;
            tokio::time::sleep(Duration::from_millis(20)).await;
            received = received.and(self.simulator.received()?);
        }
        let sent = began.elapsed().as_secs_f64();
        loop {
            let object = self.customers.get(&name).await.map_err(other)?;
            self.own.reads += 1;
            if ready(&object).as_deref() == Some("True") {
                return Ok((sent, began.elapsed().as_secs_f64()));
            }
            self.in_time(began)?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn in_time(&self, began: Instant) -> io::Result<()> {
        if began.elapsed() < LIMIT / 6 {
            return Ok(());
        }
        let log = self.controller.log();
        Err(other(format!("the change does not come about:\n{}", &log[log.len().saturating_sub(4000)..])))
    }
}

/// Exact up to 2^52, which no count here reaches.
#[allow(clippy::cast_precision_loss, reason = "bytes of a bench are far below 2^52")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A table, a line for each phase.
pub fn table(measured: &Measured) -> String {
    let mut out = format!(
        "{} customers, 3 accounts each, as objects\n{:<10}{:>9}{:>9}{:>7}{:>11}{:>9}{:>12}{:>8}{:>9}{:>9}\n",
        measured.customers,
        "phase",
        "time s",
        "cpu s",
        "MiB",
        "API reads",
        "watches",
        "API writes",
        "pages",
        "details",
        "writes",
    );
    for phase in &measured.phases {
        writeln!(
            out,
            "{:<10}{:>9.2}{:>9.2}{:>7.0}{:>11}{:>9}{:>12}{:>8}{:>9}{:>9}",
            phase.name,
            phase.wall,
            phase.cpu,
            mebibytes(phase.peak),
            phase.api.reads,
            phase.api.watches,
            phase.api.writes,
            phase.consoles.pages,
            phase.consoles.details,
            phase.consoles.writes,
        )
        .expect("writing to a String cannot fail");
    }
    writeln!(out, "\nAPI writes{}{:>10}", WRITTEN.map(|name| format!("{name:>10}")).concat(), "refused")
        .expect("writing to a String cannot fail");
    for phase in &measured.phases {
        let of = phase.api.of.map(|count| format!("{count:>10}")).concat();
        writeln!(out, "{:<10}{of}{:>10}", phase.name, phase.api.refused)
            .expect("writing to a String cannot fail");
    }
    writeln!(
        out,
        "one changed customer while a scan runs: at the console after {:.2} s, shown after {:.2} s",
        measured.change_sent, measured.change_shown
    )
    .expect("writing to a String cannot fail");
    out
}

/// The same as JSON.
pub fn json(measured: &Measured) -> Value {
    let phases: Vec<Value> = measured
        .phases
        .iter()
        .map(|phase| {
            json!({
                "phase": phase.name, "seconds": phase.wall, "cpuSeconds": phase.cpu, "peakBytes": phase.peak,
                "api": {
                    "reads": phase.api.reads, "watches": phase.api.watches, "writes": phase.api.writes,
                    "writesOf": WRITTEN.iter().zip(phase.api.of).collect::<BTreeMap<_, _>>(),
                    "refused": phase.api.refused,
                },
                "consoles": phase.consoles.to_json(),
            })
        })
        .collect();
    json!({
        "customers": measured.customers, "accounts": 3, "phases": phases,
        "change": {"sentSeconds": measured.change_sent, "shownSeconds": measured.change_shown},
    })
}

#[cfg(test)]
mod tests;
