//! Sophos sheet §5.1 create, and §11 where it is open.

use serde_json::{Value, json};

use super::{Bench, body};

#[tokio::test]
async fn sophos_5_1_create_gives_201_and_the_whole_tenant() {
    let bench = Bench::new().await;
    let (status, made) = bench.create(&body("Muster AG", "trial")).await;
    assert_eq!(status, 201);
    let shown = (&made["name"], &made["showAs"], &made["dataRegion"], &made["status"]);
    assert_eq!(shown, (&json!("Muster AG"), &json!("Muster AG"), &json!("eu02"), &json!("active")));
    assert_eq!(bench.effects("tenant-created"), 1);
    let entry = bench
        .running
        .log()
        .entries(&crate::LogFilter { kind: Some(crate::Kind::Write), ..Default::default() });
    assert_eq!(entry[0].effects[0].id, made["id"].as_str().unwrap());
}

#[tokio::test]
async fn sophos_5_1_create_needs_every_required_field() {
    let bench = Bench::new().await;
    let required = [
        "/name",
        "/billingType",
        "/dataGeography",
        "/contact",
        "/contact/firstName",
        "/contact/lastName",
        "/contact/phone",
        "/contact/email",
        "/contact/address",
        "/contact/address/address1",
        "/contact/address/city",
        "/contact/address/countryCode",
        "/contact/address/postalCode",
    ];
    for pointer in required {
        for missing in [Value::Null, json!("")] {
            let mut request = body("Muster AG", "trial");
            *request.pointer_mut(pointer).unwrap() = missing;
            let (status, error) = bench.create(&request).await;
            assert_eq!(status, 400, "{pointer}: {error}");
            assert_eq!(error["error"], "badRequest");
        }
    }
    assert_eq!(bench.create(&json!("text")).await.0, 400);
    assert_eq!(bench.effects("tenant-created"), 0);
}

#[tokio::test]
async fn sophos_5_1_create_of_a_term_account_is_refused() {
    let bench = Bench::new().await;
    for never in ["term", "ordered", "TRIAL", "monthly"] {
        assert_eq!(bench.create(&body("Muster AG", never)).await.0, 400, "{never}");
    }
    bench.switch(&json!({"orderedBilling": "accepted"}));
    assert_eq!(bench.create(&body("Muster AG", "ordered")).await.0, 201);
    assert_eq!(bench.create(&body("Muster AG", "term")).await.0, 400);
}

#[tokio::test]
async fn sophos_5_1_create_takes_a_region_instead_of_a_geography() {
    let bench = Bench::new().await;
    let mut request = body("Muster AG", "trial");
    request.as_object_mut().unwrap().remove("dataGeography");
    request["dataRegion"] = json!("eu01");
    let (status, made) = bench.create(&request).await;
    assert_eq!((status, &made["dataGeography"]), (201, &json!("IE")));
    request["dataRegion"] = json!("xx01");
    assert_eq!(bench.create(&request).await.0, 400);
    request["dataRegion"] = json!("eu01");
    request["dataGeography"] = json!("US");
    assert_eq!(bench.create(&request).await.0, 400, "a region of another geography");
}

#[tokio::test]
async fn sophos_10_the_region_follows_from_the_geography() {
    let bench = Bench::new().await;
    let places = [
        ("DE", "eu02"),
        ("IE", "eu01"),
        ("US", "us01"),
        ("CA", "ca01"),
        ("AU", "au01"),
        ("JP", "jp01"),
        ("BR", "br01"),
        ("IN", "in01"),
    ];
    for (geography, region) in places {
        let mut request = body(geography, "trial");
        request["dataGeography"] = json!(geography);
        assert_eq!(bench.create(&request).await.1["dataRegion"], region);
    }
    bench.switch(&json!({"usRegion": "us03"}));
    let mut request = body("US", "trial");
    request["dataGeography"] = json!("US");
    assert_eq!(bench.create(&request).await.1["dataRegion"], "us03");
}

#[tokio::test]
async fn sophos_11_a_monthly_account_without_flex_is_403_or_400_by_switch() {
    let bench = Bench::new().await;
    bench.running.seed(&json!({"sophos": {"acme": {"flex": false}}})).unwrap();
    assert_eq!(bench.create(&body("Muster AG", "usage")).await.0, 403);
    bench.switch(&json!({"usageWithoutFlex": "400"}));
    assert_eq!(bench.create(&body("Muster AG", "usage")).await.0, 400);
    assert_eq!(bench.create(&body("Muster AG", "trial")).await.0, 201, "a trial needs no Flex");
}

#[tokio::test]
async fn sophos_11_a_duplicate_name_is_a_second_tenant_or_409_by_switch() {
    let bench = Bench::new().await;
    bench.tenant("Muster AG", "trial").await;
    bench.tenant("Muster AG", "trial").await;
    assert_eq!(bench.partner.tenants_named("Muster AG").len(), 2);
    bench.switch(&json!({"duplicateName": "409"}));
    let (status, error) = bench.create(&body("Muster AG", "trial")).await;
    assert_eq!((status, &error["error"]), (409, &json!("resourceConflict")));
    assert!(error["message"].as_str().unwrap().contains("already exist"));
}

#[tokio::test]
async fn sophos_5_1_the_first_admins_e_mail_is_unique() {
    let bench = Bench::new().await;
    let mut request = body("Muster AG", "usage");
    request["admin"] = json!({"name": "Anna Muster", "email": "anna@muster.example"});
    assert_eq!(bench.create(&request).await.0, 201);
    request["name"] = json!("Other AG");
    request["admin"]["email"] = json!("Anna@muster.example");
    assert_eq!(bench.create(&request).await.0, 409);
    bench.switch(&json!({"adminEmailInUse": "400"}));
    assert_eq!(bench.create(&request).await.0, 400);
    bench.switch(&json!({"createAdmin": "ignored"}));
    assert_eq!(bench.create(&request).await.0, 201);
    bench.switch(&json!({"createAdmin": "400"}));
    assert_eq!(bench.create(&request).await.0, 400);
    bench.switch(&json!({}));
    request["admin"] = json!({"email": "b@muster.example"});
    assert_eq!(bench.create(&request).await.0, 400, "its name is required");
}

#[tokio::test]
async fn sophos_5_1_default_products_apply_unless_products_are_taken() {
    let bench = Bench::new().await;
    bench.partner.click("default-products", &json!({"products": ["CEMA-MSP", "CMA-MSP"]})).unwrap();
    let mut request = body("Muster AG", "usage");
    let codes = |made: &Value| made["products"].clone();
    assert_eq!(codes(&bench.create(&request).await.1), json!([{"code": "CEMA-MSP"}, {"code": "CMA-MSP"}]));
    request["products"] = json!([{"code": "CIXA-MSP"}]);
    assert_eq!(codes(&bench.create(&request).await.1), json!([{"code": "CIXA-MSP"}]));
    bench.switch(&json!({"createProducts": "ignored"}));
    assert_eq!(codes(&bench.create(&request).await.1), json!([{"code": "CEMA-MSP"}, {"code": "CMA-MSP"}]));
    bench.switch(&json!({"createProducts": "400"}));
    assert_eq!(bench.create(&request).await.0, 400);
    bench.switch(&json!({}));
    request["products"] = json!([{"quantity": 3}]);
    assert_eq!(bench.create(&request).await.0, 400);
}

#[tokio::test]
async fn sophos_5_1_the_contacts_e_mail_may_be_optional() {
    let bench = Bench::new().await;
    let mut request = body("Muster AG", "trial");
    request["contact"]["email"] = json!("no address");
    assert_eq!(bench.create(&request).await.0, 400);
    request["contact"].as_object_mut().unwrap().remove("email");
    assert_eq!(bench.create(&request).await.0, 400);
    bench.switch(&json!({"contactEmail": "optional"}));
    assert_eq!(bench.create(&request).await.0, 201);
}

#[tokio::test]
async fn sophos_5_1_unknown_body_fields_are_ignored_or_refused_by_switch() {
    let bench = Bench::new().await;
    let mut request = body("Muster AG", "trial");
    request["acceptedSampleSubmission"] = json!(true);
    request["colour"] = json!("red");
    assert_eq!(bench.create(&request).await.0, 201);
    bench.switch(&json!({"unknownBodyFields": "400"}));
    assert_eq!(bench.create(&request).await.0, 400);
}

#[tokio::test]
async fn sophos_10_show_as_defaults_to_the_name_or_stays_absent_by_switch() {
    let bench = Bench::new().await;
    bench.switch(&json!({"showAsDefault": "absent"}));
    assert!(bench.create(&body("Muster AG", "trial")).await.1.get("showAs").is_none());
    let mut request = body("Muster AG", "trial");
    request["showAs"] = json!("Muster");
    assert_eq!(bench.create(&request).await.1["showAs"], "Muster");
}
