//! What a Customer may say, and how defaults are merged.

use super::*;
use crate::{ConsoleSpec, DeletionPolicy};

fn account(json: &str) -> CustomerAccount {
    serde_json::from_str(json).unwrap()
}

fn console(json: &str) -> ConsoleSpec {
    serde_json::from_str(json).unwrap()
}

#[test]
fn an_account_that_says_nothing_exists_is_kept_and_is_an_end_customer() {
    let account = account(r#"{"consoleRef": {"name": "c"}}"#).with_defaults(&ConsoleSpec::default());
    assert_eq!(account.onboarding, Some(Onboarding::Existing), "nothing is created unless it says so");
    assert_eq!(account.deletion_policy, Some(DeletionPolicy::Retain));
    assert_eq!(account.role, Some(AccountRole::EndCustomer));
}

#[test]
fn a_consoles_defaults_fill_what_an_account_leaves_open_field_by_field() {
    let console = console(
        r#"{"sophos": {"program": "MspFlex"}, "defaults": {"deletionPolicy": "Detach", "account":
            {"onboarding": "Create", "sophos": {"billing": "Usage", "dataGeography": "DE", "groups": ["a"]}}}}"#,
    );
    let open = account(r#"{"consoleRef": {"name": "c"}, "sophos": {"billing": "Trial", "groups": []}}"#);
    let full = open.with_defaults(&console);
    assert_eq!(full.onboarding, Some(Onboarding::Create));
    assert_eq!(full.deletion_policy, Some(DeletionPolicy::Detach));
    let sophos = full.sophos.unwrap();
    assert_eq!(sophos.billing, Some(SophosBilling::Trial), "what the account says wins");
    assert_eq!(sophos.data_geography.as_deref(), Some("DE"));
    assert_eq!(sophos.groups, Some(Vec::new()), "none wanted is a statement");
}

#[test]
fn a_console_block_alone_is_enough_and_free_form_blocks_merge_by_key() {
    let console =
        console(r#"{"plugin": {"command": ["x"]}, "defaults": {"account": {"plugin": {"a": 1, "b": 1}}}}"#);
    let bare = account(r#"{"consoleRef": {"name": "c"}}"#).with_defaults(&console);
    assert_eq!(serde_json::to_value(bare.plugin).unwrap(), serde_json::json!({"a": 1, "b": 1}));
    let own = account(r#"{"consoleRef": {"name": "c"}, "plugin": {"b": 2}}"#).with_defaults(&console);
    assert_eq!(serde_json::to_value(own.plugin).unwrap(), serde_json::json!({"a": 1, "b": 2}));
}

#[test]
fn a_company_without_a_display_name_goes_by_its_legal_one() {
    let company = Company { legal_name: "A GmbH".into(), ..Company::default() };
    assert_eq!(company.display_name(), "A GmbH");
}
