//! Accepting drift: which value of which object must change so that the declaration says what the console shows.
//!
//! Adapters turn declarations into a console's fields, not the other way. So each place from which a field may come
//! is tried: the declaration is changed there in memory and projected again by the adapter itself; the place is the
//! right one if that field then is what the console shows and no other field of that console moved.

use serde_json::Value as Json;
use tenantry_crd as crd;
use tenantry_engine::address::Kind;
use tenantry_engine::console::Dialect;
use tenantry_engine::desired::{Customer, Desired, LicenseDecl, Merged, OpenAccount};
use tenantry_engine::plan::Drifted;
use tenantry_engine::value::{Field, Value};

use super::{Found, Wanted, origin_of};
use crate::edit::{Edit, New, set};
use crate::load::tree::{Step, parse_path, print_path};

/// Finds the edits that accept this console's drift.
pub fn find(desired: &Desired<'_>, dialect: &dyn Dialect, drift: &[Drifted], found: &mut Found) {
    for one in drift {
        let label = &one.change.label;
        let Some(shown) = &one.change.old else {
            found.note(&one.address, format!("{label}: the console shows nothing; take it out by hand"));
            continue;
        };
        let (origin, place) = match one.address.kind {
            Kind::Customer => {
                let Some(decl) = desired.accounts.iter().find(|decl| decl.address == one.address) else {
                    continue;
                };
                let place = account(&decl.open(), desired, dialect, &one.change.field, shown);
                if let Some((path, _)) = &place
                    && decl.customer.accounts().count() > 1
                    && path.get(1) != Some(&Step::Key("accounts".to_owned()))
                {
                    found.note(
                        &one.address,
                        format!("{label}: {} is said for all accounts of this customer; taken in, and the next plan may change it in the others", print_path(path)),
                    );
                }
                (&decl.origin, place)
            }
            Kind::License => {
                let Some(decl) = desired.licenses.iter().find(|decl| decl.address == one.address) else {
                    continue;
                };
                (&decl.origin, license(decl, dialect, &one.change.field, shown))
            }
            Kind::Relationship => continue,
        };
        match (place, origin_of(origin)) {
            (Some((path, new)), Some(origin)) => found.wanted.push(Wanted {
                address: one.address.clone(),
                edit: Edit { origin, path, new, after: &["name", "consoleRef", "id"] },
            }),
            _ => found.note(
                &one.address,
                format!("{label}: {} cannot be declared as it is; change it by hand", shown.terminal()),
            ),
        }
    }
}

type Place = (Vec<Step>, New);

/// The values by which a declaration may say what a console shows.
fn spellings(shown: &Value) -> Vec<New> {
    match shown {
        Value::Bool(value) => vec![New::Bool(*value)],
        Value::Number(value) => vec![New::Number(*value)],
        Value::List(items) => vec![New::List(items.iter().map(ToString::to_string).collect())],
        Value::Text(text) => {
            let mut out = vec![New::Text(text.to_string())];
            let mut chars = text.chars();
            if let Some(first) = chars.next()
                && first.is_ascii_lowercase()
            {
                // Enumerations are spelled with a capital in declarations.
                out.push(New::Text(first.to_ascii_uppercase().to_string() + chars.as_str()));
            }
            out
        }
    }
}

/// Paths from which a field of an account may come, the narrowest first.
fn account_paths(decl: &OpenAccount<'_>, desired: &Desired<'_>, field: &str) -> Vec<String> {
    let own = format!("spec.accounts[{}]", decl.index);
    let vendor = desired.console.spec.vendor().map_or("", |vendor| vendor.field());
    let contacts = decl.customer.contacts.as_ref().map_or(0, Vec::len);
    let (head, leaf) = field.split_once('.').unwrap_or(("", field));
    match head {
        "contact" => (0..contacts).map(|n| format!("spec.contacts[{n}].{leaf}")).collect(),
        "address" => vec![format!("spec.company.address.{leaf}")],
        _ => {
            let mut out = vec![format!("{own}.{vendor}.{leaf}")];
            match leaf {
                "name" | "displayName" => {
                    out = vec![format!("{own}.displayName"), "spec.company.displayName".to_owned()];
                    if leaf == "name" {
                        out.insert(0, "spec.company.legalName".to_owned());
                    } else {
                        out.push("spec.company.legalName".to_owned());
                    }
                }
                "language" => out.extend((0..contacts).map(|n| format!("spec.contacts[{n}].language"))),
                "registrationNumber" => out.push("spec.company.registrationNumber".to_owned()),
                _ => {}
            }
            out
        }
    }
}

fn account(
    decl: &OpenAccount<'_>,
    desired: &Desired<'_>,
    dialect: &dyn Dialect,
    field: &Field,
    shown: &Value,
) -> Option<Place> {
    let before = dialect.account(decl).fields;
    let spec = serde_json::to_value(&*decl.customer).expect("a Customer is JSON");
    try_all(&account_paths(decl, desired, field.as_str()), shown, &spec, |changed| {
        let customer: crd::CustomerSpec = serde_json::from_value(changed).ok()?;
        let own = customer.accounts.get(decl.index)?;
        let own = if desired.console.spec.defaults.is_some() {
            own.with_defaults(desired.console.spec)
        } else {
            own.clone()
        };
        let (customer, own) = (Customer::Declared(&customer), Merged::Own(Box::new(own)));
        let after = dialect.account(&OpenAccount { decl: decl.decl, customer, account: own }).fields;
        Some(only(dialect, field, shown, &before, &after))
    })
}

fn license(decl: &LicenseDecl<'_>, dialect: &dyn Dialect, field: &Field, shown: &Value) -> Option<Place> {
    let path = match field.as_str() {
        "autoRenew" => "spec.renewal.autoRenew".to_owned(),
        other => format!("spec.{other}"),
    };
    let before = dialect.license(decl).fields;
    let spec = serde_json::to_value(decl.spec).expect("a License is JSON");
    try_all(&[path], shown, &spec, |changed| {
        let spec: crd::LicenseSpec = serde_json::from_value(changed).ok()?;
        let after = dialect.license(&LicenseDecl { spec: &spec, ..decl.clone() }).fields;
        Some(only(dialect, field, shown, &before, &after))
    })
}

/// The first path and spelling that make the projection say what is shown.
fn try_all(
    paths: &[String],
    shown: &Value,
    spec: &Json,
    right: impl Fn(Json) -> Option<bool>,
) -> Option<Place> {
    for path in paths.iter().map(|path| parse_path(path)) {
        for new in spellings(shown) {
            let mut changed = spec.clone();
            if set(&mut changed, &path[1..], new.json()) && right(changed) == Some(true) {
                return Some((path, new));
            }
        }
    }
    None
}

/// Whether this field became what is shown, and no other field moved.
fn only(
    dialect: &dyn Dialect,
    field: &Field,
    shown: &Value,
    before: &[(Field, Value)],
    after: &[(Field, Value)],
) -> bool {
    let is_shown = |value: &Value| value == shown || dialect.same(field, value, shown);
    let others = |fields: &[(Field, Value)]| {
        fields.iter().filter(|(other, _)| other != field).cloned().collect::<Vec<_>>()
    };
    after.iter().any(|(other, value)| other == field && is_shown(value)) && others(before) == others(after)
}
