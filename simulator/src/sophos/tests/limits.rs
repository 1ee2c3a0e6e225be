//! Sophos sheet §4 rate limits.

use jiff::ToSpan;
use serde_json::json;

use super::Bench;

#[tokio::test]
async fn sophos_4_a_burst_of_300_passes_and_then_429_until_the_clock_moves() {
    let bench = Bench::new().await;
    bench.switch(&json!({"rateLimit": "on"}));
    for _ in 0..300 {
        assert_eq!(bench.get("/whoami/v1").await.0, 200);
    }
    let (status, error) = bench.get("/whoami/v1").await;
    assert_eq!((status, &error["error"]), (429, &json!("tooManyRequests")));
    bench.running.clock().advance(1.second()).unwrap();
    assert_eq!(bench.get("/whoami/v1").await.0, 200);
}

#[tokio::test]
async fn sophos_4_retry_after_is_absent_seconds_or_a_date_by_switch() {
    let bench = Bench::new().await;
    bench.switch(&json!({"rateLimit": "on"}));
    while bench.get("/whoami/v1").await.0 == 200 {}
    let header = async || {
        let answer = bench.request("GET", "/whoami/v1").send().await.unwrap();
        assert_eq!(answer.status(), 429);
        answer.headers().get("retry-after").map(|v| v.to_str().unwrap().to_owned())
    };
    assert_eq!(header().await, None);
    bench.switch(&json!({"rateLimit": "on", "retryAfter": "seconds"}));
    assert_eq!(header().await.as_deref(), Some("1"));
    bench.switch(&json!({"rateLimit": "on", "retryAfter": "http-date"}));
    assert_eq!(header().await.as_deref(), Some("Mon, 12 Jan 2026 08:00:01 GMT"));
}
