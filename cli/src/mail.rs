//! Mails ready to send: the one place that renders an invitation from what the ledger remembers of it.
//!
//! It sends nothing, and it never makes a link, a `Message-ID` or a date: all three come from the ledger, so that the
//! same entry and the same words give the same bytes each time (no random boundary: one `text/plain` part).
//! Nothing that comes from a declaration or a vendor can begin another header: controls are taken out of names and
//! subjects before the library folds and encodes them (RFC 2047), and an address is checked, not repaired.

mod words;

use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;
use tenantry_engine::text::terminal;

pub use words::{Words, words};

/// What stands for the link in a message.
pub const LINK: &str = "{{ link }}";

/// Longest line of a mail, in bytes, without its end (RFC 5322 §2.1.1).
const LONGEST_LINE: usize = 998;

/// One mail to be rendered.
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    /// Who sends it; `None` leaves it to the mail program.
    pub from: Option<&'a str>,
    /// The addressee's name, where it is known.
    pub name: Option<&'a str>,
    /// The addressee.
    pub to: &'a str,
    /// Language tag of the words.
    pub language: &'a str,
    /// Subject and body, with [`LINK`] where the link goes.
    pub words: &'a Words,
    /// The vendor's link.
    pub link: &'a str,
    /// As the ledger has it: whole, or the part before the `@`.
    pub message_id: &'a str,
    /// The invitation that this reminds of, as the ledger has it.
    pub reminds_of: Option<&'a str>,
    /// Completes a `Message-ID` that has no domain.
    pub domain: &'a str,
    /// When it was drafted: its date.
    pub drafted: Timestamp,
}

/// Why a mail cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// An address that no mail can be sent to.
    #[error("{} is no mail address: {because}; correct it where it is declared and invite anew", terminal(.address))]
    Address {
        /// The text.
        address: String,
        /// What is wrong with it.
        because: &'static str,
    },
    /// The words lost the link.
    #[error("the message in language {} does not hold {LINK}: a mail without the link invites nobody; write it into the message", terminal(.language))]
    NoLink {
        /// Which message.
        language: String,
    },
    /// The ledger holds no link or no addressee any more.
    #[error("the invitation's {what} was erased from the ledger; no mail can be made from it")]
    Erased {
        /// `link` or `addressee`.
        what: &'static str,
    },
    /// The vendor's link is none.
    #[error("{} is no link that a mail can carry: it is no web address, or holds white space", terminal(.link))]
    BadLink {
        /// What the ledger holds.
        link: String,
    },
}

/// One line: controls and line ends become single spaces.
fn line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if hostile(c) { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that no header and no body of ours holds: controls, and those that turn the reading direction.
fn hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Checks an address; its domain comes out in ASCII.
pub fn address(text: &str) -> Result<String, MailError> {
    let bad = |because| MailError::Address { address: text.to_owned(), because };
    if text.chars().any(|c| c.is_whitespace() || hostile(c)) {
        return Err(bad("it holds white space or a control character"));
    }
    let (local, domain) = text.rsplit_once('@').ok_or_else(|| bad("it has no @"))?;
    if local.is_empty() || local.len() > 64 || text.len() > 254 {
        return Err(bad("it is too short or too long"));
    }
    if !local.is_ascii() {
        return Err(bad("the part before the @ is not ASCII, which few mail servers take"));
    }
    if !local.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c)) {
        return Err(bad("the part before the @ holds a character that needs quoting"));
    }
    match url::Host::parse(domain) {
        Ok(url::Host::Domain(domain)) if domain.contains('.') => Ok(format!("{local}@{domain}")),
        _ => Err(bad("the part behind the @ is no domain")),
    }
}

/// `Anna <anna@msp.example>` or `anna@msp.example`: name, if any, and address.
pub fn mailbox(text: &str) -> Result<(Option<String>, String), MailError> {
    match text.trim().strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, inside)) => {
            let name = line(name.trim().trim_matches('"'));
            Ok(((!name.is_empty()).then_some(name), address(inside.trim())?))
        }
        None => Ok((None, address(text.trim())?)),
    }
}

/// The bytes of the mail, with CRLF line ends.
pub fn render(letter: &Letter<'_>) -> Result<Vec<u8>, MailError> {
    if letter.to.is_empty() {
        return Err(MailError::Erased { what: "addressee" });
    }
    if letter.link.is_empty() {
        return Err(MailError::Erased { what: "link" });
    }
    if !(letter.link.starts_with("https://") || letter.link.starts_with("http://"))
        || letter.link.chars().any(|c| c.is_whitespace() || hostile(c) || matches!(c, '<' | '>' | '"'))
    {
        return Err(MailError::BadLink { link: letter.link.to_owned() });
    }
    if !letter.words.body.contains(LINK) {
        return Err(MailError::NoLink { language: letter.language.to_owned() });
    }
    let id = |id: &str| {
        if id.contains('@') { line(id) } else { format!("{}@{}", line(id), letter.domain) }
    };
    let mut message = MessageBuilder::new();
    if let Some(from) = letter.from {
        let (name, address) = mailbox(from)?;
        message = message.from(Address::new_address(name, address));
    }
    let name = letter.name.map(line).filter(|name| !name.is_empty());
    message = message
        .to(Address::new_address(name, address(letter.to)?))
        .subject(line(&letter.words.subject))
        .date(Date::new(letter.drafted.as_second()))
        .message_id(MessageId::new(id(letter.message_id)));
    if let Some(first) = letter.reminds_of {
        message = message.in_reply_to(MessageId::new(id(first))).references(MessageId::new(id(first)));
    }
    // Opens as a draft that can be read, changed and sent, where the mail program knows the header.
    message = message.header("X-Unsent", Raw::new("1"));
    let body = body(&letter.words.body.replace(LINK, letter.link));
    let short = body.lines().all(|line| line.len() <= LONGEST_LINE);
    let mut part = MimePart::new("text/plain", body).language(line(letter.language));
    if short {
        // As it is: the link stands in the file as the vendor made it.
        part = part.transfer_encoding("8bit");
    }
    Ok(message.body(part).write_to_vec().expect("writing to memory does not fail"))
}

/// Lines end in CRLF, the last one too; controls but tabs are taken out.
fn body(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.replace("\r\n", "\n").replace('\r', "\n").trim_end().split('\n') {
        out.extend(line.trim_end().chars().filter(|c| *c == '\t' || !hostile(*c)));
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests;
