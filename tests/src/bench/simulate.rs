//! The simulator's side of a bench, as a process of its own.
//!
//! It seeds itself from the same [`World`], prints its address, then answers each line on standard input with one line
//! of JSON: what it received since the line before. It ends with standard input.

use std::io::{self, BufRead, Write};

use serde_json::{Value, json};
use tenantry_simulator::{Config, Does, Entry, Fault, Kind, LogFilter, Simulator};

use super::world::{MICROSOFT, World};

/// What the simulator received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Requests for a token.
    pub logins: u64,
    /// Pages of lists.
    pub pages: u64,
    /// Facts about one customer.
    pub details: u64,
    /// Other reads: who we are, what we may do.
    pub other: u64,
    /// Requests that may change something.
    pub writes: u64,
    /// Bytes of bodies sent.
    pub bytes: u64,
}

impl Tally {
    /// All requests.
    pub fn requests(&self) -> u64 {
        self.logins + self.pages + self.details + self.other + self.writes
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            logins: self.logins + other.logins,
            pages: self.pages + other.pages,
            details: self.details + other.details,
            other: self.other + other.other,
            writes: self.writes + other.writes,
            bytes: self.bytes + other.bytes,
        }
    }

    fn add(&mut self, entry: &Entry) {
        let slot = match entry.kind {
            Kind::Login => &mut self.logins,
            Kind::Write => &mut self.writes,
            Kind::Ui => return,
            Kind::Read => {
                let path = entry.path.split('?').next().unwrap_or_default();
                if matches!(path, "/partner/v1/tenants" | "/v1/customers") {
                    &mut self.pages
                } else if path.ends_with("/profiles/billing")
                    || path.ends_with("/subscriptions")
                    || path.ends_with("/licenses")
                {
                    &mut self.details
                } else {
                    &mut self.other
                }
            }
        };
        *slot += 1;
        self.bytes += entry.bytes_out as u64;
    }

    pub(super) fn to_json(self) -> Value {
        json!({
            "logins": self.logins, "pages": self.pages, "details": self.details, "other": self.other,
            "writes": self.writes, "bytes": self.bytes,
        })
    }

    pub(super) fn from_json(value: &Value) -> Option<Self> {
        let number = |name: &str| value.get(name)?.as_u64();
        Some(Self {
            logins: number("logins")?,
            pages: number("pages")?,
            details: number("details")?,
            other: number("other")?,
            writes: number("writes")?,
            bytes: number("bytes")?,
        })
    }
}

/// Serves a world until standard input ends.
pub fn simulate(world: &World) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let running = runtime.block_on(Simulator::start(Config::default())).map_err(io::Error::other)?;
    for seed in world.seeds() {
        running.seed(&seed).map_err(io::Error::other)?;
    }
    running.faults().add(Fault {
        partner: Some(format!("microsoft/{MICROSOFT}")),
        method: Some("GET".to_owned()),
        path: Some("/v1/customers/0403*".to_owned()),
        customer: None,
        skip: 0,
        times: None,
        does: Does::Forbidden,
    });
    let mut out = io::stdout().lock();
    writeln!(out, "{}", running.base_url())?;
    out.flush()?;
    let mut since = running.log().mark();
    for line in io::stdin().lock().lines() {
        line?;
        let mark = running.log().mark();
        let mut tally = Tally::default();
        for entry in running.log().entries(&LogFilter { since, ..LogFilter::default() }) {
            tally.add(&entry);
        }
        since = mark;
        writeln!(out, "{}", tally.to_json())?;
        out.flush()?;
    }
    runtime.block_on(running.stop());
    Ok(())
}
