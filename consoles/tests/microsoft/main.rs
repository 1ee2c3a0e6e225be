//! Partner Center through the adapter and the engine, over real HTTP against the simulated cloud. The simulator's
//! request log is the judge of what was asked and what was changed.

#[path = "../contract/mod.rs"]
mod contract;

mod auth;
mod cells;
mod census;
mod create;
mod detach;
mod faults;
mod identity;
mod invitations;
mod partner;
mod update;
mod world;

use partner::Microsoft;

contract!(Microsoft);
