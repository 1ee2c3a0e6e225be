//! An answer, read whole.

use std::borrow::Cow;

use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use tenantry_engine::console::ConsoleError;
use tenantry_engine::text::terminal;

/// Status, headers and body of an answer.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// An answer for tests of what reads one.
    #[cfg(test)]
    pub(crate) fn of(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| {
                let name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
                (name, reqwest::header::HeaderValue::from_str(value).expect("a header's value"))
            })
            .collect();
        Self { status, headers, body: body.to_vec() }
    }

    /// 200–299.
    pub fn success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as UTF-8 whatever its headers say, without a byte order mark; broken bytes become U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.body))
    }

    /// The body read as JSON; `because` names the place of the mistake and no value.
    pub fn json<T: DeserializeOwned>(&self, console: &str) -> Result<T, ConsoleError> {
        self.parse().map_err(|because| ConsoleError::Protocol { console: console.to_owned(), because })
    }

    /// The body read as JSON, or why it is none.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, String> {
        let text = self.text();
        serde_json::from_str(&text).map_err(|error| {
            let what = match error.classify() {
                serde_json::error::Category::Eof => "it breaks off",
                serde_json::error::Category::Syntax => "it is no JSON",
                serde_json::error::Category::Data => "it has another shape",
                serde_json::error::Category::Io => "it cannot be read",
            };
            // serde_json's text quotes no more than a wrong value's kind or a field's name; sanitised all the same.
            terminal(&format!("status {}, {} bytes: {what}: {error}", self.status, self.body.len()))
        })
    }

    /// Bytes received.
    pub fn bytes(&self) -> u64 {
        self.body.len() as u64
    }
}
