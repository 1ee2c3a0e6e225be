//! One Partner Center call from the door to the answer: who calls, may they, was it here before, what it says.
//!
//! The order of refusals: token, MFA, position, token kind, throttling, required headers, remembered request
//! id, then the call itself. Knows every route of the Partner Center API that is served and nothing of what the
//! routes do.

use jiff::Timestamp;
use serde_json::Value;

use super::audit;
use super::auth::{self, Caller, Denied};
use super::errors::{self, Refused};
use super::state::{Account, Cloud, Position, Remembered, Tenant};
use super::switches::{
    BodyPrefix, CreateHeaders, EchoedIds, PatchAnswers, RequestIdBodies, RequestIdMemory, RequestIdReplays,
    RequestIdScope, ResellerCalls, Switches, Throttle,
};
use super::{billing, checks, customers, relationships, subscriptions, wire};
use crate::{Call, Kind, Reply};

/// Everything that a call needs.
pub(super) struct Desk<'a> {
    /// The cloud, locked.
    pub cloud: &'a mut Cloud,
    /// The partner's key.
    pub key: &'a str,
    /// The call.
    pub call: &'a Call,
    /// The simulated time.
    pub now: Timestamp,
    /// Who calls.
    pub caller: Caller,
}

impl Desk<'_> {
    /// The partner.
    pub fn account(&self) -> &Account {
        self.cloud.accounts.get(self.key).expect("a partner is opened before it is called")
    }

    /// The partner, to be changed.
    pub fn account_mut(&mut self) -> &mut Account {
        self.cloud.accounts.get_mut(self.key).expect("a partner is opened before it is called")
    }

    /// Its settings.
    pub fn switches(&self) -> Switches {
        self.account().switches
    }

    /// The partner and a tenant at once.
    pub fn account_and_tenant(&mut self, tenant: &str) -> Result<(&mut Account, &mut Tenant), Refused> {
        let Cloud { accounts, tenants, .. } = &mut *self.cloud;
        let tenant = tenants.get_mut(&tenant.to_lowercase()).ok_or(errors::UNKNOWN_TENANT)?;
        Ok((accounts.get_mut(self.key).expect("a partner is opened before it is called"), tenant))
    }

    /// 200 with the body of a PATCH answer, spelled as the switch has it.
    pub fn patched(&self, body: Value) -> Reply {
        match self.switches().patch_answers {
            PatchAnswers::Pascal => Reply::json(200, &wire::pascal(body)),
            PatchAnswers::Camel => Reply::json(200, &body),
        }
    }
}

/// The calls of the Partner Center API that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    CustomersList,
    CustomerCreate,
    CustomerGet,
    CustomerPatch,
    CompanyProfile,
    BillingGet,
    BillingPut,
    RelationshipRequest,
    CustomerRelationships,
    PartnerRelationships,
    SubscriptionsList,
    SubscriptionGet,
    SubscriptionPatch,
    SubscriptionProvisioning,
    MpnProfile,
    AgreementStatus,
    DomainCheck,
    AddressCheck,
    Audit,
}

use Operation as Op;

/// What a path is: an operation, a known path with another method, or nothing.
enum Route {
    Known(Op),
    WrongMethod,
    Nothing,
}

fn route(method: &str, segments: &[&str]) -> Route {
    let lower: Vec<String> = segments.iter().map(|s| s.to_lowercase()).collect();
    let path: Vec<&str> = lower.iter().map(String::as_str).collect();
    let options: &[(&str, Op)] = match path.as_slice() {
        ["customers"] => &[("GET", Op::CustomersList), ("POST", Op::CustomerCreate)],
        ["customers", "relationshiprequests"] => &[("GET", Op::RelationshipRequest)],
        ["customers", _] => &[("GET", Op::CustomerGet), ("PATCH", Op::CustomerPatch)],
        ["customers", _, "profiles", "company"] => &[("GET", Op::CompanyProfile)],
        ["customers", _, "profiles", "billing"] => &[("GET", Op::BillingGet), ("PUT", Op::BillingPut)],
        ["customers", _, "relationships"] => &[("GET", Op::CustomerRelationships)],
        ["customers", _, "subscriptions"] => &[("GET", Op::SubscriptionsList)],
        ["customers", _, "subscriptions", _] => {
            &[("GET", Op::SubscriptionGet), ("PATCH", Op::SubscriptionPatch)]
        }
        ["customers", _, "subscriptions", _, "provisioningstatus"] => {
            &[("GET", Op::SubscriptionProvisioning)]
        }
        ["relationships"] => &[("GET", Op::PartnerRelationships)],
        ["profiles", "mpn"] => &[("GET", Op::MpnProfile)],
        ["compliance", "csp", "agreementstatus"] => &[("GET", Op::AgreementStatus)],
        ["domains", _] => &[("HEAD", Op::DomainCheck)],
        ["validations", "address"] => &[("POST", Op::AddressCheck)],
        ["auditrecords"] => &[("GET", Op::Audit)],
        _ => &[],
    };
    match options.iter().find(|(m, _)| *m == method) {
        Some((_, op)) => Route::Known(*op),
        None if options.is_empty() => Route::Nothing,
        None => Route::WrongMethod,
    }
}

impl Operation {
    fn writes(self) -> bool {
        matches!(self, Op::CustomerCreate | Op::CustomerPatch | Op::BillingPut | Op::SubscriptionPatch)
    }

    /// Page prerequisites: these need a user behind the application.
    fn needs_user(self) -> bool {
        matches!(
            self,
            Op::CompanyProfile
                | Op::RelationshipRequest
                | Op::CustomerRelationships
                | Op::PartnerRelationships
                | Op::CustomerPatch
                | Op::SubscriptionProvisioning
                | Op::MpnProfile
                | Op::AgreementStatus
        )
    }

    /// API throttling guidance: customer by id and subscriptions (orders and carts are not served).
    fn throttled(self) -> bool {
        matches!(
            self,
            Op::CustomerGet
                | Op::SubscriptionsList
                | Op::SubscriptionGet
                | Op::SubscriptionPatch
                | Op::SubscriptionProvisioning
        )
    }

    fn allowed(self, position: Position, calls: ResellerCalls) -> bool {
        match position {
            Position::DirectBill => self != Op::CustomerRelationships && self != Op::PartnerRelationships,
            Position::IndirectProvider => true,
            Position::IndirectReseller => match self {
                _ if calls == ResellerCalls::Nothing => false,
                Op::CustomersList => calls == ResellerCalls::Some,
                Op::CustomerGet
                | Op::CompanyProfile
                | Op::RelationshipRequest
                | Op::CustomerRelationships
                | Op::PartnerRelationships
                | Op::MpnProfile
                | Op::DomainCheck => true,
                _ => false,
            },
        }
    }
}

/// The class of a Partner Center request.
pub(super) fn classify(method: &str, segments: &[&str]) -> Kind {
    match route(method, segments) {
        Route::Known(op) if op.writes() => Kind::Write,
        Route::Known(_) => Kind::Read,
        Route::WrongMethod | Route::Nothing if matches!(method, "GET" | "HEAD") => Kind::Read,
        Route::WrongMethod | Route::Nothing => Kind::Write,
    }
}

/// Answers a call below `/v1`; `segments` start after it.
pub(super) fn answer(cloud: &mut Cloud, key: &str, call: &Call, segments: &[&str], now: Timestamp) -> Reply {
    let account = cloud.accounts.get(key).expect("a partner is opened before it is called");
    let (switches, client) = (account.switches, account.client_id.clone());
    let reply = match auth::partner_center(account, call, now) {
        Err(Denied::Mfa) => errors::mfa_required().by(client),
        Err(Denied::Refused(refused)) => refused.reply(&switches),
        Ok(caller) => admitted(&mut Desk { cloud, key, call, now, caller }, segments).by(client),
    };
    let account = cloud.accounts.get_mut(key).expect("a partner is opened before it is called");
    finish(account, call, reply)
}

fn admitted(desk: &mut Desk<'_>, segments: &[&str]) -> Reply {
    let switches = desk.switches();
    let op = match route(desk.call.method(), segments) {
        Route::Known(op) => op,
        Route::WrongMethod => return Reply::empty(405),
        Route::Nothing => return errors::NOT_FOUND.plain().reply(&switches),
    };
    if !op.allowed(desk.account().position, switches.reseller_calls) {
        return errors::WRONG_POSITION.plain().reply(&switches);
    }
    if op.needs_user() && desk.caller == Caller::App {
        return errors::APP_ONLY.plain().reply(&switches);
    }
    if let Some(seconds) = throttle(desk, op, segments) {
        return errors::throttled(seconds, &switches);
    }
    let request_id = desk.call.header("MS-RequestId").map(str::to_owned);
    if op == Op::CustomerCreate
        && switches.create_headers == CreateHeaders::Required
        && (request_id.is_none() || desk.call.header("MS-CorrelationId").is_none())
    {
        let says = "The headers MS-RequestId and MS-CorrelationId are required.";
        return errors::BAD_PARAMETER.says(says).reply(&switches);
    }
    if request_id.as_deref().is_some_and(|id| !wire::is_guid(id)) {
        return errors::BAD_PARAMETER.says("MS-RequestId is not a GUID.").reply(&switches);
    }
    let keyed =
        op == Op::CustomerCreate || (op.writes() && switches.request_id_scope == RequestIdScope::AllWrites);
    let memory = request_id.filter(|_| keyed && switches.request_id_memory != RequestIdMemory::Never);
    if let Some(id) = &memory
        && let Some(reply) = remembered(desk, id)
    {
        return reply;
    }
    let reply = perform(desk, op, segments).unwrap_or_else(|refused| refused.reply(&switches));
    if let Some(id) = memory
        && (reply.status < 300 || switches.request_id_replays == RequestIdReplays::Everything)
    {
        let what = format!("{} {}", desk.call.method(), segments.join("/").to_lowercase());
        let mut kept = reply.clone();
        kept.effects.clear();
        let entry = Remembered { at: desk.now, what, body: desk.call.body().to_vec(), reply: kept };
        desk.account_mut().remembered.insert(id.to_lowercase(), entry);
    }
    reply
}

fn remembered(desk: &mut Desk<'_>, id: &str) -> Option<Reply> {
    let switches = desk.switches();
    let keeps = if switches.request_id_memory == RequestIdMemory::OneDay { 24 * 3600 } else { 300 };
    let now = desk.now;
    desk.account_mut().remembered.retain(|_, r| wire::later(r.at, keeps) > now);
    let found = desk.account().remembered.get(&id.to_lowercase())?;
    let segments = desk.call.segments();
    let path = segments.get(1..).unwrap_or_default().join("/").to_lowercase();
    if found.what != format!("{} {path}", desk.call.method()) {
        return None;
    }
    if switches.request_id_bodies == RequestIdBodies::Compared && found.body != desk.call.body() {
        return Some(errors::REQUEST_ID_REUSED.plain().reply(&switches));
    }
    Some(found.reply.clone())
}

/// Seconds to wait when the minute's calls are used up; a rejected call counts too.
fn throttle(desk: &mut Desk<'_>, op: Op, segments: &[&str]) -> Option<i64> {
    let now = desk.now;
    let (limit, by_customer) = match desk.switches().throttle {
        Throttle::Off => return None,
        Throttle::PartnerFive => (5, false),
        Throttle::Partner500 => (500, false),
        Throttle::CustomerFive => (5, true),
    };
    if !op.throttled() {
        return None;
    }
    let key = segments.get(1).filter(|_| by_customer).map_or_else(String::new, |c| c.to_lowercase());
    let (since, count) = desk.account_mut().calls.entry(key).or_insert((now, 0));
    if wire::later(*since, 60) <= now {
        (*since, *count) = (now, 0);
    }
    *count += 1;
    (*count > limit).then(|| wire::later(*since, 60).as_second() - now.as_second())
}

fn perform(desk: &mut Desk<'_>, op: Op, segments: &[&str]) -> Result<Reply, Refused> {
    let at = |n: usize| segments.get(n).map_or_else(String::new, |s| s.to_lowercase());
    let (customer, second) = (at(1), at(3));
    match op {
        Op::CustomersList => customers::list(desk),
        Op::CustomerCreate => customers::create(desk),
        Op::CustomerGet => customers::get(desk, &customer),
        Op::CustomerPatch => relationships::patch(desk, &customer),
        Op::CompanyProfile => customers::company(desk, &customer),
        Op::BillingGet => billing::get(desk, &customer),
        Op::BillingPut => billing::put(desk, &customer),
        Op::RelationshipRequest => relationships::request(desk),
        Op::CustomerRelationships => relationships::of_customer(desk, &customer),
        Op::PartnerRelationships => relationships::of_partner(desk),
        Op::SubscriptionsList => subscriptions::list(desk, &customer),
        Op::SubscriptionGet => subscriptions::get(desk, &customer, &second),
        Op::SubscriptionPatch => subscriptions::patch(desk, &customer, &second),
        Op::SubscriptionProvisioning => subscriptions::provisioning(desk, &customer, &second),
        Op::MpnProfile => checks::mpn(desk),
        Op::AgreementStatus => checks::agreement(desk),
        Op::DomainCheck => Ok(checks::domain(desk, &customer)),
        Op::AddressCheck => checks::address(desk),
        Op::Audit => audit::list(desk),
    }
}

/// The headers that every answer carries, and what the switches do to the body.
pub(super) fn finish(account: &mut Account, call: &Call, mut reply: Reply) -> Reply {
    for name in ["MS-RequestId", "MS-CorrelationId"] {
        let own = account.id();
        let sent = call.header(name).map_or(own.clone(), str::to_owned);
        let value = match account.switches.echoed_ids {
            EchoedIds::Same => sent,
            EchoedIds::Doubled => format!("{sent},{sent}"),
            EchoedIds::Other => own,
        };
        reply = reply.header(name, value);
    }
    if !reply.body.is_empty() {
        let prefix: &[u8] = match account.switches.body_prefix {
            BodyPrefix::None => b"",
            BodyPrefix::Mark => "\u{feff}".as_bytes(),
            BodyPrefix::Stray => b"?",
        };
        reply.body.splice(0..0, prefix.iter().copied());
    }
    let cv = account.ids.word(8);
    reply.header("MS-CV", format!("{cv}.0")).header("MS-ServerId", "000001")
}
