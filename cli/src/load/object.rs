//! From a kind's name and a tree to a typed object of `tenantry-crd`.

use serde::Deserialize;
use tenantry_crd::{
    AnyObject, Attestation, Console, ConsoleBinding, Customer, Inventory, Kind, License, PlanPolicy, Product,
    Relationship, Upgrade,
};

use super::typed::{Decoder, TypedError};

/// Decodes a document of `kind`; account names that are left out are filled in.
pub(super) fn decode(kind: Kind, decoder: Decoder<'_, '_>) -> Result<AnyObject, TypedError> {
    Ok(match kind {
        Kind::Console => Console::deserialize(decoder)?.into(),
        Kind::Customer => {
            let mut customer = Customer::deserialize(decoder)?;
            customer.spec.fill_account_names();
            customer.into()
        }
        Kind::Product => Product::deserialize(decoder)?.into(),
        Kind::License => License::deserialize(decoder)?.into(),
        Kind::Relationship => Relationship::deserialize(decoder)?.into(),
        Kind::Upgrade => Upgrade::deserialize(decoder)?.into(),
        Kind::Attestation => Attestation::deserialize(decoder)?.into(),
        Kind::Inventory => Inventory::deserialize(decoder)?.into(),
        Kind::PlanPolicy => PlanPolicy::deserialize(decoder)?.into(),
        Kind::ConsoleBinding => ConsoleBinding::deserialize(decoder)?.into(),
    })
}

/// The kind that was probably meant.
pub(super) fn nearest_kind(name: &str) -> Option<Kind> {
    super::typed::nearest(name, Kind::ALL.iter().map(|kind| kind.as_str())).and_then(Kind::from_name)
}
