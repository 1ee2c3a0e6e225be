//! A real Kubernetes API server: an existing one, or etcd and kube-apiserver started on the loopback interface.
//!
//! Order: `USE_EXISTING_CLUSTER=true` (the current kubeconfig); `KUBEBUILDER_ASSETS`; `target/kubebuilder`, which
//! `just tools` fills. `KUBEBUILDER_CONTROLPLANE_START_TIMEOUT` is envtest's, 60 s if unset.
//!
//! No controller manager runs in a started one: namespaces never finish deleting, owners are not garbage-collected
//! and no default ServiceAccount appears. Every test takes a namespace of its own and never waits for its deletion.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use ::kube::api::{ObjectMeta, PostParams};
use ::kube::config::{KubeConfigOptions, Kubeconfig};
use ::kube::{Api, Client, Config};
use k8s_openapi::api::core::v1::Namespace;
use rcgen::KeyPair;
use secrecy::ExposeSecret;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::parts::{Part, PartError, available, repository_root};
use crate::pki::Authority;
use crate::process::{LOOK_AGAIN, Server, free_port, run};

/// An API server with an administrator's access to it.
#[derive(Debug)]
pub struct Cluster {
    // Dropped in this order: the API server before its store, both before their files.
    started: Option<Started>,
    kubeconfig: PathBuf,
    config: Config,
}

#[derive(Debug)]
struct Started {
    apiserver: Server,
    /// The API server's program, its store's port, its own port.
    again: (PathBuf, u16, u16),
    etcd: Server,
    dir: TempDir,
}

/// The one that tests of a process share. Weak: it ends with the last test that holds it, because statics are never
/// dropped.
static SHARED: Mutex<Weak<Cluster>> = Mutex::const_new(Weak::new());

impl Cluster {
    /// The API server that the tests of this process share, or `None` as [`available`] says. Tests keep apart by
    /// [`Self::namespace`].
    pub async fn shared() -> Option<Arc<Self>> {
        let mut shared = SHARED.lock().await;
        if let Some(running) = shared.upgrade() {
            return Some(running);
        }
        let cluster = Arc::new(Self::start().await?);
        *shared = Arc::downgrade(&cluster);
        Some(cluster)
    }

    /// An API server that nobody else uses (except with `USE_EXISTING_CLUSTER`), or `None` as [`available`] says.
    pub async fn start() -> Option<Self> {
        available(Self::try_start().await)
    }

    /// Requests that the API server has refused (401, 403) to this user so far: `verb resource/subresource namespace`.
    /// Metrics do not count what authorization refuses, so this is read from its audit log.
    ///
    /// # Panics
    /// On an existing cluster, which was started without one.
    pub fn refusals(&self, user: &str) -> Vec<String> {
        let started = self.started.as_ref().expect("the harness started this API server");
        let text = fs::read_to_string(started.dir.path().join("audit.log")).unwrap_or_default();
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events
            .filter(|event| {
                let code = event["responseStatus"]["code"].as_u64();
                event["user"]["username"] == user && matches!(code, Some(401 | 403))
            })
            .map(|event| {
                let of = |key: &str| event["objectRef"][key].as_str().unwrap_or_default().to_owned();
                let verb = event["verb"].as_str().unwrap_or_default();
                format!("{verb} {}/{} {} {}", of("resource"), of("subresource"), of("namespace"), of("name"))
            })
            .collect()
    }

    async fn try_start() -> Result<Self, PartError> {
        if env::var("USE_EXISTING_CLUSTER").is_ok_and(|value| value.eq_ignore_ascii_case("true")) {
            return Self::existing().await;
        }
        let programs = (Part::Etcd.find()?, Part::KubeApiserver.find()?);
        let mut attempts = 0;
        loop {
            attempts += 1;
            match Self::launch(&programs.0, &programs.1).await {
                // Somebody took a port between our choice and the server's start.
                Err(PartError::Exited { .. }) if attempts < 3 => {}
                result => return result,
            }
        }
    }

    async fn existing() -> Result<Self, PartError> {
        let kubeconfig = env::var_os("KUBECONFIG").map_or_else(
            || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".kube").join("config"),
            PathBuf::from,
        );
        let config =
            Config::from_custom_kubeconfig(Kubeconfig::read()?, &KubeConfigOptions::default()).await?;
        Ok(Self { started: None, kubeconfig, config })
    }

    async fn launch(etcd: &Path, program: &Path) -> Result<Self, PartError> {
        let dir = tempfile::tempdir().map_err(PartError::io("create a temporary directory"))?;
        let token = Uuid::new_v4().to_string();
        let (store, peers, secure) = (free_port()?, free_port()?, free_port()?);
        let kubeconfig = write_files(dir.path(), &token, secure)?;

        let etcd = Server::start(etcd_command(etcd, dir.path(), store, peers), dir.path().join("etcd.log"))?;
        let apiserver = Server::start(
            apiserver_command(program, dir.path(), store, secure),
            dir.path().join("kube-apiserver.log"),
        )?;
        let config = Config::from_custom_kubeconfig(
            Kubeconfig::read_from(&kubeconfig)?,
            &KubeConfigOptions::default(),
        )
        .await?;
        let again = (program.to_owned(), store, secure);
        let mut started = Started { apiserver, again, etcd, dir };
        started.wait_until_ready(&Client::try_from(config.clone())?).await?;
        Ok(Self { started: Some(started), kubeconfig, config })
    }

    /// Ends the API server and starts it again over the same store, at the same port; `None` where it is not ours to
    /// end.
    ///
    /// # Panics
    /// When it does not come back.
    pub async fn restart_api_server(&mut self) -> Option<()> {
        let client = self.client();
        let started = self.started.as_mut()?;
        started.apiserver.stop();
        let (program, store, secure) = &started.again;
        let command = apiserver_command(program, started.dir.path(), *store, *secure);
        let log = started.dir.path().join("kube-apiserver-again.log");
        started.apiserver = Server::start(command, log).expect("it started before");
        started.wait_until_ready(&client).await.expect("it was ready before");
        Some(())
    }

    /// A client of the administrator. It belongs to the runtime of the calling test.
    ///
    /// # Panics
    /// When the kubeconfig's certificates cannot be read.
    pub fn client(&self) -> Client {
        Client::try_from(self.config.clone()).expect("a client was made from this configuration before")
    }

    /// A client that acts as another user in these groups, to see what RBAC refuses: a ServiceAccount is
    /// `system:serviceaccount:NAMESPACE:NAME` in `system:serviceaccounts` and `system:serviceaccounts:NAMESPACE`.
    ///
    /// # Panics
    /// As [`Self::client`].
    pub fn client_as(&self, user: &str, groups: &[&str]) -> Client {
        let mut config = self.config.clone();
        config.auth_info.impersonate = Some(user.to_owned());
        config.auth_info.impersonate_groups = Some(groups.iter().map(|&group| group.to_owned()).collect());
        Client::try_from(config).expect("a client was made from this configuration before")
    }

    /// The administrator's kubeconfig, for kubectl, helm and our own programs.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The administrator's token; empty where the kubeconfig has none.
    pub fn token(&self) -> String {
        let token = self.config.auth_info.token.as_ref();
        token.map(|token| token.expose_secret().to_owned()).unwrap_or_default()
    }

    /// kubectl as the administrator, or `None` as [`available`] says; for [`crate::process::run`].
    #[track_caller]
    pub fn kubectl(&self, arguments: &[&str]) -> Option<Command> {
        let mut command = Command::new(available(Part::Kubectl.find())?);
        command.args(arguments).env("KUBECONFIG", &self.kubeconfig);
        Some(command)
    }

    /// What kubectl prints when it succeeds, as the administrator; `None` as [`available`] says.
    ///
    /// # Panics
    /// When it fails, with what it said, or does not end within a minute.
    #[track_caller]
    pub fn kubectl_stdout(&self, arguments: &[&str]) -> Option<String> {
        let output = run(self.kubectl(arguments)?, Duration::from_secs(60))
            .unwrap_or_else(|error| panic!("kubectl {}: {error}", arguments.join(" ")));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {} failed:\n{errors}", arguments.join(" "));
        Some(String::from_utf8(output.stdout).expect("kubectl prints UTF-8"))
    }

    /// Installs the chart's CRDs as the documentation tells people to, and waits until each is served. `None` as
    /// [`available`] says.
    ///
    /// # Panics
    /// When one is refused, or is not served within a minute.
    #[track_caller]
    pub fn install_crds(&self) -> Option<()> {
        let directory = repository_root().join("charts").join("tenantry").join("crds");
        let directory = directory.to_str().expect("the repository's path is UTF-8");
        self.kubectl_stdout(&["apply", "--server-side", "--force-conflicts", "-f", directory])?;
        self.kubectl_stdout(&["wait", "--for=condition=Established", "--timeout=60s", "-f", directory])?;
        Some(())
    }

    /// Makes a namespace that no other test and no other run uses, and gives its name.
    ///
    /// # Panics
    /// When the API server refuses it.
    pub async fn namespace(&self, prefix: &str) -> String {
        let unique = Uuid::new_v4().simple().to_string();
        let name = format!("{prefix}-{}", &unique[..8]);
        let metadata = ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() };
        let namespace = Namespace { metadata, ..Namespace::default() };
        let namespaces = Api::<Namespace>::all(self.client());
        namespaces.create(&PostParams::default(), &namespace).await.expect("a new namespace is accepted");
        name
    }
}

impl Started {
    async fn wait_until_ready(&mut self, client: &Client) -> Result<(), PartError> {
        let limit = start_limit();
        let deadline = Instant::now() + limit;
        loop {
            let question =
                http::Request::get("/readyz").body(Vec::new()).expect("a constant request is valid");
            if client.request_text(question).await.is_ok() {
                return Ok(());
            }
            self.etcd.still_starting(deadline, limit)?;
            self.apiserver.still_starting(deadline, limit)?;
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

fn start_limit() -> Duration {
    env::var("KUBEBUILDER_CONTROLPLANE_START_TIMEOUT")
        .ok()
        .and_then(|text| text.parse::<jiff::SignedDuration>().ok())
        .and_then(|limit| Duration::try_from(limit).ok())
        .unwrap_or(Duration::from_secs(60))
}

/// Certificates, keys, the token and the kubeconfig; gives the last one's path.
fn write_files(dir: &Path, token: &str, port: u16) -> Result<PathBuf, PartError> {
    let authority = Authority::new()?;
    let serving = authority.loopback_server()?;
    let accounts = KeyPair::generate()?;
    let ca = dir.join("ca.pem");
    let kubeconfig = dir.join("kubeconfig");
    let access = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: tests\n\
         clusters: [{{name: tests, cluster: {{server: \"https://127.0.0.1:{port}\", certificate-authority: \"{}\"}}}}]\n\
         users: [{{name: admin, user: {{token: \"{token}\"}}}}]\n\
         contexts: [{{name: tests, context: {{cluster: tests, user: admin}}}}]\n",
        ca.display()
    );
    let files = [
        (ca, authority.certificate()),
        (dir.join("serving.pem"), serving.certificate),
        (dir.join("serving.key"), serving.key),
        (dir.join("accounts.key"), accounts.serialize_pem()),
        (dir.join("accounts.pub"), accounts.public_key_pem()),
        (dir.join("tokens.csv"), format!("{token},admin,admin,\"system:masters\"\n")),
        (kubeconfig.clone(), access),
        // Who asked, for what, and the answer's code; no bodies.
        (
            dir.join("audit.yaml"),
            "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived, ResponseStarted]\n\
             rules: [{level: Metadata}]\n"
                .to_owned(),
        ),
    ];
    for (path, text) in files {
        fs::write(&path, text).map_err(PartError::io(format!("write {}", path.display())))?;
    }
    Ok(kubeconfig)
}

fn etcd_command(program: &Path, dir: &Path, clients: u16, peers: u16) -> Command {
    let (clients, peers) = (format!("http://127.0.0.1:{clients}"), format!("http://127.0.0.1:{peers}"));
    let mut command = Command::new(program);
    command
        .arg("--data-dir")
        .arg(dir.join("etcd"))
        .args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients])
        .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
        .args(["--initial-cluster", &format!("default={peers}"), "--unsafe-no-fsync"])
        // The load bench holds a hundred thousand objects of each of several kinds.
        .arg("--quota-backend-bytes=8589934592");
    command
}

fn apiserver_command(program: &Path, dir: &Path, store: u16, port: u16) -> Command {
    let file = |flag: &str, name: &str| format!("--{flag}={}", dir.join(name).display());
    let mut command = Command::new(program);
    command
        .arg(format!("--etcd-servers=http://127.0.0.1:{store}"))
        .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
        .arg(format!("--secure-port={port}"))
        .arg(file("cert-dir", "certs"))
        .arg(file("tls-cert-file", "serving.pem"))
        .arg(file("tls-private-key-file", "serving.key"))
        .arg(file("client-ca-file", "ca.pem"))
        .arg(file("token-auth-file", "tokens.csv"))
        .args(["--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24"])
        .arg("--service-account-issuer=https://kubernetes.default.svc")
        .arg(file("service-account-key-file", "accounts.pub"))
        .arg(file("service-account-signing-key-file", "accounts.key"))
        .arg(file("audit-policy-file", "audit.yaml"))
        .arg(file("audit-log-path", "audit.log"))
        .args(["--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none"]);
    command
}
