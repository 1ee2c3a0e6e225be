//! One mailbox for everybody: what an operator sent and what vendors sent themselves, and what the
//! recipients then did with it.
//!
//! It forwards nothing. A mail stays `unread` until somebody accepts or ignores it.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::lock;
use crate::mime;

/// What the recipient did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Nothing yet.
    #[default]
    Unread,
    /// Followed the link and agreed.
    Accepted,
    /// Followed the link and declined.
    Declined,
    /// Put it aside for good.
    Ignored,
}

/// One delivered mail.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// Counts from 1.
    pub id: u64,
    /// Simulated time of delivery.
    pub at: Timestamp,
    /// Bare address of the sender.
    pub from: String,
    /// Bare addresses of all recipients.
    pub to: Vec<String>,
    /// Decoded.
    pub subject: String,
    /// The text parts, decoded.
    pub text: String,
    /// Every distinct link in the text.
    pub links: Vec<String>,
    /// What the recipient did.
    pub choice: Choice,
}

/// The mailbox; clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Mailbox(Arc<Mutex<Vec<Mail>>>);

impl Mailbox {
    /// Delivers a raw mail (RFC 5322); returns its number.
    pub fn deliver_eml(&self, raw: &str, at: Timestamp) -> u64 {
        let read = mime::parse(raw);
        self.push(Mail {
            id: 0,
            at,
            from: read.from,
            to: read.to,
            subject: read.subject,
            text: read.text,
            links: read.links,
            choice: Choice::Unread,
        })
    }

    /// Delivers a mail that a vendor sends; returns its number.
    pub fn deliver(&self, at: Timestamp, from: &str, to: &str, subject: &str, text: &str) -> u64 {
        let raw = format!("From: {from}\nTo: {to}\nSubject: {subject}\n\n{text}");
        self.deliver_eml(&raw, at)
    }

    fn push(&self, mut mail: Mail) -> u64 {
        let mut mails = lock(&self.0);
        mail.id = mails.len() as u64 + 1;
        let id = mail.id;
        mails.push(mail);
        id
    }

    /// All mails, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.0).clone()
    }

    /// The mails to this address, oldest first.
    pub fn to(&self, address: &str) -> Vec<Mail> {
        lock(&self.0)
            .iter()
            .filter(|m| m.to.iter().any(|a| a.eq_ignore_ascii_case(address)))
            .cloned()
            .collect()
    }

    /// One mail.
    pub fn get(&self, id: u64) -> Option<Mail> {
        lock(&self.0).iter().find(|m| m.id == id).cloned()
    }

    pub(crate) fn put_back(&self, mails: Vec<Mail>) {
        *lock(&self.0) = mails;
    }

    pub(crate) fn choose(&self, id: u64, choice: Choice) {
        if let Some(mail) = lock(&self.0).iter_mut().find(|m| m.id == id) {
            mail.choice = choice;
        }
    }
}
