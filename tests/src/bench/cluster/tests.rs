//! What is counted.

use super::*;

const METRICS: &str = r#"# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",dry_run="",group="tenantry.io",resource="customers",scope="namespace",subresource="",verb="LIST",version="v1alpha1"} 3
apiserver_request_total{code="200",component="apiserver",dry_run="",group="tenantry.io",resource="customers",scope="resource",subresource="status",verb="APPLY",version="v1alpha1"} 20
apiserver_request_total{code="0",component="apiserver",dry_run="",group="tenantry.io",resource="customers",scope="namespace",subresource="",verb="WATCH",version="v1alpha1"} 2
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="secrets",scope="resource",subresource="",verb="GET",version="v1"} 4
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="configmaps",scope="resource",subresource="",verb="GET",version="v1"} 900
apiserver_request_total{code="200",component="apiserver",dry_run="",group="coordination.k8s.io",resource="leases",scope="resource",subresource="",verb="PUT",version="v1"} 5
apiserver_request_total{code="201",component="apiserver",dry_run="",group="tenantry.io",resource="consolebindings",scope="resource",subresource="",verb="POST",version="v1alpha1"} 30
apiserver_request_total{code="409",component="apiserver",dry_run="",group="tenantry.io",resource="customers",scope="resource",subresource="",verb="PATCH",version="v1alpha1"} 2
apiserver_request_duration_seconds_count{group="tenantry.io",resource="customers",verb="LIST"} 77
"#;

#[test]
fn requests_are_counted_by_what_they_do_and_only_those_about_us() {
    let requests = Requests { reads: 7, watches: 2, writes: 57, of: [30, 20, 2, 0, 5], refused: 2 };
    assert_eq!(tally(METRICS), requests);
}

#[test]
fn the_table_and_the_json_say_the_same() {
    let phase = Phase {
        name: "converge",
        wall: 1.5,
        cpu: 0.5,
        peak: 64 << 20,
        api: Requests { reads: 7, watches: 2, writes: 57, of: [30, 20, 2, 0, 5], refused: 2 },
        consoles: Tally { pages: 11, details: 12, writes: 13, ..Tally::default() },
    };
    let measured = Measured { customers: 100, phases: vec![phase], change_sent: 0.75, change_shown: 1.25 };
    let lines: Vec<String> =
        table(&measured).lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines,
        [
            "100 customers, 3 accounts each, as objects",
            "phase time s cpu s MiB API reads watches API writes pages details writes",
            "converge 1.50 0.50 64 7 2 57 11 12 13",
            "",
            "API writes bindings statuses objects events leases refused",
            "converge 30 20 2 0 5 2",
            "one changed customer while a scan runs: at the console after 0.75 s, shown after 1.25 s",
        ]
    );
    let json = json(&measured);
    let of = serde_json::json!({"bindings": 30, "statuses": 20, "objects": 2, "events": 0, "leases": 5});
    let api = serde_json::json!({"reads": 7, "watches": 2, "writes": 57, "writesOf": of, "refused": 2});
    assert_eq!(json["phases"][0]["api"], api);
    assert_eq!(json["phases"][0]["consoles"]["details"], 12);
    assert_eq!(json["change"]["sentSeconds"], 0.75);
}
