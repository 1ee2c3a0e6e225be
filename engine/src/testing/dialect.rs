//! The terms of the in-memory console.

use std::collections::BTreeSet;

use crate::action::Action;
use crate::capability::{By, Capabilities, OperationClass, Party, Row};
use crate::console::{Ask, Dialect, Instructions, LicenseProjection, Projection, Subject};
use crate::desired::{LicenseDecl, OpenAccount};
use crate::observed::{Blocker, Facet, KeyKind};
use crate::operation::{Ack, Draft, Next};
use crate::plan::matching::Key;
use crate::plan::{Consequence, Step};
use crate::value::{Field, Value};

/// What this console is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Who creates.
    pub create: By,
    /// Who detaches and removes.
    pub end: By,
    /// A creation takes two requests: the tenant, then its profile.
    pub two_requests: bool,
    /// Ending needs the consent `access-lost`.
    pub consent: bool,
    /// What it honours.
    pub class: OperationClass,
    /// Its lists show e-mail domains beside names.
    pub shows_domains: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            create: By::Api,
            end: By::Api,
            two_requests: false,
            consent: false,
            class: OperationClass::Blind,
            shows_domains: true,
        }
    }
}

/// The dialect.
#[derive(Debug, Clone)]
pub struct MemoryDialect {
    terms: Terms,
    caps: Capabilities,
}

/// A field that the list shows.
pub const WEBSITE: &str = "website";
/// A field that only the account's details show.
pub const PHONE: &str = "phone";
/// A field that nothing shows.
pub const NUMBER: &str = "number";

impl MemoryDialect {
    /// With these terms.
    pub fn new(terms: Terms) -> Self {
        let class = terms.class;
        let caps = Capabilities::default()
            .with(Row::Census, By::Api, class, true, "")
            .with(Row::Create, terms.create, class, false, "")
            .with(Row::Invite, By::Api, class, false, "")
            .with(Row::Adopt, By::Api, class, true, "")
            .with(Row::UpdateContact, By::Api, class, true, "")
            .with(Row::Rename, By::Api, class, true, "")
            .with(Row::BuyLicense, By::Person(Party::Operator), class, false, "")
            .with(Row::MoreSeats, By::Person(Party::Operator), class, false, "")
            .with(Row::FewerSeats, By::Person(Party::Operator), class, false, "")
            .with(Row::Detach, terms.end, class, false, "")
            .with(Row::Remove, terms.end, class, false, "")
            .field("name", "name", Row::Rename, true)
            .field(WEBSITE, "website", Row::UpdateContact, true)
            .field(PHONE, "phone", Row::UpdateContact, true)
            .field(NUMBER, "registration number", Row::UpdateContact, false);
        Self { terms, caps }
    }

    /// What it is like.
    pub fn terms(&self) -> Terms {
        self.terms
    }

    fn draft(&self, name: &'static str, step: &Step, fields: &[&str]) -> Next {
        let mut body = serde_json::Map::new();
        for change in step.changes.iter().filter(|change| fields.contains(&change.field.as_str())) {
            if let Some(text) = change.new.as_ref().and_then(Value::as_text) {
                body.insert(change.field.to_string(), text.into());
            }
        }
        for key in step.inside.keys.iter().filter(|key| key.kind == KeyKind::TenantDomain) {
            body.insert("domain".into(), (*key.value).into());
        }
        Next::Operation(Draft { name, unsafe_request: true, class: self.terms.class, body: body.into() })
    }
}

const ALL: [&str; 4] = ["name", WEBSITE, PHONE, NUMBER];

impl Dialect for MemoryDialect {
    fn title(&self) -> &'static str {
        "Memory Console"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.caps
    }

    fn accepted_by(&self) -> &[KeyKind] {
        &[KeyKind::TenantDomain]
    }

    fn account(&self, decl: &OpenAccount<'_>) -> Projection {
        let company = &decl.customer.company;
        let mut projection = Projection::default();
        projection.fields.push((Field::of("name"), Value::text(company.legal_name.as_str())));
        if let Some(website) = &company.website {
            projection.fields.push((Field::of(WEBSITE), Value::text(website.as_str())));
        }
        if let Some(number) = &company.registration_number {
            projection.fields.push((Field::of(NUMBER), Value::text(number.as_str())));
        }
        if let Some(phone) = decl.customer.contacts.iter().flatten().find_map(|one| one.phone.as_deref()) {
            projection.fields.push((Field::of(PHONE), Value::text(phone)));
            projection.facets.insert(Facet::Account);
        }
        let domains = company.domains.iter().flatten().map(|one| (KeyKind::TenantDomain, one.as_str()));
        projection.keys = std::iter::once((KeyKind::Name, company.legal_name.as_str()))
            .chain(domains)
            .filter_map(|(kind, raw)| Key::new(kind, raw))
            .collect();
        projection
    }

    fn license(&self, decl: &LicenseDecl<'_>) -> LicenseProjection {
        let mut projection = LicenseProjection {
            article: decl.spec.product_ref.name.to_string(),
            ..LicenseProjection::default()
        };
        if let Some(quantity) = decl.spec.quantity {
            projection.fields.push((Field::of("quantity"), Value::Number(i64::from(quantity))));
        }
        projection
    }

    /// The console keeps websites in lower case and shows `HTTP` and `http` alike.
    fn same(&self, field: &Field, wanted: &Value, shown: &Value) -> bool {
        match (field.as_str(), wanted, shown) {
            (WEBSITE, Value::Text(wanted), Value::Text(shown)) => wanted.eq_ignore_ascii_case(shown.as_str()),
            _ => wanted == shown,
        }
    }

    fn consequences(&self, _: Row, action: Action, _: &Subject<'_>) -> Vec<Consequence> {
        if !action.ends() {
            return vec![];
        }
        vec![Consequence::new("access-lost", "we lose access", self.terms.consent)]
    }

    fn blockers(&self, subject: &Subject<'_>) -> Vec<Blocker> {
        subject
            .licenses
            .iter()
            .flat_map(|read| &read.licenses)
            .filter_map(|one| one.blocks_end.clone())
            .collect()
    }

    fn facets_to_end(&self) -> BTreeSet<Facet> {
        BTreeSet::new()
    }

    fn instructions(&self, ask: &Ask<'_>) -> Instructions {
        Instructions {
            title: format!("{} {}", ask.action.name(), ask.subject.shown_name()),
            verb: ask.action.name(),
            party: Party::Operator,
            at: self.title().into(),
            steps: vec!["Customers".into()],
            consequences: vec![],
            observable: ask.row != Row::Suspend,
        }
    }

    fn next(&self, step: &Step, acked: &[Ack]) -> Next {
        match (step.action, acked.len()) {
            (Action::Create, 0) if self.terms.two_requests => self.draft("create-tenant", step, &["name"]),
            (Action::Create, 1) if self.terms.two_requests => self.draft("set-profile", step, &ALL[1..]),
            (Action::Create, 0) => self.draft("create-tenant", step, &ALL),
            (Action::Update, 0) => self.draft("set-profile", step, &ALL),
            (Action::Detach | Action::Remove, 0) => self.draft("end-tenant", step, &[]),
            (Action::Invite, 0) => Next::Operation(Draft {
                name: "invitation-link",
                unsafe_request: false,
                class: self.terms.class,
                body: serde_json::Value::Null,
            }),
            _ => Next::Finished,
        }
    }
}
