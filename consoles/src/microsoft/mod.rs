//! Microsoft Partner Center, and the part of Microsoft Graph that partners need.
//!
//! What it does: lists customers, reads billing profiles, subscriptions and delegated admin relationships, fetches
//! invitation links, creates customers, updates billing profiles, removes relationships; for everything else it words
//! the task. Our position there (direct bill, indirect provider, indirect reseller) and probing reads decide which.
//!
//! What it never does: send more than one unsafe request per call of `send`, send one over a transport that reads,
//! retry one, buy or change a subscription, touch delegated admin rights, or take a company's name for identity.
//!
//! Invariants: the vendor account is `microsoft:<tenant id>` as token and Graph say it, not as it is declared; a record
//! is a customer that Microsoft lists as ours; absence from an incomplete list means nothing.
//!
//! The hazard of creation: it is not atomic. A creation that fails validation may have reserved the domain already
//! (kb.cloudblue.com/en/133047, unverified), so the domain is asked for and the address validated before the one
//! unsafe request; a domain taken in between is refused by Microsoft and reported, never tried again.

mod account;
mod auth;
mod capabilities;
mod console;
mod dialect;
mod fields;
mod hosts;
mod instructions;
mod json;
mod licenses;
mod read;
mod refusals;
mod send;

pub(crate) use capabilities::capabilities;
pub use capabilities::{Answer, Found};
pub use console::{PAGE, PartnerCenter, connect, connect_paged};
pub use dialect::MicrosoftDialect;
pub(crate) use refusals::documented as refusals;
