//! Relationship: our link to an existing customer (Reseller), or our rights in its tenant (DelegatedAdmin).

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    reference::{CustomerSelection, NameRef},
    rollout::Rollout,
    status::ObjectStatus,
    value::{Date, IsoDuration},
    want::{DeletionPolicy, RelationshipWant},
};

/// A link to existing customers (type Reseller: they are invited), or rights in their tenants (DelegatedAdmin).
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[kube(
    group = "tenantry.io",
    version = "v1alpha1",
    kind = "Relationship",
    namespaced,
    status = "ObjectStatus",
    category = "tenantry",
    shortname = "rel",
    derive = "PartialEq",
    doc = "A link to existing customers (type Reseller: they are invited), or rights in their tenants (type DelegatedAdmin).",
    printcolumn(name = "Console", type_ = "string", json_path = ".spec.consoleRef.name"),
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "Customer", type_ = "string", json_path = ".spec.customerRef.name"),
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
    ("has(self.customerRef) != has(self.customers)", "name exactly one of customerRef and customers"),
    ("self.type == 'Reseller' || (!has(self.reseller) && !has(self.invitation))",
     "reseller and invitation belong to type Reseller"),
    ("self.type == 'DelegatedAdmin' || !has(self.delegatedAdmin)",
     "delegatedAdmin belongs to type DelegatedAdmin"),
    ("self.type == 'Reseller' || !has(self.want) || self.want != 'Present' || has(self.delegatedAdmin)",
     "type DelegatedAdmin needs delegatedAdmin: which rights, for how long"),
    ("self.type == 'DelegatedAdmin' || !has(self.want) || self.want == 'Present'",
     "a Reseller link ends with its account: say want: Detached on the Customer"),
    ("!has(self.notBefore) || (has(self.want) && self.want != 'Present')",
     "notBefore delays an ending: it needs a want other than Present"),
    ("!has(self.id) || has(self.customerRef)", "an id is one customer's: it needs customerRef"),
    ("!has(self.customers) || !has(self.invitation) || !has(self.invitation.to)",
     "one address cannot stand for many customers: leave invitation.to out"),
    ("self.type == oldSelf.type && self.consoleRef.name == oldSelf.consoleRef.name",
     "a Relationship keeps its type and console; declare another instead"),
])))]
pub struct RelationshipSpec {
    /// The Console in which the relationship is.
    pub console_ref: NameRef,
    /// The one Customer. Exactly one of customerRef and customers.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub customer_ref: Option<NameRef>,
    /// Many Customers, by label. Exactly one of customerRef and customers.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub customers: Option<CustomerSelection>,
    /// The account of each customer, by its name. Default: the console's name.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 63))]
    pub account: Option<String>,
    /// Reseller (invite an existing customer), or DelegatedAdmin (rights in the customer's tenant).
    #[serde(rename = "type")]
    pub type_: RelationshipType,
    /// Whom the customer is invited to (type Reseller).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub reseller: Option<ResellerLink>,
    /// The invitation's addressee and text (type Reseller).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub invitation: Option<Invitation>,
    /// The rights (type DelegatedAdmin).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub delegated_admin: Option<DelegatedAdmin>,
    /// How the change reaches many customers. Absent: all at once, within the guards.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub rollout: Option<Rollout>,
    /// What is wanted: Present, or Ended (type DelegatedAdmin). Default: Present.
    #[serde(default)]
    pub want: RelationshipWant,
    /// The day, 00:00 UTC, before which a want other than Present is not acted on. Default: at once.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub not_before: Option<Date>,
    /// Consequences that are accepted, by code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 64)), extend("x-kubernetes-list-type" = "set"))]
    pub consents: Vec<String>,
    /// The remote id of the relationship with the one customer, kept in Git. `tenantry pull` writes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 512))]
    pub id: Option<String>,
    /// What becomes of the relationship when this declaration goes: Retain, Detach or Remove. Default: the console's
    /// defaults, then Retain.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "DeletionPolicy")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// Names that this object had before: bindings follow, and no request is made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 253)), extend("x-kubernetes-list-type" = "set"))]
    pub formerly: Vec<String>,
}

impl RelationshipSpec {
    /// The name of each customer's account: the declared one, or the console's.
    pub fn account_name(&self) -> &str {
        self.account.as_deref().unwrap_or(&self.console_ref.name)
    }
}

/// The kind of a relationship.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum RelationshipType {
    /// We may sell to the customer. It comes by invitation and ends with the account.
    Reseller,
    /// We may act in the customer's tenant.
    DelegatedAdmin,
}

/// Whom the customer is invited to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResellerLink {
    /// The indirect provider (a name of Console.microsoft.providers) whom the customer is invited to at once with us.
    /// Absent: to us alone.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 63))]
    pub provider: Option<String>,
}

/// The invitation's addressee and text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("!has(self.message) || self.message.contains('{{ link }}')",
     "the message must keep {{ link }}: text may change, the link may not"),
])))]
pub struct Invitation {
    /// The address that the mail is written to. Default: the Admin contact's.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 3, max = 254), regex(pattern = r"^[^@\s]+@[^@\s]+$"))]
    pub to: Option<String>,
    /// Which of the console's messages is used. Default: the addressee's language.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 2, max = 35))]
    pub language: Option<String>,
    /// A text of its own; must keep `{{ link }}`. Default: the console's text in that language.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 8192))]
    pub message: Option<String>,
}

/// Rights in the customer's tenant (Microsoft: a granular delegated admin relationship, GDAP).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DelegatedAdmin {
    /// The roles by name (`Helpdesk Administrator`). They freeze when the customer is asked; a change replaces the
    /// relationship.
    #[schemars(length(min = 1, max = 64), inner(length(min = 1, max = 256)), extend("x-kubernetes-list-type" = "set"))]
    pub roles: Vec<String>,
    /// How long the rights last: P1D to P730D. Default: P730D.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub duration: Option<IsoDuration>,
    /// By how much they extend themselves at the end: P180D, or P0D for not at all. Default: P0D.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub auto_extend: Option<IsoDuration>,
    /// How long before the end a successor is asked for, where the rights do not extend themselves. Default: P60D.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub renew_before: Option<IsoDuration>,
    /// Our security groups and the roles that each gets. Absent: not managed; `[]`: no assignments.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(max = 64))]
    pub security_groups: Option<Vec<SecurityGroup>>,
}

impl DelegatedAdmin {
    /// How long the rights last, declared or defaulted.
    pub fn duration(&self) -> IsoDuration {
        self.duration.unwrap_or(IsoDuration::days(730))
    }

    /// By how much the rights extend themselves, declared or defaulted; zero is not at all.
    pub fn auto_extend(&self) -> IsoDuration {
        self.auto_extend.unwrap_or(IsoDuration::days(0))
    }

    /// How long before the end a successor is asked for, declared or defaulted.
    pub fn renew_before(&self) -> IsoDuration {
        self.renew_before.unwrap_or(IsoDuration::days(60))
    }
}

/// One of our security groups and its roles.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecurityGroup {
    /// The group's object id in our own tenant.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// The roles that the group gets, a part of the relationship's.
    #[schemars(length(min = 1, max = 64), inner(length(min = 1, max = 256)))]
    pub roles: Vec<String>,
}
