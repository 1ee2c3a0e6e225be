//! Whole runs: what is declared is made once, whatever happens on the way, and then nothing is left to do.

use jiff::Span;
use tenantry_engine::address::RemoteId;
use tenantry_engine::execute::Outcome;
use tenantry_simulator::{Does, Fault};

use super::desk::Desk;
use super::{Case, clean};

pub async fn planning_twice_is_the_same_and_writes_nothing(vendor: &Case<'_>) {
    let mut desk = Desk::open(vendor, 3).await;
    let first = desk.plan(&[1, 2]).await;
    assert_eq!(first.steps.len(), 2, "{:?}", first.findings);
    desk.restart();
    let second = desk.plan(&[1, 2]).await;
    assert_eq!((first.steps, first.findings), (second.steps, second.findings));
    assert_eq!(desk.writes(), 0);
}

pub async fn applying_leaves_nothing_to_do(vendor: &Case<'_>) {
    let mut desk = Desk::open(vendor, 3).await;
    // Some lists show what was made later, or after they were asked a few times.
    for _ in 0..4 {
        let report = desk.apply(&[1, 2]).await;
        assert!(report.steps.iter().all(|step| step.outcome == Outcome::Done), "{:?}", report.steps);
        desk.advance(Span::new().minutes(9));
    }
    assert_eq!(desk.made().len(), 2);
    let plan = desk.plan(&[1, 2]).await;
    assert_eq!((plan.steps, plan.waiting), (vec![], vec![]));
}

pub async fn a_creation_that_is_lost_on_its_way_happens_once(vendor: &Case<'_>) {
    for does in [Does::CloseBeforeCommit, Does::CloseAfterCommit] {
        let mut desk = Desk::open(vendor, 3).await;
        let (method, path, _) = vendor.create();
        desk.bench.running.faults().add(Fault::new(does.clone()).at(vendor.partner()).on(method, path));
        let report = desk.apply(&[1]).await;
        assert!(matches!(report.steps[0].outcome, Outcome::InDoubt { .. }), "{does:?}: {:?}", report.steps);
        // The next process knows the ledger alone.
        desk.restart();
        for _ in 0..3 {
            desk.advance(Span::new().hours(1));
            desk.apply(&[1]).await;
        }
        let made = desk.made();
        assert_eq!(made.len(), 1, "{does:?}");
        assert_eq!(desk.entry().bound().map(RemoteId::as_str), Some(made[0].id.as_str()), "{does:?}");
        assert!(desk.entry().operation.is_none(), "{does:?}");
        assert_eq!(desk.plan(&[1]).await.steps, [], "{does:?}");
    }
}

pub async fn an_incomplete_list_makes_and_forgets_nobody(vendor: &Case<'_>) {
    let mut desk = Desk::open(vendor, 3).await;
    for _ in 0..3 {
        desk.apply(&[1]).await;
        desk.advance(Span::new().hours(1));
    }
    let (bound, writes) = (desk.entry().bound().cloned(), desk.writes());
    assert!(bound.is_some());
    let break_off = |desk: &Desk<'_>| {
        desk.bench.running.faults().clear();
        let fault = Fault::new(Does::Forbidden).at(vendor.partner()).on("GET", vendor.list());
        desk.bench.running.faults().add(fault.nth(2).always());
    };
    // The other one could be on the page that does not come.
    break_off(&desk);
    assert_eq!(desk.plan(&[1, 2]).await.steps, []);
    break_off(&desk);
    desk.apply(&[1, 2]).await;
    assert_eq!(desk.writes(), writes);
    assert_eq!(desk.entry().bound(), bound.as_ref());
    desk.bench.running.faults().clear();
    desk.apply(&[1, 2]).await;
    assert_eq!(desk.made().len(), 2, "what was not made is made once the list is whole");
}

pub async fn nothing_that_is_told_holds_a_secret(vendor: &Case<'_>) {
    let mut desk = Desk::open(vendor, 3).await;
    let plan = desk.plan(&[1]).await;
    let report = desk.apply(&[1]).await;
    let told = serde_json::to_string(&report).expect("a report");
    let shown =
        format!("{plan:?} {told} {:?} {:?} {:?}", desk.ledger(), desk.bench.told(), desk.bench.settings);
    let secrets: Vec<String> = vendor.secrets(&desk.bench).into_iter().chain(desk.bench.kept.all()).collect();
    clean(&shown, &secrets);
    let log = desk.bench.running.log().entries(&tenantry_simulator::LogFilter::default());
    clean(&format!("{log:?}"), &secrets);
}
