//! The real helm, with its settings and caches in a temporary directory.
//!
//! Never reads the developer's helm settings and never reaches a chart repository: charts come from directories.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;

use crate::parts::{Part, PartError, available};
use crate::process::run;

const ENDS_WITHIN: Duration = Duration::from_secs(180);

/// A helm that may be run.
#[derive(Debug)]
pub struct Helm {
    program: PathBuf,
    home: TempDir,
    kubeconfig: PathBuf,
}

impl Helm {
    /// One without a cluster (`lint`, `template`), or `None` as [`available`] says.
    #[track_caller]
    pub fn find() -> Option<Self> {
        available(Part::Helm.find().and_then(|program| {
            let home = tempfile::tempdir().map_err(PartError::io("create a temporary directory"))?;
            // A file that is not there: the developer's own cluster is never touched by accident.
            let kubeconfig = home.path().join("no-cluster");
            Ok(Self { program, home, kubeconfig })
        }))
    }

    /// The same helm, acting on the cluster of a kubeconfig (see [`crate::kube::Cluster::kubeconfig`]).
    #[must_use]
    pub fn on(self, kubeconfig: &Path) -> Self {
        Self { kubeconfig: kubeconfig.to_owned(), ..self }
    }

    /// Runs it with these arguments, in the repository's root directory.
    ///
    /// # Panics
    /// When it cannot be started or does not end within three minutes. Its exit code is the caller's matter.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(crate::parts::repository_root())
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HELM_CONFIG_HOME", self.home.path().join("config"))
            .env("HELM_CACHE_HOME", self.home.path().join("cache"))
            .env("HELM_DATA_HOME", self.home.path().join("data"));
        run(command, ENDS_WITHIN).unwrap_or_else(|error| panic!("helm {}: {error}", arguments.join(" ")))
    }

    /// What it prints when it succeeds.
    ///
    /// # Panics
    /// As [`Self::run`], and when it fails, with what it said.
    #[track_caller]
    pub fn stdout(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "helm {} failed:\n{errors}", arguments.join(" "));
        String::from_utf8(output.stdout).expect("helm prints UTF-8")
    }
}
