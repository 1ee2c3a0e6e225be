//! Ctrl-C and SIGTERM: once = start nothing new, drain, flush; twice = leave at once, the journal settles the rest.
//! Where nothing is changed nothing is drained: an answer that is nearly there gets a moment, no more.

use std::time::Duration;

use tenantry_engine::runtime::Stop;

use crate::app::tell;
use crate::exit::Exit;

/// How long a run that only reads is waited for: a rotated token on its way is still stored.
const MOMENT: Duration = Duration::from_secs(2);

/// Watches until the process ends. `only_reads`: nothing that changes anything can be on its way.
pub async fn watch(stop: Stop, only_reads: bool) {
    if only_reads {
        wait().await;
        stop.ask();
        tell("Stopping: nothing was changed.");
        tokio::select! {
            () = tokio::time::sleep(MOMENT) => {}
            () = wait() => {}
        }
        std::process::exit(i32::from(Exit::Interrupted.code()));
    }
    loop {
        wait().await;
        if stop.ask() > 1 {
            tell("Left at once: the next run settles what was on its way.");
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
        tell("Stopping: what is on its way is waited for, nothing new begins (again to leave at once).");
    }
}

#[cfg(unix)]
async fn wait() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn wait() {
    let _ = tokio::signal::ctrl_c().await;
}
