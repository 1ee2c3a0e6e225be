//! `tenantry adopt`: binds one declaration to an existing record. Writes the ledger and nothing at the console.
//!
//! Plans as `plan` does and carries out one step of that plan: the adoption of the address that was named. `--id` has
//! the meaning of `accounts[].id` (`spec.id` of a License). A record that another declaration holds, that is not there,
//! or that is one of several, is refused with what planning says about it.

#[cfg(all(test, feature = "demo"))]
mod tests;

use std::path::PathBuf;

use clap::Args;
use tenantry_crd::AnyObject;
use tenantry_engine::action::Action;
use tenantry_engine::address::{Address, Kind};
use tenantry_engine::declare::{Declaration, declare};
use tenantry_engine::desired::Desired;
use tenantry_engine::execute::Outcome;
use tenantry_engine::ledger::{Ledger, Standing};
use tenantry_engine::plan::{Approvals, Plan as EnginePlan, Planned, Step, summary};
use tenantry_engine::render::{Paint, text};
use tenantry_engine::run::Prepared;
use tenantry_engine::store::OpenLedger;
use tenantry_engine::text::terminal;

use crate::app::{Files, Globals, print, tell};
use crate::approvals::address_of;
use crate::commands::apply::{ask, owner};
use crate::commands::pull::{Mode, id_of, put};
use crate::declarations::{FileScope, base, declarations, read};
use crate::exit::{CliError, Exit};
use crate::load::Loaded;
use crate::pipeline::{self, READ_BUDGET, Run};

/// Bind one declaration to an existing record.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry adopt customers/tailspin.yaml        the record that matches\n  tenantry adopt customer/tailspin/sophos --id 7f2e0c…\n  tenantry adopt customers/tailspin.yaml --write     and keep its id in the YAML"
)]
pub struct Adopt {
    /// The declaration: its file, or its address
    #[arg(value_name = "FILE-or-ADDRESS")]
    pub what: String,
    /// The record's id in the console; without it the record must match
    #[arg(long, value_name = "REMOTE")]
    pub id: Option<String>,
    /// What is declared: its Console must be among it.
    #[command(flatten)]
    pub files: Files,
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
    /// Write the id into the YAML as well
    #[arg(long)]
    pub write: bool,
    /// Details read at most in this run
    #[arg(long, value_name = "N", default_value_t = READ_BUDGET)]
    pub read_budget: usize,
}

fn no(code: &'static str, message: impl Into<String>) -> CliError {
    CliError::new(code, message).exit(Exit::Refused)
}

impl Adopt {
    /// Runs it.
    pub async fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        if !self.auto_approve && !globals.can_ask() {
            return Err(CliError::usage("nobody can be asked: this is no terminal")
                .hint("see what it would bind: tenantry plan --target ADDRESS")
                .hint("then bind it: tenantry adopt ADDRESS --auto-approve"));
        }
        let mut paths = self.files.files.clone();
        let file = PathBuf::from(&self.what);
        let from_file = file.is_file();
        if from_file {
            paths.push(file.clone());
        }
        let run = Run::new(globals, Vec::new())?;
        let mut loaded = read(globals, &paths)?;
        let address = self.address(&run, &loaded, from_file.then_some(&file))?;
        if let Some(id) = &self.id {
            name_it(&mut loaded, &address, id)?;
        }
        let exit = self.bind(globals, &run, &loaded, &address).await?;
        if exit != Exit::Done {
            return Ok(exit);
        }
        // Read anew: what --id said is not in the files.
        let loaded = read(globals, &paths)?;
        let scope = FileScope(&loaded.scope);
        let all = declarations(&loaded);
        let found = id_of(&run, &declare(&all, &scope), &address)?;
        if found.wanted.is_empty() {
            return Ok(Exit::Done);
        }
        if !self.write {
            tell(&format!("Keep its id in Git: tenantry pull --ids --target {address}"));
            return Ok(Exit::Done);
        }
        put(globals, &paths, &base(&paths, &globals.state_dir), &loaded, found, &Mode::Write)
    }

    /// Which address is meant.
    fn address(&self, run: &Run, loaded: &Loaded, file: Option<&PathBuf>) -> Result<Address, CliError> {
        let scope = FileScope(&loaded.scope);
        let all = declarations(loaded);
        let declaration = declare(&all, &scope);
        let Some(file) = file else {
            let address = address_of(&self.what, &declaration)?;
            return match console_of(&declaration, &address) {
                Some(_) => Ok(address),
                None => Err(CliError::usage(format!("nothing is declared as {address}"))
                    .hint("write customer/NAME/ACCOUNT or license/NAME; -f names where it is declared")),
            };
        };
        let origin = loaded.sources.origin_of(file);
        let here: Vec<(&Desired<'_>, &Address)> = declared(&declaration)
            .filter(|(_, _, place)| match place {
                tenantry_engine::origin::Origin::File { path, .. } => Some(&**path) == origin.as_deref(),
                tenantry_engine::origin::Origin::Object { .. } => false,
            })
            .map(|(desired, address, _)| (desired, address))
            .collect();
        let index = run.state.index()?;
        let mut free = Vec::new();
        for (desired, address) in &here {
            let account = index.consoles.get(&desired.console.name);
            let ledger = account.map(|account| run.state.ledger(account)).transpose()?.flatten();
            let bound = ledger.is_some_and(|ledger| bound(&ledger, address));
            if !bound {
                free.push(*address);
            }
        }
        let names = |all: &[&Address]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match (free.as_slice(), here.as_slice()) {
            ([one], _) | ([], [(_, one)]) => Ok((*one).clone()),
            ([], []) => {
                Err(CliError::usage(format!("{} declares no account and no licence", file.display()))
                    .hint("name a Customer's or License's file, or an address"))
            }
            ([], _) => Err(CliError::usage(format!("everything in {} is bound already", file.display()))
                .hint("what is bound to what: tenantry observe")),
            (several, _) => Err(CliError::usage(format!("{} declares several", file.display()))
                .hint(format!("name one: {}", names(several)))),
        }
    }

    async fn bind(
        &self,
        globals: &Globals,
        run: &Run,
        loaded: &Loaded,
        address: &Address,
    ) -> Result<Exit, CliError> {
        let scope = FileScope(&loaded.scope);
        let all = declarations(loaded);
        let declaration = declare(&all, &scope);
        run.check_endpoints(&declaration)?;
        let desired = console_of(&declaration, address)
            .ok_or_else(|| CliError::usage(format!("nothing is declared as {address}")))?;
        let lock = run.state.lock(&owner())?;
        let (mut connected, failed) = pipeline::connect_these(run, std::iter::once(desired), false).await?;
        if let Some(error) = pipeline::together(failed) {
            return Err(error);
        }
        let one = connected.pop().ok_or_else(|| CliError::new("no-console", "the console did not answer"))?;
        pipeline::check_account(run, &one)?;
        let account = one.identity.vendor_account.clone();
        let known = run.state.ledger(&account)?;
        let before = known.clone().unwrap_or_else(|| Ledger::new(account.clone(), run.runtime.ids.uuid()));
        let cache = run.state.cache(&account);
        let approvals = Approvals::default();
        let job = pipeline::job(run, &one, &approvals, &cache, self.read_budget);
        let mut prepared = tenantry_engine::run::look(&job, &before).await?;
        pipeline::told_console(run, &one, &prepared);
        if let Some(ready) = already(&before, address, self.id.as_deref()) {
            return ready;
        }
        let step = adoption(&prepared.planned, address, self.id.as_deref())?;
        if let Some(holder) = holder(&before, address, &step) {
            return Err(no("bound-twice", format!("that record is bound to {holder} already")).hint(
                "one record belongs to one declaration: correct the id, or which declaration is meant",
            ));
        }
        reduce(&mut prepared, address, &step);
        let plan: EnginePlan = prepared.planned.plan.clone();
        print(&shown(&plan, globals.paint()))?;
        if let Some(held) = &step.held {
            return Err(no("held", held.words.clone()).hint(held.allow.clone()));
        }
        if !self.auto_approve && !ask()? {
            tell("Nothing was bound.");
            return Ok(Exit::Refused);
        }
        let (ledger, store) = run.state.open(&lock, &account, || before.header.lineage.clone())?;
        let mut index = run.state.index()?;
        if index.consoles.insert(desired.console.name.clone(), account.clone()).as_ref() != Some(&account) {
            run.state.write_index(&index)?;
        }
        let mut open = OpenLedger::new(ledger, &store);
        let report = tenantry_engine::run::apply(&job, &mut open, &mut prepared).await?;
        store.compact(&open.into_ledger()).await?;
        let Some(line) = report.steps.iter().find(|line| line.address == *address) else {
            return Ok(Exit::Interrupted);
        };
        match &line.outcome {
            Outcome::Done => {
                let binds =
                    step.notes.iter().find(|(label, _)| label == "binds").map(|(_, text)| text.as_str());
                print(&format!("Bound in {}: {address} is {}.\n", plan.console, binds.unwrap_or("there")))?;
                Ok(Exit::Done)
            }
            Outcome::NotBegun => Ok(Exit::Interrupted),
            other => Err(no("not-bound", format!("{address} was not bound: {other:?}"))),
        }
    }
}

/// The step as `plan` shows it, without the counts and commands at its end.
fn shown(plan: &EnginePlan, paint: Paint) -> String {
    let plans = std::slice::from_ref(plan);
    let text = text::plans(plans, &[], paint);
    let counts = format!("{}\n", paint.strong(&text::counts(&summary(plans))));
    text.strip_suffix(&counts).unwrap_or(&text).to_owned()
}

fn declared<'d, 'a>(
    declaration: &'d Declaration<'a>,
) -> impl Iterator<Item = (&'d Desired<'a>, &'d Address, &'d tenantry_engine::origin::Origin)> {
    declaration.consoles.values().flat_map(|desired| {
        let accounts = desired.accounts.iter().map(move |decl| (desired, &decl.address, &decl.origin));
        accounts.chain(desired.licenses.iter().map(move |decl| (desired, &decl.address, &decl.origin)))
    })
}

fn console_of<'d, 'a>(declaration: &'d Declaration<'a>, address: &Address) -> Option<&'d Desired<'a>> {
    declared(declaration).find(|(_, other, _)| *other == address).map(|(desired, ..)| desired)
}

fn bound(ledger: &Ledger, address: &Address) -> bool {
    ledger
        .entries
        .get(address)
        .is_some_and(|entry| entry.standing == Standing::Declared && entry.bound().is_some())
}

/// `--id` means what `id` in the file means.
fn name_it(loaded: &mut Loaded, address: &Address, id: &str) -> Result<(), CliError> {
    if id.trim().is_empty() {
        return Err(
            CliError::usage("--id is empty").hint("write the record's id, as tenantry observe shows it")
        );
    }
    for one in &mut loaded.objects {
        if one.object.namespace() != address.namespace || one.object.name() != address.name {
            continue;
        }
        let slot = match (&mut one.object, address.kind) {
            (AnyObject::Customer(customer), Kind::Customer) => customer
                .spec
                .accounts
                .iter_mut()
                .find(|account| Some(account.name.as_str()) == address.account.as_deref())
                .map(|account| &mut account.id),
            (AnyObject::License(license), Kind::License) => Some(&mut license.spec.id),
            _ => None,
        };
        let Some(slot) = slot else { continue };
        if let Some(declared) = slot.as_deref()
            && declared != id
        {
            return Err(CliError::usage(format!(
                "--id {id}, and the file says id \"{}\"",
                terminal(declared)
            ))
            .hint(format!("{}: correct one of the two", one.origin)));
        }
        *slot = Some(id.into());
        return Ok(());
    }
    Err(CliError::usage(format!("nothing is declared as {address}")))
}

/// What is to be said where the address is bound.
fn already(ledger: &Ledger, address: &Address, id: Option<&str>) -> Option<Result<Exit, CliError>> {
    if !bound(ledger, address) {
        return None;
    }
    let held = ledger.entries.get(address).and_then(|entry| entry.bound())?;
    Some(match id {
        Some(id) if id != held.as_str() => Err(no(
            "contradiction",
            format!("{address} is bound to \"{}\", not to \"{}\"", terminal(held.as_str()), terminal(id)),
        )
        .hint(format!("give the old record up first: tenantry state forget {address}"))),
        _ => print(&format!("{address} is bound to \"{}\" already.\n", terminal(held.as_str())))
            .map(|()| Exit::Done),
    })
}

/// The step that binds this address, or why there is none.
fn adoption(planned: &Planned, address: &Address, id: Option<&str>) -> Result<Step, CliError> {
    let plan = &planned.plan;
    let own = plan.steps.iter().find(|step| step.address == *address);
    if let Some(step) = own.filter(|step| step.action == Action::Adopt) {
        return Ok(step.clone());
    }
    let mut findings = plan.findings.iter().filter(|finding| finding.address.as_ref() == Some(address));
    if let Some(finding) = findings
        .clone()
        .find(|finding| finding.code.severity() <= tenantry_engine::plan::findings::Severity::Warning)
        .or_else(|| findings.next())
    {
        let mut error = no(finding.code.as_str(), format!("{address}: {}", finding.words));
        error.hints.extend(finding.next.iter().cloned());
        return Err(error);
    }
    if let Some(waiting) = plan.waiting.iter().find(|waiting| waiting.address == *address) {
        return Err(no("waiting", format!("{address}: {}", waiting.words))
            .hint("tenantry plan shows what it waits for"));
    }
    if plan.looked.not_compared > 0 && own.is_none() {
        return Err(no("not-compared", format!("{address}: what it needs was not read in this run"))
            .hint("run again, with a larger --read-budget where that was the reason"));
    }
    Err(match id {
        Some(id) => no("id-not-found", format!("{address}: no record there has the id \"{}\"", terminal(id)))
            .hint("ids of all records: tenantry observe"),
        None => no("not-found", format!("{address}: no record there matches it"))
            .hint("name the record: --id ID · ids of all records: tenantry observe"),
    })
}

/// Another declaration that holds the record.
fn holder<'l>(ledger: &'l Ledger, address: &Address, step: &Step) -> Option<&'l Address> {
    ledger
        .entries
        .iter()
        .filter(|(other, entry)| {
            other.kind == address.kind && *other != address && entry.standing != Standing::Released
        })
        .find(|(other, entry)| {
            entry.bound() == step.remote_id.as_ref() && step.inside.moved_from.as_deref() != Some(*other)
        })
        .map(|(other, _)| other)
}

/// Leaves of a plan the one step, and of what observation settled only what concerns it.
fn reduce(prepared: &mut Prepared, address: &Address, step: &Step) {
    let planned = &mut prepared.planned;
    let concerns = |other: &Address| other == address || step.inside.moved_from.as_deref() == Some(other);
    planned.plan.steps = vec![step.clone()];
    planned.plan.waiting.retain(|waiting| waiting.address == *address);
    planned.plan.findings.retain(|finding| finding.address.as_ref() == Some(address));
    planned.upkeep.retain(|upkeep| concerns(&upkeep.address));
    planned.drift.clear();
}
