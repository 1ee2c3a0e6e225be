//! What may leave, and how long to wait.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use url::Url;

use super::{AllowList, Base, retry_after};

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
