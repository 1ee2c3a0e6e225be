//! Ctrl-C and SIGTERM: once = start nothing new, drain, flush; twice = leave at once, the journal settles the rest.
//! Where nothing is changed nothing is drained: an answer that is nearly there gets a moment, no more.
//!
//! Invariant: it listens from its first line to its end. Whoever presses the keys while the first word is still being
//! said is heard.

use std::time::Duration;

use tenantry_engine::runtime::Stop;

use crate::app::tell;
use crate::exit::Exit;

/// How long a run that only reads is waited for: a rotated token on its way is still stored.
const MOMENT: Duration = Duration::from_secs(2);

/// Watches until the process ends. `only_reads`: nothing that changes anything can be on its way.
pub async fn watch(stop: Stop, only_reads: bool) {
    let mut signals = Signals::listen();
    if only_reads {
        signals.next().await;
        stop.ask();
        tell("Stopping: nothing was changed.");
        tokio::select! {
            () = tokio::time::sleep(MOMENT) => {}
            () = signals.next() => {}
        }
        std::process::exit(i32::from(Exit::Interrupted.code()));
    }
    loop {
        signals.next().await;
        if stop.ask() > 1 {
            tell("Left at once: the next run settles what was on its way.");
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
        tell("Stopping: what is on its way is waited for, nothing new begins (again to leave at once).");
    }
}

/// What asks a process to stop. One that cannot be listened to is never heard, and ends the process as ever.
#[cfg(unix)]
struct Signals([Option<tokio::signal::unix::Signal>; 2]);

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self([SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok()))
    }

    async fn next(&mut self) {
        let [interrupt, terminate] = &mut self.0;
        tokio::select! {
            () = heard(interrupt) => {}
            () = heard(terminate) => {}
        }
    }
}

#[cfg(unix)]
async fn heard(signal: &mut Option<tokio::signal::unix::Signal>) {
    // `None` from a signal: there will be no other one.
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending::<()>().await;
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
