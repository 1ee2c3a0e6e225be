//! Diagnostics as GitHub workflow commands, which a job's log turns into annotations on a pull request.
//!
//! The escapes are those of GitHub's own toolkit (`@actions/core`, command.ts): `%`, CR and LF in the message, and
//! `:` and `,` as well in a property. A file's content can therefore not smuggle in a second command.

use std::fmt::Write as _;

use super::{Diagnostic, Severity, visible};

/// One `::error …::…` line per diagnostic; empty for none.
pub fn github(diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for d in diagnostics {
        let command = match d.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut properties = Vec::new();
        if let Some(place) = &d.place {
            properties.push(format!("file={}", property(&place.repository_path)));
            if place.line > 0 {
                properties.push(format!("line={}", place.line));
                properties.push(format!("col={}", place.column));
                properties.push(format!("endColumn={}", place.end_column));
            }
        }
        properties.push(format!("title={}", property(d.code.as_str())));
        let mut lines = vec![visible(&d.message).into_owned()];
        lines.extend(d.label.as_deref().map(|l| visible(l).into_owned()));
        lines.extend(
            d.related.iter().map(|r| format!("{}: {}", r.place.to_short_string(), visible(&r.message))),
        );
        lines.extend(d.notes.iter().map(|n| format!("{}: {}", n.kind.as_str(), visible(&n.text))));
        let (properties, message) = (properties.join(","), message(&lines.join("\n")));
        writeln!(out, "::{command} {properties}::{message}").expect("writing to a String cannot fail");
    }
    out
}

fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(&visible(text)).replace(':', "%3A").replace(',', "%2C")
}
