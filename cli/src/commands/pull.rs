//! `tenantry pull`: writes ids of bound records and accepted drift into the YAML files, and nothing else.
//!
//! Ids come from the ledger, without asking a console. Drift is what the consoles show otherwise than it was applied;
//! accepting it means declaring what is there. Consoles are read with their read credentials only; the ledger is not
//! written. The next apply notes that declaration and console agree.

#[cfg(all(test, feature = "demo"))]
pub(crate) mod desk;
mod drift;
mod ids;
#[cfg(all(test, feature = "demo"))]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use tenantry_engine::address::Address;
use tenantry_engine::declare::{Declaration, declare};
use tenantry_engine::origin::Origin;
use tenantry_engine::plan::Approvals;

use crate::app::{Files, Globals, print, tell};
use crate::approvals::address_of;
use crate::commands::apply::ask;
use crate::declarations::{FileScope, base, declarations, read};
use crate::diagnostics::counted;
use crate::edit::{self, Edit};
use crate::exit::{CliError, Exit};
use crate::load::{self, Loaded};
use crate::pipeline::{self, READ_BUDGET, Run};

/// Write ids and accepted drift into the YAML.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry pull -f . --dry-run                  what it would write\n  tenantry pull -f . --ids                      ids of bound records; asks no console\n  tenantry pull -f . --drift --target customer/adatum/microsoft\n  tenantry pull -f . --yes                      in a pipeline, then: git diff"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Pull {
    /// What is declared, and is to be edited.
    #[command(flatten)]
    pub files: Files,
    /// Only ids, from the ledger; no console is asked
    #[arg(long)]
    pub ids: bool,
    /// Only what drifted in the consoles
    #[arg(long)]
    pub drift: bool,
    /// Only this address; repeatable
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<String>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Show the difference, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Details read at most in this run
    #[arg(long, value_name = "N", default_value_t = READ_BUDGET)]
    pub read_budget: usize,
}

/// One value that the files are to say.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Whose.
    pub address: Address,
    /// Where and what.
    pub edit: Edit,
}

/// What there is to write, and what there is to say about the rest.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Values to write.
    pub wanted: Vec<Wanted>,
    /// What is not written, and why; what a reader should know. One line each.
    pub notes: Vec<String>,
}

impl Found {
    fn note(&mut self, address: &Address, words: impl std::fmt::Display) {
        self.notes.push(format!("{address}: {words}"));
    }
}

/// Where an object stands, as the loader knows it.
fn origin_of(origin: &Origin) -> Option<load::Origin> {
    match origin {
        Origin::File { path, line, column } => {
            Some(load::Origin { path: path.clone(), line: *line, column: *column })
        }
        Origin::Object { .. } => None,
    }
}

impl Pull {
    /// Runs it.
    pub async fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        if !self.yes && !self.dry_run && !globals.can_ask() {
            return Err(CliError::usage("nobody can be asked: this is no terminal")
                .hint("look first: tenantry pull --dry-run")
                .hint("then write: tenantry pull --yes"));
        }
        let (ids, drift) = if self.ids || self.drift { (self.ids, self.drift) } else { (true, true) };
        let loaded = read(globals, &self.files.files)?;
        let scope = FileScope(&loaded.scope);
        let all = declarations(&loaded);
        let declaration = declare(&all, &scope);
        let targets = targets(&self.target, &declaration)?;
        let run = Run::new(globals, Vec::new())?;
        let mut found = Found::default();
        if ids {
            ids::find(&run, &declaration, &mut found)?;
        }
        let mut failed = Vec::new();
        if drift {
            let (seen, errors) =
                pipeline::look(&run, &declaration, &Approvals::default(), self.read_budget, |seen| seen)
                    .await?;
            failed = errors;
            for seen in &seen {
                let dialect = seen.one.console.dialect();
                drift::find(seen.one.desired, dialect, &seen.prepared.planned.drift, &mut found);
            }
        }
        if !targets.is_empty() {
            found.wanted.retain(|wanted| targets.contains(&wanted.address));
            let named: Vec<String> = targets.iter().map(|address| format!("{address}: ")).collect();
            found.notes.retain(|note| named.iter().any(|name| note.starts_with(name)));
        }
        let asks = if self.yes { None } else { Some(&ask as &dyn Fn() -> Result<bool, CliError>) };
        let mode = if self.dry_run { Mode::Show } else { asks.map_or(Mode::Write, Mode::Ask) };
        let base = base(&self.files.files, &globals.state_dir);
        let exit = put(globals, &self.files.files, &base, &loaded, found, &mode)?;
        match pipeline::together(failed) {
            Some(error) => Err(error.hint("what the other consoles show was taken in all the same")),
            None => Ok(exit),
        }
    }
}

/// Whether to write.
pub(crate) enum Mode<'a> {
    /// Only show.
    Show,
    /// Ask first.
    Ask(&'a dyn Fn() -> Result<bool, CliError>),
    /// Write.
    Write,
}

fn targets(texts: &[String], declaration: &Declaration<'_>) -> Result<BTreeSet<Address>, CliError> {
    texts.iter().map(|text| address_of(text, declaration)).collect()
}

/// Shows the difference, proves it, writes it.
pub(crate) fn put(
    globals: &Globals,
    paths: &[PathBuf],
    base: &std::path::Path,
    loaded: &Loaded,
    found: Found,
    mode: &Mode<'_>,
) -> Result<Exit, CliError> {
    let mut notes = found.notes;
    let of: BTreeMap<(load::Origin, String), Address> = found
        .wanted
        .iter()
        .map(|wanted| ((wanted.edit.origin.clone(), wanted.edit.path_words()), wanted.address.clone()))
        .collect();
    let prepared = edit::prepare(loaded, found.wanted.into_iter().map(|wanted| wanted.edit).collect());
    for (edit, why) in &prepared.refused {
        let address = of.get(&(edit.origin.clone(), edit.path_words()));
        let name = address.map_or_else(|| edit.origin.to_string(), ToString::to_string);
        notes.push(format!("{name}: {why} ({})", edit.origin));
    }
    let skipped = !prepared.refused.is_empty();
    for note in &notes {
        tell(&format!("left alone  {}", tenantry_engine::text::terminal(note)));
    }
    if prepared.files.is_empty() {
        if skipped {
            tell("Nothing was written.");
            return Ok(Exit::Refused);
        }
        print("Nothing to write: the files say it already.\n")?;
        return Ok(Exit::Done);
    }
    edit::verify(paths, base, loaded, &prepared)?;
    print(&edit::preview(&prepared.files, globals.paint()))?;
    let what =
        format!("{} in {}", counted(prepared.made.len(), "value"), counted(prepared.files.len(), "file"));
    match mode {
        Mode::Show => {
            print(&format!("{what} would be written. Write: tenantry pull --yes\n"))?;
            return Ok(Exit::Done);
        }
        Mode::Ask(ask) if !ask()? => {
            tell("Nothing was written.");
            return Ok(Exit::Refused);
        }
        Mode::Ask(_) | Mode::Write => {}
    }
    edit::write(&prepared.files)?;
    print(&format!("{what} written. Look at it: git diff   Then: tenantry plan\n"))?;
    Ok(if skipped { Exit::Refused } else { Exit::Done })
}

/// The id of one address, for whoever has just bound it.
pub(crate) fn id_of(run: &Run, declaration: &Declaration<'_>, address: &Address) -> Result<Found, CliError> {
    let mut found = Found::default();
    ids::find(run, declaration, &mut found)?;
    found.wanted.retain(|wanted| wanted.address == *address);
    found.notes.retain(|note| note.starts_with(&format!("{address}: ")));
    Ok(found)
}
