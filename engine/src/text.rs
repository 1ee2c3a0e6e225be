//! Vendor strings are untrusted: this is the one place that makes them fit to show.
//!
//! Adapters keep a vendor's text as it came ([`Untrusted`]); whoever prints asks for the spelling of the medium. A
//! terminal never receives a control, escape or bidirectional character, Markdown never a live link, mention or HTML,
//! CSV never a formula.

use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A text from a vendor. It has no `Display`: the reader's medium must be named.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(SmolStr);

impl Untrusted {
    /// Keeps the text as the vendor sent it.
    pub fn new(text: impl Into<SmolStr>) -> Self {
        Self(text.into())
    }

    /// The text of a value, which then is in memory once.
    pub fn of(value: &crate::value::Value) -> Self {
        match value {
            crate::value::Value::Text(text) => Self(text.clone()),
            other => Self::new(other.terminal()),
        }
    }

    /// The bytes as they came: to compare and to send back, never to print.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// For terminals, logs and plain text.
    pub fn terminal(&self) -> String {
        terminal(&self.0)
    }

    /// For Markdown, inline.
    pub fn markdown(&self) -> String {
        markdown(&self.0)
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", terminal(&self.0))
    }
}

/// A text from a vendor that another holds: shown by the same rules as [`Untrusted`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UntrustedRef<'a>(&'a str);

impl<'a> UntrustedRef<'a> {
    /// The text as the vendor sent it.
    pub fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The bytes as they came: to compare and to send back, never to print.
    pub fn raw(self) -> &'a str {
        self.0
    }

    /// For terminals, logs and plain text.
    pub fn terminal(self) -> String {
        terminal(self.0)
    }
}

impl fmt::Debug for UntrustedRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", terminal(self.0))
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// The longest text shown in one piece, in characters; longer ones end in an ellipsis.
const SHOWN: usize = 200;

fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}' | '\u{fff9}'..='\u{fffb}')
        || ('\u{e0000}'..='\u{e007f}').contains(&c)
}

/// Makes a text fit for a terminal: control, escape, bidirectional and invisible characters become a visible `\u{…}`.
pub fn terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (n, c) in text.chars().enumerate() {
        if n == SHOWN {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_hostile(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// Makes a JSON document fit for a terminal: hostile characters, which only its texts can hold, become `\uXXXX`, which
/// readers of JSON take for the same.
pub fn json(document: &str) -> String {
    let mut out = String::with_capacity(document.len());
    for c in document.chars() {
        if c != '\n' && is_hostile(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Makes a text fit to stand inline in Markdown: nothing in it formats, links, mentions or is HTML.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in terminal(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.replace("://", ":&#8203;//").replace("www.", "www&#46;")
}

/// Makes a text fit for a CSV cell that a spreadsheet opens: no cell starts a formula.
pub fn csv(text: &str) -> String {
    let clean = terminal(text);
    match clean.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\0') => format!("'{clean}"),
        _ => clean,
    }
}

#[cfg(test)]
mod tests;
