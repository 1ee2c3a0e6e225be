//! Looking at ledgers: every entry in a line, or all about one.

use clap::{Args, ValueEnum};
use tenantry_engine::ledger::{Entry, Standing};
use tenantry_engine::render::Paint;
use tenantry_engine::task::Outcome;
use tenantry_engine::text::{self, terminal};
use tenantry_engine::value::Field;

use crate::app::Globals;
use crate::diagnostics::counted;
use crate::exit::CliError;
use crate::ledgers::{Home, Ledgers, day};

/// How to write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// Every entry in a line.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry state list\n  tenantry state list --in microsoft -o json\n  tenantry state list --ledger cluster -n msp"
)]
pub struct List {
    /// Only this Console or vendor account
    #[arg(long = "in", value_name = "CONSOLE")]
    pub within: Option<String>,
    /// How to write it
    #[arg(short = 'o', long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub output: Format,
    /// Where the ledger is.
    #[command(flatten)]
    pub home: Home,
}

/// All that is remembered about one address.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry state show customer/adatum/microsoft\n  tenantry state show adatum --in sophos -o json\n  tenantry state show msp:customer/adatum/microsoft --ledger cluster -n msp"
)]
pub struct ShowEntry {
    /// customer/NAME/ACCOUNT, license/NAME, or a name that only one has
    pub address: String,
    /// In which ledger: a Console or vendor account, where several hold it
    #[arg(long = "in", value_name = "CONSOLE")]
    pub within: Option<String>,
    /// How to write it
    #[arg(short = 'o', long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub output: Format,
    /// Where the ledger is.
    #[command(flatten)]
    pub home: Home,
}

fn standing(entry: &Entry) -> &'static str {
    match entry.standing {
        Standing::Declared if entry.remote_id.is_some() => "bound",
        Standing::Declared => "declared",
        Standing::Released => "released",
        Standing::Leaving => "leaving",
        Standing::Ended => "ended",
    }
}

/// What is under way: invitation, operation, tasks.
fn open(entry: &Entry) -> String {
    let mut out = Vec::new();
    if let Some(operation) = &entry.operation {
        out.push(format!("request {}", operation.phase_word()));
    }
    if let Some(invitation) = &entry.invitation
        && entry.remote_id.is_none()
        && invitation.revoked.is_none()
    {
        out.push("invited".to_owned());
    }
    let tasks = entry.tasks.values().filter(|task| task.attested.is_none()).count();
    if tasks > 0 {
        out.push(counted(tasks, "task"));
    }
    out.join(", ")
}

impl List {
    pub(super) async fn answer(&self, globals: &Globals) -> Result<String, CliError> {
        let ledgers = Ledgers::read_from(globals, &self.home).await?;
        let wanted = match &self.within {
            Some(name) => vec![ledgers.one(Some(name))?],
            None => ledgers.all.iter().collect(),
        };
        if self.output == Format::Json {
            let rows: Vec<_> = wanted
                .iter()
                .flat_map(|ledger| {
                    ledger.entries.iter().map(|(address, entry)| {
                        serde_json::json!({
                            "console": ledgers.console(&ledger.header.vendor_account),
                            "vendorAccount": ledger.header.vendor_account,
                            "address": address,
                            "standing": entry.standing,
                            "since": entry.since,
                            "remoteId": entry.remote_id,
                        })
                    })
                })
                .collect();
            return Ok(text::json(&format!("{:#}\n", serde_json::Value::Array(rows))));
        }
        if wanted.is_empty() {
            return Ok(format!("There is no ledger in {} yet: tenantry apply makes one.\n", ledgers.place()));
        }
        let paint = globals.paint();
        let mut out = String::new();
        for (n, ledger) in wanted.iter().enumerate() {
            let header = &ledger.header;
            let blank = if n > 0 { "\n" } else { "" };
            let confirmed = header.confirmed.map_or_else(
                || "not confirmed: its first run holds creations".to_owned(),
                |at| format!("confirmed {}", day(at)),
            );
            let name = ledgers.console(&header.vendor_account);
            out.push_str(&format!(
                "{blank}{}   {}\n    {} · serial {} · {confirmed}\n",
                paint.strong(&terminal(name.as_str())),
                terminal(header.vendor_account.as_str()),
                counted_entries(ledger.entries.len()),
                header.serial
            ));
            for (address, entry) in &ledger.entries {
                let id = entry.remote_id.as_ref().map_or_else(|| "–".to_owned(), |id| terminal(id.as_str()));
                let open = open(entry);
                let open = if open.is_empty() { open } else { format!("  ({open})") };
                let address = address.to_string();
                out.push_str(&format!("  {address:<40}  {:<8}  {id}{open}\n", standing(entry)));
            }
        }
        Ok(out)
    }
}

fn counted_entries(n: usize) -> String {
    if n == 1 { "1 entry".to_owned() } else { format!("{n} entries") }
}

impl ShowEntry {
    pub(super) async fn answer(&self, globals: &Globals) -> Result<String, CliError> {
        let ledgers = Ledgers::read_from(globals, &self.home).await?;
        let (ledger, address, entry) = ledgers.entry(&self.address, self.within.as_deref())?;
        let account = &ledger.header.vendor_account;
        if self.output == Format::Json {
            let value = serde_json::json!({"vendorAccount": account, "address": address, "entry": entry});
            return Ok(text::json(&format!("{value:#}\n")));
        }
        let console = ledgers.console(account);
        let paint = globals.paint();
        let mut out = format!("{}\n", paint.strong(&address.to_string()));
        let mut row = |label: &str, text: &str| paint.labelled(&mut out, 2, label, 12, text);
        row("console", &format!("{} ({})", terminal(console.as_str()), terminal(account.as_str())));
        row("standing", &format!("{} since {}", standing(entry), day(entry.since)));
        row("declared", &entry.origin.to_string());
        if let Some(id) = &entry.remote_id {
            row("remote id", &terminal(id.as_str()));
        }
        if let Some(parent) = &entry.parent {
            row("account", &parent.to_string());
        }
        row("wanted", &format!("{:?}; when undeclared: {:?}", entry.want, entry.deletion_policy));
        if !entry.consents.is_empty() {
            row("consents", &entry.consents.iter().map(|code| terminal(code)).collect::<Vec<_>>().join(", "));
        }
        if !entry.last_applied.is_empty() {
            let fields: Vec<&str> = entry.last_applied.keys().map(Field::as_str).collect();
            row("applied", &format!("{} (as digests)", fields.join(", ")));
        }
        if let Some(at) = entry.ended_elsewhere.as_deref() {
            row("gone", &format!("seen to be gone on {}, not by us", day(*at)));
        }
        under_way(&mut out, paint, entry);
        out.push_str(&format!("What happened to it: {}\n", ledgers.told_where(address)));
        Ok(out)
    }
}

fn under_way(out: &mut String, paint: Paint, entry: &Entry) {
    let mut row = |label: &str, text: &str| paint.labelled(out, 2, label, 12, text);
    if let Some(invitation) = &entry.invitation {
        let to =
            if invitation.to.is_empty() { "an erased address".to_owned() } else { terminal(&invitation.to) };
        let sent = invitation
            .sent
            .map_or_else(|| "not said to be sent".to_owned(), |at| format!("sent {}", day(at)));
        let reminders = match invitation.reminders.len() {
            0 => String::new(),
            n => format!(", {}", counted(n, "reminder")),
        };
        let revoked = invitation.revoked.map_or_else(String::new, |at| format!(", revoked {}", day(at)));
        row(
            "invitation",
            &format!("to {to}, drafted {}, {sent}{reminders}{revoked}", day(invitation.drafted)),
        );
    }
    if let Some(operation) = &entry.operation {
        row(
            "request",
            &format!(
                "{} ({}), {} since {}, {}",
                operation.name,
                operation.action.name(),
                operation.phase_word(),
                day(operation.sent_at().unwrap_or(operation.intended)),
                operation.id
            ),
        );
    }
    for (id, record) in &entry.tasks {
        let said = record.attested.as_ref().map_or_else(
            || format!("open since {}", day(record.since)),
            |said| {
                let what = if said.outcome == Outcome::Refused { "refused" } else { "said to be done" };
                format!("{what} on {} by {}", day(said.on), terminal(&said.by))
            },
        );
        row("task", &format!("{}, {said}", terminal(id)));
    }
}
