//! The fields of an account at Microsoft: their names, where the wire keeps them, how they are compared.
//!
//! One table for reading and writing, so that what is compared is what is written. The company's name and domain come
//! from the customer list; everything else from the billing profile (Partner Center REST, "Get a customer's billing
//! profile", "Update a customer's billing profile").

use serde_json::{Map, Value as Json, json};
use tenantry_engine::capability::{Capabilities, Row};
use tenantry_engine::observed::Fields;
use tenantry_engine::plan::Change;
use tenantry_engine::value::{Field, Value};

use super::json;

/// The tenant's first domain; fixed when the tenant is made.
pub(super) const DOMAIN: &str = "domain";
/// The name on contracts, which is also the name that the list shows.
pub(super) const NAME: &str = "name";
/// The same, where the Console keeps display names.
pub(super) const DISPLAY_NAME: &str = "displayName";
/// What the customer is to us; shown, never declared.
pub(super) const RELATIONSHIP: &str = "relationship";
/// Sent at creation where the country wants it.
pub(super) const REGISTRATION_NUMBER: &str = "registrationNumber";
/// Tenant id of the indirect reseller whose customer it is; sent at creation by its provider.
pub(super) const RESELLER: &str = "reseller";
/// Whether Microsoft makes its default delegated admin relationship at creation.
pub(super) const DEFAULT_GDAP: &str = "enableGdapByDefault";
/// How many delegated admin relationships a customer has with us that have not ended.
pub(super) const RIGHTS: &str = "delegatedAdmin.count";
/// Their names.
pub(super) const RIGHTS_NAMES: &str = "delegatedAdmin.names";
/// Whether the older, all-embracing delegated admin privileges are granted.
pub(super) const PRIVILEGES: &str = "delegatedAdmin.privileges";

/// A field of the billing profile.
pub(super) struct Billing {
    /// As plans and ledgers name it.
    pub field: &'static str,
    /// As plans print it.
    pub label: &'static str,
    /// Where the wire keeps it; a name appears in the profile and in its address, and is read from the first.
    pub paths: &'static [&'static [&'static str]],
    /// Whether letters' case says nothing.
    pub any_case: bool,
}

const fn billing(
    field: &'static str,
    label: &'static str,
    paths: &'static [&'static [&'static str]],
) -> Billing {
    Billing { field, label, paths, any_case: false }
}

/// The billing profile, in the order that plans show it.
pub(super) const BILLING: &[Billing] = &[
    Billing { field: "contact.email", label: "contact e-mail", paths: &[&["email"]], any_case: true },
    billing("contact.firstName", "contact first name", &[&["firstName"], &["defaultAddress", "firstName"]]),
    billing("contact.lastName", "contact last name", &[&["lastName"], &["defaultAddress", "lastName"]]),
    billing("contact.phone", "contact phone", &[&["defaultAddress", "phoneNumber"]]),
    Billing { field: "language", label: "language", paths: &[&["language"]], any_case: true },
    Billing { field: "culture", label: "culture", paths: &[&["culture"]], any_case: true },
    billing("address.line1", "address line 1", &[&["defaultAddress", "addressLine1"]]),
    billing("address.line2", "address line 2", &[&["defaultAddress", "addressLine2"]]),
    billing("address.city", "city", &[&["defaultAddress", "city"]]),
    billing("address.postalCode", "postal code", &[&["defaultAddress", "postalCode"]]),
    Billing {
        field: "address.state",
        label: "state",
        paths: &[&["defaultAddress", "state"]],
        any_case: true,
    },
    Billing {
        field: "address.country",
        label: "country",
        paths: &[&["defaultAddress", "country"]],
        any_case: true,
    },
];

fn row_of(field: &str) -> Option<&'static Billing> {
    BILLING.iter().find(|row| row.field == field)
}

/// Adds what is known about each field.
pub(super) fn rules(table: Capabilities) -> Capabilities {
    let table = table
        .field(NAME, "name", Row::Rename, true)
        .field(DISPLAY_NAME, "name", Row::Rename, true)
        // Nothing moves a tenant to another first domain.
        .field(DOMAIN, "domain", Row::Move, true);
    BILLING.iter().fold(table, |table, row| table.field(row.field, row.label, Row::UpdateContact, true))
}

/// Whether the vendor shows what was wanted, by its own normalisation.
pub(super) fn same(field: &str, wanted: &Value, shown: &Value) -> bool {
    let any_case = field == DOMAIN || row_of(field).is_some_and(|row| row.any_case);
    match (wanted, shown) {
        (Value::Text(wanted), Value::Text(shown)) => {
            let (wanted, shown) = (wanted.trim(), shown.trim());
            if any_case { same_in_any_case(wanted, shown) } else { wanted == shown }
        }
        _ => wanted == shown,
    }
}

fn same_in_any_case(a: &str, b: &str) -> bool {
    a == b
        || if a.is_ascii() && b.is_ascii() {
            a.eq_ignore_ascii_case(b)
        } else {
            a.to_lowercase() == b.to_lowercase()
        }
}

/// A billing profile as fields; what it does not have is not there.
pub(super) fn of_billing(profile: &Json) -> Fields {
    BILLING
        .iter()
        .filter_map(|row| {
            let text = row.paths.iter().find_map(|path| json::text(profile, path))?;
            Some((Field::of(row.field), Value::text(text)))
        })
        .collect()
}

/// What stands in the way of changing a profile from old to new: it shows something else by now.
pub(super) enum Moved {
    /// Nothing: it still shows the old values.
    No,
    /// It shows the new values already.
    Already,
    /// It shows neither; the labels of such fields.
    Yes(Vec<String>),
}

/// Compares a fresh profile with what a step was planned from.
pub(super) fn moved(profile: &Json, changes: &[Change]) -> Moved {
    let shown = of_billing(profile);
    let value = |field: &Field| shown.get(field.as_str());
    let agrees = |field: &Field, wanted: Option<&Value>| match (wanted, value(field)) {
        (Some(wanted), Some(shown)) => same(field.as_str(), wanted, &shown),
        (wanted, shown) => wanted.is_none() && shown.is_none(),
    };
    if changes.iter().all(|change| agrees(&change.field, change.new.as_ref())) {
        return Moved::Already;
    }
    let other: Vec<String> = changes
        .iter()
        .filter(|change| {
            !agrees(&change.field, change.old.as_ref()) && !agrees(&change.field, change.new.as_ref())
        })
        .map(|change| change.label.clone())
        .collect();
    if other.is_empty() { Moved::No } else { Moved::Yes(other) }
}

/// Writes changes into a profile, leaving everything else as it came.
pub(super) fn write(profile: &mut Json, changes: &[Change]) {
    for change in changes {
        let Some(row) = row_of(change.field.as_str()) else { continue };
        let value = change.new.as_ref().and_then(Value::as_text).map_or(Json::Null, Json::from);
        for path in row.paths {
            put(profile, path, value.clone());
        }
    }
}

fn put(target: &mut Json, path: &[&str], value: Json) {
    match path {
        [] => {}
        [name] => json::set(target, name, value),
        [name, rest @ ..] => {
            if let Some(inner) = json::object(target, name) {
                put(inner, rest, value);
            }
        }
    }
}

/// The body that creates a customer (Partner Center REST, "Create a customer"), from the values of a step. The
/// company's name belongs into the billing profile.
pub(super) fn creation(new: &dyn Fn(&str) -> Option<Value>) -> Json {
    let text = |field: &str| new(field).as_ref().and_then(Value::as_text).map(str::to_owned);
    let mut profile = Json::Object(Map::new());
    for row in BILLING {
        if let Some(value) = text(row.field) {
            for path in row.paths {
                put(&mut profile, path, json!(value));
            }
        }
    }
    // The page requires the member, and allows it to be empty where a country has no states.
    if text("address.state").is_none() {
        put(&mut profile, &["defaultAddress", "state"], json!(""));
    }
    if let Some(name) = text(NAME).or_else(|| text(DISPLAY_NAME)) {
        put(&mut profile, &["companyName"], json!(name));
    }
    let mut company = json!({"domain": text(DOMAIN).unwrap_or_default()});
    if let Some(number) = text(REGISTRATION_NUMBER) {
        json::set(&mut company, "organizationRegistrationNumber", json!(number));
    }
    let gdap = matches!(new(DEFAULT_GDAP), Some(Value::Bool(true)));
    let mut body = json!({
        "enableGDAPByDefault": gdap,
        "companyProfile": company,
        "billingProfile": profile,
    });
    if let Some(reseller) = text(RESELLER) {
        json::set(&mut body, "associatedPartnerId", json!(reseller));
    }
    body
}

/// What the address validation takes, out of a creation's body.
pub(super) fn address_of(creation: &Json) -> Json {
    let mut out = Map::new();
    for name in ["addressLine1", "addressLine2", "city", "state", "postalCode", "country"] {
        if let Some(text) = json::text(creation, &["billingProfile", "defaultAddress", name]) {
            out.insert(name.to_owned(), json!(text));
        }
    }
    Json::Object(out)
}

#[cfg(test)]
mod tests;
