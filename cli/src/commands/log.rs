//! `tenantry log`: what was done, when, why, by which run; from the journals.

use clap::{Args, ValueEnum};
use tenantry_engine::address::Address;
use tenantry_engine::text::{self, terminal};

use crate::app::{Globals, print};
use crate::exit::{CliError, Exit};
use crate::ledgers::Where;
use crate::state::StateDir;

/// How to write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What was done, when and why.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry log\n  tenantry log --address customer/adatum/microsoft\n  tenantry log -o json | jq ."
)]
pub struct Log {
    /// Only about this address: customer/NAME/ACCOUNT, license/NAME, or a name
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// How many of the newest events; 0 = all
    #[arg(short = 'n', long, default_value_t = 100, value_name = "N")]
    pub lines: usize,
    /// How to write it
    #[arg(short = 'o', long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub output: Format,
    /// Where the ledger is; a cluster's keeps no log, and is told where to look instead
    #[arg(long, value_enum, default_value = "local", value_name = "WHERE")]
    pub ledger: Where,
}

/// A cluster keeps no log: what its controller did is told as Events, and those do not last.
fn told_as_events(address: Option<&str>) -> CliError {
    let which = match address.map(str::parse::<Address>) {
        Some(Ok(address)) => {
            format!(
                "kubectl events -n {} --for {}.tenantry.io/{}",
                address.namespace, address.kind, address.name
            )
        }
        _ => "kubectl events -n NAMESPACE --for customer.tenantry.io/NAME".to_owned(),
    };
    CliError::new("no-log", "a ledger in a cluster keeps no log: its controller tells what it did as Events")
        .hint(which)
        .hint("or all of them: kubectl get events -n NAMESPACE --field-selector reportingComponent=tenantry-controller")
        .hint("Events are gone after an hour unless something collects them; what is bound and open lasts: tenantry state show ADDRESS --ledger cluster")
}

/// What is meant by a name or an address.
fn about(wanted: &str, address: Option<&Address>) -> bool {
    address.is_some_and(|address| address.to_string() == wanted || address.name == wanted)
}

impl Log {
    /// Runs it.
    pub fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        if self.ledger == Where::Cluster {
            return Err(told_as_events(self.address.as_deref()));
        }
        let state = StateDir::new(&globals.state_dir);
        let (mut all, mut anything) = (Vec::new(), false);
        for account in state.accounts()? {
            for logged in state.log(&account)? {
                anything = true;
                let address = logged.event.address.as_ref();
                if self.address.as_ref().is_none_or(|wanted| about(wanted, address)) {
                    all.push((account.clone(), logged));
                }
            }
        }
        all.sort_by(|(a, x), (b, y)| (x.event.at, a, x.serial).cmp(&(y.event.at, b, y.serial)));
        let from = if self.lines == 0 { 0 } else { all.len().saturating_sub(self.lines) };
        if all.is_empty() && self.output == Format::Text {
            match &self.address {
                Some(wanted) if anything => print(&format!(
                    "Nothing in the log is about {}. Addresses are written customer/NAME/ACCOUNT or license/NAME: tenantry state list\n",
                    terminal(wanted)
                ))?,
                _ => print("Nothing was done yet: tenantry apply\n")?,
            }
        }
        for (account, logged) in &all[from..] {
            match self.output {
                Format::Json => print(&text::json(&format!(
                    "{}\n",
                    serde_json::json!({"vendorAccount": account, "serial": logged.serial, "event": logged.event})
                )))?,
                Format::Text => {
                    let event = &logged.event;
                    let address =
                        event.address.as_ref().map_or_else(|| account.to_string(), ToString::to_string);
                    print(&format!(
                        "{}  {:<8}  {:<18}  {address}  {}\n",
                        event.at.strftime("%Y-%m-%d %H:%M:%SZ"),
                        event.run,
                        event.what,
                        terminal(&event.words)
                    ))?;
                }
            }
        }
        Ok(Exit::Done)
    }
}
