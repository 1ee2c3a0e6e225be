//! What the demo shows: a person's commands in their order, and what customers and operators do in between.
//!
//! Each command line is parsed and run as if it had been typed; where it should end otherwise than it does, the demo
//! fails and says so.

use std::path::Path;

use clap::Parser as _;
use jiff::Span;
use serde_json::json;
use tenantry_engine::address::ConsoleName;

use super::{Consoles, quickstart};
use crate::app::{Cli, Globals, LogFormat, print, run};
use crate::exit::{CliError, Exit, io};
use crate::state::StateDir;

/// Where the simulated clock starts: a Monday morning.
const STARTS: &str = "2026-01-12T08:00:00Z";
/// The state directory, below the working directory.
const STATE: &str = ".tenantry";
/// Credentials, below the working directory; hidden from the reader of declarations.
const SECRETS: &str = ".secrets";
/// Where mails are written.
const OUTBOX: &str = "outbox";

struct Stage<'g> {
    globals: &'g Globals,
    consoles: Consoles,
}

/// Plays the demo in an empty directory, which becomes the working directory of this process.
pub async fn play(globals: &Globals, dir: &Path) -> Result<(), CliError> {
    quickstart::write(dir)?;
    std::env::set_current_dir(dir).map_err(|error| io("enter", dir, &error))?;
    let starts = STARTS.parse().expect("a moment in RFC 3339");
    let consoles = Consoles::start(0, &quickstart::seed(), starts).await?;
    consoles.write_secrets(Path::new(SECRETS))?;
    let stage = Stage { globals, consoles };

    say("Two consoles are simulated in this process: Sophos Central Partner and Microsoft Partner Center.")?;
    say("Three customers are declared in five files. What differs? Planning cannot write.")?;
    stage.tenantry("plan", Exit::Done).await?;

    say("A new ledger makes nothing beside customers that it does not know yet, until a person says so.")?;
    say("What no vendor offers as a request becomes a task.")?;
    stage.tenantry("apply --auto-approve --allow first-run", Exit::Done).await?;

    say("Microsoft drafts a link, people send the mail: each is written once, byte for byte the same.")?;
    stage.tenantry("invitations --eml outbox/", Exit::Done).await?;
    let sent = stage.send()?;
    stage.later("PT10M")?;
    stage.tenantry(&format!("tasks done {} --by jan --note sent", mail_task()?), Exit::Done).await?;

    say("Two days later. The customer has followed the link, nobody has touched Sophos yet.")?;
    say("An end of a relationship is held by a guard.")?;
    stage.later("P2D")?;
    stage.accept(sent)?;
    stage.tenantry("apply --auto-approve", Exit::Refused).await?;

    say(
        "Somebody does the tasks at Sophos: Update Billing, Change licenses. The console shows it, and they close.",
    )?;
    say("Contact data at Microsoft follow by request.")?;
    stage.later("PT3H")?;
    stage.tasks_at_sophos()?;
    stage.tenantry("apply --auto-approve", Exit::Refused).await?;
    stage.tenantry("tasks", Exit::Done).await?;

    say("One removal is allowed, for this run.")?;
    stage.tenantry("apply --auto-approve --allow removals=1", Exit::Done).await?;

    say("And again:")?;
    stage.later("P1D")?;
    stage.tenantry("plan --detailed-exitcode", Exit::Done).await?;
    say("Nothing is left. Each step was sent once; what happened is in the log: tenantry log")
}

/// Prose between commands.
fn say(text: &str) -> Result<(), CliError> {
    print(&format!("\n# {text}\n"))
}

fn broken(what: impl std::fmt::Display) -> CliError {
    CliError::new("demo-broken", format!("the demo does not go as it should: {what}"))
}

impl Stage<'_> {
    /// Runs one command line as if it had been typed here.
    async fn tenantry(&self, line: &str, expected: Exit) -> Result<(), CliError> {
        if self.globals.stop.asked() {
            return Err(CliError::new("interrupted", "the demo was interrupted").exit(Exit::Interrupted));
        }
        print(&format!("\n$ tenantry {line}\n"))?;
        let mut cli =
            Cli::try_parse_from(std::iter::once("tenantry").chain(line.split(' '))).map_err(broken)?;
        cli.globals = Globals {
            state_dir: STATE.into(),
            secrets_dir: Some(SECRETS.into()),
            endpoint: self.consoles.endpoints(),
            log_format: LogFormat::Text,
            now: Some(self.consoles.running.clock().now().to_string()),
            ..self.globals.clone()
        };
        let exit = Box::pin(run(cli)).await?;
        if exit == expected {
            Ok(())
        } else {
            Err(broken(format!("tenantry {line} ended with {}", exit.code())))
        }
    }

    fn later(&self, by: &str) -> Result<(), CliError> {
        let by: Span = by.parse().map_err(broken)?;
        self.consoles.running.clock().advance(by).map(drop).map_err(broken)
    }

    /// Sends every mail of the outbox; gives their numbers.
    fn send(&self) -> Result<Vec<u64>, CliError> {
        let outbox = Path::new(OUTBOX);
        let mut mails = Vec::new();
        for entry in std::fs::read_dir(outbox).map_err(|error| io("read", outbox, &error))? {
            let path = entry.map_err(|error| io("read", outbox, &error))?.path();
            if path.extension().is_some_and(|extension| extension == "eml") {
                mails.push(std::fs::read_to_string(&path).map_err(|error| io("read", &path, &error))?);
            }
        }
        Ok(mails.iter().map(|mail| self.consoles.running.send_mail(mail)).collect())
    }

    /// The customers follow the links.
    fn accept(&self, mails: Vec<u64>) -> Result<(), CliError> {
        if mails.is_empty() {
            return Err(broken("no mail was written"));
        }
        mails
            .into_iter()
            .try_for_each(|mail| self.consoles.running.accept_mail(mail, None).map(drop).map_err(broken))
    }

    /// What an operator clicks in Sophos Central Partner.
    fn tasks_at_sophos(&self) -> Result<(), CliError> {
        let sophos = self.consoles.running.sophos("msp");
        for tenant in sophos.tenants() {
            let (click, form) = if tenant.billing_type == "trial" {
                ("update-billing", json!({"to": "usage", "confirm": true}))
            } else {
                ("change-licenses", json!({"products": [{"code": "CIXA-MSP"}]}))
            };
            sophos.click(&format!("tenants/{}/{click}", tenant.id), &form).map_err(broken)?;
        }
        Ok(())
    }
}

/// The task of sending the mail, as `tenantry tasks` lists it.
fn mail_task() -> Result<String, CliError> {
    let state = StateDir::new(STATE);
    let index = state.index()?;
    let account = index
        .consoles
        .get(&ConsoleName::new("microsoft"))
        .ok_or_else(|| broken("microsoft has no ledger"))?;
    let ledger = state.ledger(account)?.ok_or_else(|| broken("microsoft has no ledger"))?;
    let mut tasks = ledger.entries.values().flat_map(|entry| entry.tasks.keys());
    tasks.find(|id| id.contains("-send-")).cloned().ok_or_else(|| broken("no mail waits to be sent"))
}
