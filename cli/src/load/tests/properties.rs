//! No input panics, and no plain scalar changes on its way.

use std::path::PathBuf;

use proptest::prelude::*;
use serde::Deserialize;

use super::super::scalar::{Plain, classify};
use super::super::tree::parse_path;
use super::super::typed::{self, Decoder};
use super::super::{Options, validate_with, yaml};
use crate::diagnostics::{self, Style};

/// Everything that can be done with some bytes.
fn exercise(bytes: &[u8]) {
    let base = std::env::temp_dir();
    let loaded = validate_with(&[PathBuf::from("-")], &Options::new(base), &mut &*bytes);
    for style in [Style::Plain, Style::Colour] {
        let printed = diagnostics::text(&loaded.diagnostics, style);
        let own = if style == Style::Plain { printed.clone() } else { String::new() };
        assert!(
            !own.contains('\u{1b}') && !own.contains('\u{7}'),
            "a control character reaches the terminal"
        );
    }
    diagnostics::json(&loaded.diagnostics, 1);
    let commands = diagnostics::github(&loaded.diagnostics);
    assert!(commands.lines().all(|line| line.starts_with("::")), "a file smuggles in a line: {commands}");
}

/// The value of `value: TEXT` as free-form JSON, if it is accepted.
fn free(text: &str) -> Option<serde_json::Value> {
    let document = format!("value: {text}\n");
    let chunk = *yaml::split(&document).first()?;
    let mut documents = yaml::parse(&document, chunk);
    let root = documents.pop()?.root?;
    let decode = |decoder: Decoder<'_, '_>| serde_json::Value::deserialize(decoder);
    typed::decode("Test", &root, decode).ok()?.get("value").cloned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        exercise(&bytes);
    }

    #[test]
    fn no_yaml_like_text_panics(text in "[a-z0-9 :\\-\\[\\]{}#&*!|>'\"%@`,?~\t\r\n\u{1b}\u{202e}äß😀]{0,200}") {
        exercise(text.as_bytes());
    }

    #[test]
    fn no_damaged_declaration_panics(cut in 0usize..400, put in "[\\x00-\\x7f]{0,6}", gone in 0usize..12) {
        let whole = include_str!("messages/yaml11.yaml");
        let at = (0..=cut.min(whole.len())).rev().find(|at| whole.is_char_boundary(*at)).unwrap_or(0);
        let mut after = (at + gone).min(whole.len());
        while !whole.is_char_boundary(after) { after += 1; }
        exercise(format!("{}{put}{}", &whole[..at], &whole[after..]).as_bytes());
    }

    #[test]
    fn an_accepted_plain_scalar_prints_back_as_its_own_characters(
        text in "[0-9a-zA-Z+\\-._:]{1,12}|[+-]?[0-9]{1,25}|[+-]?[0-9]{0,4}[.][0-9]{0,4}(e[0-9])?|(?i:yes|no|on|off|true|false|null|y|n|~)"
    ) {
        match free(&text) {
            Some(serde_json::Value::String(read)) => prop_assert_eq!(read, text),
            Some(serde_json::Value::Number(read)) => prop_assert_eq!(read.to_string(), text),
            Some(serde_json::Value::Bool(read)) => prop_assert_eq!(read.to_string(), text),
            Some(other) => {
                // `a:` is a mapping, `- x` a list; neither converts a scalar.
                prop_assert!(other.is_object() || other.is_array(), "{} became {}", text, other);
            }
            None => {}
        }
    }

    #[test]
    fn text_that_parses_as_a_number_anywhere_is_never_read_as_text(text in "[+-]?[0-9]{1,6}([.][0-9]{1,3})?([eE][+-]?[0-9]{1,2})?") {
        prop_assert!(classify(&text) != Plain::Text);
    }

    #[test]
    fn no_path_panics(path in "[a-z.\\[\\]\"'/~0-9ä]{0,40}") {
        parse_path(&path);
    }
}
