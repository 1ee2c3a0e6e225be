//! Sophos Central Partner on the wire, as its public documents and clients describe it.
//!
//! One partner account lives below `/sophos/<key>`, which stands for the identity host, the global
//! API host and every data-region host at once. What no API can do is clicked below
//! `/_sim/sophos/<key>/` (see [`ui`]). What the documents leave open is a switch ([`switches`]).
//!
//! It never serves what no vendor document names: no removal of a tenant or an admin, no change of a
//! billing type, no groups, no provisioning calls.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Call, Core, Kind, Partner, Refusal, Reply, Running, lock};

mod auth;
mod errors;
mod rate;
mod state;
pub mod switches;

use errors::Failure;
use state::{Credential, Identity, State};
use switches::{RateLimit, ReadOnlyWrite, Switches};

/// What a client is configured with.
#[derive(Clone)]
pub struct Credentials {
    /// An API credential's id.
    pub client_id: String,
    /// Its secret; of a simulated account, so it may be shown where a person starts the simulator.
    pub client_secret: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// One simulated partner account.
#[derive(Debug)]
pub struct SophosPartner {
    state: Mutex<State>,
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

    /// The base URL that stands for all hosts of the account.
    pub fn url(&self) -> String {
        lock(&self.state).url()
    }

    /// The Super Admin credential.
    pub fn credentials(&self) -> Credentials {
        let state = lock(&self.state);
        let first = &state.credentials[0];
        Credentials { client_id: first.client_id.to_string(), client_secret: first.secret.clone() }
    }

    /// The partner's own id.
    pub fn partner_id(&self) -> Uuid {
        lock(&self.state).partner_id
    }

    /// The settings.
    pub fn switches(&self) -> Switches {
        lock(&self.state).switches
    }

    /// Replaces the settings.
    pub fn use_switches(&self, switches: Switches) {
        lock(&self.state).switches = switches;
    }

    /// Every access token is refused from now on.
    pub fn expire_tokens(&self) {
        lock(&self.state).tokens.clear();
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
        match (call.method(), segments.as_slice()) {
            ("GET", ["whoami", "v1"]) => Ok(auth::whoami(state, &caller)),
            _ => Err(Failure::NOT_FOUND),
        }
    };
    answer.unwrap_or_else(|failure| errors::reply(state, &failure)).by(caller.client_id.to_string())
}

impl Partner for SophosPartner {
    fn answer(&self, call: &Call) -> Reply {
        route(&mut lock(&self.state), call)
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
            Refusal::Status(status) => status,
        };
        let reply = errors::reply(state, &Failure::status(status));
        match auth::caller(state, call) {
            Ok(caller) => reply.by(caller.client_id.to_string()),
            Err(_) => reply,
        }
    }

    fn control(&self, call: &Call) -> Reply {
        Reply::json(404, &json!({"simulator": format!("no click {} {}", call.method(), call.path())}))
    }

    fn seed(&self, document: &Value) -> Result<(), String> {
        if document.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(());
        }
        Err("unknown fields".to_owned())
    }

    fn switches(&self) -> Value {
        serde_json::to_value(lock(&self.state).switches).expect("settings are plain data")
    }

    fn set_switches(&self, change: &Value) -> Result<(), String> {
        let state = &mut *lock(&self.state);
        state.switches = state.switches.overlay(change)?;
        Ok(())
    }

    fn switch_table(&self) -> Value {
        serde_json::to_value(Switches::TABLE).expect("the table is plain data")
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
