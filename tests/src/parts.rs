//! Which outside programs the tests use, where each is looked for, and what happens when one is missing.
//!
//! Never downloads or builds anything: `tests/tools.sh` does that, and every message here says so.

use std::env;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// An outside program that some tests need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The store of the API server.
    Etcd,
    /// The API server.
    KubeApiserver,
    /// The command line of Kubernetes, of the API server's version.
    Kubectl,
    /// The package tool of Kubernetes.
    Helm,
    /// An S3-compatible object store over a directory.
    Versitygw,
    /// The Lua that Argo CD runs health checks in.
    Glua,
    /// A browser without a window.
    Chromium,
}

impl Part {
    /// The file names it is known by, most usual first.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Etcd => &["etcd"],
            Self::KubeApiserver => &["kube-apiserver"],
            Self::Kubectl => &["kubectl"],
            Self::Helm => &["helm"],
            Self::Versitygw => &["versitygw"],
            Self::Glua => &["glua"],
            Self::Chromium => &["chromium", "chromium-browser", "google-chrome"],
        }
    }

    /// The variable that names the file itself and wins over every search (envtest's names where it has one).
    pub fn variable(self) -> &'static str {
        match self {
            Self::Etcd => "TEST_ASSET_ETCD",
            Self::KubeApiserver => "TEST_ASSET_KUBE_APISERVER",
            Self::Kubectl => "TEST_ASSET_KUBECTL",
            Self::Helm => "TEST_ASSET_HELM",
            Self::Versitygw => "TEST_ASSET_VERSITYGW",
            Self::Glua => "TEST_ASSET_GLUA",
            Self::Chromium => "TEST_ASSET_CHROMIUM",
        }
    }

    /// The variable with the directory of built programs, and that directory's place in the repository.
    fn directory(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Etcd | Self::KubeApiserver | Self::Kubectl => {
                Some(("KUBEBUILDER_ASSETS", "target/kubebuilder"))
            }
            Self::Helm | Self::Versitygw | Self::Glua => Some(("TENANTRY_TEST_TOOLS", "target/tools")),
            Self::Chromium => None,
        }
    }

    /// Whether any program of that name will do. The API server and its store belong to one version and are never
    /// taken from the `PATH`.
    fn on_path(self) -> bool {
        matches!(self, Self::Kubectl | Self::Helm | Self::Versitygw | Self::Glua | Self::Chromium)
    }

    /// The program's file, or [`PartError::Missing`]. A variable that names a file which is not there is an error,
    /// never a reason to look further.
    pub fn find(self) -> Result<PathBuf, PartError> {
        let missing = || PartError::Missing { part: self };
        if let Some(file) = env::var_os(self.variable()) {
            let file = PathBuf::from(file);
            return if file.is_file() { Ok(file) } else { Err(missing()) };
        }
        let mut directories = Vec::new();
        if let Some((variable, default)) = self.directory() {
            directories
                .push(env::var_os(variable).map_or_else(|| repository_root().join(default), PathBuf::from));
        }
        if self.on_path() {
            directories.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        }
        let candidates =
            directories.iter().flat_map(|dir| self.names().iter().map(move |name| dir.join(name)));
        candidates.into_iter().find(|file| file.is_file()).ok_or_else(missing)
    }
}

/// The repository's root directory.
pub fn repository_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests crate lies inside the repository")
}

/// Why a real part cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// Its program is nowhere.
    #[error(
        "{} was not found; `just tools` builds or fetches it, or {} may name its file",
        part.names()[0], part.variable()
    )]
    Missing {
        /// What was looked for.
        part: Part,
    },
    /// `USE_EXISTING_CLUSTER=true`, and the current kubeconfig leads nowhere.
    #[error("USE_EXISTING_CLUSTER is true, but the current kubeconfig cannot be used")]
    Kubeconfig(#[from] ::kube::config::KubeconfigError),
    /// A request to the started API server failed.
    #[error("the API server does not answer as it should")]
    Api(#[from] ::kube::Error),
    /// It ended before it was ready. A port that somebody else took in the meantime looks like this too.
    #[error("{name} ended before it was ready; the end of its log:\n{log}")]
    Exited {
        /// The program.
        name: String,
        /// The last lines that it wrote.
        log: String,
    },
    /// It runs, and did not become ready in time.
    #[error("{name} was not ready after {seconds} s; the end of its log:\n{log}")]
    NotReady {
        /// The program.
        name: String,
        /// How long it was given.
        seconds: u64,
        /// The last lines that it wrote.
        log: String,
    },
    /// A command that should have ended did not, and was killed.
    #[error("{name} did not end within {seconds} s and was killed")]
    TooSlow {
        /// The program.
        name: String,
        /// How long it was given.
        seconds: u64,
    },
    /// A file, directory, port or process could not be had.
    #[error("cannot {what}")]
    Io {
        /// What was tried.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
}

impl PartError {
    /// For `map_err`: names what was tried.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// The part, or `None` when it is missing and this is not CI: the calling test then returns at once.
///
/// The notice goes straight to standard error, past the capture of the test runner: a test that did not run must not
/// look like one that passed.
///
/// # Panics
/// When the part is missing and `CI` is `true`, and on every other error.
#[track_caller]
pub fn available<T>(part: Result<T, PartError>) -> Option<T> {
    match part {
        Ok(part) => Some(part),
        Err(error @ PartError::Missing { .. }) if env::var("CI").as_deref() != Ok("true") => {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            // Nothing to be done when standard error is closed.
            let _ = writeln!(io::stderr().lock(), "\n*** DID NOT RUN: {test}: {error}\n");
            None
        }
        Err(error) => {
            let mut message = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                message = format!("{message}: {cause}");
                source = cause.source();
            }
            panic!("{message}");
        }
    }
}
