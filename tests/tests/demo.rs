//! What a newcomer runs first: the demo, and consoles to try things out against.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tenantry_tests::cli::binary;
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

/// Ends with the test.
struct Simulated(Child);

impl Drop for Simulated {
    fn drop(&mut self) {
        // Both fail only for a process that has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn simulated_consoles_are_planned_against_with_the_lines_that_they_print_and_end_when_asked() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let mut command = tenantry(dir.path(), &["simulate", "--port", "0", "--write", "sandbox"]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it can be started");
    let mut simulated = Simulated(child);
    let stdout = simulated.0.stdout.take().expect("it is piped");
    let told: Vec<String> = BufReader::new(stdout)
        .lines()
        .map(|line| line.expect("it writes text"))
        .take_while(|line| !line.starts_with("Ctrl-C"))
        .collect();
    assert!(told.iter().any(|line| line.trim_start().starts_with("sophos ")), "{told:?}");
    assert!(told.iter().any(|line| line.ends_with("/_sim/clock")), "{told:?}");

    let sandbox = dir.path().join("sandbox");
    let env = std::fs::read_to_string(sandbox.join("env.sh")).expect("it wrote env.sh");
    let mut plan = tenantry(&sandbox, &["plan"]);
    for (name, value) in env.lines().filter_map(|line| line.strip_prefix("export ")?.split_once("='")) {
        plan.env(name, value.trim_end_matches('\''));
    }
    let output = process::run(plan, Duration::from_secs(60)).expect("it can be run");
    let planned = String::from_utf8_lossy(&output.stdout);
    assert!(
        planned.contains("  + customer praxis-mueller"),
        "{planned}{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let id = simulated.0.id().to_string();
    let asked = Command::new("kill").args(["-TERM", &id]).status().expect("kill can be run");
    assert!(asked.success());
    let deadline = Instant::now() + Duration::from_secs(20);
    let ended = loop {
        if let Some(status) = simulated.0.try_wait().expect("it can be looked at") {
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
