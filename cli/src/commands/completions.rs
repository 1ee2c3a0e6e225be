//! `tenantry completions`: for bash, elvish, fish, PowerShell and zsh.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::app::{Cli, Globals, print};
use crate::exit::{CliError, Exit};

/// Shell completions.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tenantry completions bash > ~/.local/share/bash-completion/completions/tenantry"
)]
pub struct Completions {
    /// Which shell
    #[arg(value_enum)]
    pub shell: Shell,
}

impl Completions {
    /// Runs it.
    pub fn run(self, _: &Globals) -> Result<Exit, CliError> {
        let mut out = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "tenantry", &mut out);
        print(&String::from_utf8_lossy(&out))?;
        Ok(Exit::Done)
    }
}
