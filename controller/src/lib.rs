//! The controller: cluster objects → engine, along the same path as the command.
//!
//! What it adds to the engine: declarations from reflector stores, the ledger as ConsoleBindings, approvals from
//! annotations, one worker a Console, statuses and Events, a Lease. What it never does: decide what a plan holds, read
//! a status back, list or watch Secrets, or ask a vendor about an object while nothing changed and nothing is due.

pub mod clock;
pub mod credentials;
pub mod desk;
pub mod durable;
pub mod endpoints;
pub mod events;
pub mod flags;
pub mod lease;
mod leaving;
pub mod log;
pub mod metrics;
pub mod ready;
pub mod run;
pub mod server;
pub mod status;
pub mod term;
pub mod worker;

pub use tenantry_cluster::FIELD_MANAGER;
