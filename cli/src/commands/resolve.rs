//! `tenantry resolve`: settles an operation in doubt that no observation can settle.
//!
//! It asks no console and sends nothing. What is said is durable in the ledger; the next run acts on it.

use clap::Args;
use tenantry_engine::address::Address;
use tenantry_engine::ledger::Entry;
use tenantry_engine::operation::Operation;
use tenantry_engine::resolve::resolve;
use tenantry_engine::text::terminal;

use crate::app::{Globals, print};
use crate::commands::tasks::who;
use crate::exit::{CliError, Exit};
use crate::ledgers::{Home, Ledgers, put};
use crate::load::nearest;

/// Settle an operation in doubt that nobody but you can see.
#[derive(Debug, Args)]
#[command(
    after_help = "Look in the vendor's console first: what is said here is believed.\n\nExamples:\n  tenantry resolve 3f0c… --happened --note \"listed since Monday\"\n  tenantry resolve 3f0c… --not-happened"
)]
pub struct Resolve {
    /// The operation, as plan and state show it
    #[arg(value_name = "OP")]
    pub operation: String,
    /// It took effect: it is never sent again
    #[arg(long, required_unless_present = "not_happened", conflicts_with = "not_happened")]
    pub happened: bool,
    /// It took no effect: the next apply may send it again
    #[arg(long)]
    pub not_happened: bool,
    /// What should be remembered with it, in the log
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Who says so; default: the name you are logged in with
    #[arg(long, env = "TENANTRY_BY", value_name = "WHO")]
    pub by: Option<String>,
    /// Where the ledger is.
    #[command(flatten)]
    pub home: Home,
}

/// Separates a note from what else an event says, so that `state scrub` can take it out.
pub(crate) const NOTE: &str = " · note: ";

impl Resolve {
    /// Runs it.
    pub async fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        print(&self.answer(globals).await?)?;
        Ok(Exit::Done)
    }

    /// Settles it; what to print.
    pub async fn answer(self, globals: &Globals) -> Result<String, CliError> {
        let ledgers = Ledgers::read_from(globals, &self.home).await?;
        let by = who(self.by.as_deref())?;
        let (account, address) = self.find(&ledgers)?;
        let mut words = String::new();
        ledgers
            .change(&account, |ledger| {
                let gone = || {
                    CliError::new(
                        "settled-already",
                        format!("the operation {} was settled meanwhile", terminal(&self.operation)),
                    )
                    .hint(format!("{} says how", ledgers.told_where(&address)))
                };
                let mut entry: Entry = ledger.entries.get(&address).cloned().ok_or_else(gone)?;
                let operation =
                    entry.operation.clone().filter(|op| op.id == self.operation).ok_or_else(gone)?;
                let said = if self.happened { "happened" } else { "not happened" };
                let changes = resolve(&mut entry, self.happened, ledgers.now).map_err(|because| {
                    CliError::new(
                        "not-in-doubt",
                        format!("{} of {address} is not in doubt: {because}", operation.id),
                    )
                    .exit(Exit::Refused)
                })?;
                if !changes {
                    words = format!("{}: {said}, as was said before. Nothing was written.\n", operation.id);
                    return Ok(vec![]);
                }
                words = self.follows(&operation, &address);
                let mut event = format!("{}: said to have {said} by {by}", operation.id);
                if let Some(note) = &self.note {
                    event.push_str(NOTE);
                    event.push_str(note);
                }
                let event = ledgers.event("resolved", Some(&address), event);
                Ok(vec![put(&address, entry, event)])
            })
            .await?;
        words.push_str(ledgers.taken_up());
        Ok(words)
    }

    fn find(
        &self,
        ledgers: &Ledgers,
    ) -> Result<(tenantry_engine::address::VendorAccount, Address), CliError> {
        let open: Vec<_> = ledgers
            .entries()
            .filter_map(|(ledger, address, entry)| Some((ledger, address, entry.operation.as_ref()?)))
            .collect();
        if let Some((ledger, address, _)) =
            open.iter().find(|(_, _, operation)| operation.id == self.operation)
        {
            return Ok((ledger.header.vendor_account.clone(), (*address).clone()));
        }
        if ledgers.all.is_empty() {
            return Err(ledgers.empty());
        }
        let mut error =
            CliError::usage(format!("no ledger has an open operation {}", terminal(&self.operation)));
        if let Some(near) =
            nearest(&self.operation, open.iter().map(|(_, _, operation)| operation.id.as_str()))
        {
            error = error.hint(format!("did you mean {near}?"));
        }
        for (_, address, operation) in open.iter().take(10) {
            error = error.hint(format!(
                "open: {} ({address}, {}, {})",
                operation.id,
                operation.name,
                operation.phase_word()
            ));
        }
        Err(error.hint("a settled operation is in the log: tenantry log"))
    }

    fn follows(&self, operation: &Operation, address: &Address) -> String {
        let what = format!("{} {address} ({})", operation.action.name(), operation.name);
        if self.happened {
            format!(
                "Settled: {what} happened. It is never sent again; the next plan looks for what it made.\n\
                 Next: tenantry plan\n"
            )
        } else {
            format!(
                "Settled: {what} did not happen. The next apply may send it again, once.\n\
                 Next: tenantry plan\n\
                 Said by mistake? Before the next apply: tenantry resolve {} --happened\n",
                operation.id
            )
        }
    }
}

#[cfg(test)]
mod tests;
