//! From an object and a path in it to the exact place in its file, long after the text was dropped.
//!
//! Reads files again, each at most once per call, and parses only the documents that are asked for. A file that has
//! changed or gone since gives the object's own line without a source line, never a wrong caret.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::problem::Source;
use super::scope::Origin;
use super::tree::{Node, Value, parse_path};
use super::yaml::{self, Chunk};
use crate::diagnostics::Place;

/// How the files of this run are found again.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// By the path of their origin.
    pub(super) files: BTreeMap<Arc<str>, SourceFile>,
}

#[derive(Debug, Clone)]
pub(super) struct SourceFile {
    pub given: Arc<str>,
    pub text: Text,
    /// For finding out whether it has changed.
    pub length: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Text {
    Disk(PathBuf),
    /// Standard input cannot be read twice.
    Kept(Arc<str>),
}

impl Sources {
    /// The place of one path in one object, such as `spec.accounts[0].sophos.billing`.
    ///
    /// A path that leads on beyond what is written gives the last part that is there: a missing field is at its
    /// parent's key. The empty path is the object's first line.
    pub fn place(&self, origin: &Origin, path: &str) -> Place {
        let mut places = self.places(&[(origin, path)]);
        places.pop().unwrap_or_else(|| self.whole(origin))
    }

    /// Many places at once, in the order of the questions; each file is read once.
    pub fn places(&self, questions: &[(&Origin, &str)]) -> Vec<Place> {
        let mut by_file: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, (origin, _)) in questions.iter().enumerate() {
            by_file.entry(&origin.path).or_default().push(i);
        }
        let mut places: Vec<Option<Place>> = vec![None; questions.len()];
        for (path, asked) in by_file {
            self.file(path, questions, &asked, &mut places);
        }
        places
            .into_iter()
            .zip(questions)
            .map(|(p, (origin, _))| p.unwrap_or_else(|| self.whole(origin)))
            .collect()
    }

    /// The file behind an origin's path, read again: where it is and what it holds. `None` for standard input.
    ///
    /// Fails where it cannot be read any more, or has another length than when it was read.
    pub fn reread(&self, path: &str) -> Option<std::io::Result<(PathBuf, String)>> {
        let file = self.files.get(path)?;
        let Text::Disk(disk) = &file.text else { return None };
        Some(std::fs::read_to_string(disk).and_then(|text| {
            if text.len() == file.length {
                Ok((disk.clone(), text))
            } else {
                Err(std::io::Error::other("it was changed meanwhile: run again"))
            }
        }))
    }

    /// The path of the origins of a file on disk, if it was read.
    pub fn origin_of(&self, disk: &std::path::Path) -> Option<Arc<str>> {
        let wanted = std::fs::canonicalize(disk).ok()?;
        self.files.iter().find_map(|(path, file)| match &file.text {
            Text::Disk(disk) => (std::fs::canonicalize(disk).ok()? == wanted).then(|| path.clone()),
            Text::Kept(_) => None,
        })
    }

    /// What standard input held, under the path of its origin.
    pub fn kept(&self) -> impl Iterator<Item = (Arc<str>, Arc<str>)> {
        self.files.iter().filter_map(|(path, file)| match &file.text {
            Text::Kept(text) => Some((path.clone(), text.clone())),
            Text::Disk(_) => None,
        })
    }

    fn file(&self, path: &str, questions: &[(&Origin, &str)], asked: &[usize], places: &mut [Option<Place>]) {
        let Some((origin_path, file)) = self.files.get_key_value(path) else { return };
        let text: Arc<str> = match &file.text {
            Text::Kept(text) => text.clone(),
            Text::Disk(disk) => match std::fs::read_to_string(disk) {
                Ok(text) if text.len() == file.length => text.into(),
                _ => return,
            },
        };
        let source = Source { path: file.given.clone(), repository_path: origin_path.clone(), text: &text };
        let chunks = yaml::split(&text);
        let mut by_chunk: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &i in asked {
            let line = questions[i].0.line;
            let chunk = chunks.partition_point(|chunk| chunk.line <= line).saturating_sub(1);
            by_chunk.entry(chunk).or_default().push(i);
        }
        for (chunk, asked) in by_chunk {
            answer(&source, chunks[chunk], questions, &asked, places);
        }
    }

    fn whole(&self, origin: &Origin) -> Place {
        let given =
            self.files.get(&origin.path).map_or_else(|| origin.path.clone(), |file| file.given.clone());
        Place {
            line: origin.line,
            column: origin.column,
            end_column: origin.column + 1,
            ..Place::file(given, origin.path.clone())
        }
    }
}

/// Answers the questions about the documents of one chunk.
fn answer(
    source: &Source<'_>,
    chunk: Chunk,
    questions: &[(&Origin, &str)],
    asked: &[usize],
    places: &mut [Option<Place>],
) {
    let documents = yaml::parse(source.text, chunk);
    for &i in asked {
        let (origin, path) = questions[i];
        let object =
            documents.iter().filter_map(|d| d.root.as_ref()).find_map(|root| object_at(root, origin));
        if let Some(object) = object {
            let steps = parse_path(path);
            let (spans, _) = object.follow(&steps);
            places[i] = Some(source.place(if steps.is_empty() { first(object) } else { spans.caret() }));
        }
    }
}

fn first(node: &Node<'_>) -> super::tree::Span {
    node.entries().first().map_or(node.span, |(key, _)| key.span)
}

/// The object that begins at an origin: the document, or an item of a `v1/List`.
fn object_at<'n, 't>(root: &'n Node<'t>, origin: &Origin) -> Option<&'n Node<'t>> {
    let begins = |node: &Node<'_>| node.span.line == origin.line && node.span.column == origin.column;
    if let Some((_, Node { value: Value::Sequence(items), .. })) = root.get("items")
        && root.get("kind").is_some_and(|(_, kind)| kind.text() == Some("List"))
    {
        return items.iter().find(|item| begins(item));
    }
    begins(root).then_some(root)
}
