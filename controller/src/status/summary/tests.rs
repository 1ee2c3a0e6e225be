//! The fingerprint of what is held.

use super::*;

#[test]
fn nothing_held_has_no_fingerprint() {
    assert_eq!(fingerprint(&[]), None);
}
