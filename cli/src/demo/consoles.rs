//! Simulated consoles with the names, addresses and credentials by which the command line reaches them.
//!
//! A partner `<vendor>/<key>` of a seed is the Console `<vendor>` where the seed has one partner of that vendor, else
//! `<vendor>-<key>`; its credentials are the secrets `<console>-read` and `<console>-write`.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use tenantry_simulator::{Config, Running, Simulator, StartError};

use crate::exit::{CliError, io};
use crate::secrets::upper_snake;

/// One simulated console.
pub struct SimulatedConsole {
    /// The Console's name in declarations.
    pub name: String,
    /// The vendor.
    pub vendor: String,
    /// The partner's key in the seed.
    pub key: String,
    /// Where it answers.
    pub endpoint: String,
    /// Its credential: keys and values. They open a simulated account and may be shown.
    pub credential: Vec<(&'static str, String)>,
}

impl SimulatedConsole {
    /// Names of the secrets that hold the credential.
    pub fn secrets(&self) -> [String; 2] {
        ["read", "write"].map(|which| format!("{}-{which}", self.name))
    }
}

/// Simulated consoles that run in this process until this is dropped.
pub struct Consoles {
    /// The simulator.
    pub running: Running,
    /// The consoles, by vendor and key.
    pub all: Vec<SimulatedConsole>,
}

impl Consoles {
    /// Starts them on a port of the loopback interface (0: any that is free) with what a seed document holds.
    pub async fn start(port: u16, seed: &Value, now: Timestamp) -> Result<Self, CliError> {
        Self::start_as(on_port(port, now), seed).await
    }

    /// The same, as configured.
    pub async fn start_as(config: Config, seed: &Value) -> Result<Self, CliError> {
        let running = Simulator::start(config).await.map_err(|error| {
            let taken = matches!(error, StartError::Bind { .. });
            let out = CliError::from_error("simulator-not-started", &error);
            if taken { out.hint("choose another port: tenantry simulate --port 0 takes any") } else { out }
        })?;
        running.seed(seed).map_err(|why| {
            CliError::new("bad-seed", format!("the seed is refused: {why}"))
                .hint("a seed is {\"<vendor>\": {\"<key>\": {…}}}; examples/quickstart/sim.json is one")
        })?;
        let mut all = Vec::new();
        for (vendor, keys) in seed.as_object().into_iter().flatten() {
            let keys: Vec<&String> = keys.as_object().into_iter().flatten().map(|(key, _)| key).collect();
            for key in &keys {
                all.push(SimulatedConsole {
                    name: if keys.len() == 1 { vendor.clone() } else { format!("{vendor}-{key}") },
                    vendor: vendor.clone(),
                    key: (*key).clone(),
                    endpoint: running.partner_url(vendor, key),
                    credential: credential(&running, vendor, key),
                });
            }
        }
        Ok(Self { running, all })
    }

    /// As `--endpoint` takes them.
    pub fn endpoints(&self) -> Vec<String> {
        self.all.iter().map(|console| format!("{}={}", console.name, console.endpoint)).collect()
    }

    /// Writes every credential as `DIR/<secret>/<key>`, as `--secrets-dir` reads it.
    pub fn write_secrets(&self, dir: &Path) -> Result<(), CliError> {
        for console in &self.all {
            for secret in console.secrets() {
                let dir = dir.join(secret);
                std::fs::create_dir_all(&dir).map_err(|error| io("create", &dir, &error))?;
                for (key, value) in &console.credential {
                    let path = dir.join(key);
                    std::fs::write(&path, value).map_err(|error| io("write", &path, &error))?;
                }
            }
        }
        Ok(())
    }

    /// `export` lines for a shell: the endpoints, then the credentials where they are in no directory.
    pub fn exports(&self, secrets_dir: Option<&Path>) -> String {
        let mut out = format!("export TENANTRY_ENDPOINT='{}'\n", self.endpoints().join(","));
        if let Some(dir) = secrets_dir {
            let _ = writeln!(out, "export TENANTRY_SECRETS_DIR='{}'", dir.display());
            return out;
        }
        for console in &self.all {
            for secret in console.secrets() {
                for (key, value) in &console.credential {
                    let _ = writeln!(
                        out,
                        "export TENANTRY_SECRET_{}_{}='{value}'",
                        upper_snake(&secret),
                        upper_snake(key)
                    );
                }
            }
        }
        out
    }
}

/// A simulator on this port of the loopback interface.
pub fn on_port(port: u16, starts_at: Timestamp) -> Config {
    Config { bind: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), starts_at, ..Config::default() }
}

fn credential(running: &Running, vendor: &str, key: &str) -> Vec<(&'static str, String)> {
    match vendor {
        "sophos" => {
            let credentials = running.sophos(key).credentials();
            vec![("clientId", credentials.client_id), ("clientSecret", credentials.client_secret)]
        }
        "microsoft" => running.microsoft(key).look(|account, _| {
            vec![
                ("clientId", account.client_id.clone()),
                ("clientSecret", account.client_secret.clone()),
                ("refreshToken", account.first_refresh.clone()),
            ]
        }),
        _ => Vec::new(),
    }
}
