//! The shapes that all answers share, and the tolerances that the wire has on the way in.
//!
//! In: PascalCase or camelCase members, nulls, a byte order mark. Out: resources with `attributes` and `links`,
//! collections. Decides nothing: no state, no refusals.

use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Value, json};

use crate::Call;

/// The body as a JSON object with camelCase members and without nulls; an empty body is an empty object.
pub(super) fn body(call: &Call) -> Option<Value> {
    let bytes = call.body();
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Some(json!({}));
    }
    serde_json::from_slice::<Value>(bytes).ok().filter(Value::is_object).map(camel)
}

/// Members renamed from PascalCase to camelCase at every depth; null members dropped.
pub(super) fn camel(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, v)| !v.is_null())
                .map(|(name, v)| (first_letter(&name, char::to_ascii_lowercase), camel(v)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(camel).collect()),
        other => other,
    }
}

/// Members renamed from camelCase to PascalCase at every depth.
pub(super) fn pascal(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, v)| (first_letter(&name, char::to_ascii_uppercase), pascal(v)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(pascal).collect()),
        other => other,
    }
}

fn first_letter(name: &str, change: fn(&char) -> char) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| change(&first).to_string() + chars.as_str())
}

/// A link: `{uri, method, headers}`; the uri is relative to `/v1`.
pub(super) fn link(uri: impl Into<String>) -> Value {
    json!({"uri": uri.into(), "method": "GET", "headers": []})
}

/// `{"objectType": …}` with an etag where there is one.
pub(super) fn attributes(object_type: &str, etag: Option<&str>) -> Value {
    match etag {
        Some(etag) => json!({"etag": etag, "objectType": object_type}),
        None => json!({"objectType": object_type}),
    }
}

/// A collection without paging: `totalCount` is the number of items returned.
pub(super) fn collection(items: &[Value], uri: &str) -> Value {
    json!({
        "totalCount": items.len(),
        "items": items,
        "links": {"self": link(uri)},
        "attributes": attributes("Collection", None),
    })
}

/// A text member at a path of names; absent, blank and non-text are all `None`.
pub(super) fn text<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    let mut at = value;
    for name in path {
        at = at.get(name)?;
    }
    at.as_str().map(str::trim).filter(|s| !s.is_empty())
}

/// Whether the text is a GUID in the vendor's usual spelling (8-4-4-4-12, any case).
pub(super) fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// Whether the text can be an e-mail address: one `@`, a dot in the domain, no blanks.
pub(super) fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.split('.').count() > 1
            && domain.split('.').all(|label| !label.is_empty())
            && !text.contains(char::is_whitespace)
            && !domain.contains('@')
    })
}

/// Whether the text can be a domain name: two or more labels of letters, digits and hyphens.
pub(super) fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').count() > 1
        && text.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
}

/// So many seconds later.
pub(super) fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// So many months later, in UTC.
pub(super) fn months_later(at: Timestamp, months: i64) -> Timestamp {
    at.to_zoned(TimeZone::UTC).checked_add(months.months()).map_or(Timestamp::MAX, |z| z.timestamp())
}

/// The midnight (UTC) at which the day of this instant begins.
pub(super) fn midnight(at: Timestamp) -> Timestamp {
    at.to_zoned(TimeZone::UTC).start_of_day().map_or(at, |z| z.timestamp())
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_usize, |g, b| (g << 8) | usize::from(*b)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let sextet = (group >> (18 - 6 * place)) & 63;
            out.push(if place <= chunk.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    out
}

/// The bytes of a base64 text; `None` for any other character.
pub(super) fn unbase64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut bits) = (0_usize, 0_u32);
    for byte in text.bytes().filter(|b| *b != b'=') {
        group = ((group << 6) | ALPHABET.iter().position(|a| *a == byte)?) & 0x00ff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from((group >> bits) & 0xff).ok()?);
        }
    }
    Some(out)
}
