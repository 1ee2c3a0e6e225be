//! The simulator's process beside a bench: started, asked what it received, ended.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::simulate::Tally;
use super::world::{MICROSOFT, SOPHOS};

/// Ends with this value.
#[derive(Debug)]
pub(super) struct Beside {
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Its standard input ends, and so does it.
        self.asks.take();
        let _ended = self.child.wait();
    }
}

impl Beside {
    /// Starts a command that calls [`super::simulate`]; gives its address.
    pub(super) fn start(mut simulator: Command) -> io::Result<(Self, String)> {
        let mut child = simulator.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(asks), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the simulator has no standard input and output"));
        };
        let mut beside = Self { child, asks: Some(asks), answers: BufReader::new(answers) };
        let mut url = String::new();
        beside.answers.read_line(&mut url)?;
        let url = url.trim().to_owned();
        if !url.starts_with("http://127.0.0.1:") {
            return Err(io::Error::other("the simulator did not start"));
        }
        Ok((beside, url))
    }

    /// What the simulator received since it was asked last.
    pub(super) fn received(&mut self) -> io::Result<Tally> {
        if let Some(asks) = &mut self.asks {
            asks.write_all(b"\n")?;
            asks.flush()?;
        }
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        serde_json::from_str(&line)
            .ok()
            .as_ref()
            .and_then(Tally::from_json)
            .ok_or_else(|| io::Error::other("the simulator ended before its time"))
    }
}

/// Where each console of a bench is, given the simulator's address.
pub(super) fn endpoints(url: &str) -> Vec<(String, String)> {
    SOPHOS
        .iter()
        .map(|key| ((*key).to_owned(), format!("{url}/sophos/{key}")))
        .chain([(MICROSOFT.to_owned(), format!("{url}/microsoft/{MICROSOFT}"))])
        .collect()
}
