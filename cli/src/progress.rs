//! Progress on stderr within a second: lines, or one line that is rewritten on a terminal.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tenantry_engine::runtime::{Event, Progress};

use crate::app::LogFormat;

/// How often a rewritten line is rewritten, and a counted one repeated.
const EVERY: Duration = Duration::from_millis(200);
/// How often lines are repeated where nothing can be rewritten.
const EVERY_LINE: Duration = Duration::from_secs(5);
/// After so long without a word somebody wants to know what is waited for.
const QUIET: Duration = Duration::from_millis(700);

/// Tells progress on stderr.
pub struct Stderr {
    format: LogFormat,
    terminal: bool,
    last: Mutex<Option<Instant>>,
    told: Mutex<Instant>,
}

/// Says what is waited for, until it is dropped.
pub struct Waiting(tokio::task::JoinHandle<()>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Stderr {
    /// In this format.
    pub fn new(format: LogFormat) -> Self {
        Self {
            format,
            terminal: std::io::stderr().is_terminal(),
            last: Mutex::new(None),
            told: Mutex::new(Instant::now()),
        }
    }

    /// Says within a second what is waited for, and again now and then, as long as nothing else is said.
    pub fn waits_for(self: &Arc<Self>, what: String) -> Waiting {
        let progress = Arc::clone(self);
        *progress.told() = Instant::now();
        Waiting(tokio::spawn(async move {
            let mut quiet = QUIET;
            loop {
                tokio::time::sleep(quiet).await;
                let silent = progress.told().elapsed();
                if silent >= quiet {
                    let json = serde_json::json!({"event": "waiting", "for": what});
                    progress.line(&json, &format!("{what}: no answer yet …"));
                    quiet = EVERY_LINE;
                }
            }
        }))
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Counted progress: shown at once the first time, then not too often.
    fn counted(&self, json: &serde_json::Value, text: &str) {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let every = if self.terminal { EVERY } else { EVERY_LINE };
        if last.is_some_and(|last| last.elapsed() < every) {
            return;
        }
        *last = Some(Instant::now());
        *self.told() = Instant::now();
        let mut err = std::io::stderr().lock();
        let _ = match (self.format, self.terminal) {
            (LogFormat::Json, _) => writeln!(err, "{json}"),
            (LogFormat::Text, true) => write!(err, "\r\u{1b}[2K{text}"),
            (LogFormat::Text, false) => writeln!(err, "{text}"),
        };
        let _ = err.flush();
    }

    /// A line that stays.
    pub fn line(&self, json: &serde_json::Value, text: &str) {
        *self.told() = Instant::now();
        let mut err = std::io::stderr().lock();
        let _ = match (self.format, self.terminal) {
            (LogFormat::Json, _) => writeln!(err, "{json}"),
            (LogFormat::Text, true) => writeln!(err, "\r\u{1b}[2K{text}"),
            (LogFormat::Text, false) => writeln!(err, "{text}"),
        };
    }
}

impl Progress for Stderr {
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::Census { console, records, pages, of } => {
                let of = of.map_or_else(String::new, |of| format!(" of {of}"));
                self.counted(
                    &serde_json::json!({"event": "census", "console": console, "records": records, "pages": pages}),
                    &format!("{console}: {}, page {pages}{of} …", crate::diagnostics::counted(records, "customer")),
                );
            }
            Event::Details { console, done, of } => self.counted(
                &serde_json::json!({"event": "details", "console": console, "done": done, "of": of}),
                &format!("{console}: {done} of {of} details …"),
            ),
            Event::Throttled { console, seconds } => self.line(
                &serde_json::json!({"event": "throttled", "console": console, "seconds": seconds}),
                &format!("{console}: asked to slow down; waiting {seconds} s"),
            ),
            Event::StepBegins { console, address, done, of } => self.counted(
                &serde_json::json!({"event": "step", "console": console, "address": address, "done": done, "of": of}),
                &format!("{console}: {address} ({} of {of}) …", done + 1),
            ),
            Event::StepEnded { .. } => {}
        }
    }
}
