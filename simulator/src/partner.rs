//! What a vendor module implements, and what the core offers it.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::Value;

use crate::call::{Call, Reply};
use crate::clock::SimClock;
use crate::faults::Faults;
use crate::ids::Ids;
use crate::lock;
use crate::log::{Effect, Kind, RequestLog};
use crate::mailbox::Mailbox;

/// What every partner shares.
#[derive(Debug)]
pub struct Core {
    clock: SimClock,
    log: RequestLog,
    faults: Faults,
    mailbox: Mailbox,
    public_url: OnceLock<String>,
    seed: u64,
    worlds: Mutex<BTreeMap<&'static str, Arc<dyn Any + Send + Sync>>>,
}

impl Core {
    pub(crate) fn new(clock: SimClock, seed: u64) -> Self {
        Self {
            clock,
            log: RequestLog::default(),
            faults: Faults::default(),
            mailbox: Mailbox::default(),
            public_url: OnceLock::new(),
            seed,
            worlds: Mutex::default(),
        }
    }

    pub(crate) fn publish(&self, url: &str) {
        // Set once, by the start; a second value would contradict answers already given.
        let _already = self.public_url.set(url.trim_end_matches('/').to_owned());
    }

    /// The simulated clock.
    pub fn clock(&self) -> &SimClock {
        &self.clock
    }

    /// The request log.
    pub fn log(&self) -> &RequestLog {
        &self.log
    }

    /// The injected faults.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Everyone's mail.
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The series of ids for a scope, from this simulator's seed.
    pub fn ids(&self, scope: &str) -> Ids {
        Ids::new(self.seed, scope)
    }

    /// The simulator's seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// What all partners of one vendor share in this simulator, made empty at the first ask.
    ///
    /// # Panics
    /// When a vendor asks for two types.
    pub fn of_vendor<T: Any + Send + Sync + Default>(&self, vendor: &'static str) -> Arc<T> {
        let world = lock(&self.worlds).entry(vendor).or_insert_with(|| Arc::new(T::default())).clone();
        world.downcast().expect("a vendor shares one type")
    }

    /// The URL under which the world reaches the simulator, without a trailing slash.
    pub fn root_url(&self) -> &str {
        self.public_url.get().map_or("", String::as_str)
    }

    /// The URL under which the world reaches one partner, without a trailing slash.
    pub fn public_url(&self, vendor: &str, key: &str) -> String {
        format!("{}/{vendor}/{key}", self.root_url())
    }
}

/// A refusal that a fault asks for, to be spelled as the vendor spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 401: the token is no longer good.
    ExpiredToken,
    /// The version, etag or timestamp sent is not the present one.
    StaleVersion,
    /// 403 on this object.
    Forbidden,
    /// Any other status, e.g. 429, 500, 503.
    Status(u16),
    /// With this code of the vendor's own; a vendor without numbers answers the status alone.
    Coded {
        /// HTTP status.
        status: u16,
        /// As the vendor numbers it.
        code: u32,
    },
}

/// A click that the console refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the simulated console refuses {path} ({code}): {why}")]
pub struct ClickRefused {
    /// What was clicked.
    pub path: String,
    /// A kebab-case word, as listed with the vendor's clicks.
    pub code: String,
    /// For a person.
    pub why: String,
}

impl ClickRefused {
    pub(crate) fn at(path: &str, code: &str, why: &str) -> Self {
        Self { path: path.to_owned(), code: code.to_owned(), why: why.to_owned() }
    }
}

/// Who follows a link in a mail.
#[derive(Debug, Clone, Copy)]
pub struct Visitor<'a> {
    /// The address that the mail went to.
    pub recipient: &'a str,
    /// The vendor's id of the customer who acts, where the test says so.
    pub customer: Option<&'a str>,
    /// Accepts, or declines.
    pub accepts: bool,
}

/// What following a link did.
#[derive(Debug, Clone, Default)]
pub struct Followed {
    /// What was committed; empty if the link was known but led to nothing.
    pub effects: Vec<Effect>,
    /// What the page said.
    pub message: String,
}

/// One simulated partner account of one vendor.
pub trait Partner: Any + Send + Sync {
    /// Answers a request on the wire. The call's path starts below the partner's prefix.
    fn answer(&self, call: &Call) -> Reply;

    /// The class of a request, whether or not it succeeds.
    fn classify(&self, call: &Call) -> Kind;

    /// The vendor's own spelling of an injected refusal.
    fn refuse(&self, refusal: Refusal, call: &Call) -> Reply;

    /// A person's click: the call's path starts below `/_sim/<vendor>/<key>`. A refusal has a status of
    /// 400 or above and the body `{"refused": "<kebab-case code>", "why": "…"}`.
    fn control(&self, call: &Call) -> Reply;

    /// Adds records from this partner's part of a seed document.
    fn seed(&self, document: &Value) -> Result<(), String>;

    /// The settings as JSON.
    fn switches(&self) -> Value;

    /// Changes the settings named in a JSON object and keeps the others.
    fn set_switches(&self, change: &Value) -> Result<(), String>;

    /// Every setting with its possible values (as `[{name, about, values}]`).
    fn switch_table(&self) -> Value;

    /// Everything that it holds, for [`Partner::restore`].
    fn save(&self) -> Box<dyn Any + Send + Sync>;

    /// Puts back what [`Partner::save`] gave.
    ///
    /// # Panics
    /// When another vendor's partner gave it.
    fn restore(&self, saved: &dyn Any);

    /// The base URLs and credentials to configure a client with, for the index page.
    fn describe(&self) -> Value;

    /// Follows a link from a mail; `None` if this partner does not know the link.
    fn follow(&self, link: &str, visitor: &Visitor<'_>) -> Option<Followed> {
        let _ = (link, visitor);
        None
    }
}
