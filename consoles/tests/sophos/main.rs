//! Sophos Central Partner against its simulated console: the contract of every console, then what is Sophos's own.

#[path = "../contract/mod.rs"]
mod contract;

mod cells;
mod switches;
mod tenant;
mod wire;

use tenant::Sophos;

contract!(Sophos);
