//! The Kubernetes side that both faces share: ledgers kept as ConsoleBindings, pruned copies of what is declared,
//! exported observations, and the connection to a cluster.
//!
//! What it does: speaks with an API server through kube's own client. What it never does: decide what is to be done
//! (the engine's work), speak with a vendor, hold a vendor's credential, or read a status back as a fact.
//!
//! - [`bindings`]: an entry or header of a ledger as a ConsoleBinding, and back, without loss.
//! - [`ledger`]: the engine's [`LedgerStore`](tenantry_engine::store::LedgerStore) on ConsoleBindings.
//! - [`names`]: what people call a ledger there.
//! - [`stores`]: what is declared in a cluster, held in memory, and what of it was really read.
//! - [`snapshot`]: what a controller observed, for planning without a credential.
//! - [`connection`]: a client from a kubeconfig or from inside a cluster.
//! - [`api`]: what an API server refuses, in words.
//! - [`failpoint`]: where a test may kill a process, at the writes of both faces.

pub mod api;
pub mod bindings;
pub mod connection;
pub mod failpoint;
pub mod ledger;
pub mod names;
pub mod snapshot;
pub mod stores;

/// Names our writes among the managers of an object's fields.
pub const FIELD_MANAGER: &str = "tenantry";

/// The finalizer that holds a declaration until its bindings know that it goes. It precedes the first intent.
pub const FINALIZER: &str = "tenantry.io/bindings";

/// The label by which the ConsoleBindings of one ledger are listed: a digest of its vendor account.
pub const LEDGER_LABEL: &str = "tenantry.io/ledger";

/// Annotation of a ConsoleBinding: which opened ledger wrote it last, and with which of its writes.
pub const WRITER_ANNOTATION: &str = "tenantry.io/writer";

/// Annotation of a ConsoleBinding: the generation of the Lease under which it was written last.
pub const FENCE_ANNOTATION: &str = "tenantry.io/lease-generation";

/// The prefix of annotations that mean something to tenantry; all others are dropped from memory.
pub const ANNOTATION_PREFIX: &str = "tenantry.io/";
