//! Billing usage by month, in pages by key (Sophos Postman collection, billing usage).
//!
//! Lines are kept small and spelled out when asked for. A month without data is 404, as documented.

use serde_json::{Value, json};

use super::errors::Failure;
use super::paging::{by_key, partial};
use super::state::State;
use crate::{Call, Reply};

/// One line of one month.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// The tenant's position; lines of devices have none.
    pub(crate) tenant: Option<u32>,
    pub(crate) product: super::state::Text,
    pub(crate) billable: u32,
    pub(crate) actual: u32,
    /// The whole order line's net price, in cents.
    pub(crate) net_cents: u64,
}

/// `GET /partner/v1/billing/usage/{year}/{month}`.
pub(crate) fn usage(state: &State, call: &Call, year: &str, month: &str) -> Result<Reply, Failure> {
    let year: i16 =
        year.parse().ok().filter(|y| (2000..=9999).contains(y)).ok_or_else(|| Failure::bad("year"))?;
    let month: i8 = month
        .parse()
        .ok()
        .filter(|m| (1..=12).contains(m))
        .ok_or_else(|| Failure::bad("month is 1 to 12"))?;
    let lines = state.billing.get(&(year, month)).filter(|l| !l.is_empty()).ok_or(Failure::NOT_FOUND)?;
    let accounts = wanted(call, "accountId");
    let mails = wanted(call, "contactEmail");
    let filtered: Vec<&Line> = lines.iter().filter(|l| admits(state, l, &accounts, &mails)).collect();
    let (shown, pages) = by_key(call, &state.switches, &filtered)?;
    let items: Vec<Value> =
        shown.iter().enumerate().map(|(n, line)| partial(call, &item(state, line, n, year, month))).collect();
    Ok(Reply::json(200, &json!({"items": items, "pages": pages})))
}

fn wanted<'a>(call: &'a Call, name: &'a str) -> Vec<&'a str> {
    call.query_all(name).flat_map(|v| v.split(',')).map(str::trim).filter(|v| !v.is_empty()).collect()
}

fn admits(state: &State, line: &Line, accounts: &[&str], mails: &[&str]) -> bool {
    if accounts.is_empty() && mails.is_empty() {
        return true;
    }
    let tenant = line.tenant.map(|at| &state.tenants[at as usize]);
    let id = tenant.map(|t| t.id.to_string());
    let mail = tenant.and_then(|t| t.contact.as_ref()).and_then(|c| c.email.as_deref());
    (accounts.is_empty() || id.is_some_and(|id| accounts.iter().any(|a| a.eq_ignore_ascii_case(&id))))
        && (mails.is_empty() || mail.is_some_and(|m| mails.iter().any(|w| w.eq_ignore_ascii_case(m))))
}

fn item(state: &State, line: &Line, number: usize, year: i16, month: i8) -> Value {
    let first = jiff::civil::date(year, month, 1);
    let price = format!("{}.{:02}", line.net_cents / 100, line.net_cents % 100);
    let mut item = json!({
        "partnerAccountId": state.spell(state.partner_id),
        "partnerEdiAccountNumber": "1000200030",
        "partnerAccountName": state.key,
        "billingStartDate": first,
        "billingEndDate": first.last_of_month(),
        "orderNumber": format!("7{year}{month:02}"),
        "orderLineItemNumber": format!("{:06}", (number + 1) * 10),
        "accountNumberOrSerialNumber": "",
        "productDescription": format!("{} monthly", line.product),
        "productGroup": if line.product.starts_with("SVR") { "Server" } else { "User" },
        "sku": format!("{}-M", line.product),
        "billableQuantity": line.billable,
        "externalId": "",
        "accountStatus": "active",
        "actualQuantity": line.actual,
        "productCode": line.product,
        "netPrice": price,
        "netPriceCurrency": "EUR",
    });
    if let Some(at) = line.tenant {
        let tenant = &state.tenants[at as usize];
        item["accountId"] = Value::from(state.spell(tenant.id));
        item["accountNumberOrSerialNumber"] = Value::from(tenant.id.simple().to_string());
        item["assignedAccountIdentifier"] = Value::from(tenant.display_name());
        item["externalId"] = Value::from(tenant.external_ids.first().map_or("", |e| e.as_ref()));
        let canceled = if tenant.unlinked { "canceled" } else { &tenant.status };
        item["accountStatus"] = Value::from(canceled);
        if let Some(contact) = &tenant.contact {
            item["contactName"] = Value::from(format!("{} {}", contact.first_name, contact.last_name));
            item["contactEmail"] = Value::from(contact.email.as_deref());
            item["contactCity"] = Value::from(&*contact.city);
            item["contactCountry"] = Value::from(&*contact.country_code);
        }
    }
    item
}
