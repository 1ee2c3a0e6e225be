//! What pull writes, and above all what it does not.

use serde_json::json;

use super::desk::{CONSOLE, Desk, NORDWIND, NORDWIND_ID, customer};
use super::*;

fn pull(desk: &Desk) -> Pull {
    Pull {
        files: desk.files(),
        ids: false,
        drift: false,
        target: vec![],
        yes: true,
        dry_run: false,
        read_budget: 100,
    }
}

async fn bound(customer: &str) -> Desk {
    let desk = Desk::of(&[("consoles.yaml", CONSOLE), ("nordwind.yaml", customer)]).await;
    assert_eq!(desk.apply().await.expect("it applies"), Exit::Done);
    assert_eq!(desk.bound(), [("customer/nordwind/sophos".to_owned(), NORDWIND_ID.to_owned())]);
    desk
}

fn with_id(customer: &str) -> String {
    customer.replace("   # since 2019\n", &format!("   # since 2019\n    id: \"{NORDWIND_ID}\"\n"))
}

#[tokio::test]
async fn ids_come_from_the_ledger_alone_and_the_next_plan_is_the_same() {
    let desk = bound(NORDWIND).await;
    let before = desk.requests();
    let exit = Pull { ids: true, ..pull(&desk) }.run(&desk.globals()).await.expect("it writes");
    assert_eq!((exit, desk.requests()), (Exit::Done, before));
    assert_eq!(desk.text("nordwind.yaml"), with_id(NORDWIND));
    assert_eq!(desk.text("consoles.yaml"), CONSOLE);
    // A second one has nothing to do, and so has an apply.
    let exit = Pull { ids: true, ..pull(&desk) }.run(&desk.globals()).await.expect("it runs");
    assert_eq!((exit, desk.text("nordwind.yaml")), (Exit::Done, with_id(NORDWIND)));
    assert_eq!(desk.apply().await.expect("it applies"), Exit::Done);
    assert_eq!(desk.commits(), 0);
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let desk = bound(NORDWIND).await;
    let exit =
        Pull { yes: false, dry_run: true, ..pull(&desk) }.run(&desk.globals()).await.expect("it shows");
    assert_eq!((exit, desk.text("nordwind.yaml").as_str()), (Exit::Done, NORDWIND));
}

#[tokio::test]
async fn drift_is_declared_where_only_this_console_says_it_and_no_request_writes() {
    let desk = bound(NORDWIND).await;
    desk.click(&format!("tenants/{NORDWIND_ID}/show-as"), &json!({"showAs": "Nordwind: #1"}));
    let exit = Pull { drift: true, ..pull(&desk) }.run(&desk.globals()).await.expect("it writes");
    let accepted =
        NORDWIND.replace("   # since 2019\n", "   # since 2019\n    displayName: \"Nordwind: #1\"\n");
    assert_eq!((exit, desk.text("nordwind.yaml")), (Exit::Done, accepted.clone()));
    // What was accepted is no drift any more, and nothing is sent to the console for it.
    assert_eq!(desk.apply().await.expect("it applies"), Exit::Done);
    let exit = Pull { drift: true, ..pull(&desk) }.run(&desk.globals()).await.expect("it runs");
    assert_eq!((exit, desk.text("nordwind.yaml")), (Exit::Done, accepted));
    assert_eq!(desk.commits(), 0);
}

#[tokio::test]
async fn a_declared_value_that_drifted_is_replaced_in_its_place() {
    let own = NORDWIND
        .replace("    sophos: {billing", "    displayName: 'Nordwind GmbH' # ours\n    sophos: {billing");
    let desk = bound(&own).await;
    desk.click(&format!("tenants/{NORDWIND_ID}/show-as"), &json!({"showAs": "It's Nordwind"}));
    Pull { drift: true, ..pull(&desk) }.run(&desk.globals()).await.expect("it writes");
    assert_eq!(desk.text("nordwind.yaml"), own.replace("'Nordwind GmbH' # ours", "'It''s Nordwind' # ours"));
}

#[tokio::test]
async fn only_the_target_is_written() {
    let other =
        customer("tailspin", "{consoleRef: {name: sophos}, id: 3d9e8b42-1c6f-4a75-b0d4-7e5f2c8a9613}");
    let desk = Desk::of(&[("a.yaml", CONSOLE), ("n.yaml", NORDWIND), ("t.yaml", &other)]).await;
    desk.apply().await.expect("it applies");
    let target = vec!["customer/tailspin/sophos".to_owned()];
    Pull { ids: true, target, ..pull(&desk) }.run(&desk.globals()).await.expect("it runs");
    assert_eq!((desk.text("n.yaml").as_str(), desk.text("t.yaml")), (NORDWIND, other));
}

#[tokio::test]
async fn nobody_is_asked_where_nobody_sits() {
    let desk = Desk::of(&[("a.yaml", CONSOLE)]).await;
    let error = Pull { yes: false, ..pull(&desk) }.run(&desk.globals()).await.expect_err("nobody to ask");
    assert_eq!(error.exit, Exit::Usage);
    assert_eq!(
        error.text(),
        "error[usage]: nobody can be asked: this is no terminal\n  look first: tenantry pull --dry-run\n  then write: tenantry pull --yes\n"
    );
}

/// A file whose account is an alias cannot get an id without another account getting it too.
const SHARED: &str = "# one account for two
apiVersion: tenantry.io/v1alpha1
kind: Customer
metadata: {name: nordwind, annotations: {x: &sophos sophos}}
spec:
  company: {legalName: Nordwind GmbH}
  accounts:
  - consoleRef: &c {name: *sophos}
    name: one
  - consoleRef: *c
    name: two
";

fn wanted(loaded: &Loaded, path: &str, new: edit::New) -> Found {
    let edit = Edit {
        origin: loaded.objects[0].origin.clone(),
        path: crate::load::tree::parse_path(path),
        new,
        after: &["name"],
    };
    Found {
        wanted: vec![Wanted { address: Address::account("default", "nordwind", "one"), edit }],
        notes: vec![],
    }
}

struct Put {
    desk: Desk,
    loaded: Loaded,
}

impl Put {
    async fn of(text: &str) -> Self {
        let text = format!("{text}---\n{CONSOLE}");
        let desk = Desk::of(&[("a.yaml", &text)]).await;
        let loaded = load::validate(&desk.files().files, &load::Options::new(desk.path("")));
        assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
        Self { desk, loaded }
    }

    fn run(&self, path: &str, new: edit::New, mode: &Mode<'_>) -> Result<Exit, CliError> {
        let found = wanted(&self.loaded, path, new);
        put(&self.desk.globals(), &self.desk.files().files, &self.desk.path(""), &self.loaded, found, mode)
    }
}

#[tokio::test]
async fn a_value_that_others_share_is_left_alone_and_told() {
    let put = Put::of(SHARED).await;
    let before = put.desk.text("a.yaml");
    let exit = put.run("spec.accounts[1].consoleRef.name", edit::New::Text("x".into()), &Mode::Write);
    assert_eq!((exit.expect("it runs"), put.desk.text("a.yaml")), (Exit::Refused, before.clone()));
    // Changing what the anchor names would change the other account as well: the proof finds it.
    let error = put
        .run("metadata.annotations.x", edit::New::Text("other".into()), &Mode::Write)
        .expect_err("not exact");
    assert_eq!(error.code, "edit-not-exact");
    assert_eq!(put.desk.text("a.yaml"), before);
}

#[tokio::test]
async fn an_edit_that_breaks_a_rule_is_not_written() {
    let put = Put::of(&SHARED.replace("name: one", "name: one\n    distinctFrom: [\"7f2e\"]")).await;
    let before = put.desk.text("a.yaml");
    let error =
        put.run("spec.accounts[0].id", edit::New::Id("7f2e".into()), &Mode::Write).expect_err("refused");
    assert_eq!((error.code, error.exit), ("edit-not-exact", Exit::Refused));
    assert!(error.more.report.contains("distinctFrom names other companies"), "{}", error.more.report);
    assert_eq!(put.desk.text("a.yaml"), before);
}

#[tokio::test]
async fn a_no_writes_nothing_and_a_yes_writes_it() {
    let put = Put::of(SHARED).await;
    let before = put.desk.text("a.yaml");
    let id = || edit::New::Id("NO".into());
    let exit = put.run("spec.accounts[0].id", id(), &Mode::Ask(&|| Ok(false))).expect("it runs");
    assert_eq!((exit, put.desk.text("a.yaml")), (Exit::Refused, before.clone()));
    let exit = put.run("spec.accounts[0].id", id(), &Mode::Ask(&|| Ok(true))).expect("it runs");
    assert_eq!(exit, Exit::Done);
    assert_eq!(put.desk.text("a.yaml"), before.replace("name: one\n", "name: one\n    id: \"NO\"\n"));
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_not_written_and_neither_is_another() {
    let desk = Desk::of(&[("a.yaml", "a: 1\n"), ("b.yaml", "b: 1\n")]).await;
    let changed = |name: &str, before: &str| edit::Changed {
        path: name.into(),
        disk: desk.path(name),
        before: before.into(),
        after: "c: 1\n".into(),
    };
    let error =
        edit::write(&[changed("a.yaml", "a: 1\n"), changed("b.yaml", "b: 2\n")]).expect_err("changed");
    assert_eq!(
        error.text(),
        "error[file-changed]: b.yaml was changed meanwhile\n  nothing was written; run again\n"
    );
    assert_eq!((desk.text("a.yaml").as_str(), desk.text("b.yaml").as_str()), ("a: 1\n", "b: 1\n"));
    let left: Vec<_> = std::fs::read_dir(desk.path("")).expect("a directory").collect();
    assert_eq!(left.len(), 2, "no temporary stays: {left:?}");
    edit::write(&[changed("a.yaml", "a: 1\n"), changed("b.yaml", "b: 1\n")]).expect("both");
    assert_eq!((desk.text("a.yaml").as_str(), desk.text("b.yaml").as_str()), ("c: 1\n", "c: 1\n"));
}

#[tokio::test]
async fn the_difference_reads_like_a_patch_and_never_reaches_the_terminal_raw() {
    let changed = edit::Changed {
        path: "a.yaml".into(),
        disk: "a.yaml".into(),
        before: "a: 1\r\nb: \u{1b}[31m\r\n".into(),
        after: "a: 1\r\nid: \"x\"\r\nb: \u{1b}[31m\r\n".into(),
    };
    let paint = tenantry_engine::render::Paint::default();
    assert_eq!(
        edit::preview(&[changed], paint),
        "--- a/a.yaml\n+++ b/a.yaml\n@@ -1,2 +1,3 @@\n a: 1\n+id: \"x\"\n b: \\u{1b}[31m\n"
    );
}

const LICENSE: &str = "apiVersion: tenantry.io/v1alpha1
kind: License
metadata: {name: endpoint}
spec: {customerRef: {name: nordwind}, account: sophos, productRef: {name: endpoint}, type: Trial, quantity: 25} # 25
---
apiVersion: tenantry.io/v1alpha1
kind: Product
metadata: {name: endpoint}
spec: {consoleRef: {name: sophos}, sophos: {code: CIXA-MSP}}
";

#[tokio::test]
async fn only_records_that_are_bound_and_there_give_ids_and_a_contradiction_is_told() {
    use tenantry_engine::ledger::{Entry, Ledger, Standing};
    let desk = Desk::of(&[("a.yaml", CONSOLE), ("n.yaml", NORDWIND), ("l.yaml", LICENSE)]).await;
    let loaded = load::validate(&desk.files().files, &load::Options::new(desk.path("")));
    let scope = FileScope(&loaded.scope);
    let all = declarations(&loaded);
    let declaration = declare(&all, &scope);
    let desired = &declaration.consoles["sophos"];
    let address = Address::license("default", "endpoint");
    let mut ledger = Ledger::new("sophos:1".into(), "lineage".into());
    let mut entry =
        Entry::declared(Origin::file("l.yaml", 1, 1), super::desk::NOW.parse().expect("a moment"));
    entry.remote_id = Some("lic-1".into());
    let mut found_with = |entry: &Entry| {
        ledger.entries.insert(address.clone(), entry.clone());
        let mut found = Found::default();
        ids::of(desired, &ledger, &mut found);
        found
    };
    let found = found_with(&entry);
    let [wanted] = found.wanted.as_slice() else { panic!("one id: {found:?}") };
    assert_eq!(
        (wanted.edit.path_words().as_str(), &wanted.edit.new),
        ("spec.id", &edit::New::Id("lic-1".into()))
    );
    let prepared = edit::prepare(&loaded, vec![wanted.edit.clone()]);
    assert_eq!(prepared.files[0].after, LICENSE.replace("type: Trial,", "type: Trial, id: \"lic-1\","));
    for standing in [Standing::Ended, Standing::Released, Standing::Leaving] {
        let entry = Entry { standing, ..entry.clone() };
        assert!(found_with(&entry).wanted.is_empty(), "{standing:?}");
    }
    entry.ended_elsewhere = Some(entry.since.into());
    assert!(found_with(&entry).wanted.is_empty());
    entry.ended_elsewhere = None;
    let said = LICENSE.replace("type: Trial,", "type: Trial, id: other,");
    std::fs::write(desk.path("l.yaml"), said).expect("written");
    let loaded = load::validate(&desk.files().files, &load::Options::new(desk.path("")));
    let scope = FileScope(&loaded.scope);
    let all = declarations(&loaded);
    let declaration = declare(&all, &scope);
    let mut found = Found::default();
    ids::of(&declaration.consoles["sophos"], &ledger_with(&address, &entry), &mut found);
    assert_eq!(found.notes, ["license/endpoint: it is bound to \"lic-1\", and its file says id \"other\""]);
    assert!(found.wanted.is_empty());
}

fn ledger_with(address: &Address, entry: &tenantry_engine::ledger::Entry) -> tenantry_engine::ledger::Ledger {
    let mut ledger = tenantry_engine::ledger::Ledger::new("sophos:1".into(), "lineage".into());
    ledger.entries.insert(address.clone(), entry.clone());
    ledger
}
