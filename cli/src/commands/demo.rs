//! `tenantry demo`: everything once, against simulated consoles in this process.

use std::path::PathBuf;

use clap::Args;

use crate::app::{Globals, tell};
use crate::exit::{CliError, Exit, io};

/// Everything once, against simulated consoles in this process; needs nothing.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry demo                     watch it\n  tenantry demo --keep my-demo      keep its declarations and its ledger"
)]
pub struct Demo {
    /// Keep the files in this new directory
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

impl Demo {
    /// Runs it.
    pub async fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        let Some(dir) = self.keep else {
            let dir = tempfile::tempdir().map_err(|error| io("create", &std::env::temp_dir(), &error))?;
            crate::demo::play(globals, dir.path()).await?;
            return Ok(Exit::Done);
        };
        if dir.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(CliError::usage(format!("--keep {}: it holds something already", dir.display()))
                .hint("name a new directory"));
        }
        std::fs::create_dir_all(&dir).map_err(|error| io("create", &dir, &error))?;
        let dir = std::path::absolute(&dir).map_err(|error| io("find", &dir, &error))?;
        crate::demo::play(globals, &dir).await?;
        tell(&format!("Kept in {}. To try more: tenantry simulate --write DIR", dir.display()));
        Ok(Exit::Done)
    }
}
