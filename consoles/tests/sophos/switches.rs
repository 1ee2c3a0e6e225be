//! Under everything that Sophos's documents leave open, what the adapter claims is what happened.

use serde_json::json;
use tenantry_engine::address::RemoteId;
use tenantry_engine::capability::OperationClass;
use tenantry_engine::console::Sent;
use tenantry_engine::operation::{Draft, Request};
use tenantry_simulator::Kind;
use tenantry_simulator::sophos::switches::Switches;

use crate::contract::writes::{send, word};
use crate::contract::{Bench, Vendor};
use crate::tenant::{PARTNER, Sophos, both, connected, console_spec, whole};

async fn under(switches: Switches, customers: usize, hostile: usize) -> Bench {
    let bench = Bench::new().await;
    let partner = bench.running.sophos("acme");
    partner.generate(customers, 7, hostile);
    partner.use_switches(switches);
    bench
}

#[tokio::test]
async fn a_census_is_complete_under_every_switch() {
    for (name, switches) in Switches::all_variants() {
        let bench = under(switches, 230, 12).await;
        let console = whole(&bench);
        console.identify().await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let census = console.census(&bench.reading).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(census.incomplete, None, "{name}");
        assert_eq!(census.records().len(), 242, "{name}");
        let known = bench.running.sophos("acme").tenants();
        for facts in known {
            let record =
                census.get(&facts.id.to_string().into()).unwrap_or_else(|| panic!("{name}: {facts:?}"));
            assert_eq!(record.name().raw(), facts.show_as.trim(), "{name}");
        }
        let cost = console.take_cost();
        assert_eq!((cost.pages, bench.requests(Kind::Write)), (3, 0), "{name}");
    }
}

#[tokio::test]
async fn licences_are_read_or_said_to_be_unreadable_under_every_switch() {
    for (name, switches) in Switches::all_variants() {
        let bench = under(switches, 8, 0).await;
        let console = whole(&bench);
        console.identify().await.expect("known");
        let census = console.census(&bench.reading).await.expect("a census");
        let wanted: Vec<_> = Sophos.details(&census).into_iter().take(20).collect();
        let details = console.details(&wanted, &bench.reading).await.expect("details");
        assert_eq!(details.len(), wanted.len(), "{name}");
        for (key, read) in &details {
            match &read.unreadable {
                Some(refusal) => {
                    assert_eq!(refusal.code, "partner-assistance-off", "{name} {key:?}");
                    assert!(read.licenses.is_empty(), "{name} {key:?}");
                }
                None => assert!(!read.licenses.is_empty(), "{name} {key:?}"),
            }
        }
    }
}

#[tokio::test]
async fn what_is_said_of_a_create_is_what_happened_under_every_switch() {
    for (name, switches) in Switches::all_variants() {
        let bench = under(switches, 8, 0).await;
        let console = whole(&bench);
        let sent = send(&Sophos, &*console).await;
        let made = bench.running.log().effects(PARTNER, "tenant-created");
        match &sent {
            Sent::Acked(ack, _) => {
                assert_eq!(made.len(), 1, "{name}");
                assert_eq!(ack.remote_id.as_ref().map(RemoteId::as_str), Some(made[0].id.as_str()), "{name}");
            }
            other => panic!("{name}: {:?}", word(other)),
        }
        assert_eq!(bench.requests(Kind::Write), 1, "{name}");
    }
}

#[tokio::test]
async fn a_name_that_is_taken_is_made_twice_or_refused_but_never_in_doubt() {
    for (name, switches) in Switches::all_variants() {
        let bench = under(switches, 8, 0).await;
        let console = whole(&bench);
        assert_eq!(word(&send(&Sophos, &*console).await).0, "acked", "{name}");
        let again = send(&Sophos, &*console).await;
        let made = bench.running.log().effects(PARTNER, "tenant-created").len();
        match word(&again) {
            ("acked", None) => assert_eq!(made, 2, "{name}"),
            ("rejected", Some(refusal)) => {
                assert_eq!((made, refusal.code.as_str()), (1, "already-exists"), "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn monthly_billing_without_flex_is_refused_under_every_switch() {
    for (name, switches) in Switches::all_variants() {
        let bench = under(switches, 8, 0).await;
        bench.running.seed(&json!({"sophos": {"acme": {"flex": false}}})).expect("a seed");
        let console = whole(&bench);
        let draft = crate::tenant::create_draft("Muster AG", "usage");
        let request = Request { id: "op", request_id: "r", draft: &draft, remote_id: None, account: None };
        let sent = console.send(&request).await;
        let (word, refusal) = word(&sent);
        assert_eq!(word, "rejected", "{name}: {refusal:?}");
        let refusal = refusal.expect("it is refused");
        assert!(["forbidden", "invalid-request"].contains(&refusal.code.as_str()), "{name}: {refusal:?}");
        assert!(refusal.hint.contains("MSP Flex"), "{name}: {refusal:?}");
        assert!(bench.running.log().effects(PARTNER, "tenant-created").is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_rename_happens_or_becomes_a_persons_under_every_switch() {
    for (name, switches) in Switches::all_variants() {
        let bench = under(switches, 8, 0).await;
        let spec = console_spec(&json!({"program": "MspFlex", "renameVia": "Api"}));
        let console = connected(&bench, &spec, both(&bench), None);
        console.identify().await.expect("known");
        let census = console.census(&bench.reading).await.expect("a census");
        let id = census.records()[0].id.clone();
        let draft = Draft {
            name: "rename-tenant",
            unsafe_request: true,
            class: OperationClass::Blind,
            body: json!({"showAs": "Neuer Name"}),
        };
        let request =
            Request { id: "op", request_id: "r", draft: &draft, remote_id: Some(&id), account: None };
        let sent = console.send(&request).await;
        let renamed = bench.running.log().effects(PARTNER, "tenant-renamed").len();
        match word(&sent) {
            ("acked", None) => assert_eq!(renamed, 1, "{name}"),
            ("rejected", Some(refusal)) => {
                assert_eq!((renamed, refusal.code.as_str()), (0, "position-refused"), "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}
