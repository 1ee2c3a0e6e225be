//! Writing: at most one unsafe request, and no claim beyond what is certain.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use tenantry_engine::console::{Console, Sent};
use tenantry_engine::observed::Refusal;
use tenantry_engine::operation::Request;
use tenantry_simulator::{Does, Fault, FaultBody, HoldAt, Kind, RetryAfter};
use url::Url;

use super::{Bench, Case, Vendor, clean};

/// Sends the vendor's create request once.
pub async fn send(vendor: &dyn Vendor, console: &dyn Console) -> Sent {
    let draft = vendor.draft();
    let request = Request {
        id: "op-1",
        request_id: "00000001-0000-4000-8000-000000000001",
        draft: &draft,
        remote_id: None,
        account: None,
    };
    console.send(&request).await
}

fn made(bench: &Bench, vendor: &Case<'_>) -> Vec<String> {
    let (_, _, effect) = vendor.create();
    bench.running.log().effects(vendor.partner(), effect).into_iter().map(|effect| effect.id).collect()
}

fn on_create(vendor: &Case<'_>, does: Does) -> Fault {
    let (method, path, _) = vendor.create();
    Fault::new(does).at(vendor.partner()).on(method, path)
}

/// What was sent, in one word with its refusal.
pub fn word(sent: &Sent) -> (&'static str, Option<&Refusal>) {
    match sent {
        Sent::Acked(..) => ("acked", None),
        Sent::Rejected(refusal) => ("rejected", Some(refusal)),
        Sent::NotSent(refusal) => ("not sent", Some(refusal)),
        Sent::Throttled(_, refusal) => ("throttled", Some(refusal)),
        Sent::Ambiguous(_) => ("ambiguous", None),
    }
}

pub async fn a_create_is_acknowledged_with_the_id_of_what_it_made(vendor: &Case<'_>) {
    let bench = Bench::new().await;
    vendor.seed(&bench, 0, 0);
    let console = vendor.connect(&bench, None);
    let Sent::Acked(ack, _) = send(&**vendor, &*console).await else { panic!("not acknowledged") };
    let id = ack.remote_id.expect("it names what it made");
    assert_eq!(made(&bench, vendor), [id.as_str()]);
    assert_eq!(bench.requests(Kind::Write), 1);
}

pub async fn a_write_without_a_definite_answer_is_in_doubt_and_sent_once(vendor: &Case<'_>) {
    let failing = |status, body, after_commit| Does::Status { status, retry_after: None, body, after_commit };
    for (does, effects) in [
        (failing(500, FaultBody::Vendor, false), 0),
        (failing(502, FaultBody::Html, false), 0),
        (failing(503, FaultBody::Empty, true), 1),
        (failing(500, FaultBody::Vendor, true), 1),
        (failing(404, FaultBody::Html, false), 0),
        (Does::CloseBeforeCommit, 0),
        (Does::CloseAfterCommit, 1),
        (Does::Truncate, 1),
        (Does::MalformedJson, 1),
    ] {
        let bench = Bench::new().await;
        vendor.seed(&bench, 0, 0);
        let console = vendor.connect(&bench, None);
        bench.running.faults().add(on_create(vendor, does.clone()));
        let sent = send(&**vendor, &*console).await;
        assert_eq!(word(&sent).0, "ambiguous", "{does:?}: {:?}", word(&sent));
        assert_eq!(made(&bench, vendor).len(), effects, "{does:?}");
        assert_eq!(bench.requests(Kind::Write), 1, "{does:?}");
        if let Sent::Ambiguous(because) = &sent {
            clean(because, &vendor.secrets(&bench));
        }
    }
}

pub async fn a_write_that_is_not_answered_in_time_is_in_doubt(vendor: &Case<'_>) {
    let late = async |at: HoldAt, effects: usize| {
        let bench = Bench::with_timeout(Duration::from_secs(3)).await;
        vendor.seed(&bench, 0, 0);
        let console = vendor.connect(&bench, None);
        bench.running.faults().add(on_create(vendor, Does::Hold { at }));
        let sent = send(&**vendor, &*console).await;
        assert_eq!(word(&sent).0, "ambiguous", "{at:?}: {:?}", word(&sent));
        assert_eq!(made(&bench, vendor).len(), effects, "{at:?}");
        bench.running.faults().release();
    };
    tokio::join!(late(HoldAt::BeforeCommit, 0), late(HoldAt::AfterCommit, 1));
}

pub async fn a_throttled_write_was_not_processed_and_is_not_repeated(vendor: &Case<'_>) {
    for (told, wait) in [
        (Some(RetryAfter::Seconds(7)), Some(SignedDuration::from_secs(7))),
        (Some(RetryAfter::HttpDate(7)), Some(SignedDuration::from_secs(7))),
        (None, None),
    ] {
        let bench = Bench::new().await;
        vendor.seed(&bench, 0, 0);
        let console = vendor.connect(&bench, None);
        // The vendor's own refusal may bring its own header.
        let body = if told.is_some() { FaultBody::Vendor } else { FaultBody::Empty };
        let does = Does::Status { status: 429, retry_after: told, body, after_commit: false };
        bench.running.faults().add(on_create(vendor, does));
        let Sent::Throttled(asked, _) = send(&**vendor, &*console).await else { panic!("not throttled") };
        assert_eq!(asked, wait);
        assert_eq!((made(&bench, vendor).len(), bench.requests(Kind::Write)), (0, 1));
        let sent = send(&**vendor, &*console).await;
        assert_eq!(word(&sent).0, "acked", "{:?}", word(&sent));
        assert!(bench.waited() >= wait.unwrap_or_default(), "everybody waits as long as the vendor says");
    }
}

pub async fn a_write_with_an_expired_token_was_not_processed(vendor: &Case<'_>) {
    let bench = Bench::new().await;
    vendor.seed(&bench, 0, 0);
    let console = vendor.connect(&bench, None);
    bench.running.faults().add(on_create(vendor, Does::ExpiredToken));
    let sent = send(&**vendor, &*console).await;
    assert_eq!(word(&sent).0, "not sent", "{:?}", word(&sent));
    assert_eq!((made(&bench, vendor).len(), bench.requests(Kind::Write)), (0, 1));
    let logins = bench.requests(Kind::Login);
    assert_eq!(word(&send(&**vendor, &*console).await).0, "acked");
    assert_eq!(bench.requests(Kind::Login), logins + 1, "the next one asks for a new token");
}

pub async fn a_write_that_finds_nobody_was_not_sent(vendor: &Case<'_>) {
    let bench = Bench::new().await;
    vendor.seed(&bench, 0, 0);
    // Held and not listened on: nobody else can take it while we knock.
    let held = tokio::net::TcpSocket::new_v4().expect("a socket");
    held.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let port = held.local_addr().expect("an address").port();
    let nowhere = Url::parse(&format!("http://127.0.0.1:{port}/{}", vendor.partner())).expect("a URL");
    let console = vendor.connect(&bench, Some(nowhere));
    let sent = send(&**vendor, &*console).await;
    assert_eq!(word(&sent).0, "not sent", "{:?}", word(&sent));
    assert_eq!(bench.requests(Kind::Write), 0);
}

pub async fn a_write_that_may_not_leave_any_more_stays(vendor: &Case<'_>) {
    let mut bench = Bench::new().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    bench.settings.fence = Some(Arc::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        false
    }));
    vendor.seed(&bench, 0, 0);
    let console = vendor.connect(&bench, None);
    console.identify().await.expect("reads go on");
    let sent = send(&**vendor, &*console).await;
    let (word, refusal) = word(&sent);
    assert_eq!((word, refusal.map(|refusal| refusal.code.as_str())), ("not sent", Some("not-ours")));
    assert_eq!((bench.requests(Kind::Write), asked.load(Ordering::SeqCst)), (0, 1));
}

pub async fn without_a_write_credential_nothing_leaves(vendor: &Case<'_>) {
    let bench = Bench::new().await;
    vendor.seed(&bench, 0, 0);
    let console = vendor.connect_to_read(&bench);
    console.identify().await.expect("known");
    let before = bench.requests(Kind::Read) + bench.requests(Kind::Login);
    let sent = send(&**vendor, &*console).await;
    let (word, refusal) = word(&sent);
    assert_eq!(
        (word, refusal.map(|refusal| refusal.code.as_str())),
        ("not sent", Some("no-write-credential"))
    );
    assert_eq!(bench.requests(Kind::Write), 0);
    assert_eq!(bench.requests(Kind::Read) + bench.requests(Kind::Login), before);
}

pub async fn a_wrong_write_secret_sends_no_write_and_is_not_told(vendor: &Case<'_>) {
    let bench = Bench::new().await;
    vendor.seed(&bench, 0, 0);
    let console = vendor.connect_with_wrong_write_secret(&bench);
    let sent = send(&**vendor, &*console).await;
    let (word, refusal) = word(&sent);
    assert_eq!(word, "not sent");
    clean(&format!("{refusal:?}"), &vendor.secrets(&bench));
    assert_eq!(bench.requests(Kind::Write), 0);
}
