//! What a person clicks in Partner Center, in an admin center, or nowhere else: `/_sim/microsoft/<key>/…`.
//!
//! | request | does |
//! |---|---|
//! | `GET state` | customers, rights, granular relationships and taken domains, as they are and not as they are listed |
//! | `POST prospects` `{companyName, domain, email?, tenantId?}` | a company with a Microsoft tenant that is nobody's customer |
//! | `POST prospects/{tenant}/accept` `{link?}` or `{provider?}` | it accepts the partner's invitation, by that link or with that provider (key) |
//! | `POST customers` (a customer as in a seed, `reseller` being a partner's key) | a person creates a customer, for a reseller too |
//! | `POST customers/{tenant}/rename` `{companyName}` | the company renames itself |
//! | `POST customers/{tenant}/remove` `{force?}` | a person removes the relationship; blockers refuse unless forced |
//! | `POST customers/{tenant}/subscriptions` (as in a seed) | buys |
//! | `POST customers/{tenant}/subscriptions/{id}/cancel` `{force?}` | cancels; past the window only when forced |
//! | `POST customers/{tenant}/dap` `{granted}` | the customer grants or ends delegated admin privileges |
//! | `POST customers/{tenant}/gdap` (as in a seed) | an approved granular relationship |
//! | `POST customers/{tenant}/gdap/{id}/end` | ends one |
//! | `POST consent` `{mfa?}` | a person signs in and consents: answers a refresh token |
//! | `POST consent/revoke` | every refresh and access token dies |
//! | `POST agreement` `{signed}` | the partner (re)signs the partner agreement, or not |
//!
//! Answers are the simulator's own, not the vendor's.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::audit;
use super::auth::{self, Caller};
use super::billing;
use super::calls::Desk;
use super::relationships::{self, Invitation};
use super::seed::{self, NewGdap, NewSubscription, NewTenant};
use super::state::{Cloud, Position};
use super::subscriptions::Commerce;
use super::wire;
use crate::{Call, Effect, Reply};

type Outcome = Result<Reply, (u16, String)>;

/// Answers a click; `cloud` holds every partner that the body may name.
pub(super) fn answer(cloud: &mut Cloud, key: &str, call: &Call, now: Timestamp) -> Reply {
    let segments = call.segments();
    let mut desk = Desk { cloud, key, call, now, caller: Caller::User };
    act(&mut desk, call.method(), &segments)
        .unwrap_or_else(|(status, why)| Reply::json(status, &json!({"simulator": why})))
}

fn act(desk: &mut Desk<'_>, method: &str, segments: &[&str]) -> Outcome {
    let now = desk.now;
    match (method, segments) {
        ("GET", ["state"]) => Ok(Reply::json(200, &state(desk))),
        ("POST", ["prospects"]) => {
            let new: NewTenant = body(desk.call)?;
            let id = seed::add_tenant(desk.cloud, desk.key, &new).map_err(|why| (422, why))?;
            Ok(Reply::json(201, &json!({"tenantId": id})))
        }
        ("POST", ["prospects", tenant, "accept"]) => accept(desk, tenant),
        ("POST", ["customers"]) => {
            let new: NewTenant = body(desk.call)?;
            let id = seed::add_customer(desk.cloud, desk.key, &new, now).map_err(|why| (422, why))?;
            audit::record(desk, &id, "customer", "add_customer", None, None);
            Ok(Reply::json(201, &json!({"tenantId": id})).effect("customer-created", id))
        }
        ("POST", ["customers", tenant, rest @ ..]) => {
            let tenant = tenant.to_lowercase();
            if !desk.cloud.tenants.contains_key(&tenant) {
                return Err((404, format!("no tenant {tenant}")));
            }
            of_customer(desk, &tenant, rest)
        }
        ("POST", ["consent"]) => {
            let mfa = member(desk.call, "mfa").and_then(|v| v.as_bool()).unwrap_or(true);
            let token = auth::new_refresh(desk.account_mut(), mfa, now);
            Ok(Reply::json(201, &json!({"refreshToken": token})))
        }
        ("POST", ["consent", "revoke"]) => {
            let account = desk.account_mut();
            account.refresh.values_mut().for_each(|r| r.revoked = true);
            account.access.clear();
            Ok(Reply::empty(204).effect("tokens-revoked", desk.key))
        }
        ("POST", ["agreement"]) => {
            let signed = member(desk.call, "signed").and_then(|v| v.as_bool()).unwrap_or(true);
            desk.account_mut().agreement_signed = signed;
            Ok(Reply::empty(204).effect("agreement-signed", signed))
        }
        _ => Err((404, "no such click; the head of the simulator's microsoft::ui lists them".to_owned())),
    }
}

fn of_customer(desk: &mut Desk<'_>, tenant: &str, rest: &[&str]) -> Outcome {
    let now = desk.now;
    let force = member(desk.call, "force").and_then(|v| v.as_bool()).unwrap_or(false);
    let gone = |_| (404, format!("no tenant {tenant}"));
    match rest {
        ["rename"] => {
            let name = member(desk.call, "companyName").and_then(|v| v.as_str().map(str::to_owned));
            let name = name.ok_or((422, "a companyName is needed".to_owned()))?;
            let (_, tenant) = desk.account_and_tenant(tenant).map_err(gone)?;
            // The billing profile keeps the old name.
            tenant.billing.members = billing::members_of(tenant);
            tenant.company_name = name;
            Ok(Reply::empty(204).effect("customer-renamed", &tenant.id))
        }
        ["remove"] => {
            if !desk.account().ties.contains_key(tenant) {
                return Err((409, format!("{tenant} is no customer of this partner")));
            }
            let blockers = relationships::blockers(desk, tenant).map_err(gone)?;
            if !force && !blockers.is_empty() {
                return Err((409, format!("cannot be removed due to {}", blockers.join(", "))));
            }
            relationships::remove(desk, tenant);
            Ok(Reply::empty(204).effect("relationship-removed", tenant))
        }
        ["subscriptions"] => {
            let new: NewSubscription = body(desk.call)?;
            let (account, tenant) = desk.account_and_tenant(tenant).map_err(gone)?;
            let made = new.make(account, now);
            let id = made.id.clone();
            tenant.subscriptions.push(made);
            Ok(Reply::json(201, &json!({"id": id})).effect("subscription-bought", id))
        }
        ["subscriptions", id, "cancel"] => {
            let (_, tenant) = desk.account_and_tenant(tenant).map_err(gone)?;
            let found = tenant.subscriptions.iter_mut().find(|s| s.id == *id);
            let subscription = found.ok_or_else(|| (404, format!("no subscription {id}")))?;
            subscription.settle(now);
            if !force && subscription.commerce == Commerce::NewCommerce && subscription.window_end() <= now {
                return Err((409, "the cancellation window has passed".to_owned()));
            }
            let legacy = subscription.commerce == Commerce::Legacy;
            if legacy { "suspended" } else { "deleted" }.clone_into(&mut subscription.status);
            subscription.version += 1;
            Ok(Reply::empty(204).effect("subscription-cancelled", id))
        }
        ["dap"] => {
            let granted = member(desk.call, "granted").and_then(|v| v.as_bool()).unwrap_or(true);
            let account = desk.account_mut();
            if granted {
                account.dap.insert(tenant.to_owned());
                audit::record(
                    desk,
                    tenant,
                    "dap_admin_relationship",
                    "dap_admin_relationship_approved",
                    None,
                    None,
                );
                return Ok(Reply::empty(204).effect("dap-granted", tenant));
            }
            account.dap.remove(tenant);
            audit::record(
                desk,
                tenant,
                "dap_admin_relationship",
                "dap_admin_relationship_terminated",
                None,
                None,
            );
            Ok(Reply::empty(204).effect("dap-removed", tenant))
        }
        ["gdap"] => {
            let new: NewGdap = body(desk.call)?;
            let (account, tenant) = desk.account_and_tenant(tenant).map_err(gone)?;
            let id = new.grant(account, tenant, now);
            Ok(Reply::json(201, &json!({"id": id})).effect("gdap-granted", id))
        }
        ["gdap", id, "end"] => {
            let found = desk.account_mut().gdap.iter_mut().find(|g| g.id == *id);
            let gdap = found.ok_or_else(|| (404, format!("no granular relationship {id}")))?;
            "terminated".clone_into(&mut gdap.status);
            Ok(Reply::empty(204).effect("gdap-ended", id))
        }
        _ => Err((404, "no such click on a customer".to_owned())),
    }
}

fn accept(desk: &mut Desk<'_>, tenant: &str) -> Outcome {
    let tenant = tenant.to_lowercase();
    if !desk.cloud.tenants.contains_key(&tenant) {
        return Err((404, format!("no prospect {tenant}")));
    }
    let text = |name: &str| member(desk.call, name).and_then(|v| v.as_str().map(str::to_owned));
    let me = desk.account();
    let link = match (text("link"), text("provider")) {
        (Some(link), _) => link,
        (None, None) => relationships::direct(me),
        (None, Some(provider)) => {
            let found =
                desk.cloud.accounts.get(&provider).ok_or_else(|| (404, format!("no partner {provider}")))?;
            relationships::with_provider(me, me, found)
        }
    };
    let invitation =
        Invitation::read(&link).ok_or((422, "this is no invitation link of Partner Center".to_owned()))?;
    let mut reply = Reply::empty(204);
    let keys: Vec<String> = desk.cloud.accounts.keys().cloned().collect();
    for key in keys {
        for effect in follow(desk.cloud, &key, &invitation, &tenant, desk.now) {
            let whose =
                if key == desk.key { effect.kind.clone() } else { format!("{}-at-{key}", effect.kind) };
            reply = reply.effect(&whose, effect.id);
        }
    }
    Ok(reply)
}

/// One partner's part of an accepted invitation; nothing if the link does not name it.
pub(super) fn follow(
    cloud: &mut Cloud,
    key: &str,
    invitation: &Invitation,
    tenant: &str,
    now: Timestamp,
) -> Vec<Effect> {
    let named = |id: &str| invitation.partners.iter().any(|p| p == id);
    if !cloud.accounts.get(key).is_some_and(|a| named(&a.tenant_id)) {
        return Vec::new();
    }
    let reseller = cloud
        .accounts
        .values()
        .find(|a| a.position == Position::IndirectReseller && named(&a.tenant_id))
        .map(|a| a.tenant_id.clone());
    let new = relationships::accept(cloud, key, tenant, invitation.dap, reseller.as_deref(), now);
    if new {
        vec![Effect { kind: "relationship-accepted".to_owned(), id: tenant.to_owned() }]
    } else {
        Vec::new()
    }
}

fn state(desk: &Desk<'_>) -> Value {
    let account = desk.account();
    let customers: Vec<Value> = account
        .ties
        .iter()
        .filter_map(|(id, tie)| {
            let tenant = desk.cloud.tenants.get(id)?;
            let subscriptions: Vec<Value> = tenant
                .subscriptions
                .iter()
                .map(
                    |s| json!({"id": s.id, "status": s.status, "quantity": s.quantity, "billedTo": s.biller}),
                )
                .collect();
            Some(json!({
                "tenantId": id, "companyName": tenant.company_name, "domain": tenant.domain,
                "listed": tie.place.is_some(), "reseller": tenant.reseller, "subscriptions": subscriptions,
            }))
        })
        .collect();
    let gdap: Vec<Value> = account
        .gdap
        .iter()
        .map(|g| json!({"id": g.id, "customer": g.customer, "name": g.name, "status": g.status}))
        .collect();
    let mut domains: Vec<&String> = desk.cloud.domains.keys().collect();
    domains.sort();
    json!({"customers": customers, "dap": account.dap, "gdap": gdap, "domains": domains})
}

fn member(call: &Call, name: &str) -> Option<Value> {
    wire::body(call)?.get(name).cloned()
}

fn body<T: for<'de> Deserialize<'de>>(call: &Call) -> Result<T, (u16, String)> {
    let value = wire::body(call).ok_or((422, "the body is not a JSON object".to_owned()))?;
    serde_json::from_value(value).map_err(|e| (422, e.to_string()))
}
