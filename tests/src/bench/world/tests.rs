//! The customers of a bench are what the mix says, in any order.

use std::collections::BTreeSet;

use super::{Class, Mix, World};

fn world(customers: usize, shuffle: u64) -> World {
    World { customers, mix: Mix::USUAL, shuffle }
}

#[test]
fn a_mix_is_met_within_a_percent() {
    let world = world(20_000, 1);
    for (class, percent) in [(Class::Different, 10), (Class::Unreadable, 1), (Class::Invited, 5)] {
        let count = world.count(class);
        assert!(count.abs_diff(20_000 * percent / 100) <= 100, "{class:?}: {count}");
    }
}

#[test]
fn a_shuffle_changes_the_order_and_nothing_else() {
    let (one, other) = (world(500, 1).order(500, 3), world(500, 2).order(500, 3));
    assert_ne!(one, other);
    assert_eq!(one.iter().collect::<BTreeSet<_>>(), other.iter().collect::<BTreeSet<_>>());
    assert_eq!(one.iter().collect::<BTreeSet<_>>().len(), 500);
}

#[test]
fn what_is_written_is_about_a_kilobyte_a_customer() {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let bytes = world(100, 1).write(dir.path()).expect("the temporary directory is writable");
    assert!((800..1300).contains(&(bytes / 100)), "{bytes}");
}
