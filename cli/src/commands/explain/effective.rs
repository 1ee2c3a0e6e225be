//! `explain PATH --effective`: what holds for each declared object, with where it comes from.
//!
//! A value is declared with the object itself, comes from its Console's `spec.defaults`, or is the documented default.
//! Nothing is read but the declarations.

use serde_json::{Map, Value};
use tenantry_crd::console::{GuardsSpec, InvitationPolicy, ObserveSpec};
use tenantry_crd::explain::Explanation;
use tenantry_crd::{ConsoleSpec, CustomerAccount, Kind};
use tenantry_engine::address::Address;
use tenantry_engine::declare::{Declaration, declare};
use tenantry_engine::desired::AccountDecl;
use tenantry_engine::render::Paint;
use tenantry_engine::text::terminal;

use crate::app::{Files, Globals};
use crate::declarations::{FileScope, declarations, read};
use crate::exit::CliError;

/// Whence a value comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whence {
    Declared,
    Console,
    Default,
}

impl Whence {
    const fn words(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Console => "from the Console's defaults",
            Self::Default => "by default",
        }
    }
}

/// What to print of the field that was explained.
pub(super) fn effective(globals: &Globals, files: &Files, of: &Explanation) -> Result<String, CliError> {
    let path = of.path.as_str();
    let below = match of.kind {
        Kind::Customer => path
            .strip_prefix("spec.accounts[].")
            .or_else(|| matches!(path, "" | "spec" | "spec.accounts").then_some("")),
        Kind::Console => path.strip_prefix("spec.").or_else(|| matches!(path, "" | "spec").then_some("")),
        _ => None,
    };
    let Some(below) = below else {
        let words = "--effective is for what has defaults: customer.spec.accounts and console.spec";
        return Err(CliError::usage(words)
            .hint("tenantry explain customer.spec.accounts.onboarding --effective -f .")
            .hint("tenantry explain console.spec.guards --effective -f ."));
    };
    let loaded = read(globals, &files.files)?;
    let scope = FileScope(&loaded.scope);
    let all = declarations(&loaded);
    let declaration = declare(&all, &scope);
    let paint = globals.paint();
    let mut out = String::new();
    if of.kind == Kind::Console {
        for desired in declaration.consoles.values() {
            let spec = desired.console.spec;
            let rows = rows(below, &json(spec), &Value::Null, &json(&in_force(spec)));
            section(&mut out, &format!("console/{}", desired.console.name), &rows, paint);
        }
    } else {
        accounts(&mut out, &declaration, below, paint);
    }
    if out.is_empty() {
        out.push_str("Nothing that was read has a value there.\n");
    }
    Ok(out)
}

fn accounts(out: &mut String, declaration: &Declaration<'_>, below: &str, paint: Paint) {
    let mut all: Vec<(&Address, &AccountDecl<'_>, &ConsoleSpec)> = declaration
        .consoles
        .values()
        .flat_map(|desired| desired.accounts.iter().map(|decl| (&decl.address, decl, desired.console.spec)))
        .collect();
    all.sort_by_key(|(address, _, _)| *address);
    for (address, decl, console) in all {
        let customer = decl.customer.open();
        let Some(own) = customer.accounts.get(decl.index) else { continue };
        let mut merged: CustomerAccount = own.with_defaults(console);
        merged.want = merged.want.or(Some(customer.want));
        let mut defaults = console.defaults.as_ref().map_or(Value::Null, json);
        if let Some(policy) = defaults.get("deletionPolicy").cloned() {
            defaults["account"]["deletionPolicy"] = policy;
        }
        let rows = rows(below, &json(own), &defaults["account"], &json(&merged));
        section(out, &address.to_string(), &rows, paint);
    }
}

/// A Console's declaration with the documented defaults where nothing is declared.
fn in_force(spec: &ConsoleSpec) -> ConsoleSpec {
    let mut out = spec.clone();
    let guards = spec.guards.effective();
    out.guards = GuardsSpec {
        per: Some(guards.per),
        max_creations: Some(guards.max_creations),
        max_invitations: Some(guards.max_invitations),
        max_removals: Some(guards.max_removals),
        max_removal_percent: Some(guards.max_removal_percent),
        max_seat_increase: Some(guards.max_seat_increase),
        unpriced: Some(guards.unpriced),
        ..spec.guards.clone()
    };
    let reminders = spec.invitation.effective();
    out.invitation = InvitationPolicy {
        remind_after: Some(reminders.remind_after),
        max_reminders: Some(reminders.max_reminders),
        expire_after: Some(reminders.expire_after),
        ..spec.invitation.clone()
    };
    let ages = spec.observe.effective();
    out.observe = ObserveSpec {
        accounts: Some(ages.accounts),
        access: Some(ages.access),
        licenses: Some(ages.licenses),
        usage: Some(ages.usage),
        settle: Some(ages.settle),
        ..spec.observe.clone()
    };
    out
}

fn json(spec: &impl serde::Serialize) -> Value {
    serde_json::to_value(spec).expect("a declaration is JSON")
}

/// The leaves of what holds, below a path, with whence each comes.
fn rows(below: &str, declared: &Value, defaults: &Value, holds: &Value) -> Vec<(String, String, Whence)> {
    let mut out = Vec::new();
    let mut leaf = |path: &str, value: &Value| {
        let inside = below.is_empty() || path == below || path.starts_with(&format!("{below}."));
        if !inside {
            return;
        }
        let at = |of: &Value| of.pointer(&format!("/{}", path.replace('.', "/"))) == Some(value);
        let whence = match (at(declared), at(defaults)) {
            (true, _) => Whence::Declared,
            (false, true) => Whence::Console,
            (false, false) => Whence::Default,
        };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        out.push((path.to_owned(), text, whence));
    };
    walk("", holds, &mut leaf);
    out
}

fn walk(path: &str, value: &Value, leaf: &mut impl FnMut(&str, &Value)) {
    match value.as_object() {
        Some(fields) if !fields.is_empty() => walk_fields(path, fields, leaf),
        _ if !path.is_empty() => leaf(path, value),
        _ => {}
    }
}

fn walk_fields(path: &str, fields: &Map<String, Value>, leaf: &mut impl FnMut(&str, &Value)) {
    for (name, value) in fields {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        walk(&path, value, leaf);
    }
}

fn section(out: &mut String, head: &str, rows: &[(String, String, Whence)], paint: Paint) {
    if rows.is_empty() {
        return;
    }
    out.push_str(&format!("{}\n", paint.strong(&terminal(head))));
    for (path, text, whence) in rows {
        paint.labelled(out, 2, path, 28, &format!("{} · {}", terminal(text), whence.words()));
    }
}
