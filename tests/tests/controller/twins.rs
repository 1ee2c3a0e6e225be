//! Consoles that are one vendor account, and declarations that name a Console which is not there: nothing is ended that
//! nobody took away.

use serde_json::{Value, json};
use tenantry_simulator::LogFilter;
use tenantry_tests::controller::{Controller, Field, condition};
use tenantry_tests::worlds;

use super::worlds::{KNOWN, declared, settled, until_ready};

/// A Console `other` on the account of `sophos`, with Secrets of its own.
fn other(field: &Field) {
    for what in ["read", "write"] {
        field.secret(&format!("other-{what}"), &field.bench().secrets()[&format!("sophos-{what}")]);
    }
    field.apply(&worlds::sophos("").replace("{name: sophos", "{name: other"));
}

fn endpoint(field: &Field) -> String {
    format!("other={}", field.simulator().partner_url("sophos", "msp"))
}

fn until_stalled(field: &Field, controller: &Controller) -> String {
    let other =
        field.until_condition(&[controller], ("consoles", "other"), ("Stalled", "True", "SameAccount"));
    condition(&other, "Stalled")["message"].as_str().unwrap_or_default().to_owned()
}

/// The ledger's header, and its entries with where each stands.
fn ledger(field: &Field) -> (Value, Vec<(String, String)>) {
    let (mut headers, entries): (Vec<_>, Vec<_>) =
        field.list("consolebindings").into_iter().partition(|object| object["spec"]["header"].is_object());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut entries: Vec<_> = entries
        .iter()
        .map(|one| (text(&one["spec"]["address"]["name"]), text(&one["spec"]["standing"])))
        .collect();
    entries.sort();
    (headers.pop().expect("a header")["spec"]["header"].take(), entries)
}

fn all_declared() -> Vec<(String, String)> {
    KNOWN.map(|name| (name.to_owned(), "Declared".to_owned())).to_vec()
}

#[test]
fn of_two_consoles_on_one_account_the_first_acts_also_when_a_restart_finds_it_without_its_secret() {
    let Some(field) = declared() else { return };
    let arguments = ["--endpoint", &endpoint(&field)];
    let controller = field.start(&arguments);
    for name in KNOWN {
        until_ready(&field, &[&controller], name);
    }
    // Made within the same second or not, and before it in the alphabet.
    other(&field);
    let words = until_stalled(&field, &controller);
    assert!(words.contains("belongs to the Console sophos"), "{words}");
    assert!(words.contains("take one of them out"), "{words}");
    assert_eq!(condition(&field.get("consoles", "sophos"), "Ready")["status"], "True");
    controller.end();

    let mark = field.simulator().log().mark();
    let wiped = json!({"metadata": {"annotations": {"tenantry.io/reconcile-requested-at": "again"}}});
    field.patch("consoles", "other", &wiped);
    let secret = &field.bench().secrets()["sophos-read"];
    field.kubectl(&["delete", "secret", "sophos-read"]);
    let controller = field.start(&arguments);
    field.until_condition(&[&controller], ("consoles", "sophos"), ("Ready", "False", "AwaitingOperator"));
    until_stalled(&field, &controller);
    let (header, entries) = ledger(&field);
    assert_eq!(header["console"], "sophos");
    assert_eq!(entries, all_declared());
    field.secret("sophos-read", secret);
    field.until_condition(&[&controller], ("consoles", "sophos"), ("Ready", "True", "AsDeclared"));
    until_stalled(&field, &controller);
    assert_eq!(ledger(&field).1, all_declared());
    assert_eq!(field.writes(mark), 0, "{:?}", field.requests(mark));
}

#[test]
fn an_older_console_that_comes_to_the_account_later_waits_for_the_one_that_acts() {
    let Some(field) = Field::new(&super::worlds::seed()) else { return };
    // Older, and without its Secret: who acts first is the other one.
    let secret = &field.bench().secrets()["sophos-read"];
    field.kubectl(&["delete", "secret", "sophos-read"]);
    field.apply(&worlds::sophos(""));
    let arguments = ["--endpoint", &endpoint(&field)];
    let controller = field.start(&arguments);
    field.until_condition(&[&controller], ("consoles", "sophos"), ("Ready", "False", "AwaitingOperator"));
    other(&field);
    field.until_condition(&[&controller], ("consoles", "other"), ("Ready", "True", "AsDeclared"));
    field.secret("sophos-read", secret);
    field.annotate("consoles", "sophos", "tenantry.io/reconcile-requested-at", "now");
    let stalled = ("Stalled", "True", "SameAccount");
    let older = field.until_condition(&[&controller], ("consoles", "sophos"), stalled);
    let words = condition(&older, "Stalled")["message"].as_str().unwrap_or_default().to_owned();
    assert!(words.contains("belongs to the Console other, by whose declarations"), "{words}");
    controller.end();
    // Whoever is connected first after a restart.
    let mark = field.simulator().log().mark();
    let controller = field.start(&arguments);
    let listed = |field: &Field| field.requests(mark).iter().filter(|one| one.contains("/tenants")).count();
    field.until("the one that acts looked", &[&controller], || {
        if listed(&field) > 0 { Ok(()) } else { Err(format!("{:?}", field.requests(mark))) }
    });
    field.until_condition(&[&controller], ("consoles", "sophos"), stalled);
    field.until_condition(&[&controller], ("consoles", "other"), ("Ready", "True", "AsDeclared"));
    assert_eq!(ledger(&field).0["console"], "other");
}

#[test]
fn where_the_console_that_acts_goes_the_other_takes_its_ledger_over_and_forgets_nothing() {
    let Some(field) = declared() else { return };
    let controller = field.start(&["--endpoint", &endpoint(&field)]);
    for name in KNOWN {
        until_ready(&field, &[&controller], name);
    }
    other(&field);
    until_stalled(&field, &controller);
    let mark = field.simulator().log().mark();
    field.delete("consoles", "sophos");
    field.until_condition(&[&controller], ("consoles", "other"), ("Ready", "True", "AsDeclared"));
    let (header, entries) = ledger(&field);
    assert_eq!(header["console"], "other");
    assert_eq!(entries, all_declared(), "their Customers still declare them");
    let alder = field.until_condition(
        &[&controller],
        ("customers", "alder"),
        ("Stalled", "True", "DanglingReference"),
    );
    let words = condition(&alder, "Stalled")["message"].as_str().unwrap_or_default().to_owned();
    let expected = format!(
        "sophos: no Console `{}/sophos` is declared; what it is bound to stays as it is",
        field.namespace()
    );
    assert_eq!(words, expected);
    // An account keeps its Console: who moves it declares it anew.
    field.delete("customers", "alder");
    field.until("alder is gone", &[&controller], || {
        let object = field.get("customers", "alder");
        if object.is_null() { Ok(()) } else { Err(object["metadata"].to_string()) }
    });
    let moved = worlds::known_at_sophos(&worlds::id(1)).replace("{name: sophos}", "{name: other}");
    field.apply(&worlds::customer("alder", &[moved]));
    let alder = until_ready(&field, &[&controller], "alder");
    assert_eq!(alder["status"]["accounts"][0]["remoteId"], worlds::id(1), "{alder}");
    assert_eq!(field.writes(mark), 0, "{:?}", field.requests(mark));
}

/// A partner at Microsoft with two customers, which are to be detached when their declaration goes.
fn detaching() -> Option<(Field, Controller)> {
    let customers = [worlds::microsoft_customer(1, "stays"), worlds::microsoft_customer(2, "moves")];
    let seed = json!({"microsoft": worlds::microsoft_seed(&customers, &[], &json!({}))});
    let field = Field::new(&seed)?;
    field.apply(&worlds::microsoft(""));
    for (n, name) in [(1, "stays"), (2, "moves")] {
        field.apply(&worlds::customer(name, &[account(n)]));
    }
    let second = format!("second={}", field.simulator().partner_url("microsoft", "msp"));
    let controller = field.start(&["--endpoint", &second]);
    for name in ["stays", "moves"] {
        until_ready(&field, &[&controller], name);
    }
    Some((field, controller))
}

fn account(n: u32) -> String {
    let detach = ", deletionPolicy: Detach, consents: [customer-told, delegated-rights-stay]";
    worlds::known_at_microsoft(&worlds::id(n), detach)
}

/// How many were detached since.
fn detached(field: &Field, mark: u64) -> usize {
    let filter = LogFilter { since: mark, ..Default::default() };
    let entries = field.simulator().log().entries(&filter);
    entries.iter().filter(|entry| entry.method == "PATCH" && !entry.effects.is_empty()).count()
}

/// Lets a Console look anew, and waits until it has planned by what it saw.
fn looked_again(field: &Field, controller: &Controller, console: &str, value: &str) {
    let own = format!("/{console}\"");
    let reconciles = || field.try_metric(controller, "tenantry_reconciles_total", &own).unwrap_or_default();
    let (mark, before) = (field.simulator().log().mark(), reconciles());
    field.annotate("consoles", console, "tenantry.io/reconcile-requested-at", value);
    field.until("it planned anew", &[controller], || {
        let listed = field.requests(mark).iter().any(|one| one.contains("GET /v1/customers?size"));
        let after = reconciles();
        if listed && after > before { Ok(()) } else { Err(format!("{before}, {after} reconciles")) }
    });
}

#[test]
fn a_misspelt_console_ends_nothing_and_says_so_until_it_is_corrected() {
    let Some((field, controller)) = detaching() else { return };
    let mark = field.simulator().log().mark();
    // Under its old name an account keeps its Console: the definition sees to that.
    let misspelt = worlds::customer("moves", &[account(2)]).replace(
        "name: microsoft, consoleRef: {name: microsoft}",
        "name: mircosoft, consoleRef: {name: mircosoft}",
    );
    assert!(misspelt.contains("mircosoft"), "{misspelt}");
    field.apply(&misspelt);
    let stalled = ("Stalled", "True", "DanglingReference");
    let object = field.until_condition(&[&controller], ("customers", "moves"), stalled);
    let words = condition(&object, "Stalled")["message"].to_string();
    assert!(words.contains("/mircosoft` is declared; what it is bound to stays as it is"), "{words}");
    looked_again(&field, &controller, "microsoft", "misspelt");
    let plan = &field.get("consoles", "microsoft")["status"]["plan"];
    assert_eq!((&plan["steps"], &plan["held"]), (&json!(0), &json!(0)), "{plan}");
    let (_, shown) = field.plan(&controller, None);
    assert!(shown.contains("dangling-reference"), "{shown}");
    field.apply(&worlds::customer("moves", &[account(2)]));
    until_ready(&field, &[&controller], "moves");
    assert_eq!(detached(&field, mark), 0, "{:?}", field.requests(mark));
}

#[test]
fn a_licence_whose_customer_is_misspelt_says_so_and_is_not_forgotten() {
    let Some((field, controller)) = settled(&[]) else { return };
    let license = |customer: &str| {
        format!(
            "apiVersion: tenantry.io/v1alpha1\nkind: Product\nmetadata: {{name: endpoint}}\n\
             spec: {{consoleRef: {{name: sophos}}, sophos: {{code: CIXA-MSP}}}}\n---\n\
             apiVersion: tenantry.io/v1alpha1\nkind: License\nmetadata: {{name: seats}}\n\
             spec: {{customerRef: {{name: {customer}}}, account: sophos, productRef: {{name: endpoint}}, type: Msp}}\n"
        )
    };
    let stalled = ("Stalled", "True", "DanglingReference");
    field.apply(&license("adler"));
    let object = field.until_condition(&[&controller], ("licenses", "seats"), stalled);
    let words = condition(&object, "Stalled")["message"].to_string();
    assert!(words.contains("no Customer `") && words.contains("/adler` is declared"), "{words}");
    // A licence keeps its customer: it is declared anew.
    field.delete("licenses", "seats");
    field.apply(&license("alder"));
    field.until("somebody speaks of it", &[&controller], || {
        let object = field.get("licenses", "seats");
        let bound = object["status"]["remoteId"].is_string();
        if bound && condition(&object, "Ready")["status"] == "True" {
            Ok(())
        } else {
            Err(object["status"].to_string())
        }
    });
}

#[test]
fn moving_a_customer_to_another_console_of_the_same_account_ends_nothing() {
    let Some((field, controller)) = detaching() else { return };
    for what in ["read", "write"] {
        field.secret(&format!("second-{what}"), &field.bench().secrets()[&format!("microsoft-{what}")]);
    }
    field.apply(
        &worlds::microsoft("")
            .replace("metadata: {name: microsoft", "metadata: {name: second")
            .replace("microsoft-", "second-"),
    );
    field.until_condition(&[&controller], ("consoles", "second"), ("Stalled", "True", "SameAccount"));
    let mark = field.simulator().log().mark();
    let moved = worlds::customer("moves", &[account(2)]).replace(
        "name: microsoft, consoleRef: {name: microsoft}",
        "name: second, consoleRef: {name: second}",
    );
    assert!(moved.contains("second"), "{moved}");
    field.apply(&moved);
    looked_again(&field, &controller, "microsoft", "moved");
    let plan = &field.get("consoles", "microsoft")["status"]["plan"];
    assert_eq!((&plan["steps"], &plan["held"]), (&json!(0), &json!(0)), "{plan}");
    assert_eq!(detached(&field, mark), 0, "{:?}", field.requests(mark));
}
