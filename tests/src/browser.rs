//! A real browser without a window, to see a page as its reader does: with its scripts run.
//!
//! Never uses the developer's profile and makes no background requests of its own.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::parts::{Part, PartError, available};
use crate::process::run;

const ENDS_WITHIN: Duration = Duration::from_secs(120);

/// A chromium that may be run.
#[derive(Debug)]
pub struct Browser {
    program: PathBuf,
}

impl Browser {
    /// It, or `None` as [`available`] says.
    #[track_caller]
    pub fn find() -> Option<Self> {
        available(Part::Chromium.find().map(|program| Self { program }))
    }

    /// The document of a loopback page or a `file:` URL, as it stands after its scripts ran.
    ///
    /// # Panics
    /// When the browser cannot be started, fails, or does not end within two minutes.
    #[track_caller]
    pub fn document(&self, url: &str) -> String {
        match self.dump(url) {
            Ok(document) => document,
            Err(error) => panic!("{}: {error}", self.program.display()),
        }
    }

    fn dump(&self, url: &str) -> Result<String, PartError> {
        let profile = tempfile::tempdir().map_err(PartError::io("create a temporary directory"))?;
        let mut command = Command::new(&self.program);
        command
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update"])
            .args(["--disable-sync", "--disable-extensions"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(["--dump-dom", url]);
        let output = run(command, ENDS_WITHIN)?;
        if !output.status.success() {
            let log = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(PartError::Exited { name: "chromium".to_owned(), log });
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
