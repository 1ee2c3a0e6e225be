//! The image's definition, by its text: no container runtime is needed to see that it says what the chart relies on.
//!
//! That the programs link without a C library is tried by hand with the commands that CONTRIBUTING.md names.

use std::fs;

use serde_json::Value;
use tenantry_tests::parts::repository_root;

fn read(path: &str) -> String {
    fs::read_to_string(repository_root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The instructions, each as one line, by stage.
fn stages() -> Vec<Vec<String>> {
    let joined = read("Containerfile").replace("\\\n", " ");
    let mut stages: Vec<Vec<String>> = vec![Vec::new()];
    for line in joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with("FROM ") {
            stages.push(Vec::new());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        stages.last_mut().expect("there is one").push(words.join(" "));
    }
    stages
}

fn of<'a>(stage: &'a [String], instruction: &str) -> Vec<&'a str> {
    let head = format!("{instruction} ");
    stage.iter().filter_map(|line| line.strip_prefix(&head)).collect()
}

/// The crates of the workspace, by directory.
fn members() -> Vec<String> {
    let manifest = read("Cargo.toml");
    let list = manifest.split("members = [").nth(1).and_then(|rest| rest.split(']').next());
    let names = list.expect("a workspace has members").split(',').map(|name| name.trim().trim_matches('"'));
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn what_runs_is_two_programs_the_roots_of_trust_and_nothing_else() {
    let stages = stages();
    let last = stages.last().expect("an image");
    assert_eq!(of(last, "FROM"), ["scratch"]);
    assert_eq!(
        of(last, "COPY"),
        [
            "--from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt",
            "--from=build /out/ /"
        ]
    );
    assert_eq!(of(last, "ENV"), ["SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"]);
    assert_eq!(of(last, "ENTRYPOINT"), [r#"["/tenantry-controller"]"#]);
    assert!(of(last, "RUN").is_empty() && of(last, "ADD").is_empty() && of(last, "CMD").is_empty());
}

#[test]
fn its_user_is_the_charts() {
    let stages = stages();
    let user = of(stages.last().expect("an image"), "USER");
    let deployment = read("charts/tenantry/templates/deployment.yaml");
    for line in ["runAsUser: 65532", "runAsGroup: 65532", "runAsNonRoot: true"] {
        assert!(deployment.contains(line), "{line}");
    }
    assert_eq!(user, ["65532:65532"]);
    let ports = of(stages.last().expect("an image"), "EXPOSE");
    assert_eq!(ports, ["8080 8443"]);
    for port in ["containerPort: 8080", "containerPort: 8443"] {
        assert!(deployment.contains(port), "{port}");
    }
}

#[test]
fn what_is_built_is_what_the_lock_file_says_with_a_compiler_that_is_new_enough() {
    let stages = stages();
    let build = &stages[stages.len() - 2];
    let runs = of(build, "RUN").join(" && ");
    let commands: Vec<&str> =
        runs.split("&&").map(str::trim).filter(|command| command.starts_with("cargo build")).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    for (command, program) in commands.iter().zip(["tenantry-controller", "tenantry"]) {
        for word in ["--release", "--locked", "--target", &format!("--bin {program}")] {
            assert!(command.contains(word), "{command}: {word}");
        }
        assert!(!command.contains("failpoints"), "{command}");
    }
    assert!(runs.contains("x86_64-unknown-linux-musl") && runs.contains("aarch64-unknown-linux-musl"));
    let builder = of(&stages[0], "ARG").join(" ");
    let version = builder.strip_prefix("BUILDER=rust:").and_then(|rest| rest.split('-').next());
    let number = |text: &str| -> Vec<u32> { text.split('.').filter_map(|part| part.parse().ok()).collect() };
    let needed = read("Cargo.toml");
    let needed = needed.lines().find_map(|line| line.strip_prefix("rust-version = "));
    let needed = needed.expect("the workspace says which compiler it needs").trim_matches('"');
    assert!(number(version.expect("Rust's own image")) >= number(needed), "{builder} < {needed}");
}

#[test]
fn nothing_comes_from_the_network_but_packages() {
    for line in stages().concat() {
        for word in ["curl", "wget", "http://", "git clone", "ADD "] {
            assert!(!line.contains(word), "{line}");
        }
        if let Some(image) = line.strip_prefix("FROM ") {
            assert!(!image.contains('/'), "a registry is named: {image}");
        }
    }
}

#[test]
fn the_build_gets_every_crate_and_no_secret() {
    let ignore = read(".containerignore");
    let lines: Vec<&str> = ignore.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines[0], "*", "what nobody names stays outside");
    for member in members() {
        assert!(lines.contains(&format!("!{member}/").as_str()), "{member} is not built from");
    }
    // How the allocator is set up is compiled in.
    assert!(lines.contains(&"!.cargo/"));
    assert!(read(".cargo/config.toml").contains("JEMALLOC_SYS_WITH_MALLOC_CONF"));
    for outside in ["!.git/", "!.tenantry/", "!target/", "!charts/", "!docs/"] {
        assert!(!lines.contains(&outside), "{outside}");
    }
    for inside in ["**/target", "**/.tenantry"] {
        assert!(lines.contains(&inside), "{inside}");
    }
    // Files that programs take in when they are compiled lie in what the build gets.
    let mut taken = 0;
    for member in members() {
        for file in sources(&repository_root().join(&member).join("src")) {
            let text = fs::read_to_string(&file).expect("a source can be read");
            for part in text.split("include_str!(\"").skip(1) {
                let path =
                    file.parent().expect("a file lies in a directory").join(part.split('"').next().unwrap());
                let path =
                    fs::canonicalize(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let root = fs::canonicalize(repository_root()).expect("the repository is there");
                let top = path.strip_prefix(root).expect("inside the repository").components().next();
                let top = top.expect("a file").as_os_str().to_string_lossy().into_owned();
                assert!(lines.contains(&format!("!{top}/").as_str()), "{} needs {top}", file.display());
                taken += 1;
            }
        }
    }
    assert!(taken > 5, "only {taken} were looked at");
}

fn sources(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.expect("a directory can be read").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_chart_has_no_image_of_its_own() {
    let values: Value =
        serde_saphyr::from_str(&read("charts/tenantry/values.yaml")).expect("values are YAML");
    assert_eq!(values["image"]["repository"], "", "no image is published that could be meant");
}
