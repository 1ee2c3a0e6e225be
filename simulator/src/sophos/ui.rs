//! What only a person can do, clicked below `/_sim/sophos/<key>/`, with the console's refusals.
//!
//! Facts: Sophos Central Partner help (update billing, unlink, licence keys, Partner Assistance,
//! groups, name shown as) and its French customers page. A refusal is 422
//! `{"refused": "<code>", "why": "…"}` and changes nothing.
//!
//! | click | body | refused as |
//! |---|---|---|
//! | `GET tenants[?name=]`, `GET tenants/{id}` | | what a person sees, groups included |
//! | `POST tenants` | a tenant as in the seed | |
//! | `POST tenants/{id}/show-as` | `{"showAs": "…"}` | `empty-name` |
//! | `POST tenants/{id}/update-billing` | `{"to": "usage", "confirm": true, "immediately": true, "products": ["…"]}` or `{"to": "term", "key": "…", "products": […]}` | `needs-flex not-confirmed not-immediate no-products no-key key-used same-billing` |
//! | `POST tenants/{id}/change-licenses` | `{"products": [{"code": "…", "quantity": 5}]}` | `not-monthly no-products` |
//! | `POST tenants/{id}/apply-license-key` | `{"key": "…", "product": "…", "quantity": 25, "days": 365}` | `no-key key-used not-termed` |
//! | `POST tenants/{id}/remove-license` | `{"product": "…"}` | `no-license` |
//! | `POST tenants/{id}/unlink` | | `active-license reactivation-window needs-flex already-leaving` |
//! | `POST tenants/{id}/groups` | `{"groups": ["…"], "as": "Partner Super Admin"}` | `not-super-admin no-group` |
//! | `POST tenants/{id}/assistance` | `{"enabled": true}` (the customer's admin) | |
//! | `POST tenants/{id}/suspend`, `…/resume`, `…/activate` | | |
//! | `POST groups` | `{"name": "…", "as": "Partner Super Admin"}` | `not-super-admin` |
//! | `POST admins/{id}/remove` | `{"by": "<admin id>"}` | `never-itself` |
//! | `POST bill` | `{"year": 2026, "month": 1}`: closes the month for all monthly accounts | |
//! | `POST credentials` | as in the seed; answers `clientId`, `clientSecret` | |
//! | `POST default-products` | `{"products": ["…"]}` | |
//! | `POST listing` | `{"after-seconds": 90}`, `{"after-calls": 3}` or `"at-once"` | |
//! | `POST expire-tokens` | | |

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::billing::Line;
use super::seed;
use super::state::{State, Tenant, Text};
use super::ui_billing::{apply_key, change_licenses, remove_license, unlink, update_billing};
use crate::{Call, Lists, Reply};

/// A refusal by the console.
#[derive(Debug)]
pub(crate) struct Refused {
    status: u16,
    code: &'static str,
    why: String,
}

impl Refused {
    pub(crate) fn new(code: &'static str, why: impl Into<String>) -> Self {
        Self { status: 422, code, why: why.into() }
    }

    pub(crate) fn reply(&self) -> Reply {
        Reply::json(self.status, &json!({"refused": self.code, "why": self.why}))
    }
}

type Clicked = Result<Reply, Refused>;

/// Answers a click.
pub(crate) fn answer(state: &mut State, call: &Call) -> Clicked {
    match (call.method(), call.segments().as_slice()) {
        ("GET", ["tenants"]) => {
            let wanted = call.query("name");
            let shown: Vec<Value> = state
                .tenants
                .iter()
                .filter(|t| wanted.is_none_or(|n| t.display_name() == n || *t.name == *n))
                .take(100)
                .map(seen)
                .collect();
            Ok(Reply::json(200, &json!({"tenants": shown})))
        }
        ("POST", ["tenants"]) => {
            let made = seed::tenant(state, body(call)?).map_err(|e| Refused::new("not-made", e))?;
            Ok(Reply::json(201, &json!({"id": made})).effect("tenant-created", made))
        }
        (method, ["tenants", id, rest @ ..]) => {
            let known = Uuid::parse_str(id).ok().filter(|id| state.tenant(*id).is_some_and(|t| !t.unlinked));
            let id =
                known.ok_or(Refused { status: 404, code: "no-tenant", why: format!("no tenant {id}") })?;
            tenant(state, call, method, id, rest)
        }
        ("GET", ["groups"]) => Ok(Reply::json(200, &json!({"groups": state.groups}))),
        ("POST", ["groups"]) => {
            let group: Group = body(call)?;
            super_admin(group.by.as_deref())?;
            let reply = Reply::json(201, &json!({"name": group.name})).effect("group-created", &group.name);
            state.groups.push(Text::Owned(group.name));
            Ok(reply)
        }
        ("POST", ["admins", id, "remove"]) => remove_admin(state, call, id),
        ("POST", ["bill"]) => bill(state, call),
        ("POST", ["credentials"]) => {
            let (client_id, secret) = seed::credential(state, body(call)?);
            Ok(Reply::json(201, &json!({"clientId": client_id, "clientSecret": secret}))
                .effect("credential-created", client_id))
        }
        ("POST", ["default-products"]) => {
            let wanted: Products<String> = body(call)?;
            state.default_products = wanted.products.into_iter().map(Text::Owned).collect();
            Ok(Reply::empty(204).effect("default-products-set", &state.key))
        }
        ("POST", ["listing"]) => {
            state.lists = Some(body::<Lists>(call)?);
            Ok(Reply::empty(204))
        }
        ("POST", ["expire-tokens"]) => {
            state.tokens.clear();
            Ok(Reply::empty(204))
        }
        (method, _) => Err(Refused {
            status: 404,
            code: "no-click",
            why: format!("nothing at {method} {}", call.path()),
        }),
    }
}

pub(crate) fn body<T: for<'de> Deserialize<'de>>(call: &Call) -> Result<T, Refused> {
    let bytes = if call.body().is_empty() { b"{}" } else { call.body() };
    serde_json::from_slice(bytes).map_err(|e| Refused::new("not-understood", e.to_string()))
}

#[derive(Deserialize)]
struct Group {
    name: String,
    #[serde(rename = "as")]
    by: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Products<T> {
    pub(crate) products: Vec<T>,
}

/// What the customers page and its details show a person.
fn seen(tenant: &Tenant) -> Value {
    let licenses: Vec<Value> = tenant
        .licenses
        .iter()
        .map(|l| {
            json!({"product": l.product, "type": l.kind, "startDate": l.start, "endDate": l.end,
                   "quantity": l.quantity, "used": l.used})
        })
        .collect();
    json!({
        "id": tenant.id, "name": tenant.name, "showAs": tenant.display_name(), "status": tenant.status,
        "billingType": tenant.billing_type, "groups": tenant.groups, "assistance": tenant.assistance,
        "leaves": tenant.leaves, "unlinked": tenant.unlinked, "licenses": licenses,
    })
}

fn tenant(state: &mut State, call: &Call, method: &str, id: Uuid, rest: &[&str]) -> Clicked {
    let effect = match (method, rest) {
        ("GET", []) => "",
        ("POST", ["show-as"]) => {
            #[derive(Deserialize)]
            #[serde(rename_all = "camelCase")]
            struct Shown {
                show_as: String,
            }
            let wanted: Shown = body(call)?;
            if wanted.show_as.trim().is_empty() {
                return Err(Refused::new("empty-name", "Name shown as is required"));
            }
            of(state, id).show_as = Some(Text::Owned(wanted.show_as));
            "tenant-renamed"
        }
        ("POST", ["update-billing"]) => update_billing(state, call, id)?,
        ("POST", ["change-licenses"]) => change_licenses(state, call, id)?,
        ("POST", ["apply-license-key"]) => apply_key(state, call, id)?,
        ("POST", ["remove-license"]) => remove_license(state, call, id)?,
        ("POST", ["unlink"]) => unlink(state, id)?,
        ("POST", ["groups"]) => set_groups(state, call, id)?,
        ("POST", ["assistance"]) => {
            #[derive(Deserialize)]
            struct Switch {
                enabled: bool,
            }
            let wanted: Switch = body(call)?;
            of(state, id).assistance = wanted.enabled;
            if wanted.enabled { "assistance-enabled" } else { "assistance-disabled" }
        }
        ("POST", ["suspend"]) => {
            of(state, id).status = Text::Borrowed("suspended");
            "tenant-suspended"
        }
        ("POST", ["resume"]) => {
            of(state, id).status = Text::Borrowed("active");
            "tenant-resumed"
        }
        ("POST", ["activate"]) => {
            of(state, id).activated = true;
            "tenant-activated"
        }
        _ => {
            return Err(Refused {
                status: 404,
                code: "no-click",
                why: format!("nothing at {method} {}", call.path()),
            });
        }
    };
    let reply = Reply::json(200, &seen(of(state, id)));
    Ok(if effect.is_empty() { reply } else { reply.effect(effect, id) })
}

pub(crate) fn of(state: &mut State, id: Uuid) -> &mut Tenant {
    state.tenant_mut(id).expect("the caller found it under the same lock")
}

fn super_admin(by: Option<&str>) -> Result<(), Refused> {
    match by {
        None | Some("Partner Super Admin") => Ok(()),
        Some(other) => Err(Refused::new(
            "not-super-admin",
            format!("{other} cannot manage groups; a Partner Super Admin can"),
        )),
    }
}

fn set_groups(state: &mut State, call: &Call, id: Uuid) -> Result<&'static str, Refused> {
    #[derive(Deserialize)]
    struct Form {
        groups: Vec<String>,
        #[serde(rename = "as")]
        by: Option<String>,
    }
    let form: Form = body(call)?;
    super_admin(form.by.as_deref())?;
    if let Some(unknown) = form.groups.iter().find(|g| !state.groups.iter().any(|k| **k == **g)) {
        return Err(Refused::new("no-group", format!("there is no group {unknown}; create it first")));
    }
    of(state, id).groups = form.groups.into_iter().map(Text::Owned).collect();
    Ok("groups-set")
}

fn remove_admin(state: &mut State, call: &Call, id: &str) -> Clicked {
    #[derive(Deserialize)]
    struct By {
        by: Option<Uuid>,
    }
    let by: By = body(call)?;
    let at = Uuid::parse_str(id).ok().and_then(|id| state.admins.iter().position(|a| a.id == id));
    let at = at.ok_or(Refused { status: 404, code: "no-admin", why: format!("no admin {id}") })?;
    if by.by == Some(state.admins[at].id) {
        return Err(Refused::new("never-itself", "a Super Admin does not remove itself"));
    }
    let gone = state.admins.remove(at);
    state.admin_emails.remove(&gone.username.to_lowercase());
    Ok(Reply::empty(204).effect("admin-removed", gone.id))
}

fn bill(state: &mut State, call: &Call) -> Clicked {
    #[derive(Deserialize)]
    struct Month {
        year: i16,
        month: i8,
    }
    let Month { year, month } = body(call)?;
    let lines: Vec<Line> = state
        .tenants
        .iter()
        .enumerate()
        .filter(|(_, t)| t.billing_type == "usage" && !t.unlinked)
        .flat_map(|(at, t)| {
            let at = u32::try_from(at).ok();
            t.licenses.iter().filter(|l| l.kind == "usage").map(move |l| Line {
                tenant: at,
                product: l.product.clone(),
                billable: l.used,
                actual: l.used,
                net_cents: u64::from(l.used) * 250,
            })
        })
        .collect();
    let count = lines.len();
    state.billing.insert((year, month), lines);
    Ok(Reply::json(200, &json!({"lines": count})).effect("month-billed", format!("{year}-{month:02}")))
}
