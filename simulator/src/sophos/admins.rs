//! Partner admins and their role assignments (Sophos Postman collection, Partner API).
//!
//! There is no call that changes or removes an admin: a person removes one in the console.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::errors::Failure;
use super::paging::{Page, partial};
use super::state::{Admin, Assignment, State};
use crate::{Call, Reply};

const PROFILE: [&str; 6] = ["name", "firstName", "lastName", "phone", "mobile", "fax"];

/// `/partner/v1/admins…`, below it.
pub(crate) fn answer(state: &mut State, call: &Call, rest: &[&str]) -> Result<Reply, Failure> {
    match (call.method(), rest) {
        ("GET", []) => list(state, call),
        ("POST", []) => create(state, call),
        ("GET", [id]) => Ok(Reply::json(200, &partial(call, &view(state, &state.admins[at(state, id)?])))),
        ("GET", [id, "role-assignments"]) => {
            let admin = &state.admins[at(state, id)?];
            let items: Vec<Value> = admin.assignments.iter().map(|a| assignment_view(state, a)).collect();
            Ok(Reply::json(200, &json!({"items": items})))
        }
        ("POST", [id, "role-assignments"]) => {
            let at = at(state, id)?;
            let body = call.json().unwrap_or(Value::Null);
            let assignment = assignment(state, &body)?;
            let reply =
                Reply::json(201, &assignment_view(state, &assignment)).effect("role-assigned", assignment.id);
            state.admins[at].assignments.push(assignment);
            Ok(reply)
        }
        ("GET", [id, "role-assignments", one]) => {
            let admin = &state.admins[at(state, id)?];
            let one = Uuid::parse_str(one).map_err(|_| Failure::NOT_FOUND)?;
            let found = admin.assignments.iter().find(|a| a.id == one).ok_or(Failure::NOT_FOUND)?;
            Ok(Reply::json(200, &assignment_view(state, found)))
        }
        ("DELETE", [id, "role-assignments", one]) => {
            let at = at(state, id)?;
            let one = Uuid::parse_str(one).map_err(|_| Failure::NOT_FOUND)?;
            let assignments = &mut state.admins[at].assignments;
            let found = assignments.iter().position(|a| a.id == one).ok_or(Failure::NOT_FOUND)?;
            assignments.remove(found);
            Ok(Reply::json(200, &json!({"deleted": true})).effect("role-unassigned", one))
        }
        (_, [] | [_] | [_, "role-assignments"] | [_, "role-assignments", _]) => Err(Failure::NOT_ALLOWED),
        _ => Err(Failure::NOT_FOUND),
    }
}

fn at(state: &State, id: &str) -> Result<usize, Failure> {
    let id = Uuid::parse_str(id).map_err(|_| Failure::NOT_FOUND)?;
    state.admins.iter().position(|a| a.id == id).ok_or(Failure::NOT_FOUND)
}

fn assignment_view(state: &State, assignment: &Assignment) -> Value {
    let mut scope = json!({"type": assignment.scope_type});
    if let Some(id) = assignment.scope_id {
        scope["id"] = Value::from(state.spell(id));
    }
    json!({"id": state.spell(assignment.id), "roleId": state.spell(assignment.role), "scope": scope})
}

fn view(state: &State, admin: &Admin) -> Value {
    let assignments: Vec<Value> = admin.assignments.iter().map(|a| assignment_view(state, a)).collect();
    json!({
        "id": state.spell(admin.id), "username": admin.username, "profile": admin.profile,
        "active": true, "primary": admin.primary, "roleAssignments": assignments,
    })
}

fn list(state: &State, call: &Call) -> Result<Reply, Failure> {
    let page = Page::read(call, &state.switches)?;
    let id_of = |name: &str| match call.query(name).filter(|v| !v.is_empty()) {
        None => Ok(None),
        Some(v) => Uuid::parse_str(v).map(Some).map_err(|_| Failure::bad(format!("{name} is an id"))),
    };
    let (role, tenant) = (id_of("roleId")?, id_of("withAccessToTenant")?);
    let search = call.query("search").map(str::to_lowercase);
    let mut shown: Vec<&Admin> = state
        .admins
        .iter()
        .filter(|a| call.query("email").is_none_or(|e| a.username.eq_ignore_ascii_case(e)))
        .filter(|a| role.is_none_or(|r| a.assignments.iter().any(|x| x.role == r)))
        .filter(|a| tenant.is_none_or(|t| a.assignments.iter().any(|x| reaches(x, t))))
        .filter(|a| search.as_ref().is_none_or(|s| found(a, s)))
        .collect();
    for part in call.query("sort").into_iter().flat_map(|s| s.rsplit(',')).filter(|p| !p.is_empty()) {
        let (field, order) = part.split_once(':').unwrap_or((part, "asc"));
        let key = |a: &Admin| match field {
            "username" | "email" => Some(a.username.clone()),
            _ => a.profile.get(field.strip_prefix("profile.").unwrap_or(field)).cloned(),
        };
        shown.sort_by_key(|a| key(a));
        match order {
            "asc" => {}
            "desc" => shown.reverse(),
            _ => return Err(Failure::bad("sort is field:asc or field:desc")),
        }
    }
    let pages = page.pages(shown.len(), &state.switches)?;
    let items: Vec<Value> = shown
        .into_iter()
        .skip(page.offset())
        .take(page.size)
        .map(|a| partial(call, &view(state, a)))
        .collect();
    Ok(Reply::json(200, &json!({"items": items, "pages": pages})))
}

fn reaches(assignment: &Assignment, tenant: Uuid) -> bool {
    assignment.scope_type == "allManagedTenants" || assignment.scope_id == Some(tenant)
}

fn found(admin: &Admin, search: &str) -> bool {
    admin.username.to_lowercase().contains(search)
        || admin.profile.values().any(|v| v.to_lowercase().contains(search))
}

fn create(state: &mut State, call: &Call) -> Result<Reply, Failure> {
    let body = call.json().filter(Value::is_object).ok_or_else(|| Failure::bad("the body is no object"))?;
    let username = body
        .get("username")
        .and_then(Value::as_str)
        .filter(|u| u.contains('@'))
        .ok_or_else(|| Failure::bad("username is an e-mail address"))?;
    let profile: BTreeMap<String, String> = PROFILE
        .iter()
        .filter_map(|key| {
            let value = body.get("profile")?.get(*key)?.as_str()?;
            Some(((*key).to_owned(), value.to_owned()))
        })
        .collect();
    if let Some(missing) = PROFILE[..3].iter().find(|k| profile.get(**k).is_none_or(|v| v.trim().is_empty()))
    {
        return Err(Failure::bad(format!("profile.{missing} is required")));
    }
    let wanted = body.get("roleAssignments").and_then(Value::as_array).filter(|l| !l.is_empty());
    let wanted = wanted.ok_or_else(|| Failure::bad("roleAssignments is required"))?;
    let assignments = wanted.iter().map(|v| assignment(state, v)).collect::<Result<Vec<_>, _>>()?;
    if !state.admin_emails.insert(username.to_lowercase()) {
        return Err(Failure::conflict("The e-mail address is in use"));
    }
    let admin =
        Admin { id: state.ids.uuid(), username: username.to_owned(), profile, primary: false, assignments };
    let reply = Reply::json(201, &view(state, &admin)).effect("admin-created", admin.id);
    state.admins.push(admin);
    Ok(reply)
}

fn assignment(state: &mut State, body: &Value) -> Result<Assignment, Failure> {
    let id = |v: Option<&Value>| v.and_then(Value::as_str).and_then(|t| Uuid::parse_str(t).ok());
    let role = id(body.get("roleId"))
        .filter(|id| state.roles.iter().any(|r| r.id == *id))
        .ok_or_else(|| Failure::bad("roleId is the id of a role"))?;
    let scope = body.get("scope").unwrap_or(&Value::Null);
    let scope_type = scope.get("type").and_then(Value::as_str).unwrap_or_default();
    let scope_id = id(scope.get("id"));
    match scope_type {
        "self" | "allManagedTenants" => {}
        "tenant" if scope_id.and_then(|t| state.tenant(t)).is_some_and(|t| !t.unlinked) => {}
        "tenant" => return Err(Failure::bad("scope.id is the id of a managed tenant")),
        _ => return Err(Failure::bad("scope.type is self, tenant or allManagedTenants")),
    }
    Ok(Assignment {
        id: state.ids.uuid(),
        role,
        scope_type: scope_type.to_owned(),
        scope_id: scope_id.filter(|_| scope_type == "tenant"),
    })
}
