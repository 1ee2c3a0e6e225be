//! A plan for a terminal.

use std::borrow::Borrow;

use crate::action::Action;
use crate::console::refusal_words;
use crate::plan::findings::{Finding, Severity};
use crate::plan::{Change, Performer, Plan, Step, Summary, Waiting, summary};
use crate::render::Paint;
use crate::value::Value;

/// Column of a step's reason, when the head leaves room.
const REASON: usize = 34;
/// Width of the label column of details.
const LABEL: usize = 16;
/// Indent of details.
const INDENT: usize = 6;
/// Width of the code column of findings.
const CODE: usize = 20;

/// All plans of a run, their findings and the summary.
pub fn plans<P: Borrow<Plan>>(plans: &[P], global: &[Finding], paint: Paint) -> String {
    let mut out = String::new();
    for plan in
        plans.iter().map(Borrow::borrow).filter(|plan| !plan.steps.is_empty() || !plan.waiting.is_empty())
    {
        out.push_str(&paint.strong(plan.console.as_str()));
        out.push('\n');
        for step in &plan.steps {
            one_step(&mut out, plan, step, paint);
        }
        for waiting in &plan.waiting {
            one_wait(&mut out, plan, waiting, paint);
        }
        out.push('\n');
    }
    findings(&mut out, plans, global, paint);
    out.push_str(&paint.strong(&counts(&summary(plans.iter().map(Borrow::borrow)).beside(global))));
    out.push('\n');
    out
}

/// What to do with a plan that was only shown.
pub fn next_commands(plans: &[Plan]) -> &'static str {
    if summary(plans).changes() { "Save it: --out plan.json   Do it: tenantry apply\n" } else { "" }
}

/// The counts alone: `Plan: 2 to create, …`, or `No changes …`.
pub fn counts(summary: &Summary) -> String {
    let waits = format!(
        "{} waiting ({} overdue), {} {}",
        summary.waiting,
        summary.overdue,
        summary.tasks,
        if summary.tasks == 1 { "task" } else { "tasks" }
    );
    let consoles = if summary.not_planned == 1 { "console" } else { "consoles" };
    if !summary.changes() {
        return if summary.not_planned > 0 && summary.waiting > 0 {
            format!(
                "No changes where a console was read, but what waits: {waits}; {} {consoles} not planned.",
                summary.not_planned
            )
        } else if summary.not_planned > 0 {
            format!(
                "No changes where a console was read; {} {consoles} not planned: nothing is known of what {}.",
                summary.not_planned,
                if summary.not_planned == 1 { "it holds" } else { "they hold" }
            )
        } else if summary.waiting > 0 {
            format!("No changes but what waits: {waits}.")
        } else if summary.errors > 0 {
            format!("No changes; {} of the findings above stand in the way.", summary.errors)
        } else if summary.apart > 0 {
            let say = if summary.apart == 1 { "says" } else { "say" };
            format!("No changes; {} of the findings above {say} where a console differs.", summary.apart)
        } else if summary.not_compared > 0 {
            let were = if summary.not_compared == 1 { "declaration was" } else { "declarations were" };
            format!(
                "No changes: what the consoles show is what is declared; {} {were} not compared in full.",
                summary.not_compared
            )
        } else {
            "No changes: the consoles hold what is declared.".to_owned()
        };
    }
    let always = [Action::Create, Action::Invite, Action::Update, Action::Remove];
    let others = [
        Action::Adopt,
        Action::Remind,
        Action::Convert,
        Action::Schedule,
        Action::Extend,
        Action::Replace,
        Action::Move,
        Action::Suspend,
        Action::Resume,
        Action::Approve,
        Action::Detach,
        Action::Revoke,
        Action::Forget,
    ];
    let count = |action: &Action| summary.actions.get(action).copied().unwrap_or(0);
    let mut parts: Vec<String> =
        always.iter().map(|action| format!("{} to {}", count(action), action.words().infinitive)).collect();
    parts.extend(
        others
            .iter()
            .filter(|action| count(action) > 0)
            .map(|action| format!("{} to {}", count(action), action.words().infinitive)),
    );
    let mut line = format!("Plan: {}; {waits}", parts.join(", "));
    if summary.held > 0 {
        line.push_str(&format!(", {} held", summary.held));
    }
    if summary.not_planned > 0 {
        line.push_str(&format!("; {} {consoles} not planned", summary.not_planned));
    }
    line.push('.');
    line
}

fn one_step(out: &mut String, plan: &Plan, step: &Step, paint: Paint) {
    let words = step.action.words();
    let mark = format!("{}{}", words.symbol, if step.manual() { '!' } else { ' ' });
    let head = step.address.in_console(plan.console.as_str());
    let reason = match &step.held {
        Some(held) => format!("HELD  {}", held.words),
        None => step.because.words.clone(),
    };
    head_line(out, &mark, &head, &reason, paint, |text| paint.tone(words.tone, text), step.held.is_some());
    if step.held.is_some() {
        paint.labelled(out, INDENT, "because", LABEL, &step.because.words);
    }
    changes(out, step.action, &step.changes, paint);
    for (label, text) in &step.notes {
        paint.labelled(out, INDENT, label, LABEL, text);
    }
    if let Performer::Person(task) = &step.performer {
        paint.labelled(out, INDENT, "by", LABEL, &format!("{} · {}", task.party.words(), task.at));
        for line in &task.steps {
            paint.labelled(out, INDENT, "", LABEL, line);
        }
        // A step's own causes say what its task says to whoever reads the task alone.
        for consequence in task.consequences.iter().filter(|_| step.causes.is_empty()) {
            paint.labelled(out, INDENT, "causes", LABEL, consequence);
        }
    }
    for cause in &step.causes {
        let label = match (cause.needs_consent, cause.consented) {
            (false, _) => "causes",
            (true, false) => "consent",
            (true, true) => "consented",
        };
        let text = if cause.needs_consent {
            format!("{}: {}", cause.code, cause.words)
        } else {
            cause.words.clone()
        };
        paint.labelled(out, INDENT, label, LABEL, &text);
    }
    if let Some(held) = &step.held
        && !held.allow.is_empty()
    {
        paint.labelled(out, INDENT, "allow", LABEL, &held.allow);
        if held.by.approvable() {
            paint.labelled(
                out,
                INDENT,
                "or this one",
                LABEL,
                &format!("tenantry apply --approve {}", step.fingerprint),
            );
        }
    }
}

fn head_line(
    out: &mut String,
    mark: &str,
    head: &str,
    reason: &str,
    paint: Paint,
    colour: impl Fn(&str) -> String,
    held: bool,
) {
    let used = 2 + mark.chars().count() + head.chars().count();
    out.push_str("  ");
    out.push_str(&colour(mark));
    out.push_str(head);
    let mut indent = REASON;
    if used + 2 > REASON {
        out.push('\n');
        indent = INDENT;
        out.push_str(&" ".repeat(INDENT));
    } else {
        out.push_str(&" ".repeat(REASON - used));
    }
    for (n, piece) in paint.wrap(reason, indent).into_iter().enumerate() {
        if n > 0 {
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(&if held && n == 0 { piece.replacen("HELD", &paint.alarm("HELD"), 1) } else { piece });
        out.push('\n');
    }
}

fn one_wait(out: &mut String, plan: &Plan, waiting: &Waiting, paint: Paint) {
    let mark = format!("?{}", if waiting.task.is_some() { '!' } else { ' ' });
    let head = waiting.address.in_console(plan.console.as_str());
    let words = if waiting.overdue { format!("OVERDUE  {}", waiting.words) } else { waiting.words.clone() };
    head_line(out, &mark, &head, &words, paint, |text| paint.note(text), false);
    for (label, text) in &waiting.notes {
        paint.labelled(out, INDENT, label, LABEL, text);
    }
}

/// Fields with one head stand on one line, so that a contact is one line and not nine.
fn changes(out: &mut String, action: Action, changes: &[Change], paint: Paint) {
    let mut n = 0;
    while n < changes.len() {
        let change = &changes[n];
        if let (Some(old), Some(new)) = (&change.old, &change.new)
            && let (Some(old), Some(new)) = (old.as_text(), new.as_text())
            && (old.contains('\n') || new.contains('\n'))
        {
            lines(out, &change.label, old, new, paint);
            n += 1;
            continue;
        }
        let group: Vec<&Change> =
            changes[n..].iter().take_while(|next| next.field.head() == change.field.head()).collect();
        n += group.len();
        if group.len() > 1 && action == Action::Create {
            let text: Vec<String> =
                group.iter().filter_map(|change| change.new.as_ref()).map(Value::terminal).collect();
            paint.labelled(out, INDENT, change.field.head(), LABEL, &text.join(" · "));
            continue;
        }
        for change in group {
            paint.labelled(out, INDENT, &change.label, LABEL, &arrow(change));
        }
    }
}

/// `old → new`.
pub(crate) fn arrow(change: &Change) -> String {
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => format!("{} → {}", old.terminal(), new.terminal()),
        (None, Some(new)) => new.terminal(),
        (Some(old), None) => format!("{} → none", old.terminal()),
        (None, None) => "changes".to_owned(),
    }
}

fn lines(out: &mut String, label: &str, old: &str, new: &str, paint: Paint) {
    out.push_str(&format!("{}{label}\n", " ".repeat(INDENT)));
    for change in similar::TextDiff::from_lines(old, new).iter_all_changes() {
        let sign = match change.tag() {
            similar::ChangeTag::Delete => "-",
            similar::ChangeTag::Insert => "+",
            similar::ChangeTag::Equal => " ",
        };
        let line = crate::text::terminal(change.value().trim_end_matches('\n'));
        out.push_str(&format!(
            "{}{}\n",
            " ".repeat(INDENT + 2),
            match sign {
                "-" => paint.alarm(&format!("- {line}")),
                "+" => paint.tone(crate::action::Tone::Adds, &format!("+ {line}")),
                _ => format!("  {line}"),
            }
        ));
    }
}

fn findings<P: Borrow<Plan>>(out: &mut String, plans: &[P], global: &[Finding], paint: Paint) {
    let mut all: Vec<(Option<&str>, &Finding)> = global.iter().map(|finding| (None, finding)).collect();
    all.extend(
        plans.iter().map(Borrow::borrow).flat_map(|plan: &Plan| {
            plan.findings.iter().map(|finding| (Some(plan.console.as_str()), finding))
        }),
    );
    if all.is_empty() {
        return;
    }
    all.sort_by_key(|(_, finding)| finding.severity);
    out.push_str(&paint.strong("Findings"));
    out.push('\n');
    for (console, finding) in all {
        let mut subject = String::new();
        if let Some(console) = console {
            subject.push_str(console);
            if let Some(address) = &finding.address {
                subject.push(' ');
                subject.push_str(&address.in_console(console));
            }
            subject.push_str(": ");
        } else if let Some(address) = &finding.address {
            subject.push_str(&format!("{address}: "));
        }
        let code = finding.code.as_str();
        let mut block = String::new();
        paint.labelled(&mut block, 2, code, CODE, &format!("{subject}{}", finding.words));
        let coloured = match finding.severity {
            Severity::Error => paint.alarm(code),
            Severity::Warning => paint.warn(code),
            Severity::Info => paint.note(code),
        };
        out.push_str(&block.replacen(code, &coloured, 1));
        for next in &finding.next {
            paint.labelled(out, 2, "", CODE, next);
        }
    }
    out.push('\n');
}

/// A vendor's refusal on its own lines, for reports.
pub fn refusal(out: &mut String, refusal: &crate::observed::Refusal, indent: usize, paint: Paint) {
    paint.labelled(out, indent, "", 0, &refusal_words(refusal));
}
