//! Every documented refusal of Partner Center, Graph and the token endpoint: our code, our words, what to do.
//!
//! Source: Partner Center REST, "Error codes", with observations where the page is silent; each group names its own.
//! A code that is not listed keeps the vendor's words, code and ids. Never prints a request body.

use tenantry_engine::observed::Refusal;
use tenantry_engine::text::{Untrusted, terminal};

use super::dialect::TITLE;
use super::json;
use crate::tables::Refused;
use crate::transport::Answer;

mod table;

use table::{CREDENTIAL, KNOWN, Known, LATER, REREAD, TOKEN};

/// What was asked, where one number means two things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// Anything else.
    Any,
    /// `POST /v1/customers`.
    Create,
    /// `GET /v1/compliance/csp/agreementstatus`.
    Agreement,
    /// A line of a cart.
    Cart,
}

/// What the answer means by its status, where the code says nothing.
fn by_status(status: u16) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match status {
        401 => ("access-denied", "Microsoft does not accept the token", CREDENTIAL),
        412 | 417 => ("stale-version", "it was changed meanwhile (its etag is no longer valid)", REREAD),
        429 => ("throttled", "too many requests", LATER),
        500..=599 => ("vendor-unwell", "Microsoft's service does not answer as it should", LATER),
        _ => return None,
    })
}

/// The table's row for an answer.
fn find(about: About, status: u16, vendor: i64) -> Option<&'static Known> {
    let fits = |row: &&Known| row.vendor == vendor && (row.status == 0 || row.status == status);
    KNOWN
        .iter()
        .filter(|row| row.about == about)
        .find(fits)
        .or_else(|| KNOWN.iter().filter(|row| row.about == About::Any).find(fits))
}

/// Whether a header's value is short and plain enough to be kept as an id.
fn id(answer: &Answer, name: &str) -> Option<Untrusted> {
    // Samples double the ids: `id,id`.
    let text = answer.header(name)?.split(',').next()?.trim();
    (!text.is_empty() && text.len() <= 64).then(|| Untrusted::new(text))
}

/// Reads a refusal of Partner Center or Graph.
pub(super) fn refusal(about: About, answer: &Answer) -> Refusal {
    let body = json::parse(answer.text().as_bytes()).unwrap_or_default();
    // Graph wraps: {"error":{"code","message"}}.
    let body = json::get(&body, "error").filter(|error| error.is_object()).cloned().unwrap_or(body);
    let number = json::number(&body, &["code"]);
    let vendor_code = number
        .map(|number| number.to_string())
        .or_else(|| json::text(&body, &["code"]).map(str::to_owned))
        .map(|code| Untrusted::new(code.chars().take(64).collect::<String>()));
    let said = json::text(&body, &["description"]).or_else(|| json::text(&body, &["message"]));
    let correlation_id = id(answer, "ms-correlationid");
    let request_id = id(answer, "ms-requestid").or_else(|| id(answer, "request-id"));
    let mfa = answer.status == 401
        && answer.header("www-authenticate").is_some_and(|value| {
            value.trim_start().to_ascii_lowercase().starts_with("bearer") && value.contains("invalid_token")
        });
    let row = number.and_then(|number| find(about, answer.status, number));
    let (code, words, hint) = if mfa && said.is_none() {
        (
            "mfa-required",
            Untrusted::new("the user behind the refresh token has not signed in with a second factor"),
            "sign in anew with multi-factor authentication and store the new refreshToken",
        )
    } else if let Some(row) = row {
        let more = said.filter(|_| row.says_more).map(|said| format!("{}: {}", row.words, terminal(said)));
        (row.code, Untrusted::new(more.unwrap_or_else(|| row.words.to_owned())), row.hint)
    } else if let Some((code, words, hint)) = by_status(answer.status) {
        (code, Untrusted::new(words), hint)
    } else {
        ("refused", said.map_or_else(|| Untrusted::new("it is refused without a reason"), Untrusted::new), "")
    };
    Refusal {
        code: code.to_owned(),
        status: Some(answer.status),
        vendor_code,
        words,
        hint: hint.to_owned(),
        request_id,
        correlation_id,
    }
}

/// Reads a refusal of the token endpoint. Its description names the user and is not kept.
pub(super) fn token_refusal(answer: &Answer) -> Refusal {
    let body = json::parse(answer.text().as_bytes()).unwrap_or_default();
    let number =
        json::items(&body, "error_codes").and_then(|codes| codes.first()).and_then(serde_json::Value::as_i64);
    let row = number.and_then(|number| TOKEN.iter().find(|row| row.0 == number));
    let error = json::text(&body, &["error"]).unwrap_or_default();
    let (code, words, hint) = match (row, error) {
        (Some((_, code, words, hint)), _) => (*code, *words, *hint),
        (None, "invalid_client" | "unauthorized_client") => (
            "client-refused",
            "Entra does not accept the application's credential",
            "check clientId and clientSecret",
        ),
        (None, "invalid_grant") => (
            "refresh-token-invalid",
            "Entra does not accept the grant",
            "consent anew and store the new refreshToken",
        ),
        (None, _) if answer.status == 429 => ("throttled", "too many requests", LATER),
        (None, _) if answer.status >= 500 => ("vendor-unwell", "Entra does not answer as it should", LATER),
        (None, _) => {
            ("refused", "Entra grants no token", "check clientId, clientSecret, tenant and refreshToken")
        }
    };
    let vendor_code = number
        .map(|number| format!("AADSTS{number}"))
        .or_else(|| (!error.is_empty()).then(|| error.chars().take(64).collect()));
    let text = |name: &str| json::text(&body, &[name]).filter(|id| id.len() <= 64).map(Untrusted::new);
    Refusal {
        code: code.to_owned(),
        status: Some(answer.status),
        vendor_code: vendor_code.map(Untrusted::new),
        words: Untrusted::new(words),
        hint: hint.to_owned(),
        request_id: text("trace_id"),
        correlation_id: text("correlation_id"),
    }
}

impl About {
    /// As a table of refusals names it.
    const fn words(self) -> &'static str {
        match self {
            About::Any => "",
            About::Create => "create a customer",
            About::Agreement => "look at the partner agreement",
            About::Cart => "a line of a cart",
        }
    }
}

/// All documented refusals, in the order of the tables.
pub(crate) fn documented() -> impl Iterator<Item = Refused> {
    let calls = KNOWN.iter().map(|row| Refused {
        console: TITLE,
        asked: row.about.words(),
        status: (row.status != 0).then_some(row.status),
        vendor_code: row.vendor.to_string(),
        code: row.code,
        words: row.words.to_owned(),
        hint: row.hint.to_owned(),
    });
    // The token endpoint documents 400 and 401 without saying which comes with what.
    let tokens = TOKEN.iter().map(|(number, code, words, hint)| Refused {
        console: TITLE,
        asked: "get a token",
        status: None,
        vendor_code: format!("AADSTS{number}"),
        code,
        words: (*words).to_owned(),
        hint: (*hint).to_owned(),
    });
    calls.chain(tokens)
}

#[cfg(test)]
mod tests;
