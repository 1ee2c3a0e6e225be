//! `tenantry doctor`: whether everything that a run needs is there, and what we may do in each console.
//!
//! It reads: declarations, credentials, who we are, what our position may do. It never writes to a console, a ledger
//! or the state directory (whether that can be written is tried with a file that has no name and is gone at once),
//! and it never opens a write credential at the vendor: it only looks whether it is there.

use std::path::Path;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use tenantry_crd::console::Management;
use tenantry_engine::address::ConsoleName;
use tenantry_engine::capability::{By, Capabilities, Row};
use tenantry_engine::console::Console;
use tenantry_engine::declare::declare;
use tenantry_engine::desired::Desired;
use tenantry_engine::observed::Identity;
use tenantry_engine::plan::findings::Severity;
use tenantry_engine::render::Paint;
use tenantry_engine::text::terminal;

use crate::app::{Files, Globals, LogFormat, print};
use crate::declarations::{FileScope, declarations, read};
use crate::diagnostics::counted;
use crate::exit::{CliError, Exit};
use crate::ledgers::{day, days};
use crate::pipeline::{Connected, Run, check_account};
use crate::state::StateDir;

/// Microsoft ends a refresh token that was not used for 90 days ("Refresh tokens in the Microsoft identity platform",
/// token lifetime).
const REFRESH_TOKEN_LIVES: SignedDuration = SignedDuration::from_hours(90 * 24);
/// From when on its age is worth a word.
const REFRESH_TOKEN_AGES: SignedDuration = SignedDuration::from_hours(75 * 24);

/// Further apart than this, one of two clocks is wrong. Answers take their time, and `Date` has whole seconds.
const CLOCK_MAY_DIFFER: SignedDuration = SignedDuration::from_secs(60);

/// Check credentials, roles, position, reachability; change nothing.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry doctor -f .\n  tenantry doctor -f . --console microsoft\n\nExit codes: 0 all is well, 1 something is not."
)]
pub struct Doctor {
    /// What is declared.
    #[command(flatten)]
    pub files: Files,
    /// Only this Console; repeatable
    #[arg(long, value_name = "CONSOLE")]
    pub console: Vec<String>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Well,
    Note,
    Fails,
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    how: How,
    what: &'static str,
    words: String,
    /// What to do, one line each.
    next: Vec<String>,
}

impl Check {
    fn new(how: How, what: &'static str, words: impl Into<String>) -> Self {
        Self { how, what, words: words.into(), next: vec![] }
    }

    fn next(mut self, next: impl Into<String>) -> Self {
        self.next.push(next.into());
        self
    }

    /// A failure with the error's own words.
    fn failed(what: &'static str, error: &CliError) -> Self {
        Self { how: How::Fails, what, words: error.sentence(), next: error.hints.clone() }
    }
}

impl Doctor {
    /// Runs it.
    pub async fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        let (text, exit) = self.answer(globals).await?;
        print(&text)?;
        Ok(exit)
    }

    /// What to print, and how it ended.
    pub async fn answer(self, globals: &Globals) -> Result<(String, Exit), CliError> {
        let paint = globals.paint();
        let mut report = Report { paint, out: String::new(), failures: 0 };
        let run = Run::new(globals, Vec::new())?;
        let now = run.runtime.clock.now();
        report.section("here", "");
        let loaded = match read(globals, &self.files.files) {
            Ok(loaded) => loaded,
            Err(mut error) => {
                let mut check = Check::new(How::Fails, "declarations", "they have mistakes");
                check.next.push("tenantry validate shows each at its place; consoles were not asked".into());
                report.check(&check);
                report.checks(&state(&run.state));
                report.last();
                if globals.log_format == LogFormat::Json {
                    print(&report.out)?;
                } else {
                    error.more.report.push_str(&report.out);
                }
                return Err(error);
            }
        };
        let scope = FileScope(&loaded.scope);
        let all = declarations(&loaded);
        let declaration = declare(&all, &scope);
        for name in &self.console {
            if !declaration.consoles.contains_key(name.as_str()) {
                let known: Vec<&str> = declaration.consoles.keys().map(ConsoleName::as_str).collect();
                return Err(CliError::usage(format!("no Console {} is declared", terminal(name)))
                    .hint(format!("declared are: {}", known.join(", "))));
            }
        }
        run.check_endpoints(&declaration)?;
        report.check(&Check::new(
            How::Well,
            "declarations",
            format!(
                "{} in {}",
                counted(loaded.objects.len(), "object"),
                counted(loaded.counts.files, "file")
            ),
        ));
        for finding in declaration.findings.iter().filter(|finding| finding.severity != Severity::Info) {
            let place = finding.origin.as_ref().map_or_else(String::new, |origin| format!("{origin}: "));
            report.check(&Check::new(How::Note, "declarations", format!("{place}{}", finding.words)));
        }
        report.checks(&state(&run.state));
        if let Some(text) = &globals.now {
            report.check(&Check::new(How::Note, "clock", format!("stands at {text} (--now)")));
        } else {
            report.check(&Check::new(
                How::Note,
                "clock",
                format!("{now}; each console's own is compared below"),
            ));
        }
        if declaration.consoles.is_empty() {
            report.check(
                &Check::new(How::Fails, "consoles", "none is declared that this version can reach").next(
                    "declare one: tenantry init DIR writes examples, tenantry explain console says more",
                ),
            );
        }
        for desired in declaration.consoles.values() {
            if !self.console.is_empty()
                && !self.console.iter().any(|name| name == desired.console.name.as_str())
            {
                continue;
            }
            console(&mut report, &run, desired, now, globals.now.is_none()).await;
        }
        report.last();
        let exit = if report.failures > 0 { Exit::Failure } else { Exit::Done };
        Ok((report.out, exit))
    }
}

struct Report {
    paint: Paint,
    out: String,
    failures: usize,
}

impl Report {
    fn section(&mut self, name: &str, title: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        let gap = if title.is_empty() { "" } else { "   " };
        self.out.push_str(&format!("{}{gap}{title}\n", self.paint.strong(name)));
    }

    fn check(&mut self, check: &Check) {
        let mark = match check.how {
            How::Well => "ok  ",
            How::Note => "–   ",
            How::Fails => "FAIL",
        };
        let mark = match check.how {
            How::Fails => self.paint.alarm(mark),
            How::Well | How::Note => mark.to_owned(),
        };
        self.failures += usize::from(check.how == How::Fails);
        let mut lines = String::new();
        self.paint.labelled(&mut lines, 7, check.what, 18, &check.words);
        self.out.push_str(&format!("  {mark} {}", lines.trim_start()));
        for next in &check.next {
            self.paint.labelled(&mut self.out, 25, "→", 2, next);
        }
    }

    fn checks(&mut self, checks: &[Check]) {
        for check in checks {
            self.check(check);
        }
    }

    fn last(&mut self) {
        let last = match self.failures {
            0 => "All is well. Nothing was written.".to_owned(),
            n => format!("{} to mend. Nothing was written.", counted(n, "thing")),
        };
        self.out.push_str(&format!("\n{last}\n"));
    }
}

/// The state directory: readable, writable, locked by whom.
fn state(state: &StateDir) -> Vec<Check> {
    let mut out = Vec::new();
    let root = state.root();
    out.push(match writable(root) {
        Ok(true) => Check::new(How::Well, "state directory", format!("{} can be written", root.display())),
        Ok(false) => Check::new(
            How::Well,
            "state directory",
            format!("{} is not there yet; the first apply makes it", root.display()),
        ),
        Err(error) => Check::new(
            How::Fails,
            "state directory",
            format!("{} cannot be written: {error}", root.display()),
        )
        .next("mend its rights, or name another one with --state-dir"),
    });
    match state.held() {
        Ok(None) => {}
        Ok(Some((owner, since))) => out.push(
            Check::new(How::Note, "lock", format!("{} writes there since {since}", terminal(&owner)))
                .next("apply waits for nobody: run it when that run has ended"),
        ),
        Err(error) => out.push(Check::failed("lock", &error.into())),
    }
    match state.accounts() {
        Ok(accounts) if accounts.is_empty() => {}
        Ok(accounts) => out.push(Check::new(
            How::Well,
            "ledgers",
            format!("{} readable", counted(accounts.len(), "ledger")),
        )),
        Err(error) => out.push(Check::failed("ledgers", &error.into())),
    }
    out
}

/// Whether a directory can be written; `false` = it is not there, and what would hold it can be written. The file has
/// no name where the system can do that, and is gone in any case.
fn writable(root: &Path) -> std::io::Result<bool> {
    let absolute = std::path::absolute(root)?;
    let there = absolute.is_dir();
    let holder = absolute.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("/"));
    tempfile::tempfile_in(holder).map(|_| there)
}

/// `ticks`: our clock is the machine's, not a moment that was passed in.
async fn console(report: &mut Report, run: &Run, desired: &Desired<'_>, now: Timestamp, ticks: bool) {
    let name = desired.console.name.as_str();
    let credentials = credentials(run, desired, now);
    let connected = match run.connect(desired, false) {
        Ok(console) => match console.identify().await {
            Ok(identity) => Ok((console, identity)),
            Err(error) => Err(Check::failed("identity", &error.into())),
        },
        // A missing credential is told by its own line already.
        Err(error) if matches!(error.code, "no-credential" | "no-secret") => {
            Err(Check::new(How::Note, "identity", "not asked: there is no credential to ask with"))
        }
        Err(error) => Err(Check::failed("connection", &error)),
    };
    match connected {
        Err(check) => {
            report.section(name, &format!("declared in {}", desired.console.origin));
            report.checks(&credentials);
            report.check(&check);
        }
        Ok((console, identity)) => {
            report.section(name, &terminal(&identity.title));
            report.checks(&credentials);
            let rows = table(console.dialect().capabilities());
            report
                .checks(&console.clock_ahead().filter(|_| ticks).map(clock).into_iter().collect::<Vec<_>>());
            report.checks(&known(run, desired, console, identity));
            report.checks(&rows);
        }
    }
}

/// What is known once the console has answered.
fn known(run: &Run, desired: &Desired<'_>, console: Box<dyn Console>, identity: Identity) -> Vec<Check> {
    let account = identity.vendor_account.clone();
    let mut out = vec![Check::new(
        How::Well,
        "identity",
        format!("{} ({} declared)", terminal(account.as_str()), position(desired)),
    )];
    let one = Connected { desired, console, identity };
    match check_account(run, &one) {
        Ok(()) => {}
        Err(error) => out.push(Check::failed("account", &error)),
    }
    if let Ok(Some(ledger)) = run.state.ledger(&account) {
        for (row, at) in &ledger.header.refused_rows {
            out.push(Check::new(
                How::Note,
                "position",
                format!("the vendor refused us to {} on {}; it is a task since", row.words(), day(*at)),
            ));
        }
    }
    out
}

/// Our clock against the console's: tokens and dates are refused or late where they differ.
fn clock(ahead: SignedDuration) -> Check {
    let words = match ahead.as_secs() {
        0 => "the same as the console's".to_owned(),
        seconds if seconds > 0 => format!("{seconds} s ahead of the console's"),
        seconds => format!("{} s behind the console's", -seconds),
    };
    if ahead.abs() <= CLOCK_MAY_DIFFER {
        Check::new(How::Well, "clock", words)
    } else {
        Check::new(How::Fails, "clock", words)
            .next("set this machine's clock (NTP): tokens are refused, and days are counted from it")
    }
}

/// Our position as declared.
fn position(desired: &Desired<'_>) -> String {
    let spec = desired.console.spec;
    if let Some(microsoft) = &spec.microsoft {
        return format!("{:?}", microsoft.partner);
    }
    if let Some(sophos) = &spec.sophos {
        return format!("{:?}", sophos.program);
    }
    "no position".to_owned()
}

/// Every row of the table: who does it here.
fn table(capabilities: &Capabilities) -> Vec<Check> {
    Row::ALL
        .into_iter()
        .filter_map(|row| {
            let cell = capabilities.cells.get(&row)?;
            let who = match cell.by {
                By::Api => "tenantry",
                By::Person(party) => party.words(),
                By::NotYet => "nobody yet: this version does not use the vendor's API for it",
                By::Never => return None,
            };
            let note =
                if cell.note.is_empty() { String::new() } else { format!(" · {}", terminal(&cell.note)) };
            Some(Check::new(How::Well, "may", format!("{}: {who}{note}", row.words())))
        })
        .collect()
}

/// Both credentials, as far as they can be told without opening them at the vendor.
fn credentials(run: &Run, desired: &Desired<'_>, now: Timestamp) -> Vec<Check> {
    let console = &desired.console;
    let declared = console.spec.credentials.as_ref();
    let read = declared.and_then(|credentials| credentials.read.as_ref());
    let write = declared.and_then(|credentials| credentials.write.as_ref());
    let mut out = Vec::new();
    match read {
        None => out.push(
            Check::new(How::Fails, "read credential", "none is declared: the console is not observed")
                .next(format!("{}: write spec.credentials.read.secretRef.name", console.origin)),
        ),
        Some(read) => out.push(match run.secrets.find(&read.secret_ref.name) {
            Ok(_) => Check::new(How::Well, "read credential", terminal(&read.secret_ref.name)),
            Err(error) => Check::failed("read credential", &error),
        }),
    }
    match (write, console.spec.management) {
        (_, Management::Observe) => {
            out.push(Check::new(How::Note, "write credential", "not needed: management is Observe"));
        }
        (None, Management::Manage) => out.push(
            Check::new(How::Note, "write credential", "none is declared: apply can do nothing here")
                .next(format!("{}: write spec.credentials.write.secretRef.name", console.origin)),
        ),
        (Some(write), Management::Manage) => out.push(match run.secrets.find(&write.secret_ref.name) {
            Ok(_) => Check::new(
                How::Well,
                "write credential",
                format!("{} is there; not opened, doctor only reads", terminal(&write.secret_ref.name)),
            ),
            Err(error) => Check::failed("write credential", &error),
        }),
    }
    if console.spec.microsoft.is_some() {
        let names = [read, write].into_iter().flatten().map(|source| source.secret_ref.name.as_str());
        let mut names: Vec<&str> = names.collect();
        names.dedup();
        for name in names {
            out.extend(refresh_token(run.secrets.dir.as_deref(), name, now));
        }
    }
    out
}

/// The age of a refresh token that is kept in a file: each use stores the one that came back.
fn refresh_token(dir: Option<&Path>, secret: &str, now: Timestamp) -> Option<Check> {
    let path = dir?.join(secret).join("refreshToken");
    let written = std::fs::metadata(path).ok()?.modified().ok()?;
    let written = Timestamp::try_from(written).ok()?;
    let age = now.duration_since(written);
    let words = format!("of {} was stored {} days ago", terminal(secret), days(written, now));
    Some(if age >= REFRESH_TOKEN_LIVES {
        Check::new(How::Fails, "refresh token", format!("{words}; one that is unused for 90 days has ended"))
            .next("consent anew as a user with multi-factor authentication, and store the new refreshToken")
    } else if age >= REFRESH_TOKEN_AGES {
        Check::new(How::Note, "refresh token", format!("{words}; unused for 90 days it ends"))
            .next("any plan uses it; a directory that can be written keeps the new one")
    } else {
        Check::new(How::Well, "refresh token", words)
    })
}

#[cfg(test)]
mod tests;
