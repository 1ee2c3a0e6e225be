//! Where the declaration of an address leads that is not among the declarations of the Console that is planned.
//!
//! A ledger's entry that its Console does not find declared was not always taken away. Its object may still declare it
//! and name a Console that is not there (a slip of the pen), that nobody understands, or that may be the same vendor
//! account under another name: such an entry keeps what it holds, and nothing in a console is ended for it. Where
//! declarations are checked as a whole before they are planned, as files are, none leads nowhere.

use std::fmt;

use tenantry_crd as crd;

use crate::address::{Address, DEFAULT_NAMESPACE, Kind};
use crate::declare::Declarations;
use crate::desired::CustomerSource;
use crate::origin::Origin;
use crate::plan::findings::{Code, Finding};

#[cfg(test)]
mod tests;

/// How an object of a name is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed<T> {
    /// It is understood, and declares.
    Whole(T),
    /// It is not understood, or is being deleted.
    Unclear,
    /// It is understood, and belongs to another shard.
    Apart,
    /// Nothing has this name.
    Missing,
}

impl<T> Listed<T> {
    /// The same of what is made of it.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Listed<U> {
        match self {
            Self::Whole(one) => Listed::Whole(make(one)),
            Self::Unclear => Listed::Unclear,
            Self::Apart => Listed::Apart,
            Self::Missing => Listed::Missing,
        }
    }
}

/// Finds objects by namespace and name.
pub trait Directory {
    /// A Console.
    fn console(&self, namespace: &str, name: &str) -> Listed<()>;
    /// A Customer.
    fn customer(&self, namespace: &str, name: &str) -> Listed<CustomerSource<'_>>;
    /// A License.
    fn license(&self, namespace: &str, name: &str) -> Listed<&crd::LicenseSpec>;
    /// A Relationship.
    fn relationship(&self, namespace: &str, name: &str) -> Listed<&crd::RelationshipSpec>;
}

/// Where a declaration leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leads<'d> {
    /// Nothing declares the address.
    Undeclared,
    /// To the Console of this name, which is there.
    Console(&'d str),
    /// Nowhere.
    Lost(Lost<'d>),
}

impl<'d> Leads<'d> {
    /// Why it leads nowhere, where it does.
    pub fn lost(self) -> Option<Lost<'d>> {
        match self {
            Self::Lost(lost) => Some(lost),
            Self::Undeclared | Self::Console(_) => None,
        }
    }
}

/// Why a declaration leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost<'d> {
    /// Namespace and name of a Console that is not there.
    NoConsole(&'d str, &'d str),
    /// Namespace and name of a Customer that is not there.
    NoCustomer(&'d str, &'d str),
    /// Namespace, name and account: the Customer has no such account.
    NoAccount(&'d str, &'d str, &'d str),
    /// What it names is not understood, or is being deleted: that object says so itself.
    Unclear,
}

impl fmt::Display for Lost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |namespace: &str, name: &str| match namespace {
            DEFAULT_NAMESPACE => name.to_owned(),
            _ => format!("{namespace}/{name}"),
        };
        match self {
            Lost::NoConsole(namespace, name) => {
                write!(f, "no Console `{}` is declared", shown(namespace, name))
            }
            Lost::NoCustomer(namespace, name) => {
                write!(f, "no Customer `{}` is declared", shown(namespace, name))
            }
            Lost::NoAccount(namespace, name, account) => {
                write!(f, "Customer `{}` has no account `{account}`", shown(namespace, name))
            }
            Lost::Unclear => f.write_str("what it names is not understood, or is being deleted"),
        }
    }
}

/// Where the live declaration of an address leads.
pub fn leads<'d>(directory: &'d (impl Directory + ?Sized), address: &'d Address) -> Leads<'d> {
    let (namespace, name) = (address.namespace.as_str(), address.name.as_str());
    match address.kind {
        Kind::Customer => {
            let Listed::Whole(customer) = directory.customer(namespace, name) else {
                return Leads::Undeclared;
            };
            match address.account.as_deref().and_then(|account| customer.console_of(account)) {
                Some(console) => to_console(directory, namespace, console),
                // An account is called as its Console where it has no name of its own: one that leads nowhere may be it.
                None => customer
                    .accounts()
                    .map(|(_, console)| to_console(directory, namespace, console))
                    .find(|leads| leads.lost().is_some())
                    .unwrap_or(Leads::Undeclared),
            }
        }
        Kind::License => match directory.license(namespace, name) {
            Listed::Whole(license) => {
                to_account(directory, namespace, &license.customer_ref.name, &license.account)
            }
            _ => Leads::Undeclared,
        },
        Kind::Relationship => match directory.relationship(namespace, name) {
            Listed::Whole(relationship) => to_console(directory, namespace, &relationship.console_ref.name),
            _ => Leads::Undeclared,
        },
    }
}

fn to_console<'d>(directory: &(impl Directory + ?Sized), namespace: &'d str, console: &'d str) -> Leads<'d> {
    match directory.console(namespace, console) {
        Listed::Whole(()) | Listed::Apart => Leads::Console(console),
        Listed::Unclear => Leads::Lost(Lost::Unclear),
        Listed::Missing => Leads::Lost(Lost::NoConsole(namespace, console)),
    }
}

fn to_account<'d>(
    directory: &'d (impl Directory + ?Sized),
    namespace: &'d str,
    customer: &'d str,
    account: &'d str,
) -> Leads<'d> {
    match directory.customer(namespace, customer) {
        Listed::Whole(spec) => match spec.console_of(account) {
            Some(console) => to_console(directory, namespace, console),
            None => Leads::Lost(Lost::NoAccount(namespace, customer, account)),
        },
        // It is another shard's with all its accounts.
        Listed::Apart => Leads::Undeclared,
        Listed::Unclear => Leads::Lost(Lost::Unclear),
        Listed::Missing => Leads::Lost(Lost::NoCustomer(namespace, customer)),
    }
}

/// Findings about declarations that lead nowhere, in their order. Who names something that is not understood is not
/// among them.
pub fn lost(directory: &(impl Directory + ?Sized), all: &Declarations<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut look = |address: Address, origin: &Origin, field: &dyn Fn(Lost<'_>) -> String| {
        if let Some(lost) = leads(directory, &address).lost()
            && lost != Lost::Unclear
        {
            findings.push(finding(lost).about(&address).at(origin).field(field(lost)));
        }
    };
    for one in &all.customers {
        for (index, (account, _)) in one.spec.accounts().enumerate() {
            let address = Address::account(one.namespace, one.name, account);
            look(address, &one.origin, &|_| format!("spec.accounts[{index}].consoleRef.name"));
        }
    }
    for one in &all.licenses {
        look(Address::license(one.namespace, one.name), &one.origin, &|lost| match lost {
            Lost::NoAccount(..) => "spec.account".to_owned(),
            _ => "spec.customerRef.name".to_owned(),
        });
    }
    for one in &all.relationships {
        let address = Address::relationship(one.namespace, one.name);
        look(address, &one.origin, &|_| "spec.consoleRef.name".to_owned());
    }
    findings
}

fn finding(lost: Lost<'_>) -> Finding {
    let next = match lost {
        Lost::NoConsole(..) => "correct the name, or declare that Console",
        Lost::NoCustomer(..) => "correct the name, or declare that Customer",
        Lost::NoAccount(..) | Lost::Unclear => "correct the name, or declare that account",
    };
    Finding::new(Code::DanglingReference, format!("{lost}; what it is bound to stays as it is")).next(next)
}
