//! Entries and headers survive the way into a ConsoleBinding and back, whatever they hold; what cannot be read back is
//! refused with its object and field.

use kube::core::DynamicObject;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::json;
use smol_str::SmolStr;
use tenantry_engine::address::{Address, RemoteId, VendorAccount};
use tenantry_engine::capability::Row;
use tenantry_engine::ledger::{DeletionPolicy, Entry, GuardKind, GuardUse, Header, Standing, Want};
use tenantry_engine::operation::{Ack, Operation, Phase};
use tenantry_engine::origin::Origin;
use tenantry_engine::plan::Fingerprint;
use tenantry_engine::store::StoreError;
use tenantry_engine::value::{Digester, Field};

use super::*;

fn account() -> VendorAccount {
    VendorAccount::new("sophos:8a1c")
}

fn name() -> impl Strategy<Value = String> {
    "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?"
}

fn time() -> impl Strategy<Value = jiff::Timestamp> {
    (0i64..4_000_000_000, 0i32..1_000_000_000)
        .prop_map(|(second, nano)| jiff::Timestamp::new(second, nano).expect("within an age"))
}

fn address() -> impl Strategy<Value = Address> {
    (name(), name(), name(), 0..3).prop_map(|(namespace, name, account, kind)| match kind {
        0 => Address::account(&namespace, &name, &account),
        1 => Address::license(&namespace, &name),
        _ => Address::relationship(&namespace, &name),
    })
}

fn origin() -> impl Strategy<Value = Origin> {
    prop_oneof![
        (".{1,40}", 1u32.., 1u32..).prop_map(|(path, line, column)| Origin::file(path, line, column)),
        (name(), name(), any::<i64>()).prop_map(|(namespace, name, generation)| Origin::Object {
            object: "Customer".into(),
            namespace: namespace.into(),
            name: name.into(),
            generation
        }),
    ]
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<u64>().prop_map(|seed| Digester::new("key").text(&seed.to_string()))
}

fn phase() -> impl Strategy<Value = Phase> {
    let ack = (option::of(".{0,9}"), option::of(".{0,9}")).prop_map(|(id, link)| Ack {
        name: "create".to_owned(),
        remote_id: id.map(RemoteId::new),
        shown: Vec::new(),
        link,
        vendor_request_id: None,
    });
    prop_oneof![
        Just(Phase::Intent),
        time().prop_map(|at| Phase::Sent { at }),
        (time(), vec(ack, 0..3)).prop_map(|(at, acks)| Phase::Acked { at, acks }),
        (time(), ".{0,20}").prop_map(|(at, because)| Phase::Ambiguous { at, because }),
        time().prop_map(|at| Phase::Attested { at }),
        time().prop_map(|at| Phase::NotHappened { at }),
        (time(), ".{0,20}").prop_map(|(at, because)| Phase::Unknown { at, because }),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    (phase(), digest(), time(), vec(name(), 0..3), option::of(time()), any::<bool>()).prop_map(
        |(phase, content, intended, lookalikes, looked, more)| {
            let mut open: Operation = serde_json::from_value(json!({
                "id": "op", "row": "create", "requestId": "rq", "name": "create-tenant", "action": "create",
                "step": "00112233aabbccdd", "class": "blind", "content": content, "intended": intended,
                "phase": "intent",
            }))
            .expect("an operation as ledgers hold it");
            open.phase = phase;
            open.declared.insert(Field::of("name"), content);
            open.expect.push((tenantry_engine::observed::KeyKind::Name, content));
            open.lookalikes = lookalikes.into_iter().map(RemoteId::new).collect();
            open.looked = looked;
            open.more = more;
            open
        },
    )
}

fn invitation() -> impl Strategy<Value = tenantry_engine::ledger::Invitation> {
    (".{0,30}", time(), option::of(time()), vec((time(), option::of(time())), 0..3)).prop_map(
        |(link, drafted, sent, reminders)| tenantry_engine::ledger::Invitation {
            link,
            message_id: "m1".to_owned(),
            to: "ceo@adatum.example".to_owned(),
            language: "de".to_owned(),
            provider: sent.map(|_| "distro".to_owned()),
            accepted_as: vec!["domain:adatum.example".to_owned()],
            drafted,
            sent,
            reminders: reminders
                .into_iter()
                .map(|(drafted, sent)| tenantry_engine::ledger::Reminder {
                    drafted,
                    message_id: "m2".to_owned(),
                    sent,
                })
                .collect(),
            revoked: sent,
        },
    )
}

prop_compose! {
    fn entry()(
        origin in origin(),
        standing in prop_oneof![
            Just(Standing::Declared), Just(Standing::Released), Just(Standing::Leaving), Just(Standing::Ended)
        ],
        since in time(),
        parent in option::of((name(), name()).prop_map(|(name, account)| Box::new(Address::account("default", &name, &account)))),
        remote_id in option::of(".{1,40}".prop_map(RemoteId::new)),
        found in any::<bool>(),
        applied in btree_map("[a-zA-Z.]{1,12}", (digest(), option::of(digest()), any::<bool>()), 0..5),
        want in prop_oneof![
            Just(Want::Present), Just(Want::Suspended), Just(Want::Detached), Just(Want::Ended), Just(Want::Removed)
        ],
        policy in prop_oneof![Just(DeletionPolicy::Retain), Just(DeletionPolicy::Detach), Just(DeletionPolicy::Remove)],
        consents in btree_set(name(), 0..3),
    )(
        operation in option::of(operation().prop_map(Box::new)),
        invitation in option::of(invitation().prop_map(Box::new)),
        tasks in btree_map(name(), (time(), any::<bool>()), 0..3),
        wrote in option::of(time()),
        ended_elsewhere in option::of(time()),
        rest in Just((origin, standing, since, parent, remote_id, found, applied, want, policy, consents)),
    ) -> Entry {
        let (origin, standing, since, parent, remote_id, found, applied, want, deletion_policy, consents) = rest;
        Entry {
            origin, standing, since, parent, remote_id, found,
            last_applied: applied
                .into_iter()
                .map(|(field, (declared, shown, unsettled))| {
                    (Field::owned(field), Applied { declared, shown, unsettled })
                })
                .collect(),
            want, deletion_policy, operation, invitation,
            consents: consents.into(),
            tasks: tasks.into_iter().map(|(id, (since, attested))| {
                let attested = attested.then(|| tenantry_engine::task::Attested {
                    outcome: tenantry_engine::task::Outcome::Done,
                    by: "somebody".to_owned(),
                    on: since,
                    note: String::new(),
                });
                (id, tenantry_engine::task::TaskRecord { since, attested, task: None })
            }).collect(),
            wrote,
            ended_elsewhere: ended_elsewhere.map(Box::new),
        }
    }
}

prop_compose! {
    fn header()(
        serial in 0..i64::MAX as u64,
        confirmed in option::of(time()),
        uses in vec((time(), 0usize..4, any::<u32>()), 0..4),
        used in btree_set("[0-9a-f]{16}".prop_map(|text| Fingerprint::from_text(&text)), 0..4),
        last_census in option::of(0..i64::MAX as u64),
        refused in btree_map(proptest::sample::select(Row::ALL.to_vec()), time(), 0..4),
        console in option::of("[a-z]{1,8}".prop_map(SmolStr::from)),
    ) -> Header {
        let kinds = [GuardKind::Creations, GuardKind::Invitations, GuardKind::Removals, GuardKind::Seats];
        Header {
            format_version: FORMAT_VERSION,
            lineage: "0000".to_owned(),
            serial,
            vendor_account: account(),
            confirmed,
            guard_log: uses.into_iter().map(|(at, kind, count)| GuardUse {
                at, kind: kinds[kind], count, step: Fingerprint::from_text("00112233aabbccdd"),
            }).collect(),
            used_approvals: used,
            last_census,
            refused_rows: refused,
            console,
        }
    }
}

/// As an API server gives it back: JSON, with its own metadata.
fn stored(address: Option<&Address>, spec: ConsoleBindingSpec) -> DynamicObject {
    let mut object = object(&account(), address, spec);
    object.metadata.namespace = Some("emea".to_owned());
    object.metadata.resource_version = Some("7".to_owned());
    serde_json::from_value(serde_json::to_value(object).expect("it is JSON")).expect("it is an object")
}

proptest! {
    #[test]
    fn an_entry_comes_back_as_it_went(address in address(), entry in entry()) {
        let object = stored(Some(&address), to_spec(&address, &entry, &account()));
        let read = decode(&object, &account()).expect("it is understood");
        prop_assert_eq!(read, Bound::Entry(address, Box::new(entry)));
    }

    #[test]
    fn a_header_comes_back_as_it_went(header in header()) {
        let object = stored(None, header_to_spec(&header));
        let read = decode(&object, &account()).expect("it is understood");
        prop_assert_eq!(read, Bound::Header(Box::new(header)));
    }

    #[test]
    fn names_are_labels_and_differ(one in address(), other in address()) {
        let name = binding_name(&account(), Some(&one));
        prop_assert!(name.len() <= 63 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        prop_assert_eq!(one == other, name == binding_name(&account(), Some(&other)));
        prop_assert_ne!(name, binding_name(&account(), None));
        prop_assert_ne!(binding_name(&account(), Some(&one)), binding_name(&VendorAccount::new("sophos:other"), Some(&one)));
    }
}

#[test]
fn names_stay_what_they_are() {
    let address = Address::account("default", "adatum", "microsoft");
    assert_eq!(binding_name(&account(), Some(&address)), "entry-2106b94da33d795268007a572e5711cf");
    assert_eq!(binding_name(&account(), None), "ledger-81fdaa30b9b35668699701c7c48eb942");
    assert_eq!(ledger_label(&account()), "db52e6060fa8b194af7bfea1cd4188c4");
}

fn adatum() -> (Address, Entry) {
    let now = "2026-03-02T08:00:00Z".parse().expect("a timestamp");
    (Address::account("default", "adatum", "microsoft"), Entry::declared(Origin::file("a.yaml", 1, 1), now))
}

fn refusal(change: impl FnOnce(&mut DynamicObject)) -> String {
    let (address, entry) = adatum();
    let mut object = stored(Some(&address), to_spec(&address, &entry, &account()));
    change(&mut object);
    match decode(&object, &account()) {
        Err(error @ StoreError::Damaged { .. }) => error.to_string(),
        other => panic!("not refused as damaged: {other:?}"),
    }
}

#[test]
fn what_is_not_understood_is_refused_with_its_object_and_field() {
    let text = refusal(|object| object.data["spec"]["standing"] = json!("Sideways"));
    let name = binding_name(&account(), Some(&adatum().0));
    assert!(text.starts_with(&format!("ConsoleBinding emea/{name}: spec.standing: ")), "{text}");
    assert!(text.ends_with("restore this object from a backup, or use the tenantry that wrote it"), "{text}");
    let text = refusal(|object| object.data["spec"]["operation"] = json!({"id": "op1"}));
    assert!(text.contains("spec.operation"), "{text}");
    let text = refusal(|object| object.data["spec"]["mood"] = json!("fine"));
    assert!(text.contains("mood"), "{text}");
    let text = refusal(|object| object.data["spec"]["lastApplied"] = json!({"name": {"declared": "xyz"}}));
    assert!(text.contains("spec.lastApplied.name.declared: "), "{text}");
    let text = refusal(|object| object.data["spec"]["origin"] = json!({}));
    assert!(text.contains("spec.origin: names not exactly one of object and file"), "{text}");
    let text = refusal(|object| {
        object.data["spec"].as_object_mut().expect("an object").remove("since");
    });
    assert!(text.contains("spec.since: an entry needs it, and it is not there"), "{text}");
}

#[test]
fn an_object_under_another_name_or_account_is_refused() {
    let text = refusal(|object| object.metadata.name = Some("copy".to_owned()));
    assert!(text.contains("metadata.name: is not entry-"), "{text}");
    let text = refusal(|object| object.data["spec"]["vendorAccount"] = json!("sophos:other"));
    assert!(
        text.contains("spec.vendorAccount: is sophos:other, the ledger belongs to sophos:8a1c"),
        "{text}"
    );
}

#[test]
fn a_header_of_a_later_format_is_refused_before_anything_else_of_it_is_read() {
    let header = tenantry_engine::ledger::Ledger::new(account(), "l".to_owned()).header;
    let mut object = stored(None, header_to_spec(&header));
    object.data["spec"]["header"]["formatVersion"] = json!(FORMAT_VERSION + 1);
    object.data["spec"]["header"]["somethingNew"] = json!(true);
    let error = decode(&object, &account()).expect_err("it is refused");
    assert_eq!(
        error.to_string(),
        format!(
            "ConsoleBinding emea/{}: spec.header.formatVersion: written by a later tenantry (format {}, this one knows {FORMAT_VERSION}); use that one",
            binding_name(&account(), None),
            FORMAT_VERSION + 1
        )
    );
}
