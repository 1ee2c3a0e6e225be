//! What the harness promises: nothing that it starts outlives its test, and a test that did not run never looks like
//! one that passed.
//!
//! Where the end of the whole test process is the subject, a test starts its own program again in another role.

use std::env;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use tenantry_tests::helm::Helm;
use tenantry_tests::kube::Cluster;
use tenantry_tests::parts::PartError;
use tenantry_tests::process::{Server, run};

const ROLE: &str = "TENANTRY_TESTS_ROLE";

/// A program that would run for an hour.
fn patient() -> Command {
    let mut command = Command::new("sleep");
    command.arg("3600");
    command
}

/// Whether a process is there and more than the remains that its parent has not looked at yet.
fn runs(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // "ID (name) STATE …"; a name may hold anything but the last parenthesis.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn ends_soon(id: u32) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while runs(id) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    !runs(id)
}

/// Runs one test of this file in another process.
fn again(test: &str, change: impl FnOnce(&mut Command)) -> Output {
    let mut command = Command::new(env::current_exe().expect("a test knows its program"));
    command.args(["--exact", test, "--nocapture"]).env(ROLE, test);
    change(&mut command);
    run(command, Duration::from_secs(60)).expect("this program can be run again")
}

#[test]
fn a_server_ends_when_it_is_dropped() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let server = Server::start(patient(), dir.path().join("log")).expect("sleep can be started");
    let id = server.id();
    assert!(runs(id));
    drop(server);
    assert!(ends_soon(id));
}

#[test]
fn a_server_ends_when_the_test_is_killed() {
    let name = "a_server_ends_when_the_test_is_killed";
    if env::var(ROLE).as_deref() == Ok(name) {
        let log = env::var_os("LOG").expect("the parent names a file");
        let server = Server::start(patient(), log.into()).expect("sleep can be started");
        println!("\nserver {}", server.id());
        // No destructor runs.
        std::process::abort();
    }
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let output = again(name, |command| {
        command.env("LOG", dir.path().join("log"));
    });
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    let id = text.lines().find_map(|line| line.strip_prefix("server ")).expect("it names the server");
    assert!(ends_soon(id.parse().expect("a process id is a number")));
}

#[test]
fn a_command_over_its_limit_is_killed() {
    let result = run(patient(), Duration::from_millis(10));
    assert!(matches!(result, Err(PartError::TooSlow { .. })), "{result:?}");
}

#[test]
fn a_server_that_ends_early_shows_its_log() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let mut command = Command::new("sh");
    command.args(["-c", "echo no licence for this port >&2; exit 3"]);
    let mut server = Server::start(command, dir.path().join("log")).expect("sh can be started");
    let error = server.wait_until(Duration::from_secs(20), || false).expect_err("it has ended");
    assert!(matches!(error, PartError::Exited { .. }), "{error:?}");
    assert!(error.to_string().contains("no licence for this port"), "{error}");
}

#[test]
fn a_missing_part_is_said_aloud_and_fails_in_ci() {
    let name = "a_missing_part_is_said_aloud_and_fails_in_ci";
    if env::var(ROLE).as_deref() == Ok(name) {
        assert!(Helm::find().is_none(), "a file that is not there was found");
        return;
    }
    let nowhere = Path::new("nowhere").join("helm");
    let at_home = again(name, |command| {
        command.env("TEST_ASSET_HELM", &nowhere).env_remove("CI");
    });
    let said = String::from_utf8_lossy(&at_home.stderr);
    assert!(at_home.status.success(), "{said}");
    assert!(
        said.contains(&format!("DID NOT RUN: {name}: helm was not found; `just tools` builds")),
        "{said}"
    );

    let in_ci = again(name, |command| {
        command.env("TEST_ASSET_HELM", &nowhere).env("CI", "true");
    });
    assert!(!in_ci.status.success());
    assert!(String::from_utf8_lossy(&in_ci.stderr).contains("TEST_ASSET_HELM may name its file"));
}

#[tokio::test]
async fn an_existing_cluster_is_used_as_it_is() {
    let name = "an_existing_cluster_is_used_as_it_is";
    if env::var(ROLE).as_deref() == Ok(name) {
        let cluster = Cluster::start().await.expect("the named cluster is there");
        let namespaces = Api::<Namespace>::all(cluster.client());
        let expected = env::var("NAMESPACE").expect("the parent names a namespace");
        namespaces.get(&expected).await.expect("it is the parent's cluster");
        return;
    }
    let Some(cluster) = Cluster::start().await else { return };
    let namespace = cluster.namespace("existing").await;
    let output = again(name, |command| {
        command
            .env("USE_EXISTING_CLUSTER", "true")
            .env("KUBECONFIG", cluster.kubeconfig())
            .env("NAMESPACE", &namespace)
            // Without its programs it cannot have started one of its own.
            .env("TEST_ASSET_ETCD", "nowhere")
            .env("TEST_ASSET_KUBE_APISERVER", "nowhere");
    });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
