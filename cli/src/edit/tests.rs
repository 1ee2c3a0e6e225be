//! An edit changes its value and nothing else, in every style that people write.

use proptest::prelude::*;
use serde_json::json;

use super::scalar::{Style, is_plain, render};
use super::*;
use crate::load::tree::parse_path;

fn edit(line: u32, path: &str, new: New) -> Edit {
    let origin = Origin { path: "a.yaml".into(), line, column: 1 };
    Edit { origin, path: parse_path(path), new, after: &["name", "consoleRef"] }
}

fn text(value: &str) -> New {
    New::Text(value.to_owned())
}

fn id(value: &str) -> New {
    New::Id(value.to_owned())
}

fn edited(before: &str, path: &str, new: New) -> String {
    let (after, refused) = edit_text(before, &[edit(1, path, new)]);
    assert_eq!(refused, []);
    after
}

fn refusal(before: &str, path: &str, new: New) -> String {
    let (after, refused) = edit_text(before, &[edit(1, path, new)]);
    assert_eq!(after, before, "what is refused changes nothing");
    refused.first().expect("it is refused").1.to_string()
}

/// A tree as JSON, scalars as their text.
fn tree(node: &Node<'_>) -> serde_json::Value {
    match &node.value {
        Value::Scalar { text, .. } => json!(text),
        Value::Sequence(items) => items.iter().map(tree).collect(),
        Value::Mapping(entries) => entries
            .iter()
            .map(|(key, value)| (key.text().unwrap_or_default().to_owned(), tree(value)))
            .collect(),
    }
}

fn trees(text: &str) -> Vec<serde_json::Value> {
    let read = |chunk| yaml::parse(text, chunk);
    let documents = yaml::split(text).into_iter().flat_map(read);
    documents.map(|document| tree(document.root.as_ref().expect("it is YAML"))).collect()
}

#[test]
fn a_value_is_replaced_in_its_own_style() {
    let before = "a: 1 # one\nb: 'x'   # two\nc: \"x\"\nd: {e: x, f: [x, \"y\"]} # three\ng: plain words\n";
    assert_eq!(edited(before, "a", New::Number(-12)), before.replace("a: 1", "a: -12"));
    assert_eq!(edited(before, "b", text("it's")), before.replace("'x'", "'it''s'"));
    assert_eq!(edited(before, "c", text("a\"b\\\n")), before.replace("c: \"x\"", "c: \"a\\\"b\\\\\\n\""));
    assert_eq!(edited(before, "d.e", text("z, y")), before.replace("e: x", "e: \"z, y\""));
    assert_eq!(edited(before, "d.f[0]", text("z")), before.replace("[x,", "[z,").clone());
    assert_eq!(
        edited(before, "d.f", New::List(vec!["p".into(), "q".into()])),
        before.replace("[x, \"y\"]", "[p, q]")
    );
    assert_eq!(
        edited(before, "g", text("other words, still plain")),
        before.replace("plain words", "other words, still plain")
    );
    assert_eq!(edited(before, "g", New::Bool(true)), before.replace("plain words", "true"));
}

#[test]
fn what_yaml_1_1_reads_otherwise_is_quoted() {
    for trap in [
        "NO",
        "on",
        "y",
        "0755",
        "1e3",
        "12:30:45",
        "~",
        "",
        "null",
        "3.10",
        "10115",
        "2026-12-31",
        "-",
        "- x",
        "a: b",
        "a #b",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "'a",
        "a ",
        " a",
        "{a",
        "[a",
        "?",
        "=",
        "<<",
        "+49 30",
        ".5",
        "0x1F",
        "1_000",
        "true",
        "|",
        ">",
    ] {
        assert!(!is_plain(trap, false), "{trap}");
        let after = edited("a: b\n", "a", text(trap));
        assert_eq!(trees(&after), [json!({"a": trap})], "{after}");
        assert!(after.starts_with("a: \""), "{after}");
    }
    for plain in ["Praxis Müller", "7f2e0c1a-aaaa-bbbb", "a.b@c.example", "Kai 1 (Hof)", "Müller & Co"] {
        assert_eq!(edited("a: b\n", "a", text(plain)), format!("a: {plain}\n"));
    }
}

#[test]
fn what_shows_otherwise_than_it_is_gets_escaped() {
    let after = edited("a: b\n", "a", text("x\u{202e}y\u{1b}[31m\u{e0041}"));
    assert_eq!(after, "a: \"x\\u202ey\\u001b[31m\\U000e0041\"\n");
    assert_eq!(trees(&after), [json!({"a": "x\u{202e}y\u{1b}[31m\u{e0041}"})]);
    assert_eq!(render(&text("x\u{202e}"), Style::Single, false), "\"x\\u202e\"");
}

#[test]
fn a_new_key_gets_its_neighbours_indentation_and_leaves_comments_where_they_are() {
    let before = "# head
spec:
    accounts:
    # the first
    -   name: sophos   # ours
        consoleRef:
            name: sophos # there
        # about billing
        sophos: {billing: Usage}

    - {consoleRef: {name: microsoft}, microsoft: {domain: a.example}} # second
    # the end
";
    let (after, refused) = edit_text(
        before,
        &[
            Edit {
                origin: Origin { path: "a".into(), line: 2, column: 1 },
                ..edit(2, "spec.accounts[0].id", id("7f2e"))
            },
            edit(2, "spec.accounts[1].id", id("NO")),
        ],
    );
    assert_eq!(refused, []);
    let expected = before
        .replace("name: sophos # there\n", "name: sophos # there\n        id: \"7f2e\"\n")
        .replace("{name: microsoft},", "{name: microsoft}, id: \"NO\",");
    assert_eq!(after, expected);
}

#[test]
fn line_ends_and_a_missing_last_one_stay_as_they_are() {
    assert_eq!(edited("a: b\r\nc: d\r\n", "id", id("x")), "a: b\r\nc: d\r\nid: \"x\"\r\n");
    assert_eq!(edited("a: b\r\nc: d", "id", id("x")), "a: b\r\nc: d\r\nid: \"x\"");
    assert_eq!(edited("a: b", "id", id("x")), "a: b\nid: \"x\"");
    assert_eq!(edited("name: b # c\nd: e\n", "id", id("x")), "name: b # c\nid: \"x\"\nd: e\n");
}

#[test]
fn block_scalars_around_a_new_key_keep_their_lines() {
    for before in [
        "name: |\n  x\n  y\nz: 1\n",
        "name: >-\n  x\n\n# c\nz: 1\n",
        "a: 1\nname: |+\n  x\n\nz: 1\n",
        "name: |\n  x\n",
    ] {
        let after = edited(before, "id", id("x"));
        let mut expected = trees(before);
        expected[0]["id"] = json!("x");
        assert_eq!(trees(&after), expected, "{after}");
        assert_eq!(after.replace("id: \"x\"\n", ""), before);
    }
}

#[test]
fn flow_mappings_over_several_lines_and_json_keep_their_style() {
    assert_eq!(
        edited("spec: {\n  name: a, # first\n  b: c # last\n}\n", "spec.id", id("x")),
        "spec: {\n  name: a, # first\n  id: \"x\",\n  b: c # last\n}\n"
    );
    assert_eq!(
        edited("spec: {\n  a: b, # first\n  name: c # last\n}\n", "spec.id", id("x")),
        "spec: {\n  a: b, # first\n  name: c, # last\n  id: \"x\"\n}\n"
    );
    assert_eq!(
        edited("spec: {\n  name: a\n}\n", "spec.id", id("x")),
        "spec: {\n  name: a,\n  id: \"x\"\n}\n"
    );
    assert_eq!(edited("{\"name\":\"a\",\"b\":1}", "id", id("x")), "{\"name\":\"a\",\"id\":\"x\",\"b\":1}");
    assert_eq!(
        edited("{\n  \"name\": \"a\",\n  \"b\": {}\n}\n", "id", id("\u{7f}")),
        "{\n  \"name\": \"a\",\n  \"id\": \"\\u007f\",\n  \"b\": {}\n}\n"
    );
    assert_eq!(edited("{\"b\": {}}", "b.c.d", text("x")), "{\"b\": {\"c\": {\"d\": \"x\"}}}");
    assert_eq!(edited("a: {}\n", "a.id", id("x")), "a: {id: \"x\"}\n");
    assert_eq!(edited("a: { b: c }\n", "a.id", id("x")), "a: { b: c, id: \"x\" }\n");
    assert_eq!(edited("a: {b: c,}\n", "a.id", id("x")), "a: {b: c, id: \"x\",}\n");
}

#[test]
fn what_is_missing_in_between_is_made() {
    assert_eq!(
        edited("spec:\n  a: 1\n", "spec.renewal.quantity", New::Number(9)),
        "spec:\n  a: 1\n  renewal: {quantity: 9}\n"
    );
}

#[test]
fn only_the_object_that_is_meant_is_edited_in_a_file_of_many() {
    let before = "name: a\n--- # second\nname: b\n...\n---\napiVersion: v1\nkind: List\nitems:\n- name: c\n- name: d\n";
    let at =
        |line, column| Edit { origin: Origin { path: "a".into(), line, column }, ..edit(1, "id", id("x")) };
    let (after, refused) = edit_text(before, &[at(10, 3), at(3, 1), at(9, 3)]);
    assert_eq!(refused, []);
    assert_eq!(
        after,
        before
            .replace("name: b\n", "name: b\nid: \"x\"\n")
            .replace("- name: c\n", "- name: c\n  id: \"x\"\n")
            .replace("- name: d\n", "- name: d\n  id: \"x\"\n")
    );
    assert_eq!(edit_text(before, &[at(4, 1)]), (before.to_owned(), vec![(0, CannotEdit::Moved)]));
}

#[test]
fn two_new_keys_at_one_place_are_both_made() {
    let edits = [
        edit(1, "spec.renewal.quantity", New::Number(9)),
        edit(1, "spec.renewal.autoRenew", New::Bool(false)),
        edit(1, "spec.id", id("x")),
    ];
    let (after, refused) = edit_text("spec:\n  name: 1\n", &edits);
    assert_eq!(refused, []);
    assert_eq!(
        trees(&after),
        [json!({"spec": {"name": "1", "id": "x", "renewal": {"quantity": "9", "autoRenew": "false"}}})],
        "{after}"
    );
}

#[test]
fn what_others_may_share_and_what_has_several_lines_is_left_to_a_person() {
    assert_eq!(
        refusal("a: &x {name: b}\nc: *x\n", "c.name", text("d")),
        "`c` comes from an anchor that others may use; write it by hand"
    );
    assert!(
        refusal("a: &x {name: b}\nc:\n  <<: *x\n", "c.name", text("d")).starts_with("`c.name` comes from")
    );
    assert!(
        refusal("a: &x {name: b}\nc:\n  d: e\n  <<: *x\n", "c.id", text("d"))
            .starts_with("`c.id` comes from")
    );
    assert!(refusal("a: &x b\nc: *x\n", "c", text("d")).starts_with("`c` comes from"));
    assert_eq!(refusal("a: |\n  b\n", "a", text("d")), "`a` is written over several lines; write it by hand");
    assert!(refusal("a:\n- b\n", "a", New::List(vec![])).contains("several lines"));
    assert_eq!(refusal("a: b\n", "a.c", text("d")), "there is no place for `a.c`; write it by hand");
    assert_eq!(refusal("a: [b]\n", "a[3]", text("d")), "there is no place for `a[3]`; write it by hand");
    assert_eq!(
        CannotEdit::StandardInput.to_string(),
        "it was read from standard input, which cannot be written"
    );
    assert_eq!(CannotEdit::Moved.to_string(), "the object is not where it was read; run again");
    assert_eq!(CannotEdit::Unreadable("gone".into()).to_string(), "its file cannot be edited: gone");
}

/// One account in one of the styles that people use, with a comment that holds a number.
fn account(style: u8, name: &str, n: usize) -> String {
    match style % 5 {
        0 => format!(
            "  - name: {name} # c{n}\n    # d{n}\n    consoleRef: {{name: s}}\n    sophos:\n      billing: Usage # e{n}\n"
        ),
        1 => format!("  - {{name: {name}, consoleRef: {{name: s}}}} # c{n}\n"),
        2 => format!("  - {{\n      name: {name}, # c{n}\n      consoleRef: {{name: s}} # d{n}\n    }}\n"),
        3 => format!(
            "  -\n      consoleRef:\n        name: s # c{n}\n\n      # d{n}\n      displayName: |\n        {name}\n        second # no comment\n"
        ),
        _ => format!("  - {{\"name\": \"{name}\", \"consoleRef\": {{\"name\": \"s\"}}, }}   # c{n}\n"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edit_changes_the_intended_value_and_nothing_else(
        styles in proptest::collection::vec(any::<u8>(), 1..6),
        names in proptest::collection::vec("[a-z]{1,8}", 6),
        which in any::<prop::sample::Index>(),
        value in "\\PC{0,20}|[ -~]{0,12}|[\\x00-\\x20\u{80}-\u{a0}\u{2028}\u{202e}]{0,4}",
        crlf in any::<bool>(),
        cut in any::<bool>(),
        known in any::<bool>(),
    ) {
        let mut before = String::from("# head\napiVersion: v\nspec:\n  accounts: # list\n");
        for (n, style) in styles.iter().enumerate() {
            before.push_str(&account(*style, &names[n], n));
        }
        before.push_str("  # tail\n---\nother: document # untouched\n");
        if cut { before.truncate(before.len() - 1); }
        if crlf { before = before.replace('\n', "\r\n"); }
        let at = which.index(styles.len());
        let path = if known { format!("spec.accounts[{at}].consoleRef.name") } else { format!("spec.accounts[{at}].id") };
        let edit = edit(2, &path, id(&value));
        let (after, refused) = edit_text(&before, std::slice::from_ref(&edit));
        prop_assert_eq!(refused, vec![]);
        let mut expected = trees(&before);
        prop_assert!(edit.set(&mut expected[0]));
        prop_assert_eq!(trees(&after), expected, "{}", after);
        // Every line but at most one is there byte for byte, in its order.
        let (old, new): (Vec<&str>, Vec<&str>) = (before.split('\n').collect(), after.split('\n').collect());
        let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
        prop_assert!(head + tail + 1 >= old.len() && new.len() <= old.len() + 1, "more than a line differs:\n{}", after);
        for comment in before.split('#').skip(1).map(|rest| rest.split(['\r', '\n']).next().unwrap_or_default()) {
            prop_assert!(after.contains(&format!("#{comment}")), "#{} is gone:\n{}", comment, after);
        }
        prop_assert_eq!(after.matches("\r\n").count() == after.matches('\n').count(), crlf);
        prop_assert_eq!(after.ends_with('\n'), before.ends_with('\n'));
    }

    #[test]
    fn any_text_reads_back_as_itself_in_every_style(value in "\\PC{0,24}|[\\x00-\u{ff}]{0,12}|[+-]?[0-9.:eE_x]{1,8}") {
        for style in [Style::Plain, Style::Single, Style::Double, Style::Json] {
            for (flow, document) in [(false, "a: V\n"), (true, "a: [V, b]\n")] {
                let written = render(&New::Text(value.clone()), style, flow);
                let document = document.replace('V', &written);
                let expected = if flow { json!([value, "b"]) } else { json!(value) };
                prop_assert_eq!(trees(&document), vec![json!({"a": expected})], "{}", document);
            }
        }
    }

    #[test]
    fn no_text_and_no_path_panics(before in "[a-c0-9 :\\-\\[\\]{}#&*!|>'\",?~\r\nä]{0,80}", path in "[a-c]([.][a-c]|\\[[0-2]\\]){0,3}") {
        let (after, refused) = edit_text(&before, &[edit(1, &path, id("x"))]);
        prop_assert!(refused.is_empty() || after == before);
    }
}
