//! Characters in declared values that whoever reviews the file does not see, or that make the rest look otherwise.
//!
//! Output never obeys them ([`tenantry_engine::text`]); here they are told at their place, because a file is reviewed
//! where other programs show it. Never refuses anything: some languages are written with a few of them.

use super::problem::Problem;
use super::tree::{Node, Span, Value};
use crate::diagnostics::Code;

/// After so many values of one document the rest is left for the next run.
const AT_MOST: usize = 20;

/// What such a character does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Turns,
    Controls,
    Hides,
}

impl Does {
    /// What this character does behind that one; `None` for one that is seen.
    fn what(before: Option<char>, c: char) -> Option<Self> {
        match c {
            '\n' | '\t' => None,
            // Persian, the languages of India and emoji are written with them.
            '\u{200c}' | '\u{200d}' if before.is_some_and(|before| !before.is_ascii()) => None,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                Some(Self::Turns)
            }
            c if c.is_control() => Some(Self::Controls),
            '\u{ad}'
            | '\u{200b}'..='\u{200d}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{2060}'..='\u{2065}'
            | '\u{206a}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}' => Some(Self::Hides),
            _ => None,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Turns => "which turns the direction in which text is shown",
            Self::Controls => "which controls terminals and is not shown",
            Self::Hides => "which is not shown",
        }
    }
}

/// The first such character of a text, and the byte at which it stands.
fn first(text: &str) -> Option<(usize, char, Does)> {
    // Nearly all values are plain: their bytes are looked at, and nothing else.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) {
        return None;
    }
    let mut before = None;
    text.char_indices().find_map(|(at, c)| {
        let does = Does::what(before.replace(c), c)?;
        Some((at, c, does))
    })
}

/// Warns of each key and value of a document that holds such a character and has no `mistake`.
pub fn check(text: &str, root: &Node<'_>, mistakes: &[Problem]) -> Vec<Problem> {
    let mut found = Vec::new();
    for (key, value) in root.entries().iter().filter(|(key, _)| key.text() != Some("status")) {
        look(text, key, "key", mistakes, &mut found);
        look(text, value, "value", mistakes, &mut found);
    }
    found
}

fn look(text: &str, node: &Node<'_>, what: &str, mistakes: &[Problem], found: &mut Vec<Problem>) {
    if found.len() >= AT_MOST {
        return;
    }
    match &node.value {
        Value::Sequence(items) => {
            for item in items {
                look(text, item, "value", mistakes, found);
            }
        }
        Value::Mapping(entries) => {
            for (key, value) in entries {
                look(text, key, "key", mistakes, found);
                look(text, value, "value", mistakes, found);
            }
        }
        Value::Scalar { text: value, .. } => {
            let Some((_, c, does)) = first(value) else { return };
            let told =
                |problem: &Problem| problem.span.start < node.span.end && node.span.start < problem.span.end;
            if mistakes.iter().any(told) || found.iter().any(told) {
                return;
            }
            let code = u32::from(c);
            let message = format!("this {what} holds U+{code:04X}, {}", does.words());
            found.push(
                Problem::warning(Code::HiddenCharacter, message, place(text, node.span, c))
                    .label("leave it out unless it is meant")
                    .help(format!("who reviews this file may see another {what} than the console gets")),
            );
        }
    }
}

/// Where the character itself stands; the whole scalar where it is written with an escape.
fn place(text: &str, span: Span, c: char) -> Span {
    let Some(raw) = text.get(span.start as usize..span.end as usize) else { return span };
    let Some(at) = raw.find(c) else { return span };
    let before = &raw[..at];
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let breaks = before.matches('\n').count();
    let column = match before.rfind('\n') {
        Some(last) => 1 + count(before[last + 1..].chars().count()),
        None => span.column.saturating_add(count(before.chars().count())),
    };
    let start = span.start + count(at);
    Span { start, end: start + count(c.len_utf8()), line: span.line + count(breaks), column }
}
