//! Small worlds for tests that break things: a few companies, one or two consoles, every request as fast as it can be.
//!
//! Consoles declare the highest pace, so that no test waits for a limiter. Nothing here is a real company or key.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::crash::World;

/// Our own tenant in the worlds with Microsoft.
pub const OWN_TENANT: &str = "5f0c2a8e-4b1d-4c7a-9e2f-0a6b8d3c1e57";
/// A recipient of first passwords, from the documentation of age.
const RECIPIENT: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

/// The Console `sophos`; `more` are further lines of its spec.
pub fn sophos(more: &str) -> String {
    console("sophos", "sophos: {program: MspFlex, renameVia: Api}", more)
}

/// The Console `microsoft` of a direct-bill partner; `more` are further lines of its spec.
pub fn microsoft(more: &str) -> String {
    let vendor = format!(
        "microsoft: {{partner: DirectBill, tenantId: {OWN_TENANT}}}\n  \
         oneTimeSecrets: {{ageRecipients: [{RECIPIENT}]}}\n  \
         invitation: {{messages: {{de: \"Guten Tag, bitte öffnen Sie {{{{ link }}}}.\"}}}}"
    );
    console("microsoft", &vendor, more)
}

/// A Console with its credentials `<name>-read` and `<name>-write`.
pub fn console(name: &str, vendor: &str, more: &str) -> String {
    let more: String = more.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "apiVersion: tenantry.io/v1alpha1\nkind: Console\nmetadata: {{name: {name}}}\nspec:\n  {vendor}\n  \
         credentials:\n    read: {{secretRef: {{name: {name}-read}}}}\n    write: {{secretRef: {{name: {name}-write}}}}\n  \
         ownDomains: [msp.example]\n  pace: {{readsPerSecond: 1000, writesPerSecond: 1000, concurrency: 4}}\n{more}---\n"
    )
}

/// A Customer whose whole company is made from its name; `accounts` are the items of `spec.accounts`.
pub fn customer(name: &str, accounts: &[String]) -> String {
    let accounts: String = accounts.iter().map(|account| format!("  - {account}\n")).collect();
    format!(
        "apiVersion: tenantry.io/v1alpha1\nkind: Customer\nmetadata: {{name: {name}}}\nspec:\n  company:\n    \
         legalName: {name} works GmbH\n    domains: [{name}.example]\n    \
         address: {{line1: Hauptstraße 1, city: Ulm, postalCode: \"89073\", country: DE}}\n  contacts:\n  \
         - {{roles: [Admin, Billing], firstName: Erika, lastName: Muster, email: it@{name}.example, \
         phone: \"+49 731 5550101\", language: de}}\n  accounts:\n{accounts}---\n"
    )
}

/// A Customer of which nothing is managed but that it is there.
pub fn bare(name: &str, accounts: &[String]) -> String {
    let accounts: String = accounts.iter().map(|account| format!("  - {account}\n")).collect();
    format!(
        "apiVersion: tenantry.io/v1alpha1\nkind: Customer\nmetadata: {{name: {name}}}\nspec:\n  \
         company: {{legalName: {name} works GmbH}}\n  accounts:\n{accounts}---\n"
    )
}

/// An account to be made at Sophos.
pub fn made_at_sophos() -> String {
    "{name: sophos, consoleRef: {name: sophos}, onboarding: Create, sophos: {billing: Usage, dataGeography: DE}}"
        .to_owned()
}

/// An account that exists at Sophos.
pub fn known_at_sophos(id: &str) -> String {
    format!("{{name: sophos, consoleRef: {{name: sophos}}, id: {id}}}")
}

/// An account to be made at Microsoft, with this first domain.
pub fn made_at_microsoft(domain: &str) -> String {
    format!(
        "{{name: microsoft, consoleRef: {{name: microsoft}}, onboarding: Create, \
         microsoft: {{domain: {domain}.onmicrosoft.com}}}}"
    )
}

/// An account that exists at Microsoft; `more` begins with a comma.
pub fn known_at_microsoft(id: &str, more: &str) -> String {
    format!("{{name: microsoft, consoleRef: {{name: microsoft}}, id: {id}{more}}}")
}

/// An invitation of this customer's Microsoft account.
pub fn invitation(customer: &str) -> String {
    format!(
        "apiVersion: tenantry.io/v1alpha1\nkind: Relationship\nmetadata: {{name: {customer}}}\nspec:\n  \
         consoleRef: {{name: microsoft}}\n  customerRef: {{name: {customer}}}\n  account: microsoft\n  type: Reseller\n  \
         invitation: {{to: it@{customer}.example, language: de}}\n---\n"
    )
}

/// A fixed id for the nth company.
pub fn id(n: u32) -> String {
    format!("7c1a4e90-2b5d-4f38-a6c1-{n:012x}")
}

/// A tenant at Sophos as a seed writes it.
pub fn sophos_tenant(n: u32, name: &str) -> Value {
    json!({
        "id": id(n), "name": format!("{name} works GmbH"), "geography": "DE", "billingType": "usage",
        "contact": {
            "firstName": "Erika", "lastName": "Muster", "email": format!("it@{name}.example"), "phone": "+49 731 5550101",
            "address1": "Hauptstraße 1", "city": "Ulm", "postalCode": "89073", "countryCode": "DE"
        }
    })
}

/// A customer at Microsoft as a seed writes it.
pub fn microsoft_customer(n: u32, name: &str) -> Value {
    json!({
        "tenantId": id(n), "companyName": format!("{name} works GmbH"), "domain": format!("{name}.example"),
        "email": format!("it@{name}.example"), "country": "DE"
    })
}

/// One Sophos partner `msp`.
pub fn sophos_seed(tenants: &[Value], switches: &Value) -> Value {
    json!({"msp": {"flex": true, "tenants": tenants, "switches": switches}})
}

/// One direct-bill partner `msp`.
pub fn microsoft_seed(customers: &[Value], prospects: &[Value], switches: &Value) -> Value {
    json!({"msp": {
        "position": "direct-bill", "companyName": "MSP", "domain": "msp.example", "country": "DE",
        "tenantId": OWN_TENANT, "customers": customers, "prospects": prospects, "switches": switches
    }})
}

/// Files by path.
pub fn files<const N: usize>(files: [(&str, String); N]) -> BTreeMap<String, String> {
    files.map(|(path, text)| (path.to_owned(), text)).into()
}

/// Two customers to be made at Sophos, one to be adopted and renamed.
pub fn two_to_make(switches: &Value) -> World {
    let mut switches = switches.clone();
    switches["patchTenant"] = json!("200");
    let shown = |name: &str| {
        customer("known", &[known_at_sophos(&id(1))])
            .replace("company:\n", &format!("company:\n    displayName: {name}\n"))
    };
    World {
        name: format!("two to make, {switches}"),
        seed: json!({"sophos": sophos_seed(&[sophos_tenant(1, "known")], &switches)}),
        stages: vec![
            files([("consoles.yaml", sophos("naming: Display")), ("known.yaml", shown("known works GmbH"))]),
            files([
                ("known.yaml", shown("Known Works")),
                ("one.yaml", customer("one", &[made_at_sophos()])),
                ("two.yaml", customer("two", &[made_at_sophos()])),
            ]),
        ],
    }
}

/// One customer to be made at Microsoft, one to be changed, one to be left, one to be invited.
pub fn everything_at_microsoft(switches: &Value) -> World {
    let known = |n: u32, name: &str, more: &str| customer(name, &[known_at_microsoft(&id(n), more)]);
    World {
        name: format!("everything at Microsoft, {switches}"),
        seed: json!({"microsoft": microsoft_seed(
            &[microsoft_customer(1, "changed"), microsoft_customer(2, "left")],
            &[microsoft_customer(3, "invited")],
            switches,
        )}),
        stages: vec![
            files([
                ("consoles.yaml", microsoft("")),
                ("changed.yaml", known(1, "changed", "")),
                ("left.yaml", known(2, "left", "")),
            ]),
            files([
                ("changed.yaml", known(1, "changed", "").replace("Hauptstraße 1", "Neue Gasse 2")),
                (
                    "left.yaml",
                    known(2, "left", ", want: Detached, consents: [customer-told, delegated-rights-stay]"),
                ),
                ("invited.yaml", known(3, "invited", "") + &invitation("invited")),
                ("fresh.yaml", customer("fresh", &[made_at_microsoft("freshworks")])),
            ]),
        ],
    }
}

/// A customer whose declaration goes and whose deletion policy detaches it, beside one that stays.
pub fn gone_from_the_files() -> World {
    let detach = ", deletionPolicy: Detach, consents: [customer-told, delegated-rights-stay]";
    World {
        name: "gone from the files".to_owned(),
        seed: json!({"microsoft": microsoft_seed(
            &[microsoft_customer(1, "stays"), microsoft_customer(2, "goes")],
            &[],
            &json!({}),
        )}),
        stages: vec![
            files([
                ("consoles.yaml", microsoft("")),
                ("customers/stays.yaml", customer("stays", &[known_at_microsoft(&id(1), detach)])),
                ("customers/goes.yaml", customer("goes", &[known_at_microsoft(&id(2), detach)])),
            ]),
            files([("customers/goes.yaml", String::new())]),
        ],
    }
}
