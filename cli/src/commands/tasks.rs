//! `tenantry tasks`: manual work. Lists it, shows how it is done, takes that it was done.
//!
//! Without `-f` it reads the ledgers alone, offline and without a credential: a ledger keeps with each open task what
//! the plan that opened it said. With `-f` it plans afresh (reads the consoles, writes nothing) and so also shows
//! tasks that no apply has opened yet. Saying that a task is done is a claim: an observation overrides it.

mod done;
mod table;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use tenantry_engine::capability::Party;
use tenantry_engine::declare::declare;
use tenantry_engine::plan::{Approvals, Performer};
use tenantry_engine::render::Paint;
use tenantry_engine::task::{Attested, Outcome, Task};
use tenantry_engine::text::{self, terminal};

pub use done::Done;
pub(crate) use done::who;

use crate::app::{Globals, print, tell_error};
use crate::declarations::{FileScope, declarations, read};
use crate::diagnostics::counted;
use crate::exit::{CliError, Exit, io};
use crate::ledgers::{Home, Ledgers, ago, day};
use crate::load::nearest;
use crate::output::{Format, LIST_FORMAT_VERSION};
use crate::pipeline::{self, READ_BUDGET, Run};

/// What tasks are listed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// The console.
    Console,
    /// Who does it.
    Party,
}

/// Manual work: list, show, done.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  tenantry tasks                          open tasks, from the ledgers; asks no console\n  tenantry tasks -f .                     afresh from the consoles, with those that no apply opened yet\n  tenantry tasks --export csv=tasks.csv   fill in the column `done`, then: tenantry tasks done --from tasks.csv\n  tenantry tasks show ID                  the click path with its values\n  tenantry tasks done ID --note \"by phone\""
)]
pub struct Tasks {
    /// Show or close one
    #[command(subcommand)]
    pub what: Option<What>,
    /// List under consoles, or under who does it
    #[arg(long, value_enum, default_value = "console", value_name = "BY")]
    pub group: Group,
    /// How to write the list
    #[arg(short = 'o', long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub output: Format,
    /// Write a table instead: csv, or csv=FILE
    #[arg(long, value_name = "FORMAT[=FILE]", conflicts_with = "output")]
    pub export: Option<String>,
    /// Plan afresh from these declarations: reads the consoles, changes nothing; repeatable
    #[arg(short = 'f', long = "file", value_name = "PATH")]
    pub files: Vec<std::path::PathBuf>,
    /// Where the ledger is.
    #[command(flatten)]
    pub home: Home,
}

/// What is done with tasks.
#[derive(Debug, Subcommand)]
pub enum What {
    /// How one is done: the click path with its values
    Show(Show),
    /// Say that tasks are done
    Done(Done),
}

/// How one is done.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry tasks show sophos-update-billing-adatum-5e16ee\n  tenantry tasks show ID -f .             afresh, also where no apply has opened it"
)]
pub struct Show {
    /// The task
    pub id: String,
    /// Plan afresh from these declarations: reads the consoles, changes nothing; repeatable
    #[arg(short = 'f', long = "file", value_name = "PATH")]
    pub files: Vec<std::path::PathBuf>,
    /// Where the ledger is.
    #[command(flatten)]
    pub home: Home,
}

/// One task as listed.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Its console.
    pub console: String,
    /// What it is about.
    pub address: String,
    /// When it was opened; `None` = no apply has opened it yet.
    pub since: Option<Timestamp>,
    /// What is to be done, where it is known.
    pub task: Option<Task>,
    /// What was said about it.
    pub attested: Option<Attested>,
}

impl Listed {
    fn party(&self) -> Option<Party> {
        self.task.as_ref().map(|task| task.party)
    }

    fn party_words(&self) -> &'static str {
        self.party().map_or("whom the plan names", Party::words)
    }

    fn title(&self) -> String {
        self.task.as_ref().map_or_else(
            || format!("what it is: tenantry tasks show {} -f .", self.id),
            |task| terminal(&task.title),
        )
    }

    fn open(&self) -> bool {
        self.attested.is_none()
    }

    /// `open since 2026-11-12 (9 days ago)`, `said to be done on … by anna`.
    fn state(&self, now: Timestamp) -> String {
        match (&self.attested, self.since) {
            (Some(said), _) => {
                let what = if said.outcome == Outcome::Refused { "refused" } else { "said to be done" };
                format!("{what} on {} by {}", day(said.on), terminal(&said.by))
            }
            (None, Some(since)) => format!("open since {} ({})", day(since), ago(since, now)),
            (None, None) => "not opened yet: tenantry apply opens it".to_owned(),
        }
    }
}

impl Tasks {
    /// Runs it.
    pub async fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        print(&self.answer(globals).await?)?;
        Ok(Exit::Done)
    }

    /// What to print.
    pub async fn answer(self, globals: &Globals) -> Result<String, CliError> {
        match self.what {
            Some(What::Show(show)) => show.answer(globals).await,
            Some(What::Done(done)) => done.answer(globals).await,
            None => {
                let ledgers = Ledgers::read_from(globals, &self.home).await?;
                let (tasks, failed) = gather(globals, &ledgers, &self.files).await?;
                if let Some(error) = failed {
                    print(&self.listed(globals, &ledgers, &tasks)?)?;
                    return Err(
                        error.hint("tasks of consoles that could not be read are those of their ledgers")
                    );
                }
                self.listed(globals, &ledgers, &tasks)
            }
        }
    }

    fn listed(&self, globals: &Globals, ledgers: &Ledgers, tasks: &[Listed]) -> Result<String, CliError> {
        if let Some(export) = &self.export {
            return exported(export, tasks, ledgers.now);
        }
        if self.output == Format::Json {
            return Ok(json(tasks));
        }
        let mut text = list(tasks, self.group, ledgers.now, globals.paint());
        if self.files.is_empty() {
            text.push_str(&format!(
                "From the ledgers in {}, as the last apply left them; no console was asked.\n",
                ledgers.place()
            ));
        }
        Ok(text)
    }
}

/// The tasks of the ledgers, or of a fresh plan.
async fn gather(
    globals: &Globals,
    ledgers: &Ledgers,
    files: &[std::path::PathBuf],
) -> Result<(Vec<Listed>, Option<CliError>), CliError> {
    if ledgers.cluster.is_some() && !files.is_empty() {
        return Err(CliError::usage("-f plans afresh with the ledger of the state directory")
            .hint("leave -f out: the controller has written its open tasks into the ledger")
            .hint("what files would change in a cluster: tenantry plan --from-cluster -f …"));
    }
    let (mut tasks, failed) = if files.is_empty() {
        (from_ledgers(ledgers), None)
    } else {
        from_plan(globals, ledgers, files).await?
    };
    tasks.sort_by(|a, b| (&a.console, &a.id).cmp(&(&b.console, &b.id)));
    Ok((tasks, failed))
}

/// What the ledgers hold.
pub(crate) fn from_ledgers(ledgers: &Ledgers) -> Vec<Listed> {
    let mut out = Vec::new();
    for (ledger, address, entry) in ledgers.entries() {
        for (id, record) in &entry.tasks {
            out.push(Listed {
                id: id.clone(),
                console: ledgers.console(&ledger.header.vendor_account).to_string(),
                address: address.to_string(),
                since: Some(record.since),
                task: record.task.as_deref().cloned(),
                attested: record.attested.clone(),
            });
        }
    }
    out
}

/// What a fresh plan says: open tasks, and those that an apply would open. A console that cannot be read is told, and
/// its tasks come from its ledger.
async fn from_plan(
    globals: &Globals,
    ledgers: &Ledgers,
    files: &[std::path::PathBuf],
) -> Result<(Vec<Listed>, Option<CliError>), CliError> {
    let loaded = read(globals, files)?;
    let scope = FileScope(&loaded.scope);
    let all = declarations(&loaded);
    let declaration = declare(&all, &scope);
    let run = Run::new(globals, Vec::new())?;
    let approvals = Approvals::default();
    let (seen, failed) = pipeline::look(&run, &declaration, &approvals, READ_BUDGET, |seen| seen).await?;
    let mut out = Vec::new();
    let mut planned = Vec::new();
    for one in &seen {
        let plan = one.plan();
        planned.push(plan.console.to_string());
        let mut put = |address: &tenantry_engine::address::Address, task: &Task, since: Option<Timestamp>| {
            out.push(Listed {
                id: task.id.clone(),
                console: plan.console.to_string(),
                address: address.to_string(),
                since,
                task: Some(task.clone()),
                attested: None,
            });
        };
        for step in &plan.steps {
            if let Performer::Person(task) = &step.performer {
                put(&step.address, task, None);
            }
        }
        for waiting in &plan.waiting {
            if let Some(task) = &waiting.task {
                put(&waiting.address, task, waiting.since);
            }
        }
    }
    // What was said and not yet seen, and the tasks of consoles that could not be read.
    for task in from_ledgers(ledgers) {
        let fresh = planned.contains(&task.console);
        if (!fresh || task.attested.is_some()) && !out.iter().any(|known| known.id == task.id) {
            out.push(task);
        }
    }
    Ok((out, pipeline::together(failed)))
}

fn list(tasks: &[Listed], group: Group, now: Timestamp, paint: Paint) -> String {
    if tasks.is_empty() {
        return "Nothing waits for a person.\n".to_owned();
    }
    let key = |task: &Listed| match group {
        Group::Console => task.console.clone(),
        Group::Party => task.party_words().to_owned(),
    };
    let mut sorted: Vec<&Listed> = tasks.iter().collect();
    sorted.sort_by(|a, b| {
        let party = |task: &Listed| (group == Group::Party).then(|| task.party());
        (party(a), key(a), &a.console, &a.id).cmp(&(party(b), key(b), &b.console, &b.id))
    });
    let mut out = String::new();
    let mut heading = None;
    for task in sorted {
        if heading.as_ref() != Some(&key(task)) {
            if heading.is_some() {
                out.push('\n');
            }
            out.push_str(&format!("{}\n", paint.strong(&terminal(&key(task)))));
            heading = Some(key(task));
        }
        out.push_str(&format!("  {}\n", paint.strong(&terminal(&task.id))));
        let mut wrapped = |text: &str| {
            for piece in paint.wrap(text, 6) {
                out.push_str(&format!("      {piece}\n"));
            }
        };
        wrapped(&task.title());
        let at = task.task.as_ref().map_or_else(String::new, |task| format!(" · {}", terminal(&task.at)));
        wrapped(&format!("{}{at} · {}", task.party_words(), task.address));
        wrapped(&task.state(now));
    }
    let open = tasks.iter().filter(|task| task.open()).count();
    let said = tasks.len() - open;
    let said = if said > 0 { format!(", {said} said to be done and not seen yet") } else { String::new() };
    out.push_str(&format!(
        "\n{} open{said}. How: tenantry tasks show ID   Done: tenantry tasks done ID\n",
        counted(open, "task")
    ));
    out
}

/// The list as one document.
fn json(tasks: &[Listed]) -> String {
    let one = |task: &Listed| {
        serde_json::json!({
            "id": task.id, "console": task.console, "address": task.address, "since": task.since,
            "task": task.task, "attested": task.attested,
        })
    };
    let document = serde_json::json!({
        "formatVersion": LIST_FORMAT_VERSION, "tasks": tasks.iter().map(one).collect::<Vec<_>>(),
    });
    text::json(&format!("{document:#}\n"))
}

fn exported(export: &str, tasks: &[Listed], now: Timestamp) -> Result<String, CliError> {
    let (format, file) = match export.split_once('=') {
        Some((format, file)) => (format, Some(std::path::PathBuf::from(file))),
        None => (export, None),
    };
    if format != "csv" {
        return Err(CliError::usage(format!("--export {}: there is no such format", terminal(export)))
            .hint("there is: csv, or csv=FILE"));
    }
    let table = table::write(tasks, now);
    let Some(path) = file else { return Ok(table) };
    std::fs::write(&path, table).map_err(|error| io("write", &path, &error))?;
    Ok(format!(
        "{} written to {}. Fill in the column `done`, then: tenantry tasks done --from {}\n",
        counted(tasks.len(), "task"),
        path.display(),
        path.display()
    ))
}

impl Show {
    async fn answer(self, globals: &Globals) -> Result<String, CliError> {
        let ledgers = Ledgers::read_from(globals, &self.home).await?;
        let (tasks, failed) = gather(globals, &ledgers, &self.files).await?;
        if let Some(error) = &failed {
            tell_error(error);
        }
        let Some(task) = tasks.iter().find(|task| task.id == self.id) else {
            return Err(unknown(&self.id, &tasks, self.files.is_empty()));
        };
        Ok(shown(task, ledgers.now, globals.paint()))
    }
}

/// The screen of one task.
fn shown(listed: &Listed, now: Timestamp, paint: Paint) -> String {
    let mut out = String::new();
    let Some(task) = &listed.task else {
        return format!(
            "{}   {} · {}\nThe ledger does not hold how it is done. Plan afresh: tenantry tasks show {} -f .\n",
            terminal(&listed.id),
            listed.address,
            listed.state(now),
            terminal(&listed.id)
        );
    };
    for piece in paint.wrap(&terminal(&task.title), 0) {
        out.push_str(&format!("{}\n", paint.strong(&piece)));
    }
    let who = format!("{} · {} · {}", task.party.words(), terminal(&task.at), listed.state(now));
    for piece in paint.wrap(&who, 0) {
        out.push_str(&format!("{piece}\n"));
    }
    for (n, step) in task.steps.iter().enumerate() {
        let number = format!("{}.", n + 1);
        paint.labelled(&mut out, 2, &number, 4, &terminal(step));
    }
    for consequence in &task.consequences {
        paint.labelled(&mut out, 2, "causes", 10, &terminal(consequence));
    }
    let done = format!("tenantry tasks done {} --note \"…\"", terminal(&listed.id));
    if listed.attested.is_some() {
        paint.labelled(
            &mut out,
            2,
            "closes",
            10,
            "once the console shows it; if it does not, the task opens again",
        );
    } else if task.observable {
        paint.labelled(&mut out, 2, "closes", 10, "by itself when a plan finds it done in the console");
        paint.labelled(&mut out, 2, "or", 10, &done);
    } else {
        paint.labelled(&mut out, 2, "closes", 10, "by your word alone; no console shows it");
        paint.labelled(&mut out, 2, "say", 10, &done);
    }
    paint.labelled(&mut out, 2, "about", 10, &listed.address);
    out
}

/// No such task.
pub(crate) fn unknown(id: &str, tasks: &[Listed], offline: bool) -> CliError {
    let mut error = CliError::usage(format!("there is no task {}", terminal(id)));
    if let Some(near) = nearest(id, tasks.iter().map(|task| task.id.as_str())) {
        error = error.hint(format!("did you mean {near}?"));
    }
    if offline {
        error = error
            .hint("the ledgers hold tasks that an apply opened; those of a fresh plan: tenantry tasks -f .");
    }
    error.hint("tenantry tasks lists them; a task that was closed is in the log: tenantry log")
}

#[cfg(test)]
mod tests;
