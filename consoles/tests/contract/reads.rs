//! Reading: counted, repeated, never writing.

use std::time::Duration;

use jiff::SignedDuration;
use tenantry_engine::console::{Console, ConsoleError};
use tenantry_engine::observed::{Census, Details};
use tenantry_simulator::{Does, Fault, FaultBody, HoldAt, Kind, RetryAfter};

use super::elsewhere::Elsewhere;
use super::{Bench, Case, clean};

async fn census(bench: &Bench, console: &dyn Console) -> Result<Census, ConsoleError> {
    console.identify().await?;
    console.census(&bench.reading).await
}

async fn everything(bench: &Bench, vendor: &Case<'_>, console: &dyn Console) -> (Census, Details) {
    let census = census(bench, console).await.expect("a census");
    let wanted = vendor.details(&census);
    let details = console.details(&wanted, &bench.reading).await.expect("details");
    assert_eq!(details.len(), wanted.len());
    (census, details)
}

async fn seeded(vendor: &Case<'_>, customers: usize) -> (Bench, Box<dyn Console>) {
    let bench = Bench::new().await;
    vendor.seed(&bench, customers, 0);
    let console = vendor.connect(&bench, None);
    (bench, console)
}

/// A fault on the list of customers.
fn on_list(vendor: &Case<'_>, does: Does) -> Fault {
    Fault::new(does).at(vendor.partner()).on("GET", vendor.list())
}

fn status(status: u16, retry_after: Option<RetryAfter>) -> Does {
    Does::Status { status, retry_after, body: FaultBody::Vendor, after_commit: false }
}

pub async fn every_request_is_counted_and_none_writes(vendor: &Case<'_>) {
    let (bench, console) = seeded(vendor, 3).await;
    let (census, details) = everything(&bench, vendor, &*console).await;
    assert_eq!((census.complete(), census.records().len()), (true, 3), "{:?}", census.incomplete);
    let cost = console.take_cost();
    assert_eq!((cost.pages, cost.details), (vendor.pages(3), u32::try_from(details.len()).expect("few")));
    let asked = bench.requests(Kind::Read) + bench.requests(Kind::Login);
    assert_eq!((cost.pages + cost.details + cost.other) as usize, asked);
    assert!(cost.bytes > 0);
    assert_eq!(bench.requests(Kind::Write), 0);
    assert_eq!(console.take_cost().pages, 0, "what was taken is not counted again");
}

async fn throttled(vendor: &Case<'_>, retry_after: Option<RetryAfter>, least: i64) {
    let (bench, console) = seeded(vendor, 3).await;
    bench.running.faults().add(on_list(vendor, status(429, retry_after)));
    let census = census(&bench, &*console).await.expect("a census");
    assert!(census.complete());
    assert!(bench.waited() >= SignedDuration::from_secs(least), "waited {}", bench.waited());
    assert!(bench.told().iter().any(|line| line.contains("Throttled")), "{:?}", bench.told());
    assert_eq!(console.take_cost().pages, vendor.pages(3), "a repetition is no page");
}

pub async fn a_throttled_read_waits_as_long_as_it_is_told(vendor: &Case<'_>) {
    throttled(vendor, Some(RetryAfter::Seconds(40)), 40).await;
}

pub async fn a_throttled_read_waits_until_the_date_it_is_told(vendor: &Case<'_>) {
    throttled(vendor, Some(RetryAfter::HttpDate(40)), 40).await;
}

pub async fn a_throttled_read_that_is_told_nothing_comes_again(vendor: &Case<'_>) {
    throttled(vendor, None, 0).await;
}

pub async fn a_failing_server_is_asked_again_and_not_forever(vendor: &Case<'_>) {
    let (bench, console) = seeded(vendor, 3).await;
    bench.running.faults().add(on_list(vendor, status(503, None)).times(2));
    assert!(census(&bench, &*console).await.expect("a census").complete());
    bench.running.faults().add(on_list(vendor, status(500, None)).always());
    let before = bench.requests(Kind::Read);
    let error = census(&bench, &*console).await.expect_err("the server fails");
    assert!(matches!(error, ConsoleError::Refused { .. }), "{error}");
    let asked = bench.requests(Kind::Read) - before;
    assert!((2..=10).contains(&asked), "asked {asked} times");
}

pub async fn an_expired_token_is_renewed_once_and_the_same_page_asked_again(vendor: &Case<'_>) {
    let (bench, console) = seeded(vendor, 3).await;
    console.identify().await.expect("known");
    let logins = bench.requests(Kind::Login);
    // In the middle of the list: the second page is asked for again, not the first.
    bench.running.faults().add(on_list(vendor, Does::ExpiredToken).nth(2));
    let before = bench.requests(Kind::Read);
    assert!(census(&bench, &*console).await.expect("a census").complete());
    assert_eq!(bench.requests(Kind::Login) - logins, 1);
    assert_eq!(bench.requests(Kind::Read) - before, vendor.pages(3) as usize + 1);
    bench.running.faults().add(on_list(vendor, Does::ExpiredToken).always());
    let error = census(&bench, &*console).await.expect_err("no token is good");
    assert!(matches!(error, ConsoleError::Credential { .. }), "{error}");
    assert_eq!(bench.requests(Kind::Login) - logins, 2, "once for each page that is refused");
}

pub async fn an_answer_that_is_lost_or_cut_is_asked_again(vendor: &Case<'_>) {
    for does in [Does::CloseBeforeCommit, Does::CloseAfterCommit, Does::Truncate] {
        let (bench, console) = seeded(vendor, 3).await;
        bench.running.faults().add(on_list(vendor, does.clone()));
        let census = census(&bench, &*console).await.expect("a census");
        assert_eq!((census.complete(), census.records().len()), (true, 3), "{does:?}");
    }
}

pub async fn an_answer_that_never_comes_is_given_up_and_asked_again(vendor: &Case<'_>) {
    let bench = Bench::with_timeout(Duration::from_secs(3)).await;
    vendor.seed(&bench, 3, 0);
    let console = vendor.connect(&bench, None);
    bench.running.faults().add(on_list(vendor, Does::Hold { at: HoldAt::BeforeCommit }));
    assert!(census(&bench, &*console).await.expect("a census").complete());
    bench.running.faults().release();
}

pub async fn a_refused_list_is_an_error_that_names_no_secret(vendor: &Case<'_>) {
    let (bench, console) = seeded(vendor, 3).await;
    bench.running.faults().add(on_list(vendor, Does::Forbidden).always());
    let error = census(&bench, &*console).await.expect_err("refused");
    assert!(matches!(error, ConsoleError::Refused { .. }), "{error}");
    clean(&format!("{error} {error:?}"), &vendor.secrets(&bench));
}

pub async fn a_redirect_is_not_followed(vendor: &Case<'_>) {
    let (bench, _) = seeded(vendor, 3).await;
    let elsewhere = Elsewhere::to(bench.running.base_url()).await;
    let console = vendor.connect(&bench, Some(elsewhere.url(vendor.partner())));
    let ended = census(&bench, &*console).await;
    assert!(ended.as_ref().is_err() || !ended.as_ref().expect("looked at").complete(), "{ended:?}");
    assert!(elsewhere.redirected().iter().any(|line| line.starts_with("GET ")), "a token was given and used");
    assert_eq!(bench.requests(Kind::Read) + bench.requests(Kind::Login), 0, "nobody went where it was sent");
}

pub async fn an_answer_that_is_no_json_is_a_protocol_error(vendor: &Case<'_>) {
    let (bench, console) = seeded(vendor, 3).await;
    bench.running.faults().add(on_list(vendor, Does::MalformedJson).always());
    let error = census(&bench, &*console).await.expect_err("no JSON");
    assert!(matches!(error, ConsoleError::Protocol { .. }), "{error}");
    clean(&format!("{error} {error:?}"), &vendor.secrets(&bench));
}

pub async fn a_refusal_about_one_customer_is_a_fact_of_that_customer(vendor: &Case<'_>) {
    let (bench, console) = seeded(vendor, 3).await;
    let census = census(&bench, &*console).await.expect("a census");
    let wanted = vendor.details(&census);
    let refused = &wanted[1];
    let before = console.details(&wanted, &bench.reading).await.expect("details");
    let fault = Fault::new(Does::Forbidden).at(vendor.partner()).on("GET", vendor.detail());
    bench.running.faults().add(fault.about(refused.id.as_str()).always());
    let details = console.details(&wanted, &bench.reading).await.expect("the others are readable");
    for key in &wanted {
        let read = &details[key];
        if key.id != refused.id {
            assert_eq!(read.unreadable, before[key].unreadable, "{key:?}");
            assert_eq!(read.licenses, before[key].licenses, "{key:?}");
        }
    }
    let refusal = details[refused].unreadable.as_ref().expect("it is refused");
    assert_eq!(refusal.status, Some(403));
    assert!(!refusal.hint.is_empty(), "{refusal:?}");
}

pub async fn a_wish_to_stop_ends_reading(vendor: &Case<'_>) {
    let (bench, console) = seeded(vendor, 3).await;
    let census = census(&bench, &*console).await.expect("a census");
    bench.runtime.stop.ask();
    let before = bench.requests(Kind::Read);
    let error = console.census(&bench.reading).await.expect_err("stopped");
    assert!(matches!(error, ConsoleError::Stopped), "{error}");
    let error = console.details(&vendor.details(&census), &bench.reading).await.expect_err("stopped");
    assert!(matches!(error, ConsoleError::Stopped), "{error}");
    assert_eq!(bench.requests(Kind::Read), before);
}

pub async fn hostile_names_are_kept_and_shown_harmlessly(vendor: &Case<'_>) {
    let bench = Bench::new().await;
    vendor.seed(&bench, 1, 12);
    let console = vendor.connect(&bench, None);
    let census = census(&bench, &*console).await.expect("a census");
    assert_eq!(census.records().len(), 13);
    for record in census.records() {
        assert!(!record.name().raw().is_empty());
        let shown = record.name().terminal();
        assert!(!shown.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)), "{shown}");
    }
    let raw = census.records().iter().any(|record| record.name().raw().contains('\u{1b}'));
    assert!(raw, "the vendor's bytes are kept as they came");
}
