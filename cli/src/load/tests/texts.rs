//! Text to trees: cutting, limits, aliases.

use super::super::tree::{Node, Value};
use super::super::yaml::{self, MAX_DEPTH, MAX_NODES};
use super::{Tree, codes, console, names};

fn roots(text: &str) -> Vec<Option<Node<'_>>> {
    yaml::split(text).into_iter().flat_map(|chunk| yaml::parse(text, chunk)).map(|d| d.root).collect()
}

fn first_code(text: &str) -> Option<&'static str> {
    let problem = |chunk| yaml::parse(text, chunk).into_iter().flat_map(|d| d.problems).next();
    yaml::split(text).into_iter().find_map(problem).map(|p| p.code.as_str())
}

#[test]
fn a_marker_inside_a_block_scalar_is_content_only_when_indented() {
    let text = "a: |\n  ---\n  x\n---\nb: 1\n";
    let roots = roots(text);
    assert_eq!(roots.len(), 2);
    let first = roots[0].as_ref().and_then(|root| root.get("a")).and_then(|(_, value)| value.text());
    assert_eq!(first, Some("---\nx\n"));
}

#[test]
fn lines_are_counted_through_documents_and_all_kinds_of_line_breaks() {
    let text = "# head\r\n---\r\na: 1\r\n--- # second\nb:\n  c: 2\n...\n---\r\nd: 3";
    let lines: Vec<u32> = roots(text).iter().flatten().map(|root| root.entries()[0].0.span.line).collect();
    assert_eq!(lines, [3, 5, 9]);
}

#[test]
fn directives_and_empty_documents_are_read_in_one_piece() {
    assert_eq!(roots("%YAML 1.2\n---\na: 1\n---\nb: 2\n").len(), 2);
    assert_eq!(roots("").len(), 0);
    assert_eq!(roots("---\n---\n# nothing\n---\n").len(), 0);
}

#[test]
fn a_bomb_is_refused_before_it_grows() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..10 {
        let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
        text += &format!("a{n}: &a{n} [{aliases}]\n");
    }
    assert_eq!(first_code(&text), Some("too-complex"));
}

#[test]
fn nesting_stops_at_its_limit_by_brackets_blocks_and_aliases() {
    let deep = |n: usize| format!("a: {}{}", "[".repeat(n), "]".repeat(n));
    assert_eq!(first_code(&deep(MAX_DEPTH - 1)), None);
    assert_eq!(first_code(&deep(MAX_DEPTH + 1)), Some("too-complex"));
    assert_eq!(first_code(&deep(100_000)), Some("too-complex"));
    let blocks: String = (0..200).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    assert_eq!(first_code(&blocks), Some("too-complex"));
    let half = MAX_DEPTH / 2 + 2;
    let aliased = format!(
        "a: &a {}{}\nb: {}*a{}",
        "[".repeat(half),
        "]".repeat(half),
        "[".repeat(half),
        "]".repeat(half)
    );
    assert_eq!(first_code(&aliased), Some("too-complex"));
}

#[test]
fn a_document_of_too_many_values_is_refused() {
    let text = format!("a: [{}]", "1,".repeat(MAX_NODES));
    assert_eq!(first_code(&text), Some("too-complex"));
}

#[test]
fn aliases_and_merge_keys_expand_and_explicit_keys_win() {
    let text = "base: &base {x: one, y: two}\nmade:\n  <<: *base\n  y: three\n";
    let roots = roots(text);
    let made =
        roots[0].as_ref().and_then(|root| root.get("made")).map(|(_, made)| made).expect("it is there");
    let read: Vec<(&str, &str)> =
        made.entries().iter().filter_map(|(key, value)| Some((key.text()?, value.text()?))).collect();
    assert_eq!(read, [("y", "three"), ("x", "one")]);
    assert!(matches!(made.value, Value::Mapping(_)));
}

#[test]
fn duplicate_keys_are_found_in_short_and_long_mappings() {
    assert_eq!(first_code("a: 1\na: 2\n"), Some("duplicate-key"));
    let long: String = (0..40).map(|n| format!("k{n}: 1\n")).collect();
    assert_eq!(first_code(&format!("{long}k7: 2\n")), Some("duplicate-key"));
    assert_eq!(first_code(&long), None);
}

#[test]
fn a_file_of_twenty_thousand_documents_is_read_in_order() {
    let text: String = (0..20_000).map(|n| format!("---\n{}", console(&format!("c{n:05}")))).collect();
    let tree = Tree::of(&[("many.yaml", &text)]);
    let loaded = tree.load(&["many.yaml"]);
    assert_eq!(codes(&loaded), [""; 0]);
    assert_eq!(loaded.counts.documents, 20_000);
    let names = names(&loaded);
    assert!(names.is_sorted() && names.len() == 20_000);
    assert_eq!(loaded.objects[19_999].origin.line, 19_999 * 5 + 2);
}

#[test]
fn json_is_read_with_its_escapes_and_positions() {
    let text = "{\"apiVersion\": \"tenantry.io/v1alpha1\", \"kind\": \"Console\",\n\t\"metadata\": {\"name\": \"a\\u002db\"},\n\t\"spec\": {\"sophos\": {\"program\": \"MspFlex\"}}}";
    let tree = Tree::of(&[("a.json", text)]);
    let loaded = tree.load(&["a.json"]);
    assert_eq!(codes(&loaded), [""; 0]);
    assert_eq!(names(&loaded), ["a-b"]);
}
