//! The real `tenantry-controller` as a process beside a test, with the rights of a ServiceAccount.
//!
//! It runs with the arguments that the chart's Deployment has, but for the address at which it listens: never another
//! interface than the loopback one. Its rights are those of a real token, so that what the chart does not grant is
//! refused by the API server.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use ::kube::Api;
use ::kube::api::PostParams;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use serde_json::Value;
use tempfile::TempDir;

use crate::kube::Cluster;
use crate::parts::PartError;
use crate::process::{LOOK_AGAIN, Server, free_port, with_free_ports};

/// The program, built from this working copy when it is first asked for. `TENANTRY_TEST_CONTROLLER` names another one.
///
/// # Panics
/// When it cannot be built.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        std::env::var_os("TENANTRY_TEST_CONTROLLER")
            .map_or_else(|| crate::cli::build_of("tenantry-controller", &[]), PathBuf::from)
    })
}

/// Writes a kubeconfig with a fresh token of a ServiceAccount into `directory`.
///
/// # Panics
/// When the API server gives no token.
pub async fn kubeconfig_of(cluster: &Cluster, namespace: &str, account: &str, directory: &Path) -> PathBuf {
    let accounts = Api::<ServiceAccount>::namespaced(cluster.client(), namespace);
    let spec = TokenRequestSpec { expiration_seconds: Some(3600), ..TokenRequestSpec::default() };
    let request = TokenRequest { spec: Some(spec), ..TokenRequest::default() };
    let answer = accounts
        .create_token_request(account, &PostParams::default(), &request)
        .await
        .unwrap_or_else(|error| panic!("a token of {namespace}/{account}: {error}"));
    let token = answer.status.expect("an answered request has a token").token;
    let admin = fs::read_to_string(cluster.kubeconfig()).expect("the kubeconfig is there");
    let mut config: Value = serde_saphyr::from_str(&admin).expect("a kubeconfig is YAML");
    for user in config["users"].as_array_mut().expect("a kubeconfig has users") {
        user["user"] = serde_json::json!({ "token": token });
    }
    let path = directory.join(format!("{account}.kubeconfig"));
    fs::write(&path, config.to_string()).expect("the temporary directory is writable");
    path
}

/// A controller that runs until this value is dropped.
#[derive(Debug)]
pub struct Installed {
    server: Server,
    log: PathBuf,
    health: SocketAddr,
    _directory: TempDir,
}

impl Installed {
    /// Starts it with these arguments (without `--health-address`) and waits until it says that it is alive.
    ///
    /// # Panics
    /// When it is not alive within a minute.
    pub fn start(kubeconfig: &Path, arguments: &[String]) -> Self {
        Self::start_program(binary(), kubeconfig, arguments)
    }

    /// The same with another build of it.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn start_program(program: &Path, kubeconfig: &Path, arguments: &[String]) -> Self {
        with_free_ports(|| Self::try_start(program, kubeconfig, arguments))
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_start(program: &Path, kubeconfig: &Path, arguments: &[String]) -> Result<Self, PartError> {
        let directory = tempfile::tempdir().map_err(PartError::io("create a temporary directory"))?;
        let log = directory.path().join("controller.log");
        let health = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut command = Command::new(program);
        command.args(arguments).arg(format!("--health-address={health}"));
        command.env_clear().env("KUBECONFIG", kubeconfig).env("HOSTNAME", "tenantry-test-0");
        let mut server = Server::start(command, log.clone())?;
        server.wait_until(Duration::from_secs(60), || {
            get(health, "/healthz").is_some_and(|(code, _)| code == 200)
        })?;
        Ok(Self { server, log, health, _directory: directory })
    }

    /// Whether `/readyz` says yes.
    pub fn is_ready(&self) -> bool {
        get(self.health, "/readyz").is_some_and(|(code, _)| code == 200)
    }

    /// Waits until `/readyz` says yes.
    ///
    /// # Panics
    /// When it does not within a minute; with the log.
    pub fn wait_until_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.is_ready() {
            assert!(Instant::now() < deadline, "the controller is not ready:\n{}", self.log());
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Where it serves `/healthz`, `/readyz` and `/metrics`.
    pub fn health_address(&self) -> SocketAddr {
        self.health
    }

    /// The text of `/metrics`.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn metrics(&self) -> String {
        let (code, text) = get(self.health, "/metrics").expect("the controller answers");
        assert_eq!(code, 200, "{text}");
        text
    }

    /// All that it has said.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.server.id()
    }
}

/// `GET path` over plain HTTP; status and body, or `None` where nobody answers.
pub fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let patience = Duration::from_secs(10);
    let mut stream = TcpStream::connect_timeout(&address, patience).ok()?;
    stream.set_read_timeout(Some(patience)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let code = head.split(' ').nth(1)?.parse().ok()?;
    Some((code, body.to_owned()))
}
