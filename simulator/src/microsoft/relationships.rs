//! Relationships: the request link and its acceptance, partners of a customer and of a partner, and removal.
//!
//! Fetching the link makes nothing: it holds partner ids and no customer, status or expiry. What a customer
//! does with it is a person's click; only the customer list shows it. Removal ends the tie and, by a switch,
//! the delegated admin privileges; granular ones are never touched.

use serde_json::{Value, json};

use super::audit;
use super::calls::Desk;
use super::customers;
use super::errors::{self, Refused};
use super::state::{Account, Cloud, Due, Position};
use super::switches::{DapAfterDetach, DetachRefusal, DetachUnrelated, ListedAfterAccept, ProviderLink};
use super::wire;
use crate::{Call, Reply};

const ADMIN_CENTER: &str = "https://admin.microsoft.com/Adminportal/Home";
const FRAGMENT: &str = "#/BillingAccounts/partner-invitation";

/// `GET /v1/customers/relationshiprequests[?indirectCloudSolutionProviderId=&indirectResellerId=]`.
pub(super) fn request(desk: &mut Desk<'_>) -> Result<Reply, Refused> {
    let named = |name: &str| desk.call.query_any_case(name).filter(|v| !v.is_empty());
    let refused = |name: &str| errors::BAD_PARAMETER.says(format!("The parameter {name} is not valid."));
    if named("dualRoleIndirectRelationship").is_some_and(|v| v.parse::<bool>().is_err()) {
        return Err(refused("dualRoleIndirectRelationship"));
    }
    let me = desk.account();
    let other = |name: &'static str, position: Position| match named(name) {
        None => Ok(None),
        Some(id) if id.eq_ignore_ascii_case(&me.tenant_id) => Ok(None),
        Some(id) => {
            let found = desk.cloud.account_of_tenant(id).filter(|a| a.position == position);
            let tied = found.filter(|a| a.providers.contains(&me.key) || me.providers.contains(&a.key));
            tied.map(Some).ok_or_else(|| refused(name))
        }
    };
    let provider = other("indirectCloudSolutionProviderId", Position::IndirectProvider)?;
    let reseller = other("indirectResellerId", Position::IndirectReseller)?;
    let url = match (provider, reseller) {
        (Some(provider), _) if me.position == Position::IndirectReseller => with_provider(me, me, provider),
        (_, Some(reseller)) if me.position == Position::IndirectProvider => with_provider(me, reseller, me),
        (None, None) => direct(me),
        _ => return Err(refused("indirectCloudSolutionProviderId")),
    };
    Ok(Reply::json(200, &json!({"url": url, "attributes": wire::attributes("RelationshipRequest", None)})))
}

/// The link that asks for a relationship with this partner alone.
pub(super) fn direct(partner: &Account) -> String {
    format!(
        "{ADMIN_CENTER}?invType=ResellerRelationship&partnerId={}&msppId=0&DAP=false{FRAGMENT}",
        partner.tenant_id
    )
}

/// The link that asks for a relationship with a reseller and its provider at once.
pub(super) fn with_provider(caller: &Account, reseller: &Account, provider: &Account) -> String {
    let (first, second) = match caller.switches.provider_link {
        ProviderLink::ResellerFirst => (reseller, provider),
        ProviderLink::ProviderFirst => (provider, reseller),
    };
    format!(
        "{ADMIN_CENTER}?invType=IndirectResellerRelationship&partnerId={}&msppId={}&indirectCSPId={}&DAP=true{FRAGMENT}",
        first.tenant_id, reseller.mpn_id, second.tenant_id
    )
}

/// What an invitation link asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Invitation {
    /// Tenant ids of the partners that the link names.
    pub partners: Vec<String>,
    /// Whether it asks for delegated admin privileges.
    pub dap: bool,
}

impl Invitation {
    /// Reads a link; `None` when it is none of ours or was altered beyond recognition.
    pub fn read(link: &str) -> Option<Self> {
        let (page, rest) = link.split_once('?')?;
        if !page.eq_ignore_ascii_case(ADMIN_CENTER) {
            return None;
        }
        let (query, fragment) = rest.split_once('#')?;
        if !fragment.eq_ignore_ascii_case(&FRAGMENT[1..]) {
            return None;
        }
        let parts =
            Call::new("GET", &format!("/?{query}"), hyper::HeaderMap::new(), hyper::body::Bytes::new());
        let field = |name: &str| parts.query_any_case(name).filter(|v| !v.is_empty()).map(str::to_lowercase);
        let mut partners = vec![field("partnerId")?];
        match field("invType")?.as_str() {
            "resellerrelationship" => {}
            "indirectresellerrelationship" => partners.push(field("indirectCSPId")?),
            _ => return None,
        }
        Some(Self { partners, dap: field("DAP").is_some_and(|v| v == "true") })
    }
}

/// A customer accepts one partner of an invitation. Returns whether that made a new tie.
pub(super) fn accept(
    cloud: &mut Cloud,
    key: &str,
    tenant: &str,
    dap: bool,
    reseller: Option<&str>,
    now: jiff::Timestamp,
) -> bool {
    let Some(account) = cloud.accounts.get_mut(key) else { return false };
    let due = match account.switches.listed_after_accept {
        ListedAfterAccept::AtOnce => None,
        ListedAfterAccept::AfterMinute => Some(Due::At(wire::later(now, 60))),
        ListedAfterAccept::AfterQuarter => Some(Due::At(wire::later(now, 900))),
        ListedAfterAccept::AfterTwoCalls => Some(Due::Calls(2)),
    };
    let new = account.tie(tenant, due, false);
    if dap {
        account.dap.insert(tenant.to_owned());
    }
    if let (Some(reseller), Some(tenant)) = (reseller, cloud.tenants.get_mut(tenant)) {
        tenant.reseller = Some(reseller.to_owned());
    }
    new
}

/// `PATCH /v1/customers/{id}`: ends the relationship, or the delegated admin privileges.
pub(super) fn patch(desk: &mut Desk<'_>, customer: &str) -> Result<Reply, Refused> {
    let wanted =
        wire::body(desk.call).ok_or_else(|| errors::INVALID_INPUT.says("The body is not a JSON object."))?;
    let relationship = wire::text(&wanted, &["relationshipToPartner"]).map(str::to_lowercase);
    let delegated = wanted.get("allowDelegatedAccess").and_then(Value::as_bool);
    let detaches = match (relationship.as_deref(), delegated) {
        (Some("none"), _) => true,
        (_, Some(false)) => false,
        _ => {
            return Err(errors::INVALID_PROPERTY
                .says("Only relationshipToPartner none or allowDelegatedAccess false can be set."));
        }
    };
    let unrelated = customers::ours(desk, customer);
    if detaches
        && wire::is_guid(customer)
        && unrelated.is_err()
        && desk.switches().detach_unrelated == DetachUnrelated::Observed
    {
        return Err(
            errors::INVALID_PROPERTY.says("The relationship between the partner and customer does not exist")
        );
    }
    unrelated?;
    if detaches { detach(desk, customer) } else { end_dap(desk, customer) }
}

/// What keeps a relationship from being removed; empty if nothing does.
pub(super) fn blockers(desk: &mut Desk<'_>, customer: &str) -> Result<Vec<String>, Refused> {
    let now = desk.now;
    let key = desk.key.to_owned();
    let (_, tenant) = desk.account_and_tenant(customer)?;
    let mut found = Vec::new();
    for subscription in tenant.subscriptions.iter_mut().filter(|s| s.biller == key) {
        subscription.settle(now);
        if let Some(why) = subscription.blocks_detach()
            && !found.contains(&why)
        {
            found.push(why);
        }
    }
    Ok(found)
}

fn detach(desk: &mut Desk<'_>, customer: &str) -> Result<Reply, Refused> {
    let blockers = blockers(desk, customer)?;
    if !blockers.is_empty() {
        let code = match desk.switches().detach_refusal {
            DetachRefusal::InvalidProperty => errors::INVALID_PROPERTY,
            DetachRefusal::InvalidInput => errors::INVALID_INPUT,
            DetachRefusal::NotAllowed => errors::NOT_ALLOWED,
            DetachRefusal::Conflict => errors::CANNOT_REMOVE,
        };
        let says = format!("Customer relationship cannot be removed due to {}.", blockers.join(", "));
        return Err(code.says(says).about(customer));
    }
    remove(desk, customer);
    let body = json!({
        "id": null,
        "commerceId": null,
        "companyProfile": null,
        "billingProfile": null,
        "relationshipToPartner": "none",
        "allowDelegatedAccess": null,
        "userCredentials": null,
        "customDomains": null,
        "associatedPartnerId": null,
        "attributes": wire::attributes("Customer", None),
    });
    Ok(desk.patched(body).effect("relationship-removed", customer))
}

/// Ends the tie without asking.
pub(super) fn remove(desk: &mut Desk<'_>, customer: &str) {
    let old = json!({"relationshipToPartner": "reseller"});
    let new = json!({"relationshipToPartner": "none"});
    audit::record(
        desk,
        customer,
        "partner_customer_relationship",
        "remove_partner_customer_relationship",
        Some(&old),
        Some(&new),
    );
    let account = desk.account_mut();
    account.untie(customer);
    if account.switches.dap_after_detach == DapAfterDetach::Removed {
        account.dap.remove(customer);
    }
}

fn end_dap(desk: &mut Desk<'_>, customer: &str) -> Result<Reply, Refused> {
    let had = desk.account_mut().dap.remove(customer);
    if had {
        audit::record(
            desk,
            customer,
            "dap_admin_relationship",
            "dap_admin_relationship_terminated",
            None,
            None,
        );
    }
    let (account, tenant) = desk.account_and_tenant(customer)?;
    let body = customers::resource(account, tenant, true);
    let reply = desk.patched(body);
    Ok(if had { reply.effect("dap-removed", customer) } else { reply })
}

fn partner(account: &Account, relationship: &str, full: bool) -> Value {
    let mut out = json!({
        "id": account.tenant_id,
        "name": account.company_name,
        "relationshipType": relationship,
        "mpnId": account.mpn_id,
        "attributes": wire::attributes("PartnerRelationship", None),
    });
    if full {
        out["state"] = json!("Active");
        out["location"] = json!(account.country);
    }
    out
}

/// `GET /v1/relationships?relationship_type=&filter=`.
pub(super) fn of_partner(desk: &mut Desk<'_>) -> Result<Reply, Refused> {
    let wanted = desk.call.query_any_case("relationship_type").unwrap_or_default();
    let me = desk.account();
    let (spelled, mine) = match wanted.to_lowercase().as_str() {
        "isindirectcloudsolutionproviderof" => {
            ("is_indirect_cloud_solution_provider_of", Position::IndirectProvider)
        }
        "isindirectresellerof" => ("is_indirect_reseller_of", Position::IndirectReseller),
        _ => return Err(errors::BAD_PARAMETER.says("The parameter relationship_type is not valid.")),
    };
    if me.position != mine {
        return Err(errors::WRONG_POSITION.plain());
    }
    let starts = name_filter(desk.call.query_any_case("filter"))?;
    let items: Vec<Value> = desk
        .cloud
        .accounts
        .values()
        .filter(|a| a.providers.contains(&me.key) || me.providers.contains(&a.key))
        .filter(|a| starts.as_ref().is_none_or(|s| a.company_name.to_lowercase().starts_with(s)))
        .map(|a| partner(a, spelled, true))
        .collect();
    Ok(Reply::json(200, &wire::collection(&items, &format!("/relationships?relationship_type={wanted}"))))
}

fn name_filter(filter: Option<&str>) -> Result<Option<String>, Refused> {
    let Some(filter) = filter else { return Ok(None) };
    let refused = || errors::BAD_PARAMETER.says("The filter is not valid.");
    let filter = wire::camel(serde_json::from_str(filter).map_err(|_| refused())?);
    let is =
        |name: &str, value: &str| wire::text(&filter, &[name]).is_some_and(|v| v.eq_ignore_ascii_case(value));
    let value = wire::text(&filter, &["value"]).ok_or_else(refused)?;
    if is("field", "Name") && is("operator", "starts_with") {
        Ok(Some(value.to_lowercase()))
    } else {
        Err(refused())
    }
}

/// `GET /v1/customers/{id}/relationships`: the partners of a customer.
pub(super) fn of_customer(desk: &mut Desk<'_>, customer: &str) -> Result<Reply, Refused> {
    customers::ours(desk, customer)?;
    let me = desk.account();
    let items: Vec<Value> = desk
        .cloud
        .accounts
        .values()
        .filter(|a| a.key != me.key && a.knows(customer))
        .filter(|a| a.providers.contains(&me.key) || me.providers.contains(&a.key))
        .map(|a| {
            let spelled = match a.position {
                Position::IndirectReseller => "is_indirect_reseller_of",
                Position::IndirectProvider => "is_indirect_cloud_solution_provider_of",
                Position::DirectBill => "none",
            };
            partner(a, spelled, false)
        })
        .collect();
    Ok(Reply::json(200, &wire::collection(&items, &format!("/customers/{customer}/relationships"))))
}
