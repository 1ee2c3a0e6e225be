//! When a token is asked for.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tenantry_engine::console::ConsoleError;
use tenantry_engine::runtime::Clock;

use super::{Grant, TokenSource, Tokens};

struct Moving(Mutex<Timestamp>);

#[async_trait]
impl Clock for Moving {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("not poisoned")
    }

    async fn wait(&self, duration: SignedDuration) {
        *self.0.lock().expect("not poisoned") += duration;
    }
}

struct Counting(Arc<AtomicU32>);

#[async_trait]
impl TokenSource for Counting {
    async fn fetch(&self) -> Result<Grant, ConsoleError> {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Grant {
            access: SecretString::from(format!("token-{number}")),
            lives: SignedDuration::from_secs(3600),
        })
    }
}

fn tokens() -> (Tokens, Arc<AtomicU32>, Arc<Moving>) {
    let asked = Arc::new(AtomicU32::new(0));
    let clock = Arc::new(Moving(Mutex::new(Timestamp::UNIX_EPOCH)));
    (Tokens::new(Box::new(Counting(asked.clone())), clock.clone()), asked, clock)
}

#[tokio::test]
async fn a_token_is_asked_once_and_again_a_minute_before_its_end() {
    let (tokens, asked, clock) = tokens();
    assert_eq!(asked.load(Ordering::SeqCst), 0, "nothing is asked before it is needed");
    tokens.bearer().await.expect("granted");
    clock.wait(SignedDuration::from_secs(3539)).await;
    tokens.bearer().await.expect("granted");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    clock.wait(SignedDuration::from_secs(1)).await;
    assert_eq!(tokens.bearer().await.expect("granted").access.expose_secret(), "token-2");
}

#[tokio::test]
async fn only_the_token_that_was_refused_is_thrown_away() {
    let (tokens, asked, _) = tokens();
    let first = tokens.bearer().await.expect("granted");
    tokens.refused(&first).await;
    let second = tokens.bearer().await.expect("granted");
    // A late refusal of the first one says nothing about the second.
    tokens.refused(&first).await;
    tokens.bearer().await.expect("granted");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    tokens.refused(&second).await;
    tokens.bearer().await.expect("granted");
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

/// Fails to compile where a type has a trait that could print or write it.
macro_rules! never {
    ($($type:ty: $($trait:path),+;)+) => {$($(
        const _: fn() = || {
            trait Ambiguous<A> {
                fn some() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct Has;
            impl<T: ?Sized + $trait> Ambiguous<Has> for T {}
            let _ = <$type as Ambiguous<_>>::some;
        };
    )+)+};
}

// What holds a secret can be neither printed nor written down by accident. Names of a credential's keys, and whether
// there is one to write with, may be printed: `Secrets` and `Credentials` say no more.
never! {
    super::Bearer: std::fmt::Debug, std::fmt::Display, serde::Serialize;
    Grant: std::fmt::Debug, std::fmt::Display, serde::Serialize;
    Tokens: std::fmt::Debug, serde::Serialize;
    crate::transport::Outgoing: std::fmt::Debug, serde::Serialize;
    crate::transport::Answer: std::fmt::Debug, serde::Serialize;
    crate::Secrets: std::fmt::Display, serde::Serialize;
    crate::Credentials: std::fmt::Display, serde::Serialize;
    SecretString: std::fmt::Display, serde::Serialize;
}
