//! The in-memory console: tenants, lists that are late, faults on the way, and a log of what really happened.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::address::{RemoteId, VendorAccount};
use crate::console::{Console, ConsoleError, Dialect, Reading, Sent};
use crate::observed::{
    Census, DetailKey, Details, Facet, FacetRead, Fields, Identity, KeyKind, LicenseRecord, ReadCost, Record,
    Refusal,
};
use crate::operation::{Ack, Request};
use crate::plan::matching::Key;
use crate::runtime::{Clock, OneTimeSecret};
use crate::testing::dialect::{MemoryDialect, NUMBER, PHONE, Terms, WEBSITE};
use crate::testing::store::Life;
use crate::testing::{Parts, SimClock};
use crate::value::{Field, Value};

/// What befalls the next unsafe request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is lost on the way: no effect, no answer.
    LostOnTheWay,
    /// Its answer is lost: it took effect.
    LostOnTheWayBack,
    /// No answer, and it takes effect this many seconds later.
    TakesEffectLater(u32),
    /// The vendor says no.
    Rejected,
    /// The vendor says that our position may not do this.
    PositionRefused,
    /// Too many requests.
    Throttled,
    /// It never left.
    NotSent,
    /// The process dies before it leaves.
    DiesBefore,
    /// The process dies after it took effect.
    DiesAfter,
    /// The yes does not name what was made.
    YesWithoutId,
}

/// What happened at the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EffectKind {
    /// We made a tenant.
    Created,
    /// We changed one.
    Changed,
    /// We ended one.
    Ended,
}

/// One thing that a request of ours did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EffectKind,
    /// To which record.
    pub id: RemoteId,
    /// The name it has.
    pub name: String,
    /// Id of the intent.
    pub operation: String,
    /// The idempotency key.
    pub request_id: String,
}

/// A request as it arrived (or set off), whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// When it was handed over.
    pub at: Timestamp,
    /// Its name.
    pub request: &'static str,
    /// The name it would give, for creations.
    pub name: Option<String>,
    /// The record it is about.
    pub remote_id: Option<RemoteId>,
    /// Whether it is unsafe.
    pub unsafe_request: bool,
}

/// One tenant.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Its name.
    pub name: String,
    /// Its domain.
    pub domain: Option<String>,
    /// Its fields.
    pub fields: BTreeMap<String, String>,
    /// Its licences.
    pub licenses: Vec<LicenseRecord>,
    /// Since when it is listed.
    pub listed_from: Timestamp,
    /// Until when it is listed, once it has ended.
    pub listed_until: Option<Timestamp>,
    /// Whether it was made by us.
    pub ours: bool,
}

impl Tenant {
    fn listed(&self, now: Timestamp) -> bool {
        self.listed_from <= now && self.listed_until.is_none_or(|until| until > now)
    }

    /// Whether it exists, listed or not.
    pub fn alive(&self) -> bool {
        self.listed_until.is_none()
    }
}

/// What a request does.
#[derive(Debug, Clone)]
struct Effort {
    request: &'static str,
    id: RemoteId,
    body: serde_json::Map<String, serde_json::Value>,
    operation: String,
    request_id: String,
}

#[derive(Debug, Default)]
struct State {
    tenants: BTreeMap<RemoteId, Tenant>,
    effects: Vec<Effect>,
    arrivals: Vec<Arrival>,
    faults: VecDeque<Fault>,
    late: VecDeque<SignedDuration>,
    pending: Vec<(Timestamp, Effort)>,
    incomplete: bool,
    last_census: Option<(Timestamp, Vec<RemoteId>)>,
    next: u32,
    links: u32,
    secret: Option<String>,
    cost: ReadCost,
}

/// The vendor's side of it, shared by everybody who looks.
#[derive(Debug, Clone)]
pub struct World {
    state: Arc<Mutex<State>>,
    clock: Arc<SimClock>,
    /// The process that speaks to it.
    pub life: Life,
}

impl World {
    /// An empty one.
    pub fn new(parts: &Parts, life: Life) -> Self {
        Self { state: Arc::default(), clock: parts.clock.clone(), life }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().expect("no test panics inside");
        let now = self.clock.peek();
        let (due, pending) = std::mem::take(&mut state.pending).into_iter().partition(|(at, _)| *at <= now);
        state.pending = pending;
        let due: Vec<(Timestamp, Effort)> = due;
        for (at, effort) in due {
            state.happen(at, &effort);
        }
        state
    }

    /// What befalls the next unsafe requests, one each.
    pub fn faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.extend(faults);
    }

    /// How late the list is for the next effects, one each.
    pub fn late(&self, late: impl IntoIterator<Item = SignedDuration>) {
        self.state().late.extend(late);
    }

    /// No more faults, no more lateness.
    pub fn calm(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.late.clear();
        state.incomplete = false;
    }

    /// Whether the next listings break off.
    pub fn incomplete(&self, incomplete: bool) {
        self.state().incomplete = incomplete;
    }

    /// The next creation shows this secret once.
    pub fn secret(&self, secret: &str) {
        self.state().secret = Some(secret.to_owned());
    }

    /// Somebody else makes a tenant, listed at once.
    pub fn appears(&self, name: &str, domain: Option<&str>) -> RemoteId {
        let now = self.clock.peek();
        let mut state = self.state();
        let id = state.fresh();
        state.tenants.insert(
            id.clone(),
            Tenant {
                name: name.to_owned(),
                domain: domain.map(str::to_owned),
                fields: BTreeMap::new(),
                licenses: Vec::new(),
                listed_from: now,
                listed_until: None,
                ours: false,
            },
        );
        id
    }

    /// Somebody else ends a tenant.
    pub fn vanishes(&self, id: &RemoteId) {
        let now = self.clock.peek();
        if let Some(tenant) = self.state().tenants.get_mut(id) {
            tenant.listed_until.get_or_insert(now);
        }
    }

    /// Somebody else changes a field.
    pub fn edits(&self, id: &RemoteId, field: &str, value: &str) {
        if let Some(tenant) = self.state().tenants.get_mut(id) {
            tenant.fields.insert(field.to_owned(), value.to_owned());
        }
    }

    /// Changes a tenant, however.
    pub fn tamper(&self, id: &RemoteId, change: impl FnOnce(&mut Tenant)) {
        if let Some(tenant) = self.state().tenants.get_mut(id) {
            change(tenant);
        }
    }

    /// All tenants, those that have ended too.
    pub fn tenants(&self) -> BTreeMap<RemoteId, Tenant> {
        self.state().tenants.clone()
    }

    /// What our requests did, in order.
    pub fn effects(&self) -> Vec<Effect> {
        self.state().effects.clone()
    }

    /// The requests that set off, in order.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.state().arrivals.clone()
    }

    /// How many requests set off.
    pub fn arrived(&self) -> usize {
        self.state().arrivals.len()
    }

    /// When the last complete census began, and what it listed.
    pub fn last_census(&self) -> Option<(Timestamp, Vec<RemoteId>)> {
        self.state().last_census.clone()
    }

    /// Whether a tenant that exists is not listed yet, or a request is still on its way.
    pub fn hides(&self) -> bool {
        let now = self.clock.peek();
        let state = self.state();
        !state.pending.is_empty() || state.tenants.values().any(|one| one.alive() && !one.listed(now))
    }
}

impl State {
    fn fresh(&mut self) -> RemoteId {
        self.next += 1;
        RemoteId::new(format!("t{:04}", self.next))
    }

    fn happen(&mut self, at: Timestamp, effort: &Effort) {
        let late = self.late.pop_front().unwrap_or(SignedDuration::ZERO);
        let seen = at.saturating_add(late).unwrap_or(Timestamp::MAX);
        let text = |key: &str| effort.body.get(key).and_then(|value| value.as_str()).map(str::to_owned);
        let fields = [WEBSITE, PHONE, NUMBER].iter().filter_map(|field| {
            let value = text(field)?;
            Some(((*field).to_owned(), if *field == WEBSITE { value.to_lowercase() } else { value }))
        });
        let kind = match effort.request {
            "create-tenant" => {
                self.tenants.insert(
                    effort.id.clone(),
                    Tenant {
                        name: text("name").unwrap_or_default(),
                        domain: text("domain"),
                        fields: fields.collect(),
                        licenses: Vec::new(),
                        listed_from: seen,
                        listed_until: None,
                        ours: true,
                    },
                );
                EffectKind::Created
            }
            "set-profile" => {
                let Some(tenant) = self.tenants.get_mut(&effort.id) else { return };
                tenant.fields.extend(fields);
                if let Some(name) = text("name") {
                    tenant.name = name;
                }
                EffectKind::Changed
            }
            _ => {
                let Some(tenant) = self.tenants.get_mut(&effort.id) else { return };
                tenant.listed_until.get_or_insert(seen);
                EffectKind::Ended
            }
        };
        let name = self.tenants.get(&effort.id).map(|tenant| tenant.name.clone()).unwrap_or_default();
        self.effects.push(Effect {
            at,
            kind,
            id: effort.id.clone(),
            name,
            operation: effort.operation.clone(),
            request_id: effort.request_id.clone(),
        });
    }
}

/// The console that reads and writes a [`World`].
#[derive(Debug, Clone)]
pub struct MemoryConsole {
    world: World,
    dialect: MemoryDialect,
    account: String,
}

impl MemoryConsole {
    /// Speaks to this world in these terms.
    pub fn new(world: &World, terms: Terms) -> Self {
        Self { world: world.clone(), dialect: MemoryDialect::new(terms), account: "memory:one".to_owned() }
    }

    /// With credentials of another account.
    #[must_use]
    pub fn account(mut self, account: &str) -> Self {
        account.clone_into(&mut self.account);
        self
    }
}

fn refusal(code: &str, words: &str) -> Refusal {
    Refusal {
        code: code.to_owned(),
        status: Some(400),
        vendor_code: None,
        words: words.into(),
        hint: String::new(),
        request_id: None,
        correlation_id: None,
    }
}

#[async_trait]
impl Console for MemoryConsole {
    fn dialect(&self) -> &dyn Dialect {
        &self.dialect
    }

    async fn identify(&self) -> Result<Identity, ConsoleError> {
        Ok(Identity {
            vendor_account: VendorAccount::from(self.account.as_str()),
            title: format!("Memory Console · {}", self.account),
            probed: serde_json::Value::Null,
        })
    }

    async fn census(&self, reading: &dyn Reading) -> Result<Census, ConsoleError> {
        let began = self.world.clock.now();
        let shows_domains = self.dialect_shows_domains();
        let mut state = self.world.state();
        let mut records: Vec<Record> = state
            .tenants
            .iter()
            .filter(|(_, tenant)| tenant.listed(began))
            .map(|(id, tenant)| {
                let name = tenant.name.as_str();
                let website = tenant.fields.get(WEBSITE);
                let website = website.map(|value| (Field::of(WEBSITE), Value::text(value.as_str())));
                let fields = std::iter::once((Field::of("name"), Value::text(name))).chain(website);
                let domain = tenant.domain.as_deref().filter(|_| shows_domains);
                let keys = std::iter::once((KeyKind::Name, name))
                    .chain(domain.map(|domain| (KeyKind::TenantDomain, domain)))
                    .filter_map(|(kind, raw)| Key::new(kind, raw));
                Record::new(id.clone(), name, fields, keys)
            })
            .collect();
        let incomplete = state.incomplete.then(|| "page 2 of 2 did not arrive".to_owned());
        if incomplete.is_some() {
            records.truncate(records.len() / 2);
        } else {
            state.last_census = Some((began, records.iter().map(|record| record.id.clone()).collect()));
        }
        state.cost.pages += 1;
        reading.page(1, records.len(), Some(1));
        Ok(Census::new(began, self.world.clock.peek(), incomplete, records))
    }

    async fn details(&self, wanted: &[DetailKey], reading: &dyn Reading) -> Result<Details, ConsoleError> {
        let as_of = self.world.clock.now();
        let mut state = self.world.state();
        let mut details = Details::new();
        for (done, key) in wanted.iter().enumerate() {
            state.cost.details += 1;
            reading.detail(done + 1);
            let Some(tenant) = state.tenants.get(&key.id) else { continue };
            let mut read =
                FacetRead { as_of, unreadable: None, fields: Fields::default(), licenses: Vec::new() };
            match key.facet {
                Facet::Account => {
                    let phone = tenant.fields.get(PHONE);
                    read.fields =
                        phone.map(|one| (Field::of(PHONE), Value::text(one.as_str()))).into_iter().collect();
                }
                Facet::Licenses => read.licenses.clone_from(&tenant.licenses),
                Facet::Access => {}
            }
            details.insert(key.clone(), read.into());
        }
        Ok(details)
    }

    async fn send(&self, request: &Request<'_>) -> Sent {
        let now = self.world.clock.now();
        let mut state = self.world.state();
        let body = request.draft.body.as_object().cloned().unwrap_or_default();
        state.arrivals.push(Arrival {
            at: now,
            request: request.draft.name,
            name: body.get("name").and_then(|name| name.as_str()).map(str::to_owned),
            remote_id: request.remote_id.cloned(),
            unsafe_request: request.draft.unsafe_request,
        });
        if !request.draft.unsafe_request {
            state.links += 1;
            let link = Some(format!("https://memory.example/accept/{}", state.links));
            return Sent::Acked(Ack { name: request.draft.name.into(), link, ..Ack::default() }, vec![]);
        }
        let fault = state.faults.pop_front();
        let nothing = match fault {
            Some(Fault::LostOnTheWay) => Some(Sent::Ambiguous("no answer within 30 s".into())),
            Some(Fault::Rejected) => Some(Sent::Rejected(refusal("refused", "no"))),
            Some(Fault::PositionRefused) => {
                Some(Sent::Rejected(refusal(crate::execute::POSITION_REFUSED, "not for resellers")))
            }
            Some(Fault::Throttled) => {
                Some(Sent::Throttled(Some(SignedDuration::from_secs(3)), refusal("throttled", "slow down")))
            }
            Some(Fault::NotSent) => Some(Sent::NotSent(refusal("unreachable", "no connection"))),
            Some(Fault::DiesBefore) => {
                self.world.life.end();
                Some(Sent::Ambiguous("died".into()))
            }
            _ => None,
        };
        if let Some(sent) = nothing {
            return sent;
        }
        let id = match (request.draft.name, request.remote_id) {
            ("create-tenant", _) | (_, None) => state.fresh(),
            (_, Some(id)) => id.clone(),
        };
        let effort = Effort {
            request: request.draft.name,
            id: id.clone(),
            body,
            operation: request.id.to_owned(),
            request_id: request.request_id.to_owned(),
        };
        if let Some(Fault::TakesEffectLater(seconds)) = fault {
            let due = now.saturating_add(SignedDuration::from_secs(seconds.into())).unwrap_or(now);
            state.pending.push((due, effort));
            return Sent::Ambiguous("no answer within 30 s".into());
        }
        state.happen(now, &effort);
        let secrets = match (request.draft.name, state.secret.take()) {
            ("create-tenant", Some(secret)) => vec![OneTimeSecret { label: "admin password".into(), secret }],
            (_, secret) => {
                state.secret = secret;
                vec![]
            }
        };
        match fault {
            Some(Fault::LostOnTheWayBack) => Sent::Ambiguous("no answer within 30 s".into()),
            Some(Fault::DiesAfter) => {
                self.world.life.end();
                Sent::Ambiguous("died".into())
            }
            _ => {
                let remote_id = (fault != Some(Fault::YesWithoutId)).then_some(id);
                Sent::Acked(Ack { name: request.draft.name.into(), remote_id, ..Ack::default() }, secrets)
            }
        }
    }

    fn take_cost(&self) -> ReadCost {
        std::mem::take(&mut self.world.state().cost)
    }
}

impl MemoryConsole {
    fn dialect_shows_domains(&self) -> bool {
        self.dialect.terms().shows_domains
    }
}
