//! The Helm chart: what it renders, what it refuses, what it grants, and that it installs, upgrades and uninstalls on a
//! real API server.
//!
//! No controller manager and no kubelet run there: no pod starts and no aggregated role is filled. What is granted is
//! asked of the API server itself.

use std::collections::BTreeSet;

use serde_json::Value;
use tenantry_tests::helm::Helm;

#[path = "chart/golden.rs"]
mod golden;
#[path = "chart/installed.rs"]
mod installed;
#[path = "chart/rights.rs"]
mod rights;

const CHART: &str = "charts/tenantry";
/// The one value that has no default.
const IMAGE: &str = "image.repository=registry.example/tenantry-controller";

/// Values that together turn every part of the chart on and off.
const VARIANTS: &[&[&str]] = &[
    &[],
    &["watch.clusterWide=true"],
    &["watch.namespaces={east,west}", "rbac.secrets.names={sophos-read,sophos-write}"],
    &[
        "snapshot.enabled=true",
        "snapshot.plain=true",
        "rbac.reader.subjects[0].kind=Group",
        "rbac.reader.subjects[0].name=sales",
    ],
    &["snapshot.enabled=true", "snapshot.tlsSecret=plan-tls"],
    &["rbac.secrets.rotate=true", "rbac.secrets.oneTime=true", "watch.clusterWide=true"],
    &[
        "rbac.create=false",
        "rbac.reader.create=false",
        "serviceAccount.create=false",
        "serviceAccount.name=own",
    ],
    &["metrics.serviceMonitor.enabled=true", "metrics.serviceMonitor.labels.release=prometheus"],
    &["podDisruptionBudget.enabled=false", "networkPolicy.enabled=false", "admissionPolicy.enabled=false"],
    &[
        "caBundle.configMap=proxy-roots",
        "imagePullSecrets={registry}",
        "priorityClassName=high",
        "replicas=1",
    ],
    &["consoles.endpoints.sophos=https://proxy.example", "consoles.allowNetworks={10.1.0.0/16}"],
];

/// Arguments of helm that set these values, and the image.
fn set<'a>(values: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["--set", IMAGE];
    for value in values {
        arguments.extend(["--set", value]);
    }
    arguments
}

/// The rendered objects, hooks too.
fn rendered(helm: &Helm, values: &[&str]) -> Vec<Value> {
    let mut arguments = vec!["template", "crm", CHART, "--namespace", "ops"];
    arguments.extend(set(values));
    let text = helm.stdout(&arguments);
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{values:?}: {error}\n{text}"));
    documents.into_iter().filter(|document| !document.is_null()).collect()
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

/// The only object of a kind.
#[track_caller]
fn the<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let found = of_kind(objects, kind);
    assert_eq!(found.len(), 1, "{kind}: {found:#?}");
    found[0]
}

fn list(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Every pod that the chart makes: the Deployment's and those of hooks.
fn pods(objects: &[Value]) -> Vec<&Value> {
    let templates =
        of_kind(objects, "Deployment").into_iter().map(|object| &object["spec"]["template"]["spec"]);
    templates.chain(of_kind(objects, "Pod").into_iter().map(|object| &object["spec"])).collect()
}

#[test]
fn helm_finds_nothing_to_complain_about() {
    let Some(helm) = Helm::find() else { return };
    for values in VARIANTS {
        let mut arguments = vec!["lint", "--strict", CHART];
        arguments.extend(set(values));
        let said = helm.stdout(&arguments);
        assert!(said.contains("0 chart(s) failed"), "{said}");
    }
}

#[test]
fn no_pod_has_more_than_it_needs() {
    let Some(helm) = Helm::find() else { return };
    for values in VARIANTS {
        let objects = rendered(&helm, values);
        assert!(pods(&objects).len() > 1, "the test's pod is looked at too");
        for pod in pods(&objects) {
            let context = &pod["securityContext"];
            assert_eq!(context["runAsNonRoot"], true, "{pod:#}");
            assert_eq!(context["seccompProfile"]["type"], "RuntimeDefault", "{pod:#}");
            assert!(context["runAsUser"].as_u64() > Some(10_000), "{pod:#}");
            for foreign in ["hostNetwork", "hostPID", "hostIPC"] {
                assert!(pod[foreign].is_null(), "{pod:#}");
            }
            for volume in pod["volumes"].as_array().into_iter().flatten() {
                // One Secret may be mounted: the plan server's own certificate.
                let secret = volume["secret"]["secretName"].as_str().unwrap_or("plan-tls");
                assert!(volume["hostPath"].is_null() && secret == "plan-tls", "{pod:#}");
            }
            for container in pod["containers"].as_array().expect("a pod has containers") {
                let context = &container["securityContext"];
                assert_eq!(context["allowPrivilegeEscalation"], false, "{pod:#}");
                assert_eq!(context["readOnlyRootFilesystem"], true, "{pod:#}");
                assert_eq!(list(&context["capabilities"]["drop"]), ["ALL"], "{pod:#}");
                assert!(context["capabilities"]["add"].is_null(), "{pod:#}");
                assert!(container["resources"]["requests"]["memory"].is_string(), "{pod:#}");
                assert!(container["resources"]["limits"]["memory"].is_string(), "{pod:#}");
                for variable in container["env"].as_array().into_iter().flatten() {
                    assert!(
                        variable["valueFrom"]["secretKeyRef"].is_null(),
                        "a secret as a variable: {pod:#}"
                    );
                }
            }
        }
    }
}

#[test]
fn two_controllers_run_apart_from_each_other_and_one_may_go_at_a_time() {
    let Some(helm) = Helm::find() else { return };
    let objects = rendered(&helm, &[]);
    let deployment = &the(&objects, "Deployment")["spec"];
    assert_eq!(deployment["replicas"], 2);
    let pod = &deployment["template"]["spec"];
    let spread = pod["topologySpreadConstraints"].as_array().expect("it is spread");
    let keys: Vec<&Value> = spread.iter().map(|constraint| &constraint["topologyKey"]).collect();
    assert_eq!(keys, ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]);
    for constraint in spread {
        assert_eq!(constraint["labelSelector"]["matchLabels"], deployment["selector"]["matchLabels"]);
    }
    let budget = &the(&objects, "PodDisruptionBudget")["spec"];
    assert_eq!(budget["maxUnavailable"], 1);
    assert_eq!(budget["selector"], deployment["selector"]);
    let container = &pod["containers"][0];
    for (probe, path) in
        [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")]
    {
        assert_eq!(container[probe]["httpGet"]["path"], path);
    }
    // What a Deployment selects can never be changed: it has no version in it.
    let labels = deployment["selector"]["matchLabels"].as_object().expect("a selector");
    assert!(labels.keys().all(|label| !label.contains("version") && !label.contains("chart")), "{labels:?}");
}

#[test]
fn the_network_is_open_where_it_is_needed_and_nowhere_else() {
    let Some(helm) = Helm::find() else { return };
    let ports = |rules: &Value| -> BTreeSet<String> {
        rules
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|rule| rule["ports"].as_array().expect("no rule is for all ports"))
            .map(|port| format!("{}", port["port"]).replace('"', ""))
            .collect()
    };
    let objects = rendered(&helm, &[]);
    let policy = &the(&objects, "NetworkPolicy")["spec"];
    assert_eq!(list(&policy["policyTypes"]), ["Ingress", "Egress"]);
    assert_eq!(ports(&policy["ingress"]), BTreeSet::from(["http".to_owned()]));
    assert_eq!(ports(&policy["egress"]), ["443", "53", "6443"].map(str::to_owned).into());
    assert_eq!(policy["podSelector"], the(&objects, "Deployment")["spec"]["selector"]);

    let narrow = ["networkPolicy.from[0].namespaceSelector.matchLabels.name=monitoring"];
    let objects = rendered(&helm, &narrow);
    let from = &the(&objects, "NetworkPolicy")["spec"]["ingress"][0]["from"];
    assert_eq!(from[0]["namespaceSelector"]["matchLabels"]["name"], "monitoring");
}

#[test]
fn what_is_optional_is_there_when_it_is_asked_for() {
    let Some(helm) = Helm::find() else { return };
    let kinds = |values: &[&str]| -> BTreeSet<String> {
        let objects = rendered(&helm, values);
        objects.iter().map(|object| object["kind"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let usual = kinds(&[]);
    for kind in
        ["PodDisruptionBudget", "NetworkPolicy", "ValidatingAdmissionPolicy", "Role", "ServiceAccount"]
    {
        assert!(usual.contains(kind), "{kind}: {usual:?}");
    }
    assert!(!usual.contains("ServiceMonitor"));
    assert!(kinds(&["metrics.serviceMonitor.enabled=true"]).contains("ServiceMonitor"));
    let bare = kinds(&[
        "podDisruptionBudget.enabled=false",
        "networkPolicy.enabled=false",
        "admissionPolicy.enabled=false",
        "rbac.create=false",
        "rbac.reader.create=false",
        "serviceAccount.create=false",
        "serviceAccount.name=own",
    ]);
    assert_eq!(bare, ["Deployment", "Pod", "Service"].map(str::to_owned).into());
}

#[test]
fn a_digest_wins_over_a_tag_and_the_version_is_the_default() {
    let Some(helm) = Helm::find() else { return };
    let image = |values: &[&str]| -> String {
        let objects = rendered(&helm, values);
        let images: BTreeSet<String> = pods(&objects)
            .iter()
            .map(|pod| pod["containers"][0]["image"].as_str().expect("an image").to_owned())
            .collect();
        assert_eq!(images.len(), 1, "the test runs what is installed: {images:?}");
        images.into_iter().next().expect("there is one")
    };
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(image(&[]), format!("registry.example/tenantry-controller:{version}"));
    assert_eq!(image(&["image.tag=next"]), "registry.example/tenantry-controller:next");
    let digest = format!("sha256:{}", "0".repeat(64));
    let both = image(&["image.tag=next", &format!("image.digest={digest}")]);
    assert_eq!(both, format!("registry.example/tenantry-controller@{digest}"));
}

#[test]
fn a_wrong_value_is_refused_with_its_place() {
    let Some(helm) = Helm::find() else { return };
    let refusal = |values: &[&str]| -> String {
        let mut arguments = vec!["template", "crm", CHART];
        arguments.extend(set(values));
        let output = helm.run(&arguments);
        assert!(!output.status.success(), "{values:?} is accepted");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for (value, said) in [
        ("replicas=two", "at '/replicas': got string, want integer"),
        ("replicas=-1", "at '/replicas': minimum: got -1, want 0"),
        ("imaeg.tag=1", "additional properties 'imaeg' not allowed"),
        ("rbac.secrets.list=true", "at '/rbac/secrets': additional properties 'list' not allowed"),
        ("image.digest=latest", "at '/image/digest': 'latest' does not match pattern"),
        ("watch.namespaces={Ops}", "at '/watch/namespaces/0': 'Ops' does not match pattern"),
        (
            "image.pullPolicy=Often",
            "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'",
        ),
        ("consoles.allowNetworks={all}", "at '/consoles/allowNetworks/0': 'all' does not match pattern"),
        (
            "consoles.endpoints.sophos=proxy",
            "at '/consoles/endpoints/sophos': 'proxy' does not match pattern",
        ),
        ("service.port=0", "at '/service/port': minimum: got 0, want 1"),
    ] {
        let text = refusal(&[value]);
        assert!(text.contains(said), "{value}:\n{text}");
    }
    let text = refusal(&["watch.clusterWide=true", "watch.namespaces={ops}"]);
    assert!(text.contains("watch: say clusterWide or namespaces, not both"), "{text}");
    let text = refusal(&["snapshot.enabled=true"]);
    assert!(text.contains("snapshot: name a tlsSecret for the server's certificate, or say plain"), "{text}");
    let text = refusal(&["serviceAccount.create=false"]);
    assert!(text.contains("serviceAccount.name: serviceAccount.create is off, so name"), "{text}");
    let output = helm.run(&["template", "crm", CHART]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && text.contains("image.repository: no image is published; build"),
        "{text}"
    );
}

/// Both ways: a value that the schema does not know is refused, one without a default is hidden from people.
fn compare(at: &str, values: &Value, schema: &Value, found: &mut Vec<String>) {
    let Some(properties) = schema["properties"].as_object() else { return };
    let Some(values) = values.as_object() else { return };
    for (name, value) in values {
        match properties.get(name) {
            Some(schema) => compare(&format!("{at}.{name}"), value, schema, found),
            None => found.push(format!("{at}.{name} is not in values.schema.json")),
        }
    }
    for name in properties.keys().filter(|name| !values.contains_key(*name)) {
        found.push(format!("{at}.{name} is not in values.yaml"));
    }
}

#[test]
fn every_value_is_documented_and_in_the_schema() {
    let read = |file: &str| {
        let path = tenantry_tests::parts::repository_root().join(CHART).join(file);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let schema: Value = serde_json::from_str(&read("values.schema.json")).expect("the schema is JSON");
    let text = read("values.yaml");
    let values: Value = serde_saphyr::from_str(&text).expect("values are YAML");
    let mut found = Vec::new();
    compare("", &values, &schema, &mut found);
    assert_eq!(found, [".global is not in values.yaml"], "helm itself adds `global`");
    assert_eq!(schema["additionalProperties"], false);
    assert!(text.matches("# -- ").count() > 30, "values without a word");
}

#[test]
fn the_charts_version_is_everybodys() {
    let path = tenantry_tests::parts::repository_root().join(CHART).join("Chart.yaml");
    let text = std::fs::read_to_string(path).expect("the chart has a head");
    let chart: Value = serde_saphyr::from_str(&text).expect("it is YAML");
    assert_eq!(chart["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
}
