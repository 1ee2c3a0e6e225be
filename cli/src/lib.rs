//! The `tenantry` command as a library: files to engine, and every word that a person reads.
//!
//! The binary is a thin caller, so that tests and other programs reach the same code.

pub mod app;
pub mod approvals;
pub mod cluster;
pub mod commands;
pub mod declarations;
#[cfg(feature = "demo")]
pub mod demo;
pub mod diagnostics;
pub mod edit;
pub mod exit;
pub mod interrupt;
pub mod ledgers;
pub mod load;
pub mod mail;
pub mod output;
pub mod outside;
pub mod pipeline;
pub mod progress;
pub mod secrets;
pub mod selection;
pub mod state;
