//! A Customer's declaration, packed: as it is written, compressed against a text in which everything stands that all
//! Customers say alike.
//!
//! Nobody reads it while nothing changes, and there are a hundred thousand. Opening one takes some microseconds.
//! Invariant: what was packed opens to an equal declaration (a test goes over every field).

use std::sync::{Arc, LazyLock};

use lz4_flex::block::{compress_with_dict, decompress_with_dict};
use smol_str::SmolStr;
use tenantry_crd::CustomerSpec;
use tenantry_engine::desired::PackedCustomer;

use super::object::Common;

/// Names of a Customer's accounts, each with that of its Console.
pub(super) type Accounts = Arc<[(SmolStr, SmolStr)]>;

/// A packed declaration. Equal where the declarations are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Compressed JSON.
    text: Box<[u8]>,
    /// Its bytes when it is not.
    length: u32,
    accounts: Accounts,
}

/// What most Customers say, in the order in which it is written: names of fields and usual values.
static USUAL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let account = |vendor: &str| {
        format!(
            r#"{{"name":"{vendor}","consoleRef":{{"name":"{vendor}"}},"onboarding":"Create","distinctFrom":[""],"deletionPolicy":"Detach","id":"00000000-0000-0000-0000-000000000000","want":"Suspended","notBefore":"2026-01-01","consents":["msp-licence-lost"],"via":{{"account":"{vendor}","system":""}},"role":"EndCustomer","parent":{{"customerRef":{{"name":""}},"account":""}},"displayName":"","microsoft":{{"domain":".onmicrosoft.com","language":"de","culture":"de-DE","enableGdapByDefault":true,"resellerTenantId":"00000000-0000-0000-0000-000000000000"}},"sophos":{{"billing":"Usage","dataGeography":"DE","groups":[""]}}}},"#
        )
    };
    let mut text = String::from(
        r#"{"externalIds":{"psa":"10000"},"company":{"legalName":" GmbH & Co. KG","displayName":"","registrationNumber":"HRB ","website":"https://www.","domains":[".example.com"],"address":{"line1":"straße 1","line2":"","city":"","postalCode":"","state":"","country":"DE"}},"contacts":[{"roles":["Admin","Billing","Technical","Terms"],"firstName":"","lastName":"","email":"@.example.com","phone":"+49 ","language":"de"},{"roles":["Billing"],"firstName":""}],"formerly":[""],"want":"Present","notBefore":"2026-01-01","consents":[""],"accounts":["#,
    );
    for vendor in ["acronis", "microsoft", "sophos"] {
        text.push_str(&account(vendor));
    }
    text.push_str(r#""onboarding":"Existing","id":"},{"name":""}]}"#);
    text.into_bytes()
});

impl Packed {
    /// Packs a declaration.
    pub(super) fn new(spec: &CustomerSpec, common: &mut Common) -> Self {
        let text = serde_json::to_vec(spec).expect("a Customer is JSON");
        let accounts = spec
            .accounts
            .iter()
            .map(|account| (account.name.clone(), SmolStr::from(account.console_ref.name.as_str())))
            .collect::<Vec<_>>();
        Self {
            length: u32::try_from(text.len()).expect("an API server takes no object of 4 GiB"),
            text: compress_with_dict(&text, &USUAL).into(),
            accounts: common.accounts(accounts),
        }
    }
}

impl PackedCustomer for Packed {
    fn open(&self) -> Arc<CustomerSpec> {
        let text = decompress_with_dict(&self.text, self.length as usize, &USUAL).expect("we compressed it");
        Arc::new(serde_json::from_slice(&text).expect("we wrote it"))
    }

    fn accounts(&self) -> &[(SmolStr, SmolStr)] {
        &self.accounts
    }
}
