//! Where the ledgers are that a command looks at: in the state directory, or in a cluster as ConsoleBindings.

use clap::{Args, ValueEnum};
use tenantry_cluster::connection::Connection;

use crate::cluster::InCluster;
use crate::exit::CliError;

/// Where a ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Where {
    /// In the state directory.
    #[default]
    Local,
    /// In a cluster, as ConsoleBindings.
    Cluster,
}

/// Where the ledgers are.
#[derive(Debug, Clone, Default, Args)]
pub struct Home {
    /// Where the ledger is: in the state directory, or a cluster's own, shared with its controller
    #[arg(long, value_enum, default_value = "local", value_name = "WHERE")]
    pub ledger: Where,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: InCluster,
}

impl Home {
    /// A connection where the ledgers are in a cluster.
    pub async fn connect(&self) -> Result<Option<Connection>, CliError> {
        match self.ledger {
            Where::Local if self.cluster != InCluster::default() => {
                Err(CliError::usage("--namespace and --context are for --ledger cluster")
                    .hint("add --ledger cluster, or leave them out"))
            }
            Where::Local => Ok(None),
            Where::Cluster => Ok(Some(self.cluster.connect().await?)),
        }
    }
}
