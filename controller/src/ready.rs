//! `--ready-at`: asks a running controller whether it is ready, says so, and ends.
//!
//! For `helm test` and for people: the image has no shell and no other program to ask with. One request without a body
//! and without a credential to `/readyz`; nothing else is sent anywhere.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use tenantry_engine::text::terminal;

#[cfg(test)]
mod tests;

/// How long each part of the question may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer that is read.
const LONGEST: u64 = 16 * 1024;

/// Why a controller does not count as ready.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// Nobody answers.
    #[error(
        "{address} does not answer; see whether the controller runs and the network lets us through: kubectl get pods"
    )]
    Unanswered {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It says no, or something else answers there.
    #[error("{address} is not ready: {answer}; its log says why: kubectl logs")]
    Refused {
        /// Where.
        address: String,
        /// What it said.
        answer: String,
    },
}

/// Asks `HOST:PORT`.
pub fn ask(address: &str) -> Result<(), NotReady> {
    let answer =
        answer(address).map_err(|source| NotReady::Unanswered { address: terminal(address), source })?;
    let first = answer.lines().next().unwrap_or_default();
    if first.starts_with("HTTP/1.") && first.split(' ').nth(1) == Some("200") {
        return Ok(());
    }
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body.trim());
    let said = if body.is_empty() { first } else { body };
    Err(NotReady::Refused { address: terminal(address), answer: terminal(said) })
}

fn answer(address: &str) -> io::Result<String> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for place in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&place, PATIENCE) {
            Ok(stream) => return exchange(stream, address),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn exchange(mut stream: TcpStream, address: &str) -> io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut bytes = Vec::new();
    stream.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
