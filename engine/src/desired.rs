//! What is declared, per console: accounts and licences with defaults merged in, in address order.
//!
//! Borrows the declarations. An account is opened when somebody looks at it: whoever holds a hundred thousand Customers
//! may keep them packed, and then only those that are looked at are there. Made by [`crate::declare`].

use std::fmt;
use std::ops::Deref;
use std::slice;
use std::sync::Arc;

use jiff::Timestamp;
use smol_str::SmolStr;
use tenantry_crd as crd;

use crate::address::{Address, ConsoleName};
use crate::ledger::{DeletionPolicy, Want};
use crate::origin::{Origin, Scope};
use crate::task::Attested;

/// Everything declared for one console.
pub struct Desired<'a> {
    /// The console.
    pub console: ConsoleDecl<'a>,
    /// Accounts, in address order.
    pub accounts: Vec<AccountDecl<'a>>,
    /// Licences, in address order.
    pub licenses: Vec<LicenseDecl<'a>>,
    /// Human facts; each console takes those whose task or operation it knows.
    pub attestations: Vec<AttestationDecl>,
    /// What was read in this run.
    pub scope: &'a dyn Scope,
}

/// A Console's declaration.
#[derive(Clone)]
pub struct ConsoleDecl<'a> {
    /// Its name.
    pub name: ConsoleName,
    /// Its namespace.
    pub namespace: String,
    /// Its declaration.
    pub spec: &'a crd::ConsoleSpec,
    /// Where.
    pub origin: Origin,
}

/// A Customer's declaration as its holder keeps it. Copied like a reference.
#[derive(Debug, Clone, Copy)]
pub enum CustomerSource<'a> {
    /// As it was read.
    Plain(&'a crd::CustomerSpec),
    /// Smaller than it is: made anew whenever it is opened.
    Packed(&'a dyn PackedCustomer),
}

/// A Customer's declaration that is kept packed.
pub trait PackedCustomer: fmt::Debug + Send + Sync {
    /// All of it.
    fn open(&self) -> Arc<crd::CustomerSpec>;

    /// Its accounts in order, each by its name and that of its Console.
    fn accounts(&self) -> &[(SmolStr, SmolStr)];
}

impl<'a> From<&'a crd::CustomerSpec> for CustomerSource<'a> {
    fn from(spec: &'a crd::CustomerSpec) -> Self {
        Self::Plain(spec)
    }
}

impl<'a> CustomerSource<'a> {
    /// What it says.
    pub fn open(self) -> Customer<'a> {
        match self {
            Self::Plain(spec) => Customer::Declared(spec),
            Self::Packed(packed) => Customer::Made(packed.open()),
        }
    }

    /// Its accounts in order, without opening it.
    pub fn accounts(self) -> AccountNames<'a> {
        match self {
            Self::Plain(spec) => AccountNames::Plain(spec.accounts.iter()),
            Self::Packed(packed) => AccountNames::Packed(packed.accounts().iter()),
        }
    }

    /// The name of the Console of its account of this name.
    pub fn console_of(self, account: &str) -> Option<&'a str> {
        self.accounts().find(|(name, _)| *name == account).map(|(_, console)| console)
    }
}

/// Accounts of a Customer, each by its name and that of its Console.
#[derive(Debug, Clone)]
pub enum AccountNames<'a> {
    /// Of one that is as it was read.
    Plain(slice::Iter<'a, crd::CustomerAccount>),
    /// Of a packed one.
    Packed(slice::Iter<'a, (SmolStr, SmolStr)>),
}

impl<'a> Iterator for AccountNames<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Plain(accounts) => {
                accounts.next().map(|one| (one.name.as_str(), one.console_ref.name.as_str()))
            }
            Self::Packed(accounts) => {
                accounts.next().map(|(name, console)| (name.as_str(), console.as_str()))
            }
        }
    }
}

/// What a Customer says, open.
#[derive(Debug, Clone)]
pub enum Customer<'a> {
    /// As it was read.
    Declared(&'a crd::CustomerSpec),
    /// Of a packed one.
    Made(Arc<crd::CustomerSpec>),
}

impl Deref for Customer<'_> {
    type Target = crd::CustomerSpec;

    fn deref(&self) -> &crd::CustomerSpec {
        match self {
            Self::Declared(spec) => spec,
            Self::Made(spec) => spec,
        }
    }
}

/// An account as declared, or with its console's defaults merged in.
#[derive(Debug, Clone)]
pub enum Merged<'a> {
    /// Nothing is merged in.
    Declared(&'a crd::CustomerAccount),
    /// The same, in this place of a Customer that was packed.
    Made(Arc<crd::CustomerSpec>, usize),
    /// With defaults.
    Own(Box<crd::CustomerAccount>),
}

impl Deref for Merged<'_> {
    type Target = crd::CustomerAccount;

    fn deref(&self) -> &crd::CustomerAccount {
        match self {
            Merged::Declared(account) => account,
            Merged::Made(customer, place) => &customer.accounts[*place],
            Merged::Own(account) => account,
        }
    }
}

/// One account of one customer.
#[derive(Clone)]
pub struct AccountDecl<'a> {
    /// Its address.
    pub address: Address,
    /// Where it is declared.
    pub origin: Origin,
    /// Place in `spec.accounts`, for paths in findings.
    pub index: usize,
    /// Its customer.
    pub customer: CustomerSource<'a>,
    /// Its console, where that has defaults.
    pub defaults: Option<&'a crd::ConsoleSpec>,
    /// What is wanted: the account's own word, else the customer's.
    pub want: Want,
    /// From when on.
    pub not_before: Option<Timestamp>,
    /// What happens when the declaration goes.
    pub deletion_policy: DeletionPolicy,
    /// Addresses it had before.
    pub formerly: Vec<Address>,
    /// The Relationship that invites it.
    pub invitation: Option<Box<InvitationDecl<'a>>>,
}

impl AccountDecl<'_> {
    /// What it says.
    pub fn open(&self) -> OpenAccount<'_> {
        let customer = self.customer.open();
        let account = match (self.defaults, &customer) {
            (Some(console), customer) => {
                Merged::Own(Box::new(customer.accounts[self.index].with_defaults(console)))
            }
            (None, Customer::Declared(spec)) => Merged::Declared(&spec.accounts[self.index]),
            (None, Customer::Made(spec)) => Merged::Made(Arc::clone(spec), self.index),
        };
        OpenAccount { decl: self, customer, account }
    }

    /// Path of a field of this account, for findings.
    pub fn path(&self, field: &str) -> String {
        format!("spec.accounts[{}].{field}", self.index)
    }
}

/// One account with what its customer says, for as long as somebody looks at it.
#[derive(Clone)]
pub struct OpenAccount<'d> {
    /// Which.
    pub decl: &'d AccountDecl<'d>,
    /// Its customer.
    pub customer: Customer<'d>,
    /// The account, with the console's defaults merged in.
    pub account: Merged<'d>,
}

impl<'d> Deref for OpenAccount<'d> {
    type Target = AccountDecl<'d>;

    fn deref(&self) -> &AccountDecl<'d> {
        self.decl
    }
}

impl OpenAccount<'_> {
    /// The name that people know: the account's own, else the customer's display name, else its legal name.
    pub fn shown_name(&self) -> &str {
        self.account.display_name.as_deref().unwrap_or_else(|| self.customer.company.display_name())
    }
}

/// A Relationship of type Reseller, as far as one account is concerned.
#[derive(Clone)]
pub struct InvitationDecl<'a> {
    /// The Relationship.
    pub relationship: Address,
    /// Where it is declared.
    pub origin: Origin,
    /// To whom, in which language, in whose words.
    pub spec: &'a crd::RelationshipSpec,
}

/// The ages and lateness of a console, as durations.
pub fn settle_of(spec: &crd::ConsoleSpec) -> jiff::SignedDuration {
    spec.observe.effective().settle.to_duration()
}

/// One licence.
#[derive(Clone)]
pub struct LicenseDecl<'a> {
    /// Its address.
    pub address: Address,
    /// Where it is declared.
    pub origin: Origin,
    /// Its account.
    pub account: Address,
    /// The declaration.
    pub spec: &'a crd::LicenseSpec,
    /// The article.
    pub product: Option<&'a crd::ProductSpec>,
    /// What is wanted.
    pub want: Want,
    /// From when on.
    pub not_before: Option<Timestamp>,
    /// What happens when the declaration goes.
    pub deletion_policy: DeletionPolicy,
    /// Addresses it had before.
    pub formerly: Vec<Address>,
}

/// A human fact about a task or an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestationDecl {
    /// Id of the task or of the operation.
    pub about: String,
    /// What is said.
    pub attested: Attested,
    /// Where.
    pub origin: Origin,
}
