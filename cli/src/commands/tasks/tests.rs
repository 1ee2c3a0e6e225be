//! Offline lists say where they come from; what is said is durable, once, and refused whole where it cannot be.

use tenantry_engine::address::Address;

use super::*;
use crate::ledgers::testing::{at, entry, globals, ledger, logged, stored, task};
use crate::load;

const BILLING: &str = "sophos-update-billing-northwind-it-3f2a1c";
const PROVIDER: &str = "sophos-create-fabrikam-00aa11";

fn northwind() -> Address {
    Address::account("default", "northwind-it", "sophos")
}

async fn with_tasks(dir: &std::path::Path) -> Globals {
    let globals = globals(dir);
    let mut one = entry();
    one.tasks.insert(BILLING.into(), task(BILLING, Party::Operator));
    let mut two = entry();
    let mut record = task(PROVIDER, Party::Provider);
    record.task = None;
    two.tasks.insert(PROVIDER.into(), record);
    let fabrikam = Address::account("default", "fabrikam", "sophos");
    ledger(&globals, "sophos", "sophos:1", vec![(northwind(), one), (fabrikam, two)]).await;
    globals
}

fn tasks(what: Option<What>) -> Tasks {
    Tasks {
        what,
        group: Group::Console,
        output: Format::Text,
        export: None,
        files: vec![],
        home: Home::default(),
    }
}

fn done(ids: &[&str]) -> Done {
    Done { ids: ids.iter().map(|id| (*id).to_owned()).collect(), by: Some("anna".into()), ..Done::default() }
}

#[tokio::test]
async fn the_list_needs_no_console_and_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with_tasks(dir.path()).await;
    let text = tasks(None).answer(&globals).await.expect("listed");
    let place = globals.state_dir.display();
    assert_eq!(
        text,
        format!(
            "sophos
  sophos-create-fabrikam-00aa11
      what it is: tenantry tasks show sophos-create-fabrikam-00aa11 -f .
      whom the plan names · customer/fabrikam/sophos
      open since 2026-11-12 (9 days ago)
  sophos-update-billing-northwind-it-3f2a1c
      Northwind IT: trial → usage
      you · Sophos Central Partner · customer/northwind-it/sophos
      open since 2026-11-12 (9 days ago)

2 tasks open. How: tenantry tasks show ID   Done: tenantry tasks done ID
From the ledgers in {place}, as the last apply left them; no console was asked.
"
        )
    );
    let grouped = Tasks { group: Group::Party, ..tasks(None) }.answer(&globals).await.expect("listed");
    assert!(grouped.contains("\nyou\n  sophos-update"), "{grouped}");
    let nothing = tempfile::tempdir().expect("a directory");
    let text = tasks(None).answer(&crate::ledgers::testing::globals(nothing.path())).await.expect("listed");
    assert!(text.starts_with("Nothing waits for a person.\n"), "{text}");
}

#[tokio::test]
async fn a_task_is_shown_with_its_click_path() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with_tasks(dir.path()).await;
    let show =
        |id: &str| tasks(Some(What::Show(Show { id: id.into(), files: vec![], home: Home::default() })));
    let text = show(BILLING).answer(&globals).await.expect("shown");
    assert_eq!(
        text,
        "Northwind IT: trial → usage
you · Sophos Central Partner · open since 2026-11-12 (9 days ago)
  1.  Customers › Northwind IT › Update Billing
  2.  choose  Monthly usage
  causes    converts all trials of this account
  closes    by itself when a plan finds it done in the console
  or        tenantry tasks done sophos-update-billing-northwind-it-3f2a1c --note
            \"…\"
  about     customer/northwind-it/sophos
"
    );
    let text = show(PROVIDER).answer(&globals).await.expect("shown");
    assert!(
        text.contains("The ledger does not hold how it is done. Plan afresh: tenantry tasks show"),
        "{text}"
    );
    let error =
        show("sophos-update-billing-northwind-it-3f2a1d").answer(&globals).await.expect_err("unknown");
    assert_eq!(
        error.text(),
        "error[usage]: there is no task sophos-update-billing-northwind-it-3f2a1d\n  \
         did you mean sophos-update-billing-northwind-it-3f2a1c?\n  \
         the ledgers hold tasks that an apply opened; those of a fresh plan: tenantry tasks -f .\n  \
         tenantry tasks lists them; a task that was closed is in the log: tenantry log\n"
    );
}

#[tokio::test]
async fn done_is_durable_once_and_logged_without_the_note() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with_tasks(dir.path()).await;
    let say = Done { note: Some("by phone".into()), ..done(&[BILLING]) };
    let text = say.clone().answer(&globals).await.expect("stored");
    assert_eq!(
        text,
        format!("{BILLING}   done; the next plan looks whether the console shows it\nNext: tenantry plan\n")
    );
    let record = stored(&globals, "sophos:1").entries[&northwind()].tasks[BILLING].clone();
    let said = record.attested.expect("said");
    assert_eq!((said.outcome, said.by.as_str(), said.note.as_str()), (Outcome::Done, "anna", "by phone"));
    assert_eq!(said.on, at(crate::ledgers::testing::NOW));
    let last = logged(&globals, "sophos:1").pop().expect("logged");
    assert_eq!(last, ("attested".into(), format!("{BILLING}: done, says anna")));
    let again = say.answer(&globals).await.expect("again");
    assert!(again.starts_with(&format!("{BILLING}   was said already, by anna on 2026-11-21\n")), "{again}");
    let list = tasks(None).answer(&globals).await.expect("listed");
    assert!(list.contains("said to be done on 2026-11-21 by anna"), "{list}");
    assert!(list.contains("1 task open, 1 said to be done and not seen yet."), "{list}");
}

#[tokio::test]
async fn one_wrong_id_refuses_all() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with_tasks(dir.path()).await;
    let error = done(&[BILLING, "nonsense"]).answer(&globals).await.expect_err("refused");
    assert!(error.text().contains("there is no task nonsense"), "{}", error.text());
    assert!(error.text().contains("nothing was written"), "{}", error.text());
    assert_eq!(stored(&globals, "sophos:1").entries[&northwind()].tasks[BILLING].attested, None);
}

#[tokio::test]
async fn a_moment_before_the_task_or_after_now_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with_tasks(dir.path()).await;
    let on = |on: &str| Done { on: Some(on.into()), ..done(&[BILLING]) };
    let error = on("2026-11-01T00:00:00Z").answer(&globals).await.expect_err("before").text();
    assert!(
        error.contains("was opened at 2026-11-12T08:00:00Z; 2026-11-01T00:00:00Z is before that"),
        "{error}"
    );
    let error = on("2026-12-01T00:00:00Z").answer(&globals).await.expect_err("after").text();
    assert!(error.contains("2026-12-01T00:00:00Z has not come yet"), "{error}");
    let error = on("yesterday").answer(&globals).await.expect_err("no moment").text();
    assert!(error.contains("--on yesterday is no moment"), "{error}");
    assert!(error.contains("write it as 2026-11-21T14:00:00Z"), "{error}");
}

#[tokio::test]
async fn a_table_goes_out_and_comes_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with_tasks(dir.path()).await;
    let path = dir.path().join("tasks.csv");
    let export = Tasks { export: Some(format!("csv={}", path.display())), ..tasks(None) };
    let text = export.answer(&globals).await.expect("exported");
    assert!(text.starts_with("2 tasks written to "), "{text}");
    let table = std::fs::read_to_string(&path).expect("there");
    let filled = table.replacen(
        "converts all trials of this account,,",
        "converts all trials of this account,yes,\"a, b\"",
        1,
    );
    assert_ne!(table, filled, "{table}");
    std::fs::write(&path, filled).expect("written");
    let text = Done { from: Some(path), ..done(&[]) }.answer(&globals).await.expect("stored");
    assert!(text.starts_with(&format!("{BILLING}   done;")) && !text.contains(PROVIDER), "{text}");
    let stored = stored(&globals, "sophos:1");
    let said = stored.entries[&northwind()].tasks[BILLING].attested.clone().expect("said");
    assert_eq!(said.note, "a, b");
}

#[test]
fn a_file_of_ids_or_a_table_is_read() {
    let path = std::path::Path::new("t.csv");
    let read = |text: &str| table::read(path, text);
    let ids = |text: &str| read(text).expect("reads").into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids("# mine\na-1\n\nb-2\n"), ["a-1", "b-2"]);
    assert_eq!(ids("\u{feff}title;id;done\nx;a-1;x\ny;b-2;\n"), ["a-1"]);
    assert_eq!(ids("id,title\na-1,\"x\ny\"\n"), ["a-1"]);
    let row = &read("id,done\na-1,2026-11-20T10:00:00Z\n").expect("reads")[0];
    assert_eq!(row.on, Some(at("2026-11-20T10:00:00Z")));
    assert_eq!(
        read("id,done\na-1,maybe\n").expect_err("neither").text(),
        "error[bad-table]: t.csv:2: done is \"maybe\"\n  write yes, or when it was done: 2026-11-21T14:00:00Z; leave it empty where it is not\n"
    );
}

#[tokio::test]
async fn no_cell_of_the_table_is_a_formula() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = globals(dir.path());
    let mut hostile = entry();
    let mut record = task("sophos-x-1", Party::Operator);
    let inner = record.task.as_mut().expect("there");
    inner.title = "=HYPERLINK(\"http://evil.example\")".into();
    inner.steps = vec!["@SUM(1)".into(), "-2\u{1b}[1m".into()];
    hostile.tasks.insert("sophos-x-1".into(), record);
    ledger(&globals, "sophos", "sophos:1", vec![(northwind(), hostile)]).await;
    let table = Tasks { export: Some("csv".into()), ..tasks(None) }.answer(&globals).await.expect("exported");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    for record in reader.records() {
        for cell in &record.expect("a record") {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
            assert!(!cell.contains('\u{1b}'), "{cell}");
        }
    }
    let error =
        Tasks { export: Some("xml".into()), ..tasks(None) }.answer(&globals).await.expect_err("no such");
    assert!(error.text().contains("--export xml: there is no such format"), "{}", error.text());
}

#[tokio::test]
async fn attestations_for_git_validate_and_leave_the_ledger_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with_tasks(dir.path()).await;
    let out = dir.path().join("attestations");
    let say = Done { write: Some(out.clone()), note: Some("yes: \"no\"\nnull".into()), ..done(&[BILLING]) };
    let text = say.clone().answer(&globals).await.expect("written");
    assert!(text.starts_with("1 Attestation written to "), "{text}");
    say.clone().answer(&globals).await.expect("the same again");
    let loaded = load::validate(std::slice::from_ref(&out), &load::Options::new(dir.path()));
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    let [declared] = loaded.objects.as_slice() else { panic!("one object") };
    let tenantry_crd::AnyObject::Attestation(object) = &declared.object else { panic!("an Attestation") };
    assert_eq!(object.spec.task.as_deref(), Some(BILLING));
    assert_eq!(object.spec.note.as_deref(), Some("yes: \"no\"\nnull"));
    assert_eq!(stored(&globals, "sophos:1").entries[&northwind()].tasks[BILLING].attested, None);
    let error =
        Done { note: Some("another".into()), ..say }.answer(&globals).await.expect_err("there").text();
    assert!(error.contains("is there with another text"), "{error}");
    assert!(error.contains("an Attestation never changes"), "{error}");
}
