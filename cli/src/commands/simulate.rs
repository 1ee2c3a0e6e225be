//! `tenantry simulate`: simulated consoles as servers on the loopback interface, until Ctrl-C.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::{Timestamp, Unit};

use crate::app::{Globals, print};
use crate::demo::{Consoles, quickstart};
use crate::exit::{CliError, Exit, io};

/// How often the wish to stop is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Simulated consoles as servers, to try everything else against.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry simulate --write sandbox      then, elsewhere: cd sandbox && . ./env.sh && tenantry plan\n  tenantry simulate --port 0             on any free port; prints lines to paste\n  tenantry simulate --seed sim.json      what the consoles hold at first"
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
        let consoles = Consoles::start(self.port, &seed, now).await?;
        let next = match &self.write {
            None => paste(&consoles),
            Some(dir) => written(&consoles, dir, self.seed.is_none())?,
        };
        print(&format!("{}\n{next}\nCtrl-C stops them; nothing is kept.\n", told(&consoles)))?;
        while !globals.stop.asked() {
            tokio::time::sleep(LOOK).await;
        }
        consoles.running.stop().await;
        Ok(Exit::Done)
    }
}

/// What runs where.
fn told(consoles: &Consoles) -> String {
    let url = consoles.running.base_url();
    let mut out = String::from("Simulated consoles, on this machine only:\n");
    for console in &consoles.all {
        out.push_str(&format!("  {:<20}  {}\n", console.name, console.endpoint));
    }
    out.push_str(&format!(
        "  {:<20}  {url}/_sim\n  {:<20}  curl -s {url}/_sim/clock\n  {:<20}  curl -s {url}/_sim/clock -d '{{\"advance\":\"P1D\"}}'\n  {:<20}  {url}/_sim/log\n",
        "what there is", "its clock stands", "move it", "what was asked",
    ));
    out
}

/// Lines for another terminal.
fn paste(consoles: &Consoles) -> String {
    format!(
        "Paste into another terminal:\n{}{}\nThen: tenantry plan -f examples/quickstart\n",
        consoles.exports(None),
        now(consoles)
    )
}

/// The time of the commands is the simulator's.
fn now(consoles: &Consoles) -> String {
    format!(
        "export TENANTRY_NOW=\"$(curl -s {}/_sim/clock | cut -d'\"' -f4)\"   # again after moving the clock\n",
        consoles.running.base_url()
    )
}

fn written(consoles: &Consoles, dir: &Path, declarations: bool) -> Result<String, CliError> {
    std::fs::create_dir_all(dir).map_err(|error| io("create", dir, &error))?;
    let dir = std::path::absolute(dir).map_err(|error| io("find", dir, &error))?;
    let secrets = dir.join(".secrets");
    consoles.write_secrets(&secrets)?;
    let env = dir.join("env.sh");
    std::fs::write(&env, format!("{}{}", consoles.exports(Some(&secrets)), now(consoles)))
        .map_err(|error| io("write", &env, &error))?;
    if declarations {
        quickstart::write(&dir)?;
    }
    Ok(format!(
        "In another terminal:\n  cd {} && . ./env.sh\n  tenantry plan\n  tenantry apply\n",
        dir.display()
    ))
}
