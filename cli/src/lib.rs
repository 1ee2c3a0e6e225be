//! The `tenantry` command as a library: files to engine, and every word that a person reads.
//!
//! The binary is a thin caller, so that tests and other programs reach the same code.

pub mod diagnostics;
pub mod load;
