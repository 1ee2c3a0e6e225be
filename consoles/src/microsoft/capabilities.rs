//! Who can do what in Partner Center: a function of our position there and of what reading found.
//!
//! Microsoft grants indirect resellers no Partner Center API, and some calls answer them all the same ("Get started",
//! developer documentation; Partner-Center-PowerShell#211, #308). So for them nothing is assumed: what a read answered
//! is used, everything else is somebody's task.

use serde::{Deserialize, Serialize};
use tenantry_crd::console::MicrosoftPosition;
use tenantry_engine::capability::{By, Capabilities, OperationClass, Party, Row};

use super::fields;

/// What a probing read gave.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// Nobody has asked.
    #[default]
    NotAsked,
    /// It answers.
    Answers,
    /// It refuses; why, fit for a terminal.
    Refuses(String),
}

impl Answer {
    /// Whether it refuses.
    pub fn refuses(&self) -> bool {
        matches!(self, Answer::Refuses(_))
    }

    /// Whether it answers.
    pub fn answers(&self) -> bool {
        matches!(self, Answer::Answers)
    }
}

/// What probing with reads found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Found {
    /// `GET /v1/customers`.
    pub customers: Answer,
    /// `GET /v1/customers/relationshiprequests`.
    pub link: Answer,
    /// `GET /v1/customers/{id}/profiles/billing`, asked of an indirect reseller's first customer.
    pub billing: Answer,
    /// `GET /v1/customers/{id}/subscriptions`, asked likewise.
    pub subscriptions: Answer,
    /// Graph's list of delegated admin relationships.
    pub rights: Answer,
}

/// Whether a facet that only some positions may read is worth asking for.
pub(super) fn reads(position: MicrosoftPosition, answer: &Answer) -> bool {
    match position {
        MicrosoftPosition::DirectBill | MicrosoftPosition::IndirectProvider => !answer.refuses(),
        MicrosoftPosition::IndirectReseller => answer.answers(),
    }
}

/// How our position is called.
pub(super) const fn position_words(position: MicrosoftPosition) -> &'static str {
    match position {
        MicrosoftPosition::DirectBill => "direct bill",
        MicrosoftPosition::IndirectProvider => "indirect provider",
        MicrosoftPosition::IndirectReseller => "indirect reseller",
    }
}

/// The column of the table.
pub(crate) fn capabilities(position: MicrosoftPosition, found: &Found) -> Capabilities {
    use OperationClass::{Blind, Keyed, Unique};
    let reseller = position == MicrosoftPosition::IndirectReseller;
    let operator = By::Person(Party::Operator);
    let provider = By::Person(Party::Provider);
    let not_yet = if reseller { provider } else { By::NotYet };
    let orders = if reseller { "the provider orders" } else { "" };

    let (census, census_note) = match &found.customers {
        Answer::Refuses(why) => (operator, format!("the customer list is refused: {why}")),
        Answer::NotAsked | Answer::Answers => (By::Api, String::new()),
    };
    let (invite, invite_note) = match &found.link {
        Answer::Refuses(why) => (operator, format!("the link is refused: {why}")),
        Answer::NotAsked if reseller => (operator, "nobody has asked whether the link is answered".into()),
        Answer::NotAsked | Answer::Answers => (By::Api, "the link is fetched, a person sends it".into()),
    };
    let billing = reads(position, &found.billing);
    let table = Capabilities::default()
        .with(Row::Census, census, Blind, true, &census_note)
        .with(
            Row::Create,
            if reseller { provider } else { By::Api },
            Keyed,
            false,
            if reseller { "indirect resellers cannot create customers" } else { "" },
        )
        // Fetching the link is a read: it makes nothing at Microsoft and names no customer.
        .with(Row::Invite, invite, Blind, true, &invite_note)
        .with(Row::Adopt, By::Api, Blind, true, "by tenant id, or by domain and name")
        // The etag lets one writer through: a repeated PUT is refused as stale.
        .with(
            Row::UpdateContact,
            if billing { By::Api } else { provider },
            Unique,
            true,
            if billing { "" } else { "the billing profile is the provider's" },
        )
        .with(Row::Rename, operator, Blind, true, "Partner Center has no request that renames a company")
        .with(Row::Move, By::Never, Blind, false, "")
        .with(
            Row::BuyLicense,
            not_yet,
            Blind,
            false,
            if reseller { orders } else { "agreement, catalogue, cart, checkout: not used by this version" },
        )
        .with(
            Row::MoreSeats,
            not_yet,
            Blind,
            true,
            if reseller { orders } else { "subscription PATCH: not used by this version" },
        )
        .with(
            Row::FewerSeats,
            not_yet,
            Blind,
            true,
            if reseller {
                orders
            } else {
                "subscription PATCH in its window, else scheduled at renewal: not used by this version"
            },
        )
        .with(Row::TrialToPaid, if reseller { provider } else { operator }, Blind, false, orders)
        .with(
            Row::DelegatedAdmin,
            By::NotYet,
            Blind,
            true,
            "granular relationships (GDAP): read, not managed by this version",
        )
        .with(Row::Groups, By::Never, Blind, false, "")
        .with(
            Row::Suspend,
            not_yet,
            Blind,
            true,
            if reseller {
                orders
            } else {
                "subscriptions are suspended, not customers: not used by this version"
            },
        )
        // The tenant id is the natural key: what is gone stays gone, however often it is asked.
        .with(
            Row::Detach,
            if reseller { provider } else { By::Api },
            Unique,
            false,
            if reseller { "indirect resellers cannot remove relationships" } else { "" },
        )
        .with(
            Row::Remove,
            By::Never,
            Blind,
            false,
            "the tenant is the customer's; want: Detached ends the relationship",
        );
    fields::rules(table)
}
