//! One TLS provider in every program: the Kubernetes client and the consoles' HTTP client live in one process, and a
//! second provider would make one of them panic at its first handshake.
//!
//! Never leaves the loopback interface and never installs a process-wide provider: the clients must agree unaided.

use std::process::Command;
use std::sync::Arc;

use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;
use tenantry_simulator::LogFilter;
use tenantry_tests::cli::Bench;
use tenantry_tests::parts::repository_root;
use tenantry_tests::pki::Authority;
use tenantry_tests::worlds::{customer, id, known_at_sophos, sophos, sophos_seed, sophos_tenant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

const VERSION: &str = r#"{"major":"1","minor":"36","gitVersion":"v1.36.0","gitCommit":"","gitTreeState":"clean","buildDate":"","goVersion":"","compiler":"gc","platform":"linux/amd64"}"#;

/// Serves [`VERSION`] over TLS to every request and reports each request's first line.
async fn serve(authority: &Authority) -> (u16, mpsc::UnboundedReceiver<String>) {
    let identity = authority.loopback_server().expect("a certificate can be made");
    let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).expect("it is PEM");
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("it is PEM");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("the key belongs to the certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port is free");
    let port = listener.local_addr().expect("a bound socket has an address").port();
    let (requests, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                head.push(byte);
            }
            let head = String::from_utf8_lossy(&head);
            let _ = requests.send(head.lines().next().unwrap_or_default().to_owned());
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{VERSION}",
                VERSION.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, received)
}

#[tokio::test]
async fn both_http_clients_shake_hands_in_one_process() {
    let authority = Authority::new().expect("an authority can be made");
    let (port, mut received) = serve(&authority).await;
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, authority.certificate()).expect("it can be written");

    let kubeconfig = Kubeconfig::from_yaml(&format!(
        "current-context: tls\n\
         clusters: [{{name: tls, cluster: {{server: \"https://127.0.0.1:{port}\", certificate-authority: \"{}\"}}}}]\n\
         users: [{{name: tls, user: {{}}}}]\n\
         contexts: [{{name: tls, context: {{cluster: tls, user: tls}}}}]\n",
        ca.display()
    ))
    .expect("it is a kubeconfig");
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .expect("its files are there");
    let cluster = kube::Client::try_from(config).expect("a Kubernetes client can be made");
    let version = cluster.apiserver_version().await.expect("the Kubernetes client shakes hands");
    assert_eq!(version.minor, "36");
    assert_eq!(received.recv().await.as_deref(), Some("GET /version HTTP/1.1"));

    let root = reqwest::Certificate::from_pem(authority.certificate().as_bytes()).expect("it is PEM");
    let consoles = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([root])
        .build()
        .expect("an HTTP client can be made");
    let answer = consoles.get(format!("https://127.0.0.1:{port}/tenants")).send().await;
    let answer = answer.expect("the consoles' HTTP client shakes hands");
    assert!(answer.text().await.expect("it has a body").contains("v1.36.0"));
    assert_eq!(received.recv().await.as_deref(), Some("GET /tenants HTTP/1.1"));

    // A client that trusts somebody else does not get through: the handshakes above were checked ones.
    let other = Authority::new().expect("an authority can be made").certificate();
    let other = reqwest::Certificate::from_pem(other.as_bytes()).expect("it is PEM");
    let stranger = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([other])
        .build()
        .expect("an HTTP client can be made");
    assert!(stranger.get(format!("https://127.0.0.1:{port}/")).send().await.is_err());
}

/// The program itself: a console whose certificate nobody vouches for hears no word of ours, not even the client id.
#[test]
fn a_console_whose_certificate_nobody_vouches_for_is_asked_nothing() {
    let authority = Authority::new().expect("an authority can be made");
    let own = authority.loopback_server().expect("a certificate can be made");
    let tls = tenantry_simulator::Identity { certificate: own.certificate, key: own.key };
    let config = tenantry_simulator::Config { tls: Some(tls), ..tenantry_simulator::Config::default() };
    let seed = json!({"sophos": sophos_seed(&[sophos_tenant(1, "known")], &json!({}))});
    let bench = Bench::with(&seed, config);
    bench.write("consoles.yaml", &sophos(""));
    bench.write("known.yaml", &customer("known", &[known_at_sophos(&id(1))]));

    let stranger = bench.run(&["plan"]);
    assert_eq!(stranger.code, 1, "{stranger}");
    assert!(stranger.stderr.contains("certificate"), "it says why: {stranger}");
    assert_eq!(bench.simulator().log().count(&LogFilter::default()), 0);

    let ca = bench.dir().join("ca.pem");
    std::fs::write(&ca, authority.certificate()).expect("it can be written");
    let mut command = bench.command(&["plan"]);
    command.env("SSL_CERT_FILE", &ca);
    let ran = bench.run_command(command);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(bench.simulator().log().count(&LogFilter::default()) > 0);
}

/// The packages of the whole workspace as they are built, for programs and for tests alike.
fn built_packages() -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--all-features", "--edges", "normal,build,dev"])
        .args(["--prefix", "none", "--format", "{p}", "--no-dedupe", "--locked"])
        .current_dir(repository_root())
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo prints UTF-8");
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn no_second_tls_provider_is_built() {
    let packages = built_packages();
    assert!(packages.iter().any(|name| name == "aws-lc-rs"), "the one provider is not even there");
    for provider in ["ring", "openssl", "openssl-sys", "native-tls", "rustls-rustcrypto", "boring"] {
        let found = packages.iter().any(|name| name == provider);
        assert!(!found, "{provider} is built; `cargo tree --workspace --invert {provider}` says for whom");
    }
}
