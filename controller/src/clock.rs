//! Time: the machine's, or a simulator's, which moves only when told.
//!
//! A simulated clock is read again all the time and never goes back; what is waited for passes on it at once, as it
//! does for the command. Debouncing, retries and the Lease run on the machine's own time in any case.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::Uri;
use jiff::{SignedDuration, Timestamp};
use kube::{Client, Config};
use tenantry_engine::runtime::{Clock, Ids};
use url::Url;

/// How often a simulated clock is read.
const READ_AGAIN: Duration = Duration::from_millis(50);
/// The longest sleep before the machine's clock is looked at again: a machine that was asleep wakes up late.
const LONGEST_SLEEP: SignedDuration = SignedDuration::from_mins(1);

/// Random identifiers.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn uuid(&self) -> String {
        uuid::Uuid::new_v4().to_string()
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
struct System;

#[async_trait]
impl Clock for System {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn wait(&self, duration: SignedDuration) {
        tokio::time::sleep(duration.unsigned_abs()).await;
    }
}

/// A simulator's clock, as it was last read.
struct Simulated {
    at: Mutex<Timestamp>,
    client: Client,
    path: String,
}

#[async_trait]
impl Clock for Simulated {
    fn now(&self) -> Timestamp {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait(&self, duration: SignedDuration) {
        {
            let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
            *at = at.saturating_add(duration).unwrap_or(Timestamp::MAX);
        }
        tokio::task::yield_now().await;
    }
}

impl Simulated {
    async fn read(&self) -> Result<(), ClockError> {
        let bad = |because: String| ClockError { url: self.path.clone(), because };
        let request =
            http::Request::get(&self.path).body(Vec::new()).map_err(|error| bad(error.to_string()))?;
        let text = self.client.request_text(request).await.map_err(|error| bad(error.to_string()))?;
        let now = serde_json::from_str::<serde_json::Value>(&text)
            .ok()
            .and_then(|body| body["now"].as_str().and_then(|now| now.parse::<Timestamp>().ok()))
            .ok_or_else(|| bad("it answers something else than {\"now\": \"…\"}".to_owned()))?;
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        *at = now.max(*at);
        Ok(())
    }
}

/// A simulator's clock cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the clock at {url} cannot be read: {because}; check --now-from")]
pub struct ClockError {
    /// Where.
    pub url: String,
    /// Why.
    pub because: String,
}

/// The clock of a process, and waiting for a moment on it.
#[derive(Clone)]
pub struct Times {
    clock: Arc<dyn Clock>,
    simulated: Option<Arc<Simulated>>,
}

impl Times {
    /// The machine's clock, or the one at this URL.
    pub async fn new(now_from: Option<&Url>) -> Result<Self, ClockError> {
        let Some(url) = now_from else { return Ok(Self { clock: Arc::new(System), simulated: None }) };
        let bad = |because: String| ClockError { url: url.to_string(), because };
        let uri: Uri = url.origin().ascii_serialization().parse().map_err(|_| bad("it is no URL".into()))?;
        let client = Client::try_from(Config::new(uri)).map_err(|error| bad(error.to_string()))?;
        let simulated =
            Arc::new(Simulated { at: Mutex::new(Timestamp::MIN), client, path: url.path().to_owned() });
        simulated.read().await?;
        let reader = Arc::downgrade(&simulated);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(READ_AGAIN).await;
                let Some(clock) = reader.upgrade() else { return };
                // A simulator that is gone leaves its clock where it stood.
                let _ = clock.read().await;
            }
        });
        Ok(Self { clock: Arc::clone(&simulated) as Arc<dyn Clock>, simulated: Some(simulated) })
    }

    /// The clock, for the engine.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Reads a simulated clock at once.
    pub async fn refresh(&self) {
        if let Some(clock) = &self.simulated {
            let _ = clock.read().await;
        }
    }

    /// Returns once it is that time.
    pub async fn until(&self, at: Timestamp) {
        loop {
            let now = self.now();
            if now >= at {
                return;
            }
            let sleep = if self.simulated.is_some() {
                READ_AGAIN
            } else {
                at.duration_since(now).min(LONGEST_SLEEP).unsigned_abs()
            };
            tokio::time::sleep(sleep).await;
        }
    }
}
