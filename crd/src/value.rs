//! The scalar values that YAML carries as strings: durations, dates, moments, decimals, currencies, money.
//!
//! Each type parses strictly and prints back the one canonical spelling. None of them reads a clock or a time
//! zone: a date is 00:00 UTC, a day is 24 hours.
//!
//! Invariants: a value that exists is valid; equal values are equal whatever their spelling was.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::{SignedDuration, Span, civil};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

#[cfg(test)]
mod tests;

/// A scalar that is not written as its type demands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not {expected}")]
pub struct ValueError {
    found: String,
    expected: &'static str,
}

impl ValueError {
    fn new(found: &str, expected: &'static str) -> Self {
        Self { found: found.chars().take(64).collect(), expected }
    }
}

macro_rules! string_value {
    ($name:ident, $schema:expr) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

const DURATION: &str = "an ISO 8601 duration such as PT15M, P7D or P1Y";

/// A length of time as ISO 8601 writes it: `PT15M`, `P7D`, `P1Y`. Whole, not negative, upper case, in the order
/// years, months, weeks, days, hours, minutes, seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IsoDuration {
    months: u32,
    days: u32,
    seconds: u32,
}

impl IsoDuration {
    /// `n` days.
    pub const fn days(n: u32) -> Self {
        Self { months: 0, days: n, seconds: 0 }
    }

    /// `n` hours. Prints in days where it is a whole number of them only if it was built from days.
    pub const fn hours(n: u32) -> Self {
        Self { months: 0, days: 0, seconds: n * 3600 }
    }

    /// `n` minutes.
    pub const fn minutes(n: u32) -> Self {
        Self { months: 0, days: 0, seconds: n * 60 }
    }

    /// `n` months.
    pub const fn months(n: u32) -> Self {
        Self { months: n, days: 0, seconds: 0 }
    }

    /// Whole calendar months (a year is twelve).
    pub const fn calendar_months(self) -> u32 {
        self.months
    }

    /// The calendar span: months, days and seconds, for arithmetic on a civil date.
    pub fn span(self) -> Span {
        Span::new().months(self.months).days(self.days).seconds(self.seconds)
    }

    /// The fixed length: a day is 24 hours, a month 30 days and twelve months 365 days. Exact where the value
    /// names neither years nor months.
    pub fn to_duration(self) -> SignedDuration {
        let days =
            i64::from(self.months / 12) * 365 + i64::from(self.months % 12) * 30 + i64::from(self.days);
        SignedDuration::from_secs(days * 86_400 + i64::from(self.seconds))
    }

    /// Whether the length is zero (`P0D`, `PT0S`).
    pub const fn is_zero(self) -> bool {
        self.months == 0 && self.days == 0 && self.seconds == 0
    }
}

impl fmt::Display for IsoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("P0D");
        }
        f.write_str("P")?;
        let part =
            |f: &mut fmt::Formatter<'_>, n: u32, unit| if n == 0 { Ok(()) } else { write!(f, "{n}{unit}") };
        part(f, self.months / 12, 'Y')?;
        part(f, self.months % 12, 'M')?;
        part(f, self.days, 'D')?;
        if self.seconds > 0 {
            f.write_str("T")?;
            part(f, self.seconds / 3600, 'H')?;
            part(f, self.seconds % 3600 / 60, 'M')?;
            part(f, self.seconds % 60, 'S')?;
        }
        Ok(())
    }
}

impl FromStr for IsoDuration {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let wrong = || ValueError::new(text, DURATION);
        let body = text.strip_prefix('P').ok_or_else(wrong)?;
        let (date, time) = match body.split_once('T') {
            Some((_, "")) => return Err(wrong()),
            Some((date, time)) => (date, time),
            None => (body, ""),
        };
        let date = components(date, &['Y', 'M', 'W', 'D']).ok_or_else(wrong)?;
        let time = components(time, &['H', 'M', 'S']).ok_or_else(wrong)?;
        if date.iter().chain(&time).all(Option::is_none) {
            return Err(wrong());
        }
        let at = |list: &[Option<u32>], i: usize| u64::from(list[i].unwrap_or(0));
        let fit = |n: u64| u32::try_from(n).ok().filter(|n| *n <= 1_000_000_000).ok_or_else(wrong);
        Ok(Self {
            months: fit(at(&date, 0) * 12 + at(&date, 1))?,
            days: fit(at(&date, 2) * 7 + at(&date, 3))?,
            seconds: fit(at(&time, 0) * 3600 + at(&time, 1) * 60 + at(&time, 2))?,
        })
    }
}

/// Numbers by unit, in the order of `units`; `None` for another unit, another order, or a number without a unit.
fn components(mut text: &str, units: &[char]) -> Option<Vec<Option<u32>>> {
    let mut found = vec![None; units.len()];
    let mut next = 0;
    while !text.is_empty() {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        if digits == 0 || digits > 6 {
            return None;
        }
        let unit = text[digits..].chars().next()?;
        let place = next + units[next..].iter().position(|u| *u == unit)?;
        found[place] = Some(text[..digits].parse().ok()?);
        next = place + 1;
        text = &text[digits + 1..];
    }
    Some(found)
}

string_value!(
    IsoDuration,
    json_schema!({
        "type": "string", "minLength": 3, "maxLength": 40,
        "pattern": r"^P([0-9]{1,6}Y)?([0-9]{1,6}M)?([0-9]{1,6}W)?([0-9]{1,6}D)?(T([0-9]{1,6}H([0-9]{1,6}M)?([0-9]{1,6}S)?|[0-9]{1,6}M([0-9]{1,6}S)?|[0-9]{1,6}S))?$"
    })
);

/// A day of the calendar, `2026-12-31`. As an instant it is 00:00 UTC of that day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub civil::Date);

impl Date {
    /// 00:00 UTC of this day.
    pub fn start(self) -> jiff::Timestamp {
        self.0
            .to_zoned(jiff::tz::TimeZone::UTC)
            .expect("the four digit years that parse are inside jiff's range")
            .timestamp()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Date {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let wrong = || ValueError::new(text, "a date such as 2026-12-31");
        let shape = text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
        if !shape {
            return Err(wrong());
        }
        text.parse().map(Self).map_err(|_| wrong())
    }
}

string_value!(
    Date,
    json_schema!({
        "type": "string", "minLength": 10, "maxLength": 10,
        "pattern": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
    })
);

/// A moment as RFC 3339 writes it, `2026-11-20T09:30:00Z`; any offset is read, UTC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub jiff::Timestamp);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Moment {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let wrong = || ValueError::new(text, "an RFC 3339 time such as 2026-11-20T09:30:00Z");
        if text.contains('[') || text.len() > 40 || text.as_bytes().get(10) != Some(&b'T') {
            return Err(wrong());
        }
        text.parse().map(Self).map_err(|_| wrong())
    }
}

string_value!(
    Moment,
    json_schema!({ "type": "string", "format": "date-time", "minLength": 20, "maxLength": 40 })
);

/// A decimal number that is not negative, as a string: up to twelve digits, then up to four decimals (`"19.10"`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i64);

impl Decimal {
    /// `n` as a whole number. At most 10¹² - 1.
    pub const fn whole(n: u32) -> Self {
        Self(n as i64 * 10_000)
    }

    /// The value in ten-thousandths: `"19.10"` is 191 000.
    pub const fn ten_thousandths(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        match rest {
            0 => write!(f, "{whole}"),
            r if r % 100 == 0 => write!(f, "{whole}.{:02}", r / 100),
            r => write!(f, "{whole}.{r:04}"),
        }
    }
}

impl FromStr for Decimal {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let wrong = || ValueError::new(text, "a decimal number such as 19.10");
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
        if !digits(whole, 12) || !digits(rest, 4) {
            return Err(wrong());
        }
        let whole: i64 = whole.parse().map_err(|_| wrong())?;
        let rest: i64 = format!("{rest:0<4}").parse().map_err(|_| wrong())?;
        Ok(Self(whole * 10_000 + rest))
    }
}

string_value!(
    Decimal,
    json_schema!({ "type": "string", "minLength": 1, "maxLength": 17, "pattern": r"^[0-9]{1,12}(\.[0-9]{1,4})?$" })
);

/// A currency by its ISO 4217 code, three capitals: `EUR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("three ASCII capitals, checked when parsed")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text.as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|x| x.is_ascii_uppercase()) => Ok(Self([*a, *b, *c])),
            _ => Err(ValueError::new(text, "an ISO 4217 currency code such as EUR")),
        }
    }
}

string_value!(
    Currency,
    json_schema!({ "type": "string", "minLength": 3, "maxLength": 3, "pattern": "^[A-Z]{3}$" })
);

/// An amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Money {
    /// How much, as a decimal string such as "2000" or "19.10".
    pub amount: Decimal,
    /// In which currency, ISO 4217 (EUR, USD).
    pub currency: Currency,
}
