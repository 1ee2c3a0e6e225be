//! One document to one typed object: whose it is, what it is called, and everything that is wrong with it.
//!
//! Documents of other programs are counted and passed over; a document that is probably meant for us and does not
//! say so is a mistake, because passing over it would undeclare what it declares.

use std::collections::BTreeMap;

use tenantry_crd::{API_VERSION, AnyObject, GROUP, Kind};

use super::hidden;
use super::object;
use super::problem::Problem;
use super::rules;
use super::tree::{Node, Span, Value};
use super::typed::{self, nearest};
use super::yaml::Document;
use crate::diagnostics::Code;

/// What the documents of one file, or of a part of it, hold.
#[derive(Debug, Default)]
pub struct Reading {
    /// Objects without a mistake, with the place where they begin.
    pub objects: Vec<(AnyObject, Span)>,
    /// Mistakes.
    pub problems: Vec<Problem>,
    /// Documents of other programs, by `apiVersion/kind`.
    pub skipped: BTreeMap<String, usize>,
    /// Documents that hold something.
    pub documents: usize,
    /// Objects that are declared and have mistakes.
    pub broken: Vec<Address>,
    /// True when a document could not even be identified.
    pub unknown: bool,
}

/// What identifies an object: kind, namespace and name.
pub type Address = (Kind, String, String);

impl Reading {
    /// Adds what a later part of the file holds.
    pub fn append(&mut self, mut other: Reading) {
        self.objects.append(&mut other.objects);
        self.problems.append(&mut other.problems);
        for (kind, n) in other.skipped {
            *self.skipped.entry(kind).or_default() += n;
        }
        self.documents += other.documents;
        self.broken.append(&mut other.broken);
        self.unknown |= other.unknown;
    }

    /// Reads one document. `stray` documents (JSON files that nobody named) may be anything.
    pub fn document(&mut self, text: &str, document: Document<'_>, stray: bool) {
        self.documents += 1;
        let Some(root) = &document.root else {
            self.problems.extend(document.problems);
            self.unknown = true;
            return;
        };
        self.root(text, root, document.problems, stray);
    }

    fn root(&mut self, text: &str, root: &Node<'_>, problems: Vec<Problem>, stray: bool) {
        match whose(root) {
            Whose::Nobody if stray => *self.skipped.entry("no object".to_owned()).or_default() += 1,
            Whose::Other(name) => *self.skipped.entry(name).or_default() += 1,
            Whose::List(items) => {
                self.documents -= 1;
                self.problems.extend(problems);
                for item in items {
                    self.documents += 1;
                    self.root(text, item, Vec::new(), stray);
                }
            }
            Whose::Nobody => {
                self.problems.extend(problems);
                self.problems.push(nobody(root));
                self.unknown = true;
            }
            Whose::Ours => {
                let clean = problems.is_empty();
                let before = self.problems.len();
                self.problems.extend(problems);
                match self.object(root) {
                    Some(object) if clean => self.objects.push((object, root.span)),
                    _ => match address(root) {
                        Some(address) => self.broken.push(address),
                        None => self.unknown = true,
                    },
                }
                let hidden = hidden::check(text, root, &self.problems[before..]);
                self.problems.extend(hidden);
            }
        }
    }

    fn object(&mut self, root: &Node<'_>) -> Option<AnyObject> {
        let kind = match header(root) {
            Ok(kind) => kind,
            Err(problem) => {
                self.problems.push(problem);
                return None;
            }
        };
        let names = metadata(kind, root);
        let usable = names.is_empty();
        self.problems.extend(names);
        match typed::decode(kind.as_str(), root, |decoder| object::decode(kind, decoder)) {
            Ok(object) => {
                let broken = rules::check(&object, root);
                let usable = usable && broken.is_empty();
                self.problems.extend(broken);
                usable.then_some(object)
            }
            Err(mut problems) => {
                // A missing name is said once, with its own words.
                problems.retain(|p| !self.problems.iter().any(|q| q.span == p.span && q.code == p.code));
                self.problems.extend(problems);
                None
            }
        }
    }
}

fn address(root: &Node<'_>) -> Option<Address> {
    let kind = Kind::from_name(root.get("kind")?.1.text()?)?;
    let metadata = &root.get("metadata")?.1;
    let text = |key: &str| Some(metadata.get(key)?.1.text()?.to_owned());
    Some((kind, text("namespace").unwrap_or_else(|| "default".to_owned()), text("name")?))
}

enum Whose<'n, 't> {
    Ours,
    Other(String),
    List(&'n [Node<'t>]),
    Nobody,
}

fn whose<'n, 't>(root: &'n Node<'t>) -> Whose<'n, 't> {
    let text = |key| root.get(key).and_then(|(_, value)| value.text());
    match (text("apiVersion"), text("kind")) {
        (Some("v1"), Some("List")) => match root.get("items").map(|(_, items)| &items.value) {
            Some(Value::Sequence(items)) => Whose::List(items),
            _ => Whose::Other("v1/List".to_owned()),
        },
        (Some(version), kind) => {
            let group = version.split('/').next().unwrap_or_default();
            let known = kind.is_some_and(|kind| Kind::from_name(kind).is_some());
            // A slip of the finger must not make a declaration somebody else's.
            if group == GROUP || (known && nearest(group, [GROUP, "tenantry"]).is_some()) {
                Whose::Ours
            } else {
                Whose::Other(format!("{version}/{}", kind.unwrap_or("?")))
            }
        }
        (None, Some(kind)) if Kind::from_name(kind).is_some() => Whose::Ours,
        _ => Whose::Nobody,
    }
}

fn nobody(root: &Node<'_>) -> Problem {
    let first = root.entries().first().map_or(root.span, |(key, _)| key.span);
    let label = format!("begin with `apiVersion: {API_VERSION}` and `kind: …`");
    if root.entries().is_empty() {
        let message = "this document is not an object";
        return Problem::new(Code::NotAnObject, message, root.span).label(label);
    }
    let message = match root.get("kind") {
        Some(_) => "this document has no apiVersion",
        None => "this document has neither apiVersion nor kind",
    };
    Problem::new(Code::MissingField, message, first).label(label).see("tenantry explain")
}

/// The kind, if apiVersion and kind are as they must be.
fn header(root: &Node<'_>) -> Result<Kind, Problem> {
    let first = root.entries().first().map_or(root.span, |(key, _)| key.span);
    let Some((_, kind)) = root.get("kind") else {
        let message = "this document has no kind";
        return Err(Problem::new(Code::MissingField, message, first)
            .label("add `kind: …`")
            .see("tenantry explain"));
    };
    match root.get("apiVersion") {
        None => {
            let message = "this document has no apiVersion";
            let label = format!("add `apiVersion: {API_VERSION}`");
            return Err(Problem::new(Code::MissingField, message, first).label(label));
        }
        Some((_, version)) if version.text() != Some(API_VERSION) => {
            let message = format!("this program does not read `{}`", version.text().unwrap_or_default());
            let problem = Problem::new(Code::UnknownVersion, message, version.span);
            return Err(problem.label(format!("write {API_VERSION}")));
        }
        Some(_) => {}
    }
    let name = kind.text().unwrap_or_default();
    Kind::from_name(name).ok_or_else(|| {
        let label = match object::nearest_kind(name) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "there are {}",
                Kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
            ),
        };
        let message = format!("{GROUP} has no kind `{name}`");
        Problem::new(Code::UnknownKind, message, kind.span).label(label).see("tenantry explain")
    })
}

/// What is wrong with an object's name, namespace and metadata.
fn metadata(kind: Kind, root: &Node<'_>) -> Vec<Problem> {
    let first = root.entries().first().map_or(root.span, |(key, _)| key.span);
    let Some((key, metadata)) = root.get("metadata") else {
        let message = format!("this {kind} has no metadata");
        return vec![Problem::new(Code::MissingField, message, first).label("add `metadata: {name: …}`")];
    };
    let mut problems = Vec::new();
    match metadata.get("name") {
        None if metadata.is_container() => problems.push(no_name(kind, key.span)),
        None => {}
        Some((_, name)) => problems.extend(name_problem("name", name, 253, true)),
    }
    if let Some((_, namespace)) = metadata.get("namespace") {
        problems.extend(name_problem("namespace", namespace, 63, false));
    }
    problems
}

fn no_name(kind: Kind, span: Span) -> Problem {
    Problem::new(Code::MissingField, format!("this {kind} has no metadata.name"), span).label("add `name: …`")
}

/// RFC 1123: lower-case letters, digits and `-`, for names `.` as well; a letter or digit at both ends of each part.
fn name_problem(what: &str, node: &Node<'_>, longest: usize, dots: bool) -> Option<Problem> {
    let name = node.text()?;
    if is_name(name, longest, dots) || node.is_null() {
        return None;
    }
    let suggestion = suggest(name, longest, dots);
    let allowed =
        if dots { "lower-case letters, digits, `-` and `.`" } else { "lower-case letters, digits and `-`" };
    let message = if name.len() > longest {
        format!("this {what} is longer than {longest} characters")
    } else {
        format!("`{name}` cannot be a {what}")
    };
    let mut problem = Problem::new(Code::InvalidName, message, node.span)
        .help(format!("{allowed}, with a letter or digit at both ends"));
    if let Some(suggestion) = suggestion {
        problem = problem.label(format!("perhaps `{suggestion}`"));
    }
    Some(problem)
}

fn is_name(name: &str, longest: usize, dots: bool) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    name.len() <= longest && if dots { name.split('.').all(part) } else { part(name) }
}

fn suggest(name: &str, longest: usize, dots: bool) -> Option<String> {
    let mut out = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            'ä' => out.push_str("ae"),
            'ö' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'ß' => out.push_str("ss"),
            '.' if dots => out.push('.'),
            _ if out.ends_with(['-', '.']) => {}
            _ => out.push('-'),
        }
    }
    let out = out.trim_matches(['-', '.']).to_owned();
    is_name(&out, longest, dots).then_some(out)
}
