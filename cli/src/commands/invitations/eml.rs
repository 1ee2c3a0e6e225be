//! The mails: one file each, named after the task of sending it.

use std::path::Path;

use tenantry_engine::declare::Declaration;
use tenantry_engine::desired::Desired;
use tenantry_engine::render::Paint;
use tenantry_engine::text::terminal;

use super::{Listed, Unsent, Where};
use crate::diagnostics::counted;
use crate::exit::{CliError, io};
use crate::mail::{Letter, mailbox, render, words};

/// Completes a `Message-ID` where the Console declares no domain of ours. Never a name that exists.
const NO_DOMAIN: &str = "tenantry.invalid";

/// Writes the mails that wait to be sent; what to print. One that cannot be written does not keep the others back.
pub(super) fn write(
    dir: &Path,
    from: Option<&str>,
    listed: &[Listed<'_>],
    declaration: &Declaration<'_>,
    paint: Paint,
) -> Result<String, CliError> {
    if let Some(from) = from {
        mailbox(from).map_err(|error| CliError::usage(format!("--from: {error}")))?;
    }
    let waiting: Vec<(&Listed<'_>, &Unsent<'_>)> = listed
        .iter()
        .filter(|one| matches!(one.stands, Where::ToSend | Where::Overdue))
        .filter_map(|one| one.unsent.as_ref().map(|unsent| (one, unsent)))
        .collect();
    if waiting.is_empty() {
        return Ok("No mail waits to be sent.\n".to_owned());
    }
    std::fs::create_dir_all(dir).map_err(|error| io("create", dir, &error))?;
    let mut out = String::new();
    let mut failed = Vec::new();
    let mut written = 0;
    for (one, unsent) in waiting {
        match mail(from, one, unsent, declaration).and_then(|bytes| put(dir, unsent, &bytes)) {
            Ok((path, fresh)) => {
                written += 1;
                out.push_str(&format!("{}\n", paint.strong(&path)));
                let what =
                    unsent.reminder.map_or_else(|| "invitation".to_owned(), |n| format!("reminder {n}"));
                let mut row = |label: &str, text: &str| paint.labelled(&mut out, 4, label, 10, text);
                row("to", &format!("{}, {what} of {}", terminal(&one.invitation.to), one.address));
                if !fresh {
                    row("left", "it was there with other words and stays; delete it to have it written anew");
                }
                row("once sent", &format!("tenantry tasks done {}", unsent.task));
            }
            Err(error) => failed.push(error),
        }
    }
    if written > 0 {
        out.push_str(&format!(
            "{} in {}. Send from your own mailbox: the words may change, the link may not.\n\
             Once sent, say so (tenantry tasks done …): reminders and days count from then.\n",
            counted(written, "mail"),
            dir.display()
        ));
        if from.is_none() {
            out.push_str("They name no sender: your mail program fills it in, or pass --from.\n");
        }
    }
    let mut failed = failed.into_iter();
    let Some(mut first) = failed.next() else { return Ok(out) };
    first.more.also.extend(failed);
    crate::app::print(&out)?;
    Err(first.hint("the other mails were written all the same"))
}

fn mail(
    from: Option<&str>,
    one: &Listed<'_>,
    unsent: &Unsent<'_>,
    declaration: &Declaration<'_>,
) -> Result<Vec<u8>, CliError> {
    let desired: &Desired<'_> = declaration.consoles.get(one.console.as_str()).ok_or_else(|| {
        CliError::new(
            "not-declared",
            format!("{}: Console {} is not among what was read", one.address, one.console),
        )
        .hint("its words may be declared there: pass the directory that declares it with -f")
    })?;
    let decl = desired.accounts.iter().find(|decl| decl.address == *one.address);
    let own = decl
        .and_then(|decl| decl.invitation.as_ref())
        .and_then(|invitation| invitation.spec.invitation.as_ref())
        .and_then(|invitation| invitation.message.as_deref());
    let invitation = one.invitation;
    let name = decl.and_then(|decl| {
        let customer = decl.customer.open();
        let contacts = customer.contacts.as_deref().unwrap_or_default();
        let contact = contacts.iter().find(|contact| contact.email.as_deref() == Some(&invitation.to))?;
        let names = [contact.first_name.as_deref(), contact.last_name.as_deref()];
        Some(names.into_iter().flatten().collect::<Vec<_>>().join(" "))
    });
    let spec = desired.console.spec;
    let (words, language) =
        words(own, &spec.invitation.messages, &invitation.language, unsent.reminder.is_some());
    let letter = Letter {
        from,
        name: name.as_deref(),
        to: &invitation.to,
        language: &language,
        words: &words,
        link: &invitation.link,
        message_id: unsent.message_id,
        reminds_of: unsent.reminder.map(|_| invitation.message_id.as_str()),
        domain: spec.own_domains.first().map_or(NO_DOMAIN, String::as_str),
        drafted: unsent.drafted,
    };
    render(&letter).map_err(|error| CliError::new("no-mail", format!("{}: {error}", one.address)))
}

/// Path, and whether the file holds what was rendered. One with other words is somebody's work and stays.
fn put(dir: &Path, unsent: &Unsent<'_>, bytes: &[u8]) -> Result<(String, bool), CliError> {
    let name: String = unsent
        .task
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') { c } else { '-' })
        .collect();
    let path = dir.join(format!("{}.eml", name.trim_start_matches('.')));
    let fresh = match std::fs::read(&path) {
        Ok(before) => before == bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            crate::state::write_atomically(&path, bytes)?;
            true
        }
        Err(error) => return Err(io("read", &path, &error)),
    };
    Ok((path.display().to_string(), fresh))
}
