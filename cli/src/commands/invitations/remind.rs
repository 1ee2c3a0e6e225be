//! `tenantry invitations remind`: the reminders of an apply, and nothing else of it.
//!
//! A reminder is a mail like the first: drafted once, durable before it is told, sent by a person. The consoles are
//! looked at first, so that nobody is reminded who has accepted. Where its mail still waits to be sent, or as many were
//! made as `invitation.maxReminders` allows, none is made, whoever asks.

use clap::Args;

use crate::app::{Files, Globals};
use crate::approvals::Allowed;
use crate::commands::apply::Apply;
use crate::commands::plan::Plan;
use crate::exit::{CliError, Exit};
use crate::ledgers::{Home, Where};
use crate::output::Outputs;
use crate::pipeline::READ_BUDGET;
use crate::selection::Selection;

/// Draft reminders.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry invitations remind                                those that are due\n  tenantry invitations remind customer/adatum/microsoft      this one, before its day too\n  tenantry invitations remind --dry-run -o json              what would be drafted, as a plan\n  tenantry invitations --eml outbox/                         then: the mails, ready to send"
)]
pub struct Remind {
    /// Whom: customer/NAME/ACCOUNT, or a name; by default all whose reminder is due
    #[arg(value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    /// What is declared.
    #[command(flatten)]
    pub files: Files,
    /// Do not ask
    #[arg(long, conflicts_with = "dry_run")]
    pub auto_approve: bool,
    /// Show what would be drafted; change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to write it.
    #[command(flatten)]
    pub outputs: Outputs,
    /// Where the ledger is.
    #[command(flatten)]
    pub home: Home,
}

impl Remind {
    /// Runs it.
    pub async fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        let selection = Selection { reminders: Some(self.addresses), ..Selection::default() };
        if !self.dry_run {
            if !self.outputs.only_text() {
                return Err(CliError::usage("-o is for --dry-run: what is done is told as it happens")
                    .hint("what was done: tenantry log -o json"));
            }
            let apply = Apply {
                plan: None,
                files: self.files,
                auto_approve: self.auto_approve,
                selection,
                allowed: Allowed::default(),
                read_budget: READ_BUDGET,
                home: self.home,
            };
            return apply.run(globals).await;
        }
        if self.home.ledger == Where::Cluster {
            return Err(CliError::usage("--dry-run looks at the ledger of the state directory")
                .hint("for a cluster's: tenantry plan --from-cluster"));
        }
        let plan = Plan {
            files: self.files.files,
            cluster: crate::cluster::FromCluster::default(),
            outputs: Outputs {
                then: Some("Draft them: the same command without --dry-run; a person sends the mails\n"),
                ..self.outputs
            },
            out: None,
            detailed_exitcode: false,
            selection,
            allowed: Allowed::default(),
            read_budget: READ_BUDGET,
        };
        plan.run(globals).await
    }
}
