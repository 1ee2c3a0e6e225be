//! The vendors' partner consoles, each behind the engine's [`Console`](tenantry_engine::console::Console): one folder
//! per vendor, one transport for all of them.
//!
//! What it does: turns declarations into a vendor's terms, lists what is there, reads wanted details, sends single
//! requests, and says in the vendor's own words how a person does what no API does.
//!
//! What it never does: decide what is to be done (the engine's work), send an unsafe request twice, send anything
//! unsafe over a read-only transport, open a write credential before something is to be written, or let a secret
//! reach an error, a log or a `Debug`.
//!
//! The entry point is [`connect`].

pub mod auth;
mod connect;
mod credentials;
pub mod microsoft;
mod offline;
pub mod pace;
pub mod sophos;
pub mod tables;
pub mod transport;

pub use connect::{ConnectError, Connection, Settings, connect};
pub use credentials::{Credentials, SecretSink, Secrets, SecretsError, SinkError, WriteSecrets};
pub use offline::offline;
pub use transport::REQUEST_TIMEOUT;
