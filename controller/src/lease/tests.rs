//! How long a tenure counts.

use super::*;

#[test]
fn work_ends_before_the_lease_does_and_renewals_leave_room_for_a_failed_one() {
    let terms = Terms {
        namespace: "n".into(),
        name: "l".into(),
        identity: "i".into(),
        duration: Duration::from_secs(15),
    };
    assert_eq!(terms.work(), Duration::from_secs(10));
    assert!(terms.pause() * 3 <= terms.work(), "two renewals may fail");
}

#[test]
fn a_tenure_counts_from_its_last_renewal() {
    let tenure = Tenure { generation: 1, until: Arc::new(Mutex::new(Instant::now())) };
    assert!(!tenure.holds());
    tenure.renewed(Instant::now() + Duration::from_secs(60));
    assert!(tenure.holds());
}
