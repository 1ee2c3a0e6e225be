//! Who owns which field: a person's tool the declaration, the controller finalizers and status, neither the other's.

use std::time::Duration;

use tenantry_tests::process::run;

use super::*;

/// As the controller writes: only what it names, and never over somebody else's field.
const CONTROLLER: &str = "tenantry-controller";
/// As a person's tool writes.
const GITOPS: &str = "gitops";
const FINALIZER: &str = "tenantry.io/ledger";

fn identity(namespace: &str) -> Value {
    json!({
        "apiVersion": API_VERSION, "kind": "Customer", "metadata": {"name": "adatum", "namespace": namespace},
    })
}

fn declaration(namespace: &str, display: &str) -> Value {
    let mut object = identity(namespace);
    object["spec"] = json!({
        "company": {"legalName": "Adatum GmbH", "displayName": display},
        "accounts": [{"name": "sophos", "consoleRef": {"name": "sophos"}}],
    });
    object
}

async fn apply(api: &Api<DynamicObject>, manager: &str, object: &Value) -> kube::Result<DynamicObject> {
    api.patch("adatum", &PatchParams::apply(manager), &Patch::Apply(object)).await
}

#[tokio::test]
async fn a_persons_tool_and_the_controller_do_not_fight_over_an_object() {
    let Some(cluster) = Cluster::shared().await else { return };
    let Some(()) = cluster.install_crds() else { return };
    let namespace = cluster.namespace("owners").await;
    let api = api(&cluster, Kind::Customer, &namespace);

    apply(&api, GITOPS, &declaration(&namespace, "Adatum")).await.expect("the declaration is accepted");
    let mut finalizer = identity(&namespace);
    finalizer["metadata"]["finalizers"] = json!([FINALIZER]);
    apply(&api, CONTROLLER, &finalizer).await.expect("a finalizer without a declaration is accepted");
    let mut status = identity(&namespace);
    let ready = json!({
        "type": "Ready", "status": "True", "reason": "Bound", "message": "", "lastTransitionTime": "2026-11-20T09:30:00Z",
    });
    status["status"] = json!({"standing": "Active", "conditions": [ready]});
    api.patch_status("adatum", &PatchParams::apply(CONTROLLER), &Patch::Apply(&status))
        .await
        .expect("a status is accepted");

    // The tool says its whole declaration again, changed: no conflict, and nothing of the controller's goes.
    let stored = apply(&api, GITOPS, &declaration(&namespace, "Adatum Ltd")).await.expect("no conflict");
    assert_eq!(stored.metadata.finalizers, Some(vec![FINALIZER.to_owned()]));
    assert_eq!(stored.data["status"]["standing"], "Active");
    assert_eq!(stored.data["spec"]["company"]["displayName"], "Adatum Ltd");

    // The controller takes its finalizer away by not naming it, and leaves the declaration alone.
    let stored = apply(&api, CONTROLLER, &identity(&namespace)).await.expect("no conflict");
    assert_eq!(stored.metadata.finalizers, None);
    assert_eq!(stored.data["spec"]["company"]["displayName"], "Adatum Ltd");

    // Accounts are a list keyed by name: a second tool adds one and takes none away.
    let mut second = identity(&namespace);
    second["spec"] = json!({
        "company": {"legalName": "Adatum GmbH"},
        "accounts": [{"name": "acronis", "consoleRef": {"name": "acronis"}}],
    });
    let stored = apply(&api, "another-tool", &second).await.expect("no conflict");
    let names: Vec<&Value> = stored.data["spec"]["accounts"]
        .as_array()
        .expect("accounts are a list")
        .iter()
        .map(|account| &account["name"])
        .collect();
    assert_eq!(names, ["sophos", "acronis"]);

    // And would anybody write another's field, the API server says whose it is.
    second["spec"]["company"]["legalName"] = json!("Adatum KG");
    let Err(kube::Error::Api(status)) = apply(&api, "another-tool", &second).await else {
        panic!("a conflict is accepted")
    };
    assert_eq!(status.code, 409);
    assert!(status.message.contains(GITOPS) && status.message.contains("legalName"), "{}", status.message);
}

#[tokio::test]
async fn waiting_for_ready_ends_when_the_status_says_so_and_not_before() {
    let Some(cluster) = Cluster::shared().await else { return };
    let Some(()) = cluster.install_crds() else { return };
    let namespace = cluster.namespace("wait").await;
    let api = api(&cluster, Kind::Customer, &namespace);
    apply(&api, GITOPS, &declaration(&namespace, "Adatum")).await.expect("the declaration is accepted");
    let wait = |timeout: &str| {
        let timeout = format!("--timeout={timeout}");
        cluster.kubectl(&["wait", "--for=condition=Ready", "customer/adatum", "-n", &namespace, &timeout])
    };
    let condition = |status: &str, generation: i64| {
        let ready = json!({
            "type": "Ready", "status": status, "reason": "Reason", "message": "", "observedGeneration": generation,
            "lastTransitionTime": "2026-11-20T09:30:00Z",
        });
        json!({"status": {"observedGeneration": generation, "conditions": [ready]}})
    };
    let patch = async |status: Value| {
        api.patch_status("adatum", &PatchParams::default(), &Patch::Merge(&status)).await.expect("a status");
    };

    patch(condition("False", 1)).await;
    let Some(early) = wait("1s") else { return };
    let output = run(early, Duration::from_secs(60)).expect("kubectl can be run");
    assert!(!output.status.success(), "it is not ready, and kubectl does not wait");

    let Some(command) = wait("60s") else { return };
    let waiting = tokio::task::spawn_blocking(move || run(command, Duration::from_secs(90)));
    patch(condition("True", 1)).await;
    let output = waiting.await.expect("waiting ends").expect("kubectl can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "customer.tenantry.io/adatum condition met");
}
