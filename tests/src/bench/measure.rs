//! One child process: how long it took, how much processor time, how much memory.
//!
//! Read from `/proc`, so Linux only. Processor time is what the kernel accounts to the process once it has ended and
//! before it is waited for; the largest resident size is the kernel's own high-water mark, read every few
//! milliseconds, so that only what a process gains at its very end can be missed.

use std::fs;
use std::io;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// What a process took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// From start to end, in seconds.
    pub wall: f64,
    /// User and system time of all its threads, in seconds; in steps of a hundredth.
    pub cpu: f64,
    /// Largest resident size, in bytes.
    pub peak: u64,
}

/// How often is looked.
const LOOK: Duration = Duration::from_millis(4);

/// Waits for a child and measures it; kills it after `limit`.
pub fn measure(mut child: Child, began: Instant, limit: Duration) -> io::Result<(ExitStatus, Measured)> {
    let dir = format!("/proc/{}", child.id());
    let mut peak = 0;
    let mut over = false;
    let cpu = loop {
        if let Some(now) = high_water(&fs::read_to_string(format!("{dir}/status")).unwrap_or_default()) {
            peak = peak.max(now);
        }
        let (ended, cpu) = state(&fs::read_to_string(format!("{dir}/stat"))?)
            .ok_or_else(|| io::Error::other("/proc/PID/stat has another form than Linux's"))?;
        if ended {
            break cpu;
        }
        if !over && began.elapsed() > limit {
            over = true;
            child.kill()?;
        }
        std::thread::sleep(LOOK);
    };
    let wall = began.elapsed().as_secs_f64();
    let status = child.wait()?;
    if over {
        return Err(io::Error::other(format!("it did not end within {} s", limit.as_secs())));
    }
    Ok((status, Measured { wall, cpu, peak }))
}

/// What a process that still runs has taken so far: processor time in seconds, largest resident size in bytes.
pub(super) fn so_far(id: u32) -> io::Result<(f64, u64)> {
    let (_, cpu) = state(&fs::read_to_string(format!("/proc/{id}/stat"))?)
        .ok_or_else(|| io::Error::other("/proc/PID/stat has another form than Linux's"))?;
    let peak = high_water(&fs::read_to_string(format!("/proc/{id}/status"))?)
        .ok_or_else(|| io::Error::other("the process has ended"))?;
    Ok((cpu, peak))
}

/// `VmHWM` in bytes.
fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Whether a process has ended, and its user and system time in seconds (proc_pid_stat(5): fields 3, 14 and 15; a
/// hundred ticks a second on every Linux that Rust runs on).
fn state(stat: &str) -> Option<(bool, f64)> {
    // The program's name may hold spaces and parentheses.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks: u32 = fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?;
    Some((matches!(*fields.first()?, "Z" | "X"), f64::from(ticks) / 100.0))
}

#[cfg(test)]
mod tests;
