//! Which customers a selector chooses.

use super::*;

fn selector(json: &str) -> LabelSelector {
    serde_json::from_str(json).unwrap()
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

#[test]
fn all_requirements_of_a_selector_must_hold() {
    let s = selector(
        r#"{"matchLabels": {"tier": "gold"}, "matchExpressions": [{"key": "region", "operator": "In", "values": ["south"]}]}"#,
    );
    assert!(s.matches(&labels(&[("tier", "gold"), ("region", "south")])));
    assert!(!s.matches(&labels(&[("tier", "gold")])));
    assert!(!s.matches(&labels(&[("tier", "silver"), ("region", "south")])));
}

#[test]
fn an_absent_label_fulfils_not_in_and_does_not_exist() {
    let not_in = selector(r#"{"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["x"]}]}"#);
    assert!(not_in.matches(&labels(&[])) && !not_in.matches(&labels(&[("a", "x")])));
    let absent = selector(r#"{"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}"#);
    assert!(absent.matches(&labels(&[])) && !absent.matches(&labels(&[("a", "")])));
    let exists = selector(r#"{"matchExpressions": [{"key": "a", "operator": "Exists"}]}"#);
    assert!(exists.matches(&labels(&[("a", "")])) && !exists.matches(&labels(&[])));
}

#[test]
fn an_empty_selector_chooses_everything() {
    assert!(LabelSelector::default().matches(&labels(&[])));
}
