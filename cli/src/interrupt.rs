//! Ctrl-C and SIGTERM: once = start nothing new, drain, flush; twice = leave at once, the journal settles the rest.

use tenantry_engine::runtime::Stop;

use crate::app::tell;
use crate::exit::Exit;

/// Watches until the process ends.
pub async fn watch(stop: Stop) {
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
