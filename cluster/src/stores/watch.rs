//! Lists and watches each kind, and puts what arrives on its shelf.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::join_all;
use futures_util::{StreamExt, pin_mut};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, ListParams};
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Config, Event};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use tenantry_crd as crd;
use tenantry_crd::Kind;
use tenantry_engine::desired::PackedCustomer;
use tenantry_engine::text::terminal;

use super::object::Common;
use super::packed::Packed;
use super::population::Population;
use super::shelf::{Held, Key, Read, Shelf, Shelves, Source};
use super::{Broken, Change, Object, Shared, Watched, sources};
use crate::api::ApiError;

/// How many objects a page of a list has.
const PAGE: u32 = 500;

/// A kind that is held with its spec.
trait Whole:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + DeserializeOwned
    + Clone
    + Debug
    + Send
    + Sync
    + 'static
{
    type Spec: Clone + PartialEq + Send + Sync + 'static;
    const KIND: Kind;

    /// Its metadata, and what it says as it is held.
    fn parts(self, common: &mut Common) -> (ObjectMeta, Self::Spec);

    fn shelf(shelves: &mut Shelves) -> &mut Arc<Shelf<Self::Spec>>;

    /// Whether it belongs to this shard.
    fn ours(_spec: &Self::Spec, _namespace: &str, _held: &Held) -> bool {
        true
    }
}

macro_rules! whole {
    ($($kind:ident $spec:ident $shelf:ident)*) => {$(
        impl Whole for crd::$kind {
            type Spec = crd::$spec;
            const KIND: Kind = Kind::$kind;

            fn parts(self, _: &mut Common) -> (ObjectMeta, Self::Spec) {
                (self.metadata, self.spec)
            }

            fn shelf(shelves: &mut Shelves) -> &mut Arc<Shelf<Self::Spec>> {
                &mut shelves.$shelf
            }
        }
    )*};
}

whole! {
    Console ConsoleSpec consoles
    Product ProductSpec products
    License LicenseSpec licenses
    Relationship RelationshipSpec relationships
    Attestation AttestationSpec attestations
}

impl Whole for crd::Customer {
    type Spec = Packed;
    const KIND: Kind = Kind::Customer;

    fn parts(self, common: &mut Common) -> (ObjectMeta, Packed) {
        let packed = Packed::new(&self.spec, common);
        (self.metadata, packed)
    }

    fn shelf(shelves: &mut Shelves) -> &mut Arc<Shelf<Packed>> {
        &mut shelves.customers
    }

    fn ours(packed: &Packed, namespace: &str, held: &Held) -> bool {
        // Of one that leads nowhere, nobody knows whose it was.
        let ours =
            |console: &str| held.has_console(namespace, console) || !held.knows_console(namespace, console);
        !held.is_sharded() || packed.accounts().iter().any(|(_, console)| ours(console))
    }
}

/// Watches everything, for ever.
pub(super) async fn all(client: Client, watched: Watched, shared: Arc<Shared>) {
    let sources: Vec<Source> = sources(&watched).into_keys().collect();
    let selector = watched.consoles;
    join_all(sources.iter().map(|source| {
        let (client, shared, all) = (client.clone(), Arc::clone(&shared), sources.clone());
        let selector = selector.clone();
        async move {
            match source.kind {
                Kind::Console if source.names => {
                    names::<crd::Console>(&client, source, &shared, &all, |s| &mut s.console_names).await;
                }
                Kind::Console => {
                    whole::<crd::Console>(&client, source, selector.as_deref(), &shared, &all).await;
                }
                Kind::Customer => {
                    whole::<crd::Customer>(&client, source, None, &shared, &all).await;
                }
                Kind::Product => whole::<crd::Product>(&client, source, None, &shared, &all).await,
                Kind::License => whole::<crd::License>(&client, source, None, &shared, &all).await,
                Kind::Relationship => {
                    whole::<crd::Relationship>(&client, source, None, &shared, &all).await;
                }
                Kind::Attestation => {
                    whole::<crd::Attestation>(&client, source, None, &shared, &all).await;
                }
                Kind::Upgrade => {
                    names::<crd::Upgrade>(&client, source, &shared, &all, |s| &mut s.upgrades).await;
                }
                Kind::Inventory => {
                    names::<crd::Inventory>(&client, source, &shared, &all, |s| &mut s.inventories).await;
                }
                Kind::PlanPolicy => {
                    names::<crd::PlanPolicy>(&client, source, &shared, &all, |s| &mut s.policies).await;
                }
                Kind::ConsoleBinding => {}
            }
        }
    }))
    .await;
}

fn api<K>(client: &Client, source: &Source) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match &source.namespace {
        None => Api::all(client.clone()),
        Some(namespace) => Api::namespaced(client.clone(), namespace),
    }
}

fn key(metadata: &ObjectMeta, common: &mut Common) -> Key {
    let namespace = common.name(metadata.namespace.as_deref().unwrap_or_default());
    (namespace, metadata.name.as_deref().unwrap_or_default().into())
}

fn named(metadata: ObjectMeta, common: &mut Common) -> (Key, Read<()>) {
    let key = key(&metadata, common);
    let object = Object::new(&key, metadata, Arc::new(()), common);
    (key, Read::Whole(Arc::new(object)))
}

/// An object as it is kept. What is held already under this version is shared, and of another version what it says:
/// finalizers and statuses come to every object, and whoever plans holds the one before.
fn read<K: Whole>(guard: DeserializeGuard<K>, held: &mut Held) -> (Key, Read<K::Spec>) {
    let version = guard.meta().resource_version.clone().unwrap_or_default();
    let mut key = key(guard.meta(), &mut held.common);
    if let Some((held, _)) = K::shelf(&mut held.shelves).0.get_key_value(&key) {
        key = held.clone();
    }
    match guard.0 {
        Ok(object) => {
            let (metadata, spec) = object.parts(&mut held.common);
            if !K::ours(&spec, &key.0, held) {
                return (key, Read::Elsewhere(version.into()));
            }
            let spec = match K::shelf(&mut held.shelves).0.get(&key) {
                Some(Read::Whole(old)) if *old.version == *version => {
                    return (key, Read::Whole(Arc::clone(old)));
                }
                Some(Read::Whole(old)) if *old.spec == spec => Arc::clone(&old.spec),
                _ => Arc::new(spec),
            };
            let object = Object::new(&key, metadata, spec, &mut held.common);
            (key, Read::Whole(Arc::new(object)))
        }
        Err(invalid) => {
            let words = terminal(&invalid.error);
            let broken = Broken::new(K::KIND, &key, invalid.metadata, words, &mut held.common);
            (key, Read::Broken(Arc::new(broken)))
        }
    }
}

/// What is known of a shard's Consoles: whether all are listed, and which are its own.
#[derive(PartialEq, Eq)]
struct ShardsConsoles(bool, BTreeSet<Key>);

impl ShardsConsoles {
    /// `None`: an event about this kind changes nothing of them.
    fn of(kind: Kind, held: &Held) -> Option<Self> {
        (kind == Kind::Console && held.is_sharded())
            .then(|| Self(held.consoles_listed(), held.console_names()))
    }

    /// Where they became others, the Customers are listed again: other ones are this shard's now.
    fn changed(
        before: Option<&Self>,
        shared: &Shared,
        held: &mut Held,
        all: &[Source],
        changes: &mut Vec<Change>,
    ) {
        if before.is_some() && before != Self::of(Kind::Console, held).as_ref() {
            held.unlist(Kind::Customer, all);
            changes.retain(|change| *change != Change::Synced);
            shared.consoles.send_modify(|epoch| *epoch += 1);
        }
    }
}

/// Watches a kind with its spec. In a shard the Customers wait for the Consoles, and are listed again whenever these
/// become others.
async fn whole<K: Whole>(
    client: &Client,
    source: &Source,
    selector: Option<&str>,
    shared: &Shared,
    all: &[Source],
) {
    let mut config = Config::default().page_size(PAGE);
    if let Some(selector) = selector {
        config = config.labels(selector);
    }
    let mut consoles = shared.consoles.subscribe();
    loop {
        let stream =
            watcher::watcher(api::<DeserializeGuard<K>>(client, source), config.clone()).default_backoff();
        pin_mut!(stream);
        let mut list = BTreeMap::new();
        loop {
            let event = tokio::select! {
                biased;
                changed = consoles.changed(), if K::KIND == Kind::Customer => {
                    if changed.is_ok() {
                        break;
                    }
                    return;
                }
                event = stream.next() => event,
            };
            let Some(event) = event else { break };
            let mut held = shared.held();
            let before = ShardsConsoles::of(K::KIND, &held);
            let mut changes = Vec::new();
            match event {
                Err(error) => held.failed(source, because(&error)),
                Ok(Event::Init) => list = BTreeMap::new(),
                Ok(Event::InitApply(guard)) => {
                    let (key, read) = read::<K>(guard, &mut held);
                    list.insert(key, read);
                }
                Ok(Event::InitDone) => {
                    // In a shard, which Customers are ours is only known once its Consoles are.
                    if K::KIND != Kind::Customer || held.consoles_listed() {
                        changes = held.listed(source, K::shelf, std::mem::take(&mut list));
                    }
                }
                Ok(Event::Apply(guard)) => {
                    let (key, read) = read::<K>(guard, &mut held);
                    changes.extend(held.put(K::KIND, K::shelf, key, read));
                }
                Ok(Event::Delete(guard)) => {
                    let key = key(guard.meta(), &mut held.common);
                    changes.extend(held.remove(K::KIND, K::shelf, key));
                }
            }
            ShardsConsoles::changed(before.as_ref(), shared, &mut held, all, &mut changes);
            drop(held);
            shared.tell(changes);
        }
    }
}

/// Watches only the names of a kind: of one without behaviour, and of the Consoles of all shards.
async fn names<K>(
    client: &Client,
    source: &Source,
    shared: &Shared,
    all: &[Source],
    shelf: fn(&mut Shelves) -> &mut Arc<Shelf<()>>,
) where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + DeserializeOwned
        + Clone
        + Debug
        + Send
        + Sync
        + 'static,
{
    let config = Config::default().page_size(PAGE);
    let stream = watcher::watcher(api::<PartialObjectMeta<K>>(client, source), config).default_backoff();
    pin_mut!(stream);
    let mut list = BTreeMap::new();
    while let Some(event) = stream.next().await {
        let mut held = shared.held();
        let before = ShardsConsoles::of(source.kind, &held);
        let mut changes = Vec::new();
        match event {
            Err(error) => held.failed(source, because(&error)),
            Ok(Event::Init) => list = BTreeMap::new(),
            Ok(Event::InitApply(meta)) => {
                let (key, read) = named(meta.metadata, &mut held.common);
                list.insert(key, read);
            }
            Ok(Event::InitDone) => changes = held.listed(source, shelf, std::mem::take(&mut list)),
            Ok(Event::Apply(meta)) => {
                let (key, read) = named(meta.metadata, &mut held.common);
                changes.extend(held.put(source.kind, shelf, key, read));
            }
            Ok(Event::Delete(meta)) => {
                let key = key(&meta.metadata, &mut held.common);
                changes.extend(held.remove(source.kind, shelf, key));
            }
        }
        ShardsConsoles::changed(before.as_ref(), shared, &mut held, all, &mut changes);
        drop(held);
        shared.tell(changes);
    }
}

/// Why a watch failed, in one line.
fn because(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_words = cause.to_string();
        if !line.contains(&cause_words) {
            line.push_str(": ");
            line.push_str(&cause_words);
        }
        source = cause.source();
    }
    terminal(&line)
}

/// Lists every kind once.
pub(super) async fn once(client: &Client, watched: &Watched) -> Result<Population, ApiError> {
    let sources = sources(watched);
    let mut held = Held::new(sources.clone(), watched.consoles.is_some());
    let selector = watched.consoles.as_deref();
    // The Consoles of a shard decide which Customers are its own.
    let consoles_first = |source: &&Source| source.kind != Kind::Console;
    let mut ordered: Vec<&Source> = sources.keys().collect();
    ordered.sort_by_key(consoles_first);
    for source in ordered {
        match source.kind {
            Kind::Console if source.names => {
                once_names::<crd::Console>(client, source, &mut held, |s| &mut s.console_names).await?;
            }
            Kind::Console => once_whole::<crd::Console>(client, source, selector, &mut held).await?,
            Kind::Customer => once_whole::<crd::Customer>(client, source, None, &mut held).await?,
            Kind::Product => once_whole::<crd::Product>(client, source, None, &mut held).await?,
            Kind::License => once_whole::<crd::License>(client, source, None, &mut held).await?,
            Kind::Relationship => once_whole::<crd::Relationship>(client, source, None, &mut held).await?,
            Kind::Attestation => once_whole::<crd::Attestation>(client, source, None, &mut held).await?,
            Kind::Upgrade => {
                once_names::<crd::Upgrade>(client, source, &mut held, |s| &mut s.upgrades).await?;
            }
            Kind::Inventory => {
                once_names::<crd::Inventory>(client, source, &mut held, |s| &mut s.inventories).await?;
            }
            Kind::PlanPolicy => {
                once_names::<crd::PlanPolicy>(client, source, &mut held, |s| &mut s.policies).await?;
            }
            Kind::ConsoleBinding => {}
        }
    }
    Ok(held.population())
}

fn doing(source: &Source, plural: &str) -> String {
    match &source.namespace {
        None => format!("list {plural} in all namespaces"),
        Some(namespace) => format!("list {plural} in namespace {namespace}"),
    }
}

async fn once_whole<K: Whole>(
    client: &Client,
    source: &Source,
    selector: Option<&str>,
    held: &mut Held,
) -> Result<(), ApiError> {
    let api = api::<DeserializeGuard<K>>(client, source);
    let mut params = ListParams::default().limit(PAGE);
    if let Some(selector) = selector {
        params = params.labels(selector);
    }
    let mut list = BTreeMap::new();
    loop {
        let page =
            api.list(&params).await.map_err(|error| ApiError::new(doing(source, &K::plural(&())), error))?;
        for guard in page.items {
            let (key, read) = read::<K>(guard, held);
            list.insert(key, read);
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    held.listed(source, K::shelf, list);
    Ok(())
}

async fn once_names<K>(
    client: &Client,
    source: &Source,
    held: &mut Held,
    shelf: fn(&mut Shelves) -> &mut Arc<Shelf<()>>,
) -> Result<(), ApiError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + DeserializeOwned + Clone + Debug,
{
    let api = api::<K>(client, source);
    let mut params = ListParams::default().limit(PAGE);
    let mut list = BTreeMap::new();
    loop {
        let page = api
            .list_metadata(&params)
            .await
            .map_err(|error| ApiError::new(doing(source, &K::plural(&())), error))?;
        for meta in page.items {
            let (key, read) = named(meta.metadata, &mut held.common);
            list.insert(key, read);
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    held.listed(source, shelf, list);
    Ok(())
}
