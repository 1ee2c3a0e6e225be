//! A request as a vendor module sees it, and its answer.
//!
//! Neither ever holds the simulator's own prefix: `/sophos/acme/whoami/v1` is `/whoami/v1` here.
//! Paths are percent-decoded by segment and empty segments are dropped; the raw path is kept for
//! the log.

use std::borrow::Cow;

use hyper::HeaderMap;
use hyper::body::Bytes;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;

use crate::log::Effect;

/// One request, complete with its body.
#[derive(Debug, Clone)]
pub struct Call {
    method: String,
    path: String,
    raw_query: String,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    /// Reads a request target (`/path?query`) with its headers and body.
    pub fn new(method: &str, target: &str, headers: HeaderMap, body: Bytes) -> Self {
        let (path, raw_query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            raw_query: raw_query.to_owned(),
            segments: path.split('/').filter(|s| !s.is_empty()).map(decode).collect(),
            query: pairs(raw_query),
            headers,
            body,
        }
    }

    /// The same call with its first `n` path segments taken off.
    #[must_use]
    pub fn below(mut self, n: usize) -> Self {
        self.segments.drain(..n.min(self.segments.len()));
        let rest: Vec<&str> = self.path.split('/').filter(|s| !s.is_empty()).skip(n).collect();
        self.path = format!("/{}", rest.join("/"));
        self
    }

    /// `GET`, `POST`, …
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path as sent, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The decoded, non-empty path segments.
    pub fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// Path and query as sent, the values of secret-bearing parameters replaced: what the log keeps.
    pub fn logged_target(&self) -> String {
        if self.raw_query.is_empty() {
            return self.path.clone();
        }
        let shown: Vec<Cow<'_, str>> = self
            .raw_query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((key, _)) if is_secret(key) => Cow::Owned(format!("{key}=***")),
                _ => Cow::Borrowed(pair),
            })
            .collect();
        format!("{}?{}", self.path, shown.join("&"))
    }

    /// The last value of a query parameter; its name is matched exactly.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }

    /// The last value of a query parameter whose name is matched without case.
    pub fn query_any_case(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Every value of a query parameter, in the order sent.
    pub fn query_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(k, _)| k == name).map(|(_, v)| v.as_str())
    }

    /// A header's value; names have no case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// The bearer token, if one was sent.
    pub fn bearer(&self) -> Option<&str> {
        let value = self.header("authorization")?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// Whether the declared media type is this one, parameters aside.
    pub fn is_content_type(&self, media_type: &str) -> bool {
        self.header("content-type")
            .and_then(|v| v.split(';').next())
            .is_some_and(|v| v.trim().eq_ignore_ascii_case(media_type))
    }

    /// The raw body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON; `None` if it is not JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as an urlencoded form, in the order sent.
    pub fn form(&self) -> Vec<(String, String)> {
        std::str::from_utf8(&self.body).map(pairs).unwrap_or_default()
    }
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["secret", "token", "password", "assertion"].iter().any(|word| key.contains(word)) || key == "code"
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&key.replace('+', " ")), decode(&value.replace('+', " ")))
        })
        .collect()
}

/// The answer to a [`Call`], with what the call committed.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
    /// What was committed; empty for anything that changed nothing.
    pub effects: Vec<Effect>,
    /// The credential that called, once known; never a secret.
    pub client: Option<String>,
    /// The status line's own words, where a vendor puts meaning into them.
    pub reason: Option<&'static str>,
}

impl Reply {
    /// No body.
    pub fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A JSON body, `Content-Type: application/json` without charset as the vendors send it.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("an answer is plain data");
        Self { status, body, ..Self::default() }.header("content-type", "application/json")
    }

    /// Any other text.
    pub fn text(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, body: body.into(), ..Self::default() }.header("content-type", content_type)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Names something that this call committed.
    #[must_use]
    #[allow(clippy::needless_pass_by_value, reason = "ids are named in passing")]
    pub fn effect(mut self, kind: &str, id: impl ToString) -> Self {
        self.effects.push(Effect { kind: kind.to_owned(), id: id.to_string() });
        self
    }

    /// Names the credential that called.
    #[must_use]
    pub fn by(mut self, client: impl Into<String>) -> Self {
        self.client = Some(client.into());
        self
    }

    /// Sets the words of the status line.
    #[must_use]
    pub fn reason(mut self, words: &'static str) -> Self {
        self.reason = Some(words);
        self
    }
}
