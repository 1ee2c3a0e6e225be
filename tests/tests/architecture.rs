//! The rules of the house that a compiler does not check: who may depend on whom, who may speak HTTP, what the engine
//! may not know, and how source files look.
//!
//! Never judges by convention alone: dependencies come from cargo, files from git. Each rule lists every offender.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tenantry_tests::parts::repository_root;

/// Our crates by directory, and which of ours each may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("crd", &[]),
    ("engine", &["crd"]),
    ("consoles", &["crd", "engine"]),
    ("cluster", &["crd", "engine"]),
    ("cli", &["cluster", "consoles", "crd", "engine", "simulator"]),
    ("controller", &["cluster", "consoles", "crd", "engine"]),
    // An independent reading of the vendors' documents: it shares nothing with the adapters that it is to catch out.
    ("simulator", &[]),
    ("tests", &["cluster", "cli", "consoles", "controller", "crd", "engine", "simulator"]),
];

/// Who may additionally use what in its own tests: adapters are tried against the simulated consoles.
const ALLOWED_IN_TESTS: &[(&str, &[&str])] =
    &[("consoles", &["simulator"]), ("cluster", &["simulator"]), ("controller", &["simulator"])];

/// Crates that send HTTP requests.
const HTTP_CLIENTS: &[&str] =
    &["attohttpc", "curl", "hyper", "hyper-util", "isahc", "kube-client", "reqwest", "surf", "ureq"];

/// The crates that speak HTTP: the adapters, and the tests that are not part of any program.
const SPEAKS_HTTP: &[&str] = &["consoles", "tests"];

const LONGEST_SOURCE: usize = 700;

struct Dependency {
    name: String,
    /// `normal`, `build` or `dev`.
    kind: String,
    features: Vec<String>,
}

impl Dependency {
    /// hyper is the client and the server of HTTP, as its features say.
    fn is_http_client(&self) -> bool {
        HTTP_CLIENTS.contains(&self.name.as_str())
            && (!self.name.starts_with("hyper")
                || self.features.iter().any(|name| name.starts_with("client")))
    }
}

struct Member {
    dir: String,
    dependencies: Vec<Dependency>,
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(repository_root())
        .output()
        .expect("cargo can be run");
    assert!(
        output.status.success(),
        "cargo {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

/// The crates of this workspace with what their manifests name. Our own crates appear by directory, for brevity.
fn members() -> Vec<Member> {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"]))
        .expect("it is JSON");
    let packages = metadata["packages"].as_array().expect("metadata lists packages");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let dir_of = |manifest: &str| {
        let dir = Path::new(manifest).parent().expect("a manifest lies in a directory");
        dir.file_name().expect("the crate's directory has a name").to_string_lossy().into_owned()
    };
    packages
        .iter()
        .map(|package| Member {
            dir: dir_of(&text(&package["manifest_path"])),
            dependencies: package["dependencies"]
                .as_array()
                .expect("metadata lists dependencies")
                .iter()
                .map(|dependency| Dependency {
                    name: match dependency["path"].as_str() {
                        Some(path) => dir_of(&format!("{path}/Cargo.toml")),
                        None => text(&dependency["name"]),
                    },
                    kind: dependency["kind"].as_str().unwrap_or("normal").to_owned(),
                    features: dependency["features"].as_array().into_iter().flatten().map(text).collect(),
                })
                .collect(),
        })
        .collect()
}

/// The tracked files, as paths relative to the repository's root.
fn tracked() -> Vec<String> {
    let output = Command::new("git")
        // The owner of a checkout in CI may be another user than the one who runs the tests.
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .current_dir(repository_root())
        .output()
        .expect("git can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let list = String::from_utf8(output.stdout).expect("our file names are UTF-8");
    list.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect()
}

/// The tracked text files that are there, with their content.
fn texts(wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let read = |path: String| {
        let bytes = fs::read(repository_root().join(&path)).ok()?;
        String::from_utf8(bytes).ok().map(|text| (path, text))
    };
    let found: Vec<_> = tracked().into_iter().filter(|path| wanted(path)).filter_map(read).collect();
    assert!(!found.is_empty(), "no tracked file was looked at");
    found
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

fn none<T: Display>(rule: &str, offenders: impl IntoIterator<Item = T>) {
    let offenders: Vec<_> = offenders.into_iter().map(|offender| format!("  {offender}")).collect();
    assert!(offenders.is_empty(), "{rule}:\n{}", offenders.join("\n"));
}

fn row<'a>(table: &[(&str, &'a [&'a str])], dir: &str) -> Option<&'a [&'a str]> {
    table.iter().find(|(name, _)| *name == dir).map(|(_, allowed)| *allowed)
}

#[test]
fn crates_depend_only_on_those_they_may() {
    let mut offenders = Vec::new();
    for member in members() {
        let Some(allowed) = row(ALLOWED, &member.dir) else {
            offenders.push(format!("{} is a new crate without a row in the table of this test", member.dir));
            continue;
        };
        let in_tests = row(ALLOWED_IN_TESTS, &member.dir).unwrap_or_default();
        let ours = member.dependencies.iter().filter(|dependency| row(ALLOWED, &dependency.name).is_some());
        for dependency in ours {
            let name = dependency.name.as_str();
            // A crate's own tests may see it as others do, with features for tests.
            let itself = name == member.dir;
            let for_its_tests = dependency.kind == "dev" && (itself || in_tests.contains(&name));
            if !allowed.contains(&name) && !for_its_tests {
                offenders.push(format!("{} -> {name} ({})", member.dir, dependency.kind));
            }
        }
    }
    none("a crate depends on one of ours that it may not know", offenders);
}

#[test]
fn only_the_adapters_speak_http() {
    let mut offenders = Vec::new();
    for member in members().iter().filter(|member| !SPEAKS_HTTP.contains(&member.dir.as_str())) {
        for dependency in &member.dependencies {
            // The simulator serves HTTP; only its tests are clients of it.
            let own_tests = member.dir == "simulator" && dependency.kind == "dev";
            if dependency.is_http_client() && !own_tests {
                offenders.push(format!("{} -> {} ({})", member.dir, dependency.name, dependency.kind));
            }
        }
    }
    none("an HTTP client outside of consoles", offenders);
}

#[test]
fn the_engine_has_no_runtime_and_no_network() {
    let tree = cargo(&[
        "tree",
        "--package",
        "tenantry-engine",
        "--all-features",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "--no-dedupe",
        "--locked",
    ]);
    let packages: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(packages.contains("tenantry-crd"), "this is not the engine's tree: {packages:?}");
    let forbidden = ["async-std", "mio", "object_store", "rustls", "smol", "socket2", "tokio"];
    let found = packages.iter().filter(|name| forbidden.contains(name) || HTTP_CLIENTS.contains(name));
    none("the engine's dependencies hold a runtime or a network", found);
}

/// The code of a line: nothing of one that is a comment as a whole.
fn code(line: &str) -> &str {
    if line.trim_start().starts_with("//") { "" } else { line }
}

fn is_test_source(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

#[test]
fn the_engine_asks_nobody_for_the_time_or_the_environment() {
    let forbidden = [
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
        "std::env",
        "env::var",
        "env::args",
        "thread::sleep",
        "sleep(",
        "rand::",
        "Uuid::new_v4",
        "Uuid::now_v7",
        "std::fs",
        "std::net",
        "std::process",
        "thread_rng",
        "RandomState",
    ];
    let mut offenders = Vec::new();
    for (path, text) in
        texts(|path| path.starts_with("engine/src/") && is_rust(path) && !is_test_source(path))
    {
        for (number, line) in text.lines().enumerate() {
            for word in forbidden.iter().filter(|word| code(line).contains(**word)) {
                offenders.push(format!("{path}:{}: {word}", number + 1));
            }
        }
    }
    none("the engine decides by its input alone; pass it in", offenders);
}

#[test]
fn sources_are_short() {
    let long = texts(is_rust).into_iter().filter_map(|(path, text)| {
        let lines = text.lines().count();
        (lines > LONGEST_SOURCE).then(|| format!("{path}: {lines} lines"))
    });
    none("a source file is longer than 700 lines", long);
}

#[test]
fn every_source_says_at_its_head_what_it_is() {
    let bare = texts(is_rust).into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path);
    none("a source file does not begin with its `//!` head", bare);
}

#[test]
fn no_module_is_a_drawer_for_everything() {
    let drawers = ["common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"];
    let is_drawer = |name: &str| drawers.contains(&name);
    let mut offenders = Vec::new();
    for (path, text) in texts(is_rust) {
        let mut parts = path.trim_end_matches(".rs").split('/');
        if parts.any(is_drawer) {
            offenders.push(path.clone());
        }
        for line in text.lines().map(code) {
            let words: Vec<_> = line.split(|char: char| !char.is_alphanumeric() && char != '_').collect();
            for pair in words.windows(2).filter(|pair| pair[0] == "mod" && is_drawer(pair[1])) {
                offenders.push(format!("{path}: mod {}", pair[1]));
            }
        }
    }
    none("a module is named for nothing in particular", offenders);
}

#[test]
fn nothing_is_left_for_later() {
    // In two halves, so that this file does not hold what it looks for.
    let forbidden = [["to", "do!("], ["unimple", "mented!("], ["#[ig", "nore"]].map(|halves| halves.concat());
    let mut offenders = Vec::new();
    for (path, text) in texts(is_rust) {
        for (number, line) in text.lines().enumerate() {
            if forbidden.iter().any(|word| code(line).contains(word.as_str())) {
                offenders.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("unfinished code or a test that does not run", offenders);
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let directories =
        [["/wo", "rk/"], ["/ro", "ot/"], ["/ho", "me/"], ["/Us", "ers/"]].map(|halves| halves.concat());
    let hosts = [
        ["crates", ".io"],
        ["proxy.golang", ".org"],
        ["sum.golang", ".org"],
        ["npmjs", ".org"],
        ["npmjs", ".com"],
        ["pypi", ".org"],
        ["pythonhosted", ".org"],
        ["deb.debian", ".org"],
        ["registry.k8s", ".io"],
        ["docker", ".io"],
        ["quay", ".io"],
    ]
    .map(|halves| halves.concat());
    let mut offenders = Vec::new();
    // The lock file's format names its registry; cargo writes it.
    for (path, text) in texts(|path| path != "Cargo.lock" && !path.ends_with("go.sum")) {
        for (number, line) in text.lines().enumerate() {
            let place = || format!("{path}:{}", number + 1);
            for directory in directories.iter().filter(|directory| begins_a_path(line, directory)) {
                offenders.push(format!("{}: a path below {directory}", place()));
            }
            for host in hosts.iter().filter(|host| line.contains(host.as_str())) {
                offenders.push(format!("{}: {host}", place()));
            }
        }
    }
    none("a tracked file names a directory of one machine, or a package registry", offenders);
}

/// Whether the directory stands there as the beginning of an absolute path, not inside a URL or a longer path.
fn begins_a_path(line: &str, directory: &str) -> bool {
    line.match_indices(directory).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|char| char.is_alphanumeric() || "/.-_~*}#:".contains(char))
    })
}

#[test]
fn a_path_in_a_url_is_not_a_path_of_this_machine() {
    let directory = ["/ho", "me/"].concat();
    assert!(begins_a_path(&format!("cd {directory}someone"), &directory));
    assert!(begins_a_path(&format!("\"{directory}someone\""), &directory));
    assert!(!begins_a_path(&format!("https://console.example{directory}tenants"), &directory));
    assert!(!begins_a_path(&format!("https://console.example/#{directory}tenants"), &directory));
}
