//! Reading customers and their details.
//!
//! Source: Partner Center REST, "Get a list of customers", "Get a customer's billing profile", "Get all of a customer's
//! subscriptions"; Graph v1.0, "List delegatedAdminRelationships". A list that breaks off is incomplete, never short;
//! a refusal about one customer is a fact of that customer.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value as Json;
use tenantry_engine::address::RemoteId;
use tenantry_engine::console::{ConsoleError, Reading, refusal_words};
use tenantry_engine::observed::{
    Census, DetailKey, Details, Facet, FacetRead, Fields, KeyKind, Record, Refusal,
};
use tenantry_engine::plan::matching::Key;
use tenantry_engine::text::terminal;
use tenantry_engine::value::{Field, FieldLists, Value};
use url::Url;

use super::console::PartnerCenter;
use super::dialect::TITLE;
use super::refusals::{About, refusal};
use super::{fields, json, licenses};
use crate::auth::Tokens;
use crate::transport::{Answer, Counted, Outgoing};

/// What one GET of Partner Center gave.
pub(super) enum Got {
    /// A JSON document.
    Document(Json),
    /// A refusal of this one thing: 403, 404, any other 4xx.
    Refused(Refusal),
    /// The vendor cannot answer now: 429 or 5xx after all repetitions.
    Unwell(Refusal),
}

/// What an answer to a GET means; a refused credential and a body that is none are errors.
pub(super) fn got(answer: &Answer, which: &'static str) -> Result<Got, ConsoleError> {
    match answer.status {
        200..=299 => match json::parse(answer.text().as_bytes()) {
            Some(document) => Ok(Got::Document(document)),
            None => Err(ConsoleError::Protocol {
                console: TITLE.into(),
                because: format!("status {} with {} bytes that are no JSON", answer.status, answer.bytes()),
            }),
        },
        401 => Err(ConsoleError::Credential {
            console: TITLE.into(),
            which,
            refusal: Box::new(refusal(About::Any, answer)),
        }),
        429 | 500..=599 => Ok(Got::Unwell(refusal(About::Any, answer))),
        _ => Ok(Got::Refused(refusal(About::Any, answer))),
    }
}

/// What a listed customer is to us.
enum Tie {
    Ours,
    Nobodys,
}

/// A customer is ours where Microsoft says `reseller`. `none` is no relationship, and `advisor`, `syndication` and
/// `microsoft_support` are not the one that may order: taking such a record for a customer would count an invitation
/// as accepted. A word that is not documented yet is kept: dropping it would make a bound customer look gone.
fn tie(relationship: Option<&str>) -> Tie {
    match relationship.map(str::to_lowercase).as_deref() {
        Some("none" | "advisor" | "syndication" | "microsoft_support" | "microsoftsupport") => Tie::Nobodys,
        _ => Tie::Ours,
    }
}

/// Whether Microsoft documents this relationship ("Customer resources", `relationshipToPartner`).
pub(super) fn known_tie(relationship: &str) -> bool {
    relationship.eq_ignore_ascii_case("reseller") || matches!(tie(Some(relationship)), Tie::Nobodys)
}

/// One listed customer; `Ok(None)`: not ours; `Err`: it has no id.
pub(super) fn record(item: &Json) -> Result<Option<Record>, ()> {
    let id = json::text(item, &["id"])
        .or_else(|| json::text(item, &["companyProfile", "tenantId"]))
        .map(str::to_lowercase)
        .ok_or(())?;
    let relationship = json::text(item, &["relationshipToPartner"]);
    if matches!(tie(relationship), Tie::Nobodys) {
        return Ok(None);
    }
    let name = json::text(item, &["companyProfile", "companyName"]).unwrap_or_default();
    let domain = json::text(item, &["companyProfile", "domain"]);
    let mut shown = Vec::with_capacity(4);
    if let Some(domain) = domain {
        shown.push((Field::of(fields::DOMAIN), Value::text(domain)));
    }
    let named = Value::text(name);
    if !name.is_empty() {
        shown.push((Field::of(fields::NAME), named.clone()));
        shown.push((Field::of(fields::DISPLAY_NAME), named.clone()));
    }
    if let Some(relationship) = relationship {
        shown.push((Field::of(fields::RELATIONSHIP), Value::text(relationship)));
    }
    let keys = domain
        .map(|domain| (KeyKind::TenantDomain, domain))
        .into_iter()
        .chain([(KeyKind::Name, name)])
        .filter_map(|(kind, raw)| Key::new(kind, raw));
    Ok(Some(Record::new(RemoteId::from(id), name, shown, keys)))
}

/// One page: its items, or why it is no whole page.
fn page(document: &Json) -> Result<&Vec<Json>, String> {
    let items = json::items(document, "items").ok_or("a page has no items")?;
    match json::number(document, &["totalCount"]) {
        // totalCount counts the page, not the list.
        Some(count) if usize::try_from(count) != Ok(items.len()) => {
            Err(format!("a page says that it has {count} customers and has {}", items.len()))
        }
        _ => Ok(items),
    }
}

impl PartnerCenter {
    /// Asks Partner Center or Graph.
    pub(super) async fn ask(
        &self,
        out: Outgoing,
        tokens: &Tokens,
        counts: Counted,
    ) -> Result<Answer, ConsoleError> {
        let out = out.header("accept", "application/json").header("ms-contract-version", "v1");
        self.reader.ask(&out, Some(tokens), counts).await
    }

    fn now(&self) -> Timestamp {
        self.runtime.clock.now()
    }

    /// The customer list.
    pub(super) async fn list(&self, reading: &dyn Reading) -> Result<Census, ConsoleError> {
        let began = self.now();
        if let super::capabilities::Answer::Refuses(why) = &self.found().customers {
            let because = format!("Partner Center does not list customers to an indirect reseller ({why})");
            return Ok(Census::new(began, began, Some(because), Vec::new()));
        }
        let mut records = Vec::new();
        let mut pages = 0_u32;
        let mut seen: BTreeSet<(String, Option<String>)> = BTreeSet::new();
        let mut url: Url = Outgoing::get(&self.hosts.api, &["v1", "customers"])
            .query("size", &self.page.to_string())
            .url()
            .clone();
        let mut token: Option<String> = None;
        let broke_off = loop {
            let mut out = Outgoing::to(Method::GET, url.clone());
            if let Some(token) = &token {
                out = out.header("ms-continuationtoken", token);
            }
            let answer = match self.ask(out, &self.api_tokens, Counted::Page).await {
                Ok(answer) => answer,
                Err(error @ (ConsoleError::Stopped | ConsoleError::Credential { .. })) => return Err(error),
                Err(error) if pages == 0 => return Err(error),
                Err(error) => break Some(error.to_string()),
            };
            let document = match got(&answer, "read") {
                Ok(Got::Document(document)) => document,
                Ok(Got::Refused(refusal) | Got::Unwell(refusal)) if pages == 0 => {
                    return Err(ConsoleError::Refused {
                        console: TITLE.into(),
                        doing: "list customers".into(),
                        refusal: Box::new(refusal),
                    });
                }
                Ok(Got::Refused(refusal) | Got::Unwell(refusal)) => break Some(refusal_words(&refusal)),
                Err(error @ ConsoleError::Credential { .. }) => return Err(error),
                Err(error) if pages == 0 => return Err(error),
                Err(error) => break Some(error.to_string()),
            };
            let items = match page(&document) {
                Ok(items) => items,
                Err(because) => break Some(because),
            };
            let mut nameless = 0_usize;
            for item in items {
                match record(item) {
                    Ok(record) => records.extend(record),
                    Err(()) => nameless += 1,
                }
            }
            pages += 1;
            reading.page(pages, records.len(), None);
            if nameless > 0 {
                break Some(format!("{nameless} customers on page {pages} have no id"));
            }
            let Some(next) = json::next_page(&document) else { break None };
            token = next
                .headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("MS-ContinuationToken"))
                .map(|(_, value)| value.clone());
            let Some(linked) = self.hosts.linked(&next.uri) else {
                break Some("the link to the next page cannot be read".into());
            };
            if !seen.insert((linked.to_string(), token.clone())) {
                break Some("the list leads back to a page that was read already".into());
            }
            url = linked;
        };
        let because = broke_off.map(|because| format!("after {pages} pages: {}", terminal(&because)));
        Ok(Census::new(began, self.now(), because, records))
    }

    /// Wanted details, as many at once as the pace allows. What the vendor cannot answer now is left out.
    pub(super) async fn read(
        &self,
        wanted: &[DetailKey],
        reading: &dyn Reading,
    ) -> Result<Details, ConsoleError> {
        let mut details = Details::new();
        let mut lists = FieldLists::default();
        let mut reads = stream::iter(wanted.to_vec())
            .map(|key| async move {
                let read = self.one(&key).await;
                (key, read)
            })
            .buffer_unordered(self.reader.pace().concurrency().max(1));
        while let Some((key, read)) = reads.next().await {
            match read {
                Ok(Some(mut read)) => {
                    read.fields.share(&mut lists);
                    details.insert(key, read.into());
                    reading.detail(details.len());
                }
                // It did not answer after all repetitions: what is left is not compared in this run.
                Ok(None) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(details)
    }

    async fn one(&self, key: &DetailKey) -> Result<Option<FacetRead>, ConsoleError> {
        match key.facet {
            Facet::Account => self.billing(&key.id).await,
            Facet::Licenses => self.subscriptions(&key.id, &self.api_tokens).await,
            Facet::Access => self.rights(&key.id).await,
        }
    }

    async fn billing(&self, id: &RemoteId) -> Result<Option<FacetRead>, ConsoleError> {
        let as_of = self.now();
        let out = Outgoing::get(&self.hosts.api, &["v1", "customers", id.as_str(), "profiles", "billing"]);
        let answer = self.ask(out, &self.api_tokens, Counted::Detail).await?;
        Ok(match got(&answer, "read")? {
            Got::Document(profile) => {
                Some(FacetRead { fields: fields::of_billing(&profile), ..read_at(as_of) })
            }
            Got::Refused(refusal) => Some(FacetRead { unreadable: Some(refusal.into()), ..read_at(as_of) }),
            Got::Unwell(_) => None,
        })
    }

    /// A customer's subscriptions.
    pub(super) async fn subscriptions(
        &self,
        id: &RemoteId,
        tokens: &Tokens,
    ) -> Result<Option<FacetRead>, ConsoleError> {
        let as_of = self.now();
        let mut held = Vec::new();
        let mut out = Outgoing::get(&self.hosts.api, &["v1", "customers", id.as_str(), "subscriptions"]);
        let mut seen = BTreeSet::new();
        loop {
            let answer = self.ask(out, tokens, Counted::Detail).await?;
            let document = match got(&answer, "read")? {
                Got::Document(document) => document,
                Got::Refused(refusal) => {
                    return Ok(Some(FacetRead { unreadable: Some(refusal.into()), ..read_at(as_of) }));
                }
                Got::Unwell(_) => return Ok(None),
            };
            let items = page(&document)
                .map_err(|because| ConsoleError::Protocol { console: TITLE.into(), because })?;
            held.extend(items.iter().filter_map(|item| licenses::record(item, as_of)));
            let Some(next) = json::next_page(&document) else { break };
            let token = next.headers.first().map(|(_, value)| value.clone());
            let Some(url) =
                self.hosts.linked(&next.uri).filter(|url| seen.insert((url.to_string(), token.clone())))
            else {
                return Ok(None);
            };
            out = Outgoing::to(Method::GET, url);
            if let Some(token) = token {
                out = out.header("ms-continuationtoken", &token);
            }
        }
        held.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Some(FacetRead { licenses: held, ..read_at(as_of) }))
    }

    /// Delegated admin relationships that have not ended, and whether the older privileges are granted.
    async fn rights(&self, id: &RemoteId) -> Result<Option<FacetRead>, ConsoleError> {
        let as_of = self.now();
        let Some(tenant) = json::guid(id.as_str()) else {
            // Only tenant ids stand in this filter, so that no other text can widen it.
            let refusal = super::send::said("invalid-customer-id", "the customer id is no tenant id", "");
            return Ok(Some(FacetRead { unreadable: Some(refusal.into()), ..read_at(as_of) }));
        };
        let mut names: Vec<Box<str>> = Vec::new();
        let mut out = self
            .graph(&["tenantRelationships", "delegatedAdminRelationships"])
            .query("$filter", &format!("customer/tenantId eq '{tenant}'"));
        let mut seen = BTreeSet::new();
        loop {
            let answer = self.ask(out, &self.graph_tokens, Counted::Detail).await?;
            let document = match got(&answer, "read")? {
                Got::Document(document) => document,
                Got::Refused(refusal) => {
                    return Ok(Some(FacetRead { unreadable: Some(refusal.into()), ..read_at(as_of) }));
                }
                Got::Unwell(_) => return Ok(None),
            };
            let Some(items) = json::items(&document, "value") else {
                return Err(ConsoleError::Protocol {
                    console: TITLE.into(),
                    because: "Graph's list of delegated admin relationships has no value".into(),
                });
            };
            names.extend(items.iter().filter(|item| lives(item)).map(|item| {
                json::text(item, &["displayName"]).or_else(|| json::text(item, &["id"])).unwrap_or("?").into()
            }));
            let Some(next) = json::text(&document, &["@odata.nextLink"]) else { break };
            let Some(url) = Url::parse(next).ok().filter(|url| seen.insert(url.to_string())) else {
                return Ok(None);
            };
            out = Outgoing::to(Method::GET, url);
        }
        names.sort();
        let count = i64::try_from(names.len()).unwrap_or(i64::MAX);
        let mut shown = vec![
            (Field::of(fields::RIGHTS), Value::Number(count)),
            (Field::of(fields::RIGHTS_NAMES), Value::List(names.into())),
        ];
        // Only the customer itself says whether the older privileges are granted; where it is not shown, that stays
        // unknown without hiding the rest.
        let out = Outgoing::get(&self.hosts.api, &["v1", "customers", id.as_str()]);
        let answer = self.ask(out, &self.api_tokens, Counted::Detail).await?;
        if let Got::Document(customer) = got(&answer, "read")?
            && let Some(granted) = json::flag(&customer, &["allowDelegatedAccess"])
        {
            shown.push((Field::of(fields::PRIVILEGES), Value::Bool(granted)));
        }
        Ok(Some(FacetRead { fields: shown.into(), ..read_at(as_of) }))
    }

    /// A request to Graph.
    pub(super) fn graph(&self, segments: &[&str]) -> Outgoing {
        let mut all = vec!["v1.0"];
        all.extend(segments);
        Outgoing::get(&self.hosts.graph, &all)
    }
}

/// Whether a relationship may still give rights, or come to: anything but a status that says that it has ended.
fn lives(relationship: &Json) -> bool {
    !json::text(relationship, &["status"])
        .is_some_and(|status| matches!(status.to_lowercase().as_str(), "expired" | "terminated"))
}

fn read_at(as_of: Timestamp) -> FacetRead {
    FacetRead { as_of, unreadable: None, fields: Fields::default(), licenses: Vec::new() }
}

#[cfg(test)]
mod tests;
