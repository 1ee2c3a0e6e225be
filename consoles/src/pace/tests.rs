//! The limiter under a clock that moves when somebody waits.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tenantry_crd::console::PaceSpec;
use tenantry_engine::runtime::{Clock, Stop};

use super::{Interrupted, Lane, Pace, Paces, Rates, Window};

struct Moving(Mutex<Timestamp>);

#[async_trait]
impl Clock for Moving {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("not poisoned")
    }

    async fn wait(&self, duration: SignedDuration) {
        *self.0.lock().expect("not poisoned") += duration;
        tokio::task::yield_now().await;
    }
}

fn clock() -> Arc<Moving> {
    Arc::new(Moving(Mutex::new(Timestamp::from_second(1_768_204_800).expect("a time"))))
}

async fn seconds_for(requests: u32, lane: Lane, rates: &Rates) -> f64 {
    let clock = clock();
    let pace = Pace::new(rates, clock.clone(), Stop::default());
    let began = clock.now();
    for _ in 0..requests {
        drop(pace.turn(lane).await.expect("nobody stops"));
    }
    clock.now().duration_since(began).as_secs_f64()
}

#[tokio::test]
async fn after_its_burst_a_lane_goes_at_its_own_rate() {
    let rates = Rates::default();
    assert!(seconds_for(10, Lane::Read, &rates).await < 0.01);
    let thirty = seconds_for(30, Lane::Read, &rates).await;
    assert!((10.0..10.5).contains(&thirty), "20 reads beyond the burst at 2/s took {thirty} s");
    let writes = seconds_for(4, Lane::Write, &rates).await;
    assert!((4.0..4.5).contains(&writes), "2 writes beyond the burst at 0.5/s took {writes} s");
}

#[tokio::test]
async fn the_vendors_window_holds_both_lanes_together() {
    let rates = Rates {
        reads: Window { per_second: 100.0, burst: 100.0 },
        windows: vec![Window { per_second: 1.0, burst: 5.0 }],
        ..Rates::default()
    };
    let time = seconds_for(15, Lane::Read, &rates).await;
    assert!((10.0..10.5).contains(&time), "10 reads beyond the window's burst took {time} s");
}

#[tokio::test]
async fn a_refusal_to_hurry_stops_everybody_and_halves_the_pace_and_answers_give_it_back() {
    let clock = clock();
    let pace = Pace::new(&Rates::default(), clock.clone(), Stop::default());
    let began = clock.now();
    pace.throttled(SignedDuration::from_secs(7));
    assert!((pace.share() - 0.5).abs() < 1e-9);
    drop(pace.turn(Lane::Write).await.expect("nobody stops"));
    let waited = clock.now().duration_since(began);
    assert!(waited >= SignedDuration::from_secs(7), "waited {waited}");
    for _ in 0..10 {
        pace.went_well();
    }
    assert!((pace.share() - 1.0).abs() < 1e-9);
}

#[tokio::test]
async fn a_writer_that_waits_for_a_place_goes_before_readers() {
    let pace = Arc::new(Pace::new(&Rates { concurrency: 1, ..Rates::default() }, clock(), Stop::default()));
    let order = Arc::new(Mutex::new(Vec::new()));
    let running = pace.turn(Lane::Read).await.expect("nobody stops");
    let mut tasks = Vec::new();
    for lane in [Lane::Read, Lane::Write, Lane::Read] {
        let (pace, order) = (pace.clone(), order.clone());
        tasks.push(tokio::spawn(async move {
            let permit = pace.turn(lane).await.expect("nobody stops");
            order.lock().expect("not poisoned").push(lane);
            drop(permit);
        }));
        // The tasks run on this thread alone: each comes to the door before the next is made.
        tokio::task::yield_now().await;
    }
    drop(running);
    for task in tasks {
        task.await.expect("no panic");
    }
    assert_eq!(order.lock().expect("not poisoned").first(), Some(&Lane::Write));
}

#[tokio::test]
async fn a_wish_to_stop_ends_waiting_readers_but_not_a_writer_in_its_step() {
    let stop = Stop::default();
    let pace = Pace::new(&Rates::default(), clock(), stop.clone());
    stop.ask();
    assert_eq!(pace.turn(Lane::Read).await.err(), Some(Interrupted));
    assert!(pace.turn(Lane::Write).await.is_ok());
    stop.ask();
    assert_eq!(pace.turn(Lane::Write).await.err(), Some(Interrupted));
}

#[test]
fn a_declared_pace_replaces_the_adapters_and_the_highest_lifts_the_vendors_window() {
    let window = Window { per_second: 1.0, burst: 5.0 };
    let own = Rates { windows: vec![window], ..Rates::default() };
    let some = own.clone().declared(&PaceSpec { reads_per_second: Some(4.0), ..PaceSpec::default() });
    assert_eq!(some.windows, [window]);
    assert!((some.reads.per_second - 4.0).abs() < 1e-9);
    let most = own.declared(&PaceSpec {
        reads_per_second: Some(1000.0),
        writes_per_second: Some(1000.0),
        concurrency: Some(16),
    });
    assert_eq!((most.windows.len(), most.concurrency), (0, 16));
}

#[test]
fn consoles_on_one_credential_share_one_limiter() {
    let paces = Paces::default();
    let make = || Pace::new(&Rates::default(), clock(), Stop::default());
    let one = paces.of("sophos client-1", make);
    assert!(Arc::ptr_eq(&one, &paces.of("sophos client-1", make)));
    assert!(!Arc::ptr_eq(&one, &paces.of("sophos client-2", make)));
}
