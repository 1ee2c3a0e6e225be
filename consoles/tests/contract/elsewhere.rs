//! A host that gives tokens and sends every other request elsewhere, as a captured or mistyped endpoint could.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

/// The host; dropping it closes it.
pub struct Elsewhere {
    port: u16,
    redirected: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

/// What every vendor's client takes for a token.
const TOKEN: &str = r#"{"access_token":"a-token-for-nobody-else","token_type":"bearer","expires_in":3600,"errorCode":"success","message":"OK"}"#;

impl Elsewhere {
    /// Sends requests to this base URL.
    pub async fn to(base: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (redirected, base) = (Arc::new(Mutex::new(Vec::new())), base.to_owned());
        let seen = redirected.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that goes away in the middle is none of its concern.
                let _gone = answer(stream, &base, &seen).await;
            }
        });
        Self { port, redirected, task }
    }

    /// Where the partner would be here.
    pub fn url(&self, partner: &str) -> Url {
        format!("http://127.0.0.1:{}/{partner}", self.port).parse().expect("a URL")
    }

    /// First lines of what was sent elsewhere.
    pub fn redirected(&self) -> Vec<String> {
        self.redirected.lock().expect("not poisoned").clone()
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(stream: TcpStream, base: &str, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    stream.read_line(&mut first).await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some(told) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = told.trim().parse().unwrap_or_default();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let path = first.split(' ').nth(1).unwrap_or_default();
    let answer = if path.ends_with("/oauth2/token") {
        let length = TOKEN.len();
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{TOKEN}"
        )
    } else {
        seen.lock().expect("not poisoned").push(first.clone());
        format!(
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: {base}{path}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
    };
    stream.get_mut().write_all(answer.as_bytes()).await
}
