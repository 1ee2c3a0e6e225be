//! Roles and permission sets (Sophos Postman collection, Partner API; names of the predefined roles
//! from the partner help). Permission sets are a small invented catalogue: the vendor's is not public.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::errors::Failure;
use super::paging::partial;
use super::state::{Role, State};
use crate::{Call, Ids, Reply};

const PREDEFINED: [&str; 5] = [
    "Partner Super Admin",
    "Partner Admin",
    "Partner Help Desk",
    "Partner Read-only",
    "Partner Business Admin",
];

/// Id, name, type, access, allowed in custom roles.
const SETS: [(&str, &str, &str, &str, bool); 5] = [
    ("customers-admin", "Customers", "base", "admin", true),
    ("customers-read-only", "Customers, read only", "base", "readOnly", true),
    ("settings-admin", "Settings", "setting", "admin", false),
    ("endpoint-help-desk", "Endpoint help desk", "product", "helpdesk", true),
    ("endpoint-admin", "Endpoint", "product", "admin", true),
];

/// The roles that every account has.
pub(crate) fn predefined(ids: &mut Ids, now: Timestamp) -> Vec<Role> {
    PREDEFINED
        .iter()
        .map(|name| Role {
            id: ids.uuid(),
            name: (*name).to_owned(),
            description: format!("{name}, predefined"),
            predefined: true,
            principal: "user".to_owned(),
            permission_sets: vec![SETS[0].0.to_owned()],
            created: now,
            updated: now,
        })
        .collect()
}

/// `/partner/v1/roles…`, below it.
pub(crate) fn answer(state: &mut State, call: &Call, rest: &[&str]) -> Result<Reply, Failure> {
    match (call.method(), rest) {
        ("GET", []) => {
            let items: Vec<Value> = state
                .roles
                .iter()
                .filter(|r| call.query("type").is_none_or(|t| t == kind(r)))
                .filter(|r| call.query("principalType").is_none_or(|p| p == r.principal))
                .map(|r| partial(call, &view(state, r)))
                .collect();
            Ok(Reply::json(200, &json!({"items": items})))
        }
        ("POST", []) => create(state, call),
        ("GET", ["permission-sets"]) => Ok(Reply::json(200, &json!({"items": sets(call)}))),
        ("GET", [id]) => Ok(Reply::json(200, &partial(call, &view(state, &state.roles[at(state, id)?])))),
        ("PATCH", [id]) => change(state, call, id),
        ("DELETE", [id]) => remove(state, id),
        (_, [] | [_]) => Err(Failure::NOT_ALLOWED),
        _ => Err(Failure::NOT_FOUND),
    }
}

fn kind(role: &Role) -> &'static str {
    if role.predefined { "predefined" } else { "custom" }
}

fn view(state: &State, role: &Role) -> Value {
    json!({
        "id": state.spell(role.id), "name": role.name, "description": role.description, "type": kind(role),
        "principalType": role.principal, "permissionSets": role.permission_sets,
        "createdAt": role.created, "updatedAt": role.updated,
    })
}

fn sets(call: &Call) -> Vec<Value> {
    let allowed = call.query("allowedInCustomRole").map(|v| v.eq_ignore_ascii_case("true"));
    SETS.iter()
        .filter(|s| call.query("type").is_none_or(|t| t == s.2))
        .filter(|s| call.query("access").is_none_or(|a| a == s.3))
        .filter(|s| allowed.is_none_or(|a| a == s.4))
        .map(|(id, name, kind, access, custom)| {
            let products: &[&str] = if *kind == "product" { &["endpoint"] } else { &[] };
            partial(
                call,
                &json!({
                    "id": id, "name": name, "description": name, "type": kind, "access": access,
                    "principalTypes": ["user", "service"], "products": products, "allowedInCustomRoles": custom,
                }),
            )
        })
        .collect()
}

fn at(state: &State, id: &str) -> Result<usize, Failure> {
    let id = Uuid::parse_str(id).map_err(|_| Failure::NOT_FOUND)?;
    state.roles.iter().position(|r| r.id == id).ok_or(Failure::NOT_FOUND)
}

fn permission_sets(body: &Value) -> Result<Option<Vec<String>>, Failure> {
    let Some(list) = body.get("permissionSets") else { return Ok(None) };
    let wrong = || Failure::bad("permissionSets is a list of ids that exist and custom roles may hold");
    let list = list.as_array().ok_or_else(wrong)?;
    let read = |v: &Value| {
        let id = v.as_str()?;
        SETS.iter().find(|s| s.0 == id && s.4).map(|s| s.0.to_owned())
    };
    list.iter().map(|v| read(v).ok_or_else(wrong)).collect::<Result<Vec<_>, _>>().map(Some)
}

fn text(body: &Value, key: &str) -> Option<String> {
    body.get(key).and_then(Value::as_str).filter(|t| !t.trim().is_empty()).map(str::to_owned)
}

fn create(state: &mut State, call: &Call) -> Result<Reply, Failure> {
    let body = call.json().filter(Value::is_object).ok_or_else(|| Failure::bad("the body is no object"))?;
    let name = text(&body, "name").ok_or_else(|| Failure::bad("name is required"))?;
    let principal = text(&body, "principalType")
        .filter(|p| p == "user" || p == "service")
        .ok_or_else(|| Failure::bad("principalType is user or service"))?;
    let sets = permission_sets(&body)?.ok_or_else(|| Failure::bad("permissionSets is required"))?;
    if state.roles.iter().any(|r| r.name == name) {
        return Err(Failure::conflict("A role of this name already exists"));
    }
    let now = state.now();
    let role = Role {
        id: state.ids.uuid(),
        name,
        description: text(&body, "description").unwrap_or_default(),
        predefined: false,
        principal,
        permission_sets: sets,
        created: now,
        updated: now,
    };
    let reply = Reply::json(201, &view(state, &role)).effect("role-created", role.id);
    state.roles.push(role);
    Ok(reply)
}

fn change(state: &mut State, call: &Call, id: &str) -> Result<Reply, Failure> {
    let at = at(state, id)?;
    let body = call.json().filter(Value::is_object).ok_or_else(|| Failure::bad("the body is no object"))?;
    let sets = permission_sets(&body)?;
    if state.roles[at].predefined {
        return Err(Failure::conflict("A predefined role cannot be changed"));
    }
    let name = text(&body, "name");
    if name.as_ref().is_some_and(|n| state.roles.iter().enumerate().any(|(i, r)| i != at && r.name == *n)) {
        return Err(Failure::conflict("A role of this name already exists"));
    }
    let now = state.now();
    let role = &mut state.roles[at];
    role.name = name.unwrap_or_else(|| role.name.clone());
    role.description = text(&body, "description").unwrap_or_else(|| role.description.clone());
    role.permission_sets = sets.unwrap_or_else(|| role.permission_sets.clone());
    role.updated = now;
    let role = &state.roles[at];
    Ok(Reply::json(200, &view(state, role)).effect("role-changed", role.id))
}

fn remove(state: &mut State, id: &str) -> Result<Reply, Failure> {
    let at = at(state, id)?;
    let role = state.roles[at].id;
    if state.roles[at].predefined {
        return Err(Failure::conflict("A predefined role cannot be removed"));
    }
    if state.admins.iter().any(|a| a.assignments.iter().any(|x| x.role == role)) {
        return Err(Failure::conflict("The role is still assigned"));
    }
    state.roles.remove(at);
    Ok(Reply::json(200, &json!({"deleted": true})).effect("role-removed", role))
}
