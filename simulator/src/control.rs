//! `/_sim/`: clock, log, faults, mailbox, seeds, and each partner's switches and clicks.
//!
//! It is for tests and for people who try things out; it asks for no credentials, so the listener
//! belongs on the loopback interface.
//!
//! | request | does |
//! |---|---|
//! | `GET /_sim` | lists partners with what a client needs to reach them |
//! | `GET /_sim/clock`, `POST {"advance":"PT15M"}` or `{"set":"<RFC 3339>"}` | reads, moves the clock |
//! | `GET /_sim/log?partner=&since=&kind=&effect=&method=&path=` | the request log |
//! | `GET`, `POST`, `DELETE /_sim/faults`; `POST /_sim/faults/release` | faults; held requests go on |
//! | `GET /_sim/mailbox[?to=]`, `GET /_sim/mailbox/{id}`, `POST /_sim/mailbox` (a raw `.eml`) | mail |
//! | `POST /_sim/mailbox/{id}/accept`, `…/decline`, `…/ignore` (optional `{"customer":"<id>"}`) | the recipient acts |
//! | `POST /_sim/seed` | `{"<vendor>":{"<key>":{…}}}` |
//! | `GET`, `POST /_sim/<vendor>/<key>/switches`, `GET …/switches/table` | settings |
//! | anything else below `/_sim/<vendor>/<key>/` | that vendor's clicks |

use jiff::{Span, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::{Call, Reply};
use crate::faults::Fault;
use crate::log::{Kind, LogFilter};
use crate::mailbox::Choice;
use crate::partner::Visitor;
use crate::server::Shared;
use crate::wire::record_click;

fn refused(status: u16, why: impl std::fmt::Display) -> Reply {
    Reply::json(status, &json!({"simulator": why.to_string()}))
}

/// What is here.
pub(crate) fn index(shared: &Shared) -> Reply {
    let partners: Vec<Value> = shared
        .all()
        .iter()
        .map(|((vendor, key), partner)| {
            json!({"vendor": vendor, "key": key, "url": shared.core.public_url(vendor, key), "connect": partner.describe()})
        })
        .collect();
    Reply::json(
        200,
        &json!({
            "url": shared.core.root_url(),
            "clock": format!("{}/_sim/clock", shared.core.root_url()),
            "now": shared.core.clock().now(),
            "vendors": crate::vendors::NAMES,
            "partners": partners,
        }),
    )
}

/// Answers below `/_sim`.
pub(crate) fn answer(shared: &Shared, call: &Call) -> Reply {
    match (call.method(), call.segments().as_slice()) {
        ("GET", []) => index(shared),
        ("GET", ["clock"]) => Reply::json(200, &json!({"now": shared.core.clock().now()})),
        ("POST", ["clock"]) => clock(shared, call),
        ("GET", ["log"]) => log(shared, call),
        ("GET", ["faults"]) => Reply::json(
            200,
            &json!({"faults": shared.core.faults().active(), "held": shared.core.faults().held()}),
        ),
        ("POST", ["faults"]) => add_faults(shared, call),
        ("DELETE", ["faults"]) => {
            shared.core.faults().clear();
            Reply::empty(204)
        }
        ("POST", ["faults", "release"]) => {
            shared.core.faults().release();
            Reply::empty(204)
        }
        (_, ["mailbox", rest @ ..]) => mailbox(shared, call, rest),
        ("POST", ["seed"]) => {
            match call.json().ok_or_else(|| "the seed is not JSON".to_owned()).and_then(|d| shared.seed(&d)) {
                Ok(()) => index(shared),
                Err(why) => refused(422, why),
            }
        }
        (_, [vendor, key, ..]) => match shared.find(vendor, key) {
            None => refused(404, format!("no partner {vendor}/{key}")),
            Some(partner) => {
                let name = format!("{vendor}/{key}");
                let below = call.clone().below(2);
                match (below.method(), below.segments().as_slice()) {
                    ("GET", ["switches"]) => Reply::json(200, &partner.switches()),
                    ("GET", ["switches", "table"]) => Reply::json(200, &partner.switch_table()),
                    ("POST", ["switches"]) => {
                        let change = below.json().unwrap_or(Value::Null);
                        match partner.set_switches(&change) {
                            Ok(()) => Reply::json(200, &partner.switches()),
                            Err(why) => refused(422, why),
                        }
                    }
                    _ => {
                        let reply = partner.control(&below);
                        record_click(&shared.core, &name, &below, &reply);
                        reply
                    }
                }
            }
        },
        _ => refused(404, "nothing here; GET /_sim lists what there is"),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Move {
    Advance(Span),
    Set(Timestamp),
}

fn clock(shared: &Shared, call: &Call) -> Reply {
    let clock = shared.core.clock();
    let moved = match serde_json::from_slice(call.body()) {
        Ok(Move::Advance(by)) => clock.advance(by),
        Ok(Move::Set(to)) => clock.set(to),
        Err(e) => {
            return refused(422, format!("{{\"advance\":\"PT15M\"}} or {{\"set\":\"<RFC 3339>\"}}: {e}"));
        }
    };
    match moved {
        Ok(now) => Reply::json(200, &json!({"now": now})),
        Err(why) => refused(422, why),
    }
}

fn log(shared: &Shared, call: &Call) -> Reply {
    let kind = match call.query("kind") {
        None => None,
        Some(word) => match serde_json::from_value::<Kind>(Value::from(word)) {
            Ok(kind) => Some(kind),
            Err(_) => return refused(422, "kind is login, read, write or ui"),
        },
    };
    let filter = LogFilter {
        partner: call.query("partner"),
        since: call.query("since").and_then(|s| s.parse().ok()).unwrap_or(0),
        kind,
        effect: call.query("effect"),
        method: call.query("method"),
        path: call.query("path"),
    };
    let log = shared.core.log();
    Reply::json(200, &json!({"last": log.mark(), "entries": log.entries(&filter)}))
}

fn add_faults(shared: &Shared, call: &Call) -> Reply {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMore {
        More(Vec<Fault>),
        One(Box<Fault>),
    }
    match serde_json::from_slice(call.body()) {
        Ok(OneOrMore::One(fault)) => shared.core.faults().add(*fault),
        Ok(OneOrMore::More(faults)) => faults.into_iter().for_each(|f| shared.core.faults().add(f)),
        Err(e) => {
            // The untagged error says nothing; the plain one names the field.
            let why = serde_json::from_slice::<Fault>(call.body()).err().unwrap_or(e);
            return refused(422, why);
        }
    }
    Reply::json(201, &json!({"faults": shared.core.faults().active()}))
}

fn mailbox(shared: &Shared, call: &Call, rest: &[&str]) -> Reply {
    let mailbox = shared.core.mailbox();
    match (call.method(), rest) {
        ("GET", []) => match call.query("to") {
            Some(address) => Reply::json(200, &json!({"mails": mailbox.to(address)})),
            None => Reply::json(200, &json!({"mails": mailbox.mails()})),
        },
        ("POST", []) => match std::str::from_utf8(call.body()) {
            Ok(raw) => {
                let id = mailbox.deliver_eml(raw, shared.core.clock().now());
                Reply::json(201, &json!({"id": id}))
            }
            Err(_) => refused(422, "a mail is UTF-8 text"),
        },
        (method, [id, rest @ ..]) => {
            let Some(mail) = id.parse().ok().and_then(|id| mailbox.get(id)) else {
                return refused(404, format!("no mail {id}"));
            };
            match (method, rest) {
                ("GET", []) => Reply::json(200, &mail),
                ("POST", ["ignore"]) => {
                    mailbox.choose(mail.id, Choice::Ignored);
                    Reply::empty(204)
                }
                ("POST", [act @ ("accept" | "decline")]) => {
                    let body = call.json().unwrap_or(Value::Null);
                    let customer = body.get("customer").and_then(Value::as_str);
                    match follow(shared, mail.id, customer, *act == "accept") {
                        Ok(message) => Reply::json(200, &json!({"message": message})),
                        Err(why) => refused(422, why),
                    }
                }
                _ => refused(404, "accept, decline or ignore"),
            }
        }
        _ => refused(405, "GET or POST"),
    }
}

/// The recipient of a mail follows its links; returns what the pages said.
pub(crate) fn follow(
    shared: &Shared,
    id: u64,
    customer: Option<&str>,
    accepts: bool,
) -> Result<String, String> {
    let mail = shared.core.mailbox().get(id).ok_or_else(|| format!("no mail {id}"))?;
    let recipient = mail.to.first().cloned().unwrap_or_default();
    let visitor = Visitor { recipient: &recipient, customer, accepts };
    let mut said = Vec::new();
    for link in &mail.links {
        for ((vendor, key), partner) in shared.all() {
            let Some(followed) = partner.follow(link, &visitor) else { continue };
            let target = format!("/mailbox/{id}/{}", if accepts { "accept" } else { "decline" });
            let call = Call::new("POST", &target, hyper::HeaderMap::new(), hyper::body::Bytes::new());
            let reply = Reply { status: 200, effects: followed.effects, ..Reply::default() };
            record_click(&shared.core, &format!("{vendor}/{key}"), &call, &reply);
            said.push(followed.message);
        }
    }
    if said.is_empty() {
        return Err(format!("mail {id} holds no link that a partner here knows: {}", mail.links.join(" ")));
    }
    shared.core.mailbox().choose(id, if accepts { Choice::Accepted } else { Choice::Declined });
    Ok(said.join("; "))
}
