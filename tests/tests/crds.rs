//! The CRDs on a real API server: what it accepts and refuses, what kubectl shows of it, and who may own which field.
//!
//! Rules are not listed here: they are read from the generated CRDs, and a rule for which `tests/objects/refused` has
//! no bad object fails the test.

use std::collections::BTreeSet;
use std::fs;

use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use serde_json::{Value, json};
use tenantry_crd::{API_VERSION, AnyObject, GROUP, Kind, VERSION, cel};
use tenantry_tests::kube::Cluster;
use tenantry_tests::parts::repository_root;

#[path = "crds/ownership.rs"]
mod ownership;
#[path = "crds/shown.rs"]
mod shown;

/// A bad object, and what is to be said about it.
struct Refused {
    kind: Kind,
    /// Which of its kind, for messages of these tests.
    number: usize,
    /// Where the rule is broken, as the API server names it.
    at: String,
    message: String,
    /// What the object was before, for a rule about changes.
    before: Option<Value>,
    spec: Value,
}

fn yaml_documents(path: &str) -> Vec<Value> {
    let text =
        fs::read_to_string(repository_root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn lower(kind: Kind) -> String {
    kind.as_str().to_lowercase()
}

fn refused(kind: Kind) -> Vec<Refused> {
    yaml_documents(&format!("tests/objects/refused/{}.yaml", lower(kind)))
        .into_iter()
        .enumerate()
        .map(|(number, case)| Refused {
            kind,
            number,
            at: case["at"].as_str().expect("a bad object says where").to_owned(),
            message: case["message"].as_str().expect("a bad object says what is said").to_owned(),
            before: case.get("before").cloned(),
            spec: case["spec"].clone(),
        })
        .collect()
}

/// An object of `kind` in `namespace`.
fn object(kind: Kind, namespace: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": kind.as_str(),
        "metadata": {"namespace": namespace, "name": name},
        "spec": spec,
    })
}

/// The objects that together name every field of a kind, moved to `namespace`.
fn valid(kind: Kind, namespace: &str) -> Vec<Value> {
    let mut documents = yaml_documents(&format!("crd/tests/objects/{}.yaml", lower(kind)));
    for document in &mut documents {
        document["metadata"]["namespace"] = json!(namespace);
    }
    documents
}

fn api(cluster: &Cluster, kind: Kind, namespace: &str) -> Api<DynamicObject> {
    let names = kind.crd().spec.names;
    let resource = ApiResource::from_gvk_with_plural(
        &GroupVersionKind::gvk(GROUP, VERSION, kind.as_str()),
        &names.plural,
    );
    Api::namespaced_with(cluster.client(), namespace, &resource)
}

fn dynamic(value: &Value) -> DynamicObject {
    serde_json::from_value(value.clone()).expect("an object has metadata")
}

async fn create(
    cluster: &Cluster,
    kind: Kind,
    namespace: &str,
    object: &Value,
) -> kube::Result<DynamicObject> {
    api(cluster, kind, namespace).create(&PostParams::default(), &dynamic(object)).await
}

/// Every rule of the committed CRDs: kind, place in the schema, message.
fn rules() -> BTreeSet<(Kind, String, String)> {
    fn walk(kind: Kind, schema: &Value, at: &str, found: &mut BTreeSet<(Kind, String, String)>) {
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let message = rule["message"].as_str().expect("every rule says what is wrong in words");
            found.insert((kind, at.to_owned(), message.to_owned()));
        }
        for (name, child) in schema["properties"].as_object().into_iter().flatten() {
            let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            walk(kind, child, &at, found);
        }
        for (key, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
            if schema[key].is_object() {
                walk(kind, &schema[key], &format!("{at}{mark}"), found);
            }
        }
    }
    let mut found = BTreeSet::new();
    for &kind in Kind::ALL {
        let names = kind.crd().spec.names;
        let file = format!("charts/tenantry/crds/{}.{GROUP}.yaml", names.plural);
        let crd = yaml_documents(&file).remove(0);
        let versions = crd["spec"]["versions"].as_array().expect("a CRD has versions");
        for version in versions {
            walk(kind, &version["schema"]["openAPIV3Schema"], "", &mut found);
        }
    }
    assert!(found.len() > 40, "only {} rules were found", found.len());
    found
}

/// The place in the schema of a place in an object: `spec.accounts[1]` is `spec.accounts[]`.
fn in_schema(at: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for char in at.chars() {
        inside = if char == ']' { false } else { inside };
        if !inside {
            out.push(char);
        }
        inside = inside || char == '[';
    }
    out
}

#[test]
fn every_rule_has_an_object_that_breaks_it_and_every_such_object_breaks_a_rule() {
    let tried: BTreeSet<_> = Kind::ALL
        .iter()
        .flat_map(|kind| refused(*kind))
        .map(|case| (case.kind, in_schema(&case.at), case.message))
        .collect();
    let rules = rules();
    let untried: Vec<_> = rules.difference(&tried).collect();
    assert!(untried.is_empty(), "tests/objects/refused has no object that breaks {untried:#?}");
    let unknown: Vec<_> = tried.difference(&rules).collect();
    assert!(unknown.is_empty(), "no CRD has these rules: {unknown:#?}");
}

#[tokio::test]
async fn the_api_server_refuses_what_breaks_a_rule_and_says_so_in_the_rules_words() {
    let Some(cluster) = Cluster::shared().await else { return };
    let Some(()) = cluster.install_crds() else { return };
    let namespace = cluster.namespace("refused").await;
    for case in Kind::ALL.iter().flat_map(|kind| refused(*kind)) {
        let name = format!("{}-{}", lower(case.kind), case.number);
        let bad = object(case.kind, &namespace, &name, &case.spec);
        let answer = match &case.before {
            None => create(&cluster, case.kind, &namespace, &bad).await,
            Some(before) => {
                let before = object(case.kind, &namespace, &name, before);
                create(&cluster, case.kind, &namespace, &before)
                    .await
                    .unwrap_or_else(|error| panic!("{name}, as it was before: {error}"));
                let replaced = json!({"spec": case.spec});
                // A JSON merge patch would keep fields that the new spec leaves out.
                let mut change = before.clone();
                change["spec"] = replaced["spec"].clone();
                let api = api(&cluster, case.kind, &namespace);
                let stored = api.get(&name).await.expect("it was created");
                change["metadata"]["resourceVersion"] = json!(stored.metadata.resource_version);
                api.replace(&name, &PostParams::default(), &dynamic(&change)).await
            }
        };
        let Err(kube::Error::Api(status)) = answer else {
            panic!("{name} is accepted, or the server does not answer: {answer:?}")
        };
        assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"), "{name}: {}", status.message);
        let said = status.message.contains(&format!("{}: Invalid value", case.at));
        assert!(said && status.message.contains(&case.message), "{name}: {}", status.message);
    }
}

#[test]
fn what_the_api_server_refuses_the_command_refuses_offline() {
    for case in Kind::ALL.iter().flat_map(|kind| refused(*kind)) {
        let typed = |spec: &Value| {
            AnyObject::from_value(object(case.kind, "default", "a", spec))
                .unwrap_or_else(|error| panic!("{} {}: {error}", case.kind, case.number))
        };
        let found = match &case.before {
            None => cel::check(&typed(&case.spec)),
            Some(before) => cel::check_update(&typed(&case.spec), &typed(before)),
        };
        let said = found.iter().any(|v| v.path.to_string() == case.at && v.message == case.message);
        assert!(said, "{} {}: {found:?}", case.kind, case.number);
    }
}

/// What was declared and is not there, or is otherwise, in what was stored.
fn lost(declared: &Value, stored: &Value, at: &str, found: &mut Vec<String>) {
    match (declared, stored) {
        (Value::Object(declared), Value::Object(stored)) => {
            for (key, value) in declared {
                lost(value, stored.get(key).unwrap_or(&Value::Null), &format!("{at}.{key}"), found);
            }
        }
        (Value::Array(declared), Value::Array(stored)) if declared.len() == stored.len() => {
            for (place, (declared, stored)) in declared.iter().zip(stored).enumerate() {
                lost(declared, stored, &format!("{at}[{place}]"), found);
            }
        }
        (Value::Number(declared), Value::Number(stored)) if declared.as_f64() == stored.as_f64() => {}
        (declared, stored) if declared == stored => {}
        (declared, stored) => found.push(format!("{at}: {declared} became {stored}")),
    }
}

#[tokio::test]
async fn every_kind_is_accepted_with_all_its_fields_and_none_is_pruned() {
    let Some(cluster) = Cluster::shared().await else { return };
    let Some(()) = cluster.install_crds() else { return };
    let namespace = cluster.namespace("accepted").await;
    for &kind in Kind::ALL {
        for declared in valid(kind, &namespace) {
            let name = declared["metadata"]["name"].as_str().expect("it has a name");
            let stored = create(&cluster, kind, &namespace, &declared)
                .await
                .unwrap_or_else(|error| panic!("{kind} {name}: {error}"));
            let mut found = Vec::new();
            lost(&declared["spec"], &stored.data["spec"], "spec", &mut found);
            assert!(found.is_empty(), "{kind} {name}: {found:#?}");
        }
    }
}

#[tokio::test]
async fn a_misspelt_field_is_refused_by_its_name_and_an_unknown_value_by_those_that_are_known() {
    let Some(cluster) = Cluster::shared().await else { return };
    let Some(()) = cluster.install_crds() else { return };
    let namespace = cluster.namespace("misspelt").await;
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let apply = |text: &str| {
        let file = directory.path().join("object.yaml");
        fs::write(&file, text).expect("the temporary directory is writable");
        let file = file.to_str().expect("a temporary path is UTF-8");
        let command = cluster.kubectl(&["apply", "-n", &namespace, "-f", file])?;
        let output = tenantry_tests::process::run(command, std::time::Duration::from_secs(60))
            .expect("kubectl can be run");
        Some((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
    };
    let head = "apiVersion: tenantry.io/v1alpha1\nkind: Customer\nmetadata: {name: a}\n";
    let Some((done, said)) = apply(&format!("{head}spec: {{company: {{legalName: A}}, acounts: []}}\n"))
    else {
        return;
    };
    assert!(!done && said.contains("unknown field \"spec.acounts\""), "{said}");
    let Some((done, said)) = apply(&format!("{head}spec: {{company: {{legalName: A}}, want: Gone}}\n"))
    else {
        return;
    };
    assert!(!done, "{said}");
    assert!(
        said.contains(r#"spec.want: Unsupported value: "Gone": supported values: "Present", "Suspended""#),
        "{said}"
    );
}

#[tokio::test]
async fn status_is_a_part_of_its_own() {
    let Some(cluster) = Cluster::shared().await else { return };
    let Some(()) = cluster.install_crds() else { return };
    let namespace = cluster.namespace("status").await;
    let customer = object(Kind::Customer, &namespace, "a", &json!({"company": {"legalName": "A"}}));
    create(&cluster, Kind::Customer, &namespace, &customer).await.expect("a Customer is accepted");
    let api = api(&cluster, Kind::Customer, &namespace);
    let patch = json!({"spec": {"company": {"legalName": "B"}}, "status": {"standing": "Active"}});
    let answer = api.patch_status("a", &PatchParams::default(), &Patch::Merge(&patch)).await;
    let stored = answer.expect("status can be patched");
    assert_eq!(stored.data["spec"]["company"]["legalName"], "A", "status does not write the declaration");
    assert_eq!(stored.data["status"]["standing"], "Active");
    assert_eq!(stored.metadata.generation, Some(1), "status is no new generation");
    let answer = api.patch("a", &PatchParams::default(), &Patch::Merge(&patch)).await;
    let stored = answer.expect("the declaration can be patched");
    assert_eq!(stored.data["spec"]["company"]["legalName"], "B");
    assert_eq!(stored.metadata.generation, Some(2));
}
