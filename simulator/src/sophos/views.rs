//! Tenants and licences as the wire shows them.
//!
//! Keys and their order: Sophos Postman collection (down to `apiHost`), live observations of public
//! clients (the rest).

use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::state::{Contact, License, State, Tenant};
use super::switches::{ContactPhone, IdSpelling, LiveFields, OrganizationField, Unexpected};

/// An id, spelled as the account spells ids.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id {
    uuid: Uuid,
    urn: bool,
}

impl Id {
    pub(crate) fn of(state: &State, uuid: Uuid) -> Self {
        Self { uuid, urn: state.switches.id_spelling == IdSpelling::Urn }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.urn { write!(f, "urn:uuid:{}", self.uuid) } else { write!(f, "{}", self.uuid) }
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `{"id": …}`.
#[derive(Debug, Serialize)]
pub(crate) struct Ref<T> {
    id: T,
}

/// `{"code": …}`.
#[derive(Debug, Serialize)]
struct Code<'a> {
    code: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AddressView<'a> {
    address1: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    address2: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address3: Option<&'a str>,
    city: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    country_code: &'a str,
    postal_code: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ContactView<'a> {
    first_name: &'a str,
    last_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    address: AddressView<'a>,
}

impl<'a> ContactView<'a> {
    fn of(state: &State, contact: &'a Contact) -> Self {
        Self {
            first_name: &contact.first_name,
            last_name: &contact.last_name,
            email: contact.email.as_deref(),
            phone: (state.switches.contact_phone == ContactPhone::Present).then_some(&*contact.phone),
            address: AddressView {
                address1: &contact.address1,
                address2: contact.address2.as_deref(),
                address3: contact.address3.as_deref(),
                city: &contact.city,
                state: contact.state.as_deref(),
                country_code: &contact.country_code,
                postal_code: &contact.postal_code,
            },
        }
    }
}

/// A tenant: list items and single reads have the same shape.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TenantView<'a> {
    id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    show_as: Option<&'a str>,
    name: &'a str,
    data_geography: Option<&'a str>,
    data_region: Option<&'a str>,
    billing_type: &'a str,
    partner: Ref<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[allow(clippy::option_option, reason = "absent, null and an object are three answers")]
    organization: Option<Option<Ref<Option<Id>>>>,
    api_host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<ContactView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_ids: Option<&'a [super::state::Text]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    products: Option<Vec<Code<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<Code<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<[u8; 2]>,
}

impl<'a> TenantView<'a> {
    /// The view; `url` is the account's own.
    pub(crate) fn of(state: &State, tenant: &'a Tenant, url: &'a str) -> Self {
        let switches = &state.switches;
        let live = switches.live_fields == LiveFields::Present;
        let novel = switches.unexpected == Unexpected::EnumValues;
        let extra = switches.unexpected == Unexpected::Fields;
        let today = state.today();
        Self {
            id: Id::of(state, tenant.id),
            show_as: tenant.show_as.as_deref(),
            name: &tenant.name,
            data_geography: tenant.activated.then_some(&*tenant.geography),
            data_region: tenant.activated.then_some(&*tenant.region),
            billing_type: if novel && tenant.billing_type == "term" {
                "committed"
            } else {
                &tenant.billing_type
            },
            partner: Ref { id: Id::of(state, state.partner_id) },
            organization: match (tenant.organization, switches.organization_field) {
                (Some(id), _) => Some(Some(Ref { id: Some(Id::of(state, id)) })),
                (None, OrganizationField::IdNull) => Some(Some(Ref { id: None })),
                (None, OrganizationField::Null) => Some(None),
                (None, OrganizationField::Absent) => None,
            },
            api_host: tenant.activated.then_some(url),
            status: live.then_some(if novel { "hibernating" } else { &tenant.status }),
            contact: tenant.contact.as_deref().filter(|_| live).map(|c| ContactView::of(state, c)),
            external_ids: live.then_some(&tenant.external_ids),
            products: live.then(|| {
                tenant
                    .licenses
                    .iter()
                    .filter(|l| l.active(today))
                    .map(|l| Code { code: &l.product })
                    .collect()
            }),
            service_tier: extra.then_some(Code { code: "tier-1" }),
            flags: extra.then_some([1, 2]),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProductView<'a> {
    code: &'a str,
    generic_code: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CountView {
    count: u32,
    date: jiff::civil::Date,
    collected_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct UsageView {
    current: CountView,
}

/// A licence of a tenant (Sophos Postman collection, Licensing API).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LicenseView<'a> {
    id: String,
    license_identifier: &'a str,
    product: ProductView<'a>,
    start_date: jiff::civil::Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<jiff::civil::Date>,
    perpetual: bool,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u32>,
    unlimited: bool,
    usage: UsageView,
    #[serde(skip_serializing_if = "Option::is_none")]
    renewal: Option<Code<'a>>,
}

impl<'a> LicenseView<'a> {
    pub(crate) fn of(state: &State, license: &'a License) -> Self {
        let switches = &state.switches;
        let novel = switches.unexpected == Unexpected::EnumValues;
        Self {
            id: license.id.to_string(),
            license_identifier: &license.identifier,
            product: ProductView {
                code: &license.product,
                generic_code: license.product.split('-').next().unwrap_or(&license.product),
            },
            start_date: license.start,
            end_date: license.end,
            perpetual: license.perpetual,
            kind: if novel { "flexible" } else { &license.kind },
            quantity: license.quantity,
            unlimited: license.unlimited,
            usage: UsageView {
                current: CountView { count: license.used, date: state.today(), collected_at: state.now() },
            },
            renewal: (switches.unexpected == Unexpected::Fields).then_some(Code { code: "manual" }),
        }
    }
}
