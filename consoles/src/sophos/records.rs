//! From Sophos's objects to the engine's records.
//!
//! Tolerant: every key but the id may be absent or null, every enum is open (an unknown value is kept as it came),
//! unknown keys are ignored. Facts: Sophos Postman collection, Partner API (tenant) and Licensing API (licences); the
//! keys after `apiHost` are known from live answers alone, so that no decision rests on them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::Value as Json;
use tenantry_engine::address::RemoteId;
use tenantry_engine::observed::{Blocker, KeyKind, LicenseRecord, Record};
use tenantry_engine::plan::matching::Key;
use tenantry_engine::text::{Untrusted, terminal};
use tenantry_engine::value::{Field, Value};

use super::fields;

/// A licence that ended keeps its account for this long: it may be reactivated (Sophos Central Partner help, Unlink
/// from Partner).
pub(super) const REACTIVATION_DAYS: i64 = 60;

pub(super) fn text<'j>(json: &'j Json, key: &str) -> Option<&'j str> {
    json.get(key).and_then(Json::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// An id in its canonical spelling: lower case, without `urn:uuid:`. The form is checked as 8-4-4-4-12 hex digits
/// only: the vendor's own samples carry version digits that RFC 9562 does not know.
pub(super) fn id(raw: &str) -> Option<String> {
    let lower = raw.trim().to_ascii_lowercase();
    let id = lower.strip_prefix("urn:uuid:").unwrap_or(&lower);
    let groups: Vec<&str> = id.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let hex = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    (lengths == [8, 4, 4, 4, 12] && hex).then(|| id.to_owned())
}

/// One item of the list of tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tenant {
    pub record: Record,
    /// It has left us and is listed all the same.
    pub canceled: bool,
    /// It has a regional host; without one, nothing beyond the list can be asked about it.
    pub activated: bool,
}

/// Reads a tenant; `None`: it has no id that could be one.
pub(super) fn tenant(json: &Json) -> Option<Tenant> {
    let id = id(text(json, "id")?)?;
    let legal = text(json, "name");
    let shown = text(json, "showAs").or(legal);
    let contact = json.get("contact").unwrap_or(&Json::Null);
    let address = contact.get("address").unwrap_or(&Json::Null);
    let mut known: Vec<(Field, Value)> = Vec::with_capacity(16);
    let mut add = |field: &'static str, value: Option<&str>| {
        if let Some(value) = value {
            known.push((Field::of(field), Value::text(value)));
        }
    };
    // The name that can be changed is the shown one: both naming policies compare with it.
    add(fields::LEGAL_NAME, shown);
    add(fields::DISPLAY_NAME, shown);
    add(fields::BILLING, text(json, "billingType"));
    add(fields::GEOGRAPHY, text(json, "dataGeography"));
    add(fields::FIRST_NAME, text(contact, "firstName"));
    add(fields::LAST_NAME, text(contact, "lastName"));
    add(fields::EMAIL, text(contact, "email"));
    add(fields::PHONE, text(contact, "phone"));
    add(fields::LINE1, text(address, "address1"));
    add(fields::LINE2, text(address, "address2"));
    add(fields::CITY, text(address, "city"));
    add(fields::POSTAL_CODE, text(address, "postalCode"));
    add(fields::STATE, text(address, "state"));
    add(fields::COUNTRY, text(address, "countryCode"));
    let street = text(address, "postalCode").zip(text(address, "address1"));
    let mut keys: Vec<Key> = [
        legal.and_then(|name| Key::new(KeyKind::Name, name)),
        shown.and_then(|name| Key::new(KeyKind::Name, name)),
        text(contact, "email").and_then(|email| Key::new(KeyKind::ContactEmail, email)),
        text(contact, "phone").and_then(|phone| Key::new(KeyKind::Phone, phone)),
        street.and_then(|(code, line)| Key::new(KeyKind::PostcodeStreet, &format!("{code} {line}"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let external = json.get("externalIds").and_then(Json::as_array).into_iter().flatten();
    keys.extend(external.filter_map(|one| Key::new(KeyKind::ExternalId, one.as_str()?)));
    keys.sort();
    keys.dedup();
    Some(Tenant {
        record: Record::new(RemoteId::from(id), shown.unwrap_or_default(), known, keys),
        canceled: text(json, "status").is_some_and(|status| status.eq_ignore_ascii_case("canceled")),
        activated: text(json, "apiHost").is_some(),
    })
}

/// How declarations spell a licence's type. Types that buy a term are one; an unknown type stays as it came.
fn kind(vendor: &str) -> &str {
    match vendor {
        "term" | "perpetual" | "ordered" | "enterprise" => "paid",
        other => other,
    }
}

/// Values of a record and its licences that no source names: kept as they came, and told.
pub(super) fn unknown(record: &Record, licenses: &[LicenseRecord]) -> Vec<(&'static str, Untrusted)> {
    let billing = record.field(fields::BILLING);
    let billing = billing.as_ref().and_then(Value::as_text);
    let billing = billing.filter(|value| !matches!(*value, "trial" | "usage" | "term" | "ordered"));
    let kinds = licenses.iter().flat_map(|license| &license.fields).filter_map(|(field, value)| {
        let kind = value.as_text().filter(|_| field.as_str() == fields::TYPE)?;
        (!matches!(kind, "trial" | "usage" | "paid" | "unknown")).then_some(("licence type", kind))
    });
    let all = billing.map(|value| ("billing", value)).into_iter().chain(kinds);
    all.map(|(what, value)| (what, Untrusted::new(value))).collect()
}

/// Reads a licence; `None`: it has neither an id nor a product code.
pub(super) fn license(json: &Json, now: Timestamp) -> Option<LicenseRecord> {
    let id = text(json, "id").or_else(|| text(json, "licenseIdentifier"))?;
    let article = json.get("product").and_then(|product| text(product, "code"))?;
    let vendor_type = text(json, "type").unwrap_or("unknown");
    let today = now.to_zoned(TimeZone::UTC).date();
    let perpetual = json.get("perpetual").and_then(Json::as_bool).unwrap_or(false);
    let end = text(json, "endDate").and_then(date).filter(|_| !perpetual);
    let in_force = end.is_none_or(|end| end >= today);
    let mut fields = vec![(Field::of(fields::TYPE), Value::text(kind(vendor_type)))];
    if let Some(quantity) = json.get("quantity").and_then(Json::as_i64) {
        fields.push((Field::of(fields::QUANTITY), Value::Number(quantity)));
    }
    Some(LicenseRecord {
        id: RemoteId::from(id),
        article: Untrusted::from(article),
        in_force,
        status: Untrusted::from(if in_force { vendor_type } else { "expired" }),
        fields,
        blocks_end: blocker(article, vendor_type, end, in_force, today),
    })
}

fn date(text: &str) -> Option<Date> {
    // `yyyy-MM-dd`; some answers carry a time behind it.
    text.get(..10)?.parse().ok()
}

/// Sophos refuses to unlink while a licence is active, or ended less than 60 days ago. Trials and monthly licences do
/// not stand in the way; a type that nobody knows does.
fn blocker(article: &str, kind: &str, end: Option<Date>, in_force: bool, today: Date) -> Option<Blocker> {
    if matches!(kind, "trial" | "usage") {
        return None;
    }
    let until = end.and_then(|end| end.checked_add(Span::new().days(REACTIVATION_DAYS)).ok());
    if !in_force && until.is_some_and(|until| until <= today) {
        return None;
    }
    let article = terminal(article);
    let words = match (in_force, end) {
        (true, Some(end)) => format!("the {} licence {article} runs until {end}", terminal(kind)),
        (true, None) => format!("the {} licence {article} has no end", terminal(kind)),
        (false, _) => format!(
            "the licence {article} ended less than {REACTIVATION_DAYS} days ago and can still be reactivated"
        ),
    };
    let until = until.and_then(|until| until.to_zoned(TimeZone::UTC).ok()).map(|until| until.timestamp());
    Some(Blocker { words, until })
}
