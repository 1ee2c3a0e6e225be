//! What GitOps tools are told about our objects: the Lua that Argo CD runs and the CEL that Flux evaluates, each run by
//! a real interpreter over objects as the controller leaves them, and both in agreement.
//!
//! The Lua interpreter is Argo CD's own (gopher-lua), without the libraries that Argo CD does not open.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use cel::objects::{Key, Map};
use cel::{Context, Program, Value as Cel};
use serde_json::{Value, json};
use tenantry_crd::Kind;
use tenantry_tests::parts::{Part, available, repository_root};
use tenantry_tests::process::run;

/// What stands for an object to be looked at.
struct Case {
    what: &'static str,
    object: Value,
    argo: (&'static str, &'static str),
    flux: Flux,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flux {
    Current,
    Failed,
    InProgress,
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": "2026-11-20T09:30:00Z",
    })
}

fn customer(status: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "tenantry.io/v1alpha1", "kind": "Customer",
        "metadata": {"name": "adatum", "namespace": "customers", "generation": 3},
        "spec": {"company": {"legalName": "Adatum \"GmbH\"\n& Co. KG"}},
    });
    if !status.is_null() {
        object["status"] = status.clone();
    }
    object
}

fn looked_at(generation: i64, conditions: &[Value]) -> Value {
    customer(&json!({"observedGeneration": generation, "conditions": conditions}))
}

fn cases() -> Vec<Case> {
    let ready = || condition("Ready", "True", "Bound", "Everything is there.");
    let not_stalled = || condition("Stalled", "False", "Working", "");
    let mut deleted = looked_at(3, &[ready()]);
    deleted["metadata"]["deletionTimestamp"] = json!("2026-11-20T09:30:00Z");
    let mut cases = vec![
        Case {
            what: "new",
            object: customer(&Value::Null),
            argo: ("Progressing", "The controller has not looked at it yet"),
            flux: Flux::InProgress,
        },
        Case {
            what: "a status without conditions",
            object: customer(&json!({"observedGeneration": 3})),
            argo: ("Progressing", "The controller has not looked at it yet"),
            flux: Flux::InProgress,
        },
        Case {
            what: "no word of Ready",
            object: looked_at(3, &[not_stalled()]),
            argo: ("Progressing", "The controller has not looked at it yet"),
            flux: Flux::InProgress,
        },
        Case {
            what: "ready",
            object: looked_at(3, &[not_stalled(), ready()]),
            argo: ("Healthy", "Everything is there."),
            flux: Flux::Current,
        },
        Case {
            what: "ready before the last change",
            object: looked_at(2, &[ready()]),
            argo: ("Progressing", "The controller has not looked at the last change yet"),
            flux: Flux::InProgress,
        },
        Case {
            what: "stalled",
            object: looked_at(
                3,
                &[
                    condition("Ready", "False", "AwaitingOperator", "2 steps are held."),
                    condition("Stalled", "True", "Guard", "maxRemovals is 5; 9 are to be removed."),
                ],
            ),
            argo: ("Degraded", "maxRemovals is 5; 9 are to be removed."),
            flux: Flux::Failed,
        },
        Case {
            what: "stalled before the last change",
            object: looked_at(2, &[condition("Stalled", "True", "Guard", "Held.")]),
            argo: ("Progressing", "The controller has not looked at the last change yet"),
            flux: Flux::InProgress,
        },
        Case {
            what: "under way",
            object: looked_at(3, &[condition("Ready", "False", "Applying", "1 step is under way.")]),
            argo: ("Progressing", "1 step is under way."),
            flux: Flux::InProgress,
        },
        Case {
            what: "not known",
            object: looked_at(3, &[condition("Ready", "Unknown", "AwaitingVendor", "The console is down.")]),
            argo: ("Progressing", "The console is down."),
            flux: Flux::InProgress,
        },
    ];
    for reason in ["AwaitingCustomer", "AwaitingVendor", "AwaitingProvider", "AwaitingOperator"] {
        cases.push(Case {
            what: reason,
            object: looked_at(3, &[condition("Ready", "False", reason, "The mail is sent.")]),
            argo: ("Suspended", "The mail is sent."),
            flux: Flux::Current,
        });
    }
    cases.push(Case {
        what: "being deleted",
        object: deleted,
        argo: ("Progressing", "It is being deleted"),
        // Flux looks at what it applied: an object that it prunes is none of those.
        flux: Flux::Current,
    });
    cases
}

fn read(path: &str) -> String {
    fs::read_to_string(repository_root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn documents(path: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A JSON value as Lua writes it.
fn lua(value: &Value) -> String {
    match value {
        Value::Null => "nil".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => {
            let escaped: String = text.bytes().map(|byte| format!("\\{byte:03}")).collect();
            format!("\"{escaped}\"")
        }
        Value::Array(list) => format!("{{{}}}", list.iter().map(lua).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let fields = map
                .iter()
                .map(|(key, value)| format!("[{}] = {}", lua(&Value::String(key.clone())), lua(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
    }
}

/// What the health check says of an object: status and message. `None` as [`available`] says.
fn argo(object: &Value) -> Option<(String, String)> {
    let glua = available(Part::Glua.find())?;
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let script = directory.path().join("health.lua");
    // The libraries that Argo CD leaves closed are taken away, methods of strings with them.
    let text = format!(
        "local print, getmetatable = print, getmetatable\n\
         getmetatable(\"\").__index = nil\n\
         string, io, math, debug, coroutine, channel = nil, nil, nil, nil, nil, nil\n\
         obj = {}\n\
         local function check()\n{}\nend\n\
         local hs = check()\n\
         print(hs.status)\nprint(hs.message)\n",
        lua(object),
        read("docs/gitops/argocd/health.lua"),
    );
    fs::write(&script, text).expect("the temporary directory is writable");
    let mut command = Command::new(glua);
    command.arg(&script);
    let output = run(command, Duration::from_secs(20)).expect("glua can be run");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{said}{errors}");
    let (status, message) = said.trim_end_matches('\n').split_once('\n').unwrap_or((said.trim(), ""));
    Some((status.to_owned(), message.to_owned()))
}

/// As Kubernetes' CEL sees JSON: every integer is an `int`.
fn cel_value(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(bool) => Cel::Bool(*bool),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| Cel::Float(number.as_f64().unwrap_or(f64::NAN)), Cel::Int)
        }
        Value::String(text) => Cel::String(Arc::new(text.clone())),
        Value::Array(list) => Cel::List(Arc::new(list.iter().map(cel_value).collect())),
        Value::Object(map) => {
            let map = map.iter().map(|(key, value)| (Key::from(key.as_str()), cel_value(value)));
            Cel::Map(Map { map: Arc::new(map.collect()) })
        }
    }
}

/// What Flux is told: the expressions of each kind.
fn expressions() -> Vec<Value> {
    let all = documents("docs/gitops/flux/customers.yaml");
    let kustomization =
        all.iter().find(|document| document["kind"] == "Kustomization").expect("there is a Kustomization");
    kustomization["spec"]["healthCheckExprs"].as_array().expect("it has expressions").clone()
}

/// What the expressions of a kind say of an object. An expression that reaches for what is not there says nothing, and
/// Flux waits.
fn flux(object: &Value) -> Flux {
    let all = expressions();
    let of_kind = all
        .iter()
        .find(|one| one["kind"] == object["kind"] && one["apiVersion"] == object["apiVersion"])
        .unwrap_or_else(|| panic!("Flux is told nothing about {}", object["kind"]));
    let holds = |name: &str| {
        let Some(expression) = of_kind[name].as_str() else { return false };
        let program = Program::compile(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        let mut context = Context::default();
        for (field, value) in object.as_object().expect("it is an object") {
            context.add_variable_from_value(field.clone(), cel_value(value));
        }
        match program.execute(&context) {
            Ok(Cel::Bool(answer)) => answer,
            Ok(other) => panic!("{expression} is neither true nor false: {other:?}"),
            Err(_) => false,
        }
    };
    match (holds("failed"), holds("current")) {
        (true, false) => Flux::Failed,
        (false, true) => Flux::Current,
        (false, false) => Flux::InProgress,
        (true, true) => {
            panic!("{object} is both failed and current: what Flux makes of it depends on its order")
        }
    }
}

#[test]
fn argo_cd_shows_how_an_object_stands() {
    for case in cases() {
        let Some((status, message)) = argo(&case.object) else { return };
        assert_eq!((status.as_str(), message.as_str()), case.argo, "{}", case.what);
    }
}

#[test]
fn argo_cd_takes_what_others_only_read_for_healthy() {
    for &kind in Kind::ALL {
        let object = json!({
            "apiVersion": "tenantry.io/v1alpha1", "kind": kind.as_str(), "metadata": {"name": "a", "generation": 1},
            "spec": {},
        });
        let Some((status, _)) = argo(&object) else { return };
        let worked = [Kind::Console, Kind::Customer, Kind::License, Kind::Relationship, Kind::Upgrade];
        let expected = if worked.contains(&kind) { "Progressing" } else { "Healthy" };
        assert_eq!(status, expected, "{kind}");
    }
}

#[test]
fn the_config_map_holds_the_script_that_is_tested() {
    let map = documents("docs/gitops/argocd/argocd-cm.yaml").remove(0);
    let text = map["data"]["resource.customizations"].as_str().expect("it is a text");
    let inner: Value = serde_saphyr::from_str(text).expect("which is YAML itself");
    assert_eq!(inner["tenantry.io/*"]["health.lua"], read("docs/gitops/argocd/health.lua"));
}

#[test]
fn flux_takes_for_delivered_what_waits_for_a_person_and_for_failed_what_is_stalled() {
    for case in cases() {
        assert_eq!(flux(&case.object), case.flux, "{}", case.what);
    }
}

#[test]
fn flux_is_told_about_every_kind_that_people_write() {
    let told: Vec<Value> = expressions().iter().map(|one| one["kind"].clone()).collect();
    let written = Kind::ALL.iter().filter(|kind| **kind != Kind::ConsoleBinding);
    for kind in written {
        assert_eq!(told.iter().filter(|one| **one == kind.as_str()).count(), 1, "{kind}");
    }
    assert!(!told.contains(&json!("ConsoleBinding")), "nobody keeps the ledger in Git");
}

#[test]
fn values_in_the_examples_are_values_of_the_chart() {
    let schema: Value =
        serde_json::from_str(&read("charts/tenantry/values.schema.json")).expect("it is JSON");
    let applications = documents("docs/gitops/argocd/applications.yaml");
    let argo = applications.iter().find_map(|one| one["spec"]["source"]["helm"].get("valuesObject"));
    let releases = documents("docs/gitops/flux/tenantry.yaml");
    let flux = releases.iter().find_map(|one| one["spec"].get("values"));
    for values in [argo, flux] {
        let values = values.expect("the example sets values");
        let unknown: Vec<&String> = unknown(values, &schema);
        assert!(unknown.is_empty(), "no values of the chart: {unknown:?}");
    }
    // What Git keeps is never deleted with the definitions.
    let crds = &applications[0];
    assert_eq!(crds["spec"]["source"]["path"], "charts/tenantry/crds");
    assert_eq!(crds["spec"]["syncPolicy"]["automated"]["prune"], false);
    assert!(crds["metadata"]["finalizers"].is_null());
}

fn unknown<'a>(values: &'a Value, schema: &Value) -> Vec<&'a String> {
    let (Some(values), Some(known)) = (values.as_object(), schema["properties"].as_object()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (name, value) in values {
        match known.get(name) {
            Some(schema) => found.extend(unknown(value, schema)),
            None => found.push(name),
        }
    }
    found
}
