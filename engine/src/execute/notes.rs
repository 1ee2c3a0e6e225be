//! Steps that only write the ledger: adopt, forget, open a task, draft a reminder.

use crate::address::Address;
use crate::execute::{Ended, Outcome, Running};
use crate::ledger::{Entry, Invitation, LastApplied, Reminder, Standing};
use crate::plan::{Step, send_task};
use crate::store::StoreError;
use crate::task::{Task, TaskRecord};

impl Running<'_, '_, '_> {
    /// Binds a record. What is observed is stored as declared and shown: what differs from the declaration is caused
    /// by it, in the next plan.
    pub(super) async fn adopt(&mut self, step: &Step, shown: LastApplied) -> Result<Ended, StoreError> {
        let now = self.now();
        let mut entry = self.entry_for(step);
        let mut others: Vec<(Address, Option<Entry>)> = Vec::new();
        if entry.standing != Standing::Declared {
            entry.standing = Standing::Declared;
            entry.since = now;
        }
        let moved = step.inside.moved_from.as_deref();
        if moved.is_none() {
            // Whoever accepts our own invitation is no stranger.
            entry.found = self.ledger.ledger().header.confirmed.is_none() && entry.invitation.is_none();
            // A rename keeps what was applied: nothing about the record has changed.
            entry.last_applied = shown;
        }
        entry.remote_id.clone_from(&step.remote_id);
        entry.ended_elsewhere = None;
        entry.operation = None;
        if let Some(invitation) = &entry.invitation {
            for task in self.send_tasks(step, invitation) {
                entry.tasks.remove(&task);
            }
        }
        if let Some(id) = &step.remote_id {
            let key = (step.address.kind, id.clone());
            for other in self.released.remove(&key).unwrap_or_default() {
                if other == step.address || moved == Some(&other) {
                    continue;
                }
                if let Some(mut entry) = self.entry(&other).cloned() {
                    entry.remote_id = None;
                    entry.standing = Standing::Ended;
                    entry.since = now;
                    others.push((other, Some(entry)));
                }
            }
        }
        if let Some(old) = moved.filter(|old| **old != step.address) {
            others.push((old.clone(), None));
        }
        // The new binding before the old ones go: a write that breaks off in the middle loses none.
        let mut entries = vec![(step.address.clone(), Some(entry))];
        entries.append(&mut others);
        let words = step.remote_id.as_ref().map(|id| crate::text::terminal(id.as_str())).unwrap_or_default();
        self.stage(None, entries, "adopted", &step.address, words).await?;
        Ok(Ended::from(Outcome::Done))
    }

    /// Stops keeping: released, and its tasks closed. Binding and invitation are remembered.
    pub(super) async fn forget(&mut self, step: &Step) -> Result<Ended, StoreError> {
        let mut entry = self.entry_for(step);
        entry.standing = Standing::Released;
        entry.since = self.now();
        entry.tasks.clear();
        if let Some(id) = &entry.remote_id {
            self.released.entry((step.address.kind, id.clone())).or_default().push(step.address.clone());
        }
        let entries = vec![(step.address.clone(), Some(entry))];
        self.stage(None, entries, "forgotten", &step.address, String::new()).await?;
        Ok(Ended::from(Outcome::Done))
    }

    /// Opens a person's task.
    pub(super) async fn open_task(&mut self, step: &Step, task: &Task) -> Result<Ended, StoreError> {
        let now = self.now();
        let header = self.reserved(step, now);
        let mut entry = self.entry_for(step);
        entry.tasks.entry(task.id.clone()).or_insert_with(|| TaskRecord::opened(now, task.clone()));
        // The task's title names the customer in the vendor's words: it belongs into the entry, not into the log.
        let words = format!("{}: {}", task.id, step.action.name());
        let entries = vec![(step.address.clone(), Some(entry))];
        self.stage(header, entries, "task-opened", &step.address, words).await?;
        Ok(Ended::from(Outcome::Waits { task: task.id.clone() }))
    }

    /// Drafts a reminder of an invitation that was sent.
    pub(super) async fn remind(&mut self, step: &Step) -> Result<Ended, StoreError> {
        let now = self.now();
        let invited = self.entry(&step.address).cloned().and_then(|mut entry| {
            let invitation = entry.invitation.take()?;
            Some((entry, invitation))
        });
        let Some((mut entry, mut invitation)) = invited else {
            return Ok(Ended::from(Outcome::Skipped { because: "there is no invitation any more".into() }));
        };
        let header = self.reserved(step, now);
        let reminder = Reminder { drafted: now, message_id: self.message_id(), sent: None };
        let task = self.mail_task(step, &reminder.message_id, &invitation.to);
        invitation.reminders.push(reminder);
        let words = format!("reminder {} to be sent: {}", invitation.reminders.len(), task.id);
        entry.invitation = Some(invitation);
        entry.tasks.insert(task.id.clone(), TaskRecord::opened(now, task.clone()));
        let entries = vec![(step.address.clone(), Some(entry))];
        self.commit(header, entries, "reminded", &step.address, words).await?;
        Ok(Ended { outcome: Outcome::Done, remote_id: None, words: vec![mail_words(&task.id)] })
    }

    /// The local part of a `Message-ID`, without its domain: the mail's renderer adds the sender's.
    pub(super) fn message_id(&self) -> String {
        self.job.runtime.ids.uuid()
    }

    /// The task of sending a mail.
    pub(super) fn mail_task(&self, step: &Step, message_id: &str, to: &str) -> Task {
        let title = self.job.console.dialect().title();
        send_task(self.job.name.as_str(), title, &step.address.name, message_id, to)
    }

    fn send_tasks(&self, step: &Step, invitation: &Invitation) -> Vec<String> {
        std::iter::once(&invitation.message_id)
            .chain(invitation.reminders.iter().map(|reminder| &reminder.message_id))
            .map(|message_id| self.mail_task(step, message_id, &invitation.to).id)
            .collect()
    }
}

/// What comes after a draft.
pub(super) fn mail_words(task: &str) -> String {
    format!("a mail for you to send: tenantry invitations --eml outbox/ · then tenantry tasks done {task}")
}
