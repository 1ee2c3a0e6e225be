//! Licences of a tenant and firewall licences: read only (Sophos Postman collection, Licensing API).
//!
//! Whether trial and term accounts can be read follows community.sophos.com on 403: it needs
//! Partner Assistance, and the account's switch can tighten or lift that.

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::auth::{self, Caller};
use super::errors::Failure;
use super::paging::{Page, partial};
use super::state::{Identity, State, Tenant};
use super::switches::LicenseReading;
use super::views::{Id, LicenseView};
use crate::{Call, Reply};

#[derive(Serialize)]
struct Ref {
    id: Id,
}

#[derive(Serialize)]
struct OfTenant<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<Ref>,
    tenant: Ref,
    licenses: Vec<LicenseView<'a>>,
}

/// `GET /licenses/v1/licenses` with `X-Tenant-ID`.
pub(crate) fn of_tenant(state: &State, call: &Call, caller: &Caller) -> Result<Reply, Failure> {
    let id = auth::require(state, call, "X-Tenant-ID", None)?;
    let tenant = allowed(state, caller, id)?;
    let body = OfTenant {
        organization: tenant.organization.map(|id| Ref { id: Id::of(state, id) }),
        tenant: Ref { id: Id::of(state, tenant.id) },
        licenses: tenant.licenses.iter().map(|l| LicenseView::of(state, l)).collect(),
    };
    Ok(Reply::json(200, &partial(call, &body)))
}

/// The tenant, if the caller may read its data.
fn allowed<'a>(state: &'a State, caller: &Caller, id: Uuid) -> Result<&'a Tenant, Failure> {
    let tenant = state.tenant(id).filter(|t| !t.unlinked).ok_or_else(|| auth::foreign(state))?;
    let theirs = match caller.identity {
        Identity::Tenant(own) => return if own == id { Ok(tenant) } else { Err(auth::foreign(state)) },
        Identity::Organization(own) => tenant.organization == Some(own),
        Identity::Partner => true,
    };
    if !theirs {
        return Err(auth::foreign(state));
    }
    let closed = match (state.switches.license_reading, tenant.billing_type.as_ref()) {
        (LicenseReading::Open, _) => false,
        (LicenseReading::TrialsRefused, "trial") => true,
        (_, "trial" | "term") => !tenant.assistance,
        _ => false,
    };
    if closed { Err(Failure::FORBIDDEN) } else { Ok(tenant) }
}

/// `GET /licenses/v1/licenses/firewalls` with `X-Tenant-ID` or `X-Partner-ID`.
pub(crate) fn firewalls(state: &State, call: &Call, caller: &Caller) -> Result<Reply, Failure> {
    let only = if call.header("X-Tenant-ID").is_some() {
        let id = auth::require(state, call, "X-Tenant-ID", None)?;
        Some(allowed(state, caller, id)?.id)
    } else {
        if caller.identity != Identity::Partner {
            return Err(auth::foreign(state));
        }
        auth::require(state, call, "X-Partner-ID", Some(state.partner_id))?;
        None
    };
    let page = Page::read(call, &state.switches)?;
    let mut shown: Vec<_> = state.firewalls.iter().filter(|f| only.is_none() || f.tenant == only).collect();
    match call.query("sort") {
        None | Some("") => {}
        Some("serialNumber" | "serialNumber:asc") => shown.sort_by(|a, b| a.serial.cmp(&b.serial)),
        Some("serialNumber:desc") => shown.sort_by(|a, b| b.serial.cmp(&a.serial)),
        Some(_) => return Err(Failure::bad("sort by serialNumber:asc or serialNumber:desc")),
    }
    let pages = page.pages(shown.len(), &state.switches)?;
    let items: Vec<Value> = shown
        .into_iter()
        .skip(page.offset())
        .take(page.size)
        .map(|f| {
            let mut item = json!({
                "serialNumber": f.serial,
                "owner": {"id": state.spell(state.partner_id), "type": "partner"},
                "model": f.model,
                "modelType": if f.hardware { "hardware" } else { "virtual" },
                "licenses": [],
            });
            if let Some(tenant) = f.tenant {
                item["tenant"] = json!({"id": state.spell(tenant)});
            }
            partial(call, &item)
        })
        .collect();
    Ok(Reply::json(200, &json!({"items": items, "pages": pages})))
}
