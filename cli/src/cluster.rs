//! What a cluster declares, remembers and saw, for commands that only read it.
//!
//! `plan --from-cluster` needs the right to list our kinds and to get `consoles/snapshot`, and no vendor's credential:
//! declarations come from the cluster with files laid over them, the ledger from its ConsoleBindings, observations from
//! its controller. Nothing here writes anywhere or speaks with a vendor.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;
use tenantry_cluster::connection::{self, Asked, Connection};
use tenantry_cluster::ledger::ClusterLedger;
use tenantry_cluster::snapshot::{self, Access, ConsoleSnapshot, Snapshot};
use tenantry_cluster::stores::{self, Population, Watched};
use tenantry_crd::{self as crd, AnyObject, Kind};
use tenantry_engine::address::Address;
use tenantry_engine::declare::{Declaration, Declarations, Declared};
use tenantry_engine::desired::{CustomerSource, Desired, settle_of};
use tenantry_engine::leads::{Directory, Listed, leads};
use tenantry_engine::ledger::Ledger;
use tenantry_engine::origin::{Origin, Scope};
use tenantry_engine::plan::findings::{Code, Finding};
use tenantry_engine::plan::{Approvals, Patience, Planned, PlanningInput, plan};
use tenantry_engine::text::terminal;

use crate::app::Globals;
use crate::declarations::{declarations, read_some};
use crate::exit::{CliError, io};
use crate::load::Loaded;
use crate::pipeline::Run;

/// Which cluster, and which namespace there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct InCluster {
    /// Namespace of the cluster; by default the context's
    #[arg(short = 'n', long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Context of the kubeconfig; by default its current one
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

impl InCluster {
    /// A client for it.
    pub async fn connect(&self) -> Result<Connection, CliError> {
        let asked =
            Asked { kubeconfig: None, context: self.context.clone(), namespace: self.namespace.clone() };
        connection::connect(&asked).await.map_err(|error| CliError::from_error("no-cluster", &error))
    }
}

/// Planning from a cluster.
#[derive(Debug, Clone, Default, Args)]
pub struct FromCluster {
    /// Plan what a cluster declares, with -f laid over it; needs no vendor credential, writes nothing
    #[arg(long)]
    pub from_cluster: bool,
    /// Which cluster.
    #[command(flatten)]
    pub within: InCluster,
    /// Address of the controller, whose observations are used
    #[arg(
        long,
        env = "TENANTRY_CONTROLLER_URL",
        value_name = "URL",
        requires = "from_cluster",
        conflicts_with = "snapshot"
    )]
    pub controller_url: Option<String>,
    /// Certificates to trust for the controller, PEM; by default the system's
    #[arg(long, env = "TENANTRY_CONTROLLER_CA", value_name = "FILE", requires = "controller_url")]
    pub controller_ca: Option<PathBuf>,
    /// File with a token for the controller; by default the kubeconfig's login
    #[arg(long, env = "TENANTRY_CONTROLLER_TOKEN_FILE", value_name = "FILE", requires = "controller_url")]
    pub controller_token_file: Option<PathBuf>,
    /// Use this export of observations instead of asking the controller
    #[arg(long, value_name = "FILE", requires = "from_cluster")]
    pub snapshot: Option<PathBuf>,
    /// What the files were before: what is declared here and not in -f counts as deleted
    #[arg(long, value_name = "DIR", requires = "from_cluster")]
    pub base: Option<PathBuf>,
}

/// Kind, namespace and name.
type Named = (Kind, String, String);

/// What was read: of the cluster, of its controller, of files.
pub struct Standing {
    connection: Connection,
    population: Population,
    snapshot: Snapshot,
    files: Loaded,
    deleted: BTreeSet<Named>,
}

/// Declarations of a cluster with files laid over them.
pub struct Overlaid<'s> {
    /// Everything declared then.
    pub declarations: Declarations<'s>,
    /// What was read of it.
    pub scope: OverlaidScope<'s>,
}

/// Tells what was read, in the cluster and in the files laid over it.
pub struct OverlaidScope<'s> {
    population: &'s Population,
    replaced: BTreeMap<Named, &'s AnyObject>,
    deleted: &'s BTreeSet<Named>,
}

impl OverlaidScope<'_> {
    /// An object of a file, `Missing` where it was deleted; `None`: the cluster's counts.
    fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<Listed<&AnyObject>> {
        let named = (kind, namespace.to_owned(), name.to_owned());
        match self.replaced.get(&named) {
            Some(object) => Some(Listed::Whole(object)),
            None => self.deleted.contains(&named).then_some(Listed::Missing),
        }
    }
}

impl Scope for OverlaidScope<'_> {
    fn was_read(&self, origin: &Origin, address: &Address) -> bool {
        let Origin::Object { object, namespace, name, .. } = origin else { return false };
        let Some(kind) = Kind::from_name(object) else { return false };
        let read = self.find(kind, namespace, name).is_some() || self.population.was_listed(origin);
        read && leads(self, address).lost().is_none()
    }
}

impl Directory for OverlaidScope<'_> {
    fn console(&self, namespace: &str, name: &str) -> Listed<()> {
        match self.find(Kind::Console, namespace, name) {
            Some(console) => console.map(|_| ()),
            None => Directory::console(self.population, namespace, name),
        }
    }

    fn customer(&self, namespace: &str, name: &str) -> Listed<CustomerSource<'_>> {
        match self.find(Kind::Customer, namespace, name) {
            Some(Listed::Whole(AnyObject::Customer(one))) => Listed::Whole(CustomerSource::Plain(&one.spec)),
            Some(_) => Listed::Missing,
            None => Directory::customer(self.population, namespace, name),
        }
    }

    fn license(&self, namespace: &str, name: &str) -> Listed<&crd::LicenseSpec> {
        match self.find(Kind::License, namespace, name) {
            Some(Listed::Whole(AnyObject::License(one))) => Listed::Whole(&one.spec),
            Some(_) => Listed::Missing,
            None => Directory::license(self.population, namespace, name),
        }
    }

    fn relationship(&self, namespace: &str, name: &str) -> Listed<&crd::RelationshipSpec> {
        match self.find(Kind::Relationship, namespace, name) {
            Some(Listed::Whole(AnyObject::Relationship(one))) => Listed::Whole(&one.spec),
            Some(_) => Listed::Missing,
            None => Directory::relationship(self.population, namespace, name),
        }
    }
}

impl FromCluster {
    /// Reads everything that planning needs.
    pub async fn read(&self, globals: &Globals, files: &[PathBuf]) -> Result<Standing, CliError> {
        if self.controller_url.is_none() && self.snapshot.is_none() {
            return Err(CliError::usage("--from-cluster needs to know what the consoles hold")
                .hint("--controller-url URL asks the controller (kubectl port-forward service/tenantry-controller 8443)")
                .hint("--snapshot FILE reads what it exported before"));
        }
        let connection = self.within.connect().await?;
        let read = |paths: &[PathBuf]| -> Result<Loaded, CliError> {
            if paths.is_empty() {
                return Ok(Loaded::default());
            }
            let mut loaded = read_some(globals, paths)?;
            in_namespace(&mut loaded, &connection.namespace);
            Ok(loaded)
        };
        let (files, base) = (read(files)?, read(self.base.as_slice())?);
        let declared = names(&files);
        let deleted = names(&base).difference(&declared).cloned().collect();
        let watched =
            Watched { namespaces: Some(BTreeSet::from([connection.namespace.clone()])), consoles: None };
        let population = stores::list(&connection.client, &watched)
            .await
            .map_err(|error| CliError::from_error("cluster-refused", &error))?;
        let snapshot = self.snapshot(&connection).await?;
        Ok(Standing { connection, population, snapshot, files, deleted })
    }

    async fn snapshot(&self, connection: &Connection) -> Result<Snapshot, CliError> {
        let failed = |error: snapshot::SnapshotError| CliError::from_error("no-snapshot", &error);
        if let Some(path) = &self.snapshot {
            let bytes = std::fs::read(path).map_err(|error| io("read", path, &error))?;
            return Snapshot::from_json(&bytes, &path.display().to_string()).map_err(failed);
        }
        let token = self.controller_token_file.as_ref().map(|path| {
            std::fs::read_to_string(path)
                .map(|text| SecretString::from(text.trim()))
                .map_err(|error| io("read", path, &error))
        });
        let token = token.transpose()?;
        let access = token.as_ref().map_or(Access::Login(connection), Access::Token);
        let url = self.controller_url.as_deref().unwrap_or_default();
        snapshot::fetch(url, &connection.namespace, &access, self.controller_ca.as_deref())
            .await
            .map_err(failed)
    }
}

/// Files that name no namespace are meant for the one that was asked for, as with `kubectl apply`.
pub fn in_namespace(loaded: &mut Loaded, namespace: &str) {
    for one in &mut loaded.objects {
        let metadata = one.object.metadata_mut();
        if metadata.namespace.as_deref().is_none_or(str::is_empty) {
            metadata.namespace = Some(namespace.to_owned());
        }
    }
}

fn names(loaded: &Loaded) -> BTreeSet<Named> {
    loaded.objects.iter().map(named).collect()
}

fn named(one: &crate::load::Declared) -> Named {
    (one.object.kind(), one.object.namespace().to_owned(), one.object.name().to_owned())
}

impl Standing {
    /// The cluster's declarations with the files laid over them: an object in a file replaces the cluster's of the same
    /// kind, namespace and name; what was deleted is left out.
    pub fn overlaid(&self) -> Overlaid<'_> {
        let replaced = names(&self.files);
        let gone = |kind: Kind, namespace: &str, name: &str| {
            let named = (kind, namespace.to_owned(), name.to_owned());
            replaced.contains(&named) || self.deleted.contains(&named)
        };
        let mut all = self.population.declarations();
        let mut over = declarations(&self.files);
        macro_rules! lay {
            ($($kind:ident $list:ident),*) => {$(
                all.$list.retain(|one| !gone(Kind::$kind, one.namespace, one.name));
                all.$list.append(&mut over.$list);
                sort(&mut all.$list);
            )*};
        }
        lay!(
            Console consoles, Customer customers, Product products, License licenses,
            Relationship relationships, Attestation attestations
        );
        all.without_behaviour.append(&mut over.without_behaviour);
        let replaced = self.files.objects.iter().map(|one| (named(one), &one.object)).collect();
        let scope = OverlaidScope { population: &self.population, replaced, deleted: &self.deleted };
        Overlaid { declarations: all, scope }
    }

    /// What a reader should know of the cluster's objects: those that cannot be understood, and hold what they declared.
    pub fn findings(&self) -> Vec<Finding> {
        let replaced = names(&self.files);
        self.population
            .broken()
            .iter()
            .filter(|broken| {
                !replaced.contains(&(broken.kind, broken.namespace.to_string(), broken.name.to_string()))
            })
            .map(|broken| {
                let words = format!(
                    "{} {}/{} cannot be understood: {}; it holds what it declared",
                    broken.kind, broken.namespace, broken.name, broken.error
                );
                Finding::new(Code::NotReadable, words)
                    .next("correct it; nothing is planned for it until then")
            })
            .collect()
    }

    /// Plans every console, in order; those that cannot be planned are told with their error.
    pub async fn look(
        &self,
        run: &Run,
        declaration: &Declaration<'_>,
        approvals: &Approvals,
    ) -> Result<(Vec<Planned>, Vec<CliError>), CliError> {
        let (mut planned, mut failed) = (Vec::new(), Vec::new());
        let mut accounts: BTreeMap<&str, &str> = BTreeMap::new();
        for desired in declaration.consoles.values() {
            match self.look_at(run, desired, approvals, &mut accounts).await {
                Ok(one) => planned.push(one),
                Err(error) => failed.push(error),
            }
        }
        Ok((planned, failed))
    }

    async fn look_at<'s>(
        &'s self,
        run: &Run,
        desired: &'s Desired<'s>,
        approvals: &Approvals,
        accounts: &mut BTreeMap<&'s str, &'s str>,
    ) -> Result<Planned, CliError> {
        let name = &desired.console.name;
        let seen = self.snapshot.console(name).ok_or_else(|| {
            CliError::new("not-observed", format!("the controller has not observed Console {name}"))
                .hint("a new Console is observed once it is in the cluster and its credential works")
                .hint(format!("kubectl describe console {name} says what keeps it"))
        })?;
        let identity = &seen.observed.identity;
        if let Some(other) = accounts.insert(identity.vendor_account.as_str(), name.as_str()) {
            return Err(CliError::new(
                "same-account",
                format!(
                    "the Consoles {other} and {name} are the same vendor account {}",
                    identity.vendor_account
                ),
            )
            .hint("one account has one Console; take one of them out"));
        }
        let dialect = tenantry_consoles::offline(desired.console.spec, name, &identity.probed)?;
        let stored = ClusterLedger::read(
            &self.connection.client,
            &desired.console.namespace,
            &identity.vendor_account,
        );
        let ledger = stored
            .await?
            .unwrap_or_else(|| Ledger::new(identity.vendor_account.clone(), run.runtime.ids.uuid()));
        told(run, seen);
        Ok(plan(&PlanningInput {
            desired,
            observed: &seen.observed,
            ledger: &ledger,
            dialect: &*dialect,
            approvals,
            now: run.runtime.clock.now(),
            patience: Patience {
                request_timeout: run.request_timeout(),
                settle: settle_of(desired.console.spec),
            },
        }))
    }
}

fn sort<S>(list: &mut [Declared<'_, S>]) {
    list.sort_by(|a, b| (a.namespace, a.name).cmp(&(b.namespace, b.name)));
}

/// The console's line of progress.
fn told(run: &Run, seen: &ConsoleSnapshot) {
    let census = &seen.observed.census;
    let records = census.records().len();
    run.progress.line(
        &serde_json::json!({"event": "observed", "console": seen.console, "records": records, "asOf": census.ended}),
        &format!(
            "{:<11} {} · {}, seen by the controller at {}",
            seen.console,
            terminal(&seen.observed.identity.title),
            crate::diagnostics::counted(records, "customer"),
            census.ended.strftime("%Y-%m-%d %H:%M UTC"),
        ),
    );
}
