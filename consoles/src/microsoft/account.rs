//! A declared account in Microsoft's terms: fields, keys, and what stands against creating it.
//!
//! Never invents a value: what the declaration does not say is not managed, and what a creation lacks is a finding
//! that names the field.

use std::borrow::Cow;
use std::collections::BTreeSet;

use tenantry_crd::console::{MicrosoftPosition, Naming};
use tenantry_crd::customer::{Address, Contact, ContactRole, Onboarding};
use tenantry_engine::console::Projection;
use tenantry_engine::desired::OpenAccount;
use tenantry_engine::observed::{Facet, KeyKind};
use tenantry_engine::plan::findings::{Code, Finding};
use tenantry_engine::plan::matching::Key;
use tenantry_engine::value::{Field, Value};

use super::dialect::Terms;
use super::fields;

/// Countries in which a company's registration number, and a phone number, are mandatory; elsewhere Microsoft rejects
/// the number (Partner Center REST, "Utility resources").
const REGISTERED: [&str; 24] = [
    "AM", "AZ", "BY", "HU", "KZ", "KG", "MD", "RU", "TJ", "UZ", "UA", "IN", "BR", "ZA", "PL", "AE", "SA",
    "TR", "TH", "VN", "MM", "IQ", "SS", "VE",
];
/// Countries whose addresses have a state.
const WITH_STATES: [&str; 2] = ["US", "CA"];

/// Whose name stands on the bill: the contact for bills, else the first administrator.
fn billed<'d>(decl: &'d OpenAccount<'_>) -> Option<(usize, &'d Contact)> {
    let contacts = decl.customer.contacts.as_deref().unwrap_or_default();
    let with = |role: ContactRole| contacts.iter().position(|contact| contact.roles.contains(&role));
    let place = with(ContactRole::Billing).or_else(|| with(ContactRole::Admin))?;
    Some((place, &contacts[place]))
}

/// What a declaration says about the billing profile, before it becomes fields.
struct Declared<'d> {
    values: [(&'static str, Option<Cow<'d, str>>); 12],
}

impl<'d> Declared<'d> {
    fn of(decl: &'d OpenAccount<'_>) -> Self {
        let contact = billed(decl).map(|(_, contact)| contact);
        let block = decl.account.microsoft.as_deref();
        let address = decl.customer.company.address.as_ref();
        let spoken = contact.and_then(|contact| contact.language.as_deref());
        let country = address.and_then(|address| address.country.as_deref());
        let language = block
            .and_then(|block| block.language.as_deref())
            .or_else(|| spoken.map(|tag| tag.split('-').next().unwrap_or(tag)));
        // `de-AT` says both; `de` says the culture only together with the country.
        let culture = match (block.and_then(|block| block.culture.as_deref()), spoken) {
            (Some(culture), _) => Some(Cow::Borrowed(culture)),
            (None, Some(tag)) if tag.contains('-') => Some(Cow::Borrowed(tag)),
            _ => language.zip(country).map(|(language, country)| Cow::Owned(format!("{language}-{country}"))),
        };
        let with_states = country.is_some_and(|country| WITH_STATES.contains(&country));
        // Two letters at most: what is longer elsewhere is no part of Microsoft's address.
        let state = address
            .and_then(|address| address.state.as_deref())
            .filter(|state| with_states || state.chars().count() <= 2);
        let of_contact = |field: fn(&Contact) -> Option<&str>| contact.and_then(field).map(Cow::Borrowed);
        let of_address = |field: fn(&Address) -> Option<&str>| address.and_then(field).map(Cow::Borrowed);
        Self {
            values: [
                ("contact.email", of_contact(|contact| contact.email.as_deref())),
                ("contact.firstName", of_contact(|contact| contact.first_name.as_deref())),
                ("contact.lastName", of_contact(|contact| contact.last_name.as_deref())),
                ("contact.phone", of_contact(|contact| contact.phone.as_deref())),
                ("language", language.map(Cow::Borrowed)),
                ("culture", culture),
                ("address.line1", of_address(|address| address.line1.as_deref())),
                ("address.line2", of_address(|address| address.line2.as_deref())),
                ("address.city", of_address(|address| address.city.as_deref())),
                ("address.postalCode", of_address(|address| address.postal_code.as_deref())),
                ("address.state", state.map(Cow::Borrowed)),
                ("address.country", country.map(Cow::Borrowed)),
            ],
        }
    }

    fn get(&self, field: &str) -> Option<&str> {
        self.values.iter().find(|(other, _)| *other == field).and_then(|(_, value)| value.as_deref())
    }
}

/// Its first domain, as Microsoft spells it.
fn domain(decl: &OpenAccount<'_>) -> Option<String> {
    let block = decl.account.microsoft.as_deref();
    block.and_then(|block| block.domain.as_deref()).map(|domain| domain.trim().to_lowercase())
}

/// The projection of one account.
pub(super) fn project(terms: &Terms, decl: &OpenAccount<'_>) -> Projection {
    let domain = domain(decl);
    let creates = decl.account.onboarding == Some(Onboarding::Create);
    let refused = if creates && terms.position != MicrosoftPosition::IndirectReseller {
        refused(terms, decl, &Declared::of(decl), domain.as_deref())
    } else {
        Vec::new()
    };
    Projection { keys: keys(decl, domain.as_deref()), refused, ..managed(terms, decl) }
}

/// The same of an account that is there: without what finds or creates it.
pub(super) fn managed(terms: &Terms, decl: &OpenAccount<'_>) -> Projection {
    let declared = Declared::of(decl);
    let company = &decl.customer.company;
    let block = decl.account.microsoft.as_deref();
    let creates = decl.account.onboarding == Some(Onboarding::Create);
    let domain = domain(decl);

    let mut fields = Vec::with_capacity(16);
    let mut push = |field: &'static str, value: Option<&str>| {
        if let Some(value) = value {
            fields.push((Field::of(field), Value::text(value)));
        }
    };
    push(fields::DOMAIN, domain.as_deref());
    // One name there: the legal one, or the one that this Console is told to keep.
    if terms.naming == Naming::Display {
        push(fields::DISPLAY_NAME, Some(decl.shown_name()));
    } else {
        push(fields::NAME, Some(&company.legal_name));
    }
    for (field, value) in &declared.values {
        push(field, value.as_deref());
    }
    if creates {
        let registered = declared.get("address.country").is_some_and(|country| REGISTERED.contains(&country));
        if registered {
            push(fields::REGISTRATION_NUMBER, company.registration_number.as_deref());
        }
        push(fields::RESELLER, block.and_then(|block| block.reseller_tenant_id.as_deref()));
        if block.and_then(|block| block.enable_gdap_by_default) == Some(true) {
            fields.push((Field::of(fields::DEFAULT_GDAP), Value::Bool(true)));
        }
    }
    let managed =
        fields.iter().any(|(field, _)| fields::BILLING.iter().any(|row| row.field == field.as_str()));
    Projection {
        facets: if managed && terms.billing { BTreeSet::from([Facet::Account]) } else { BTreeSet::new() },
        fields,
        ..Projection::default()
    }
}

fn keys(decl: &OpenAccount<'_>, domain: Option<&str>) -> Vec<Key> {
    let company = &decl.customer.company;
    let contacts = decl.customer.contacts.iter().flatten();
    let mut keys: Vec<Key> = domain
        .into_iter()
        .chain(company.domains.iter().flatten().map(AsRef::as_ref))
        .map(|domain| (KeyKind::TenantDomain, domain))
        .chain(company.registration_number.as_deref().map(|number| (KeyKind::RegistrationNumber, number)))
        .chain([company.legal_name.as_str(), decl.shown_name()].map(|name| (KeyKind::Name, name)))
        .chain(
            contacts
                .filter_map(|contact| contact.email.as_deref())
                .map(|email| (KeyKind::ContactEmail, email)),
        )
        .filter_map(|(kind, raw)| Key::new(kind, raw))
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

fn refused(
    terms: &Terms,
    decl: &OpenAccount<'_>,
    declared: &Declared<'_>,
    domain: Option<&str>,
) -> Vec<Finding> {
    let mut out = Vec::new();
    let contact = billed(decl)
        .map_or_else(|| "spec.contacts".to_owned(), |(place, _)| format!("spec.contacts[{place}]"));
    let mut missing = |what: &str, path: String, next: &str| {
        let finding =
            Finding::new(Code::MissingField, format!("Microsoft creates no customer without {what}"));
        out.push(finding.field(path).next(next));
    };
    if domain.is_none() {
        missing(
            "its first domain",
            decl.path("microsoft.domain"),
            "write microsoft.domain: NAME.onmicrosoft.com; it is never changed",
        );
    }
    let country = declared.get("address.country").unwrap_or_default();
    let registered = REGISTERED.contains(&country);
    let with_states = WITH_STATES.contains(&country);
    let someone = "write it into the contact with role Billing, or Admin";
    for (field, what, path, wanted) in [
        ("contact.email", "a contact's e-mail address", format!("{contact}.email"), true),
        ("contact.firstName", "a contact's first name", format!("{contact}.firstName"), true),
        ("contact.lastName", "a contact's last name", format!("{contact}.lastName"), true),
        ("contact.phone", "a phone number in this country", format!("{contact}.phone"), registered),
        ("language", "a language", decl.path("microsoft.language"), true),
        ("culture", "a culture", decl.path("microsoft.culture"), true),
        ("address.line1", "a street", "spec.company.address.line1".to_owned(), true),
        ("address.city", "a town", "spec.company.address.city".to_owned(), true),
        ("address.postalCode", "a postal code", "spec.company.address.postalCode".to_owned(), true),
        ("address.state", "a state in this country", "spec.company.address.state".to_owned(), with_states),
        ("address.country", "a country", "spec.company.address.country".to_owned(), true),
    ] {
        if wanted && declared.get(field).is_none() {
            let next = match field {
                "language" => "write it here, or into the contact (language: de)",
                "culture" => "write it here (de-DE), or language and country",
                _ if field.starts_with("contact.") => someone,
                _ => "write it into the company's address",
            };
            missing(what, path, next);
        }
    }
    if registered && decl.customer.company.registration_number.is_none() {
        missing(
            "the company's registration number in this country",
            "spec.company.registrationNumber".to_owned(),
            "write the number of the commercial register or the tax number",
        );
    }
    if let Some(domain) = domain
        && terms.own.is_own(domain)
    {
        out.push(
            Finding::new(
                Code::Contradiction,
                format!(
                    "{} is a domain of yours, not of the customer",
                    tenantry_engine::text::terminal(domain)
                ),
            )
            .field(decl.path("microsoft.domain"))
            .next("name a new domain for the customer, or correct the Console's ownDomains"),
        );
    }
    for (field, longest, path) in [
        ("contact.firstName", 50, format!("{contact}.firstName")),
        ("contact.lastName", 50, format!("{contact}.lastName")),
        ("address.line1", 200, "spec.company.address.line1".to_owned()),
        ("address.state", 2, "spec.company.address.state".to_owned()),
    ] {
        if declared.get(field).is_some_and(|value| value.chars().count() > longest) {
            out.push(
                Finding::new(
                    Code::Contradiction,
                    format!("Microsoft takes at most {longest} characters here"),
                )
                .field(path)
                .next(if field == "address.state" {
                    "write its code (WA)"
                } else {
                    "shorten it"
                }),
            );
        }
    }
    let named = decl.account.microsoft.as_ref().is_some_and(|block| block.reseller_tenant_id.is_some());
    if named && terms.position != MicrosoftPosition::IndirectProvider {
        out.push(
            Finding::new(
                Code::Contradiction,
                "only an IndirectProvider creates customers for a reseller; this Console is DirectBill",
            )
            .field(decl.path("microsoft.resellerTenantId"))
            .next("leave resellerTenantId out"),
        );
    }
    if !terms.secrets {
        out.push(
            Finding::new(
                Code::NoSecretRecipient,
                "Microsoft shows the new administrator's password once, and nobody is named to receive it",
            )
            .next("write oneTimeSecrets into the Console: ageRecipients (files) or secretPrefix (cluster)"),
        );
    }
    out
}
