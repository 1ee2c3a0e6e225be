//! Where declarations lead that no Console of a run has.

use std::collections::BTreeMap;

use super::*;

/// A namespace with one Console, `sophos`, one that is not understood and one of another shard.
struct Here {
    customers: BTreeMap<&'static str, crd::CustomerSpec>,
    licenses: BTreeMap<&'static str, crd::LicenseSpec>,
}

impl Directory for Here {
    fn console(&self, _: &str, name: &str) -> Listed<()> {
        match name {
            "sophos" => Listed::Whole(()),
            "broken" => Listed::Unclear,
            "elsewhere" => Listed::Apart,
            _ => Listed::Missing,
        }
    }

    fn customer(&self, _: &str, name: &str) -> Listed<CustomerSource<'_>> {
        match name {
            "going" => Listed::Unclear,
            "theirs" => Listed::Apart,
            _ => self.customers.get(name).map_or(Listed::Missing, |spec| Listed::Whole(spec.into())),
        }
    }

    fn license(&self, _: &str, name: &str) -> Listed<&crd::LicenseSpec> {
        self.licenses.get(name).map_or(Listed::Missing, Listed::Whole)
    }

    fn relationship(&self, _: &str, _: &str) -> Listed<&crd::RelationshipSpec> {
        Listed::Missing
    }
}

fn customer(accounts: &[(&str, &str)]) -> crd::CustomerSpec {
    let accounts: Vec<serde_json::Value> = accounts
        .iter()
        .map(|(name, console)| serde_json::json!({"name": name, "consoleRef": {"name": console}}))
        .collect();
    serde_json::from_value(serde_json::json!({
        "company": {"legalName": "Adatum GmbH"}, "accounts": accounts,
    }))
    .expect("it is a Customer")
}

fn license(customer: &str, account: &str) -> crd::LicenseSpec {
    serde_json::from_value(serde_json::json!({
        "customerRef": {"name": customer}, "account": account, "productRef": {"name": "p"}, "type": "Msp",
    }))
    .expect("it is a License")
}

fn here() -> Here {
    Here {
        customers: BTreeMap::from([
            ("well", customer(&[("main", "sophos"), ("other", "elsewhere")])),
            ("slip", customer(&[("sohpos", "sohpos")])),
            ("unclear", customer(&[("main", "broken")])),
        ]),
        licenses: BTreeMap::from([
            ("well", license("well", "main")),
            ("no-account", license("well", "mian")),
            ("no-customer", license("wlel", "main")),
            ("of-one-that-goes", license("going", "main")),
            ("of-another-shard", license("theirs", "main")),
        ]),
    }
}

#[test]
fn an_account_leads_to_its_console_here_and_in_another_shard() {
    let here = here();
    let account = |name, account| Address::account("n", name, account);
    assert_eq!(leads(&here, &account("well", "main")), Leads::Console("sophos"));
    assert_eq!(leads(&here, &account("well", "other")), Leads::Console("elsewhere"));
    assert_eq!(leads(&here, &account("well", "gone")), Leads::Undeclared);
    assert_eq!(leads(&here, &account("going", "main")), Leads::Undeclared);
    assert_eq!(leads(&here, &account("unclear", "main")), Leads::Lost(Lost::Unclear));
}

#[test]
fn an_account_that_is_called_as_its_console_is_not_gone_where_the_console_is_misspelt() {
    let here = here();
    let lost = Leads::Lost(Lost::NoConsole("n", "sohpos"));
    assert_eq!(leads(&here, &Address::account("n", "slip", "sohpos")), lost);
    assert_eq!(leads(&here, &Address::account("n", "slip", "sophos")), lost, "it may be this one");
}

#[test]
fn a_licence_leads_where_its_account_leads() {
    let here = here();
    let at = |name| Address::license("n", name);
    assert_eq!(leads(&here, &at("well")), Leads::Console("sophos"));
    assert_eq!(leads(&here, &at("no-account")), Leads::Lost(Lost::NoAccount("n", "well", "mian")));
    assert_eq!(leads(&here, &at("no-customer")), Leads::Lost(Lost::NoCustomer("n", "wlel")));
    assert_eq!(leads(&here, &at("of-one-that-goes")), Leads::Lost(Lost::Unclear));
    assert_eq!(leads(&here, &at("of-another-shard")), Leads::Undeclared);
    assert_eq!(leads(&here, &at("never-was")), Leads::Undeclared);
}

#[test]
fn what_leads_nowhere_is_found_with_its_field_and_the_way_on() {
    let here = here();
    let labels = BTreeMap::new();
    let origin = Origin::file("a.yaml", 1, 1);
    let mut all = Declarations::default();
    for (name, spec) in &here.customers {
        let declared = crate::declare::Declared {
            namespace: "n",
            name,
            labels: &labels,
            origin: origin.clone(),
            spec: spec.into(),
        };
        all.customers.push(declared);
    }
    for (name, spec) in &here.licenses {
        let declared =
            crate::declare::Declared { namespace: "n", name, labels: &labels, origin: origin.clone(), spec };
        all.licenses.push(declared);
    }
    let found: Vec<String> = lost(&here, &all)
        .iter()
        .map(|one| {
            let (path, next) = (one.path.as_deref().unwrap_or_default(), one.next.join(" · "));
            format!("{} {path}: {} → {next}", one.code.as_str(), one.words)
        })
        .collect();
    assert_eq!(
        found,
        [
            "dangling-reference spec.accounts[0].consoleRef.name: no Console `n/sohpos` is declared; what it is bound to stays as it is → correct the name, or declare that Console",
            "dangling-reference spec.account: Customer `n/well` has no account `mian`; what it is bound to stays as it is → correct the name, or declare that account",
            "dangling-reference spec.customerRef.name: no Customer `n/wlel` is declared; what it is bound to stays as it is → correct the name, or declare that Customer",
        ]
    );
}
