//! `tenantry-controller`: reconciles Consoles until it is asked to end.
//!
//! What it needs of the API server, and nothing else:
//!
//! | group | resources | verbs | for |
//! |---|---|---|---|
//! | tenantry.io | consoles, customers, products, licenses, relationships, upgrades, attestations, inventories, planpolicies | get, list, watch | what is declared |
//! | tenantry.io | customers, licenses | patch | the finalizer |
//! | tenantry.io | consoles/status, customers/status, licenses/status, relationships/status, attestations/status, products/status, upgrades/status, inventories/status, planpolicies/status | patch | statuses (server-side apply) |
//! | tenantry.io | customers/finalizers, licenses/finalizers | update | where OwnerReferencesPermissionEnforcement is on |
//! | tenantry.io | consolebindings | get, list, create, update, delete | the ledger |
//! | (core) | secrets | get, update, create | credentials by name, rotated refresh tokens, first passwords; never list or watch |
//! | (core) | namespaces | get, each its own | whether the whole namespace is being deleted: then everything is retained |
//! | events.k8s.io | events | create, patch | Events |
//! | coordination.k8s.io | leases | get, create, update | one acts, in the Lease's namespace |
//! | authentication.k8s.io | tokenreviews | create | `/plan` and `/snapshot`, where they are on |
//! | authorization.k8s.io | subjectaccessreviews | create | `/plan` and `/snapshot`, where they are on |
//!
//! Its memory is jemalloc's. What a first pass over all customers takes is freed soon, in pieces between what stays: of
//! 3 000 customers the GNU C library's allocator kept 58 MiB, mimalloc 61 to 79, this one 29, with less processor time
//! than the first. One arena, and what is free goes back at once (`.cargo/config.toml`): a controller sleeps most of the
//! time, and nobody would give it back later.
//!
//! Beside that, discovery, which everybody has: a kind whose definition is being deleted cannot be created any more, and
//! then everything is retained.

use std::process::ExitCode;

use clap::Parser;
use serde_json::json;
use tenantry_controller::flags::Flags;
use tenantry_controller::log::{Level, chain, say};
use tokio::signal::unix::{SignalKind, signal};

/// See the head of this file.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) => {
            let code = if error.use_stderr() { 64 } else { 0 };
            // Where neither output is open, nobody is told.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    if let Err(because) = flags.check() {
        eprintln!("error: {because}");
        return ExitCode::from(64);
    }
    if let Some(address) = &flags.ready_at {
        return match tenantry_controller::ready::ask(address) {
            Ok(()) => {
                println!("{} is ready", tenantry_engine::text::terminal(address));
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("error: {}", chain(&error));
                ExitCode::FAILURE
            }
        };
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(Level::Error, "failed", json!({"error": error.to_string()}));
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        match tenantry_controller::run::run(flags, asked_to_end()).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                say(Level::Error, "failed", json!({"error": chain(&error)}));
                ExitCode::FAILURE
            }
        }
    })
}

/// SIGTERM, or Ctrl-C.
async fn asked_to_end() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
