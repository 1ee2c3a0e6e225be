//! What the engine needs from a vendor's console: a pure half that knows its terms, and a half that talks to it.
//!
//! Contract: [`Dialect`] is pure, total and deterministic. [`Console::identify`], [`Console::census`] and
//! [`Console::details`] use a read-only transport that refuses every request outside an allow-list. [`Console::send`]
//! sends at most one unsafe request, once, and never retries it; everything it cannot prove is [`Sent::Ambiguous`].

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::SignedDuration;

use crate::action::Action;
use crate::address::{Address, RemoteId};
use crate::capability::{Capabilities, Party, Row};
use crate::desired::{LicenseDecl, OpenAccount};
use crate::observed::{
    Blocker, Census, DetailKey, Details, Facet, FacetRead, Identity, KeyKind, ReadCost, Record, Refusal,
};
use crate::operation::{Ack, Next, Request};
use crate::plan::findings::Finding;
use crate::plan::matching::Key;
use crate::plan::{Change, Consequence, Step};
use crate::runtime::OneTimeSecret;
use crate::text::Untrusted;
use crate::value::{Field, Value};

/// A declaration in the console's terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projection {
    /// What it wants of each field it manages, in the order plans show them.
    pub fields: Vec<(Field, Value)>,
    /// Keys by which a record of this company can be found.
    pub keys: Vec<Key>,
    /// Facets beyond the census that comparing these fields needs.
    pub facets: BTreeSet<Facet>,
    /// What stands against creating it here: missing fields, programme gates. Empty = it can be created.
    pub refused: Vec<Finding>,
}

/// A licence in the console's terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LicenseProjection {
    /// The article's key, as [`crate::observed::LicenseRecord::article`] spells it.
    pub article: String,
    /// Fields.
    pub fields: Vec<(Field, Value)>,
    /// What stands against it.
    pub refused: Vec<Finding>,
}

/// The account that something is about. Its declaration may be gone, its record may not exist yet.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Its address.
    pub address: &'a Address,
    /// Its declaration.
    pub decl: Option<&'a OpenAccount<'a>>,
    /// Its record there.
    pub record: Option<&'a Record>,
    /// Its licences there, where they were read.
    pub licenses: Option<&'a FacetRead>,
    /// Rights in its tenant, where they were read.
    pub access: Option<&'a FacetRead>,
}

impl Subject<'_> {
    /// What people call it: the console's name for it, else the declared one, else the address; fit for a terminal.
    pub fn shown_name(&self) -> String {
        match (self.record, self.decl) {
            (Some(record), _) if !record.name().raw().is_empty() => record.name().terminal(),
            (_, Some(decl)) => crate::text::terminal(decl.shown_name()),
            _ => self.address.name.to_string(),
        }
    }
}

/// What a person is to do.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// The row of the table.
    pub row: Row,
    /// The action of the step.
    pub action: Action,
    /// The account it is about.
    pub subject: Subject<'a>,
    /// The licence, where it is about one that is declared.
    pub license: Option<&'a LicenseDecl<'a>>,
    /// What is to change.
    pub changes: &'a [Change],
}

/// How a person does it: the vendor's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instructions {
    /// One line.
    pub title: String,
    /// A short verb for the task's id (`update-billing`).
    pub verb: &'static str,
    /// Who.
    pub party: Party,
    /// Where it begins.
    pub at: String,
    /// Click path with values, one step a line.
    pub steps: Vec<String>,
    /// What it causes.
    pub consequences: Vec<String>,
    /// Whether the console shows when it is done.
    pub observable: bool,
}

/// The pure half.
pub trait Dialect: Send + Sync {
    /// The vendor's name for its console (`Sophos Central Partner`).
    fn title(&self) -> &str;

    /// Who can do what here.
    fn capabilities(&self) -> &Capabilities;

    /// Kinds of keys by which an accepted invitation shows in the census, beside the record's id.
    fn accepted_by(&self) -> &[KeyKind];

    /// A declared account in the console's terms.
    fn account(&self, decl: &OpenAccount<'_>) -> Projection;

    /// The same of an account that is there: its fields and facets, and of what stands against creating it at least
    /// what its programme excludes. Nobody looks for it by keys. Most accounts are there, so that an adapter saves
    /// half of its work by answering this for itself.
    fn managed(&self, decl: &OpenAccount<'_>) -> Projection {
        self.account(decl)
    }

    /// Whether comparing an account's fields may need more than the list shows; `false`: [`Projection::facets`] is
    /// always empty.
    fn reads_accounts(&self) -> bool {
        true
    }

    /// A declared licence in the console's terms.
    fn license(&self, decl: &LicenseDecl<'_>) -> LicenseProjection;

    /// What of a declared licence the request that creates its account brings along: the field of that request and
    /// the article. `None`: nothing; the licence is a step of its own.
    fn made_with(&self, _license: &LicenseDecl<'_>) -> Option<(Field, Box<str>)> {
        None
    }

    /// Whether the console's value is what was wanted, by the vendor's own normalisation.
    fn same(&self, _field: &Field, wanted: &Value, shown: &Value) -> bool {
        wanted == shown
    }

    /// What an action causes beside its changes, with the consents it needs.
    fn consequences(&self, row: Row, action: Action, subject: &Subject<'_>) -> Vec<Consequence>;

    /// Values that the vendor shows and this adapter does not know: what they are of (`billing`), and the value. They
    /// are kept as they came and decide nothing.
    fn unknown(&self, _subject: &Subject<'_>) -> Vec<(&'static str, Untrusted)> {
        Vec::new()
    }

    /// Whether a new account may bring licences along that nobody asked for: then a declared one is looked for before
    /// anybody is asked to buy it.
    fn brings_licenses(&self) -> bool {
        false
    }

    /// What stands in the way of ending the account, as far as its facets show.
    fn blockers(&self, subject: &Subject<'_>) -> Vec<Blocker>;

    /// Facets that ending an account needs to have read.
    fn facets_to_end(&self) -> BTreeSet<Facet>;

    /// How a person does it.
    fn instructions(&self, ask: &Ask<'_>) -> Instructions;

    /// The following request of a step that the console performs, given its acknowledgements so far.
    fn next(&self, step: &Step, acked: &[Ack]) -> Next;
}

/// What became of one request.
pub enum Sent {
    /// The vendor said yes.
    Acked(Ack, Vec<OneTimeSecret>),
    /// The vendor said no: nothing happened.
    Rejected(Refusal),
    /// It never reached the vendor, or a documented answer proves that it was not processed.
    NotSent(Refusal),
    /// The documented "too many requests": not processed. Wait at least this long.
    Throttled(Option<SignedDuration>, Refusal),
    /// No answer, or one that proves nothing. In words fit for a terminal.
    Ambiguous(String),
}

/// Why a console could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConsoleError {
    /// No connection, or none in time.
    #[error(
        "{console} cannot be reached: {because}; check the network and --endpoint, or see the vendor's status page"
    )]
    Unreachable {
        /// Title of the console.
        console: String,
        /// Why.
        because: String,
    },
    /// The credential is refused.
    #[error("{console} refuses the {which} credential: {}", refusal_words(.refusal))]
    Credential {
        /// Title of the console.
        console: String,
        /// `read` or `write`.
        which: &'static str,
        /// The vendor's answer.
        refusal: Box<Refusal>,
    },
    /// A read was refused.
    #[error("{console} refuses to {doing}: {}", refusal_words(.refusal))]
    Refused {
        /// Title of the console.
        console: String,
        /// What was asked.
        doing: String,
        /// The vendor's answer.
        refusal: Box<Refusal>,
    },
    /// An answer that cannot be understood.
    #[error("{console} answered something else than documented: {because}")]
    Protocol {
        /// Title of the console.
        console: String,
        /// What; fit for a terminal.
        because: String,
    },
    /// A request outside the read allow-list was about to leave: a defect of the adapter, stopped in time.
    #[error("{console}: refused to send {method} {path} while only reading")]
    NotARead {
        /// Title of the console.
        console: String,
        /// Method.
        method: String,
        /// Path.
        path: String,
    },
    /// Somebody asked to stop.
    #[error("interrupted")]
    Stopped,
}

impl ConsoleError {
    /// The same without what names one request, for plans: a plan is the same when it is made again.
    #[must_use]
    pub fn lasting(mut self) -> Self {
        if let Self::Credential { refusal, .. } | Self::Refused { refusal, .. } = &mut self {
            refusal.request_id = None;
            refusal.correlation_id = None;
        }
        self
    }
}

/// The vendor's answer in one line: words, codes, request id, hint.
pub fn refusal_words(refusal: &Refusal) -> String {
    let mut line = refusal.words.terminal();
    let codes: Vec<String> = [
        refusal.status.map(|status| status.to_string()),
        refusal.vendor_code.as_ref().map(crate::text::Untrusted::terminal),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !codes.is_empty() {
        line.push_str(&format!(" ({})", codes.join("/")));
    }
    if let Some(id) = &refusal.request_id {
        line.push_str(&format!(", request {}", id.terminal()));
    }
    if let Some(id) = &refusal.correlation_id {
        line.push_str(&format!(", correlation {}", id.terminal()));
    }
    if !refusal.hint.is_empty() {
        line.push_str(&format!("; {}", refusal.hint));
    }
    line
}

/// The same without what names one request, for plans: a plan is the same when it is made again.
pub fn refusal_reason(refusal: &Refusal) -> String {
    refusal_words(&Refusal { request_id: None, correlation_id: None, ..refusal.clone() })
}

/// Told how a census or details advance.
pub trait Reading: Send + Sync {
    /// Pages and records so far; pages in all where known.
    fn page(&self, pages: u32, records: usize, of: Option<u32>);
    /// Details so far.
    fn detail(&self, done: usize);
}

/// One console, connected with credentials.
#[async_trait]
pub trait Console: Send + Sync {
    /// The pure half. Final once [`Console::identify`] has answered: it may depend on what probes found.
    fn dialect(&self) -> &dyn Dialect;

    /// Who we are there. Also probes, with reads, what our position may do.
    async fn identify(&self) -> Result<Identity, ConsoleError>;

    /// Lists all records. A listing that breaks off in the middle is an incomplete census, not an error.
    async fn census(&self, reading: &dyn Reading) -> Result<Census, ConsoleError>;

    /// Reads wanted details. A refusal about one customer is a fact of that customer ([`FacetRead::unreadable`]).
    async fn details(&self, wanted: &[DetailKey], reading: &dyn Reading) -> Result<Details, ConsoleError>;

    /// Sends one request. See the module's contract.
    async fn send(&self, request: &Request<'_>) -> Sent;

    /// What reading has cost since the last call.
    fn take_cost(&self) -> ReadCost;

    /// How far our clock was ahead of the vendor's at its last answer, as far as answers say.
    fn clock_ahead(&self) -> Option<SignedDuration> {
        None
    }

    /// A page for people about this record, if the vendor documents one.
    fn link(&self, _id: &RemoteId) -> Option<String> {
        None
    }
}
