//! What happens while nothing happens, and how soon something does.

use std::time::{Duration, Instant};

use jiff::ToSpan;
use serde_json::json;
use tenantry_simulator::{Does, Fault, HoldAt};
use tenantry_tests::controller::{Controller, Field, SHORT_LEASE};

use super::worlds::{KNOWN, declared, settled, shown, until_ready};

/// Lets the controller renew its Lease so many times: time in which it could have done something.
fn renewals(field: &Field, controller: &Controller, times: usize) {
    let leases: kube::Api<k8s_openapi::api::coordination::v1::Lease> =
        kube::Api::namespaced(field.client(), field.namespace());
    let version = || {
        let lease = field.wait(leases.get("tenantry-controller")).expect("the Lease is there");
        lease.metadata.resource_version.unwrap_or_default()
    };
    for _ in 0..times {
        let before = version();
        field.until("a renewal", &[controller], || {
            let now = version();
            if now == before { Err(now) } else { Ok(()) }
        });
    }
}

#[test]
fn idle_it_asks_no_console_and_writes_no_object() {
    let Some((field, controller)) = settled(&SHORT_LEASE) else { return };
    renewals(&field, &controller, 2);
    let mark = field.simulator().log().mark();
    let (writes, reconciles) = (
        field.metric(&controller, "tenantry_api_writes_total"),
        field.metric(&controller, "tenantry_reconciles_total"),
    );
    assert!(writes > 0.0 && reconciles > 0.0, "it has done something before");
    // Most of an hour: no list is due yet.
    for _ in 0..5 {
        field.simulator().clock().advance(10.minutes()).expect("the clock goes forward");
        renewals(&field, &controller, 1);
    }
    assert_eq!(field.requests(mark), Vec::<String>::new(), "nobody changed anything");
    assert!((field.metric(&controller, "tenantry_api_writes_total") - writes).abs() < f64::EPSILON);
    assert!((field.metric(&controller, "tenantry_reconciles_total") - reconciles).abs() < f64::EPSILON);

    // Then the list is read once, and of no customer anything.
    field.simulator().clock().advance(11.minutes()).expect("the clock goes forward");
    field.until("the list is read", &[&controller], || {
        let lists = field.requests(mark).iter().filter(|line| line.contains("/partner/v1/tenants")).count();
        if lists > 0 { Ok(()) } else { Err(format!("{lists}")) }
    });
    renewals(&field, &controller, 2);
    let requests = field.requests(mark);
    let lists = requests.iter().filter(|line| line.contains("/partner/v1/tenants")).count();
    assert_eq!(lists, 1, "{requests:?}");
    assert!(!requests.iter().any(|line| line.contains("licenses")), "{requests:?}");
    assert!((field.metric(&controller, "tenantry_api_writes_total") - writes).abs() < f64::EPSILON);
}

#[test]
fn binding_what_is_there_writes_each_binding_once_and_each_status_once() {
    let Some((field, controller)) = settled(&[]) else { return };
    field.until_condition(&[&controller], ("consoles", "sophos"), ("Ready", "True", "AsDeclared"));
    let wrote = |what: &str| {
        field.metric(&controller, &format!("tenantry_api_writes_total{{what=\"{what}\"}}")).round()
    };
    // What the details say is compared too, and changes nothing.
    renewals(&field, &controller, 1);
    let (ledgers, entries): (Vec<_>, Vec<_>) =
        field.list("consolebindings").into_iter().partition(|object| object["spec"]["header"].is_object());
    assert_eq!(entries.len(), KNOWN.len(), "{entries:?}");
    for entry in &entries {
        assert_eq!(entry["metadata"]["generation"], 1, "made as it stays: {entry}");
    }
    let written = ledgers[0]["metadata"]["generation"].as_i64().expect("a number");
    assert!(
        written <= 4,
        "the header once when it is made, when a Console acts, with the list, and with the bindings: {written}"
    );
    let each = |many: usize| f64::from(u32::try_from(many).expect("a few"));
    assert!((wrote("finalizer") - each(KNOWN.len())).abs() < 0.5, "{}", wrote("finalizer"));
    assert!((wrote("status") - each(KNOWN.len() + 1)).abs() < 0.5, "{}", wrote("status"));
}

#[test]
fn a_changed_customer_converges_within_two_seconds_while_a_scan_is_running() {
    let Some(field) = declared() else { return };
    field.apply(
        "apiVersion: tenantry.io/v1alpha1\nkind: Product\nmetadata: {name: endpoint}\nspec:\n  \
         consoleRef: {name: sophos}\n  sophos: {code: CIXA-MSP}\n---\n\
         apiVersion: tenantry.io/v1alpha1\nkind: License\nmetadata: {name: alder-endpoint}\nspec:\n  \
         customerRef: {name: alder}\n  account: sophos\n  productRef: {name: endpoint}\n  type: Msp\n",
    );
    // The scan hangs in the first detail that it reads.
    let hold =
        Fault::new(Does::Hold { at: HoldAt::BeforeCommit }).at("sophos/msp").on("GET", "/licenses*").always();
    field.simulator().faults().add(hold);
    let controller = field.start(&[]);
    for name in &KNOWN[1..] {
        until_ready(&field, &[&controller], name);
    }
    field.until("the scan hangs", &[&controller], || {
        let held = field.simulator().faults().held();
        if held > 0 { Ok(()) } else { Err(format!("{held} requests held")) }
    });
    let mut fastest = Duration::MAX;
    for n in 0..3 {
        let name = format!("Birch {n}");
        let event = Instant::now();
        field.patch("customers", "birch", &json!({"spec": {"company": {"displayName": name}}}));
        field.until("the new name is shown", &[&controller], || {
            let all = shown(&field);
            if all.contains(&name) { Ok(()) } else { Err(format!("{all:?}, asked {:?}", field.requests(0))) }
        });
        fastest = fastest.min(event.elapsed());
    }
    println!("a changed customer converged {fastest:?} after its event, beside a scan");
    assert!(fastest < Duration::from_secs(2), "{fastest:?}\n{}", controller.said());
    assert!(field.simulator().faults().held() > 0, "the scan still hangs");
    field.simulator().faults().clear();
}
