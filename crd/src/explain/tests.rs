//! What is explained, and what is said where nothing is.

use super::*;

#[test]
fn a_field_is_found_with_and_without_spec() {
    let long = explain("Customer.spec.accounts.sophos.billing").unwrap();
    let short = explain("customer.accounts[0].sophos.billing").unwrap();
    assert_eq!(long, short);
    assert_eq!(long.path, "spec.accounts[].sophos.billing");
    assert_eq!(long.type_name, "string");
    assert_eq!(long.values, ["Trial", "Usage"]);
    assert!(long.description.starts_with("Trial, or Usage (monthly"));
}

#[test]
fn a_kind_lists_its_fields() {
    let kind = explain("rel").unwrap();
    assert_eq!(kind.kind, Kind::Relationship);
    let names: Vec<&str> = kind.fields.iter().map(|f| f.path.as_str()).collect();
    assert!(names.contains(&"spec") && names.contains(&"status"), "{names:?}");
    let spec = explain("Relationship.spec").unwrap();
    let type_ = spec.fields.iter().find(|f| f.name == "type").unwrap();
    assert!(type_.required);
    assert!(spec.rules.contains(&"name exactly one of customerRef and customers".to_owned()));
}

#[test]
fn defaults_limits_and_map_types_are_said() {
    let want = explain("Customer.want").unwrap();
    assert_eq!(want.default.as_deref(), Some("Present"));
    assert_eq!(explain("Customer.externalIds").unwrap().type_name, "map[string]string");
    assert_eq!(explain("Console.ownDomains").unwrap().type_name, "[]string");
    assert_eq!(explain("Console.guards.maxRemovalPercent").unwrap().limits, ["0.0 to 100.0"]);
    assert_eq!(explain("Customer.company.legalName").unwrap().limits, ["1 to 256 characters"]);
    assert!(explain("Customer.company.legalName").unwrap().required);
}

#[test]
fn a_misspelt_field_names_the_nearest_and_all_others() {
    assert_eq!(
        explain("Customer.company.adress").unwrap_err().to_string(),
        "Customer.spec.company has no field `adress` (did you mean `address`?); fields: address, displayName, \
         domains, legalName, registrationNumber, website"
    );
    assert_eq!(
        explain("Customer.company.legalName.x").unwrap_err().to_string(),
        "Customer.spec.company.legalName has no field `x`; it has no fields"
    );
    assert!(
        explain("Custmer")
            .unwrap_err()
            .to_string()
            .starts_with("there is no kind `Custmer` (did you mean `Customer`?)")
    );
    assert!(explain("").unwrap_err().to_string().starts_with("there is no kind ``; kinds: Console, "));
}

#[test]
fn all_fields_are_listed_once_and_parents_first() {
    let all = fields(Kind::Customer);
    let place = |path: &str| all.iter().position(|f| f.path == path).unwrap_or_else(|| panic!("{path}"));
    assert!(place("spec") < place("spec.accounts"));
    assert!(place("spec.accounts") < place("spec.accounts[].sophos.groups"));
    let mut paths: Vec<&String> = all.iter().map(|f| &f.path).collect();
    let before = paths.len();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), before);
}
