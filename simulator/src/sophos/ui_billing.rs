//! Clicks on billing, licences and the link to the partner, with the console's refusals.
//!
//! Facts: Sophos Central Partner help, on update billing, licence keys, changing licences, unlinking.

use jiff::{Span, civil::Date};
use serde::Deserialize;
use uuid::Uuid;

use super::create;
use super::state::{State, Tenant, Text};
use super::ui::{Products, Refused, body, of};
use crate::Call;

#[derive(Deserialize)]
struct Wanted {
    code: String,
    quantity: Option<u32>,
}

/// Customers › select › Update Billing.
pub(crate) fn update_billing(state: &mut State, call: &Call, id: Uuid) -> Result<&'static str, Refused> {
    #[derive(Deserialize)]
    struct Form {
        to: String,
        #[serde(default)]
        confirm: bool,
        #[serde(default)]
        immediately: bool,
        #[serde(default)]
        products: Vec<String>,
        key: Option<String>,
    }
    let form: Form = body(call)?;
    let from = of(state, id).billing_type.clone();
    let today = state.today();
    match (from.as_ref(), form.to.as_str()) {
        (from, to) if from == to => Err(Refused::new("same-billing", format!("the account is {to} already"))),
        (_, "usage") if !state.flex => Err(Refused::new("needs-flex", "monthly billing needs MSP Flex")),
        ("trial", "usage") => {
            if !form.confirm {
                return Err(Refused::new(
                    "not-confirmed",
                    "this ends all product trials of the account; confirm",
                ));
            }
            let held: Vec<Text> = of(state, id).licenses.iter().map(|l| l.product.clone()).collect();
            let products = if form.products.is_empty() {
                held
            } else {
                form.products.into_iter().map(Text::Owned).collect()
            };
            end_all(of(state, id), today);
            monthly(state, id, products);
            Ok("billing-updated")
        }
        ("term", "usage") => {
            if !form.immediately {
                return Err(Refused::new("not-immediate", "tick \"immediately\""));
            }
            if form.products.is_empty() {
                return Err(Refused::new("no-products", "choose licence types and products"));
            }
            end_all(of(state, id), today);
            monthly(state, id, form.products.into_iter().map(Text::Owned).collect());
            Ok("billing-updated")
        }
        ("usage", "term") => {
            let key = form.key.filter(|k| !k.trim().is_empty());
            let key = key.ok_or_else(|| Refused::new("no-key", "a licence key is required"))?;
            use_key(state, key)?;
            let products: Vec<Text> = if form.products.is_empty() {
                of(state, id).licenses.iter().filter(|l| l.active(today)).map(|l| l.product.clone()).collect()
            } else {
                form.products.into_iter().map(Text::Owned).collect()
            };
            end_all(of(state, id), today);
            for product in products {
                let license = create::license(state, product, "term", None);
                of(state, id).licenses.push(license);
            }
            of(state, id).billing_type = Text::Borrowed("term");
            Ok("billing-updated")
        }
        (from, to) => {
            Err(Refused::new("no-such-change", format!("the console does not change {from} to {to}")))
        }
    }
}

fn monthly(state: &mut State, id: Uuid, products: Vec<Text>) {
    for product in products {
        let license = create::license(state, product, "usage", None);
        of(state, id).licenses.push(license);
    }
    let tenant = of(state, id);
    tenant.billing_type = Text::Borrowed("usage");
    tenant.assistance = true;
}

/// Every active licence ends the day before.
fn end_all(tenant: &mut Tenant, today: Date) {
    let yesterday = today.yesterday().unwrap_or(today);
    for license in tenant.licenses.iter_mut().filter(|l| l.active(today)) {
        license.end = Some(yesterday);
    }
}

/// Managed Customer Usage › select › Change licenses.
pub(crate) fn change_licenses(state: &mut State, call: &Call, id: Uuid) -> Result<&'static str, Refused> {
    let wanted: Products<Wanted> = body(call)?;
    if of(state, id).billing_type != "usage" {
        return Err(Refused::new("not-monthly", "only a monthly account's licences are changed here"));
    }
    if wanted.products.is_empty() {
        return Err(Refused::new("no-products", "choose at least one product"));
    }
    let today = state.today();
    let yesterday = today.yesterday().unwrap_or(today);
    for license in of(state, id).licenses.iter_mut().filter(|l| l.active(today)) {
        match wanted.products.iter().find(|w| *w.code == *license.product) {
            Some(kept) => license.quantity = kept.quantity,
            None => license.end = Some(yesterday),
        }
    }
    for Wanted { code, quantity } in wanted.products {
        if !of(state, id).licenses.iter().any(|l| l.active(today) && *l.product == *code) {
            let license = create::license(state, Text::Owned(code), "usage", quantity);
            of(state, id).licenses.push(license);
        }
    }
    Ok("licenses-changed")
}

fn use_key(state: &mut State, key: String) -> Result<(), Refused> {
    if state.used_keys.insert(key) {
        Ok(())
    } else {
        Err(Refused::new("key-used", "this licence key has been applied"))
    }
}

/// Licenses › Apply License Key: cannot be undone; the same product's trial ends the day before, other
/// trials stay, a second term of the product co-terms.
pub(crate) fn apply_key(state: &mut State, call: &Call, id: Uuid) -> Result<&'static str, Refused> {
    #[derive(Deserialize)]
    struct Form {
        #[serde(default)]
        key: String,
        product: String,
        quantity: Option<u32>,
        days: Option<i32>,
    }
    let form: Form = body(call)?;
    if form.key.trim().is_empty() {
        return Err(Refused::new("no-key", "a licence key is required"));
    }
    if of(state, id).billing_type == "usage" {
        return Err(Refused::new("not-termed", "a monthly account takes a key through Update Billing"));
    }
    use_key(state, form.key)?;
    let today = state.today();
    let yesterday = today.yesterday().unwrap_or(today);
    let product = form.product.clone();
    let mut fresh = state.license(
        Text::Owned(form.product),
        "term",
        Some(form.days.unwrap_or(365)),
        Some(form.quantity.unwrap_or(1)),
    );
    let tenant = of(state, id);
    for license in tenant.licenses.iter_mut().filter(|l| l.active(today) && *l.product == *product) {
        if license.kind == "trial" {
            license.end = Some(yesterday);
        } else {
            // Co-terming: one term to the later end with both quantities.
            fresh.end = fresh.end.max(license.end);
            fresh.quantity = Some(fresh.quantity.unwrap_or(0) + license.quantity.unwrap_or(0));
            license.end = Some(yesterday);
        }
    }
    tenant.licenses.push(fresh);
    tenant.billing_type = Text::Borrowed("term");
    Ok("license-key-applied")
}

pub(crate) fn remove_license(state: &mut State, call: &Call, id: Uuid) -> Result<&'static str, Refused> {
    #[derive(Deserialize)]
    struct Form {
        product: String,
    }
    let form: Form = body(call)?;
    let licenses = &mut of(state, id).licenses;
    let before = licenses.len();
    licenses.retain(|l| *l.product != *form.product);
    if licenses.len() == before {
        return Err(Refused::new("no-license", format!("the account has no licence of {}", form.product)));
    }
    Ok("license-removed")
}

/// Unlink from Partner.
pub(crate) fn unlink(state: &mut State, id: Uuid) -> Result<&'static str, Refused> {
    let today = state.today();
    let flex = state.flex;
    let tenant = of(state, id);
    if let Some(leaves) = tenant.leaves {
        return Err(Refused::new("already-leaving", format!("the account leaves on {leaves}")));
    }
    match tenant.billing_type.as_ref() {
        "usage" => {
            if !flex {
                return Err(Refused::new(
                    "needs-flex",
                    "a monthly account is unlinked by an MSP Flex partner",
                ));
            }
            let first = today.first_of_month().saturating_add(Span::new().months(1));
            tenant.leaves = Some(first);
            let at = state.by_id[&id];
            state.leaving.push(at);
            Ok("unlink-scheduled")
        }
        "trial" => {
            leave(state, id);
            Ok("tenant-unlinked")
        }
        _ => {
            let paid = || tenant.licenses.iter().filter(|l| l.kind != "trial");
            if let Some(active) = paid().find(|l| l.active(today)) {
                return Err(Refused::new(
                    "active-license",
                    format!("{} is active; remove it first", active.product),
                ));
            }
            let window = today.saturating_sub(Span::new().days(60));
            if let Some(recent) = paid().find(|l| l.end.is_some_and(|end| end > window)) {
                return Err(Refused::new(
                    "reactivation-window",
                    format!("{} expired less than 60 days ago", recent.product),
                ));
            }
            leave(state, id);
            Ok("tenant-unlinked")
        }
    }
}

fn leave(state: &mut State, id: Uuid) {
    let at = state.by_id[&id];
    state.leave(at);
}
