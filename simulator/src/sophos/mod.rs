//! Sophos Central Partner on the wire, as its public documents and clients describe it.
//!
//! One partner account lives below `/sophos/<key>`, which stands for the identity host, the global
//! API host and every data-region host at once. What no API can do is clicked below
//! `/_sim/sophos/<key>/` (see [`ui`]). What the documents leave open is a switch ([`switches`]).
//!
//! It never serves what no vendor document names: no removal of a tenant or an admin, no change of a
//! billing type, no groups, no provisioning calls.

use std::any::Any;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::{Call, Core, Kind, Partner, Refusal, Reply, Running, lock};

mod admins;
mod auth;
mod billing;
mod create;
mod errors;
mod handle;
mod licenses;
mod paging;
mod rate;
mod roles;
mod seed;
mod state;
pub mod switches;
mod tenants;
#[cfg(test)]
mod tests;
pub mod ui;
mod ui_billing;
mod views;

pub use handle::{Credentials, TenantFacts};

use auth::Caller;
use errors::Failure;
use state::{Credential, Identity, State};
use switches::{RateLimit, ReadOnlyWrite, Switches};

/// One simulated partner account.
pub struct SophosPartner {
    state: Mutex<State>,
}

impl std::fmt::Debug for SophosPartner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SophosPartner").field("key", &lock(&self.state).key).finish_non_exhaustive()
    }
}

impl Running {
    /// The Sophos partner account of this key, opened if it is new.
    pub fn sophos(&self, key: &str) -> Arc<SophosPartner> {
        self.partner("sophos", key).expect("below sophos there are Sophos partners only")
    }
}

impl SophosPartner {
    /// A partner account with one Super Admin credential and no customers.
    pub fn open(core: &Arc<Core>, key: &str) -> Arc<Self> {
        let mut ids = core.ids(&format!("sophos/{key}"));
        let partner_id = ids.uuid();
        let credential = Credential {
            client_id: ids.uuid(),
            secret: ids.word(24),
            identity: Identity::Partner,
            read_only: false,
            expires: None,
        };
        let now = core.clock().now();
        Arc::new(Self { state: Mutex::new(State::new(core.clone(), key, ids, partner_id, credential, now)) })
    }
}

fn route(state: &mut State, call: &Call) -> Reply {
    let segments = call.segments();
    if let ("POST", ["api", "v2", "oauth2", "token"]) = (call.method(), segments.as_slice()) {
        return auth::token(state, call);
    }
    let caller = match auth::caller(state, call) {
        Ok(caller) => caller,
        Err(failure) => return errors::reply(state, &failure),
    };
    if state.switches.rate_limit == RateLimit::On {
        let now = state.now();
        if let Err(wait) = state.bucket.take(now) {
            return errors::too_many(state, wait.as_secs()).by(caller.client_id.to_string());
        }
    }
    let refused = caller.read_only && call.method() != "GET";
    let answer = if refused {
        Err(match state.switches.read_only_write {
            ReadOnlyWrite::Forbidden => Failure::FORBIDDEN,
            ReadOnlyWrite::Unauthorized => Failure::UNAUTHORIZED,
        })
    } else {
        api(state, call, &caller, &segments)
    };
    answer.unwrap_or_else(|failure| errors::reply(state, &failure)).by(caller.client_id.to_string())
}

fn api(state: &mut State, call: &Call, caller: &Caller, segments: &[&str]) -> Result<Reply, Failure> {
    match (call.method(), segments) {
        ("GET", ["whoami", "v1"]) => Ok(auth::whoami(state, caller)),
        (method, ["partner", "v1", rest @ ..]) => {
            let id = auth::require(state, call, "X-Partner-ID", None)?;
            if caller.identity != Identity::Partner || id != state.partner_id {
                return Err(auth::foreign(state));
            }
            match (method, rest) {
                (_, ["tenants", rest @ ..]) => tenants::partner(state, call, rest),
                (_, ["admins", rest @ ..]) => admins::answer(state, call, rest),
                (_, ["roles", rest @ ..]) => roles::answer(state, call, rest),
                ("GET", ["billing", "usage", year, month]) => billing::usage(state, call, year, month),
                (_, ["billing", "usage", _, _]) => Err(Failure::NOT_ALLOWED),
                _ => Err(Failure::NOT_FOUND),
            }
        }
        (_, ["organization", "v1", "tenants", rest @ ..]) => tenants::organization(state, call, caller, rest),
        ("GET", ["licenses", "v1", "licenses"]) => licenses::of_tenant(state, call, caller),
        ("GET", ["licenses", "v1", "licenses", "firewalls"]) => licenses::firewalls(state, call, caller),
        (
            _,
            ["whoami", "v1"] | ["licenses", "v1", "licenses"] | ["licenses", "v1", "licenses", "firewalls"],
        ) => Err(Failure::NOT_ALLOWED),
        _ => Err(Failure::NOT_FOUND),
    }
}

impl Partner for SophosPartner {
    fn answer(&self, call: &Call) -> Reply {
        let state = &mut *lock(&self.state);
        state.settle();
        route(state, call)
    }

    fn classify(&self, call: &Call) -> Kind {
        match (call.method(), call.segments().as_slice()) {
            (_, ["api", "v2", "oauth2", "token"]) => Kind::Login,
            ("GET" | "HEAD" | "OPTIONS", _) => Kind::Read,
            _ => Kind::Write,
        }
    }

    fn refuse(&self, refusal: Refusal, call: &Call) -> Reply {
        let state = &mut *lock(&self.state);
        let status = match refusal {
            Refusal::ExpiredToken => 401,
            // Sophos has no versions; the nearest refusal is its conflict.
            Refusal::StaleVersion => 409,
            Refusal::Forbidden => 403,
            // Nor has it numbers for its refusals.
            Refusal::Status(status) | Refusal::Coded { status, .. } => status,
        };
        let reply = errors::reply(state, &Failure::status(status));
        match auth::caller(state, call) {
            Ok(caller) => reply.by(caller.client_id.to_string()),
            Err(_) => reply,
        }
    }

    fn control(&self, call: &Call) -> Reply {
        let state = &mut *lock(&self.state);
        state.settle();
        ui::answer(state, call).unwrap_or_else(|refused| refused.reply())
    }

    fn seed(&self, document: &Value) -> Result<(), String> {
        seed::apply(&mut lock(&self.state), document)
    }

    fn switches(&self) -> Value {
        serde_json::to_value(self.current_switches()).expect("settings are plain data")
    }

    fn set_switches(&self, change: &Value) -> Result<(), String> {
        let state = &mut *lock(&self.state);
        state.switches = state.switches.overlay(change)?;
        Ok(())
    }

    fn switch_table(&self) -> Value {
        serde_json::to_value(Switches::TABLE).expect("the table is plain data")
    }

    fn save(&self) -> Box<dyn Any + Send + Sync> {
        Box::new(lock(&self.state).clone())
    }

    fn restore(&self, saved: &dyn Any) {
        let saved: &State = saved.downcast_ref().expect("a Sophos partner saved it");
        lock(&self.state).clone_from(saved);
    }

    fn describe(&self) -> Value {
        let credentials = self.credentials();
        json!({
            "partnerId": self.partner_id(),
            "clientId": credentials.client_id,
            "clientSecret": credentials.client_secret,
        })
    }
}
