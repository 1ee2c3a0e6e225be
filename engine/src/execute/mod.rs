//! Executing a plan: each step at most once, durable before and after, in the plan's order.

pub mod report;

pub use report::{Outcome, Report, StepReport};
