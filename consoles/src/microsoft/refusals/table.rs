//! The documented refusals, one line each: status, the vendor's code, our code, our words, what to do.
//!
//! Source: Partner Center REST, "Error codes", "Verify an indirect reseller's agreement status", "Cart resources";
//! observations in Partner-Center-PowerShell#49, #51, #75. No two rows of one group share status and vendor's code.

use super::About;

/// One documented refusal.
pub(super) struct Known {
    pub about: About,
    /// HTTP status; 0 = any (a part of an answer, or not documented).
    pub status: u16,
    pub vendor: i64,
    pub code: &'static str,
    pub words: &'static str,
    pub hint: &'static str,
    /// Whether the vendor's own sentence says more and is shown too.
    pub says_more: bool,
}

const fn known(
    status: u16,
    vendor: i64,
    code: &'static str,
    words: &'static str,
    hint: &'static str,
) -> Known {
    Known { about: About::Any, status, vendor, code, words, hint, says_more: false }
}

const fn vague(
    status: u16,
    vendor: i64,
    code: &'static str,
    words: &'static str,
    hint: &'static str,
) -> Known {
    Known { about: About::Any, status, vendor, code, words, hint, says_more: true }
}

const fn agreement(vendor: i64, code: &'static str, words: &'static str) -> Known {
    Known {
        about: About::Agreement,
        status: 400,
        vendor,
        code,
        words,
        hint: "see Partner Center › Agreements",
        says_more: false,
    }
}

const fn cart(vendor: i64, code: &'static str, words: &'static str, hint: &'static str) -> Known {
    Known { about: About::Cart, status: 0, vendor, code, words, hint, says_more: true }
}

pub(super) const CREDENTIAL: &str =
    "check the credential, and grant the application its permissions in Partner Center again";
const ROLE: &str = "give the user the role Admin agent in Partner Center";
pub(super) const LATER: &str = "run again later";
const WINDOW: &str = "schedule it for the renewal: renewal.quantity, or renewal.autoRenew: false";
pub(super) const REREAD: &str = "somebody changed it meanwhile: run again, and look at the new plan";

/// The table.
#[rustfmt::skip]
pub(super) const KNOWN: &[Known] = &[
    // Parameters.
    vague(400, 2000, "bad-parameter", "Microsoft does not accept a parameter", ""),
    vague(400, 800_002, "invalid-input", "Microsoft does not accept the input", "correct what it names"),
    known(400, 900_118, "invalid-customer-id", "the customer id is no tenant id", "correct accounts[].id"),
    vague(400, 3000, "invalid-property", "Microsoft does not accept a property", "correct what it names"),
    known(404, 3000, "unknown-mpn-id", "no partner has this MPN id", "correct mpnId"),
    known(404, 1000, "not-found", "Microsoft does not find it", ""),
    known(400, 2055, "stale-version", "it was changed meanwhile (its etag is no longer valid)", REREAD),
    known(412, 2055, "stale-version", "it was changed meanwhile (its etag is no longer valid)", REREAD),
    known(417, 800_036, "stale-version", "it was changed meanwhile (its etag is no longer valid)", REREAD),
    // Authentication and roles.
    known(401, 400, "access-denied", "Microsoft does not accept the token", CREDENTIAL),
    known(401, 800_001, "token-missing", "Microsoft saw no token", CREDENTIAL),
    known(401, 900_420, "audience-retired", "the token is for an audience that Microsoft has retired", CREDENTIAL),
    known(403, 2032, "access-denied", "the credential may not do this", ROLE),
    known(403, 900_150, "role-lacks-rights", "the user's role may not do this", ROLE),
    known(403, 900_308, "insufficient-privileges", "the user lacks privileges", ROLE),
    known(403, 900_309, "conditional-access", "Conditional Access blocks the user", "allow the user and this machine in Conditional Access"),
    known(403, 900_329, "app-only-refused", "this needs a user behind the application", "add a refreshToken (Secure Application Model) to the credential"),
    known(403, 800_039, "program-not-active", "the partner account is not active in the programme", "look at Account settings in Partner Center"),
    known(403, 1002, "position-refused", "Microsoft refuses this to our position", "compare Console.microsoft.partner with your enrolment; for indirect resellers it is the provider's work"),
    // Customers.
    known(400, 27_002, "notification-email-invalid", "the contact's e-mail address is not accepted", "correct the contact; a failed creation may have reserved the domain already"),
    known(403, 600_006, "not-allowed", "Microsoft does not allow it", "look for the reason in Partner Center; at creation the domain may be taken"),
    known(400, 600_002, "registration-number-unsupported", "this country takes no registration number", "leave company.registrationNumber out"),
    known(400, 600_049, "registration-number-missing", "this country wants a registration number", "write company.registrationNumber"),
    known(400, 600_050, "registration-number-malformed", "the registration number is not written as this country does", "correct company.registrationNumber"),
    known(400, 600_051, "phone-missing", "this country wants a phone number", "write the contact's phone"),
    known(403, 20_002, "no-relationship", "we have no relationship with this customer", "invite the customer, or correct accounts[].id"),
    known(404, 60_003, "tenant-not-found", "no Microsoft tenant has this id", "correct accounts[].id"),
    known(404, 60_002, "user-not-found", "the tenant has no such user", ""),
    known(403, 800_073, "customer-under-review", "Microsoft is reviewing the customer", LATER),
    known(403, 800_074, "customer-not-approved", "Microsoft did not approve the customer", "ask Partner Center support"),
    known(403, 800_075, "customer-not-approved", "Microsoft did not approve the customer", "ask Partner Center support"),
    vague(400, 2007, "address-invalid", "Microsoft does not know the address", "correct company.address"),
    // Subscriptions.
    known(404, 20_003, "subscription-not-found", "the customer has no such subscription", "correct License.id"),
    known(400, 2001, "suspended", "the quantity cannot change while the subscription is suspended", "reactivate it first"),
    known(400, 2002, "quantity-out-of-range", "the quantity is outside what the product allows", "correct quantity"),
    known(400, 900_275, "quantity-not-allowed", "this quantity is not allowed", "correct quantity"),
    known(400, 2011, "subscription-deleted", "the subscription is deleted", "declare the licence anew"),
    known(400, 2054, "billing-cycle-not-allowed", "this billing cycle is not offered here", "correct Product.microsoft.billingCycle"),
    known(400, 800_090, "cannot-decrease", "the quantity cannot be decreased now", WINDOW),
    known(400, 900_214, "reduction-window-passed", "the hours in which seats may go have passed", WINDOW),
    known(400, 900_257, "reduction-window-passed", "the days in which seats may go have passed", WINDOW),
    known(400, 800_091, "suspended", "the subscription is suspended", "reactivate it first"),
    known(400, 800_093, "not-renewable", "the subscription does not renew by itself", "renewal.autoRenew: true first"),
    known(400, 800_096, "status-not-changeable", "the subscription's status cannot change like this", ""),
    known(400, 900_117, "cancellation-window-passed", "the days in which it may be cancelled have passed", WINDOW),
    known(400, 900_213, "cancellation-window-passed", "the hours in which it may be cancelled have passed", WINDOW),
    known(409, 800_082, "not-ready", "Microsoft is not ready with the subscription yet", LATER),
    known(409, 900_278, "pending-operation", "another change of it is under way", "run again in 24 hours"),
    known(400, 900_277, "no-updates", "it takes no changes now", LATER),
    known(400, 900_279, "no-updates", "it takes no changes now", LATER),
    known(400, 900_280, "no-updates", "it takes no changes now", LATER),
    known(400, 900_311, "updated-too-often", "it was changed too often", LATER),
    // Purchases.
    known(403, 13_605, "agreement-not-confirmed", "the customer's agreement is not confirmed", "confirm the Microsoft Customer Agreement in Partner Center"),
    known(404, 20_000, "order-not-found", "the order is not listed", "an order may take 15 minutes to be listed: run again"),
    known(404, 800_008, "cart-not-found", "the cart is gone", "run again"),
    known(409, 800_064, "cart-busy", "the cart is in use", LATER),
    known(409, 800_060, "order-in-progress", "an order is in progress", LATER),
    known(400, 800_065, "cart-submitted", "the cart was checked out already", "look at the orders in Partner Center"),
    vague(400, 800_009, "bad-cart-items", "Microsoft does not accept the cart's lines", ""),
    known(404, 400_018, "sku-not-found", "the SKU does not exist", "correct Product.microsoft.skuId"),
    known(404, 400_019, "availability-not-found", "the offer is not on sale any more in this form", "run again"),
    known(404, 400_013, "product-not-found", "the product does not exist", "correct Product.microsoft.productId"),
    known(403, 400_036, "view-not-allowed", "this part of the catalogue is not open to us", ""),
    known(403, 400_030, "segment-not-allowed", "this segment of the catalogue is not open to us", ""),
    known(400, 800_018, "sandbox-limit", "the integration sandbox is full", "delete customers or subscriptions in the sandbox"),
    known(403, 900_322, "not-in-sandbox", "it is not sold in the integration sandbox", ""),
    known(403, 800_066, "too-many-subscriptions", "the customer has the most subscriptions allowed", ""),
    known(403, 800_067, "too-many-seats", "the customer has the most seats allowed", ""),
    known(404, 800_015, "unknown-mpn-id", "no partner has this MPN id", "correct mpnId"),
    known(400, 800_016, "not-a-reseller", "this partner is no indirect reseller", "correct resellerTenantId or mpnId"),
    known(403, 900_123, "agreement-unsigned-by-reseller", "the reseller has not signed the partner agreement", "the reseller signs it in Partner Center"),
    known(403, 900_124, "agreement-unsigned", "we have not signed the partner agreement", "sign it in Partner Center"),
    known(400, 900_203, "attestation-missing", "the purchase needs an attestation", ""),
    known(400, 900_206, "partner-attestation-missing", "the purchase needs the partner's attestation", ""),
    known(403, 800_077, "not-cancelled-by-order", "it is cancelled as a subscription, not as an order", ""),
    known(400, 800_063, "not-cancelled-by-order", "it is cancelled as a subscription, not as an order", ""),
    // Licences and agreements.
    known(400, 60_012, "quota-exhausted", "all licences are assigned", "free one, or buy more"),
    known(400, 900_316, "wrong-token-kind", "this kind of token is not accepted here", CREDENTIAL),
    // Its status is in no document: the agreement page shows the body alone.
    known(0, 600_061, "agreement-exists", "the agreement is confirmed already", ""),
    agreement(2000, "one-partner-only", "exactly one MPN id or tenant id is asked for"),
    agreement(2001, "one-partner-missing", "no MPN id or tenant id was given"),
    agreement(2200, "unknown-mpn-id", "the MPN id is not valid"),
    agreement(2201, "other-region", "the partner is in another region"),
    agreement(2203, "agreement-unsigned", "the partner agreement is not signed"),
    agreement(2206, "agreement-unsigned", "the partner agreement is not signed"),
    agreement(2204, "no-reseller-account", "there is no reseller account of this MPN id"),
    agreement(2205, "tenant-not-found", "there is no partner with this tenant id"),
    // Lines of a cart ("Cart resources").
    cart(10_000, "cart-currency", "the currency is not accepted", ""),
    cart(10_001, "cart-article", "the article is not on sale any more in this form", "run again"),
    cart(10_002, "cart-quota", "a quota is exhausted", ""),
    cart(10_003, "cart-inventory", "the article is sold out", LATER),
    cart(10_004, "cart-participants", "a participant is not accepted", "correct mpnId"),
    cart(10_006, "cart-unprocessable", "the line cannot be processed", ""),
    cart(10_007, "cart-subscription", "the subscription does not fit", ""),
    cart(10_008, "cart-reservation", "the reservation does not fit", ""),
    cart(10_009, "sandbox-limit", "the integration sandbox is full", "delete customers or subscriptions in the sandbox"),
    cart(10_010, "cart-input", "the line is not accepted", ""),
    cart(10_011, "cart-not-registered", "the customer is not registered for it", ""),
    cart(10_012, "attestation-missing", "the purchase needs an attestation", ""),
    cart(10_015, "too-many-seats", "these are too many seats", "correct quantity"),
    // At creation Microsoft documents neither status nor code for a domain that is taken; the SDK's "already exists"
    // is a conflict.
    Known {
        about: About::Create,
        status: 409,
        vendor: 409,
        code: "already-exists",
        words: "Microsoft has it already: the domain, or this very request",
        hint: "look whether the customer is listed; else choose another microsoft.domain",
        says_more: true,
    },
];

/// What Entra says when it grants no token (its error codes, "AADSTS error codes").
#[rustfmt::skip]
pub(super) const TOKEN: &[(i64, &str, &str, &str)] = &[
    (7_000_215, "client-secret-wrong", "the client secret is wrong", "store the secret's value, not its id"),
    (7_000_222, "client-secret-expired", "the client secret has expired", "make a new one in Entra and store it"),
    (700_016, "application-unknown", "the tenant does not know the application", "correct clientId or tenant"),
    (90_002, "tenant-unknown", "Entra knows no such tenant", "correct tenant"),
    (70_008, "refresh-token-expired", "the refresh token has expired", "consent anew and store the new refreshToken"),
    (700_082, "refresh-token-expired", "the refresh token has expired", "consent anew and store the new refreshToken"),
    (50_173, "refresh-token-revoked", "the refresh token was revoked", "consent anew and store the new refreshToken"),
    (70_000, "refresh-token-invalid", "the refresh token is not accepted", "consent anew and store the new refreshToken"),
    (50_076, "mfa-required", "the user must sign in with a second factor", "consent anew with multi-factor authentication"),
    (50_079, "mfa-required", "the user must set up a second factor", "consent anew with multi-factor authentication"),
    (53_003, "conditional-access", "Conditional Access blocks the user", "allow the user and this machine in Conditional Access"),
    (65_001, "consent-missing", "nobody has consented to the application", "grant admin consent in Entra"),
    (90_033, "vendor-unwell", "Entra does not answer as it should", LATER),
];
