//! Sophos sheet §5.3 admins, §5.4 roles.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Bench, id_of};

async fn role(bench: &Bench, name: &str) -> Uuid {
    let (_, roles) = bench.get("/partner/v1/roles").await;
    let roles = roles["items"].as_array().unwrap();
    roles.iter().find(|r| r["name"] == name).map(id_of).expect("a role of this name")
}

fn admin(email: &str, role: Uuid) -> Value {
    json!({"username": email, "profile": {"name": "Ada Byron", "firstName": "Ada", "lastName": "Byron"},
        "roleAssignments": [{"roleId": role, "scope": {"type": "allManagedTenants"}}]})
}

#[tokio::test]
async fn sophos_5_3_an_admin_is_created_read_and_found() {
    let bench = Bench::new().await;
    let help_desk = role(&bench, "Partner Help Desk").await;
    let (status, made) = bench.post("/partner/v1/admins", &admin("ada@partner.example", help_desk)).await;
    assert_eq!((status, &made["active"], &made["primary"]), (201, &json!(true), &json!(false)));
    let id = id_of(&made);
    assert_eq!(bench.get(&format!("/partner/v1/admins/{id}")).await, (200, made));
    for query in ["email=ada@partner.example", "search=byron", "pageTotal=true", "sort=username:desc"] {
        let (_, page) = bench.get(&format!("/partner/v1/admins?{query}")).await;
        assert_eq!(page["items"].as_array().unwrap().len(), 1, "{query}");
    }
    let (_, page) = bench.get(&format!("/partner/v1/admins?roleId={}", Uuid::from_u128(1))).await;
    assert_eq!(page["items"], json!([]));
    assert_eq!(bench.get(&format!("/partner/v1/admins/{}", Uuid::from_u128(1))).await.0, 404);
}

#[tokio::test]
async fn sophos_5_3_an_e_mail_in_use_is_409_and_a_poor_body_400() {
    let bench = Bench::new().await;
    let super_admin = role(&bench, "Partner Super Admin").await;
    assert_eq!(bench.post("/partner/v1/admins", &admin("ada@partner.example", super_admin)).await.0, 201);
    assert_eq!(bench.post("/partner/v1/admins", &admin("ADA@partner.example", super_admin)).await.0, 409);
    assert_eq!(bench.post("/partner/v1/admins", &admin("no address", super_admin)).await.0, 400);
    assert_eq!(
        bench.post("/partner/v1/admins", &admin("b@partner.example", Uuid::from_u128(1))).await.0,
        400
    );
    let mut poor = admin("c@partner.example", super_admin);
    poor["profile"].as_object_mut().unwrap().remove("lastName");
    assert_eq!(bench.post("/partner/v1/admins", &poor).await.0, 400);
    assert_eq!(bench.effects("admin-created"), 1);
}

#[tokio::test]
async fn sophos_5_3_roles_are_assigned_and_taken_away() {
    let bench = Bench::new().await;
    let read_only = role(&bench, "Partner Read-only").await;
    let tenant = bench.tenant("Muster AG", "trial").await;
    let (_, made) = bench.post("/partner/v1/admins", &admin("ada@partner.example", read_only)).await;
    let path = format!("/partner/v1/admins/{}/role-assignments", id_of(&made));
    let wanted = json!({"roleId": read_only, "scope": {"type": "tenant", "id": tenant}});
    let (status, assigned) = bench.post(&path, &wanted).await;
    assert_eq!((status, &assigned["scope"]["id"]), (201, &json!(tenant)));
    let one = format!("{path}/{}", id_of(&assigned));
    assert_eq!(bench.get(&one).await, (200, assigned));
    let (_, all) = bench.get(&path).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    assert!(all.get("pages").is_none());
    assert_eq!(bench.send(bench.request("DELETE", &one)).await, (200, json!({"deleted": true})));
    assert_eq!(bench.get(&one).await.0, 404);
    let wrong = json!({"roleId": read_only, "scope": {"type": "tenant", "id": Uuid::from_u128(1)}});
    assert_eq!(bench.post(&path, &wrong).await.0, 400);
    let nobody = format!("/partner/v1/admins/{}/role-assignments", Uuid::from_u128(1));
    assert_eq!(bench.post(&nobody, &wanted).await.0, 404);
}

#[tokio::test]
async fn sophos_7_no_admin_is_removed_over_the_wire_but_a_person_can() {
    let bench = Bench::new().await;
    let super_admin = role(&bench, "Partner Super Admin").await;
    let (_, made) = bench.post("/partner/v1/admins", &admin("ada@partner.example", super_admin)).await;
    let id = id_of(&made);
    let request = bench.request("DELETE", &format!("/partner/v1/admins/{id}"));
    assert_eq!(bench.send(request).await.0, 405);
    let itself = bench.partner.click(&format!("admins/{id}/remove"), &json!({"by": id})).unwrap_err();
    assert_eq!(itself.code, "never-itself");
    bench.partner.click(&format!("admins/{id}/remove"), &json!({})).unwrap();
    assert_eq!(bench.get(&format!("/partner/v1/admins/{id}")).await.0, 404);
}

#[tokio::test]
async fn sophos_5_4_roles_are_listed_by_type_without_pages() {
    let bench = Bench::new().await;
    let (_, roles) = bench.get("/partner/v1/roles?type=predefined&principalType=user").await;
    assert_eq!((roles["items"].as_array().unwrap().len(), roles.get("pages")), (5, None));
    let (_, roles) = bench.get("/partner/v1/roles?type=custom").await;
    assert_eq!(roles["items"], json!([]));
    let (_, sets) = bench.get("/partner/v1/roles/permission-sets?allowedInCustomRole=true&type=base").await;
    assert_eq!(sets["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn sophos_5_4_a_custom_role_lives_and_conflicts_are_409() {
    let bench = Bench::new().await;
    let wanted =
        json!({"name": "Night shift", "principalType": "user", "permissionSets": ["customers-read-only"]});
    let (status, made) = bench.post("/partner/v1/roles", &wanted).await;
    assert_eq!((status, &made["type"]), (201, &json!("custom")));
    assert_eq!(bench.post("/partner/v1/roles", &wanted).await.0, 409);
    let one = format!("/partner/v1/roles/{}", id_of(&made));
    let patch = |path: String, body: Value| bench.send(bench.request("PATCH", &path).json(&body));
    assert_eq!(patch(one.clone(), json!({"description": "d"})).await.1["description"], "d");
    assert_eq!(patch(one.clone(), json!({"name": "Partner Admin"})).await.0, 409);
    assert_eq!(patch(one.clone(), json!({"permissionSets": ["settings-admin"]})).await.0, 400);
    let predefined = role(&bench, "Partner Admin").await;
    assert_eq!(patch(format!("/partner/v1/roles/{predefined}"), json!({"name": "x"})).await.0, 409);
    bench.post("/partner/v1/admins", &admin("ada@partner.example", id_of(&made))).await;
    assert_eq!(bench.send(bench.request("DELETE", &one)).await.0, 409, "it is assigned");
    let (_, free) = bench
        .post("/partner/v1/roles", &json!({"name": "Day", "principalType": "service", "permissionSets": []}))
        .await;
    let free = format!("/partner/v1/roles/{}", id_of(&free));
    assert_eq!(bench.send(bench.request("DELETE", &free)).await, (200, json!({"deleted": true})));
    assert_eq!(bench.get(&free).await.0, 404);
}
