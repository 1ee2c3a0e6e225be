//! The small reads: MPN profile, agreement status, domain check, address validation.
//!
//! Change nothing, whatever their method.

use serde_json::json;

use super::billing;
use super::calls::Desk;
use super::errors::{self, Refused};
use super::state::Position;
use super::switches::UnsignedAgreement;
use super::wire;
use crate::Reply;

/// `GET /v1/profiles/mpn[?mpnId=]`; without it, one's own.
pub(super) fn mpn(desk: &mut Desk<'_>) -> Result<Reply, Refused> {
    let found = match desk.call.query_any_case("mpnId") {
        None => Some(desk.account()),
        Some(id) => desk.cloud.accounts.values().find(|a| a.mpn_id == id),
    };
    let Some(account) = found else {
        let id = desk.call.query_any_case("mpnId").unwrap_or_default();
        let says = format!("Partner Organization with partner_id {id} could not be found");
        return Err(errors::UNKNOWN_MPN.says(says));
    };
    let body = json!({
        "partnerName": account.company_name,
        "mpnId": account.mpn_id,
        "profileType": "MpnProfile",
        "links": {"self": wire::link(format!("/profiles/mpn?mpnId={}", account.mpn_id))},
        "attributes": wire::attributes("MpnProfile", None),
    });
    Ok(Reply::json(200, &body))
}

/// `GET /v1/compliance/csp/agreementstatus?mpnId=|tenantId=`: exactly one of them.
pub(super) fn agreement(desk: &mut Desk<'_>) -> Result<Reply, Refused> {
    let named = |name: &str| desk.call.query_any_case(name).filter(|v| !v.is_empty());
    let found = match (named("mpnId"), named("tenantId")) {
        (Some(_), Some(_)) => {
            return Err(errors::BAD_PARAMETER.says("Give exactly one of mpnId and tenantId."));
        }
        (None, None) => return Err(errors::NO_AGREEMENT_ID.plain()),
        (Some(mpn), None) => {
            desk.cloud.accounts.values().find(|a| a.mpn_id == mpn).ok_or(errors::AGREEMENT_MPN)?
        }
        (None, Some(tenant)) => desk.cloud.account_of_tenant(tenant).ok_or(errors::AGREEMENT_TENANT)?,
    };
    if found.position != Position::IndirectReseller {
        return Err(errors::AGREEMENT_NO_ACCOUNT.plain());
    }
    if !found.agreement_signed && desk.switches().unsigned_agreement == UnsignedAgreement::Refused {
        return Err(errors::AGREEMENT_UNSIGNED.plain());
    }
    Ok(Reply::json(200, &json!({"isAgreementSigned": found.agreement_signed})))
}

/// `HEAD /v1/domains/{fqdn}`: 200 taken, 404 free; no body.
pub(super) fn domain(desk: &mut Desk<'_>, fqdn: &str) -> Reply {
    Reply::empty(if desk.cloud.is_taken(fqdn) { 200 } else { 404 })
}

/// `POST /v1/validations/address`: a bad address is a status, not an error.
///
/// The simulated post knows three kinds: a postal code of zeros does not exist, a street without a number is
/// known in part, all else can be delivered to.
pub(super) fn address(desk: &mut Desk<'_>) -> Result<Reply, Refused> {
    let sent =
        wire::body(desk.call).ok_or_else(|| errors::INVALID_INPUT.says("The body is not a JSON object."))?;
    for name in ["addressLine1", "city", "postalCode", "country"] {
        wire::text(&sent, &[name]).ok_or_else(|| errors::INVALID_INPUT.plain().about(name))?;
    }
    let field = |name: &str| wire::text(&sent, &[name]).unwrap_or_default();
    let (status, message) = if billing::is_bad_postal_code(field("postalCode")) {
        ("None", Some("The address was not found."))
    } else if field("addressLine1").chars().any(|c| c.is_ascii_digit()) {
        ("VerifiedShippable", None)
    } else {
        ("StreetPartial", Some("The street number is missing."))
    };
    let mut body = json!({"originalAddress": sent, "suggestedAddresses": [], "status": status});
    if status == "StreetPartial" {
        let mut better = sent.clone();
        better["addressLine1"] = json!(format!("{} 1", field("addressLine1")));
        body["suggestedAddresses"] = json!([better]);
    }
    if let Some(message) = message {
        body["validationMessage"] = json!(message);
    }
    Ok(Reply::json(200, &body))
}
