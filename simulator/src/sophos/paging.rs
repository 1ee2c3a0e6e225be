//! Pages by number and pages by key, and `fields=` (Sophos Postman collection: every list call).

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::errors::Failure;
use super::switches::{LargePageSize, PageTotals, PastTheEnd, Switches};
use crate::Call;

/// Largest page of the lists by number, as every sample of the vendor shows it.
pub(crate) const MAX_PAGE: usize = 100;
/// Largest page of the lists by key (unproven; clients use it).
pub(crate) const MAX_KEY_PAGE: usize = 1000;
const DEFAULT_PAGE: usize = 50;

/// Booleans have no case; the last of several counts.
pub(crate) fn boolean(call: &Call, name: &str) -> Result<bool, Failure> {
    match call.query(name) {
        None | Some("") => Ok(false),
        Some(v) if v.eq_ignore_ascii_case("true") => Ok(true),
        Some(v) if v.eq_ignore_ascii_case("false") => Ok(false),
        Some(_) => Err(Failure::bad(format!("{name} is true or false"))),
    }
}

fn number(call: &Call, name: &str, default: usize) -> Result<usize, Failure> {
    match call.query(name) {
        None | Some("") => Ok(default),
        Some(v) => v
            .parse::<usize>()
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| Failure::bad(format!("{name} is a number from 1"))),
    }
}

fn size(call: &Call, switches: &Switches, max: usize) -> Result<usize, Failure> {
    let asked = number(call, "pageSize", DEFAULT_PAGE)?;
    match switches.large_page_size {
        LargePageSize::BadRequest if asked > max => Err(Failure::bad(format!("pageSize is at most {max}"))),
        _ => Ok(asked.min(max)),
    }
}

/// Whether the answer tells totals.
fn totals(call: &Call, switches: &Switches) -> Result<bool, Failure> {
    Ok(boolean(call, "pageTotal")? && switches.page_totals == PageTotals::Asked)
}

/// A page by number, as asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) current: usize,
    pub(crate) size: usize,
    total: bool,
}

/// The `pages` object of a page by number.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pages {
    current: usize,
    size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<usize>,
    max_size: usize,
}

impl Page {
    /// Reads `page`, `pageSize`, `pageTotal`.
    pub(crate) fn read(call: &Call, switches: &Switches) -> Result<Self, Failure> {
        Ok(Self {
            current: number(call, "page", 1)?,
            size: size(call, switches, MAX_PAGE)?,
            total: totals(call, switches)?,
        })
    }

    /// Where the page starts.
    pub(crate) fn offset(&self) -> usize {
        (self.current - 1).saturating_mul(self.size)
    }

    /// The `pages` object, or what a page past the end gives.
    pub(crate) fn pages(&self, items: usize, switches: &Switches) -> Result<Pages, Failure> {
        if self.current > 1 && self.offset() >= items {
            match switches.past_the_end {
                PastTheEnd::Empty => {}
                PastTheEnd::NotFound => return Err(Failure::NOT_FOUND),
                PastTheEnd::BadRequest => return Err(Failure::bad("page is past the end")),
            }
        }
        Ok(Pages {
            current: self.current,
            size: self.size,
            total: self.total.then(|| items.div_ceil(self.size)),
            items: self.total.then_some(items),
            max_size: MAX_PAGE,
        })
    }
}

/// One page by key of a slice, with its `pages` object.
pub(crate) fn by_key<'a, T>(
    call: &Call,
    switches: &Switches,
    all: &'a [T],
) -> Result<(&'a [T], Value), Failure> {
    let size = size(call, switches, MAX_KEY_PAGE)?;
    let from = call.query("pageFromKey").filter(|k| !k.is_empty());
    let start = match from {
        None => 0,
        Some(key) => key
            .strip_prefix("key-")
            .and_then(|n| n.parse::<usize>().ok())
            .filter(|n| *n <= all.len())
            .ok_or_else(|| Failure::bad("pageFromKey is not a key that this list gave"))?,
    };
    let end = start.saturating_add(size).min(all.len());
    let mut pages = json!({"size": size, "maxSize": MAX_KEY_PAGE});
    if let Some(from) = from {
        pages["fromKey"] = Value::from(from);
    }
    if end < all.len() {
        pages["nextKey"] = Value::from(format!("key-{end}"));
    }
    if totals(call, switches)? {
        pages["total"] = Value::from(all.len().div_ceil(size));
        pages["items"] = Value::from(all.len());
    }
    Ok((&all[start..end], pages))
}

/// Cuts an object down to the fields asked for; without `fields` it stays whole.
pub(crate) fn partial(call: &Call, object: &impl Serialize) -> Value {
    let value = serde_json::to_value(object).expect("an answer is plain data");
    let Some(fields) = call.query("fields").filter(|f| !f.is_empty()) else { return value };
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter().filter(|(k, _)| fields.split(',').any(|f| f.trim() == k)).collect::<Map<_, _>>(),
        ),
        other => other,
    }
}
