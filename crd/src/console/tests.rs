//! What a Console may say, and its defaults.

use super::*;

#[test]
fn guards_that_are_not_declared_have_the_documented_defaults() {
    let guards = GuardsSpec::default().effective();
    assert_eq!(guards.per.to_string(), "P1D");
    assert_eq!((guards.max_creations, guards.max_invitations, guards.max_removals), (20, 50, 5));
    assert_eq!((guards.max_removal_percent, guards.max_seat_increase), (10, 25));
    assert_eq!(
        (guards.max_commitment.amount.to_string().as_str(), guards.max_commitment.currency),
        ("2000", None)
    );
    assert_eq!(guards.unpriced, Unpriced::Allow);
}

#[test]
fn a_declared_guard_wins_even_when_it_is_zero() {
    let guards: GuardsSpec =
        serde_json::from_str(r#"{"maxRemovals": 0, "maxCommitment": {"amount": "5", "currency": "USD"}}"#)
            .unwrap();
    assert_eq!(guards.effective().max_removals, 0);
    assert_eq!(guards.effective().max_commitment.currency.unwrap().code(), "USD");
}

#[test]
fn ages_and_reminders_have_the_documented_defaults() {
    let ages = ObserveSpec::default().effective();
    let printed = [ages.accounts, ages.access, ages.licenses, ages.usage, ages.settle].map(|d| d.to_string());
    assert_eq!(printed, ["PT1H", "PT6H", "PT24H", "PT24H", "PT15M"]);
    let reminders = InvitationPolicy::default().effective();
    assert_eq!((reminders.remind_after.to_string(), reminders.max_reminders), ("P7D".to_owned(), 2));
    assert_eq!(reminders.expire_after.to_string(), "P30D");
}

#[test]
fn a_console_that_says_only_its_vendor_is_managed_and_keeps_names_alone() {
    let console: ConsoleSpec = serde_json::from_str(r#"{"sophos": {"program": "MspFlex"}}"#).unwrap();
    assert_eq!(console.vendor(), Some(Vendor::Sophos));
    assert_eq!((console.management, console.naming), (Management::Manage, Naming::Ignore));
    assert_eq!((console.drift.accounts, console.drift.licenses), (DriftPolicy::Correct, DriftPolicy::Report));
    let sophos = console.sophos.unwrap();
    assert_eq!((sophos.products_at_creation, sophos.rename_via), (false, SophosRename::Person));
}

#[test]
fn two_vendors_or_none_are_no_vendor() {
    assert_eq!(ConsoleSpec::default().vendor(), None);
    let two: ConsoleSpec =
        serde_json::from_str(r#"{"acronis": {}, "sophos": {"program": "Reseller"}}"#).unwrap();
    assert_eq!(two.vendor(), None);
}

#[test]
fn a_partly_declared_drift_keeps_the_other_default() {
    let drift: DriftPolicies = serde_json::from_str(r#"{"licenses": "Correct"}"#).unwrap();
    assert_eq!((drift.accounts, drift.licenses), (DriftPolicy::Correct, DriftPolicy::Correct));
    assert_eq!(serde_json::from_str::<DriftPolicies>("{}").unwrap(), DriftPolicies::default());
}
