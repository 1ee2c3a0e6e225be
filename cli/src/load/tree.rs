//! One YAML document as a tree in which every key and value knows where it stands.
//!
//! A tree lives only while its document is decoded; it borrows the file's text and is dropped with it.
//! Never holds more than [`super::yaml::MAX_NODES`] nodes nor nests deeper than [`super::yaml::MAX_DEPTH`].

use std::borrow::Cow;
use std::fmt::Write as _;

use super::scalar::{Plain, classify};

/// A stretch of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte, from the beginning of the file.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
    /// Line of the first byte, from 1.
    pub line: u32,
    /// Column of the first byte in characters, from 1.
    pub column: u32,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Where it stands. A list or mapping spans from its first to its last character.
    pub span: Span,
    /// What it is.
    pub value: Value<'a>,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// One scalar.
    Scalar {
        /// Its characters after unescaping.
        text: Cow<'a, str>,
        /// True when it is unquoted and untagged, so that its characters decide what it is.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node<'a>>),
    /// A mapping in source order; keys are scalars and differ from each other.
    Mapping(Vec<(Node<'a>, Node<'a>)>),
}

/// One step of a path into an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A mapping's key.
    Key(String),
    /// A list's index, from 0.
    Index(usize),
}

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spans {
    /// The value.
    pub value: Span,
    /// The key that holds it; `None` for a list's item and for the document.
    pub key: Option<Span>,
    /// True when the value is a list or mapping, whose key is the better thing to point at.
    pub container: bool,
}

impl Spans {
    /// What to put the caret under: a scalar itself, a container's key.
    pub fn caret(self) -> Span {
        match self.key {
            Some(key) if self.container => key,
            _ => self.value,
        }
    }
}

impl<'a> Node<'a> {
    /// The scalar's characters.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// How a scalar reads; `None` for lists and mappings.
    pub fn class(&self) -> Option<Plain> {
        match &self.value {
            Value::Scalar { text, plain: true } => Some(classify(text)),
            Value::Scalar { plain: false, .. } => Some(Plain::Text),
            _ => None,
        }
    }

    /// True for a plain null.
    pub fn is_null(&self) -> bool {
        self.class() == Some(Plain::Null)
    }

    /// True for lists and mappings.
    pub fn is_container(&self) -> bool {
        !matches!(self.value, Value::Scalar { .. })
    }

    /// The entries of a mapping; empty for anything else.
    pub fn entries(&self) -> &[(Node<'a>, Node<'a>)] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The entry under `key`.
    pub fn get(&self, key: &str) -> Option<&(Node<'a>, Node<'a>)> {
        self.entries().iter().find(|(k, _)| k.text() == Some(key))
    }

    /// Follows a path as far as it leads; the second value is how many steps were found.
    pub fn follow(&self, path: &[Step]) -> (Spans, usize) {
        let mut node = self;
        let mut key = None;
        let mut found = 0;
        for step in path {
            let next = match (step, &node.value) {
                (Step::Key(name), Value::Mapping(_)) => node.get(name).map(|(k, v)| (Some(k.span), v)),
                (Step::Index(index), Value::Sequence(items)) => items.get(*index).map(|v| (None, v)),
                _ => None,
            };
            let Some((next_key, next_node)) = next else { break };
            (key, node) = (next_key, next_node);
            found += 1;
        }
        (Spans { value: node.span, key, container: node.is_container() }, found)
    }

    /// The path to the key or value that starts at a byte; `None` when nothing does.
    pub fn path_to(&self, start: u32) -> Option<Vec<Step>> {
        let mut path = Vec::new();
        self.search(start, &mut path).then_some(path)
    }

    fn search(&self, start: u32, path: &mut Vec<Step>) -> bool {
        match &self.value {
            Value::Scalar { .. } => self.span.start == start,
            Value::Sequence(items) => items.iter().enumerate().any(|(i, item)| {
                path.push(Step::Index(i));
                let found = (item.is_container() && item.span.start == start && !item.holds_entry_at(start))
                    || item.search(start, path);
                if !found {
                    path.pop();
                }
                found
            }),
            Value::Mapping(entries) => entries.iter().any(|(key, value)| {
                path.push(Step::Key(key.text().unwrap_or_default().to_owned()));
                let found = key.span.start == start
                    || (value.is_container() && value.span.start == start && !value.holds_entry_at(start))
                    || value.search(start, path);
                if !found {
                    path.pop();
                }
                found
            }),
        }
    }

    fn holds_entry_at(&self, start: u32) -> bool {
        match &self.value {
            Value::Mapping(entries) => entries.first().is_some_and(|(key, _)| key.span.start == start),
            Value::Sequence(items) => items.first().is_some_and(|item| item.span.start == start),
            Value::Scalar { .. } => false,
        }
    }
}

/// Reads `spec.accounts[0].sophos.billing`, `.spec.x`, `spec.labels["a.b/c"]` and `/spec/accounts/0` alike.
///
/// Anything is accepted; what is no step is taken as a key that then leads nowhere.
pub fn parse_path(path: &str) -> Vec<Step> {
    if let Some(pointer) = path.strip_prefix('/') {
        return pointer
            .split('/')
            .map(|part| match part.parse() {
                Ok(index) => Step::Index(index),
                Err(_) => Step::Key(part.replace("~1", "/").replace("~0", "~")),
            })
            .collect();
    }
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (step, after) = if let Some(quoted) = inner.strip_prefix(['"', '\'']) {
                let end = quoted.find(['"', '\'']).unwrap_or(quoted.len());
                let after = quoted.get(end + 1..).unwrap_or("");
                (Step::Key(quoted[..end].to_owned()), after.strip_prefix(']').unwrap_or(after))
            } else {
                let end = inner.find(']').unwrap_or(inner.len());
                let step = match inner[..end].parse() {
                    Ok(index) => Step::Index(index),
                    Err(_) => Step::Key(inner[..end].to_owned()),
                };
                (step, inner.get(end + 1..).unwrap_or(""))
            };
            steps.push(step);
            rest = after;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end > 0 {
                steps.push(Step::Key(rest[..end].to_owned()));
            }
            rest = &rest[end..];
        }
    }
    steps
}

/// Writes a path as [`parse_path`] reads it: `spec.accounts[0].sophos`.
pub fn print_path(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Key(key) if key.is_empty() || key.contains(['.', '[', ']', '"', '/']) => {
                write!(out, "[\"{key}\"]").expect("writing to a String cannot fail");
            }
            Step::Key(key) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(key);
            }
            Step::Index(index) => write!(out, "[{index}]").expect("writing to a String cannot fail"),
        }
    }
    out
}
