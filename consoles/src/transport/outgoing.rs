//! A request before it leaves.

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::Url;

use super::allow::Base;

/// What to send. Its body is never printed.
#[derive(Clone)]
pub struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Body>,
}

#[derive(Clone)]
pub(super) enum Body {
    Bytes(Vec<u8>),
    Form(Vec<(&'static str, SecretString)>),
}

impl Outgoing {
    /// A request to segments below a base.
    pub fn new(method: Method, base: &Base, segments: &[&str]) -> Self {
        Self::to(method, base.at(segments))
    }

    /// A GET of segments below a base.
    pub fn get(base: &Base, segments: &[&str]) -> Self {
        Self::new(Method::GET, base, segments)
    }

    /// A request to a URL that a vendor gave (a link to the next page); the transport's list decides whether it may
    /// leave.
    pub fn to(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: None }
    }

    /// One more query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// One more header; a value that HTTP cannot carry is left out, and the vendor will say what is missing.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// A JSON body.
    #[must_use]
    pub fn json(self, body: &impl Serialize) -> Self {
        self.json_as("application/json", body)
    }

    /// A JSON body under another content type (`application/merge-patch+json`).
    #[must_use]
    pub fn json_as(mut self, content_type: &'static str, body: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(body).expect("adapters' bodies have text keys");
        self.headers.insert(reqwest::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = Some(Body::Bytes(bytes));
        self
    }

    /// A form body, for identity services.
    #[must_use]
    pub fn form(mut self, fields: Vec<(&'static str, SecretString)>) -> Self {
        self.body = Some(Body::Form(fields));
        self
    }

    /// Where it goes.
    pub fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn build(&self, client: &reqwest::Client) -> reqwest::RequestBuilder {
        let request = client.request(self.method.clone(), self.url.clone()).headers(self.headers.clone());
        match &self.body {
            None => request,
            Some(Body::Bytes(bytes)) => request.body(bytes.clone()),
            Some(Body::Form(fields)) => {
                let fields: Vec<(&str, &str)> =
                    fields.iter().map(|(name, value)| (*name, value.expose_secret())).collect();
                request.form(&fields)
            }
        }
    }
}
