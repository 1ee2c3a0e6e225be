//! Subscriptions as licence records, and what of them stands in the way of removing a relationship.
//!
//! Facts (Partner Center REST, "Subscription resources", "Remove a reseller relationship"): new-commerce
//! subscriptions must be cancelled, which their window alone allows; suspended ones keep billing and keep blocking.
//! Legacy subscriptions need only be suspended. An unknown status counts as in force and as a blocker: nothing is
//! bought beside it, and nothing ends over it.

use jiff::Timestamp;
use serde_json::Value as Json;
use tenantry_crd::license::LicenseType;
use tenantry_engine::address::RemoteId;
use tenantry_engine::console::LicenseProjection;
use tenantry_engine::desired::LicenseDecl;
use tenantry_engine::observed::{Blocker, LicenseRecord};
use tenantry_engine::plan::findings::{Code, Finding};
use tenantry_engine::text::{Untrusted, terminal};
use tenantry_engine::value::{Field, Value};

use super::json;

const QUANTITY: &str = "quantity";
const AUTO_RENEW: &str = "autoRenew";
const RENEWAL_QUANTITY: &str = "renewal.quantity";

/// The article of an offer: `productId:skuId` of a catalogue item (`CFQ7TTC0LH18:0001:CFQ7TTC0K971`), because the last
/// part rotates; a legacy offer id as it is.
fn article(offer: &str) -> &str {
    match offer.match_indices(':').nth(1) {
        Some((end, _)) => &offer[..end],
        None => offer,
    }
}

/// Whether it was bought in the new commerce, by its product type or by the shape of its offer.
fn new_commerce(subscription: &Json, offer: &str) -> bool {
    json::text(subscription, &["productType", "id"])
        .is_some_and(|id| id.eq_ignore_ascii_case("OnlineServicesNCE"))
        || offer.contains(':')
}

/// Whether Microsoft documents this status ("Subscription resources"); lower case.
pub(super) fn known_status(status: &str) -> bool {
    matches!(status, "none" | "active" | "pending" | "suspended" | "expired" | "deleted" | "disabled")
}

/// One subscription; `None` where it has no id, and so could not be named again.
pub(super) fn record(subscription: &Json, now: Timestamp) -> Option<LicenseRecord> {
    let id = json::text(subscription, &["id"])?.to_lowercase();
    let offer = json::text(subscription, &["offerId"]).unwrap_or_default();
    let status = json::text(subscription, &["status"]).unwrap_or_default().to_lowercase();
    let mut fields = Vec::new();
    if let Some(quantity) = json::number(subscription, &["quantity"]) {
        fields.push((Field::of(QUANTITY), Value::Number(quantity)));
    }
    if let Some(renews) = json::flag(subscription, &["autoRenewEnabled"]) {
        fields.push((Field::of(AUTO_RENEW), Value::Bool(renews)));
    }
    let next = json::number(subscription, &["scheduledNextTermInstructions", "quantity"])
        .or_else(|| json::number(subscription, &["quantity"]));
    if let Some(next) = next {
        fields.push((Field::of(RENEWAL_QUANTITY), Value::Number(next)));
    }
    if let Some(trial) = json::flag(subscription, &["isTrial"]) {
        fields.push((Field::of("type"), Value::text(if trial { "trial" } else { "paid" })));
    }
    Some(LicenseRecord {
        id: RemoteId::from(id),
        article: Untrusted::new(article(offer)),
        in_force: !matches!(status.as_str(), "expired" | "deleted" | "disabled" | "none"),
        status: Untrusted::new(status.as_str()),
        blocks_end: blocker(subscription, offer, &status, now),
        fields,
    })
}

fn blocker(subscription: &Json, offer: &str, status: &str, now: Timestamp) -> Option<Blocker> {
    if matches!(status, "deleted" | "expired" | "none") {
        return None;
    }
    let name = json::text(subscription, &["friendlyName"])
        .or_else(|| json::text(subscription, &["offerName"]))
        .unwrap_or(offer);
    let seats =
        json::number(subscription, &["quantity"]).map(|seats| format!(" ({seats})")).unwrap_or_default();
    let what = format!("subscription {}{seats} is {}", terminal(name), terminal(status));
    if !new_commerce(subscription, offer) {
        if matches!(status, "suspended" | "disabled") {
            return None;
        }
        return Some(Blocker { words: format!("{what}: suspend it first"), until: None });
    }
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let window = json::moment(subscription, &["cancellationAllowedUntilDate"]);
    let end = json::moment(subscription, &["commitmentEndDate"]).filter(|end| *end > now);
    let how = match window {
        Some(until) if until > now => format!("it can be cancelled until {}", day(until)),
        Some(until) => format!("cancelling was possible until {}", day(until)),
        None => "it must be cancelled first".to_owned(),
    };
    let renews = if end.is_some() && json::flag(subscription, &["autoRenewEnabled"]) == Some(true) {
        "; it renews by itself unless automatic renewal is switched off"
    } else {
        ""
    };
    Some(Blocker { words: format!("{what}: {how}{renews}"), until: end })
}

/// A declared licence in Microsoft's terms.
pub(super) fn project(decl: &LicenseDecl<'_>) -> LicenseProjection {
    let mut refused = Vec::new();
    let product = decl.product.and_then(|product| product.microsoft.as_ref());
    if product.is_none() {
        refused.push(
            Finding::new(Code::MissingField, "its Product has no article at Microsoft")
                .field("spec.productRef")
                .next("give the Product a microsoft block with productId, skuId, term and billingCycle"),
        );
    }
    if decl.spec.type_ == LicenseType::Msp {
        refused.push(
            Finding::new(Code::NotThere, "Microsoft knows no licence of ours that covers a customer")
                .field("spec.type")
                .next("declare it as Paid, Trial or Usage"),
        );
    }
    let mut fields = Vec::new();
    if let Some(quantity) = decl.spec.quantity {
        fields.push((Field::of(QUANTITY), Value::Number(i64::from(quantity))));
    }
    if decl.spec.type_ == LicenseType::Paid {
        fields.push((Field::of("type"), Value::text("paid")));
    }
    if let Some(renewal) = &decl.spec.renewal {
        if let Some(renews) = renewal.auto_renew {
            fields.push((Field::of(AUTO_RENEW), Value::Bool(renews)));
        }
        if let Some(quantity) = renewal.quantity {
            fields.push((Field::of(RENEWAL_QUANTITY), Value::Number(i64::from(quantity))));
        }
        if renewal.product_ref.is_some() {
            refused.push(
                Finding::new(
                    Code::NotSupportedYet,
                    "Partner Center can renew as another product, this version of tenantry cannot",
                )
                .field("spec.renewal.productRef")
                .next("leave renewal.productRef out and schedule it in Partner Center"),
            );
        }
    }
    LicenseProjection {
        article: product
            .map(|product| format!("{}:{}", product.product_id, product.sku_id))
            .unwrap_or_default(),
        fields,
        refused,
    }
}

#[cfg(test)]
mod tests;
