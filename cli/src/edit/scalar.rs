//! A value as YAML text that every reader takes for the same thing.
//!
//! Text is plain only where YAML 1.1, YAML 1.2 and JSON readers all take it for text and it looks like nothing else;
//! otherwise it is quoted. Control, invisible and bidirectional characters are always escaped: a file must not show
//! something else than it says.

use std::fmt::Write as _;

use crate::load::scalar::{Plain, classify};

/// A value to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum New {
    /// Text that is quoted wherever its neighbours allow it: opaque identifiers.
    Id(String),
    /// Text.
    Text(String),
    /// True or false.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A list of texts.
    List(Vec<String>),
}

impl New {
    /// As JSON.
    pub fn json(&self) -> serde_json::Value {
        match self {
            New::Id(text) | New::Text(text) => text.as_str().into(),
            New::Bool(value) => (*value).into(),
            New::Number(value) => (*value).into(),
            New::List(items) => items.as_slice().into(),
        }
    }
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotation marks where that is safe.
    Plain,
    /// In single quotation marks where that is possible.
    Single,
    /// In double quotation marks.
    Double,
    /// In double quotation marks, with JSON's escapes.
    Json,
}

/// The value's text. `flow`: it stands inside braces or brackets.
pub fn render(new: &New, style: Style, flow: bool) -> String {
    match new {
        New::Id(value) => text(value, if style == Style::Plain { Style::Double } else { style }, flow),
        New::Text(value) => text(value, style, flow),
        New::Bool(value) => value.to_string(),
        New::Number(value) => value.to_string(),
        New::List(items) => {
            let items: Vec<String> = items.iter().map(|item| text(item, style, true)).collect();
            format!("[{}]", items.join(", "))
        }
    }
}

fn text(value: &str, style: Style, flow: bool) -> String {
    match style {
        Style::Plain if is_plain(value, flow) => value.to_owned(),
        Style::Single if !value.chars().any(|c| c.is_control() || is_hidden(c)) => {
            format!("'{}'", value.replace('\'', "''"))
        }
        Style::Json => json(value),
        _ => double(value),
    }
}

/// Characters that show nothing, or something else than they are.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{85}' | '\u{a0}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{ffff}')
        || ('\u{e0000}'..='\u{e007f}').contains(&c)
}

/// Text to every reader, whatever stands around it.
pub fn is_plain(value: &str, flow: bool) -> bool {
    let Some(first) = value.chars().next() else { return false };
    let letters = value.chars().any(char::is_alphabetic);
    first.is_alphanumeric()
        && letters
        && classify(value) == Plain::Text
        && !value.ends_with(' ')
        && value.chars().all(|c| {
            c.is_alphanumeric()
                || matches!(c, ' ' | '.' | '_' | '-' | '/' | '@' | '+' | '(' | ')' | '&' | '\'')
                || (c == ',' && !flow)
        })
}

fn double(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c.is_control() || is_hidden(c)) && u32::from(c) <= 0xffff => {
                write!(out, "\\u{:04x}", u32::from(c)).expect("writing to a String cannot fail");
            }
            c if is_hidden(c) => {
                write!(out, "\\U{:08x}", u32::from(c)).expect("writing to a String cannot fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn json(value: &str) -> String {
    let quoted = serde_json::to_string(value).expect("a text is JSON");
    let mut out = String::with_capacity(quoted.len());
    for c in quoted.chars() {
        if (c.is_control() || is_hidden(c)) && u32::from(c) <= 0xffff {
            write!(out, "\\u{:04x}", u32::from(c)).expect("writing to a String cannot fail");
        } else {
            out.push(c);
        }
    }
    out
}
