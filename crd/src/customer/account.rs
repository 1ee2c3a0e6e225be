//! An account: one customer in one console, with what only that vendor needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::FreeForm;
use crate::{
    console::ConsoleSpec,
    reference::NameRef,
    value::Date,
    want::{CustomerWant, DeletionPolicy},
};

// What most accounts say nothing about is boxed, and what many say alike can be shared: a hundred thousand customers
// hold three hundred thousand of them.
/// One account of the customer in one console.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("(has(self.microsoft) ? 1 : 0) + (has(self.sophos) ? 1 : 0) + (has(self.acronis) ? 1 : 0) + (has(self.interworks) ? 1 : 0) + (has(self.runbook) ? 1 : 0) + (has(self.plugin) ? 1 : 0) <= 1",
     "an account is in one console: name at most one vendor block"),
    ("!has(self.notBefore) || (has(self.want) && self.want != 'Present')",
     "notBefore delays an ending: it needs a want other than Present"),
    ("!has(self.id) || !has(self.distinctFrom) || !(self.id in self.distinctFrom)",
     "distinctFrom names other companies: it must not contain this account's own id"),
    ("!has(self.via) || !has(self.onboarding) || self.onboarding != 'Create'",
     "an account that another system makes (via) is never created from here"),
    ("!has(self.via) || self.via.account != self.name", "via names another account of this customer"),
    ("self.consoleRef.name == oldSelf.consoleRef.name",
     "an account keeps its console; declare another account instead"),
])))]
pub struct CustomerAccount {
    /// Name of the account within this customer. In files the console's name if left out; required in the cluster,
    /// because it is the key of the list.
    #[serde(default)]
    #[schemars(length(max = 63))]
    pub name: SmolStr,
    /// The Console in which the account is.
    pub console_ref: NameRef,
    /// Existing (the record is there or comes by invitation) or Create (make it if it is not there). Default: the
    /// console's defaults, then Existing; nothing is created unless it says so.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "Onboarding")]
    pub onboarding: Option<Onboarding>,
    /// Remote ids of records that look alike but are other companies.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 512)), extend("x-kubernetes-list-type" = "set"))]
    pub distinct_from: Box<[String]>,
    /// What becomes of the record when this declaration goes: Retain, Detach or Remove. Default: the console's
    /// defaults, then Retain.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "DeletionPolicy")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// The remote id, kept in Git: it binds the account even if the ledger is lost. `tenantry pull` writes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 512))]
    pub id: Option<Box<str>>,
    /// What is wanted of this account: Present, Suspended, Detached or Removed. Default: spec.want.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "CustomerWant")]
    pub want: Option<CustomerWant>,
    /// The day, 00:00 UTC, before which this account's own want is not acted on. Default: at once, or spec.notBefore
    /// with spec.want.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub not_before: Option<Date>,
    /// Consequences that are accepted for this account, by code, beside spec.consents.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 64)), extend("x-kubernetes-list-type" = "set"))]
    pub consents: Box<[String]>,
    /// The other system that makes this account. Such an account is never created from here and is bound when the
    /// console lists it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub via: Option<Box<AccountVia>>,
    /// EndCustomer, or Reseller (may have customers of its own). Default: the console's defaults, then EndCustomer.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "AccountRole")]
    pub role: Option<AccountRole>,
    /// The account under which this one is. A change is a move. Default: our own account.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub parent: Option<Box<AccountParent>>,
    /// The name in this console where it is not the one that Console.naming gives.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 256))]
    pub display_name: Option<SmolStr>,
    /// What Microsoft needs beside company and contacts.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub microsoft: Option<Box<MicrosoftAccount>>,
    /// What Sophos needs beside company and contacts.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub sophos: Option<Arc<SophosAccount>>,
    /// What Acronis needs beside company and contacts.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub acronis: Option<Box<AcronisAccount>>,
    /// What the BSS needs beside company and contacts.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub interworks: Option<Box<InterworksAccount>>,
    /// What the runbook's profile asks for.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub runbook: Option<Box<RunbookAccount>>,
    /// What the plugin asks for; its own schema decides.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(schema_with = "crate::schema::free_form")]
    pub plugin: Option<Box<FreeForm>>,
}

/// What Console.defaults.account may set for every account of that console.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountDefaults {
    /// Existing or Create.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "Onboarding")]
    pub onboarding: Option<Onboarding>,
    /// EndCustomer or Reseller.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "AccountRole")]
    pub role: Option<AccountRole>,
    /// Defaults of the microsoft block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub microsoft: Option<MicrosoftAccount>,
    /// Defaults of the sophos block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub sophos: Option<SophosAccount>,
    /// Defaults of the acronis block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub acronis: Option<AcronisAccount>,
    /// Defaults of the interworks block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub interworks: Option<InterworksAccount>,
    /// Defaults of the runbook block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub runbook: Option<RunbookAccount>,
    /// Defaults of the plugin block, merged key by key.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(schema_with = "crate::schema::free_form")]
    pub plugin: Option<FreeForm>,
}

impl CustomerAccount {
    /// This account with the defaults of its console merged in, field by field; what the account says wins.
    /// `onboarding`, `role` and `deletion_policy` are always `Some` in the result.
    #[must_use]
    pub fn with_defaults(&self, console: &ConsoleSpec) -> Self {
        let none = AccountDefaults::default();
        let declared = console.defaults.as_ref();
        let d = declared.and_then(|d| d.account.as_ref()).unwrap_or(&none);
        let mut account = self.clone();
        account.onboarding = Some(self.onboarding.or(d.onboarding).unwrap_or_default());
        account.role = Some(self.role.or(d.role).unwrap_or_default());
        account.deletion_policy = Some(self.deletion_policy_in(console));
        account.microsoft = merged(self.microsoft.as_deref(), d.microsoft.as_ref(), MicrosoftAccount::over);
        account.sophos =
            merged(self.sophos.as_deref(), d.sophos.as_ref(), SophosAccount::over).map(Arc::from);
        account.acronis = merged(self.acronis.as_deref(), d.acronis.as_ref(), AcronisAccount::over);
        account.interworks =
            merged(self.interworks.as_deref(), d.interworks.as_ref(), InterworksAccount::over);
        account.runbook = merged(self.runbook.as_deref(), d.runbook.as_ref(), RunbookAccount::over);
        account.plugin = merged(self.plugin.as_deref(), d.plugin.as_ref(), |own, default| {
            let mut all = default.clone();
            all.extend(own.clone());
            all
        });
        account
    }

    /// What becomes of the record when this declaration goes: the account's own word, else its console's.
    pub fn deletion_policy_in(&self, console: &ConsoleSpec) -> DeletionPolicy {
        let default = console.defaults.as_ref().and_then(|defaults| defaults.deletion_policy);
        self.deletion_policy.or(default).unwrap_or_default()
    }
}

fn merged<T: Clone>(own: Option<&T>, default: Option<&T>, over: impl Fn(&T, &T) -> T) -> Option<Box<T>> {
    match (own, default) {
        (Some(own), Some(default)) => Some(Box::new(over(own, default))),
        (own, default) => own.or(default).cloned().map(Box::new),
    }
}

/// The first of both that says anything.
#[expect(clippy::ref_option, reason = "its callers hand over two fields as they stand")]
fn first<T: Clone>(own: &Option<T>, default: &Option<T>) -> Option<T> {
    own.as_ref().or(default.as_ref()).cloned()
}

/// How an account comes to exist.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Onboarding {
    /// It exists already, or a Relationship brings it; never created.
    #[default]
    Existing,
    /// It is created if it is not there.
    Create,
}

/// What an account may do in the vendor's hierarchy.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum AccountRole {
    /// Uses the products itself.
    #[default]
    EndCustomer,
    /// Has customers of its own.
    Reseller,
}

/// The other system that makes an account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountVia {
    /// The account of this customer in the system that makes this one.
    #[schemars(length(min = 1, max = 63))]
    pub account: String,
    /// The provisioning system there, as that console names it (`acronis`).
    #[schemars(length(min = 1, max = 64))]
    pub system: String,
}

/// The account under which another is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountParent {
    /// The Customer that owns the parent account.
    pub customer_ref: NameRef,
    /// The parent account's name.
    #[schemars(length(min = 1, max = 63))]
    pub account: String,
}

/// What Microsoft needs to create a customer, beside company and contacts (Partner Center REST, "Create a customer").
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MicrosoftAccount {
    /// The tenant's first domain, `name.onmicrosoft.com`; unique at Microsoft and never changed.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 253))]
    pub domain: Option<String>,
    /// Language of the billing profile (`de`). Default: the Billing contact's.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 2, max = 35))]
    pub language: Option<String>,
    /// Culture of the billing profile (`de-DE`). Default: language and country.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 2, max = 35))]
    pub culture: Option<String>,
    /// Whether Microsoft makes its default delegated admin relationship on creation. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub enable_gdap_by_default: Option<bool>,
    /// For an IndirectProvider: the tenant id of the indirect reseller whose customer this is.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 64))]
    pub reseller_tenant_id: Option<String>,
}

impl MicrosoftAccount {
    fn over(&self, d: &Self) -> Self {
        Self {
            domain: first(&self.domain, &d.domain),
            language: first(&self.language, &d.language),
            culture: first(&self.culture, &d.culture),
            enable_gdap_by_default: self.enable_gdap_by_default.or(d.enable_gdap_by_default),
            reseller_tenant_id: first(&self.reseller_tenant_id, &d.reseller_tenant_id),
        }
    }
}

/// What Sophos needs to create a customer, beside company and contacts (Sophos Postman collection, Partner API,
/// create tenant).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("!has(oldSelf.billing) || !has(self.billing) || oldSelf.billing != 'Usage' || self.billing == 'Usage'",
     "monthly billing is not turned back into a trial"),
])))]
pub struct SophosAccount {
    /// Trial, or Usage (monthly; needs an MSP Flex partner). Default: not managed.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "SophosBilling")]
    pub billing: Option<SophosBilling>,
    /// Where the customer's data is kept (`DE`, `US`, `IE`, …; Sophos adds to the list). Fixed at creation.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 2, max = 16))]
    pub data_geography: Option<SmolStr>,
    /// Groups of the partner console that the customer is in; they exist there beforehand. Absent: not managed;
    /// `[]`: in none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 256)))]
    pub groups: Option<Vec<String>>,
}

impl SophosAccount {
    fn over(&self, d: &Self) -> Self {
        Self {
            billing: self.billing.or(d.billing),
            data_geography: first(&self.data_geography, &d.data_geography),
            groups: first(&self.groups, &d.groups),
        }
    }
}

/// How Sophos bills a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SophosBilling {
    /// A trial.
    Trial,
    /// Monthly by usage.
    Usage,
}

/// What Acronis needs to create a customer, beside company and contacts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcronisAccount {
    /// Login of the first administrator. Default: the Admin contact's e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 254))]
    pub login: Option<String>,
    /// Language of the tenant (`de`). Default: the Admin contact's.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 2, max = 35))]
    pub language: Option<String>,
}

impl AcronisAccount {
    fn over(&self, d: &Self) -> Self {
        Self { login: first(&self.login, &d.login), language: first(&self.language, &d.language) }
    }
}

/// What an interworks BSS needs to create and provision an account, beside company and contacts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InterworksAccount {
    /// The account's code in the BSS, unique there; the natural key.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 64))]
    pub code: Option<String>,
    /// The user name that provisioning systems get; unique there.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 254))]
    pub username: Option<String>,
    /// The corporate address that the activation mail goes to. Default: the Admin contact's.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 3, max = 254), regex(pattern = r"^[^@\s]+@[^@\s]+$"))]
    pub corporate_email: Option<String>,
    /// The systems that the BSS is to provision for this account. Absent: not managed; `[]`: none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(max = 16))]
    pub systems: Option<Vec<InterworksSystem>>,
}

impl InterworksAccount {
    fn over(&self, d: &Self) -> Self {
        Self {
            code: first(&self.code, &d.code),
            username: first(&self.username, &d.username),
            corporate_email: first(&self.corporate_email, &d.corporate_email),
            systems: first(&self.systems, &d.systems),
        }
    }
}

/// One system that a BSS provisions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InterworksSystem {
    /// The system's code in the BSS (`acronis`, `panda`).
    #[schemars(length(min = 1, max = 64))]
    pub code: String,
    /// The system's own options, as the BSS names them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {"type": "string", "maxLength": 1024}))]
    pub options: BTreeMap<String, String>,
}

/// What a runbook's profile asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunbookAccount {
    /// The login e-mail by which the console knows the customer; the natural key. Default: the Admin contact's.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 3, max = 254), regex(pattern = r"^[^@\s]+@[^@\s]+$"))]
    pub login: Option<String>,
    /// Further values that the profile's click paths fill in, by the profile's own names (`managementType`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64, "additionalProperties" = {"type": "string", "maxLength": 1024}))]
    pub values: BTreeMap<String, String>,
}

impl RunbookAccount {
    fn over(&self, d: &Self) -> Self {
        let mut values = d.values.clone();
        values.extend(self.values.clone());
        Self { login: first(&self.login, &d.login), values }
    }
}
