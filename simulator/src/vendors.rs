//! The vendors that the simulator knows: the first path segment and who answers below it.

use std::sync::Arc;

use crate::microsoft::MicrosoftPartner;
use crate::partner::{Core, Partner};
use crate::sophos::SophosPartner;

/// Opens a partner account of a vendor; `None` if the vendor is not simulated.
pub fn open(vendor: &str, key: &str, core: &Arc<Core>) -> Option<Arc<dyn Partner>> {
    match vendor {
        "microsoft" => Some(MicrosoftPartner::open(core, key)),
        "sophos" => Some(SophosPartner::open(core, key)),
        _ => None,
    }
}

/// The vendors by name.
pub const NAMES: &[&str] = &["microsoft", "sophos"];
