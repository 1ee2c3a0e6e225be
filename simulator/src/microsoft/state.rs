//! What exists in the simulated Microsoft cloud: partner accounts, customer tenants, and what ties them.
//!
//! Pure data and its settling in time. A tenant belongs to nobody: partners hold ties to it, and rights in it
//! that outlive the tie. Nothing here answers a call or refuses one.
//!
//! Invariants: a tenant id is lower case; a domain is held by one tenant or one failed create; every tie that
//! is listed has exactly one place in its account's listing, and places never move.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::audit::AuditRecord;
use super::subscriptions::Subscription;
use super::switches::Switches;
use super::wire;
use crate::{Ids, Reply};

/// Where a partner stands in Microsoft's programme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// Bills its customers itself.
    #[default]
    DirectBill,
    /// Sells through resellers.
    IndirectProvider,
    /// Sells through a provider; Microsoft grants it no Partner Center API, some calls answer all the same.
    IndirectReseller,
}

/// The whole cloud of one simulator: all partners of this vendor share it.
#[derive(Clone, Debug, Default)]
pub struct Cloud {
    /// Partner accounts by key.
    pub accounts: BTreeMap<String, Account>,
    /// Every organisation that is no partner, by tenant id.
    pub tenants: BTreeMap<String, Tenant>,
    /// Domains that are taken, and by which tenant; empty text: by a create that failed.
    pub domains: HashMap<String, String>,
}

/// An organisation with a Microsoft tenant, customer or not.
#[derive(Clone, Debug, Default)]
pub struct Tenant {
    /// Tenant id, lower case.
    pub id: String,
    /// Its id in commerce, another one.
    pub commerce_id: String,
    /// Company name.
    pub company_name: String,
    /// First domain.
    pub domain: String,
    /// Contact.
    pub email: String,
    /// Country of its stock address, ISO code.
    pub country: String,
    /// Address as the company profile shows it; null for the stock address.
    pub address: Value,
    /// Registration number, where given.
    pub registration_number: Option<String>,
    /// Billing profile.
    pub billing: Billing,
    /// Everything bought, by anybody.
    pub subscriptions: Vec<Subscription>,
    /// The indirect reseller that the provider named at create.
    pub reseller: Option<String>,
}

/// A billing profile without its wire dressing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Billing {
    /// Its id.
    pub id: String,
    /// Members as sent (names, e-mail, culture, language, company name, address); null for stock ones, which
    /// keeps a hundred thousand seeded customers small.
    pub members: Value,
    /// Counts changes.
    pub version: u64,
}

/// That a partner and a tenant do business.
#[derive(Clone, Debug)]
pub struct Tie {
    /// Place in the listing; `None` until it is listed.
    pub place: Option<u64>,
    /// Whether the partner may see it at all (an acceptance shows late).
    pub known: bool,
}

/// What must happen before a tie is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// An instant.
    At(Timestamp),
    /// So many more list calls.
    Calls(u32),
}

/// A granular delegated admin relationship (read side only).
#[derive(Clone, Debug)]
pub struct Gdap {
    /// Opaque id.
    pub id: String,
    /// Unique name.
    pub name: String,
    /// Customer's tenant id.
    pub customer: String,
    /// Customer's name when it was made.
    pub customer_name: String,
    /// ISO 8601 days, `P730D`.
    pub days: i64,
    /// `active`, `expired`, `terminated`, …
    pub status: String,
    /// Role template ids.
    pub roles: Vec<String>,
    /// When it became active.
    pub activated: Timestamp,
    /// The provider's tenant id where it came through one.
    pub provider: Option<String>,
}

/// An access token that was issued.
#[derive(Clone, Debug)]
pub struct Access {
    /// For which service.
    pub audience: super::auth::Audience,
    /// Whether a user stands behind it, and whether with MFA; `None` is app-only.
    pub user_mfa: Option<bool>,
    /// When it ends.
    pub expires: Timestamp,
}

/// A refresh token that was issued.
#[derive(Clone, Debug)]
pub struct Refresh {
    /// Whether the consent was given with MFA.
    pub mfa: bool,
    /// When it ends.
    pub expires: Timestamp,
    /// Taken back by a person or by rotation.
    pub revoked: bool,
}

/// An answer remembered by its request id.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// When it was given.
    pub at: Timestamp,
    /// Method and path.
    pub what: String,
    /// The body sent.
    pub body: Vec<u8>,
    /// The answer, without effects.
    pub reply: Reply,
}

/// One partner.
#[derive(Clone, Debug)]
pub struct Account {
    /// Key in the simulator's URLs.
    pub key: String,
    /// Whether it was opened, or only named by another partner's seed.
    pub opened: bool,
    /// `<public url>/microsoft/<key>`.
    pub base_url: String,
    /// Its tenant id.
    pub tenant_id: String,
    /// Company name.
    pub company_name: String,
    /// First domain.
    pub domain: String,
    /// Partner location id.
    pub mpn_id: String,
    /// ISO country code.
    pub country: String,
    /// Its position.
    pub position: Position,
    /// Keys of the providers of a reseller whose partnership is active.
    pub providers: BTreeSet<String>,
    /// Whether it signed the partner agreement.
    pub agreement_signed: bool,
    /// The application's id.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: String,
    /// The refresh token that a client starts with.
    pub first_refresh: String,
    /// Settings.
    pub switches: Switches,
    /// Series of ids.
    pub ids: Ids,
    /// Ties by tenant id.
    pub ties: BTreeMap<String, Tie>,
    /// Listed tenant ids by place.
    pub listing: BTreeMap<u64, String>,
    /// Tenants whose tie is not listed yet.
    pub pending: Vec<(String, Due)>,
    /// The next free place.
    pub next_place: u64,
    /// Tenants in which the partner has delegated admin privileges.
    pub dap: BTreeSet<String>,
    /// Granular relationships in the order made.
    pub gdap: Vec<Gdap>,
    /// Positions in `gdap` by customer.
    pub gdap_of: HashMap<String, Vec<usize>>,
    /// Access tokens.
    pub access: HashMap<String, Access>,
    /// Refresh tokens.
    pub refresh: HashMap<String, Refresh>,
    /// Answers by request id.
    pub remembered: HashMap<String, Remembered>,
    /// Calls in the running minute by throttling key.
    pub calls: HashMap<String, (Timestamp, u32)>,
    /// The audit log, oldest first.
    pub audit: Vec<AuditRecord>,
}

impl Account {
    /// A direct-bill account with everything derived from its key.
    pub fn new(key: &str, base_url: String, mut ids: Ids, now: Timestamp) -> Self {
        let tenant_id = ids.uuid().to_string();
        let first_refresh = format!("1.{}", ids.word(20));
        let mpn_id = (1_000_000 + ids.number(8_999_999)).to_string();
        let refresh =
            Refresh { mfa: true, expires: wire::later(now, super::auth::REFRESH_SECONDS), revoked: false };
        Self {
            key: key.to_owned(),
            opened: false,
            base_url,
            tenant_id,
            company_name: format!("{key} Cloud Services"),
            domain: format!("{key}.onmicrosoft.example"),
            mpn_id,
            country: "US".to_owned(),
            position: Position::DirectBill,
            providers: BTreeSet::new(),
            agreement_signed: true,
            client_id: ids.uuid().to_string(),
            client_secret: ids.word(16),
            refresh: HashMap::from([(first_refresh.clone(), refresh)]),
            first_refresh,
            switches: Switches::default(),
            ids,
            ties: BTreeMap::new(),
            listing: BTreeMap::new(),
            pending: Vec::new(),
            next_place: 1,
            dap: BTreeSet::new(),
            gdap: Vec::new(),
            gdap_of: HashMap::new(),
            access: HashMap::new(),
            remembered: HashMap::new(),
            calls: HashMap::new(),
            audit: Vec::new(),
        }
    }

    /// A new id.
    pub fn id(&mut self) -> String {
        self.ids.uuid().to_string()
    }

    /// Ties a tenant, listed at once or when `due` comes; a tie that exists stays as it is.
    ///
    /// Returns whether the tie is new. `known` is whether a get by id finds it before it is listed.
    pub fn tie(&mut self, tenant: &str, due: Option<Due>, known: bool) -> bool {
        if self.ties.contains_key(tenant) {
            return false;
        }
        self.ties.insert(tenant.to_owned(), Tie { place: None, known: known || due.is_none() });
        match due {
            None => self.list(tenant),
            Some(due) => self.pending.push((tenant.to_owned(), due)),
        }
        true
    }

    fn list(&mut self, tenant: &str) {
        let Some(tie) = self.ties.get_mut(tenant) else { return };
        tie.place = Some(self.next_place);
        tie.known = true;
        self.listing.insert(self.next_place, tenant.to_owned());
        self.next_place += 1;
    }

    /// Unties a tenant; rights in it are not touched. Returns whether there was a tie.
    pub fn untie(&mut self, tenant: &str) -> bool {
        let Some(tie) = self.ties.remove(tenant) else { return false };
        if let Some(place) = tie.place {
            self.listing.remove(&place);
        }
        self.pending.retain(|(id, _)| id != tenant);
        true
    }

    /// Lists what has become due; `list_call` counts one list call.
    pub fn settle(&mut self, now: Timestamp, list_call: bool) {
        if self.pending.is_empty() {
            return;
        }
        let mut ready = Vec::new();
        self.pending.retain_mut(|(tenant, due)| {
            let done = match due {
                Due::At(at) => *at <= now,
                Due::Calls(0) => list_call,
                Due::Calls(n) => {
                    *n -= u32::from(list_call);
                    false
                }
            };
            if done {
                ready.push(tenant.clone());
            }
            !done
        });
        for tenant in ready {
            self.list(&tenant);
        }
    }

    /// Whether the partner has a tie that it may know of.
    pub fn knows(&self, tenant: &str) -> bool {
        self.ties.get(tenant).is_some_and(|tie| tie.known)
    }

    /// Adds a granular relationship.
    pub fn grant(&mut self, gdap: Gdap) {
        self.gdap_of.entry(gdap.customer.clone()).or_default().push(self.gdap.len());
        self.gdap.push(gdap);
    }
}

impl Cloud {
    /// The partner account with this tenant id.
    pub fn account_of_tenant(&self, tenant: &str) -> Option<&Account> {
        self.accounts.values().find(|a| a.tenant_id.eq_ignore_ascii_case(tenant))
    }

    /// Whether a domain is taken, by a tenant, a partner or a create that failed.
    pub fn is_taken(&self, domain: &str) -> bool {
        let domain = domain.to_lowercase();
        self.domains.contains_key(&domain) || self.accounts.values().any(|a| a.domain == domain)
    }

    /// Adds a tenant with its domain.
    pub fn add_tenant(&mut self, tenant: Tenant) {
        self.domains.insert(tenant.domain.to_lowercase(), tenant.id.clone());
        self.tenants.insert(tenant.id.clone(), tenant);
    }

    /// The tenant that a mail address belongs to: by contact address, else by domain.
    pub fn tenant_of_address(&self, address: &str) -> Option<&Tenant> {
        let domain = address.rsplit_once('@').map_or("", |(_, d)| d).to_lowercase();
        let by_domain = self.domains.get(&domain).and_then(|id| self.tenants.get(id));
        by_domain.or_else(|| self.tenants.values().find(|t| t.email.eq_ignore_ascii_case(address)))
    }
}

#[cfg(test)]
mod tests;
