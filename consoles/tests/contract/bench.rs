//! A simulator with a runtime whose clock is the simulated one: waiting moves it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Span, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tenantry_consoles::{SecretSink, Settings, SinkError};
use tenantry_engine::address::{Address, ConsoleName};
use tenantry_engine::console::Reading;
use tenantry_engine::runtime::{
    Clock, Event, Ids, OneTimeSecret, Progress, Runtime, SealError, Sealer, Stop,
};
use tenantry_simulator::{Config, Kind, LogFilter, Running, SimClock, Simulator};

/// The simulated clock as the engine's.
pub struct SimTime {
    clock: SimClock,
    waited: Mutex<SignedDuration>,
}

#[async_trait]
impl Clock for SimTime {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn wait(&self, duration: SignedDuration) {
        *self.waited.lock().expect("not poisoned") += duration;
        let span = Span::try_from(duration).expect("a duration that a span holds");
        self.clock.advance(span).expect("time goes on");
        tokio::task::yield_now().await;
    }
}

struct Numbered(AtomicU64);

impl Ids for Numbered {
    fn uuid(&self) -> String {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        let spread = (number.wrapping_mul(0x9E37_79B9) & 0xFFFF_FFFF) as u32;
        format!("{spread:08x}-0000-4000-8000-{number:012x}")
    }
}

/// Progress as lines.
#[derive(Default)]
pub struct Told(Mutex<Vec<String>>);

impl Progress for Told {
    fn tell(&self, event: Event<'_>) {
        self.0.lock().expect("not poisoned").push(format!("{event:?}"));
    }
}

/// Secrets that were handed over: what a vendor showed once, and refresh tokens in place of older ones.
#[derive(Default)]
pub struct Kept {
    sealed: Mutex<Vec<String>>,
    refresh: Mutex<Vec<String>>,
}

impl Kept {
    /// The newest refresh token, which the next process begins with.
    pub fn refresh_token(&self) -> Option<String> {
        self.refresh.lock().expect("not poisoned").last().cloned()
    }

    /// All of them.
    pub fn all(&self) -> Vec<String> {
        let sealed = self.sealed.lock().expect("not poisoned").clone();
        sealed.into_iter().chain(self.refresh.lock().expect("not poisoned").clone()).collect()
    }
}

#[async_trait]
impl Sealer for Kept {
    async fn seal(&self, address: &Address, secret: OneTimeSecret) -> Result<String, SealError> {
        self.sealed.lock().expect("not poisoned").push(secret.secret);
        Ok(format!("sealed/{address}"))
    }
}

#[async_trait]
impl SecretSink for Kept {
    async fn store(
        &self,
        _: &ConsoleName,
        _: &'static str,
        _: &'static str,
        value: &SecretString,
    ) -> Result<(), SinkError> {
        self.refresh.lock().expect("not poisoned").push(value.expose_secret().to_owned());
        Ok(())
    }
}

/// Counts what it is told.
#[derive(Default)]
pub struct Counting(pub Mutex<(u32, usize, Option<u32>, usize)>);

impl Reading for Counting {
    fn page(&self, pages: u32, records: usize, of: Option<u32>) {
        let mut counts = self.0.lock().expect("not poisoned");
        (counts.0, counts.1, counts.2) = (pages, records, of);
    }

    fn detail(&self, done: usize) {
        self.0.lock().expect("not poisoned").3 = done;
    }
}

/// A simulator and what consoles run with.
pub struct Bench {
    pub running: Running,
    pub time: Arc<SimTime>,
    pub told: Arc<Told>,
    pub kept: Arc<Kept>,
    pub runtime: Runtime,
    pub settings: Settings,
    pub reading: Counting,
}

impl Bench {
    /// A fresh simulator.
    pub async fn new() -> Self {
        Self::with_timeout(Duration::from_secs(60)).await
    }

    /// A fresh simulator, and requests that give up after this much real time.
    pub async fn with_timeout(timeout: Duration) -> Self {
        let running = Simulator::start(Config::default()).await.expect("a free port");
        let time = Arc::new(SimTime { clock: running.clock().clone(), waited: Mutex::default() });
        let told = Arc::new(Told::default());
        let kept = Arc::new(Kept::default());
        let runtime = Runtime {
            clock: time.clone(),
            ids: Arc::new(Numbered(AtomicU64::new(1))),
            stop: Stop::default(),
            progress: told.clone(),
            sealer: kept.clone(),
        };
        let settings =
            Settings { timeout, write_timeout: timeout, sink: Some(kept.clone()), ..Settings::default() };
        Self { running, time, told, kept, runtime, settings, reading: Counting::default() }
    }

    /// How long somebody has waited so far.
    pub fn waited(&self) -> SignedDuration {
        *self.time.waited.lock().expect("not poisoned")
    }

    /// Progress so far.
    pub fn told(&self) -> Vec<String> {
        self.told.0.lock().expect("not poisoned").clone()
    }

    /// Requests of this kind so far.
    pub fn requests(&self, kind: Kind) -> usize {
        self.running.log().count(&LogFilter { kind: Some(kind), ..LogFilter::default() })
    }
}
