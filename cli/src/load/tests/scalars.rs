//! Plain scalars mean one thing or are refused.

use super::super::scalar::{Plain, Trap, classify, fraction};

#[test]
fn every_yaml11_word_for_true_and_false_is_a_trap_in_every_case() {
    for word in ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "True", "TRUE", "yEs"] {
        assert_eq!(classify(word), Plain::Trap(Trap::Boolean(true)), "{word}");
    }
    for word in ["n", "N", "no", "No", "NO", "off", "Off", "OFF", "False", "FALSE", "nO"] {
        assert_eq!(classify(word), Plain::Trap(Trap::Boolean(false)), "{word}");
    }
}

#[test]
fn numbers_that_readers_disagree_about_are_traps() {
    for text in [
        "01067",
        "0755",
        "007",
        "00",
        "3.10",
        "1.0",
        "1e3",
        "1E3",
        "1.5e-3",
        "+1",
        "+4930123456",
        "-0",
        "0x1F",
        "0o17",
        "0b11",
        "1_000",
        "12:30:45",
        "190:20:30.15",
        "1:30",
        ".5",
        "5.",
        "-.5",
        ".inf",
        "-.Inf",
        ".NaN",
        "+inf",
        "0.10",
        "-01",
        "18446744073709551616",
        "1e999",
        "0.1000000000000000055511151231257827",
    ] {
        assert_eq!(classify(text), Plain::Trap(Trap::Number), "{text}");
    }
}

#[test]
fn what_every_reader_takes_for_text_is_text() {
    for text in [
        "nowhere",
        "Norway",
        "yesterday",
        "on-call",
        "2026-12-31",
        "2026-12-31T08:00:00Z",
        "1.2.3",
        "10.0.0.1",
        "7f2e-11",
        "12:30:45:hello",
        "P1D",
        "3 seats",
        "e3",
        "0xZZ",
        "-",
        "--",
        "a1",
        "+",
        "-a",
        "..",
        "inf",
        "nan",
        "Praxis Müller",
        "https://a.example",
        "fe80::1",
        "1e",
        "null-value",
        "nullish",
    ] {
        assert_eq!(classify(text), Plain::Text, "{text}");
    }
}

#[test]
fn canonical_values_are_read_as_they_are() {
    assert_eq!(classify("0"), Plain::Unsigned(0));
    assert_eq!(classify("20000"), Plain::Unsigned(20_000));
    assert_eq!(classify("-3"), Plain::Signed(-3));
    assert_eq!(classify("19.1"), Plain::Float(19.1));
    assert_eq!(classify("true"), Plain::Bool(true));
    for null in ["", "~", "null", "Null", "NULL"] {
        assert_eq!(classify(null), Plain::Null, "{null}");
    }
    assert_eq!(classify("nULL"), Plain::Trap(Trap::Special));
}

#[test]
fn a_fraction_that_ends_in_zeros_is_a_number_where_a_number_is_wanted_and_never_text() {
    for (text, value) in [("1000.0", 1000.0), ("3.10", 3.1), ("-0.50", -0.5), ("0.0", 0.0)] {
        assert_eq!(fraction(text), Some(value), "{text}");
        assert!(matches!(classify(text), Plain::Trap(Trap::Number)), "{text}");
    }
    for text in ["01.0", "1.", ".5", "1.0e3", "1.2.3", "+1.0", "1_0.0", "--1.0"] {
        assert_eq!(fraction(text), None, "{text}");
    }
}
