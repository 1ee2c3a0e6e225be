//! From an object and a path to its place, after the text is gone.

use super::super::tree::{Step, parse_path, print_path};
use super::{Tree, codes};

const CUSTOMER: &str = "# head
apiVersion: tenantry.io/v1alpha1
kind: Customer
metadata: {name: a, annotations: {\"a.b/c\": x}}
spec:
  company: {legalName: A}
  accounts:
  - name: sophos
    consoleRef: {name: sophos}
    sophos: {billing: Usage}
---
apiVersion: tenantry.io/v1alpha1
kind: Console
metadata: {name: sophos}
spec: {sophos: {program: MspFlex}}
";

#[test]
fn a_path_leads_to_its_value_a_container_to_its_key_and_a_missing_field_to_its_parent() {
    let tree = Tree::of(&[("a.yaml", CUSTOMER)]);
    let loaded = tree.load(&["a.yaml"]);
    assert_eq!(codes(&loaded), [""; 0]);
    let place = |path: &str| {
        let place = loaded.sources.place(&loaded.objects[0].origin, path);
        (place.line, place.column, place.end_column)
    };
    assert_eq!(place("spec.accounts[0].sophos.billing"), (10, 23, 28));
    assert_eq!(place("spec.accounts[0].sophos"), (10, 5, 11));
    assert_eq!(place("/spec/accounts/0/sophos/billing"), (10, 23, 28));
    assert_eq!(place("metadata.annotations[\"a.b/c\"]"), (4, 44, 45));
    assert_eq!(place("spec.company.displayName"), (6, 3, 10));
    assert_eq!(place("spec.accounts[7]"), (7, 3, 11));
    assert_eq!(place(""), (2, 1, 11));
    let second = loaded.sources.place(&loaded.objects[1].origin, "spec.sophos.program");
    assert_eq!(
        (second.line, second.column, second.source.map(|s| s.text.to_string())),
        (15, 26, Some("spec: {sophos: {program: MspFlex}}".to_owned()))
    );
}

#[test]
fn a_file_that_has_changed_gives_no_wrong_caret() {
    let tree = Tree::of(&[("a.yaml", CUSTOMER)]);
    let loaded = tree.load(&["a.yaml"]);
    tree.write("a.yaml", b"something: else\n");
    let place = loaded.sources.place(&loaded.objects[0].origin, "spec.accounts[0].sophos.billing");
    assert_eq!((place.line, place.column, place.source), (2, 1, None));
}

#[test]
fn paths_print_as_they_are_read() {
    for path in ["spec.accounts[0].sophos.billing", "metadata.labels[\"a.b/c\"]", "[3].x", ""] {
        assert_eq!(print_path(&parse_path(path)), path);
    }
    assert_eq!(parse_path("a[b].c"), [Step::Key("a".into()), Step::Key("b".into()), Step::Key("c".into())]);
}
