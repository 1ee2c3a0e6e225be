//! Reading Microsoft's JSON as it really comes: any case of member names, a byte order mark or a stray character in
//! front, codes as numbers or texts, members that are null or absent.
//!
//! Never fails on what it does not know; a member that is not there, or of another type, is `None`.

use jiff::Timestamp;
use serde_json::Value;

/// The JSON document in these bytes, without what stands before its first brace ("bodies may start with a BOM or a
/// stray character", observed by CIPP-API).
pub(super) fn parse(bytes: &[u8]) -> Option<Value> {
    let start = bytes.iter().take(8).position(|byte| matches!(byte, b'{' | b'['))?;
    serde_json::from_slice(&bytes[start..]).ok()
}

/// A member by its name, whatever its case: some answers are PascalCase (Partner Center samples of PATCH).
pub(super) fn get<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let members = value.as_object()?;
    members
        .get(name)
        .or_else(|| members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, member)| member))
        .filter(|member| !member.is_null())
}

/// A member behind several names.
pub(super) fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, name| get(value, name))
}

/// A text that is not empty.
pub(super) fn text<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    at(value, path)?.as_str().filter(|text| !text.is_empty())
}

/// A whole number, also where it is written as a text (the v1 token endpoint does).
pub(super) fn number(value: &Value, path: &[&str]) -> Option<i64> {
    match at(value, path)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A truth value, also as a text.
pub(super) fn flag(value: &Value, path: &[&str]) -> Option<bool> {
    match at(value, path)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A moment; some samples carry no offset and mean UTC.
pub(super) fn moment(value: &Value, path: &[&str]) -> Option<Timestamp> {
    let text = text(value, path)?;
    text.parse().ok().or_else(|| format!("{text}Z").parse().ok())
}

/// The items of a collection (`items` at Partner Center, `value` at Graph).
pub(super) fn items<'v>(value: &'v Value, name: &str) -> Option<&'v Vec<Value>> {
    get(value, name)?.as_array()
}

/// Sets a member, under the name that it has already or else under this one.
pub(super) fn set(value: &mut Value, name: &str, member: Value) {
    let Some(members) = value.as_object_mut() else { return };
    let name =
        members.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned().unwrap_or_else(|| name.to_owned());
    members.insert(name, member);
}

/// An object behind a name, made if it is not there.
pub(super) fn object<'v>(value: &'v mut Value, name: &str) -> Option<&'v mut Value> {
    if get(value, name).is_none_or(|member| !member.is_object()) {
        set(value, name, Value::Object(serde_json::Map::new()));
    }
    let members = value.as_object_mut()?;
    let name = members.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned()?;
    members.get_mut(&name)
}

/// The next page of a collection: its uri and the headers that the request for it must carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NextPage {
    /// As the vendor wrote it: relative to `/v1`, with or without that prefix, or absolute.
    pub uri: String,
    /// Such as `MS-ContinuationToken`.
    pub headers: Vec<(String, String)>,
}

/// `links.next`, with the collection's own `continuationToken` where the link carries none.
pub(super) fn next_page(value: &Value) -> Option<NextPage> {
    let next = at(value, &["links", "next"])?;
    let uri = text(next, &["uri"])?.to_owned();
    let mut headers: Vec<(String, String)> = items(next, "headers")
        .into_iter()
        .flatten()
        .filter_map(|header| Some((text(header, &["key"])?.to_owned(), text(header, &["value"])?.to_owned())))
        .collect();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("MS-ContinuationToken"))
        && let Some(token) = text(value, &["continuationToken"])
    {
        headers.push(("MS-ContinuationToken".into(), token.into()));
    }
    Some(NextPage { uri, headers })
}

/// A GUID in its usual spelling, lower-case.
pub(super) fn guid(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let shape = text.len() == 36
        && text.bytes().enumerate().all(|(n, byte)| match n {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    shape.then_some(text)
}

/// The claims of a token that looks like a JWT. Read to know which tenant it is for, trusted for nothing.
pub(super) fn claims(token: &str) -> Option<Value> {
    parse(&base64url(token.split('.').nth(1)?)?)
}

/// Decodes base64url without padding.
fn base64url(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xff).expect("eight bits"));
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests;
