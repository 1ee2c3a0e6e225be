//! A temporary directory with declarations, credentials and state, the simulator beside it, and the program to run.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::{Span, Timestamp};
use tempfile::TempDir;

use super::beside::{Beside, endpoints};
use super::measure::{Measured, measure};
use super::simulate::Tally;
use super::world::World;

/// How long one run of the program may take.
const LIMIT: Duration = Duration::from_secs(1800);

/// When the first run takes place; no run looks at the machine's clock.
const BEGINS: &str = "2026-01-12T08:00:00Z";

/// One bench at work. Dropping it ends the simulator and deletes everything.
#[derive(Debug)]
pub struct Desk {
    world: World,
    simulator: Mutex<Beside>,
    url: String,
    program: PathBuf,
    dir: TempDir,
    bytes: u64,
}

/// One run of the program.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Exit code; -1 where a signal ended it.
    pub code: i32,
    /// Results.
    pub stdout: String,
    /// Progress and errors.
    pub stderr: String,
    /// What it took.
    pub took: Measured,
    /// What the simulator received from it.
    pub received: Tally,
}

impl Desk {
    /// Writes the world's declarations and starts `simulator` (a command that calls [`super::simulate`]) beside.
    pub fn new(world: World, program: &Path, simulator: Command) -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        fs::create_dir(dir.path().join("work"))?;
        let bytes = world.write(&dir.path().join("work"))?;
        World::secrets(&dir.path().join("secrets"))?;
        let (beside, url) = Beside::start(simulator)?;
        Ok(Self { world, simulator: Mutex::new(beside), url, program: program.to_owned(), dir, bytes })
    }

    /// What is declared and held.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// How many bytes the declarations are.
    pub fn declared_bytes(&self) -> u64 {
        self.bytes
    }

    /// Where the program runs.
    pub fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// Runs the program to its end, this many hours after the first run.
    pub fn run(&self, hours: u32, arguments: &[&str]) -> io::Result<Ran> {
        self.received()?;
        let (out, err) = (self.dir.path().join("stdout"), self.dir.path().join("stderr"));
        let mut command = self.command(hours, arguments)?;
        let began = Instant::now();
        let child =
            command.stdin(Stdio::null()).stdout(File::create(&out)?).stderr(File::create(&err)?).spawn()?;
        let (status, took) = measure(child, began, LIMIT)?;
        let text = |path: &Path| Ok::<_, io::Error>(String::from_utf8_lossy(&fs::read(path)?).into_owned());
        Ok(Ran {
            code: status.code().unwrap_or(-1),
            stdout: text(&out)?,
            stderr: text(&err)?,
            took,
            received: self.received()?,
        })
    }

    fn command(&self, hours: u32, arguments: &[&str]) -> io::Result<Command> {
        let begins: Timestamp = BEGINS.parse().map_err(io::Error::other)?;
        let now = begins.checked_add(Span::new().hours(hours)).map_err(io::Error::other)?;
        let endpoints: Vec<String> =
            endpoints(&self.url).into_iter().map(|(console, url)| format!("{console}={url}")).collect();
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.work()).env_clear();
        command.env("HOME", self.dir.path()).env("USER", "bench").env("TENANTRY_NOW", now.to_string());
        command.env("TENANTRY_SECRETS_DIR", self.dir.path().join("secrets"));
        command.env("TENANTRY_STATE_DIR", self.dir.path().join("state"));
        command.env("TENANTRY_ENDPOINT", endpoints.join(","));
        Ok(command)
    }

    /// What the simulator received since it was asked last.
    fn received(&self) -> io::Result<Tally> {
        self.simulator.lock().map_err(|_| io::Error::other("an earlier run panicked"))?.received()
    }
}
