//! Token, whoami and the identity headers.
//!
//! Facts: Sophos Postman collection (token, whoami); community.sophos.com recommended reads on
//! authentication and errors; tests of clients that name the token service's error codes.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::errors::Failure;
use super::state::{Identity, State, Token};
use super::switches::{ForeignIdentityHeader, GlobalHost, MissingIdentityHeader, UnknownClient};
use crate::{Call, Reply};

/// How long an access token is good for.
pub(crate) const TOKEN_SECONDS: i64 = 3600;

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) client_id: Uuid,
    pub(crate) identity: Identity,
    pub(crate) read_only: bool,
}

/// `POST /api/v2/oauth2/token`.
pub(crate) fn token(state: &mut State, call: &Call) -> Reply {
    let refresh = call.is_content_type("application/json");
    let fields: Vec<(String, String)> = if refresh {
        match call.json() {
            Some(Value::Object(map)) => {
                map.into_iter().filter_map(|(k, v)| Some((k, v.as_str()?.to_owned()))).collect()
            }
            _ => return refuse(state, 400, "customer.validation", "Bad Request"),
        }
    } else if call.is_content_type("application/x-www-form-urlencoded") {
        call.form()
    } else {
        return refuse(state, 400, "customer.validation", "Bad Request");
    };
    let field = |name: &str| {
        fields.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    };
    let complete = match field("grant_type") {
        Some("client_credentials") if !refresh => field("scope") == Some("token"),
        Some("refresh_token") if refresh => field("refresh_token").is_some(),
        _ => false,
    };
    let id = field("client_id").and_then(|id| Uuid::parse_str(id).ok());
    let (true, Some(id), Some(secret)) = (complete, id, field("client_secret")) else {
        return refuse(state, 400, "customer.validation", "Bad Request");
    };
    let now = state.now();
    let Some(at) = state.credentials.iter().position(|c| c.client_id == id) else {
        return match state.switches.unknown_client {
            UnknownClient::Unauthorized => {
                refuse(state, 401, "oauth.client_app_does_not_exist", "Unauthorized")
            }
            UnknownClient::BadRequest => refuse(state, 400, "customer.validation", "Bad Request"),
        };
    };
    let credential = &state.credentials[at];
    if credential.secret != secret || credential.expires.is_some_and(|e| e <= now) {
        return refuse(state, 401, "oauth.invalid_client_secret", "Unauthorized").by(id.to_string());
    }
    let access = format!("eyJhbGciOiJub25lIn0.{}.{}", state.ids.word(24), state.ids.word(12));
    let expires = now.saturating_add(SignedDuration::from_secs(TOKEN_SECONDS)).unwrap_or(Timestamp::MAX);
    state.tokens.retain(|_, t| t.expires > now);
    state.tokens.insert(access.clone(), Token { credential: at, expires });
    let body = json!({
        "access_token": access,
        "refresh_token": state.ids.word(24),
        "token_type": "bearer",
        "trackingId": state.ids.uuid(),
        "expires_in": TOKEN_SECONDS,
        "errorCode": "success",
        "message": "OK",
    });
    Reply::json(200, &body).by(id.to_string())
}

fn refuse(state: &mut State, status: u16, code: &str, message: &str) -> Reply {
    let tracking = state.ids.uuid();
    Reply::json(status, &json!({"errorCode": code, "message": message, "trackingId": tracking}))
}

/// Who calls, by the bearer token.
pub(crate) fn caller(state: &State, call: &Call) -> Result<Caller, Failure> {
    let token = call.bearer().ok_or(Failure::UNAUTHORIZED)?;
    let token = state.tokens.get(token).filter(|t| t.expires > state.now()).ok_or(Failure::UNAUTHORIZED)?;
    let credential = &state.credentials[token.credential];
    Ok(Caller {
        client_id: credential.client_id,
        identity: credential.identity,
        read_only: credential.read_only,
    })
}

/// `GET /whoami/v1`.
pub(crate) fn whoami(state: &State, caller: &Caller) -> Reply {
    let url = state.url();
    let global = match state.switches.global_host {
        GlobalHost::Plain => url.clone(),
        GlobalHost::TrailingSlash => format!("{url}/"),
    };
    let (id, id_type, data_region) = match caller.identity {
        Identity::Partner => (state.partner_id, "partner", None),
        Identity::Organization(id) => (id, "organization", None),
        Identity::Tenant(id) => (id, "tenant", Some(url)),
    };
    let mut hosts = json!({"global": global});
    if let Some(region) = data_region {
        hosts["dataRegion"] = Value::from(region);
    }
    Reply::json(200, &json!({"id": state.spell(id), "idType": id_type, "apiHosts": hosts}))
}

/// Requires the identity header of an API and that it names this identity.
pub(crate) fn require(
    state: &State,
    call: &Call,
    header: &str,
    expected: Option<Uuid>,
) -> Result<Uuid, Failure> {
    let Some(sent) = call.header(header).and_then(|v| Uuid::parse_str(v).ok()) else {
        return Err(match state.switches.missing_identity_header {
            MissingIdentityHeader::Unauthorized => Failure::UNAUTHORIZED,
            MissingIdentityHeader::BadRequest => Failure::bad(format!("{header} is required")),
            MissingIdentityHeader::Forbidden => Failure::FORBIDDEN,
        });
    };
    if expected.is_none_or(|e| e == sent) { Ok(sent) } else { Err(foreign(state)) }
}

/// The refusal of an identity header that names somebody else.
pub(crate) fn foreign(state: &State) -> Failure {
    match state.switches.foreign_identity_header {
        ForeignIdentityHeader::Forbidden => Failure::FORBIDDEN,
        ForeignIdentityHeader::Unauthorized => Failure::UNAUTHORIZED,
    }
}
