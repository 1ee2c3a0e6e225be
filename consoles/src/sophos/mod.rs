//! Sophos Central Partner.
//!
//! By API: list customers, read licences, create a customer, and rename where the Console says so. Everything else is
//! a person's, with the click path. Sources: Sophos Postman collection (Partner, Organization and Licensing API),
//! Sophos community (authentication, errors), Sophos Central Partner help.
//!
//! Credentials: `clientId` and `clientSecret`, of a partner; one of an organization only reads. It never changes a
//! licence, a group, a billing type or a contact, and never ends or deletes a customer: no request for that is known.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::Value as Json;
use tenantry_crd::console::{Management, SophosConsole, SophosProgram};
use tenantry_engine::address::{RemoteId, VendorAccount};
use tenantry_engine::console::{Console, ConsoleError, Dialect, Reading, Sent};
use tenantry_engine::observed::{
    Census, DetailKey, Details, Facet, FacetRead, Fields, Identity, ReadCost, Refusal,
};
use tenantry_engine::operation::{Ack, Request};
use tenantry_engine::runtime::Runtime;
use tenantry_engine::text::Untrusted;
use tokio::sync::OnceCell;

mod census;
mod dialect;
mod errors;
mod fields;
mod instructions;
mod records;
mod session;

pub use census::PAGE;
use dialect::{CREATE, RENAME, SophosDialect, TITLE};
use errors::Asked;
pub(crate) use errors::documented as refusals;
pub(crate) use fields::capabilities;
use session::{Hosts, IdType, Session};

use crate::connect::{ConnectError, Connection, values};
use crate::credentials::WriteSecrets;
use crate::pace::{Pace, Rates, Window};
use crate::transport::{
    AllowList, Answer, Base, Client, Cost, Counted, Outgoing, Reader, Writer, Wrote, refusal,
};

/// Keys of a credential.
pub const CREDENTIAL_KEYS: [&str; 2] = ["clientId", "clientSecret"];

/// Sophos's own limits, over all APIs of one credential together: 100 requests a minute with bursts to 300, and
/// 200 000 a day (developer.sophos.com, introduction; ten a second are recommended).
fn rates() -> Rates {
    Rates {
        reads: Window { per_second: 5.0, burst: 10.0 },
        windows: vec![
            Window { per_second: 100.0 / 60.0, burst: 300.0 },
            Window { per_second: 200_000.0 / 86_400.0, burst: 200_000.0 },
        ],
        ..Rates::default()
    }
}

/// Connects with the vendor's largest pages; sends nothing.
pub(crate) fn connect(connection: &Connection<'_>) -> Result<Box<dyn Console>, ConnectError> {
    connect_paged(connection, PAGE)
}

/// Connects with pages of this size (1 to 100); sends nothing.
pub fn connect_paged(connection: &Connection<'_>, page: usize) -> Result<Box<dyn Console>, ConnectError> {
    let spec = connection
        .spec
        .sophos
        .as_ref()
        .ok_or_else(|| ConnectError::NoVendor { console: connection.name.clone() })?;
    let credential = connection.read_values(CREDENTIAL_KEYS)?;
    let endpoint = match &connection.endpoint {
        None => None,
        Some(url) => Some(Base::new(url.clone()).ok_or_else(|| ConnectError::Endpoint {
            console: connection.name.clone(),
            endpoint: url.to_string(),
        })?),
    };
    let hosts = Hosts::new(endpoint);
    let settings = connection.settings;
    let runtime = connection.runtime.clone();
    let client = Client::new(settings.timeout, settings.write_timeout, settings.largest_answer)
        .map_err(|source| ConnectError::Client { console: connection.name.clone(), source })?;
    let key = format!("sophos {} {}", hosts.api.url(), credential[0].expose_secret());
    let rates = rates().declared(&connection.spec.pace);
    let pace = settings.paces.of(&key, || Pace::new(&rates, runtime.clock.clone(), runtime.stop.clone()));
    let cost = Arc::new(Cost::default());
    let reader = |allow: AllowList| {
        Arc::new(Reader::new(
            TITLE,
            connection.name,
            client.clone(),
            allow,
            pace.clone(),
            &runtime,
            cost.clone(),
        ))
    };
    let reads = reader(hosts.reads());
    let writer = Writer::new(client.clone(), hosts.writes(), pace.clone(), &runtime, settings.fence.clone());
    let session = Session::new(reads.clone(), &hosts, credential, "read", runtime.clock.clone());
    Ok(Box::new(Connected {
        declared: SophosDialect::new(spec, connection.spec.naming),
        identified: OnceLock::new(),
        spec: spec.clone(),
        naming: connection.spec.naming,
        observe_only: connection.spec.management == Management::Observe,
        page: page.clamp(1, PAGE),
        session,
        reads,
        hosts,
        writer,
        write_secrets: connection.credentials.write.clone(),
        write_session: OnceCell::new(),
        runtime,
        cost,
        dormant: Mutex::default(),
    }))
}

/// Name of what identification finds out: the credential is an organization's, which only reads.
const READS_ONLY: &str = "readsOnly";

/// The pure half without a connection, from what identification once found out.
pub(crate) fn offline(
    spec: &SophosConsole,
    naming: tenantry_crd::console::Naming,
    probed: &serde_json::Value,
) -> Box<dyn Dialect> {
    let dialect = SophosDialect::new(spec, naming);
    let reads_only = probed.get(READS_ONLY).and_then(serde_json::Value::as_bool).unwrap_or_default();
    Box::new(if reads_only { dialect.read_only() } else { dialect })
}

struct Connected {
    declared: SophosDialect,
    identified: OnceLock<SophosDialect>,
    spec: SophosConsole,
    naming: tenantry_crd::console::Naming,
    observe_only: bool,
    page: usize,
    session: Session,
    reads: Arc<Reader>,
    hosts: Hosts,
    writer: Writer,
    write_secrets: Option<Arc<dyn WriteSecrets>>,
    write_session: OnceCell<Session>,
    runtime: Runtime,
    cost: Arc<Cost>,
    dormant: Mutex<BTreeSet<RemoteId>>,
}

impl Connected {
    async fn licenses(&self, id: &RemoteId) -> Result<Option<FacetRead>, ConsoleError> {
        let dormant = self.dormant.lock().unwrap_or_else(PoisonError::into_inner).contains(id);
        if dormant {
            let hint = "its administrator signs in once, then it is";
            let refusal = refusal("not-activated", None, "the account is not activated yet", hint);
            return Ok(Some(self.unreadable(refusal)));
        }
        let out = Outgoing::get(&self.hosts.api, &["licenses", "v1", "licenses"])
            .header("x-tenant-id", id.as_str());
        let answer = self.reads.ask(&out, Some(&self.session.tokens), Counted::Detail).await?;
        match answer.status {
            200..=299 => {}
            // Not a fact of this customer: it is read again in the next run.
            429 | 500.. => return Ok(None),
            _ => return Ok(Some(self.unreadable(errors::refusal(Asked::Licenses, &answer)))),
        }
        let as_of = self.runtime.clock.now();
        let list = answer.parse::<Json>().ok().and_then(|body| match body.get("licenses") {
            Some(Json::Array(list)) => Some(list.clone()),
            _ => None,
        });
        // Half a list would hide what stands against ending the account.
        let licenses = list.and_then(|list| list.iter().map(|one| records::license(one, as_of)).collect());
        Ok(Some(if let Some(licenses) = licenses {
            FacetRead { as_of, unreadable: None, fields: Fields::default(), licenses }
        } else {
            let words = "its licences have a shape that this version does not know";
            self.unreadable(refusal("not-understood", Some(answer.status), words, ""))
        }))
    }

    fn unreadable(&self, refusal: Refusal) -> FacetRead {
        FacetRead {
            as_of: self.runtime.clock.now(),
            unreadable: Some(refusal.into()),
            fields: Fields::default(),
            licenses: Vec::new(),
        }
    }

    /// The write credential's session: opened when something is to be written, and only for the same account.
    async fn write_session(&self) -> Result<&Session, Refusal> {
        self.write_session.get_or_try_init(|| self.open_write_session()).await
    }

    async fn open_write_session(&self) -> Result<Session, Refusal> {
        let not = |code: &str, words: &str, hint: &str| refusal(code, None, words, hint);
        if self.observe_only {
            return Err(not("observe-only", "management: Observe writes nothing", "management: Manage"));
        }
        let Some(secrets) = &self.write_secrets else {
            let words = "there is no write credential";
            return Err(not("no-write-credential", words, "declare spec.credentials.write"));
        };
        let secrets = secrets
            .open()
            .await
            .map_err(|error| not("no-write-credential", &error.to_string(), "see spec.credentials.write"))?;
        let credential = values(&secrets, CREDENTIAL_KEYS).map_err(|missing| {
            let words = format!("the write credential lacks {}", missing.join(", "));
            not("no-write-credential", &words, "complete the secret that spec.credentials.write names")
        })?;
        let clock = self.runtime.clock.clone();
        let session = Session::new(self.reads.clone(), &self.hosts, credential, "write", clock);
        let told = |error: ConsoleError| match error {
            ConsoleError::Credential { refusal, .. } | ConsoleError::Refused { refusal, .. } => *refusal,
            other => not("unreachable", &other.to_string(), ""),
        };
        let who = session.who().await.map_err(told)?.clone();
        let read = self.session.who().await.map_err(told)?;
        if who != *read {
            let words = "the write credential belongs to another account than the read credential";
            return Err(not("another-account", words, "make both at the same partner"));
        }
        if who.id_type == IdType::Organization {
            return Err(not("read-only", "an organization's credential only reads", ""));
        }
        Ok(session)
    }

    fn outgoing(&self, request: &Request<'_>, partner: &str) -> Result<(Outgoing, Asked), Box<Refusal>> {
        let defect =
            |words: &str| Box::new(refusal("defect", None, words, "this is a defect of the adapter"));
        match (request.draft.name, request.remote_id) {
            (CREATE, _) => {
                let out = Outgoing::new(Method::POST, &self.hosts.api, &["partner", "v1", "tenants"])
                    .header(IdType::Partner.header(), partner)
                    .json(&request.draft.body);
                Ok((out, Asked::Create))
            }
            (RENAME, Some(id)) => {
                let id = records::id(id.as_str()).ok_or_else(|| defect("the record's id is no id"))?;
                let out = Outgoing::new(Method::PATCH, &self.hosts.api, &["partner", "v1", "tenants", &id])
                    .header(IdType::Partner.header(), partner)
                    .json_as("application/merge-patch+json", &request.draft.body);
                Ok((out, Asked::Rename))
            }
            _ => Err(defect("there is no such request")),
        }
    }
}

/// What an answer to a write means.
fn answered(request: &Request<'_>, asked: Asked, answer: &Answer) -> Sent {
    match answer.status {
        200..=299 => match answer.parse::<Json>().ok().as_ref().and_then(records::tenant) {
            Some(tenant) => Sent::Acked(
                Ack {
                    name: request.draft.name.to_owned(),
                    shown: tenant.record.fields().clone().into(),
                    remote_id: Some(tenant.record.id),
                    link: None,
                    vendor_request_id: None,
                },
                Vec::new(),
            ),
            None => Sent::Ambiguous(format!("status {}, and an answer without the customer", answer.status)),
        },
        // An empty body is known from Sophos; anything else that is no JSON object is somebody else's answer.
        400..=499 if answer.bytes() == 0 || answer.parse::<Json>().is_ok_and(|body| body.is_object()) => {
            Sent::Rejected(errors::refusal(asked, answer))
        }
        status => Sent::Ambiguous(format!("status {status}, in no words of Sophos")),
    }
}

#[async_trait]
impl Console for Connected {
    fn dialect(&self) -> &dyn Dialect {
        self.identified.get().unwrap_or(&self.declared)
    }

    async fn identify(&self) -> Result<Identity, ConsoleError> {
        let who = self.session.who().await?;
        let dialect = || {
            let dialect = SophosDialect::new(&self.spec, self.naming);
            match who.id_type {
                IdType::Partner => dialect,
                IdType::Organization => dialect.read_only(),
            }
        };
        self.identified.get_or_init(dialect);
        let program = match (who.id_type, self.spec.program) {
            (IdType::Organization, _) => "read only",
            (_, SophosProgram::MspFlex) => "MSP Flex",
            (_, SophosProgram::FlexConnect) => "Flex Connect",
            (_, SophosProgram::Reseller) => "reseller",
        };
        Ok(Identity {
            vendor_account: VendorAccount::new(format!("sophos:{}", who.id)),
            title: format!("{TITLE} · {program} · {} {}…", who.id_type.word(), &who.id[..8]),
            probed: serde_json::json!({ READS_ONLY: matches!(who.id_type, IdType::Organization) }),
        })
    }

    async fn census(&self, reading: &dyn Reading) -> Result<Census, ConsoleError> {
        let listed = census::list(&self.session, &*self.runtime.clock, reading, self.page).await?;
        *self.dormant.lock().unwrap_or_else(PoisonError::into_inner) = listed.dormant;
        Ok(listed.census)
    }

    async fn details(&self, wanted: &[DetailKey], reading: &dyn Reading) -> Result<Details, ConsoleError> {
        let mut details = Details::new();
        let licenses: Vec<DetailKey> =
            wanted.iter().filter(|key| key.facet == Facet::Licenses).cloned().collect();
        let mut reads = stream::iter(licenses)
            .map(|key| async move {
                let read = self.licenses(&key.id).await;
                (key, read)
            })
            .buffer_unordered(self.reads.pace().concurrency());
        let mut done = 0;
        while let Some((key, read)) = reads.next().await {
            if let Some(read) = read? {
                details.insert(key, read.into());
            }
            done += 1;
            reading.detail(done);
        }
        Ok(details)
    }

    async fn send(&self, request: &Request<'_>) -> Sent {
        let session = match self.write_session().await {
            Ok(session) => session,
            Err(refusal) => return Sent::NotSent(refusal),
        };
        let partner = match session.who().await {
            Ok(who) => who.id.clone(),
            Err(error) => {
                return Sent::NotSent(Refusal {
                    words: Untrusted::new(error.to_string()),
                    ..refusal("unreachable", None, "", "")
                });
            }
        };
        let (out, asked) = match self.outgoing(request, &partner) {
            Ok(out) => out,
            Err(refusal) => return Sent::NotSent(*refusal),
        };
        match self.writer.send(&out, &session.tokens).await {
            Wrote::Answered(answer) => answered(request, asked, &answer),
            Wrote::NotSent(refusal) => Sent::NotSent(refusal),
            Wrote::NotKnown(answer) => Sent::NotSent(errors::refusal(asked, &answer)),
            Wrote::Throttled(wait, refusal) => Sent::Throttled(wait, refusal),
            Wrote::Ambiguous(because) => Sent::Ambiguous(because),
        }
    }

    fn take_cost(&self) -> ReadCost {
        self.cost.take()
    }

    fn clock_ahead(&self) -> Option<SignedDuration> {
        self.cost.clock_ahead()
    }
}
