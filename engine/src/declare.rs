//! From typed declarations to what is desired at each console.
//!
//! Merges defaults, resolves references, spreads Relationships over their customers, and says what this version has
//! no behaviour for. It never decides whether something exists. References stay in their namespace.

use std::collections::{BTreeMap, BTreeSet};

use tenantry_crd as crd;
use tenantry_crd::relationship::RelationshipType;

use crate::address::{Address, ConsoleName, DEFAULT_NAMESPACE};
use crate::desired::{
    AccountDecl, AttestationDecl, ConsoleDecl, Customer, CustomerSource, Desired, InvitationDecl, LicenseDecl,
};
use crate::origin::{Origin, Scope};
use crate::plan::findings::{Code, Finding};
use crate::task::{Attested, Outcome};

/// One object as declared; `S` refers to what it says.
#[derive(Debug, Clone)]
pub struct Declared<'a, S> {
    /// `metadata.namespace`, or `default`.
    pub namespace: &'a str,
    /// `metadata.name`.
    pub name: &'a str,
    /// `metadata.labels`.
    pub labels: &'a BTreeMap<String, String>,
    /// Where it stands.
    pub origin: Origin,
    /// What it says.
    pub spec: S,
}

/// Everything declared.
#[derive(Debug, Clone, Default)]
pub struct Declarations<'a> {
    /// Consoles.
    pub consoles: Vec<Declared<'a, &'a crd::ConsoleSpec>>,
    /// Customers.
    pub customers: Vec<Declared<'a, CustomerSource<'a>>>,
    /// Products.
    pub products: Vec<Declared<'a, &'a crd::ProductSpec>>,
    /// Licences.
    pub licenses: Vec<Declared<'a, &'a crd::LicenseSpec>>,
    /// Relationships.
    pub relationships: Vec<Declared<'a, &'a crd::RelationshipSpec>>,
    /// Attestations.
    pub attestations: Vec<Declared<'a, &'a crd::AttestationSpec>>,
    /// Objects of kinds that have no behaviour yet: kind and origin.
    pub without_behaviour: Vec<(&'static str, Origin)>,
}

/// The outcome.
pub struct Declaration<'a> {
    /// What is desired, by console.
    pub consoles: BTreeMap<ConsoleName, Desired<'a>>,
    /// What belongs to no console: kinds without behaviour, references that lead nowhere.
    pub findings: Vec<Finding>,
}

/// Consoles by namespace and name.
type ByName<'a, T> = BTreeMap<(&'a str, &'a str), T>;

fn console_name(namespace: &str, name: &str) -> ConsoleName {
    if namespace == DEFAULT_NAMESPACE {
        ConsoleName::new(name)
    } else {
        ConsoleName::new(format!("{namespace}/{name}"))
    }
}

/// The one normalisation from what is declared to what is desired.
pub fn declare<'a>(all: &Declarations<'a>, scope: &'a dyn Scope) -> Declaration<'a> {
    let mut findings: Vec<Finding> = all
        .without_behaviour
        .iter()
        .map(|(kind, origin)| {
            Finding::new(
                Code::NotSupportedYet,
                format!("{kind} validates, but this version does nothing with it"),
            )
            .at(origin)
        })
        .collect();
    let attestations: Vec<AttestationDecl> = all.attestations.iter().filter_map(attestation).collect();
    let mut consoles: BTreeMap<ConsoleName, Desired<'a>> = BTreeMap::new();
    let mut specs: ByName<'a, &'a crd::ConsoleSpec> = BTreeMap::new();
    for console in &all.consoles {
        if !matches!(console.spec.vendor(), Some(crd::Vendor::Sophos | crd::Vendor::Microsoft)) {
            let vendor = console.spec.vendor().map_or("this", |vendor| vendor.field());
            findings.push(
                Finding::new(
                    Code::NotSupportedYet,
                    format!(
                        "Console {}: {vendor} consoles validate, but this version has no adapter for them",
                        console.name
                    ),
                )
                .at(&console.origin)
                .field("spec"),
            );
            continue;
        }
        specs.insert((console.namespace, console.name), console.spec);
        let name = console_name(console.namespace, console.name);
        consoles.insert(
            name.clone(),
            Desired {
                console: ConsoleDecl {
                    name,
                    namespace: console.namespace.to_owned(),
                    spec: console.spec,
                    origin: console.origin.clone(),
                },
                accounts: Vec::new(),
                licenses: Vec::new(),
                attestations: attestations.clone(),
                scope,
            },
        );
    }
    let mut invitations = invitations(all, &mut findings);
    // Only licences ask where an account is.
    let mut account_console: BTreeMap<Address, ConsoleName> = BTreeMap::new();
    for customer in &all.customers {
        let mut open = None;
        for (index, (name, console)) in customer.spec.accounts().enumerate() {
            let Some(spec) = specs.get(&(customer.namespace, console)) else { continue };
            let console = console_name(customer.namespace, console);
            let open = open.get_or_insert_with(|| customer.spec.open());
            let address = Address::account(customer.namespace, customer.name, name);
            let decl = account_decl(customer, index, address, open, spec, &mut invitations);
            if !all.licenses.is_empty() {
                account_console.insert(decl.address.clone(), console.clone());
            }
            if let Some(desired) = consoles.get_mut(&console) {
                desired.accounts.push(decl);
            }
        }
    }
    for (address, invitation) in invitations {
        findings.push(
            Finding::new(
                Code::Contradiction,
                format!("{} invites {address}, which no Customer declares", invitation.relationship),
            )
            .at(&invitation.origin)
            .next("declare that account, or take the Relationship out"),
        );
    }
    licenses(all, &account_console, &mut consoles, &mut findings);
    for desired in consoles.values_mut() {
        desired.accounts.shrink_to_fit();
        desired.accounts.sort_by(|a, b| a.address.cmp(&b.address));
        desired.licenses.sort_by(|a, b| a.address.cmp(&b.address));
    }
    Declaration { consoles, findings }
}

fn attestation(declared: &Declared<'_, &crd::AttestationSpec>) -> Option<AttestationDecl> {
    let about = declared.spec.task.clone().or_else(|| declared.spec.operation.clone())?;
    let outcome = match declared.spec.outcome {
        crd::attestation::Outcome::Done => Outcome::Done,
        crd::attestation::Outcome::Happened => Outcome::Happened,
        crd::attestation::Outcome::NotHappened => Outcome::NotHappened,
        crd::attestation::Outcome::Refused => Outcome::Refused,
    };
    Some(AttestationDecl {
        about,
        attested: Attested {
            outcome,
            by: declared.spec.by.clone(),
            on: declared.spec.on.0,
            note: declared.spec.note.clone().unwrap_or_default(),
        },
        origin: declared.origin.clone(),
    })
}

fn account_decl<'a>(
    customer: &Declared<'a, CustomerSource<'a>>,
    index: usize,
    address: Address,
    spec: &Customer<'_>,
    console: &'a crd::ConsoleSpec,
    invitations: &mut BTreeMap<Address, InvitationDecl<'a>>,
) -> AccountDecl<'a> {
    let account = &spec.accounts[index];
    let not_before =
        if account.want.is_some() { account.not_before } else { account.not_before.or(spec.not_before) };
    AccountDecl {
        origin: customer.origin.clone(),
        index,
        customer: customer.spec,
        defaults: console.defaults.is_some().then_some(console),
        want: account.want.unwrap_or(spec.want).into(),
        not_before: not_before.map(crd::Date::start),
        deletion_policy: account.deletion_policy_in(console),
        formerly: spec
            .formerly
            .iter()
            .map(|old| Address::account(customer.namespace, old, &account.name))
            .collect(),
        invitation: invitations.remove(&address).map(Box::new),
        address,
    }
}

/// Relationships of type Reseller, spread over the accounts they name.
fn invitations<'a>(
    all: &Declarations<'a>,
    findings: &mut Vec<Finding>,
) -> BTreeMap<Address, InvitationDecl<'a>> {
    let mut out: BTreeMap<Address, InvitationDecl<'a>> = BTreeMap::new();
    for relationship in &all.relationships {
        let own = Address::relationship(relationship.namespace, relationship.name);
        if relationship.spec.type_ == RelationshipType::DelegatedAdmin {
            findings.push(
                Finding::new(
                    Code::NotSupportedYet,
                    "Relationship of type DelegatedAdmin validates, but this version does nothing with it",
                )
                .about(&own)
                .at(&relationship.origin)
                .field("spec.type"),
            );
            continue;
        }
        for customer in chosen(all, relationship) {
            let address =
                Address::account(relationship.namespace, customer, relationship.spec.account_name());
            if let Some(other) = out.get(&address) {
                findings.push(
                    Finding::new(
                        Code::Contradiction,
                        format!("{address} is invited by {} and by {own}", other.relationship),
                    )
                    .about(&own)
                    .at(&relationship.origin)
                    .next("one invitation is enough: take one of them out"),
                );
                continue;
            }
            out.insert(
                address,
                InvitationDecl {
                    relationship: own.clone(),
                    origin: relationship.origin.clone(),
                    spec: relationship.spec,
                },
            );
        }
    }
    out
}

fn chosen<'a>(
    all: &Declarations<'a>,
    relationship: &Declared<'a, &'a crd::RelationshipSpec>,
) -> BTreeSet<&'a str> {
    match (&relationship.spec.customer_ref, &relationship.spec.customers) {
        (Some(one), _) => BTreeSet::from([one.name.as_str()]),
        (None, Some(selection)) => all
            .customers
            .iter()
            .filter(|customer| customer.namespace == relationship.namespace)
            .filter(|customer| selection.selector.matches(customer.labels))
            .filter(|customer| customer.spec.console_of(relationship.spec.account_name()).is_some())
            .map(|customer| customer.name)
            .collect(),
        (None, None) => BTreeSet::new(),
    }
}

fn licenses<'a>(
    all: &Declarations<'a>,
    account_console: &BTreeMap<Address, ConsoleName>,
    consoles: &mut BTreeMap<ConsoleName, Desired<'a>>,
    findings: &mut Vec<Finding>,
) {
    let products: ByName<'a, &'a crd::ProductSpec> =
        all.products.iter().map(|product| ((product.namespace, product.name), product.spec)).collect();
    for license in &all.licenses {
        let address = Address::license(license.namespace, license.name);
        let account =
            Address::account(license.namespace, &license.spec.customer_ref.name, &license.spec.account);
        let Some(console) = account_console.get(&account) else { continue };
        let product = products.get(&(license.namespace, license.spec.product_ref.name.as_str())).copied();
        if let Some(product) = product
            && console_name(license.namespace, &product.console_ref.name) != *console
        {
            findings.push(
                Finding::new(
                    Code::Contradiction,
                    format!(
                        "the Product is sold in {}, the account is in {console}",
                        product.console_ref.name
                    ),
                )
                .about(&address)
                .at(&license.origin)
                .field("spec.productRef.name"),
            );
            continue;
        }
        if let Some(desired) = consoles.get_mut(console) {
            desired.licenses.push(LicenseDecl {
                formerly: license
                    .spec
                    .formerly
                    .iter()
                    .map(|old| Address::license(license.namespace, old))
                    .collect(),
                address,
                origin: license.origin.clone(),
                account,
                spec: license.spec,
                product,
                want: license.spec.want.into(),
                not_before: license.spec.not_before.map(crd::Date::start),
                deletion_policy: license.spec.deletion_policy.unwrap_or_default(),
            });
        }
    }
}
