//! The outside world as the engine wants it: clocks, identifiers, sealing of one-time secrets.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tenantry_engine::address::Address;
use tenantry_engine::runtime::{Clock, Ids, OneTimeSecret, SealError, Sealer};

use crate::exit::CliError;

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn wait(&self, duration: SignedDuration) {
        tokio::time::sleep(duration.unsigned_abs()).await;
    }
}

/// A clock that stands still at a moment that was read elsewhere (a simulator's), and advances by what is waited for.
#[derive(Debug)]
pub struct ReadClock {
    at: std::sync::Mutex<Timestamp>,
}

impl ReadClock {
    /// At this moment.
    pub fn new(at: Timestamp) -> Self {
        Self { at: std::sync::Mutex::new(at) }
    }
}

#[async_trait]
impl Clock for ReadClock {
    fn now(&self) -> Timestamp {
        *self.at.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn wait(&self, duration: SignedDuration) {
        let mut at = self.at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *at = at.saturating_add(duration).unwrap_or(Timestamp::MAX);
    }
}

/// The clock to use: the machine's, or the one at this moment (`--now`, made for simulators and tests).
pub fn clock(now: Option<&str>) -> Result<Arc<dyn Clock>, CliError> {
    match now {
        None => Ok(Arc::new(SystemClock)),
        Some(text) => {
            let at: Timestamp = text.parse().map_err(|error| {
                CliError::usage(format!("--now {text} is no moment: {error}"))
                    .hint("write it as 2026-11-21T08:00:00Z")
            })?;
            Ok(Arc::new(ReadClock::new(at)))
        }
    }
}

/// Random identifiers.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn uuid(&self) -> String {
        uuid::Uuid::new_v4().to_string()
    }
}

/// Seals one-time secrets for age recipients, into files below the state directory.
#[derive(Debug, Clone)]
pub struct AgeSealer {
    /// Where files go.
    pub dir: std::path::PathBuf,
    /// Recipients by console name are merged here: every one can open every secret of this run.
    pub recipients: Vec<String>,
}

#[async_trait]
impl Sealer for AgeSealer {
    async fn seal(&self, address: &Address, secret: OneTimeSecret) -> Result<String, SealError> {
        let failed = |because: String| SealError { address: address.clone(), because };
        let recipients: Vec<age::x25519::Recipient> = self
            .recipients
            .iter()
            .map(|text| {
                text.parse().map_err(|error: &str| failed(format!("{text} is no age recipient: {error}")))
            })
            .collect::<Result<_, _>>()?;
        let encryptor = age::Encryptor::with_recipients(
            recipients.iter().map(|recipient| recipient as &dyn age::Recipient),
        )
        .map_err(|error| failed(error.to_string()))?;
        let mut sealed = Vec::new();
        let mut writer = encryptor.wrap_output(&mut sealed).map_err(|error| failed(error.to_string()))?;
        std::io::Write::write_all(&mut writer, secret.secret.as_bytes())
            .and_then(|()| writer.finish().map(drop))
            .map_err(|error| failed(error.to_string()))?;
        let slug: String =
            address.to_string().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let label: String =
            secret.label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let path = self.dir.join(format!("{slug}-{label}.age"));
        crate::state::write_atomically(&path, &sealed).map_err(|error| failed(error.to_string()))?;
        Ok(path.display().to_string())
    }
}
