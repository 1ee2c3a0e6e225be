//! Reads a scenario, plans it, and compares what a person would read with `plan.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tenantry_crd::AnyObject;
use tenantry_engine::action::Action;
use tenantry_engine::address::{Address, RemoteId};
use tenantry_engine::capability::{By, Capabilities, OperationClass, Row};
use tenantry_engine::console::{Ask, Dialect, Instructions, LicenseProjection, Projection, Subject};
use tenantry_engine::declare::{Declarations, Declared, declare};
use tenantry_engine::desired::{LicenseDecl, OpenAccount};
use tenantry_engine::ledger::GuardKind;
use tenantry_engine::observed::{
    Blocker, Census, DetailKey, Details, Facet, FacetRead, Identity, KeyKind, LicenseRecord, Observed,
    ReadCost, Record, Refusal,
};
use tenantry_engine::operation::{Ack, Next};
use tenantry_engine::origin::{Origin, Scope};
use tenantry_engine::plan::matching::Key;
use tenantry_engine::plan::{
    Approvals, Consequence, Fingerprint, Patience, Planned, PlanningInput, Step, plan,
};
use tenantry_engine::render::{Paint, text};
use tenantry_engine::testing::{MemoryDialect, Terms};
use tenantry_engine::text::Untrusted;
use tenantry_engine::value::{Field, Value};

use crate::remembered::Remembered;

/// What `observed.json` says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Scene {
    now: Timestamp,
    /// Who can do what, where it is other than in the in-memory console.
    who: BTreeMap<Row, By>,
    /// Ending needs the consent `access-lost`.
    consent: bool,
    /// A new account may bring licences along.
    brings_licenses: bool,
    /// Files that were read beside desired.yaml.
    read: BTreeSet<String>,
    /// Why the list did not arrive whole.
    incomplete: Option<String>,
    records: BTreeMap<String, Shown>,
    ledger: Remembered,
    approvals: Allowed,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            now: "2026-03-02T08:00:00Z".parse().expect("a moment"),
            who: BTreeMap::new(),
            consent: false,
            brings_licenses: false,
            read: BTreeSet::new(),
            incomplete: None,
            records: BTreeMap::new(),
            ledger: Remembered::default(),
            approvals: Allowed::default(),
        }
    }
}

/// One record of the console.
#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Shown {
    name: String,
    domain: Option<String>,
    /// Fields that the list shows beside the name.
    fields: BTreeMap<String, String>,
    /// Its licences, where they were read.
    licenses: Option<Vec<License>>,
    /// The vendor's words why its licences are not shown.
    licenses_refused: Option<String>,
    /// What is told of it beyond the list was read before this list began.
    read_before: bool,
    /// Its details, where they were read.
    details: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct License {
    id: RemoteId,
    article: String,
    quantity: Option<i64>,
}

/// What a person allowed.
#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Allowed {
    allow: BTreeMap<GuardKind, u32>,
    first_run: bool,
    approve: BTreeSet<Fingerprint>,
    /// `CODE@ADDRESS`.
    consents: Vec<String>,
    correct_drift: bool,
}

impl Allowed {
    fn approvals(&self) -> Approvals {
        let consent = |text: &String| {
            let (code, address) = text.split_once('@').expect("CODE@ADDRESS");
            (code.to_owned(), address.parse::<Address>().expect("an address"))
        };
        Approvals {
            allow: self.allow.clone(),
            first_run: self.first_run,
            census: false,
            approve: self.approve.clone(),
            consents: self.consents.iter().map(consent).collect(),
            correct_drift: self.correct_drift,
            remind: BTreeSet::new(),
        }
    }
}

impl Scene {
    fn observed(&self) -> Observed {
        let as_of = self.now;
        let records = self.records.iter().map(|(id, one)| {
            let keys = std::iter::once((KeyKind::Name, one.name.as_str()))
                .chain(one.domain.as_deref().map(|domain| (KeyKind::TenantDomain, domain)));
            let fields = std::iter::once((Field::of("name"), Value::text(one.name.as_str())));
            let more = one
                .fields
                .iter()
                .map(|(field, value)| (Field::owned(field.clone()), Value::text(value.as_str())));
            let keys = keys.filter_map(|(kind, raw)| Key::new(kind, raw));
            Record::new(RemoteId::from(id.as_str()), &one.name, fields.chain(more), keys)
        });
        let mut details = Details::new();
        for (id, one) in &self.records {
            let mut put = |facet, read: FacetRead| {
                details.insert(DetailKey { id: RemoteId::from(id.as_str()), facet }, read.into());
            };
            let as_of = if one.read_before { as_of - SignedDuration::from_hours(1) } else { as_of };
            let read = FacetRead { as_of, unreadable: None, fields: vec![].into(), licenses: vec![] };
            if let Some(licenses) = &one.licenses {
                put(
                    Facet::Licenses,
                    FacetRead { licenses: licenses.iter().map(License::record).collect(), ..read.clone() },
                );
            }
            if let Some(words) = &one.licenses_refused {
                put(Facet::Licenses, FacetRead { unreadable: Some(refusal(words).into()), ..read.clone() });
            }
            if let Some(shown) = &one.details {
                let fields = shown
                    .iter()
                    .map(|(field, value)| (Field::owned(field.clone()), Value::text(value.as_str())));
                put(Facet::Account, FacetRead { fields: fields.collect(), ..read });
            }
        }
        Observed {
            identity: Identity {
                vendor_account: "memory:one".into(),
                title: "Memory Console".into(),
                probed: serde_json::Value::Null,
            },
            census: Census::new(as_of, as_of, self.incomplete.clone(), records.collect()),
            details,
            cost: ReadCost::default(),
        }
    }
}

impl License {
    fn record(&self) -> LicenseRecord {
        LicenseRecord {
            id: self.id.clone(),
            article: Untrusted::new(self.article.as_str()),
            in_force: true,
            status: "active".into(),
            fields: self.quantity.map(|n| (Field::of("quantity"), Value::Number(n))).into_iter().collect(),
            blocks_end: None,
        }
    }
}

fn refusal(words: &str) -> Refusal {
    Refusal {
        code: "refused".into(),
        status: Some(403),
        vendor_code: None,
        words: words.into(),
        hint: String::new(),
        request_id: None,
        correlation_id: None,
    }
}

/// The in-memory console's terms, with other people at some of its rows.
struct Other {
    inner: MemoryDialect,
    caps: Capabilities,
    brings_licenses: bool,
}

impl Dialect for Other {
    fn title(&self) -> &str {
        self.inner.title()
    }
    fn capabilities(&self) -> &Capabilities {
        &self.caps
    }
    fn accepted_by(&self) -> &[KeyKind] {
        self.inner.accepted_by()
    }
    fn account(&self, decl: &OpenAccount<'_>) -> Projection {
        self.inner.account(decl)
    }
    fn license(&self, decl: &LicenseDecl<'_>) -> LicenseProjection {
        self.inner.license(decl)
    }
    fn same(&self, field: &Field, wanted: &Value, shown: &Value) -> bool {
        self.inner.same(field, wanted, shown)
    }
    fn consequences(&self, row: Row, action: Action, subject: &Subject<'_>) -> Vec<Consequence> {
        self.inner.consequences(row, action, subject)
    }
    /// No console knows a website that begins with `novel`.
    fn unknown(&self, subject: &Subject<'_>) -> Vec<(&'static str, Untrusted)> {
        let website = subject.record.and_then(|record| record.field("website"));
        let novel = website.as_ref().and_then(Value::as_text).filter(|text| text.starts_with("novel"));
        novel.map(|text| ("website", Untrusted::new(text))).into_iter().collect()
    }
    fn brings_licenses(&self) -> bool {
        self.brings_licenses
    }
    fn blockers(&self, subject: &Subject<'_>) -> Vec<Blocker> {
        self.inner.blockers(subject)
    }
    fn facets_to_end(&self) -> BTreeSet<Facet> {
        self.inner.facets_to_end()
    }
    fn instructions(&self, ask: &Ask<'_>) -> Instructions {
        self.inner.instructions(ask)
    }
    fn next(&self, step: &Step, acked: &[Ack]) -> Next {
        self.inner.next(step, acked)
    }
}

struct Read(BTreeSet<String>);

impl Scope for Read {
    fn was_read(&self, origin: &Origin, _: &Address) -> bool {
        matches!(origin, Origin::File { path, .. } if **path == *"desired.yaml" || self.0.contains(&**path))
    }
}

/// Where the scenarios are.
pub fn place() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/planner")
}

/// Plans the scenario of this name.
///
/// # Panics
/// Where its plan is another one than `plan.txt`.
pub fn run(name: &str) {
    let dir = place().join(name);
    let read = |file: &str| {
        fs::read_to_string(dir.join(file)).unwrap_or_else(|error| panic!("{}/{file}: {error}", dir.display()))
    };
    let scene: Scene = serde_json::from_str(&read("observed.json"))
        .unwrap_or_else(|error| panic!("{name}/observed.json: {error}"));
    let documents: Vec<serde_json::Value> = serde_saphyr::from_multiple(&read("desired.yaml"))
        .unwrap_or_else(|error| panic!("{name}/desired.yaml: {error}"));
    let objects: Vec<AnyObject> = documents
        .into_iter()
        .map(|one| {
            AnyObject::from_value(one).unwrap_or_else(|error| panic!("{name}/desired.yaml: {error:?}"))
        })
        .collect();
    let shown = show(&scene, &objects);
    let path = dir.join("plan.txt");
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs::write(&path, &shown).expect("the scenario is writable");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(expected, shown, "{}: another plan", path.display());
}

fn show(scene: &Scene, objects: &[AnyObject]) -> String {
    let no_labels = BTreeMap::new();
    let mut all = Declarations::default();
    for (n, object) in objects.iter().enumerate() {
        let origin = Origin::file("desired.yaml", u32::try_from(n).expect("few") + 1, 1);
        macro_rules! put {
            ($list:ident, $object:expr) => {
                all.$list.push(Declared {
                    namespace: "default",
                    name: $object.metadata.name.as_deref().expect("a name"),
                    labels: $object.metadata.labels.as_ref().unwrap_or(&no_labels),
                    origin,
                    spec: (&$object.spec).into(),
                })
            };
        }
        match object {
            AnyObject::Console(object) => put!(consoles, object),
            AnyObject::Customer(object) => put!(customers, object),
            AnyObject::Product(object) => put!(products, object),
            AnyObject::License(object) => put!(licenses, object),
            AnyObject::Relationship(object) => put!(relationships, object),
            AnyObject::Attestation(object) => put!(attestations, object),
            other => all.without_behaviour.push((other.kind().as_str(), origin)),
        }
    }
    let scope = Read(scene.read.clone());
    let declaration = declare(&all, &scope);
    let desired = declaration.consoles.values().next().expect("one Console");
    let inner = MemoryDialect::new(Terms { consent: scene.consent, ..Terms::default() });
    let mut caps = inner.capabilities().clone();
    for (row, by) in &scene.who {
        caps = caps.with(*row, *by, OperationClass::Blind, true, "");
    }
    let planned = plan(&PlanningInput {
        desired,
        observed: &scene.observed(),
        ledger: &scene.ledger.ledger(scene.now),
        dialect: &Other { inner, caps, brings_licenses: scene.brings_licenses },
        approvals: &scene.approvals.approvals(),
        now: scene.now,
        patience: Patience {
            request_timeout: SignedDuration::from_secs(60),
            settle: SignedDuration::from_mins(15),
        },
    });
    let mut out = text::plans(std::slice::from_ref(&planned.plan), &declaration.findings, Paint::default());
    beside(&mut out, &planned);
    out
}

/// What a plan text does not hold: what observation alone changes in the ledger, and what drifted.
fn beside(out: &mut String, planned: &Planned) {
    for upkeep in &planned.upkeep {
        for (what, words) in &upkeep.events {
            let _ = writeln!(out, "ledger: {} {what} {words}", upkeep.address);
        }
    }
    for one in &planned.drift {
        let _ = writeln!(out, "drift: {} {}", one.address, one.change.label);
    }
}
