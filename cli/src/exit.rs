//! Exit codes and errors: the one place where an error becomes a message and a code.
//!
//! Codes: 0 done or nothing to do; 1 failure; 4 something refused or skipped; 130 interrupted; 64 usage. With
//! `--detailed-exitcode`: 2 changes pending, 3 nothing to do but waiting in time, 5 waiting overdue. The first that
//! applies of 1, 4, 130, 2, 5, 3.

use std::error::Error as StdError;
use std::fmt::Write as _;

use tenantry_engine::address::ConsoleName;
use tenantry_engine::text::terminal;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Failed.
    Failure,
    /// Changes are pending.
    Pending,
    /// Nothing to do but wait; nothing is overdue.
    Waiting,
    /// Something was refused or skipped.
    Refused,
    /// Something that waits is overdue.
    Overdue,
    /// The command line is wrong.
    Usage,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failure => 1,
            Exit::Pending => 2,
            Exit::Waiting => 3,
            Exit::Refused => 4,
            Exit::Overdue => 5,
            Exit::Usage => 64,
            Exit::Interrupted => 130,
        }
    }
}

/// An error as a person reads it: what, then why, then what to do.
#[derive(Debug)]
pub struct CliError {
    /// The code.
    pub exit: Exit,
    /// Kebab-case, in brackets behind `error`.
    pub code: &'static str,
    /// What went wrong.
    pub message: String,
    /// What caused it, outermost first.
    pub chain: Vec<String>,
    /// What to do.
    pub hints: Vec<String>,
    /// What few errors have.
    pub more: Box<More>,
}

/// What few errors have. Apart from the rest, so that results stay small.
#[derive(Debug, Default)]
pub struct More {
    /// Text that was made for this error already (diagnostics); printed as it is, before everything else.
    pub report: String,
    /// The message without what names one request, where it names one.
    pub lasting: Option<String>,
    /// The Console that it is about.
    pub console: Option<String>,
    /// What else failed in the same run; told before this one.
    pub also: Vec<CliError>,
}

impl CliError {
    /// A failure.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Failure,
            code,
            message: message.into(),
            chain: vec![],
            hints: vec![],
            more: Box::default(),
        }
    }

    /// A wrong command line.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new("usage", message) }
    }

    /// From an error of a library: its sources become the chain.
    pub fn from_error(code: &'static str, error: &(dyn StdError + 'static)) -> Self {
        let mut out = Self::new(code, error.to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            out.chain.push(cause.to_string());
            source = cause.source();
        }
        out
    }

    /// With something to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// With another exit.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// With a finished report.
    #[must_use]
    pub fn report(mut self, report: String) -> Self {
        self.more.report = report;
        self
    }

    /// About this Console: vendors' words alone do not tell two Consoles of one vendor apart.
    #[must_use]
    pub fn of_console(mut self, name: &ConsoleName) -> Self {
        self.more.console = Some(name.to_string());
        self
    }

    /// The message, with its Console in front where it does not name it.
    fn named(&self) -> String {
        self.in_console(&self.message)
    }

    fn in_console(&self, message: &str) -> String {
        match &self.more.console {
            Some(console) if !message.to_lowercase().contains(&format!("console {console}")) => {
                format!("{console}: {message}")
            }
            _ => message.to_owned(),
        }
    }

    /// What and why, in one line.
    pub fn sentence(&self) -> String {
        let mut words = self.named();
        for cause in &self.chain {
            words.push_str(": ");
            words.push_str(cause);
        }
        words
    }

    /// The same for a plan: without what names one request.
    pub fn lasting_sentence(&self) -> String {
        match &self.more.lasting {
            Some(message) => self.in_console(message),
            None => self.sentence(),
        }
    }

    /// As printed on stderr, with a final newline.
    pub fn text(&self) -> String {
        let mut out = self.more.report.clone();
        for other in &self.more.also {
            out.push_str(&other.text());
        }
        if !self.message.is_empty() {
            let _ = writeln!(out, "error[{}]: {}", self.code, shown(&self.named()));
        }
        for cause in &self.chain {
            let _ = writeln!(out, "  because: {}", shown(cause));
        }
        for hint in &self.hints {
            let _ = writeln!(out, "  {}", shown(hint));
        }
        out
    }

    /// As printed on stderr with `--log-format json`: one object a line. A report that stands alone was made in that
    /// format already.
    pub fn json(&self) -> String {
        let mut out = if self.message.is_empty() { self.more.report.clone() } else { String::new() };
        for other in &self.more.also {
            out.push_str(&other.json());
        }
        if !self.message.is_empty() {
            let mut line = serde_json::json!({
                "level": "error", "code": self.code, "message": self.message, "because": self.chain, "hints": self.hints,
            });
            if let Some(console) = &self.more.console {
                line["console"] = console.as_str().into();
            }
            if !self.more.report.is_empty() {
                line["report"] = self.more.report.as_str().into();
            }
            let _ = writeln!(out, "{line}");
        }
        tenantry_engine::text::json(&out)
    }
}

/// Fit for a terminal, whole, with line breaks kept.
fn shown(text: &str) -> String {
    text.lines()
        .map(|line| {
            let chars: Vec<char> = line.chars().collect();
            chars.chunks(150).map(|chunk| terminal(&chunk.iter().collect::<String>())).collect::<String>()
        })
        .collect::<Vec<_>>()
        .join("\n  ")
}

impl From<tenantry_engine::store::StoreError> for CliError {
    fn from(error: tenantry_engine::store::StoreError) -> Self {
        use tenantry_engine::store::StoreError as E;
        let code = match error {
            E::Conflict { .. } | E::Overtaken { .. } => "state-conflict",
            E::Locked { .. } => "state-locked",
            E::Damaged { .. } => "state-damaged",
            E::Io { .. } => "state-unreachable",
            E::Other(_) => "state-failed",
        };
        let mut out = Self::from_error(code, &error);
        if let E::Io { source, .. } = &error {
            out.hints.extend(room_or_right(source.kind()).map(str::to_owned));
        }
        out
    }
}

/// What to do where the system has no room for a file, or lets nobody write it.
fn room_or_right(kind: std::io::ErrorKind) -> Option<&'static str> {
    use std::io::ErrorKind as E;
    match kind {
        E::StorageFull | E::QuotaExceeded | E::FileTooLarge => Some(
            "there is no room for it: make room on that disk, or raise the quota or the largest size of a file",
        ),
        E::PermissionDenied | E::ReadOnlyFilesystem => {
            Some("whoever runs this must be able to read and write there")
        }
        _ => None,
    }
}

impl From<tenantry_engine::console::ConsoleError> for CliError {
    fn from(error: tenantry_engine::console::ConsoleError) -> Self {
        use tenantry_engine::console::ConsoleError as E;
        let (code, exit) = match &error {
            E::Unreachable { .. } => ("console-unreachable", Exit::Failure),
            E::Credential { .. } => ("credential-refused", Exit::Failure),
            E::Refused { .. } => ("read-refused", Exit::Failure),
            E::Protocol { .. } => ("unexpected-answer", Exit::Failure),
            E::NotARead { .. } => ("not-a-read", Exit::Failure),
            E::Stopped => ("interrupted", Exit::Interrupted),
        };
        let hint = matches!(error, E::Credential { .. })
            .then(|| "tenantry doctor checks credentials, roles and reachability".to_owned());
        let mut out = Self::from_error(code, &error).exit(exit);
        out.hints.extend(hint);
        out.more.lasting = Some(error.lasting().to_string());
        out
    }
}

impl From<tenantry_engine::run::RunError> for CliError {
    fn from(error: tenantry_engine::run::RunError) -> Self {
        use tenantry_engine::run::RunError as E;
        match error {
            E::Console(error) => error.into(),
            E::Store(error) => error.into(),
            error @ E::OtherAccount { .. } => Self::from_error("another-account", &error),
        }
    }
}

impl From<tenantry_consoles::ConnectError> for CliError {
    fn from(error: tenantry_consoles::ConnectError) -> Self {
        Self::from_error("cannot-connect", &error)
    }
}

impl From<tenantry_engine::render::json::BadPlan> for CliError {
    fn from(error: tenantry_engine::render::json::BadPlan) -> Self {
        Self::from_error("bad-plan", &error)
    }
}

/// An input or output failure with its place.
pub fn io(doing: &str, place: &std::path::Path, error: &std::io::Error) -> CliError {
    let mut out = CliError::new("io", format!("cannot {doing} {}", place.display()));
    out.chain.push(error.to_string());
    out
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use tenantry_engine::store::StoreError;

    use super::*;

    #[test]
    fn a_ledger_that_cannot_be_written_says_what_to_do_about_its_place() {
        let said = |kind: ErrorKind| {
            let place = ".tenantry/accounts/a/journal-0000000001.ndjson".to_owned();
            CliError::from(StoreError::Io { doing: "write", place, source: Error::from(kind) }).text()
        };
        let full = "error[state-unreachable]: cannot write .tenantry/accounts/a/journal-0000000001.ndjson\n  \
                    because: no storage space\n  \
                    there is no room for it: make room on that disk, or raise the quota or the largest size of a file\n";
        assert_eq!(said(ErrorKind::StorageFull), full);
        for kind in [ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge] {
            assert!(said(kind).contains("there is no room for it: make room on that disk"), "{}", said(kind));
        }
        for kind in [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem] {
            assert!(
                said(kind).ends_with("  whoever runs this must be able to read and write there\n"),
                "{}",
                said(kind)
            );
        }
        assert_eq!(said(ErrorKind::TimedOut).lines().count(), 2, "nothing else is guessed");
    }
}
