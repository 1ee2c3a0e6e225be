//! Simulated consoles inside this process: what `tenantry demo` and `tenantry simulate` stand on.
//!
//! Never reaches a vendor: the consoles listen on the loopback interface only. The commands that the demo shows are
//! the same that a person types; nothing here plans or applies by itself.

pub mod certificate;
mod consoles;
pub mod quickstart;
mod script;
#[cfg(test)]
mod tests;

pub use consoles::{Consoles, SimulatedConsole, on_port};
pub use script::play;
