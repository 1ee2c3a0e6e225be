//! What the controller is told on its command line. Each flag is also an environment variable, `TENANTRY_…`.
//!
//! It reads no file and no cluster; what is wrong on the command line ends the program before anything is asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use jiff::SignedDuration;
use url::Url;

use crate::endpoints::{Allowed, Network};

#[cfg(test)]
mod tests;

/// Brings partner consoles to what Customers, Licenses and Relationships in this cluster declare.
///
/// One replica of each Lease acts; others are ready and wait. Each Console is reconciled by itself: what changes is
/// planned over everything that is declared for it, within its guards, and what a guard holds waits for an approval.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "tenantry-controller",
    version,
    after_help = "\
Annotations:
  tenantry.io/approve: FINGERPRINT,…       releases these held steps, once each; on the Console or the step's object
  tenantry.io/reconcile-requested-at: TEXT reads the Console anew; any new value counts

Finalizer:
  tenantry.io/bindings is on every object with a binding. It goes as soon as the ledger knows that the declaration is
  gone, whatever the console answers. If no controller runs any more, take it off by hand; a binding that was not told
  is released when the controller runs again:
    kubectl patch customer NAME --type merge -p '{\"metadata\":{\"finalizers\":null}}'

Exit codes: 0 asked to end, 1 failure, 64 usage."
)]
pub struct Flags {
    /// Namespaces to look at, separated by commas; none = all
    #[arg(long, env = "TENANTRY_NAMESPACES", value_name = "NAMESPACE", value_delimiter = ',')]
    pub namespaces: Vec<String>,
    /// Only Consoles with these labels, as kubectl -l takes them: a shard, with a Lease of its own
    #[arg(long, env = "TENANTRY_CONSOLE_SELECTOR", value_name = "SELECTOR")]
    pub console_selector: Option<String>,
    /// Name of the Lease; shards need one each
    #[arg(long, env = "TENANTRY_LEASE_NAME", value_name = "NAME", default_value = "tenantry-controller")]
    pub lease_name: String,
    /// Namespace of the Lease [default: the pod's own, else `default`]
    #[arg(long, env = "TENANTRY_LEASE_NAMESPACE", value_name = "NAMESPACE")]
    pub lease_namespace: Option<String>,
    /// Who holds the Lease [default: HOSTNAME and a random part]
    #[arg(long, env = "TENANTRY_IDENTITY", value_name = "NAME")]
    pub identity: Option<String>,
    /// How long a Lease counts after its last renewal; work stops earlier, by --write-timeout at least
    #[arg(long, env = "TENANTRY_LEASE_DURATION", value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub lease_duration: Duration,
    /// How long changes are gathered before they are reconciled
    #[arg(long, env = "TENANTRY_DEBOUNCE", value_name = "DURATION", default_value = "300ms", value_parser = duration)]
    pub debounce: Duration,
    /// How much of the interval between two observations is left to chance, in percent
    #[arg(long, env = "TENANTRY_JITTER", value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=50))]
    pub jitter: u8,
    /// Where a Console is, instead of the vendor's own hosts: CONSOLE=URL or NAMESPACE/CONSOLE=URL
    #[arg(long = "endpoint", env = "TENANTRY_ENDPOINT", value_name = "CONSOLE=URL", value_delimiter = ',', value_parser = endpoint)]
    pub endpoints: Vec<(String, Url)>,
    /// Endpoints may be at these addresses too: loopback, private, link-local, or a network such as 10.1.0.0/16
    #[arg(long, env = "TENANTRY_ALLOW_ENDPOINT_NETWORKS", value_name = "NETWORK", value_delimiter = ',')]
    pub allow_endpoint_networks: Vec<Network>,
    /// Endpoints may be http:// where their address is allowed by --allow-endpoint-networks
    #[arg(long, env = "TENANTRY_ALLOW_HTTP_ENDPOINTS", default_value_t = false)]
    pub allow_http_endpoints: bool,
    /// Where /healthz, /readyz and /metrics are served
    #[arg(long, env = "TENANTRY_HEALTH_ADDRESS", value_name = "IP:PORT", default_value = "0.0.0.0:8080")]
    pub health_address: SocketAddr,
    /// Where /plan and /snapshot are served, to whom may `get consoles/snapshot`; off unless given
    #[arg(long, env = "TENANTRY_PLAN_ADDRESS", value_name = "IP:PORT")]
    pub plan_address: Option<SocketAddr>,
    /// Certificate chain of the plan server, PEM
    #[arg(long, env = "TENANTRY_PLAN_CERTIFICATE", value_name = "FILE", requires = "plan_key")]
    pub plan_certificate: Option<PathBuf>,
    /// Private key of the plan server, PEM
    #[arg(long, env = "TENANTRY_PLAN_KEY", value_name = "FILE", requires = "plan_certificate")]
    pub plan_key: Option<PathBuf>,
    /// Serve the plan without TLS: a token is readable on the way, so only behind something that encrypts
    #[arg(long, env = "TENANTRY_PLAN_PLAIN", default_value_t = false)]
    pub plan_plain: bool,
    /// How long a console may take to answer a question
    #[arg(long, env = "TENANTRY_REQUEST_TIMEOUT", value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub request_timeout: Duration,
    /// How long a console may take to carry out a change; one that takes longer is looked for, not repeated
    #[arg(long, env = "TENANTRY_WRITE_TIMEOUT", value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub write_timeout: Duration,
    /// How long to finish what was begun when asked to end
    #[arg(long, env = "TENANTRY_SHUTDOWN_TIMEOUT", value_name = "DURATION", default_value = "35s", value_parser = duration)]
    pub shutdown_timeout: Duration,
    /// Plan and report, and write neither consoles nor bindings: to see what it would do
    #[arg(long, env = "TENANTRY_PLAN_ONLY", default_value_t = false)]
    pub plan_only: bool,
    /// Ask the controller at this address whether it is ready, say what it answers, and end; for `helm test`
    #[arg(long, value_name = "HOST:PORT")]
    pub ready_at: Option<String>,
    /// Read the time from a simulator (the clock's URL that `tenantry simulate` prints)
    #[arg(long, env = "TENANTRY_NOW_FROM", value_name = "URL")]
    pub now_from: Option<Url>,
}

impl Flags {
    /// Endpoints by Console.
    pub fn endpoints(&self) -> BTreeMap<String, Url> {
        self.endpoints.iter().cloned().collect()
    }

    /// Which endpoints may be spoken to.
    pub fn allowed(&self) -> Allowed {
        Allowed { networks: self.allow_endpoint_networks.clone(), http: self.allow_http_endpoints }
    }

    /// What no single flag can say of itself.
    pub fn check(&self) -> Result<(), String> {
        if self.plan_address.is_some() && self.plan_certificate.is_none() && !self.plan_plain {
            return Err(
                "--plan-address needs --plan-certificate and --plan-key, or --plan-plain where something \
                        else encrypts"
                    .to_owned(),
            );
        }
        if self.lease_duration < Duration::from_secs(3) || self.lease_duration.subsec_nanos() != 0 {
            return Err("--lease-duration is at least 3s, in whole seconds".to_owned());
        }
        if self.lease_duration < self.write_timeout * 2 {
            return Err(format!(
                "--lease-duration {:?} is too short for --write-timeout {:?}: a change that was begun must be over \
                 before another replica may act; give --lease-duration at least {:?}, or a shorter --write-timeout",
                self.lease_duration,
                self.write_timeout,
                self.write_timeout * 2
            ));
        }
        if self.namespaces.iter().any(String::is_empty) {
            return Err("--namespaces holds an empty name".to_owned());
        }
        Ok(())
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration =
        text.parse().map_err(|_| format!("`{text}` is no duration; write 300ms, 15s or PT15S"))?;
    Duration::try_from(parsed).map_err(|_| "a duration is not negative".to_owned())
}

fn endpoint(text: &str) -> Result<(String, Url), String> {
    let bad = || format!("`{text}` is no endpoint; write CONSOLE=https://HOST/PATH");
    let (console, url) = text.split_once('=').ok_or_else(bad)?;
    if console.is_empty() {
        return Err(bad());
    }
    Ok((console.to_owned(), url.parse().map_err(|_| bad())?))
}
