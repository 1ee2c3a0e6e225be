//! Sophos's refusals, each with one code of ours, what happened and what to do.
//!
//! The HTTP status decides, never the text (Sophos community, "Sophos Central API errors": the spelling of `error`
//! differs between APIs, and some fail without a body). The vendor's message, code and ids are kept beside.

use serde_json::Value;
use tenantry_engine::observed::Refusal;
use tenantry_engine::text::Untrusted;

use super::dialect::TITLE;
use crate::tables::Refused;
use crate::transport::Answer;

/// What was asked when Sophos refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Token,
    WhoAmI,
    List,
    Licenses,
    Create,
    Rename,
}

impl Asked {
    /// As errors name it: "refuses to …".
    pub(super) const fn words(self) -> &'static str {
        match self {
            Asked::Token => "give a token",
            Asked::WhoAmI => "say who the credential belongs to",
            Asked::List => "list the customers",
            Asked::Licenses => "show the licences of a customer",
            Asked::Create => "create the customer",
            Asked::Rename => "rename the customer",
        }
    }
}

/// Where credentials are made (Sophos Central Partner help, API Credentials).
const CREDENTIALS: &str = "Sophos Central Partner › Settings & Policies › API Credentials";

/// Our code, what happened, what to do.
fn meaning(asked: Asked, status: u16, vendor_code: &str, message: &str) -> (&'static str, String, String) {
    let code = vendor_code.to_ascii_lowercase();
    let own = |code, words: &str, hint: &str| (code, words.to_owned(), hint.to_owned());
    if asked == Asked::Token {
        return match (status, code.as_str()) {
            (_, "oauth.invalid_client_secret") => own(
                "wrong-secret",
                "the client secret is wrong or has expired",
                &format!("make a new credential at {CREDENTIALS} and replace clientSecret"),
            ),
            (_, "oauth.client_app_does_not_exist") => own(
                "unknown-client",
                "no credential has this client id",
                &format!("compare clientId with {CREDENTIALS}"),
            ),
            (_, "customer.validation") => own(
                "malformed-credential",
                "the client id or secret has not the form that Sophos expects",
                "copy clientId and clientSecret again, without quotes or line breaks",
            ),
            (429, _) => generic(status),
            (400..=499, _) => own("not-authenticated", "the credential is not accepted", CREDENTIALS),
            _ => generic(status),
        };
    }
    match (asked, status) {
        (Asked::Rename, 404 | 405 | 415) => own(
            "position-refused",
            "this console takes no rename by API",
            "the rename becomes a task; renameVia: Person says so from the start",
        ),
        (Asked::Create, 409) => own(
            "already-exists",
            "the name or the administrator's e-mail is taken",
            "look for the customer in the console; if it is this one, bind it with id",
        ),
        (Asked::Create, 400) if message.to_lowercase().contains("already exist") => own(
            "already-exists",
            "the name or the administrator's e-mail is taken",
            "look for the customer in the console; if it is this one, bind it with id",
        ),
        (Asked::Create, 403) => own(
            "forbidden",
            "this credential may not create this customer",
            "it needs the role Service Principal Super Admin, and monthly billing needs an MSP Flex contract",
        ),
        (Asked::Create, 400) => own(
            "invalid-request",
            "a value is not accepted",
            "check contact, address, dataGeography and billing (monthly needs an MSP Flex contract); if \
             productsAtCreation is on, switch it off",
        ),
        (Asked::Rename, 403) => own(
            "forbidden",
            "this credential may not rename this customer",
            "it needs the role Service Principal Super Admin",
        ),
        (Asked::Licenses, 403) => own(
            "partner-assistance-off",
            "its licences cannot be read",
            "Partner Assistance off? The customer enables it at Account Details › Sophos Support",
        ),
        (Asked::Licenses, 401) => own(
            "not-ours",
            "its licences cannot be read",
            "it may belong to another partner; Partner Assistance may be off",
        ),
        (_, 400) => own("invalid-request", "the request is not accepted", ""),
        (_, 401) => own(
            "not-authenticated",
            "the token or the identity header is not accepted",
            &format!("compare the credential with {CREDENTIALS}"),
        ),
        (_, 403) => {
            own("forbidden", "this credential may not do that", &format!("check its role at {CREDENTIALS}"))
        }
        (_, 404) => own("not-found", "there is no such customer", ""),
        (_, 409) => own("conflict", "it contradicts what is there", ""),
        (_, 413 | 414) => own("too-large", "the request is too large", ""),
        (_, 451) => own("legal-block", "it is blocked for legal reasons", "ask Sophos support"),
        _ => generic(status),
    }
}

fn generic(status: u16) -> (&'static str, String, String) {
    match status {
        429 => ("throttled", "too many requests".into(), "wait, or lower spec.pace".into()),
        500..=599 => ("vendor-error", "Sophos failed".into(), "try again later".into()),
        _ => ("refused", String::new(), String::new()),
    }
}

/// An answer that is a refusal. Ids are kept for Sophos support.
pub(super) fn refusal(asked: Asked, answer: &Answer) -> Refusal {
    let body: Value = answer.parse().unwrap_or(Value::Null);
    let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let vendor_code = text("errorCode").or_else(|| text("code")).or_else(|| text("error"));
    let message = text("message").unwrap_or_default();
    let (code, ours, hint) = meaning(asked, answer.status, vendor_code.unwrap_or_default(), message);
    let words = match (ours.is_empty(), message.is_empty()) {
        (false, true) => ours,
        (false, false) => format!("{ours} (\"{}\")", message.trim()),
        (true, false) => message.to_owned(),
        (true, true) => format!("status {}", answer.status),
    };
    Refusal {
        code: code.to_owned(),
        status: Some(answer.status),
        vendor_code: vendor_code.map(Untrusted::from),
        words: Untrusted::new(words),
        hint,
        request_id: text("requestId").or_else(|| text("trackingId")).map(Untrusted::from),
        correlation_id: text("correlationId").map(Untrusted::from),
    }
}

/// Statuses that the error page lists for every API; what one means may depend on what was asked.
const STATUSES: [u16; 12] = [400, 401, 403, 404, 409, 413, 414, 429, 451, 500, 502, 503];
/// What the token service calls its refusals.
const TOKEN_CODES: [(u16, &str); 3] = [
    (401, "oauth.invalid_client_secret"),
    (401, "oauth.client_app_does_not_exist"),
    (400, "customer.validation"),
];

/// All documented refusals: of the token service, of any request, and where one request's mean something else.
pub(crate) fn documented() -> impl Iterator<Item = Refused> {
    let row = |asked: Asked, shown: &'static str, status: u16, vendor_code: &str| {
        let (code, words, hint) = meaning(asked, status, vendor_code, "");
        let vendor_code = vendor_code.to_owned();
        Refused { console: TITLE, asked: shown, status: Some(status), vendor_code, code, words, hint }
    };
    let tokens = TOKEN_CODES.map(|(status, code)| row(Asked::Token, Asked::Token.words(), status, code));
    let common = STATUSES.map(|status| row(Asked::List, "", status, ""));
    let own = [
        (Asked::Create, &[400, 403, 409][..]),
        (Asked::Rename, &[403, 404, 405, 415]),
        (Asked::Licenses, &[401, 403]),
    ];
    let own = own.into_iter().flat_map(move |(asked, statuses)| {
        statuses.iter().map(move |status| row(asked, asked.words(), *status, ""))
    });
    tokens.into_iter().chain(common).chain(own)
}

#[cfg(test)]
mod tests;
