//! Erasing: an entry whole (`forget`), or the personal data in it (`scrub`).

use clap::Args;
use tenantry_engine::address::Address;
use tenantry_engine::ledger::{Entry, Invitation};
use tenantry_engine::store::{LogEvent, Write};

use super::{gone, not_in_doubt};
use crate::app::Globals;
use crate::commands::apply::owner;
use crate::commands::resolve::NOTE;
use crate::exit::{CliError, Exit};
use crate::ledgers::{Change, Ledgers, confirm, day, put};

/// Erase an entry.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry state forget customer/adatum/sophos\n  tenantry state forget customer/adatum/microsoft --with-invitation --yes"
)]
pub struct Forget {
    /// customer/NAME/ACCOUNT, license/NAME, or a name that only one has
    pub address: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Forget its invitation too, although nobody has accepted it: a second mail becomes possible
    #[arg(long)]
    pub with_invitation: bool,
    /// In which ledger: a Console or vendor account, where several hold it
    #[arg(long = "in", value_name = "CONSOLE")]
    pub within: Option<String>,
}

/// Erase the personal data of an entry.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tenantry state scrub customer/adatum/microsoft")]
pub struct Scrub {
    /// customer/NAME/ACCOUNT, license/NAME, or a name that only one has
    pub address: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// In which ledger: a Console or vendor account, where several hold it
    #[arg(long = "in", value_name = "CONSOLE")]
    pub within: Option<String>,
}

/// An invitation that somebody may still accept.
fn pending(entry: &Entry) -> Option<&Invitation> {
    entry.invitation.as_deref().filter(|invitation| invitation.revoked.is_none() && entry.remote_id.is_none())
}

impl Forget {
    pub(super) async fn answer(self, globals: &Globals) -> Result<(String, Exit), CliError> {
        let ledgers = Ledgers::read(globals)?;
        let (ledger, address, entry) = ledgers.entry(&self.address, self.within.as_deref())?;
        not_in_doubt(address, entry)?;
        if let Some(invitation) = pending(entry)
            && !self.with_invitation
        {
            return Err(CliError::new(
                "invitation-pending",
                format!("{address} was invited on {}, and nobody has accepted", day(invitation.drafted)),
            )
            .exit(Exit::Refused)
            .hint("without its entry nothing remembers that mail: while it is declared, the next apply would make a second one")
            .hint("if that is meant: add --with-invitation"));
        }
        let bound = entry.remote_id.as_ref().map_or_else(
            || "it is bound to no record".to_owned(),
            |id| format!("its binding to {} goes", tenantry_engine::text::terminal(id.as_str())),
        );
        let question = format!(
            "Forget {address}: {bound}; nothing happens in the console.\n\
             While it is declared, the next plan looks for it anew, and creates it if it says onboarding: Create and is not found.\n"
        );
        if !confirm(globals, self.yes, &question)? {
            return Ok(("Nothing was forgotten.\n".to_owned(), Exit::Refused));
        }
        let (account, address) = (ledger.header.vendor_account.clone(), address.clone());
        ledgers
            .change(&account, |ledger| {
                let entry = ledger.entries.get(&address).ok_or_else(|| gone(&address))?;
                not_in_doubt(&address, entry)?;
                let event = ledgers.event("erased", Some(&address), "forgotten by state forget");
                Ok(vec![Change { writes: vec![Write::Erase(address.clone())], event }])
            })
            .await?;
        Ok((
            format!(
                "Forgotten: {address}. Nothing was asked of a console.\n\
                 Its log stays; to erase personal data in it, scrub an address before it is forgotten.\n\
                 Next: tenantry plan\n"
            ),
            Exit::Done,
        ))
    }
}

/// Takes personal data out of an entry: whom the mail went to, its link, keys that are mail addresses, what people
/// noted, values in instructions. Ids, days, outcomes and who vouched for them stay.
fn clean(entry: &mut Entry) {
    if let Some(invitation) = &mut entry.invitation {
        invitation.to.clear();
        invitation.link.clear();
        invitation.accepted_as.retain(|key| !key.starts_with("email:"));
    }
    for record in entry.tasks.values_mut() {
        record.task = None;
        if let Some(said) = &mut record.attested {
            said.note.clear();
        }
    }
}

fn without_note(event: &mut LogEvent) {
    if let Some(at) = event.words.find(NOTE) {
        event.words.truncate(at);
    }
}

impl Scrub {
    pub(super) async fn answer(self, globals: &Globals) -> Result<(String, Exit), CliError> {
        let ledgers = Ledgers::read(globals)?;
        let (ledger, address, entry) = ledgers.entry(&self.address, self.within.as_deref())?;
        let tasks = entry.tasks.values().filter(|task| task.attested.is_none()).count();
        if pending(entry).is_some() || tasks > 0 {
            let invited = pending(entry).map_or_else(String::new, |_| {
                " its mail can be written no more, and an acceptance that shows a mail address alone is not recognised;".into()
            });
            let open = if tasks > 0 {
                " its open tasks lose their instructions (a fresh plan shows them);"
            } else {
                ""
            };
            let question = format!("Scrub {address}:{invited}{open} this cannot be taken back.\n");
            if !confirm(globals, self.yes, &question)? {
                return Ok(("Nothing was erased.\n".to_owned(), Exit::Refused));
            }
        }
        let (account, address) = (ledger.header.vendor_account.clone(), address.clone());
        let message_id = entry.invitation.as_ref().map(|invitation| invitation.message_id.clone());
        let remote_id = entry.remote_id.clone();
        ledgers
            .change(&account, |ledger| {
                let mut entry = ledger.entries.get(&address).cloned().ok_or_else(|| gone(&address))?;
                clean(&mut entry);
                Ok(vec![put(
                    &address,
                    entry,
                    ledgers.event("scrubbed", Some(&address), "personal data erased"),
                )])
            })
            .await?;
        // The journal holds what the entry was before; so may the cache of details.
        let same = |of: &Address, entry: &Entry| {
            *of == address
                || (message_id.is_some()
                    && entry.invitation.as_ref().map(|invitation| &invitation.message_id)
                        == message_id.as_ref())
        };
        let lock = ledgers.state.lock(&owner())?;
        let lines = ledgers.state.scrub(
            &lock,
            &account,
            &|of, entry| {
                if same(of, entry) {
                    clean(entry);
                }
            },
            &|event| {
                if event.address.as_ref() == Some(&address) {
                    without_note(event);
                }
            },
        )?;
        if let Some(id) = &remote_id {
            let mut cache = ledgers.state.cache(&account);
            let before = cache.len();
            cache.retain(|key, _| key.id != *id);
            if cache.len() < before {
                ledgers.state.write_cache(&account, &cache)?;
            }
        }
        drop(lock);
        let lines = if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") };
        Ok((
            format!(
                "Scrubbed: {address}. Erased: addressee and link of its invitation, notes, instructions; {lines} of the log.\n\
                 Kept: ids, days, what was done, by which run and who vouched for it.\n\
                 Not reached: declarations in Git, mails in outboxes, backups of this directory, and the console itself.\n"
            ),
            Exit::Done,
        ))
    }
}
