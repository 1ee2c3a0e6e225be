//! Partner Center's terms: the pure half of the adapter.
//!
//! Never opens a connection, reads a clock or guesses: what probing found comes in once, through [`Found`].

use std::collections::BTreeSet;

use serde_json::json;
use tenantry_crd::ConsoleSpec;
use tenantry_crd::console::{MicrosoftConsole, MicrosoftPosition, MicrosoftProvider, Naming};
use tenantry_engine::action::Action;
use tenantry_engine::capability::{Capabilities, OperationClass, Row};
use tenantry_engine::console::{Ask, Dialect, Instructions, LicenseProjection, Projection, Subject};
use tenantry_engine::desired::{LicenseDecl, OpenAccount};
use tenantry_engine::observed::{Blocker, Facet, KeyKind};
use tenantry_engine::operation::{Ack, Draft, Next};
use tenantry_engine::plan::matching::Excluded;
use tenantry_engine::plan::{Consequence, Step};
use tenantry_engine::text::Untrusted;
use tenantry_engine::value::{Field, Value};

use super::capabilities::{Found, capabilities, reads};
use super::{account, fields, instructions, licenses};

/// How the vendor calls its console.
pub(super) const TITLE: &str = "Partner Center";

/// Consent: rights in the customer's tenant outlive the relationship.
pub(super) const RIGHTS_STAY: &str = "delegated-rights-stay";
/// Consent: nobody but us tells the customer.
pub(super) const CUSTOMER_TOLD: &str = "customer-told";

/// Names of the requests that steps are made of.
pub(super) const CREATE: &str = "create-customer";
pub(super) const LINK: &str = "relationship-link";
pub(super) const UPDATE: &str = "update-billing-profile";
pub(super) const DETACH: &str = "remove-relationship";

/// What of the Console's declaration the terms depend on.
pub(super) struct Terms {
    pub position: MicrosoftPosition,
    pub naming: Naming,
    pub own: Excluded,
    /// Whether a first password has somewhere to go.
    pub secrets: bool,
    pub providers: Vec<MicrosoftProvider>,
    /// Whether billing profiles are read.
    pub billing: bool,
}

/// The pure half of one Microsoft console.
pub struct MicrosoftDialect {
    pub(super) terms: Terms,
    found: Found,
    table: Capabilities,
}

impl MicrosoftDialect {
    /// From the declaration and what probing found; [`Found::default`] before anybody asked.
    pub fn new(spec: &ConsoleSpec, microsoft: &MicrosoftConsole, found: Found) -> Self {
        Self {
            terms: Terms {
                position: microsoft.partner,
                naming: spec.naming,
                own: Excluded::new(spec.own_domains.iter().map(String::as_str)),
                secrets: spec.one_time_secrets.is_some(),
                providers: microsoft.providers.clone(),
                billing: reads(microsoft.partner, &found.billing),
            },
            table: capabilities(microsoft.partner, &found),
            found,
        }
    }

    fn reseller(&self) -> bool {
        self.terms.position == MicrosoftPosition::IndirectReseller
    }
}

/// What removal leaves behind: its words, and whether somebody must say that this is wanted.
fn rights(subject: &Subject<'_>) -> Option<String> {
    let Some(read) = subject.access.filter(|read| read.unreadable.is_none()) else {
        return Some("delegated admin rights, if there are any, stay: they could not be looked at".into());
    };
    let Some(Value::Number(count)) = read.field(fields::RIGHTS) else {
        return Some("delegated admin rights, if there are any, stay: they could not be counted".into());
    };
    let names = read.field(fields::RIGHTS_NAMES).as_ref().map(Value::terminal).unwrap_or_default();
    let privileges = matches!(read.field(fields::PRIVILEGES), Some(Value::Bool(true)));
    let mut words = Vec::new();
    match count {
        0 => {}
        1 => words.push(format!("1 delegated admin relationship stays ({names})")),
        several => words.push(format!("{several} delegated admin relationships stay ({names})")),
    }
    if privileges {
        words.push("delegated admin privileges (DAP) stay".to_owned());
    }
    (!words.is_empty()).then(|| format!("{}: end them first, or consent", words.join("; ")))
}

impl Dialect for MicrosoftDialect {
    fn title(&self) -> &str {
        TITLE
    }

    fn capabilities(&self) -> &Capabilities {
        &self.table
    }

    fn accepted_by(&self) -> &[KeyKind] {
        &[KeyKind::TenantDomain]
    }

    fn account(&self, decl: &OpenAccount<'_>) -> Projection {
        account::project(&self.terms, decl)
    }

    fn managed(&self, decl: &OpenAccount<'_>) -> Projection {
        account::managed(&self.terms, decl)
    }

    fn license(&self, decl: &LicenseDecl<'_>) -> LicenseProjection {
        licenses::project(decl)
    }

    fn same(&self, field: &Field, wanted: &Value, shown: &Value) -> bool {
        fields::same(field.as_str(), wanted, shown)
    }

    fn consequences(&self, row: Row, action: Action, subject: &Subject<'_>) -> Vec<Consequence> {
        match (row, action) {
            (Row::Create, _) => {
                let mut out = vec![Consequence::new(
                    "tenant-stays",
                    "makes a Microsoft tenant and takes its domain; neither can be taken back",
                    false,
                )];
                if !self.reseller() {
                    out.push(Consequence::new(
                        "first-password",
                        "brings an administrator's password once; it is sealed for its recipients",
                        false,
                    ));
                }
                out
            }
            (Row::Detach, _) => {
                let mut out = vec![Consequence::new(
                    CUSTOMER_TOLD,
                    "Microsoft tells the customer nothing: the notice that an agreement requires is yours to give, and \
                     you state that you end it in good faith",
                    true,
                )];
                if let Some(words) = rights(subject) {
                    out.push(Consequence::new(RIGHTS_STAY, words, true));
                }
                out
            }
            _ => Vec::new(),
        }
    }

    fn unknown(&self, subject: &Subject<'_>) -> Vec<(&'static str, Untrusted)> {
        let tie = subject.record.and_then(|record| record.field(fields::RELATIONSHIP));
        let tie = tie.as_ref().and_then(Value::as_text);
        let tie = tie.filter(|tie| !super::read::known_tie(tie)).map(|tie| ("relationship", tie));
        let statuses =
            subject.licenses.into_iter().flat_map(|read| &read.licenses).map(|one| one.status.raw());
        let statuses = statuses.filter(|status| !licenses::known_status(status));
        let all = tie.into_iter().chain(statuses.map(|status| ("subscription status", status)));
        all.map(|(what, value)| (what, Untrusted::new(value))).collect()
    }

    fn blockers(&self, subject: &Subject<'_>) -> Vec<Blocker> {
        let held = subject.licenses.map(|read| read.licenses.as_slice()).unwrap_or_default();
        held.iter().filter_map(|license| license.blocks_end.clone()).collect()
    }

    fn facets_to_end(&self) -> BTreeSet<Facet> {
        let mut facets = BTreeSet::new();
        if reads(self.terms.position, &self.found.subscriptions) {
            facets.insert(Facet::Licenses);
        }
        // Graph answers in every position (GDAP frequently asked questions); where it refuses, the rights count as
        // unknown and ending needs consent.
        if !self.found.rights.refuses() {
            facets.insert(Facet::Access);
        }
        facets
    }

    fn instructions(&self, ask: &Ask<'_>) -> Instructions {
        instructions::instructions(&self.terms, !self.found.customers.refuses(), ask)
    }

    fn next(&self, step: &Step, acked: &[Ack]) -> Next {
        if !acked.is_empty() {
            return Next::Finished;
        }
        match (step.row, step.action) {
            (Row::Create, Action::Create) => Next::Operation(Draft {
                name: CREATE,
                unsafe_request: true,
                class: OperationClass::Keyed,
                body: fields::creation(&|field| step.new_value(field).cloned()),
            }),
            (Row::Invite, Action::Invite) => {
                let name = step.inside.invitation.as_ref().and_then(|terms| terms.provider.as_deref());
                let provider = name.map(|name| {
                    let known = self.terms.providers.iter().find(|provider| provider.name == name);
                    known.map_or(name, |provider| provider.tenant_id.as_str())
                });
                Next::Operation(Draft {
                    name: LINK,
                    unsafe_request: false,
                    class: OperationClass::Blind,
                    body: json!({ "provider": provider }),
                })
            }
            (Row::UpdateContact, Action::Update) => Next::Operation(Draft {
                name: UPDATE,
                unsafe_request: true,
                class: OperationClass::Unique,
                body: json!({ "changes": step.changes }),
            }),
            (Row::Detach, Action::Detach) => Next::Operation(Draft {
                name: DETACH,
                unsafe_request: true,
                class: OperationClass::Unique,
                body: json!({}),
            }),
            _ => Next::Finished,
        }
    }
}
