//! Plans and reports as people and programs read them.
//!
//! Rendering decides nothing. Plans print no origin, no duration and no namespace, so that both faces print the same
//! bytes for the same plan. Every vendor string passes [`crate::text`] here at the latest.

pub mod drift;
pub mod json;
pub mod markdown;
pub mod paint;
pub mod report;
pub mod text;

pub use json::{PLAN_FORMAT_VERSION, PlanDocument};
pub use paint::Paint;
