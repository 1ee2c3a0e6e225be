//! The engine of tenantry: desired state and observed state in, a plan out, and the plan's execution.
//!
//! It decides everything that both faces (command line and controller) must decide alike: what differs, what may be
//! done about it, in which order, by whom, what is held, what is in doubt after a crash.
//!
//! It never opens a connection, reads a clock, an environment variable or a file, and never sleeps: what it needs
//! comes in through [`Runtime`], [`LedgerStore`] and [`Console`]. Planning ([`plan`]) is total, synchronous and
//! deterministic: the same input gives the same plan, byte for byte.

pub mod action;
pub mod address;
pub mod capability;
pub mod console;
pub mod declare;
pub mod desired;
pub mod execute;
pub mod leads;
pub mod ledger;
pub mod observe;
pub mod observed;
pub mod operation;
pub mod origin;
pub mod plan;
pub mod render;
pub mod resolve;
pub mod run;
pub mod runtime;
pub mod store;
pub mod task;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod value;
