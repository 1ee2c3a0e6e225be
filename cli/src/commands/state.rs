//! `tenantry state`: the ledgers. Looks at them, moves, forgets and scrubs entries, takes them out and puts them back.
//!
//! It asks no console. Every write happens under the lock, is durable before it is told, and stands in the log.

mod erase;
mod look;
mod whole;

use clap::{Args, Subcommand};
use tenantry_engine::address::{Address, ConsoleName};
use tenantry_engine::operation::Phase;
use tenantry_engine::store::Write;
use tenantry_engine::text::terminal;

pub use erase::{Forget, Scrub};
pub use look::{List, ShowEntry};
pub use whole::{PullLedger, Push};

use crate::app::{Globals, print};
use crate::commands::apply::owner;
use crate::exit::{CliError, Exit};
use crate::ledgers::{Change, Ledgers};
use crate::load::nearest;

/// Ledgers: list, show, move, forget, scrub, pull, push.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry state list\n  tenantry state show customer/adatum/microsoft\n  tenantry state mv customer/old/sophos customer/new/sophos\n  tenantry state pull > ledger.json"
)]
pub struct State {
    /// What to do
    #[command(subcommand)]
    pub what: What,
}

/// What is done with ledgers.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Every entry in a line
    List(List),
    /// All that is remembered about one address
    Show(ShowEntry),
    /// Give an entry another address; nothing is asked of a console
    Mv(Mv),
    /// Erase an entry: its binding, its invitation, its tasks
    Forget(Forget),
    /// Erase the personal data of an entry and of its log; what proves what was done stays
    Scrub(Scrub),
    /// Print a ledger as JSON
    Pull(PullLedger),
    /// Replace a ledger by a file that was pulled and corrected
    Push(Push),
    /// Say who holds the lock; a local lock ends with its process
    Unlock(Unlock),
    /// Forget which vendor account a Console had, so that it may have another
    MoveConsole(MoveConsole),
}

/// Give an entry another address.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tenantry state mv customer/old/sophos customer/new/sophos")]
pub struct Mv {
    /// Its address now
    pub old: String,
    /// Its address from now on
    pub new: String,
    /// In which ledger: a Console or vendor account, where several hold it
    #[arg(long = "in", value_name = "CONSOLE")]
    pub within: Option<String>,
}

/// Say who holds the lock.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tenantry state unlock")]
pub struct Unlock {}

/// Forget which vendor account a Console had.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry state move-console sophos      then: tenantry doctor, tenantry plan"
)]
pub struct MoveConsole {
    /// The Console
    pub name: String,
}

impl State {
    /// Runs it.
    pub async fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        let (text, exit) = self.answer(globals).await?;
        print(&text)?;
        Ok(exit)
    }

    /// What to print, and how it ended.
    pub async fn answer(self, globals: &Globals) -> Result<(String, Exit), CliError> {
        let done = |text| (text, Exit::Done);
        match self.what {
            What::List(list) => list.answer(globals).await.map(done),
            What::Show(show) => show.answer(globals).await.map(done),
            What::Mv(mv) => mv.answer(globals).await.map(done),
            What::Forget(forget) => forget.answer(globals).await,
            What::Scrub(scrub) => scrub.answer(globals).await,
            What::Pull(pull) => pull.answer(globals).await.map(done),
            What::Push(push) => push.answer(globals).await.map(done),
            What::Unlock(Unlock {}) => Unlock::answer(globals).map(done),
            What::MoveConsole(moved) => moved.answer(globals).await.map(done),
        }
    }
}

/// Refuses to touch an entry whose request may be on its way.
fn not_in_doubt(address: &Address, entry: &tenantry_engine::ledger::Entry) -> Result<(), CliError> {
    match &entry.operation {
        Some(operation) if !matches!(operation.phase, Phase::NotHappened { .. }) => Err(CliError::new(
            "operation-open",
            format!(
                "a request of {address} is {}: {} ({})",
                operation.phase_word(),
                operation.name,
                operation.id
            ),
        )
        .exit(Exit::Refused)
        .hint("without its entry nobody would know about it, and it could be sent twice")
        .hint(format!("let tenantry plan settle it, or say: tenantry resolve {} --happened", operation.id))),
        _ => Ok(()),
    }
}

impl Mv {
    async fn answer(self, globals: &Globals) -> Result<String, CliError> {
        let ledgers = Ledgers::read(globals)?;
        let (ledger, old, _) = ledgers.entry(&self.old, self.within.as_deref())?;
        let new: Address = self
            .new
            .parse()
            .map_err(|error: tenantry_engine::address::BadAddress| CliError::usage(error.to_string()))?;
        if new.kind != old.kind {
            return Err(CliError::usage(format!("{old} is a {}, {new} would be a {}", old.kind, new.kind))
                .hint("an entry keeps its kind"));
        }
        let account = ledger.header.vendor_account.clone();
        let old = old.clone();
        ledgers
            .change(&account, |ledger| {
                let entry = ledger.entries.get(&old).ok_or_else(|| gone(&old))?;
                not_in_doubt(&old, entry)?;
                if ledger.entries.contains_key(&new) {
                    return Err(CliError::new("taken", format!("{new} has an entry already"))
                        .exit(Exit::Refused)
                        .hint(format!("see which one is right: tenantry state show {new}"))
                        .hint(format!("if it is not wanted: tenantry state forget {new}")));
                }
                let mut writes = vec![Write::Put(new.clone(), Box::new(entry.clone()))];
                for (address, child) in &ledger.entries {
                    if child.parent.as_deref() == Some(&old) {
                        let mut child = child.clone();
                        child.parent = Some(Box::new(new.clone()));
                        writes.push(Write::Put(address.clone(), Box::new(child)));
                    }
                }
                writes.push(Write::Erase(old.clone()));
                Ok(vec![Change { writes, event: ledgers.event("moved", Some(&new), format!("was {old}")) }])
            })
            .await?;
        Ok(format!(
            "Moved: {old} is {new} now. Nothing was asked of a console.\n\
             Declare it under that name before the next plan; `formerly` in Git does the same without this command.\n\
             Next: tenantry plan\n"
        ))
    }
}

fn gone(address: &Address) -> CliError {
    CliError::new("gone", format!("{address} has no entry any more; another run was faster"))
        .hint(format!("tenantry log --address {address}"))
}

impl Unlock {
    fn answer(globals: &Globals) -> Result<String, CliError> {
        let state = crate::state::StateDir::new(&globals.state_dir);
        match state.held()? {
            None => Ok(format!(
                "Nobody holds the lock of {}. It ends with the process that holds it, so there is never one to clear.\n",
                state.root().display()
            )),
            Some((owner, since)) => Err(CliError::new(
                "state-locked",
                format!(
                    "{} holds the lock of {} since {since}, and is alive",
                    terminal(&owner),
                    state.root().display()
                ),
            )
            .hint("a local lock ends with its process; nothing was cleared")
            .hint("wait for that run, or end it: what was on its way is settled by the next one")),
        }
    }
}

impl MoveConsole {
    async fn answer(self, globals: &Globals) -> Result<String, CliError> {
        let ledgers = Ledgers::read(globals)?;
        let name = ConsoleName::new(self.name.as_str());
        let Some(account) = ledgers.index().consoles.get(&name).cloned() else {
            let known: Vec<&str> = ledgers.index().consoles.keys().map(ConsoleName::as_str).collect();
            let mut error = CliError::usage(format!(
                "no vendor account is remembered for a Console {}",
                terminal(&self.name)
            ));
            if let Some(near) = nearest(&self.name, known.iter().copied()) {
                error = error.hint(format!("did you mean {near}?"));
            }
            return Err(if known.is_empty() {
                error.hint("the first apply remembers it")
            } else {
                error.hint(format!("remembered are: {}", known.join(", ")))
            });
        };
        if ledgers.all.iter().any(|ledger| ledger.header.vendor_account == account) {
            ledgers
                .change(&account, |ledger| {
                    let mut header = ledger.header.clone();
                    header.serial += 1;
                    let event = ledgers.event(
                        "console-moved",
                        None,
                        format!("Console {name} is not this account any more"),
                    );
                    Ok(vec![Change { writes: vec![Write::Header(Box::new(header))], event }])
                })
                .await?;
        }
        let lock = ledgers.state.lock(&owner())?;
        let mut index = ledgers.state.index()?;
        index.consoles.remove(&name);
        ledgers.state.write_index(&index)?;
        drop(lock);
        Ok(format!(
            "Console {name} may belong to another account now; it was {account}, whose ledger stays as it is.\n\
             The other account has a ledger of its own: what is declared is looked for there, and nothing moves by itself.\n\
             Next: tenantry doctor, then tenantry plan\n"
        ))
    }
}

#[cfg(test)]
mod tests;
