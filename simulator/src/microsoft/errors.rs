//! The refusals that the Microsoft part answers, in one catalogue.
//!
//! A refusal is a status, a code and a description; how the code is written (number or text) is decided when
//! the answer leaves (see [`super::switches`]). Codes are those of the Partner Center error-code page unless a
//! constant says otherwise. Never invents a code silently: where the vendor documents none, the doc says so.

use serde_json::json;

use super::switches::{CodeType, RetryAfterHeader, StaleEtag, Switches, Unauthorised};
use crate::Reply;

/// One documented refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// HTTP status.
    pub status: u16,
    /// `code` member of the body.
    pub code: u32,
    /// Its usual text.
    pub text: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal / $code:literal $text:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code { status: $status, code: $code, text: $text };)*
        /// Every refusal that can be answered, in the order of the catalogue.
        pub const ALL: &[(&str, Code)] = &[$((stringify!($name), $name)),*];
    };
}

codes! {
    /// Token missing.
    TOKEN_MISSING = 401 / 800_001 "The access token is missing.";
    /// Token unknown, expired or for another audience.
    ACCESS_DENIED = 401 / 400 "Access denied.";
    /// Token for the retired audience `graph.windows.net` (third-party digest, not verified).
    RETIRED_AUDIENCE = 401 / 900_420 "The token audience is no longer supported.";
    /// The caller's position may not call this (observed, Partner-Center-PowerShell#49 and #75).
    WRONG_POSITION = 403 / 1002 "Authorization Failed";
    /// An app-only token where app and user are required.
    APP_ONLY = 403 / 900_329 "This operation is not supported with an app-only token.";
    /// Bad parameter.
    BAD_PARAMETER = 400 / 2000 "A parameter is not valid.";
    /// Invalid input.
    INVALID_INPUT = 400 / 800_002 "The input is not valid.";
    /// Customer id malformed.
    INVALID_CUSTOMER_ID = 400 / 900_118 "The customer ID is not valid.";
    /// Invalid property; also observed for a removal without a relationship.
    INVALID_PROPERTY = 400 / 3000 "A property of the request is not valid.";
    /// No such MPN id.
    UNKNOWN_MPN = 404 / 3000 "Partner Organization could not be found";
    /// No such resource.
    NOT_FOUND = 404 / 1000 "The resource was not found.";
    /// Stale etag, as documented.
    STALE_ETAG = 400 / 2055 "Etag is no longer valid";
    /// Stale etag, as one client maps it.
    STALE_ETAG_417 = 417 / 800_036 "Etag is no longer valid";
    /// Stale etag by HTTP's own convention; the code is not documented.
    STALE_ETAG_412 = 412 / 2055 "Etag is no longer valid";
    /// Someone else's customer, as documented.
    NO_COMMERCE_RELATIONSHIP = 403 / 20_002 "The partner has no commerce relationship with the customer.";
    /// No such tenant.
    UNKNOWN_TENANT = 404 / 60_003 "The tenant was not found.";
    /// E-mail address refused at create (third-party knowledge base, not verified).
    BAD_NOTIFICATION_EMAIL = 400 / 27_002 "NotificationEmailAddress is invalid";
    /// Action not allowed (observed at create).
    NOT_ALLOWED = 403 / 600_006 "The requested action is not allowed";
    /// Registration number where none is supported.
    REGISTRATION_UNSUPPORTED = 400 / 600_002 "organizationRegistrationNumber is not supported for this country.";
    /// Registration number missing.
    REGISTRATION_MISSING = 400 / 600_049 "organizationRegistrationNumber is required for this country.";
    /// Registration number malformed.
    REGISTRATION_MALFORMED = 400 / 600_050 "organizationRegistrationNumber is malformed.";
    /// Phone missing where the registration number is mandatory.
    PHONE_MISSING = 400 / 600_051 "phoneNumber is required for this country.";
    /// Address refused, as older documents have it.
    BAD_ADDRESS = 400 / 2007 "The address is not valid.";
    /// Domain taken: neither status nor code is documented; this is the SDK's AlreadyExists.
    DOMAIN_TAKEN = 409 / 409 "The domain specified during customer creation is already used by another tenant.";
    /// A request id that comes again with another body: whether and how is not documented.
    REQUEST_ID_REUSED = 409 / 409 "The request ID was already used with another body.";
    /// A relationship that cannot be removed, as a conflict; neither status nor code is documented.
    CANNOT_REMOVE = 409 / 600_005 "Customer relationship cannot be removed.";
    /// No such subscription.
    UNKNOWN_SUBSCRIPTION = 404 / 20_003 "The subscription was not found.";
    /// Quantity change while suspended.
    QUANTITY_SUSPENDED = 400 / 2001 "The quantity cannot be changed while the subscription is suspended.";
    /// Quantity outside the offer's bounds.
    QUANTITY_BOUNDS = 400 / 2002 "The quantity is outside the allowed minimum and maximum.";
    /// The subscription is deleted.
    SUBSCRIPTION_DELETED = 400 / 2011 "The subscription is deleted.";
    /// Fewer seats past the window.
    QUANTITY_DECREASE = 400 / 800_090 "Subscription quantity cannot be decreased.";
    /// Fewer seats past the window, counted in days.
    REDUCTION_WINDOW_DAYS = 400 / 900_257 "The seat reduction window has passed (days).";
    /// Fewer seats past the window, counted in hours.
    REDUCTION_WINDOW_HOURS = 400 / 900_214 "The seat reduction window has passed (hours).";
    /// Suspended: the change is not possible.
    SUBSCRIPTION_SUSPENDED = 400 / 800_091 "The subscription is suspended.";
    /// A schedule without automatic renewal.
    NOT_RENEWABLE = 400 / 800_093 "The subscription is not auto-renewable.";
    /// The status cannot change that way.
    STATUS_FIXED = 400 / 800_096 "The subscription status cannot be changed.";
    /// Cancelled past the window, counted in days.
    CANCELLATION_WINDOW_DAYS = 400 / 900_117 "The cancellation window has passed (days).";
    /// Cancelled past the window, counted in hours.
    CANCELLATION_WINDOW_HOURS = 400 / 900_213 "The cancellation window has passed (hours).";
    /// Not provisioned yet: retry later.
    NOT_READY = 409 / 800_082 "The subscription is not ready. Retry later.";
    /// Agreement status asked without an id.
    NO_AGREEMENT_ID = 400 / 2001 "No MPN ID or tenant ID was given.";
    /// Agreement status for an MPN id that does not exist.
    AGREEMENT_MPN = 400 / 2200 "The MPN ID is not valid.";
    /// The reseller has not signed the partner agreement.
    AGREEMENT_UNSIGNED = 400 / 2203 "The partner has not signed the Microsoft Partner Agreement.";
    /// Agreement status for an MPN id without a reseller account.
    AGREEMENT_NO_ACCOUNT = 400 / 2204 "No indirect reseller account was found.";
    /// Agreement status for a tenant that does not exist.
    AGREEMENT_TENANT = 400 / 2205 "The tenant is not valid.";
}

/// A refusal on its way out.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// Status and code.
    pub code: Code,
    /// The description, at most 1024 characters.
    pub description: String,
    /// The `data` member.
    pub data: Vec<String>,
}

impl Code {
    /// The refusal with the code's usual text.
    pub fn plain(self) -> Refused {
        self.says(self.text)
    }

    /// The refusal with its own text.
    pub fn says(self, description: impl AsRef<str>) -> Refused {
        Refused {
            code: self,
            description: description.as_ref().chars().take(1024).collect(),
            data: Vec::new(),
        }
    }
}

impl From<Code> for Refused {
    fn from(code: Code) -> Self {
        code.plain()
    }
}

impl Refused {
    /// The same refusal naming what it is about in `data`.
    #[must_use]
    pub fn about(mut self, what: impl Into<String>) -> Self {
        self.data.push(what.into());
        self
    }

    /// The answer: `{"code", "description", "data", "source"}`; a 401 says where tokens come from.
    pub fn reply(&self, switches: &Switches) -> Reply {
        let unauthorised = self.code.status == 401;
        let reply = if unauthorised && switches.unauthorised == Unauthorised::Empty {
            Reply::empty(401)
        } else {
            let code = match switches.code_type {
                CodeType::Number => json!(self.code.code),
                CodeType::Text => json!(self.code.code.to_string()),
            };
            let body = json!({"code": code, "description": self.description, "data": self.data, "source": "PartnerFD"});
            Reply::json(self.code.status, &body)
        };
        if unauthorised {
            return reply.header("WWW-Authenticate", r#"OAuth realm=urn:cpsvc:cpid:{"realm":"partner"}"#);
        }
        reply
    }
}

/// The refusal of a stale etag as the switch has it.
pub(super) fn stale(switches: &Switches) -> Refused {
    match switches.stale_etag {
        StaleEtag::BadRequest => STALE_ETAG,
        StaleEtag::Precondition => STALE_ETAG_412,
        StaleEtag::Expectation => STALE_ETAG_417,
    }
    .plain()
}

/// Throttling has a body of its own (API throttling guidance).
pub(super) fn throttled(seconds: i64, switches: &Switches) -> Reply {
    let message = format!("Rate limit is exceeded. Try again in {seconds} seconds.");
    let reply = Reply::json(429, &json!({"statusCode": 429, "message": message}));
    match switches.retry_after {
        RetryAfterHeader::Sent => reply.header("Retry-After", seconds.to_string()),
        RetryAfterHeader::Missing => reply,
    }
}

/// The MFA refusal: no body, its own reason phrase (partner security requirements, mandating MFA).
pub(super) fn mfa_required() -> Reply {
    Reply::empty(401)
        .header("WWW-Authenticate", r#"Bearer error="invalid_token""#)
        .reason("Unauthorized - MFA required")
}
