//! Where credentials may go, and where not.

use super::*;

fn url(text: &str) -> Url {
    text.parse().expect("a URL")
}

fn networks(names: &[&str]) -> Vec<Network> {
    names.iter().map(|name| name.parse().expect("a network")).collect()
}

#[test]
fn addresses_inside_are_refused_unless_their_network_is_allowed() {
    let endpoint = url("https://console.example");
    for (address, network) in [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("10.1.2.3", "private"),
        ("100.64.0.1", "private"),
        ("fd00::1", "private"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
    ] {
        let address: IpAddr = address.parse().expect("an address");
        assert!(Allowed::default().address(&endpoint, address).is_err(), "{address}");
        let allowed = Allowed { networks: networks(&[network]), http: false };
        assert_eq!(allowed.address(&endpoint, address), Ok(()), "{address} with {network}");
    }
    for never in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "ff02::1"] {
        let all = Allowed { networks: networks(&["loopback", "private", "link-local"]), http: true };
        assert!(all.address(&endpoint, never.parse().expect("an address")).is_err(), "{never}");
    }
    assert_eq!(Allowed::default().address(&endpoint, "8.8.8.8".parse().expect("an address")), Ok(()));
}

#[test]
fn a_network_is_as_wide_as_it_says() {
    let [network] = networks(&["10.1.0.0/16"])[..] else { panic!("one network") };
    assert!(network.holds("10.1.255.255".parse().expect("an address")));
    assert!(!network.holds("10.2.0.0".parse().expect("an address")));
    let [all] = networks(&["0.0.0.0/0"])[..] else { panic!("one network") };
    assert!(all.holds("192.0.2.1".parse().expect("an address")));
    assert!("10.0.0.0/33".parse::<Network>().is_err());
}

#[tokio::test]
async fn an_address_that_is_written_as_a_name_is_resolved_first() {
    let refused = Allowed::default().check(&url("https://localhost:1/x")).await.expect_err("loopback");
    assert!(refused.to_string().contains("a loopback address; start the controller with"), "{refused}");
    let plain = Allowed::default().check(&url("http://8.8.8.8/")).await.expect_err("not https");
    assert_eq!(
        plain.to_string(),
        "http://8.8.8.8/ is not https; start the controller with --allow-http-endpoints if that is meant"
    );
    let allowed = Allowed { networks: networks(&["loopback"]), http: true };
    assert_eq!(allowed.check(&url("http://127.0.0.1:1")).await, Ok(()));
    assert!(allowed.check(&url("http://8.8.8.8/")).await.is_err(), "http stays inside");
    assert!(allowed.check(&url("http://[::1]:1/")).await.is_ok());
}

#[test]
fn the_namespaced_name_of_a_console_wins() {
    let endpoints = BTreeMap::from([
        ("a".to_owned(), url("https://one.example")),
        ("n/a".to_owned(), url("https://two.example")),
    ]);
    assert_eq!(of(&endpoints, "n", "a"), Some(&url("https://two.example")));
    assert_eq!(of(&endpoints, "m", "a"), Some(&url("https://one.example")));
    assert_eq!(of(&endpoints, "m", "b"), None);
}
