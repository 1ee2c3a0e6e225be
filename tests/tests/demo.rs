//! What a newcomer runs first: the demo, and consoles to try things out against.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tenantry_tests::cli::binary;
use tenantry_tests::pki::Authority;
use tenantry_tests::process;

/// The program with nothing of the test's environment.
fn tenantry(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(dir).env_clear().env("HOME", dir).env("TMPDIR", dir);
    command
}

#[test]
fn the_demo_shows_everything_once_and_ends_with_no_changes() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let began = Instant::now();
    let output =
        process::run(tenantry(dir.path(), &["demo"]), Duration::from_secs(120)).expect("it can be run");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stdout}\n{stderr}");
    for (what, line) in [
        ("a create", "+ customer praxis-mueller       created · "),
        ("a link", "> customer adatum               invitation drafted"),
        ("an accepted invitation", "= customer adatum               adopted · 0b7f6c1e"),
        ("a task", "~!customer adatum               waits for somebody: task"),
        ("an update by request", "~ customer adatum               updated · 0b7f6c1e"),
        ("a held removal", "x customer altbau               HELD  removals within a day would be 1"),
        ("the removal once allowed", "x customer altbau               detached ·"),
    ] {
        assert!(stdout.contains(line), "no {what} ({line:?}) in\n{stdout}\n{stderr}");
    }
    let last = stdout.rfind("$ tenantry plan --detailed-exitcode\n").expect("it plans in the end");
    assert!(
        stdout[last..].contains("No changes: what the consoles show is what is declared; "),
        "{}",
        &stdout[last..]
    );
    let left: Vec<_> = std::fs::read_dir(dir.path()).expect("it can be listed").collect();
    assert!(left.is_empty(), "the demo leaves {left:?}");
    assert!(began.elapsed() < Duration::from_secs(60), "the demo took {:?}", began.elapsed());
}

#[test]
fn a_kept_demo_holds_its_files_and_is_never_put_into_a_directory_in_use() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let run = || {
        process::run(tenantry(dir.path(), &["demo", "--keep", "kept"]), Duration::from_secs(120))
            .expect("it can be run")
    };
    let output = run();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for file in ["consoles.yaml", "customers/adatum.yaml", ".tenantry/state.json", "outbox"] {
        assert!(dir.path().join("kept").join(file).exists(), "no {file}");
    }
    let again = run();
    assert_eq!(again.status.code(), Some(64));
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(
        said.contains("error[usage]: --keep kept: it holds something already\n  name a new directory\n"),
        "{said}"
    );
}

/// Simulated consoles; they end with the test.
struct Simulated {
    child: Child,
    told: Vec<String>,
}

impl Simulated {
    /// Starts them in this directory and reads what they tell.
    fn start(dir: &Path, more: &[&str]) -> Self {
        let arguments: Vec<&str> = ["simulate", "--port", "0"].iter().chain(more).copied().collect();
        let mut command = tenantry(dir, &arguments);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it can be started");
        let mut simulated = Self { child, told: Vec::new() };
        let stdout = simulated.child.stdout.take().expect("it is piped");
        simulated.told = BufReader::new(stdout)
            .lines()
            .map(|line| line.expect("it writes text"))
            .take_while(|line| !line.starts_with("Ctrl-C"))
            .collect();
        simulated
    }

    /// Whether a line of what they told has this in it.
    fn tell(&self, words: &str) -> bool {
        self.told.iter().any(|line| line.contains(words))
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        // Both fail only for a process that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command in the sandbox, with the lines of its `env.sh` that need no shell.
fn in_sandbox(sandbox: &Path, arguments: &[&str]) -> Command {
    let env = std::fs::read_to_string(sandbox.join("env.sh")).expect("it wrote env.sh");
    let mut command = tenantry(sandbox, arguments);
    for (name, value) in env.lines().filter_map(|line| line.strip_prefix("export ")?.split_once("='")) {
        command.env(name, value.trim_end_matches('\''));
    }
    command
}

/// How a command ended, and what it said.
fn ran(command: Command) -> (Option<i32>, String) {
    let output = process::run(command, Duration::from_secs(60)).expect("it can be run");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn simulated_consoles_are_planned_against_with_the_lines_that_they_print_and_end_when_asked() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let mut simulated = Simulated::start(dir.path(), &["--write", "sandbox"]);
    assert!(
        simulated.told.iter().any(|line| line.trim_start().starts_with("sophos ")),
        "{:?}",
        simulated.told
    );
    assert!(simulated.told.iter().any(|line| line.ends_with("/_sim/clock")), "{:?}", simulated.told);

    let (_, planned) = ran(in_sandbox(&dir.path().join("sandbox"), &["plan"]));
    assert!(planned.contains("  + customer praxis-mueller"), "{planned}");

    let id = simulated.child.id().to_string();
    let asked = Command::new("kill").args(["-TERM", &id]).status().expect("kill can be run");
    assert!(asked.success());
    let deadline = Instant::now() + Duration::from_secs(20);
    let ended = loop {
        if let Some(status) = simulated.child.try_wait().expect("it can be looked at") {
            break status;
        }
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(ended.code(), Some(0));
}

#[test]
fn a_taken_port_says_how_to_take_another() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it has an address").port().to_string();
    let output = process::run(tenantry(dir.path(), &["simulate", "--port", &port]), Duration::from_secs(60))
        .expect("it can be run");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.starts_with(&format!(
            "error[simulator-not-started]: the simulator cannot listen on 127.0.0.1:{port};"
        )),
        "{said}"
    );
    assert!(said.ends_with("tenantry simulate --port 0 takes any\n"), "{said}");
}

#[test]
fn simulated_consoles_over_tls_are_asked_by_whoever_was_handed_their_certificate_and_by_nobody_else() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let simulated = Simulated::start(dir.path(), &["--tls", "ca.pem", "--write", "sandbox"]);
    let ca = dir.path().join("ca.pem");
    assert!(simulated.tell("https://127.0.0.1:") && !simulated.tell("http://"), "{:?}", simulated.told);
    assert!(simulated.tell(&format!("curl -s --cacert '{}' https://", ca.display())), "{:?}", simulated.told);
    let trusted = std::fs::read_to_string(&ca).expect("it wrote what is to be trusted");
    assert!(trusted.starts_with("-----BEGIN CERTIFICATE-----") && !trusted.contains("PRIVATE"), "{trusted}");

    let sandbox = dir.path().join("sandbox");
    let (code, planned) = ran(in_sandbox(&sandbox, &["plan"]));
    assert!(code == Some(0) && planned.contains("  + customer praxis-mueller"), "{planned}");
    // Whoever trusts somebody else is told so and asks nothing.
    let other = Authority::new().expect("an authority can be made").certificate();
    std::fs::write(dir.path().join("other.pem"), other).expect("it can be written");
    let mut stranger = in_sandbox(&sandbox, &["plan"]);
    stranger.env("SSL_CERT_FILE", dir.path().join("other.pem"));
    // Under a clock that is set, what waits before it asks again does not take its time.
    stranger.env("TENANTRY_NOW", "2026-01-12T08:00:00Z");
    let (code, said) = ran(stranger);
    assert!(code == Some(1) && said.contains("certificate"), "{said}");

    // A later run writes its own there; what is no certificate stays.
    drop(simulated);
    let _again = Simulated::start(dir.path(), &["--tls", "ca.pem"]);
    assert_ne!(std::fs::read_to_string(&ca).expect("it is there"), trusted);
    let arguments = ["simulate", "--port", "0", "--tls", "sandbox/env.sh"];
    let (code, said) = ran(tenantry(dir.path(), &arguments));
    assert_eq!(code, Some(64), "{said}");
    let words =
        "error[usage]: --tls sandbox/env.sh: it holds something else than a certificate\n  name a new file";
    assert!(said.starts_with(words), "{said}");
    assert!(sandbox.join("env.sh").exists());
}

#[test]
fn a_certificate_of_ones_own_is_served_and_a_wrong_key_to_it_is_told() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let authority = Authority::new().expect("an authority can be made");
    let identity = authority.loopback_server().expect("a certificate can be made");
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("it can be written");
        path
    };
    file("cert.pem", &identity.certificate);
    file("key.pem", &identity.key);
    let ca = file("ca.pem", &authority.certificate());
    let own = ["--tls-cert", "cert.pem", "--tls-key", "key.pem", "--write", "sandbox"];
    let _simulated = Simulated::start(dir.path(), &own);
    let mut plan = in_sandbox(&dir.path().join("sandbox"), &["plan"]);
    plan.env("SSL_CERT_FILE", ca);
    let (code, planned) = ran(plan);
    assert!(code == Some(0) && planned.contains("  + customer praxis-mueller"), "{planned}");

    let other = authority.loopback_server().expect("a certificate can be made");
    file("other.pem", &other.key);
    let wrong = ["simulate", "--port", "0", "--tls-cert", "cert.pem", "--tls-key", "other.pem"];
    let (code, said) = ran(tenantry(dir.path(), &wrong));
    assert_eq!(code, Some(1), "{said}");
    let begins = "error[simulator-not-started]: the simulator cannot serve TLS: they do not belong together";
    assert!(said.starts_with(begins) && !said.contains("--port 0"), "{said}");
    assert!(said.contains("give it a certificate and its key, both PEM"), "{said}");
}

#[test]
fn a_public_url_is_what_consoles_are_reached_by_and_must_be_one() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let url = "https://consoles.example.com/sim/";
    let simulated = Simulated::start(dir.path(), &["--public-url", url, "--write", "sandbox"]);
    assert!(simulated.tell("https://consoles.example.com/sim/sophos/"), "{:?}", simulated.told);
    let env = std::fs::read_to_string(dir.path().join("sandbox/env.sh")).expect("it wrote env.sh");
    assert!(env.contains("=https://consoles.example.com/sim/sophos/"), "{env}");
    for (url, because) in [
        ("consoles", "relative URL without a base"),
        ("ftp://consoles", "it begins with neither https:// nor http://"),
        ("https://consoles/?a", "more than a host and a path stands there"),
    ] {
        let (code, said) = ran(tenantry(dir.path(), &["simulate", "--public-url", url]));
        assert_eq!(code, Some(64), "{said}");
        assert!(said.starts_with(&format!("error[usage]: --public-url {url}: {because}\n")), "{said}");
        assert!(said.contains("write --public-url https://HOST"), "{said}");
    }
}
