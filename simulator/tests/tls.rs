//! The simulator behind TLS: for clients that speak to `https` only.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Certificate, Client};
use tenantry_simulator::{Config, Identity, LogFilter, Simulator, StartError};

fn identity() -> Identity {
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).expect("a certificate");
    Identity { certificate: cert.pem(), key: signing_key.serialize_pem() }
}

fn trusting(identity: &Identity) -> Client {
    let root = Certificate::from_pem(identity.certificate.as_bytes()).expect("PEM");
    Client::builder().no_proxy().tls_certs_only([root]).build().expect("a client")
}

#[tokio::test]
async fn with_a_certificate_everything_is_served_over_tls_and_named_so() {
    let identity = identity();
    let config = Config { tls: Some(identity.clone()), ..Config::default() };
    let running = Simulator::start(config).await.expect("it serves");
    assert!(running.base_url().starts_with("https://127.0.0.1:"), "{}", running.base_url());
    let partner = running.sophos("acme");
    assert!(partner.url().starts_with(running.base_url()), "answers name it too: {}", partner.url());
    let own = trusting(&identity);
    let answer = own.get(format!("{}/whoami/v1", partner.url())).send().await.expect("a checked handshake");
    assert_eq!(answer.status().as_u16(), 401);
    let asked = running.log().count(&LogFilter::default());
    // A client that trusts somebody else asks nothing, and plain HTTP gets no answer.
    let stranger = trusting(&self::identity());
    assert!(stranger.get(running.base_url()).send().await.is_err());
    let plain = running.base_url().replace("https:", "http:");
    assert!(own.get(plain).send().await.is_err());
    assert_eq!(running.log().count(&LogFilter::default()), asked);
    running.stop().await;
}

#[tokio::test]
async fn a_certificate_or_key_that_is_none_is_told_without_the_key() {
    let good = identity();
    let key = || good.key.clone();
    let certificate = || good.certificate.clone();
    for (identity, words) in [
        (Identity { certificate: certificate(), key: "s3cret".to_owned() }, "the key is none"),
        (Identity { certificate: certificate(), key: self::identity().key }, "they do not belong together"),
        (Identity { certificate: String::new(), key: key() }, "they do not belong together"),
    ] {
        assert!(!format!("{identity:?}").contains(identity.key.as_str()));
        let config = Config { tls: Some(identity), ..Config::default() };
        let error = Simulator::start(config).await.expect_err("it cannot serve");
        assert!(matches!(error, StartError::Tls { .. }));
        let text = error.to_string();
        assert!(text.starts_with(&format!("the simulator cannot serve TLS: {words}")), "{text}");
        assert!(text.ends_with("give it a certificate and its key, both PEM"), "{text}");
    }
}
