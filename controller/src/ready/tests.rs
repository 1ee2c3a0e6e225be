//! What counts as ready, and what is said otherwise.

use std::net::TcpListener;
use std::thread;

use super::*;

/// Something that gives one answer.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
    let address = listener.local_addr().expect("a bound socket has an address").to_string();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody asks");
        // To its end: closing with something unread would take the answer away again.
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut piece = [0; 1024];
            let read = stream.read(&mut piece).expect("a question comes");
            assert!(read > 0, "a question has an end");
            head.extend_from_slice(&piece[..read]);
        }
        assert!(head.starts_with(b"GET /readyz HTTP/1.1\r\n"));
        stream.write_all(answer.as_bytes()).expect("an answer can be given");
    });
    address
}

#[test]
fn a_controller_that_says_so_is_ready() {
    ask(&answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")).expect("it is ready");
}

#[test]
fn one_that_does_not_is_quoted() {
    let address = answering("HTTP/1.1 503 Service Unavailable\r\n\r\nstores are not synced\u{1b}[2J\n");
    let said = ask(&address).expect_err("it is not ready").to_string();
    assert!(said.starts_with(&format!("{address} is not ready: stores are not synced")), "{said}");
    assert!(said.ends_with("its log says why: kubectl logs") && !said.contains('\u{1b}'), "{said}");
    let silent = answering("");
    let said = ask(&silent).expect_err("nothing is no answer").to_string();
    assert!(said.contains("is not ready"), "{said}");
}

#[test]
fn where_nobody_answers_it_says_where() {
    // Held and not listened on: nobody else can take it while we knock.
    let held = tokio::net::TcpSocket::new_v4().expect("a socket");
    held.bind(([127, 0, 0, 1], 0).into()).expect("a loopback port is free");
    let address = held.local_addr().expect("a bound socket has an address").to_string();
    let said = ask(&address).expect_err("nobody is there").to_string();
    assert!(
        said.starts_with(&format!("{address} does not answer; see whether the controller runs")),
        "{said}"
    );
}
