//! `tenantry log`: what was done, when, why, by which run; from the journals.

use clap::{Args, ValueEnum};
use tenantry_engine::text::{self, terminal};

use crate::app::{Globals, print};
use crate::exit::{CliError, Exit};
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
    /// Only about this address
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// How many of the newest events; 0 = all
    #[arg(short = 'n', long, default_value_t = 100, value_name = "N")]
    pub lines: usize,
    /// How to write it
    #[arg(short = 'o', long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub output: Format,
}

impl Log {
    /// Runs it.
    pub fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        let state = StateDir::new(&globals.state_dir);
        let mut all = Vec::new();
        for account in state.accounts()? {
            for logged in state.log(&account)? {
                let about = logged.event.address.as_ref().map(ToString::to_string);
                if self.address.as_ref().is_none_or(|wanted| about.as_ref() == Some(wanted)) {
                    all.push((account.clone(), logged));
                }
            }
        }
        all.sort_by(|(a, x), (b, y)| (x.event.at, a, x.serial).cmp(&(y.event.at, b, y.serial)));
        let from = if self.lines == 0 { 0 } else { all.len().saturating_sub(self.lines) };
        if all.is_empty() && self.output == Format::Text {
            print("Nothing was done yet: tenantry apply\n")?;
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
