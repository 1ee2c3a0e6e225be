//! The way of a request: find its partner, apply faults, let the partner answer, record, reply.
//!
//! Invariants: the partner answers under its own lock, at once and completely, so a closed connection
//! never leaves half a change; the record is written before the answer leaves.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::{Request, Response};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::json;
use tokio::sync::watch;

use crate::call::{Call, Reply};
use crate::control;
use crate::faults::{Does, FaultBody, HoldAt, RetryAfter};
use crate::log::{Entry, KEPT_HEADERS, Kind};
use crate::partner::{ClickRefused, Core, Partner, Refusal};
use crate::server::Shared;

const LARGEST_BODY: usize = 32 << 20;

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
pub(crate) struct Closed;

/// Answers one request.
pub(crate) async fn serve(
    shared: &Shared,
    request: Request<Incoming>,
    stop: &watch::Receiver<bool>,
) -> Result<Response<ReplyBody>, Closed> {
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
                let (core, call) = (shared.core.clone(), call.clone().below(2));
                let (holds, does) = core.faults().strike(&name, &call);
                let accepted = holds.contains(&HoldAt::Accepted);
                let answer = wire(core, partner, name, call, holds, does);
                if accepted { on_its_own(answer, stop.clone()).await } else { answer.await }
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

/// Goes on also when the connection that it belongs to goes away; ends with the simulator.
async fn on_its_own(
    answer: impl Future<Output = Result<Response<ReplyBody>, Closed>> + Send + 'static,
    mut stop: watch::Receiver<bool>,
) -> Result<Response<ReplyBody>, Closed> {
    let task = tokio::spawn(async move {
        tokio::select! {
            // Also where the simulator is gone without a word.
            _ = stop.changed() => Err(Closed),
            answer = answer => answer,
        }
    });
    task.await.unwrap_or(Err(Closed))
}

async fn wire(
    core: Arc<Core>,
    partner: Arc<dyn Partner>,
    name: String,
    call: Call,
    holds: Vec<HoldAt>,
    does: Option<Does>,
) -> Result<Response<ReplyBody>, Closed> {
    for _ in holds.iter().filter(|at| **at != HoldAt::AfterCommit) {
        core.faults().hold().await;
    }
    let kind = partner.classify(&call);
    let word = does.as_ref().map(Does::word).or_else(|| (!holds.is_empty()).then(|| "hold".to_owned()));
    let (reply, fate) = apply(&core, &*partner, &call, does.as_ref());
    let answered = !matches!(fate, Fate::Closed);
    core.log().append(entry(&core, &name, &call, kind, &reply, answered, word));
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
        Does::Coded { status, code } => {
            (partner.refuse(Refusal::Coded { status: *status, code: *code }, call), Fate::Whole)
        }
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
pub(crate) struct ReplyBody {
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
