//! Mistakes in words: one sentence, one label beside the caret, one command that says more.

use serde::de::{Expected, Unexpected};

use super::super::problem::Problem;
use super::super::scalar::{Plain, Trap};
use super::super::tree::{Node, Step, Value, print_path};
use super::{At, Kind};
use crate::diagnostics::Code;

/// All mistakes of a document as problems, in source order.
pub(super) fn problems(kind: &str, root: &Node<'_>, found: &mut Vec<(At, Kind)>) -> Vec<Problem> {
    found.sort_by_key(|(at, _)| at.span.start);
    found.drain(..).map(|(at, mistake)| problem(kind, root, at, &mistake)).collect()
}

fn problem(kind: &str, root: &Node<'_>, at: At, mistake: &Kind) -> Problem {
    let mut path = root.path_to(at.span.start).unwrap_or_default();
    if at.first_key {
        path.pop();
    }
    // Unknown and missing fields are looked up in the struct that should hold them.
    let holder = match mistake {
        Kind::Field { .. } => &path[..path.len().saturating_sub(1)],
        _ => &path[..],
    };
    let (message, label) = message(kind, &shown(&path), mistake);
    let mut problem = Problem::new(code(mistake), message, at.span);
    problem.label = label;
    let lookup = matches!(
        mistake,
        Kind::Field { .. }
            | Kind::MissingField(_)
            | Kind::Type { .. }
            | Kind::Variant { .. }
            | Kind::Custom(_)
            | Kind::Scalar { .. }
    );
    if lookup && !matches!(path.first(), Some(Step::Key(key)) if key == "metadata") {
        problem = problem.see(format!("tenantry explain {}", explain(kind, holder)));
    }
    problem
}

/// `customer.spec.accounts`, as `tenantry explain` wants it.
pub fn explain(kind: &str, path: &[Step]) -> String {
    let mut out = kind.to_lowercase();
    for step in path {
        if let Step::Key(key) = step {
            out.push('.');
            out.push_str(key);
        }
    }
    out
}

/// A path as messages show it: without `spec.`, which every field has.
fn shown(path: &[Step]) -> String {
    match path.split_first() {
        Some((Step::Key(first), rest)) if first == "spec" && !rest.is_empty() => print_path(rest),
        _ => print_path(path),
    }
}

const fn code(mistake: &Kind) -> Code {
    match mistake {
        Kind::Null => Code::NullValue,
        Kind::Trap { trap: Trap::Boolean(_), .. } => Code::Yaml11Boolean,
        Kind::Trap { .. } => Code::Yaml11Number,
        Kind::Unquoted { .. } | Kind::Scalar { .. } | Kind::Type { .. } => Code::WrongType,
        Kind::Variant { .. } => Code::UnknownValue,
        Kind::Field { .. } => Code::UnknownField,
        Kind::MissingField(_) => Code::MissingField,
        Kind::Length | Kind::Custom(_) => Code::InvalidValue,
    }
}

/// The sentence and the label of a mistake at `path` in an object of `kind`.
pub(super) fn message(kind: &str, path: &str, mistake: &Kind) -> (String, Option<String>) {
    let place = if path.is_empty() { kind.to_owned() } else { format!("`{path}`") };
    match mistake {
        Kind::Null => (
            format!("{place} has no value, and null is none"),
            Some("give it a value, or leave the field out; `[]` wants none".to_owned()),
        ),
        Kind::Trap { text, trap: Trap::Boolean(value), wanted } => match *wanted {
            "text" => (
                format!("`{text}` is text here, but YAML 1.1 readers take it for {value}"),
                Some(format!("write \"{text}\"")),
            ),
            "anything" => (
                format!("`{text}` is {value} to YAML 1.1 readers and text to others"),
                Some(format!("write \"{text}\" or {value}")),
            ),
            "true or false" => {
                (format!("`{text}` is {value} to YAML 1.1 readers only"), Some(format!("write {value}")))
            }
            _ => (format!("{place} must be {wanted}, and `{text}` is none"), None),
        },
        Kind::Trap { text, trap: Trap::Special, .. } => (
            format!("`{text}` means something special to YAML 1.1 readers"),
            Some(format!("write \"{text}\"")),
        ),
        Kind::Trap { text, trap: Trap::Number, wanted } => match *wanted {
            "text" => (
                format!("`{text}` is text here, but YAML readers take it for a number"),
                Some(format!("write \"{text}\"")),
            ),
            "anything" => (
                format!("`{text}` is read as different numbers, or as text, by different YAML readers"),
                Some(format!("write \"{text}\", or the number in plain decimal digits")),
            ),
            _ => (
                format!("`{text}` is read as different numbers by different YAML readers"),
                Some("write the number in plain decimal digits".to_owned()),
            ),
        },
        Kind::Unquoted { text, is } => (
            format!("{place} is text, and `{text}` without quotation marks is {is}"),
            Some(format!("write \"{text}\"")),
        ),
        Kind::Scalar { text, class, quoted, wanted } => {
            let label = (*quoted && unquotes(text, wanted)).then(|| format!("write {text}"));
            let found = match class {
                Plain::Bool(_) => "a boolean",
                Plain::Float(_) => "a fraction",
                Plain::Unsigned(_) | Plain::Signed(_) => "a number",
                _ => "text",
            };
            (
                format!("{place} must be {wanted}, not {found}"),
                label.or_else(|| Some(format!("`{text}` is {found}"))),
            )
        }
        Kind::Type { found, wanted } => (format!("{place} must be {wanted}, not {found}"), None),
        Kind::Variant { text, variants } => {
            let near = nearest(text, variants.iter().map(String::as_str));
            let label = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "not one of them".to_owned(),
            };
            (format!("{place} is one of {}, not `{text}`", join(variants)), Some(label))
        }
        Kind::Field { name, fields } => {
            let label = match nearest(name, fields.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it has {}", join(fields)),
            };
            (format!("{kind} has no field `{}`", if path.is_empty() { name } else { path }), Some(label))
        }
        Kind::MissingField(field) => {
            (format!("{place} needs the field `{field}`"), Some(format!("add `{field}: …`")))
        }
        Kind::Length => (format!("{place} has the wrong number of items"), None),
        Kind::Custom(text) => {
            let text = text.trim_end_matches('.');
            (if path.is_empty() { text.to_owned() } else { format!("{place}: {text}") }, None)
        }
    }
}

/// True when the characters alone, without quotation marks, would be what is wanted.
fn unquotes(text: &str, wanted: &str) -> bool {
    match super::super::scalar::classify(text) {
        Plain::Bool(_) => wanted == "true or false",
        Plain::Unsigned(_) | Plain::Signed(_) => wanted.ends_with("number"),
        Plain::Float(_) => wanted == "a number",
        _ => false,
    }
}

/// What a node is, for "must be X, not …".
pub(super) fn found(node: &Node<'_>) -> String {
    match (&node.value, node.class()) {
        (Value::Sequence(_), _) => "a list".to_owned(),
        (Value::Mapping(_), _) => "a mapping".to_owned(),
        (_, Some(Plain::Bool(_))) => "a boolean".to_owned(),
        (_, Some(Plain::Unsigned(_) | Plain::Signed(_) | Plain::Float(_))) => "a number".to_owned(),
        _ => "text".to_owned(),
    }
}

/// serde's "what was there" in our words.
pub(super) fn unexpected(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(_) => "a boolean".to_owned(),
        Unexpected::Unsigned(n) => format!("`{n}`"),
        Unexpected::Signed(n) => format!("`{n}`"),
        Unexpected::Float(n) => format!("`{n}`"),
        Unexpected::Str(text) => format!("`{text}`"),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        other => other.to_string(),
    }
}

/// serde's "what was expected" in our words.
pub(super) fn expected(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    match text.as_str() {
        "a string" | "a borrowed string" | "str" => "text".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" | "a list" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "u64" | "usize" => "a whole number from 0".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        other if other.starts_with("struct ") => "a mapping".to_owned(),
        other if other.starts_with("enum ") => "one of its words".to_owned(),
        _ => text,
    }
}

pub(super) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

pub(super) fn list(names: &[&str]) -> String {
    join(&owned(names))
}

/// `A, B and C`; a long list is cut.
fn join(names: &[String]) -> String {
    const MOST: usize = 16;
    match names {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        names if names.len() > MOST => {
            format!("{} and {} more", names[..MOST].join(", "), names.len() - MOST)
        }
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The candidate that was probably meant: differing in case or separators only, or by few typing mistakes.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain =
        |s: &str| s.chars().filter(|c| !matches!(c, '-' | '_' | '.')).collect::<String>().to_lowercase();
    let wanted = plain(name);
    if wanted.chars().count() > 100 {
        return None;
    }
    let allowed = ((wanted.chars().count() + 1) / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}
