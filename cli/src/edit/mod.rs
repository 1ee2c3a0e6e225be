//! Writing single values into YAML and JSON files that people keep: every byte beside the value stays as it is.
//!
//! ```text
//! edits ──► spans of the file's tree ──► new text ──► loaded again: exactly the intended values differ? ──► written
//! ```
//!
//! Never formats anything, never writes a file whose new text does not load to what was intended, never writes some
//! files of several. An edit that cannot be made without touching something else (an alias, a block scalar) is refused
//! and told, and the others are made.

mod files;
mod place;
mod scalar;
#[cfg(test)]
mod tests;

pub use files::{Changed, Prepared, prepare, preview, verify, write};
pub use scalar::New;

use crate::load::Origin;
use crate::load::tree::{Node, Span, Step, Value, print_path};
use crate::load::yaml::{self, Chunk, Document};

/// One value to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// The object.
    pub origin: Origin,
    /// The value's path in it. What is missing of it is made, as far as it consists of keys.
    pub path: Vec<Step>,
    /// The value.
    pub new: New,
    /// A new key goes behind the last of these neighbours that is there, else behind all.
    pub after: &'static [&'static str],
}

/// Why an edit cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotEdit {
    /// The object does not begin where it did.
    #[error("the object is not where it was read; run again")]
    Moved,
    /// An anchor, an alias or a merge key stands in between.
    #[error("`{0}` comes from an anchor that others may use; write it by hand")]
    Shared(String),
    /// A block scalar, or a list over several lines.
    #[error("`{0}` is written over several lines; write it by hand")]
    Lines(String),
    /// The path leads through something that holds no keys.
    #[error("there is no place for `{0}`; write it by hand")]
    NoPlace(String),
    /// The file came from standard input.
    #[error("it was read from standard input, which cannot be written")]
    StandardInput,
    /// The file cannot be read any more.
    #[error("its file cannot be edited: {0}")]
    Unreadable(String),
}

/// A replaced stretch of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Splice {
    start: usize,
    end: usize,
    text: String,
}

/// Which object of a chunk: its document, and its place in a `v1/List`.
type Ordinal = (usize, Option<usize>);

/// Makes these edits in one text; those that cannot be made are returned with their number.
pub fn edit_text(text: &str, edits: &[Edit]) -> (String, Vec<(usize, CannotEdit)>) {
    let mut refused = Vec::new();
    let mut out = String::with_capacity(text.len() + edits.len() * 48);
    let chunks = yaml::split(text);
    let mut by_chunk: Vec<Vec<usize>> = vec![Vec::new(); chunks.len()];
    for (n, edit) in edits.iter().enumerate() {
        let at = chunks.partition_point(|chunk| chunk.line <= edit.origin.line).saturating_sub(1);
        by_chunk[at].push(n);
    }
    for (chunk, asked) in chunks.iter().zip(by_chunk) {
        let source = &text[chunk.start..chunk.end];
        if asked.is_empty() {
            out.push_str(source);
        } else {
            out.push_str(&edit_chunk(source, chunk.line, edits, asked, &mut refused));
        }
    }
    refused.sort_by_key(|(n, _)| *n);
    (out, refused)
}

/// Edits whose places do not touch are made in one pass; the others in the next, on the new text.
fn edit_chunk(
    source: &str,
    line: u32,
    edits: &[Edit],
    asked: Vec<usize>,
    refused: &mut Vec<(usize, CannotEdit)>,
) -> String {
    let mut text = source.to_owned();
    let mut left: Vec<(usize, Ordinal)> = Vec::new();
    let whole = |text: &str| Chunk { start: 0, end: text.len(), line };
    {
        let documents = yaml::parse(&text, whole(&text));
        for n in asked {
            match locate(&documents, &edits[n].origin) {
                Some(ordinal) => left.push((n, ordinal)),
                None => refused.push((n, CannotEdit::Moved)),
            }
        }
    }
    while !left.is_empty() {
        let mut taken: Vec<Splice> = Vec::new();
        let mut later = Vec::new();
        {
            let documents = yaml::parse(&text, whole(&text));
            for (n, ordinal) in std::mem::take(&mut left) {
                let found = node(&documents, ordinal)
                    .ok_or(CannotEdit::Moved)
                    .and_then(|object| place::splices(&text, object, &edits[n]));
                match found {
                    Ok(splices) if touches(&taken, &splices) => later.push((n, ordinal)),
                    Ok(splices) => taken.extend(splices),
                    Err(why) => refused.push((n, why)),
                }
            }
        }
        taken.sort_by_key(|splice| splice.start);
        for splice in taken.iter().rev() {
            text.replace_range(splice.start..splice.end, &splice.text);
        }
        left = later;
    }
    text
}

fn touches(taken: &[Splice], splices: &[Splice]) -> bool {
    splices.iter().any(|one| taken.iter().any(|other| one.start <= other.end && other.start <= one.end))
}

fn begins(node: &Node<'_>, origin: &Origin) -> bool {
    let Span { line, column, .. } = node.span;
    (line, column) == (origin.line, origin.column)
}

fn locate(documents: &[Document<'_>], origin: &Origin) -> Option<Ordinal> {
    documents.iter().enumerate().find_map(|(n, document)| {
        let root = document.root.as_ref()?;
        let item = items(root).and_then(|items| items.iter().position(|item| begins(item, origin)));
        match item {
            Some(item) => Some((n, Some(item))),
            None => begins(root, origin).then_some((n, None)),
        }
    })
}

fn node<'n, 't>(documents: &'n [Document<'t>], (n, item): Ordinal) -> Option<&'n Node<'t>> {
    let root = documents.get(n)?.root.as_ref()?;
    match item {
        Some(item) => items(root)?.get(item),
        None => Some(root),
    }
}

/// The items of a `v1/List`.
fn items<'n, 't>(root: &'n Node<'t>) -> Option<&'n [Node<'t>]> {
    match root.get("items") {
        Some((_, Node { value: Value::Sequence(items), .. }))
            if root.get("kind").is_some_and(|(_, kind)| kind.text() == Some("List")) =>
        {
            Some(items)
        }
        _ => None,
    }
}

impl Edit {
    /// The path as people write it.
    pub fn path_words(&self) -> String {
        print_path(&self.path)
    }

    /// Sets the value in an object's JSON, as the file is expected to say it afterwards.
    pub fn set(&self, object: &mut serde_json::Value) -> bool {
        set(object, &self.path, self.new.json())
    }
}

/// Sets a value at a path, making the mappings in between; false where the path leads through something else.
pub fn set(into: &mut serde_json::Value, path: &[Step], value: serde_json::Value) -> bool {
    let Some((first, rest)) = path.split_first() else {
        *into = value;
        return true;
    };
    match (first, into) {
        (Step::Key(key), serde_json::Value::Object(map)) => {
            set(map.entry(key.clone()).or_insert_with(|| serde_json::json!({})), rest, value)
        }
        (Step::Index(index), serde_json::Value::Array(items)) => {
            items.get_mut(*index).is_some_and(|item| set(item, rest, value))
        }
        _ => false,
    }
}
