//! Bearer tokens: fetched when first needed, renewed a minute early and once after a 401, never printed.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::sync::Arc;
use tenantry_engine::console::ConsoleError;
use tenantry_engine::runtime::Clock;
use tokio::sync::Mutex;

/// A token renews this long before its end.
pub const EARLY: SignedDuration = SignedDuration::from_secs(60);

/// What a vendor's identity service granted.
pub struct Grant {
    /// The bearer token.
    pub access: SecretString,
    /// How long it is good for, counted from the answer.
    pub lives: SignedDuration,
}

/// Asks a vendor for a token.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// Asks.
    async fn fetch(&self) -> Result<Grant, ConsoleError>;
}

struct Held {
    access: SecretString,
    until: Timestamp,
    number: u64,
}

/// One token, kept until it is about to end.
pub struct Tokens {
    source: Box<dyn TokenSource>,
    clock: Arc<dyn Clock>,
    held: Mutex<(Option<Held>, u64)>,
}

/// A token to send, with its number, so that only the one that was refused is thrown away.
#[derive(Clone)]
pub struct Bearer {
    pub(crate) access: SecretString,
    number: u64,
}

impl Tokens {
    /// Nothing is asked yet.
    pub fn new(source: Box<dyn TokenSource>, clock: Arc<dyn Clock>) -> Self {
        Self { source, clock, held: Mutex::new((None, 0)) }
    }

    /// The token; asked for if there is none or it is about to end. Callers at the same time share one request.
    pub async fn bearer(&self) -> Result<Bearer, ConsoleError> {
        let mut held = self.held.lock().await;
        let now = self.clock.now();
        if let (Some(one), _) = &*held
            && one.until > now
        {
            return Ok(Bearer { access: one.access.clone(), number: one.number });
        }
        let grant = self.source.fetch().await?;
        // A token that lives less than a minute is used for what it lives; it is asked anew for each request after.
        let lives = grant.lives.saturating_sub(EARLY).max(SignedDuration::ZERO);
        let until = self.clock.now().saturating_add(lives).unwrap_or(Timestamp::MAX);
        let number = held.1 + 1;
        *held = (Some(Held { access: grant.access.clone(), until, number }), number);
        Ok(Bearer { access: grant.access, number })
    }

    /// This token was refused: the next call asks for a new one.
    pub async fn refused(&self, bearer: &Bearer) {
        let mut held = self.held.lock().await;
        if held.0.as_ref().is_some_and(|one| one.number == bearer.number) {
            held.0 = None;
        }
    }
}

#[cfg(test)]
mod tests;
