//! Sending one request: fresh reads first, then at most one unsafe request, once.
//!
//! Source: Partner Center REST, "Create a customer", "Verify domain availability", "Validate an address", "Update a
//! customer's billing profile", "Remove a reseller relationship with a customer", "Get a relationship request link".
//! What the fresh reads contradict is not sent. A success that does not show what it made is in doubt, not done.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value as Json, json};
use tenantry_engine::address::RemoteId;
use tenantry_engine::console::{ConsoleError, Sent};
use tenantry_engine::observed::Refusal;
use tenantry_engine::operation::{Ack, Request};
use tenantry_engine::plan::Change;
use tenantry_engine::runtime::OneTimeSecret;
use tenantry_engine::text::{Untrusted, terminal};
use url::Url;

use super::console::{PartnerCenter, Write};
use super::dialect::{CREATE, DETACH, LINK, UPDATE};
use super::fields::{self, Moved};
use super::json;
use super::read::{Got, got, record};
use super::refusals::{About, refusal};
use crate::transport::{Answer, Counted, Outgoing, Wrote};

/// How long the fresh reads before an unsafe request may take. Proofs that a request did not happen count from the
/// moment at which it was journalled as sent: it must not leave much later.
const READS_AT_MOST: SignedDuration = SignedDuration::from_secs(15);

/// A refusal of our own.
pub(super) fn said(code: &str, words: &str, hint: &str) -> Refusal {
    Refusal {
        code: code.to_owned(),
        status: None,
        vendor_code: None,
        words: Untrusted::new(words),
        hint: hint.to_owned(),
        request_id: None,
        correlation_id: None,
    }
}

/// What a failed read before the unsafe request means: nothing left.
fn not_sent(error: ConsoleError) -> Sent {
    Sent::NotSent(match error {
        ConsoleError::Credential { refusal, .. } | ConsoleError::Refused { refusal, .. } => *refusal,
        ConsoleError::Stopped => said("interrupted", "interrupted before it was sent", ""),
        other => said("unreachable", &other.to_string(), "run again"),
    })
}

/// An outcome that ends the sending early.
type Early<T> = Result<T, Sent>;

fn ack(name: &str, id: Option<&RemoteId>, answer: Option<&Answer>) -> Ack {
    let request = answer.and_then(|answer| answer.header("ms-requestid"));
    Ack {
        name: name.to_owned(),
        remote_id: id.cloned(),
        vendor_request_id: request
            .and_then(|id| id.split(',').next())
            .map(|id| terminal(&id.trim().chars().take(64).collect::<String>())),
        ..Ack::default()
    }
}

/// Whether an answer about one customer proves that we have no relationship with it. "Get a customer by id" answers
/// so for anybody else's customer: 403 with 20002, or 404 (which of them is not documented). A 404 without Partner
/// Center's own body proves nothing: a proxy says so too.
fn proves_absence(answer: &Answer) -> bool {
    let refusal = refusal(About::Any, answer);
    match answer.status {
        403 => refusal.code == "no-relationship",
        404 => matches!(refusal.code.as_str(), "not-found" | "tenant-not-found" | "no-relationship"),
        _ => false,
    }
}

/// Whether a refusal can be Microsoft's own.
fn in_its_own_words(answer: &Answer) -> bool {
    answer.bytes() == 0 || json::parse(answer.text().as_bytes()).is_some_and(|body| body.is_object())
}

impl PartnerCenter {
    /// Sends the request that a draft names.
    pub(super) async fn dispatch(&self, request: &Request<'_>) -> Sent {
        let began = self.runtime.clock.now();
        let done = match request.draft.name {
            LINK => self.link(request).await,
            CREATE => self.create(request, began).await,
            UPDATE => self.update(request, began).await,
            DETACH => self.detach(request, began).await,
            other => Err(Sent::NotSent(said(
                "unknown-request",
                &format!("this adapter has no request {}", terminal(other)),
                "it was made by another version of tenantry: plan again",
            ))),
        };
        done.unwrap_or_else(|early| early)
    }

    /// The write credential, of the tenant that was identified. Another tenant's would write elsewhere.
    async fn writing(&self, needs_user: bool) -> Early<&Write> {
        let write = self.write().await.map_err(|error| {
            Sent::NotSent(said("no-write-credential", &error.to_string(), "see spec.credentials.write"))
        })?;
        if needs_user && write.credential.app_only() {
            return Err(Sent::NotSent(said(
                "app-only-refused",
                "this needs a user behind the application",
                "add a refreshToken (Secure Application Model) to the write credential",
            )));
        }
        // The first call asks for the token, which names its tenant; later ones find it.
        write.tokens.bearer().await.map_err(not_sent)?;
        match (self.tenant(), write.credential.tenant()) {
            (Some(ours), Some(its)) if ours != its => Err(Sent::NotSent(said(
                "other-tenant",
                &format!("the write credential is of tenant {its}, the console of {ours}"),
                "use a credential of the same tenant for reading and writing",
            ))),
            _ => Ok(write),
        }
    }

    /// Reads one thing afresh with the write credential.
    async fn fresh(&self, write: &Write, segments: &[&str]) -> Early<(Answer, Got)> {
        let out = Outgoing::get(&self.hosts.api, segments);
        let answer = self.ask(out, &write.tokens, Counted::Other).await.map_err(not_sent)?;
        let got = got(&answer, "write").map_err(not_sent)?;
        Ok((answer, got))
    }

    /// The one unsafe request.
    async fn unsafely(
        &self,
        write: &Write,
        out: Outgoing,
        request: &Request<'_>,
        began: Timestamp,
    ) -> Early<Answer> {
        if self.runtime.clock.now().duration_since(began) > READS_AT_MOST {
            let words = "the checks before the request took too long; it was not sent";
            return Err(Sent::NotSent(said("slow-checks", words, "run again")));
        }
        let out = out
            .header("accept", "application/json")
            .header("ms-contract-version", "v1")
            .header("ms-requestid", request.request_id)
            .header("ms-correlationid", request.request_id);
        match self.writer.send(&out, &write.tokens).await {
            Wrote::Answered(answer) if (300..400).contains(&answer.status) => Err(Sent::Ambiguous(format!(
                "status {}: sent elsewhere, which proves nothing",
                answer.status
            ))),
            // Microsoft refuses in JSON, or without a body. A proxy's page proves nothing about what it passed on.
            Wrote::Answered(answer) if answer.status >= 400 && !in_its_own_words(&answer) => {
                Err(Sent::Ambiguous(format!("status {}, in no words of Microsoft", answer.status)))
            }
            Wrote::Answered(answer) => Ok(answer),
            Wrote::NotSent(refusal) => Err(Sent::NotSent(refusal)),
            Wrote::NotKnown(answer) => Err(Sent::NotSent(refusal(About::Any, &answer))),
            Wrote::Throttled(wait, refusal) => Err(Sent::Throttled(wait, refusal)),
            Wrote::Ambiguous(because) => Err(Sent::Ambiguous(because)),
        }
    }

    /// The link that a customer follows. A read: it makes nothing and names no customer.
    async fn link(&self, request: &Request<'_>) -> Early<Sent> {
        let provider = json::text(&request.draft.body, &["provider"]);
        let mut out = Outgoing::get(&self.hosts.api, &["v1", "customers", "relationshiprequests"]);
        if let Some(provider) = provider {
            out = out.query("indirectCloudSolutionProviderId", provider);
        }
        let answer = self.ask(out, &self.api_tokens, Counted::Other).await.map_err(not_sent)?;
        let document = match got(&answer, "read").map_err(not_sent)? {
            Got::Document(document) => document,
            Got::Refused(refusal) => return Ok(Sent::Rejected(refusal)),
            Got::Unwell(refusal) => return Ok(Sent::NotSent(refusal)),
        };
        let link = json::text(&document, &["url"]).unwrap_or_default();
        if let Err(because) = self.proper(link, provider) {
            return Ok(Sent::Rejected(said(
                "unexpected-link",
                because,
                "nothing was drafted: fetch the link in Partner Center and compare",
            )));
        }
        Ok(Sent::Acked(Ack { link: Some(link.to_owned()), ..ack(LINK, None, Some(&answer)) }, Vec::new()))
    }

    /// A link goes into a mail to a customer: it must be one of Microsoft's that names us, and the provider where it
    /// is invited too.
    fn proper(&self, link: &str, provider: Option<&str>) -> Result<(), &'static str> {
        let url = Url::parse(link).map_err(|_| "Microsoft answers with something that is no link")?;
        let host = url.host_str().unwrap_or_default();
        let microsofts = [".microsoft.com", ".microsoft.us", ".microsoft.cn", ".microsoftonline.cn"];
        if url.scheme() != "https" || !microsofts.iter().any(|own| host.ends_with(own)) {
            return Err("Microsoft answers with a link that leads elsewhere");
        }
        let whole = link.to_lowercase();
        if self.tenant().is_some_and(|tenant| !whole.contains(&tenant)) {
            return Err("Microsoft answers with a link that does not name us");
        }
        let guid = provider.and_then(json::guid);
        if guid.is_some_and(|guid| !whole.contains(&guid)) {
            return Err("Microsoft answers with a link that does not name the provider");
        }
        Ok(())
    }

    async fn create(&self, request: &Request<'_>, began: Timestamp) -> Early<Sent> {
        let body = &request.draft.body;
        let write = self.writing(json::text(body, &["associatedPartnerId"]).is_some()).await?;
        self.domain_is_free(write, body).await?;
        self.address_is_good(write, body).await?;
        let out = Outgoing::new(Method::POST, &self.hosts.api, &["v1", "customers"]).json(body);
        let answer = self.unsafely(write, out, request, began).await?;
        if !answer.success() {
            return Ok(Sent::Rejected(refusal(About::Create, &answer)));
        }
        let customer = json::parse(answer.text().as_bytes()).unwrap_or_default();
        let id =
            json::text(&customer, &["id"]).or_else(|| json::text(&customer, &["companyProfile", "tenantId"]));
        let Some(id) = id.map(|id| RemoteId::from(id.to_lowercase())) else {
            // Done, says the status; as what, the list will show. The password is lost: it is set anew in the console.
            return Ok(Sent::Ambiguous(format!("status {} without the customer's id", answer.status)));
        };
        let mut done = ack(CREATE, Some(&id), Some(&answer));
        done.shown = created(&customer);
        let secrets = json::text(&customer, &["userCredentials", "password"]).map(|password| {
            let user = json::text(&customer, &["userCredentials", "userName"]).unwrap_or("admin");
            let domain = json::text(body, &["companyProfile", "domain"]).unwrap_or_default();
            OneTimeSecret {
                label: terminal(&format!("first password of {user}@{domain}")),
                secret: password.to_owned(),
            }
        });
        Ok(Sent::Acked(done, secrets.into_iter().collect()))
    }

    /// "Verify domain availability": 200 is taken, 404 is free.
    async fn domain_is_free(&self, write: &Write, body: &Json) -> Early<()> {
        let domain = json::text(body, &["companyProfile", "domain"]).unwrap_or_default();
        let out = Outgoing::new(Method::HEAD, &self.hosts.api, &["v1", "domains", domain]);
        let answer = self.ask(out, &write.tokens, Counted::Other).await.map_err(not_sent)?;
        match answer.status {
            404 => Ok(()),
            200..=299 => Err(Sent::Rejected(Refusal {
                status: Some(answer.status),
                ..said(
                    "domain-taken",
                    &format!("the domain {} is taken at Microsoft", terminal(domain)),
                    "choose another microsoft.domain; if an earlier creation failed, that may have reserved it: ask \
                     Partner Center support",
                )
            })),
            401 | 429 | 500..=599 => Err(Sent::NotSent(refusal(About::Any, &answer))),
            _ => Err(Sent::Rejected(refusal(About::Any, &answer))),
        }
    }

    /// "Validate an address": a bad one is a status, not an error. What has no data there passes.
    async fn address_is_good(&self, write: &Write, body: &Json) -> Early<()> {
        let out = Outgoing::new(Method::POST, &self.hosts.api, &["v1", "validations", "address"])
            .json(&fields::address_of(body));
        let answer = self.ask(out, &write.tokens, Counted::Other).await.map_err(not_sent)?;
        let document = match got(&answer, "write").map_err(not_sent)? {
            Got::Document(document) => document,
            Got::Refused(refusal) => return Err(Sent::Rejected(refusal)),
            Got::Unwell(refusal) => return Err(Sent::NotSent(refusal)),
        };
        let status = json::text(&document, &["status"]).unwrap_or_default();
        let words = match status.to_lowercase().as_str() {
            "none" => "Microsoft does not find the address",
            "streetpartial" => "Microsoft finds the street, not the house",
            "multiple" => "Microsoft finds several such addresses",
            "interactionrequired" => "Microsoft would write the address otherwise",
            _ => return Ok(()),
        };
        let better =
            json::items(&document, "suggestedAddresses").and_then(|all| all.first()).map(|address| {
                ["addressLine1", "postalCode", "city", "state", "country"]
                    .iter()
                    .filter_map(|name| json::text(address, &[*name]))
                    .map(terminal)
                    .collect::<Vec<_>>()
                    .join(", ")
            });
        let hint = match better.filter(|better| !better.is_empty()) {
            Some(better) => format!("correct company.address; Microsoft suggests: {better}"),
            None => "correct company.address: a creation that fails may reserve the domain".to_owned(),
        };
        Err(Sent::Rejected(said("address-invalid", words, &hint)))
    }

    async fn update(&self, request: &Request<'_>, began: Timestamp) -> Early<Sent> {
        let changes: Vec<Change> = request
            .draft
            .body
            .get("changes")
            .and_then(|changes| serde_json::from_value(changes.clone()).ok())
            .ok_or_else(|| {
                Sent::NotSent(said("unknown-request", "the draft has no changes", "plan again"))
            })?;
        let id = about(request).map_err(|refusal| Sent::NotSent(*refusal))?;
        let write = self.writing(false).await?;
        let path = ["v1", "customers", id.as_str(), "profiles", "billing"];
        let (answer, got) = self.fresh(write, &path).await?;
        let mut profile = match got {
            Got::Document(profile) => profile,
            Got::Refused(refusal) => return Ok(Sent::Rejected(refusal)),
            Got::Unwell(refusal) => return Ok(Sent::NotSent(refusal)),
        };
        match fields::moved(&profile, &changes) {
            Moved::No => {}
            Moved::Already => {
                let shown = fields::of_billing(&profile).into();
                return Ok(Sent::Acked(Ack { shown, ..ack(UPDATE, Some(id), Some(&answer)) }, Vec::new()));
            }
            Moved::Yes(labels) => {
                return Ok(Sent::NotSent(said(
                    "moved-on",
                    &format!("{} changed in Partner Center since it was planned", labels.join(", ")),
                    "run again, and look at the new plan",
                )));
            }
        }
        fields::write(&mut profile, &changes);
        let etag = json::text(&profile, &["attributes", "etag"]).map(str::to_owned);
        // The page wants If-Match with quotes, its own sample and the SDK send only the body's etag: both go.
        let mut out = Outgoing::new(Method::PUT, &self.hosts.api, &path).json(&profile);
        if let Some(etag) = etag {
            out = out.header("if-match", &format!("\"{etag}\""));
        }
        let answer = self.unsafely(write, out, request, began).await?;
        if !answer.success() {
            return Ok(Sent::Rejected(refusal(About::Any, &answer)));
        }
        match json::parse(answer.text().as_bytes()) {
            Some(profile) if profile.is_object() => {
                let shown = fields::of_billing(&profile).into();
                Ok(Sent::Acked(Ack { shown, ..ack(UPDATE, Some(id), Some(&answer)) }, Vec::new()))
            }
            _ => Ok(Sent::Ambiguous(format!("status {} without the profile", answer.status))),
        }
    }

    async fn detach(&self, request: &Request<'_>, began: Timestamp) -> Early<Sent> {
        let id = about(request).map_err(|refusal| Sent::NotSent(*refusal))?;
        let write = self.writing(true).await?;
        if let Some(answer) = self.is_gone(write, id).await? {
            return Ok(Sent::Acked(ack(DETACH, Some(id), Some(&answer)), Vec::new()));
        }
        let held = self.subscriptions(id, &write.tokens).await.map_err(not_sent)?;
        let Some(held) = held else {
            let words = "the customer's subscriptions could not be read again";
            return Ok(Sent::NotSent(said("vendor-unwell", words, "run again later")));
        };
        if let Some(refusal) = held.unreadable {
            return Ok(Sent::NotSent(*refusal));
        }
        let blockers: Vec<String> = held
            .licenses
            .iter()
            .filter_map(|license| license.blocks_end.as_ref())
            .map(|one| one.words.clone())
            .collect();
        if !blockers.is_empty() {
            return Ok(Sent::NotSent(said("still-licensed", &blockers.join("; "), "end them first")));
        }
        let out = Outgoing::new(Method::PATCH, &self.hosts.api, &["v1", "customers", id.as_str()])
            .json(&json!({"relationshipToPartner": "none", "attributes": {"objectType": "Customer"}}));
        let answer = self.unsafely(write, out, request, began).await?;
        let says_none = json::parse(answer.text().as_bytes())
            .as_ref()
            .and_then(|customer| json::text(customer, &["relationshipToPartner"]))
            .is_some_and(|relationship| relationship.eq_ignore_ascii_case("none"));
        if answer.success() && says_none {
            return Ok(Sent::Acked(ack(DETACH, Some(id), Some(&answer)), Vec::new()));
        }
        // A refusal of a removal has no documented code, and one of its codes also says that there is no relationship:
        // only the customer itself can tell.
        let gone = matches!(self.is_gone(write, id).await, Ok(Some(_)));
        Ok(match (gone, answer.success()) {
            (true, _) => Sent::Acked(ack(DETACH, Some(id), Some(&answer)), Vec::new()),
            (false, true) => Sent::Ambiguous(format!(
                "status {} that does not say that the relationship ended",
                answer.status
            )),
            (false, false) => Sent::Rejected(refusal(About::Any, &answer)),
        })
    }

    /// The answer that proves that there is no relationship with this customer; `None`: there is one.
    async fn is_gone(&self, write: &Write, id: &RemoteId) -> Early<Option<Answer>> {
        let (answer, got) = self.fresh(write, &["v1", "customers", id.as_str()]).await?;
        match got {
            Got::Document(customer) => match record(&customer) {
                Ok(None) => Ok(Some(answer)),
                _ => Ok(None),
            },
            Got::Refused(_) if proves_absence(&answer) => Ok(Some(answer)),
            Got::Refused(refusal) => Err(Sent::Rejected(refusal)),
            Got::Unwell(refusal) => Err(Sent::NotSent(refusal)),
        }
    }
}

fn about<'r>(request: &Request<'r>) -> Result<&'r RemoteId, Box<Refusal>> {
    request.remote_id.ok_or_else(|| Box::new(said("unknown-request", "no record is named", "plan again")))
}

/// What a creation's answer says the fields now are.
fn created(customer: &Json) -> Vec<(tenantry_engine::value::Field, tenantry_engine::value::Value)> {
    json::get(customer, "billingProfile")
        .map(|profile| fields::of_billing(profile).into())
        .unwrap_or_default()
}
