//! Tokens: the v1 and v2 token endpoints, and who a bearer token is.
//!
//! Serves client credentials and the refresh-token grant (Partner Center authentication; secure application
//! model). Access tokens look like JWTs because clients may look into them; they are known by being remembered
//! here, their signature is decoration. Never issues a token for an authorization code: interactive consent is
//! a person's click (`POST /_sim/microsoft/<key>/consent`), which answers a refresh token.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::errors::{self, Refused};
use super::state::{Access, Account, Refresh};
use super::switches::{RefreshTokens, RetiredAudience};
use super::wire;
use crate::{Call, Reply};

/// Access tokens live an hour, as the samples say.
pub const ACCESS_SECONDS: i64 = 3599;
/// Refresh tokens live 90 days.
pub const REFRESH_SECONDS: i64 = 90 * 24 * 3600;

/// The service that a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Partner Center.
    PartnerCenter,
    /// Microsoft Graph.
    Graph,
    /// `graph.windows.net`, retired.
    Retired,
}

/// Who calls, once the token is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Application alone.
    App,
    /// Application and a user with MFA.
    User,
}

/// Answers `POST {tenant}/oauth2/token` (v1) or `POST {tenant}/oauth2/v2.0/token`.
pub(super) fn token(account: &mut Account, call: &Call, authority: &str, v2: bool, now: Timestamp) -> Reply {
    match issue(account, call, authority, v2, now) {
        Ok(body) => Reply::json(200, &body).header("Cache-Control", "no-store").by(account.client_id.clone()),
        Err((status, error, number, text)) => {
            let trace = account.id();
            let body = json!({
                "error": error,
                "error_description": format!("AADSTS{number}: {text} Trace ID: {trace} Timestamp: {now}"),
                "error_codes": [number],
                "timestamp": now.to_string(),
                "trace_id": trace,
                "correlation_id": account.id(),
            });
            Reply::json(status, &body)
        }
    }
}

/// Status, `error`, AADSTS number, text.
type No = (u16, &'static str, u32, String);

fn no(status: u16, error: &'static str, number: u32, text: impl Into<String>) -> No {
    (status, error, number, text.into())
}

fn issue(account: &mut Account, call: &Call, authority: &str, v2: bool, now: Timestamp) -> Result<Value, No> {
    let known = [account.tenant_id.as_str(), account.domain.as_str()];
    if !known.iter().any(|k| k.eq_ignore_ascii_case(authority)) {
        return Err(no(400, "invalid_request", 90002, format!("Tenant '{authority}' not found.")));
    }
    if !call.is_content_type("application/x-www-form-urlencoded") {
        return Err(no(400, "invalid_request", 900_144, "The request body must be form-encoded."));
    }
    let form = call.form();
    let field =
        |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default();
    let needed = |name: &str| {
        let missing = format!("The request body must contain the following parameter: '{name}'.");
        Some(field(name))
            .filter(|v| !v.is_empty())
            .ok_or_else(|| no(400, "invalid_request", 900_144, missing))
    };
    let grant = needed("grant_type")?;
    if needed("client_id")? != account.client_id {
        return Err(no(400, "unauthorized_client", 700_016, "Application was not found in the directory."));
    }
    if needed("client_secret")? != account.client_secret {
        return Err(no(401, "invalid_client", 7_000_215, "Invalid client secret provided."));
    }
    let wanted = needed(if v2 { "scope" } else { "resource" })?;
    let audience = audience(account, wanted).ok_or_else(|| {
        let text = format!("The resource principal named {wanted} was not found in the tenant.");
        no(400, if v2 { "invalid_scope" } else { "invalid_resource" }, 500_011, text)
    })?;
    match grant {
        "client_credentials" => {
            if v2 && !wanted.ends_with("/.default") {
                let text = "The provided value for scope is not valid: client credentials need /.default.";
                return Err(no(400, "invalid_scope", 1_002_012, text));
            }
            Ok(answer(account, audience, None, wanted, v2, now))
        }
        "refresh_token" => {
            let sent = needed("refresh_token")?.to_owned();
            let Some(old) = account.refresh.get(&sent).cloned() else {
                let text = "The provided value for the input parameter 'refresh_token' is not valid.";
                return Err(no(400, "invalid_grant", 9_002_313, text));
            };
            if old.revoked {
                let text = "The provided grant has been revoked; a fresh token is needed.";
                return Err(no(400, "invalid_grant", 50_173, text));
            }
            if old.expires <= now {
                return Err(no(
                    400,
                    "invalid_grant",
                    700_082,
                    "The refresh token has expired due to inactivity.",
                ));
            }
            let mut body = answer(account, audience, Some(old.mfa), wanted, v2, now);
            match account.switches.refresh_tokens {
                RefreshTokens::Omitted => {}
                rotation => {
                    body["refresh_token"] = json!(new_refresh(account, old.mfa, now));
                    if rotation == RefreshTokens::RotatedOldDies
                        && let Some(old) = account.refresh.get_mut(&sent)
                    {
                        old.revoked = true;
                    }
                }
            }
            Ok(body)
        }
        "authorization_code" => {
            needed("code")?;
            Err(no(400, "invalid_grant", 70_008, "The provided authorization code has expired."))
        }
        other => {
            let text = format!("The app requested an unsupported grant type '{other}'.");
            Err(no(400, "unsupported_grant_type", 70_003, text))
        }
    }
}

/// A new refresh token, remembered.
pub(super) fn new_refresh(account: &mut Account, mfa: bool, now: Timestamp) -> String {
    let token = format!("1.{}", account.ids.word(20));
    let refresh = Refresh { mfa, expires: wire::later(now, REFRESH_SECONDS), revoked: false };
    account.refresh.insert(token.clone(), refresh);
    token
}

/// The audience that a v1 resource or the resource part of v2 scopes names.
fn audience(account: &Account, wanted: &str) -> Option<Audience> {
    wanted.split_whitespace().find_map(|scope| {
        let host =
            scope.split_once("://").map_or(scope, |(_, rest)| rest).split('/').next().unwrap_or_default();
        let ours = account.base_url.split_once("://").map_or("", |(_, rest)| rest);
        let our_host = ours.split('/').next().unwrap_or_default();
        match host {
            "api.partnercenter.microsoft.com" | "partner.partnercenterapi.microsoftonline.cn" => {
                Some(Audience::PartnerCenter)
            }
            "graph.microsoft.com" => Some(Audience::Graph),
            "graph.windows.net" => Some(Audience::Retired),
            // A client told that the API lives here names this address as its resource.
            host if !our_host.is_empty() && host == our_host => {
                Some(if scope.contains("/v1.0") { Audience::Graph } else { Audience::PartnerCenter })
            }
            _ => None,
        }
    })
}

fn answer(
    account: &mut Account,
    audience: Audience,
    user_mfa: Option<bool>,
    wanted: &str,
    v2: bool,
    now: Timestamp,
) -> Value {
    let expires = wire::later(now, ACCESS_SECONDS);
    let resource = match audience {
        Audience::PartnerCenter => "https://api.partnercenter.microsoft.com",
        Audience::Graph => "https://graph.microsoft.com",
        Audience::Retired => "https://graph.windows.net",
    };
    let mut claims = json!({
        "aud": resource,
        "iss": format!("https://sts.windows.net/{}/", account.tenant_id),
        "iat": now.as_second(),
        "nbf": now.as_second(),
        "exp": expires.as_second(),
        "appid": account.client_id,
        "tid": account.tenant_id,
        "uti": account.ids.word(11),
    });
    match user_mfa {
        Some(mfa) => {
            claims["amr"] = if mfa { json!(["pwd", "mfa"]) } else { json!(["pwd"]) };
            claims["scp"] = json!("user_impersonation");
            claims["upn"] = json!(format!("admin@{}", account.domain));
        }
        None => claims["idtyp"] = json!("app"),
    }
    let part = |v: &Value| url_base64(v.to_string().as_bytes());
    let header = json!({"typ": "JWT", "alg": "RS256"});
    let token = format!("{}.{}.{}", part(&header), part(&claims), account.ids.word(16));
    account.access.retain(|_, a| a.expires > now);
    account.access.insert(token.clone(), Access { audience, user_mfa, expires });

    let mut body = json!({"token_type": "Bearer", "access_token": token});
    if v2 {
        body["expires_in"] = json!(ACCESS_SECONDS);
        body["ext_expires_in"] = json!(ACCESS_SECONDS);
        if user_mfa.is_some() {
            body["scope"] = json!(wanted);
        }
        return body;
    }
    body["expires_in"] = json!(ACCESS_SECONDS.to_string());
    body["ext_expires_in"] = json!(ACCESS_SECONDS.to_string());
    body["expires_on"] = json!(expires.as_second().to_string());
    body["not_before"] = json!(now.as_second().to_string());
    body["resource"] = json!(wanted);
    if user_mfa.is_some() {
        body["scope"] = json!("user_impersonation");
        body["id_token"] =
            json!(format!("{}.{}.", part(&json!({"typ": "JWT", "alg": "none"})), part(&claims)));
    }
    body
}

fn url_base64(bytes: &[u8]) -> String {
    wire::base64(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// Why a caller is turned away before its call is looked at.
#[derive(Debug)]
pub(super) enum Denied {
    /// An ordinary refusal.
    Refused(Refused),
    /// The user has no MFA: no body.
    Mfa,
}

/// Who calls Partner Center.
pub(super) fn partner_center(account: &Account, call: &Call, now: Timestamp) -> Result<Caller, Denied> {
    let token = call.bearer().ok_or_else(|| Denied::Refused(errors::TOKEN_MISSING.plain()))?;
    let refused = || Denied::Refused(errors::ACCESS_DENIED.plain());
    let access = account.access.get(token).filter(|a| a.expires > now).ok_or_else(refused)?;
    match (access.audience, access.user_mfa) {
        (Audience::Retired, _) if account.switches.retired_audience == RetiredAudience::Coded => {
            Err(Denied::Refused(errors::RETIRED_AUDIENCE.plain()))
        }
        (Audience::Retired | Audience::Graph, _) => Err(refused()),
        (Audience::PartnerCenter, Some(false)) => Err(Denied::Mfa),
        (Audience::PartnerCenter, Some(true)) => Ok(Caller::User),
        (Audience::PartnerCenter, None) => Ok(Caller::App),
    }
}

/// Whether a token is good for Graph: app-only, or a user with MFA.
pub(super) fn graph(account: &Account, call: &Call, now: Timestamp) -> bool {
    call.bearer()
        .and_then(|token| account.access.get(token))
        .is_some_and(|a| a.expires > now && a.audience == Audience::Graph && a.user_mfa != Some(false))
}
