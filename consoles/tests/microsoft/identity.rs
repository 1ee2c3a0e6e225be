//! Who we are there, and what our position may do.

use serde_json::json;
use tenantry_engine::capability::{By, Party, Row};
use tenantry_engine::console::{Console, ConsoleError};
use tenantry_simulator::Kind;

use crate::world::{World, identified};

#[tokio::test]
async fn the_vendor_account_is_the_tenant_that_token_and_graph_name() {
    let world = World::direct(json!({"domain": "contoso-msp.onmicrosoft.com"})).await;
    let console = world.console();
    let identity = console.identify().await.unwrap();
    assert_eq!(identity.vendor_account.as_str(), format!("microsoft:{}", world.tenant()));
    assert_eq!(identity.title, "Partner Center · direct bill · tenant contoso-msp");
    let since = world.sim.log().mark();
    assert_eq!(console.identify().await.unwrap(), identity, "asked once, known for good");
    assert_eq!(world.requests(since), [] as [String; 0]);
}

#[tokio::test]
async fn the_declared_tenant_may_be_a_domain() {
    let mut world = World::direct(json!({"domain": "contoso-msp.onmicrosoft.com"})).await;
    world.spec.microsoft.as_mut().unwrap().tenant_id = "contoso-msp.onmicrosoft.com".into();
    let identity = world.console().identify().await.unwrap();
    assert_eq!(identity.vendor_account.as_str(), format!("microsoft:{}", world.tenant()));
}

#[tokio::test]
async fn two_tenants_are_two_vendor_accounts() {
    let a = World::direct(json!({"tenantId": "aaaaaaaa-0000-4000-8000-000000000001"})).await;
    let b = World::direct(json!({"tenantId": "aaaaaaaa-0000-4000-8000-000000000002"})).await;
    assert_ne!(
        a.console().identify().await.unwrap().vendor_account,
        b.console().identify().await.unwrap().vendor_account
    );
}

#[tokio::test]
async fn another_position_than_declared_is_refused_before_anything_is_planned() {
    let world = World::open(json!({"acme": {"position": "indirect-reseller"}}), "acme", json!({})).await;
    let error = world.console().identify().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Partner Center refuses to act as DirectBill: Microsoft says that this tenant is an indirect reseller; correct \
         spec.microsoft.partner: it decides what is asked of Microsoft and what of people"
    );
    let world = World::open(
        json!({"acme": {"position": "indirect-provider"}}),
        "acme",
        json!({"partner": "IndirectReseller"}),
    )
    .await;
    assert!(matches!(world.console().identify().await, Err(ConsoleError::Refused { .. })));
}

#[tokio::test]
async fn a_provider_and_a_direct_bill_partner_may_do_the_same() {
    let world = World::direct(json!({})).await;
    let direct = identified(&world).await.dialect().capabilities().clone();
    let world = World::open(
        json!({"acme": {"position": "indirect-provider"}}),
        "acme",
        json!({"partner": "IndirectProvider"}),
    )
    .await;
    assert_eq!(identified(&world).await.dialect().capabilities(), &direct);
}

#[tokio::test]
async fn each_cell_of_the_table_is_as_documented() {
    let operator = By::Person(Party::Operator);
    let provider = By::Person(Party::Provider);
    let direct = World::direct(json!({})).await;
    let reseller = World::reseller("some").await;
    let (direct, reseller) = (identified(&direct).await, identified(&reseller).await);
    let table = [
        (Row::Census, By::Api, By::Api),
        (Row::Create, By::Api, provider),
        (Row::Invite, By::Api, By::Api),
        (Row::Adopt, By::Api, By::Api),
        (Row::UpdateContact, By::Api, provider),
        (Row::Rename, operator, operator),
        (Row::Move, By::Never, By::Never),
        (Row::BuyLicense, By::NotYet, provider),
        (Row::MoreSeats, By::NotYet, provider),
        (Row::FewerSeats, By::NotYet, provider),
        (Row::TrialToPaid, operator, provider),
        (Row::DelegatedAdmin, By::NotYet, By::NotYet),
        (Row::Groups, By::Never, By::Never),
        (Row::Suspend, By::NotYet, provider),
        (Row::Detach, By::Api, provider),
        (Row::Remove, By::Never, By::Never),
    ];
    assert_eq!(table.map(|(row, ..)| row), Row::ALL, "every row, once");
    for (row, ours, theirs) in table {
        assert_eq!(direct.dialect().capabilities().by(row), ours, "direct bill: {}", row.words());
        assert_eq!(reseller.dialect().capabilities().by(row), theirs, "indirect reseller: {}", row.words());
    }
}

#[tokio::test]
async fn a_reseller_whom_the_list_refuses_has_an_incomplete_census_that_says_why() {
    for calls in ["some-without-census", "nothing"] {
        let world = World::reseller(calls).await;
        let console = identified(&world).await;
        let census = console.census(&crate::world::Quiet).await.unwrap();
        assert_eq!(census.records(), []);
        let because = census.incomplete.clone().unwrap();
        assert!(because.contains("indirect reseller"), "{because}");
        assert!(because.contains("403/1002"), "{because}");
        let table = console.dialect().capabilities();
        assert_eq!(table.by(Row::Census), By::Person(Party::Operator));
        let invite = if calls == "nothing" { By::Person(Party::Operator) } else { By::Api };
        assert_eq!(table.by(Row::Invite), invite, "{calls}");
    }
}

#[tokio::test]
async fn an_application_alone_reads_and_leaves_the_link_to_a_person() {
    let mut world = World::direct(json!({})).await;
    world.read = world.app_only();
    let console = identified(&world).await;
    let table = console.dialect().capabilities();
    assert_eq!(table.by(Row::Invite), By::Person(Party::Operator));
    assert!(table.cells[&Row::Invite].note.contains("needs a user behind the application"));
    assert!(console.census(&crate::world::Quiet).await.unwrap().complete());
}

#[tokio::test]
async fn identification_only_reads() {
    for world in [World::direct(json!({})).await, World::reseller("some").await] {
        identified(&world).await;
        assert_eq!(world.count(Kind::Write, 0), 0);
        assert_eq!(*world.write.times.lock().unwrap(), 0, "the write credential stays closed");
    }
}
