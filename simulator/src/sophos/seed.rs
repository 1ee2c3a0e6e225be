//! The seed of a partner account: what exists before the first request.
//!
//! ```json
//! { "flex": true, "defaultProducts": ["CIXA-MSP"], "groups": ["Gold"],
//!   "switches": {"listing": "after-60-seconds"}, "lists": {"after-seconds": 90},
//!   "credentials": [{"clientId": "<uuid>", "clientSecret": "…", "readOnly": false,
//!                    "organization": "<uuid>", "tenant": "<uuid>", "expires": "<RFC 3339>"}],
//!   "tenants": [{"name": "Muster AG", "id": "<uuid>", "showAs": "Muster", "geography": "DE",
//!                "billingType": "trial", "organization": "<uuid>", "status": "active",
//!                "activated": true, "assistance": true, "externalIds": [], "groups": ["Gold"],
//!                "contact": {"firstName": "Anna", "lastName": "Muster", "email": "it@muster.example"},
//!                "licenses": [{"product": "CIXA-MSP", "type": "trial", "startDate": "2026-01-01",
//!                              "endDate": "2026-01-31", "quantity": 25, "used": 3}]}],
//!   "generate": {"count": 100000, "seed": 7, "hostile": 12},
//!   "admins": [{"email": "a@partner.example", "firstName": "Ada", "lastName": "Byron",
//!               "role": "Partner Super Admin", "primary": true}],
//!   "billing": [{"year": 2026, "month": 1, "lines": [{"tenant": "<uuid>", "product": "CIXA-MSP",
//!                "billable": 10, "actual": 9, "netCents": 1250}]}],
//!   "firewalls": [{"serialNumber": "X1", "tenant": "<uuid>", "model": "XGS 107", "hardware": true}] }
//! ```
//! Every field may be absent. A seed is checked as a whole for its form, then applied in order;
//! seeding twice adds twice. The first credential of an account exists without a seed.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::billing::Line;
use super::create;
use super::state::{
    Admin, Assignment, Contact, Credential, Firewall, Identity, License, State, Tenant, Text,
};
use crate::{Companies, Company, HOSTILE_NAMES, Lists};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Seed {
    flex: Option<bool>,
    default_products: Option<Vec<String>>,
    #[serde(default)]
    groups: Vec<String>,
    switches: Option<Value>,
    lists: Option<Lists>,
    #[serde(default)]
    credentials: Vec<SeedCredential>,
    #[serde(default)]
    tenants: Vec<SeedTenant>,
    generate: Option<Generate>,
    #[serde(default)]
    admins: Vec<SeedAdmin>,
    #[serde(default)]
    billing: Vec<SeedMonth>,
    #[serde(default)]
    firewalls: Vec<SeedFirewall>,
}

/// A credential to be, in a seed or by a click.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SeedCredential {
    client_id: Option<Uuid>,
    client_secret: Option<String>,
    #[serde(default)]
    read_only: bool,
    organization: Option<Uuid>,
    tenant: Option<Uuid>,
    expires: Option<Timestamp>,
}

impl std::fmt::Debug for SeedCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SeedCredential").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// A tenant to be, in a seed or by a click.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SeedTenant {
    name: String,
    id: Option<Uuid>,
    show_as: Option<String>,
    geography: Option<String>,
    billing_type: Option<String>,
    organization: Option<Uuid>,
    status: Option<String>,
    #[serde(default = "yes")]
    activated: bool,
    #[serde(default = "yes")]
    assistance: bool,
    #[serde(default)]
    external_ids: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
    contact: Option<SeedContact>,
    licenses: Option<Vec<SeedLicense>>,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedContact {
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    address1: Option<String>,
    city: Option<String>,
    country_code: Option<String>,
    postal_code: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedLicense {
    product: String,
    #[serde(rename = "type")]
    kind: String,
    start_date: Option<Date>,
    end_date: Option<Date>,
    #[serde(default)]
    perpetual: bool,
    quantity: Option<u32>,
    #[serde(default)]
    used: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Generate {
    count: usize,
    #[serde(default = "seven")]
    seed: u64,
    /// This many more, with names that try to break whoever prints them.
    #[serde(default)]
    hostile: usize,
}

fn seven() -> u64 {
    7
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedAdmin {
    email: String,
    first_name: String,
    last_name: String,
    #[serde(default)]
    primary: bool,
    role: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedMonth {
    year: i16,
    month: i8,
    lines: Vec<SeedLine>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedLine {
    tenant: Option<Uuid>,
    product: String,
    billable: u32,
    actual: u32,
    #[serde(default)]
    net_cents: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedFirewall {
    serial_number: String,
    tenant: Option<Uuid>,
    model: String,
    #[serde(default)]
    hardware: bool,
}

/// Applies a seed.
pub(crate) fn apply(state: &mut State, document: &Value) -> Result<(), String> {
    let seed: Seed = Seed::deserialize(document).map_err(|e| e.to_string())?;
    if let Some(change) = &seed.switches {
        state.switches = state.switches.overlay(change)?;
    }
    state.flex = seed.flex.unwrap_or(state.flex);
    if let Some(products) = seed.default_products {
        state.default_products = products.into_iter().map(Text::Owned).collect();
    }
    state.groups.extend(seed.groups.into_iter().map(Text::Owned));
    state.lists = seed.lists.or(state.lists);
    for one in seed.credentials {
        credential(state, one);
    }
    for one in seed.tenants {
        tenant(state, one)?;
    }
    if let Some(wanted) = seed.generate {
        generate(state, wanted.count, wanted.seed, wanted.hostile);
    }
    for one in seed.admins {
        admin(state, one)?;
    }
    for month in seed.billing {
        let mut lines = Vec::with_capacity(month.lines.len());
        for line in month.lines {
            let tenant = line.tenant.map(|id| state.by_id.get(&id).copied().ok_or(format!("no tenant {id}")));
            lines.push(Line {
                tenant: tenant.transpose()?,
                product: Text::Owned(line.product),
                billable: line.billable,
                actual: line.actual,
                net_cents: line.net_cents,
            });
        }
        state.billing.entry((month.year, month.month)).or_default().extend(lines);
    }
    state.firewalls.extend(seed.firewalls.into_iter().map(|f| Firewall {
        serial: f.serial_number,
        tenant: f.tenant,
        model: f.model,
        hardware: f.hardware,
    }));
    Ok(())
}

/// Adds a credential; returns its id and secret.
pub(crate) fn credential(state: &mut State, seed: SeedCredential) -> (Uuid, String) {
    let identity = match (seed.tenant, seed.organization) {
        (Some(id), _) => Identity::Tenant(id),
        (None, Some(id)) => Identity::Organization(id),
        (None, None) => Identity::Partner,
    };
    let made = credential_of(state, identity, seed.read_only);
    if let Some(credential) = state.credentials.last_mut() {
        credential.client_id = seed.client_id.unwrap_or(made.0);
        credential.secret = seed.client_secret.unwrap_or(made.1);
        credential.expires = seed.expires;
        return (credential.client_id, credential.secret.clone());
    }
    made
}

/// Adds a credential of an identity; returns its id and secret.
pub(crate) fn credential_of(state: &mut State, identity: Identity, read_only: bool) -> (Uuid, String) {
    let (client_id, secret) = (state.ids.uuid(), state.ids.word(24));
    state.credentials.push(Credential {
        client_id,
        secret: secret.clone(),
        identity,
        read_only,
        expires: None,
    });
    (client_id, secret)
}

/// Adds a tenant that is listed at once; returns its id.
pub(crate) fn tenant(state: &mut State, seed: SeedTenant) -> Result<Uuid, String> {
    let id = seed.id.unwrap_or_else(|| state.ids.uuid());
    if state.by_id.contains_key(&id) {
        return Err(format!("tenant {id} exists"));
    }
    let geography = seed.geography.unwrap_or_else(|| "DE".to_owned());
    let region = create::GEOGRAPHIES.iter().find(|(g, _)| *g == geography).map_or("eu02", |(_, r)| *r);
    let billing_type = seed.billing_type.unwrap_or_else(|| "usage".to_owned());
    let licenses = match seed.licenses {
        None => state
            .default_products
            .clone()
            .into_iter()
            .map(|code| create::license(state, code, &billing_type, None))
            .collect(),
        Some(list) => list.into_iter().map(|l| license(state, l)).collect(),
    };
    let number = state.tenants.len();
    let company = Companies::new(state.core.seed()).company(number);
    let tenant = Tenant {
        id,
        name: Text::Owned(seed.name),
        show_as: seed.show_as.map(Text::Owned),
        geography: Text::Owned(geography),
        region: Text::Borrowed(region),
        activated: seed.activated,
        billing_type: Text::Owned(billing_type),
        organization: seed.organization,
        status: seed.status.map_or(Text::Borrowed("active"), Text::Owned),
        contact: Some(Box::new(contact(seed.contact, company))),
        external_ids: seed.external_ids.into_iter().map(Text::Owned).collect(),
        licenses,
        groups: seed.groups.into_iter().map(Text::Owned).collect(),
        assistance: seed.assistance,
        leaves: None,
        unlinked: false,
    };
    state.add_tenant(tenant, Lists::AtOnce);
    Ok(id)
}

fn license(state: &mut State, seed: SeedLicense) -> License {
    let mut license = state.license(Text::Owned(seed.product), "term", None, seed.quantity);
    license.start = seed.start_date.unwrap_or(license.start);
    license.end = seed.end_date;
    license.perpetual = seed.perpetual;
    license.unlimited = seed.kind == "usage";
    license.kind = Text::Owned(seed.kind);
    license.used = seed.used;
    license
}

fn contact(seed: Option<SeedContact>, company: Company) -> Contact {
    let made = of_company(company);
    let Some(seed) = seed else { return made };
    let or = |given: Option<String>, made: Text| given.map_or(made, Text::Owned);
    Contact {
        first_name: or(seed.first_name, made.first_name),
        last_name: or(seed.last_name, made.last_name),
        email: seed.email.map(Text::Owned).or(made.email),
        phone: or(seed.phone, made.phone),
        address1: or(seed.address1, made.address1),
        city: or(seed.city, made.city),
        country_code: or(seed.country_code, made.country_code),
        postal_code: or(seed.postal_code, made.postal_code),
        ..made
    }
}

fn of_company(company: Company) -> Contact {
    Contact {
        first_name: Text::Borrowed(company.first_name),
        last_name: Text::Borrowed(company.last_name),
        email: Some(Text::Owned(company.email)),
        phone: Text::Owned(company.phone),
        address1: Text::Owned(company.street),
        address2: None,
        address3: None,
        city: Text::Borrowed(company.city),
        state: None,
        country_code: Text::Borrowed(company.country),
        postal_code: Text::Borrowed(company.postal_code),
    }
}

/// Adds `count` tenants made from a seed, and `hostile` more with dangerous names. Of ten, seven are
/// monthly accounts, two trials, one on a term.
pub(crate) fn generate(state: &mut State, count: usize, seed: u64, hostile: usize) {
    let companies = Companies::new(seed);
    state.tenants.reserve(count + hostile);
    state.by_id.reserve(count + hostile);
    for index in 0..count + hostile {
        let company = companies.company(index);
        let name = match index.checked_sub(count) {
            None => company.name.clone(),
            Some(n) => {
                let hostile = HOSTILE_NAMES[n % HOSTILE_NAMES.len()];
                if n < HOSTILE_NAMES.len() { hostile.to_owned() } else { format!("{hostile} {n}") }
            }
        };
        let billing_type = match index % 10 {
            0..=6 => "usage",
            7 | 8 => "trial",
            _ => "term",
        };
        let mut licenses = Vec::with_capacity(state.default_products.len());
        for at in 0..state.default_products.len() {
            let code = state.default_products[at].clone();
            let mut license = create::license(state, code, billing_type, None);
            license.used = u32::try_from(index % 40).unwrap_or(0);
            licenses.push(license);
        }
        let tenant = Tenant {
            id: state.ids.uuid(),
            name: Text::Owned(name),
            show_as: None,
            geography: Text::Borrowed("DE"),
            region: Text::Borrowed("eu02"),
            activated: true,
            billing_type: Text::Borrowed(billing_type),
            organization: None,
            status: Text::Borrowed("active"),
            contact: Some(Box::new(of_company(company))),
            external_ids: Vec::new(),
            licenses,
            groups: Vec::new(),
            assistance: billing_type != "term",
            leaves: None,
            unlinked: false,
        };
        state.add_tenant(tenant, Lists::AtOnce);
    }
}

fn admin(state: &mut State, seed: SeedAdmin) -> Result<(), String> {
    let wanted = seed.role.as_deref().unwrap_or("Partner Admin");
    let role = state.roles.iter().find(|r| r.name == wanted).ok_or(format!("no role {wanted}"))?.id;
    let profile = BTreeMap::from([
        ("name".to_owned(), format!("{} {}", seed.first_name, seed.last_name)),
        ("firstName".to_owned(), seed.first_name),
        ("lastName".to_owned(), seed.last_name),
    ]);
    if !state.admin_emails.insert(seed.email.to_lowercase()) {
        return Err(format!("admin {} exists", seed.email));
    }
    let assignment =
        Assignment { id: state.ids.uuid(), role, scope_type: "allManagedTenants".to_owned(), scope_id: None };
    state.admins.push(Admin {
        id: state.ids.uuid(),
        username: seed.email,
        profile,
        primary: seed.primary,
        assignments: vec![assignment],
    });
    Ok(())
}
