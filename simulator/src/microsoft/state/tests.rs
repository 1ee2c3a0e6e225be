//! Ties and places.

use jiff::Timestamp;

use super::*;
use crate::Ids;

fn account() -> Account {
    Account::new("acme", String::new(), Ids::new(1, "acme"), Timestamp::UNIX_EPOCH)
}

#[test]
fn a_tie_that_waits_for_two_list_calls_is_listed_with_the_third() {
    let mut account = account();
    account.tie("a", Some(Due::Calls(2)), false);
    for listed in [false, false, true] {
        account.settle(Timestamp::UNIX_EPOCH, true);
        assert_eq!(!account.listing.is_empty(), listed);
        assert_eq!(account.knows("a"), listed);
    }
}

#[test]
fn looking_at_one_customer_counts_no_list_call() {
    let mut account = account();
    account.tie("a", Some(Due::Calls(0)), false);
    account.settle(Timestamp::UNIX_EPOCH, false);
    assert!(account.listing.is_empty());
}

#[test]
fn a_second_tie_changes_nothing_and_untying_frees_no_place() {
    let mut account = account();
    assert!(account.tie("a", None, true));
    assert!(account.tie("b", None, true));
    assert!(!account.tie("a", None, true));
    assert!(account.untie("a"));
    assert!(!account.untie("a"));
    assert!(account.tie("a", None, true));
    assert_eq!(account.listing.into_iter().collect::<Vec<_>>(), [(2, "b".to_owned()), (3, "a".to_owned())]);
}

#[test]
fn rights_outlive_the_tie() {
    let mut account = account();
    account.tie("a", None, true);
    account.dap.insert("a".to_owned());
    account.untie("a");
    assert!(account.dap.contains("a"));
}
