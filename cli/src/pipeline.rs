//! The one path from files to plans, shared by every command that looks at consoles.
//!
//! Reading never writes: no lock, no ledger, no cache is touched unless the run may write. Consoles are observed side
//! by side; one that cannot be read fails alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use tenantry_consoles::{Credentials, Settings as HttpSettings};
use tenantry_engine::address::{ConsoleName, VendorAccount};
use tenantry_engine::console::Console;
use tenantry_engine::declare::Declaration;
use tenantry_engine::desired::Desired;
use tenantry_engine::ledger::Ledger;
use tenantry_engine::observe::Settings;
use tenantry_engine::observed::{Details, Identity};
use tenantry_engine::plan::findings::{Code, Finding};
use tenantry_engine::plan::{Approvals, Plan};
use tenantry_engine::run::{Job, Prepared};
use tenantry_engine::runtime::Runtime;
use tenantry_engine::text::terminal;

use crate::app::Globals;
use crate::exit::CliError;
use crate::outside::{AgeSealer, RandomIds, clock};
use crate::progress::Stderr;
use crate::secrets::{Finder, Keeper};
use crate::state::StateDir;

/// What a run needs beside declarations.
pub struct Run {
    /// Clock, identifiers, wish to stop, progress, sealing.
    pub runtime: Runtime,
    /// The state directory.
    pub state: StateDir,
    /// Where credentials are.
    pub secrets: Finder,
    /// Names this run in the log.
    pub id: String,
    /// Where progress goes.
    pub progress: Arc<Stderr>,
    endpoints: BTreeMap<String, url::Url>,
    settings: HttpSettings,
}

impl Run {
    /// For this command line; `recipients` are those of one-time secrets.
    pub fn new(globals: &Globals, recipients: Vec<String>) -> Result<Self, CliError> {
        let state = StateDir::new(&globals.state_dir);
        let ids = RandomIds;
        let progress = Arc::new(Stderr::new(globals.log_format));
        let id = tenantry_engine::runtime::Ids::uuid(&ids);
        Ok(Self {
            runtime: Runtime {
                clock: clock(globals.now.as_deref())?,
                ids: Arc::new(ids),
                stop: globals.stop.clone(),
                progress: Arc::clone(&progress) as Arc<dyn tenantry_engine::runtime::Progress>,
                sealer: Arc::new(AgeSealer { dir: state.secrets(), recipients }),
            },
            state,
            secrets: Finder { dir: globals.secrets_dir.clone() },
            id: id[..8].to_owned(),
            progress,
            endpoints: globals.endpoints()?,
            settings: HttpSettings::default(),
        })
    }

    /// The longest that one request may be on its way.
    pub fn request_timeout(&self) -> jiff::SignedDuration {
        jiff::SignedDuration::try_from(self.settings.write_timeout)
            .unwrap_or(jiff::SignedDuration::from_secs(60))
    }

    /// Connects one console; `write` says whether its write credential may be opened later.
    pub fn connect(&self, desired: &Desired<'_>, write: bool) -> Result<Box<dyn Console>, CliError> {
        let console = &desired.console;
        let credentials = console.spec.credentials.as_ref();
        let read = credentials.and_then(|credentials| credentials.read.as_ref()).ok_or_else(|| {
            CliError::new("no-credential", format!("Console {} names no read credential", console.name))
                .hint(format!("{}: write spec.credentials.read.secretRef.name", console.origin))
        })?;
        let later =
            credentials.and_then(|credentials| credentials.write.as_ref()).filter(|_| write).map(|source| {
                Arc::new(self.secrets.later(&source.secret_ref.name))
                    as Arc<dyn tenantry_consoles::WriteSecrets>
            });
        let write = credentials.and_then(|credentials| credentials.write.as_ref());
        let names = [("read", Some(read)), ("write", write)];
        let names = names
            .into_iter()
            .filter_map(|(which, source)| Some((which, source?.secret_ref.name.to_string())));
        let keeper = Keeper { finder: self.secrets.clone(), names: names.collect() };
        let settings = HttpSettings { sink: Some(Arc::new(keeper)), ..self.settings.clone() };
        let credentials = Credentials { read: self.secrets.find(&read.secret_ref.name)?, write: later };
        let endpoint = self.endpoints.get(console.name.as_str()).cloned();
        Ok(tenantry_consoles::connect(
            console.spec,
            &console.name,
            credentials,
            endpoint,
            &self.runtime,
            &settings,
        )?)
    }

    /// `--endpoint` names only consoles that are declared.
    pub fn check_endpoints(&self, declaration: &Declaration<'_>) -> Result<(), CliError> {
        for name in self.endpoints.keys() {
            if !declaration.consoles.contains_key(name.as_str()) {
                let known: Vec<&str> = declaration.consoles.keys().map(ConsoleName::as_str).collect();
                return Err(CliError::usage(format!(
                    "--endpoint {name}=…: no Console {} is declared",
                    terminal(name)
                ))
                .hint(format!("declared are: {}", known.join(", "))));
            }
        }
        Ok(())
    }
}

/// Recipients of one-time secrets over all consoles.
pub fn recipients(declaration: &Declaration<'_>) -> Vec<String> {
    declaration
        .consoles
        .values()
        .filter_map(|desired| desired.console.spec.one_time_secrets.as_ref())
        .filter_map(|secrets| secrets.age_recipients.clone())
        .flatten()
        .collect()
}

/// A console that answered who we are.
pub struct Connected<'a> {
    /// What is desired there.
    pub desired: &'a Desired<'a>,
    /// The console.
    pub console: Box<dyn Console>,
    /// Who we are there.
    pub identity: Identity,
}

/// Connects and identifies all consoles side by side. Those that fail are told with their error; the rest goes on.
pub async fn connect<'a>(
    run: &Run,
    declaration: &'a Declaration<'a>,
    write: bool,
) -> Result<(Vec<Connected<'a>>, Vec<CliError>), CliError> {
    // One that is declared and has no behaviour yet is a finding, at its line.
    let not_yet = declaration.findings.iter().any(|finding| finding.code == Code::NotSupportedYet);
    if declaration.consoles.is_empty() && !not_yet {
        return Err(CliError::new(
            "no-console",
            "no Console is declared in what was read: nothing was compared",
        )
        .hint(
            "-f names the file or directory that declares it; tenantry init makes a repository to begin with",
        ));
    }
    run.check_endpoints(declaration)?;
    connect_these(run, declaration.consoles.values(), write).await
}

/// As [`connect`], for some consoles.
pub async fn connect_these<'a>(
    run: &Run,
    consoles: impl Iterator<Item = &'a Desired<'a>>,
    write: bool,
) -> Result<(Vec<Connected<'a>>, Vec<CliError>), CliError> {
    let mut failed = Vec::new();
    let mut opened = Vec::new();
    for desired in consoles {
        match run.connect(desired, write) {
            Ok(console) => opened.push((desired, console)),
            Err(error) => failed.push(error.of_console(&desired.console.name)),
        }
    }
    let waiting = run.progress.waits_for(names(opened.iter().map(|(desired, _)| *desired)));
    let identities = join_all(opened.iter().map(|(_, console)| console.identify())).await;
    drop(waiting);
    let mut connected = Vec::new();
    for ((desired, console), identity) in opened.into_iter().zip(identities) {
        match identity {
            Ok(identity) => connected.push(Connected { desired, console, identity }),
            Err(error) => failed.push(CliError::from(error).of_console(&desired.console.name)),
        }
    }
    one_console_per_account(&connected)?;
    Ok((connected, failed))
}

/// Consoles in words, for progress.
pub fn names<'a>(consoles: impl Iterator<Item = &'a Desired<'a>>) -> String {
    consoles.map(|desired| desired.console.name.to_string()).collect::<Vec<_>>().join(", ")
}

/// Two Consoles on one vendor account would each take the other's records for strangers: both are refused.
fn one_console_per_account(connected: &[Connected<'_>]) -> Result<(), CliError> {
    let mut seen: BTreeMap<&VendorAccount, &ConsoleName> = BTreeMap::new();
    for one in connected {
        if let Some(other) = seen.insert(&one.identity.vendor_account, &one.desired.console.name) {
            return Err(CliError::new(
                "same-account",
                format!(
                    "the Consoles {other} and {} are the same vendor account {}",
                    one.desired.console.name, one.identity.vendor_account
                ),
            )
            .hint(format!(
                "{}: one account has one Console; take one of them out",
                one.desired.console.origin
            )));
        }
    }
    Ok(())
}

/// The ledger of a console, without writing: the one that is there, or a new one in memory. A Console that was seen
/// with another vendor account is refused.
pub fn ledger(run: &Run, one: &Connected<'_>) -> Result<Ledger, CliError> {
    check_account(run, one)?;
    let account = &one.identity.vendor_account;
    Ok(run.state.ledger(account)?.unwrap_or_else(|| Ledger::new(account.clone(), run.runtime.ids.uuid())))
}

/// Refuses another vendor account than the Console had before.
pub fn check_account(run: &Run, one: &Connected<'_>) -> Result<(), CliError> {
    let index = run.state.index()?;
    let name = &one.desired.console.name;
    match index.consoles.get(name) {
        Some(before) if *before != one.identity.vendor_account => Err(CliError::new(
            "another-account",
            format!(
                "Console {name} was {before}; its credential now belongs to {}",
                one.identity.vendor_account
            ),
        )
        .hint("nothing was planned: another account's customers are not these")
        .hint(format!(
            "put the right credential back; or, if the move is meant: tenantry state move-console {name}"
        ))),
        _ => Ok(()),
    }
}

/// How many details one run reads at most: what fits into ten minutes at two reads a second.
pub const READ_BUDGET: usize = 1200;

/// Objects that live until the process ends: what declarations hold, a hundred thousand times, is given back at once
/// then, and not taken apart before.
pub fn until_the_end<T>(value: T) -> &'static T
where
    T: 'static,
{
    Box::leak(Box::new(value))
}

/// One console, seen and planned.
pub struct Seen<'a> {
    /// The console.
    pub one: Connected<'a>,
    /// The ledger it was planned against.
    pub ledger: Ledger,
    /// What was seen and what follows.
    pub prepared: Prepared,
}

impl Seen<'_> {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.prepared.planned.plan
    }
}

/// A job of the engine for one connected console.
pub fn job<'j>(
    run: &'j Run,
    one: &'j Connected<'j>,
    approvals: &'j Approvals,
    cache: &'j Details,
    budget: usize,
) -> Job<'j> {
    Job {
        console: &*one.console,
        identity: &one.identity,
        desired: one.desired,
        approvals,
        runtime: &run.runtime,
        cache,
        settings: Settings { read_budget: budget },
        request_timeout: run.request_timeout(),
        run: &run.id,
        before: None,
    }
}

/// Does something for every console, each on a thread of its own: reading a list and planning from it keep a processor
/// busy. In the order of the consoles.
pub async fn side_by_side<I: Send, O: Send>(consoles: Vec<I>, each: impl AsyncFn(I) -> O + Sync) -> Vec<O> {
    let runtime = tokio::runtime::Handle::current();
    if consoles.len() < 2 || runtime.runtime_flavor() == tokio::runtime::RuntimeFlavor::CurrentThread {
        return join_all(consoles.into_iter().map(|one| each(one))).await;
    }
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                consoles.into_iter().map(|one| scope.spawn(|| runtime.block_on(each(one)))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    })
}

/// Observes and plans every console, without writing anything. `keep` says what is needed of each: a console's records
/// and ledger are large, and go before the next one is planned.
pub async fn look<'a, T: Send>(
    run: &Run,
    declaration: &'a Declaration<'a>,
    approvals: &Approvals,
    budget: usize,
    keep: impl Fn(Seen<'a>) -> T + Sync,
) -> Result<(Vec<T>, Vec<CliError>), CliError> {
    let (connected, mut failed) = connect(run, declaration, false).await?;
    let waiting = run.progress.waits_for(names(connected.iter().map(|one| one.desired)));
    let results = side_by_side(connected, async |one: Connected<'a>| {
        let looked = async {
            let ledger = ledger(run, &one)?;
            let cache = run.state.cache(&one.identity.vendor_account);
            let prepared =
                tenantry_engine::run::look(&job(run, &one, approvals, &cache, budget), &ledger).await?;
            Ok::<_, CliError>((ledger, prepared))
        };
        let (ledger, prepared) = looked.await.map_err(|error| error.of_console(&one.desired.console.name))?;
        told_console(run, &one, &prepared);
        Ok::<_, CliError>(keep(Seen { one, ledger, prepared }))
    })
    .await;
    drop(waiting);
    let mut seen = Vec::new();
    for result in results {
        match result {
            Ok(one) => seen.push(one),
            Err(error) => failed.push(error),
        }
    }
    Ok((seen, failed))
}

/// The console's line of progress: who we are there, how much it holds, what reading it cost.
pub fn told_console(run: &Run, one: &Connected<'_>, prepared: &Prepared) {
    let looked = &prepared.planned.plan.looked;
    let count = |n: usize, noun: &str| crate::diagnostics::counted(n, noun);
    let details = if looked.cost.details > 0 {
        format!(" + {}", count(looked.cost.details as usize, "detail"))
    } else {
        String::new()
    };
    let over = if prepared.reads.over_budget > 0 {
        format!(", {} details over this run's budget", prepared.reads.over_budget)
    } else {
        String::new()
    };
    let not_compared = if looked.not_compared > 0 {
        format!(", {} not compared", looked.not_compared)
    } else {
        String::new()
    };
    run.progress.line(
        &serde_json::json!({"event": "observed", "console": one.desired.console.name, "records": looked.records, "cost": looked.cost}),
        &format!(
            "{:<11} {} · {}, {}{details}{over}{not_compared}",
            one.desired.console.name,
            terminal(&one.identity.title),
            count(looked.records, "customer"),
            count(looked.cost.pages as usize, "page"),
        ),
    );
}

/// All errors of consoles that failed, as one.
pub fn together(failed: Vec<CliError>) -> Option<CliError> {
    let mut failed = failed.into_iter();
    let mut first = failed.next()?;
    first.more.also.extend(failed);
    Some(first)
}

/// What a plan says of the consoles that failed: whoever reads it alone must not take them for unchanged.
pub fn not_planned(failed: &[CliError]) -> Vec<Finding> {
    failed
        .iter()
        .map(|error| {
            let finding = Finding::new(Code::NotPlanned, terminal(&error.lasting_sentence()));
            error.hints.iter().fold(finding, |finding, hint| finding.next(terminal(hint)))
        })
        .collect()
}
