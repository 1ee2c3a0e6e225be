//! One file per command: its arguments, and what it does with the pipeline.

pub mod apply;
pub mod completions;
pub mod crds;
#[cfg(feature = "demo")]
pub mod demo;
pub mod drift;
pub mod explain;
pub mod log;
pub mod observe;
pub mod plan;
pub mod schema;
#[cfg(feature = "demo")]
pub mod simulate;
pub mod validate;
