//! What is declared, per console: accounts and licences with defaults merged in, in address order.
//!
//! Borrows the declarations; only what merging changes is owned. Made by [`crate::declare`].

use std::ops::Deref;

use jiff::Timestamp;
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

/// An account as declared, or with its console's defaults merged in. As small as a reference.
#[derive(Clone)]
pub enum Merged<'a> {
    /// Nothing is merged in.
    Declared(&'a crd::CustomerAccount),
    /// With defaults.
    Own(Box<crd::CustomerAccount>),
}

impl Deref for Merged<'_> {
    type Target = crd::CustomerAccount;

    fn deref(&self) -> &crd::CustomerAccount {
        match self {
            Merged::Declared(account) => account,
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
    pub customer: &'a crd::CustomerSpec,
    /// The account, with the console's defaults merged in.
    pub account: Merged<'a>,
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
    /// The name that people know: the account's own, else the customer's display name, else its legal name.
    pub fn shown_name(&self) -> &str {
        self.account.display_name.as_deref().unwrap_or_else(|| self.customer.company.display_name())
    }

    /// Path of a field of this account, for findings.
    pub fn path(&self, field: &str) -> String {
        format!("spec.accounts[{}].{field}", self.index)
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
