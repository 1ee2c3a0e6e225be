//! Product: a vendor's article, by its codes: who takes the order and what it costs. Never bought by itself.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    customer::FreeForm,
    reference::NameRef,
    status::ObjectStatus,
    value::{Currency, Date, Decimal, IsoDuration},
};

/// A vendor's article: its codes, who takes the order, what it costs.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[kube(
    group = "tenantry.io",
    version = "v1alpha1",
    kind = "Product",
    namespaced,
    status = "ObjectStatus",
    category = "tenantry",
    shortname = "prod",
    derive = "PartialEq",
    doc = "A vendor's article: its codes, who takes the order, what it costs.",
    printcolumn(name = "Console", type_ = "string", json_path = ".spec.consoleRef.name"),
    printcolumn(name = "Price", type_ = "string", json_path = ".spec.price.perUnit"),
    printcolumn(name = "Currency", type_ = "string", json_path = ".spec.price.currency"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("(has(self.microsoft) ? 1 : 0) + (has(self.sophos) ? 1 : 0) + (has(self.acronis) ? 1 : 0) + (has(self.watchguard) ? 1 : 0) + (has(self.interworks) ? 1 : 0) + (has(self.runbook) ? 1 : 0) + (has(self.plugin) ? 1 : 0) == 1",
     "name exactly one vendor: microsoft, sophos, acronis, watchguard, interworks, runbook or plugin"),
    ("!has(self.supplier) || self.supplier.consoleRef.name != self.consoleRef.name",
     "a supplier is another console than the product's own"),
])))]
pub struct ProductSpec {
    /// The Console in which the product is used.
    pub console_ref: NameRef,
    /// Codes at Microsoft. Exactly one vendor block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub microsoft: Option<MicrosoftProduct>,
    /// Code at Sophos. Exactly one vendor block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub sophos: Option<CodeProduct>,
    /// Edition and items at Acronis. Exactly one vendor block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub acronis: Option<AcronisProduct>,
    /// Code at WatchGuard. Exactly one vendor block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub watchguard: Option<CodeProduct>,
    /// Code in an interworks BSS. Exactly one vendor block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub interworks: Option<CodeProduct>,
    /// Name in a console without an API. Exactly one vendor block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub runbook: Option<CodeProduct>,
    /// What a plugin needs; its own schema decides. Exactly one vendor block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(schema_with = "crate::schema::free_form")]
    pub plugin: Option<FreeForm>,
    /// Who takes the order, where that is another console (a distributor's). Default: the product's own console.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub supplier: Option<Supplier>,
    /// What one unit costs. Absent: unpriced; Console.guards.unpriced decides on purchases.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub price: Option<Price>,
}

/// An article of Microsoft's catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MicrosoftProduct {
    /// Product id, `CFQ7TTC0LH0Z`.
    #[schemars(length(min = 1, max = 64))]
    pub product_id: String,
    /// SKU id, `0001`.
    #[schemars(length(min = 1, max = 64))]
    pub sku_id: String,
    /// The term: P1M, P1Y or P3Y.
    pub term: IsoDuration,
    /// How often it is billed: Monthly, Annual, Triennial or OneTime.
    pub billing_cycle: BillingCycle,
}

/// How often a Microsoft licence is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum BillingCycle {
    /// Each month.
    Monthly,
    /// Each year.
    Annual,
    /// Each three years.
    Triennial,
    /// Once.
    OneTime,
}

/// An article that one code names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CodeProduct {
    /// The vendor's code (`CIXAXDR`). The vendor's list is open: codes are not checked here.
    #[schemars(length(min = 1, max = 128))]
    pub code: String,
}

/// An Acronis edition with its offering items: one License of it, not thirty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcronisProduct {
    /// The edition (`pck_per_workload`).
    #[schemars(length(min = 1, max = 64))]
    pub edition: String,
    /// The offering items that are switched on, each with its quota.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub items: Vec<AcronisItem>,
}

/// One offering item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcronisItem {
    /// The item's name (`pw_base_workstations`).
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// Its quota, in the item's own unit. Absent: the License's quantity.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(range(min = 0, max = 9_007_199_254_740_991_i64))]
    pub quota: Option<i64>,
}

/// Who takes the order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Supplier {
    /// The Console of the supplier.
    pub console_ref: NameRef,
}

/// What one unit costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Price {
    /// Price of one unit for one `per`, as a decimal string.
    pub per_unit: Decimal,
    /// Currency, ISO 4217.
    pub currency: Currency,
    /// The period that the price is for: P1M, P1Y.
    pub per: IsoDuration,
    /// The day on which the price was right. Shown in plans.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub as_of: Option<Date>,
}
