//! Sophos's terms: what a declaration means there, what it needs, what it causes.
//!
//! Pure. Sources: Sophos Postman collection (Partner API), Sophos Central Partner help (billing, unlinking, Partner
//! Assistance, groups).

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};
use tenantry_crd::console::{Naming, SophosConsole, SophosProgram};
use tenantry_crd::customer::{Contact, ContactRole, SophosBilling};
use tenantry_crd::license::LicenseType;
use tenantry_engine::action::Action;
use tenantry_engine::capability::{Capabilities, OperationClass, Row};
use tenantry_engine::console::{Ask, Dialect, Instructions, LicenseProjection, Projection, Subject};
use tenantry_engine::desired::{LicenseDecl, OpenAccount};
use tenantry_engine::observed::{Blocker, Facet, KeyKind};
use tenantry_engine::operation::{Ack, Draft, Next};
use tenantry_engine::plan::findings::{Code, Finding};
use tenantry_engine::plan::matching::Key;
use tenantry_engine::plan::{Consequence, Step};
use tenantry_engine::text::Untrusted;
use tenantry_engine::value::{Field, Value};

use super::{fields, instructions, records};

/// The vendor's name for its console.
pub(super) const TITLE: &str = "Sophos Central Partner";
/// Name of the request that creates a tenant.
pub(super) const CREATE: &str = "create-tenant";
/// Name of the request that changes the shown name.
pub(super) const RENAME: &str = "rename-tenant";

pub(super) struct SophosDialect {
    spec: SophosConsole,
    naming: Naming,
    capabilities: Capabilities,
}

impl SophosDialect {
    /// For a partner's credential.
    pub(super) fn new(spec: &SophosConsole, naming: Naming) -> Self {
        Self { spec: spec.clone(), naming, capabilities: fields::capabilities(spec, naming) }
    }

    /// For an organization's credential, which only reads.
    pub(super) fn read_only(self) -> Self {
        Self { capabilities: fields::read_only(self.capabilities), ..self }
    }

    fn flex(&self) -> bool {
        self.spec.program == SophosProgram::MspFlex
    }

    /// The name that the list shows.
    fn shown<'d>(&self, decl: &'d OpenAccount<'_>) -> &'d str {
        match (&decl.account.display_name, self.naming) {
            (Some(own), _) => own.as_str(),
            (None, Naming::Legal) => decl.customer.company.legal_name.as_str(),
            (None, Naming::Display | Naming::Ignore) => decl.customer.company.display_name(),
        }
    }

    /// Fields, and what the programme excludes. `need` hears of what a creation lacks: the path of the field and what
    /// it is.
    fn projected(
        &self,
        decl: &OpenAccount<'_>,
        mut need: impl FnMut(&dyn Fn() -> String, &str),
    ) -> Projection {
        let mut projection = Projection::default();
        let legal = decl.customer.company.legal_name.as_str();
        let shown = self.shown(decl);
        let mut put = |field: &'static str, value: Value| projection.fields.push((Field::of(field), value));
        match self.naming {
            Naming::Legal => put(fields::LEGAL_NAME, Value::text(shown)),
            Naming::Display | Naming::Ignore => {
                put(fields::LEGAL_NAME, Value::text(legal));
                put(fields::DISPLAY_NAME, Value::text(shown));
            }
        }
        let own = decl.account.sophos.as_ref();
        let mut gate = None;
        match own.and_then(|own| own.billing) {
            Some(SophosBilling::Trial) => put(fields::BILLING, Value::text("trial")),
            Some(SophosBilling::Usage) => {
                gate = self.monthly_gate(|| decl.path("sophos.billing"));
                if gate.is_none() {
                    put(fields::BILLING, Value::text("usage"));
                }
            }
            None => need(&|| decl.path("sophos.billing"), "billing: Trial or Usage"),
        }
        match own.and_then(|own| own.data_geography.as_deref()) {
            Some(geography) => put(fields::GEOGRAPHY, Value::text(geography)),
            None => need(&|| decl.path("sophos.dataGeography"), "a data geography"),
        }
        let contact = contact(decl);
        match contact {
            None => need(&|| "spec.contacts".to_owned(), "a contact at the customer"),
            Some((n, contact)) => {
                for (field, value, name, what) in [
                    (fields::FIRST_NAME, &contact.first_name, "firstName", "the contact's first name"),
                    (fields::LAST_NAME, &contact.last_name, "lastName", "the contact's last name"),
                    (fields::EMAIL, &contact.email, "email", "the contact's e-mail address"),
                    (fields::PHONE, &contact.phone, "phone", "the contact's phone number"),
                ] {
                    match value {
                        Some(value) => put(field, Value::text(value.clone())),
                        None => need(&|| format!("spec.contacts[{n}].{name}"), what),
                    }
                }
            }
        }
        let nowhere = tenantry_crd::customer::Address::default();
        let address = decl.customer.company.address.as_ref().unwrap_or(&nowhere);
        for (field, value, name, what) in [
            (fields::LINE1, &address.line1, "line1", Some("a street")),
            (fields::LINE2, &address.line2, "line2", None),
            (fields::CITY, &address.city, "city", Some("a town")),
            (fields::POSTAL_CODE, &address.postal_code, "postalCode", Some("a postal code")),
            (fields::STATE, &address.state, "state", None),
            (fields::COUNTRY, &address.country, "country", Some("a country")),
        ] {
            match (value, what) {
                (Some(value), _) => put(field, Value::text(value.clone())),
                (None, Some(what)) => need(&|| format!("spec.company.address.{name}"), what),
                (None, None) => {}
            }
        }
        if let Some(groups) = own.and_then(|own| own.groups.as_deref()) {
            let mut groups: Vec<Box<str>> = groups.iter().map(|group| group.trim().into()).collect();
            groups.sort();
            groups.dedup();
            put(fields::GROUPS, Value::List(groups.into()));
        }
        projection.refused = gate.into_iter().collect();
        projection
    }

    /// Keys by which its record can be found.
    fn keys(&self, decl: &OpenAccount<'_>) -> Vec<Key> {
        let contact = contact(decl);
        let address = decl.customer.company.address.as_ref();
        let street = address.and_then(|address| address.postal_code.as_deref().zip(address.line1.as_deref()));
        let keys = [
            Key::new(KeyKind::Name, &decl.customer.company.legal_name),
            Key::new(KeyKind::Name, self.shown(decl)),
            Key::new(KeyKind::Name, decl.customer.company.display_name()),
            contact.and_then(|(_, one)| Key::new(KeyKind::ContactEmail, one.email.as_deref()?)),
            contact.and_then(|(_, one)| Key::new(KeyKind::Phone, one.phone.as_deref()?)),
            street.and_then(|(code, line)| Key::new(KeyKind::PostcodeStreet, &format!("{code} {line}"))),
        ];
        let external = decl.customer.external_ids.values().map(|id| Key::new(KeyKind::ExternalId, id));
        let mut keys: Vec<Key> = keys.into_iter().chain(external).flatten().collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Monthly billing needs an MSP Flex contract (Sophos Central Partner help, Create Monthly Account).
    fn monthly_gate(&self, path: impl FnOnce() -> String) -> Option<Finding> {
        let program = match self.spec.program {
            SophosProgram::MspFlex => return None,
            SophosProgram::FlexConnect => "FlexConnect",
            SophosProgram::Reseller => "Reseller",
        };
        Some(
            Finding::new(
                Code::ProgramExcludes,
                format!("monthly billing needs an MSP Flex contract, and spec.sophos.program is {program}"),
            )
            .field(path())
            .next("declare billing: Trial, or a licence of type Paid")
            .next("if the contract is MSP Flex: program: MspFlex in the Console"),
        )
    }
}

/// Whether it is billed monthly, as the vendor shows it or as it will be.
fn monthly(subject: &Subject<'_>) -> bool {
    // What is not there yet will be what is declared.
    let Some(record) = subject.record else { return declared_monthly(subject) };
    let billed = record.field(fields::BILLING);
    let billed = billed.as_ref().and_then(Value::as_text);
    let licensed = subject.licenses.is_some_and(|read| {
        read.licenses.iter().any(|one| {
            one.in_force
                && one
                    .fields
                    .iter()
                    .any(|(field, value)| field.as_str() == fields::TYPE && value.as_text() == Some("usage"))
        })
    });
    billed == Some("usage") || licensed
}

/// Whether its declaration says that it is billed monthly.
fn declared_monthly(subject: &Subject<'_>) -> bool {
    subject.decl.and_then(|decl| decl.account.sophos.as_ref()?.billing) == Some(SophosBilling::Usage)
}

/// The person whom Sophos gets: the administrator, else the technical contact, else the first one declared.
fn contact<'a>(decl: &'a OpenAccount<'_>) -> Option<(usize, &'a Contact)> {
    let contacts = decl.customer.contacts.as_deref().unwrap_or_default();
    let with = |role| contacts.iter().enumerate().find(move |(_, one)| one.roles.contains(&role));
    with(ContactRole::Admin)
        .or_else(|| with(ContactRole::Technical))
        .or_else(|| contacts.iter().enumerate().next())
}

fn missing(path: String, what: &str) -> Finding {
    Finding::new(Code::MissingField, format!("{TITLE} creates no customer without {what}")).field(path)
}

impl Dialect for SophosDialect {
    fn title(&self) -> &str {
        TITLE
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn accepted_by(&self) -> &[KeyKind] {
        // The list shows neither a domain nor a login: an invited customer is recognised by its id alone.
        &[]
    }

    fn account(&self, decl: &OpenAccount<'_>) -> Projection {
        let mut need = Vec::new();
        let mut projection = self.projected(decl, |path, what| need.push(missing(path(), what)));
        projection.keys = self.keys(decl);
        projection.refused.extend(need);
        projection
    }

    fn managed(&self, decl: &OpenAccount<'_>) -> Projection {
        self.projected(decl, |_, _| {})
    }

    fn reads_accounts(&self) -> bool {
        false
    }

    fn license(&self, decl: &LicenseDecl<'_>) -> LicenseProjection {
        let mut projection = LicenseProjection::default();
        match decl.product.and_then(|product| product.sophos.as_ref()) {
            Some(product) => projection.article.clone_from(&product.code),
            None => projection.refused.push(
                Finding::new(Code::MissingField, "the Product has no Sophos code")
                    .field("spec.productRef")
                    .next("sophos: {code: …} in the Product"),
            ),
        }
        let kind = match decl.spec.type_ {
            LicenseType::Trial => "trial",
            LicenseType::Paid => "paid",
            LicenseType::Usage | LicenseType::Msp => "usage",
        };
        projection.fields.push((Field::of(fields::TYPE), Value::text(kind)));
        if kind == "usage" {
            projection.refused.extend(self.monthly_gate(|| "spec.type".to_owned()));
        } else if let Some(quantity) = decl.spec.quantity {
            projection.fields.push((Field::of(fields::QUANTITY), Value::Number(i64::from(quantity))));
        }
        projection
    }

    fn made_with(&self, license: &LicenseDecl<'_>) -> Option<(Field, Box<str>)> {
        // `products` of the create request is known from clients, not from the vendor: only where it is switched on.
        let projection = self.license(license);
        (self.spec.products_at_creation && projection.refused.is_empty())
            .then(|| (Field::of(fields::PRODUCTS), projection.article.into()))
    }

    fn same(&self, field: &Field, wanted: &Value, shown: &Value) -> bool {
        let (Some(want), Some(show)) = (wanted.as_text(), shown.as_text()) else { return wanted == shown };
        let key = |kind| Key::new(kind, want).is_some_and(|key| Key::new(kind, show) == Some(key));
        want.trim() == show.trim()
            || match field.as_str() {
                fields::EMAIL => key(KeyKind::ContactEmail),
                fields::PHONE => key(KeyKind::Phone),
                fields::GEOGRAPHY | fields::COUNTRY | fields::BILLING => want.eq_ignore_ascii_case(show),
                _ => false,
            }
    }

    fn consequences(&self, row: Row, action: Action, subject: &Subject<'_>) -> Vec<Consequence> {
        match (row, action) {
            (Row::Create, _) => {
                let words = if self.spec.products_at_creation {
                    "without a declared licence it gets the partner's default products"
                } else {
                    "it gets the partner's default products; others are a task afterwards"
                };
                let mut causes = vec![Consequence::new("default-products-apply", words, false)];
                if declared_monthly(subject) && self.flex() {
                    causes.push(Consequence::new(
                        "full-price-from-first-install",
                        "billing starts at the first product install, at the full price of the licence",
                        false,
                    ));
                    causes.push(Consequence::new(
                        "no-early-access",
                        "MSP Flex accounts mostly cannot join early access programmes",
                        false,
                    ));
                }
                causes
            }
            (Row::TrialToPaid, _) => {
                let mut causes = vec![Consequence::new(
                    "all-trials-converted",
                    "ends all product trials of this account at once; there is no way back to a trial",
                    false,
                )];
                if declared_monthly(subject) {
                    causes.push(Consequence::new(
                        "full-price-from-first-install",
                        "billing starts at the first product install, at the full price of the licence",
                        false,
                    ));
                }
                causes
            }
            (Row::Rename, _) => vec![Consequence::new(
                "name-propagates",
                "the customer sees the new name in its own console, and Salesforce gets it",
                false,
            )],
            (Row::BuyLicense, _) if monthly(subject) => vec![Consequence::new(
                "billed-when-installed",
                "costs the full price of the licence from the first install, even if only part of it is installed",
                false,
            )],
            (Row::BuyLicense, _) => vec![
                Consequence::new("key-is-final", "a licence key cannot be taken back", false),
                Consequence::new("trial-ends", "a trial of the same product line ends the day before", false),
            ],
            (Row::Detach, _) => {
                let mut causes = Vec::new();
                if monthly(subject) {
                    causes.push(Consequence::new(
                        "msp-licence-lost",
                        "the customer loses its MSP licences",
                        true,
                    ));
                    causes.push(Consequence::new(
                        "ends-on-the-first",
                        "unlinking takes effect on the 1st of the next month and is billed until then",
                        false,
                    ));
                }
                causes.push(Consequence::new(
                    "access-ends",
                    "we cannot open, bill or see this customer any more; nothing there is deleted",
                    false,
                ));
                causes
            }
            (Row::FewerSeats, Action::Remove) => {
                vec![Consequence::new(
                    "protection-ends",
                    "what this licence protects is protected no more",
                    false,
                )]
            }
            _ => Vec::new(),
        }
    }

    fn unknown(&self, subject: &Subject<'_>) -> Vec<(&'static str, Untrusted)> {
        let licenses = subject.licenses.map_or(&[][..], |read| &read.licenses);
        subject.record.map(|record| records::unknown(record, licenses)).unwrap_or_default()
    }

    fn brings_licenses(&self) -> bool {
        // The partner's default products (Sophos Central Partner help, Default products).
        true
    }

    fn blockers(&self, subject: &Subject<'_>) -> Vec<Blocker> {
        subject
            .licenses
            .map(|read| read.licenses.iter().filter_map(|one| one.blocks_end.clone()).collect())
            .unwrap_or_default()
    }

    fn facets_to_end(&self) -> BTreeSet<Facet> {
        [Facet::Licenses].into()
    }

    fn instructions(&self, ask: &Ask<'_>) -> Instructions {
        instructions::of(ask, monthly(&ask.subject))
    }

    fn next(&self, step: &Step, acked: &[Ack]) -> Next {
        if !acked.is_empty() {
            return Next::Finished;
        }
        let draft = |name, body| {
            Next::Operation(Draft { name, unsafe_request: true, class: OperationClass::Blind, body })
        };
        match (step.row, step.action) {
            (Row::Create, Action::Create) => draft(CREATE, create_body(step)),
            (Row::Rename, Action::Update) => {
                match step.new_text(fields::DISPLAY_NAME).or_else(|| step.new_text(fields::LEGAL_NAME)) {
                    Some(name) => draft(RENAME, json!({"showAs": name})),
                    None => Next::Finished,
                }
            }
            _ => Next::Finished,
        }
    }
}

/// The body of the create request (Sophos Postman collection, Partner API, create tenant).
fn create_body(step: &Step) -> Json {
    let pick = |pairs: &[(&str, &str)]| {
        let mut object = Map::new();
        for (key, field) in pairs {
            if let Some(text) = step.new_text(field) {
                object.insert((*key).to_owned(), Json::from(text));
            }
        }
        object
    };
    let mut body = pick(&[
        ("name", fields::LEGAL_NAME),
        ("showAs", fields::DISPLAY_NAME),
        ("dataGeography", fields::GEOGRAPHY),
        ("billingType", fields::BILLING),
    ]);
    if !body.contains_key("showAs")
        && let Some(name) = body.get("name").cloned()
    {
        body.insert("showAs".to_owned(), name);
    }
    let mut contact = pick(&[
        ("firstName", fields::FIRST_NAME),
        ("lastName", fields::LAST_NAME),
        ("email", fields::EMAIL),
        ("phone", fields::PHONE),
    ]);
    let address = pick(&[
        ("address1", fields::LINE1),
        ("address2", fields::LINE2),
        ("city", fields::CITY),
        ("state", fields::STATE),
        ("countryCode", fields::COUNTRY),
        ("postalCode", fields::POSTAL_CODE),
    ]);
    if let Some(Value::List(codes)) = step.new_value(fields::PRODUCTS) {
        let products: Vec<Json> = codes.iter().map(|code| json!({"code": code})).collect();
        body.insert("products".to_owned(), Json::Array(products));
    }
    contact.insert("address".to_owned(), Json::Object(address));
    body.insert("contact".to_owned(), Json::Object(contact));
    Json::Object(body)
}
