//! The real `tenantry-controller` as a process, on a real API server, against simulated consoles in this process.
//!
//! A [`Field`] is one namespace: Secrets with the simulator's credentials, whatever objects a test applies, and the
//! controllers that it starts. Controllers take their time from the simulator's clock. What they said is in the panic of
//! whatever is waited for in vain.
//!
//! A field has runtimes of its own: it is not to be used inside of an asynchronous test. It never waits for the
//! deletion of a namespace, because nobody finishes that.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ::kube::Client;
use ::kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use k8s_openapi::api::core::v1::Secret;
use serde_json::{Value, json};
use tenantry_simulator::{Kind, LogFilter, Running};
use tokio::runtime::Runtime;

use crate::cli::{self, Bench};
use crate::kube::Cluster;
use crate::parts::repository_root;
use crate::process::{self, LOOK_AGAIN, Server};

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(60);

/// A Lease that runs out soon, with a write that fits into it.
pub const SHORT_LEASE: [&str; 4] = ["--lease-duration", "6s", "--write-timeout", "3s"];

/// The program, built from this working copy. `TENANTRY_TEST_CONTROLLER` names another one.
///
/// # Panics
/// When it cannot be built.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        std::env::var_os("TENANTRY_TEST_CONTROLLER")
            .map_or_else(|| cli::build_of("tenantry-controller", &[]), PathBuf::from)
    })
}

/// The program with its failpoints compiled in. `TENANTRY_TEST_CONTROLLER_FAILPOINTS` names another one.
///
/// # Panics
/// When it cannot be built.
pub fn failpoints_binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        std::env::var_os("TENANTRY_TEST_CONTROLLER_FAILPOINTS")
            .map_or_else(|| cli::build_of("tenantry-controller", &["failpoints"]), PathBuf::from)
    })
}

/// One namespace with its consoles.
pub struct Field {
    bench: Bench,
    runtime: Runtime,
    cluster: Arc<Cluster>,
    client: Client,
    namespace: String,
}

/// A running controller. Ends when dropped.
#[derive(Debug)]
pub struct Controller {
    server: Option<Server>,
    log: PathBuf,
    /// Where `/healthz`, `/readyz` and `/metrics` are.
    pub health: String,
    /// Where `/plan` and `/snapshot` are.
    pub plan: String,
}

impl Field {
    /// A new namespace with the consoles of this seed; `None` as [`crate::parts::available`] says.
    pub fn new(seed: &Value) -> Option<Self> {
        let runtime = runtime();
        let cluster = runtime.block_on(Cluster::shared())?;
        Some(Self::on(seed, cluster, runtime, None))
    }

    /// The same, with an API server that nobody else uses.
    pub fn alone(seed: &Value) -> Option<Self> {
        let runtime = runtime();
        let cluster = Arc::new(runtime.block_on(Cluster::start())?);
        Some(Self::on(seed, cluster, runtime, None))
    }

    /// The same, on this cluster and in a namespace that is there.
    pub fn within(seed: &Value, cluster: Arc<Cluster>, namespace: &str) -> Self {
        Self::on(seed, cluster, runtime(), Some(namespace))
    }

    fn on(seed: &Value, cluster: Arc<Cluster>, runtime: Runtime, namespace: Option<&str>) -> Self {
        let bench = Bench::new(seed);
        let (client, namespace) = runtime.block_on(async {
            let client = cluster.client();
            let namespace = match namespace {
                Some(name) => name.to_owned(),
                None => cluster.namespace("field").await,
            };
            (client, namespace)
        });
        let field = Self { bench, runtime, cluster, client, namespace };
        field.definitions();
        for (name, values) in field.bench.secrets() {
            field.secret(&name, &values);
        }
        field
    }

    /// Ends the API server of a field that is [`Self::alone`] and starts it again; `None` where it is not ours to end.
    ///
    /// # Panics
    /// When others use it too.
    pub fn restart_api_server(&mut self) -> Option<()> {
        let cluster = Arc::get_mut(&mut self.cluster).expect("nobody else uses this API server");
        self.runtime.block_on(cluster.restart_api_server())
    }

    /// Makes sure that the API server knows our kinds, once for each that this process uses.
    fn definitions(&self) {
        static KNOWN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(self.cluster.kubeconfig()) {
            return;
        }
        let dir = repository_root().join("charts").join("tenantry").join("crds");
        self.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", &dir.to_string_lossy()]);
        self.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", "-f", &dir.to_string_lossy()]);
        known.insert(self.cluster.kubeconfig().to_owned());
    }

    /// The simulator.
    pub fn simulator(&self) -> &Running {
        self.bench.simulator()
    }

    /// The desk of the consoles.
    pub fn bench(&self) -> &Bench {
        &self.bench
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The cluster.
    pub fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    /// Runs a future of the API server's client.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Runs a future beside the test, until the field is dropped.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(future);
    }

    /// The administrator's client; it belongs to this field's runtime.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// kubectl in this namespace; gives its output.
    ///
    /// # Panics
    /// When it fails.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let mut all = vec!["-n", &self.namespace];
        all.extend(arguments);
        let command = self.cluster.kubectl(&all).expect("kubectl is there where an API server is");
        let ran = process::run(command, SOON).expect("kubectl can be run");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(ran.status.success(), "kubectl {arguments:?}: {}{}", text(&ran.stdout), text(&ran.stderr));
        text(&ran.stdout)
    }

    /// Applies objects that are written in YAML.
    pub fn apply(&self, yaml: &str) {
        let file = tempfile::NamedTempFile::with_suffix(".yaml").expect("a temporary file can be made");
        fs::write(file.path(), yaml).expect("the temporary file is writable");
        self.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", &file.path().to_string_lossy()]);
    }

    /// Applies objects without kubectl, where many are applied.
    pub fn declare(&self, yaml: &str) {
        for object in documents(yaml) {
            let (plural, name) = named(&object);
            let params = PatchParams::apply("tests").force();
            let applied = self.wait(self.api(&plural).patch(&name, &params, &Patch::Apply(&object)));
            applied.unwrap_or_else(|error| panic!("{plural}/{name}: {error}"));
        }
    }

    /// Deletes the objects that are written there.
    pub fn withdraw(&self, yaml: &str) {
        for object in documents(yaml) {
            let (plural, name) = named(&object);
            self.delete(&plural, &name);
        }
    }

    /// Puts a Secret there.
    pub fn secret(&self, name: &str, values: &BTreeMap<String, String>) {
        let api: Api<Secret> = Api::namespaced(self.client(), &self.namespace);
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values
        });
        let params = PatchParams::apply("tests").force();
        self.wait(api.patch(name, &params, &Patch::Apply(&secret))).expect("a Secret is accepted");
    }

    /// One of our kinds, or Secrets, by its plural.
    pub fn kind(plural: &str) -> ApiResource {
        let kind = match plural {
            "consoles" => "Console",
            "customers" => "Customer",
            "licenses" => "License",
            "relationships" => "Relationship",
            "attestations" => "Attestation",
            "products" => "Product",
            "consolebindings" => "ConsoleBinding",
            "secrets" => return ApiResource::erase::<Secret>(&()),
            other => panic!("{other} is no plural of ours"),
        };
        ApiResource {
            group: "tenantry.io".into(),
            version: "v1alpha1".into(),
            api_version: "tenantry.io/v1alpha1".into(),
            kind: kind.into(),
            plural: plural.into(),
        }
    }

    /// The API of one of our kinds, or of Secrets, by its plural.
    pub fn api(&self, plural: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client(), &self.namespace, &Self::kind(plural))
    }

    /// An object as JSON; null where it is not there.
    pub fn get(&self, plural: &str, name: &str) -> Value {
        let found = self.wait(self.api(plural).get_opt(name)).expect("the API server answers");
        found.map_or(Value::Null, |object| serde_json::to_value(object).expect("an object is JSON"))
    }

    /// All objects of a kind, as JSON.
    pub fn list(&self, plural: &str) -> Vec<Value> {
        let list = self.wait(self.api(plural).list(&ListParams::default())).expect("the API server answers");
        list.items.into_iter().map(|one| serde_json::to_value(one).expect("an object is JSON")).collect()
    }

    /// Deletes an object.
    pub fn delete(&self, plural: &str, name: &str) {
        let deleted = self.wait(self.api(plural).delete(name, &DeleteParams::default()));
        deleted.unwrap_or_else(|error| panic!("{plural}/{name}: {error}"));
    }

    /// Merges a patch into an object.
    pub fn patch(&self, plural: &str, name: &str, patch: &Value) {
        let patched = self.wait(self.api(plural).patch(name, &PatchParams::default(), &Patch::Merge(patch)));
        patched.unwrap_or_else(|error| panic!("{plural}/{name}: {error}"));
    }

    /// Annotates an object.
    pub fn annotate(&self, plural: &str, name: &str, annotation: &str, value: &str) {
        self.patch(plural, name, &json!({"metadata": {"annotations": {annotation: value}}}));
    }

    /// The controller's command, without what a test adds.
    pub fn command(&self, binary: &Path) -> Command {
        let endpoints: Vec<String> = self
            .bench
            .partners()
            .iter()
            .map(|(console, partner)| {
                let (vendor, key) = partner.split_once('/').expect("<vendor>/<key>");
                format!("{console}={}", self.simulator().partner_url(vendor, key))
            })
            .collect();
        let mut command = Command::new(binary);
        command.env_clear().env("KUBECONFIG", self.cluster.kubeconfig()).env("HOSTNAME", "tests");
        command.args(["--namespaces", &self.namespace, "--lease-namespace", &self.namespace]);
        command.args(["--health-address", "127.0.0.1:0", "--plan-address", "127.0.0.1:0", "--plan-plain"]);
        command.args(["--allow-endpoint-networks", "loopback", "--allow-http-endpoints"]);
        command.args(["--endpoint", &endpoints.join(",")]);
        command.args(["--now-from", &format!("{}/_sim/clock", self.simulator().base_url())]);
        command
    }

    /// Starts a controller with these further arguments.
    pub fn start(&self, arguments: &[&str]) -> Controller {
        let mut command = self.command(binary());
        command.args(arguments);
        Controller::start(command, self.bench.dir().parent().expect("it lies in the bench's own"))
    }

    /// Waits until `look` gives something.
    ///
    /// # Panics
    /// When it does not within a minute: with what it saw last and what the controllers said.
    pub fn until<T>(
        &self,
        what: &str,
        controllers: &[&Controller],
        look: impl Fn() -> Result<T, String>,
    ) -> T {
        let deadline = Instant::now() + SOON;
        loop {
            match look() {
                Ok(found) => return found,
                Err(saw) => {
                    let told =
                        || controllers.iter().map(|one| one.said()).collect::<Vec<_>>().join("\n---\n");
                    assert!(Instant::now() < deadline, "never: {what}; last seen: {saw}\n{}", told());
                }
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Waits until a condition of an object has this status and reason; gives the object.
    pub fn until_condition(
        &self,
        controllers: &[&Controller],
        (plural, name): (&str, &str),
        (kind, status, reason): (&str, &str, &str),
    ) -> Value {
        self.until(&format!("{plural}/{name} {kind}={status} ({reason})"), controllers, || {
            let object = self.get(plural, name);
            let condition = condition(&object, kind);
            let is = condition["status"] == status && condition["reason"] == reason;
            if is { Ok(object) } else { Err(object["status"].to_string()) }
        })
    }

    /// Events on an object: reason and note, oldest first.
    pub fn events(&self, kind: &str, name: &str) -> Vec<(String, String)> {
        let api: Api<k8s_openapi::api::events::v1::Event> = Api::namespaced(self.client(), &self.namespace);
        let list = self.wait(api.list(&ListParams::default())).expect("the API server answers");
        let mut found: Vec<_> =
            list.items
                .into_iter()
                .filter(|event| {
                    event.regarding.as_ref().is_some_and(|on| {
                        on.kind.as_deref() == Some(kind) && on.name.as_deref() == Some(name)
                    })
                })
                .collect();
        found.sort_by(|a, b| a.event_time.cmp(&b.event_time));
        found
            .into_iter()
            .map(|event| (event.reason.unwrap_or_default(), event.note.unwrap_or_default()))
            .collect()
    }

    /// Requests that write and arrived at the consoles since then.
    pub fn writes(&self, mark: u64) -> usize {
        let filter = LogFilter { since: mark, kind: Some(Kind::Write), ..LogFilter::default() };
        self.simulator().log().entries(&filter).len()
    }

    /// All requests to consoles since then, without what people click and without the clock.
    pub fn requests(&self, mark: u64) -> Vec<String> {
        let mut entries = self.simulator().log().entries(&LogFilter { since: mark, ..LogFilter::default() });
        entries.retain(|entry| entry.kind != Kind::Ui);
        entries.iter().map(|entry| format!("{} {} {}", entry.partner, entry.method, entry.path)).collect()
    }

    /// Gets a path of a controller with a token of the administrator; status and body.
    pub fn ask(&self, url: &str, token: Option<&str>, accept: &str) -> (u16, String) {
        self.try_ask(url, token, accept).expect("the controller answers")
    }

    /// The plan of a Console, or of the whole namespace, as text.
    pub fn plan(&self, controller: &Controller, console: Option<&str>) -> (u16, String) {
        let query = match console {
            Some(console) => format!("console={}/{console}", self.namespace),
            None => format!("namespace={}", self.namespace),
        };
        self.ask(&format!("{}/plan?{query}", controller.plan), Some(&self.cluster.token()), "text/plain")
    }

    /// The plan of the whole namespace as JSON; `None` while there is none.
    pub fn plan_document(&self, controller: &Controller) -> Option<Value> {
        let url = format!("{}/plan?namespace={}", controller.plan, self.namespace);
        let (status, text) = self.try_ask(&url, Some(&self.cluster.token()), "application/json")?;
        (status == 200).then(|| serde_json::from_str(&text).expect("a plan as JSON is JSON"))
    }

    /// As [`Self::ask`], of a controller that may have died.
    pub fn try_ask(&self, url: &str, token: Option<&str>, accept: &str) -> Option<(u16, String)> {
        self.wait(async {
            let mut request = http().get(url).header("accept", accept);
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let answer = request.send().await.ok()?;
            let status = answer.status().as_u16();
            Some((status, answer.text().await.ok()?))
        })
    }

    /// A counter or gauge of a controller, summed over its labels.
    pub fn metric(&self, controller: &Controller, name: &str) -> f64 {
        self.try_metric(controller, name, "").expect("the controller answers")
    }

    /// The same over those series whose labels hold this text; `None`: the controller does not answer.
    pub fn try_metric(&self, controller: &Controller, name: &str, labels: &str) -> Option<f64> {
        let (_, text) = self.try_ask(&format!("{}/metrics", controller.health), None, "*/*")?;
        let sum = text
            .lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))
            .filter(|line| line.contains(labels))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum();
        Some(sum)
    }
}

/// A client for controllers. Connections belong to the runtime of a field, so none is kept.
fn http() -> &'static reqwest::Client {
    static HTTP: OnceLock<reqwest::Client> = OnceLock::new();
    HTTP.get_or_init(|| {
        let builder = reqwest::Client::builder().pool_max_idle_per_host(0);
        builder.build().expect("a client can be made")
    })
}

/// The objects of a YAML stream.
fn documents(yaml: &str) -> Vec<Value> {
    let texts = yaml.split("\n---\n").filter(|text| !text.trim_matches(['-', '\n', ' ']).is_empty());
    texts.map(|text| serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))).collect()
}

/// An object's plural and name.
fn named(object: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (format!("{}s", text(&object["kind"]).to_lowercase()), text(&object["metadata"]["name"]))
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime can be made")
}

/// A condition of an object.
pub fn condition(object: &Value, kind: &str) -> Value {
    object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["type"] == kind)
        .cloned()
        .unwrap_or_default()
}

impl Controller {
    /// Starts it, and waits until it says where it listens.
    ///
    /// # Panics
    /// When it ends instead.
    pub fn start(command: Command, dir: &Path) -> Self {
        let log = dir.join(format!("controller-{}.log", uuid::Uuid::new_v4().simple()));
        let mut server = Server::start(command, log.clone()).expect("the controller can be started");
        let address = |what: &str| listening(&log, what);
        server
            .wait_until(SOON, || address("health").is_some() && address("plan").is_some())
            .unwrap_or_else(|error| panic!("{error}"));
        let (health, plan) =
            (address("health").expect("it was there"), address("plan").expect("it was there"));
        Self { server: Some(server), log, health: format!("http://{health}"), plan: format!("http://{plan}") }
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Kills it, as a lost node does.
    pub fn kill(mut self) {
        self.server.take();
    }

    /// Asks it to end, and gives what it had said by then.
    ///
    /// # Panics
    /// When it does not end within a minute.
    pub fn end(mut self) -> String {
        let mut server = self.server.take().expect("it runs");
        let id = server.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill can be run");
        assert!(sent.success(), "no signal was sent");
        let ended = server.wait_until(SOON, || false);
        assert!(matches!(ended, Err(crate::parts::PartError::Exited { .. })), "it does not end: {ended:?}");
        self.said()
    }

    /// Whether it has died by itself.
    pub fn died(&mut self) -> bool {
        self.server.as_mut().is_none_or(Server::ended)
    }
}

/// Where a program says that it listens.
fn listening(log: &Path, what: &str) -> Option<String> {
    let text = fs::read_to_string(log).ok()?;
    text.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["event"] == "listening" && line["what"] == what)
        .and_then(|line| line["address"].as_str().map(str::to_owned))
}
