//! Writing statuses: by server-side apply, and only where they differ from what was last written or is there.
//!
//! After a start the statuses that are there are listed once, so that none is written blindly; from then on what was
//! written is remembered as a digest. The time of a condition moves only when its status does.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::core::{DynamicObject, ListMeta, Request};
use kube::discovery::ApiResource;
use kube::{Client, CustomResourceExt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tenantry_crd::status::{READY, STALLED};
use tenantry_crd::{API_VERSION, Kind};
use tenantry_engine::text::terminal;

use crate::FIELD_MANAGER;

mod beside;
#[cfg(test)]
mod tests;

/// How many objects a page of a list has.
const PAGE: u32 = 500;

/// What is remembered of the objects of a kind in a namespace, by name.
type Remembered = BTreeMap<(Kind, Box<str>), HashMap<Box<str>, Shown>>;

/// What an object's status says, as far as it matters for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    /// Without times of conditions.
    digest: [u8; 16],
    /// Of each condition, in the order of [`CONDITIONS`]: whether it holds, and since when.
    since: [Option<(Holds, Timestamp)>; CONDITIONS.len()],
}

/// A page of a list: of each object its name and its status. Read whole, with who manages which of its fields, five
/// hundred objects take twelve MiB.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: ListMeta,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Named,
    #[serde(default)]
    status: Value,
}

#[derive(Deserialize)]
struct Named {
    name: Box<str>,
}

/// The conditions that we write.
const CONDITIONS: [&str; 2] = [READY, STALLED];

/// The status of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    True,
    False,
    Unknown,
}

impl Holds {
    fn of(condition: &Value) -> Option<Self> {
        match condition["status"].as_str()? {
            "True" => Some(Self::True),
            "False" => Some(Self::False),
            "Unknown" => Some(Self::Unknown),
            _ => None,
        }
    }
}

/// Which of [`CONDITIONS`] it is.
fn place(condition: &Value) -> Option<usize> {
    let kind = condition["type"].as_str()?;
    CONDITIONS.iter().position(|one| *one == kind)
}

/// Writes statuses.
pub struct Statuses {
    client: Client,
    shown: Mutex<Remembered>,
    listed: tokio::sync::Mutex<BTreeSet<(Kind, String)>>,
    /// Held while the status of an object is made and written, chosen by its name: of two consoles that speak about
    /// one object at once, the later word stays.
    turns: [tokio::sync::Mutex<()>; TURNS],
}

/// So many objects may be written at once at most.
const TURNS: usize = 64;

/// The API of a kind.
pub fn resource(kind: Kind) -> ApiResource {
    use tenantry_crd as crd;
    match kind {
        Kind::Console => crd::Console::api_resource(),
        Kind::Customer => crd::Customer::api_resource(),
        Kind::Product => crd::Product::api_resource(),
        Kind::License => crd::License::api_resource(),
        Kind::Relationship => crd::Relationship::api_resource(),
        Kind::Upgrade => crd::Upgrade::api_resource(),
        Kind::Attestation => crd::Attestation::api_resource(),
        Kind::Inventory => crd::Inventory::api_resource(),
        Kind::PlanPolicy => crd::PlanPolicy::api_resource(),
        Kind::ConsoleBinding => crd::ConsoleBinding::api_resource(),
    }
}

/// Any object of a kind in a namespace.
pub fn api(client: &Client, kind: Kind, namespace: &str) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), namespace, &resource(kind))
}

fn digest(status: &Value) -> [u8; 16] {
    use sha2::{Digest, Sha256};
    let mut bare = status.clone();
    for condition in bare["conditions"].as_array_mut().into_iter().flatten() {
        if let Some(condition) = condition.as_object_mut() {
            condition.remove("lastTransitionTime");
        }
    }
    let whole: [u8; 32] = Sha256::digest(bare.to_string().as_bytes()).into();
    std::array::from_fn(|place| whole[place])
}

fn shown(status: &Value) -> Shown {
    let mut since = [None; CONDITIONS.len()];
    for one in status["conditions"].as_array().into_iter().flatten() {
        let at = one["lastTransitionTime"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
        if let (Some(place), Some(holds), Some(at)) = (place(one), Holds::of(one), at) {
            since[place] = Some((holds, at));
        }
    }
    Shown { digest: digest(status), since }
}

fn remember(all: &mut Remembered, kind: Kind, namespace: &str, name: &str, shown: Option<Shown>) {
    let names = all.entry((kind, namespace.into())).or_default();
    match shown {
        Some(shown) => drop(names.insert(name.into(), shown)),
        None => drop(names.remove(name)),
    }
}

/// The status with the times of its conditions; `None` where what is there says the same.
fn next(before: Option<&Shown>, mut status: Value, now: Timestamp) -> Option<Value> {
    if before.is_some_and(|before| before.digest == digest(&status)) {
        return None;
    }
    for condition in status["conditions"].as_array_mut().into_iter().flatten() {
        let same = before
            .and_then(|before| before.since[place(condition)?])
            .filter(|(holds, _)| Some(*holds) == Holds::of(condition));
        condition["lastTransitionTime"] = same.map_or(now, |(_, at)| at).to_string().into();
    }
    Some(status)
}

/// A status could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the status of {kind} {namespace}/{name} cannot be written: {because}")]
pub struct StatusError {
    kind: Kind,
    namespace: String,
    name: String,
    because: String,
}

impl StatusError {
    fn new(kind: Kind, namespace: &str, name: &str, because: &dyn std::fmt::Display) -> Self {
        let because = terminal(&because.to_string());
        Self { kind, namespace: namespace.to_owned(), name: name.to_owned(), because }
    }
}

impl Statuses {
    /// For this client.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            shown: Mutex::default(),
            listed: tokio::sync::Mutex::default(),
            turns: std::array::from_fn(|_| tokio::sync::Mutex::default()),
        }
    }

    /// Forgets what was written: another one may have held the Lease meanwhile.
    pub async fn forget(&self) {
        self.listed.lock().await.clear();
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Reads once what the objects of a kind show.
    async fn list(&self, kind: Kind, namespace: &str) -> Result<(), kube::Error> {
        let mut listed = self.listed.lock().await;
        if listed.contains(&(kind, namespace.to_owned())) {
            return Ok(());
        }
        let api = api(&self.client, kind, namespace);
        let requests = Request::new(api.resource_url());
        let mut params = ListParams::default().limit(PAGE);
        loop {
            let request = requests.list(&params).map_err(kube::Error::BuildRequest)?;
            let page: Page = self.client.request(request).await?;
            {
                let mut all = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
                for object in page.items {
                    if object.status.is_object() {
                        remember(
                            &mut all,
                            kind,
                            namespace,
                            &object.metadata.name,
                            Some(shown(&object.status)),
                        );
                    }
                }
            }
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => break,
            }
        }
        listed.insert((kind, namespace.to_owned()));
        Ok(())
    }

    /// An object is gone: one that is made again under its name shows nothing yet.
    pub fn gone(&self, kind: Kind, namespace: &str, name: &str) {
        let mut all = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        remember(&mut all, kind, namespace, name, None);
    }

    /// Whether an object shows a status already; one that cannot be read counts as such.
    pub async fn shows(&self, kind: Kind, namespace: &str, name: &str) -> bool {
        if self.list(kind, namespace).await.is_err() {
            return true;
        }
        let all = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&(kind, namespace.into())).is_some_and(|names| names.contains_key(name))
    }

    /// Waits for the turn of the objects of this name.
    async fn turn(&self, name: &str) -> tokio::sync::MutexGuard<'_, ()> {
        let mut hash = DefaultHasher::new();
        name.hash(&mut hash);
        let turn = usize::try_from(hash.finish() % TURNS as u64).unwrap_or(0);
        self.turns[turn].lock().await
    }

    /// Writes it where it differs; whether it was written. An object that is gone has none. `status` is asked when it is
    /// this object's turn.
    pub async fn write<S: Serialize>(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        status: impl FnOnce() -> S,
        now: Timestamp,
    ) -> Result<bool, StatusError> {
        let failed = |error: &dyn std::fmt::Display| StatusError::new(kind, namespace, name, error);
        self.list(kind, namespace).await.map_err(|error| failed(&error))?;
        let _turn = self.turn(name).await;
        let status = serde_json::to_value(status()).map_err(|error| failed(&error))?;
        let new = {
            let all = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            let before = all.get(&(kind, namespace.into())).and_then(|names| names.get(name));
            next(before, status, now)
        };
        let Some(status) = new else { return Ok(false) };
        let remembered = shown(&status);
        let patch = json!({
            "apiVersion": API_VERSION, "kind": kind.as_str(), "metadata": {"name": name}, "status": status
        });
        let params = PatchParams::apply(FIELD_MANAGER).force();
        match api(&self.client, kind, namespace).patch_status(name, &params, &Patch::Apply(&patch)).await {
            Ok(_) => {
                let mut all = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
                remember(&mut all, kind, namespace, name, Some(remembered));
                Ok(true)
            }
            Err(kube::Error::Api(status)) if status.code == 404 => {
                let mut all = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
                remember(&mut all, kind, namespace, name, None);
                Ok(false)
            }
            Err(error) => Err(failed(&error)),
        }
    }
}
