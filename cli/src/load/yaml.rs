//! YAML and JSON text to trees. The only file that names the YAML library.
//!
//! A file is cut at its `---` lines, so that its documents can be read on all cores and one broken document does not
//! hide the mistakes of the next. The cut is exact: YAML 1.2 forbids a document marker at the beginning of a line
//! inside any scalar. Text with directives (`%YAML`) is read in one piece.
//!
//! Never converts a scalar (that is decided where its field is known), never expands more than [`MAX_NODES`] values,
//! never recurses deeper than [`MAX_DEPTH`]; any byte sequence gives trees or problems, never a panic.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_saphyr::granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Tag};

use super::problem::Problem;
use super::tree::{Node, Span, Value};
use crate::diagnostics::Code;

/// The most values that one document may hold once its aliases are expanded.
pub const MAX_NODES: usize = 250_000;

/// How deep lists and mappings may nest.
pub const MAX_DEPTH: usize = 64;

/// A part of a file that holds whole documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// First byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
    /// The line of the first byte, from 1.
    pub line: u32,
}

/// A document's tree, or why there is none. Problems beside a tree are mistakes that leave it readable.
#[derive(Debug)]
pub struct Document<'a> {
    /// Its content; `None` when it could not be read.
    pub root: Option<Node<'a>>,
    /// What is wrong with its text.
    pub problems: Vec<Problem>,
}

/// Cuts a file at its document markers.
pub fn split(text: &str) -> Vec<Chunk> {
    let bytes = text.as_bytes();
    let mut chunks = Vec::new();
    let mut chunk = Chunk { start: 0, end: 0, line: 1 };
    let mut line = 1u32;
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest[0] == b'%' {
            return vec![Chunk { start: 0, end: bytes.len(), line: 1 }];
        }
        if at > 0
            && rest.starts_with(b"---")
            && matches!(rest.get(3), None | Some(b' ' | b'\t' | b'\n' | b'\r'))
        {
            chunks.push(Chunk { end: at, ..chunk });
            chunk = Chunk { start: at, end: at, line };
        }
        // The end of this line; a lone carriage return ends one as well.
        let mut end = at;
        while end < bytes.len() && bytes[end] != b'\n' && bytes[end] != b'\r' {
            end += 1;
        }
        if bytes.get(end) == Some(&b'\r') && bytes.get(end + 1) == Some(&b'\n') {
            end += 1;
        }
        at = end + 1;
        line = line.saturating_add(1);
    }
    chunks.push(Chunk { end: bytes.len(), ..chunk });
    chunks
}

/// Reads the documents of one chunk of `text`. Empty documents are left out.
pub fn parse(text: &str, chunk: Chunk) -> Vec<Document<'_>> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    let source = &text[chunk.start..chunk.end];
    let mut builder = Builder::new(chunk);
    for item in Parser::new_from_str_with_options(source, options) {
        match item {
            Ok((event, span)) => {
                let tag = span.tag_span().map(|tag| builder.span(&tag));
                let span = builder.span(&span);
                if !builder.event(event, span, tag.unwrap_or(span)) {
                    break;
                }
            }
            Err(error) => {
                builder.fail(scan_problem(&error, builder.position(*error.marker()), text, chunk));
                break;
            }
        }
    }
    builder.documents
}

struct Open<'a> {
    span: Span,
    anchor: usize,
    key: Option<Node<'a>>,
    kind: Kind<'a>,
    size: Size,
}

/// What a subtree costs whoever repeats it.
#[derive(Clone, Copy)]
struct Size {
    /// Its nodes.
    count: usize,
    /// How many containers it nests; 0 for a scalar.
    height: usize,
}

const SCALAR: Size = Size { count: 1, height: 0 };

enum Kind<'a> {
    Sequence(Vec<Node<'a>>),
    Mapping(Vec<(Node<'a>, Node<'a>)>),
}

struct Builder<'a> {
    chunk: Chunk,
    stack: Vec<Open<'a>>,
    anchors: HashMap<usize, (Node<'a>, Size)>,
    nodes: usize,
    current: Option<Document<'a>>,
    documents: Vec<Document<'a>>,
}

impl<'a> Builder<'a> {
    fn new(chunk: Chunk) -> Self {
        Self {
            chunk,
            stack: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            current: None,
            documents: Vec::new(),
        }
    }

    /// A marker of the chunk as an empty span of the file.
    fn position(&self, marker: serde_saphyr::granit_parser::Marker) -> Span {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let start = narrow(self.chunk.start + marker.byte_offset().unwrap_or(0));
        let line = narrow(marker.line().max(1)).saturating_add(self.chunk.line - 1);
        Span { start, end: start, line, column: narrow(marker.col()).saturating_add(1) }
    }

    fn span(&self, span: &serde_saphyr::granit_parser::Span) -> Span {
        Span { end: self.position(span.end).start, ..self.position(span.start) }
    }

    /// Gives up on the current document.
    fn fail(&mut self, problem: Problem) {
        let mut document = self.current.take().unwrap_or(Document { root: None, problems: Vec::new() });
        document.root = None;
        document.problems.push(problem);
        self.documents.push(document);
    }

    fn problem(&mut self, problem: Problem) {
        if let Some(document) = &mut self.current {
            document.problems.push(problem);
        }
    }

    /// Takes one event; false when the document cannot be read any further.
    fn event(&mut self, event: Event<'a>, span: Span, at_tag: Span) -> bool {
        match event {
            Event::DocumentStart(..) => {
                self.current = Some(Document { root: None, problems: Vec::new() });
                self.stack.clear();
                self.anchors.clear();
                self.nodes = 0;
            }
            Event::DocumentEnd => {
                if let Some(document) = self.current.take() {
                    let empty = document.root.as_ref().is_none_or(Node::is_null);
                    if !empty || !document.problems.is_empty() {
                        self.documents.push(document);
                    }
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && self.scalar_tag(tag.as_deref(), at_tag);
                let node = Node { span, value: Value::Scalar { text, plain } };
                return self.spend(1, span) && self.attach(node, anchor, SCALAR);
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.container_tag(tag.as_deref(), "seq", at_tag);
                return self.open(Kind::Sequence(Vec::new()), anchor, span);
            }
            Event::MappingStart(_, anchor, tag) => {
                self.container_tag(tag.as_deref(), "map", at_tag);
                return self.open(Kind::Mapping(Vec::new()), anchor, span);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.close(span),
            Event::Alias(id) => {
                let Some(size) = self.anchors.get(&id).map(|(_, size)| *size) else {
                    self.fail(Problem::new(
                        Code::UnknownAlias,
                        "an alias cannot stand inside its own anchor",
                        span,
                    ));
                    return false;
                };
                // The cost is known before anything is copied.
                if !self.spend(size.count, span) {
                    return false;
                }
                let node = self.anchors[&id].0.clone();
                return self.attach(node, 0, size);
            }
            _ => {}
        }
        true
    }

    /// True when the scalar's characters decide what it is.
    fn scalar_tag(&mut self, tag: Option<&Tag>, span: Span) -> bool {
        let Some(tag) = tag else { return true };
        if tag.core_suffix() == Some("str") || (tag.handle().is_empty() && tag.suffix() == "!") {
            return false;
        }
        self.unsupported(tag, span);
        true
    }

    fn container_tag(&mut self, tag: Option<&Tag>, own: &str, span: Span) {
        if let Some(tag) = tag
            && tag.core_suffix() != Some(own)
        {
            self.unsupported(tag, span);
        }
    }

    fn unsupported(&mut self, tag: &Tag, span: Span) {
        let message = format!("the tag `{}` is not read here", tag.original());
        self.problem(Problem::new(Code::UnsupportedTag, message, span).label("leave the tag out"));
    }

    fn open(&mut self, kind: Kind<'a>, anchor: usize, span: Span) -> bool {
        if self.stack.len() >= MAX_DEPTH {
            self.fail(too_deep(span));
            return false;
        }
        self.stack.push(Open { span, anchor, key: None, kind, size: Size { count: 1, height: 1 } });
        self.spend(1, span)
    }

    fn close(&mut self, end: Span) -> bool {
        let Some(open) = self.stack.pop() else { return true };
        let span = Span { end: end.end.max(open.span.end), ..open.span };
        let value = match open.kind {
            Kind::Sequence(items) => Value::Sequence(items),
            Kind::Mapping(entries) => Value::Mapping(self.mapping(entries)),
        };
        self.attach(Node { span, value }, open.anchor, open.size)
    }

    /// Refuses duplicate and complex keys and expands merge keys (`<<`), which explicit keys win over.
    fn mapping(&mut self, entries: Vec<(Node<'a>, Node<'a>)>) -> Vec<(Node<'a>, Node<'a>)> {
        let mut kept: Vec<(Node<'a>, Node<'a>)> = Vec::with_capacity(entries.len());
        let mut merges = Vec::new();
        let mut seen: HashMap<Cow<'a, str>, Span> = HashMap::new();
        let many = entries.len() > 12;
        for (key, value) in entries {
            let Value::Scalar { text, plain } = &key.value else {
                let problem = Problem::new(Code::ComplexKey, "a list or mapping cannot be a key", key.span);
                self.problem(problem.label("write the key as text"));
                continue;
            };
            if *plain && text == "<<" {
                merges.push(value);
                continue;
            }
            let first = if many {
                seen.insert(text.clone(), key.span)
            } else {
                kept.iter().find(|(k, _)| k.text() == Some(&**text)).map(|(k, _)| k.span)
            };
            if let Some(first) = first {
                let problem =
                    Problem::new(Code::DuplicateKey, format!("`{text}` is written twice"), key.span);
                self.problem(problem.label("keep one of the two").related("the first one is here", first));
                continue;
            }
            kept.push((key, value));
        }
        for merge in merges {
            self.merge(&mut kept, merge);
        }
        kept
    }

    fn merge(&mut self, into: &mut Vec<(Node<'a>, Node<'a>)>, value: Node<'a>) {
        let sources = match value.value {
            Value::Sequence(items) => items,
            _ => vec![value],
        };
        let mut present: HashSet<String> =
            into.iter().filter_map(|(k, _)| k.text().map(str::to_owned)).collect();
        for source in sources {
            let span = source.span;
            let Value::Mapping(entries) = source.value else {
                let problem = Problem::new(Code::WrongType, "`<<` merges mappings, and this is none", span);
                self.problem(problem.label("name an anchor of a mapping"));
                continue;
            };
            for (key, value) in entries {
                if present.insert(key.text().unwrap_or_default().to_owned()) {
                    into.push((key, value));
                }
            }
        }
    }

    /// Counts values against the budget; false when the document is given up.
    fn spend(&mut self, count: usize, span: Span) -> bool {
        self.nodes = self.nodes.saturating_add(count);
        if self.nodes <= MAX_NODES {
            return true;
        }
        let message = format!("this document expands to more than {MAX_NODES} values");
        self.fail(Problem::new(Code::TooComplex, message, span).label("use fewer aliases, or split it"));
        false
    }

    /// Puts a finished node into its parent; false when the document is given up.
    fn attach(&mut self, node: Node<'a>, anchor: usize, size: Size) -> bool {
        if self.stack.len() + size.height > MAX_DEPTH {
            self.fail(too_deep(node.span));
            return false;
        }
        if anchor != 0 {
            if !self.spend(size.count, node.span) {
                return false;
            }
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(open) = self.stack.last_mut() else {
            if let Some(document) = &mut self.current {
                document.root = Some(node);
            }
            return true;
        };
        open.size.count = open.size.count.saturating_add(size.count);
        open.size.height = open.size.height.max(size.height + 1);
        match &mut open.kind {
            Kind::Sequence(items) => items.push(node),
            Kind::Mapping(entries) => match open.key.take() {
                None => open.key = Some(node),
                Some(key) => entries.push((key, node)),
            },
        }
        true
    }
}

fn too_deep(span: Span) -> Problem {
    Problem::new(Code::TooComplex, format!("lists and mappings nest deeper than {MAX_DEPTH} levels"), span)
}

/// Puts the library's error into our words.
fn scan_problem(error: &ScanError, at: Span, text: &str, chunk: Chunk) -> Problem {
    let end = text[..chunk.end].trim_end().len();
    let past_end = at.start as usize >= end;
    // What is only noticed at the end of the document is shown at its last character.
    let span = if past_end { last_character(text, chunk, end) } else { character(text, at) };
    let syntax = |message: &str| Problem::new(Code::YamlSyntax, message, span);
    match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => tab(character(text, at)),
        _ if text.as_bytes().get(at.start as usize) == Some(&b'\t') => tab(character(text, at)),
        ErrorKind::RecursionLimitExceeded => too_deep(span),
        ErrorKind::UnknownAnchor => {
            let message = "this alias names an anchor that the document does not hold before it";
            Problem::new(Code::UnknownAlias, message, span).label("write the value, or quote the asterisk")
        }
        ErrorKind::MappingValueNotAllowed => {
            syntax("a second `: ` on one line, or a key that is not indented like its neighbours")
                .label("quote the text, or indent the key")
        }
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::UnexpectedEofFlowMapping => {
            syntax("a `,` or `}` is wanted here").label("close the brace, or quote text that holds `: `")
        }
        ErrorKind::ExpectedFlowSequenceSeparator | ErrorKind::UnexpectedEofFlowSequence => {
            syntax("a `,` or `]` is wanted here").label("close the bracket")
        }
        ErrorKind::UnclosedFlowCollection { open } => {
            let message = format!("this `{open}` is never closed");
            Problem::new(Code::YamlSyntax, message, character(text, at))
        }
        ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar => {
            syntax("a quotation mark is never closed")
        }
        ErrorKind::InvalidQuotedScalarIndent if past_end => syntax("a quotation mark is never closed"),
        ErrorKind::ExpectedBlockMappingKey => {
            syntax("this is indented neither like the keys above nor deeper")
                .label("indent it like its neighbours")
        }
        ErrorKind::SimpleKeyExpected => syntax("a key without `:`").label("add `: ` and a value"),
        kind => syntax(&format!("not well-formed YAML: {kind}")),
    }
}

/// A span of the one character that stands at a place.
fn character(text: &str, at: Span) -> Span {
    let width = text.get(at.start as usize..).and_then(|rest| rest.chars().next()).map_or(0, |c| match c {
        '\n' | '\r' => 0,
        c => c.len_utf8(),
    });
    Span { end: at.start + u32::try_from(width).unwrap_or(0), ..at }
}

/// The last character of a chunk that is no white space; `end` is the byte after it.
fn last_character(text: &str, chunk: Chunk, end: usize) -> Span {
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let before = &text[chunk.start..end.max(chunk.start)];
    let Some(last) = before.chars().next_back() else {
        return Span { start: narrow(chunk.start), end: narrow(chunk.start), line: chunk.line, column: 1 };
    };
    let start = before.len() - last.len_utf8();
    let breaks = before[..start].replace("\r\n", "\n").matches(['\n', '\r']).count();
    let line_start = before[..start].rfind(['\n', '\r']).map_or(0, |i| i + 1);
    Span {
        start: narrow(chunk.start + start),
        end: narrow(chunk.start + before.len()),
        line: chunk.line.saturating_add(narrow(breaks)),
        column: narrow(before[line_start..start].chars().count()).saturating_add(1),
    }
}

fn tab(span: Span) -> Problem {
    Problem::new(Code::TabIndentation, "a tab stands where YAML wants spaces", span).label("write spaces")
}
