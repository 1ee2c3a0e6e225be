//! What one run has read: where each object was declared, and which silence means something.
//!
//! A declaration counts as withdrawn only when the path that made it was read and no longer makes it. This module
//! answers whether a path was read; it never decides what follows from that.
//! Invariant: when in doubt (an error, an ignored entry, standard input, a path outside what was walked), the answer
//! is "not read", and what was declared there stays declared.

use std::collections::BTreeSet;
use std::sync::Arc;

/// The path of standard input, in origins and in messages.
pub const STDIN: &str = "<stdin>";

/// Where an object was declared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The file, with `/`, relative to the repository (the nearest directory upward with `.git`), else to the state
    /// directory, else absolute; [`STDIN`] for standard input. One allocation per file.
    pub path: Arc<str>,
    /// The line on which the object begins, from 1.
    pub line: u32,
    /// The column, in characters, from 1.
    pub column: u32,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", crate::diagnostics::visible(&self.path), self.line, self.column)
    }
}

/// Which paths were read in this run. Paths are those of [`Origin`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadScope {
    /// Files that were read without any error.
    read: BTreeSet<Arc<str>>,
    /// Files that were found and have errors.
    broken: BTreeSet<Arc<str>>,
    /// Directories whose entries were all listed.
    walked: BTreeSet<Arc<str>>,
    /// Entries of walked directories that are there and were passed over, and directories that could not be listed.
    ignored: BTreeSet<Arc<str>>,
}

impl ReadScope {
    pub(super) fn file(&mut self, path: Arc<str>, without_error: bool) {
        if &*path == STDIN {
            return;
        }
        if without_error {
            self.read.insert(path)
        } else {
            self.broken.insert(path)
        };
    }

    pub(super) fn directory(&mut self, path: Arc<str>) {
        self.walked.insert(path);
    }

    pub(super) fn ignore(&mut self, path: Arc<str>) {
        self.ignored.insert(path);
    }

    /// Files that were read without any error, sorted.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.read.iter().map(|path| &**path)
    }

    /// Directories whose entries were all listed, sorted; the repository itself is the empty string.
    pub fn directories(&self) -> impl Iterator<Item = &str> {
        self.walked.iter().map(|path| &**path)
    }

    /// True when what `path` declares is known: it was read without error, or it is gone and a directory that held
    /// it was walked without error.
    pub fn covers(&self, path: &str) -> bool {
        if self.read.contains(path) && !self.broken.contains(path) && !self.ignored.contains(path) {
            return true;
        }
        if path == STDIN || self.broken.contains(path) || self.ignored.contains(path) {
            return false;
        }
        // From the file upward: the first directory that still exists decides.
        let mut child = path;
        while let Some(parent) = parent(child) {
            if self.ignored.contains(parent) {
                return false;
            }
            if self.walked.contains(parent) {
                return true;
            }
            child = parent;
        }
        false
    }
}

/// The directory of a path with `/`; the empty string is the repository and has none.
fn parent(path: &str) -> Option<&str> {
    match path.rfind('/') {
        Some(0) if path.len() > 1 => Some("/"),
        Some(0) => None,
        Some(at) => Some(&path[..at]),
        None if path.is_empty() => None,
        None => Some(""),
    }
}
