//! The fields of accounts and licences in Sophos Central Partner, and who changes each of them.

use tenantry_crd::console::{Naming, SophosConsole, SophosProgram, SophosRename};
use tenantry_engine::capability::{By, Capabilities, OperationClass, Party, Row};

pub(super) use tenantry_engine::plan::{DISPLAY_NAME, LEGAL_NAME};

pub(super) const BILLING: &str = "billing";
pub(super) const GEOGRAPHY: &str = "dataGeography";
pub(super) const FIRST_NAME: &str = "contact.firstName";
pub(super) const LAST_NAME: &str = "contact.lastName";
pub(super) const EMAIL: &str = "contact.email";
pub(super) const PHONE: &str = "contact.phone";
pub(super) const LINE1: &str = "address.line1";
pub(super) const LINE2: &str = "address.line2";
pub(super) const CITY: &str = "address.city";
pub(super) const POSTAL_CODE: &str = "address.postalCode";
pub(super) const STATE: &str = "address.state";
pub(super) const COUNTRY: &str = "address.country";
pub(super) const GROUPS: &str = "groups";
/// Of the create request alone: what is licensed at once.
pub(super) const PRODUCTS: &str = "products";
/// Of licences.
pub(super) const TYPE: &str = "type";
/// Of licences.
pub(super) const QUANTITY: &str = "quantity";

/// The column of a console with this contract, for a partner's credential.
pub(crate) fn capabilities(spec: &SophosConsole, naming: Naming) -> Capabilities {
    let person = By::Person(Party::Operator);
    let blind = OperationClass::Blind;
    let create = match spec.program {
        SophosProgram::MspFlex => "trial or monthly",
        SophosProgram::FlexConnect | SophosProgram::Reseller => "trial; monthly billing needs MSP Flex",
    };
    let buy = if spec.products_at_creation {
        "with the create (productsAtCreation), by a person afterwards"
    } else {
        "licences are read-only in the API"
    };
    let (rename, rename_note) = match spec.rename_via {
        SophosRename::Person => (person, "Sophos publishes no rename request"),
        SophosRename::Api => (By::Api, "renameVia: Api, a request that Sophos does not publish"),
    };
    let shown = match naming {
        Naming::Legal => "name",
        Naming::Display | Naming::Ignore => "legal name",
    };
    let table = Capabilities::default()
        .with(Row::Census, By::Api, blind, true, "")
        .with(Row::Create, By::Api, blind, false, create)
        .with(Row::Invite, person, blind, true, "the customer agrees in its own console")
        .with(Row::Adopt, By::Api, blind, true, "by id, or by two weak keys")
        .with(Row::UpdateContact, person, blind, true, "no request changes a contact")
        .with(Row::Rename, rename, blind, true, rename_note)
        .with(Row::Move, By::Never, blind, false, "data stays where it was created")
        .with(Row::BuyLicense, person, blind, false, buy)
        .with(Row::MoreSeats, person, blind, true, "licences are read-only in the API")
        .with(Row::FewerSeats, person, blind, true, "licences are read-only in the API")
        .with(Row::TrialToPaid, person, blind, false, "Update Billing converts all trials of the account")
        .with(Row::DelegatedAdmin, By::Person(Party::Customer), blind, true, "Partner Assistance")
        .with(Row::Groups, person, blind, true, "no request shows or changes groups")
        .with(Row::Suspend, By::Never, blind, true, "")
        .with(Row::Detach, person, blind, false, "Unlink from Partner")
        .with(Row::Remove, By::Never, blind, false, "no request and no click deletes a customer");
    table
        .field(LEGAL_NAME, shown, Row::Rename, true)
        .field(DISPLAY_NAME, "name shown as", Row::Rename, true)
        .field(BILLING, "billing", Row::TrialToPaid, true)
        .field(GEOGRAPHY, "data geography", Row::Move, true)
        .field(FIRST_NAME, "first name", Row::UpdateContact, true)
        .field(LAST_NAME, "last name", Row::UpdateContact, true)
        .field(EMAIL, "e-mail", Row::UpdateContact, true)
        .field(PHONE, "phone", Row::UpdateContact, true)
        .field(LINE1, "street", Row::UpdateContact, true)
        .field(LINE2, "second line", Row::UpdateContact, true)
        .field(CITY, "city", Row::UpdateContact, true)
        .field(POSTAL_CODE, "postal code", Row::UpdateContact, true)
        .field(STATE, "state", Row::UpdateContact, true)
        .field(COUNTRY, "country", Row::UpdateContact, true)
        .field(GROUPS, "groups", Row::Groups, false)
}

/// The column for an organization's credential: it only reads (Sophos Postman collection, Organization API).
pub(super) fn read_only(mut table: Capabilities) -> Capabilities {
    for cell in table.cells.values_mut() {
        if cell.by == By::Api {
            cell.by = By::Never;
            "an organization's credential only reads".clone_into(&mut cell.note);
        }
    }
    table.with(Row::Census, By::Api, OperationClass::Blind, true, "of the organization").with(
        Row::Adopt,
        By::Api,
        OperationClass::Blind,
        true,
        "by id, or by two weak keys",
    )
}
