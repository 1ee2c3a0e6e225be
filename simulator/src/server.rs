//! The listener, and the way of a request: find its partner, apply faults, let the partner answer,
//! record, reply.
//!
//! Invariants: the partner answers under its own lock, at once and completely, so a closed
//! connection never leaves half a change; the record is written before the answer leaves.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::call::{Call, Reply};
use crate::clock::SimClock;
use crate::faults::{Does, FaultBody, Faults, HoldAt, RetryAfter};
use crate::log::{Entry, KEPT_HEADERS, Kind, RequestLog};
use crate::mailbox::Mailbox;
use crate::partner::{ClickRefused, Core, Partner, Refusal};
use crate::{control, lock, vendors};

const LARGEST_BODY: usize = 32 << 20;

/// How a simulator starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 asks for any free one.
    pub bind: SocketAddr,
    /// The URL that answers contain, if the world reaches the listener under another one.
    pub public_url: Option<String>,
    /// Where the simulated clock starts.
    pub starts_at: Timestamp,
    /// Seed of ids and generated names.
    pub seed: u64,
}

impl Default for Config {
    /// A free port on 127.0.0.1, Monday 2026-01-12 08:00 UTC, seed 1.
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_url: None,
            starts_at: Timestamp::from_second(1_768_204_800).expect("an instant in 2026"),
            seed: 1,
        }
    }
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("the simulator cannot listen on {address}; choose another address or port 0")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The listener has no local address.
    #[error("the simulator's listener does not say where it listens")]
    Address(#[source] std::io::Error),
}

/// Starts simulators.
#[derive(Debug)]
pub struct Simulator;

impl Simulator {
    /// Listens as configured, on the present tokio runtime.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let address = config.bind;
        let listener =
            TcpListener::bind(address).await.map_err(|source| StartError::Bind { address, source })?;
        Self::start_on(listener, config)
    }

    /// Serves on a listener that somebody else made.
    #[allow(clippy::needless_pass_by_value, reason = "as `start` takes it")]
    pub fn start_on(listener: TcpListener, config: Config) -> Result<Running, StartError> {
        let address = listener.local_addr().map_err(StartError::Address)?;
        let base_url = format!("http://{address}");
        let core = Arc::new(Core::new(SimClock::starting_at(config.starts_at), config.seed));
        core.publish(config.public_url.as_deref().unwrap_or(&base_url));
        let shared = Arc::new(Shared { core, partners: Mutex::default() });
        let stop = watch::Sender::new(false);
        let task = tokio::spawn(accept(listener, shared.clone(), stop.subscribe()));
        Ok(Running { base_url, shared, stop, task: Mutex::new(Some(task)) })
    }
}

/// A simulator that listens; dropping it stops it.
#[derive(Debug)]
pub struct Running {
    base_url: String,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Running {
    /// `http://127.0.0.1:PORT`, without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The URL of one partner as answers spell it: `<public url>/<vendor>/<key>`.
    pub fn partner_url(&self, vendor: &str, key: &str) -> String {
        self.shared.core.public_url(vendor, key)
    }

    /// The simulated clock.
    pub fn clock(&self) -> &SimClock {
        self.shared.core.clock()
    }

    /// The request log.
    pub fn log(&self) -> &RequestLog {
        self.shared.core.log()
    }

    /// The faults in force.
    pub fn faults(&self) -> &Faults {
        self.shared.core.faults()
    }

    /// Everyone's mail.
    pub fn mailbox(&self) -> &Mailbox {
        self.shared.core.mailbox()
    }

    /// Delivers a raw mail (RFC 5322) now; returns its number.
    pub fn send_mail(&self, eml: &str) -> u64 {
        self.mailbox().deliver_eml(eml, self.clock().now())
    }

    /// A person's click at a vendor's console, as `POST /_sim/<vendor>/<key>/<path>`; logged the same.
    pub fn click(
        &self,
        vendor: &str,
        key: &str,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<serde_json::Value, ClickRefused> {
        let none = || ClickRefused::at(path, "no-partner", &format!("no partner {vendor}/{key}"));
        let partner = self.shared.find(vendor, key).ok_or_else(none)?;
        click(&self.shared.core, &*partner, &format!("{vendor}/{key}"), path, body)
    }

    /// A customer follows the links of a mail: see `POST /_sim/mailbox/{id}/accept`.
    pub fn accept_mail(&self, id: u64, customer: Option<&str>) -> Result<String, String> {
        control::follow(&self.shared, id, customer, true)
    }

    /// Makes records from a seed document: see `POST /_sim/seed`.
    pub fn seed(&self, document: &serde_json::Value) -> Result<(), String> {
        self.shared.seed(document)
    }

    /// A partner account with its type, opened if it is new. `None`: no such vendor, or another type.
    pub fn partner<T: Partner>(&self, vendor: &str, key: &str) -> Option<Arc<T>> {
        let partner: Arc<dyn std::any::Any + Send + Sync> = self.shared.open(vendor, key)?;
        partner.downcast().ok()
    }

    /// Stops listening, closes every connection and forgets everything.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let task = lock(&self.task).take();
        if let Some(task) = task {
            // A task that panicked has stopped too.
            let _ended = task.await;
        }
    }
}

pub(crate) struct Shared {
    pub(crate) core: Arc<Core>,
    partners: Mutex<BTreeMap<(String, String), Arc<dyn Partner>>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("core", &self.core).finish_non_exhaustive()
    }
}

impl Shared {
    /// The partner, if it was opened.
    pub(crate) fn find(&self, vendor: &str, key: &str) -> Option<Arc<dyn Partner>> {
        lock(&self.partners).get(&(vendor.to_owned(), key.to_owned())).cloned()
    }

    /// The partner, opened if the vendor is known.
    pub(crate) fn open(&self, vendor: &str, key: &str) -> Option<Arc<dyn Partner>> {
        let mut partners = lock(&self.partners);
        let at = (vendor.to_owned(), key.to_owned());
        if let Some(partner) = partners.get(&at) {
            return Some(partner.clone());
        }
        let partner = vendors::open(vendor, key, &self.core)?;
        partners.insert(at, partner.clone());
        Some(partner)
    }

    /// All partners by vendor and key.
    pub(crate) fn all(&self) -> Vec<((String, String), Arc<dyn Partner>)> {
        lock(&self.partners).iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// `{"<vendor>": {"<key>": {…}}}`; a partner that is new is opened.
    pub(crate) fn seed(&self, document: &serde_json::Value) -> Result<(), String> {
        let vendors = document.as_object().ok_or("a seed is an object of vendors")?;
        for (vendor, keys) in vendors {
            let keys = keys.as_object().ok_or_else(|| format!("{vendor}: an object of partner keys"))?;
            for (key, content) in keys {
                let partner = self.open(vendor, key).ok_or_else(|| {
                    format!("{vendor}: not simulated; there are {}", vendors::NAMES.join(", "))
                })?;
                partner.seed(content).map_err(|e| format!("{vendor}/{key}: {e}"))?;
            }
        }
        Ok(())
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(connection(stream, shared.clone(), stop.clone()));
                }
            }
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    // Answers are small and written at once.
    let _ = stream.set_nodelay(true);
    let serve = hyper::server::conn::http1::Builder::new().serve_connection(
        TokioIo::new(stream),
        service_fn(move |request| {
            let shared = shared.clone();
            async move { serve(&shared, request).await }
        }),
    );
    tokio::select! {
        _ = stop.changed() => {}
        // An error here is a client that went away, or a fault that closed the connection on purpose.
        _ended = serve => {}
    }
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
struct Closed;

async fn serve(shared: &Shared, request: Request<Incoming>) -> Result<Response<ReplyBody>, Closed> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else { return Err(Closed) };
    let target = parts.uri.path_and_query().map_or("/", |t| t.as_str());
    let call = Call::new(parts.method.as_str(), target, parts.headers, body.to_bytes());
    match call.segments().as_slice() {
        [] => Ok(whole(control::index(shared))),
        ["_sim", ..] => Ok(whole(control::answer(shared, &call.clone().below(1)))),
        [vendor, key, ..] => match shared.find(vendor, key) {
            Some(partner) => {
                let name = format!("{vendor}/{key}");
                wire(&shared.core, &*partner, &name, &call.clone().below(2)).await
            }
            None => Ok(whole(unknown(vendor, key))),
        },
        [other] => Ok(whole(unknown(other, ""))),
    }
}

fn unknown(vendor: &str, key: &str) -> Reply {
    Reply::json(
        404,
        &json!({"simulator": format!("no partner {vendor}/{key} here; GET /_sim lists them, POST /_sim/seed makes them")}),
    )
}

async fn wire(
    core: &Core,
    partner: &dyn Partner,
    name: &str,
    call: &Call,
) -> Result<Response<ReplyBody>, Closed> {
    let (holds, does) = core.faults().strike(name, call);
    for _ in holds.iter().filter(|at| **at == HoldAt::BeforeCommit) {
        core.faults().hold().await;
    }
    let kind = partner.classify(call);
    let word = does.as_ref().map(Does::word).or_else(|| (!holds.is_empty()).then(|| "hold".to_owned()));
    let (reply, fate) = apply(core, partner, call, does.as_ref());
    let answered = !matches!(fate, Fate::Closed);
    core.log().append(entry(core, name, call, kind, &reply, answered, word));
    for _ in holds.iter().filter(|at| **at == HoldAt::AfterCommit) {
        core.faults().hold().await;
    }
    match fate {
        Fate::Whole => Ok(whole(reply)),
        Fate::Half => Ok(response(reply, true)),
        Fate::Closed => Err(Closed),
    }
}

enum Fate {
    Whole,
    Half,
    Closed,
}

fn apply(core: &Core, partner: &dyn Partner, call: &Call, does: Option<&Does>) -> (Reply, Fate) {
    let Some(does) = does else { return (partner.answer(call), Fate::Whole) };
    match does {
        Does::Status { status, retry_after, body, after_commit } => {
            let committed = after_commit.then(|| partner.answer(call));
            let mut reply = match body {
                FaultBody::Vendor => partner.refuse(Refusal::Status(*status), call),
                FaultBody::Empty => Reply::empty(*status),
                FaultBody::Json => Reply::json(*status, &json!({"ok": false})),
                FaultBody::Html => Reply::text(
                    *status,
                    "text/html",
                    format!(
                        "<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
                    ),
                ),
            };
            if let Some(after) = retry_after {
                reply.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("retry-after"));
                reply = reply.header("retry-after", retry_after_value(core, *after));
            }
            if let Some(committed) = committed {
                reply.effects = committed.effects;
                reply.client = committed.client;
            }
            (reply, Fate::Whole)
        }
        Does::CloseBeforeCommit => (Reply::empty(0), Fate::Closed),
        Does::CloseAfterCommit => (partner.answer(call), Fate::Closed),
        Does::Truncate => (partner.answer(call), Fate::Half),
        Does::MalformedJson => {
            let mut reply = partner.answer(call);
            reply.body = br#"{"items":[{"id":"#.to_vec();
            (reply, Fate::Whole)
        }
        Does::ExpiredToken => (partner.refuse(Refusal::ExpiredToken, call), Fate::Whole),
        Does::StaleVersion => (partner.refuse(Refusal::StaleVersion, call), Fate::Whole),
        Does::Forbidden => (partner.refuse(Refusal::Forbidden, call), Fate::Whole),
        Does::Hold { .. } => (partner.answer(call), Fate::Whole),
    }
}

fn retry_after_value(core: &Core, after: RetryAfter) -> String {
    match after {
        RetryAfter::Seconds(s) => s.to_string(),
        RetryAfter::HttpDate(s) => http_date(
            core.clock()
                .now()
                .saturating_add(SignedDuration::from_secs(i64::from(s)))
                .unwrap_or(Timestamp::MAX),
        ),
    }
}

/// `Mon, 12 Jan 2026 08:00:00 GMT`.
pub(crate) fn http_date(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Makes a person's click in process and records it.
pub(crate) fn click(
    core: &Core,
    partner: &dyn Partner,
    name: &str,
    path: &str,
    body: &serde_json::Value,
) -> Result<serde_json::Value, ClickRefused> {
    let bytes = serde_json::to_vec(body).expect("JSON is writable");
    let target = format!("/{}", path.trim_start_matches('/'));
    let call = Call::new("POST", &target, hyper::HeaderMap::new(), bytes.into());
    let reply = partner.control(&call);
    record_click(core, name, &call, &reply);
    let answer: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    if reply.status < 300 {
        return Ok(answer);
    }
    let word = |key: &str| answer.get(key).and_then(serde_json::Value::as_str);
    let why = word("why").map_or_else(|| String::from_utf8_lossy(&reply.body).into_owned(), str::to_owned);
    Err(ClickRefused::at(path, word("refused").unwrap_or("refused"), &why))
}

/// Records a person's click.
pub(crate) fn record_click(core: &Core, partner: &str, call: &Call, reply: &Reply) {
    core.log().append(entry(core, partner, call, Kind::Ui, reply, true, None));
}

fn entry(
    core: &Core,
    partner: &str,
    call: &Call,
    kind: Kind,
    reply: &Reply,
    answered: bool,
    fault: Option<String>,
) -> Entry {
    let headers = KEPT_HEADERS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), call.header(name)?.to_owned())))
        .collect();
    Entry {
        seq: 0,
        at: core.clock().now(),
        partner: partner.to_owned(),
        method: call.method().to_owned(),
        path: call.logged_target(),
        status: answered.then_some(reply.status),
        client: reply.client.clone(),
        kind,
        effects: reply.effects.clone(),
        headers,
        bytes_in: call.body().len(),
        bytes_out: if answered { reply.body.len() } else { 0 },
        fault,
    }
}

fn whole(reply: Reply) -> Response<ReplyBody> {
    response(reply, false)
}

fn response(reply: Reply, half: bool) -> Response<ReplyBody> {
    let length = reply.body.len();
    let sent = if half { length / 2 } else { length };
    let bytes = Some(Bytes::from(reply.body).slice(..sent));
    let body = ReplyBody { bytes, breaks: half, flushed: false, announced: length };
    let mut response = Response::new(body);
    *response.status_mut() =
        hyper::StatusCode::from_u16(reply.status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(words) = reply.reason {
        response.extensions_mut().insert(hyper::ext::ReasonPhrase::from_static(words.as_bytes()));
    }
    for (name, value) in reply.headers {
        let name = hyper::header::HeaderName::try_from(name);
        let value = hyper::header::HeaderValue::try_from(value);
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// A body that may break off before its announced length.
#[derive(Debug)]
struct ReplyBody {
    bytes: Option<Bytes>,
    breaks: bool,
    flushed: bool,
    announced: usize,
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        match self.bytes.take() {
            Some(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            _ if self.breaks && !self.flushed => {
                // Waiting once lets what was written so far reach the client before the break.
                self.flushed = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            _ if self.breaks => Poll::Ready(Some(Err(Closed))),
            _ => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        !self.breaks && self.bytes.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.bytes {
            Some(_) => SizeHint::with_exact(self.announced as u64),
            None => SizeHint::default(),
        }
    }
}
