//! What waits, and how long.

use super::*;

#[test]
fn pauses_grow_and_end_with_the_first_success() {
    let mut pause = Pause::default();
    let mut last = Duration::ZERO;
    for _ in 0..20 {
        let before = Instant::now();
        pause.longer();
        let until = pause.until.expect("there is a pause") - before;
        assert!(
            until + Duration::from_millis(50) >= last && until <= LONGEST_PAUSE + Duration::from_millis(50)
        );
        last = until;
    }
    assert!(last + Duration::from_millis(50) >= LONGEST_PAUSE);
    pause.over();
    assert_eq!((pause.failures, pause.until), (0, None));
}

#[test]
fn what_a_pass_that_went_well_has_put_off_comes_again() {
    let later = Instant::now() + Duration::from_secs(30);
    let mut pause = Pause { failures: 3, until: None };
    pause.well(None);
    assert_eq!((pause.failures, pause.until), (0, None), "nothing is left");
    pause.well(Some(later));
    assert_eq!(pause.until, Some(later), "a step that failed is tried again by itself");
    let mut pause = Pause { failures: 3, until: Some(later) };
    pause.well(Some(later + Duration::from_secs(1)));
    assert_eq!((pause.failures, pause.until), (3, Some(later)), "what was asked for within the pass stays");
}

#[test]
fn changes_are_gathered_each_once() {
    let inbox = Inbox::default();
    assert!(inbox.take().is_none());
    inbox.tell([(Kind::Customer, "a".to_owned())]);
    inbox.tell([(Kind::Customer, "a".to_owned()), (Kind::License, "b".to_owned())]);
    let (_, changed) = inbox.take().expect("something changed");
    assert_eq!(changed.len(), 2);
    assert!(inbox.take().is_none());
}
