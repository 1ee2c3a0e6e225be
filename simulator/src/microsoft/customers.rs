//! Customers: list, get, company profile, create.
//!
//! The list is served from places that never move, so that a hundred thousand customers page in linear time
//! and a removal between two pages shifts nothing. Creating is refused with nothing changed, save where the
//! `failedCreate` switch shows the documented hazard of a domain that stays reserved.

use serde_json::{Value, json};

use super::audit;
use super::auth::Caller;
use super::billing;
use super::calls::Desk;
use super::errors::{self, Refused};
use super::state::{Account, Billing, Cloud, Due, Position, Tenant};
use super::switches::{
    CreateRelationship, DapAfterCreate, DomainTaken, Enums, FailedCreate, ForeignCustomer, ListOversize,
    ListSize, ListedAfterCreate, NextLink, ResellerNotOurs, Switches, UnknownReseller,
};
use super::{vocabulary, wire};
use crate::Reply;

/// The largest page.
pub const MAX_SIZE: usize = 500;

/// Refuses ids that are no GUID and customers that the partner has no relationship with.
pub(super) fn ours(desk: &mut Desk<'_>, customer: &str) -> Result<(), Refused> {
    if !wire::is_guid(customer) {
        return Err(errors::INVALID_CUSTOMER_ID.plain().about(customer));
    }
    let now = desk.now;
    desk.account_mut().settle(now, false);
    if desk.account().knows(customer) { Ok(()) } else { Err(foreign(desk.account(), customer)) }
}

/// The refusal for someone else's customer.
pub(super) fn foreign(account: &Account, customer: &str) -> Refused {
    match account.switches.foreign_customer {
        ForeignCustomer::Forbidden => errors::NO_COMMERCE_RELATIONSHIP.says(format!(
            "The partner ID {} has no commerce relationship with the customer ID {customer}.",
            account.tenant_id
        )),
        ForeignCustomer::NotFound => errors::NOT_FOUND.plain().about(customer),
        ForeignCustomer::NoTenant => errors::UNKNOWN_TENANT.plain().about(customer),
    }
}

/// The customer on the wire; `full` is the get by id, else the item of a list.
pub(super) fn resource(account: &Account, tenant: &Tenant, full: bool) -> Value {
    let switches = &account.switches;
    let mut out = json!({
        "id": tenant.id,
        "companyProfile": company_profile(account, tenant, full),
        "relationshipToPartner": vocabulary(switches, "reseller", "partner_of_record"),
        "links": {"self": wire::link(format!("/customers/{}", tenant.id))},
        "attributes": wire::attributes("Customer", None),
    });
    if switches.enums == Enums::Unknown {
        out["loyaltyTier"] = json!({"level": "gold"});
    }
    if full {
        out["commerceId"] = json!(tenant.commerce_id);
        out["billingProfile"] = billing::resource(tenant);
        out["allowDelegatedAccess"] = json!(account.dap.contains(&tenant.id));
        if account.dap.contains(&tenant.id) {
            out["customDomains"] = json!([tenant.domain]);
        }
        if account.position == Position::IndirectProvider
            && let Some(reseller) = &tenant.reseller
        {
            out["associatedPartnerId"] = json!(reseller);
        }
    }
    out
}

fn company_profile(account: &Account, tenant: &Tenant, full: bool) -> Value {
    let mut out = json!({
        "tenantId": tenant.id,
        "domain": tenant.domain,
        "companyName": tenant.company_name,
        "links": {"self": wire::link(format!("/customers/{}/profiles/company", tenant.id))},
        "attributes": wire::attributes("CustomerCompanyProfile", None),
    });
    if full && let Some(number) = &tenant.registration_number {
        out["organizationRegistrationNumber"] = json!(number);
    }
    // Get a customer by id: hidden without delegated admin privileges.
    if full && account.dap.contains(&tenant.id) {
        out["email"] = json!(tenant.email);
        out["address"] =
            if tenant.address.is_null() { billing::stock_address(tenant) } else { tenant.address.clone() };
    }
    out
}

/// `GET /v1/customers/{id}`.
pub(super) fn get(desk: &mut Desk<'_>, customer: &str) -> Result<Reply, Refused> {
    ours(desk, customer)?;
    let (account, tenant) = desk.account_and_tenant(customer)?;
    Ok(Reply::json(200, &resource(account, tenant, true)))
}

/// `GET /v1/customers/{id}/profiles/company`: read-only.
pub(super) fn company(desk: &mut Desk<'_>, customer: &str) -> Result<Reply, Refused> {
    ours(desk, customer)?;
    let (account, tenant) = desk.account_and_tenant(customer)?;
    Ok(Reply::json(200, &company_profile(account, tenant, true)))
}

/// Which customers a list shows.
#[derive(Clone, Debug, PartialEq)]
enum Filter {
    CompanyName(String),
    Domain(String),
    Reseller(String),
    Provider(String),
}

impl Filter {
    /// `{"Field", "Value", "Operator":"starts_with"}` (get a customer by name).
    fn parse(text: &str) -> Result<Self, Refused> {
        let refused = |why: &str| errors::BAD_PARAMETER.says(format!("The filter is not valid: {why}."));
        let filter: Value = serde_json::from_str(text).map_err(|_| refused("it is not JSON"))?;
        let filter = wire::camel(filter);
        if !wire::text(&filter, &["operator"]).is_some_and(|o| o.eq_ignore_ascii_case("starts_with")) {
            return Err(refused("the operator must be starts_with"));
        }
        let value = filter.get("value").and_then(Value::as_str).ok_or_else(|| refused("it has no value"))?;
        let value = value.to_lowercase();
        match wire::text(&filter, &["field"]).unwrap_or_default().to_lowercase().as_str() {
            "companyname" => Ok(Self::CompanyName(value)),
            "domain" => Ok(Self::Domain(value)),
            "indirectreseller" => Ok(Self::Reseller(value)),
            "indirectcloudsolutionprovider" => Ok(Self::Provider(value)),
            _ => Err(refused("the field is unknown")),
        }
    }

    fn admits(&self, cloud: &Cloud, tenant: &Tenant) -> bool {
        let starts = |text: &str, with: &str| text.to_lowercase().starts_with(with);
        match self {
            Self::CompanyName(with) => starts(&tenant.company_name, with),
            Self::Domain(with) => starts(&tenant.domain, with),
            Self::Reseller(id) => tenant.reseller.as_ref().is_some_and(|r| starts(r, id)),
            Self::Provider(id) => cloud.accounts.values().any(|a| {
                a.position == Position::IndirectProvider && starts(&a.tenant_id, id) && a.knows(&tenant.id)
            }),
        }
    }
}

/// A page asked for: where it stands, its size (0 = no limit), its filter as sent.
struct Cursor {
    first: u64,
    last: u64,
    size: usize,
    filter: Option<String>,
}

impl Cursor {
    fn token(&self) -> String {
        wire::base64(json!([self.first, self.last, self.size, self.filter]).to_string().as_bytes())
    }

    fn parse(token: &str) -> Option<Self> {
        let bytes = wire::unbase64(token)?;
        let (first, last, size, filter) = serde_json::from_slice(&bytes).ok()?;
        Some(Self { first, last, size, filter })
    }
}

enum Seek {
    First,
    Next,
    Previous,
    Last,
}

fn size(desk: &Desk<'_>) -> Result<usize, Refused> {
    let switches = desk.switches();
    let Some(text) = desk.call.query_any_case("size") else {
        return match switches.list_size {
            ListSize::Optional => Ok(MAX_SIZE),
            ListSize::Required => Err(errors::BAD_PARAMETER.says("The parameter size is required.")),
        };
    };
    let refused = || errors::BAD_PARAMETER.says("The parameter size must be between 1 and 500.");
    let size: usize = text.parse().map_err(|_| refused())?;
    match switches.list_oversize {
        _ if size <= MAX_SIZE => Ok(size),
        ListOversize::Refused => Err(refused()),
        ListOversize::Reduced => Ok(MAX_SIZE),
    }
}

/// `GET /v1/customers?size=&filter=`, and its further pages.
pub(super) fn list(desk: &mut Desk<'_>) -> Result<Reply, Refused> {
    let now = desk.now;
    let (seek, cursor) = match desk.call.query_any_case("seekOperation").map(str::to_lowercase) {
        None => (
            Seek::First,
            Cursor {
                first: 0,
                last: 0,
                size: size(desk)?,
                filter: desk.call.query_any_case("filter").map(str::to_owned),
            },
        ),
        Some(seek) => {
            let token = desk.call.header("MS-ContinuationToken").unwrap_or_default();
            let cursor = Cursor::parse(token).ok_or_else(|| {
                errors::BAD_PARAMETER.says("The header MS-ContinuationToken is missing or not valid.")
            })?;
            let seek = match seek.as_str() {
                "next" => Seek::Next,
                "previous" => Seek::Previous,
                "first" => Seek::First,
                "last" => Seek::Last,
                _ => return Err(errors::BAD_PARAMETER.says("This seekOperation is not supported here.")),
            };
            (seek, cursor)
        }
    };
    if matches!(seek, Seek::First) {
        desk.account_mut().settle(now, true);
    }
    let filter = cursor.filter.as_deref().map(Filter::parse).transpose()?;
    let (cloud, account) = (&*desk.cloud, desk.account());
    let admits =
        |id: &String| cloud.tenants.get(id).filter(|t| filter.as_ref().is_none_or(|f| f.admits(cloud, t)));
    let limit = if cursor.size == 0 { usize::MAX } else { cursor.size };
    let backwards = |below: u64| {
        let mut page: Vec<(u64, &Tenant)> = account
            .listing
            .range(..below)
            .rev()
            .filter_map(|(p, id)| Some((*p, admits(id)?)))
            .take(limit)
            .collect();
        page.reverse();
        page
    };
    let page: Vec<(u64, &Tenant)> = match seek {
        Seek::Previous => backwards(cursor.first),
        Seek::Last => backwards(u64::MAX),
        Seek::First | Seek::Next => {
            let after = if matches!(seek, Seek::Next) { cursor.last + 1 } else { 0 };
            account.listing.range(after..).filter_map(|(p, id)| Some((*p, admits(id)?))).take(limit).collect()
        }
    };
    let first = page.first().map_or(cursor.first, |(p, _)| *p);
    let last = page.last().map_or(cursor.last, |(p, _)| *p);
    let more_after = account.listing.range(last + 1..).any(|(_, id)| admits(id).is_some());
    let more_before = account.listing.range(..first).next_back().is_some() && filter.is_none();
    let items: Vec<Value> = page.iter().map(|(_, tenant)| resource(account, tenant, false)).collect();
    let next = Cursor { first, last, size: cursor.size, filter: cursor.filter };
    Ok(Reply::json(200, &page_body(&items, &next, more_after, more_before, &account.switches)))
}

fn page_body(items: &[Value], at: &Cursor, next: bool, previous: bool, switches: &Switches) -> Value {
    let seek = |operation: &str| {
        let uri = match switches.next_link {
            NextLink::Relative => format!("/customers?size={}&seekOperation={operation}", at.size),
            NextLink::Versioned => format!("/v1/customers?size={}&seekOperation={operation}", at.size),
            NextLink::Bare => format!("/customers?seekOperation={operation}"),
        };
        let headers = json!([{"key": "MS-ContinuationToken", "value": at.token()}]);
        json!({"uri": uri, "method": "GET", "headers": headers, "body": null})
    };
    let mut body = wire::collection(items, &format!("/customers?size={}", at.size));
    if next {
        body["links"]["next"] = seek("Next");
        body["continuationToken"] = json!(at.token());
    }
    if previous {
        body["links"]["previous"] = seek("Previous");
    }
    body
}

/// `POST /v1/customers`.
pub(super) fn create(desk: &mut Desk<'_>) -> Result<Reply, Refused> {
    let wanted =
        wire::body(desk.call).ok_or_else(|| errors::INVALID_INPUT.says("The body is not a JSON object."))?;
    let switches = desk.switches();
    let domain = wire::text(&wanted, &["companyProfile", "domain"])
        .filter(|d| wire::is_domain(d))
        .ok_or_else(|| errors::INVALID_PROPERTY.plain().about("companyProfile.domain"))?
        .to_lowercase();
    if wire::text(&wanted, &["userCredentials", "password"]).is_some() {
        return Err(errors::INVALID_INPUT
            .says("A password cannot be set.")
            .about("userCredentials.password"));
    }
    let profile = wanted.get("billingProfile").cloned().unwrap_or_default();
    billing::required(&profile)?;
    let reseller = reseller(desk, &wanted)?;
    if desk.cloud.is_taken(&domain) {
        return Err(match switches.domain_taken {
            DomainTaken::Conflict => errors::DOMAIN_TAKEN.plain(),
            DomainTaken::InvalidInput => errors::INVALID_INPUT.says(errors::DOMAIN_TAKEN.text),
            DomainTaken::NotAllowed => errors::NOT_ALLOWED.plain(),
        });
    }
    let number = wire::text(&wanted, &["companyProfile", "organizationRegistrationNumber"]);
    if let Err(refused) = billing::plausible(&profile, number, true, &switches) {
        if switches.failed_create == FailedCreate::ReservesDomain {
            desk.cloud.domains.insert(domain, String::new());
        }
        return Err(refused);
    }
    let made = NewCustomer { domain, profile, number: number.map(str::to_owned), reseller };
    let id = open(desk, &made, due(&switches));
    Ok(created(desk, &id))
}

/// What a new customer is made of.
pub(super) struct NewCustomer {
    pub domain: String,
    pub profile: Value,
    pub number: Option<String>,
    pub reseller: Option<String>,
}

fn due(switches: &Switches) -> impl Fn(jiff::Timestamp) -> Option<Due> {
    let choice = switches.listed_after_create;
    move |now| match choice {
        ListedAfterCreate::AtOnce => None,
        ListedAfterCreate::AfterMinute => Some(Due::At(wire::later(now, 60))),
        ListedAfterCreate::AfterQuarter => Some(Due::At(wire::later(now, 900))),
        ListedAfterCreate::AfterTwoCalls => Some(Due::Calls(2)),
    }
}

/// Makes the tenant and ties it to the partner and to the reseller.
pub(super) fn open(
    desk: &mut Desk<'_>,
    made: &NewCustomer,
    due: impl Fn(jiff::Timestamp) -> Option<Due>,
) -> String {
    let now = desk.now;
    let switches = desk.switches();
    let account = desk.account_mut();
    let (id, commerce_id, billing_id) = (account.id(), account.id(), account.id());
    let profile = billing::members(&made.profile);
    let name = wire::text(&profile, &["companyName"]).unwrap_or(&made.domain).to_owned();
    let tenant = Tenant {
        id: id.clone(),
        commerce_id,
        company_name: name,
        domain: made.domain.clone(),
        email: wire::text(&profile, &["email"]).unwrap_or_default().to_owned(),
        country: wire::text(&profile, &["defaultAddress", "country"]).unwrap_or_default().to_owned(),
        address: profile.get("defaultAddress").cloned().unwrap_or_default(),
        registration_number: made.number.clone(),
        billing: Billing { id: billing_id, members: profile, version: 1 },
        subscriptions: Vec::new(),
        reseller: made.reseller.clone(),
    };
    account.tie(&id, due(now), true);
    if switches.dap_after_create == DapAfterCreate::Granted {
        account.dap.insert(id.clone());
    }
    let resellers = desk.cloud.accounts.values_mut();
    for account in resellers.filter(|a| Some(&a.tenant_id) == made.reseller.as_ref()) {
        account.tie(&id, due(now), true);
    }
    desk.cloud.add_tenant(tenant);
    id
}

fn created(desk: &mut Desk<'_>, id: &str) -> Reply {
    let password = desk.account_mut().ids.word(8);
    let switches = desk.switches();
    let account = desk.account();
    let tenant = &desk.cloud.tenants[id];
    let mut body = resource(account, tenant, true);
    body["relationshipToPartner"] = match switches.create_relationship {
        CreateRelationship::Reseller => json!(vocabulary(&switches, "reseller", "partner_of_record")),
        CreateRelationship::None => json!("none"),
    };
    body["companyProfile"] = json!({
        "tenantId": tenant.id,
        "domain": tenant.domain,
        "companyName": tenant.company_name,
        "attributes": wire::attributes("CustomerCompanyProfile", None),
    });
    let mut logged = body.clone();
    body["userCredentials"] = json!({"userName": "admin", "password": password});
    if let Some(members) = logged.as_object_mut() {
        members.remove("links");
    }
    audit::record(desk, id, "customer", "add_customer", None, Some(&logged));
    Reply::json(201, &body).header("Location", format!("/customers/{id}")).effect("customer-created", id)
}

/// The indirect reseller that the provider names, if any and if it may.
fn reseller(desk: &Desk<'_>, wanted: &Value) -> Result<Option<String>, Refused> {
    let Some(id) = wire::text(wanted, &["associatedPartnerId"]) else { return Ok(None) };
    let switches = desk.switches();
    if desk.account().position != Position::IndirectProvider {
        return match switches.reseller_not_ours {
            ResellerNotOurs::InvalidProperty => {
                Err(errors::INVALID_PROPERTY.plain().about("associatedPartnerId"))
            }
            ResellerNotOurs::Position => Err(errors::WRONG_POSITION.plain()),
            ResellerNotOurs::Ignored => Ok(None),
        };
    }
    if desk.caller == Caller::App {
        return Err(errors::APP_ONLY.plain());
    }
    let found = desk.cloud.account_of_tenant(id);
    let partnership =
        found.filter(|a| a.position == Position::IndirectReseller && a.providers.contains(desk.key));
    partnership.map(|a| Some(a.tenant_id.clone())).ok_or_else(|| {
        match switches.unknown_reseller {
            UnknownReseller::InvalidInput => errors::INVALID_INPUT,
            UnknownReseller::InvalidProperty => errors::INVALID_PROPERTY,
            UnknownReseller::Position => errors::WRONG_POSITION,
        }
        .plain()
        .about("associatedPartnerId")
    })
}
