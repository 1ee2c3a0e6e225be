//! The customers of a bench, by number: what is declared of each, and what the consoles hold of it.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

/// Consoles (and partner keys) at Sophos.
pub const SOPHOS: [&str; 2] = ["sophos-eu", "sophos-us"];
/// The console at Microsoft.
pub const MICROSOFT: &str = "microsoft";

/// Documents a file.
const PER_FILE: usize = 500;

/// How many of a hundred customers are what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    /// Differ in the consoles from what is declared.
    pub different: u32,
    /// Have a billing profile that answers 403.
    pub unreadable: u32,
    /// Are not at Microsoft yet, and are invited.
    pub invited: u32,
}

impl Mix {
    /// 10 % different, 1 % unreadable, 5 % invited.
    pub const USUAL: Self = Self { different: 10, unreadable: 1, invited: 5 };
    /// Everything is as declared.
    pub const UNCHANGED: Self = Self { different: 0, unreadable: 0, invited: 0 };
}

/// What a customer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// As declared.
    Same,
    /// Another shown name at Sophos, another address for bills at Microsoft.
    Different,
    /// Its billing profile answers 403.
    Unreadable,
    /// Not at Microsoft.
    Invited,
}

/// All customers of one bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct World {
    /// How many.
    pub customers: usize,
    /// What they are.
    pub mix: Mix,
    /// Decides the order of files, documents and records, and nothing else.
    pub shuffle: u64,
}

impl World {
    /// What customer `n` is.
    pub fn class(&self, n: usize) -> Class {
        let Mix { different, unreadable, invited } = self.mix;
        let place = u32::try_from(scatter(n as u64) % 100).unwrap_or(0);
        if place < different {
            Class::Different
        } else if place < different + unreadable {
            Class::Unreadable
        } else if place < different + unreadable + invited {
            Class::Invited
        } else {
            Class::Same
        }
    }

    /// How many customers are of a class.
    pub fn count(&self, class: Class) -> usize {
        (0..self.customers).filter(|n| self.class(*n) == class).count()
    }

    /// The id of customer `n` at Sophos; `console` is 0 or 1.
    pub fn sophos_id(n: usize, console: usize) -> String {
        format!("5090{console:04}-0000-4000-8000-{n:012x}")
    }

    /// The id of customer `n` at Microsoft. Those that are not readable begin with `0403`.
    pub fn microsoft_id(&self, n: usize) -> String {
        let head = if self.class(n) == Class::Unreadable { "0403" } else { "0200" };
        format!("{head}0000-0000-4000-8000-{n:012x}")
    }

    /// Numbers 0..`count` in an order that `salt` decides (Fisher and Yates).
    fn order(&self, count: usize, salt: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            let at = scatter(self.shuffle ^ salt.wrapping_mul(0x9E37_79B9) ^ last as u64) % (last as u64 + 1);
            order.swap(last, usize::try_from(at).unwrap_or(0));
        }
        order
    }

    /// Seed documents: the partners first, then their records, some thousand each.
    pub fn seeds(&self) -> Vec<Value> {
        const RECORDS: usize = 2000;
        let sophos = |key: &str| {
            json!({
                "flex": true,
                "defaultProducts": [],
                "switches": {"patchTenant": "200"},
                "credentials": [{"clientId": client(key), "clientSecret": secret(key)}],
            })
        };
        let mut seeds = vec![json!({
            "sophos": {SOPHOS[0]: sophos(SOPHOS[0]), SOPHOS[1]: sophos(SOPHOS[1])},
            "microsoft": {MICROSOFT: {
                "position": "direct-bill",
                "companyName": "Bench MSP",
                "domain": "bench-msp.example",
                "country": "DE",
                "tenantId": OWN_TENANT,
                "clientId": client(MICROSOFT),
                "clientSecret": secret(MICROSOFT),
                "refreshToken": REFRESH_TOKEN,
            }},
        })];
        for (console, key) in SOPHOS.iter().enumerate() {
            for some in self.order(self.customers, console as u64 + 1).chunks(RECORDS) {
                let tenants: Vec<Value> = some.iter().map(|n| self.tenant(*n, console)).collect();
                seeds.push(json!({"sophos": {*key: {"tenants": tenants}}}));
            }
        }
        for some in self.order(self.customers, 7).chunks(RECORDS) {
            let customers: Vec<Value> = some
                .iter()
                .filter(|n| self.class(**n) != Class::Invited)
                .map(|n| self.customer(*n))
                .collect();
            seeds.push(json!({"microsoft": {MICROSOFT: {"customers": customers}}}));
        }
        seeds
    }

    fn tenant(&self, n: usize, console: usize) -> Value {
        let shown = match self.class(n) {
            Class::Different => format!("Was called otherwise {n}"),
            _ => format!("Kunde {n}"),
        };
        json!({
            "id": Self::sophos_id(n, console),
            "name": legal_name(n),
            "showAs": shown,
            "geography": "DE",
            "billingType": "usage",
            "contact": {
                "firstName": "Alex", "lastName": "Example", "email": format!("it@kunde-{n}.example"),
                "address1": "1 Example Way", "city": "Redmond", "postalCode": "98052", "countryCode": "DE",
            },
            "licenses": [],
        })
    }

    fn customer(&self, n: usize) -> Value {
        let mail = match self.class(n) {
            Class::Different => format!("old@kunde-{n}.example"),
            _ => format!("it@kunde-{n}.example"),
        };
        json!({
            "tenantId": self.microsoft_id(n),
            "companyName": legal_name(n),
            "domain": format!("kunde-{n}.example"),
            "email": mail,
            "country": "DE",
        })
    }

    /// Writes all declarations below `directory`; returns how many bytes they are.
    pub fn write(&self, directory: &Path) -> io::Result<u64> {
        let mut consoles = String::new();
        for key in SOPHOS {
            sophos_console(&mut consoles, key);
        }
        microsoft_console(&mut consoles);
        let mut bytes = consoles.len() as u64;
        fs::write(directory.join("consoles.yaml"), consoles)?;
        let order = self.order(self.customers, 3);
        for (file, some) in order.chunks(PER_FILE).enumerate() {
            let mut text = String::with_capacity(some.len() * 1200);
            for n in some {
                self.declare(&mut text, *n);
            }
            bytes += text.len() as u64;
            // Names in an order that says nothing about what is in them.
            let name = scatter(self.shuffle ^ file as u64) >> 40;
            fs::write(directory.join(format!("customers-{name:06x}-{file}.yaml")), text)?;
        }
        Ok(bytes)
    }

    fn declare(&self, out: &mut String, n: usize) {
        let class = self.class(n);
        let wave = if class == Class::Invited { "invited" } else { "bound" };
        let id = if class == Class::Invited {
            String::new()
        } else {
            format!("\n    id: {}", self.microsoft_id(n))
        };
        writeln!(
            out,
            r#"---
apiVersion: tenantry.io/v1alpha1
kind: Customer
metadata:
  name: kunde-{n:06}
  labels: {{tier: gold, wave: {wave}}}
spec:
  externalIds: {{psa: "{n}"}}
  company:
    legalName: {legal}
    displayName: Kunde {n}
    registrationNumber: HRB {n:06}
    website: https://kunde-{n}.example
    domains: [kunde-{n}.example]
    address: {{line1: 1 Example Way, city: Redmond, postalCode: "98052", country: DE}}
  contacts:
  - roles: [Admin, Technical]
    firstName: Alex
    lastName: Example
    email: it@kunde-{n}.example
    language: en-US
  accounts:
  - name: {eu}
    consoleRef: {{name: {eu}}}
    id: {eu_id}
    deletionPolicy: Retain
    sophos: {{billing: Usage, dataGeography: DE}}
  - name: {us}
    consoleRef: {{name: {us}}}
    id: {us_id}
    deletionPolicy: Retain
    sophos: {{billing: Usage, dataGeography: DE}}
  - name: {MICROSOFT}
    consoleRef: {{name: {MICROSOFT}}}{id}
    deletionPolicy: Retain"#,
            legal = legal_name(n),
            eu = SOPHOS[0],
            us = SOPHOS[1],
            eu_id = Self::sophos_id(n, 0),
            us_id = Self::sophos_id(n, 1),
        )
        .expect("writing to a String cannot fail");
    }

    /// Writes the credentials below `directory`, as `--secrets-dir` wants them.
    pub fn secrets(directory: &Path) -> io::Result<()> {
        for console in SOPHOS.into_iter().chain([MICROSOFT]) {
            for use_ in ["read", "write"] {
                let dir = directory.join(format!("{console}-{use_}"));
                fs::create_dir_all(&dir)?;
                fs::write(dir.join("clientId"), client(console))?;
                fs::write(dir.join("clientSecret"), secret(console))?;
                if console == MICROSOFT {
                    fs::write(dir.join("refreshToken"), REFRESH_TOKEN)?;
                }
            }
        }
        Ok(())
    }
}

/// Our own tenant at Microsoft.
const OWN_TENANT: &str = "5f0c2a8e-4b1d-4c7a-9e2f-0a6b8d3c1e57";
/// Of a simulated account.
const REFRESH_TOKEN: &str = "bench-refresh-token";

fn legal_name(n: usize) -> String {
    format!("Kunde {n} GmbH & Co. KG")
}

fn client(console: &str) -> String {
    let number = console.bytes().fold(0u64, |hash, byte| scatter(hash ^ u64::from(byte)));
    format!("c11e0000-0000-4000-8000-{:012x}", number & 0xffff_ffff_ffff)
}

fn secret(console: &str) -> String {
    format!("bench-secret-of-{console}")
}

/// Spreads a number over 64 bits (the finaliser of SplitMix64).
fn scatter(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// What all consoles declare: no limit of pace (it is the program that is measured), details that stay young.
const SHARED: &str = "  pace: {readsPerSecond: 1000, writesPerSecond: 1000, concurrency: 8}
  observe: {accounts: P30D, settle: PT1M}
  ownDomains: [bench-msp.example]
";

fn sophos_console(out: &mut String, key: &str) {
    writeln!(
        out,
        "---
apiVersion: tenantry.io/v1alpha1
kind: Console
metadata: {{name: {key}}}
spec:
  sophos: {{program: MspFlex, renameVia: Api}}
  naming: Display
  credentials: {{read: {{secretRef: {{name: {key}-read}}}}, write: {{secretRef: {{name: {key}-write}}}}}}
{SHARED}"
    )
    .expect("writing to a String cannot fail");
}

fn microsoft_console(out: &mut String) {
    writeln!(
        out,
        "---
apiVersion: tenantry.io/v1alpha1
kind: Console
metadata: {{name: {MICROSOFT}}}
spec:
  microsoft: {{partner: DirectBill, tenantId: {OWN_TENANT}}}
  naming: Legal
  credentials:
    read: {{secretRef: {{name: {MICROSOFT}-read}}}}
    write: {{secretRef: {{name: {MICROSOFT}-write}}}}
  invitation:
    messages: {{en-US: 'Please accept: {{{{ link }}}}'}}
{SHARED}---
apiVersion: tenantry.io/v1alpha1
kind: Relationship
metadata: {{name: reseller}}
spec:
  consoleRef: {{name: {MICROSOFT}}}
  type: Reseller
  customers: {{selector: {{matchLabels: {{wave: invited}}}}}}"
    )
    .expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests;
