//! What an apply did, for a terminal.

use crate::execute::{Outcome, Report, StepReport};
use crate::render::Paint;

/// One line of the report, wrapped under itself.
pub fn line(step: &StepReport, paint: Paint) -> String {
    let words = step.action.words();
    let manual = matches!(step.outcome, Outcome::Waits { .. });
    let mark = format!("{}{}", words.symbol, if manual { '!' } else { ' ' });
    let text = match &step.outcome {
        Outcome::Done => {
            let mut text = words.done.to_owned();
            if let Some(id) = &step.remote_id {
                text.push_str(&format!(" · {}", crate::text::terminal(id.as_str())));
            }
            text
        }
        Outcome::Waits { task } => format!("waits for somebody: task {task}"),
        Outcome::Failed { refusal } => {
            format!("FAILED  {}: {}", refusal.code, crate::console::refusal_words(refusal))
        }
        Outcome::InDoubt { because, operation } => {
            format!("IN DOUBT  {because}; the next run looks for it ({operation})")
        }
        Outcome::Held { because } => format!("HELD  {because}"),
        Outcome::Skipped { because } => format!("skipped: {because}"),
        Outcome::NotBegun => "not begun".to_owned(),
    };
    let text = std::iter::once(text).chain(step.words.iter().cloned()).collect::<Vec<_>>().join(" · ");
    let head = format!("{mark}{}", step.address.in_console(step.console.as_str()));
    let mut out = String::new();
    paint.labelled(&mut out, 2, &head, 32, &text);
    out.replacen(&mark, &paint.tone(words.tone, &mark), 1)
}

/// How many steps came out how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Done.
    pub done: usize,
    /// Waiting for a person.
    pub waits: usize,
    /// Held.
    pub held: usize,
    /// Refused by a vendor.
    pub failed: usize,
    /// In doubt.
    pub in_doubt: usize,
    /// Skipped because of another step.
    pub skipped: usize,
    /// Not begun.
    pub not_begun: usize,
    /// Requests sent.
    pub requests: u32,
}

/// Counts over all reports of a run.
pub fn counts<'r>(reports: impl IntoIterator<Item = &'r Report>) -> Counts {
    let mut out = Counts::default();
    for report in reports {
        out.requests += report.requests;
        for step in &report.steps {
            *match step.outcome {
                Outcome::Done => &mut out.done,
                Outcome::Waits { .. } => &mut out.waits,
                Outcome::Failed { .. } => &mut out.failed,
                Outcome::InDoubt { .. } => &mut out.in_doubt,
                Outcome::Held { .. } => &mut out.held,
                Outcome::Skipped { .. } => &mut out.skipped,
                Outcome::NotBegun => &mut out.not_begun,
            } += 1;
        }
    }
    out
}

/// The last line: `Applied 3, waiting 2, held 1, failed 0; 9 requests. What happened: tenantry log`.
pub fn last_line(counts: &Counts, interrupted: bool) -> String {
    let mut parts = vec![
        format!("Applied {}", counts.done),
        format!("waiting {}", counts.waits),
        format!("held {}", counts.held),
        format!("failed {}", counts.failed),
    ];
    for (count, word) in
        [(counts.in_doubt, "in doubt"), (counts.skipped, "skipped"), (counts.not_begun, "not begun")]
    {
        if count > 0 {
            parts.push(format!("{word} {count}"));
        }
    }
    let requests = if counts.requests == 1 { "request" } else { "requests" };
    if interrupted {
        format!(
            "Interrupted. {}; {} {requests}. Run the same command again: nothing is done twice.",
            parts.join(", "),
            counts.requests
        )
    } else {
        format!("{}; {} {requests}. What happened: tenantry log", parts.join(", "), counts.requests)
    }
}
