//! Each failure says what to do, nothing is written, and the exit code is 1 where something fails.

use async_trait::async_trait;
use tenantry_engine::address::{RemoteId, VendorAccount};
use tenantry_engine::capability::{OperationClass, Party};
use tenantry_engine::console::{ConsoleError, Dialect, Reading, Sent};
use tenantry_engine::observed::{Census, DetailKey, Details, ReadCost};
use tenantry_engine::operation::Request;

use super::*;
use crate::ledgers::testing::{at, entry, globals, ledger};

const DECLARED: &str = "\
apiVersion: tenantry.io/v1alpha1
kind: Console
metadata: {name: sophos}
spec:
  sophos: {program: MspFlex}
  credentials:
    read: {secretRef: {name: no-such-read}}
    write: {secretRef: {name: no-such-write}}
---
apiVersion: tenantry.io/v1alpha1
kind: Console
metadata: {name: microsoft}
spec:
  microsoft: {partner: DirectBill, tenantId: msp.example}
  management: Observe
";

/// A console that is only asked for a link.
struct Fake;

#[async_trait]
impl Console for Fake {
    fn dialect(&self) -> &dyn Dialect {
        unreachable!("nobody asks for its terms here")
    }
    async fn identify(&self) -> Result<Identity, ConsoleError> {
        Err(ConsoleError::Stopped)
    }
    async fn census(&self, _: &dyn Reading) -> Result<Census, ConsoleError> {
        Err(ConsoleError::Stopped)
    }
    async fn details(&self, _: &[DetailKey], _: &dyn Reading) -> Result<Details, ConsoleError> {
        Err(ConsoleError::Stopped)
    }
    async fn send(&self, _: &Request<'_>) -> Sent {
        Sent::Ambiguous("never sent".into())
    }
    fn take_cost(&self) -> ReadCost {
        ReadCost::default()
    }
    fn link(&self, _: &RemoteId) -> Option<String> {
        None
    }
}

fn doctor(dir: &Path) -> Doctor {
    Doctor { files: Files { files: vec![dir.join("all.yaml")] }, console: vec![] }
}

fn declared(dir: &Path) -> Globals {
    std::fs::write(dir.join("all.yaml"), DECLARED).expect("written");
    globals(dir)
}

#[tokio::test]
async fn what_is_missing_is_told_with_what_to_do_and_nothing_is_written() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = declared(dir.path());
    let (text, exit) = doctor(dir.path()).answer(&globals).await.expect("a report");
    assert_eq!(exit, Exit::Failure);
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "ok declarations 2 objects in 1 file",
        "is not there yet; the first apply makes it",
        "FAIL read credential none is declared: the console is not observed",
        "write spec.credentials.read.secretRef.name",
        "write credential not needed: management is Observe",
        "FAIL read credential the secret no-such-read was not found",
        "→ put each value into a file DIR/no-such-read/KEY and pass --secrets-dir DIR, or set TENANTRY_SECRET_NO_SUCH_READ_KEY",
        "FAIL write credential the secret no-such-write was not found",
        "identity not asked: there is no credential to ask with",
        "clock stands at 2026-11-21T08:00:00Z (--now)",
        "3 things to mend. Nothing was written.",
    ] {
        assert!(flat.contains(words), "{words}\n{text}");
    }
    assert!(!globals.state_dir.exists());
    assert_eq!(std::fs::read_dir(dir.path()).expect("there").count(), 1);
}

#[tokio::test]
async fn one_console_can_be_looked_at_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = declared(dir.path());
    let only = |name: &str| Doctor { console: vec![name.into()], ..doctor(dir.path()) };
    let (text, _) = only("microsoft").answer(&globals).await.expect("a report");
    assert!(text.contains("\nmicrosoft   declared in all.yaml:") && !text.contains("no-such-read"), "{text}");
    let error = only("acronis").answer(&globals).await.expect_err("not declared").text();
    assert_eq!(error, "error[usage]: no Console acronis is declared\n  declared are: microsoft, sophos\n");
}

#[tokio::test]
async fn mistakes_in_declarations_come_first() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = globals(dir.path());
    std::fs::write(
        dir.path().join("all.yaml"),
        "apiVersion: tenantry.io/v1alpha1\nkind: Console\nspec: {}\n",
    )
    .expect("written");
    let error = doctor(dir.path()).answer(&globals).await.expect_err("mistakes").text();
    assert!(error.contains("FAIL declarations"), "{error}");
    assert!(error.contains("tenantry validate shows each at its place"), "{error}");
    std::fs::write(dir.path().join("all.yaml"), "").expect("written");
    let (text, exit) = doctor(dir.path()).answer(&globals).await.expect("a report");
    assert_eq!(exit, Exit::Failure);
    assert!(text.contains("FAIL consoles          none is declared that this version can reach"), "{text}");
}

#[tokio::test]
async fn another_account_and_what_the_vendor_refused_are_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = declared(dir.path());
    let address = tenantry_engine::address::Address::account("default", "a", "sophos");
    ledger(&globals, "sophos", "sophos:1", vec![(address, entry())]).await;
    let run = Run::new(&globals, vec![]).expect("a run");
    let loaded = read(&globals, &[dir.path().join("all.yaml")]).expect("valid");
    let scope = FileScope(&loaded.scope);
    let all = declarations(&loaded);
    let declaration = declare(&all, &scope);
    let desired = &declaration.consoles["sophos"];
    let identity = |account: &str| Identity {
        vendor_account: VendorAccount::new(account),
        title: "Sophos".into(),
        probed: serde_json::Value::Null,
    };
    let checks = known(&run, desired, Box::new(Fake), identity("sophos:1"));
    assert_eq!(checks, [Check::new(How::Well, "identity", "sophos:1 (MspFlex declared)")]);
    let checks = known(&run, desired, Box::new(Fake), identity("sophos:2"));
    assert_eq!(checks[1].how, How::Fails);
    assert_eq!(checks[1].words, "Console sophos was sophos:1; its credential now belongs to sophos:2");
    assert!(
        checks[1].next.iter().any(|next| next.contains("tenantry state move-console sophos")),
        "{checks:?}"
    );
}

#[test]
fn the_table_says_who_does_what() {
    let class = OperationClass::Blind;
    let capabilities = Capabilities::default()
        .with(Row::Census, By::Api, class, true, "")
        .with(Row::Create, By::Person(Party::Provider), class, false, "refused on 2026-11-20")
        .with(Row::Remove, By::Never, class, false, "")
        .with(Row::Move, By::NotYet, class, false, "");
    let words: Vec<String> = table(&capabilities).into_iter().map(|check| check.words).collect();
    assert_eq!(
        words,
        [
            "list customers: tenantry",
            "create a customer: your indirect provider · refused on 2026-11-20",
            "move to another parent: nobody yet: this version does not use the vendor's API for it",
        ]
    );
}

#[test]
fn a_locked_or_unwritable_state_directory_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let there = StateDir::new(dir.path().join(".tenantry"));
    let held = there.lock("anna, process 7").expect("free");
    let checks = state(&there);
    assert_eq!(checks[0].how, How::Well);
    assert!(checks[1].words.starts_with("anna, process 7 writes there since "), "{checks:?}");
    drop(held);
    std::fs::write(dir.path().join("file"), "").expect("written");
    let checks = state(&StateDir::new("/proc/none/state"));
    assert_eq!(checks[0].how, How::Fails);
    assert_eq!(checks[0].next, ["mend its rights, or name another one with --state-dir"]);
}

#[test]
fn an_old_refresh_token_is_told_before_and_after_it_ends() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(dir.path().join("ms")).expect("made");
    let path = dir.path().join("ms/refreshToken");
    std::fs::write(&path, "secret").expect("written");
    let file = std::fs::File::options().write(true).open(&path).expect("opens");
    file.set_modified(at("2026-08-01T00:00:00Z").into()).expect("dated");
    let how = |now: &str| refresh_token(Some(dir.path()), "ms", at(now)).expect("a file").how;
    assert_eq!(how("2026-08-11T00:00:00Z"), How::Well);
    assert_eq!(how("2026-10-20T00:00:00Z"), How::Note);
    assert_eq!(how("2026-11-20T00:00:00Z"), How::Fails);
    let check = refresh_token(Some(dir.path()), "ms", at("2026-11-20T00:00:00Z")).expect("a file");
    assert_eq!(check.words, "of ms was stored 111 days ago; one that is unused for 90 days has ended");
    assert!(!format!("{check:?}").contains("secret"));
    assert_eq!(refresh_token(Some(dir.path()), "none", at("2026-08-11T00:00:00Z")), None);
}

#[test]
fn a_clock_that_differs_from_the_consoles_is_told() {
    let words = |seconds| {
        let check = clock(SignedDuration::from_secs(seconds));
        (check.how, check.words)
    };
    assert_eq!(words(0), (How::Well, "the same as the console's".to_owned()));
    assert_eq!(words(3), (How::Well, "3 s ahead of the console's".to_owned()));
    assert_eq!(words(-61), (How::Fails, "61 s behind the console's".to_owned()));
    assert_eq!(
        clock(SignedDuration::from_secs(600)).next,
        ["set this machine's clock (NTP): tokens are refused, and days are counted from it"]
    );
}
