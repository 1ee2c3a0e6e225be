//! Which records a list shows, and from when on.
//!
//! Vendors list a new record at once or some time later; both must be survivable. Serving a page
//! never walks the whole list: [`Listed::page`] is a slice.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// When a new record shows in lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lists {
    /// With the next list call.
    #[default]
    AtOnce,
    /// This many seconds of the simulated clock later.
    AfterSeconds(u32),
    /// After the first page was asked for this many times more.
    AfterCalls(u32),
}

#[derive(Debug, Clone, Copy)]
enum Due {
    At(Timestamp),
    Calls(u32),
}

/// Positions of records in the order in which a list shows them.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    order: Vec<u32>,
    pending: VecDeque<(u32, Due)>,
}

impl Listed {
    /// Adds a record (by its position in the caller's store).
    pub fn add(&mut self, position: u32, lists: Lists, now: Timestamp) {
        match lists {
            Lists::AtOnce => self.order.push(position),
            Lists::AfterSeconds(s) => {
                let at =
                    now.saturating_add(SignedDuration::from_secs(i64::from(s))).unwrap_or(Timestamp::MAX);
                self.pending.push_back((position, Due::At(at)));
            }
            Lists::AfterCalls(n) => self.pending.push_back((position, Due::Calls(n))),
        }
    }

    /// Takes a record off the list.
    pub fn remove(&mut self, position: u32) {
        self.order.retain(|p| *p != position);
        self.pending.retain(|(p, _)| *p != position);
    }

    /// Call this once for each list request, before reading; `first_page` counts as one list call.
    pub fn settle(&mut self, now: Timestamp, first_page: bool) {
        for _ in 0..self.pending.len() {
            let Some((position, due)) = self.pending.pop_front() else { return };
            match due {
                Due::At(at) if at <= now => self.order.push(position),
                Due::Calls(0) => self.order.push(position),
                Due::Calls(n) => self.pending.push_back((position, Due::Calls(n - u32::from(first_page)))),
                due @ Due::At(_) => self.pending.push_back((position, due)),
            }
        }
    }

    /// The records of the page that starts at `offset`; empty past the end.
    pub fn page(&self, offset: usize, size: usize) -> &[u32] {
        let start = offset.min(self.order.len());
        &self.order[start..start.saturating_add(size).min(self.order.len())]
    }

    /// How many records are listed now.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether nothing is listed now.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}
