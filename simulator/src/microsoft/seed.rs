//! Seeding: what a seed document for one partner may say, and records made from it.
//!
//! ```json
//! {"position": "indirect-provider", "companyName": "…", "domain": "…", "mpnId": "…", "country": "DE",
//!  "tenantId": "…", "clientId": "…", "clientSecret": "…", "refreshToken": "…", "refreshTokenMfa": true,
//!  "agreementSigned": true, "providers": ["<key>"], "switches": {"domainTaken": "400-800002"},
//!  "customers": [{"tenantId": "…", "companyName": "…", "domain": "…", "email": "…", "country": "DE",
//!                 "reseller": "<key>", "dap": false,
//!                 "gdap": [{"name": "…", "days": 730, "startedDaysAgo": 0, "status": "active", "roles": ["…"],
//!                           "provider": "<tenant id>"}],
//!                 "subscriptions": [{"commerce": "new-commerce", "offerId": "…", "quantity": 10,
//!                                    "boughtDaysAgo": 0, "termMonths": 12, "status": "active", "autoRenew": true}]}],
//!  "prospects": [{"tenantId": "…", "companyName": "…", "domain": "…", "email": "…"}],
//!  "bulk": {"count": 1000, "subscriptionEvery": 10, "gdapEvery": 3, "dap": false, "hostileNames": false}}
//! ```
//! Every member is optional save names of customers and prospects. The same document on the same simulator
//! gives the same ids. A document seeds on top of what is there; a tenant that exists already is tied, not
//! made again.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::state::{Account, Billing, Cloud, Gdap, Position, Refresh, Tenant};
use super::subscriptions::{Commerce, Subscription};
use super::wire;
use crate::{Companies, HOSTILE_NAMES};

const DAY: i64 = 24 * 3600;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Document {
    position: Option<Position>,
    company_name: Option<String>,
    domain: Option<String>,
    mpn_id: Option<String>,
    country: Option<String>,
    tenant_id: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    refresh_token: Option<String>,
    refresh_token_mfa: Option<bool>,
    agreement_signed: Option<bool>,
    /// Keys of providers; the caller opens them first.
    pub providers: Vec<String>,
    switches: Option<Value>,
    /// Customers with a tie.
    pub customers: Vec<NewTenant>,
    prospects: Vec<NewTenant>,
    bulk: Option<Bulk>,
}

/// A company to be made.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewTenant {
    pub tenant_id: Option<String>,
    pub company_name: String,
    pub domain: Option<String>,
    pub email: Option<String>,
    pub country: Option<String>,
    /// Key of the indirect reseller; the caller opens it first.
    pub reseller: Option<String>,
    pub dap: bool,
    pub gdap: Vec<NewGdap>,
    pub subscriptions: Vec<NewSubscription>,
}

/// A granular relationship to be made.
#[derive(Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewGdap {
    name: Option<String>,
    days: i64,
    started_days_ago: i64,
    status: String,
    roles: Vec<String>,
    /// Tenant id of the indirect provider that it came through.
    provider: Option<String>,
}

impl Default for NewGdap {
    fn default() -> Self {
        let directory_reader = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b".to_owned();
        Self {
            name: None,
            days: 730,
            started_days_ago: 0,
            status: "active".to_owned(),
            roles: vec![directory_reader],
            provider: None,
        }
    }
}

/// A subscription to be made.
#[derive(Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewSubscription {
    id: Option<String>,
    commerce: Commerce,
    offer_id: Option<String>,
    offer_name: Option<String>,
    quantity: u64,
    status: String,
    bought_days_ago: i64,
    term_months: i64,
    billing_cycle: String,
    auto_renew: bool,
    ready_in_seconds: Option<i64>,
}

impl Default for NewSubscription {
    fn default() -> Self {
        Self {
            id: None,
            commerce: Commerce::NewCommerce,
            offer_id: None,
            offer_name: None,
            quantity: 1,
            status: "active".to_owned(),
            bought_days_ago: 0,
            term_months: 12,
            billing_cycle: "monthly".to_owned(),
            auto_renew: true,
            ready_in_seconds: None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Bulk {
    count: usize,
    subscription_every: usize,
    gdap_every: usize,
    dap: bool,
    hostile_names: bool,
}

/// Reads a document.
pub(super) fn read(document: &Value) -> Result<Document, String> {
    let document: Document = serde_json::from_value(document.clone()).map_err(|e| e.to_string())?;
    for tenant in document.customers.iter().chain(&document.prospects) {
        if tenant.company_name.is_empty() {
            return Err("every customer and prospect needs a companyName".to_owned());
        }
    }
    Ok(document)
}

impl Document {
    /// Keys of all partners that the document speaks of.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.providers.iter().chain(self.customers.iter().filter_map(|c| c.reseller.as_ref()))
    }

    /// Makes everything. All partners named must be open.
    pub fn apply(self, cloud: &mut Cloud, key: &str, seed: u64, now: Timestamp) -> Result<(), String> {
        for provider in &self.providers {
            if let Some(provider) = cloud.accounts.get_mut(provider) {
                provider.position = Position::IndirectProvider;
            }
        }
        let account = cloud.accounts.get_mut(key).ok_or("the partner is not open")?;
        if let Some(switches) = &self.switches {
            account.switches = account.switches.overlay(switches)?;
        }
        account.position = self.position.unwrap_or(account.position);
        account.providers.extend(self.providers);
        account.agreement_signed = self.agreement_signed.unwrap_or(account.agreement_signed);
        for (slot, value) in [
            (&mut account.company_name, self.company_name),
            (&mut account.domain, self.domain.map(|d| d.to_lowercase())),
            (&mut account.mpn_id, self.mpn_id),
            (&mut account.country, self.country),
            (&mut account.tenant_id, self.tenant_id.map(|t| t.to_lowercase())),
            (&mut account.client_id, self.client_id),
            (&mut account.client_secret, self.client_secret),
        ] {
            if let Some(value) = value {
                *slot = value;
            }
        }
        if let Some(token) = self.refresh_token {
            let old = account.refresh.remove(&account.first_refresh);
            let expires = old.map_or(wire::later(now, super::auth::REFRESH_SECONDS), |o| o.expires);
            account.refresh.insert(token.clone(), Refresh { mfa: true, expires, revoked: false });
            account.first_refresh = token;
        }
        if let Some(mfa) = self.refresh_token_mfa
            && let Some(refresh) = account.refresh.get_mut(&account.first_refresh)
        {
            refresh.mfa = mfa;
        }
        for customer in &self.customers {
            add_customer(cloud, key, customer, now)?;
        }
        for prospect in &self.prospects {
            add_tenant(cloud, key, prospect)?;
        }
        if let Some(bulk) = self.bulk {
            bulk.apply(cloud, key, seed, now)?;
        }
        Ok(())
    }
}

/// Makes a tenant, or finds it; returns its id.
pub(super) fn add_tenant(cloud: &mut Cloud, key: &str, new: &NewTenant) -> Result<String, String> {
    let account = cloud.accounts.get_mut(key).ok_or("the partner is not open")?;
    let id = match &new.tenant_id {
        Some(id) if wire::is_guid(id) => id.to_lowercase(),
        Some(id) => return Err(format!("{id} is not a tenant id")),
        None => account.id(),
    };
    if cloud.tenants.contains_key(&id) {
        return Ok(id);
    }
    let (commerce_id, billing_id) = (account.id(), account.id());
    let domain = new.domain.clone().unwrap_or_else(|| format!("{id}.onmicrosoft.example")).to_lowercase();
    if cloud.is_taken(&domain) {
        return Err(format!("the domain {domain} is taken"));
    }
    let email = new.email.clone().unwrap_or_else(|| format!("admin@{domain}"));
    cloud.add_tenant(Tenant {
        id: id.clone(),
        commerce_id,
        company_name: new.company_name.clone(),
        domain,
        email,
        country: new.country.clone().unwrap_or_else(|| "US".to_owned()),
        address: Value::Null,
        registration_number: None,
        billing: Billing { id: billing_id, members: Value::Null, version: 1 },
        subscriptions: Vec::new(),
        reseller: None,
    });
    Ok(id)
}

/// Makes a tenant and everything that ties it to the partner.
pub(super) fn add_customer(
    cloud: &mut Cloud,
    key: &str,
    new: &NewTenant,
    now: Timestamp,
) -> Result<String, String> {
    let id = add_tenant(cloud, key, new)?;
    let reseller = match &new.reseller {
        None => None,
        Some(reseller) => {
            let account = cloud.accounts.get_mut(reseller).ok_or_else(|| format!("no partner {reseller}"))?;
            account.position = Position::IndirectReseller;
            account.providers.insert(key.to_owned());
            account.tie(&id, None, true);
            Some(account.tenant_id.clone())
        }
    };
    let Cloud { accounts, tenants, .. } = cloud;
    let (Some(account), Some(tenant)) = (accounts.get_mut(key), tenants.get_mut(&id)) else {
        return Err("the partner is not open".to_owned());
    };
    account.tie(&id, None, true);
    if new.dap {
        account.dap.insert(id.clone());
    }
    tenant.reseller = reseller.or(tenant.reseller.take());
    for gdap in &new.gdap {
        gdap.grant(account, tenant, now);
    }
    for subscription in &new.subscriptions {
        tenant.subscriptions.push(subscription.make(account, now));
    }
    Ok(id)
}

impl NewGdap {
    /// Grants it; returns its id.
    pub fn grant(&self, account: &mut Account, tenant: &Tenant, now: Timestamp) -> String {
        let id = format!("{}-{}", account.id(), account.id());
        let number = account.gdap.len() + 1;
        account.grant(Gdap {
            id: id.clone(),
            name: self.name.clone().unwrap_or_else(|| format!("Administration {number}")),
            customer: tenant.id.clone(),
            customer_name: tenant.company_name.clone(),
            days: self.days,
            status: self.status.clone(),
            roles: self.roles.clone(),
            activated: wire::later(now, -self.started_days_ago * DAY),
            provider: self.provider.clone(),
        });
        id
    }
}

impl NewSubscription {
    /// Makes it, billed to the account.
    pub fn make(&self, account: &mut Account, now: Timestamp) -> Subscription {
        let bought = wire::later(now, -self.bought_days_ago * DAY);
        let offer = match self.commerce {
            Commerce::Legacy => "031c9e47-4802-4248-838e-778fb1d2cc05",
            _ => "CFQ7TTC0LH18:0001:CFQ7TTC0K971",
        };
        Subscription {
            id: self.id.clone().unwrap_or_else(|| account.id()),
            biller: account.key.clone(),
            commerce: self.commerce,
            offer_id: self.offer_id.clone().unwrap_or_else(|| offer.to_owned()),
            offer_name: self.offer_name.clone().unwrap_or_else(|| "Microsoft 365 Business Basic".to_owned()),
            friendly_name: None,
            quantity: self.quantity,
            status: self.status.clone(),
            created: bought,
            term_start: bought,
            term_months: self.term_months.max(1),
            billing_cycle: self.billing_cycle.clone(),
            auto_renew: self.auto_renew,
            scheduled: None,
            added: None,
            ready_at: self.ready_in_seconds.map(|s| wire::later(now, s)),
            order_id: account.ids.word(6),
            version: 1,
            coming: None,
        }
    }
}

impl Bulk {
    fn apply(&self, cloud: &mut Cloud, key: &str, seed: u64, now: Timestamp) -> Result<(), String> {
        let companies = Companies::new(seed);
        let offset = cloud.tenants.len();
        let each = |every: usize, n: usize| every > 0 && n.is_multiple_of(every);
        for n in 0..self.count {
            let company = companies.company(offset + n);
            let hostile = HOSTILE_NAMES.get(n).filter(|_| self.hostile_names);
            let name = hostile.map_or(company.name, |h| (*h).to_owned());
            let quantity = 1 + n as u64 % 25;
            let new = NewTenant {
                company_name: name,
                domain: Some(company.domain),
                email: Some(company.email),
                country: Some(company.country.to_owned()),
                dap: self.dap,
                gdap: if each(self.gdap_every, n) { vec![NewGdap::default()] } else { Vec::new() },
                subscriptions: if each(self.subscription_every, n) {
                    vec![NewSubscription { quantity, ..NewSubscription::default() }]
                } else {
                    Vec::new()
                },
                ..NewTenant::default()
            };
            add_customer(cloud, key, &new, now)?;
        }
        Ok(())
    }
}
