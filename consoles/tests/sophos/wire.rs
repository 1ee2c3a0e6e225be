//! Sophos's wire: pages, odd objects, credentials of other kinds, licences and what they stand in the way of.

use jiff::ToSpan;
use serde_json::json;
use tenantry_consoles::{ConnectError, Credentials, Secrets, connect};
use tenantry_crd::ConsoleSpec;
use tenantry_engine::address::ConsoleName;
use tenantry_engine::capability::{By, Row};
use tenantry_engine::console::ConsoleError;
use tenantry_engine::observed::{DetailKey, Facet, KeyKind};
use tenantry_simulator::{Does, Fault, Kind};
use url::Url;

use crate::contract::{Bench, Vendor, clean};
use crate::tenant::{PARTNER, Sophos, both, connected, console_spec, flex, secrets, whole};

async fn partner(customers: usize) -> Bench {
    let bench = Bench::new().await;
    bench.running.sophos("acme").generate(customers, 7, 0);
    bench
}

#[tokio::test]
async fn pages_of_none_one_a_hundred_and_one_more_are_whole() {
    for (customers, pages) in [(0, 1), (1, 1), (100, 1), (101, 2), (250, 3)] {
        let bench = partner(customers).await;
        let console = whole(&bench);
        let census = console.census(&bench.reading).await.expect("a census");
        assert_eq!((census.incomplete.as_deref(), census.records().len()), (None, customers));
        assert_eq!(console.take_cost().pages, pages, "{customers}");
        let told = *bench.reading.0.lock().expect("not poisoned");
        assert_eq!((told.0, told.1), (pages, customers));
    }
}

#[tokio::test]
async fn a_page_that_is_refused_in_the_middle_makes_the_census_incomplete() {
    for does in [Does::Forbidden, Does::MalformedJson] {
        let bench = partner(250).await;
        let console = whole(&bench);
        let fault = Fault::new(does).at(PARTNER).on("GET", "/partner/v1/tenants").nth(2).always();
        bench.running.faults().add(fault);
        let census = console.census(&bench.reading).await.expect("an incomplete census is no error");
        assert!(!census.complete());
        assert_eq!(census.records().len(), 100);
        let because = census.incomplete.expect("it says why");
        assert!(because.starts_with("page 2: Sophos Central Partner"), "{because}");
    }
}

#[tokio::test]
async fn a_list_that_changes_while_it_is_read_is_incomplete() {
    let bench = partner(150).await;
    let console = whole(&bench);
    let hold = Does::Hold { at: tenantry_simulator::HoldAt::BeforeCommit };
    bench.running.faults().add(Fault::new(hold).at(PARTNER).on("GET", "/partner/v1/tenants").nth(2));
    let listing = console.census(&bench.reading);
    let meanwhile = async {
        bench.running.faults().until_held(1).await;
        bench.running.sophos("acme").generate(1, 9, 0);
        bench.running.faults().release();
    };
    let (census, ()) = tokio::join!(listing, meanwhile);
    let because = census.expect("an incomplete census is no error").incomplete;
    assert_eq!(because.as_deref(), Some("the list changed while page 2 was read"));
}

#[tokio::test]
async fn a_tenants_names_contact_and_external_ids_become_keys() {
    let bench = Bench::new().await;
    let id = "00000000-0000-0000-0000-00000000002a";
    let seed = json!({"sophos": {"acme": {"tenants": [{"name": "Muster Zahntechnik GmbH", "showAs": "Muster",
        "id": id, "externalIds": ["10234"], "contact": {"firstName": "Anna", "lastName": "Muster",
        "email": "IT@muster.example", "phone": "+49 30 123456", "address1": "Weg 1", "city": "Berlin",
        "countryCode": "DE", "postalCode": "10115"}}]}}});
    bench.running.seed(&seed).expect("a seed");
    let census = whole(&bench).census(&bench.reading).await.expect("a census");
    let record = census.get(&id.into()).expect("it is listed");
    assert_eq!(record.name().raw(), "Muster");
    let keys: Vec<(KeyKind, &str)> = record.keys().map(|key| (key.kind, key.value)).collect();
    assert_eq!(
        keys,
        [
            (KeyKind::ExternalId, "10234"),
            (KeyKind::Name, "muster"),
            (KeyKind::Name, "muster zahntechnik"),
            (KeyKind::ContactEmail, "it@muster.example"),
            (KeyKind::PostcodeStreet, "10115weg1"),
        ]
    );
    assert_eq!(record.field("contact.phone"), None, "what the list does not show is not known");
}

#[tokio::test]
async fn an_account_that_is_not_activated_is_listed_and_nothing_more_is_asked_of_it() {
    let bench = Bench::new().await;
    let id = "00000000-0000-0000-0000-00000000002a";
    let tenant = json!({"name": "Neu AG", "id": id, "activated": false});
    bench.running.seed(&json!({"sophos": {"acme": {"tenants": [tenant]}}})).expect("a seed");
    let console = whole(&bench);
    let census = console.census(&bench.reading).await.expect("a census");
    let before = bench.requests(Kind::Read);
    let details = console.details(&Sophos.details(&census), &bench.reading).await.expect("details");
    let read = &details[&DetailKey { id: id.into(), facet: Facet::Licenses }];
    assert_eq!(read.unreadable.as_ref().map(|refusal| refusal.code.as_str()), Some("not-activated"));
    assert_eq!(bench.requests(Kind::Read), before);
}

#[tokio::test]
async fn licences_say_until_when_they_stand_in_the_way() {
    let bench = Bench::new().await;
    let id = "00000000-0000-0000-0000-00000000002a";
    let license = |product: &str, kind: &str, end: Option<&str>| {
        let mut one = json!({"product": product, "type": kind, "startDate": "2024-01-01", "quantity": 5});
        match end {
            Some(end) => one["endDate"] = end.into(),
            None => one["perpetual"] = true.into(),
        }
        one
    };
    let licenses = json!([
        license("RUNNING", "term", Some("2026-06-30")),
        license("JUST-ENDED", "term", Some("2025-12-31")),
        license("LONG-ENDED", "term", Some("2025-11-01")),
        license("FOREVER", "perpetual", None),
        license("TRIAL", "trial", Some("2026-02-01")),
        license("MONTHLY", "usage", None),
    ]);
    let tenant = json!({"name": "Muster AG", "id": id, "billingType": "term", "licenses": licenses});
    bench.running.seed(&json!({"sophos": {"acme": {"tenants": [tenant]}}})).expect("a seed");
    let console = whole(&bench);
    let census = console.census(&bench.reading).await.expect("a census");
    let details = console.details(&Sophos.details(&census), &bench.reading).await.expect("details");
    let read = &details[&DetailKey { id: id.into(), facet: Facet::Licenses }];
    assert_eq!(read.unreadable, None);
    let mut shown: Vec<(String, bool, Option<String>)> = read
        .licenses
        .iter()
        .map(|one| {
            let until = one.blocks_end.as_ref().map(|blocker| match blocker.until {
                Some(until) => until.to_string(),
                None => "no end".to_owned(),
            });
            (one.article.raw().to_owned(), one.in_force, until)
        })
        .collect();
    shown.sort();
    let until = |text: &str| Some(text.to_owned());
    assert_eq!(
        shown,
        [
            ("FOREVER".to_owned(), true, until("no end")),
            ("JUST-ENDED".to_owned(), false, until("2026-03-01T00:00:00Z")),
            ("LONG-ENDED".to_owned(), false, None),
            ("MONTHLY".to_owned(), true, None),
            ("RUNNING".to_owned(), true, until("2026-08-29T00:00:00Z")),
            ("TRIAL".to_owned(), true, None),
        ]
    );
}

#[tokio::test]
async fn a_token_of_an_hour_is_renewed_before_it_ends() {
    let bench = partner(3).await;
    let console = whole(&bench);
    console.census(&bench.reading).await.expect("a census");
    bench.running.clock().advance(58.minutes()).expect("time goes on");
    console.census(&bench.reading).await.expect("a census");
    assert_eq!(bench.requests(Kind::Login), 1);
    bench.running.clock().advance(1.minute()).expect("time goes on");
    console.census(&bench.reading).await.expect("a census");
    assert_eq!(bench.requests(Kind::Login), 2);
    let log = bench.running.log().entries(&tenantry_simulator::LogFilter::default());
    assert!(log.iter().all(|entry| entry.status != Some(401)), "nobody was refused");
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_client_are_told_apart_and_not_told() {
    let bench = partner(1).await;
    let own = bench.running.sophos("acme").credentials();
    for (client, secret, code) in [
        (own.client_id.as_str(), "wrong-secret-text", "wrong-secret"),
        ("00000000-0000-4000-8000-000000000099", "wrong-secret-text", "unknown-client"),
        ("no id", "wrong-secret-text", "malformed-credential"),
    ] {
        let read = Secrets::new([("clientId", client), ("clientSecret", secret)]);
        let console = connected(&bench, &flex(), Credentials { read, write: None }, None);
        let error = console.identify().await.expect_err("refused");
        let ConsoleError::Credential { which, refusal, .. } = &error else { panic!("{error}") };
        assert_eq!((*which, refusal.code.as_str()), ("read", code));
        clean(&format!("{error} {error:?}"), &Sophos.secrets(&bench));
    }
}

#[tokio::test]
async fn an_organization_reads_and_its_table_says_that_it_cannot_write() {
    let bench = Bench::new().await;
    let organization = "00000000-0000-0000-0000-0000000000aa".parse().expect("an id");
    let seed = json!({"sophos": {"acme": {"tenants": [
        {"name": "In", "organization": organization}, {"name": "Out"}]}}});
    bench.running.seed(&seed).expect("a seed");
    let own = bench.running.sophos("acme").add_organization_credentials(organization);
    let read = Secrets::new([("clientId", own.client_id), ("clientSecret", own.client_secret)]);
    let console = connected(&bench, &flex(), Credentials { read: read.clone(), write: None }, None);
    let identity = console.identify().await.expect("known");
    assert_eq!(identity.title, "Sophos Central Partner · read only · organization 00000000…");
    assert_eq!(console.dialect().capabilities().by(Row::Create), By::Never);
    assert_eq!(console.dialect().capabilities().by(Row::Census), By::Api);
    let census = console.census(&bench.reading).await.expect("a census");
    assert_eq!((census.complete(), census.records().len()), (true, 1));
}

#[tokio::test]
async fn a_customers_credential_is_refused_in_words() {
    let bench = partner(1).await;
    let tenant = bench.running.sophos("acme").tenants()[0].id;
    let own = bench.running.sophos("acme").add_tenant_credentials(tenant);
    let read = Secrets::new([("clientId", own.client_id), ("clientSecret", own.client_secret)]);
    let console = connected(&bench, &flex(), Credentials { read, write: None }, None);
    let error = console.identify().await.expect_err("no partner").to_string();
    assert!(error.contains("belongs to a tenant, and a partner's is needed"), "{error}");
}

#[tokio::test]
async fn a_write_credential_of_another_account_writes_nothing() {
    let bench = partner(1).await;
    bench.running.seed(&json!({"sophos": {"other": {}}})).expect("a seed");
    let organization = "00000000-0000-0000-0000-0000000000aa".parse().expect("an id");
    let own = bench.running.sophos("acme").add_organization_credentials(organization);
    let write = Secrets::new([("clientId", own.client_id), ("clientSecret", own.client_secret)]);
    let credentials = Credentials { read: secrets(&bench), write: Some(std::sync::Arc::new(write)) };
    let console = connected(&bench, &flex(), credentials, None);
    let sent = crate::contract::writes::send(&Sophos, &*console).await;
    let (word, refusal) = crate::contract::writes::word(&sent);
    assert_eq!((word, refusal.map(|one| one.code.as_str())), ("not sent", Some("another-account")));
    assert_eq!(bench.requests(Kind::Write), 0);
}

#[tokio::test]
async fn observing_alone_never_writes_whatever_it_is_asked() {
    let bench = partner(1).await;
    let mut spec = flex();
    spec.management = tenantry_crd::console::Management::Observe;
    let console = connected(&bench, &spec, both(&bench), None);
    let sent = crate::contract::writes::send(&Sophos, &*console).await;
    let (word, refusal) = crate::contract::writes::word(&sent);
    assert_eq!((word, refusal.map(|one| one.code.as_str())), ("not sent", Some("observe-only")));
    assert_eq!(bench.requests(Kind::Write), 0);
}

#[tokio::test]
async fn the_vendors_own_limits_are_kept_without_a_single_refusal() {
    let bench = Bench::new().await;
    let partner = bench.running.sophos("acme");
    partner.generate(400, 7, 0);
    bench.running.seed(&json!({"sophos": {"acme": {"switches": {"rateLimit": "on"}}}})).expect("a seed");
    let mut spec = flex();
    spec.pace = tenantry_crd::console::PaceSpec::default();
    let console = connected(&bench, &spec, both(&bench), None);
    let census = console.census(&bench.reading).await.expect("a census");
    let details = console.details(&Sophos.details(&census), &bench.reading).await.expect("details");
    assert_eq!(details.len(), 400);
    let log = bench.running.log().entries(&tenantry_simulator::LogFilter::default());
    assert!(log.iter().all(|entry| entry.status != Some(429)), "no request was refused");
    assert!(bench.waited() >= jiff::SignedDuration::from_secs(45), "waited {}", bench.waited());
}

#[tokio::test]
async fn what_cannot_connect_says_what_to_do() {
    let bench = partner(1).await;
    let name = ConsoleName::new("sophos");
    let at = |text: &str| Some(Url::parse(text).expect("a URL"));
    let error = |spec: &ConsoleSpec, read: Secrets, endpoint: Option<Url>| -> ConnectError {
        let credentials = Credentials { read, write: None };
        match connect(spec, &name, credentials, endpoint, &bench.runtime, &bench.settings) {
            Ok(_) => panic!("it connects"),
            Err(error) => error,
        }
    };
    let half = Secrets::new([("clientId", "x"), ("clientSecret", " \n")]);
    insta::assert_snapshot!(
        error(&flex(), half, None),
        @"console sophos: the read credential lacks clientSecret; add it to the secret that spec.credentials.read.secretRef names"
    );
    insta::assert_snapshot!(
        error(&ConsoleSpec::default(), secrets(&bench), None),
        @"console sophos names no vendor; give it exactly one of microsoft, sophos, acronis, watchguard, interworks, runbook, plugin"
    );
    insta::assert_snapshot!(
        error(&flex(), secrets(&bench), at("mailto:a@b.example")),
        @"console sophos: mailto:a@b.example is no endpoint; write --endpoint sophos=https://HOST/PATH"
    );
    let interworks: ConsoleSpec = serde_json::from_value(json!({"interworks": {}})).expect("a Console");
    insta::assert_snapshot!(
        error(&interworks, secrets(&bench), None),
        @"console sophos: this version of tenantry has no adapter for interworks yet; use runbook for a console that people work"
    );
    let spec = console_spec(&json!({"program": "Reseller"}));
    let shown = format!("{:?}", Credentials { read: secrets(&bench), write: None });
    clean(&shown, &Sophos.secrets(&bench));
    assert!(connect(&spec, &name, both(&bench), None, &bench.runtime, &bench.settings).is_ok());
}
