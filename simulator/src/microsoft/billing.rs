//! Billing profiles: what one must hold, get, and PUT with its etag.
//!
//! The etag travels in the body (`attributes.etag`) and, by the page, in `If-Match`; which of them counts is a
//! switch. A refused PUT changes nothing. Never renames the company: no call does.

use serde_json::{Value, json};

use super::audit;
use super::calls::Desk;
use super::customers;
use super::errors::{self, Refused};
use super::state::{Billing, Tenant};
use super::switches::{
    BadAddress, BadEmail, BillingEtag, RegistrationElsewhere, RegistrationRules, Switches,
};
use super::wire;
use crate::Reply;

/// Countries that want a registration number and a phone number (utility resources).
const REGISTERED: [&str; 11] = ["AM", "AZ", "BY", "HU", "KZ", "KG", "MD", "RU", "TJ", "UZ", "UA"];
/// Countries that joined them later; in 2021 they wanted the number only.
const REGISTERED_LATER: [&str; 13] =
    ["IN", "BR", "ZA", "PL", "AE", "SA", "TR", "TH", "VN", "MM", "IQ", "SS", "VE"];

/// Members that must be there, and the lengths of the address resource.
pub(super) fn required(profile: &Value) -> Result<(), Refused> {
    let missing =
        |path: &[&str]| errors::INVALID_PROPERTY.plain().about(format!("billingProfile.{}", path.join(".")));
    for name in ["email", "culture", "language", "companyName"] {
        wire::text(profile, &[name]).ok_or_else(|| missing(&[name]))?;
    }
    let limits =
        [("firstName", 50), ("lastName", 50), ("addressLine1", 200), ("city", 200), ("postalCode", 200)];
    for (name, longest) in limits {
        let path = ["defaultAddress", name];
        wire::text(profile, &path).filter(|v| v.chars().count() <= longest).ok_or_else(|| missing(&path))?;
    }
    let country = wire::text(profile, &["defaultAddress", "country"]).unwrap_or_default();
    if country.len() != 2 || !country.chars().all(|c| c.is_ascii_alphabetic()) {
        return Err(missing(&["defaultAddress", "country"]));
    }
    // Zero to two letters; where every address has a state, none is no address.
    let state = wire::text(profile, &["defaultAddress", "state"]).unwrap_or_default();
    let needs_state = ["US", "CA"].contains(&country.to_uppercase().as_str());
    if state.chars().count() > 2 || (needs_state && state.is_empty()) {
        return Err(missing(&["defaultAddress", "state"]));
    }
    Ok(())
}

/// What Microsoft checks by content: e-mail, registration number, phone, address.
pub(super) fn plausible(
    profile: &Value,
    number: Option<&str>,
    at_create: bool,
    switches: &Switches,
) -> Result<(), Refused> {
    let email = wire::text(profile, &["email"]).unwrap_or_default();
    if !wire::is_email(email) {
        return Err(match switches.bad_email {
            BadEmail::Notification => {
                errors::BAD_NOTIFICATION_EMAIL.says(format!("NotificationEmailAddress: {email} is invalid"))
            }
            BadEmail::InvalidInput => errors::INVALID_INPUT.plain().about("billingProfile.email"),
        });
    }
    if at_create {
        registration(profile, number, switches)?;
    }
    let postal_code = wire::text(profile, &["defaultAddress", "postalCode"]).unwrap_or_default();
    if switches.bad_address == BadAddress::Refused && is_bad_postal_code(postal_code) {
        let says = json!({
            "code": "60071",
            "reason": "ZipCityInvalid - the postal code does not match the city",
            "corrected_address": {},
        });
        return Err(errors::BAD_ADDRESS.says(says.to_string()));
    }
    Ok(())
}

/// A postal code of zeros alone stands for an address that does not exist.
pub(super) fn is_bad_postal_code(code: &str) -> bool {
    !code.is_empty() && code.chars().all(|c| c == '0')
}

fn registration(profile: &Value, number: Option<&str>, switches: &Switches) -> Result<(), Refused> {
    let country = wire::text(profile, &["defaultAddress", "country"]).unwrap_or_default().to_uppercase();
    let phone = wire::text(profile, &["defaultAddress", "phoneNumber"]);
    let first = REGISTERED.contains(&country.as_str());
    let later = REGISTERED_LATER.contains(&country.as_str());
    if !first && !later {
        return match (number, switches.registration_elsewhere) {
            (Some(_), RegistrationElsewhere::Refused) => Err(errors::REGISTRATION_UNSUPPORTED.plain()),
            _ => Ok(()),
        };
    }
    let number = number.ok_or(errors::REGISTRATION_MISSING)?;
    let fits = (4..=30).contains(&number.chars().count())
        && number.chars().all(|c| c.is_alphanumeric() || "-./ ".contains(c))
        && number.chars().any(|c| c.is_ascii_digit());
    if !fits {
        return Err(errors::REGISTRATION_MALFORMED.plain());
    }
    let phone_needed = first || switches.registration_rules == RegistrationRules::Of2023;
    if phone_needed && phone.is_none() { Err(errors::PHONE_MISSING.plain()) } else { Ok(()) }
}

/// The members that a profile keeps: its own, without what the server dresses it with.
pub(super) fn members(profile: &Value) -> Value {
    let mut kept = profile.clone();
    if let Some(members) = kept.as_object_mut() {
        for name in ["id", "links", "attributes"] {
            members.remove(name);
        }
    }
    kept
}

/// The etag: an opaque signed integer as text.
pub(super) fn etag(billing: &Billing) -> String {
    let hash = billing
        .id
        .bytes()
        .chain(billing.version.to_be_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
    hash.cast_signed().to_string()
}

/// The address of a company that was seeded without one.
pub(super) fn stock_address(tenant: &Tenant) -> Value {
    json!({
        "country": tenant.country, "city": "Redmond", "state": if tenant.country == "US" { "WA" } else { "" },
        "addressLine1": "1 Example Way", "postalCode": "98052", "firstName": "Alex", "lastName": "Example",
    })
}

/// The members of a tenant's profile: as sent, or stock ones.
pub(super) fn members_of(tenant: &Tenant) -> Value {
    if !tenant.billing.members.is_null() {
        return tenant.billing.members.clone();
    }
    json!({
        "email": tenant.email, "culture": "en-US", "language": "en", "companyName": tenant.company_name,
        "firstName": "Alex", "lastName": "Example", "defaultAddress": stock_address(tenant),
    })
}

/// The billing profile on the wire.
pub(super) fn resource(tenant: &Tenant) -> Value {
    let mut out = members_of(tenant);
    out["id"] = json!(tenant.billing.id);
    out["links"] = json!({"self": wire::link(format!("/customers/{}/profiles/billing", tenant.id))});
    out["attributes"] = wire::attributes("CustomerBillingProfile", Some(&etag(&tenant.billing)));
    out
}

/// `GET /v1/customers/{id}/profiles/billing`.
pub(super) fn get(desk: &mut Desk<'_>, customer: &str) -> Result<Reply, Refused> {
    customers::ours(desk, customer)?;
    let (_, tenant) = desk.account_and_tenant(customer)?;
    Ok(Reply::json(200, &resource(tenant)))
}

/// `PUT /v1/customers/{id}/profiles/billing`: the full resource with its etag.
pub(super) fn put(desk: &mut Desk<'_>, customer: &str) -> Result<Reply, Refused> {
    customers::ours(desk, customer)?;
    let wanted =
        wire::body(desk.call).ok_or_else(|| errors::INVALID_INPUT.says("The body is not a JSON object."))?;
    let header =
        desk.call.header("If-Match").map(|v| v.trim().trim_matches('"').to_owned()).filter(|v| !v.is_empty());
    let in_body = wire::text(&wanted, &["attributes", "etag"]).map(str::to_owned);
    let (account, tenant) = desk.account_and_tenant(customer)?;
    let switches = account.switches;
    let sent = match switches.billing_etag {
        BillingEtag::Both => header.or(in_body),
        BillingEtag::Header => header,
        BillingEtag::Body => in_body,
    };
    if sent.as_deref() != Some(etag(&tenant.billing).as_str()) {
        return Err(errors::stale(&switches));
    }
    if wire::text(&wanted, &["id"]).is_some_and(|id| !id.eq_ignore_ascii_case(&tenant.billing.id)) {
        return Err(errors::INVALID_PROPERTY.plain().about("id"));
    }
    required(&wanted)?;
    plausible(&wanted, None, false, &switches)?;
    let old = resource(tenant);
    tenant.billing.members = members(&wanted);
    tenant.billing.version += 1;
    let new = resource(tenant);
    audit::record(
        desk,
        customer,
        "customer_billing_profile",
        "update_customer_billing_profile",
        Some(&old),
        Some(&new),
    );
    Ok(Reply::json(200, &new).effect("billing-profile-updated", customer))
}
