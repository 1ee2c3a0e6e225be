//! Which listed customers are ours.

use serde_json::json;

use super::{known_tie, record};

#[test]
fn only_a_reseller_relationship_makes_a_customer() {
    let listed = |relationship: serde_json::Value| {
        let item = json!({
            "id": "0a9f6a3c-3c52-4f2c-9f5c-2f8f2c0f7a11",
            "companyProfile": {"companyName": "Contoso", "domain": "contoso.example"},
            "relationshipToPartner": relationship,
        });
        record(&item).expect("it has an id").is_some()
    };
    for (relationship, ours) in [
        ("reseller", true),
        ("Reseller", true),
        ("none", false),
        ("advisor", false),
        ("syndication", false),
        ("microsoft_support", false),
        // Not documented yet: dropping it would make a bound customer look gone.
        ("partner_of_record", true),
    ] {
        assert_eq!(listed(json!(relationship)), ours, "{relationship}");
    }
    assert!(listed(json!(null)), "not shown");
    assert!(known_tie("advisor") && known_tie("Reseller") && !known_tie("partner_of_record"));
}
