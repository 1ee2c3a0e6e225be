//! What can be done at a console, and by whom: a function of the vendor, our position there and what a probe found.
//!
//! A gap is a row like any other: it names the party whose work fills it, so that it shows in the plan as a task and
//! never as an error at apply.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::value::Field;

/// A row of the table of consoles: something that a partner does there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Row {
    /// List the customers.
    Census,
    /// Create a customer.
    Create,
    /// Invite an existing customer.
    Invite,
    /// Bind an existing record.
    Adopt,
    /// Change the contact or billing profile.
    UpdateContact,
    /// Change the name that is shown.
    Rename,
    /// Put under another parent.
    Move,
    /// Buy a licence.
    BuyLicense,
    /// More seats.
    MoreSeats,
    /// Fewer seats.
    FewerSeats,
    /// Trial to paid.
    TrialToPaid,
    /// Rights in the customer's tenant.
    DelegatedAdmin,
    /// Put into the console's groups.
    Groups,
    /// Suspend and resume.
    Suspend,
    /// End the relationship.
    Detach,
    /// Delete; data goes.
    Remove,
}

impl Row {
    /// Every row, in the order of the table.
    pub const ALL: [Row; 16] = [
        Row::Census,
        Row::Create,
        Row::Invite,
        Row::Adopt,
        Row::UpdateContact,
        Row::Rename,
        Row::Move,
        Row::BuyLicense,
        Row::MoreSeats,
        Row::FewerSeats,
        Row::TrialToPaid,
        Row::DelegatedAdmin,
        Row::Groups,
        Row::Suspend,
        Row::Detach,
        Row::Remove,
    ];

    /// The row's heading.
    pub const fn words(self) -> &'static str {
        match self {
            Row::Census => "list customers",
            Row::Create => "create a customer",
            Row::Invite => "invite an existing customer",
            Row::Adopt => "adopt a record",
            Row::UpdateContact => "update contact or billing profile",
            Row::Rename => "rename",
            Row::Move => "move to another parent",
            Row::BuyLicense => "buy a licence",
            Row::MoreSeats => "more seats",
            Row::FewerSeats => "fewer seats",
            Row::TrialToPaid => "trial to paid",
            Row::DelegatedAdmin => "delegated admin",
            Row::Groups => "groups",
            Row::Suspend => "suspend and resume",
            Row::Detach => "detach",
            Row::Remove => "remove (data goes)",
        }
    }
}

/// Who performs manual work, or whom a wait is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Party {
    /// Us: somebody at the partner.
    Operator,
    /// The customer.
    Customer,
    /// Our indirect provider.
    Provider,
    /// A distributor.
    Distributor,
    /// The vendor.
    Vendor,
}

impl Party {
    /// As plans name them.
    pub const fn words(self) -> &'static str {
        match self {
            Party::Operator => "you",
            Party::Customer => "the customer",
            Party::Provider => "your indirect provider",
            Party::Distributor => "the distributor",
            Party::Vendor => "the vendor",
        }
    }
}

/// Who can do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum By {
    /// The adapter, through the vendor's API.
    Api,
    /// A person, as a task.
    Person(Party),
    /// The vendor has an API for it that this version does not use.
    NotYet,
    /// It does not exist there.
    Never,
}

/// How a repeated request behaves at the vendor: it decides what proof a second request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum OperationClass {
    /// The vendor honours a request id.
    Keyed,
    /// A natural key is unique there.
    Unique,
    /// A mark of ours can be planted and found again.
    Correlatable,
    /// Nothing ties an answer to a request.
    Blind,
}

/// One cell of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Who.
    pub by: By,
    /// Class of its unsafe request, where it has one.
    pub class: OperationClass,
    /// Whether it can be taken back.
    pub reversible: bool,
    /// Why it is so, in a few words, for the table and for findings; may be empty.
    pub note: String,
}

/// What is known about one field of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldRule {
    /// How plans call it.
    pub label: &'static str,
    /// Which row changes it after creation.
    pub row: Row,
    /// Whether the console shows it, so that it can be compared.
    pub observable: bool,
}

/// The column of one console.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Capabilities {
    /// Rows; a missing one is [`By::Never`].
    pub cells: BTreeMap<Row, Cell>,
    /// Fields of accounts.
    pub fields: BTreeMap<Field, FieldRule>,
}

impl Capabilities {
    /// Who can do it here.
    pub fn by(&self, row: Row) -> By {
        self.cells.get(&row).map_or(By::Never, |cell| cell.by)
    }

    /// Class of the row's unsafe request.
    pub fn class(&self, row: Row) -> OperationClass {
        self.cells.get(&row).map_or(OperationClass::Blind, |cell| cell.class)
    }

    /// Adds a row.
    #[must_use]
    pub fn with(mut self, row: Row, by: By, class: OperationClass, reversible: bool, note: &str) -> Self {
        self.cells.insert(row, Cell { by, class, reversible, note: note.to_owned() });
        self
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, path: &'static str, label: &'static str, row: Row, observable: bool) -> Self {
        self.fields.insert(Field::of(path), FieldRule { label, row, observable });
        self
    }
}
