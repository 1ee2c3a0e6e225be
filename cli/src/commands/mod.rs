//! One file per command: its arguments, and what it does with the pipeline.

pub mod adopt;
pub mod apply;
pub mod completions;
pub mod crds;
pub mod drift;
pub mod explain;
pub mod log;
pub mod observe;
pub mod plan;
pub mod pull;
pub mod schema;
pub mod validate;
