//! Phases as a table for people and as JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::desk::{Desk, Ran};
use super::measure::Measured;
use super::simulate::Tally;

/// One phase of a bench.
#[derive(Debug, Clone)]
pub struct Phase {
    /// Its name.
    pub name: &'static str,
    /// What it took.
    pub took: Measured,
    /// What the simulator received.
    pub received: Tally,
    /// The program's last line of results.
    pub said: String,
}

impl Phase {
    /// Of one run.
    pub fn new(name: &'static str, ran: &Ran) -> Self {
        let said = ran.stdout.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        // An export ends with a bracket, which says nothing.
        let said = if said.len() < 4 { "" } else { said };
        Self { name, took: ran.took, received: ran.received, said: said.trim().to_owned() }
    }
}

/// Exact up to 2^52, which no count here reaches.
#[allow(clippy::cast_precision_loss, reason = "bytes and requests of a bench are far below 2^52")]
fn float(n: u64) -> f64 {
    n as f64
}

/// A table, a line for each phase.
pub fn table(desk: &Desk, phases: &[Phase]) -> String {
    let mut out = format!(
        "{} customers, 3 accounts each, {:.1} MB of declarations\n{:<10}{:>9}{:>9}{:>9}{:>9}{:>9}{:>8}{:>8}{:>10}\n",
        desk.world().customers,
        float(desk.declared_bytes()) / 1e6,
        "phase",
        "time s",
        "cpu s",
        "MiB",
        "pages",
        "details",
        "other",
        "writes",
        "MB read",
    );
    for Phase { name, took, received, .. } in phases {
        writeln!(
            out,
            "{name:<10}{:>9.2}{:>9.2}{:>9.0}{:>9}{:>9}{:>8}{:>8}{:>10.1}",
            took.wall,
            took.cpu,
            float(took.peak) / f64::from(1 << 20),
            received.pages,
            received.details,
            received.other + received.logins,
            received.writes,
            float(received.bytes) / 1e6,
        )
        .expect("writing to a String cannot fail");
    }
    for phase in phases.iter().filter(|phase| !phase.said.is_empty()) {
        writeln!(out, "{:<10} {}", phase.name, phase.said).expect("writing to a String cannot fail");
    }
    out
}

/// The same as JSON.
pub fn json(desk: &Desk, phases: &[Phase]) -> Value {
    let phases: Vec<Value> = phases
        .iter()
        .map(|phase| {
            json!({
                "phase": phase.name, "seconds": phase.took.wall, "cpuSeconds": phase.took.cpu,
                "peakBytes": phase.took.peak, "received": phase.received.to_json(), "said": phase.said,
            })
        })
        .collect();
    json!({
        "customers": desk.world().customers, "accounts": 3, "declaredBytes": desk.declared_bytes(),
        "different": desk.world().mix.different, "unreadable": desk.world().mix.unreadable,
        "invited": desk.world().mix.invited, "phases": phases,
    })
}
