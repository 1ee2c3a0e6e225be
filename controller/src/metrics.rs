//! What is counted: reconciles, plans, steps, requests, writes. Labels name Consoles and actions, never a customer.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Label pairs.
type Labels = Vec<(&'static str, String)>;
/// A family of histograms.
type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

/// All metrics of a process.
pub struct Metrics {
    registry: Registry,
    reconciles: Family<Labels, Counter>,
    seconds: Histograms,
    queued: Histograms,
    planned: Family<Labels, Gauge>,
    steps: Family<Labels, Counter>,
    console_requests: Family<Labels, Counter>,
    api_writes: Family<Labels, Counter>,
    events_lost: Counter,
    leader: Gauge,
    synced: Gauge,
}

fn seconds() -> Histogram {
    Histogram::new([0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0])
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tenantry");
        let metrics = Self {
            reconciles: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            queued: Family::new_with_constructor(seconds),
            planned: Family::default(),
            steps: Family::default(),
            console_requests: Family::default(),
            api_writes: Family::default(),
            events_lost: Counter::default(),
            leader: Gauge::default(),
            synced: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register(
            "reconciles",
            "Reconciles, by Console and how they ended",
            metrics.reconciles.clone(),
        );
        registry.register("reconcile_seconds", "How long a reconcile took", metrics.seconds.clone());
        registry.register(
            "queue_seconds",
            "How long a change waited for its reconcile",
            metrics.queued.clone(),
        );
        registry.register("plan", "What the last plan holds, by Console", metrics.planned.clone());
        registry.register("steps", "Steps carried out, by action and how they ended", metrics.steps.clone());
        registry.register("console_requests", "Requests to consoles", metrics.console_requests.clone());
        registry.register("api_writes", "Writes to the API server", metrics.api_writes.clone());
        registry.register("events_lost", "Events that could not be published", metrics.events_lost.clone());
        registry.register("leader", "1 while this replica holds the Lease", metrics.leader.clone());
        registry.register("synced", "1 once every store has listed its objects", metrics.synced.clone());
        Self { registry, ..metrics }
    }
}

fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Metrics {
    /// A reconcile ended: `done`, `console`, `ledger` or `status`.
    pub fn reconciled(&self, console: &str, how: &'static str, took: std::time::Duration) {
        let console = console.to_owned();
        self.seconds.get_or_create(&vec![("console", console.clone())]).observe(took.as_secs_f64());
        self.reconciles.get_or_create(&vec![("console", console), ("result", how.to_owned())]).inc();
    }

    /// A change waited so long.
    pub fn queued(&self, console: &str, waited: std::time::Duration) {
        self.queued.get_or_create(&vec![("console", console.to_owned())]).observe(waited.as_secs_f64());
    }

    /// What a plan holds: `steps`, `held`, `waiting`, `overdue`, `findings`.
    pub fn planned(&self, console: &str, what: &'static str, n: usize) {
        let labels = vec![("console", console.to_owned()), ("what", what.to_owned())];
        self.planned.get_or_create(&labels).set(count(n as u64));
    }

    /// A step ended.
    pub fn step(&self, action: &'static str, outcome: &'static str) {
        self.steps.get_or_create(&vec![("action", action.to_owned()), ("outcome", outcome.to_owned())]).inc();
    }

    /// Requests left for a console: `read` or `step`.
    pub fn requested(&self, console: &str, what: &'static str, n: u64) {
        if n > 0 {
            let labels = vec![("console", console.to_owned()), ("what", what.to_owned())];
            self.console_requests.get_or_create(&labels).inc_by(n);
        }
    }

    /// The API server was written: `status`, `finalizer`, `binding`, `event` or `secret`.
    pub fn wrote(&self, what: &'static str) {
        self.api_writes.get_or_create(&vec![("what", what.to_owned())]).inc();
    }

    /// An Event could not be published.
    pub fn event_lost(&self) {
        self.events_lost.inc();
    }

    /// Whether the Lease is held.
    pub fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// Whether every store has synced.
    pub fn synced(&self, synced: bool) {
        self.synced.set(i64::from(synced));
    }

    /// As Prometheus reads it.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut out, &self.registry);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_told() {
        let metrics = Metrics::default();
        metrics.step("create", "done");
        metrics.planned("sophos", "held", 3);
        metrics.requested("sophos", "read", 2);
        let text = metrics.text();
        assert!(text.contains("tenantry_steps_total{action=\"create\",outcome=\"done\"} 1"), "{text}");
        assert!(text.contains("tenantry_plan{console=\"sophos\",what=\"held\"} 3"), "{text}");
        assert!(
            text.contains("tenantry_console_requests_total{console=\"sophos\",what=\"read\"} 2"),
            "{text}"
        );
    }
}
