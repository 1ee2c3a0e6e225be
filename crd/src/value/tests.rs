//! What each value accepts, refuses, and says when it refuses.

use super::*;

fn duration(text: &str) -> Result<String, String> {
    text.parse::<IsoDuration>().map(|d| d.to_string()).map_err(|e| e.to_string())
}

#[test]
fn durations_print_one_canonical_spelling() {
    for (written, printed) in [
        ("PT15M", "PT15M"),
        ("P1D", "P1D"),
        ("P730D", "P730D"),
        ("P2W", "P14D"),
        ("P1Y", "P1Y"),
        ("P14M", "P1Y2M"),
        ("PT90M", "PT1H30M"),
        ("P1DT12H", "P1DT12H"),
        ("PT0S", "P0D"),
        ("P0D", "P0D"),
    ] {
        assert_eq!(duration(written), Ok(printed.to_owned()), "{written}");
    }
}

#[test]
fn durations_that_are_not_strict_iso_8601_are_refused() {
    for text in [
        "",
        "P",
        "PT",
        "P1",
        "1D",
        "p1d",
        "P-1D",
        "-P1D",
        "P1.5D",
        "P1DT",
        "PT1D",
        "P1H",
        "P1D1Y",
        " P1D",
        "1 day",
        "P1D2D",
        "P9999999D",
        "PT1H ",
    ] {
        let error = duration(text).unwrap_err();
        assert_eq!(error, format!("`{text}` is not an ISO 8601 duration such as PT15M, P7D or P1Y"));
    }
}

#[test]
fn a_day_is_twenty_four_hours_and_a_year_365_days() {
    let seconds = |t: &str| t.parse::<IsoDuration>().unwrap().to_duration().as_secs();
    assert_eq!(seconds("P1D"), 86_400);
    assert_eq!(seconds("PT24H"), 86_400);
    assert_eq!(seconds("P1Y"), 365 * 86_400);
    assert_eq!(seconds("P1M"), 30 * 86_400);
    assert_ne!("P1D".parse::<IsoDuration>().unwrap(), "PT24H".parse::<IsoDuration>().unwrap());
}

#[test]
fn a_date_begins_at_midnight_utc_and_has_one_shape() {
    let date: Date = "2026-12-31".parse().unwrap();
    assert_eq!(date.start().to_string(), "2026-12-31T00:00:00Z");
    for text in ["2026-1-1", "2026-02-30", "20261231", "2026-12-31T00:00:00Z", "", "-026-12-31"] {
        assert!(text.parse::<Date>().is_err(), "{text}");
    }
}

#[test]
fn a_moment_needs_an_offset_and_is_written_in_utc() {
    let moment: Moment = "2026-11-20T09:30:00+02:00".parse().unwrap();
    assert_eq!(moment.to_string(), "2026-11-20T07:30:00Z");
    for text in ["2026-11-20T09:30:00", "2026-11-20", "2026-11-20T09:30:00Z[UTC]", "2026-11-20 09:30:00Z"] {
        assert!(text.parse::<Moment>().is_err(), "{text}");
    }
}

#[test]
fn decimals_keep_four_places_and_refuse_floats() {
    for (written, printed, exact) in [
        ("19.10", "19.10", 191_000),
        ("2000", "2000", 20_000_000),
        ("0.0125", "0.0125", 125),
        ("1.5", "1.50", 15_000),
    ] {
        let decimal: Decimal = written.parse().unwrap();
        assert_eq!((decimal.to_string().as_str(), decimal.ten_thousandths()), (printed, exact));
    }
    for text in ["", "-1", "1.", ".5", "1e3", "1,5", "1.23456", "1234567890123"] {
        assert!(text.parse::<Decimal>().is_err(), "{text}");
    }
    assert!(serde_json::from_str::<Decimal>("19.1").is_err(), "a bare number has no exact decimals");
}

#[test]
fn a_currency_is_three_capitals() {
    assert_eq!("EUR".parse::<Currency>().unwrap().code(), "EUR");
    for text in ["eur", "EURO", "€", "E1R", ""] {
        assert!(text.parse::<Currency>().is_err(), "{text}");
    }
}
