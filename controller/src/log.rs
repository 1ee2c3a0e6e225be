//! What the controller says while it runs: one JSON object a line, on stderr.
//!
//! Never a secret, never a contact: names of objects, words of the engine (fit for a terminal), numbers.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Good to know.
    Info,
    /// Somebody should look.
    Warn,
    /// Something does not go on.
    Error,
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// One line: a kebab-case word for what happened, and fields.
pub fn say(level: Level, what: &str, fields: Value) {
    eprintln!("{}", line(Timestamp::now(), level, what, fields));
}

fn line(at: Timestamp, level: Level, what: &str, fields: Value) -> String {
    let mut out = Map::new();
    out.insert("time".into(), at.to_string().into());
    out.insert("level".into(), level.word().into());
    out.insert("event".into(), what.into());
    if let Value::Object(fields) = fields {
        out.extend(fields);
    }
    Value::Object(out).to_string()
}

/// An error with everything behind it, once.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        out.push_str(": ");
        out.push_str(&cause.to_string());
        source = cause.source();
    }
    tenantry_engine::text::terminal(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_json_object_with_its_fields() {
        let at: Timestamp = "2026-11-21T08:00:00Z".parse().expect("a moment");
        let line = line(at, Level::Warn, "lease-lost", serde_json::json!({"generation": 3}));
        let read: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(read["level"], "warn");
        assert_eq!(read["event"], "lease-lost");
        assert_eq!(read["generation"], 3);
        assert_eq!(read["time"], "2026-11-21T08:00:00Z");
    }
}
