//! Source lines and foreign strings, made safe to show.
//!
//! Never keeps more than a window of a long line, so that a file of one line cannot fill the memory or the screen.

use std::borrow::Cow;
use std::fmt::Write as _;

/// At most this many characters of a line are kept, around the stretch that is meant.
const WINDOW: usize = 200;

/// One line of a file, as it stands there, cut to a window around the stretch that a diagnostic marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLine {
    /// The line without its line break, or a window of it.
    pub text: Box<str>,
    /// How many characters stand before the window.
    pub cut_before: u32,
    /// True when characters after the window were cut.
    pub cut_after: bool,
}

impl SourceLine {
    /// Keeps `line`, or the part of it around the columns (from 1, end exclusive).
    pub fn new(line: &str, column: u32, end_column: u32) -> Self {
        let start = column.saturating_sub(1) as usize;
        if line.len() <= WINDOW {
            return Self { text: line.into(), cut_before: 0, cut_after: false };
        }
        let end = (end_column.saturating_sub(1) as usize).max(start);
        let marked = (end - start).min(WINDOW / 2);
        let first = start.saturating_sub((WINDOW - marked) / 2);
        let mut rest = line.chars().skip(first);
        let text: String = rest.by_ref().take(WINDOW).collect();
        Self {
            text: text.into(),
            cut_before: u32::try_from(first).unwrap_or(u32::MAX),
            cut_after: rest.next().is_some(),
        }
    }
}

/// True for characters that could move the cursor, hide or reorder text: control characters but the tab, and the
/// bidirectional and invisible format characters.
fn is_unsafe(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every unsafe character written out (`\u{1b}`), so that a terminal shows it instead of obeying it.
///
/// Line breaks are escaped as well: callers that want several lines split first.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push_visible(&mut out, c);
    }
    Cow::Owned(out)
}

pub(super) fn push_visible(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        c if is_unsafe(c) => {
            write!(out, "\\u{{{:x}}}", u32::from(c)).expect("writing to a String cannot fail");
        }
        c => out.push(c),
    }
}
