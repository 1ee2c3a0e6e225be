//! The command line, as a person types it.

use clap::{CommandFactory, Parser};

use super::*;

fn flags(arguments: &[&str]) -> Result<Flags, String> {
    let all = std::iter::once("tenantry-controller").chain(arguments.iter().copied());
    Flags::try_parse_from(all).map_err(|error| error.to_string())
}

#[test]
fn the_definition_holds_together() {
    Flags::command().debug_assert();
}

#[test]
fn the_default_debounce_leaves_room_for_two_seconds() {
    assert!(flags(&[]).expect("nothing is required").debounce <= Duration::from_millis(500));
}

#[test]
fn durations_are_written_as_people_and_as_iso_8601_do() {
    let flags = flags(&["--debounce", "250ms", "--lease-duration", "PT20S"]).expect("both are durations");
    assert_eq!(flags.debounce, Duration::from_millis(250));
    assert_eq!(flags.lease_duration, Duration::from_secs(20));
}

#[test]
fn a_lease_outlives_what_was_begun_under_it() {
    let check = |arguments: &[&str]| flags(arguments).expect("each flag alone is right").check();
    assert_eq!(check(&[]), Ok(()));
    assert_eq!(check(&["--lease-duration", "20s", "--write-timeout", "10s"]), Ok(()));
    assert_eq!(
        check(&["--lease-duration", "15s"]).expect_err("a request takes longer"),
        "--lease-duration 15s is too short for --write-timeout 30s: a change that was begun must be over before another \
         replica may act; give --lease-duration at least 60s, or a shorter --write-timeout"
    );
    let short = "--lease-duration is at least 3s, in whole seconds";
    assert_eq!(check(&["--lease-duration", "2s", "--write-timeout", "1s"]), Err(short.to_owned()));
    assert_eq!(check(&["--lease-duration", "3500ms", "--write-timeout", "1s"]), Err(short.to_owned()));
}

#[test]
fn endpoints_name_a_console_with_or_without_its_namespace() {
    let flags =
        flags(&["--endpoint", "sophos=https://a.example,emea/ms=https://b.example"]).expect("two endpoints");
    let endpoints = flags.endpoints();
    assert_eq!(endpoints["sophos"].as_str(), "https://a.example/");
    assert_eq!(endpoints["emea/ms"].as_str(), "https://b.example/");
}

#[test]
fn a_plan_is_not_served_in_the_clear_by_mistake() {
    let served = flags(&["--plan-address", "127.0.0.1:0"]).expect("each flag alone is right");
    let refused = served.check().expect_err("no certificate");
    assert!(refused.contains("--plan-certificate"), "{refused}");
    let plain = flags(&["--plan-address", "127.0.0.1:0", "--plan-plain"]).expect("asked for");
    assert_eq!(plain.check(), Ok(()));
}

#[test]
fn what_is_no_endpoint_is_said_with_an_example() {
    let error = flags(&["--endpoint", "https://a.example"]).expect_err("no console");
    assert!(error.contains("write CONSOLE=https://HOST/PATH"), "{error}");
}
