//! Terms without a connection are those of the connected console.

use serde_json::json;
use tenantry_crd::ConsoleSpec;
use tenantry_engine::address::ConsoleName;

use super::offline;

fn spec(json: serde_json::Value) -> ConsoleSpec {
    serde_json::from_value(json).expect("it is a Console's spec")
}

fn terms(spec: &ConsoleSpec, probed: &serde_json::Value) -> String {
    let dialect = offline(spec, &ConsoleName::new("msp"), probed).expect("there is an adapter");
    format!("{} {:?}", dialect.title(), dialect.capabilities())
}

#[test]
fn what_identification_found_out_decides_what_can_be_done() {
    let sophos = spec(json!({"sophos": {"program": "MspFlex"}}));
    assert_ne!(terms(&sophos, &json!({"readsOnly": true})), terms(&sophos, &json!({"readsOnly": false})));
    assert_eq!(terms(&sophos, &json!(null)), terms(&sophos, &json!({"readsOnly": false})));
    let microsoft = spec(json!({"microsoft": {"partner": "IndirectReseller", "tenantId": "msp.example"}}));
    let link = json!({"link": "answers", "customers": "answers"});
    assert_ne!(terms(&microsoft, &link), terms(&microsoft, &json!(null)));
    // What a later version found out promises nothing here.
    assert_eq!(terms(&microsoft, &json!({"link": "sometimes"})), terms(&microsoft, &json!(null)));
}

#[test]
fn a_console_without_an_adapter_is_refused_as_when_it_is_connected() {
    let runbook = spec(json!({"runbook": {"profile": "symantec-pmc"}}));
    let error =
        offline(&runbook, &ConsoleName::new("pmc"), &json!(null)).map(|_| ()).expect_err("there is none");
    assert!(
        error.to_string().starts_with("console pmc: this version of tenantry has no adapter for runbook yet")
    );
}
