//! The commands of `docs/kubernetes.md`, run as they stand there, by a shell, in their order.
//!
//! Beside the text: `helm install` gets the values that lead to the simulated consoles, and the controller's program is
//! started where a kubelet would start its pod.

use super::*;

/// The blocks marked `sh`, in order.
fn blocks(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match (&mut block, line) {
            (None, "```sh") => block = Some(String::new()),
            (Some(_), "```") => found.extend(block.take()),
            (Some(inside), line) => {
                inside.push_str(line);
                inside.push('\n');
            }
            (None, _) => {}
        }
    }
    found
}

/// A directory with the programs that the text calls, found first.
fn programs(setup: &Setup, helm_home: &std::path::Path) -> Option<PathBuf> {
    let directory = setup.directory.path().join("bin");
    fs::create_dir_all(&directory).expect("the temporary directory is writable");
    let kubectl = tenantry_tests::parts::available(Part::Kubectl.find())?;
    let helm = tenantry_tests::parts::available(Part::Helm.find())?;
    let values = setup.values();
    let home = helm_home.display();
    let scripts = [
        ("kubectl", format!("exec {} \"$@\"\n", kubectl.display())),
        (
            "helm",
            format!(
                "export HELM_CONFIG_HOME={home}/config HELM_CACHE_HOME={home}/cache HELM_DATA_HOME={home}/data\n\
                 case $1 in install) set -- \"$@\" --values {} ;; esac\n\
                 exec {} \"$@\"\n",
                values.display(),
                helm.display()
            ),
        ),
        ("tenantry", format!("exec {} \"$@\"\n", tenantry_tests::cli::binary().display())),
    ];
    for (name, text) in scripts {
        use std::os::unix::fs::PermissionsExt as _;
        let file = directory.join(name);
        fs::write(&file, format!("#!/bin/sh\n{text}")).expect("the temporary directory is writable");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    Some(directory)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_commands_do_what_the_documentation_says() {
    let Some(setup) = Setup::new().await else { return };
    let home = tempfile::tempdir().expect("a temporary directory can be made");
    let Some(programs) = programs(&setup, home.path()) else { return };
    let text = fs::read_to_string(repository_root().join("docs/kubernetes.md")).expect("it is there");
    let blocks = blocks(&text);
    assert!(blocks.len() >= 9, "{} blocks", blocks.len());
    // Where `ledger.yaml` goes: the chart is found from there as from the repository.
    let place = setup.directory.path().join("repository");
    fs::create_dir(&place).expect("the temporary directory is writable");
    std::os::unix::fs::symlink(repository_root().join("charts"), place.join("charts")).expect("a link");
    let sophos = setup.simulator.sophos("msp").credentials();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut controller = None;
    for (number, block) in blocks.iter().enumerate() {
        let mut command = Command::new("bash");
        command
            .args(["-euo", "pipefail", "-c", block])
            .current_dir(&place)
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("KUBECONFIG", setup.cluster.kubeconfig())
            .env("SOPHOS_CLIENT_ID", &sophos.client_id)
            .env("SOPHOS_CLIENT_SECRET", &sophos.client_secret)
            .env("NOW", setup.simulator.clock().now().to_string());
        let output = tokio::task::spawn_blocking(move || run(command, PATIENCE + PATIENCE))
            .await
            .expect("a block ends")
            .expect("bash can be run");
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let log = controller.as_ref().map(Installed::log).unwrap_or_default();
        assert!(output.status.success(), "block {number}:\n{block}\n{said}\n{}\n{log}", setup.standing().0);
        if block.contains("helm install") {
            controller = Some(setup.controller("tenantry").await);
        }
        if block.contains("get consolebindings \\") {
            assert!(said.contains("adatum 7c1a4e90-2b5d-4f38-a6c1-94d0e3b7f285"), "{said}");
        }
        // Time goes on while a person reads.
        setup.simulator.clock().advance(Span::new().minutes(20)).expect("time goes on");
    }
    let ledger = fs::read_to_string(place.join("ledger.yaml")).expect("the ledger is saved");
    assert!(ledger.contains("kind: ConsoleBinding") && ledger.contains("praxis-mueller"), "{ledger}");
    assert_eq!(setup.effects("sophos/msp", "tenant-created"), 1, "one customer is made once");
    drop(controller);
    setup.simulator.stop().await;
}
