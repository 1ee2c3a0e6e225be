//! A ledger whole: out as JSON, and back in.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};
use tenantry_engine::address::Address;
use tenantry_engine::ledger::{Entries, FORMAT_VERSION, Header, Ledger};
use tenantry_engine::store::{OpenLedger, Write};
use tenantry_engine::text;

use crate::app::Globals;
use crate::commands::apply::owner;
use crate::exit::{CliError, Exit, io};
use crate::ledgers::{Home, Ledgers};

/// Print a ledger as JSON.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry state pull > ledger.json\n  tenantry state pull microsoft > ledger.json\n  tenantry state pull --ledger cluster -n msp > ledger.json"
)]
pub struct PullLedger {
    /// Whose: a Console or vendor account; may be left out where there is one ledger
    #[arg(value_name = "CONSOLE")]
    pub console: Option<String>,
    /// Where the ledger is.
    #[command(flatten)]
    pub home: Home,
}

/// Replace a ledger by a file.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry state push ledger.json         corrected, with a higher serial"
)]
pub struct Push {
    /// What state pull printed, corrected, with a higher serial; - for stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replace it although the lineage is another or the serial no higher
    #[arg(long)]
    pub force: bool,
}

#[derive(Serialize)]
struct Out<'a> {
    header: &'a Header,
    entries: &'a Entries,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In {
    header: Header,
    entries: Entries,
}

impl PullLedger {
    pub(super) async fn answer(&self, globals: &Globals) -> Result<String, CliError> {
        let ledgers = Ledgers::read_from(globals, &self.home).await?;
        let ledger = ledgers.one(self.console.as_deref())?;
        let out = Out { header: &ledger.header, entries: &ledger.entries };
        let document = serde_json::to_string_pretty(&out).expect("a ledger is JSON");
        Ok(format!("{}\n", text::json(&document)))
    }
}

impl Push {
    pub(super) async fn answer(self, globals: &Globals) -> Result<String, CliError> {
        let text = if self.file.as_os_str() == "-" {
            std::io::read_to_string(std::io::stdin())
        } else {
            std::fs::read_to_string(&self.file)
        };
        let text = text.map_err(|error| io("read", &self.file, &error))?;
        let new: In = serde_json::from_str(&text).map_err(|error| {
            CliError::new("not-a-ledger", format!("{}: {error}", self.file.display()))
                .hint("push takes what tenantry state pull prints")
        })?;
        if new.header.format_version > FORMAT_VERSION {
            return Err(CliError::new(
                "not-a-ledger",
                format!(
                    "{} was written by a later tenantry (format {})",
                    self.file.display(),
                    new.header.format_version
                ),
            )
            .hint("push it with that one"));
        }
        let account = new.header.vendor_account.clone();
        let ledgers = Ledgers::read(globals)?;
        let lock = ledgers.state.lock(&owner())?;
        let there = ledgers.state.ledger(&account)?;
        if let Some(there) = &there
            && !self.force
        {
            self.allowed(there, &new)?;
        }
        let lineage = new.header.lineage.clone();
        let (ledger, store) = ledgers.state.open(&lock, &account, || lineage)?;
        let mut header = new.header.clone();
        header.serial = ledger.header.serial + 1;
        let mut writes = vec![Write::Header(Box::new(header))];
        let changed =
            new.entries.iter().filter(|(address, entry)| ledger.entries.get(*address) != Some(*entry));
        writes.extend(changed.map(|(address, entry)| Write::Put(address.clone(), Box::new(entry.clone()))));
        let put = writes.len() - 1;
        let erased: Vec<&Address> =
            ledger.entries.keys().filter(|address| !new.entries.contains_key(*address)).collect();
        writes.extend(erased.iter().map(|address| Write::Erase((*address).clone())));
        let erased = erased.len();
        let words = format!("{put} changed, {erased} erased, from a file of serial {}", new.header.serial);
        let event = ledgers.event("pushed", None, words);
        let mut open = OpenLedger::new(ledger, &store);
        open.commit(writes, event).await?;
        let ledger = open.into_ledger();
        store.compact(&ledger).await?;
        Ok(format!(
            "Pushed: the ledger of {account} has serial {} now; {put} changed, {erased} erased.\nNext: tenantry plan\n",
            ledger.header.serial
        ))
    }

    fn allowed(&self, there: &Ledger, new: &In) -> Result<(), CliError> {
        let refused = |because: String, hint: String| {
            Err(CliError::new("not-newer", format!("{}: {because}", self.file.display()))
                .exit(Exit::Refused)
                .hint(hint)
                .hint("--force replaces it all the same: what it knows and the file does not is lost"))
        };
        let header = &there.header;
        if header.lineage != new.header.lineage {
            return refused(
                format!("another ledger of {}: its lineage is {}, not {}", header.vendor_account, new.header.lineage, header.lineage),
                "it was not pulled from this one; two ledgers of one account know nothing of each other's mails".into(),
            );
        }
        if new.header.serial <= header.serial {
            return refused(
                format!("its serial is {}, the ledger's is {}", new.header.serial, header.serial),
                format!(
                    "if the ledger was not written since it was pulled, write serial {} into the file; else pull anew",
                    header.serial + 1
                ),
            );
        }
        Ok(())
    }
}
