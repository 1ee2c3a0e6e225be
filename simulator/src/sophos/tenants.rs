//! Tenants: list, read, rename where the account allows it; the organization's read-only twin.
//!
//! Facts: Sophos Postman collection, Partner API and Organization API. Creation is `create.rs`.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::auth::Caller;
use super::errors::Failure;
use super::paging::{Page, Pages, partial};
use super::state::{Identity, State, Tenant, Text};
use super::switches::{AfterUnlink, PatchTenant, UnknownTenant};
use super::views::TenantView;
use super::{auth, create};
use crate::{Call, Reply};

#[derive(Serialize)]
struct List<T> {
    items: Vec<T>,
    pages: Pages,
}

/// `/partner/v1/tenants…`, below it.
pub(crate) fn partner(state: &mut State, call: &Call, rest: &[&str]) -> Result<Reply, Failure> {
    match (call.method(), rest) {
        ("GET", []) => {
            let page = Page::read(call, &state.switches)?;
            let now = state.now();
            state.listed.settle(now, page.current == 1);
            let pages = page.pages(state.listed.len(), &state.switches)?;
            let tenants =
                state.listed.page(page.offset(), page.size).iter().map(|at| &state.tenants[*at as usize]);
            Ok(list(state, call, tenants, pages))
        }
        ("POST", []) => create::create(state, call),
        ("GET", [id]) => {
            let tenant = readable(state, id)?;
            Ok(Reply::json(200, &partial(call, &TenantView::of(state, tenant, &state.url()))))
        }
        ("PATCH", [id]) => patch(state, call, id),
        (_, [] | [_]) => Err(Failure::NOT_ALLOWED),
        _ => Err(Failure::NOT_FOUND),
    }
}

fn list<'a>(state: &State, call: &Call, tenants: impl Iterator<Item = &'a Tenant>, pages: Pages) -> Reply {
    let url = state.url();
    let views = tenants.map(|t| TenantView::of(state, t, &url));
    if call.query("fields").is_some() {
        Reply::json(200, &List { items: views.map(|v| partial(call, &v)).collect(), pages })
    } else {
        Reply::json(200, &List { items: views.collect(), pages })
    }
}

/// The tenant of this id, or the refusal of one that is unknown or was unlinked.
pub(crate) fn readable<'a>(state: &'a State, id: &str) -> Result<&'a Tenant, Failure> {
    let found = Uuid::parse_str(id).ok().and_then(|id| state.tenant(id));
    match found {
        None => Err(match state.switches.unknown_tenant {
            UnknownTenant::NotFound => Failure::NOT_FOUND,
            UnknownTenant::Forbidden => Failure::FORBIDDEN,
        }),
        Some(tenant) if tenant.unlinked => match state.switches.after_unlink {
            AfterUnlink::NotFound => Err(Failure::NOT_FOUND),
            AfterUnlink::Forbidden => Err(Failure::FORBIDDEN),
            AfterUnlink::Canceled => Ok(tenant),
        },
        Some(tenant) => Ok(tenant),
    }
}

/// `PATCH /partner/v1/tenants/{id}` with `{"showAs": …}`: known from one client only.
fn patch(state: &mut State, call: &Call, id: &str) -> Result<Reply, Failure> {
    match state.switches.patch_tenant {
        PatchTenant::NotFound => return Err(Failure::NOT_FOUND),
        PatchTenant::NotAllowed => return Err(Failure::NOT_ALLOWED),
        PatchTenant::Unsupported => return Err(Failure::status(415)),
        PatchTenant::Works => {}
    }
    if !call.is_content_type("application/merge-patch+json") && !call.is_content_type("application/json") {
        return Err(Failure::status(415));
    }
    let id = readable(state, id)?.id;
    let Some(Value::Object(body)) = call.json() else { return Err(Failure::bad("the body is no object")) };
    if body.keys().any(|k| k != "showAs") {
        return Err(Failure::bad("only showAs can be changed"));
    }
    let show_as = match body.get("showAs") {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(Text::Owned(text.clone())),
        Some(Value::Null) => None,
        _ => return Err(Failure::bad("showAs is a text")),
    };
    if let Some(tenant) = state.tenant_mut(id) {
        tenant.show_as = show_as;
    }
    let tenant = state.tenant(id).ok_or(Failure::NOT_FOUND)?;
    Ok(Reply::json(200, &TenantView::of(state, tenant, &state.url())).effect("tenant-renamed", id))
}

/// `/organization/v1/tenants…`: read only.
pub(crate) fn organization(
    state: &State,
    call: &Call,
    caller: &Caller,
    rest: &[&str],
) -> Result<Reply, Failure> {
    let expected = match caller.identity {
        Identity::Organization(id) => Some(id),
        Identity::Partner | Identity::Tenant(_) => None,
    };
    let asked = auth::require(state, call, "X-Organization-ID", expected)?;
    let Some(id) = expected else {
        return Err(auth::foreign(state));
    };
    debug_assert_eq!(asked, id, "the header was compared");
    match (call.method(), rest) {
        ("GET", []) => {
            let page = Page::read(call, &state.switches)?;
            let own: Vec<&Tenant> = state
                .by_organization
                .get(&id)
                .into_iter()
                .flatten()
                .map(|at| &state.tenants[*at as usize])
                .filter(|t| !t.unlinked)
                .collect();
            let pages = page.pages(own.len(), &state.switches)?;
            let shown = own.into_iter().skip(page.offset()).take(page.size);
            Ok(list(state, call, shown, pages))
        }
        ("GET", [tenant]) => {
            let tenant = readable(state, tenant)?;
            if tenant.organization != Some(id) {
                return Err(Failure::FORBIDDEN);
            }
            Ok(Reply::json(200, &partial(call, &TenantView::of(state, tenant, &state.url()))))
        }
        (_, [] | [_]) => Err(Failure::NOT_ALLOWED),
        _ => Err(Failure::NOT_FOUND),
    }
}
