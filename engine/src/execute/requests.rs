//! Steps that the console performs: request by request, each journalled before and after.
//!
//! `intent` (with the guard's allowance, in one write) → `sent` → the request → `acked | ambiguous`, or cleared where
//! the vendor said no → `settled`. A request goes again only after an answer that is documented to mean "not
//! processed", with a new `sent` before it; everything else is left to the next run's observation.

use jiff::{SignedDuration, Timestamp};

use crate::action::Action;
use crate::address::Kind;
use crate::console::Sent;
use crate::execute::notes::mail_words;
use crate::execute::{Ended, Outcome, Running};
use crate::ledger::{Applied, Entry, Invitation, Standing};
use crate::observed::Refusal;
use crate::operation::{Ack, Draft, Next, Operation, Phase, Request};
use crate::plan::{Step, applied_by};
use crate::runtime::OneTimeSecret;
use crate::store::StoreError;
use crate::task::TaskRecord;
use crate::text::{Untrusted, terminal};

/// How often one request is put off by "too many requests" before its step fails; nothing happened then.
const THROTTLED_AT_MOST: u32 = 6;
/// How long one request waits for that in all.
const THROTTLED_FOR: SignedDuration = SignedDuration::from_mins(15);
/// The wait where the vendor names none: doubled each time.
const THROTTLED_FIRST: SignedDuration = SignedDuration::from_secs(2);
/// A `sent` older than this when the request is about to leave is written again: proofs of absence count from it.
const FRESH: SignedDuration = SignedDuration::from_secs(5);
/// More requests than any step takes: a step that wants more is stopped.
const REQUESTS_AT_MOST: usize = 32;

/// How one request ended.
enum Answer {
    Acked(Ack, Vec<OneTimeSecret>, Timestamp),
    Over(Ended),
}

impl Running<'_, '_, '_> {
    /// All requests of a step, and what they make of its entry.
    pub(super) async fn perform(&mut self, step: &Step) -> Result<Ended, StoreError> {
        let dialect = self.job.console.dialect();
        let mut acks: Vec<Ack> = Vec::new();
        let mut words: Vec<String> = Vec::new();
        let mut next = dialect.next(step, &acks);
        while let Next::Operation(draft) = next {
            if acks.len() >= REQUESTS_AT_MOST {
                return Ok(Ended::from(Outcome::Failed { refusal: Box::new(endless(&draft)) }));
            }
            // Between two requests of a step nothing is left half done by stopping: the next plan goes on.
            if !acks.is_empty() && self.job.runtime.stop.asked() {
                return Ok(Ended::from(Outcome::NotBegun));
            }
            if !draft.unsafe_request {
                match self.read(step, &draft, &acks).await {
                    Ok(ack) => acks.push(ack),
                    Err(ended) => return Ok(ended),
                }
                next = dialect.next(step, &acks);
                continue;
            }
            let (ack, secrets, at) = match self.request(step, &draft, &acks).await? {
                Answer::Acked(ack, secrets, at) => (ack, secrets, at),
                Answer::Over(ended) => return Ok(ended),
            };
            acks.push(ack);
            next = dialect.next(step, &acks);
            let more = matches!(next, Next::Operation(_));
            self.acked(step, &acks, at, more).await?;
            for secret in secrets {
                words.push(self.seal(step, secret).await);
            }
            if !more {
                self.settled(step, &acks, at).await?;
            } else if step.action == Action::Create && self.subject(step, &acks).is_none() {
                // The following requests would have no record to be about.
                break;
            }
        }
        if step.action == Action::Invite {
            words.extend(self.drafted(step, &acks).await?);
        } else if acks.is_empty() {
            // The adapter finds nothing to ask for: what was declared counts as applied.
            self.settled_without_request(step).await?;
        }
        let entry = self.entry(&step.address);
        let remote_id = entry.and_then(|entry| entry.remote_id.clone());
        if let Some(operation) = entry.and_then(|entry| entry.operation.as_ref()) {
            let because = "the vendor says that it is done, without saying as what; it is looked for".into();
            let outcome = Outcome::InDoubt { because, operation: operation.id.clone() };
            return Ok(Ended { outcome, remote_id, words });
        }
        Ok(Ended { outcome: Outcome::Done, remote_id, words })
    }

    /// A read within a step: repeated freely, never journalled.
    async fn read(&mut self, step: &Step, draft: &Draft, acks: &[Ack]) -> Result<Ack, Ended> {
        let id = self.job.runtime.ids.uuid();
        let mut puts_off = PutOff::new();
        loop {
            self.requests += 1;
            let remote_id = self.subject(step, acks);
            let account = self.account(step);
            let request = Request {
                id: &id,
                request_id: &id,
                draft,
                remote_id: remote_id.as_ref(),
                account: account.as_ref(),
            };
            match self.job.console.send(&request).await {
                Sent::Acked(ack, _) => return Ok(ack),
                Sent::Rejected(refusal) | Sent::NotSent(refusal) => return Err(failed(refusal)),
                Sent::Ambiguous(because) => return Err(failed(no_answer(draft, &because))),
                Sent::Throttled(wait, refusal) => {
                    if !self.put_off(&mut puts_off, wait).await {
                        return Err(failed(refusal));
                    }
                }
            }
        }
    }

    /// One unsafe request.
    async fn request(&mut self, step: &Step, draft: &Draft, acks: &[Ack]) -> Result<Answer, StoreError> {
        let operation = self.intend(step, draft).await?;
        let mut puts_off = PutOff::new();
        loop {
            let mut at = self.sent(step, &operation).await?;
            if self.now().duration_since(at) > FRESH {
                at = self.sent(step, &operation).await?;
            }
            self.requests += 1;
            let remote_id = self.subject(step, acks);
            let account = self.account(step);
            let request = Request {
                id: &operation.id,
                request_id: &operation.request_id,
                draft,
                remote_id: remote_id.as_ref(),
                account: account.as_ref(),
            };
            match self.job.console.send(&request).await {
                Sent::Acked(ack, secrets) => return Ok(Answer::Acked(ack, secrets, self.now())),
                Sent::Rejected(refusal) => return self.refused(step, "rejected", refusal).await,
                Sent::NotSent(refusal) => return self.refused(step, "not-sent", refusal).await,
                Sent::Throttled(wait, refusal) => {
                    if !self.put_off(&mut puts_off, wait).await {
                        return self.refused(step, "throttled", refusal).await;
                    }
                }
                Sent::Ambiguous(because) => {
                    let because = terminal(&because);
                    let mut entry = self.entry_for(step);
                    if let Some(operation) = &mut entry.operation {
                        operation.phase = Phase::Ambiguous { at, because: because.clone() };
                    }
                    let words = format!("{}: {because}", operation.id);
                    let entries = vec![(step.address.clone(), Some(entry))];
                    self.commit(None, entries, "ambiguous", &step.address, words).await?;
                    let outcome = Outcome::InDoubt { because, operation: operation.id.clone() };
                    return Ok(Answer::Over(Ended::from(outcome)));
                }
            }
        }
    }

    /// Makes the intent durable, with what it uses up.
    async fn intend(&mut self, step: &Step, draft: &Draft) -> Result<Operation, StoreError> {
        let now = self.now();
        let content = self.digester.text(&format!("{} {}", draft.name, draft.body));
        let mut entry = self.entry_for(step);
        let request_id = entry
            .operation
            .as_ref()
            .filter(|earlier| {
                matches!(earlier.phase, Phase::NotHappened { .. })
                    && earlier.name == draft.name
                    && earlier.content == content
            })
            .map_or_else(|| self.job.runtime.ids.uuid(), |earlier| earlier.request_id.clone());
        let operation = Operation {
            id: self.job.runtime.ids.uuid(),
            row: step.row,
            request_id,
            name: draft.name.to_owned(),
            action: step.action,
            step: step.fingerprint.clone(),
            class: draft.class,
            content,
            intended: now,
            phase: Phase::Intent,
            declared: step
                .changes
                .iter()
                .filter_map(|change| Some((change.field.clone(), self.digester.value(change.new.as_ref()?))))
                .collect(),
            expect: step.inside.keys.iter().map(|key| (key.kind, self.digester.text(&key.value))).collect(),
            lookalikes: step.inside.lookalikes.clone(),
            looked: None,
            more: false,
        };
        let header = self.reserved(step, now);
        entry.operation = Some(Box::new(operation.clone()));
        if entry.standing == Standing::Released {
            entry.standing = Standing::Declared;
            entry.since = now;
        }
        if step.action == Action::Invite && entry.invitation.is_none() {
            // Where the vendor itself mails, the invitation is a fact before its request leaves.
            entry.invitation = Some(Box::new(self.invitation(step, now, String::new())));
        }
        let words = format!("{}: {} {}", operation.id, step.action.name(), operation.name);
        let entries = vec![(step.address.clone(), Some(entry))];
        self.commit(header, entries, "intent", &step.address, words).await?;
        Ok(operation)
    }

    /// Makes durable that the request leaves now.
    async fn sent(&mut self, step: &Step, operation: &Operation) -> Result<Timestamp, StoreError> {
        let at = self.now();
        let mut entry = self.entry_for(step);
        if let Some(operation) = &mut entry.operation {
            operation.phase = Phase::Sent { at };
        }
        let entries = vec![(step.address.clone(), Some(entry))];
        self.commit(None, entries, "sent", &step.address, operation.id.clone()).await?;
        Ok(at)
    }

    /// Makes the yes durable. Where more requests follow, the record that was made is bound at once, and nothing is
    /// claimed to be applied yet.
    async fn acked(
        &mut self,
        step: &Step,
        acks: &[Ack],
        at: Timestamp,
        more: bool,
    ) -> Result<(), StoreError> {
        let mut entry = self.entry_for(step);
        let mut words = String::new();
        if let Some(operation) = &mut entry.operation {
            operation.phase = Phase::Acked { at, acks: acks.to_vec() };
            operation.more = more;
            words.clone_from(&operation.id);
        }
        if more {
            entry.wrote = Some(at);
            if entry.remote_id.is_none() {
                entry.remote_id = acks.iter().rev().find_map(|ack| ack.remote_id.clone());
            }
        }
        let entries = vec![(step.address.clone(), Some(entry))];
        self.commit(None, entries, "acked", &step.address, words).await
    }

    /// The step is done.
    async fn settled(&mut self, step: &Step, acks: &[Ack], at: Timestamp) -> Result<(), StoreError> {
        let mut entry = self.entry_for(step);
        let Some(operation) = entry.operation.clone() else { return Ok(()) };
        let id = acks.iter().rev().find_map(|ack| ack.remote_id.clone());
        if step.action == Action::Create && id.is_none() && entry.remote_id.is_none() {
            // Done, says the vendor, without saying as what: the next run looks for it.
            return Ok(());
        }
        let id = id.filter(|_| entry.remote_id.is_none() || step.action == Action::Create);
        applied_by(&mut entry, &operation, at, id);
        self.shown(&mut entry, step, acks);
        let entries = vec![(step.address.clone(), Some(entry))];
        self.commit(None, entries, "settled", &step.address, format!("{}: done", operation.id)).await
    }

    /// What the vendor's answers say the fields now are need not be looked at again.
    fn shown(&self, entry: &mut Entry, step: &Step, acks: &[Ack]) {
        let dialect = self.job.console.dialect();
        for change in &step.changes {
            let Some(wanted) = &change.new else { continue };
            let shown = acks
                .iter()
                .rev()
                .flat_map(|ack| &ack.shown)
                .find(|(field, _)| *field == change.field)
                .map(|(_, value)| value);
            if let (Some(shown), Some(applied)) = (shown, entry.last_applied.get(&change.field)) {
                let shown = (!dialect.same(&change.field, wanted, shown)).then(|| self.digester.value(shown));
                entry
                    .last_applied
                    .insert(change.field.clone(), Applied { shown, unsettled: false, ..applied });
            }
        }
    }

    async fn settled_without_request(&mut self, step: &Step) -> Result<(), StoreError> {
        let mut entry = self.entry_for(step);
        for change in &step.changes {
            let Some(new) = &change.new else { continue };
            let declared = self.digester.value(new);
            entry
                .last_applied
                .insert(change.field.clone(), Applied { declared, shown: None, unsettled: true });
        }
        let entries = vec![(step.address.clone(), Some(entry))];
        self.commit(None, entries, "settled", &step.address, "nothing to ask for".into()).await
    }

    /// The vendor said no, or never heard it: nothing happened, and what was reserved for it is free again where it
    /// was an approval. The guard's allowance stays used: it fails closed.
    async fn refused(&mut self, step: &Step, what: &str, refusal: Refusal) -> Result<Answer, StoreError> {
        let now = self.now();
        let mut header = self.ledger.ledger().header.clone();
        let mut changed = header.used_approvals.remove(&step.fingerprint);
        if refusal.code == POSITION_REFUSED {
            header.refused_rows.insert(step.row, now);
            changed = true;
        }
        let mut entry = self.entry_for(step);
        entry.operation = None;
        if step.action == Action::Invite {
            entry.invitation = None;
        }
        let words = crate::console::refusal_words(&refusal);
        let entries = vec![(step.address.clone(), Some(entry))];
        self.commit(changed.then_some(header), entries, what, &step.address, words).await?;
        Ok(Answer::Over(failed(refusal)))
    }

    /// An invitation whose link was read: durable before anybody can render its mail.
    async fn drafted(&mut self, step: &Step, acks: &[Ack]) -> Result<Vec<String>, StoreError> {
        let now = self.now();
        let link = acks.iter().rev().find_map(|ack| ack.link.clone());
        let header = self.reserved(step, now);
        let mut entry = self.entry_for(step);
        let mut invitation =
            entry.invitation.take().unwrap_or_else(|| Box::new(self.invitation(step, now, String::new())));
        let by_vendor = link.is_none();
        if let Some(link) = link {
            invitation.link = link;
        }
        let mut words = Vec::new();
        if by_vendor {
            // No link to hand on: the vendor's own mail has gone out.
            invitation.sent.get_or_insert(now);
        } else {
            let task = self.mail_task(step, &invitation.message_id, &invitation.to);
            words.push(mail_words(&task.id));
            entry.tasks.insert(task.id.clone(), TaskRecord::opened(now, task));
        }
        if entry.standing != Standing::Declared {
            entry.standing = Standing::Declared;
            entry.since = now;
        }
        entry.operation = None;
        let about = format!("{} to {}", invitation.message_id, invitation.accepted_as.len());
        entry.invitation = Some(invitation);
        let entries = vec![(step.address.clone(), Some(entry))];
        self.commit(header, entries, "drafted", &step.address, format!("{about} key(s) of acceptance"))
            .await?;
        Ok(words)
    }

    fn invitation(&self, step: &Step, now: Timestamp, link: String) -> Invitation {
        let terms = step.inside.invitation.clone().unwrap_or_default();
        Invitation {
            link,
            message_id: self.message_id(),
            to: terms.to,
            language: terms.language,
            provider: terms.provider,
            accepted_as: terms.accepted_as,
            drafted: now,
            sent: None,
            reminders: Vec::new(),
            revoked: None,
        }
    }

    async fn seal(&self, step: &Step, secret: OneTimeSecret) -> String {
        let label = terminal(&secret.label);
        match self.job.runtime.sealer.seal(&step.address, secret).await {
            Ok(place) => format!("{label}: {place}"),
            Err(lost) => lost.to_string(),
        }
    }

    /// Waits out a "too many requests"; whether to try again.
    async fn put_off(&self, puts_off: &mut PutOff, wait: Option<SignedDuration>) -> bool {
        let wait = wait.unwrap_or(puts_off.next).max(SignedDuration::ZERO);
        puts_off.times += 1;
        puts_off.next = puts_off.next.saturating_add(puts_off.next);
        puts_off.waited = puts_off.waited.saturating_add(wait);
        if puts_off.times >= THROTTLED_AT_MOST
            || puts_off.waited > THROTTLED_FOR
            || self.job.runtime.stop.asked()
        {
            return false;
        }
        self.job.runtime.progress.tell(crate::runtime::Event::Throttled {
            console: self.job.name,
            seconds: u64::try_from(wait.as_secs()).unwrap_or(0),
        });
        self.job.runtime.clock.wait(wait).await;
        !self.job.runtime.stop.asked()
    }

    /// The record that a request is about.
    fn subject(&self, step: &Step, acks: &[Ack]) -> Option<crate::address::RemoteId> {
        step.remote_id
            .clone()
            .or_else(|| acks.iter().rev().find_map(|ack| ack.remote_id.clone()))
            .or_else(|| self.entry(&step.address).and_then(|entry| entry.remote_id.clone()))
    }

    /// The account that a licence belongs to.
    fn account(&self, step: &Step) -> Option<crate::address::RemoteId> {
        if step.address.kind != Kind::License {
            return None;
        }
        let parent = self.entry(&step.address)?.parent.as_ref()?;
        self.entry(parent)?.remote_id.clone()
    }
}

/// The code of a refusal that says: our position may not do this at all.
pub const POSITION_REFUSED: &str = "position-refused";

struct PutOff {
    times: u32,
    next: SignedDuration,
    waited: SignedDuration,
}

impl PutOff {
    fn new() -> Self {
        Self { times: 0, next: THROTTLED_FIRST, waited: SignedDuration::ZERO }
    }
}

fn failed(refusal: Refusal) -> Ended {
    Ended::from(Outcome::Failed { refusal: Box::new(refusal) })
}

fn own(code: &str, words: String, hint: &str) -> Refusal {
    Refusal {
        code: code.into(),
        status: None,
        vendor_code: None,
        words: Untrusted::new(words),
        hint: hint.into(),
        request_id: None,
        correlation_id: None,
    }
}

fn no_answer(draft: &Draft, because: &str) -> Refusal {
    own("no-answer", format!("{}: {because}", draft.name), "it only reads: run again")
}

fn endless(draft: &Draft) -> Refusal {
    own(
        "endless-step",
        format!("the adapter asks for more than {REQUESTS_AT_MOST} requests, last {}", draft.name),
        "this is a defect of the adapter: please report it",
    )
}
