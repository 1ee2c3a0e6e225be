//! What hostile strings become in each medium.

use super::*;

#[test]
fn a_terminal_never_receives_escapes_or_direction_marks() {
    let hostile = "\u{1b}[31mred\u{202e}txt\r\nx\u{200b}\u{7}";
    let shown = terminal(hostile);
    assert_eq!(shown, "\\u{1b}[31mred\\u{202e}txt\\r\\nx\\u{200b}\\u{7}");
    assert!(shown.chars().all(|c| !c.is_control()));
}

#[test]
fn json_keeps_its_meaning_and_loses_what_turns_a_terminal() {
    let hostile = "a\u{202e}b\u{9b}c\u{e0041}d\u{7f}ü";
    let document = serde_json::to_string_pretty(&serde_json::json!({ "name": hostile })).unwrap();
    let shown = json(&document);
    assert_eq!(shown, "{\n  \"name\": \"a\\u202eb\\u009bc\\udb40\\udc41d\\u007fü\"\n}");
    let back: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(back["name"], hostile);
}

#[test]
fn long_texts_are_cut() {
    assert_eq!(terminal(&"x".repeat(1000)).chars().count(), SHOWN + 1);
}

#[test]
fn markdown_neither_links_nor_mentions_nor_is_html() {
    assert_eq!(markdown("[a](http://x) @all <b>`|"), "\\[a\\]\\(http:&#8203;//x\\) &#64;all &lt;b&gt;\\`\\|");
}

#[test]
fn csv_cells_start_no_formula() {
    assert_eq!(csv("=1+1"), "'=1+1");
    assert_eq!(csv("Müller"), "Müller");
}

#[test]
fn umlauts_and_other_scripts_stay() {
    assert_eq!(terminal("Praxis Müller 東京 Ω"), "Praxis Müller 東京 Ω");
}
