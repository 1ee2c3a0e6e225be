//! Contacts: people at the customer, never our own.

use crate::desired::OpenAccount;
use crate::plan::context::Context;
use crate::plan::findings::{Code, Finding};
use crate::text::terminal;

/// Tells of contacts at one of our own domains.
pub(super) fn own(ctx: &mut Context<'_>, decl: &OpenAccount<'_>) {
    for (n, contact) in decl.customer.contacts.iter().flatten().enumerate() {
        if let Some(email) = &contact.email
            && ctx.excluded.is_own(email)
        {
            ctx.finding(
                Finding::new(
                    Code::OwnContact,
                    format!("{} is an address of yours, not of the customer", terminal(email)),
                )
                .about(&decl.address)
                .at(&decl.origin)
                .field(format!("spec.contacts[{n}].email"))
                .next("name somebody at the customer: vendors confirm with them"),
            );
        }
    }
}
