//! Saying that tasks are done: into the ledger, or as Attestations for Git.
//!
//! All or nothing: an id that cannot be closed refuses the whole call before anything is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use tenantry_engine::address::{Address, VendorAccount};
use tenantry_engine::task::{Attested, Outcome};
use tenantry_engine::text::terminal;

use super::{from_ledgers, table, unknown};
use crate::app::{Globals, tell};
use crate::diagnostics::counted;
use crate::exit::{CliError, io};
use crate::ledgers::{Home, Ledgers, day, put};

/// Say that tasks are done.
#[derive(Debug, Clone, Default, Args)]
#[command(
    after_help = "Examples:\n  tenantry tasks done ID --note \"confirmed by phone\"\n  tenantry tasks done --from tasks.csv\n  tenantry tasks done ID --write attestations/     for Git, instead of the ledger"
)]
pub struct Done {
    /// Which ones
    #[arg(required_unless_present = "from")]
    pub ids: Vec<String>,
    /// More of them: ids, one a line, or a table from --export csv with the column `done` filled in
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// What should be remembered with it
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Who says so; default: the name you are logged in with
    #[arg(long, env = "TENANTRY_BY", value_name = "WHO")]
    pub by: Option<String>,
    /// When it was done (RFC 3339); default: now
    #[arg(long, value_name = "TIME")]
    pub on: Option<String>,
    /// The other party refused instead
    #[arg(long)]
    pub refused: bool,
    /// Write Attestations into this directory instead of the ledger
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
    /// Where the ledger is.
    #[command(flatten)]
    pub home: Home,
}

struct Said {
    id: String,
    attested: Attested,
}

/// Who is speaking.
pub(crate) fn who(by: Option<&str>) -> Result<String, CliError> {
    let env = |name| std::env::var(name).ok();
    let by = by.map(str::to_owned).or_else(|| env("USER")).or_else(|| env("USERNAME")).unwrap_or_default();
    let by = by.trim();
    if by.is_empty() || by.chars().count() > 256 {
        return Err(CliError::usage("nobody is named who says so").hint("pass --by NAME, or set TENANTRY_BY"));
    }
    Ok(by.to_owned())
}

impl Done {
    /// What to print.
    pub async fn answer(self, globals: &Globals) -> Result<String, CliError> {
        let ledgers = Ledgers::read_from(globals, &self.home).await?;
        let said = self.said(ledgers.now)?;
        if said.is_empty() {
            return Ok("No task is said to be done there. Nothing was written.\n".to_owned());
        }
        match &self.write {
            Some(dir) => write(&ledgers, dir, &said),
            None => store(&ledgers, &said).await,
        }
    }

    fn said(&self, now: Timestamp) -> Result<Vec<Said>, CliError> {
        let by = who(self.by.as_deref())?;
        let moment = |text: &str| -> Result<Timestamp, CliError> {
            text.parse().map_err(|error| {
                CliError::usage(format!("--on {} is no moment: {error}", terminal(text)))
                    .hint("write it as 2026-11-21T14:00:00Z")
            })
        };
        let on = self.on.as_deref().map(moment).transpose()?;
        let mut rows: Vec<table::Row> =
            self.ids.iter().map(|id| table::Row { id: id.clone(), note: None, on: None }).collect();
        if let Some(path) = &self.from {
            let text = if path.as_os_str() == "-" {
                std::io::read_to_string(std::io::stdin())
            } else {
                std::fs::read_to_string(path)
            };
            rows.extend(table::read(path, &text.map_err(|error| io("read", path, &error))?)?);
        }
        let outcome = if self.refused { Outcome::Refused } else { Outcome::Done };
        let mut seen = BTreeSet::new();
        let mut out = Vec::new();
        for row in rows.into_iter().filter(|row| seen.insert(row.id.clone())) {
            let on = row.on.or(on).unwrap_or(now);
            if on > now {
                return Err(CliError::usage(format!("{}: {on} has not come yet", terminal(&row.id)))
                    .hint("say when it was done, not when it will be"));
            }
            let note = row.note.or_else(|| self.note.clone()).unwrap_or_default();
            if note.chars().count() > 4096 {
                return Err(CliError::usage(format!(
                    "{}: the note is longer than 4096 characters",
                    terminal(&row.id)
                ))
                .hint("keep the long text elsewhere and note where"));
            }
            out.push(Said { id: row.id, attested: Attested { outcome, by: by.clone(), on, note } });
        }
        Ok(out)
    }
}

/// Into the ledgers, one durable event for each task.
async fn store(ledgers: &Ledgers, said: &[Said]) -> Result<String, CliError> {
    if ledgers.all.is_empty() {
        return Err(ledgers.empty().hint("for Git instead of a ledger: --write DIR"));
    }
    let mut place: BTreeMap<&str, (VendorAccount, Address)> = BTreeMap::new();
    for (ledger, address, entry) in ledgers.entries() {
        for id in entry.tasks.keys() {
            place.insert(id, (ledger.header.vendor_account.clone(), address.clone()));
        }
    }
    let mut by_account: BTreeMap<&VendorAccount, Vec<(&Said, &Address)>> = BTreeMap::new();
    for one in said {
        let Some((account, address)) = place.get(one.id.as_str()) else {
            return Err(unknown(&one.id, &from_ledgers(ledgers), true).hint("nothing was written"));
        };
        by_account.entry(account).or_default().push((one, address));
    }
    // Checked for all ledgers before the first one is written.
    for (_, _, entry) in ledgers.entries() {
        for one in said {
            if let Some(record) = entry.tasks.get(&one.id) {
                not_before(one, record.since)?;
            }
        }
    }
    let mut out = String::new();
    let mut sent = false;
    for (account, tasks) in by_account {
        ledgers
            .change(account, |ledger| {
                let mut entries = BTreeMap::new();
                let mut changes = Vec::new();
                for (one, address) in &tasks {
                    let id = terminal(&one.id);
                    let entry =
                        entries.entry(*address).or_insert_with(|| ledger.entries.get(*address).cloned());
                    let Some(record) = entry.as_mut().and_then(|entry| entry.tasks.get_mut(&one.id)) else {
                        out.push_str(&format!("{id}   was closed meanwhile: tenantry log\n"));
                        continue;
                    };
                    if let Some(before) = &record.attested
                        && before.outcome == one.attested.outcome
                    {
                        out.push_str(&format!(
                            "{id}   was said already, by {} on {}\n",
                            terminal(&before.by),
                            day(before.on)
                        ));
                        continue;
                    }
                    record.attested = Some(one.attested.clone());
                    let what = if one.attested.outcome == Outcome::Refused { "refused" } else { "done" };
                    let observable = record.task.as_ref().is_none_or(|task| task.observable);
                    let follows = match (one.attested.outcome, one.id.contains("-send-"), observable) {
                        (Outcome::Refused, ..) => "the next plan says what that means",
                        (_, true, _) => "the mail counts as sent",
                        (_, _, true) => "the next plan looks whether the console shows it",
                        _ => "the next apply closes it",
                    };
                    sent |= one.id.contains("-send-");
                    out.push_str(&format!("{id}   {what}; {follows}\n"));
                    let words = format!("{}: {what}, says {}", one.id, one.attested.by);
                    let event = ledgers.event("attested", Some(*address), words);
                    let entry = entry.clone().expect("its record was found");
                    changes.push(put(address, entry, event));
                }
                Ok(changes)
            })
            .await?;
    }
    out.push_str(ledgers.taken_up());
    out.push_str(if sent {
        "Next: tenantry plan · tenantry invitations\n"
    } else {
        "Next: tenantry plan\n"
    });
    Ok(out)
}

/// What was done before a task was opened is not that task.
fn not_before(one: &Said, since: Timestamp) -> Result<(), CliError> {
    if one.attested.on >= since {
        return Ok(());
    }
    Err(CliError::usage(format!(
        "{} was opened at {since}; {} is before that",
        terminal(&one.id),
        one.attested.on
    ))
    .hint("what was done before counts only if the console shows it; look again there")
    .hint("nothing was written"))
}

/// As Attestations, one file each.
fn write(ledgers: &Ledgers, dir: &std::path::Path, said: &[Said]) -> Result<String, CliError> {
    let known = from_ledgers(ledgers);
    for one in said {
        match known.iter().find(|task| task.id == one.id) {
            Some(task) => not_before(one, task.since.unwrap_or(Timestamp::MIN))?,
            None => tell(&format!("{}: no ledger here knows it; written as you say", terminal(&one.id))),
        }
    }
    std::fs::create_dir_all(dir).map_err(|error| io("create", dir, &error))?;
    for one in said {
        let (name, text) = attestation(one);
        let path = dir.join(format!("{name}.yaml"));
        match std::fs::read_to_string(&path) {
            Ok(before) if before == text => continue,
            Ok(_) => {
                return Err(CliError::new(
                    "exists",
                    format!("{} is there with another text", path.display()),
                )
                .hint("an Attestation never changes; take the file away if it was never committed"));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(io("read", &path, &error)),
        }
        std::fs::write(&path, text).map_err(|error| io("write", &path, &error))?;
    }
    Ok(format!(
        "{} written to {}; the ledger was not touched.\nNext: commit them, then tenantry plan -f .\n",
        counted(said.len(), "Attestation"),
        dir.display()
    ))
}

/// Name and text of an Attestation: every value quoted, so that none is taken for anything else.
fn attestation(one: &Said) -> (String, String) {
    let quoted = |text: &str| serde_json::to_string(text).expect("a text is JSON");
    let slug: String = one
        .id
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let when = one.attested.on.strftime("%Y%m%dt%H%M%Sz");
    let name = format!("{}-{when}", slug.trim_matches('-'));
    let outcome = if one.attested.outcome == Outcome::Refused { "Refused" } else { "Done" };
    let mut text = format!(
        "apiVersion: {}\nkind: Attestation\nmetadata: {{name: {}}}\nspec:\n  task: {}\n  outcome: {outcome}\n  by: {}\n  on: {}\n",
        tenantry_crd::API_VERSION,
        quoted(&name),
        quoted(&one.id),
        quoted(&one.attested.by),
        one.attested.on
    );
    if !one.attested.note.is_empty() {
        text.push_str(&format!("  note: {}\n", quoted(&one.attested.note)));
    }
    (name, text)
}
