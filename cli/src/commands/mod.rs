//! One file per command: its arguments, and what it does with the pipeline.

pub mod adopt;
pub mod apply;
pub mod completions;
pub mod crds;
#[cfg(feature = "demo")]
pub mod demo;
pub mod doctor;
pub mod drift;
pub mod explain;
pub mod init;
pub mod invitations;
pub mod log;
pub mod observe;
pub mod plan;
pub mod pull;
pub mod resolve;
pub mod schema;
#[cfg(feature = "demo")]
pub mod simulate;
pub mod state;
pub mod tasks;
pub mod validate;
