//! A mistake or warning found while its file's text is at hand, and how it becomes a [`Diagnostic`].
//!
//! Never outlives the reading of its file: a diagnostic copies the one line that it shows.

use std::sync::Arc;

use super::tree::Span;
use crate::diagnostics::{Code, Diagnostic, NoteKind, Place, Severity, SourceLine};

/// A mistake with its place as bytes of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Its name.
    pub code: Code,
    /// One sentence without a full stop.
    pub message: String,
    /// Where it is.
    pub span: Span,
    /// What to do.
    pub label: Option<String>,
    /// Lines below.
    pub notes: Vec<(NoteKind, String)>,
    /// Other places in the same text.
    pub related: Vec<(String, Span)>,
}

impl Problem {
    /// A mistake at a place.
    pub fn new(code: Code, message: impl Into<String>, span: Span) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            span,
            label: None,
            notes: Vec::new(),
            related: Vec::new(),
        }
    }

    /// Something worth a look at a place: what is declared there counts all the same.
    pub fn warning(code: Code, message: impl Into<String>, span: Span) -> Self {
        Self { severity: Severity::Warning, ..Self::new(code, message, span) }
    }

    /// Says beside the caret what to do.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds `= see: …`.
    #[must_use]
    pub fn see(mut self, text: impl Into<String>) -> Self {
        self.notes.push((NoteKind::See, text.into()));
        self
    }

    /// Adds `= help: …`.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.notes.push((NoteKind::Help, text.into()));
        self
    }

    /// Names a second place.
    #[must_use]
    pub fn related(mut self, message: impl Into<String>, span: Span) -> Self {
        self.related.push((message.into(), span));
        self
    }
}

/// A file's text with its names: turns spans into places.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    /// The path as given.
    pub path: Arc<str>,
    /// The path in the repository.
    pub repository_path: Arc<str>,
    /// The whole text.
    pub text: &'a str,
}

impl Source<'_> {
    /// The place of a span: its first line, and the columns on that line.
    pub fn place(&self, span: Span) -> Place {
        let start = (span.start as usize).min(self.text.len());
        let before = &self.text[..floor(self.text, start)];
        let line_start = before.rfind(['\n', '\r']).map_or(0, |i| i + 1);
        let rest = &self.text[line_start..];
        let line = rest.split(['\n', '\r']).next().unwrap_or("");
        let line = if line_start == 0 { line.trim_start_matches('\u{feff}') } else { line };
        let end = floor(self.text, (span.end as usize).clamp(start, self.text.len()));
        let marked = &self.text[floor(self.text, start)..end];
        let marked = marked.split(['\n', '\r']).next().unwrap_or("").trim_end();
        let width = u32::try_from(marked.chars().count()).unwrap_or(u32::MAX).max(1);
        let end_column = span.column.saturating_add(width);
        Place {
            path: self.path.clone(),
            repository_path: self.repository_path.clone(),
            line: span.line,
            column: span.column,
            end_column,
            source: Some(SourceLine::new(line, span.column, end_column)),
        }
    }

    /// The diagnostic of a problem.
    pub fn diagnostic(&self, problem: Problem) -> Diagnostic {
        let mut diagnostic =
            Diagnostic::new(problem.severity, problem.code, problem.message).at(self.place(problem.span));
        diagnostic.label = problem.label;
        for (kind, text) in problem.notes {
            diagnostic.notes.push(crate::diagnostics::Note { kind, text });
        }
        for (message, span) in problem.related {
            diagnostic = diagnostic.related(message, self.place(span));
        }
        diagnostic
    }
}

/// The nearest character boundary at or before a byte.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
