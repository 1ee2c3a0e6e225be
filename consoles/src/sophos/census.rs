//! The list of tenants, page by page.
//!
//! Invariant: a census counts as complete only if every page arrived, each as full as it must be, and the vendor's
//! own count stayed the same and was reached.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value as Json;
use tenantry_engine::address::RemoteId;
use tenantry_engine::console::{ConsoleError, Reading};
use tenantry_engine::observed::{Census, Record};
use tenantry_engine::runtime::Clock;
use tenantry_engine::text::terminal;

use super::dialect::TITLE;
use super::errors::Asked;
use super::records;
use super::session::{Session, refused};
use crate::transport::{Counted, Outgoing};

/// Tenants a page: the most that Sophos gives (`maxSize` in every known answer).
pub const PAGE: usize = 100;

/// More pages than any partner has: a list that does not end is broken off.
const MOST_PAGES: u32 = 20_000;

#[derive(Deserialize)]
struct Page {
    items: Vec<Json>,
    #[serde(default)]
    pages: Pages,
}

/// `total` (pages) and `items` (tenants) come only with `pageTotal=true`.
#[derive(Deserialize, Default, Clone, Copy)]
struct Pages {
    current: Option<u32>,
    size: Option<usize>,
    total: Option<u32>,
    items: Option<usize>,
}

/// What listing found out beside the records.
pub(super) struct Listed {
    pub census: Census,
    /// Accounts without a host: nothing can be asked about them.
    pub dormant: BTreeSet<RemoteId>,
}

/// Lists all tenants. The first page must arrive; what breaks later makes the census incomplete.
pub(super) async fn list(
    session: &Session,
    clock: &dyn Clock,
    reading: &dyn Reading,
    page_size: usize,
) -> Result<Listed, ConsoleError> {
    let who = session.who().await?;
    let began = clock.now();
    let mut walk = Walk::default();
    let mut number = 1;
    let incomplete = loop {
        let out = Outgoing::get(&session.hosts.api, &[who.id_type.api(), "v1", "tenants"])
            .query("page", &number.to_string())
            .query("pageSize", &page_size.to_string())
            .query("pageTotal", "true")
            .header(who.id_type.header(), &who.id);
        let page = match one(session, &out).await {
            Ok(page) => page,
            Err(ConsoleError::Stopped) => return Err(ConsoleError::Stopped),
            Err(error) if number == 1 => return Err(error),
            Err(error) => break Some(format!("page {number}: {error}")),
        };
        match walk.take(number, &page, page_size) {
            Step::Broken(because) => break Some(because),
            step => {
                reading.page(number, walk.records.len(), walk.first.total);
                if matches!(step, Step::Last) {
                    break None;
                }
            }
        }
        number += 1;
        if number > MOST_PAGES {
            break Some(format!("the list does not end after {MOST_PAGES} pages"));
        }
    };
    let incomplete = incomplete.or_else(|| walk.gap());
    Ok(Listed { census: Census::new(began, now(clock), incomplete, walk.records), dormant: walk.dormant })
}

fn now(clock: &dyn Clock) -> Timestamp {
    clock.now()
}

async fn one(session: &Session, out: &Outgoing) -> Result<Page, ConsoleError> {
    let answer = session.reader.ask(out, Some(&session.tokens), Counted::Page).await?;
    if answer.success() { answer.json(TITLE) } else { Err(refused(Asked::List, &answer, "read")) }
}

enum Step {
    More,
    Last,
    Broken(String),
}

#[derive(Default)]
struct Walk {
    first: Pages,
    seen: BTreeSet<RemoteId>,
    records: Vec<Record>,
    dormant: BTreeSet<RemoteId>,
}

impl Walk {
    fn take(&mut self, number: u32, page: &Page, asked: usize) -> Step {
        let pages = page.pages;
        if number == 1 {
            self.first = pages;
        } else if (pages.total, pages.items) != (self.first.total, self.first.items) {
            return Step::Broken(format!("the list changed while page {number} was read"));
        }
        if let Some(current) = pages.current.filter(|current| *current != number) {
            return Step::Broken(format!("page {number} was asked for, page {current} came"));
        }
        let size = pages.size.filter(|size| *size > 0).unwrap_or(asked);
        let count = page.items.len();
        for item in &page.items {
            let Some(tenant) = records::tenant(item) else {
                return Step::Broken(format!("page {number} has a customer without an id: {}", shape(item)));
            };
            self.seen.insert(tenant.record.id.clone());
            if !tenant.activated {
                self.dormant.insert(tenant.record.id.clone());
            }
            if !tenant.canceled {
                self.records.push(tenant.record);
            }
        }
        let last = match pages.total {
            Some(total) => number >= total,
            None => count < size,
        };
        if !last && count < size {
            return Step::Broken(format!("page {number} has {count} of {size} customers"));
        }
        if last { Step::Last } else { Step::More }
    }

    /// The vendor's count against what came.
    fn gap(&self) -> Option<String> {
        let said = self.first.items?;
        (self.seen.len() != said)
            .then(|| format!("Sophos counts {said} customers, {} different ones came", self.seen.len()))
    }
}

/// The keys of an object, never its values.
fn shape(item: &Json) -> String {
    match item.as_object() {
        Some(object) => terminal(&object.keys().map(String::as_str).take(8).collect::<Vec<_>>().join(", ")),
        None => "no object".to_owned(),
    }
}
