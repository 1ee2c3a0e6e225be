//! The vendor's rate limits (developer.sophos.com, introduction): 100 requests a minute with bursts
//! to 300, 200 000 a day, counted by the simulated clock.

use jiff::{SignedDuration, Timestamp};

const PER_MINUTE: f64 = 100.0;
const BURST: f64 = 300.0;
const PER_DAY: u32 = 200_000;
const DAY: i64 = 86_400;

/// A token bucket with a daily count.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    level: f64,
    filled: Timestamp,
    day: i64,
    today: u32,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn full(now: Timestamp) -> Self {
        Self { level: BURST, filled: now, day: now.as_second() / DAY, today: 0 }
    }

    /// Takes one request out; `Err` is how long until the next would pass.
    pub(crate) fn take(&mut self, now: Timestamp) -> Result<(), SignedDuration> {
        let elapsed = now.duration_since(self.filled).as_secs_f64().max(0.0);
        self.level = (self.level + elapsed * PER_MINUTE / 60.0).min(BURST);
        self.filled = now;
        let day = now.as_second() / DAY;
        if day != self.day {
            self.day = day;
            self.today = 0;
        }
        if self.today >= PER_DAY {
            return Err(SignedDuration::from_secs((day + 1) * DAY - now.as_second()));
        }
        if self.level < 1.0 {
            let wait = ((1.0 - self.level) * 60.0 / PER_MINUTE).ceil().max(1.0);
            return Err(SignedDuration::try_from_secs_f64(wait).unwrap_or(SignedDuration::from_secs(1)));
        }
        self.level -= 1.0;
        self.today += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_300_passes_and_the_next_waits_for_the_clock() {
        let start = Timestamp::UNIX_EPOCH;
        let mut bucket = Bucket::full(start);
        assert!((0..300).all(|_| bucket.take(start).is_ok()));
        assert_eq!(bucket.take(start), Err(SignedDuration::from_secs(1)));
        let later = start + SignedDuration::from_secs(60);
        assert_eq!((0..200).filter(|_| bucket.take(later).is_ok()).count(), 100);
    }

    #[test]
    fn the_daily_count_starts_again_at_midnight() {
        let mut bucket = Bucket::full(Timestamp::UNIX_EPOCH);
        bucket.today = PER_DAY;
        let night = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(DAY - 10);
        assert_eq!(bucket.take(night), Err(SignedDuration::from_secs(10)));
        assert!(bucket.take(night + SignedDuration::from_secs(10)).is_ok());
    }
}
