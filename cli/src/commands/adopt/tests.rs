//! What adopt binds, and what it refuses.

use super::*;
use crate::commands::pull::desk::{CONSOLE, Desk, NORDWIND, NORDWIND_ID, OTHER_ID, customer};

fn adopt(desk: &Desk, what: &str) -> Adopt {
    Adopt {
        what: what.to_owned(),
        id: None,
        files: desk.files(),
        auto_approve: true,
        write: false,
        read_budget: 100,
    }
}

const NAME: &str = "customer/nordwind/sophos";
const TAILSPIN: &str = "customer/tailspin/sophos";

async fn desk() -> Desk {
    let tailspin = customer("tailspin", "{consoleRef: {name: sophos}, onboarding: Create}");
    Desk::of(&[("consoles.yaml", CONSOLE), ("nordwind.yaml", NORDWIND), ("tailspin.yaml", &tailspin)]).await
}

fn pair(address: &str, id: &str) -> (String, String) {
    (address.to_owned(), id.to_owned())
}

#[tokio::test]
async fn a_record_that_matches_is_bound_and_nothing_else_happens() {
    let desk = desk().await;
    let exit = adopt(&desk, NAME).run(&desk.globals()).await.expect("it binds");
    assert_eq!((exit, desk.bound()), (Exit::Done, vec![pair(NAME, NORDWIND_ID)]));
    assert_eq!((desk.commits(), desk.text("nordwind.yaml").as_str()), (0, NORDWIND));
    // The other declaration, which would be created, was not touched.
    let exit = adopt(&desk, NAME).run(&desk.globals()).await.expect("bound already");
    assert_eq!((exit, desk.bound()), (Exit::Done, vec![pair(NAME, NORDWIND_ID)]));
}

#[tokio::test]
async fn an_id_binds_as_if_it_were_declared_and_can_be_kept_in_the_file() {
    let desk = desk().await;
    let file = desk.path("tailspin.yaml").display().to_string();
    let exit = Adopt { id: Some(OTHER_ID.into()), write: true, ..adopt(&desk, &file) }
        .run(&desk.globals())
        .await
        .expect("it binds");
    assert_eq!((exit, desk.bound(), desk.commits()), (Exit::Done, vec![pair(TAILSPIN, OTHER_ID)], 0));
    let account = format!("{{consoleRef: {{name: sophos}}, id: \"{OTHER_ID}\", onboarding: Create}}");
    assert_eq!(desk.text("tailspin.yaml"), customer("tailspin", &account));
}

async fn refusal(desk: &Desk, what: &str, id: Option<&str>) -> CliError {
    let before = desk.bound();
    let error = Adopt { id: id.map(str::to_owned), ..adopt(desk, what) }
        .run(&desk.globals())
        .await
        .expect_err("it is refused");
    assert_eq!((desk.bound(), desk.commits()), (before, 0));
    error
}

#[tokio::test]
async fn an_unknown_record_is_refused() {
    let desk = desk().await;
    let error = refusal(&desk, NAME, Some("nobody")).await;
    assert_eq!((error.code, error.exit), ("id-not-found", Exit::Refused));
    assert_eq!(error.message, "customer/nordwind/sophos: no record there has the id \"nobody\"");
}

#[tokio::test]
async fn a_record_of_another_declaration_is_refused() {
    let desk = desk().await;
    adopt(&desk, NAME).run(&desk.globals()).await.expect("it binds");
    let error = refusal(&desk, TAILSPIN, Some(NORDWIND_ID)).await;
    assert_eq!((error.code, error.exit), ("bound-twice", Exit::Refused));
    assert!(error.message.ends_with("is bound to customer/nordwind/sophos already"), "{}", error.message);
}

#[tokio::test]
async fn another_record_than_the_bound_one_is_refused() {
    let desk = desk().await;
    adopt(&desk, NAME).run(&desk.globals()).await.expect("it binds");
    let error = refusal(&desk, NAME, Some(OTHER_ID)).await;
    assert_eq!((error.code, error.exit), ("contradiction", Exit::Refused));
    assert_eq!(error.hints, ["give the old record up first: tenantry state forget customer/nordwind/sophos"]);
}

#[tokio::test]
async fn a_look_alike_is_not_taken_for_the_record() {
    let lone = customer("nordwind", "{consoleRef: {name: sophos}}")
        .replace("legalName: nordwind", "legalName: Nordwind GmbH");
    let desk = Desk::of(&[("a.yaml", CONSOLE), ("n.yaml", &lone)]).await;
    let error = refusal(&desk, NAME, None).await;
    assert_eq!((error.code, error.exit), ("possible-match", Exit::Refused));
    assert!(error.hints.iter().any(|hint| hint.contains(NORDWIND_ID)), "{:?}", error.hints);
}

#[tokio::test]
async fn two_that_look_alike_are_refused_with_both() {
    let desk = Desk::of(&[("a.yaml", CONSOLE), ("n.yaml", NORDWIND)]).await;
    let twin = serde_json::json!({"sophos": {"msp": {"tenants": [{"name": "Nordwind GmbH", "geography": "DE",
        "billingType": "trial", "contact": {"firstName": "Jan", "lastName": "Berg", "email": "it@nordwind.example",
        "phone": "+49 431 5550120", "address1": "Kai 1", "city": "Kiel", "postalCode": "24103", "countryCode": "DE"}}]}}});
    desk.running.seed(&twin).expect("a seed");
    let error = refusal(&desk, NAME, None).await;
    assert_eq!((error.code, error.exit), ("ambiguous-match", Exit::Refused));
}

#[tokio::test]
async fn what_would_be_created_is_not_bound_to_anything() {
    let new = customer("contoso", "{consoleRef: {name: sophos}, onboarding: Create}");
    let desk = Desk::of(&[("a.yaml", CONSOLE), ("c.yaml", &new)]).await;
    let error = refusal(&desk, "customer/contoso/sophos", None).await;
    assert_eq!(error.exit, Exit::Refused);
}

#[tokio::test]
async fn a_file_with_several_declarations_needs_an_address() {
    let two = customer("a", "{consoleRef: {name: sophos}}")
        + "---\n"
        + &customer("b", "{consoleRef: {name: sophos}}");
    let desk = Desk::of(&[("c.yaml", CONSOLE), ("two.yaml", &two)]).await;
    let error = refusal(&desk, &desk.path("two.yaml").display().to_string(), None).await;
    assert_eq!(error.exit, Exit::Usage);
    assert_eq!(error.hints, ["name one: customer/a/sophos, customer/b/sophos"]);
    let error = refusal(&desk, &desk.path("c.yaml").display().to_string(), None).await;
    assert!(error.message.ends_with("declares no account and no licence"), "{}", error.message);
}

#[tokio::test]
async fn two_ids_for_one_account_are_refused() {
    let desk = desk().await;
    let named = customer("named", &format!("{{consoleRef: {{name: sophos}}, id: \"{OTHER_ID}\"}}"));
    std::fs::write(desk.path("named.yaml"), named).expect("written");
    let error = refusal(&desk, "customer/named/sophos", Some(NORDWIND_ID)).await;
    assert_eq!(error.exit, Exit::Usage);
    assert!(error.message.ends_with(&format!("and the file says id \"{OTHER_ID}\"")), "{}", error.message);
}
