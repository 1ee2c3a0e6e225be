//! The vendor blocks of a Console: which vendor, and in which position we stand there.
//!
//! Endpoints and secrets are never part of an object.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A connection to Microsoft Partner Center and, for delegated administration, Microsoft Graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("!has(self.providers) || self.providers.filter(p, has(p.default) && p.default).size() <= 1",
     "at most one provider is the default"),
    ("self.partner == 'IndirectReseller' || !has(self.providers) || self.providers.size() == 0",
     "providers belong to an IndirectReseller; a DirectBill partner or an IndirectProvider has none"),
])))]
pub struct MicrosoftConsole {
    /// Our position in the programme, which decides what we may do: DirectBill, IndirectProvider or
    /// IndirectReseller.
    pub partner: MicrosoftPosition,
    /// Our own Entra tenant: its id or one of its domains. Tokens are asked of it.
    #[schemars(length(min = 1, max = 253))]
    pub tenant_id: String,
    /// Our own Microsoft AI Cloud Partner Program id (once MPN id) at this location.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 32))]
    pub mpn_id: Option<String>,
    /// The national cloud: Global, UsGov or China. Default: Global.
    #[serde(default)]
    pub cloud: MicrosoftCloud,
    /// The indirect providers that an IndirectReseller orders from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub providers: Vec<MicrosoftProvider>,
}

/// Our position in Microsoft's Cloud Solution Provider programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MicrosoftPosition {
    /// We buy from Microsoft and bill our customers.
    DirectBill,
    /// We are the distributor of indirect resellers.
    IndirectProvider,
    /// We sell what an indirect provider orders for us. Microsoft grants no Partner Center API in this position;
    /// what answers all the same is found out by reading.
    IndirectReseller,
}

/// Microsoft's national clouds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum MicrosoftCloud {
    /// The public cloud.
    #[default]
    Global,
    /// US Government.
    UsGov,
    /// China, operated by 21Vianet.
    China,
}

/// An indirect provider (distributor).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MicrosoftProvider {
    /// How this provider is named in this repository.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// The provider's Entra tenant id.
    #[schemars(length(min = 1, max = 253))]
    pub tenant_id: String,
    /// The provider's own MPN id.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 32))]
    pub mpn_id: Option<String>,
    /// Whether orders and tasks name this provider where nothing else does. Default: false; a single provider is the
    /// default without saying so. An invitation names its provider itself.
    #[serde(default)]
    pub default: bool,
}

/// A connection to Sophos Central Partner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SophosConsole {
    /// Our contract, which decides what a customer may be billed as: MspFlex (monthly accounts), FlexConnect
    /// (managed orders) or Reseller (term licences only).
    pub program: SophosProgram,
    /// Whether the request that creates a customer also names its products. Default: false, because Sophos does not
    /// publish that part; without it the partner's default products apply.
    #[serde(default)]
    pub products_at_creation: bool,
    /// Who renames a customer. Default: Person, because Sophos does not publish a rename request; Api uses the one
    /// that clients know.
    #[serde(default)]
    pub rename_via: SophosRename,
}

/// Our contract with Sophos.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SophosProgram {
    /// MSP Flex: monthly billing by usage.
    MspFlex,
    /// Flex Connect: orders that a distributor manages.
    FlexConnect,
    /// Classic resale of term licences.
    Reseller,
}

/// Who renames a Sophos customer.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum SophosRename {
    /// A person, in the console.
    #[default]
    Person,
    /// The adapter, with a request that the vendor does not publish.
    Api,
}

/// A connection to Acronis Cyber Protect Cloud.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcronisConsole {
    /// The tenant under which customers are made and listed. Default: the tenant that the API client belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 64))]
    pub root_tenant_id: Option<String>,
}

/// A connection to WatchGuard Cloud (also for Panda products).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WatchguardConsole {
    /// Our own account, `WGC-…` or `ACC-…`, as Administration > Managed Access shows it. Every request names it.
    #[schemars(length(min = 1, max = 64))]
    pub account_id: String,
}

/// A connection to an interworks.cloud BSS.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InterworksConsole {
    /// Where orders are placed: BackOffice (we ask for synchronisation) or Storefront (it provisions itself, so that
    /// tenantry never asks). Default: BackOffice.
    #[serde(default)]
    pub orders: InterworksOrders,
    /// Whether synchronisation is asked for through the API. Default: false, which makes it a person's task.
    #[serde(default)]
    pub synchronise_via_api: bool,
    /// Whether a service manager may be asked if an account exists. Default: false.
    #[serde(default)]
    pub probe_service_manager: bool,
}

/// Where orders in an interworks BSS are placed.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum InterworksOrders {
    /// By us in the back office: accounts are synchronised on request.
    #[default]
    BackOffice,
    /// By customers in the storefront, which provisions by itself.
    Storefront,
}

/// A console without an API: every step is a person's, guided by a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunbookConsole {
    /// The profile with the click path of each action: a built-in one (`symantec-pmc`) or one of this repository.
    #[schemars(length(min = 1, max = 253))]
    pub profile: String,
}

/// A console that an executable of your own speaks to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PluginConsole {
    /// The program and its arguments. It is started without a shell.
    #[schemars(length(min = 1, max = 32), inner(length(min = 1, max = 4096)))]
    pub command: Vec<String>,
    /// What the program is told about this console; its own schema decides.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(schema_with = "crate::schema::free_form")]
    pub config: Map<String, Value>,
}
