//! Microsoft Partner Center, its token authority, and the part of Microsoft Graph that partners need.
//!
//! What it does: one base URL per partner (`/microsoft/<key>`) serves `/{tenant}/oauth2/token` (and `/v2.0/token`),
//! `/v1/…` as Partner Center and `/v1.0/…` as Graph, in each of a partner's positions. All partners of one
//! simulator live in one cloud: a customer that accepts an invitation with a provider shows at both.
//!
//! What it never does: it sends no mail (Partner Center does not), it makes no object when a link is fetched,
//! and it checks nothing that the documents do not say is checked.
//!
//! Invariants: a refused call changes nothing (but for the one documented hazard, behind a switch); rights in a
//! tenant are not the relationship and outlive it; what a call committed is named in the request log.
//!
//! Effects: `customer-created`, `billing-profile-updated`, `relationship-accepted`, `relationship-removed`,
//! `dap-granted`, `dap-removed`, `subscription-updated`; by people alone `customer-renamed`,
//! `subscription-bought`, `subscription-cancelled`, `gdap-granted`, `gdap-ended`, `tokens-revoked`,
//! `agreement-signed`; `relationship-accepted-at-<key>` where one click ties another partner too.
//!
//! # What the documents leave open
//!
//! One switch each, the default first; [`Switches::TABLE`] says what is open.
//!
//! | switch | values |
//! |---|---|
//! | `domainTaken` | `409-409`, `400-800002`, `403-600006` |
//! | `failedCreate` | `leaves-nothing`, `reserves-domain` |
//! | `requestIdMemory` | `24h`, `5m`, `never` |
//! | `requestIdBodies` | `ignored`, `compared` |
//! | `requestIdReplays` | `successes`, `everything` |
//! | `requestIdScope` | `create`, `all-writes` |
//! | `createHeaders` | `required`, `generated` |
//! | `billingEtag` | `if-match-else-body`, `if-match-only`, `body-only` |
//! | `staleEtag` | `400-2055`, `412`, `417-800036` |
//! | `foreignCustomer` | `403-20002`, `404-1000`, `404-60003` |
//! | `detachRefusal` | `400-3000`, `400-800002`, `403-600006`, `409-600005` |
//! | `detachUnrelated` | `400-3000`, `as-foreign` |
//! | `dapAfterDetach` | `kept`, `removed` |
//! | `dapAfterCreate` | `none`, `granted` |
//! | `createRelationship` | `reseller`, `none` |
//! | `unknownReseller` | `400-800002`, `400-3000`, `403-1002` |
//! | `resellerNotOurs` | `400-3000`, `403-1002`, `ignored` |
//! | `registrationRules` | `2023`, `2021` |
//! | `registrationElsewhere` | `400-600002`, `accepted` |
//! | `badEmail` | `400-27002`, `400-800002` |
//! | `badAddress` | `accepted`, `400-2007` |
//! | `listSize` | `optional`, `required` |
//! | `listOversize` | `400-2000`, `reduced` |
//! | `nextLink` | `relative`, `versioned`, `bare` |
//! | `listedAfterCreate` | `at-once`, `60s`, `15m`, `2-calls` |
//! | `listedAfterAccept` | `at-once`, `60s`, `15m`, `2-calls` |
//! | `codeType` | `number`, `text` |
//! | `bodyPrefix` | `none`, `byte-order-mark`, `stray-character` |
//! | `enums` | `documented`, `unknown` |
//! | `patchAnswers` | `pascal`, `camel` |
//! | `echoedIds` | `same`, `doubled`, `other` |
//! | `unauthorised` | `coded`, `empty` |
//! | `retiredAudience` | `401-900420`, `401-400` |
//! | `refreshTokens` | `rotated`, `rotated-old-dies`, `omitted` |
//! | `providerLink` | `reseller-first`, `provider-first` |
//! | `subscriptionPatch` | `200`, `202`, `202-after-60s` |
//! | `newCommerceEtag` | `absent`, `empty` |
//! | `lateCancellation` | `400-900117`, `400-900213`, `400-800096` |
//! | `lateReduction` | `400-800090`, `400-900257`, `400-900214` |
//! | `throttle` | `off`, `5-per-minute`, `500-per-minute`, `5-per-minute-and-customer` |
//! | `retryAfter` | `sent`, `missing` |
//! | `unsignedAgreement` | `false`, `400-2203` |
//! | `resellerCalls` | `some`, `some-without-census`, `nothing` |

use std::any::Any;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

mod audit;
mod auth;
mod billing;
mod calls;
mod checks;
mod customers;
pub mod errors;
mod graph;
mod relationships;
mod seed;
mod state;
mod subscriptions;
mod switches;
mod ui;
mod wire;

pub use auth::Audience;
pub use state::{Account, Billing, Cloud, Due, Gdap, Position, Tenant, Tie};
pub use subscriptions::{Commerce, Subscription};
pub use switches::*;

use crate::{Call, Core, Effect, Followed, Kind, Partner, Refusal, Reply, Running, Visitor, lock};

/// How the vendor is called in paths.
pub const VENDOR: &str = "microsoft";

/// One partner of the simulated cloud.
#[derive(Debug)]
pub struct MicrosoftPartner {
    core: Arc<Core>,
    key: String,
    cloud: Arc<Mutex<Cloud>>,
}

impl MicrosoftPartner {
    /// Opens a partner: direct bill until a seed says otherwise.
    pub fn open(core: &Arc<Core>, key: &str) -> Arc<Self> {
        let cloud = core.of_vendor::<Mutex<Cloud>>(VENDOR);
        let partner = Self { core: core.clone(), key: key.to_owned(), cloud };
        partner.ensure(key, &mut lock(&partner.cloud));
        if let Some(account) = lock(&partner.cloud).accounts.get_mut(key) {
            account.opened = true;
        }
        Arc::new(partner)
    }

    fn ensure(&self, key: &str, cloud: &mut Cloud) {
        if !cloud.accounts.contains_key(key) {
            let ids = self.core.ids(&format!("{VENDOR}/{key}"));
            let url = self.core.public_url(VENDOR, key);
            cloud.accounts.insert(key.to_owned(), Account::new(key, url, ids, self.core.clock().now()));
        }
    }

    /// Looks at the partner and the whole cloud, as they are and not as they are listed.
    pub fn look<T>(&self, at: impl FnOnce(&Account, &Cloud) -> T) -> T {
        let cloud = lock(&self.cloud);
        at(cloud.accounts.get(&self.key).expect("a partner is opened before it is looked at"), &cloud)
    }

    /// Changes the settings.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        if let Some(account) = lock(&self.cloud).accounts.get_mut(&self.key) {
            change(&mut account.switches);
        }
    }
}

/// A value of a documented enumeration, or one that it does not have yet.
pub(crate) fn vocabulary<'a>(switches: &Switches, documented: &'a str, unknown: &'a str) -> &'a str {
    match switches.enums {
        Enums::Documented => documented,
        Enums::Unknown => unknown,
    }
}

impl Partner for MicrosoftPartner {
    fn answer(&self, call: &Call) -> Reply {
        let now = self.core.clock().now();
        let mut guard = lock(&self.cloud);
        let cloud = &mut *guard;
        let segments = call.segments();
        if let ["v1", rest @ ..] = segments.as_slice() {
            return calls::answer(cloud, &self.key, call, rest, now);
        }
        let Some(account) = cloud.accounts.get_mut(&self.key) else { return Reply::empty(404) };
        match (call.method(), segments.as_slice()) {
            (_, ["v1.0", rest @ ..]) => graph::answer(account, call, rest, now),
            ("POST", [authority, "oauth2", "token"]) => auth::token(account, call, authority, false, now),
            ("POST", [authority, "oauth2", "v2.0", "token"]) => {
                auth::token(account, call, authority, true, now)
            }
            _ => Reply::empty(404),
        }
    }

    fn classify(&self, call: &Call) -> Kind {
        match (call.method(), call.segments().as_slice()) {
            (method, ["v1", rest @ ..]) => calls::classify(method, rest),
            (_, [_, "oauth2", ..]) => Kind::Login,
            ("GET" | "HEAD", _) => Kind::Read,
            _ => Kind::Write,
        }
    }

    fn refuse(&self, refusal: Refusal, call: &Call) -> Reply {
        let now = self.core.clock().now();
        let mut guard = lock(&self.cloud);
        let Some(account) = guard.accounts.get_mut(&self.key) else { return Reply::empty(500) };
        let switches = account.switches;
        let status = match refusal {
            Refusal::ExpiredToken => 401,
            Refusal::StaleVersion => 412,
            Refusal::Forbidden => 403,
            Refusal::Status(status) | Refusal::Coded { status, .. } => status,
        };
        let reply = match (call.segments().as_slice(), refusal) {
            (["v1.0", ..], _) => {
                let code = match status {
                    401 => "InvalidAuthenticationToken",
                    403 => "Forbidden",
                    412 => "preconditionFailed",
                    429 => "TooManyRequests",
                    _ => "serviceNotAvailable",
                };
                return graph::error(account, status, code, "The service refused the request.", now);
            }
            ([_, "oauth2", ..], Refusal::Coded { code, .. }) => {
                let says = format!("AADSTS{code}: The request is refused.");
                let body =
                    json!({"error": "invalid_grant", "error_description": says, "error_codes": [code]});
                return Reply::json(status, &body);
            }
            ([_, "oauth2", ..], _) => {
                let says = "AADSTS90033: A transient error has occurred. Please try again.";
                let body = json!({"error": "temporarily_unavailable", "error_description": says, "error_codes": [90033]});
                return Reply::json(status, &body);
            }
            (_, Refusal::ExpiredToken) => errors::ACCESS_DENIED.plain().reply(&switches),
            (_, Refusal::StaleVersion) => errors::stale(&switches).reply(&switches),
            (_, Refusal::Forbidden) => errors::WRONG_POSITION.plain().reply(&switches),
            (_, Refusal::Status(429)) => errors::throttled(57, &switches),
            (_, Refusal::Status(status)) => {
                let text = "The service refused the request.";
                errors::Code { status, code: u32::from(status), text }.plain().reply(&switches)
            }
            (_, Refusal::Coded { status, code }) => {
                errors::Code { status, code, text: "The service refused the request." }
                    .plain()
                    .reply(&switches)
            }
        };
        calls::finish(account, call, reply)
    }

    fn control(&self, call: &Call) -> Reply {
        let mut cloud = lock(&self.cloud);
        let reseller = wire::body(call).and_then(|b| Some(b.get("reseller")?.as_str()?.to_owned()));
        if let Some(reseller) = reseller {
            self.ensure(&reseller, &mut cloud);
        }
        ui::answer(&mut cloud, &self.key, call, self.core.clock().now())
    }

    fn seed(&self, document: &Value) -> Result<(), String> {
        let document = seed::read(document)?;
        let mut cloud = lock(&self.cloud);
        for key in document.keys() {
            self.ensure(key, &mut cloud);
        }
        document.apply(&mut cloud, &self.key, self.core.seed(), self.core.clock().now())
    }

    fn switches(&self) -> Value {
        self.look(|account, _| json!(account.switches))
    }

    fn set_switches(&self, change: &Value) -> Result<(), String> {
        let changed = self.look(|account, _| account.switches.overlay(change))?;
        self.switch(|switches| *switches = changed);
        Ok(())
    }

    fn switch_table(&self) -> Value {
        json!(Switches::TABLE)
    }

    /// The whole cloud, which all partners share.
    fn save(&self) -> Box<dyn Any + Send + Sync> {
        Box::new(lock(&self.cloud).clone())
    }

    fn restore(&self, saved: &dyn Any) {
        let saved: &Cloud = saved.downcast_ref().expect("a Microsoft partner saved it");
        lock(&self.cloud).clone_from(saved);
    }

    fn describe(&self) -> Value {
        self.look(|account, _| {
            json!({
                "api": account.base_url,
                "authority": account.base_url,
                "graph": format!("{}/v1.0", account.base_url),
                "position": account.position,
                "tenantId": account.tenant_id,
                "domain": account.domain,
                "mpnId": account.mpn_id,
                "clientId": account.client_id,
                "clientSecret": account.client_secret,
                "refreshToken": account.first_refresh,
            })
        })
    }

    fn follow(&self, link: &str, visitor: &Visitor<'_>) -> Option<Followed> {
        let invitation = relationships::Invitation::read(link)?;
        let mut cloud = lock(&self.cloud);
        let mine = cloud.accounts.get(&self.key).is_some_and(|a| invitation.partners.contains(&a.tenant_id));
        if !mine {
            return None;
        }
        let tenant = match visitor.customer {
            Some(id) => cloud.tenants.get(&id.to_lowercase()),
            None => cloud.tenant_of_address(visitor.recipient),
        };
        let said = |message: String| Some(Followed { message, ..Followed::default() });
        let Some(tenant) = tenant.map(|t| t.id.clone()) else {
            return said(format!("{} signs in to no Microsoft tenant", visitor.recipient));
        };
        if !visitor.accepts {
            return said(format!("{tenant} did not authorise the partner"));
        }
        let now = self.core.clock().now();
        let mut effects = ui::follow(&mut cloud, &self.key, &invitation, &tenant, now);
        // A partner that only a seed names is asked by nobody: its part is done here.
        let others: Vec<String> =
            cloud.accounts.values().filter(|a| !a.opened).map(|a| a.key.clone()).collect();
        for other in others {
            for effect in ui::follow(&mut cloud, &other, &invitation, &tenant, now) {
                effects.push(Effect { kind: format!("{}-at-{other}", effect.kind), id: effect.id });
            }
        }
        let message = if effects.is_empty() { "is a customer already" } else { "authorised the partner" };
        Some(Followed { effects, message: format!("{tenant} {message}") })
    }
}

impl Running {
    /// A partner of the Microsoft cloud, opened if it is new.
    pub fn microsoft(&self, key: &str) -> Arc<MicrosoftPartner> {
        self.partner(VENDOR, key).expect("the vendor is known and has one type")
    }
}

#[cfg(test)]
mod tests;
