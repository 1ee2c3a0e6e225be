//! The command line: what is shared by all commands, and which commands there are.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use tenantry_engine::render::Paint;
use tenantry_engine::runtime::Stop;

use crate::commands;
use crate::exit::{CliError, Exit};

/// Declare customers, licences and relationships; see what differs in the vendors' consoles; apply it.
#[derive(Debug, Parser)]
#[command(
    name = "tenantry",
    version,
    about = "Declare customers, licences and relationships; see what differs in the vendors' consoles; apply it.",
    after_help = "Begin here:\n  tenantry demo                 everything, against simulated consoles; needs nothing\n  tenantry init my-customers    a repository to begin with\n  tenantry plan -f .            what differs; changes nothing\n  tenantry apply -f .           plan, ask, do\n\nExit codes: 0 done or nothing to do, 1 failure, 4 something refused or skipped, 64 usage, 130 interrupted.",
    propagate_version = true
)]
pub struct Cli {
    /// What all commands share.
    #[command(flatten)]
    pub globals: Globals,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How progress and errors are told on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What all commands share.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "For every command")]
pub struct Globals {
    /// Where ledgers, journals and the cache are kept
    #[arg(long, global = true, env = "TENANTRY_STATE_DIR", default_value = ".tenantry", value_name = "DIR")]
    pub state_dir: PathBuf,
    /// Where credentials are: DIR/<secret>/<key>; else TENANTRY_SECRET_<SECRET>_<KEY>
    #[arg(long, global = true, env = "TENANTRY_SECRETS_DIR", value_name = "DIR")]
    pub secrets_dir: Option<PathBuf>,
    /// Another address for a console, such as a simulator's; repeatable
    #[arg(long, global = true, env = "TENANTRY_ENDPOINT", value_name = "CONSOLE=URL", value_delimiter = ',')]
    pub endpoint: Vec<String>,
    /// Colour: auto, always, never; NO_COLOR is honoured
    #[arg(
        long,
        global = true,
        env = "TENANTRY_COLOR",
        value_enum,
        default_value = "auto",
        value_name = "WHEN"
    )]
    pub color: Colour,
    /// How progress and errors are written on stderr
    #[arg(
        long,
        global = true,
        env = "TENANTRY_LOG_FORMAT",
        value_enum,
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub log_format: LogFormat,
    /// Take this moment for now (RFC 3339); for simulators and tests
    #[arg(long, global = true, env = "TENANTRY_NOW", value_name = "TIME", hide = true)]
    pub now: Option<String>,
    /// Set by the process, not by the command line.
    #[arg(skip)]
    pub stop: Stop,
}

impl Globals {
    /// How stdout is painted.
    pub fn paint(&self) -> Paint {
        Paint { colour: self.coloured(std::io::stdout().is_terminal()), width: 80 }
    }

    /// Whether a stream is coloured.
    pub fn coloured(&self, terminal: bool) -> bool {
        match self.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// `--endpoint` as a map.
    pub fn endpoints(&self) -> Result<BTreeMap<String, url::Url>, CliError> {
        let mut out = BTreeMap::new();
        for pair in &self.endpoint {
            let bad = |because: String| {
                CliError::usage(format!("--endpoint {pair}: {because}"))
                    .hint("write --endpoint CONSOLE=https://HOST")
            };
            let (console, text) = pair.split_once('=').ok_or_else(|| bad("it has no =".into()))?;
            let url = url::Url::parse(text).map_err(|error| bad(error.to_string()))?;
            out.insert(console.to_owned(), url);
        }
        Ok(out)
    }

    /// Somebody who can be asked.
    pub fn can_ask(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }
}

/// Files to read.
#[derive(Debug, Clone, Args)]
pub struct Files {
    /// File or directory with declarations, - for stdin; repeatable
    #[arg(short = 'f', long = "file", default_value = ".", value_name = "PATH")]
    pub files: Vec<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scaffold a repository: consoles, one customer, CI workflow, editor schema
    Init(commands::init::Init),
    /// Everything once, against simulated consoles in this process; needs nothing
    #[cfg(feature = "demo")]
    Demo(commands::demo::Demo),
    /// Simulated consoles as servers, to try everything else against
    #[cfg(feature = "demo")]
    Simulate(commands::simulate::Simulate),
    /// Check declarations offline
    Validate(commands::validate::Validate),
    /// Show what differs; change nothing
    Plan(commands::plan::Plan),
    /// Plan, ask, do; or do what a saved plan says
    Apply(commands::apply::Apply),
    /// Show what changed in the consoles since the last apply; change nothing
    Drift(commands::drift::Drift),
    /// Export what the consoles hold and what is bound; change nothing
    Observe(commands::observe::Observe),
    /// Manual work: list, show, done
    Tasks(commands::tasks::Tasks),
    /// Invitations: list, ready-to-send mails, remind, revoke
    Invitations(commands::invitations::Invitations),
    /// Ledgers: list, show, move, forget, scrub, pull, push
    State(commands::state::State),
    /// Bind one declaration to an existing record
    Adopt(commands::adopt::Adopt),
    /// Write ids and accepted drift into the YAML
    Pull(commands::pull::Pull),
    /// What was done, when and why
    Log(commands::log::Log),
    /// Settle an operation in doubt that nobody but you can see
    Resolve(commands::resolve::Resolve),
    /// Check credentials, roles, position and reachability; change nothing
    Doctor(commands::doctor::Doctor),
    /// What a kind or field means
    Explain(commands::explain::Explain),
    /// JSON Schemas for editors and programs
    Schema(commands::schema::Schema),
    /// The CustomResourceDefinitions
    Crds(commands::crds::Crds),
    /// Shell completions
    Completions(commands::completions::Completions),
}

impl Command {
    /// Whether nothing that changes anything can be on its way.
    fn only_reads(&self) -> bool {
        match self {
            Command::Validate(_)
            | Command::Plan(_)
            | Command::Drift(_)
            | Command::Observe(_)
            | Command::Doctor(_)
            | Command::Log(_)
            | Command::Explain(_) => true,
            Command::Tasks(tasks) => !matches!(tasks.what, Some(commands::tasks::What::Done(_))),
            _ => false,
        }
    }
}

/// Parses a command line. Under the name `kubectl-tenantry` it is what `kubectl tenantry` runs, and says so in its help.
fn parsed(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let name = arguments.first().map(Path::new).and_then(Path::file_stem);
    let mut command = Cli::command();
    if name.is_some_and(|name| name == "kubectl-tenantry" || name == "kubectl_tenantry") {
        command = command.bin_name("kubectl tenantry");
    }
    let matches = command.try_get_matches_from_mut(arguments).map_err(|error| error.format(&mut command))?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Runs the command line of this process.
pub fn main() -> std::process::ExitCode {
    let mut cli = match parsed(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => {
            let usage = error.use_stderr();
            let _ = error.print();
            return std::process::ExitCode::from(if usage { Exit::Usage.code() } else { Exit::Done.code() });
        }
    };
    let stop = Stop::default();
    cli.globals.stop = stop.clone();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error[no-runtime]: {error}");
            return std::process::ExitCode::from(Exit::Failure.code());
        }
    };
    let json = cli.globals.log_format == LogFormat::Json;
    TELLS_JSON.store(json, Ordering::Relaxed);
    let only_reads = cli.command.only_reads();
    let result = runtime.block_on(async {
        let watcher = tokio::spawn(crate::interrupt::watch(stop, only_reads));
        let result = run(cli).await;
        watcher.abort();
        result
    });
    runtime.shutdown_background();
    let exit = match result {
        Ok(exit) => exit,
        Err(error) => {
            let text = if json { error.json() } else { error.text() };
            let _ = write!(std::io::stderr(), "{text}");
            error.exit
        }
    };
    std::process::ExitCode::from(exit.code())
}

/// Runs one parsed command line. The demo runs the lines that it shows through it.
pub(crate) async fn run(cli: Cli) -> Result<Exit, CliError> {
    let globals = &cli.globals;
    match cli.command {
        Command::Init(command) => command.run(globals),
        #[cfg(feature = "demo")]
        Command::Demo(command) => command.run(globals).await,
        #[cfg(feature = "demo")]
        Command::Simulate(command) => command.run(globals).await,
        Command::Validate(command) => command.run(globals),
        Command::Plan(command) => command.run(globals).await,
        Command::Apply(command) => command.run(globals).await,
        Command::Drift(command) => command.run(globals).await,
        Command::Observe(command) => command.run(globals).await,
        Command::Tasks(command) => command.run(globals).await,
        Command::Invitations(command) => command.run(globals).await,
        Command::State(command) => command.run(globals).await,
        Command::Resolve(command) => command.run(globals).await,
        Command::Doctor(command) => command.run(globals).await,
        Command::Adopt(command) => command.run(globals).await,
        Command::Pull(command) => command.run(globals).await,
        Command::Log(command) => command.run(globals),
        Command::Explain(command) => command.run(globals),
        Command::Schema(command) => command.run(globals),
        Command::Crds(command) => command.run(globals),
        Command::Completions(command) => command.run(globals),
    }
}

/// Writes results to stdout. A reader that has gone away is no error of ours.
pub fn print(text: &str) -> Result<(), CliError> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(crate::exit::io("write", std::path::Path::new("stdout"), &error))
        }
        _ => Ok(()),
    }
}

/// Whether this process tells on stderr in JSON; set once, when the command line is read.
static TELLS_JSON: AtomicBool = AtomicBool::new(false);

/// Tells something on stderr.
pub fn tell(text: &str) {
    let _ = if TELLS_JSON.load(Ordering::Relaxed) {
        writeln!(std::io::stderr(), "{}", serde_json::json!({"level": "info", "message": text}))
    } else {
        writeln!(std::io::stderr(), "{text}")
    };
}

/// Tells of an error that does not end the run.
pub fn tell_error(error: &CliError) {
    let json = TELLS_JSON.load(Ordering::Relaxed);
    let text = if json { error.json() } else { error.text() };
    let _ = write!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests;
