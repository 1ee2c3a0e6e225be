//! What is told where several things hold, and how long it may be.

use super::*;

#[test]
fn the_worst_comes_first() {
    let mut states = [
        State::Ready,
        State::Unknown("NotCompared"),
        State::Progressing,
        State::Awaiting(Who::Operator),
        State::Awaiting(Who::Customer),
        State::Stalled("Held"),
    ];
    states.sort();
    assert_eq!(states[0], State::Stalled("Held"));
    assert_eq!(states[5], State::Ready);
}

#[test]
fn parties_are_named_by_the_four_reasons() {
    assert_eq!(Who::from(Party::Distributor).reason(), "AwaitingProvider");
    assert_eq!(Who::from(Party::Customer).reason(), "AwaitingCustomer");
    assert_eq!(Who::from(Party::Vendor).reason(), "AwaitingVendor");
    assert_eq!(Who::from(Party::Operator).reason(), "AwaitingOperator");
}

#[test]
fn a_long_message_is_cut_where_a_character_ends() {
    assert_eq!(&*cut("kurz", 10), "kurz");
    let cut = cut("äöüäöüäöü", 10);
    assert!(cut.len() <= 10 && cut.ends_with('…'), "{cut}");
}
