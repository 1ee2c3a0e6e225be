//! The ledgers of a state directory or of a cluster, for commands that need no console: find something in them, change
//! one.
//!
//! Reading takes no lock. A change is decided on the ledger as it is under the lock, in a cluster as it was listed and
//! under compare-and-swap; it is durable before it is told, and locally leaves one event in the log.

mod home;

use jiff::Timestamp;
use tenantry_cluster::connection::Connection;
use tenantry_cluster::ledger::ClusterLedger;
use tenantry_cluster::names;
use tenantry_engine::address::{Address, ConsoleName, VendorAccount};
use tenantry_engine::ledger::{Entry, Ledger};
use tenantry_engine::runtime::Ids;
use tenantry_engine::store::{LedgerStore, LogEvent, OpenLedger, Write};
use tenantry_engine::text::terminal;

use crate::app::Globals;
use crate::commands::apply::owner;
use crate::exit::CliError;
use crate::load::nearest;
use crate::outside::{RandomIds, clock};
use crate::state::{Index, StateDir};

pub use home::{Home, Where};

/// The ledgers of one state directory or namespace, read at one moment.
pub struct Ledgers {
    /// The state directory; what is kept in a cluster is not there.
    pub state: StateDir,
    /// The cluster that keeps them.
    pub cluster: Option<Connection>,
    /// Now.
    pub now: Timestamp,
    /// Names this run in the log.
    pub run: String,
    /// All of them, by vendor account.
    pub all: Vec<Ledger>,
    index: Index,
}

/// One durable write and its event.
pub struct Change {
    /// What is written, in order.
    pub writes: Vec<Write>,
    /// What the log says about it.
    pub event: LogEvent,
}

impl Ledgers {
    /// Reads them.
    pub fn read(globals: &Globals) -> Result<Self, CliError> {
        let state = StateDir::new(&globals.state_dir);
        let mut all = Vec::new();
        for account in state.accounts()? {
            all.extend(state.ledger(&account)?);
        }
        let index = state.index()?;
        let run = RandomIds.uuid()[..8].to_owned();
        Ok(Self { state, cluster: None, now: clock(globals.now.as_deref())?.now(), run, all, index })
    }

    /// Reads them from where they are.
    pub async fn read_from(globals: &Globals, home: &Home) -> Result<Self, CliError> {
        let Some(cluster) = home.connect().await? else { return Self::read(globals) };
        let (client, namespace) = (&cluster.client, &cluster.namespace);
        let mut all = Vec::new();
        for account in ClusterLedger::accounts(client, namespace).await? {
            all.extend(ClusterLedger::read(client, namespace, &account).await?);
        }
        let consoles = names::consoles(client, namespace)
            .await
            .map_err(|error| CliError::from_error("cluster-refused", &error))?;
        let index = Index::of(consoles);
        let run = RandomIds.uuid()[..8].to_owned();
        let state = StateDir::new(&globals.state_dir);
        let now = clock(globals.now.as_deref())?.now();
        Ok(Self { state, cluster: Some(cluster), now, run, all, index })
    }

    /// Where they are, in words.
    pub fn place(&self) -> String {
        match &self.cluster {
            Some(cluster) => format!("namespace {}", terminal(&cluster.namespace)),
            None => self.state.root().display().to_string(),
        }
    }

    /// What whoever has changed a cluster's ledger should know; empty for a local one.
    pub fn taken_up(&self) -> &'static str {
        if self.cluster.is_none() {
            return "";
        }
        "A controller that runs takes this up with its next write, which meets this one and reads anew;\n\
         an Attestation it sees at once: tenantry explain attestation\n"
    }

    /// Where what was done to an address is told.
    pub fn told_where(&self, address: &Address) -> String {
        match &self.cluster {
            None => format!("tenantry log --address {address}"),
            Some(_) => format!(
                "kubectl describe {} {} -n {}, under Events",
                address.kind, address.name, address.namespace
            ),
        }
    }

    /// The Console that was last seen with an account, else the account itself.
    pub fn console(&self, account: &VendorAccount) -> ConsoleName {
        let found = self.index.consoles.iter().find(|(_, of)| *of == account).map(|(name, _)| name.clone());
        found.unwrap_or_else(|| ConsoleName::new(account.as_str()))
    }

    /// Which Console was seen with which account.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Every entry with its ledger, in order.
    pub fn entries(&self) -> impl Iterator<Item = (&Ledger, &Address, &Entry)> {
        self.all
            .iter()
            .flat_map(|ledger| ledger.entries.iter().map(move |(address, entry)| (ledger, address, entry)))
    }

    /// The ledger of a Console or vendor account; where none is named, the only one.
    pub fn one(&self, named: Option<&str>) -> Result<&Ledger, CliError> {
        let names = || self.all.iter().map(|ledger| self.console(&ledger.header.vendor_account).to_string());
        match (named, self.all.as_slice()) {
            (_, []) => Err(self.empty()),
            (None, [one]) => Ok(one),
            (None, _) => Err(CliError::usage("there are several ledgers; say which")
                .hint(format!("one of: {}", names().collect::<Vec<_>>().join(", ")))),
            (Some(named), all) => all
                .iter()
                .find(|ledger| {
                    let account = &ledger.header.vendor_account;
                    account.as_str() == named || self.console(account).as_str() == named
                })
                .ok_or_else(|| {
                    CliError::usage(format!("no ledger belongs to {}", terminal(named)))
                        .hint(format!("there are: {}", names().collect::<Vec<_>>().join(", ")))
                }),
        }
    }

    /// The entry of an address, or of the only one that is called so.
    pub fn entry(&self, text: &str, named: Option<&str>) -> Result<(&Ledger, &Address, &Entry), CliError> {
        let within = match named {
            Some(named) => Some(self.one(Some(named))?.header.vendor_account.clone()),
            None => None,
        };
        let asked =
            |ledger: &Ledger| within.as_ref().is_none_or(|account| *account == ledger.header.vendor_account);
        let meant = text.parse::<Address>().ok();
        let found: Vec<_> = self
            .entries()
            .filter(|(ledger, _, _)| asked(ledger))
            .filter(|(_, address, _)| match &meant {
                Some(meant) => *address == meant,
                None => address.name == text,
            })
            .collect();
        match found.as_slice() {
            [one] => Ok(*one),
            [] if self.all.is_empty() => Err(self.empty()),
            [] => {
                let names: Vec<String> = self.entries().map(|(_, address, _)| address.to_string()).collect();
                let near = nearest(text, names.iter().map(String::as_str));
                let mut error = CliError::usage(format!("no ledger has an entry {}", terminal(text)));
                if let Some(near) = near {
                    error = error.hint(format!("did you mean {near}?"));
                }
                Err(error.hint(
                    "tenantry state list shows them; they are written customer/NAME/ACCOUNT or license/NAME",
                ))
            }
            several => {
                let error = CliError::usage(format!("{} could be any of {}", terminal(text), several.len()));
                Err(several.iter().fold(error, |error, (ledger, address, _)| {
                    error.hint(format!("{address} --in {}", self.console(&ledger.header.vendor_account)))
                }))
            }
        }
    }

    /// There is nothing here.
    pub fn empty(&self) -> CliError {
        if let Some(cluster) = &self.cluster {
            let (namespace, server) = (terminal(&cluster.namespace), terminal(&cluster.server));
            return CliError::new("no-state", format!("there is no ledger in namespace {namespace} of {server}"))
                .hint("its controller makes one, or tenantry apply --ledger cluster; another namespace is named with -n");
        }
        CliError::new("no-state", format!("there is no ledger in {}", self.state.root().display()))
            .hint("tenantry apply makes one; another directory is named with --state-dir")
    }

    /// An event of this run.
    pub fn event(&self, what: &str, address: Option<&Address>, words: impl Into<String>) -> LogEvent {
        LogEvent {
            at: self.now,
            run: self.run.clone(),
            what: what.to_owned(),
            address: address.cloned(),
            words: terminal(&words.into()),
        }
    }

    /// Changes one ledger: takes the lock, decides on what is there now, writes durably, compacts.
    pub async fn change(
        &self,
        account: &VendorAccount,
        decide: impl FnOnce(&Ledger) -> Result<Vec<Change>, CliError>,
    ) -> Result<usize, CliError> {
        if let Some(cluster) = &self.cluster {
            let (client, namespace) = (&cluster.client, &cluster.namespace);
            let (ledger, store) =
                ClusterLedger::open(client, namespace, account, || RandomIds.uuid()).await?;
            let changes = decide(&ledger)?;
            let made = changes.len();
            commit(ledger, &store, changes).await?;
            return Ok(made);
        }
        let lock = self.state.lock(&owner())?;
        let (ledger, store) = self.state.open(&lock, account, || RandomIds.uuid())?;
        let changes = decide(&ledger)?;
        let made = changes.len();
        let ledger = commit(ledger, &store, changes).await?;
        if made > 0 {
            store.compact(&ledger).await?;
        }
        Ok(made)
    }
}

async fn commit(ledger: Ledger, store: &dyn LedgerStore, changes: Vec<Change>) -> Result<Ledger, CliError> {
    let mut open = OpenLedger::new(ledger, store);
    for change in changes {
        open.commit(change.writes, change.event).await?;
    }
    Ok(open.into_ledger())
}

/// A changed entry with its event.
pub fn put(address: &Address, entry: Entry, event: LogEvent) -> Change {
    Change { writes: vec![Write::Put(address.clone(), Box::new(entry))], event }
}

/// The day of a moment.
pub fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// How long ago a day was: `today`, `yesterday`, `9 days ago`.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    match days(then, now) {
        0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days => format!("{days} days ago"),
    }
}

/// Whole days between.
pub fn days(then: Timestamp, now: Timestamp) -> i64 {
    (now.duration_since(then).as_hours() / 24).max(0)
}

/// Asks on the terminal; `--yes` has answered, and where nobody can be asked it is an error.
pub fn confirm(globals: &Globals, yes: bool, question: &str) -> Result<bool, CliError> {
    use std::io::{BufRead, Write};
    if yes {
        return Ok(true);
    }
    if !globals.can_ask() {
        let question = question.trim_end();
        return Err(CliError::usage(format!("{question} Nobody can be asked: this is no terminal"))
            .hint("add --yes if that is meant"));
    }
    let mut err = std::io::stderr();
    let _ = write!(err, "{question} Only \"yes\" does: ");
    let _ = err.flush();
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| crate::exit::io("read", std::path::Path::new("stdin"), &error))?;
    Ok(line.trim() == "yes")
}

#[cfg(test)]
pub(crate) mod testing;
