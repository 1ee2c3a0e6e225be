//! What happened in many histories: ones in which nothing happens prove nothing.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// What happened, over many histories.
        #[derive(Debug, Default)]
        pub struct Counts { $($(#[$doc])* pub $name: AtomicU64),* }

        impl Counts {
            pub fn add(&self, other: &Counts) {
                $(self.$name.fetch_add(other.$name.load(Ordering::Relaxed), Ordering::Relaxed);)*
            }
        }
    };
}

counts! {
    runs, plans, deaths, creations, endings, changes, invitations, in_doubt, conflicts, lost,
    /// Companies that were declared once, left alone, and were found made exactly once in the end.
    undisturbed,
}

impl Counts {
    pub fn count(&self, of: impl Fn(&Counts) -> &AtomicU64) {
        of(self).fetch_add(1, Ordering::Relaxed);
    }

    /// Histories in which nothing happens prove nothing.
    pub fn assert_eventful(&self, histories: u64) {
        let at_least = |name: &str, what: &AtomicU64, share: u64| {
            let n = what.load(Ordering::Relaxed);
            assert!(n * share >= histories, "only {n} {name} in {histories} histories");
        };
        at_least("runs", &self.runs, 1);
        at_least("deaths", &self.deaths, 8);
        at_least("creations", &self.creations, 2);
        at_least("endings", &self.endings, 200);
        at_least("changes", &self.changes, 200);
        at_least("invitations", &self.invitations, 10);
        at_least("operations in doubt", &self.in_doubt, 8);
        at_least("conflicts", &self.conflicts, 200);
        at_least("lost ledgers", &self.lost, 20);
        at_least("undisturbed companies", &self.undisturbed, 20);
    }
}
