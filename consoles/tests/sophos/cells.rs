//! The table of Sophos Central Partner, cell by cell: what the API does happens, what a person does is a task.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenantry_engine::action::Action;
use tenantry_engine::address::{Address, RemoteId};
use tenantry_engine::capability::{By, Party, Row};
use tenantry_engine::console::{Console, Sent};
use tenantry_engine::ledger::{Entry, Ledger};
use tenantry_engine::operation::{Next, Request};
use tenantry_engine::origin::Origin;
use tenantry_engine::plan::findings::Code;
use tenantry_engine::plan::{Performer, Plan, Step};
use tenantry_simulator::Kind;

use crate::contract::Bench;
use crate::tenant::{PARTNER, Wish, both, connected, console_spec, customer, flex, whole};

const ID: &str = "00000000-0000-0000-0000-00000000002a";

fn person(by: By) -> bool {
    by == By::Person(Party::Operator)
}

#[tokio::test]
async fn the_table_is_the_documented_one() {
    let bench = Bench::new().await;
    let console = whole(&bench);
    let table = console.dialect().capabilities();
    let shown: BTreeMap<Row, By> = Row::ALL.into_iter().map(|row| (row, table.by(row))).collect();
    let operator = By::Person(Party::Operator);
    let documented: BTreeMap<Row, By> = [
        (Row::Census, By::Api),
        (Row::Create, By::Api),
        (Row::Invite, operator),
        (Row::Adopt, By::Api),
        (Row::UpdateContact, operator),
        (Row::Rename, operator),
        (Row::Move, By::Never),
        (Row::BuyLicense, operator),
        (Row::MoreSeats, operator),
        (Row::FewerSeats, operator),
        (Row::TrialToPaid, operator),
        (Row::DelegatedAdmin, By::Person(Party::Customer)),
        (Row::Groups, operator),
        (Row::Suspend, By::Never),
        (Row::Detach, operator),
        (Row::Remove, By::Never),
    ]
    .into();
    assert_eq!(shown, documented);
    let api = connected(
        &bench,
        &console_spec(&json!({"program": "MspFlex", "renameVia": "Api"})),
        both(&bench),
        None,
    );
    assert_eq!(api.dialect().capabilities().by(Row::Rename), By::Api);
}

/// A bound customer: seeded there, in the ledger here.
async fn bound(bench: &Bench, console: &dyn Console, seed: &Value) -> Ledger {
    let mut tenant = json!({"name": "Muster Zahntechnik GmbH", "showAs": "Muster Zahntechnik", "id": ID,
        "geography": "DE", "billingType": "trial", "contact": {"firstName": "Anna", "lastName": "Muster",
        "email": "it@muster.example", "phone": "+49 30 123456", "address1": "Weg 1", "city": "Berlin",
        "countryCode": "DE", "postalCode": "10115"}});
    for (key, value) in seed.as_object().expect("an object") {
        tenant[key.as_str()] = value.clone();
    }
    bench.running.seed(&json!({"sophos": {"acme": {"tenants": [tenant]}}})).expect("a seed");
    let account = console.identify().await.expect("known").vendor_account;
    let mut ledger = Ledger::new(account, "lineage".into());
    let now = bench.runtime.clock.now();
    ledger.header.confirmed = Some(now);
    let mut entry = Entry::declared(Origin::file("muster.yaml", 1, 1), now);
    entry.remote_id = Some(RemoteId::from(ID));
    ledger.entries.insert(Address::account("default", "muster", "sophos"), entry);
    ledger
}

fn the(plan: &Plan, row: Row) -> &Step {
    let mut found = plan.steps.iter().filter(|step| step.row == row);
    match (found.next(), found.next()) {
        (Some(step), None) => step,
        _ => panic!("not one step of {row:?}: {:#?} {:#?}", plan.steps, plan.findings),
    }
}

fn task(step: &Step) -> String {
    let Performer::Person(task) = &step.performer else { panic!("not a person's: {step:?}") };
    let mut lines = vec![format!("{} [{:?}, shown: {}]", task.title, task.party, task.observable)];
    lines.extend(task.steps.iter().map(|line| format!("- {line}")));
    lines.extend(task.consequences.iter().map(|line| format!("! {line}")));
    lines.join("\n")
}

async fn planned(bench: &Bench, wish: &Wish, seed: &Value) -> Plan {
    let console = connected(bench, &wish.console, both(bench), None);
    let ledger = bound(bench, &*console, seed).await;
    let plan = wish.plan(bench, &*console, &ledger).await.plan;
    assert_eq!(bench.requests(Kind::Write), 0, "planning writes nothing");
    plan
}

#[tokio::test]
async fn a_create_is_one_request_that_makes_what_was_declared() {
    for billing in ["Trial", "Usage"] {
        let bench = Bench::new().await;
        let console = whole(&bench);
        let account = console.identify().await.expect("known").vendor_account;
        let mut ledger = Ledger::new(account, "lineage".into());
        ledger.header.confirmed = Some(bench.runtime.clock.now());
        let sophos = json!({"sophos": {"billing": billing, "groups": ["Gold"]}});
        let wish = Wish::of(flex(), customer(&sophos, &json!({})));
        let plan = wish.plan(&bench, &*console, &ledger).await.plan;
        let step = the(&plan, Row::Create);
        assert_eq!(step.performer, Performer::Console);
        assert!(step.new_value("groups").is_none(), "groups are a step of their own, afterwards");
        let codes: Vec<&str> = step.causes.iter().map(|cause| cause.code.as_str()).collect();
        assert!(codes.contains(&"default-products-apply"), "{codes:?}");
        assert_eq!(codes.contains(&"full-price-from-first-install"), billing == "Usage");
        let Next::Operation(draft) = console.dialect().next(step, &[]) else { panic!("no request") };
        let request = Request { id: "op", request_id: "r", draft: &draft, remote_id: None, account: None };
        let Sent::Acked(ack, _) = console.send(&request).await else { panic!("not acknowledged") };
        assert_eq!(console.dialect().next(step, std::slice::from_ref(&ack)), Next::Finished);
        let made = bench.running.sophos("acme").tenants();
        assert_eq!(made.len(), 1);
        assert_eq!(
            (made[0].name.as_str(), made[0].show_as.as_str()),
            ("Muster Zahntechnik GmbH", "Muster Zahntechnik")
        );
        assert_eq!(made[0].billing_type, billing.to_lowercase());
        // What was made is what was declared: nothing is left to do but the groups.
        ledger.entries.insert(step.address.clone(), {
            let mut entry = Entry::declared(Origin::file("muster.yaml", 1, 1), bench.runtime.clock.now());
            entry.remote_id = ack.remote_id;
            entry
        });
        let again = wish.plan(&bench, &*console, &ledger).await.plan;
        let rows: Vec<Row> = again.steps.iter().map(|step| step.row).collect();
        assert_eq!(rows, [Row::Groups], "{:#?}", again.steps);
    }
}

#[tokio::test]
async fn what_a_create_lacks_is_named_at_its_place() {
    let bench = Bench::new().await;
    let console = whole(&bench);
    let account = console.identify().await.expect("known").vendor_account;
    let bare = customer(
        &json!({"sophos": null}),
        &json!({"company": {"address": null}, "contacts": [{"roles": ["Admin"], "email": "it@muster.example"}]}),
    );
    let ledger = Ledger::new(account, "lineage".into());
    let plan = Wish::of(flex(), bare).plan(&bench, &*console, &ledger).await.plan;
    assert!(plan.steps.is_empty(), "{:?}", plan.steps);
    let mut paths: Vec<&str> = plan
        .findings
        .iter()
        .filter(|finding| finding.code == Code::MissingField)
        .filter_map(|finding| finding.path.as_deref())
        .collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "spec.accounts[0].sophos.billing",
            "spec.accounts[0].sophos.dataGeography",
            "spec.company.address.city",
            "spec.company.address.country",
            "spec.company.address.line1",
            "spec.company.address.postalCode",
            "spec.contacts[0].firstName",
            "spec.contacts[0].lastName",
            "spec.contacts[0].phone",
        ]
    );
}

#[tokio::test]
async fn monthly_billing_without_an_msp_flex_contract_is_refused_in_the_plan() {
    for program in ["FlexConnect", "Reseller"] {
        for exists in [false, true] {
            let bench = Bench::new().await;
            let spec = console_spec(&json!({"program": program}));
            let wish = Wish::of(spec, customer(&json!({"sophos": {"billing": "Usage"}}), &json!({})));
            let plan = if exists {
                planned(&bench, &wish, &json!({})).await
            } else {
                let console = connected(&bench, &wish.console, both(&bench), None);
                let account = console.identify().await.expect("known").vendor_account;
                wish.plan(&bench, &*console, &Ledger::new(account, "lineage".into())).await.plan
            };
            assert!(plan.steps.is_empty(), "{:?}", plan.steps);
            let gate = plan.findings.iter().find(|finding| finding.code == Code::ProgramExcludes);
            let gate = gate.unwrap_or_else(|| panic!("{program} {exists}: {:?}", plan.findings));
            assert_eq!(gate.path.as_deref(), Some("spec.accounts[0].sophos.billing"));
        }
    }
}

#[tokio::test]
async fn a_trial_that_is_to_be_billed_monthly_is_a_persons_update_billing() {
    let bench = Bench::new().await;
    let wish = Wish::of(flex(), customer(&json!({"sophos": {"billing": "Usage"}}), &json!({})));
    let plan = planned(&bench, &wish, &json!({})).await;
    insta::assert_snapshot!(task(the(&plan, Row::TrialToPaid)), @r#"
    bill Muster Zahntechnik monthly [Operator, shown: true]
    - My Business › My customers › Customers › select Muster Zahntechnik › Update Billing
    - Usage › Confirm
    ! converts all product trials of this account at once, not only one; there is no way back
    ! billing starts at the first product install, at the full price of the licence
    "#);
}

#[tokio::test]
async fn a_new_name_is_a_persons_unless_the_console_renames_by_api() {
    let bench = Bench::new().await;
    let renamed = json!({"company": {"displayName": "Muster Dental"}});
    let wish = Wish::of(flex(), customer(&json!({}), &renamed));
    let plan = planned(&bench, &wish, &json!({})).await;
    insta::assert_snapshot!(task(the(&plan, Row::Rename)), @r#"
    rename Muster Zahntechnik [Operator, shown: true]
    - My Business › My customers › Customers › Muster Zahntechnik
    - contact info › "Name shown as" › Edit
    - enter: Muster Dental
    - Save
    ! the customer sees the name in its own console, and Salesforce gets it
    "#);

    let bench = Bench::new().await;
    bench.running.seed(&json!({"sophos": {"acme": {"switches": {"patchTenant": "200"}}}})).expect("a seed");
    let by_api = console_spec(&json!({"program": "MspFlex", "renameVia": "Api"}));
    let wish = Wish::of(by_api, customer(&json!({}), &renamed));
    let plan = planned(&bench, &wish, &json!({})).await;
    let step = the(&plan, Row::Rename);
    assert_eq!(step.performer, Performer::Console);
    let console = connected(&bench, &wish.console, both(&bench), None);
    let Next::Operation(draft) = console.dialect().next(step, &[]) else { panic!("no request") };
    let request = Request {
        id: "op",
        request_id: "r",
        draft: &draft,
        remote_id: step.remote_id.as_ref(),
        account: None,
    };
    assert!(matches!(console.send(&request).await, Sent::Acked(..)));
    let facts = &bench.running.sophos("acme").tenants()[0];
    assert_eq!((facts.show_as.as_str(), facts.name.as_str()), ("Muster Dental", "Muster Zahntechnik GmbH"));
}

#[tokio::test]
async fn a_new_contact_is_a_persons() {
    let bench = Bench::new().await;
    let moved = json!({"company": {"address": {"line1": "Neuer Weg 2"}}});
    let wish = Wish::of(flex(), customer(&json!({}), &moved));
    let plan = planned(&bench, &wish, &json!({})).await;
    insta::assert_snapshot!(task(the(&plan, Row::UpdateContact)), @r#"
    change the contact of Muster Zahntechnik [Operator, shown: true]
    - My Business › My customers › Customers › Muster Zahntechnik
    - contact info › Edit
    - street: Neuer Weg 2
    - Save
    "#);
}

#[tokio::test]
async fn groups_are_a_persons_and_nobody_sees_them() {
    let bench = Bench::new().await;
    let wish = Wish::of(flex(), customer(&json!({"sophos": {"groups": ["Gold", "Dental"]}}), &json!({})));
    let plan = planned(&bench, &wish, &json!({})).await;
    insta::assert_snapshot!(task(the(&plan, Row::Groups)), @r#"
    put Muster Zahntechnik into its groups [Operator, shown: false]
    - My Business › My customers › Customers › Muster Zahntechnik
    - Customer Details › Groups (as Partner Super Admin; the groups exist already)
    - select exactly: Dental, Gold
    - Save
    ! groups also carry administrators: who is in one may open the customer
    "#);
}

#[tokio::test]
async fn data_that_is_to_be_elsewhere_cannot_be_moved() {
    let bench = Bench::new().await;
    let wish = Wish::of(flex(), customer(&json!({"sophos": {"dataGeography": "US"}}), &json!({})));
    let plan = planned(&bench, &wish, &json!({})).await;
    assert!(plan.steps.is_empty(), "{:?}", plan.steps);
    let finding = plan.findings.iter().find(|finding| finding.code == Code::Immutable);
    assert_eq!(
        finding.map(|one| one.words.as_str()),
        Some("data geography is DE and cannot be changed there")
    );
}

#[tokio::test]
async fn licences_are_bought_by_a_person_as_the_account_is_billed() {
    for (billing, kind) in [("trial", "Paid"), ("usage", "Usage")] {
        let bench = Bench::new().await;
        let usage = if billing == "usage" { "Usage" } else { "Trial" };
        let customer = customer(&json!({"sophos": {"billing": usage}}), &json!({}));
        let wish = Wish::of(flex(), customer).licensed("CIXA-NEW", &json!({"type": kind}));
        let plan = planned(&bench, &wish, &json!({"billingType": billing})).await;
        insta::assert_snapshot!(format!("buy_{billing}"), task(the(&plan, Row::BuyLicense)));
    }
}

#[tokio::test]
async fn products_go_with_the_create_only_where_the_console_says_so() {
    let switches = [("accepted", true), ("ignored", true), ("400", false)];
    for (on, (switch, made)) in [true, false].into_iter().flat_map(|on| switches.map(|one| (on, one))) {
        let bench = Bench::new().await;
        let seed = json!({"sophos": {"acme": {"switches": {"createProducts": switch}}}});
        bench.running.seed(&seed).expect("a seed");
        let spec = console_spec(&json!({"program": "MspFlex", "productsAtCreation": on}));
        let console = connected(&bench, &spec, both(&bench), None);
        let account = console.identify().await.expect("known").vendor_account;
        let mut ledger = Ledger::new(account, "lineage".into());
        ledger.header.confirmed = Some(bench.runtime.clock.now());
        let usage = customer(&json!({"sophos": {"billing": "Usage"}}), &json!({}));
        let wish =
            Wish::of(spec, usage).licensed("CIXAMTR-ADV-MSP", &json!({"type": "Usage", "quantity": null}));
        let plan = wish.plan(&bench, &*console, &ledger).await.plan;
        // Default products may bring it along: nobody is asked to buy it before it was looked for.
        assert!(plan.steps.iter().all(|step| step.row != Row::BuyLicense), "{:#?}", plan.steps);
        let waits = if on { "made together with" } else { "which may bring it along" };
        assert!(plan.waiting.iter().any(|one| one.words.contains(waits)), "{on}: {:#?}", plan.waiting);
        let step = the(&plan, Row::Create);
        let Next::Operation(draft) = console.dialect().next(step, &[]) else { panic!("no request") };
        let products = draft.body.get("products");
        assert_eq!(products, on.then(|| json!([{"code": "CIXAMTR-ADV-MSP"}])).as_ref());
        let request = Request { id: "op", request_id: "r", draft: &draft, remote_id: None, account: None };
        let sent = console.send(&request).await;
        assert_eq!(matches!(sent, Sent::Acked(..)), made || !on, "{switch} {on}");
        let made_products: Vec<String> =
            bench.running.sophos("acme").tenants().into_iter().flat_map(|one| one.products).collect();
        let has = made_products.iter().any(|code| code == "CIXAMTR-ADV-MSP");
        assert_eq!(has, on && switch == "accepted", "{switch} {on}: {made_products:?}");
    }
}

#[tokio::test]
async fn a_value_that_sophos_does_not_document_is_told_and_decides_nothing() {
    let bench = Bench::new().await;
    let seed = json!({"sophos": {"acme": {"switches": {"unexpected": "enum-values"}}}});
    bench.running.seed(&seed).expect("a seed");
    let wish = Wish::of(flex(), customer(&json!({}), &json!({})));
    let plan = planned(&bench, &wish, &json!({"billingType": "term"})).await;
    let unknown: Vec<_> = plan.findings.iter().filter(|one| one.code == Code::UnknownValue).collect();
    assert_eq!(unknown.len(), 1, "{:?}", plan.findings);
    assert!(unknown[0].words.starts_with("Sophos Central Partner shows the billing \""), "{unknown:?}");
}

#[tokio::test]
async fn a_monthly_account_of_msp_flex_is_told_to_exclude_early_access() {
    for (billing, told) in [("Usage", true), ("Trial", false)] {
        let bench = Bench::new().await;
        let console = whole(&bench);
        let account = console.identify().await.expect("known").vendor_account;
        let mut ledger = Ledger::new(account, "lineage".into());
        ledger.header.confirmed = Some(bench.runtime.clock.now());
        let wish = Wish::of(flex(), customer(&json!({"sophos": {"billing": billing}}), &json!({})));
        let plan = wish.plan(&bench, &*console, &ledger).await.plan;
        let codes: Vec<&str> =
            the(&plan, Row::Create).causes.iter().map(|cause| cause.code.as_str()).collect();
        assert_eq!(codes.contains(&"no-early-access"), told, "{billing}: {codes:?}");
    }
}

#[tokio::test]
async fn unlinking_a_trial_is_a_persons_and_blocked_by_what_still_runs() {
    let bench = Bench::new().await;
    let wish = Wish::of(flex(), customer(&json!({"want": "Detached"}), &json!({})));
    let plan = planned(&bench, &wish, &json!({})).await;
    insta::assert_snapshot!(task(the(&plan, Row::Detach)), @r#"
    unlink Muster Zahntechnik [Operator, shown: true]
    - My Business › My customers › Customers › Muster Zahntechnik
    - Unlink from Partner
    - Confirm
    ! refused while a licence is active or ended less than 60 days ago
    "#);

    let bench = Bench::new().await;
    let running = json!({"billingType": "term", "licenses": [{"product": "CIXA", "type": "term",
        "startDate": "2025-01-01", "endDate": "2026-06-30"}]});
    let plan = planned(&bench, &wish, &running).await;
    assert!(plan.steps.is_empty(), "{:?}", plan.steps);
    let blocked = plan.findings.iter().find(|finding| finding.code == Code::StillLicensed);
    assert_eq!(
        blocked.map(|one| one.words.as_str()),
        Some("cannot end yet: the term licence CIXA runs until 2026-06-30")
    );
}

#[tokio::test]
async fn unlinking_a_monthly_account_needs_consent_because_its_licences_are_lost() {
    let bench = Bench::new().await;
    let account = json!({"want": "Detached", "sophos": {"billing": "Usage"}});
    let wish = Wish::of(flex(), customer(&account, &json!({})));
    let plan = planned(&bench, &wish, &json!({"billingType": "usage"})).await;
    let step = the(&plan, Row::Detach);
    assert_eq!(step.action, Action::Detach);
    let consents: Vec<&str> =
        step.causes.iter().filter(|cause| cause.needs_consent).map(|cause| cause.code.as_str()).collect();
    assert_eq!(consents, ["msp-licence-lost"]);
    assert!(step.held.is_some(), "without the consent it is held");
    insta::assert_snapshot!(task(step), @r#"
    unlink Muster Zahntechnik [Operator, shown: true]
    - My Business › My customers › Customers › Muster Zahntechnik
    - Unlink from Partner
    - schedule it for the 1st of the next month › Confirm
    ! takes effect on the 1st of the next month; it is listed and billed until then
    ! the customer loses its MSP licences
    "#);
}

#[tokio::test]
async fn suspending_and_removing_do_not_exist() {
    for want in ["Suspended", "Removed"] {
        let bench = Bench::new().await;
        let wish = Wish::of(flex(), customer(&json!({"want": want}), &json!({})));
        let plan = planned(&bench, &wish, &json!({})).await;
        assert!(plan.steps.is_empty(), "{:?}", plan.steps);
        assert!(plan.findings.iter().any(|finding| finding.code == Code::NotThere), "{:?}", plan.findings);
    }
}

#[tokio::test]
async fn every_cell_that_a_person_fills_has_a_click_path() {
    let bench = Bench::new().await;
    let console = whole(&bench);
    let address = Address::account("default", "muster", "sophos");
    let subject = tenantry_engine::console::Subject {
        address: &address,
        decl: None,
        record: None,
        licenses: None,
        access: None,
    };
    let dialect = console.dialect();
    let mut verbs = std::collections::BTreeSet::new();
    for row in Row::ALL.into_iter().filter(|row| matches!(dialect.capabilities().by(*row), By::Person(_))) {
        let action = if row == Row::Detach { Action::Detach } else { Action::Update };
        let ask = tenantry_engine::console::Ask { row, action, subject, license: None, changes: &[] };
        let how = dialect.instructions(&ask);
        assert!(how.steps.len() >= 2 && how.title.contains("muster"), "{row:?}: {how:?}");
        assert!(how.steps.iter().any(|step| step.contains('›')), "{row:?}: {how:?}");
        assert_eq!(By::Person(how.party), dialect.capabilities().by(row), "{row:?}");
        verbs.insert(how.verb);
    }
    assert!(verbs.len() >= 8, "{verbs:?}");
    assert!(person(dialect.capabilities().by(Row::Detach)));
    assert_eq!(bench.running.log().effects(PARTNER, "tenant-created").len(), 0);
}
