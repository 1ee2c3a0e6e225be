//! Where requests may go: bases (scheme, host, port, path prefix) and patterns below them.

use reqwest::Method;
use url::Url;

/// A base URL: everything that is asked of it stays below its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base(Url);

impl Base {
    /// From a URL; a query or fragment is dropped. `None`: it cannot carry paths (`mailto:`).
    pub fn new(mut url: Url) -> Option<Self> {
        if url.cannot_be_a_base() || !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        url.set_query(None);
        url.set_fragment(None);
        url.path_segments_mut().ok()?.pop_if_empty();
        Some(Self(url))
    }

    /// A vendor's own host, known when the adapter was written.
    ///
    /// # Panics
    /// If the text is no HTTP URL, which any test of the adapter finds.
    pub fn known(url: &str) -> Self {
        Url::parse(url).ok().and_then(Self::new).expect("a vendor's own host is a URL")
    }

    /// The URL of these segments below the base; each is encoded, so that none adds a segment, query or fragment.
    pub fn at(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        url.path_segments_mut().expect("bases carry paths").extend(segments);
        url
    }

    /// The base's own URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The segments of a URL below this base; `None`: it is elsewhere.
    fn below<'u>(&self, url: &'u Url) -> Option<Vec<&'u str>> {
        let same = url.scheme() == self.0.scheme()
            && url.host() == self.0.host()
            && url.port_or_known_default() == self.0.port_or_known_default()
            && url.username().is_empty()
            && url.password().is_none();
        let mut segments = url.path_segments()?;
        if !same {
            return None;
        }
        for own in self.0.path_segments().into_iter().flatten().filter(|own| !own.is_empty()) {
            if segments.next() != Some(own) {
                return None;
            }
        }
        Some(segments.collect())
    }
}

#[derive(Debug, Clone)]
struct Entry {
    method: Method,
    base: Base,
    pattern: Vec<String>,
}

/// What a transport may send.
#[derive(Debug, Clone, Default)]
pub struct AllowList(Vec<Entry>);

impl AllowList {
    /// Nothing is allowed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows a method on a path below a base; `{…}` stands for exactly one segment that is not empty.
    #[must_use]
    pub fn and(mut self, method: Method, base: &Base, pattern: &str) -> Self {
        let pattern = pattern.trim_matches('/').split('/').map(str::to_owned).collect();
        self.0.push(Entry { method, base: base.clone(), pattern });
        self
    }

    /// Whether it may leave.
    pub fn allows(&self, method: &Method, url: &Url) -> bool {
        self.0.iter().any(|entry| {
            entry.method == *method
                && entry.base.below(url).is_some_and(|segments| {
                    segments.len() == entry.pattern.len()
                        && segments.iter().zip(&entry.pattern).all(|(segment, pattern)| {
                            if pattern.starts_with('{') { !segment.is_empty() } else { segment == pattern }
                        })
                })
        })
    }
}
