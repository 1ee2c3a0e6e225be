//! What may leave, and how long to wait.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use tenantry_engine::address::{Address, ConsoleName};
use tenantry_engine::console::ConsoleError;
use tenantry_engine::runtime::{Clock, Ids, OneTimeSecret, Runtime, SealError, Sealer, Silent, Stop};
use url::Url;

use super::{AllowList, Base, Client, Counted, Outgoing, Reader, Writer, Wrote, retry_after};
use crate::auth::{Grant, TokenSource, Tokens};
use crate::pace::{Pace, Rates};

fn list(base: &Base) -> AllowList {
    AllowList::new().and(Method::GET, base, "/partner/v1/tenants").and(
        Method::GET,
        base,
        "/partner/v1/tenants/{id}",
    )
}

#[test]
fn only_listed_methods_and_paths_may_leave() {
    let base = Base::known("https://api.central.sophos.com");
    let list = list(&base);
    let url = |text: &str| Url::parse(text).expect("a URL");
    assert!(list.allows(&Method::GET, &url("https://api.central.sophos.com/partner/v1/tenants?page=2")));
    assert!(list.allows(&Method::GET, &url("https://api.central.sophos.com/partner/v1/tenants/abc")));
    for (method, refused) in [
        (Method::POST, "https://api.central.sophos.com/partner/v1/tenants"),
        (Method::DELETE, "https://api.central.sophos.com/partner/v1/tenants/abc"),
        (Method::GET, "https://api.central.sophos.com/partner/v1/tenants/"),
        (Method::GET, "https://api.central.sophos.com/partner/v1/tenants/abc/admins"),
        (Method::GET, "http://api.central.sophos.com/partner/v1/tenants"),
        (Method::GET, "https://api.central.sophos.com:8443/partner/v1/tenants"),
        (Method::GET, "https://api.central.sophos.com.evil.example/partner/v1/tenants"),
        (Method::GET, "https://evil.example/partner/v1/tenants"),
        (Method::GET, "https://user@api.central.sophos.com/partner/v1/tenants"),
    ] {
        assert!(!list.allows(&method, &url(refused)), "{method} {refused}");
    }
}

#[test]
fn a_base_with_a_path_keeps_everything_below_it() {
    let base = Base::known("http://127.0.0.1:8080/sophos/acme/");
    let list = list(&base);
    let url = base.at(&["partner", "v1", "tenants", "a/b?c#d"]);
    assert_eq!(url.as_str(), "http://127.0.0.1:8080/sophos/acme/partner/v1/tenants/a%2Fb%3Fc%23d");
    assert!(list.allows(&Method::GET, &url));
    let other = Url::parse("http://127.0.0.1:8080/sophos/other/partner/v1/tenants").expect("a URL");
    assert!(!list.allows(&Method::GET, &other));
}

#[test]
fn retry_after_is_understood_as_seconds_and_as_a_date() {
    let now: Timestamp = "1994-11-06T08:49:00Z".parse().expect("a time");
    assert_eq!(retry_after("120", now), Some(SignedDuration::from_secs(120)));
    assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(SignedDuration::from_secs(37)));
    assert_eq!(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(SignedDuration::ZERO));
    for nonsense in ["", "soon", "-5", "1.5"] {
        assert_eq!(retry_after(nonsense, now), None, "{nonsense}");
    }
}

/// A runtime in which nothing may be waited for, sealed or named.
struct Idle;

#[async_trait]
impl Clock for Idle {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn wait(&self, _: SignedDuration) {
        panic!("nothing leaves, so nobody waits");
    }
}

impl Ids for Idle {
    fn uuid(&self) -> String {
        "00000000-0000-4000-8000-000000000000".to_owned()
    }
}

#[async_trait]
impl Sealer for Idle {
    async fn seal(&self, address: &Address, _: OneTimeSecret) -> Result<String, SealError> {
        Err(SealError { address: address.clone(), because: "there is nothing to seal".into() })
    }
}

#[async_trait]
impl TokenSource for Idle {
    async fn fetch(&self) -> Result<Grant, ConsoleError> {
        panic!("nothing leaves, so no token is asked for");
    }
}

fn idle() -> Runtime {
    Runtime {
        clock: Arc::new(Idle),
        ids: Arc::new(Idle),
        stop: Stop::default(),
        progress: Arc::new(Silent),
        sealer: Arc::new(Idle),
    }
}

/// Whoever listens sees a request; what is on no list never comes as far.
#[tokio::test]
async fn what_is_on_no_list_is_refused_in_words_before_a_token_is_asked_or_a_byte_leaves() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a listener that can be asked");
    let base = Base::known(&format!("http://{}", listener.local_addr().expect("an address")));
    let list = AllowList::new().and(Method::GET, &base, "/v1/customers");
    let runtime = idle();
    let client = Client::new(Duration::from_secs(5), Duration::from_secs(5), 1024).expect("a client");
    let pace = Arc::new(Pace::new(&Rates::default(), runtime.clock.clone(), Stop::default()));
    let tokens = || Tokens::new(Box::new(Idle), Arc::new(Idle));
    let name = ConsoleName::new("microsoft");
    let reader = Reader::new(
        "Partner Center",
        &name,
        client.clone(),
        list.clone(),
        pace.clone(),
        &runtime,
        Arc::default(),
    );
    let write = Outgoing::new(Method::POST, &base, &["v1", "customers"]).json(&"a customer");
    let Err(error) = reader.ask(&write, Some(&tokens()), Counted::Other).await else { panic!("it left") };
    assert_eq!(error.to_string(), "Partner Center: refused to send POST /v1/customers while only reading");
    let writer = Writer::new(client, list, pace, &runtime, None);
    let Wrote::NotSent(refusal) = writer.send(&write, &tokens()).await else { panic!("it left") };
    assert_eq!(refusal.code, "not-a-write");
    assert_eq!(refusal.words.raw(), "POST /v1/customers is on no list of writes");
    let nobody = listener.accept().expect_err("nobody connected");
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}
