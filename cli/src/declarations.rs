//! From files to declarations: reading, checking, and grouping by kind for the engine.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tenantry_crd::AnyObject;
use tenantry_engine::address::Address;
use tenantry_engine::declare::{Declarations, Declared};
use tenantry_engine::origin::{Origin, Scope};

use crate::app::{Globals, LogFormat};
use crate::diagnostics::{self, Severity, Style, Tally};
use crate::exit::{CliError, Exit};
use crate::load::{self, Loaded, ReadScope};

/// Reads and checks files; any error ends the run before anything is asked of a console.
pub fn read(globals: &Globals, files: &[PathBuf]) -> Result<Loaded, CliError> {
    read_with(globals, files, true)
}

/// As [`read`], where more is declared elsewhere: what a reference means may stand there.
pub fn read_some(globals: &Globals, files: &[PathBuf]) -> Result<Loaded, CliError> {
    read_with(globals, files, false)
}

fn read_with(globals: &Globals, files: &[PathBuf], everything: bool) -> Result<Loaded, CliError> {
    let base = base(files, &globals.state_dir);
    let loaded = load::validate(files, &load::Options { everything, ..load::Options::new(base) });
    if !loaded.has_errors() {
        warn(globals, &loaded);
        return Ok(loaded);
    }
    if globals.log_format == LogFormat::Json {
        let report = diagnostics::json_lines(&loaded.diagnostics);
        return Err(CliError::new("invalid", "").exit(Exit::Failure).report(report));
    }
    let mut report = diagnostics::text(&loaded.diagnostics, style(globals));
    report.push_str(&format!(
        "{}; nothing was read from a console, nothing was changed.\n",
        Tally::of(&loaded.diagnostics).sentence(loaded.counts.files)
    ));
    Err(CliError::new("invalid", "").exit(Exit::Failure).report(report))
}

fn style(globals: &Globals) -> Style {
    let coloured = globals.coloured(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    if coloured { Style::Colour } else { Style::Plain }
}

/// Tells what is worth a look on stderr; the run goes on.
fn warn(globals: &Globals, loaded: &Loaded) {
    let warnings: Vec<_> =
        loaded.diagnostics.iter().filter(|one| one.severity == Severity::Warning).cloned().collect();
    if warnings.is_empty() {
        return;
    }
    let text = if globals.log_format == LogFormat::Json {
        tenantry_engine::text::json(&diagnostics::json_lines(&warnings))
    } else {
        diagnostics::text(&warnings, style(globals)) + "\n"
    };
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// What origins are relative to: the repository that holds the first path, else the state directory's parent.
pub fn base(files: &[PathBuf], state_dir: &Path) -> PathBuf {
    let first =
        files.iter().find(|path| path.as_os_str() != "-").cloned().unwrap_or_else(|| PathBuf::from("."));
    let absolute = std::path::absolute(&first).unwrap_or(first);
    absolute.ancestors().find(|dir| dir.join(".git").exists()).map_or_else(
        || {
            let state = std::path::absolute(state_dir).unwrap_or_else(|_| state_dir.to_owned());
            state.parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
        },
        Path::to_owned,
    )
}

/// What was read, as the engine asks for it.
pub struct FileScope<'l>(pub &'l ReadScope);

impl Scope for FileScope<'_> {
    fn was_read(&self, origin: &Origin, _: &Address) -> bool {
        match origin {
            Origin::File { path, .. } => self.0.covers(path),
            Origin::Object { .. } => false,
        }
    }
}

/// Groups loaded objects by kind.
pub fn declarations(loaded: &Loaded) -> Declarations<'_> {
    let mut out = Declarations::default();
    for one in &loaded.objects {
        let origin = Origin::file(Arc::clone(&one.origin.path), one.origin.line, one.origin.column);
        macro_rules! put {
            ($list:ident, $object:expr) => {
                out.$list.push(Declared {
                    namespace: one.object.namespace(),
                    name: one.object.name(),
                    labels: &one.labels,
                    origin,
                    spec: (&$object.spec).into(),
                })
            };
        }
        match &one.object {
            AnyObject::Console(object) => put!(consoles, object),
            AnyObject::Customer(object) => put!(customers, object),
            AnyObject::Product(object) => put!(products, object),
            AnyObject::License(object) => put!(licenses, object),
            AnyObject::Relationship(object) => put!(relationships, object),
            AnyObject::Attestation(object) => put!(attestations, object),
            other => out.without_behaviour.push((other.kind().as_str(), origin)),
        }
    }
    out
}
