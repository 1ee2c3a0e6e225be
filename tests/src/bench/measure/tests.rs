//! What `/proc` says is read as the kernel means it.

use std::process::Command;
use std::time::{Duration, Instant};

use super::{high_water, measure, state};

#[test]
fn a_name_with_spaces_and_parentheses_hides_no_field() {
    let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 10 0 0 0 250 50 0 0 20 0 1 0 1 1 1";
    assert_eq!(state(stat), Some((false, 3.0)));
    assert_eq!(state(&stat.replace(") S", ") Z")), Some((true, 3.0)));
    assert_eq!(state("7"), None);
}

#[test]
fn the_high_water_mark_is_in_kibibytes() {
    assert_eq!(high_water("Name:\tx\nVmHWM:\t    2048 kB\n"), Some(2 << 20));
    assert_eq!(high_water("Name:\tx\n"), None);
}

#[test]
fn a_process_that_computes_is_seen_to_compute() {
    let child = Command::new("sh").args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]).spawn();
    let (status, took) =
        measure(child.expect("there is a shell"), Instant::now(), Duration::from_secs(60)).expect("it ends");
    assert!(status.success());
    assert!(took.cpu > 0.0 && took.peak > 100_000 && took.wall >= took.cpu * 0.5, "{took:?}");
}

#[test]
fn a_process_that_does_not_end_is_ended() {
    let child = Command::new("sleep").arg("60").spawn().expect("there is sleep");
    let error = measure(child, Instant::now(), Duration::from_millis(20)).expect_err("it is over the limit");
    assert!(error.to_string().contains("did not end"), "{error}");
}
