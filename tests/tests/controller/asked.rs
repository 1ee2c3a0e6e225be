//! `tenantry plan --from-cluster` with the controller itself: who may read what it observed, and what everybody else is
//! told.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tenantry_tests::cli::binary;
use tenantry_tests::controller::Field;
use tenantry_tests::helm::Helm;
use tenantry_tests::installed::kubeconfig_of;
use tenantry_tests::process::{Nobody, run};

use super::worlds::{known, settled};

/// Somebody's desk: a kubeconfig, tokens, files.
struct Desk<'f> {
    field: &'f Field,
    dir: TempDir,
    kubeconfig: PathBuf,
}

impl<'f> Desk<'f> {
    /// With the rights of the ServiceAccount `reader`, which is in the chart's own reader Role and in nothing else.
    fn of_reader(field: &'f Field, helm: &Helm) -> Self {
        let namespace = field.namespace();
        field.kubectl(&["create", "serviceaccount", "reader"]);
        let subject = format!(
            r#"rbac.reader.subjects=[{{"kind":"ServiceAccount","name":"reader","namespace":"{namespace}"}}]"#
        );
        let role = helm.stdout(&[
            "template",
            "tenantry",
            "charts/tenantry",
            "--show-only=templates/reader.yaml",
            "--set=image.repository=registry.example/tenantry-controller",
            "--set",
            &format!("watch.namespaces={{{namespace}}}"),
            "--set-json",
            &subject,
        ]);
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("role.yaml");
        fs::write(&file, role).expect("it is written");
        field.kubectl(&["apply", "-f", &file.to_string_lossy()]);
        let kubeconfig = field.wait(kubeconfig_of(field.cluster(), namespace, "reader", dir.path()));
        Self { field, dir, kubeconfig }
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.dir.path().join(file);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
        fs::write(path, text).expect("it is written");
    }

    /// Exit code, results, errors.
    fn plan(&self, url: &str, more: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(binary());
        command.args(["plan", "--from-cluster", "-n", self.field.namespace(), "--controller-url", url]);
        command.args(more).current_dir(self.dir.path()).env_clear().env("HOME", self.dir.path());
        command.env("KUBECONFIG", &self.kubeconfig);
        command.env("TENANTRY_NOW", self.field.simulator().clock().now().to_string());
        let output = run(command, Duration::from_secs(120)).expect("it ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints UTF-8");
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }
}

#[test]
fn somebody_with_the_charts_reader_role_plans_files_on_what_the_controller_observed() {
    let Some((field, controller)) = settled(&[]) else { return };
    let Some(helm) = Helm::find() else { return };
    let desk = Desk::of_reader(&field, &helm);
    let mark = field.simulator().log().mark();
    // The login's own token, and the same plan as the controller's.
    let (code, out, err) = desk.plan(&controller.plan, &[]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(out, field.plan(&controller, None).1, "{err}");
    // A file laid over the cluster, with a token in a file.
    desk.write("token", &field.kubectl(&["create", "token", "reader"]));
    desk.write("changes/birch.yaml", &known(2, "birch", "Birch New"));
    let (code, out, err) =
        desk.plan(&controller.plan, &["--controller-token-file", "token", "-f", "changes"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("~ customer birch") && out.contains("Birch New"), "{out}{err}");
    assert!(!out.contains("alder"), "{out}");
    assert_eq!(field.requests(mark), Vec::<String>::new(), "no console was asked");
}

#[test]
fn whoever_may_not_see_it_or_asks_elsewhere_is_told_what_to_do() {
    let Some((field, controller)) = settled(&[]) else { return };
    let Some(helm) = Helm::find() else { return };
    let desk = Desk::of_reader(&field, &helm);
    let url = controller.plan.as_str();
    let refused = |status: u16| {
        format!(
            "the controller at {url} refuses the token ({status}); it asks for the right to get consoles/snapshot in tenantry.io, and a token that this cluster made (kubectl create token NAME)"
        )
    };
    // Lines are wrapped for a terminal: words are compared.
    let says = |(code, out, err): (i32, String, String), words: &str| {
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(code, 1, "{out}{err}");
        assert!(flat(&err).contains(&format!("error[no-snapshot]: {words}")), "{err}");
        assert_eq!(out, "");
    };
    desk.write("foreign", "no-token-of-this-cluster");
    says(desk.plan(url, &["--controller-token-file", "foreign"]), &refused(401));
    field.kubectl(&["create", "serviceaccount", "nobody"]);
    desk.write("nobody", &field.kubectl(&["create", "token", "nobody"]));
    says(desk.plan(url, &["--controller-token-file", "nobody"]), &refused(403));
    // The port of probes and metrics serves no plan.
    let health = controller.health.as_str();
    says(
        desk.plan(health, &[]),
        &format!(
            "the controller at {health} answered 404 instead of a snapshot; see its log, and whether its endpoints are on"
        ),
    );
    // Its endpoints are off: nobody listens.
    let nobody = Nobody::hold().expect("a port");
    let off = format!("http://127.0.0.1:{}", nobody.port());
    says(
        desk.plan(&off, &[]),
        &format!(
            "the controller at {off} gives no answer; see that it serves plans (snapshot.enabled in the chart), forward its port, as in: kubectl port-forward service/tenantry-controller 8443, and see --controller-ca"
        ),
    );
}
