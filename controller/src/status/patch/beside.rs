//! The status of a Customer of which several shards have Consoles: each writes its own accounts and keeps the others'
//! words.
//!
//! Whoever writes reads the object first and writes under its `resourceVersion`, so that of two shards the later one has
//! read the earlier one's word, and the Customer's own condition is that of all accounts. What another shard said is
//! shown again and never planned by.

use serde_json::json;
use tenantry_crd::status::{AccountStatus, CustomerStatus};

use super::{
    API_VERSION, FIELD_MANAGER, Kind, Patch, PatchParams, PoisonError, StatusError, Statuses, Timestamp, api,
    next, remember, shown,
};

/// How often it is tried again where somebody else was faster.
const ATTEMPTS: u32 = 8;

impl Statuses {
    /// Writes it where it differs from what is there; `status` is told what is said of each account there.
    pub async fn write_beside(
        &self,
        namespace: &str,
        name: &str,
        status: impl Fn(&[AccountStatus]) -> CustomerStatus,
        now: Timestamp,
    ) -> Result<bool, StatusError> {
        let kind = Kind::Customer;
        let failed = |because: &dyn std::fmt::Display| StatusError::new(kind, namespace, name, because);
        let api = api(&self.client, kind, namespace);
        let _turn = self.turn(name).await;
        for _ in 0..ATTEMPTS {
            let found = api.get_opt(name).await.map_err(|error| failed(&error))?;
            let Some(object) = found else { return Ok(false) };
            let there = object.data.get("status").cloned().unwrap_or_default();
            let theirs: CustomerStatus = serde_json::from_value(there.clone()).unwrap_or_default();
            let mine = serde_json::to_value(status(&theirs.accounts)).map_err(|error| failed(&error))?;
            let before = there.is_object().then(|| shown(&there));
            let Some(mine) = next(before.as_ref(), mine, now) else { return Ok(false) };
            let patch = json!({
                "apiVersion": API_VERSION, "kind": kind.as_str(),
                "metadata": {"name": name, "resourceVersion": object.metadata.resource_version},
                "status": mine,
            });
            let params = PatchParams::apply(FIELD_MANAGER).force();
            match api.patch_status(name, &params, &Patch::Apply(&patch)).await {
                Ok(_) => {
                    let mut all = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
                    remember(&mut all, kind, namespace, name, Some(shown(&mine)));
                    return Ok(true);
                }
                Err(kube::Error::Api(status)) if status.code == 404 => return Ok(false),
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                Err(error) => return Err(failed(&error)),
            }
        }
        Err(failed(&"others wrote it all the time; it is told with the next change"))
    }
}
