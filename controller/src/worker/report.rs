//! Telling what a reconcile found: statuses of the objects, and of the Console itself.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use serde_json::json;
use tenantry_cluster::stores::Population;
use tenantry_crd::Kind;
use tenantry_crd::status::{ConsoleStatus, PlanSummary};
use tenantry_engine::address::{Address, Kind as Of};
use tenantry_engine::desired::Desired;
use tenantry_engine::execute::Report;
use tenantry_engine::plan::{Plan, summary as counts};

use super::Worker;
use super::declared::invited;
use super::link::Problem;
use crate::log::{Level, say};
use crate::status::attested::{Open, Word};
use crate::status::board::{self, conditions};
use crate::status::lost;
use crate::status::summary::summary;
use crate::status::view::{State, View, views};

/// So many statuses are written at once.
const WRITES_AT_ONCE: usize = 8;
/// So many are made ready at once.
const READY: usize = 128;

impl Worker {
    /// Statuses after a plan and what was done of it; `well`: the Console's own too.
    pub(super) async fn report(
        &self,
        population: &Population,
        desired: &Desired<'_>,
        plan: &Plan,
        report: Option<&Report>,
        well: bool,
    ) {
        let Some(book) = &self.book else { return };
        self.told(plan);
        let views = views(desired, plan, &book.ledger, report);
        let changed = self.desk.board.take(self.name.as_str(), views);
        self.objects(population, desired, &changed).await;
        if !well {
            return;
        }
        let account = book.ledger.header.vendor_account.to_string();
        let words =
            format!("{} records, {} declarations compared", plan.looked.records, plan.looked.declared);
        self.console(&State::Ready, &words, Some(account), Some(summary(plan))).await;
    }

    fn told(&self, plan: &Plan) {
        let name = self.name.as_str();
        let counts = counts([plan]);
        let metrics = &self.desk.metrics;
        metrics.planned(name, "steps", plan.steps.len() - counts.held);
        metrics.planned(name, "held", counts.held);
        metrics.planned(name, "waiting", counts.waiting);
        metrics.planned(name, "overdue", counts.overdue);
        metrics.planned(name, "findings", plan.findings.len());
    }

    /// Statuses of objects about which something else is said than before, and of those whose generation moved on.
    async fn objects(&self, population: &Population, desired: &Desired<'_>, changed: &[Address]) {
        let namespace = self.place.0.as_str();
        let waited = self.desk.board.spoke(&self.place);
        let own = changed.iter().filter(|one| one.kind == Of::Customer).map(|one| one.name.as_str());
        self.customers(population, own.chain(waited.iter().map(String::as_str)).collect()).await;
        for address in changed.iter().filter(|one| one.kind == Of::License) {
            let Some(object) = population.license(namespace, &address.name) else { continue };
            let status = || board::license(&self.desk.board, namespace, &address.name, object.generation);
            self.write(Kind::License, &address.name, status).await;
        }
        for object in population.relationships().filter(|object| *object.namespace == *namespace) {
            if object.spec.console_ref.name != self.place.1 {
                continue;
            }
            let accounts: Vec<Address> = invited(desired, &object.name).into_iter().cloned().collect();
            let status = || board::relationship(&self.desk.board, &accounts, object.generation);
            self.write(Kind::Relationship, &object.name, status).await;
        }
    }

    /// What became of Attestations. Planning alone takes no word.
    pub(super) async fn attested(
        &self,
        population: &Population,
        desired: &Desired<'_>,
        plan: &Plan,
        open: &Open,
    ) {
        if self.desk.rules.plan_only || desired.attestations.is_empty() {
            return;
        }
        let namespace = self.place.0.as_str();
        self.desk.words.take(&self.place, open.words(desired, plan));
        let consoles: Vec<&str> = population
            .consoles()
            .filter(|console| *console.namespace == *namespace && console.going.is_none())
            .map(|console| &*console.name)
            .collect();
        for object in population.attestations().filter(|object| *object.namespace == *namespace) {
            let Some(word) = self.desk.words.of(namespace, &consoles, &object.name) else { continue };
            let nothing = word == Word::NothingOpen;
            if nothing && self.desk.statuses.shows(Kind::Attestation, namespace, &object.name).await {
                // What became of it was told when it was known.
                continue;
            }
            let (state, words) = word.told();
            let status = || board::bare(&state, words, object.generation);
            self.write(Kind::Attestation, &object.name, status).await;
        }
    }

    /// Statuses of Customers, a few at a time; those of whom another Console is about to speak wait for it.
    async fn customers(&self, population: &Population, names: BTreeSet<&str>) {
        let names: Vec<&str> = names.into_iter().collect();
        for some in names.chunks(READY) {
            let mut writing = Vec::with_capacity(some.len());
            for name in some {
                writing.push(self.customer(population, name));
            }
            stream::iter(writing).buffer_unordered(WRITES_AT_ONCE).collect::<()>().await;
        }
    }

    async fn customer(&self, population: &Population, name: &str) {
        lost::written(&self.desk, lost::customer(&self.desk, population, &self.place.0, name).await);
    }

    /// Lets nobody wait for this Console any more.
    pub(super) async fn spoke(&self) {
        let waited = self.desk.board.spoke(&self.place);
        if self.tenure.holds() && !waited.is_empty() {
            let population = self.desk.stores.population();
            self.customers(&population, waited.iter().map(String::as_str).collect()).await;
        }
    }

    async fn write<S: serde::Serialize>(&self, kind: Kind, name: &str, status: impl FnOnce() -> S) {
        let now = self.desk.times.now();
        lost::written(&self.desk, self.desk.statuses.write(kind, &self.place.0, name, status, now).await);
    }

    /// The Console's own status.
    async fn console(&self, state: &State, words: &str, account: Option<String>, plan: Option<PlanSummary>) {
        let population = self.desk.stores.population();
        let Some(object) = population.console(&self.place.0, &self.place.1) else { return };
        let status = ConsoleStatus {
            observed_generation: Some(object.generation),
            conditions: conditions(state, words, Some(object.generation)),
            vendor_account: account,
            plan,
        };
        self.write(Kind::Console, &self.place.1, || status).await;
    }

    /// A Console that is not reconciled now: why, on its status; and later again.
    pub(super) async fn stumbled(&mut self, problem: &Problem) {
        self.pause.longer();
        say(Level::Warn, "console", json!({"console": self.name.as_str(), "problem": problem.words}));
        let account = self.book.as_ref().map(|book| book.ledger.header.vendor_account.to_string());
        let plan = self.desk.all_shown().get(&self.place).map(|shown| summary(&shown.plan));
        self.console(&problem.state, &problem.words, account, plan).await;
        self.unseen().await;
        self.spoke().await;
    }

    /// Objects of a Console that was never observed say so.
    async fn unseen(&self) {
        if self.list.is_some() {
            return;
        }
        let population = self.desk.stores.population();
        let all = super::declared::scoped(&population, &self.place.0, &self.place.1);
        let declaration = tenantry_engine::declare::declare(&all, population.scope());
        let Some(desired) = declaration.consoles.get(&self.name) else { return };
        let unknown = |address: &Address| {
            let view = View {
                generation: None,
                state: State::Unknown("NotObserved"),
                standing: "Unknown",
                remote_id: None,
                since: None,
                attested: false,
                message: Some(format!("its Console {} cannot be observed", self.place.1).into()),
            };
            (address.clone(), view)
        };
        let accounts = desired.accounts.iter().map(|decl| unknown(&decl.address));
        let licenses = desired.licenses.iter().map(|decl| unknown(&decl.address));
        let changed = self.desk.board.take(self.name.as_str(), accounts.chain(licenses).collect());
        self.objects(&population, desired, &changed).await;
    }
}
