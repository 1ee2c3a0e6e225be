//! A plan as a pull request comment: what a reviewer must look at first, everything else folded, under the size that
//! code hosts allow.

use crate::action::Action;
use crate::plan::findings::{Code, Finding, Severity};
use crate::plan::{Performer, Plan, Step, Waiting, summary};
use crate::render::text::{arrow, counts};
use crate::text::markdown;

/// The most characters of a comment (GitHub refuses 65 536).
pub const LIMIT: usize = 60_000;
/// Room kept for the last lines.
const RESERVE: usize = 600;

/// The comment.
pub fn plans(plans: &[Plan], global: &[Finding]) -> String {
    let mut out = Cut { text: String::new(), left_out: 0 };
    out.always(&format!("**tenantry: {}**\n\n", headline(plans, global)));
    let all: Vec<(&Plan, &Step)> =
        plans.iter().flat_map(|plan| plan.steps.iter().map(move |step| (plan, step))).collect();
    let (risky, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, step)| risky(step));
    let errors: Vec<(Option<&Plan>, &Finding)> = all_findings(plans, global)
        .into_iter()
        .filter(|(_, finding)| finding.severity == Severity::Error)
        .collect();
    if !risky.is_empty() || !errors.is_empty() {
        out.always("### Needs your eyes\n\n");
        for (plan, step) in risky {
            out.piece(&step_lines(plan, step));
        }
        for (plan, finding) in errors {
            out.piece(&finding_line(plan, finding));
        }
        out.always("\n");
    }
    for plan in plans {
        let steps: Vec<&Step> =
            rest.iter().filter(|(other, _)| std::ptr::eq(*other, plan)).map(|(_, step)| *step).collect();
        if steps.is_empty() {
            continue;
        }
        out.always(&format!(
            "<details><summary>{}: {} more</summary>\n\n",
            markdown(plan.console.as_str()),
            steps.len()
        ));
        for step in steps {
            out.piece(&step_lines(plan, step));
        }
        out.always("\n</details>\n\n");
    }
    let waits: Vec<(&Plan, &Waiting)> =
        plans.iter().flat_map(|plan| plan.waiting.iter().map(move |waiting| (plan, waiting))).collect();
    if !waits.is_empty() {
        out.always(&format!("<details><summary>Waiting and tasks: {}</summary>\n\n", waits.len()));
        for (plan, waiting) in waits {
            out.piece(&wait_line(plan, waiting));
        }
        out.always("\n</details>\n\n");
    }
    let told: Vec<_> = all_findings(plans, global)
        .into_iter()
        .filter(|(_, finding)| finding.severity != Severity::Error)
        .collect();
    if !told.is_empty() {
        out.always(&format!("<details><summary>Findings: {}</summary>\n\n", told.len()));
        for (plan, finding) in told {
            out.piece(&finding_line(plan, finding));
        }
        out.always("\n</details>\n\n");
    }
    if out.left_out > 0 {
        out.always(&format!(
            "{} entries did not fit; all of them: `tenantry plan -o json`\n\n",
            out.left_out
        ));
    }
    out.always(&format!("{}\n", markdown(&counts(&summary(plans).beside(global)))));
    out.text
}

struct Cut {
    text: String,
    left_out: usize,
}

impl Cut {
    fn always(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn piece(&mut self, text: &str) {
        if self.text.chars().count() + text.chars().count() > LIMIT - RESERVE {
            self.left_out += 1;
        } else {
            self.text.push_str(text);
        }
    }
}

fn risky(step: &Step) -> bool {
    step.action.ends()
        || matches!(step.action, Action::Invite | Action::Remind)
        || step.held.is_some()
        || step.causes.iter().any(|cause| cause.needs_consent)
}

/// `1 invitation mail, 1 removal held — 2 customers of 142 change`.
fn headline(plans: &[Plan], global: &[Finding]) -> String {
    let steps: Vec<&Step> = plans.iter().flat_map(|plan| &plan.steps).collect();
    let declared: usize = plans.iter().map(|plan| plan.looked.declared).sum();
    let mut touched: Vec<String> =
        steps.iter().map(|step| format!("{}:{}", step.address.namespace, step.address.name)).collect();
    touched.sort();
    touched.dedup();
    let count = |test: &dyn Fn(&Step) -> bool| steps.iter().filter(|step| test(step)).count();
    let rows = [
        (
            count(&|step| matches!(step.action, Action::Invite | Action::Remind) && step.held.is_none()),
            "invitation mail",
        ),
        (count(&|step| step.action.ends() && step.held.is_none()), "removal"),
        (count(&|step| step.action.ends() && step.held.is_some()), "removal held"),
        (count(&|step| !step.action.ends() && step.held.is_some()), "other step held"),
    ];
    let mut parts: Vec<String> = rows
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| match (*n, word.split_once(' ')) {
            (1, _) => format!("1 {word}"),
            (n, Some((first, rest))) if first == "removal" || first == "other" => {
                format!("{n} {} {rest}", plural(first))
            }
            (n, _) => format!("{n} {word}s"),
        })
        .collect();
    if parts.is_empty() {
        parts.push(if steps.is_empty() {
            "no changes".to_owned()
        } else {
            "nothing that sends a mail or ends anything".to_owned()
        });
    }
    match global.iter().filter(|finding| finding.code == Code::NotPlanned).count() {
        0 => {}
        1 => parts.insert(0, "1 console could not be planned".to_owned()),
        n => parts.insert(0, format!("{n} consoles could not be planned")),
    }
    format!("{} — {} of {declared} declarations change", parts.join(", "), touched.len())
}

fn plural(word: &str) -> String {
    if word == "other" { word.to_owned() } else { format!("{word}s") }
}

fn step_lines(plan: &Plan, step: &Step) -> String {
    let words = step.action.words();
    let mut out = format!(
        "- `{}{}` **{}** ({}): {}",
        words.symbol,
        if step.manual() { "!" } else { "" },
        markdown(&step.address.in_console(plan.console.as_str())),
        markdown(plan.console.as_str()),
        markdown(&step.because.words)
    );
    if let Some(held) = &step.held {
        out.push_str(&format!(" — **held**: {}", markdown(&held.words)));
        if !held.allow.is_empty() {
            out.push_str(&format!(" · allow: {}", markdown(&held.allow)));
        }
    }
    out.push('\n');
    for change in &step.changes {
        out.push_str(&format!("  - {}: {}\n", markdown(&change.label), markdown(&arrow(change))));
    }
    for (label, text) in &step.notes {
        out.push_str(&format!("  - {}: {}\n", markdown(label), markdown(text)));
    }
    if let Performer::Person(task) = &step.performer {
        out.push_str(&format!(
            "  - by {}: {} › {}\n",
            task.party.words(),
            markdown(&task.at),
            markdown(&task.steps.join(" › "))
        ));
    }
    for cause in &step.causes {
        let consent = match (cause.needs_consent, cause.consented) {
            (false, _) => String::new(),
            (true, false) => format!(" (needs consent: {})", markdown(&cause.code)),
            (true, true) => format!(" (consented: {})", markdown(&cause.code)),
        };
        out.push_str(&format!("  - causes: {}{consent}\n", markdown(&cause.words)));
    }
    out
}

fn wait_line(plan: &Plan, waiting: &Waiting) -> String {
    format!(
        "- `?{}` **{}** ({}): {}{}\n",
        if waiting.task.is_some() { "!" } else { "" },
        markdown(&waiting.address.in_console(plan.console.as_str())),
        markdown(plan.console.as_str()),
        if waiting.overdue { "**overdue** · " } else { "" },
        markdown(&waiting.words)
    )
}

fn all_findings<'p>(plans: &'p [Plan], global: &'p [Finding]) -> Vec<(Option<&'p Plan>, &'p Finding)> {
    let mut out: Vec<(Option<&Plan>, &Finding)> = global.iter().map(|finding| (None, finding)).collect();
    out.extend(plans.iter().flat_map(|plan| plan.findings.iter().map(move |finding| (Some(plan), finding))));
    out
}

fn finding_line(plan: Option<&Plan>, finding: &Finding) -> String {
    let mut subject = plan.map(|plan| plan.console.to_string()).unwrap_or_default();
    if let Some(address) = &finding.address {
        subject.push_str(&format!(" {address}"));
    }
    let subject = subject.trim();
    let subject = if subject.is_empty() { String::new() } else { format!("{}: ", markdown(subject)) };
    format!("- `{}` {subject}{}\n", finding.code.as_str(), markdown(&finding.words))
}
