//! The controller on a real API server, against simulated consoles: what it does for objects that people apply.
//!
//! Each test has a namespace of its own. What a test says of requests is counted at the simulator.

#[path = "controller/asked.rs"]
mod asked;
#[path = "controller/attested.rs"]
mod attested;
#[path = "controller/faces.rs"]
mod faces;
#[path = "controller/fence.rs"]
mod fence;
#[path = "controller/idle.rs"]
mod idle;
#[path = "controller/kills.rs"]
mod kills;
#[path = "controller/objects.rs"]
mod objects;
#[path = "controller/replicas.rs"]
mod replicas;
#[path = "controller/shards.rs"]
mod shards;
#[path = "controller/shared.rs"]
mod shared;
#[path = "controller/siege.rs"]
mod siege;
#[path = "controller/slice.rs"]
mod slice;
#[path = "controller/twins.rs"]
mod twins;
#[path = "controller/vendor.rs"]
mod vendor;
#[path = "controller/worlds.rs"]
mod worlds;
