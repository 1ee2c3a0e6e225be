//! Creating a tenant: every check, then the tenant with its licences.
//!
//! Facts: Sophos Postman collection and the public beginning of the Partner API 1.11.0 specification
//! (required fields, enums); clients of that specification (`admin`, `products`); partner help (MSP
//! Flex, default products, Partner Assistance). A refused call changes nothing.

use serde_json::{Map, Value};

use super::errors::Failure;
use super::state::{Contact, License, State, Tenant, Text};
use super::switches::{
    AdminEmailInUse, ContactEmail, CreateAdmin, CreateProducts, DuplicateName, NewAccount, OrderedBilling,
    ShowAsDefault, UnknownBodyFields, UsRegion, UsageWithoutFlex,
};
use super::views::TenantView;
use crate::{Call, Reply};

/// Geographies with their regions.
pub(crate) const GEOGRAPHIES: [(&str, &str); 9] = [
    ("US", "us01"),
    ("US", "us03"),
    ("IE", "eu01"),
    ("DE", "eu02"),
    ("CA", "ca01"),
    ("AU", "au01"),
    ("JP", "jp01"),
    ("BR", "br01"),
    ("IN", "in01"),
];

const KNOWN: [&str; 9] = [
    "name",
    "showAs",
    "dataGeography",
    "dataRegion",
    "billingType",
    "contact",
    "admin",
    "products",
    "acceptedSampleSubmission",
];

type Object = Map<String, Value>;

/// `POST /partner/v1/tenants`.
pub(crate) fn create(state: &mut State, call: &Call) -> Result<Reply, Failure> {
    let Some(Value::Object(body)) = call.json() else { return Err(Failure::bad("the body is no object")) };
    if state.switches.unknown_body_fields == UnknownBodyFields::BadRequest
        && let Some(unknown) = body.keys().find(|k| !KNOWN.contains(&k.as_str()))
    {
        return Err(Failure::bad(format!("{unknown} is not known")));
    }
    let name = required(&body, "", "name")?;
    let show_as = optional(&body, "", "showAs")?;
    let contact = contact(state, &body)?;
    let billing_type = billing_type(state, &body)?;
    let (geography, region) = place(state, &body)?;
    let admin = admin(state, &body)?;
    let products = products(state, &body)?;

    if billing_type == "usage" && !state.flex {
        return Err(match state.switches.usage_without_flex {
            UsageWithoutFlex::Forbidden => Failure::FORBIDDEN,
            UsageWithoutFlex::BadRequest => Failure::bad("billingType usage needs MSP Flex"),
        });
    }
    if state.switches.duplicate_name == DuplicateName::Conflict
        && state.tenants.iter().any(|t| !t.unlinked && *t.name == *name)
    {
        return Err(Failure::conflict("A tenant of this name already exists"));
    }
    if let Some(email) = &admin
        && state.admin_emails.contains(email)
    {
        return Err(match state.switches.admin_email_in_use {
            AdminEmailInUse::Conflict => Failure::conflict("The admin's e-mail already exists"),
            AdminEmailInUse::BadRequest => Failure::bad("The admin's e-mail already exists"),
        });
    }

    let id = state.ids.uuid();
    let products =
        products.unwrap_or_else(|| state.default_products.iter().map(|code| (code.clone(), None)).collect());
    let licenses = products.into_iter().map(|(code, q)| license(state, code, billing_type, q)).collect();
    let tenant = Tenant {
        id,
        show_as: show_as.or_else(|| {
            (state.switches.show_as_default == ShowAsDefault::Name).then(|| Text::Owned(name.to_string()))
        }),
        name,
        geography: Text::Borrowed(geography),
        region: Text::Borrowed(region),
        activated: state.switches.new_account == NewAccount::Activated,
        billing_type: Text::Borrowed(billing_type),
        organization: None,
        status: Text::Borrowed("active"),
        contact: Some(Box::new(contact)),
        external_ids: Vec::new(),
        licenses,
        groups: Vec::new(),
        // Partner help: on by itself for trials and monthly accounts that the partner makes.
        assistance: true,
        leaves: None,
        unlinked: false,
    };
    state.admin_emails.extend(admin.clone());
    let lists = state.lists();
    state.add_tenant(tenant, lists);
    let tenant = state.tenant(id).ok_or(Failure::status(500))?;
    let mut reply =
        Reply::json(201, &TenantView::of(state, tenant, &state.url())).effect("tenant-created", id);
    if let Some(email) = admin {
        reply = reply.effect("tenant-admin-created", email);
    }
    Ok(reply)
}

/// A licence as an account of this billing type gets it.
pub(crate) fn license(state: &mut State, code: Text, billing_type: &str, quantity: Option<u32>) -> License {
    match billing_type {
        "trial" => state.license(code, "trial", Some(30), Some(quantity.unwrap_or(25))),
        "usage" => state.license(code, "usage", None, quantity),
        "ordered" => state.license(code, "ordered", Some(365), Some(quantity.unwrap_or(1))),
        _ => state.license(code, "term", Some(365), Some(quantity.unwrap_or(1))),
    }
}

fn required(object: &Object, prefix: &str, key: &str) -> Result<Text, Failure> {
    optional(object, prefix, key)?.ok_or_else(|| Failure::bad(format!("{prefix}{key} is required")))
}

/// A text that may be absent or null; an empty one counts as absent.
fn optional(object: &Object, prefix: &str, key: &str) -> Result<Option<Text>, Failure> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(Text::Owned(text.clone()))),
        Some(_) => Err(Failure::bad(format!("{prefix}{key} is a text"))),
    }
}

fn object<'a>(object: &'a Object, prefix: &str, key: &str) -> Result<&'a Object, Failure> {
    match object.get(key) {
        Some(Value::Object(inner)) => Ok(inner),
        None | Some(Value::Null) => Err(Failure::bad(format!("{prefix}{key} is required"))),
        Some(_) => Err(Failure::bad(format!("{prefix}{key} is an object"))),
    }
}

fn email(text: &str, what: &str) -> Result<(), Failure> {
    let good = text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    if good && !text.contains(char::is_whitespace) {
        Ok(())
    } else {
        Err(Failure::bad(format!("{what} is no e-mail address")))
    }
}

fn contact(state: &State, body: &Object) -> Result<Contact, Failure> {
    let contact = object(body, "", "contact")?;
    let address = object(contact, "contact.", "address")?;
    let (at, there) = ("contact.", "contact.address.");
    let address_of = optional(contact, at, "email")?;
    match &address_of {
        Some(text) => email(text, "contact.email")?,
        None if state.switches.contact_email == ContactEmail::Required => {
            return Err(Failure::bad("contact.email is required"));
        }
        None => {}
    }
    for unread in ["mobile", "fax"] {
        optional(contact, at, unread)?;
    }
    Ok(Contact {
        first_name: required(contact, at, "firstName")?,
        last_name: required(contact, at, "lastName")?,
        phone: required(contact, at, "phone")?,
        email: address_of,
        address1: required(address, there, "address1")?,
        address2: optional(address, there, "address2")?,
        address3: optional(address, there, "address3")?,
        city: required(address, there, "city")?,
        state: optional(address, there, "state")?,
        country_code: required(address, there, "countryCode")?,
        postal_code: required(address, there, "postalCode")?,
    })
}

fn billing_type(state: &State, body: &Object) -> Result<&'static str, Failure> {
    match required(body, "", "billingType")?.as_ref() {
        "trial" => Ok("trial"),
        "usage" => Ok("usage"),
        "ordered" if state.switches.ordered_billing == OrderedBilling::Accepted => Ok("ordered"),
        // `term` is read but is in no create enum.
        _ => Err(Failure::bad("billingType is trial or usage")),
    }
}

/// Geography and region; either names the other.
fn place(state: &State, body: &Object) -> Result<(&'static str, &'static str), Failure> {
    let geography = optional(body, "", "dataGeography")?;
    let region = optional(body, "", "dataRegion")?;
    let us = match state.switches.us_region {
        UsRegion::Us01 => "us01",
        UsRegion::Us03 => "us03",
    };
    let fits = |(g, r): &&(&'static str, &'static str)| match (&geography, &region) {
        (None, None) => false,
        (Some(geography), None) => g == geography && (*g != "US" || *r == us),
        (None, Some(region)) => r == region,
        (Some(geography), Some(region)) => g == geography && r == region,
    };
    GEOGRAPHIES
        .iter()
        .find(fits)
        .copied()
        .ok_or_else(|| Failure::bad("dataGeography or dataRegion is required and one of those that exist"))
}

/// The first admin's e-mail in lower case, where the account takes one.
fn admin(state: &State, body: &Object) -> Result<Option<String>, Failure> {
    if body.get("admin").is_none_or(Value::is_null) {
        return Ok(None);
    }
    match state.switches.create_admin {
        CreateAdmin::Ignored => return Ok(None),
        CreateAdmin::BadRequest => return Err(Failure::bad("admin is not known")),
        CreateAdmin::Accepted => {}
    }
    let admin = object(body, "", "admin")?;
    required(admin, "admin.", "name")?;
    let address = required(admin, "admin.", "email")?;
    email(&address, "admin.email")?;
    Ok(Some(address.to_lowercase()))
}

type Products = Vec<(Text, Option<u32>)>;

/// The products asked for; `None`: the partner's default products apply.
fn products(state: &State, body: &Object) -> Result<Option<Products>, Failure> {
    let Some(list) = body.get("products").filter(|v| !v.is_null()) else { return Ok(None) };
    match state.switches.create_products {
        CreateProducts::Ignored => return Ok(None),
        CreateProducts::BadRequest => return Err(Failure::bad("products is not known")),
        CreateProducts::Accepted => {}
    }
    let list = list.as_array().ok_or_else(|| Failure::bad("products is a list"))?;
    let read = |item: &Value| -> Result<(Text, Option<u32>), Failure> {
        let item = item.as_object().ok_or_else(|| Failure::bad("a product is an object"))?;
        let code = required(item, "products.", "code")?;
        let quantity = match item.get("quantity") {
            None | Some(Value::Null) => None,
            Some(q) => Some(
                q.as_u64()
                    .and_then(|q| u32::try_from(q).ok())
                    .filter(|q| *q > 0)
                    .ok_or_else(|| Failure::bad("products.quantity is a number from 1"))?,
            ),
        };
        Ok((code, quantity))
    };
    let products: Products = list.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Some(products).filter(|p| !p.is_empty()))
}
