//! What the chart renders with its defaults, whole, for reviewers to read in the difference.
//!
//! `UPDATE=1 cargo test -p tenantry-tests --test chart` writes it anew.

use std::fs;

use tenantry_tests::parts::repository_root;

use super::*;

#[test]
fn the_defaults_render_as_reviewed() {
    let Some(helm) = Helm::find() else { return };
    let rendered = helm.stdout(&[
        "template",
        "crm",
        CHART,
        "--namespace",
        "ops",
        "--set",
        IMAGE,
        "--kube-version",
        "1.36",
    ]);
    let path = repository_root().join("tests").join("objects").join("chart.yaml");
    if std::env::var("UPDATE").is_ok_and(|value| value == "1") {
        fs::write(&path, &rendered).expect("the repository is writable");
    }
    let reviewed = fs::read_to_string(&path).unwrap_or_default();
    let differing = rendered.lines().zip(reviewed.lines()).find(|(new, old)| new != old);
    assert!(
        rendered == reviewed,
        "tests/objects/chart.yaml is not what the chart renders ({} and {} lines; first {differing:?}).\n\
         Run `UPDATE=1 cargo test -p tenantry-tests --test chart`, then read the difference as a reviewer would.",
        reviewed.lines().count(),
        rendered.lines().count(),
    );
}
