//! One file per command: its arguments, and what it does with the pipeline.

pub mod apply;
pub mod completions;
pub mod crds;
pub mod doctor;
pub mod drift;
pub mod explain;
pub mod init;
pub mod invitations;
pub mod log;
pub mod observe;
pub mod plan;
pub mod resolve;
pub mod schema;
pub mod state;
pub mod tasks;
pub mod validate;
