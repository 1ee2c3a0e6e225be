//! The account as a test or the demo holds it in process: what to connect with, what exists, and the
//! clicks, without going over HTTP.
//!
//! A click made here is logged exactly like one made through `/_sim/`.

use serde_json::Value;
use uuid::Uuid;

use super::state::{Identity, Tenant};
use super::switches::Switches;
use super::{SophosPartner, seed};
use crate::wire::click;
use crate::{ClickRefused, Lists, lock};

/// What a client is configured with.
#[derive(Clone)]
pub struct Credentials {
    /// An API credential's id.
    pub client_id: String,
    /// Its secret; of a simulated account, so it may be shown where a person starts the simulator.
    pub client_secret: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// What is true of a tenant, whatever the wire shows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantFacts {
    /// Its id.
    pub id: Uuid,
    /// Its legal name.
    pub name: String,
    /// What the console calls it.
    pub show_as: String,
    /// `trial`, `usage`, `term`, `ordered`.
    pub billing_type: String,
    /// `active`, `suspended`, `canceled`.
    pub status: String,
    /// Its groups.
    pub groups: Vec<String>,
    /// Codes of the products of its active licences.
    pub products: Vec<String>,
    /// Whether the partner may look inside.
    pub assistance: bool,
    /// Whether it left this partner.
    pub unlinked: bool,
}

impl SophosPartner {
    /// The base URL that stands for all hosts of the account.
    pub fn url(&self) -> String {
        lock(&self.state).url()
    }

    /// The Super Admin credential.
    pub fn credentials(&self) -> Credentials {
        let state = lock(&self.state);
        let first = &state.credentials[0];
        Credentials { client_id: first.client_id.to_string(), client_secret: first.secret.clone() }
    }

    /// Another credential of the partner; a read-only one may not write.
    pub fn add_credentials(&self, read_only: bool) -> Credentials {
        self.add_identity(Identity::Partner, read_only)
    }

    /// A credential of an enterprise that owns tenants.
    pub fn add_organization_credentials(&self, organization: Uuid) -> Credentials {
        self.add_identity(Identity::Organization(organization), false)
    }

    /// A credential of one customer.
    pub fn add_tenant_credentials(&self, tenant: Uuid) -> Credentials {
        self.add_identity(Identity::Tenant(tenant), false)
    }

    fn add_identity(&self, identity: Identity, read_only: bool) -> Credentials {
        let state = &mut *lock(&self.state);
        let (client_id, client_secret) = seed::credential_of(state, identity, read_only);
        Credentials { client_id: client_id.to_string(), client_secret }
    }

    /// The partner's own id.
    pub fn partner_id(&self) -> Uuid {
        lock(&self.state).partner_id
    }

    /// The settings.
    pub fn current_switches(&self) -> Switches {
        lock(&self.state).switches
    }

    /// Replaces the settings.
    pub fn use_switches(&self, switches: Switches) {
        lock(&self.state).switches = switches;
    }

    /// When tenants made from now on show in the list; overrules the `listing` switch.
    pub fn list_new_tenants(&self, lists: Lists) {
        lock(&self.state).lists = Some(lists);
    }

    /// Every access token is refused from now on.
    pub fn expire_tokens(&self) {
        lock(&self.state).tokens.clear();
    }

    /// Adds `count` tenants made from a seed, and `hostile` more with dangerous names.
    pub fn generate(&self, count: usize, seed: u64, hostile: usize) {
        seed::generate(&mut lock(&self.state), count, seed, hostile);
    }

    /// Everything that exists here, unlinked tenants included, in the order of creation.
    pub fn tenants(&self) -> Vec<TenantFacts> {
        let mut state = lock(&self.state);
        state.settle();
        state.tenants.iter().map(|t| facts(t, state.today())).collect()
    }

    /// The tenants with this name or display name.
    pub fn tenants_named(&self, name: &str) -> Vec<TenantFacts> {
        self.tenants().into_iter().filter(|t| t.name == name || t.show_as == name).collect()
    }

    /// One tenant.
    pub fn tenant(&self, id: Uuid) -> Option<TenantFacts> {
        let mut state = lock(&self.state);
        state.settle();
        state.tenant(id).map(|t| facts(t, state.today()))
    }

    /// A person's click: see [`super::ui`] for paths and bodies. Returns what the console then shows.
    pub fn click(&self, path: &str, body: &Value) -> Result<Value, ClickRefused> {
        let (core, name) = {
            let state = lock(&self.state);
            (state.core.clone(), format!("sophos/{}", state.key))
        };
        click(&core, self, &name, path, body)
    }
}

fn facts(tenant: &Tenant, today: jiff::civil::Date) -> TenantFacts {
    TenantFacts {
        id: tenant.id,
        name: tenant.name.to_string(),
        show_as: tenant.display_name().to_owned(),
        billing_type: tenant.billing_type.to_string(),
        status: tenant.status.to_string(),
        groups: tenant.groups.iter().map(ToString::to_string).collect(),
        products: tenant.licenses.iter().filter(|l| l.active(today)).map(|l| l.product.to_string()).collect(),
        assistance: tenant.assistance,
        unlinked: tenant.unlinked,
    }
}
