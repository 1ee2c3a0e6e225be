//! The harness that end-to-end tests stand on: it finds the real parts that tenantry works with (an API server, an
//! S3-compatible store, helm, a browser), starts them on the loopback interface and stops them again.
//!
//! It never replaces a missing part by an imitation, never listens on another interface, and leaves nothing running:
//! a part ends with the value that stands for it, and also when the test process is killed.
//!
//! A missing part is said loudly and its test does not run; with `CI=true` it is a failure. `just tools` builds them.

pub mod bench;
pub mod besiege;
pub mod browser;
pub mod cli;
pub mod controller;
pub mod crash;
pub mod helm;
pub mod installed;
pub mod kube;
pub mod moment;
pub mod parts;
pub mod pki;
pub mod process;
pub mod s3;
pub mod siege;
pub mod snapshot;
pub mod story;
pub mod watch;
pub mod worlds;
