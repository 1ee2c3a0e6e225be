//! Console: one connection to one vendor's partner console, with our position in it.
//!
//! Never holds an endpoint or a secret. Invariant (by CEL): exactly one vendor block.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod guards;
mod invitation;
mod observe;
#[cfg(test)]
mod tests;
mod vendors;

pub use guards::{Commitment, Guards, GuardsSpec, Unpriced};
pub use invitation::{InvitationPolicy, Reminders};
pub use observe::{Ages, ObserveSpec, PaceSpec};
pub use vendors::{
    AcronisConsole, InterworksConsole, InterworksOrders, MicrosoftCloud, MicrosoftConsole, MicrosoftPosition,
    MicrosoftProvider, PluginConsole, RunbookConsole, SophosConsole, SophosProgram, SophosRename,
    WatchguardConsole,
};

use crate::{customer::AccountDefaults, reference::NameRef, status::ConsoleStatus, want::DeletionPolicy};

/// The connection to one vendor's partner console: who we are there, what tenantry may do, how fast and how much.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[kube(
    group = "tenantry.io",
    version = "v1alpha1",
    kind = "Console",
    namespaced,
    status = "ConsoleStatus",
    category = "tenantry",
    shortname = "console",
    derive = "PartialEq",
    doc = "One connection to one vendor's partner console, with our position in it.",
    printcolumn(name = "Management", type_ = "string", json_path = ".spec.management"),
    printcolumn(name = "Account", type_ = "string", json_path = ".status.vendorAccount", priority = 1),
    printcolumn(name = "Steps", type_ = "integer", json_path = ".status.plan.steps"),
    printcolumn(name = "Held", type_ = "integer", json_path = ".status.plan.held"),
    printcolumn(name = "Waiting", type_ = "integer", json_path = ".status.plan.waiting"),
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
    ("(has(self.microsoft) ? 1 : 0) + (has(self.sophos) ? 1 : 0) + (has(self.acronis) ? 1 : 0) + (has(self.watchguard) ? 1 : 0) + (has(self.interworks) ? 1 : 0) + (has(self.runbook) ? 1 : 0) + (has(self.plugin) ? 1 : 0) == 1",
     "name exactly one vendor: microsoft, sophos, acronis, watchguard, interworks, runbook or plugin"),
    ("has(self.microsoft) == has(oldSelf.microsoft) && has(self.sophos) == has(oldSelf.sophos) && has(self.acronis) == has(oldSelf.acronis) && has(self.watchguard) == has(oldSelf.watchguard) && has(self.interworks) == has(oldSelf.interworks) && has(self.runbook) == has(oldSelf.runbook) && has(self.plugin) == has(oldSelf.plugin)",
     "a Console keeps its vendor; make another Console instead"),
])))]
pub struct ConsoleSpec {
    /// Microsoft Partner Center. Exactly one vendor block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub microsoft: Option<MicrosoftConsole>,
    /// Sophos Central Partner. Exactly one vendor block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub sophos: Option<SophosConsole>,
    /// Acronis Cyber Protect Cloud. Exactly one vendor block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub acronis: Option<AcronisConsole>,
    /// WatchGuard Cloud (also Panda). Exactly one vendor block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub watchguard: Option<WatchguardConsole>,
    /// interworks.cloud BSS. Exactly one vendor block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub interworks: Option<InterworksConsole>,
    /// A console without an API, worked by people along a profile. Exactly one vendor block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub runbook: Option<RunbookConsole>,
    /// A console that an executable of your own speaks to. Exactly one vendor block.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub plugin: Option<PluginConsole>,
    /// Where the credentials are. Planning never opens `write`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub credentials: Option<Credentials>,
    /// Manage, or Observe (never write). Default: Manage.
    #[serde(default)]
    pub management: Management,
    /// Our own mail and tenant domains: an address in them is never a customer's contact and joins no records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 253)), extend("x-kubernetes-list-type" = "set"))]
    pub own_domains: Vec<String>,
    /// Which of a customer's names, if any, is kept in the console: Ignore, Display (company.displayName) or Legal
    /// (company.legalName). Default: Ignore.
    #[serde(default)]
    pub naming: Naming,
    /// What happens to a change that somebody made in the console.
    #[serde(default)]
    pub drift: DriftPolicies,
    /// Values that accounts and licences in this console have unless they say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub defaults: Option<ConsoleDefaults>,
    /// How much may change per window before steps are held. Absent: the defaults of each guard.
    #[serde(default)]
    pub guards: GuardsSpec,
    /// How customers are invited.
    #[serde(default)]
    pub invitation: InvitationPolicy,
    /// How old each facet of an observation may become.
    #[serde(default)]
    pub observe: ObserveSpec,
    /// Where a first password goes that the vendor shows once. Absent: no step is done that yields one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub one_time_secrets: Option<OneTimeSecrets>,
    /// How fast the console may be asked.
    #[serde(default)]
    pub pace: PaceSpec,
}

/// The vendor of a console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vendor {
    /// Microsoft Partner Center.
    Microsoft,
    /// Sophos Central Partner.
    Sophos,
    /// Acronis Cyber Protect Cloud.
    Acronis,
    /// WatchGuard Cloud.
    Watchguard,
    /// interworks.cloud BSS.
    Interworks,
    /// A console without an API.
    Runbook,
    /// An executable of one's own.
    Plugin,
}

impl Vendor {
    /// All vendors, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Microsoft,
        Self::Sophos,
        Self::Acronis,
        Self::Watchguard,
        Self::Interworks,
        Self::Runbook,
        Self::Plugin,
    ];

    /// The field of a Console, Customer account or Product that holds this vendor's block.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Microsoft => "microsoft",
            Self::Sophos => "sophos",
            Self::Acronis => "acronis",
            Self::Watchguard => "watchguard",
            Self::Interworks => "interworks",
            Self::Runbook => "runbook",
            Self::Plugin => "plugin",
        }
    }
}

impl ConsoleSpec {
    /// The vendor, or `None` where the object breaks the rule of exactly one vendor block.
    pub fn vendor(&self) -> Option<Vendor> {
        let present = [
            self.microsoft.is_some(),
            self.sophos.is_some(),
            self.acronis.is_some(),
            self.watchguard.is_some(),
            self.interworks.is_some(),
            self.runbook.is_some(),
            self.plugin.is_some(),
        ];
        let mut found = Vendor::ALL.into_iter().zip(present).filter(|(_, present)| *present);
        match (found.next(), found.next()) {
            (Some((vendor, _)), None) => Some(vendor),
            _ => None,
        }
    }
}

/// The credentials of a console.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credentials {
    /// For observing. Absent: the console is not observed.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub read: Option<CredentialSource>,
    /// For applying. Absent: `read` is not used in its place; every write is a person's.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub write: Option<CredentialSource>,
}

/// Where one credential is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialSource {
    /// The Secret of this namespace (files: the directory of this name under --secrets-dir) with the vendor's keys.
    pub secret_ref: NameRef,
}

/// Whether tenantry may write.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Management {
    /// Planned steps may be applied.
    #[default]
    Manage,
    /// Nothing is ever written.
    Observe,
}

/// Which name is kept in the console.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Naming {
    /// The name there is nobody's business here.
    #[default]
    Ignore,
    /// The name there is company.displayName.
    Display,
    /// The name there is company.legalName.
    Legal,
}

/// What happens to changes made in the console, per facet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DriftPolicies {
    /// Accounts: Correct, or Report (shown, not reverted unless asked). Default: Correct.
    #[serde(default = "correct")]
    pub accounts: DriftPolicy,
    /// Licences: Correct or Report. Default: Report.
    #[serde(default)]
    pub licenses: DriftPolicy,
}

fn correct() -> DriftPolicy {
    DriftPolicy::Correct
}

impl Default for DriftPolicies {
    fn default() -> Self {
        Self { accounts: DriftPolicy::Correct, licenses: DriftPolicy::Report }
    }
}

/// What happens to a change that somebody made in the console.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum DriftPolicy {
    /// It is reverted by the next apply.
    Correct,
    /// It is shown, and reverted only when asked.
    #[default]
    Report,
}

/// Values that accounts in this console have unless they say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsoleDefaults {
    /// Merged into each account of this console, field by field; what an account says wins.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    pub account: Option<AccountDefaults>,
    /// What becomes of a record when its declaration goes: Retain, Detach or Remove. Default: Retain.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(with = "DeletionPolicy")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// Where a first password goes that the vendor shows once: to age recipients (files), or into a Secret (cluster).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = crate::schema::rules(&[
    ("has(self.ageRecipients) != has(self.secretPrefix)", "name exactly one of ageRecipients and secretPrefix"),
])))]
pub struct OneTimeSecrets {
    /// age public keys (`age1…`), each of which can open the secret.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 4096)))]
    pub age_recipients: Option<Vec<String>>,
    /// Prefix of the name of the Secret that is written per account.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[schemars(length(min = 1, max = 200))]
    pub secret_prefix: Option<String>,
}
