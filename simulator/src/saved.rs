//! Going back: a whole simulator as it was at one moment, for tests that try many ends of one story.
//!
//! The log does not go back: what arrived has arrived, and whoever judges by it reads from a mark on. Nothing goes
//! back beneath a request: restore while nobody asks.

use std::any::Any;
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::faults::Fault;
use crate::mailbox::Mail;
use crate::server::Running;

/// A simulator at one moment.
pub struct Saved {
    now: Timestamp,
    mails: Vec<Mail>,
    faults: Vec<Fault>,
    partners: BTreeMap<(String, String), Box<dyn Any + Send + Sync>>,
}

impl std::fmt::Debug for Saved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Saved")
            .field("now", &self.now)
            .field("partners", &self.partners.keys())
            .finish_non_exhaustive()
    }
}

impl Running {
    /// Clock, mails, faults and every partner as they are now.
    pub fn save(&self) -> Saved {
        let partners = self.shared().all().into_iter().map(|(at, partner)| (at, partner.save())).collect();
        Saved {
            now: self.clock().now(),
            mails: self.mailbox().mails(),
            faults: self.faults().active(),
            partners,
        }
    }

    /// Puts everything but the log back to that moment, the clock too.
    pub fn restore(&self, saved: &Saved) {
        self.clock().put_back(saved.now);
        self.mailbox().put_back(saved.mails.clone());
        self.faults().clear();
        for fault in &saved.faults {
            self.faults().add(fault.clone());
        }
        self.shared().keep(|at| saved.partners.contains_key(at));
        for (at, partner) in self.shared().all() {
            if let Some(saved) = saved.partners.get(&at) {
                partner.restore(&**saved);
            }
        }
    }
}
