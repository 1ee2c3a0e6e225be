//! From edits to files: new texts, the difference for a reader, the proof, the writing.
//!
//! Invariants: nothing is written whose new text does not load, together with everything else that was read, to
//! exactly the objects that the edits intend; all new files lie beside the old ones before the first is put into
//! place; a file that changed since it was read is not written.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use similar::TextDiff;
use tempfile::NamedTempFile;
use tenantry_engine::action::Tone;
use tenantry_engine::render::Paint;

use super::{CannotEdit, Edit, edit_text};
use crate::diagnostics::{self, Style, visible};
use crate::exit::{CliError, Exit, io};
use crate::load::{self, Loaded, STDIN};

/// One file with a new text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The path of its origin.
    pub path: Arc<str>,
    /// Where it is.
    pub disk: PathBuf,
    /// What it held when it was read.
    pub before: String,
    /// What it is to hold.
    pub after: String,
}

/// New texts, not written yet.
#[derive(Debug, Default)]
pub struct Prepared {
    /// Files that change, sorted.
    pub files: Vec<Changed>,
    /// Edits that are made in them.
    pub made: Vec<Edit>,
    /// Edits that cannot be made, and why.
    pub refused: Vec<(Edit, CannotEdit)>,
}

/// Makes the edits in memory.
pub fn prepare(loaded: &Loaded, edits: Vec<Edit>) -> Prepared {
    let mut by_file: BTreeMap<Arc<str>, Vec<Edit>> = BTreeMap::new();
    for edit in edits {
        by_file.entry(edit.origin.path.clone()).or_default().push(edit);
    }
    let mut out = Prepared::default();
    for (path, edits) in by_file {
        let (disk, before) = match loaded.sources.reread(&path) {
            Some(Ok(found)) => found,
            Some(Err(error)) => {
                let why = CannotEdit::Unreadable(error.to_string());
                out.refused.extend(edits.into_iter().map(|edit| (edit, why.clone())));
                continue;
            }
            None => {
                let why = if &*path == STDIN { CannotEdit::StandardInput } else { CannotEdit::Moved };
                out.refused.extend(edits.into_iter().map(|edit| (edit, why.clone())));
                continue;
            }
        };
        let (after, refused) = edit_text(&before, &edits);
        let mut refused: BTreeMap<usize, CannotEdit> = refused.into_iter().collect();
        for (n, edit) in edits.into_iter().enumerate() {
            match refused.remove(&n) {
                Some(why) => out.refused.push((edit, why)),
                None => out.made.push(edit),
            }
        }
        if after != before {
            out.files.push(Changed { path, disk, before, after });
        }
    }
    out
}

/// The difference, as `git diff` shows it. Fit for a terminal.
pub fn preview(files: &[Changed], paint: Paint) -> String {
    let mut out = String::new();
    for file in files {
        let diff = TextDiff::from_lines(&file.before, &file.after);
        let header = (format!("a/{}", file.path), format!("b/{}", file.path));
        let text = diff.unified_diff().context_radius(3).header(&header.0, &header.1).to_string();
        for line in text.split('\n') {
            let line = visible(line.strip_suffix('\r').unwrap_or(line)).into_owned();
            let painted = match line.as_bytes().first() {
                Some(b'+') => paint.tone(Tone::Adds, &line),
                Some(b'-') => paint.tone(Tone::Ends, &line),
                Some(b'@') => paint.tone(Tone::Notes, &line),
                _ => line,
            };
            out.push_str(&painted);
            out.push('\n');
        }
        while out.ends_with("\n\n") {
            out.pop();
        }
    }
    out
}

fn refused(why: &str, report: String) -> CliError {
    CliError::new("edit-not-exact", format!("the edited files would not say what is meant: {why}"))
        .report(report)
        .exit(Exit::Refused)
        .hint("nothing was written; write these values by hand")
}

/// Loads everything again with the new texts, in memory, and compares it with what the edits intend.
pub fn verify(paths: &[PathBuf], base: &Path, loaded: &Loaded, prepared: &Prepared) -> Result<(), CliError> {
    let mut options = load::Options::new(base);
    options.replaced = loaded.sources.kept().collect();
    let texts = prepared.files.iter().map(|file| (file.path.clone(), Arc::from(file.after.as_str())));
    options.replaced.extend(texts);
    let again = load::validate_with(paths, &options, &mut std::io::empty());
    if again.has_errors() {
        return Err(refused("they have mistakes", diagnostics::text(&again.diagnostics, Style::Plain)));
    }
    if again.objects.len() != loaded.objects.len() {
        return Err(refused("they declare another number of objects", String::new()));
    }
    let mut edits: BTreeMap<_, Vec<&Edit>> = BTreeMap::new();
    for edit in &prepared.made {
        edits.entry(&edit.origin).or_default().push(edit);
    }
    for (old, new) in loaded.objects.iter().zip(&again.objects) {
        let same = match edits.remove(&old.origin) {
            None => old.object == new.object,
            Some(edits) => {
                let mut expected = old.object.to_value();
                edits.iter().all(|edit| edit.set(&mut expected)) && expected == new.object.to_value()
            }
        };
        if !same || old.labels != new.labels || old.origin.path != new.origin.path {
            let why = format!("{} {} would differ in something else", old.object.kind(), old.object.name());
            return Err(refused(&why, String::new()));
        }
    }
    match edits.keys().next() {
        None => Ok(()),
        Some(origin) => Err(refused(&format!("{origin} is no object that was read"), String::new())),
    }
}

/// Writes all files or none.
pub fn write(files: &[Changed]) -> Result<(), CliError> {
    let mut ready: Vec<(NamedTempFile, PathBuf, &Changed)> = Vec::new();
    for file in files {
        let failed = |error: std::io::Error| {
            io("write", &file.disk, &error).hint("nothing was written: no file was changed")
        };
        // A link stays a link: what it names is written.
        let disk = std::fs::canonicalize(&file.disk).map_err(failed)?;
        let held = std::fs::read(&disk).map_err(failed)?;
        if held != file.before.as_bytes() {
            return Err(CliError::new("file-changed", format!("{} was changed meanwhile", file.path))
                .exit(Exit::Refused)
                .hint("nothing was written; run again"));
        }
        let dir = disk.parent().unwrap_or(Path::new("."));
        let mut temporary = NamedTempFile::new_in(dir).map_err(failed)?;
        temporary.write_all(file.after.as_bytes()).map_err(failed)?;
        let permissions = std::fs::metadata(&disk).map_err(failed)?.permissions();
        temporary.as_file().set_permissions(permissions).map_err(failed)?;
        temporary.as_file().sync_all().map_err(failed)?;
        ready.push((temporary, disk, file));
    }
    let mut done: Vec<(PathBuf, &Changed)> = Vec::new();
    for (temporary, disk, file) in ready {
        if let Err(error) = temporary.persist(&disk) {
            let mut out = io("write", &disk, &error.error);
            for (disk, file) in done {
                let back = crate::state::write_atomically(&disk, file.before.as_bytes());
                out = match back {
                    Ok(()) => out,
                    Err(_) => out.hint(format!("{} has its new text already", file.path)),
                };
            }
            return Err(out.hint("the other files were put back as they were"));
        }
        done.push((disk, file));
    }
    for (disk, _) in &done {
        let dir = disk.parent().unwrap_or(Path::new("."));
        std::fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| io("write", dir, &error))?;
    }
    Ok(())
}
