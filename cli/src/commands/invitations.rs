//! `tenantry invitations`: who was invited, what waits for whom, and the mails, ready to send.
//!
//! The list and the mails send nothing and write no ledger. The list comes from the ledgers, offline; a mail's link, date and
//! `Message-ID` come from the ledger too, its words from the declarations. A mail that is said to be sent, or whose
//! invitation is accepted or revoked, is never written again.

mod eml;
mod remind;
mod revoke;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::json;
use tenantry_cluster::stores::{self, Watched};
use tenantry_engine::address::Address;
use tenantry_engine::declare::{Declaration, declare};
use tenantry_engine::ledger::{Entry, Invitation, Standing};
use tenantry_engine::plan::send_task;
use tenantry_engine::render::Paint;
use tenantry_engine::task::Outcome;
use tenantry_engine::text::{self, terminal};

pub use remind::Remind;
pub use revoke::Revoke;

use crate::app::{Files, Globals, print, tell};
use crate::declarations::{FileScope, declarations, read};
use crate::exit::{CliError, Exit};
use crate::ledgers::{Home, Ledgers, ago, day};
use crate::output::{Format, LIST_FORMAT_VERSION};

/// Where an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Where {
    /// Its mail, or a reminder's, waits for somebody to send it.
    ToSend,
    /// Sent; nobody has accepted yet.
    Sent,
    /// Nobody has accepted in time.
    Overdue,
    /// Accepted.
    Accepted,
    /// Taken back, or its account is not declared any more.
    Ended,
}

impl Where {
    const ALL: [Self; 5] = [Self::ToSend, Self::Sent, Self::Overdue, Self::Accepted, Self::Ended];

    /// As `--only` takes it and JSON shows it.
    const fn code(self) -> &'static str {
        match self {
            Self::ToSend => "to-send",
            Self::Sent => "sent",
            Self::Overdue => "overdue",
            Self::Accepted => "accepted",
            Self::Ended => "ended",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::ToSend => "to send",
            Self::Sent => "waiting",
            Self::Overdue => "overdue",
            Self::Accepted => "accepted",
            Self::Ended => "ended",
        }
    }
}

/// Invitations: list, ready-to-send mails.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  tenantry invitations                    who was invited, and what waits for whom\n  tenantry invitations --only overdue\n  tenantry invitations -o json\n  tenantry invitations --eml outbox/      mails, ready to send from your own mailbox\n  tenantry tasks done ID                  once a mail is sent\n  tenantry invitations remind             the reminders that are due; an apply drafts them too"
)]
pub struct Invitations {
    /// Remind, or take back
    #[command(subcommand)]
    pub what: Option<What>,
    /// Write the mails that wait to be sent into this directory
    #[arg(long, value_name = "DIR")]
    pub eml: Option<PathBuf>,
    /// Who sends them (`Anna <anna@msp.example>`); default: whoever opens the mail
    #[arg(long, value_name = "MAILBOX", env = "TENANTRY_MAIL_FROM", requires = "eml")]
    pub from: Option<String>,
    /// Only those that stand here; repeatable
    #[arg(long, value_enum, value_name = "WHERE", conflicts_with = "eml")]
    pub only: Vec<Where>,
    /// Declarations: words of mails, days of patience.
    #[command(flatten)]
    pub files: Files,
    /// How to write the list
    #[arg(
        short = 'o',
        long,
        value_enum,
        default_value = "text",
        value_name = "FORMAT",
        conflicts_with = "eml"
    )]
    pub output: Format,
    /// Where the ledger is; a cluster's own declarations are read with it.
    #[command(flatten)]
    pub home: Home,
}

/// What is done with invitations.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Draft the reminders that are due, or one before its day; a person sends them
    Remind(Remind),
    /// Make no mail and no reminder any more
    Revoke(Revoke),
}

/// One invitation, with what the declarations add.
struct Listed<'a> {
    console: String,
    address: &'a Address,
    entry: &'a Entry,
    invitation: &'a Invitation,
    sent: Option<Timestamp>,
    /// The mail that waits to be sent.
    unsent: Option<Unsent<'a>>,
    expires: Timestamp,
    stands: Where,
}

/// A drafted mail that nobody has said to be sent.
struct Unsent<'a> {
    message_id: &'a str,
    drafted: Timestamp,
    /// From 1; `None` = the invitation itself.
    reminder: Option<usize>,
    /// Its task.
    task: String,
}

impl Invitations {
    /// Runs it.
    pub async fn run(mut self, globals: &Globals) -> Result<Exit, CliError> {
        match self.what.take() {
            Some(What::Remind(remind)) => remind.run(globals).await,
            Some(What::Revoke(revoke)) => {
                let (text, exit) = revoke.answer(globals).await?;
                print(&text)?;
                Ok(exit)
            }
            None => {
                print(&self.answer(globals).await?)?;
                Ok(Exit::Done)
            }
        }
    }

    /// What to print.
    pub async fn answer(self, globals: &Globals) -> Result<String, CliError> {
        let ledgers = Ledgers::read_from(globals, &self.home).await?;
        if let Some(cluster) = &ledgers.cluster {
            let namespaces = Some(BTreeSet::from([cluster.namespace.clone()]));
            let population = stores::list(&cluster.client, &Watched { namespaces, consoles: None })
                .await
                .map_err(|error| CliError::from_error("cluster-refused", &error))?;
            let all = population.declarations();
            return self.told(globals, &ledgers, &declare(&all, population.scope()));
        }
        let loaded = match read(globals, &self.files.files) {
            Ok(loaded) => Some(loaded),
            Err(error) if self.eml.is_some() => return Err(error),
            Err(_) => {
                tell(
                    "The declarations have mistakes (tenantry validate); days are counted as if none were declared.",
                );
                None
            }
        };
        let scope = loaded.as_ref().map(|loaded| FileScope(&loaded.scope));
        let all = loaded.as_ref().map(declarations).unwrap_or_default();
        let declaration = match &scope {
            Some(scope) => declare(&all, scope),
            None => Declaration { consoles: BTreeMap::new(), findings: vec![] },
        };
        self.told(globals, &ledgers, &declaration)
    }

    fn told(
        &self,
        globals: &Globals,
        ledgers: &Ledgers,
        declaration: &Declaration<'_>,
    ) -> Result<String, CliError> {
        let listed = gather(ledgers, declaration);
        match (&self.eml, self.output) {
            (Some(dir), _) => eml::write(dir, self.from.as_deref(), &listed, declaration, globals.paint()),
            (None, Format::Json) => Ok(json(&listed, &self.only)),
            (None, Format::Text) => Ok(list(&listed, &self.only, ledgers.now, globals.paint())),
        }
    }
}

/// The list as one document.
fn json(listed: &[Listed<'_>], only: &[Where]) -> String {
    let one = |one: &Listed<'_>| {
        let invitation = one.invitation;
        let reminders: Vec<_> = invitation
            .reminders
            .iter()
            .map(|reminder| json!({"drafted": reminder.drafted, "sent": reminder.sent}))
            .collect();
        let mail = one.unsent.as_ref().map(|unsent| {
            json!({"task": unsent.task, "reminder": unsent.reminder, "drafted": unsent.drafted, "messageId": unsent.message_id})
        });
        json!({
            "console": one.console, "address": one.address, "stands": one.stands.code(),
            "to": invitation.to, "language": invitation.language, "provider": invitation.provider,
            "drafted": invitation.drafted, "sent": one.sent, "expires": one.expires,
            "revoked": invitation.revoked, "boundTo": one.entry.bound(), "reminders": reminders, "unsentMail": mail,
        })
    };
    let meant = listed.iter().filter(|one| only.is_empty() || only.contains(&one.stands));
    let document =
        json!({"formatVersion": LIST_FORMAT_VERSION, "invitations": meant.map(one).collect::<Vec<_>>()});
    text::json(&format!("{document:#}\n"))
}

fn gather<'a>(ledgers: &'a Ledgers, declaration: &Declaration<'_>) -> Vec<Listed<'a>> {
    let mut out = Vec::new();
    for (ledger, address, entry) in ledgers.entries() {
        let Some(invitation) = &entry.invitation else { continue };
        let console = ledgers.console(&ledger.header.vendor_account).to_string();
        let policy = declaration
            .consoles
            .get(console.as_str())
            .map_or_else(Default::default, |desired| desired.console.spec.invitation.clone())
            .effective();
        let (sent, unsent) = sent(&console, address, entry, invitation);
        let since = sent.unwrap_or(invitation.drafted);
        let expires = since.saturating_add(policy.expire_after.to_duration()).unwrap_or(Timestamp::MAX);
        let stands = if entry.bound().is_some() {
            Where::Accepted
        } else if invitation.revoked.is_some() || entry.standing != Standing::Declared {
            Where::Ended
        } else if ledgers.now >= expires {
            Where::Overdue
        } else if unsent.is_some() {
            Where::ToSend
        } else {
            Where::Sent
        };
        out.push(Listed { console, address, entry, invitation, sent, unsent, expires, stands });
    }
    out.sort_by(|a, b| (&a.console, a.address).cmp(&(&b.console, b.address)));
    out
}

/// When the invitation was sent, and the mail that still waits to be. What was said by `tasks done` counts before the
/// next plan takes it over.
fn sent<'a>(
    console: &str,
    address: &Address,
    entry: &Entry,
    invitation: &'a Invitation,
) -> (Option<Timestamp>, Option<Unsent<'a>>) {
    // The Console may have been renamed since: what follows its name is the same.
    let suffix = |message_id: &str| send_task("", "", &address.name, message_id, "").id;
    let said = |message_id: &str, drafted: Timestamp| {
        let suffix = suffix(message_id);
        entry
            .tasks
            .iter()
            .filter(|(id, _)| id.ends_with(&suffix))
            .filter_map(|(_, record)| record.attested.as_ref())
            .filter(|said| said.outcome == Outcome::Done && said.on >= drafted)
            .map(|said| said.on)
            .max()
    };
    let unsent = |message_id: &'a str, drafted, reminder| {
        let suffix = suffix(message_id);
        let known = entry.tasks.keys().find(|id| id.ends_with(&suffix)).cloned();
        let task = known.unwrap_or_else(|| send_task(console, "", &address.name, message_id, "").id);
        Unsent { message_id, drafted, reminder, task }
    };
    let first = invitation.sent.or_else(|| said(&invitation.message_id, invitation.drafted));
    if invitation.revoked.is_some() {
        return (first, None);
    }
    let waits = match invitation.reminders.last() {
        None => first.is_none().then(|| unsent(&invitation.message_id, invitation.drafted, None)),
        Some(last) => (last.sent.is_none() && said(&last.message_id, last.drafted).is_none())
            .then(|| unsent(&last.message_id, last.drafted, Some(invitation.reminders.len()))),
    };
    (first, waits)
}

fn list(listed: &[Listed<'_>], only: &[Where], now: Timestamp, paint: Paint) -> String {
    if listed.is_empty() {
        return "Nobody was invited yet: a Relationship of type Reseller invites, with the next apply.\n"
            .to_owned();
    }
    let mut out = String::new();
    let mut console = "";
    let mut anything_to_send = false;
    for one in listed.iter().filter(|one| only.is_empty() || only.contains(&one.stands)) {
        if console != one.console {
            if !console.is_empty() {
                out.push('\n');
            }
            console = &one.console;
            out.push_str(&format!("{}\n", paint.strong(&terminal(console))));
        }
        let to = if one.invitation.to.is_empty() {
            "an erased address".to_owned()
        } else {
            terminal(&one.invitation.to)
        };
        out.push_str(&format!("  {:<9} {}\n", one.stands.words(), paint.strong(&one.address.to_string())));
        let mut row = |label: &str, text: &str| paint.labelled(&mut out, 12, label, 10, text);
        row("to", &format!("{to}, in language {}", terminal(&one.invitation.language)));
        for (label, text) in rows(one, now) {
            row(label, &text);
        }
        anything_to_send |= one.stands == Where::ToSend;
    }
    let counts: Vec<String> = Where::ALL
        .into_iter()
        .map(|stands| (listed.iter().filter(|one| one.stands == stands).count(), stands))
        .filter(|(count, stands)| *count > 0 || !matches!(stands, Where::Ended))
        .map(|(count, stands)| format!("{count} {}", stands.words()))
        .collect();
    out.push_str(&format!("{}Invitations: {}.\n", if out.is_empty() { "" } else { "\n" }, counts.join(", ")));
    if anything_to_send {
        out.push_str("Write the mails: tenantry invitations --eml outbox/\n");
    }
    out
}

/// What there is to say about one: label and text.
fn rows(one: &Listed<'_>, now: Timestamp) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    let drafted = one.invitation.drafted;
    out.push(match one.sent {
        Some(sent) => ("sent", format!("{} ({})", day(sent), ago(sent, now))),
        None => ("drafted", format!("{} ({}); not said to be sent", day(drafted), ago(drafted, now))),
    });
    match one.stands {
        Where::Accepted => {
            let id = one.entry.remote_id.as_ref().map_or_else(String::new, |id| terminal(id.as_str()));
            out.push(("bound to", id));
        }
        Where::Ended => out.push((
            "ended",
            one.invitation.revoked.map_or_else(
                || format!("not wanted since {}", day(one.entry.since)),
                |at| format!("taken back on {}", day(at)),
            ),
        )),
        Where::Overdue => out.push((
            "overdue",
            format!(
                "since {} ({}); ask the customer, the link stays good",
                day(one.expires),
                ago(one.expires, now)
            ),
        )),
        Where::Sent => out.push(("until", day(one.expires))),
        Where::ToSend => {}
    }
    if matches!(one.stands, Where::ToSend | Where::Overdue)
        && let Some(unsent) = &one.unsent
    {
        if let Some(n) = unsent.reminder {
            out.push((
                "reminder",
                format!("number {n} drafted {} ({})", day(unsent.drafted), ago(unsent.drafted, now)),
            ));
        }
        out.push(("once sent", format!("tenantry tasks done {}", unsent.task)));
    } else if !one.invitation.reminders.is_empty() {
        out.push(("reminders", one.invitation.reminders.len().to_string()));
    }
    out
}

#[cfg(test)]
mod tests;
