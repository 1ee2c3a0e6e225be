//! Where first passwords go.

use super::*;

fn client() -> Client {
    Client::try_from(kube::Config::new("http://127.0.0.1:1".parse().expect("a URI"))).expect("a client")
}

fn into(wanted: Option<OneTimeSecrets>) -> IntoSecrets {
    IntoSecrets { client: client(), namespace: "n".into(), wanted }
}

fn secret() -> OneTimeSecret {
    OneTimeSecret { label: "admin password".into(), secret: "hunter2hunter2".into() }
}

#[tokio::test]
async fn a_prefix_names_the_secret_of_each_account() {
    let wanted = OneTimeSecrets { secret_prefix: Some("first-".into()), age_recipients: None };
    let address = Address::account("n", "Praxis_1", "microsoft");
    let (name, key, value) = into(Some(wanted)).place(&address, &secret()).expect("a place");
    assert_eq!((name.as_str(), key.as_str()), ("first-praxis-1-microsoft", "admin-password"));
    assert_eq!(value, b"hunter2hunter2");
}

#[tokio::test]
async fn recipients_get_it_sealed() {
    let recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let wanted = OneTimeSecrets { secret_prefix: None, age_recipients: Some(vec![recipient.into()]) };
    let (name, key, value) =
        into(Some(wanted)).place(&Address::account("n", "a", "m"), &secret()).expect("a place");
    assert_eq!((name.as_str(), key.as_str()), ("tenantry-sealed-a-m", "admin-password.age"));
    assert!(value.starts_with(b"age-encryption.org/v1"));
    assert!(!value.windows(7).any(|window| window == b"hunter2"));
}

#[tokio::test]
async fn without_a_place_nothing_is_stored_and_the_reason_names_no_secret() {
    let because = into(None).place(&Address::account("n", "a", "m"), &secret()).expect_err("no place");
    assert_eq!(because, "the Console names no oneTimeSecrets");
}
