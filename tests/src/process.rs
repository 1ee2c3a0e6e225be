//! Outside programs as child processes: servers that end with their owner, commands that end within a limit.
//!
//! Nothing that is started here outlives the test: a [`Server`] is killed when dropped, and a watching shell kills it
//! when the test process itself is killed and drops nothing.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;

use crate::parts::PartError;

/// How often a condition outside of this process is looked at.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The same for a command, which mostly takes a few hundredths of a second.
const LOOK_SOON: Duration = Duration::from_millis(5);

/// A program that runs until this value is dropped.
#[derive(Debug)]
pub struct Server {
    name: String,
    child: Child,
    watch: Child,
    log: PathBuf,
}

impl Server {
    /// Starts it with its output in `log`.
    pub fn start(mut command: Command, log: PathBuf) -> Result<Self, PartError> {
        let name = name(&command);
        let output = File::create(&log).map_err(PartError::io(format!("create {}", log.display())))?;
        let errors = output.try_clone().map_err(PartError::io("share a log file"))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(PartError::io(format!("start {name}")))?;
        // Its standard input ends when the test process does, however that happens.
        let watch = Command::new("sh")
            .args(["-c", r#"read -r line; kill -9 "$0""#, &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match watch {
            Ok(watch) => Ok(Self { name, child, watch, log }),
            Err(source) => {
                end(&mut child);
                Err(PartError::Io { what: format!("watch {name}"), source })
            }
        }
    }

    /// Waits until `ready` says so.
    pub fn wait_until(&mut self, limit: Duration, ready: impl Fn() -> bool) -> Result<(), PartError> {
        let deadline = Instant::now() + limit;
        while !ready() {
            self.still_starting(deadline, limit)?;
            thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// An error once it has ended, or the deadline has passed.
    pub(crate) fn still_starting(&mut self, deadline: Instant, limit: Duration) -> Result<(), PartError> {
        let ended = self.child.try_wait().map_err(PartError::io(format!("look at {}", self.name)))?.is_some();
        if ended {
            return Err(PartError::Exited { name: self.name.clone(), log: tail(&self.log) });
        }
        if Instant::now() > deadline {
            let (name, log) = (self.name.clone(), tail(&self.log));
            return Err(PartError::NotReady { name, seconds: limit.as_secs(), log });
        }
        Ok(())
    }

    /// Whether it has ended.
    pub fn ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)) | Err(_))
    }

    /// Ends it now.
    pub(crate) fn stop(&mut self) {
        end(&mut self.watch);
        end(&mut self.child);
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The watch first: it must not find the number of a process that is already another one.
        end(&mut self.watch);
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // Both fail only for a process that has ended already.
    let _ = child.kill();
    let _ = child.wait();
}

/// Runs a command to its end and gives what it printed; kills it after `limit`.
pub fn run(mut command: Command, limit: Duration) -> Result<Output, PartError> {
    let name = name(&command);
    // Files, not pipes: a full pipe would stop a program that nobody reads yet.
    let dir = tempfile::tempdir().map_err(PartError::io("create a temporary directory"))?;
    let (out, err) = (dir.path().join("out"), dir.path().join("err"));
    let create = |path: &Path| File::create(path).map_err(PartError::io("create an output file"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(create(&out)?)
        .stderr(create(&err)?)
        .spawn()
        .map_err(PartError::io(format!("start {name}")))?;
    let deadline = Instant::now() + limit;
    let status = loop {
        match child.try_wait().map_err(PartError::io(format!("look at {name}")))? {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                end(&mut child);
                return Err(PartError::TooSlow { name, seconds: limit.as_secs() });
            }
            None => thread::sleep(LOOK_SOON),
        }
    };
    let read = |path: &Path| fs::read(path).map_err(PartError::io("read an output file"));
    Ok(Output { status, stdout: read(&out)?, stderr: read(&err)? })
}

/// A port of the loopback interface that was free a moment ago. Another process may take it before the server does;
/// whoever starts a server with it tries again with another one.
pub(crate) fn free_port() -> Result<u16, PartError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(PartError::io("find a free port"))
}

/// A port of the loopback interface that refuses whoever knocks: held, so that no server takes it, and not listened on.
#[derive(Debug)]
pub struct Nobody {
    port: u16,
    /// Holds the port.
    _socket: TcpSocket,
}

impl Nobody {
    /// Holds one until it is dropped.
    ///
    /// # Errors
    /// When no port is free.
    pub fn hold() -> Result<Self, PartError> {
        TcpSocket::new_v4()
            .and_then(|socket| {
                socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
                let port = socket.local_addr()?.port();
                Ok(Self { port, _socket: socket })
            })
            .map_err(PartError::io("hold a free port"))
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Starts something that needs a free port, again with another one if it ends early, three times at most.
pub(crate) fn with_free_ports<T>(start: impl Fn() -> Result<T, PartError>) -> Result<T, PartError> {
    let mut result = start();
    for _ in 0..2 {
        if !matches!(result, Err(PartError::Exited { .. })) {
            break;
        }
        result = start();
    }
    result
}

fn name(command: &Command) -> String {
    Path::new(command.get_program())
        .file_name()
        .map_or_else(|| "a program".into(), |name| name.to_string_lossy().into_owned())
}

/// The last thirty lines.
fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
