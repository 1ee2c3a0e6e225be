//! The load bench: the real program, as a process of its own, against simulated consoles in another process.
//!
//! What it does: writes N customers with three accounts each (two Sophos partners, one Microsoft partner), seeds the
//! same N into the simulator, runs `validate`, `apply` (which adopts by id), `observe`, `plan`, `apply` and `plan`
//! again, and measures each of them: time, processor time, largest resident size, and what the simulator received.
//!
//! [`cluster`] does the same for the controller, with the same N as objects of a real API server.
//!
//! What it never does: it listens on no other interface than the loopback one, leaves no process and no file behind,
//! and compares no times by itself; `tests/tests/bench.rs` asserts counts and ratios.
//!
//! Invariants: the same size, mix and seed give the same declarations, records and requests; both sides are made from
//! [`World`] alone, so that a difference between them is always meant.

mod beside;
pub mod cluster;
mod desk;
mod measure;
mod report;
mod simulate;
mod world;

pub use desk::{Desk, Ran};
pub use measure::{Measured, measure};
pub use report::{Phase, json, table};
pub use simulate::{Tally, simulate};
pub use world::{Class, MICROSOFT, Mix, SOPHOS, World};

use std::io;

/// The phases in the order in which they are run.
pub const PHASES: [&str; 7] = ["validate", "adopt", "observe", "plan", "apply", "settled", "unchanged"];

/// Runs all phases of one size.
pub fn run(desk: &Desk) -> io::Result<Vec<Phase>> {
    let everything = (desk.world().customers * 3).to_string();
    let invitations = format!("first-run,invitations={}", desk.world().customers);
    let mut phases = Vec::new();
    let mut one = |name: &'static str, hours: u32, arguments: &[&str]| -> io::Result<()> {
        let ran = desk.run(hours, arguments)?;
        if !matches!(ran.code, 0 | 4) {
            let end: Vec<&str> = ran.stdout.lines().rev().take(20).collect();
            let end = end.into_iter().rev().collect::<Vec<_>>().join("\n");
            return Err(io::Error::other(format!("{name} ended with {}:\n{}{end}", ran.code, ran.stderr)));
        }
        phases.push(Phase::new(name, &ran));
        Ok(())
    };
    let first = ["apply", "-f", ".", "--auto-approve", "--read-budget", &everything, "--allow", &invitations];
    one("validate", 0, &["validate", "-f", "."])?;
    one("adopt", 0, &first)?;
    one("observe", 1, &["observe", "-f", ".", "-o", "json", "--read-budget", &everything])?;
    one("plan", 1, &["plan", "-f", ".", "--read-budget", &everything])?;
    one("apply", 1, &["apply", "-f", ".", "--auto-approve", "--read-budget", &everything])?;
    one("settled", 3, &["apply", "-f", ".", "--auto-approve", "--read-budget", &everything])?;
    one("unchanged", 4, &["plan", "-f", ".", "--read-budget", &everything])?;
    Ok(phases)
}
