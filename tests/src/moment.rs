//! A field as it was at one moment: the objects of its namespace, and its simulated consoles. What
//! [`snapshot`](crate::snapshot) is for a desk.
//!
//! Going back costs a request for each object that is another one, so that the life of a controller can be tried again
//! and again from the same beginning. The simulator's log and Events go on, and the Lease stays where it is. Never
//! taken or put back while a controller lives on the field.

use std::collections::BTreeMap;

use ::kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Map, Value, json};
use tenantry_simulator::Saved;

use crate::controller::Field;

/// What controllers read and write; credentials too, because vendors rotate some.
const KINDS: [&str; 8] = [
    "secrets",
    "products",
    "consoles",
    "customers",
    "licenses",
    "relationships",
    "attestations",
    "consolebindings",
];

/// Objects by plural and name.
type Objects = BTreeMap<(&'static str, String), Value>;

/// A field at one moment.
#[derive(Debug)]
pub struct Moment {
    objects: Objects,
    consoles: Saved,
}

impl Moment {
    /// The field as it is now.
    pub fn of(field: &Field) -> Self {
        Self { objects: objects(field), consoles: field.simulator().save() }
    }

    /// Puts the field back.
    ///
    /// An object that is another one is made anew, since what it has become cannot always be undone: a deletion has
    /// begun, or a ledger's serial never falls.
    ///
    /// # Panics
    /// When the API server refuses it.
    pub fn put_back(&self, field: &Field) {
        field.simulator().restore(&self.consoles);
        let now = objects(field);
        for (place, object) in &now {
            if self.objects.get(place) != Some(object) {
                take_away(field, place, object);
            }
        }
        for (place, object) in &self.objects {
            if now.get(place) != Some(object) {
                make(field, place, object);
            }
        }
    }
}

/// All objects of a field, without what the API server adds to each version.
fn objects(field: &Field) -> Objects {
    let mut out = Objects::new();
    for plural in KINDS {
        let listed = field.wait(field.api(plural).list(&ListParams::default()));
        for object in listed.expect("the API server answers").items {
            let name = object.metadata.name.clone().unwrap_or_default();
            let object = serde_json::to_value(object).expect("an object is JSON");
            let mut metadata = Map::new();
            for key in ["labels", "annotations", "finalizers", "deletionTimestamp"] {
                if let Some(value) = object["metadata"].get(key) {
                    metadata.insert(key.to_owned(), value.clone());
                }
            }
            let mut kept = Map::from_iter([("metadata".to_owned(), Value::Object(metadata))]);
            for key in ["spec", "status", "data"] {
                if let Some(value) = object.get(key) {
                    kept.insert(key.to_owned(), value.clone());
                }
            }
            out.insert((plural, name), Value::Object(kept));
        }
    }
    out
}

fn take_away(field: &Field, (plural, name): &(&'static str, String), object: &Value) {
    let api = field.api(plural);
    if object["metadata"]["finalizers"].is_array() {
        field.patch(plural, name, &json!({"metadata": {"finalizers": null}}));
    }
    // One whose deletion had begun is gone with its last finalizer.
    if !object["metadata"]["deletionTimestamp"].is_string() {
        let deleted = field.wait(api.delete(name, &DeleteParams::default()));
        deleted.unwrap_or_else(|error| panic!("{plural}/{name}: {error}"));
    }
}

/// As people apply it, so that applying it again takes out what is not in it any more; then what others wrote on it.
fn make(field: &Field, (plural, name): &(&'static str, String), object: &Value) {
    let api = field.api(plural);
    let kind = Field::kind(plural);
    let mut declared = json!({
        "apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}
    });
    for key in ["spec", "data"] {
        if let Some(value) = object.get(key) {
            declared[key] = value.clone();
        }
    }
    let params = PatchParams::apply("tests").force();
    let made = field.wait(api.patch(name, &params, &Patch::Apply(&declared)));
    made.unwrap_or_else(|error| panic!("{plural}/{name}: {error}"));
    if object["metadata"].as_object().is_some_and(|metadata| !metadata.is_empty()) {
        field.patch(plural, name, &json!({"metadata": object["metadata"]}));
    }
    if let Some(status) = object.get("status") {
        let patch = json!({"status": status});
        let patched = field.wait(api.patch_status(name, &PatchParams::default(), &Patch::Merge(&patch)));
        patched.unwrap_or_else(|error| panic!("{plural}/{name}: {error}"));
    }
}
