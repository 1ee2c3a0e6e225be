//! Objects that are broken, deleted, made again, or whose statuses and bindings get lost.

use serde_json::{Value, json};
use tenantry_tests::controller::condition;
use tenantry_tests::worlds;

use super::worlds::{KNOWN, approve, declare, declared, made, seed, settled, shown, until_ready};
use tenantry_tests::controller::Field;

#[test]
fn a_broken_object_says_so_and_its_neighbours_go_on() {
    // Definitions are everybody's: this test changes one.
    let Some(field) = Field::alone(&seed()) else { return };
    let field = declare(field);
    let controller = field.start(&[]);
    for name in KNOWN {
        until_ready(&field, &[&controller], name);
    }
    // A version to come has a field that this one does not know: the definition there is a later one. Nobody watches
    // while it changes: to old watches an API server shows what the old definition knew.
    controller.end();
    let crds: kube::Api<kube::core::DynamicObject> = kube::Api::all_with(
        field.client(),
        &kube::discovery::ApiResource {
            group: "apiextensions.k8s.io".into(),
            version: "v1".into(),
            api_version: "apiextensions.k8s.io/v1".into(),
            kind: "CustomResourceDefinition".into(),
            plural: "customresourcedefinitions".into(),
        },
    );
    let before = field.wait(crds.get("customers.tenantry.io")).expect("the definition is there");
    let mut later = before;
    later.metadata.managed_fields = None;
    later.data["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["moon"] =
        json!({"type": "string"});
    field
        .wait(crds.replace("customers.tenantry.io", &kube::api::PostParams::default(), &later))
        .expect("accepted");
    let mark = field.simulator().log().mark();
    field.until("the API server knows the new field", &[], || {
        field.patch("customers", "alder", &json!({"spec": {"moon": "full"}}));
        let alder = field.get("customers", "alder");
        if alder["spec"]["moon"] == "full" { Ok(()) } else { Err(alder["spec"].to_string()) }
    });
    let controller = field.start(&[]);
    let alder =
        field.until_condition(&[&controller], ("customers", "alder"), ("Stalled", "True", "NotUnderstood"));
    let said = condition(&alder, "Ready")["message"].as_str().unwrap_or_default().to_owned();
    assert!(said.contains("moon"), "{said}");
    let told = field.until("an Event", &[&controller], || {
        let events = field.events("Customer", "alder");
        let found = events.iter().find(|(reason, _)| reason == "NotUnderstood").cloned();
        found.ok_or_else(|| format!("{events:?}"))
    });
    assert!(told.1.contains("moon"), "{told:?}");
    // What it declared is kept, and its neighbour is worked on.
    field.patch("customers", "birch", &json!({"spec": {"company": {"displayName": "Birch Beside"}}}));
    field.until("the neighbour's new name is shown", &[&controller], || {
        let all = shown(&field);
        if all.contains(&"Birch Beside".to_owned()) { Ok(()) } else { Err(format!("{all:?}")) }
    });
    assert_eq!(shown(&field).len(), KNOWN.len());
    let bindings = field.list("consolebindings");
    let alder =
        bindings.iter().find(|one| one["spec"]["address"]["name"] == "alder").expect("it has a binding");
    assert_eq!(alder["spec"]["standing"], "Declared");
    assert_eq!(field.writes(mark), 1, "{:?}", field.requests(mark));
    field.patch("customers", "alder", &json!({"spec": {"moon": null}}));
    until_ready(&field, &[&controller], "alder");
}

#[test]
fn a_deleted_customer_that_is_declared_again_is_bound_again_and_nothing_is_asked() {
    let Some((field, controller)) = settled(&[]) else { return };
    let mark = field.simulator().log().mark();
    field.delete("customers", "alder");
    field.until("the object is gone", &[&controller], || {
        let object = field.get("customers", "alder");
        if object.is_null() { Ok(()) } else { Err(object["metadata"].to_string()) }
    });
    field.apply(&super::worlds::known(1, "alder", "alder works GmbH"));
    let alder = until_ready(&field, &[&controller], "alder");
    assert_eq!(alder["status"]["accounts"][0]["remoteId"], worlds::id(1));
    assert_eq!(field.writes(mark), 0, "{:?}", field.requests(mark));
    assert_eq!(shown(&field).len(), KNOWN.len());
}

#[test]
fn wiped_statuses_change_nothing_and_are_told_again() {
    let Some((field, controller)) = settled(&[]) else { return };
    let before = field.get("customers", "alder")["status"].clone();
    controller.end();
    for (plural, name) in [("customers", "alder"), ("customers", "birch"), ("consoles", "sophos")] {
        let patch = kube::api::Patch::Merge(json!({"status": null}));
        let api = field.api(plural);
        field.wait(api.patch_status(name, &kube::api::PatchParams::default(), &patch)).expect("it is wiped");
    }
    let mark = field.simulator().log().mark();
    let controller = field.start(&[]);
    let alder = until_ready(&field, &[&controller], "alder");
    assert_eq!(alder["status"]["accounts"], before["accounts"]);
    assert_eq!(field.writes(mark), 0, "{:?}", field.requests(mark));
    // A status that is there is not written again.
    field.until("the first list is read", &[&controller], || {
        let reconciles = field.metric(&controller, "tenantry_reconciles_total");
        if reconciles > 0.0 { Ok(()) } else { Err(format!("{reconciles}")) }
    });
    let cedar = field.get("customers", "cedar");
    let managers: Vec<&Value> = cedar["metadata"]["managedFields"].as_array().into_iter().flatten().collect();
    assert!(!managers.is_empty());
}

#[test]
fn lost_bindings_create_nothing_however_often_it_is_looked() {
    let Some(field) = declared() else { return };
    field.apply(&worlds::customer("fresh", &[worlds::made_at_sophos()]));
    let controller = field.start(&[]);
    approve(&field, &[&controller], "sophos");
    until_ready(&field, &[&controller], "fresh");
    assert_eq!(made(&field, 0), 1);
    controller.end();
    field.kubectl(&["delete", "consolebindings", "--all", "--wait=false"]);
    assert_eq!(field.list("consolebindings").len(), 0);
    // Another approval than the used one: what the ledger forgot, it must not be talked into.
    field.annotate("consoles", "sophos", "tenantry.io/approve", "");
    let mark = field.simulator().log().mark();
    for round in 0..3 {
        let controller = field.start(&[]);
        field.until("the known ones are bound again", &[&controller], || {
            let alder = field.list("consolebindings");
            let bound = alder.iter().any(|one| one["spec"]["address"]["name"] == "alder");
            if bound { Ok(()) } else { Err(format!("{} bindings", alder.len())) }
        });
        field.until_condition(&[&controller], ("consoles", "sophos"), ("Ready", "True", "AsDeclared"));
        let fresh = field.until("fresh is not made", &[&controller], || {
            let fresh = field.get("customers", "fresh");
            if condition(&fresh, "Ready")["status"] == "False" {
                Ok(fresh)
            } else {
                Err(fresh["status"].to_string())
            }
        });
        assert_eq!(condition(&fresh, "Stalled")["status"], "True", "{fresh}");
        controller.end();
        assert_eq!(field.writes(mark), 0, "round {round}: {:?}", field.requests(mark));
    }
    assert_eq!(shown(&field).len(), KNOWN.len() + 1);
}

#[test]
fn a_deletion_policy_ends_nothing_where_the_whole_namespace_goes() {
    let detach = ", deletionPolicy: Detach, consents: [customer-told, delegated-rights-stay]";
    let seed = json!({"microsoft": worlds::microsoft_seed(
        &[worlds::microsoft_customer(1, "stays"), worlds::microsoft_customer(2, "goes")], &[], &json!({}),
    )});
    let Some(field) = Field::new(&seed) else { return };
    field.apply(&worlds::microsoft(""));
    for (n, name) in [(1, "stays"), (2, "goes")] {
        field.apply(&worlds::customer(name, &[worlds::known_at_microsoft(&worlds::id(n), detach)]));
    }
    let controller = field.start(&[]);
    for name in ["stays", "goes"] {
        field.until("it is bound", &[&controller], || {
            let object = field.get("customers", name);
            let linked = object["status"]["accounts"][0]["standing"] == "Linked";
            if linked { Ok(()) } else { Err(object["status"].to_string()) }
        });
    }
    let ends = |mark: u64| {
        let filter = tenantry_simulator::LogFilter { since: mark, ..Default::default() };
        let entries = field.simulator().log().entries(&filter);
        entries.iter().filter(|entry| entry.method == "PATCH" && !entry.effects.is_empty()).count()
    };
    // One customer goes by itself: its policy is acted on.
    let mark = field.simulator().log().mark();
    field.delete("customers", "goes");
    field.until("it is detached", &[&controller], || {
        let done = ends(mark);
        if done == 1 { Ok(()) } else { Err(format!("{:?}", field.requests(mark))) }
    });
    field.until("the object is gone", &[&controller], || {
        let object = field.get("customers", "goes");
        if object.is_null() { Ok(()) } else { Err(object["metadata"].to_string()) }
    });
    // The namespace goes: nobody spoke about customers.
    let mark = field.simulator().log().mark();
    field.kubectl(&["delete", "namespace", field.namespace(), "--wait=false"]);
    field.delete("customers", "stays");
    field.until("the object is gone", &[&controller], || {
        let object = field.get("customers", "stays");
        if object.is_null() { Ok(()) } else { Err(object["metadata"].to_string()) }
    });
    let bindings = field.list("consolebindings");
    let stays =
        bindings.iter().find(|one| one["spec"]["address"]["name"] == "stays").expect("it has a binding");
    assert_eq!(stays["spec"]["standing"], "Released", "{stays}");
    assert_eq!(field.writes(mark), 0, "{:?}", field.requests(mark));
}
