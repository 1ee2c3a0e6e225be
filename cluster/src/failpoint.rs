//! Where a test may kill the process: before and after each write of a ConsoleBinding, and each durable write of the
//! command. Compiled in only with the feature `failpoints`; without it, nothing.

/// Passes a write. With the feature, and `TENANTRY_FAILPOINT=N:before|after` set, the process dies there the N-th time,
/// as if it had been killed.
#[cfg(feature = "failpoints")]
pub fn pass(place: &str) {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static BEFORE: AtomicUsize = AtomicUsize::new(0);
    static AFTER: AtomicUsize = AtomicUsize::new(0);
    let counter = if place == "before" { &BEFORE } else { &AFTER };
    let n = counter.fetch_add(1, Ordering::SeqCst) + 1;
    let Ok(wanted) = std::env::var("TENANTRY_FAILPOINT") else { return };
    if wanted == format!("{n}:{place}") {
        std::process::abort();
    }
}

/// Without the feature: nothing.
#[cfg(not(feature = "failpoints"))]
pub const fn pass(_place: &str) {}
