//! A store that fails in the middle of a run: what was done before is told as done, and nothing else.

use super::*;
use crate::run::apply_into;

impl Bench {
    /// Applies until the store fails, and gives what is told all the same.
    fn broken(&self) -> Report {
        let mut report = Report::default();
        let stored = self.with(|job| {
            let mut ledger = OpenLedger::new(self.store.ledger(), &self.store);
            let mut prepared = block_on(prepare(job, &mut ledger)).expect("it fails later");
            block_on(apply_into(job, &mut ledger, &mut prepared, &mut report))
        });
        assert!(stored.is_err(), "{report:?}");
        self.store.survive();
        report
    }
}

/// Outcomes, one word each.
fn told(report: &Report) -> Vec<&'static str> {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Done => "done",
        Outcome::InDoubt { .. } => "in doubt",
        Outcome::NotBegun => "not begun",
        Outcome::Held { .. } => "held",
        _ => "otherwise",
    };
    report.steps.iter().map(|step| word(&step.outcome)).collect()
}

#[test]
fn what_was_done_before_the_store_failed_is_told_and_what_is_on_its_way_is_in_doubt() {
    const NOT: &str = "not begun";
    let expected = [
        // Observed; the intent and the sending of the first.
        ([NOT, NOT], 0),
        ([NOT, NOT], 0),
        ([NOT, NOT], 0),
        // Its answer, and that it is done.
        (["in doubt", NOT], 1),
        (["done", NOT], 1),
        // The same of the second.
        (["done", NOT], 1),
        (["done", NOT], 1),
        (["done", "in doubt"], 2),
        (["done", "done"], 2),
    ];
    for (n, (outcomes, requests)) in (0..).zip(expected) {
        let bench = Bench::new([Company::new("adatum"), Company::new("fjord")]);
        bench.store.crash_at(n, Crash::Before);
        let report = bench.broken();
        assert_eq!((told(&report), report.requests), (outcomes.to_vec(), requests), "write {n}");
        assert!(!report.interrupted, "nobody asked it to stop");
        assert_eq!(bench.made(), requests as usize, "write {n}");
        // What is told as done has its id, also where only the answer is stored.
        for step in report.steps.iter().filter(|step| step.outcome == Outcome::Done) {
            assert!(step.remote_id.is_some(), "write {n}: {step:?}");
        }
        bench.pass(60);
        for _ in 0..3 {
            bench.apply();
            bench.pass(60);
        }
        assert_eq!((bench.made(), bench.steps()), (2, Vec::new()), "write {n}");
    }
}

#[test]
fn what_was_only_noted_and_could_not_be_stored_is_not_told_as_done() {
    let existing = |name: &str| {
        let mut company = Company::new(name);
        company.onboarding = tenantry_crd::customer::Onboarding::Existing;
        company
    };
    let bench = Bench::new([existing("adatum"), existing("fjord")]);
    bench.world.appears("Adatum GmbH", Some("adatum.example"));
    bench.world.appears("Fjord GmbH", Some("fjord.example"));
    // The list is stored first, then all that is noted.
    bench.store.crash_at(1, Crash::Before);
    let report = bench.broken();
    assert_eq!(told(&report), ["not begun", "not begun"]);
    assert!(report.steps.iter().all(|step| step.words == ["could not be stored"]), "{report:?}");
    assert_eq!(told(&bench.apply()), ["done", "done"]);
    assert_eq!((bench.world.arrived(), bench.steps()), (0, Vec::new()));
}
