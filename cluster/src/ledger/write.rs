//! One write of one object: sent, looked up where the answer is lost, sent again only under the same version.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::api::{Api, DeleteParams, PostParams, Preconditions};
use kube::{Error, ResourceExt};
use smol_str::SmolStr;
use tenantry_crd::binding::Reserved;
use tenantry_crd::{ConsoleBinding, ConsoleBindingSpec};
use tenantry_engine::address::VendorAccount;
use tenantry_engine::ledger::Header;
use tenantry_engine::store::StoreError;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::{Change, ClusterLedger, Fence, Known, NotHeld, State};
use crate::api::{ApiError, Late, Proof, proof};
use crate::bindings;
use crate::failpoint;
use crate::{FENCE_ANNOTATION, FIELD_MANAGER, LEDGER_LABEL, WRITER_ANNOTATION};

/// How long one answer is waited for.
const ANSWER: Duration = Duration::from_secs(15);

/// How often a write without an answer is looked up, or sent again, before the run ends.
const ATTEMPTS: u32 = 6;

/// The pause after the first attempt; it doubles.
const PAUSE: Duration = Duration::from_millis(200);

/// Makes a ledger's header; `None`: somebody else made it first.
pub(super) async fn create_header(
    api: &Api<ConsoleBinding>,
    namespace: &str,
    header: &Header,
    writer: Uuid,
) -> Result<Option<SmolStr>, StoreError> {
    let mut object = bindings::object(&header.vendor_account, None, bindings::header_to_spec(header));
    object.metadata.namespace = Some(namespace.to_owned());
    let one = One { api, fence: None, mark: format!("{writer}/0") };
    match one.put(object, None).await {
        Ok(version) => Ok(Some(version)),
        Err(error) if error.is_conflict() => Ok(None),
        Err(error) => Err(error),
    }
}

impl ClusterLedger {
    /// Writes the header under the version we know, with what the entries that follow use up.
    pub(super) async fn header(
        &self,
        state: &mut State,
        header: Header,
        reserved: Option<Reserved>,
    ) -> Result<(), StoreError> {
        state.writes += 1;
        let mut object = bindings::object(&self.account, None, bindings::header_to_spec(&header));
        if let Some(stored) = &mut object.spec.header {
            stored.reserved = reserved;
        }
        object.metadata.namespace = Some(self.namespace.clone());
        let expected = state.header.serial;
        match self.one(state.writes).put(object, Some(&state.header_version)).await {
            Ok(version) => {
                state.header = header;
                state.header_version = version;
                Ok(())
            }
            Err(StoreError::Overtaken { place, found }) => Err(match self.stored_serial().await {
                Some(serial) => StoreError::Conflict {
                    account: format!("{} ({place})", self.account),
                    expected,
                    found: serial,
                },
                None => StoreError::Overtaken { place, found },
            }),
            Err(error) => Err(error),
        }
    }

    async fn stored_serial(&self) -> Option<u64> {
        let name = bindings::binding_name(&self.account, None);
        let found = timeout(ANSWER, self.api.get_opt(&name)).await.ok()?.ok()??;
        u64::try_from(found.spec.header?.serial).ok()
    }

    /// Writes one entry, or erases it; what is known of it afterwards.
    pub(super) async fn change(
        &self,
        change: Change,
        known: Option<Known>,
        number: u64,
    ) -> Result<Option<Known>, StoreError> {
        let one = self.one(number);
        let version = known.as_ref().map(|known| &*known.version);
        let (spec, content) = match change.put {
            Some((entry, content)) => {
                (bindings::to_spec(&change.address, &entry, &self.account), Some(content))
            }
            None => (ConsoleBindingSpec::default(), None),
        };
        let mut object = bindings::object(&self.account, Some(&change.address), spec);
        object.metadata.namespace = Some(self.namespace.clone());
        match (content, version) {
            (Some(content), version) => {
                let version = one.put(object, version).await?;
                Ok(Some(Known { version, content }))
            }
            (None, Some(version)) => one.erase(&object, version).await.map(|()| None),
            (None, None) => Ok(None),
        }
    }

    fn one(&self, number: u64) -> One<'_> {
        One { api: &self.api, fence: self.fence.as_ref(), mark: format!("{}/{number}", self.writer) }
    }
}

/// One write, with the mark by which it is known again.
struct One<'a> {
    api: &'a Api<ConsoleBinding>,
    fence: Option<&'a Fence>,
    mark: String,
}

impl One<'_> {
    /// Makes the object (`version` is `None`), or replaces that version of it; its new version.
    async fn put(&self, object: ConsoleBinding, version: Option<&str>) -> Result<SmolStr, StoreError> {
        failpoint::pass("before");
        let version = self.try_put(object, version).await?;
        failpoint::pass("after");
        Ok(version)
    }

    async fn try_put(
        &self,
        mut object: ConsoleBinding,
        version: Option<&str>,
    ) -> Result<SmolStr, StoreError> {
        let place = bindings::place(&object.metadata);
        let doing = if version.is_some() { format!("update {place}") } else { format!("create {place}") };
        object.metadata.resource_version = version.map(str::to_owned);
        let mut annotations = BTreeMap::from([(WRITER_ANNOTATION.to_owned(), self.mark.clone())]);
        if let Some(fence) = self.fence {
            annotations.insert(FENCE_ANNOTATION.to_owned(), fence.generation.to_string());
        }
        object.metadata.annotations = Some(annotations);
        let name = object.name_any();
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let mut pause = PAUSE;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            self.held()?;
            let sent = async {
                match version {
                    None => self.api.create(&params, &object).await,
                    Some(_) => self.api.replace(&name, &params, &object).await,
                }
            };
            let why = match answered(sent).await {
                Ok(Ok(stored)) => return Ok(version_of(&stored)),
                Ok(Err(error)) => match proof(error, version.is_none()) {
                    Proof::Refused(error) => return Err(ApiError::new(doing, error).into()),
                    Proof::Raced => None,
                    Proof::Nothing(error) => Some(error.into()),
                },
                Err(late) => Some(late.into()),
            };
            match (answered(self.api.get_opt(&name)).await, why) {
                (Ok(Ok(Some(found))), why) => match self.reading(&found, version) {
                    Reading::Ours(version) => return Ok(version),
                    // Not ours, and not what we built on; or refused although it is.
                    Reading::Other(found) => return Err(StoreError::Overtaken { place, found }),
                    Reading::Untouched(found) => match why {
                        None => return Err(StoreError::Overtaken { place, found }),
                        Some(why) => last = Some(why),
                    },
                },
                (Ok(Ok(None)), Some(why)) if version.is_none() => last = Some(why),
                (Ok(Ok(None)), _) => {
                    return Err(StoreError::Overtaken {
                        place,
                        found: "it is not there any more".to_owned(),
                    });
                }
                (Ok(Err(error)), why) => last = Some(why.unwrap_or_else(|| error.into())),
                (Err(late), why) => last = Some(why.unwrap_or_else(|| late.into())),
            }
            sleep(pause).await;
            pause *= 2;
        }
        Err(unanswered(doing, last))
    }

    /// Erases this version of the object.
    async fn erase(&self, object: &ConsoleBinding, version: &str) -> Result<(), StoreError> {
        failpoint::pass("before");
        self.try_erase(object, version).await?;
        failpoint::pass("after");
        Ok(())
    }

    async fn try_erase(&self, object: &ConsoleBinding, version: &str) -> Result<(), StoreError> {
        let place = bindings::place(&object.metadata);
        let name = object.name_any();
        let preconditions = Preconditions { resource_version: Some(version.to_owned()), uid: None };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        let doing = format!("delete {place}");
        let mut pause = PAUSE;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            self.held()?;
            let why: Box<dyn std::error::Error + Send + Sync> =
                match answered(self.api.delete(&name, &params)).await {
                    Ok(Ok(_)) => return Ok(()),
                    // It is gone, whoever did it: that is what was wanted.
                    Ok(Err(Error::Api(status))) if status.code == 404 => return Ok(()),
                    Ok(Err(error)) => match proof(error, false) {
                        Proof::Refused(error) => return Err(ApiError::new(doing, error).into()),
                        Proof::Raced => {
                            let found = "it is not the version that was read".to_owned();
                            return Err(StoreError::Overtaken { place, found });
                        }
                        Proof::Nothing(error) => error.into(),
                    },
                    Err(late) => late.into(),
                };
            last = Some(why);
            sleep(pause).await;
            pause *= 2;
        }
        Err(unanswered(doing, last))
    }

    /// Asked before every write.
    fn held(&self) -> Result<(), StoreError> {
        match self.fence {
            Some(fence) if !(fence.still_held)() => {
                Err(StoreError::Other(Box::new(NotHeld { generation: fence.generation })))
            }
            _ => Ok(()),
        }
    }

    /// What the object that is there says about a write without an answer.
    fn reading(&self, found: &ConsoleBinding, built_on: Option<&str>) -> Reading {
        let writer = found.annotations().get(WRITER_ANNOTATION).map_or("", String::as_str);
        if writer == self.mark {
            return Reading::Ours(version_of(found));
        }
        let version = version_of(found);
        let mut words = format!("it is version {version} now, by {}", who(found, writer));
        if !found.labels().contains_key(LEDGER_LABEL) {
            words.push_str(", and is not listed: put its label back, ");
            words.push_str(LEDGER_LABEL);
            words.push('=');
            words.push_str(&bindings::ledger_label(&VendorAccount::new(found.spec.vendor_account.as_str())));
        }
        match built_on {
            Some(built_on) if *built_on == *version => Reading::Untouched(words),
            _ => Reading::Other(words),
        }
    }
}

enum Reading {
    /// Our write happened; the object's version.
    Ours(SmolStr),
    /// The version that we built on is still there.
    Untouched(String),
    /// Somebody else wrote.
    Other(String),
}

fn who(found: &ConsoleBinding, writer: &str) -> String {
    match writer.split_once('/') {
        Some((run, _)) => match found.annotations().get(FENCE_ANNOTATION) {
            Some(generation) => format!("writer {run} under Lease generation {generation}"),
            None => format!("writer {run}"),
        },
        None => "a writer that is not tenantry".to_owned(),
    }
}

fn version_of(object: &ConsoleBinding) -> SmolStr {
    object.metadata.resource_version.clone().unwrap_or_default().into()
}

fn unanswered(doing: String, last: Option<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    let source = last.unwrap_or_else(|| Late(ANSWER.as_secs()).into());
    ApiError::Unanswered { doing, source }.into()
}

async fn answered<T>(sent: impl Future<Output = T>) -> Result<T, Late> {
    timeout(ANSWER, sent).await.map_err(|_| Late(ANSWER.as_secs()))
}
