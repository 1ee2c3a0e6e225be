//! `tenantry crds`: the CustomResourceDefinitions, for `kubectl apply -f -`.

use clap::Args;

use crate::app::{Globals, print};
use crate::exit::{CliError, Exit};

/// The CustomResourceDefinitions.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantry crds | kubectl apply --server-side -f -")]
pub struct Crds {}

impl Crds {
    /// Runs it.
    pub fn run(self, _: &Globals) -> Result<Exit, CliError> {
        for (_, text) in tenantry_crd::crd_files() {
            print("---\n")?;
            print(text.trim_start_matches("---\n"))?;
        }
        Ok(Exit::Done)
    }
}
