//! The error object (Sophos Postman collection; community.sophos.com on API errors).

use std::borrow::Cow;

use serde_json::json;

use super::state::State;
use super::switches::{ErrorBody, RetryAfterHeader};
use crate::Reply;

/// A refusal on its way to becoming an error object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    /// Added to the vendor's standing message; a person may read it, nothing may depend on it.
    pub(crate) detail: Cow<'static, str>,
}

impl Failure {
    pub(crate) const UNAUTHORIZED: Self = Self::status(401);
    pub(crate) const FORBIDDEN: Self = Self::status(403);
    pub(crate) const NOT_FOUND: Self = Self::status(404);
    pub(crate) const NOT_ALLOWED: Self = Self::status(405);

    pub(crate) const fn status(status: u16) -> Self {
        Self { status, detail: Cow::Borrowed("") }
    }

    pub(crate) fn bad(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status: 400, detail: detail.into() }
    }

    pub(crate) fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status: 409, detail: detail.into() }
    }
}

fn words(status: u16) -> (&'static str, &'static str, &'static str) {
    match status {
        400 => ("badRequest", "Bad request.", "BadRequest"),
        401 => ("notAuthorized", "Not authorized.", "Unauthorized"),
        403 => ("forbidden", "Forbidden.", "Forbidden"),
        404 => ("notFound", "Resource not found.", "NotFound"),
        405 => ("methodNotAllowed", "Method not allowed.", "MethodNotAllowed"),
        409 => ("resourceConflict", "Resource conflict.", "Conflict"),
        415 => ("unsupportedMediaType", "Unsupported media type.", "UnsupportedMediaType"),
        429 => ("tooManyRequests", "Too many requests.", "TooManyRequests"),
        502 => ("badGateway", "Bad gateway.", "BadGateway"),
        503 => ("serviceUnavailable", "Service unavailable.", "ServiceUnavailable"),
        _ => ("internalServerError", "Internal Server Error.", "InternalServerError"),
    }
}

/// The answer for a refusal, spelled as the account's switches say.
pub(crate) fn reply(state: &mut State, failure: &Failure) -> Reply {
    let (camel, message, word) = words(failure.status);
    let correlation = state.ids.uuid();
    let request = state.ids.uuid();
    let message =
        if failure.detail.is_empty() { message.to_owned() } else { format!("{message} {}.", failure.detail) };
    match state.switches.error_body {
        ErrorBody::Empty => Reply::empty(failure.status),
        ErrorBody::CamelCase => Reply::json(
            failure.status,
            &json!({"error": camel, "message": message, "correlationId": correlation, "requestId": request}),
        ),
        ErrorBody::Words => Reply::json(
            failure.status,
            &json!({"error": word, "correlationId": correlation, "requestId": request, "createdAt": state.now()}),
        ),
        ErrorBody::Full => Reply::json(
            failure.status,
            &json!({
                "error": camel, "message": message, "correlationId": correlation, "requestId": request,
                "code": word, "createdAt": state.now(), "docUrl": "https://developer.sophos.com/",
            }),
        ),
    }
}

/// The partner's own 429, with `Retry-After` as the switch says.
pub(crate) fn too_many(state: &mut State, wait_seconds: i64) -> Reply {
    let reply = reply(state, &Failure::status(429));
    match state.switches.retry_after {
        RetryAfterHeader::Absent => reply,
        RetryAfterHeader::Seconds => reply.header("retry-after", wait_seconds.to_string()),
        RetryAfterHeader::HttpDate => {
            let at = state.now() + jiff::SignedDuration::from_secs(wait_seconds);
            reply.header("retry-after", crate::http_date(at))
        }
    }
}
