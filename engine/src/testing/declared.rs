//! Declarations for tests: companies, how they come to exist, what is wanted of them, which files were read.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tenantry_crd as crd;
use tenantry_crd::customer::{Company as CompanySpec, Contact, CustomerAccount, Onboarding};
use tenantry_crd::relationship::{Invitation, RelationshipSpec, RelationshipType};

use crate::address::Address;
use crate::desired::{
    AccountDecl, AttestationDecl, ConsoleDecl, CustomerSource, Desired, InvitationDecl, LicenseDecl,
};
use crate::ledger::{DeletionPolicy, Want};
use crate::origin::{Origin, Scope};
use crate::task::{Attested, Outcome};

/// The console's name in tests.
pub const CONSOLE: &str = "memory";

/// One customer with one account.
#[derive(Debug, Clone, PartialEq)]
pub struct Company {
    /// `metadata.name`.
    pub name: String,
    /// The account's name.
    pub account: String,
    /// Legal name.
    pub legal: String,
    /// Its domain.
    pub domain: Option<String>,
    /// A field that the list shows.
    pub website: Option<String>,
    /// A field that only details show.
    pub phone: Option<String>,
    /// A field that nothing shows.
    pub number: Option<String>,
    /// How it comes to exist.
    pub onboarding: Onboarding,
    /// A Relationship invites it.
    pub invited: bool,
    /// What is wanted.
    pub want: Want,
    /// From when on.
    pub not_before: Option<Timestamp>,
    /// What happens when the declaration goes.
    pub policy: DeletionPolicy,
    /// Names it had before.
    pub formerly: Vec<String>,
    /// The declared remote id.
    pub id: Option<String>,
    /// Records that are other companies.
    pub distinct_from: Vec<String>,
    /// Consents in the declaration.
    pub consents: Vec<String>,
    /// The account it is under, by customer.
    pub parent: Option<String>,
    /// The file it stands in.
    pub file: String,
}

impl Company {
    /// `adatum`, legal name `Adatum GmbH`, domain `adatum.example`, to be created, in `customers.yaml`.
    pub fn new(name: &str) -> Self {
        let mut legal: String = name.to_owned();
        if let Some(first) = legal.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Self {
            name: name.to_owned(),
            account: CONSOLE.to_owned(),
            legal: format!("{legal} GmbH"),
            domain: Some(format!("{name}.example")),
            website: None,
            phone: None,
            number: None,
            onboarding: Onboarding::Create,
            invited: false,
            want: Want::Present,
            not_before: None,
            policy: DeletionPolicy::Retain,
            formerly: Vec::new(),
            id: None,
            distinct_from: Vec::new(),
            consents: Vec::new(),
            parent: None,
            file: "customers.yaml".to_owned(),
        }
    }

    /// Its address.
    pub fn address(&self) -> Address {
        Address::account("default", &self.name, &self.account)
    }

    fn customer(&self) -> crd::CustomerSpec {
        crd::CustomerSpec {
            company: CompanySpec {
                legal_name: self.legal.as_str().into(),
                domains: self.domain.as_ref().map(|domain| vec![domain.into()]),
                website: self.website.as_ref().map(Into::into),
                registration_number: self.number.as_ref().map(Into::into),
                ..CompanySpec::default()
            },
            contacts: Some(vec![Contact {
                email: Some(format!("info@{}.example", self.name).into()),
                phone: self.phone.as_ref().map(Into::into),
                ..Contact::default()
            }]),
            ..crd::CustomerSpec::default()
        }
    }

    fn account_spec(&self) -> CustomerAccount {
        CustomerAccount {
            name: self.account.as_str().into(),
            console_ref: crd::reference::NameRef::new(CONSOLE),
            onboarding: Some(self.onboarding),
            id: self.id.as_deref().map(Into::into),
            distinct_from: self.distinct_from.clone().into(),
            consents: self.consents.clone().into(),
            parent: self.parent.as_ref().map(|parent| {
                Box::new(crd::customer::AccountParent {
                    customer_ref: crd::reference::NameRef::new(parent.as_str()),
                    account: self.account.clone(),
                })
            }),
            ..CustomerAccount::default()
        }
    }
}

/// One licence.
#[derive(Debug, Clone, PartialEq)]
pub struct Licence {
    /// `metadata.name`.
    pub name: String,
    /// Its customer; the account is the console's.
    pub customer: String,
    /// The article.
    pub article: String,
    /// How many seats.
    pub quantity: u32,
    /// What is wanted.
    pub want: Want,
}

/// Everything that is declared, and which files were read.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// Customers.
    pub companies: Vec<Company>,
    /// Licences.
    pub licenses: Vec<Licence>,
    /// The console.
    pub console: crd::ConsoleSpec,
    /// Files that were read without error.
    pub read: BTreeSet<String>,
    /// Human facts.
    pub attestations: Vec<AttestationDecl>,
}

impl Declared {
    /// These companies, in files that were all read.
    pub fn of(companies: impl IntoIterator<Item = Company>) -> Self {
        let companies: Vec<Company> = companies.into_iter().collect();
        let mut read: BTreeSet<String> = companies.iter().map(|company| company.file.clone()).collect();
        read.insert("customers.yaml".to_owned());
        Self { companies, read, ..Self::default() }
    }

    /// Says something about a task or an operation.
    pub fn attest(&mut self, about: &str, outcome: Outcome, on: Timestamp) {
        self.attestations.push(AttestationDecl {
            about: about.to_owned(),
            attested: Attested { outcome, by: "somebody".to_owned(), on, note: String::new() },
            origin: Origin::file("attestations.yaml", 1, 1),
        });
    }

    /// The declarations as typed objects.
    pub fn build(&self) -> Built {
        let mut parts: Vec<Part> = self
            .companies
            .iter()
            .map(|company| Part {
                address: company.address(),
                customer: crd::CustomerSpec { accounts: vec![company.account_spec()], ..company.customer() },
                relationship: company.invited.then(|| RelationshipSpec {
                    console_ref: crd::reference::NameRef::new(CONSOLE),
                    customer_ref: Some(crd::reference::NameRef::new(company.name.as_str())),
                    customers: None,
                    account: Some(company.account.clone()),
                    type_: RelationshipType::Reseller,
                    reseller: None,
                    invitation: Some(Invitation {
                        to: Some(format!("info@{}.example", company.name)),
                        language: None,
                        message: None,
                    }),
                    delegated_admin: None,
                    rollout: None,
                    want: crd::want::RelationshipWant::default(),
                    not_before: None,
                    consents: Vec::new(),
                    id: None,
                    deletion_policy: None,
                    formerly: Vec::new(),
                }),
                company: company.clone(),
            })
            .collect();
        parts.sort_by(|a, b| a.address.cmp(&b.address));
        let mut licenses: Vec<(Address, Licence, crd::LicenseSpec)> = self
            .licenses
            .iter()
            .map(|license| {
                let spec = crd::LicenseSpec {
                    customer_ref: crd::reference::NameRef::new(license.customer.as_str()),
                    account: CONSOLE.to_owned(),
                    product_ref: crd::reference::NameRef::new(license.article.as_str()),
                    quantity: Some(license.quantity),
                    type_: crd::license::LicenseType::Paid,
                    id: None,
                    renewal: None,
                    want: crd::want::LicenseWant::default(),
                    not_before: None,
                    consents: Vec::new(),
                    deletion_policy: None,
                    formerly: Vec::new(),
                };
                (Address::license("default", &license.name), license.clone(), spec)
            })
            .collect();
        licenses.sort_by(|a, b| a.0.cmp(&b.0));
        Built { parts, licenses, declared: self.clone() }
    }
}

struct Part {
    address: Address,
    company: Company,
    customer: crd::CustomerSpec,
    relationship: Option<RelationshipSpec>,
}

/// Typed objects that a [`Desired`] borrows from.
pub struct Built {
    parts: Vec<Part>,
    licenses: Vec<(Address, Licence, crd::LicenseSpec)>,
    declared: Declared,
}

impl Scope for Built {
    fn was_read(&self, origin: &Origin, _: &Address) -> bool {
        matches!(origin, Origin::File { path, .. } if self.declared.read.contains(&**path))
    }
}

impl Built {
    /// What is desired.
    pub fn desired(&self) -> Desired<'_> {
        let accounts = self
            .parts
            .iter()
            .map(|part| {
                let origin = Origin::file(part.company.file.as_str(), 1, 1);
                AccountDecl {
                    address: part.address.clone(),
                    origin: origin.clone(),
                    index: 0,
                    customer: CustomerSource::Plain(&part.customer),
                    defaults: None,
                    want: part.company.want,
                    not_before: part.company.not_before,
                    deletion_policy: part.company.policy,
                    formerly: part
                        .company
                        .formerly
                        .iter()
                        .map(|name| Address::account("default", name, &part.company.account))
                        .collect(),
                    invitation: part.relationship.as_ref().map(|spec| {
                        let relationship = Address::relationship("default", &part.company.name);
                        Box::new(InvitationDecl { relationship, origin, spec })
                    }),
                }
            })
            .collect();
        let licenses = self
            .licenses
            .iter()
            .map(|(address, license, spec)| LicenseDecl {
                address: address.clone(),
                origin: Origin::file("licenses.yaml", 1, 1),
                account: Address::account("default", &license.customer, CONSOLE),
                spec,
                product: None,
                want: license.want,
                not_before: None,
                deletion_policy: DeletionPolicy::Retain,
                formerly: Vec::new(),
            })
            .collect();
        Desired {
            console: ConsoleDecl {
                name: CONSOLE.into(),
                namespace: "default".to_owned(),
                spec: &self.declared.console,
                origin: Origin::file("console.yaml", 1, 1),
            },
            accounts,
            licenses,
            attestations: self.declared.attestations.clone(),
            scope: self,
        }
    }
}
