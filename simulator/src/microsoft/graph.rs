//! Microsoft Graph, as far as it is needed: the own organisation, and the granular delegated admin list.
//!
//! Reads only. Answers in every position, indirect resellers included (GDAP FAQ).

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::auth;
use super::state::{Account, Gdap, Position};
use super::{vocabulary, wire};
use crate::{Call, Reply};

const MAX_TOP: usize = 300;

/// Answers a call below `/v1.0`; `segments` start after it.
pub(super) fn answer(account: &mut Account, call: &Call, segments: &[&str], now: Timestamp) -> Reply {
    if !auth::graph(account, call, now) {
        let says = "Access token is missing, has expired or is for another audience.";
        return error(account, 401, "InvalidAuthenticationToken", says, now);
    }
    let lower: Vec<String> = segments.iter().map(|s| s.to_lowercase()).collect();
    let path: Vec<&str> = lower.iter().map(String::as_str).collect();
    let reply = match (call.method(), path.as_slice()) {
        ("GET", ["organization"]) => Reply::json(200, &organization(account)),
        ("GET", ["tenantrelationships", "delegatedadminrelationships"]) => match list(account, call, now) {
            Ok(body) => Reply::json(200, &body),
            Err(says) => error(account, 400, "badRequest", &says, now),
        },
        ("GET", ["tenantrelationships", "delegatedadminrelationships", id]) => {
            let found = account.gdap.iter().find(|g| g.id.eq_ignore_ascii_case(id));
            let says = "The passed in delegatedAdminRelationshipId is invalid.";
            match found.map(|gdap| resource(account, gdap, now)) {
                Some(body) => Reply::json(200, &body),
                None => error(account, 400, "badRequest", says, now),
            }
        }
        _ => error(account, 404, "ResourceNotFound", "Resource not found for the segment.", now),
    };
    reply.by(account.client_id.clone())
}

/// `{"error": {"code", "message", "innerError"}}`.
pub(super) fn error(account: &mut Account, status: u16, code: &str, message: &str, now: Timestamp) -> Reply {
    let request = account.id();
    let inner = json!({"date": now.to_string(), "request-id": request, "client-request-id": request});
    Reply::json(status, &json!({"error": {"code": code, "message": message, "innerError": inner}}))
        .header("request-id", request)
}

fn organization(account: &Account) -> Value {
    let kind = match account.position {
        Position::DirectBill | Position::IndirectProvider => "resellerPartnerDelegatedAdmin",
        Position::IndirectReseller => "valueAddedResellerPartnerDelegatedAdmin",
    };
    json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#organization",
        "value": [{
            "id": account.tenant_id,
            "displayName": account.company_name,
            "countryLetterCode": account.country,
            "partnerTenantType": kind,
            "verifiedDomains": [{"name": account.domain, "isDefault": true, "isInitial": true, "type": "Managed"}],
        }],
    })
}

fn resource(account: &Account, gdap: &Gdap, now: Timestamp) -> Value {
    let end = wire::later(gdap.activated, gdap.days * 24 * 3600);
    let roles: Vec<Value> = gdap.roles.iter().map(|r| json!({"roleDefinitionId": r})).collect();
    let mut out = json!({
        "@odata.etag": format!("W/\"{}\"", wire::base64(gdap.id.as_bytes())),
        "id": gdap.id,
        "displayName": gdap.name,
        "duration": format!("P{}D", gdap.days),
        "autoExtendDuration": "PT0S",
        "customer": {"tenantId": gdap.customer, "displayName": gdap.customer_name},
        "accessDetails": {"unifiedRoles": roles},
        "status": vocabulary(&account.switches, status(gdap, now), "awaitingReview"),
        "createdDateTime": gdap.activated.to_string(),
        "lastModifiedDateTime": gdap.activated.to_string(),
        "activatedDateTime": gdap.activated.to_string(),
        "endDateTime": end.to_string(),
    });
    if let Some(provider) = &gdap.provider {
        out["@odata.type"] = json!("#microsoft.graph.resellerDelegatedAdminRelationship");
        out["indirectProviderTenantId"] = json!(provider);
        out["isPartnerConsentPending"] = json!(false);
    }
    out
}

fn status(gdap: &Gdap, now: Timestamp) -> &str {
    let ended = wire::later(gdap.activated, gdap.days * 24 * 3600) <= now;
    if gdap.status == "active" && ended { "expired" } else { &gdap.status }
}

/// `customer/tenantId eq '…'` and `status eq '…'`, joined by `and`.
fn filter(text: &str) -> Result<(Option<String>, Option<String>), String> {
    let (mut customer, mut state) = (None, None);
    for part in text.split(" and ").map(str::trim).filter(|p| !p.is_empty()) {
        let (field, value) =
            part.split_once(" eq ").ok_or_else(|| format!("Invalid filter clause: {part}"))?;
        let value = value.trim().trim_matches('\'').to_owned();
        match field.trim().to_lowercase().as_str() {
            "customer/tenantid" => customer = Some(value.to_lowercase()),
            "status" => state = Some(value),
            other => return Err(format!("Could not find a property named '{other}'.")),
        }
    }
    Ok((customer, state))
}

fn list(account: &Account, call: &Call, now: Timestamp) -> Result<Value, String> {
    let asked = call.query_any_case("$filter").unwrap_or_default();
    let (customer, state) = filter(asked)?;
    let top = match call.query_any_case("$top").map(str::parse::<usize>) {
        None => MAX_TOP,
        Some(Ok(top)) if (1..=MAX_TOP).contains(&top) => top,
        Some(_) => return Err("The value of $top must be between 1 and 300.".to_owned()),
    };
    let skip = match call.query_any_case("$skipToken") {
        None => 0,
        Some(token) => token.parse::<usize>().map_err(|_| "The $skipToken is not valid.".to_owned())?,
    };
    let select: Option<Vec<&str>> =
        call.query_any_case("$select").map(|s| s.split(',').map(str::trim).collect());
    let positions: Box<dyn Iterator<Item = usize>> = match &customer {
        Some(id) => {
            Box::new(account.gdap_of.get(id).into_iter().flatten().copied().filter(move |p| *p >= skip))
        }
        None => Box::new(skip..account.gdap.len()),
    };
    let mut matching =
        positions.filter(|p| state.as_ref().is_none_or(|s| status(&account.gdap[*p], now) == s));
    let page: Vec<usize> = matching.by_ref().take(top).collect();
    let next = matching.next();
    let value: Vec<Value> = page
        .iter()
        .map(|p| {
            let mut item = resource(account, &account.gdap[*p], now);
            if let (Some(select), Some(members)) = (&select, item.as_object_mut()) {
                members.retain(|name, _| name.starts_with('@') || select.contains(&name.as_str()));
            }
            item
        })
        .collect();
    let mut body = json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#tenantRelationships/delegatedAdminRelationships",
        "value": value,
    });
    if let Some(next) = next {
        let mut link = format!(
            "{}/v1.0/tenantRelationships/delegatedAdminRelationships?$top={top}&$skipToken={next}",
            account.base_url
        );
        if !asked.is_empty() {
            let encoded = percent_encoding::utf8_percent_encode(asked, percent_encoding::NON_ALPHANUMERIC);
            let _ = write!(link, "&$filter={encoded}");
        }
        if let Some(select) = &select {
            let _ = write!(link, "&$select={}", select.join(","));
        }
        body["@odata.nextLink"] = json!(link);
    }
    Ok(body)
}
