//! What objects say about each other: two that are the same, references to what is not there, and circles.
//!
//! Cost is linear in the number of objects. Where a reference leads to an object with mistakes of its own, nothing
//! is said: those mistakes are said already. Never looks at consoles; a reference into a console is the planner's.

use std::collections::{BTreeMap, HashMap, HashSet};

use tenantry_crd::{AnyObject, CustomerSpec, Kind};

use super::document::Address;
use super::lookup::Sources;
use super::scope::Origin;
use super::{Declared, nearest};
use crate::diagnostics::{Code, Diagnostic};

/// So many references to one missing object are shown; the rest is counted.
const SHOWN: usize = 5;

/// For so many missing objects a likely name is looked for, which costs a look at every name.
const SUGGESTED: usize = 50;

/// What is declared beside the objects without mistakes.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Objects with mistakes.
    pub broken: Vec<Address>,
    /// False when something could not be identified, so that nothing can be called missing.
    pub everything: bool,
}

/// Checks all objects; `sources` gives places.
pub(super) fn check(objects: &[Declared], known: &Known, sources: &Sources) -> Vec<Diagnostic> {
    let mut check = Check {
        objects,
        index: HashMap::with_capacity(objects.len()),
        broken: known.broken.iter().map(|(kind, namespace, name)| (*kind, &**namespace, &**name)).collect(),
        everything: known.everything,
        findings: Vec::new(),
        missing: BTreeMap::new(),
    };
    check.duplicates();
    check.references();
    check.circles();
    check.report_missing();
    place(&check.findings, sources)
}

type Key<'o> = (Kind, &'o str, &'o str);

/// A diagnostic whose places are still questions.
struct Finding<'o> {
    diagnostic: Diagnostic,
    at: (&'o Origin, String),
    related: Vec<(String, &'o Origin, String)>,
}

/// What a reference leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target<'o> {
    Object(Kind, &'o str, &'o str),
    /// An account of a customer: namespace, customer, account.
    Account(&'o str, &'o str, &'o str),
    /// An indirect provider of a console: namespace, console, provider.
    Provider(&'o str, &'o str, &'o str),
}

struct Check<'o> {
    objects: &'o [Declared],
    index: HashMap<Key<'o>, usize>,
    broken: HashSet<Key<'o>>,
    everything: bool,
    findings: Vec<Finding<'o>>,
    missing: BTreeMap<Target<'o>, Vec<(usize, String)>>,
}

impl<'o> Check<'o> {
    fn duplicates(&mut self) {
        for (i, declared) in self.objects.iter().enumerate() {
            let object = &declared.object;
            let key = (object.kind(), object.namespace(), object.name());
            let Some(&first) = self.index.get(&key) else {
                self.index.insert(key, i);
                continue;
            };
            let message =
                format!("{} `{}` is declared twice", object.kind(), shown(object.namespace(), object.name()));
            self.findings.push(Finding {
                diagnostic: Diagnostic::error(Code::DuplicateObject, message).label("keep one of the two"),
                at: (&declared.origin, "metadata.name".to_owned()),
                related: vec![(
                    "the first one is here".to_owned(),
                    &self.objects[first].origin,
                    "metadata.name".to_owned(),
                )],
            });
        }
    }

    fn references(&mut self) {
        let objects = self.objects;
        for (i, declared) in objects.iter().enumerate() {
            let ns = declared.object.namespace();
            match &declared.object {
                AnyObject::Customer(customer) => {
                    self.customer(
                        i,
                        ns,
                        customer.metadata.name.as_deref().unwrap_or_default(),
                        &customer.spec,
                    );
                }
                AnyObject::Product(product) => {
                    self.object(i, Kind::Console, ns, &product.spec.console_ref.name, "spec.consoleRef.name");
                    if let Some(supplier) = &product.spec.supplier {
                        let path = "spec.supplier.consoleRef.name";
                        self.object(i, Kind::Console, ns, &supplier.console_ref.name, path);
                    }
                }
                AnyObject::License(license) => {
                    let spec = &license.spec;
                    self.account(
                        i,
                        ns,
                        &spec.customer_ref.name,
                        &spec.account,
                        "spec.customerRef.name",
                        "spec.account",
                    );
                    self.object(i, Kind::Product, ns, &spec.product_ref.name, "spec.productRef.name");
                    if let Some(next) = spec.renewal.as_ref().and_then(|renewal| renewal.product_ref.as_ref())
                    {
                        self.object(i, Kind::Product, ns, &next.name, "spec.renewal.productRef.name");
                    }
                }
                AnyObject::Relationship(relationship) => {
                    let spec = &relationship.spec;
                    let console = &*spec.console_ref.name;
                    self.object(i, Kind::Console, ns, console, "spec.consoleRef.name");
                    if let Some(customer) = &spec.customer_ref {
                        let path =
                            if spec.account.is_some() { "spec.account" } else { "spec.consoleRef.name" };
                        self.account(
                            i,
                            ns,
                            &customer.name,
                            spec.account_name(),
                            "spec.customerRef.name",
                            path,
                        );
                    }
                    if let Some(provider) =
                        spec.reseller.as_ref().and_then(|reseller| reseller.provider.as_deref())
                    {
                        self.provider(i, ns, console, provider);
                    }
                }
                AnyObject::Upgrade(upgrade) => {
                    self.object(i, Kind::Console, ns, &upgrade.spec.console_ref.name, "spec.consoleRef.name");
                }
                AnyObject::Inventory(inventory) => {
                    self.object(
                        i,
                        Kind::Console,
                        ns,
                        &inventory.spec.console_ref.name,
                        "spec.consoleRef.name",
                    );
                }
                AnyObject::Console(_)
                | AnyObject::Attestation(_)
                | AnyObject::PlanPolicy(_)
                | AnyObject::ConsoleBinding(_) => {}
            }
        }
    }

    fn customer(&mut self, i: usize, ns: &'o str, name: &'o str, spec: &'o CustomerSpec) {
        for (n, account) in spec.accounts.iter().enumerate() {
            let path = format!("spec.accounts[{n}]");
            self.object(i, Kind::Console, ns, &account.console_ref.name, &format!("{path}.consoleRef.name"));
            if let Some(via) = &account.via
                && !spec.accounts.iter().any(|other| other.name == via.account)
            {
                self.miss(Target::Account(ns, name, &via.account), i, format!("{path}.via.account"));
            }
            if let Some(parent) = &account.parent {
                self.account(
                    i,
                    ns,
                    &parent.customer_ref.name,
                    &parent.account,
                    &format!("{path}.parent.customerRef.name"),
                    &format!("{path}.parent.account"),
                );
            }
        }
    }

    /// Notes the reference if nothing of this name is declared; true when the object is there and readable.
    fn object(
        &mut self,
        i: usize,
        kind: Kind,
        ns: &'o str,
        name: &'o str,
        path: &str,
    ) -> Option<&'o AnyObject> {
        if let Some(&found) = self.index.get(&(kind, ns, name)) {
            return Some(&self.objects[found].object);
        }
        if !self.broken.contains(&(kind, ns, name)) {
            self.miss(Target::Object(kind, ns, name), i, path.to_owned());
        }
        None
    }

    fn account(&mut self, i: usize, ns: &'o str, customer: &'o str, account: &'o str, at: &str, path: &str) {
        if let Some(AnyObject::Customer(found)) = self.object(i, Kind::Customer, ns, customer, at)
            && !found.spec.accounts.iter().any(|a| a.name == account)
        {
            self.miss(Target::Account(ns, customer, account), i, path.to_owned());
        }
    }

    fn provider(&mut self, i: usize, ns: &'o str, console: &'o str, provider: &'o str) {
        let Some(&found) = self.index.get(&(Kind::Console, ns, console)) else { return };
        if let AnyObject::Console(found) = &self.objects[found].object
            && let Some(microsoft) = &found.spec.microsoft
            && !microsoft.providers.iter().any(|p| p.name == provider)
        {
            self.miss(Target::Provider(ns, console, provider), i, "spec.reseller.provider".to_owned());
        }
    }

    fn miss(&mut self, target: Target<'o>, i: usize, path: String) {
        self.missing.entry(target).or_default().push((i, path));
    }

    fn report_missing(&mut self) {
        if !self.everything {
            return;
        }
        for (n, (target, from)) in std::mem::take(&mut self.missing).into_iter().enumerate() {
            let (message, near) = self.words(&target, n < SUGGESTED);
            for (k, (i, path)) in from.iter().take(SHOWN).enumerate() {
                let mut diagnostic = Diagnostic::error(Code::DanglingReference, message.clone());
                if let Some(near) = &near {
                    diagnostic = diagnostic.label(format!("did you mean `{near}`?"));
                } else if k == 0 && matches!(target, Target::Object(..)) {
                    diagnostic = diagnostic.label("declare it, or name with -f what declares it");
                }
                if k == 0 && from.len() > SHOWN {
                    diagnostic = diagnostic.note(format!("{} more refer to it", from.len() - SHOWN));
                }
                let at = (&self.objects[*i].origin, path.clone());
                self.findings.push(Finding { diagnostic, at, related: Vec::new() });
            }
        }
    }

    fn words(&self, target: &Target<'o>, suggest: bool) -> (String, Option<&'o str>) {
        match *target {
            Target::Object(kind, ns, name) => {
                let same_name = |(k, other, n): &&Key<'o>| *k == kind && *n == name && *other != ns;
                let elsewhere = if suggest {
                    self.index.keys().filter(same_name).map(|(_, other, _)| *other).min()
                } else {
                    None
                };
                let message = match elsewhere {
                    Some(other) => format!(
                        "no {kind} `{name}` is declared in namespace `{ns}`; the one in `{other}` cannot be meant"
                    ),
                    None => format!("no {kind} `{}` is declared", shown(ns, name)),
                };
                let mut names: Vec<&str> = Vec::new();
                if suggest {
                    names.extend(
                        self.index
                            .keys()
                            .filter(|(k, n, _)| *k == kind && *n == ns)
                            .map(|(_, _, name)| *name),
                    );
                    names.extend(
                        self.broken
                            .iter()
                            .filter(|(k, n, _)| *k == kind && *n == ns)
                            .map(|(_, _, name)| *name),
                    );
                    names.sort_unstable();
                }
                (message, nearest(name, names))
            }
            Target::Account(ns, customer, account) => {
                let names: Vec<&'o str> = match self.index.get(&(Kind::Customer, ns, customer)) {
                    Some(&i) => match &self.objects[i].object {
                        AnyObject::Customer(found) => found.spec.accounts.iter().map(|a| &*a.name).collect(),
                        _ => Vec::new(),
                    },
                    None => Vec::new(),
                };
                let has = match names.as_slice() {
                    [] => "; it has none".to_owned(),
                    names if names.len() <= 8 => format!("; it has {}", names.join(", ")),
                    _ => String::new(),
                };
                let message = format!("Customer `{}` has no account `{account}`{has}", shown(ns, customer));
                (message, nearest(account, names))
            }
            Target::Provider(ns, console, provider) => {
                let names: Vec<&'o str> = match self.index.get(&(Kind::Console, ns, console)) {
                    Some(&i) => match &self.objects[i].object {
                        AnyObject::Console(found) => found
                            .spec
                            .microsoft
                            .iter()
                            .flat_map(|microsoft| microsoft.providers.iter().map(|p| &*p.name))
                            .collect(),
                        _ => Vec::new(),
                    },
                    None => Vec::new(),
                };
                let message = format!("Console `{}` has no provider `{provider}`", shown(ns, console));
                (message, nearest(provider, names))
            }
        }
    }

    /// Circles of `parent` across customers and of `via` within one. Every account leads to at most one other, so
    /// each is visited once.
    fn circles(&mut self) {
        let mut number: HashMap<(&'o str, &'o str, &'o str), usize> = HashMap::new();
        let mut accounts = Vec::new();
        for (i, declared) in self.objects.iter().enumerate() {
            let AnyObject::Customer(customer) = &declared.object else { continue };
            let (ns, name) = (declared.object.namespace(), declared.object.name());
            for (n, account) in customer.spec.accounts.iter().enumerate() {
                number.entry((ns, name, &*account.name)).or_insert(accounts.len());
                accounts.push((i, n, ns, name, account));
            }
        }
        let parents: Vec<Option<usize>> = accounts
            .iter()
            .map(|(_, _, ns, _, account)| {
                let parent = account.parent.as_ref()?;
                number.get(&(*ns, &*parent.customer_ref.name, &*parent.account)).copied()
            })
            .collect();
        let makers: Vec<Option<usize>> = accounts
            .iter()
            .map(|(_, _, ns, name, account)| {
                number.get(&(*ns, *name, &*account.via.as_ref()?.account)).copied()
            })
            .collect();
        for (next, field, what) in
            [(parents, "parent.account", "its own parent"), (makers, "via.account", "made by itself")]
        {
            for circle in circles_in(&next) {
                let names: Vec<String> = circle
                    .iter()
                    .chain(circle.first())
                    .map(|&a| format!("{}/{}", accounts[a].3, accounts[a].4.name))
                    .collect();
                let chain = if names.len() > 8 {
                    format!("{} → … → {}", names[..6].join(" → "), names[names.len() - 1])
                } else {
                    names.join(" → ")
                };
                let (i, n, _, name, account) = accounts[circle[0]];
                let message = format!("account `{name}/{}` is {what}: {chain}", account.name);
                let related = circle[1..]
                    .iter()
                    .take(SHOWN)
                    .map(|&a| {
                        let (i, n, ..) = accounts[a];
                        let path = format!("spec.accounts[{n}].{field}");
                        ("and goes on here".to_owned(), &self.objects[i].origin, path)
                    })
                    .collect();
                self.findings.push(Finding {
                    diagnostic: Diagnostic::error(Code::CyclicReference, message).label("break the circle"),
                    at: (&self.objects[i].origin, format!("spec.accounts[{n}].{field}")),
                    related,
                });
            }
        }
    }
}

/// The circles of a graph in which every node leads to at most one other, each beginning at its smallest node.
fn circles_in(next: &[Option<usize>]) -> Vec<Vec<usize>> {
    let mut seen_in = vec![usize::MAX; next.len()];
    let mut circles = Vec::new();
    for start in 0..next.len() {
        let mut at = start;
        while seen_in[at] == usize::MAX {
            seen_in[at] = start;
            let Some(after) = next[at] else { break };
            at = after;
        }
        if seen_in[at] != start || next[at].is_none() {
            continue;
        }
        // `at` was met twice in this walk: it lies on a new circle.
        let mut circle = vec![at];
        let mut here = next[at];
        while let Some(node) = here.filter(|node| *node != at) {
            circle.push(node);
            here = next[node];
        }
        let smallest = circle.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(i, _)| i);
        circle.rotate_left(smallest);
        circles.push(circle);
    }
    circles
}

/// `name`, or `namespace/name` outside the default namespace.
fn shown(namespace: &str, name: &str) -> String {
    if namespace == "default" { name.to_owned() } else { format!("{namespace}/{name}") }
}

fn place(findings: &[Finding<'_>], sources: &Sources) -> Vec<Diagnostic> {
    let mut questions: Vec<(&Origin, &str)> = Vec::new();
    for finding in findings {
        questions.push((finding.at.0, &finding.at.1));
        questions.extend(finding.related.iter().map(|(_, origin, path)| (*origin, &**path)));
    }
    let mut places = sources.places(&questions).into_iter();
    let mut next = || places.next().expect("there is one place for each question");
    findings
        .iter()
        .map(|finding| {
            let mut diagnostic = finding.diagnostic.clone().at(next());
            for (message, _, _) in &finding.related {
                diagnostic = diagnostic.related(message.clone(), next());
            }
            diagnostic
        })
        .collect()
}
