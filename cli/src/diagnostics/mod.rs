//! What is wrong with a declaration, where, and what to do: one shape, three forms.
//!
//! A [`Diagnostic`] is made where a mistake is found and printed by the caller as text ([`text`]), as one JSON
//! document ([`json`]) or as GitHub workflow commands ([`github`]).
//!
//! It never reads files, clocks or the environment, and never decides about colour or exit codes.
//! Invariant: every string that came from a file or a vendor passes [`visible`] before a terminal sees it.

mod code;
mod github;
mod json;
mod source;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use code::Code;
pub use github::github;
pub use json::{FORMAT_VERSION, json, json_lines};
pub use source::{SourceLine, visible};
pub use text::{Style, text};

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The run stops before anything is observed.
    Error,
    /// Worth a look; the run goes on.
    Warning,
    /// Said for completeness.
    Note,
}

impl Severity {
    /// The word that people and machines read: `error`, `warning` or `note`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// A stretch of one line of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path as the person who gave it would write it; `<stdin>` for standard input.
    pub path: Arc<str>,
    /// The path relative to the repository (see [`crate::load::Origin`]); what GitHub wants.
    pub repository_path: Arc<str>,
    /// Line, from 1; 0 when the whole file is meant.
    pub line: u32,
    /// Column, in characters, from 1; 0 when the whole file is meant.
    pub column: u32,
    /// The column after the last one, at least `column + 1` unless the whole file is meant.
    pub end_column: u32,
    /// The line itself, or a window of it; `None` when it cannot be shown.
    pub source: Option<SourceLine>,
}

impl Place {
    /// A file as a whole: no line, no column.
    pub fn file(path: impl Into<Arc<str>>, repository_path: impl Into<Arc<str>>) -> Self {
        Self {
            path: path.into(),
            repository_path: repository_path.into(),
            line: 0,
            column: 0,
            end_column: 0,
            source: None,
        }
    }

    /// `path:line:column`, or the path alone.
    pub fn to_short_string(&self) -> String {
        if self.line == 0 {
            visible(&self.path).into_owned()
        } else {
            format!("{}:{}:{}", visible(&self.path), self.line, self.column)
        }
    }
}

/// A line below the source: `see`, `help` or `note`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The word before the colon.
    pub kind: NoteKind,
    /// What follows it.
    pub text: String,
}

/// What a note is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// A command that says more.
    See,
    /// What to do.
    Help,
    /// Why it is so.
    Note,
}

impl NoteKind {
    /// The word before the colon.
    pub const fn as_str(self) -> &'static str {
        match self {
            NoteKind::See => "see",
            NoteKind::Help => "help",
            NoteKind::Note => "note",
        }
    }
}

/// A second place that belongs to a diagnostic, such as the first of two duplicates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// What is there.
    pub message: String,
    /// Where it is.
    pub place: Place,
}

/// One mistake, warning or note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Its kebab-case name.
    pub code: Code,
    /// One sentence without a full stop.
    pub message: String,
    /// Where it is; `None` when it belongs to no file.
    pub place: Option<Place>,
    /// What to do, shown beside the caret.
    pub label: Option<String>,
    /// Lines below the source.
    pub notes: Vec<Note>,
    /// Other places that belong to it.
    pub related: Vec<Related>,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A warning without a place.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// A diagnostic of any severity, without a place.
    pub fn new(severity: Severity, code: Code, message: impl Into<String>) -> Self {
        Self {
            severity,
            code,
            message: message.into(),
            place: None,
            label: None,
            notes: Vec::new(),
            related: Vec::new(),
        }
    }

    /// Puts it somewhere.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Says beside the caret what to do.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds `= see: …`.
    #[must_use]
    pub fn see(self, text: impl Into<String>) -> Self {
        self.note_of(NoteKind::See, text)
    }

    /// Adds `= help: …`.
    #[must_use]
    pub fn help(self, text: impl Into<String>) -> Self {
        self.note_of(NoteKind::Help, text)
    }

    /// Adds `= note: …`.
    #[must_use]
    pub fn note(self, text: impl Into<String>) -> Self {
        self.note_of(NoteKind::Note, text)
    }

    /// Names a second place.
    #[must_use]
    pub fn related(mut self, message: impl Into<String>, place: Place) -> Self {
        self.related.push(Related { message: message.into(), place });
        self
    }

    fn note_of(mut self, kind: NoteKind, text: impl Into<String>) -> Self {
        self.notes.push(Note { kind, text: text.into() });
        self
    }
}

/// Sorts by path, line, column, code and message, and drops exact repetitions: the order in which all forms print.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    fn key(d: &Diagnostic) -> (Option<(&str, u32, u32)>, Severity, Code, &str) {
        (d.place.as_ref().map(|p| (&*p.path, p.line, p.column)), d.severity, d.code, &d.message)
    }
    diagnostics.sort_by(|a, b| key(a).cmp(&key(b)));
    diagnostics.dedup();
}

/// True when at least one of them is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}

/// How many of each severity there are, and in how many files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
    /// Files that hold at least one error or warning.
    pub files: usize,
}

impl Tally {
    /// Counts them.
    pub fn of(diagnostics: &[Diagnostic]) -> Self {
        let mut tally = Tally::default();
        let mut files = BTreeSet::new();
        for d in diagnostics {
            match d.severity {
                Severity::Error => tally.errors += 1,
                Severity::Warning => tally.warnings += 1,
                Severity::Note => tally.notes += 1,
            }
            if let (Some(place), true) = (&d.place, d.severity != Severity::Note) {
                files.insert(&place.path);
            }
        }
        tally.files = files.len();
        tally
    }

    /// `2 errors, 1 warning in 2 of 139 files`, without a full stop; `read` is the number of files read.
    pub fn sentence(self, read: usize) -> String {
        let mut parts = Vec::new();
        if self.errors > 0 {
            parts.push(counted(self.errors, "error"));
        }
        if self.warnings > 0 {
            parts.push(counted(self.warnings, "warning"));
        }
        if parts.is_empty() {
            return format!("no errors in {}", counted(read, "file"));
        }
        let found = parts.join(", ");
        if self.files == 0 {
            return found;
        }
        format!("{found} in {} of {}", self.files, counted(read.max(self.files), "file"))
    }
}

/// `1 error`, `2 errors`.
pub fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
