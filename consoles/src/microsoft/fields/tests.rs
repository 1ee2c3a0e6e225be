//! Reading and writing the same table.

use super::*;

fn change(field: &'static str, old: Option<&str>, new: Option<&str>) -> Change {
    Change {
        field: Field::of(field),
        label: field.into(),
        old: old.map(Value::from),
        new: new.map(Value::from),
    }
}

fn profile() -> Json {
    json!({
        "Email": "a@b.example", "firstName": "Anna", "extension": {"kept": [1, 2]},
        "defaultAddress": {"City": "Bonn", "firstName": "Anna", "phoneNumber": null},
        "attributes": {"etag": "-42"},
    })
}

#[test]
fn what_is_written_is_what_is_read_and_the_rest_stays() {
    let mut changed = profile();
    let changes = [
        change("contact.email", Some("a@b.example"), Some("z@b.example")),
        change("contact.firstName", Some("Anna"), Some("Zoë")),
        change("contact.phone", None, Some("+49 1")),
        change("address.city", Some("Bonn"), Some("Ulm")),
    ];
    assert!(matches!(moved(&changed, &changes), Moved::No));
    write(&mut changed, &changes);
    assert_eq!(
        changed,
        json!({
            "Email": "z@b.example", "firstName": "Zoë", "extension": {"kept": [1, 2]},
            "defaultAddress": {"City": "Ulm", "firstName": "Zoë", "phoneNumber": "+49 1"},
            "attributes": {"etag": "-42"},
        })
    );
    assert!(matches!(moved(&changed, &changes), Moved::Already));
}

#[test]
fn a_profile_that_shows_neither_old_nor_new_has_moved() {
    let changes = [change("address.city", Some("Köln"), Some("Ulm"))];
    let Moved::Yes(labels) = moved(&profile(), &changes) else { panic!("it moved") };
    assert_eq!(labels, ["address.city"]);
}

#[test]
fn a_field_can_be_emptied() {
    let mut changed = profile();
    write(&mut changed, &[change("address.city", Some("Bonn"), None)]);
    assert_eq!(json::text(&changed, &["defaultAddress", "city"]), None);
}

#[test]
fn letters_case_says_nothing_where_microsoft_ignores_it() {
    for (field, wanted, shown, equal) in [
        (DOMAIN, "Contoso.example", "contoso.EXAMPLE", true),
        ("contact.email", "Anna@b.example", "anna@b.example", true),
        ("culture", "de-DE", "de-de", true),
        ("contact.lastName", "van Dyck", "Van Dyck", false),
        (NAME, "contoso", "Contoso", false),
        (NAME, "Contoso ", "Contoso", true),
    ] {
        assert_eq!(same(field, &Value::from(wanted), &Value::from(shown)), equal, "{field} {wanted} {shown}");
    }
}

#[test]
fn a_creation_names_the_company_in_the_billing_profile() {
    let values = |field: &str| -> Option<Value> {
        Some(Value::from(match field {
            DOMAIN => "x.onmicrosoft.com",
            NAME => "X GmbH",
            "contact.email" => "a@x.example",
            "contact.firstName" => "A",
            "address.line1" => "Weg 1",
            RESELLER => "r",
            REGISTRATION_NUMBER => "KRS 1",
            _ => return None,
        }))
    };
    assert_eq!(
        creation(&values),
        json!({
            "enableGDAPByDefault": false,
            "companyProfile": {"domain": "x.onmicrosoft.com", "organizationRegistrationNumber": "KRS 1"},
            "billingProfile": {
                "email": "a@x.example", "firstName": "A", "companyName": "X GmbH",
                "defaultAddress": {"firstName": "A", "addressLine1": "Weg 1", "state": ""},
            },
            "associatedPartnerId": "r",
        })
    );
}
