//! Files to typed objects: the one entry for every command that reads declarations.
//!
//! ```text
//! walk ──► files ──► read, cut at `---` ──► tree ──► typed object + CEL   (all cores, text dropped per file)
//!                                                 └► problems ─► diagnostics with exact places
//! all objects ──► duplicates, references
//! ```
//!
//! Never talks to a console, never writes, never reads the clock. Results and their order do not depend on how many
//! cores there are. Invariant: an object is returned only if its document has no mistake at all, and a file counts as
//! read ([`ReadScope`]) only if nothing in it is wrong. A warning is no mistake.

mod document;
mod hidden;
mod lookup;
mod object;
mod problem;
mod references;
mod rules;
pub(crate) mod scalar;
mod scope;
#[cfg(test)]
mod tests;
pub(crate) mod tree;
mod typed;
mod walk;
pub(crate) mod yaml;

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use tenantry_crd::{AnyObject, Kind};

pub use lookup::Sources;
pub use scope::{Origin, ReadScope, STDIN};
pub use typed::nearest;

use crate::diagnostics::{self, Code, Diagnostic, Place};
use document::Reading;
use lookup::{SourceFile, Text};
use problem::Source;
use walk::Found;

/// What to allow and whom to tell.
#[derive(Clone)]
pub struct Options<'a> {
    /// The state directory, else the working directory: origins outside a repository are relative to it.
    pub base: PathBuf,
    /// The most files that are read. Default 250 000: one per customer, with room.
    pub max_files: usize,
    /// The most bytes that one file may have. Default 16 MiB.
    pub max_file_bytes: u64,
    /// Texts to read instead of what files hold, by the path of their origin: how an edit is checked before it is
    /// written.
    pub replaced: BTreeMap<Arc<str>, Arc<str>>,
    /// What is read is all that is declared. False where more stands elsewhere, as in a cluster: then a reference that
    /// leads nowhere here is no mistake.
    pub everything: bool,
    /// Hears of progress, from any thread.
    pub progress: Option<&'a (dyn Fn(Progress) + Sync)>,
}

impl Options<'_> {
    /// The defaults, with origins relative to `base`.
    pub fn new(base: impl Into<PathBuf>) -> Self {
        Self {
            base: base.into(),
            max_files: 250_000,
            max_file_bytes: 16 << 20,
            replaced: BTreeMap::new(),
            everything: true,
            progress: None,
        }
    }
}

/// How far loading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The directories are listed.
    Listed {
        /// How many files there are to read.
        files: usize,
    },
    /// One more file was read; files come in any order.
    Read {
        /// How many are read so far.
        files: usize,
        /// How many there are.
        of: usize,
        /// How many documents they held.
        documents: usize,
    },
    /// All files are read; what objects say about each other is checked.
    Comparing {
        /// How many objects there are.
        objects: usize,
    },
    /// Done.
    Done,
}

/// `metadata.labels`.
pub type Labels = BTreeMap<String, String>;

/// Labels that were read so far, each set once.
type Seen = Mutex<HashSet<Arc<Labels>>>;

/// One object and where it is declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// The object, without its labels.
    pub object: AnyObject,
    /// Its labels, held once for all objects that have the same.
    pub labels: Arc<Labels>,
    /// Where it begins.
    pub origin: Origin,
}

/// How much there was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files that were found, read or not.
    pub files: usize,
    /// Bytes that were read.
    pub bytes: u64,
    /// Documents that held something.
    pub documents: usize,
    /// Objects without a mistake in themselves, by kind.
    pub objects: BTreeMap<Kind, usize>,
    /// Documents of other programs, by `apiVersion/kind`.
    pub skipped: BTreeMap<String, usize>,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The objects, in the order of paths, files and documents.
    pub objects: Vec<Declared>,
    /// Which paths were read.
    pub scope: ReadScope,
    /// What is wrong, sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// How much there was.
    pub counts: Counts,
    /// From an object and a path to its place in the file.
    pub sources: Sources,
}

impl Loaded {
    /// True when something is wrong: nothing may be planned from these objects.
    pub fn has_errors(&self) -> bool {
        diagnostics::has_errors(&self.diagnostics)
    }
}

/// Reads and checks all declarations under `paths`; `-` is standard input. Never fails: what cannot be read is a
/// diagnostic.
pub fn validate(paths: &[PathBuf], options: &Options<'_>) -> Loaded {
    validate_with(paths, options, &mut std::io::stdin())
}

/// As [`validate`], with something else as standard input.
pub fn validate_with(paths: &[PathBuf], options: &Options<'_>, stdin: &mut dyn Read) -> Loaded {
    let tell = |progress| {
        if let Some(hear) = options.progress {
            hear(progress);
        }
    };
    let walk = walk::walk(paths, &options.base, options.max_files);
    let of = walk.files.len();
    tell(Progress::Listed { files: of });

    let (files, documents) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let told = |output: &FileOutput| {
        let files = files.fetch_add(1, Ordering::Relaxed) + 1;
        let documents = documents.fetch_add(output.documents, Ordering::Relaxed) + output.documents;
        tell(Progress::Read { files, of, documents });
    };
    // Standard input is read before the others start, on this thread.
    let piped = walk
        .files
        .iter()
        .find(|found| found.disk.is_none())
        .map(|found| read_limited(stdin, options.max_file_bytes).map_err(|error| unread(found, &error)));
    let labels = Seen::default();
    let outputs: Vec<FileOutput> = walk
        .files
        .par_iter()
        .map(|found| {
            let bytes = match (&found.disk, &piped) {
                _ if options.replaced.contains_key(&found.origin) => {
                    Ok(Some(options.replaced[&found.origin].as_bytes().to_vec()))
                }
                (Some(disk), _) => {
                    read_file(disk, options.max_file_bytes).map_err(|error| unread(found, &error))
                }
                (None, Some(piped)) => piped.clone(),
                (None, None) => Ok(Some(Vec::new())),
            };
            let output = read_one(found, bytes, options, &labels);
            told(&output);
            output
        })
        .collect();

    let mut loaded = Loaded { scope: walk.scope, diagnostics: walk.diagnostics, ..Loaded::default() };
    loaded.counts.files = of;
    // Something that could not be read may be what a reference means.
    let mut known = references::Known {
        everything: options.everything && !loaded.has_errors(),
        ..references::Known::default()
    };
    for (found, mut output) in walk.files.iter().zip(outputs) {
        known.broken.append(&mut output.broken);
        known.everything &= !output.unknown;
        loaded.take(found, output);
    }
    tell(Progress::Comparing { objects: loaded.objects.len() });
    let found = references::check(&loaded.objects, &known, &loaded.sources);
    loaded.diagnostics.extend(found);
    diagnostics::sort(&mut loaded.diagnostics);
    tell(Progress::Done);
    loaded
}

impl Loaded {
    fn take(&mut self, found: &Found, output: FileOutput) {
        self.counts.bytes += output.bytes as u64;
        self.counts.documents += output.documents;
        for (kind, n) in output.skipped {
            *self.counts.skipped.entry(kind).or_default() += n;
        }
        self.scope.file(found.origin.clone(), !diagnostics::has_errors(&output.diagnostics));
        self.diagnostics.extend(output.diagnostics);
        for declared in &output.objects {
            *self.counts.objects.entry(declared.object.kind()).or_default() += 1;
        }
        self.objects.extend(output.objects);
        let text = match (&found.disk, output.kept) {
            (Some(disk), _) => Text::Disk(disk.clone()),
            (None, kept) => Text::Kept(kept.unwrap_or_default()),
        };
        let file = SourceFile { given: found.given.clone(), text, length: output.bytes };
        self.sources.files.insert(found.origin.clone(), file);
    }
}

struct FileOutput {
    objects: Vec<Declared>,
    diagnostics: Vec<Diagnostic>,
    skipped: BTreeMap<String, usize>,
    documents: usize,
    bytes: usize,
    kept: Option<Arc<str>>,
    broken: Vec<document::Address>,
    /// True when something in it could not even be identified.
    unknown: bool,
}

fn unread(found: &Found, error: &std::io::Error) -> Box<Diagnostic> {
    Box::new(walk::io_error(&found.given, &found.origin, error))
}

/// The bytes of a file; `None` when it is larger than allowed.
fn read_file(disk: &Path, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    read_limited(&mut std::fs::File::open(disk)?, limit)
}

fn read_limited(reader: &mut dyn Read, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

fn read_one(
    found: &Found,
    bytes: Result<Option<Vec<u8>>, Box<Diagnostic>>,
    options: &Options<'_>,
    labels: &Seen,
) -> FileOutput {
    let mut output = FileOutput {
        objects: Vec::new(),
        diagnostics: Vec::new(),
        skipped: BTreeMap::new(),
        documents: 0,
        bytes: 0,
        kept: None,
        broken: Vec::new(),
        unknown: false,
    };
    let text = match bytes {
        Err(diagnostic) => Err(*diagnostic),
        Ok(None) => Err(too_large(found, options.max_file_bytes)),
        Ok(Some(bytes)) => String::from_utf8(bytes).map_err(|error| not_text(found, &error)),
    };
    let text = match text {
        Ok(text) => text,
        Err(diagnostic) => {
            output.diagnostics.push(diagnostic);
            output.unknown = true;
            return output;
        }
    };
    output.bytes = text.len();
    let stray = found.walked && Path::new(&*found.given).extension().is_some_and(|e| e == "json");
    let reading = read_text(&text, stray);
    output.documents = reading.documents;
    output.skipped = reading.skipped;
    output.broken = reading.broken;
    output.unknown = reading.unknown;
    let source = Source { path: found.given.clone(), repository_path: found.origin.clone(), text: &text };
    output.diagnostics = reading.problems.into_iter().map(|p| source.diagnostic(p)).collect();
    output.objects = reading
        .objects
        .into_iter()
        .map(|(mut object, span)| {
            let origin = Origin { path: found.origin.clone(), line: span.line, column: span.column };
            let own = object.metadata_mut().labels.take().unwrap_or_default();
            Declared { object, labels: shared(labels, own), origin }
        })
        .collect();
    if found.disk.is_none() {
        output.kept = Some(text.into());
    }
    output
}

/// These labels, as they are held already where they are.
fn shared(seen: &Seen, own: Labels) -> Arc<Labels> {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = seen.get(&own) {
        return Arc::clone(known);
    }
    let own = Arc::new(own);
    seen.insert(Arc::clone(&own));
    own
}

/// All documents of one text, on all cores when there are many.
fn read_text(text: &str, stray: bool) -> Reading {
    const FEW: usize = 32;
    let read = |chunks: &[yaml::Chunk]| {
        let mut reading = Reading::default();
        for chunk in chunks {
            for document in yaml::parse(text, *chunk) {
                reading.document(text, document, stray);
            }
        }
        reading
    };
    let chunks = yaml::split(text);
    if chunks.len() <= FEW {
        return read(&chunks);
    }
    let parts: Vec<Reading> = chunks.par_chunks(FEW).map(read).collect();
    let mut all = Reading::default();
    for part in parts {
        all.append(part);
    }
    all
}

fn too_large(found: &Found, limit: u64) -> Diagnostic {
    Diagnostic::error(Code::FileTooLarge, format!("this file is larger than {} MiB", limit.div_ceil(1 << 20)))
        .at(Place::file(found.given.clone(), found.origin.clone()))
        .help("divide it into several files")
}

fn not_text(found: &Found, error: &std::string::FromUtf8Error) -> Diagnostic {
    let bytes = error.as_bytes();
    let before = String::from_utf8_lossy(&bytes[..error.utf8_error().valid_up_to()]).into_owned();
    let start = u32::try_from(before.len()).unwrap_or(u32::MAX);
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
    let span = tree::Span {
        start,
        end: start,
        line: count(before.matches('\n').count()),
        column: count(before[line_start..].chars().count()),
    };
    let source = Source { path: found.given.clone(), repository_path: found.origin.clone(), text: &before };
    let message = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        "this file is UTF-16, and declarations are UTF-8"
    } else {
        "these bytes are not UTF-8"
    };
    Diagnostic::error(Code::InvalidUtf8, message).at(source.place(span)).label("save the file as UTF-8")
}
