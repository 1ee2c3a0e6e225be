//! The real `tenantry` program in a directory of its own, against simulated consoles in this process.
//!
//! A [`Bench`] is one person's desk: a working directory with declarations, a state directory, credentials, and a
//! simulator whose log, clock, mailbox and faults the test holds in its hands. The program takes its time from the
//! simulator's clock, so that nothing waits and nothing depends on the day.
//!
//! Conventions, the same as those of `tenantry simulate`: a partner `<vendor>/<key>` of the seed is the Console
//! `<vendor>` where the seed has one partner of that vendor, else `<vendor>-<key>`; its credentials are the secrets
//! `<console>-read` and `<console>-write`.
//!
//! It never touches the environment of the test process, never listens elsewhere than on the loopback interface, and
//! leaves nothing behind.
//!
//! ```no_run
//! # use tenantry_tests::cli::Bench;
//! let bench = Bench::new(&serde_json::json!({"sophos": {"msp": {}}}));
//! bench.write("sophos.yaml", "…");
//! let mark = bench.simulator().log().mark();
//! let ran = bench.run(&["plan"]);
//! assert_eq!((ran.code, bench.simulator().log().writes(mark)), (0, 0), "{ran}");
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tenantry_simulator::{Config, Running, Simulator};
use tokio::runtime::Runtime;

use crate::parts::repository_root;
use crate::process;

/// How long one run of the program may take before it is killed.
const LIMIT: Duration = Duration::from_secs(120);

/// What the simulator's address is replaced by in [`Ran`], because its port is another one each time.
pub const SIMULATOR: &str = "http://simulator";
/// What the working directory is replaced by in [`Ran`].
pub const DIRECTORY: &str = "/work-dir";

/// The program, built from this working copy when it is first asked for. `TENANTRY_TEST_BINARY` names another one.
///
/// # Panics
/// When it cannot be built.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("TENANTRY_TEST_BINARY").map_or_else(|| build(&[]), PathBuf::from))
}

/// Builds the program with these features beside its default ones and gives its own copy of it, so that another
/// build into the same target directory does not change what a test runs.
///
/// # Panics
/// When it cannot be built.
pub fn build(features: &[&str]) -> PathBuf {
    build_of("tenantry", features)
}

/// The same for another program, which has its package's name.
///
/// # Panics
/// When it cannot be built.
pub fn build_of(program: &str, features: &[&str]) -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(repository_root());
    command.args(["build", "--quiet", "--package", program, "--bin", program]);
    command.args(["--message-format", "json-render-diagnostics", "--features", &features.join(",")]);
    let output = command.output().expect("cargo can be run");
    assert!(output.status.success(), "{program} is not built: {}", String::from_utf8_lossy(&output.stderr));
    let built: PathBuf = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo names the program that it built");
    let place = built.with_file_name(format!("{program}-under-test"));
    fs::create_dir_all(&place).expect("the target directory is writable");
    let own = place.join(format!("{}-{}", features.join("-"), checkout()));
    let fresh = place.join(format!("fresh-{}", std::process::id()));
    let _ = fs::remove_file(&fresh);
    fs::hard_link(&built, &fresh).expect("a link beside the program can be made");
    fs::rename(&fresh, &own).expect("a link can be renamed");
    // Of two names of one file none goes by renaming.
    let _ = fs::remove_file(&fresh);
    own
}

/// Tells working copies that share a target directory apart.
fn checkout() -> String {
    let path = repository_root().to_string_lossy();
    format!(
        "{:016x}",
        path.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte))
            .wrapping_mul(0x0100_0000_01b3))
    )
}

/// One run of the program. Addresses and paths that change from run to run are replaced in its texts.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The exit code; -1 where a signal ended it.
    pub code: i32,
    /// Results.
    pub stdout: String,
    /// Progress and errors.
    pub stderr: String,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// A desk: files, state, credentials and simulated consoles.
pub struct Bench {
    /// Stops with the bench; dropped after the simulator.
    running: Running,
    runtime: Runtime,
    dir: TempDir,
    binary: PathBuf,
    /// Console → `<vendor>/<key>`.
    partners: BTreeMap<String, String>,
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench")
            .field("dir", &self.dir.path())
            .field("partners", &self.partners)
            .finish_non_exhaustive()
    }
}

impl Bench {
    /// A desk with an empty working directory and the consoles of this seed document (see `POST /_sim/seed`). Not to
    /// be called inside of an asynchronous test: it has a runtime of its own.
    ///
    /// # Panics
    /// When the seed is refused.
    pub fn new(seed: &Value) -> Self {
        Self::with(seed, Config::default())
    }

    /// The same, with a simulator that starts otherwise (its clock, its seed of ids).
    ///
    /// # Panics
    /// When the seed is refused.
    pub fn with(seed: &Value, config: Config) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let running =
            runtime.block_on(Simulator::start(config)).expect("a free port on the loopback interface");
        running.seed(seed).unwrap_or_else(|why| panic!("the seed is refused: {why}"));
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let bench = Self { partners: partners(seed), running, runtime, dir, binary: binary().to_owned() };
        fs::create_dir(bench.dir()).expect("the temporary directory is writable");
        for (console, partner) in &bench.partners {
            let values = bench.credentials(partner);
            bench.secret(&format!("{console}-read"), &values);
            bench.secret(&format!("{console}-write"), &values);
        }
        bench
    }

    /// Runs another build of the program, such as one with `failpoints`.
    #[must_use]
    pub fn binary(mut self, binary: PathBuf) -> Self {
        self.binary = binary;
        self
    }

    /// The working directory.
    pub fn dir(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// The simulator.
    pub fn simulator(&self) -> &Running {
        &self.running
    }

    /// Consoles by name, each with its partner (`<vendor>/<key>`, as the log names it).
    pub fn partners(&self) -> &BTreeMap<String, String> {
        &self.partners
    }

    /// Writes a file of the working directory, with its directories.
    pub fn write(&self, file: &str, text: &str) {
        let path = self.dir().join(file);
        fs::create_dir_all(path.parent().expect("it is below the working directory"))
            .expect("directories can be made");
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// A file of the working directory.
    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.dir().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// The credentials of all consoles: secrets by name, each with its values by key.
    pub fn secrets(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let mut out: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (console, partner) in &self.partners {
            let values = self.credentials(partner);
            let values = || values.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
            out.insert(format!("{console}-read"), values());
            out.insert(format!("{console}-write"), values());
        }
        out
    }

    /// Deletes a file of the working directory.
    pub fn remove(&self, file: &str) {
        fs::remove_file(self.dir().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    }

    /// Puts a secret where the program looks for it.
    pub fn secret(&self, name: &str, values: &BTreeMap<&str, String>) {
        let dir = self.dir.path().join("secrets").join(name);
        fs::create_dir_all(&dir).expect("directories can be made");
        for (key, value) in values {
            fs::write(dir.join(key), value).expect("the temporary directory is writable");
        }
    }

    fn credentials(&self, partner: &str) -> BTreeMap<&'static str, String> {
        let (vendor, key) = partner.split_once('/').expect("<vendor>/<key>");
        match vendor {
            "sophos" => {
                let credentials = self.running.sophos(key).credentials();
                BTreeMap::from([
                    ("clientId", credentials.client_id),
                    ("clientSecret", credentials.client_secret),
                ])
            }
            "microsoft" => self.running.microsoft(key).look(|account, _| {
                BTreeMap::from([
                    ("clientId", account.client_id.clone()),
                    ("clientSecret", account.client_secret.clone()),
                    ("refreshToken", account.first_refresh.clone()),
                ])
            }),
            other => panic!("no credentials are known for {other}"),
        }
    }

    /// The program with these arguments, in the working directory, with nothing of the test's environment: whoever
    /// needs another variable sets it and calls [`Bench::run_command`].
    pub fn command(&self, arguments: &[&str]) -> Command {
        let endpoints: Vec<String> = self
            .partners
            .iter()
            .map(|(console, partner)| {
                let (vendor, key) = partner.split_once('/').expect("<vendor>/<key>");
                format!("{console}={}", self.running.partner_url(vendor, key))
            })
            .collect();
        let mut command = Command::new(&self.binary);
        command.args(arguments).current_dir(self.dir()).env_clear();
        command.env("HOME", self.dir.path()).env("USER", "tester");
        command.env("TENANTRY_SECRETS_DIR", self.dir.path().join("secrets"));
        command.env("TENANTRY_ENDPOINT", endpoints.join(","));
        command.env("TENANTRY_NOW", self.running.clock().now().to_string());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_command(self.command(arguments))
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// When it does not end within two minutes.
    pub fn run_command(&self, command: Command) -> Ran {
        let output = process::run(command, LIMIT).expect("the program can be run");
        let text = |bytes: &[u8]| self.steady(&String::from_utf8_lossy(bytes));
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// A text without what changes from run to run: the simulator's address, the temporary directory.
    pub fn steady(&self, text: &str) -> String {
        let dir = self.dir();
        let real = fs::canonicalize(&dir).unwrap_or_else(|_| dir.clone());
        text.replace(self.running.base_url(), SIMULATOR)
            .replace(&*real.to_string_lossy(), DIRECTORY)
            .replace(&*dir.to_string_lossy(), DIRECTORY)
    }

    /// What a person does with `curl` at the simulator: `POST /_sim/clock {"advance":"P1D"}`. Gives status and body.
    ///
    /// # Panics
    /// When the simulator does not answer.
    pub fn ask(&self, method: &str, path: &str, body: Option<String>) -> (u16, String) {
        let url = format!("{}{path}", self.running.base_url());
        let method = method.parse().unwrap_or_else(|_| panic!("{method} is no method"));
        self.runtime.block_on(async {
            let request = reqwest::Client::new().request(method, url).body(body.unwrap_or_default());
            let answer = request.send().await.expect("the simulator answers");
            let status = answer.status().as_u16();
            (status, answer.text().await.expect("the simulator's answer is whole"))
        })
    }
}

/// Consoles of a seed by name: see the module's head.
fn partners(seed: &Value) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for (vendor, keys) in seed.as_object().into_iter().flatten() {
        let keys: Vec<&String> = keys.as_object().into_iter().flatten().map(|(key, _)| key).collect();
        for key in &keys {
            let console = if keys.len() == 1 { vendor.clone() } else { format!("{vendor}-{key}") };
            out.insert(console, format!("{vendor}/{key}"));
        }
    }
    out
}
