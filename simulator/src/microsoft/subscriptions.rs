//! Subscriptions: their life in time, and the calls on them (list, get, PATCH, provisioning status).
//!
//! New-commerce and legacy ones differ: a new-commerce subscription is cancelled (`deleted`) within a window
//! and blocks a relationship's removal until then, a legacy one is suspended. Reservations, software and
//! marketplace purchases are kept for the same reason only. Never bought here by API: buying is a person's
//! click until carts are served.
//!
//! Invariants: a deleted or expired subscription never comes back; a PATCH that is refused changes nothing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::audit;
use super::calls::Desk;
use super::customers;
use super::errors::{self, Refused};
use super::state::Account;
use super::switches::{LateCancellation, LateReduction, NewCommerceEtag, SubscriptionPatch, Switches};
use super::wire;
use crate::Reply;

/// Seats can be given back, and a subscription cancelled, for so long after purchase or renewal.
pub const WINDOW_SECONDS: i64 = 7 * 24 * 3600;

/// A status that no document knows yet.
const UNKNOWN_STATUS: &str = "paused_by_vendor";

/// What was bought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Commerce {
    /// Licence-based new commerce.
    #[default]
    NewCommerce,
    /// The older licence programme.
    Legacy,
    /// Azure reservation or savings plan.
    Reservation,
    /// Perpetual software.
    Software,
    /// Third-party marketplace.
    Marketplace,
}

/// One subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Key of the partner that is billed for it.
    pub biller: String,
    /// What kind.
    pub commerce: Commerce,
    /// `product:sku:availability`, or a GUID for legacy ones.
    pub offer_id: String,
    /// Name of the offer.
    pub offer_name: String,
    /// Name that a person gave it.
    pub friendly_name: Option<String>,
    /// Seats.
    pub quantity: u64,
    /// `active`, `suspended`, `deleted`, `expired`.
    pub status: String,
    /// When it was bought.
    pub created: Timestamp,
    /// Start of the present term.
    pub term_start: Timestamp,
    /// Months in a term.
    pub term_months: i64,
    /// `monthly` or `annual`.
    pub billing_cycle: String,
    /// Whether it renews.
    pub auto_renew: bool,
    /// What is scheduled for the next term.
    pub scheduled: Option<Value>,
    /// Seats that were there before the last addition, and when that was.
    pub added: Option<(u64, Timestamp)>,
    /// Not provisioned before this.
    pub ready_at: Option<Timestamp>,
    /// The order that bought it.
    pub order_id: String,
    /// Counts changes.
    pub version: u64,
    /// A change that was accepted and shows later.
    pub coming: Option<(Timestamp, Box<Subscription>)>,
}

impl Subscription {
    /// End of the present term.
    pub fn term_end(&self) -> Timestamp {
        wire::midnight(wire::months_later(self.term_start, self.term_months))
    }

    /// Until when it can be cancelled.
    pub fn window_end(&self) -> Timestamp {
        wire::later(self.term_start, WINDOW_SECONDS)
    }

    /// Brings it to this instant: accepted changes, renewals, expiry.
    pub fn settle(&mut self, now: Timestamp) {
        if self.coming.as_ref().is_some_and(|(at, _)| *at <= now)
            && let Some((_, next)) = self.coming.take()
        {
            *self = *next;
        }
        while matches!(self.status.as_str(), "active" | "suspended") && self.term_end() <= now {
            self.version += 1;
            if !self.auto_renew {
                "expired".clone_into(&mut self.status);
                return;
            }
            self.term_start = self.term_end();
            self.added = None;
            if let Some(next) = self.scheduled.take()
                && let Some(quantity) = next.get("quantity").and_then(Value::as_u64)
            {
                self.quantity = quantity;
            }
        }
    }

    /// Why it keeps a relationship from being removed; `None` if it does not.
    ///
    /// Sources: remove a reseller relationship; remove a relationship (user page).
    pub fn blocks_detach(&self) -> Option<String> {
        let live = !matches!(self.status.as_str(), "deleted" | "expired");
        match self.commerce {
            Commerce::Legacy if self.status == "active" => Some("active subscriptions".to_owned()),
            Commerce::NewCommerce if live => Some("subscriptions that are not cancelled".to_owned()),
            Commerce::Reservation if live => Some("active Azure reserved instances".to_owned()),
            Commerce::Software if live => Some("active software purchases".to_owned()),
            Commerce::Marketplace if live => Some("active marketplace purchases".to_owned()),
            _ => None,
        }
    }

    fn etag(&self, switches: &Switches) -> Option<String> {
        match self.commerce {
            Commerce::Legacy => {
                Some(wire::base64(json!({"id": self.id, "version": self.version}).to_string().as_bytes()))
            }
            _ if switches.new_commerce_etag == NewCommerceEtag::Empty => Some(String::new()),
            _ => None,
        }
    }

    /// How many seats can go, and until when each part.
    fn refundable(&self, now: Timestamp) -> (u64, Vec<Value>) {
        let mut total = 0;
        let mut details = Vec::new();
        let mut part = |quantity: u64, until: Timestamp| {
            if until > now && quantity > 0 {
                total += quantity;
                details.push(json!({"quantity": quantity, "allowedUntilDateTime": until.to_string()}));
            }
        };
        let (before, added_at) = self.added.unwrap_or((self.quantity, self.term_start));
        part(before.min(self.quantity), self.window_end());
        part(self.quantity.saturating_sub(before), wire::later(added_at, WINDOW_SECONDS));
        (total, details)
    }

    /// The resource on the wire.
    pub fn resource(&self, customer: &str, switches: &Switches, now: Timestamp) -> Value {
        let uri = format!("/customers/{customer}/subscriptions/{}", self.id);
        let mut out = json!({
            "id": self.id,
            "offerId": self.offer_id,
            "offerName": self.offer_name,
            "quantity": self.quantity,
            "unitType": "Licenses",
            "creationDate": self.created.to_string(),
            "effectiveStartDate": self.term_start.to_string(),
            "commitmentEndDate": self.term_end().to_string(),
            "status": super::vocabulary(switches, &self.status, UNKNOWN_STATUS),
            "autoRenewEnabled": self.auto_renew,
            "isTrial": false,
            "billingType": "license",
            "billingCycle": self.billing_cycle,
            "termDuration": self.term_duration(),
            "renewalTermDuration": "",
            "isMicrosoftProduct": self.commerce != Commerce::Marketplace,
            "contractType": "subscription",
            "orderId": self.order_id,
            "attentionNeeded": false,
            "actionTaken": false,
            "links": {"self": wire::link(uri)},
            "attributes": wire::attributes("Subscription", self.etag(switches).as_deref()),
        });
        if let Some(name) = &self.friendly_name {
            out["friendlyName"] = json!(name);
        }
        if let Some(next) = &self.scheduled {
            out["scheduledNextTermInstructions"] = next.clone();
        }
        let product = match self.commerce {
            Commerce::NewCommerce => ("OnlineServicesNCE", "Online Services NCE"),
            Commerce::Legacy => return out,
            Commerce::Reservation => ("AzureReservation", "Azure Reservation"),
            Commerce::Software => ("Software", "Software"),
            Commerce::Marketplace => ("SaaS", "SaaS"),
        };
        out["productType"] = json!({"id": product.0, "displayName": product.1});
        if self.commerce == Commerce::NewCommerce {
            let (total, details) = self.refundable(now);
            out["cancellationAllowedUntilDate"] = json!(self.window_end().to_string());
            out["refundableQuantity"] = json!({"totalQuantity": total, "details": details});
        }
        out
    }

    fn term_duration(&self) -> String {
        if self.term_months % 12 == 0 {
            format!("P{}Y", self.term_months / 12)
        } else {
            format!("P{}M", self.term_months)
        }
    }

    /// Applies the full resource of a PATCH. Nothing changes on a refusal.
    pub fn change(&mut self, wanted: &Value, now: Timestamp, switches: &Switches) -> Result<(), Refused> {
        let mut next = self.clone();
        if matches!(self.status.as_str(), "deleted" | "expired") {
            return Err(errors::SUBSCRIPTION_DELETED.plain().about(&self.id));
        }
        if self.ready_at.is_some_and(|at| at > now) {
            return Err(errors::NOT_READY.plain().about(&self.id));
        }
        if wire::text(wanted, &["id"]).is_some_and(|id| !id.eq_ignore_ascii_case(&self.id))
            || wire::text(wanted, &["offerId"]).is_some_and(|offer| offer != self.offer_id)
        {
            return Err(errors::INVALID_PROPERTY.says("The subscription's id and offer cannot be changed."));
        }
        let mut status = wire::text(wanted, &["status"]).unwrap_or(&self.status).to_lowercase();
        if status == super::vocabulary(switches, &self.status, UNKNOWN_STATUS) {
            status.clone_from(&self.status);
        }
        if let Some(quantity) = wanted.get("quantity") {
            let quantity =
                quantity.as_u64().filter(|q| (1..=300).contains(q)).ok_or(errors::QUANTITY_BOUNDS)?;
            next.set_quantity(quantity, now, switches)?;
        }
        if status != self.status {
            next.set_status(&status, now, switches)?;
        }
        // Omitting these means false and nothing (update a subscription by id).
        next.auto_renew = wanted.get("autoRenewEnabled").and_then(Value::as_bool).unwrap_or(false);
        next.scheduled = wanted.get("scheduledNextTermInstructions").filter(|v| v.is_object()).cloned();
        if next.scheduled.is_some() {
            if self.status == "suspended" {
                return Err(errors::SUBSCRIPTION_SUSPENDED.plain());
            }
            if !next.auto_renew {
                return Err(errors::NOT_RENEWABLE.plain());
            }
        }
        if next.quantity != self.quantity {
            // A change in mid-term drops what was scheduled (same page).
            next.scheduled = None;
        }
        if let Some(name) = wire::text(wanted, &["friendlyName"]) {
            next.friendly_name = Some(name.to_owned());
        }
        next.version += 1;
        *self = next;
        Ok(())
    }

    fn set_quantity(&mut self, quantity: u64, now: Timestamp, switches: &Switches) -> Result<(), Refused> {
        if quantity == self.quantity {
            return Ok(());
        }
        if self.status == "suspended" {
            return Err(errors::QUANTITY_SUSPENDED.plain());
        }
        if quantity > self.quantity {
            self.added = Some((self.quantity, now));
        } else if self.commerce == Commerce::NewCommerce && self.quantity - quantity > self.refundable(now).0
        {
            return Err(match switches.late_reduction {
                LateReduction::Decrease => errors::QUANTITY_DECREASE,
                LateReduction::Days => errors::REDUCTION_WINDOW_DAYS,
                LateReduction::Hours => errors::REDUCTION_WINDOW_HOURS,
            }
            .plain());
        }
        self.quantity = quantity;
        Ok(())
    }

    fn set_status(&mut self, status: &str, now: Timestamp, switches: &Switches) -> Result<(), Refused> {
        let fixed = Err(errors::STATUS_FIXED.plain());
        match (self.status.as_str(), status) {
            (_, "deleted") if self.commerce == Commerce::Legacy => return fixed,
            (_, "deleted") if self.window_end() <= now => {
                return Err(match switches.late_cancellation {
                    LateCancellation::Days => errors::CANCELLATION_WINDOW_DAYS,
                    LateCancellation::Hours => errors::CANCELLATION_WINDOW_HOURS,
                    LateCancellation::Status => errors::STATUS_FIXED,
                }
                .plain());
            }
            (_, "deleted") | ("active", "suspended") | ("suspended", "active") => {}
            _ => return fixed,
        }
        status.clone_into(&mut self.status);
        Ok(())
    }
}

/// Whether an account sees a subscription: the biller, and the reseller that the customer has.
fn visible(account: &Account, reseller: Option<&str>, subscription: &Subscription) -> bool {
    subscription.biller == account.key || reseller.is_some_and(|r| r.eq_ignore_ascii_case(&account.tenant_id))
}

/// `GET /v1/customers/{id}/subscriptions[?order_id=]`.
pub(super) fn list(desk: &mut Desk<'_>, customer: &str) -> Result<Reply, Refused> {
    customers::ours(desk, customer)?;
    let now = desk.now;
    let order = desk.call.query_any_case("order_id").map(str::to_owned);
    let (account, tenant) = desk.account_and_tenant(customer)?;
    let reseller = tenant.reseller.clone();
    let items: Vec<Value> = tenant
        .subscriptions
        .iter_mut()
        .filter(|s| visible(account, reseller.as_deref(), s))
        .filter(|s| order.as_ref().is_none_or(|o| *o == s.order_id))
        .map(|s| {
            s.settle(now);
            s.resource(customer, &account.switches, now)
        })
        .collect();
    Ok(Reply::json(200, &wire::collection(&items, &format!("/customers/{customer}/subscriptions"))))
}

fn one<'a>(
    desk: &'a mut Desk<'_>,
    customer: &str,
    id: &str,
) -> Result<(&'a mut Account, &'a mut Subscription), Refused> {
    customers::ours(desk, customer)?;
    let now = desk.now;
    let (account, tenant) = desk.account_and_tenant(customer)?;
    let reseller = tenant.reseller.clone();
    let found = tenant
        .subscriptions
        .iter_mut()
        .find(|s| s.id.eq_ignore_ascii_case(id) && visible(account, reseller.as_deref(), s));
    let found = found.ok_or_else(|| errors::UNKNOWN_SUBSCRIPTION.plain().about(id))?;
    found.settle(now);
    Ok((account, found))
}

/// `GET /v1/customers/{id}/subscriptions/{sid}`.
pub(super) fn get(desk: &mut Desk<'_>, customer: &str, id: &str) -> Result<Reply, Refused> {
    let now = desk.now;
    let (account, subscription) = one(desk, customer, id)?;
    Ok(Reply::json(200, &subscription.resource(customer, &account.switches, now)))
}

/// `PATCH /v1/customers/{id}/subscriptions/{sid}`: the full resource.
pub(super) fn patch(desk: &mut Desk<'_>, customer: &str, id: &str) -> Result<Reply, Refused> {
    let (now, call) = (desk.now, desk.call);
    let wanted = wire::body(call).ok_or(errors::INVALID_INPUT)?;
    let (account, subscription) = one(desk, customer, id)?;
    let switches = account.switches;
    if let Some(sent) = call.header("If-Match").map(|v| v.trim().trim_matches('"'))
        && !sent.is_empty()
        && subscription.commerce == Commerce::Legacy
        && Some(sent) != subscription.etag(&switches).as_deref()
    {
        return Err(errors::stale(&switches));
    }
    let old = subscription.resource(customer, &switches, now);
    let mut next = subscription.clone();
    next.coming = None;
    next.change(&wanted, now, &switches)?;
    let new = next.resource(customer, &switches, now);
    let sid = subscription.id.clone();
    let late = switches.subscription_patch == SubscriptionPatch::AcceptedLate;
    if late {
        subscription.coming = Some((wire::later(now, 60), Box::new(next)));
    } else {
        *subscription = next;
    }
    audit::record(desk, customer, "subscription", "update_subscription", Some(&old), Some(&new));
    let reply = if switches.subscription_patch == SubscriptionPatch::Done {
        desk.patched(new)
    } else {
        Reply::empty(202).header("Location", format!("/customers/{customer}/subscriptions/{sid}"))
    };
    Ok(reply.effect("subscription-updated", sid))
}

/// `GET /v1/customers/{id}/subscriptions/{sid}/provisioningstatus`.
pub(super) fn provisioning(desk: &mut Desk<'_>, customer: &str, id: &str) -> Result<Reply, Refused> {
    let now = desk.now;
    let (_, subscription) = one(desk, customer, id)?;
    let ready = subscription.ready_at.is_none_or(|at| at <= now);
    let body = json!({
        "skuId": subscription.offer_id,
        "status": if ready { "success" } else { "pending" },
        "quantity": subscription.quantity,
        "endDate": subscription.term_end().to_string(),
        "attributes": wire::attributes("SubscriptionProvisioningStatus", None),
    });
    Ok(Reply::json(200, &body))
}
