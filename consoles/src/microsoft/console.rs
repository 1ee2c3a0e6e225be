//! One connected Partner Center: who we are there, what answers us, and the engine's calls.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use jiff::SignedDuration;
use tenantry_crd::ConsoleSpec;
use tenantry_crd::console::{MicrosoftConsole, MicrosoftPosition};
use tenantry_engine::address::VendorAccount;
use tenantry_engine::console::{Console, ConsoleError, Dialect, Reading, Sent, refusal_words};
use tenantry_engine::observed::{Census, DetailKey, Details, Identity, ReadCost, Refusal};
use tenantry_engine::operation::Request;
use tenantry_engine::runtime::Runtime;
use tenantry_engine::text::terminal;
use tokio::sync::OnceCell;

use super::auth::{Authority, Credential, ForResource};
use super::capabilities::{Answer, Found, position_words};
use super::dialect::{MicrosoftDialect, TITLE};
use super::hosts::Hosts;
use super::json;
use super::read::{Got, got};
use super::send::said;
use crate::auth::Tokens;
use crate::connect::{ConnectError, Connection, values};
use crate::credentials::{SecretSink, SecretsError, WriteSecrets};
use crate::pace::{Pace, Rates, Window};
use crate::transport::{Client, Cost, Counted, Outgoing, Reader, Writer};

/// Customers per page: the most that Partner Center gives (Partner-Center-Java, customer collection).
pub const PAGE: u16 = 500;

/// A connected Partner Center.
pub struct PartnerCenter {
    spec: ConsoleSpec,
    microsoft: MicrosoftConsole,
    pub(super) hosts: Hosts,
    pub(super) page: u16,
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    pub(super) api_tokens: Tokens,
    pub(super) graph_tokens: Tokens,
    credential: Arc<Credential>,
    authority: Arc<Authority>,
    name: tenantry_engine::address::ConsoleName,
    sink: Option<Arc<dyn SecretSink>>,
    write_secrets: Option<Arc<dyn WriteSecrets>>,
    write: OnceCell<Write>,
    pub(super) runtime: Runtime,
    cost: Arc<Cost>,
    before: MicrosoftDialect,
    known: OnceLock<Known>,
}

/// The write credential, opened.
pub(super) struct Write {
    pub tokens: Tokens,
    pub credential: Arc<Credential>,
}

/// What identification found.
struct Known {
    identity: Identity,
    found: Found,
    dialect: MicrosoftDialect,
}

/// Connects with the vendor's largest pages. Sends nothing.
pub fn connect(connection: &Connection<'_>) -> Result<Box<dyn Console>, ConnectError> {
    Ok(Box::new(connect_paged(connection, PAGE)?))
}

/// Connects with pages of this size (1 to 500). Sends nothing.
pub fn connect_paged(connection: &Connection<'_>, page: u16) -> Result<PartnerCenter, ConnectError> {
    let no_vendor = || ConnectError::NoVendor { console: connection.name.clone() };
    let microsoft = connection.spec.microsoft.clone().ok_or_else(no_vendor)?;
    let hosts =
        Hosts::new(microsoft.cloud, connection.endpoint.as_ref()).ok_or_else(|| ConnectError::Endpoint {
            console: connection.name.clone(),
            endpoint: connection.endpoint.as_ref().map(ToString::to_string).unwrap_or_default(),
        })?;
    let keys = connection.read_values(["clientId", "clientSecret"])?;
    let settings = connection.settings;
    let client = Client::new(settings.timeout, settings.write_timeout, settings.largest_answer)
        .map_err(|source| ConnectError::Client { console: connection.name.clone(), source })?;
    let runtime = connection.runtime;
    let clock = &runtime.clock;
    // One page's number: 500 requests a minute and tenant ("API throttling guidance"); what is faster is refused, and
    // refused repetitions count.
    let rates = Rates {
        reads: Window { per_second: 5.0, burst: 20.0 },
        writes: Window { per_second: 1.0, burst: 4.0 },
        windows: vec![Window { per_second: 8.0, burst: 60.0 }],
        concurrency: 4,
    }
    .declared(&connection.spec.pace);
    // The limit is the tenant's, whatever the application.
    let key = format!("microsoft {} {}", hosts.api.url(), microsoft.tenant_id.to_lowercase());
    let pace = connection.settings.paces.of(&key, || Pace::new(&rates, clock.clone(), runtime.stop.clone()));
    let cost: Arc<Cost> = Arc::default();
    let reader =
        |list| Reader::new(TITLE, connection.name, client.clone(), list, pace.clone(), runtime, cost.clone());
    let authority = Arc::new(Authority { base: hosts.authority.clone(), reader: reader(hosts.tokens()) });
    let credential = Arc::new(Credential::new(
        authority.clone(),
        connection.name,
        "read",
        &microsoft.tenant_id,
        keys,
        &connection.credentials.read,
        connection.settings.sink.clone(),
    ));
    let tokens = |resource| {
        Tokens::new(Box::new(ForResource { credential: credential.clone(), resource }), clock.clone())
    };
    Ok(PartnerCenter {
        before: MicrosoftDialect::new(connection.spec, &microsoft, Found::default()),
        spec: connection.spec.clone(),
        page: page.clamp(1, PAGE),
        reader: reader(hosts.reads()),
        writer: Writer::new(client.clone(), hosts.writes(), pace.clone(), runtime, settings.fence.clone()),
        api_tokens: tokens(hosts.api_resource),
        graph_tokens: tokens(hosts.graph_resource),
        credential: credential.clone(),
        authority,
        name: connection.name.clone(),
        sink: connection.settings.sink.clone(),
        write_secrets: connection.credentials.write.clone(),
        write: OnceCell::new(),
        runtime: runtime.clone(),
        cost,
        known: OnceLock::new(),
        microsoft,
        hosts,
    })
}

/// What Graph calls a partner's tenant (`partnerTenantType` of the organisation).
const PARTNER: &str = "resellerPartnerDelegatedAdmin";
const INDIRECT_RESELLER: &str = "valueAddedResellerPartnerDelegatedAdmin";

/// What Graph says about us, as far as it says anything.
#[derive(Default)]
struct Organization {
    tenant: Option<String>,
    label: Option<String>,
    kind: Option<String>,
}

/// A refusal without what differs from one request to the next: it is part of plans.
fn short(refusal: &Refusal) -> String {
    let lasting = Refusal { request_id: None, correlation_id: None, hint: String::new(), ..refusal.clone() };
    refusal_words(&lasting)
}

impl PartnerCenter {
    /// What probing found; nothing before identification.
    pub(super) fn found(&self) -> Found {
        self.known.get().map(|known| known.found.clone()).unwrap_or_default()
    }

    /// Our tenant, once known.
    pub(super) fn tenant(&self) -> Option<String> {
        let account = &self.known.get()?.identity.vendor_account;
        account.as_str().strip_prefix("microsoft:").map(str::to_owned)
    }

    /// The write credential, opened at the first write.
    pub(super) async fn write(&self) -> Result<&Write, SecretsError> {
        let Some(secrets) = &self.write_secrets else {
            return Err(SecretsError { because: "the Console names none".into() });
        };
        self.write
            .get_or_try_init(|| async {
                let secrets = secrets.open().await?;
                let credential = if self.credential.is(&secrets).await {
                    self.credential.clone()
                } else {
                    let keys = values(&secrets, ["clientId", "clientSecret"]).map_err(|missing| {
                        SecretsError { because: format!("it lacks {}", missing.join(", ")) }
                    })?;
                    Arc::new(Credential::new(
                        self.authority.clone(),
                        &self.name,
                        "write",
                        &self.microsoft.tenant_id,
                        keys,
                        &secrets,
                        self.sink.clone(),
                    ))
                };
                let source =
                    ForResource { credential: credential.clone(), resource: self.hosts.api_resource };
                Ok(Write { tokens: Tokens::new(Box::new(source), self.runtime.clock.clone()), credential })
            })
            .await
    }

    /// Asks one probing read of Partner Center. A refused credential is an error, a vendor that is unwell tells
    /// nothing, a refusal is what was looked for.
    async fn probe(&self, out: Outgoing) -> Result<(Answer, Option<serde_json::Value>), ConsoleError> {
        let answer = self.ask(out, &self.api_tokens, Counted::Other).await?;
        Ok(match got(&answer, "read")? {
            Got::Document(document) => (Answer::Answers, Some(document)),
            Got::Refused(refusal) => (Answer::Refuses(short(&refusal)), None),
            Got::Unwell(_) => (Answer::NotAsked, None),
        })
    }

    /// Asks one probing read of Graph; a credential that Graph does not accept is a refusal like any other there.
    async fn probe_graph(&self, out: Outgoing) -> Result<(Answer, Option<serde_json::Value>), ConsoleError> {
        let answer = match self.ask(out, &self.graph_tokens, Counted::Other).await {
            Err(ConsoleError::Credential { refusal, .. }) => {
                return Ok((Answer::Refuses(short(&refusal)), None));
            }
            answer => answer?,
        };
        Ok(match got(&answer, "read") {
            Ok(Got::Document(document)) => (Answer::Answers, Some(document)),
            Ok(Got::Refused(refusal)) => (Answer::Refuses(short(&refusal)), None),
            Ok(Got::Unwell(_)) => (Answer::NotAsked, None),
            Err(ConsoleError::Credential { refusal, .. }) => (Answer::Refuses(short(&refusal)), None),
            Err(error) => return Err(error),
        })
    }

    async fn organization(&self) -> Result<Organization, ConsoleError> {
        let out = self
            .graph(&["organization"])
            .query("$select", "id,displayName,partnerTenantType,verifiedDomains");
        let (_, document) = self.probe_graph(out).await?;
        let Some(own) = document.as_ref().and_then(|document| json::items(document, "value")?.first()) else {
            return Ok(Organization::default());
        };
        let domains = json::items(own, "verifiedDomains");
        let domain =
            domains.into_iter().flatten().find(|domain| json::flag(domain, &["isInitial"]) == Some(true));
        let domain = domain.or_else(|| domains?.first()).and_then(|domain| json::text(domain, &["name"]));
        Ok(Organization {
            tenant: json::text(own, &["id"]).and_then(json::guid),
            label: domain.map(|domain| domain.strip_suffix(".onmicrosoft.com").unwrap_or(domain).to_owned()),
            kind: json::text(own, &["partnerTenantType"]).map(str::to_owned),
        })
    }

    /// Refuses to work in another position, or another tenant, than is declared.
    fn agree(&self, tenant: &str, kind: Option<&str>) -> Result<(), ConsoleError> {
        let refused = |doing: String, refusal| ConsoleError::Refused {
            console: TITLE.into(),
            doing,
            refusal: Box::new(refusal),
        };
        if let Some(declared) = json::guid(&self.microsoft.tenant_id)
            && declared != tenant
        {
            let words = format!("the credential is of tenant {tenant}, which is another account");
            let hint = "correct spec.microsoft.tenantId, or use that tenant's credential";
            return Err(refused(format!("act as tenant {declared}"), said("other-tenant", &words, hint)));
        }
        let declared = self.microsoft.partner;
        let is = match kind {
            Some(kind) if kind.eq_ignore_ascii_case(INDIRECT_RESELLER) => "an indirect reseller",
            Some(kind) if kind.eq_ignore_ascii_case(PARTNER) => {
                "a direct bill partner or an indirect provider"
            }
            // Graph refuses, or knows no such word: nothing contradicts the declaration.
            _ => return Ok(()),
        };
        if (declared == MicrosoftPosition::IndirectReseller) == (is == "an indirect reseller") {
            return Ok(());
        }
        let words = format!("Microsoft says that this tenant is {is}");
        let hint = "correct spec.microsoft.partner: it decides what is asked of Microsoft and what of people";
        Err(refused(format!("act as {declared:?}"), said("position-mismatch", &words, hint)))
    }

    async fn look(&self) -> Result<Known, ConsoleError> {
        let organization = self.organization().await?;
        let mut found = Found::default();
        let link = Outgoing::get(&self.hosts.api, &["v1", "customers", "relationshiprequests"]);
        found.link = self.probe(link).await?.0;
        let from_token = self.credential.tenant();
        let tenant = match (&organization.tenant, &from_token) {
            (Some(graph), Some(token)) if graph != token => {
                return Err(ConsoleError::Protocol {
                    console: TITLE.into(),
                    because: format!("Graph says that we are tenant {graph}, the token says {token}"),
                });
            }
            (graph, token) => graph.clone().or_else(|| token.clone()),
        };
        let Some(tenant) = tenant.or_else(|| json::guid(&self.microsoft.tenant_id)) else {
            return Err(ConsoleError::Protocol {
                console: TITLE.into(),
                because: "neither its token nor Graph says which tenant we are; write the id into \
                          spec.microsoft.tenantId"
                    .into(),
            });
        };
        self.agree(&tenant, organization.kind.as_deref())?;
        let rights = self
            .graph(&["tenantRelationships", "delegatedAdminRelationships"])
            .query("$top", "1")
            .query("$select", "id");
        found.rights = self.probe_graph(rights).await?.0;
        if self.microsoft.partner == MicrosoftPosition::IndirectReseller {
            self.look_as_reseller(&mut found).await?;
        }
        let label = organization.label.unwrap_or_else(|| tenant.clone());
        let title =
            format!("{TITLE} · {} · tenant {}", position_words(self.microsoft.partner), terminal(&label));
        Ok(Known {
            identity: Identity {
                vendor_account: VendorAccount::new(format!("microsoft:{tenant}")),
                title,
                probed: serde_json::to_value(&found).unwrap_or_default(),
            },
            dialect: MicrosoftDialect::new(&self.spec, &self.microsoft, found.clone()),
            found,
        })
    }

    async fn look_as_reseller(&self, found: &mut Found) -> Result<(), ConsoleError> {
        let list = Outgoing::get(&self.hosts.api, &["v1", "customers"]).query("size", "1");
        let (customers, document) = self.probe(list).await?;
        found.customers = customers;
        let first = document
            .as_ref()
            .and_then(|document| json::items(document, "items")?.first())
            .and_then(|item| json::text(item, &["id"]));
        if let Some(id) = first {
            let below = |rest: &[&str]| {
                let mut all = vec!["v1", "customers", id];
                all.extend(rest);
                Outgoing::get(&self.hosts.api, &all)
            };
            found.billing = self.probe(below(&["profiles", "billing"])).await?.0;
            found.subscriptions = self.probe(below(&["subscriptions"])).await?.0;
        }
        Ok(())
    }
}

#[async_trait]
impl Console for PartnerCenter {
    fn dialect(&self) -> &dyn Dialect {
        self.known.get().map_or(&self.before, |known| &known.dialect)
    }

    /// The first answer holds for as long as the connection lives: what probing found is part of every plan.
    async fn identify(&self) -> Result<Identity, ConsoleError> {
        if let Some(known) = self.known.get() {
            return Ok(known.identity.clone());
        }
        let known = self.look().await?;
        Ok(self.known.get_or_init(|| known).identity.clone())
    }

    async fn census(&self, reading: &dyn Reading) -> Result<Census, ConsoleError> {
        self.list(reading).await
    }

    async fn details(&self, wanted: &[DetailKey], reading: &dyn Reading) -> Result<Details, ConsoleError> {
        self.read(wanted, reading).await
    }

    async fn send(&self, request: &Request<'_>) -> Sent {
        self.dispatch(request).await
    }

    fn take_cost(&self) -> ReadCost {
        self.cost.take()
    }

    fn clock_ahead(&self) -> Option<SignedDuration> {
        self.cost.clock_ahead()
    }
}
