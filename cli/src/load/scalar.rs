//! What a plain (unquoted) scalar is, by one strict reading on which every YAML and JSON reader agrees.
//!
//! Kubernetes reads YAML 1.1, editors mostly 1.2, people neither. A plain scalar that two of them read differently
//! is a [`Plain::Trap`] and never becomes a value; what all of them read alike is exactly that.
//! Invariant: a plain scalar that is accepted as a number or boolean prints back as the same characters.

/// What a plain scalar's characters are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Plain {
    /// Nothing, `~` or a spelling of null.
    Null,
    /// Exactly `true` or `false`.
    Bool(bool),
    /// A decimal whole number without sign `+`, leading zeros or separators.
    Unsigned(u64),
    /// A negative one.
    Signed(i64),
    /// A decimal fraction that prints back as it stands.
    Float(f64),
    /// Text to every reader.
    Text,
    /// Something that readers take for different things.
    Trap(Trap),
}

/// Which readers disagree about what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trap {
    /// `NO`, `y`, `On`, `True`: a boolean to YAML 1.1, text (or a boolean) to others.
    Boolean(bool),
    /// `0755`, `3.10`, `1e3`, `12:30:45`, `+49`, `0x1F`, `.inf`: some number to some readers.
    Number,
    /// `=` and `<<`: special to YAML 1.1 in places.
    Special,
}

/// Reads a plain scalar.
pub fn classify(text: &str) -> Plain {
    let Some(&first) = text.as_bytes().first() else { return Plain::Null };
    match first {
        b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O' | b'=' | b'<' => {
            word(text)
        }
        b'0'..=b'9' | b'+' | b'-' | b'.' => number(text),
        _ => Plain::Text,
    }
}

fn word(text: &str) -> Plain {
    if text.len() > 5 {
        return Plain::Text;
    }
    match text {
        "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" => return Plain::Bool(true),
        "false" => return Plain::Bool(false),
        "=" | "<<" => return Plain::Trap(Trap::Special),
        _ => {}
    }
    // YAML 1.1 lists three spellings of each word; other readers ignore case, so every case is a trap.
    for (spelling, value) in [
        ("y", true),
        ("yes", true),
        ("on", true),
        ("true", true),
        ("n", false),
        ("no", false),
        ("off", false),
    ] {
        if text.eq_ignore_ascii_case(spelling) {
            return Plain::Trap(Trap::Boolean(value));
        }
    }
    if text.eq_ignore_ascii_case("false") {
        return Plain::Trap(Trap::Boolean(false));
    }
    if text.eq_ignore_ascii_case("null") { Plain::Trap(Trap::Special) } else { Plain::Text }
}

fn number(text: &str) -> Plain {
    if let Some(value) = canonical(text) {
        return value;
    }
    if looks_numeric(text) { Plain::Trap(Trap::Number) } else { Plain::Text }
}

/// A number that prints back as its own characters.
fn canonical(text: &str) -> Option<Plain> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let mut halves = digits.splitn(2, '.');
    let whole = halves.next()?;
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    match halves.next() {
        None if text == "-0" => None,
        None if text.starts_with('-') => text.parse().ok().map(Plain::Signed),
        None => text.parse().ok().map(Plain::Unsigned),
        Some(fraction) => {
            if !all_digits(fraction) {
                return None;
            }
            let value: f64 = text.parse().ok()?;
            (value.is_finite() && value.to_string() == text).then_some(Plain::Float(value))
        }
    }
}

/// A fraction that ends in zeros (`1000.0`, `3.10`): the same number to every reader, other characters when printed.
/// A field that takes a fraction may take it; text may not.
pub fn fraction(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.')?;
    let plain = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// True for everything that YAML 1.1, YAML 1.2, JSON or Go's number readers could take for a number.
///
/// Dates (`2026-12-31`), versions (`1.2.3`), addresses (`10.0.0.1`) and identifiers (`7f2e-…`) are text to all.
fn looks_numeric(text: &str) -> bool {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = body.to_ascii_lowercase();
    if matches!(lower.as_str(), ".inf" | ".nan" | "inf" | "nan" | "infinity") {
        return lower.starts_with('.') || text.starts_with(['+', '-']);
    }
    let without = lower.replace('_', "");
    let body = without.as_str();
    if body.is_empty() || !lower.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(rest) = body.strip_prefix(prefix) {
            return !rest.is_empty() && rest.chars().all(|c| c.is_digit(radix));
        }
    }
    if body.contains(':') {
        return sexagesimal(body);
    }
    let (mantissa, exponent) = match body.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (body, None),
    };
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && e.bytes().all(|b| b.is_ascii_digit())
    });
    exponent_fits
        && mantissa.bytes().any(|b| b.is_ascii_digit())
        && mantissa.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && mantissa.bytes().filter(|&b| b == b'.').count() <= 1
}

/// Base 60 of YAML 1.1: `12:30:45`, `190:20:30.15`.
fn sexagesimal(body: &str) -> bool {
    body.split(':').enumerate().all(|(i, part)| {
        let digits = part.split('.').next().unwrap_or("");
        !digits.is_empty()
            && part.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && (i == 0 || digits.len() <= 2)
    })
}
