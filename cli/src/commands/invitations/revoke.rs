//! `tenantry invitations revoke`: from now on no mail and no reminder is made for an invitation.
//!
//! It writes the ledger and asks no console, because there is nothing to take back there: Microsoft keeps no invitation,
//! only a link that names the partner. So it says who can still accept, and what that leads to.

use clap::Args;
use tenantry_engine::address::{Address, VendorAccount};
use tenantry_engine::ledger::{Entry, Ledger};
use tenantry_engine::text::terminal;

use crate::app::Globals;
use crate::commands::resolve::NOTE;
use crate::commands::tasks::who;
use crate::exit::{CliError, Exit};
use crate::ledgers::{Home, Ledgers, confirm, day, put};

/// Take an invitation back.
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is taken back in the console: whoever holds the link can still accept. What ends is our part: its mail is not\nwritten any more, and no reminder is made.\n\nExamples:\n  tenantry invitations revoke customer/adatum/microsoft\n  tenantry invitations revoke customer/adatum/microsoft --yes --note \"chose another partner\""
)]
pub struct Revoke {
    /// customer/NAME/ACCOUNT, or a name that only one has
    #[arg(value_name = "ADDRESS")]
    pub address: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// What should be remembered with it, in the log
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Who says so; default: the name you are logged in with
    #[arg(long, env = "TENANTRY_BY", value_name = "WHO")]
    pub by: Option<String>,
    /// In which ledger: a Console or vendor account, where several hold it
    #[arg(long = "in", value_name = "CONSOLE")]
    pub within: Option<String>,
    /// Where the ledger is.
    #[command(flatten)]
    pub home: Home,
}

fn refused(code: &'static str, message: String) -> CliError {
    CliError::new(code, message).exit(Exit::Refused)
}

/// The entry, if its invitation can be taken back; `None` where that was done before.
fn open(ledger: &Ledger, address: &Address) -> Result<Option<Entry>, CliError> {
    let entry = ledger.entries.get(address);
    let Some((entry, invitation)) = entry.and_then(|entry| Some((entry, entry.invitation.as_deref()?)))
    else {
        return Err(refused(
            "not-invited",
            format!("{address} was never invited: there is nothing to take back"),
        )
        .hint("who was invited: tenantry invitations")
        .hint("so that it is not invited: take its Relationship out of the declarations"));
    };
    if let Some(id) = entry.bound() {
        return Err(refused(
            "accepted-already",
            format!("{address} has accepted, and is bound to {}", terminal(id.as_str())),
        )
        .hint("ending the relationship is another thing: declare want: Detached"));
    }
    Ok(invitation.revoked.is_none().then(|| entry.clone()))
}

impl Revoke {
    /// What to print, and how it ended.
    pub async fn answer(self, globals: &Globals) -> Result<(String, Exit), CliError> {
        let ledgers = Ledgers::read_from(globals, &self.home).await?;
        let by = who(self.by.as_deref())?;
        let (ledger, address, _) = ledgers.entry(&self.address, self.within.as_deref())?;
        let (account, address) = (ledger.header.vendor_account.clone(), address.clone());
        let Some(entry) = open(ledger, &address)? else {
            return Ok((format!("{address} was taken back before. Nothing was written.\n"), Exit::Done));
        };
        let drafted = entry.invitation.as_ref().map_or_else(String::new, |one| day(one.drafted));
        let question = format!(
            "Take back the invitation of {address} of {drafted}: no mail and no reminder is made for it any more.\n\
             Whoever holds its link can still accept: no console takes a link back.\n"
        );
        if !confirm(globals, self.yes, &question)? {
            return Ok(("Nothing was taken back.\n".to_owned(), Exit::Refused));
        }
        self.store(&ledgers, &account, &address, &by).await?;
        Ok((
            format!(
                "Taken back: {address}. No mail and no reminder is made for it any more; its open mail is no task any more.\n\
                 Nothing was taken back in the console: whoever holds the link can still accept, and is then bound while\n\
                 {address} is declared. If the mail is out, tell the customer yourself, and delete it from your outbox.\n\
                 If it is not wanted any more: take the Relationship and the account out of the declarations.\n\
                 {}Next: tenantry plan\n",
                ledgers.taken_up()
            ),
            Exit::Done,
        ))
    }

    async fn store(
        &self,
        ledgers: &Ledgers,
        account: &VendorAccount,
        address: &Address,
        by: &str,
    ) -> Result<usize, CliError> {
        let mut words = format!("no mail and no reminder any more, says {by}");
        if let Some(note) = &self.note {
            words.push_str(NOTE);
            words.push_str(note);
        }
        ledgers
            .change(account, |ledger| {
                let Some(mut entry) = open(ledger, address)? else { return Ok(vec![]) };
                if let Some(invitation) = entry.invitation.as_mut() {
                    invitation.revoked = Some(ledgers.now);
                }
                entry.tasks.retain(|id, _| !id.contains("-send-"));
                Ok(vec![put(address, entry, ledgers.event("revoked", Some(address), words))])
            })
            .await
    }
}
