//! The controller on a real API server, against simulated consoles: what it does for objects that people apply.
//!
//! Each test has a namespace of its own. What a test says of requests is counted at the simulator.

#[path = "controller/slice.rs"]
mod slice;
