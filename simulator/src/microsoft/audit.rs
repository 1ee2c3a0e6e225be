//! The audit log: what was done to customers, by calls and by people, and its list.
//!
//! Append only; nothing else reads it. Old and new values are text that holds PascalCase JSON, as on the wire.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::auth::Caller;
use super::calls::Desk;
use super::errors::{self, Refused};
use super::wire;
use crate::Reply;

/// How far back records can be asked for.
const MAX_DAYS: i64 = 90;
const DEFAULT_DAYS: i64 = 30;
const DAY: i64 = 24 * 3600;

/// One record.
#[derive(Clone, Debug)]
pub struct AuditRecord {
    /// Its id.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Customer's tenant id.
    pub customer: String,
    /// Customer's name then.
    pub customer_name: String,
    /// User, or the application's id for an app-only call.
    pub actor: Result<String, String>,
    /// `customer`, `subscription`, …
    pub resource: &'static str,
    /// `add_customer`, …
    pub operation: &'static str,
    /// PascalCase JSON as text.
    pub old: Option<String>,
    /// PascalCase JSON as text.
    pub new: Option<String>,
    /// The caller's MS-CorrelationId.
    pub correlation: Option<String>,
}

/// Adds a record of what the desk's caller did.
pub(super) fn record(
    desk: &mut Desk<'_>,
    customer: &str,
    resource: &'static str,
    operation: &'static str,
    old: Option<&Value>,
    new: Option<&Value>,
) {
    let correlation = desk.call.header("MS-CorrelationId").map(str::to_owned);
    let customer_name = desk.cloud.tenants.get(customer).map(|t| t.company_name.clone()).unwrap_or_default();
    let (at, caller) = (desk.now, desk.caller);
    let account = desk.account_mut();
    let actor = match caller {
        Caller::User => Ok(format!("admin@{}", account.domain)),
        Caller::App => Err(account.client_id.clone()),
    };
    let spelled = |v: Option<&Value>| v.map(|v| wire::pascal(v.clone()).to_string());
    let (old, new) = (spelled(old), spelled(new));
    let number = account.id();
    let id = format!("{}_{number}", account.tenant_id);
    let customer = customer.to_owned();
    account.audit.push(AuditRecord {
        id,
        at,
        customer,
        customer_name,
        actor,
        resource,
        operation,
        old,
        new,
        correlation,
    });
}

fn wire_record(record: &AuditRecord, partner: &str) -> Value {
    let mut out = json!({
        "id": record.id,
        "partnerId": partner,
        "participants": [],
        "customerId": record.customer,
        "customerName": record.customer_name,
        "resourceType": record.resource,
        "operationType": record.operation,
        "operationDate": record.at.to_string(),
        "operationStatus": "succeeded",
        "customizedData": [],
        "attributes": wire::attributes("AuditRecord", None),
    });
    match &record.actor {
        Ok(user) => out["userPrincipalName"] = json!(user),
        Err(app) => out["applicationId"] = json!(app),
    }
    for (name, value) in [
        ("resourceOldValue", &record.old),
        ("resourceNewValue", &record.new),
        ("originalCorrelationId", &record.correlation),
    ] {
        if let Some(value) = value {
            out[name] = json!(value);
        }
    }
    out
}

fn day(desk: &Desk<'_>, name: &str) -> Result<Option<Timestamp>, Refused> {
    let Some(text) = desk.call.query_any_case(name) else { return Ok(None) };
    let refused = |_| errors::BAD_PARAMETER.says(format!("The parameter {name} must be a date, yyyy-mm-dd."));
    let date: Date = text.get(..10).unwrap_or(text).parse().map_err(refused)?;
    Ok(Some(date.to_zoned(TimeZone::UTC).map_err(refused)?.timestamp()))
}

/// `GET /v1/auditrecords?startDate=[&endDate][&size][&filter]`, and its further pages.
pub(super) fn list(desk: &mut Desk<'_>) -> Result<Reply, Refused> {
    let now = desk.now;
    let start =
        day(desk, "startDate")?.unwrap_or_else(|| wire::midnight(wire::later(now, -DEFAULT_DAYS * DAY)));
    if start < wire::midnight(wire::later(now, -MAX_DAYS * DAY)) {
        return Err(errors::BAD_PARAMETER.says("startDate must be within the last 90 days."));
    }
    let end = day(desk, "endDate")?.map_or(now, |d| wire::later(d, DAY - 1));
    let size = match desk.call.query_any_case("size").map(str::parse::<usize>) {
        None => 500,
        Some(Ok(size)) if (1..=500).contains(&size) => size,
        Some(_) => return Err(errors::BAD_PARAMETER.says("The parameter size must be between 1 and 500.")),
    };
    let filter = Filter::parse(desk.call.query_any_case("filter"))?;
    let skip =
        match desk.call.header("MS-ContinuationToken") {
            None => 0,
            Some(token) => wire::unbase64(token)
                .and_then(|b| String::from_utf8(b).ok()?.parse::<usize>().ok())
                .ok_or_else(|| errors::BAD_PARAMETER.says("The header MS-ContinuationToken is not valid."))?,
        };
    let account = desk.account();
    let mut matching = account
        .audit
        .iter()
        .enumerate()
        .skip(skip)
        .filter(|(_, r)| r.at >= start && r.at <= end && filter.as_ref().is_none_or(|f| f.admits(r)));
    let page: Vec<(usize, &AuditRecord)> = matching.by_ref().take(size).collect();
    let more = matching.next().is_some();
    let items: Vec<Value> = page.iter().map(|(_, r)| wire_record(r, &account.tenant_id)).collect();
    let mut body = wire::collection(&items, "/auditrecords");
    if let Some((last, _)) = page.last().filter(|_| more) {
        let token = wire::base64((last + 1).to_string().as_bytes());
        let query = format!("/auditrecords?startDate={}&size={size}", start.strftime("%Y-%m-%d"));
        let headers = json!([{"key": "MS-ContinuationToken", "value": token}]);
        body["links"]["next"] = json!({"uri": query, "method": "GET", "headers": headers});
        body["continuationToken"] = json!(token);
    }
    Ok(Reply::json(200, &body))
}

struct Filter {
    field: String,
    value: String,
    whole: bool,
}

impl Filter {
    fn parse(text: Option<&str>) -> Result<Option<Self>, Refused> {
        let Some(text) = text else { return Ok(None) };
        let refused = || errors::BAD_PARAMETER.says("The filter is not valid.");
        let filter = wire::camel(serde_json::from_str(text).map_err(|_| refused())?);
        let member = |name: &str| wire::text(&filter, &[name]).map(str::to_lowercase).ok_or_else(refused);
        let (field, value) = (member("field")?, member("value")?);
        let whole = match member("operator")?.as_str() {
            "equals" => true,
            "substring" => false,
            _ => return Err(refused()),
        };
        if !["customerid", "companyname", "resourcetype"].contains(&field.as_str()) {
            return Err(refused());
        }
        Ok(Some(Self { field, value, whole }))
    }

    fn admits(&self, record: &AuditRecord) -> bool {
        let text = match self.field.as_str() {
            "customerid" => &record.customer,
            "companyname" => &record.customer_name,
            _ => record.resource,
        }
        .to_lowercase();
        if self.whole { text == self.value } else { text.contains(&self.value) }
    }
}
