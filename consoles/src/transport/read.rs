//! The transport that can only read. It repeats what it asks, because asking changes nothing.

use std::sync::Arc;

use jiff::SignedDuration;
use tenantry_engine::address::ConsoleName;
use tenantry_engine::console::ConsoleError;
use tenantry_engine::runtime::{Event, Runtime};
use tenantry_engine::text::terminal;

use super::allow::AllowList;
use super::answer::Answer;
use super::client::{Client, Lost};
use super::cost::{Cost, Counted};
use super::outgoing::Outgoing;
use super::retry_after;
use crate::auth::Tokens;
use crate::pace::{Lane, Pace};

/// A read is sent at most this often.
const MOST_TRIES: u32 = 6;
/// Full-jitter backoff grows from here (developer.sophos.com, introduction: exponential backoff with full jitter).
const FIRST_BACKOFF: SignedDuration = SignedDuration::from_secs(1);
/// And no further than this.
const LONGEST_BACKOFF: SignedDuration = SignedDuration::from_secs(30);
/// A vendor that asks for more patience than this is not waited for in this run.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(10);

/// Reads from one console.
pub struct Reader {
    /// The console's title, for errors.
    pub(super) title: String,
    /// The console's name, for progress.
    pub(super) name: ConsoleName,
    pub(super) client: Client,
    pub(super) allow: AllowList,
    pub(super) pace: Arc<Pace>,
    pub(super) runtime: Runtime,
    pub(super) cost: Arc<Cost>,
}

impl Reader {
    /// A transport that sends nothing but what `allow` lists.
    pub fn new(
        title: impl Into<String>,
        name: &ConsoleName,
        client: Client,
        allow: AllowList,
        pace: Arc<Pace>,
        runtime: &Runtime,
        cost: Arc<Cost>,
    ) -> Self {
        Self { title: title.into(), name: name.clone(), client, allow, pace, runtime: runtime.clone(), cost }
    }

    /// The limiter, to read details as concurrently as it allows.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Asks, and repeats on 401 (once, with a new token), 429, 5xx and lost answers. An answer comes back whatever its
    /// status, a 5xx or 429 only after the last try.
    pub async fn ask(
        &self,
        out: &Outgoing,
        tokens: Option<&Tokens>,
        counts: Counted,
    ) -> Result<Answer, ConsoleError> {
        if !self.allow.allows(&out.method, &out.url) {
            return Err(ConsoleError::NotARead {
                console: self.title.clone(),
                method: out.method.to_string(),
                path: terminal(out.url.path()),
            });
        }
        let mut counts = counts;
        let mut renewed = false;
        let mut tries = 0;
        loop {
            let bearer = match tokens {
                Some(tokens) => Some(Box::pin(tokens.bearer()).await?),
                None => None,
            };
            let got = {
                let _permit = self.pace.turn(Lane::Read).await.map_err(|_| ConsoleError::Stopped)?;
                self.cost.count(std::mem::replace(&mut counts, Counted::Other));
                self.client.once(&self.client.reads, out, bearer.as_ref()).await
            };
            tries += 1;
            let last = tries >= MOST_TRIES;
            match got {
                Err(Lost::Unsent(because) | Lost::NoAnswer(because)) => {
                    if last {
                        return Err(ConsoleError::Unreachable { console: self.title.clone(), because });
                    }
                    self.wait(self.backoff(tries)).await?;
                }
                Ok(answer) => {
                    self.cost.received(answer.bytes());
                    self.cost.dated(answer.header("date"), self.runtime.clock.now());
                    match answer.status {
                        401 if !renewed && bearer.is_some() => {
                            renewed = true;
                            if let (Some(tokens), Some(bearer)) = (tokens, &bearer) {
                                tokens.refused(bearer).await;
                            }
                        }
                        429 => {
                            let wait = self.asked_to_wait(&answer).unwrap_or_else(|| self.backoff(tries));
                            self.pace.throttled(wait.min(LONGEST_WAIT));
                            if last || wait > LONGEST_WAIT {
                                return Ok(answer);
                            }
                            let seconds = u64::try_from(wait.as_secs()).unwrap_or(0);
                            self.runtime.progress.tell(Event::Throttled { console: &self.name, seconds });
                            // The limiter stops everybody for as long: the next turn waits.
                        }
                        500..=599 if !last => {
                            let wait = self
                                .asked_to_wait(&answer)
                                .filter(|wait| *wait <= LONGEST_WAIT)
                                .unwrap_or_else(|| self.backoff(tries));
                            self.wait(wait).await?;
                        }
                        _ => {
                            self.pace.went_well();
                            return Ok(answer);
                        }
                    }
                }
            }
        }
    }

    fn asked_to_wait(&self, answer: &Answer) -> Option<SignedDuration> {
        retry_after(answer.header("retry-after")?, self.runtime.clock.now())
    }

    /// A random time up to 1 s, 2 s, 4 s … 30 s.
    fn backoff(&self, tries: u32) -> SignedDuration {
        let most = FIRST_BACKOFF.saturating_mul(1 << (tries - 1).min(5)).min(LONGEST_BACKOFF);
        SignedDuration::from_secs_f64(most.as_secs_f64() * random(&self.runtime.ids.uuid()))
    }

    async fn wait(&self, time: SignedDuration) -> Result<(), ConsoleError> {
        const PIECE: SignedDuration = SignedDuration::from_secs(1);
        let mut left = time;
        while left > SignedDuration::ZERO {
            if self.runtime.stop.asked() {
                return Err(ConsoleError::Stopped);
            }
            let piece = left.min(PIECE);
            self.runtime.clock.wait(piece).await;
            left = left.saturating_sub(piece);
        }
        Ok(())
    }
}

/// A number from 0 to 1 out of a random UUID: its first 32 bits.
fn random(uuid: &str) -> f64 {
    let digits: String = uuid.chars().filter(char::is_ascii_hexdigit).take(8).collect();
    u32::from_str_radix(&digits, 16).map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}
