//! Customer: a company we serve, and the accounts in which it is to exist.
//!
//! A Customer never holds our own people as contacts and never takes identity from a name. Account names are filled
//! in by one function, [`CustomerSpec::fill_account_names`], which every reader of files calls.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::SmolStr;

mod account;
mod external_ids;
#[cfg(test)]
mod tests;

pub use account::{
    AccountDefaults, AccountParent, AccountRole, AccountVia, AcronisAccount, CustomerAccount,
    InterworksAccount, InterworksSystem, MicrosoftAccount, Onboarding, RunbookAccount, SophosAccount,
    SophosBilling,
};
pub use external_ids::ExternalIds;

use crate::{status::CustomerStatus, value::Date, want::CustomerWant};

/// A company we serve: who it is, who speaks for it, and in which consoles it is to exist.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[kube(
    group = "tenantry.io",
    version = "v1alpha1",
    kind = "Customer",
    namespaced,
    status = "CustomerStatus",
    category = "tenantry",
    shortname = "cust",
    derive = "PartialEq",
    doc = "A company we serve: who it is, who speaks for it, and in which consoles it is to exist.",
    printcolumn(name = "Company", type_ = "string", json_path = ".spec.company['displayName','legalName']"),
    printcolumn(name = "Want", type_ = "string", json_path = ".spec.want", priority = 1),
    printcolumn(name = "Standing", type_ = "string", json_path = ".status.standing"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("!has(self.notBefore) || (has(self.want) && self.want != 'Present')",
     "notBefore delays an ending: it needs a want other than Present"),
    ("!has(self.contacts) || self.contacts.size() < 2 || ['Admin', 'Billing', 'Technical', 'Terms'].all(r, self.contacts.filter(c, has(c.roles) && r in c.roles).size() <= 1)",
     "each contact role belongs to one person: a role is named by two contacts"),
])))]
pub struct CustomerSpec {
    /// Keys of this customer in our other systems (`psa: "10234"`): a column of reports, and a strong key when
    /// records are joined.
    #[serde(default, skip_serializing_if = "ExternalIds::is_empty")]
    #[schemars(with = "BTreeMap<String, String>", extend("maxProperties" = 16, "additionalProperties" = {"type": "string", "minLength": 1, "maxLength": 128}))]
    pub external_ids: ExternalIds,
    /// The company as the register and its people name it.
    pub company: Company,
    /// The people at the customer who act for it; never our own. Absent: not managed; `[]`: none wanted.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(max = 16))]
    pub contacts: Option<Vec<Contact>>,
    /// Names that this object had before: bindings follow the rename, and no request is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 253)), extend("x-kubernetes-list-type" = "set"))]
    pub formerly: Vec<String>,
    /// What is wanted of every account that does not say otherwise: Present, Suspended, Detached or Removed.
    /// Default: Present.
    #[serde(default)]
    pub want: CustomerWant,
    /// The day, 00:00 UTC, before which a want other than Present is not acted on. Default: at once.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub not_before: Option<Date>,
    /// Consequences that are accepted for every account, by code (`msp-licence-lost`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 64)), extend("x-kubernetes-list-type" = "set"))]
    pub consents: Vec<String>,
    /// Where this customer is to exist: a list keyed by name; several accounts per console are allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub accounts: Vec<CustomerAccount>,
}

impl CustomerSpec {
    /// Names every nameless account after its console. The only place where that default is made; a cluster object
    /// always carries the names, because a map list needs its key.
    pub fn fill_account_names(&mut self) {
        for account in &mut self.accounts {
            if account.name.is_empty() {
                account.name.clone_from(&account.console_ref.name);
            }
        }
    }

    /// The account of this name.
    pub fn account(&self, name: &str) -> Option<&CustomerAccount> {
        self.accounts.iter().find(|a| a.name == name)
    }
}

/// A company.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Company {
    /// The registered name, with its legal form.
    #[schemars(length(min = 1, max = 256))]
    pub legal_name: SmolStr,
    /// The everyday name. Default: legalName.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 256))]
    pub display_name: Option<SmolStr>,
    /// The number in the commercial register or the tax number that identifies the company; a strong key.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 64))]
    pub registration_number: Option<SmolStr>,
    /// The company's website; a weak key.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 256))]
    pub website: Option<SmolStr>,
    /// Mail and tenant domains that belong to the company alone. Absent: not managed; `[]`: none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 253)))]
    pub domains: Option<Vec<SmolStr>>,
    /// The registered address.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub address: Option<Address>,
}

impl Company {
    /// The everyday name, or the registered one.
    pub fn display_name(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.legal_name)
    }
}

/// A postal address. Consoles differ in what they require; the plan names what is missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Address {
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 256))]
    pub line1: Option<SmolStr>,
    /// A second line.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 256))]
    pub line2: Option<SmolStr>,
    /// Town or city.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 128))]
    pub city: Option<SmolStr>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 32))]
    pub postal_code: Option<SmolStr>,
    /// State or province, where the country has them.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 64))]
    pub state: Option<SmolStr>,
    /// Country, ISO 3166-1 alpha-2 (DE).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 2, max = 2), regex(pattern = "^[A-Z]{2}$"))]
    pub country: Option<SmolStr>,
}

/// A person at the customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("has(self.email) || has(self.lastName)", "a contact needs an e-mail address or a last name"),
])))]
pub struct Contact {
    /// What this person is asked for: Admin (first login), Billing, Technical, Terms (accepts the vendor's terms).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4), extend("x-kubernetes-list-type" = "set"))]
    pub roles: Vec<ContactRole>,
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 64))]
    pub first_name: Option<SmolStr>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 64))]
    pub last_name: Option<SmolStr>,
    /// E-mail address at the customer, never one of our own domains.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 3, max = 254), regex(pattern = r"^[^@\s]+@[^@\s]+$"))]
    pub email: Option<SmolStr>,
    /// Telephone number, best as +49….
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 32))]
    pub phone: Option<SmolStr>,
    /// Language this person is written to in (`de`, `en-GB`). Default: the console's.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 2, max = 35))]
    pub language: Option<SmolStr>,
}

/// What a person at the customer is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ContactRole {
    /// First administrator; invitations and activation mails go here.
    Admin,
    /// Bills.
    Billing,
    /// Technical questions.
    Technical,
    /// Accepts the vendor's terms.
    Terms,
}

/// A free-form block whose meaning another program defines.
pub type FreeForm = Map<String, Value>;
