//! The `Retry-After` header (RFC 9110, section 10.2.3): seconds, or a date.

use jiff::{SignedDuration, Timestamp};

/// How long to wait from `now`; `None` where it cannot be understood. A date that has passed is no time at all.
pub fn retry_after(value: &str, now: Timestamp) -> Option<SignedDuration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(SignedDuration::from_secs(value.parse().unwrap_or(i64::from(u32::MAX))));
    }
    let until = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Some(until.duration_since(now).max(SignedDuration::ZERO))
}
