//! `tenantry simulate`: simulated consoles as servers on the loopback interface, until Ctrl-C.
//!
//! Over TLS they are trusted by nobody who was not handed the certificate: nothing is written to the system's trust
//! store, and no client is told to look less closely.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::{Timestamp, Unit};
use tenantry_simulator::{Config, Identity};
use url::Url;

use crate::app::{Globals, print};
use crate::demo::{Consoles, certificate, on_port, quickstart};
use crate::exit::{CliError, Exit, io};

/// How often the wish to stop is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Simulated consoles as servers, to try everything else against.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry simulate --write sandbox      then, elsewhere: cd sandbox && . ./env.sh && tenantry plan\n  tenantry simulate --port 0             on any free port; prints lines to paste\n  tenantry simulate --seed sim.json      what the consoles hold at first\n  tenantry simulate --tls ca.pem         over TLS; clients trust ca.pem: export SSL_CERT_FILE=ca.pem\n  tenantry simulate --public-url https://consoles.example.com    behind a proxy of yours"
)]
pub struct Simulate {
    /// Port of the loopback interface; 0 takes any that is free
    #[arg(long, value_name = "N", default_value_t = 8484)]
    pub port: u16,
    /// What the consoles hold at first (JSON); without it, the quickstart's
    #[arg(long, value_name = "FILE")]
    pub seed: Option<PathBuf>,
    /// Write credentials and env.sh there; without --seed, the quickstart's declarations too
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
    /// Serve TLS with a certificate made for this run; FILE is what clients then trust
    #[arg(long, value_name = "FILE", conflicts_with = "tls_cert")]
    pub tls: Option<PathBuf>,
    /// Serve TLS with this certificate, then those of its issuers (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The key to --tls-cert (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// The URL by which the world reaches the consoles, where that is another one
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
}

impl Simulate {
    /// Runs it.
    pub async fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        let seed = match &self.seed {
            None => quickstart::seed(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| io("read", path, &error))?;
                serde_json::from_str(&text).map_err(|error| {
                    CliError::new("bad-seed", format!("{} is no JSON: {error}", path.display()))
                })?
            }
        };
        let now = match &globals.now {
            Some(text) => text
                .parse()
                .map_err(|error| CliError::usage(format!("--now {text} is no moment: {error}")))?,
            None => Timestamp::now().round(Unit::Second).unwrap_or(Timestamp::UNIX_EPOCH),
        };
        let public = self.public_url.as_deref().map(public_url).transpose()?;
        let (tls, trust) = self.identity(public.as_ref())?;
        let config = Config { tls, public_url: public.map(String::from), ..on_port(self.port, now) };
        let consoles = Consoles::start_as(config, &seed).await?;
        let shown = Shown { consoles: &consoles, trust };
        let next = match &self.write {
            None => shown.paste(),
            Some(dir) => shown.written(dir, self.seed.is_none())?,
        };
        print(&format!("{}\n{next}\nCtrl-C stops them; nothing is kept.\n", shown.told()))?;
        while !globals.stop.asked() {
            tokio::time::sleep(LOOK).await;
        }
        consoles.running.stop().await;
        Ok(Exit::Done)
    }

    /// Who the consoles are to a TLS client, and the file that a client trusts where that was made here.
    fn identity(&self, public: Option<&Url>) -> Result<(Option<Identity>, Option<PathBuf>), CliError> {
        let read = |path: &PathBuf| std::fs::read_to_string(path).map_err(|error| io("read", path, &error));
        if let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) {
            return Ok((Some(Identity { certificate: read(certificate)?, key: read(key)? }), None));
        }
        let Some(place) = &self.tls else { return Ok((None, None)) };
        let mut names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        names.extend(public.and_then(Url::host_str).map(|host| host.trim_matches(['[', ']']).to_owned()));
        let other =
            std::fs::read(place).is_ok_and(|found| !found.starts_with(b"-----BEGIN CERTIFICATE-----"));
        if other {
            return Err(CliError::usage(format!(
                "--tls {}: it holds something else than a certificate",
                place.display()
            ))
            .hint("name a new file: the certificate that clients then trust is written there")
            .hint("a certificate of your own is served with --tls-cert FILE --tls-key FILE"));
        }
        let made = certificate::make(&names)?;
        std::fs::write(place, &made.authority).map_err(|error| io("write", place, &error))?;
        let place = std::path::absolute(place).map_err(|error| io("find", place, &error))?;
        Ok((Some(made.identity), Some(place)))
    }
}

/// A URL that answers can begin with.
fn public_url(text: &str) -> Result<Url, CliError> {
    let bad = |because: String| {
        CliError::usage(format!("--public-url {text}: {because}"))
            .hint("write --public-url https://HOST, with a path if the consoles are below one")
    };
    let url = Url::parse(text).map_err(|error| bad(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("it begins with neither https:// nor http://".to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(bad("more than a host and a path stands there".to_owned()));
    }
    Ok(url)
}

/// What is told of running consoles.
struct Shown<'c> {
    consoles: &'c Consoles,
    /// What a client trusts, where it was made for this run.
    trust: Option<PathBuf>,
}

impl Shown<'_> {
    /// What runs where.
    fn told(&self) -> String {
        let url = self.consoles.running.base_url();
        let curl = self.curl();
        let mut out = String::from("Simulated consoles, on this machine only:\n");
        for console in &self.consoles.all {
            out.push_str(&format!("  {:<20}  {}\n", console.name, console.endpoint));
        }
        out.push_str(&format!(
            "  {:<20}  {url}/_sim\n  {:<20}  {curl} {url}/_sim/clock\n  {:<20}  {curl} {url}/_sim/clock -d '{{\"advance\":\"P1D\"}}'\n  {:<20}  {url}/_sim/log\n",
            "what there is", "its clock stands", "move it", "what was asked",
        ));
        if let Some(trust) = &self.trust {
            out.push_str(&format!("  {:<20}  {}\n", "to be trusted", trust.display()));
        }
        out
    }

    fn curl(&self) -> String {
        self.trust
            .as_ref()
            .map_or_else(|| "curl -s".to_owned(), |trust| format!("curl -s --cacert '{}'", trust.display()))
    }

    /// Lines for another terminal.
    fn paste(&self) -> String {
        format!(
            "Paste into another terminal:\n{}{}\nThen: tenantry plan -f examples/quickstart\n",
            self.consoles.exports(None),
            self.more()
        )
    }

    /// What else a terminal needs: whom to trust, and the time of the commands, which is the simulator's.
    fn more(&self) -> String {
        let trust = self
            .trust
            .as_ref()
            .map_or_else(String::new, |trust| format!("export SSL_CERT_FILE='{}'\n", trust.display()));
        format!(
            "{trust}export TENANTRY_NOW=\"$({} {}/_sim/clock | cut -d'\"' -f4)\"   # again after moving the clock\n",
            self.curl(),
            self.consoles.running.base_url()
        )
    }

    fn written(&self, dir: &Path, declarations: bool) -> Result<String, CliError> {
        std::fs::create_dir_all(dir).map_err(|error| io("create", dir, &error))?;
        let dir = std::path::absolute(dir).map_err(|error| io("find", dir, &error))?;
        let secrets = dir.join(".secrets");
        self.consoles.write_secrets(&secrets)?;
        let env = dir.join("env.sh");
        std::fs::write(&env, format!("{}{}", self.consoles.exports(Some(&secrets)), self.more()))
            .map_err(|error| io("write", &env, &error))?;
        if declarations {
            quickstart::write(&dir)?;
        }
        Ok(format!(
            "In another terminal:\n  cd {} && . ./env.sh\n  tenantry plan\n  tenantry apply\n",
            dir.display()
        ))
    }
}
