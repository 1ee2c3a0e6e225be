//! How long a tenure counts.

use super::*;

#[test]
fn work_ends_before_the_lease_does_and_renewals_leave_room_for_a_failed_one() {
    let terms = |duration: u64, longest: u64| Terms {
        namespace: "n".into(),
        name: "l".into(),
        identity: "i".into(),
        duration: Duration::from_secs(duration),
        longest: Duration::from_secs(longest),
    };
    assert_eq!(terms(60, 30).work(), Duration::from_secs(30));
    assert_eq!(terms(60, 5).work(), Duration::from_secs(40));
    for (duration, longest) in [(60, 30), (10, 5), (3, 1)] {
        let terms = terms(duration, longest);
        assert!(terms.work() + terms.longest <= terms.duration, "what was begun ends with the Lease");
        assert!(terms.pause() * 2 < terms.work(), "a renewal may fail");
    }
}

#[test]
fn a_tenure_counts_from_its_last_renewal() {
    let tenure = Tenure { generation: 1, until: Arc::new(Mutex::new(Instant::now())) };
    assert!(!tenure.holds());
    tenure.renewed(Instant::now() + Duration::from_secs(60));
    assert!(tenure.holds());
    let held_elsewhere = tenure.clone();
    tenure.over();
    assert!(!held_elsewhere.holds(), "whoever holds a copy of it goes on");
}
