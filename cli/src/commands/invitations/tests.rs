//! Who stands where, the same mail each time, and never a mail that was sent.

use tenantry_engine::address::RemoteId;
use tenantry_engine::ledger::Reminder;

use super::*;
use crate::commands::tasks::Done;
use crate::ledgers::testing::{at, entry, globals, invitation, ledger};

const DECLARED: &str = "\
apiVersion: tenantry.io/v1alpha1
kind: Console
metadata: {name: microsoft}
spec:
  microsoft: {partner: DirectBill, tenantId: msp.example}
  credentials: {read: {secretRef: {name: microsoft-read}}}
  ownDomains: [msp.example]
  invitation:
    messages: {de: \"Subject: Hallo\\n\\nBitte: {{ link }}\\n\"}
---
apiVersion: tenantry.io/v1alpha1
kind: Customer
metadata: {name: adatum}
spec:
  company: {legalName: Adatum AG, domains: [adatum.example]}
  contacts:
  - {roles: [Admin], firstName: Jörg, lastName: Groß, email: ceo@adatum.example, language: de}
  accounts:
  - {name: microsoft, consoleRef: {name: microsoft}}
---
apiVersion: tenantry.io/v1alpha1
kind: Relationship
metadata: {name: invite-adatum}
spec: {consoleRef: {name: microsoft}, customerRef: {name: adatum}, type: Reseller}
";

fn adatum() -> Address {
    Address::account("default", "adatum", "microsoft")
}

async fn with(dir: &std::path::Path, change: impl FnOnce(&mut Entry)) -> Globals {
    let globals = globals(dir);
    std::fs::write(dir.join("all.yaml"), DECLARED).expect("written");
    let mut one = entry();
    one.invitation = Some(Box::new(invitation()));
    let task = send_task("microsoft", "Partner Center", "adatum", "0b6c", "ceo@adatum.example");
    one.tasks
        .insert(task.id.clone(), tenantry_engine::task::TaskRecord::opened(at("2026-11-12T08:30:00Z"), task));
    change(&mut one);
    ledger(&globals, "microsoft", "microsoft:1", vec![(adatum(), one)]).await;
    globals
}

fn command(dir: &std::path::Path) -> Invitations {
    Invitations {
        what: None,
        eml: None,
        from: None,
        only: vec![],
        files: Files { files: vec![dir.join("all.yaml")] },
        output: Format::Text,
        home: Home::default(),
    }
}

fn mails(dir: &std::path::Path) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = std::fs::read_dir(dir)
        .expect("a directory")
        .map(|file| file.expect("a file").path())
        .map(|path| {
            (
                path.file_name().expect("a name").to_string_lossy().into_owned(),
                std::fs::read_to_string(path).expect("text"),
            )
        })
        .collect();
    out.sort();
    out
}

#[tokio::test]
async fn a_drafted_mail_waits_for_somebody_to_send_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |_| {}).await;
    let text = command(dir.path()).answer(&globals).await.expect("listed");
    let task = send_task("microsoft", "", "adatum", "0b6c", "").id;
    assert_eq!(
        text,
        format!(
            "microsoft
  to send   customer/adatum/microsoft
            to        ceo@adatum.example, in language de
            drafted   2026-11-12 (8 days ago); not said to be sent
            once sent tenantry tasks done {task}

Invitations: 1 to send, 0 waiting, 0 overdue, 0 accepted.
Write the mails: tenantry invitations --eml outbox/
"
        )
    );
}

#[tokio::test]
async fn the_same_mail_is_written_each_time_and_never_after_it_was_sent() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |_| {}).await;
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let eml = |out: &std::path::Path| Invitations { eml: Some(out.to_owned()), ..command(dir.path()) };
    let text = eml(&one).answer(&globals).await.expect("written");
    eml(&one).answer(&globals).await.expect("written again");
    eml(&two).answer(&globals).await.expect("written elsewhere");
    let task = send_task("microsoft", "", "adatum", "0b6c", "").id;
    let written = mails(&one);
    assert_eq!(written, mails(&two));
    let [(name, mail)] = written.as_slice() else { panic!("one mail: {written:?}") };
    assert_eq!(*name, format!("{task}.eml"));
    assert!(
        mail.starts_with("To: =?utf-8?B?SsO2cmcgR3Jvw58=?= <ceo@adatum.example>\r\nSubject: Hallo\r\n"),
        "{mail}"
    );
    assert!(
        mail.contains("Date: Thu, 12 Nov 2026 08:30:00 +0000\r\nMessage-ID: <0b6c@msp.example>\r\n"),
        "{mail}"
    );
    assert!(mail.ends_with("\r\n\r\nBitte: https://admin.example/partner?id=1\r\n"), "{mail}");
    assert!(text.contains(&format!("once sent tenantry tasks done {task}\n")), "{text}");
    assert!(text.contains("the words may change, the link may not."), "{text}");
    assert!(text.contains("They name no sender: your mail program fills it in, or pass --from.\n"), "{text}");

    let done = Done { ids: vec![task.clone()], by: Some("anna".into()), ..Done::default() };
    let said = done.answer(&globals).await.expect("said");
    assert!(said.starts_with(&format!("{task}   done; the mail counts as sent\n")), "{said}");
    let third = dir.path().join("three");
    assert_eq!(eml(&third).answer(&globals).await.expect("nothing to do"), "No mail waits to be sent.\n");
    assert!(!third.exists());
    let list = command(dir.path()).answer(&globals).await.expect("listed");
    assert!(list.contains("  waiting   customer/adatum/microsoft\n"), "{list}");
    assert!(list.contains("sent      2026-11-21 (today)\n            until     2026-12-21\n"), "{list}");
}

#[tokio::test]
async fn a_changed_draft_of_somebody_stays() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |_| {}).await;
    let out = dir.path().join("outbox");
    let eml = || Invitations {
        eml: Some(out.clone()),
        from: Some("Anna <anna@msp.example>".into()),
        ..command(dir.path())
    };
    eml().answer(&globals).await.expect("written");
    let name = mails(&out)[0].0.clone();
    std::fs::write(out.join(&name), "my words").expect("changed");
    let text = eml().answer(&globals).await.expect("left");
    assert!(text.contains("it was there with other words and stays; delete it to have it"), "{text}");
    assert!(!text.contains("They name no sender"), "{text}");
    assert_eq!(mails(&out)[0].1, "my words");
}

#[tokio::test]
async fn a_reminder_answers_the_first_mail() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |entry| {
        let invitation = entry.invitation.as_mut().expect("invited");
        invitation.sent = Some(at("2026-11-12T09:00:00Z"));
        invitation.reminders.push(Reminder {
            drafted: at("2026-11-20T09:00:00Z"),
            message_id: "77aa".into(),
            sent: None,
        });
        entry.tasks.clear();
    })
    .await;
    let list = command(dir.path()).answer(&globals).await.expect("listed");
    assert!(list.contains("reminder  number 1 drafted 2026-11-20 (today)\n"), "{list}");
    let out = dir.path().join("outbox");
    Invitations { eml: Some(out.clone()), ..command(dir.path()) }.answer(&globals).await.expect("written");
    let mail = &mails(&out)[0].1;
    assert!(
        mail.contains("Subject: Erinnerung: Hallo\r\nDate: Fri, 20 Nov 2026 09:00:00 +0000\r\n"),
        "{mail}"
    );
    assert!(mail.contains("Message-ID: <77aa@msp.example>\r\nIn-Reply-To: <0b6c@msp.example>\r\n"), "{mail}");
}

#[tokio::test]
async fn accepted_overdue_and_ended_are_told_apart() {
    let stands = async |change: fn(&mut Entry)| {
        let dir = tempfile::tempdir().expect("a directory");
        let globals = with(dir.path(), change).await;
        let out = dir.path().join("outbox");
        let eml = Invitations { eml: Some(out.clone()), ..command(dir.path()) };
        let wrote = eml.answer(&globals).await.expect("written");
        (command(dir.path()).answer(&globals).await.expect("listed"), wrote)
    };
    let (list, wrote) = stands(|entry| entry.remote_id = Some(RemoteId::new("tenant-1"))).await;
    assert!(
        list.contains("  accepted  customer/adatum/microsoft\n") && list.contains("bound to  tenant-1\n"),
        "{list}"
    );
    assert_eq!(wrote, "No mail waits to be sent.\n");
    let (list, wrote) = stands(|entry| {
        entry.invitation.as_mut().expect("invited").revoked = Some(at("2026-11-13T00:00:00Z"));
    })
    .await;
    assert!(list.contains("ended     taken back on 2026-11-13\n"), "{list}");
    assert_eq!(wrote, "No mail waits to be sent.\n");
    let (list, wrote) = stands(|entry| {
        entry.invitation.as_mut().expect("invited").sent = Some(at("2026-10-12T09:00:00Z"));
        entry.tasks.clear();
    })
    .await;
    assert!(list.contains("overdue   since 2026-11-11 (9 days ago); ask the customer, the link"), "{list}");
    assert_eq!(wrote, "No mail waits to be sent.\n");
    let (list, _) = stands(|entry| entry.standing = Standing::Released).await;
    assert!(
        list.contains("ended     not wanted since 2026-11-01\n") && list.ends_with("0 accepted, 1 ended.\n"),
        "{list}"
    );
}

#[tokio::test]
async fn a_mail_that_cannot_be_made_says_why() {
    let dir = tempfile::tempdir().expect("a directory");
    let globals = with(dir.path(), |entry| entry.invitation.as_mut().expect("invited").link.clear()).await;
    let eml = || Invitations { eml: Some(dir.path().join("outbox")), ..command(dir.path()) };
    let error = eml().answer(&globals).await.expect_err("no link").text();
    assert_eq!(
        error,
        "error[no-mail]: customer/adatum/microsoft: the invitation's link was erased from the ledger; no mail can be made from it\n  \
         the other mails were written all the same\n"
    );
    std::fs::write(dir.path().join("other.yaml"), "").expect("written");
    let files = Files { files: vec![dir.path().join("other.yaml")] };
    let error = Invitations { files, ..eml() }.answer(&globals).await.expect_err("not declared").text();
    assert!(
        error.contains("customer/adatum/microsoft: Console microsoft is not among what was read"),
        "{error}"
    );
    assert!(error.contains("pass the directory that declares it with -f"), "{error}");
    let error = Invitations { from: Some("Anna".into()), ..eml() }
        .answer(&globals)
        .await
        .expect_err("no address")
        .text();
    assert!(error.contains("--from: Anna is no mail address: it has no @"), "{error}");
}

#[tokio::test]
async fn without_invitations_it_says_how_they_come_about() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("all.yaml"), DECLARED).expect("written");
    let text = command(dir.path()).answer(&globals(dir.path())).await.expect("listed");
    assert_eq!(
        text,
        "Nobody was invited yet: a Relationship of type Reseller invites, with the next apply.\n"
    );
}
