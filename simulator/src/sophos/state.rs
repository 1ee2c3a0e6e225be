//! What a simulated Sophos partner account holds.
//!
//! Invariants: a tenant never leaves `tenants` (its position is its handle); what lists show is
//! `listed`'s business; every date is a UTC date of the simulated clock.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use uuid::Uuid;

use super::billing::Line;
use super::rate::Bucket;
use super::switches::{AfterUnlink, IdSpelling, Listing, Switches};
use crate::{Core, Ids, Listed, Lists};

/// Text that costs nothing where it is fixed.
pub(crate) type Text = Cow<'static, str>;

/// Whose credential it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The partner.
    Partner,
    /// An enterprise that owns some tenants.
    Organization(Uuid),
    /// One customer.
    Tenant(Uuid),
}

/// An API credential of the partner account.
#[derive(Clone)]
pub(crate) struct Credential {
    pub(crate) client_id: Uuid,
    pub(crate) secret: String,
    pub(crate) identity: Identity,
    pub(crate) read_only: bool,
    pub(crate) expires: Option<Timestamp>,
}

#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) credential: usize,
    pub(crate) expires: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct Contact {
    pub(crate) first_name: Text,
    pub(crate) last_name: Text,
    pub(crate) email: Option<Text>,
    pub(crate) phone: Text,
    pub(crate) address1: Text,
    pub(crate) address2: Option<Text>,
    pub(crate) address3: Option<Text>,
    pub(crate) city: Text,
    pub(crate) state: Option<Text>,
    pub(crate) country_code: Text,
    pub(crate) postal_code: Text,
}

/// One licence of a tenant.
#[derive(Debug, Clone)]
pub(crate) struct License {
    pub(crate) id: Uuid,
    pub(crate) identifier: String,
    pub(crate) product: Text,
    pub(crate) kind: Text,
    pub(crate) start: Date,
    pub(crate) end: Option<Date>,
    pub(crate) perpetual: bool,
    pub(crate) quantity: Option<u32>,
    pub(crate) unlimited: bool,
    pub(crate) used: u32,
}

impl License {
    /// Whether it can be used on this day.
    pub(crate) fn active(&self, today: Date) -> bool {
        self.end.is_none_or(|end| end >= today)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) id: Uuid,
    pub(crate) name: Text,
    pub(crate) show_as: Option<Text>,
    pub(crate) geography: Text,
    pub(crate) region: Text,
    pub(crate) activated: bool,
    pub(crate) billing_type: Text,
    pub(crate) organization: Option<Uuid>,
    pub(crate) status: Text,
    pub(crate) contact: Option<Box<Contact>>,
    pub(crate) external_ids: Vec<Text>,
    pub(crate) licenses: Vec<License>,
    pub(crate) groups: Vec<Text>,
    pub(crate) assistance: bool,
    /// The first of the month on which it leaves, once somebody scheduled that.
    pub(crate) leaves: Option<Date>,
    pub(crate) unlinked: bool,
}

impl Tenant {
    /// What the list calls it.
    pub(crate) fn display_name(&self) -> &str {
        self.show_as.as_deref().unwrap_or(&self.name)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    pub(crate) id: Uuid,
    pub(crate) role: Uuid,
    pub(crate) scope_type: String,
    pub(crate) scope_id: Option<Uuid>,
}

#[derive(Debug, Clone)]
pub(crate) struct Admin {
    pub(crate) id: Uuid,
    pub(crate) username: String,
    /// `name`, `firstName`, `lastName`, `phone`, `mobile`, `fax`, as sent.
    pub(crate) profile: BTreeMap<String, String>,
    pub(crate) primary: bool,
    pub(crate) assignments: Vec<Assignment>,
}

#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) predefined: bool,
    pub(crate) principal: String,
    pub(crate) permission_sets: Vec<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct Firewall {
    pub(crate) serial: String,
    pub(crate) tenant: Option<Uuid>,
    pub(crate) model: String,
    pub(crate) hardware: bool,
}

/// One partner account.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) core: Arc<Core>,
    pub(crate) key: String,
    pub(crate) ids: Ids,
    pub(crate) switches: Switches,
    pub(crate) lists: Option<Lists>,
    pub(crate) partner_id: Uuid,
    pub(crate) flex: bool,
    pub(crate) default_products: Vec<Text>,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) by_id: HashMap<Uuid, u32>,
    pub(crate) by_organization: HashMap<Uuid, Vec<u32>>,
    pub(crate) leaving: Vec<u32>,
    /// E-mails of all admins, in lower case.
    pub(crate) admin_emails: HashSet<String>,
    pub(crate) used_keys: HashSet<String>,
    pub(crate) listed: Listed,
    pub(crate) groups: Vec<Text>,
    pub(crate) admins: Vec<Admin>,
    pub(crate) roles: Vec<Role>,
    /// Billing lines by year and month.
    pub(crate) billing: BTreeMap<(i16, i8), Vec<Line>>,
    pub(crate) firewalls: Vec<Firewall>,
    pub(crate) bucket: Bucket,
    pub(crate) licence_number: u64,
}

impl State {
    /// An account without customers.
    pub(crate) fn new(
        core: Arc<Core>,
        key: &str,
        mut ids: Ids,
        partner_id: Uuid,
        credential: Credential,
        now: Timestamp,
    ) -> Self {
        let roles = super::roles::predefined(&mut ids, now);
        Self {
            core,
            key: key.to_owned(),
            ids,
            switches: Switches::default(),
            lists: None,
            partner_id,
            flex: true,
            default_products: vec![Text::Borrowed("CIXA-MSP")],
            credentials: vec![credential],
            tokens: HashMap::new(),
            tenants: Vec::new(),
            by_id: HashMap::new(),
            by_organization: HashMap::new(),
            leaving: Vec::new(),
            admin_emails: HashSet::new(),
            used_keys: HashSet::new(),
            listed: Listed::default(),
            groups: Vec::new(),
            admins: Vec::new(),
            roles,
            billing: BTreeMap::new(),
            firewalls: Vec::new(),
            bucket: Bucket::full(now),
            licence_number: 0,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.core.clock().now()
    }

    pub(crate) fn today(&self) -> Date {
        self.now().to_zoned(TimeZone::UTC).date()
    }

    /// Where this partner is reached.
    pub(crate) fn url(&self) -> String {
        self.core.public_url("sophos", &self.key)
    }

    /// An id as the account spells ids.
    pub(crate) fn spell(&self, id: Uuid) -> String {
        match self.switches.id_spelling {
            IdSpelling::Plain => id.to_string(),
            IdSpelling::Urn => format!("urn:uuid:{id}"),
        }
    }

    /// When a tenant made now shows in the list.
    pub(crate) fn lists(&self) -> Lists {
        self.lists.unwrap_or(match self.switches.listing {
            Listing::AtOnce => Lists::AtOnce,
            Listing::After60Seconds => Lists::AfterSeconds(60),
            Listing::After10Minutes => Lists::AfterSeconds(600),
            Listing::After2Calls => Lists::AfterCalls(2),
        })
    }

    pub(crate) fn tenant(&self, id: Uuid) -> Option<&Tenant> {
        self.by_id.get(&id).and_then(|at| self.tenants.get(*at as usize))
    }

    pub(crate) fn tenant_mut(&mut self, id: Uuid) -> Option<&mut Tenant> {
        self.by_id.get(&id).and_then(|at| self.tenants.get_mut(*at as usize))
    }

    /// Keeps a tenant and lists it, now or later.
    pub(crate) fn add_tenant(&mut self, tenant: Tenant, lists: Lists) {
        let at = u32::try_from(self.tenants.len()).expect("fewer than four billion tenants");
        self.by_id.insert(tenant.id, at);
        if let Some(organization) = tenant.organization {
            self.by_organization.entry(organization).or_default().push(at);
        }
        let now = self.now();
        self.tenants.push(tenant);
        self.listed.add(at, lists, now);
    }

    /// Lets everything happen that was due by now.
    pub(crate) fn settle(&mut self) {
        if self.leaving.is_empty() {
            return;
        }
        let today = self.today();
        let due: Vec<u32> = self
            .leaving
            .iter()
            .copied()
            .filter(|at| self.tenants[*at as usize].leaves.is_some_and(|d| d <= today))
            .collect();
        for at in due {
            self.leave(at);
        }
    }

    /// The tenant is no longer this partner's.
    pub(crate) fn leave(&mut self, at: u32) {
        let stays_listed = self.switches.after_unlink == AfterUnlink::Canceled;
        self.leaving.retain(|l| *l != at);
        let tenant = &mut self.tenants[at as usize];
        tenant.unlinked = true;
        if stays_listed {
            tenant.status = Text::Borrowed("canceled");
        } else {
            self.listed.remove(at);
        }
    }

    /// A licence that starts today.
    pub(crate) fn license(
        &mut self,
        product: Text,
        kind: &'static str,
        days: Option<i32>,
        quantity: Option<u32>,
    ) -> License {
        let start = self.today();
        self.licence_number += 1;
        License {
            id: self.ids.uuid(),
            identifier: format!("L{:010}", self.licence_number),
            product,
            kind: Text::Borrowed(kind),
            start,
            end: days.map(|d| start.saturating_add(jiff::Span::new().days(d))),
            perpetual: false,
            quantity,
            unlimited: kind == "usage",
            used: 0,
        }
    }
}
