//! What a run does with each kind of step, answer and death.

mod stores;

use jiff::SignedDuration;

use crate::action::Action;
use crate::execute::{Outcome, Report};
use crate::ledger::{Ledger, Standing};
use crate::observe::{Settings, identify};
use crate::observed::Details;
use crate::operation::Phase;
use crate::plan::Approvals;
use crate::run::{Job, Prepared, RunError, apply, look, prepare};
use crate::store::OpenLedger;
use crate::testing::store::Life;
use crate::testing::{
    Company, Crash, Declared, EffectKind, Fault, MemoryConsole, MemoryStore, Parts, Terms, World, block_on,
};

/// A console, a ledger and what is declared, over several runs.
pub(crate) struct Bench {
    pub parts: Parts,
    pub world: World,
    pub store: MemoryStore,
    pub terms: Terms,
    pub declared: Declared,
    pub approvals: Approvals,
    pub account: &'static str,
}

impl Bench {
    pub fn new(companies: impl IntoIterator<Item = Company>) -> Self {
        let parts = Parts::default();
        let life = Life::default();
        let world = World::new(&parts, life.clone());
        let store = MemoryStore::new(Ledger::new("memory:one".into(), "lineage".into()), life);
        Self {
            parts,
            world,
            store,
            terms: Terms::default(),
            declared: Declared::of(companies),
            approvals: Approvals::default(),
            account: "memory:one",
        }
    }

    fn with<R>(&self, run: impl FnOnce(&Job<'_>) -> R) -> R {
        let built = self.declared.build();
        let desired = built.desired();
        let console = MemoryConsole::new(&self.world, self.terms).account(self.account);
        let runtime = self.parts.runtime();
        let identity = block_on(identify(&console, &runtime)).expect("the memory console knows itself");
        run(&Job {
            console: &console,
            identity: &identity,
            desired: &desired,
            approvals: &self.approvals,
            runtime: &runtime,
            cache: &Details::new(),
            settings: Settings { read_budget: 100 },
            request_timeout: SignedDuration::from_secs(120),
            run: "run",
            before: None,
        })
    }

    pub fn plan(&self) -> Prepared {
        self.try_plan().expect("the memory console answers")
    }

    pub fn try_plan(&self) -> Result<Prepared, RunError> {
        self.with(|job| block_on(look(job, &self.store.ledger())))
    }

    pub fn try_apply(&self) -> Result<Report, RunError> {
        let outcome = self.with(|job| {
            let mut ledger = OpenLedger::new(self.store.ledger(), &self.store);
            let mut prepared = block_on(prepare(job, &mut ledger))?;
            Ok(block_on(apply(job, &mut ledger, &mut prepared))?)
        });
        self.store.survive();
        outcome
    }

    pub fn apply(&self) -> Report {
        self.try_apply().expect("nothing dies here")
    }

    pub fn pass(&self, minutes: i64) {
        self.parts.clock.pass(SignedDuration::from_mins(minutes));
    }

    pub fn entry(&self, name: &str) -> crate::ledger::Entry {
        let ledger = self.store.ledger();
        let (_, entry) = ledger.entries.iter().find(|(address, _)| address.name == name).expect("an entry");
        entry.clone()
    }

    pub fn made(&self) -> usize {
        self.world.effects().iter().filter(|effect| effect.kind == EffectKind::Created).count()
    }

    /// Steps that nothing holds, as `action name`.
    pub fn steps(&self) -> Vec<String> {
        let plan = self.plan().planned.plan;
        let free = plan.steps.iter().filter(|step| step.held.is_none());
        free.map(|step| format!("{} {}", step.action.name(), step.address.name)).collect()
    }

    /// Codes of findings.
    pub fn codes(&self) -> Vec<&'static str> {
        self.plan().planned.plan.findings.iter().map(|finding| finding.code.as_str()).collect()
    }
}

fn invited(name: &str) -> Company {
    let mut company = Company::new(name);
    company.onboarding = tenantry_crd::customer::Onboarding::Existing;
    company.invited = true;
    company
}

#[test]
fn what_is_declared_is_made_once_and_the_next_plan_is_empty() {
    let bench = Bench::new([Company::new("adatum")]);
    let report = bench.apply();
    assert_eq!(report.steps[0].outcome, Outcome::Done);
    assert_eq!(report.requests, 1);
    assert_eq!(bench.steps(), Vec::<String>::new());
    assert_eq!(bench.entry("adatum").remote_id.map(|id| id.to_string()), Some("t0001".into()));
}

#[test]
fn each_phase_is_durable_before_the_next_thing_happens() {
    let bench = Bench::new([Company::new("adatum")]);
    bench.apply();
    let log: Vec<String> = bench.store.events().iter().map(|event| event.what.clone()).collect();
    assert_eq!(log, ["observed", "intent", "sent", "acked", "settled"]);
}

#[test]
fn a_request_whose_answer_is_lost_is_looked_for_and_not_repeated() {
    let bench = Bench::new([Company::new("adatum")]);
    bench.world.faults([Fault::LostOnTheWayBack]);
    bench.world.late([SignedDuration::from_mins(10)]);
    assert!(matches!(bench.apply().steps[0].outcome, Outcome::InDoubt { .. }));
    assert_eq!(bench.steps(), Vec::<String>::new());
    bench.apply();
    bench.pass(11);
    bench.apply();
    assert_eq!(bench.made(), 1);
    assert!(bench.entry("adatum").remote_id.is_some());
}

#[test]
fn a_lost_request_is_sent_again_after_two_complete_looks_with_the_same_key() {
    let bench = Bench::new([Company::new("adatum")]);
    bench.world.faults([Fault::LostOnTheWay]);
    bench.apply();
    let first = bench.entry("adatum").operation.expect("in doubt");
    bench.pass(18);
    bench.apply();
    let effects = bench.world.effects();
    assert_eq!(effects.len(), 1);
    assert_eq!(effects[0].request_id, first.request_id);
    assert_ne!(effects[0].operation, first.id);
}

#[test]
fn a_late_effect_of_a_lost_request_is_taken_for_what_it_is() {
    let bench = Bench::new([Company::new("adatum")]);
    bench.world.faults([Fault::TakesEffectLater(110)]);
    bench.world.late([SignedDuration::from_mins(14)]);
    bench.apply();
    for _ in 0..20 {
        bench.pass(1);
        bench.apply();
    }
    assert_eq!(bench.made(), 1);
    assert_eq!(bench.steps(), Vec::<String>::new());
}

#[test]
fn a_death_at_any_write_makes_nothing_twice() {
    for how in [Crash::Before, Crash::Within(1), Crash::After] {
        for n in 0..6 {
            let bench = Bench::new([Company::new("adatum"), invited("fabrikam")]);
            bench.store.crash_at(n, how);
            let _died = bench.try_apply();
            for _ in 0..4 {
                bench.pass(18);
                bench.apply();
            }
            assert_eq!(bench.made(), 1, "{how:?} at {n}");
            let drafts = bench.store.events().iter().filter(|event| event.what == "drafted").count();
            assert_eq!(drafts, 1, "{how:?} at {n}");
        }
    }
}

#[test]
fn a_request_that_was_put_off_goes_again_with_a_new_sent() {
    let bench = Bench::new([Company::new("adatum")]);
    bench.world.faults([Fault::Throttled, Fault::Throttled]);
    let report = bench.apply();
    assert_eq!(report.steps[0].outcome, Outcome::Done);
    assert_eq!(report.requests, 3);
    let sent = bench.store.events().iter().filter(|event| event.what == "sent").count();
    assert_eq!(sent, 3);
    assert!(report.steps[0].milliseconds >= 6_000);
}

#[test]
fn endless_throttling_fails_and_leaves_nothing_in_doubt() {
    let bench = Bench::new([Company::new("adatum")]);
    bench.world.faults([Fault::Throttled; 20]);
    let report = bench.apply();
    assert!(matches!(report.steps[0].outcome, Outcome::Failed { .. }));
    assert_eq!(bench.entry("adatum").operation, None);
}

#[test]
fn a_refusal_clears_the_operation_and_the_next_run_tries_again() {
    for fault in [Fault::Rejected, Fault::NotSent] {
        let bench = Bench::new([Company::new("adatum")]);
        bench.world.faults([fault]);
        assert!(matches!(bench.apply().steps[0].outcome, Outcome::Failed { .. }));
        assert_eq!(bench.entry("adatum").operation, None);
        assert_eq!(bench.apply().steps[0].outcome, Outcome::Done);
    }
}

#[test]
fn a_row_refused_to_our_position_is_a_task_from_then_on() {
    let bench = Bench::new([Company::new("adatum")]);
    bench.world.faults([Fault::PositionRefused]);
    bench.apply();
    let plan = bench.plan().planned.plan;
    assert!(plan.steps[0].manual());
    assert!(bench.codes().contains(&"position-refused"));
}

#[test]
fn the_log_names_a_task_by_its_id_and_nobody_by_name() {
    let mut bench = Bench::new([Company::new("adatum")]);
    bench.terms.create = crate::capability::By::Person(crate::capability::Party::Operator);
    let report = bench.apply();
    let Outcome::Waits { task } = &report.steps[0].outcome else { panic!("{:?}", report.steps) };
    let opened: Vec<String> = bench
        .store
        .events()
        .iter()
        .filter(|event| event.what == "task-opened")
        .map(|event| event.words.clone())
        .collect();
    assert_eq!(opened, [format!("{task}: create")]);
    let record = bench.entry("adatum").tasks[task].task.clone().expect("the entry says what is to be done");
    assert!(record.title.contains("Adatum GmbH"), "{}", record.title);
}

#[test]
fn a_yes_without_an_id_is_looked_for_and_never_repeated() {
    let bench = Bench::new([Company::new("adatum")]);
    bench.world.faults([Fault::YesWithoutId]);
    bench.world.late([SignedDuration::from_mins(5)]);
    assert!(matches!(bench.apply().steps[0].outcome, Outcome::InDoubt { .. }));
    bench.pass(6);
    bench.apply();
    assert_eq!(bench.made(), 1);
    assert!(bench.entry("adatum").remote_id.is_some());
}

#[test]
fn a_step_of_two_requests_that_dies_between_them_goes_on_with_the_second() {
    let mut company = Company::new("adatum");
    company.number = Some("HRB 1".into());
    let mut bench = Bench::new([company]);
    bench.terms.two_requests = true;
    // observed, intent, sent, acked, then the second intent.
    bench.store.crash_at(4, Crash::Before);
    assert!(bench.try_apply().is_err());
    assert_eq!(bench.steps(), ["update adatum"]);
    bench.apply();
    assert_eq!(bench.made(), 1);
    bench.pass(20);
    assert_eq!(bench.steps(), Vec::<String>::new());
}

#[test]
fn a_failed_step_skips_its_dependants_and_nothing_else() {
    let mut child = Company::new("child");
    child.parent = Some("adatum".into());
    let bench = Bench::new([Company::new("adatum"), child, Company::new("fabrikam")]);
    bench.world.faults([Fault::Rejected]);
    let report = bench.apply();
    let outcomes: Vec<(String, bool)> = report
        .steps
        .iter()
        .map(|line| (line.address.name.to_string(), matches!(line.outcome, Outcome::Done)))
        .collect();
    assert_eq!(outcomes, [("adatum".into(), false), ("fabrikam".into(), true), ("child".into(), false)]);
    assert!(matches!(&report.steps[2].outcome, Outcome::Skipped { because } if because.contains("failed")));
}

#[test]
fn a_child_waits_while_its_parent_is_in_doubt() {
    let mut child = Company::new("child");
    child.parent = Some("adatum".into());
    let bench = Bench::new([Company::new("adatum"), child]);
    bench.world.faults([Fault::LostOnTheWay]);
    bench.apply();
    assert_eq!(bench.steps(), Vec::<String>::new());
}

#[test]
fn a_stop_begins_nothing_new() {
    let bench = Bench::new([Company::new("adatum")]);
    let mut prepared = bench.plan();
    let report = bench.with(|job| {
        bench.parts.stop.ask();
        let mut ledger = OpenLedger::new(bench.store.ledger(), &bench.store);
        block_on(apply(job, &mut ledger, &mut prepared)).expect("the store lives")
    });
    assert!(report.interrupted);
    assert_eq!(report.steps[0].outcome, Outcome::NotBegun);
    assert_eq!(bench.world.arrived(), 0);
}

#[test]
fn an_invitation_is_durable_once_and_its_mail_is_a_task() {
    let bench = Bench::new([invited("adatum")]);
    let report = bench.apply();
    assert_eq!(report.steps[0].outcome, Outcome::Done);
    let entry = bench.entry("adatum");
    let invitation = entry.invitation.expect("drafted");
    assert_eq!(invitation.accepted_as, ["domain:adatum.example"]);
    assert!(invitation.link.starts_with("https://memory.example/"));
    assert_eq!(entry.tasks.len(), 1);
    assert!(bench.plan().planned.plan.waiting[0].task.is_some());
    bench.world.appears("Adatum", Some("adatum.example"));
    bench.apply();
    let entry = bench.entry("adatum");
    assert!(entry.remote_id.is_some());
    assert!(entry.tasks.is_empty());
}

#[test]
fn reminders_follow_a_sent_mail_that_holds_its_link_and_end_where_it_was_taken_back() {
    let bench = Bench::new([invited("adatum")]);
    bench.apply();
    let change = |change: &dyn Fn(&mut crate::ledger::Invitation)| {
        bench.store.tamper(|ledger| {
            let entry = ledger.entries.values_mut().next().expect("an entry");
            change(entry.invitation.as_deref_mut().expect("drafted"));
        });
    };
    bench.pass(8 * 24 * 60);
    assert!(bench.steps().is_empty(), "its mail waits to be sent");
    change(&|invitation| invitation.sent = Some(invitation.drafted));
    assert_eq!(bench.steps(), ["remind adatum"]);
    change(&|invitation| invitation.link.clear());
    assert!(bench.steps().is_empty(), "no mail can be made without a link");
    change(&|invitation| {
        invitation.link = "https://memory.example/accept/1".into();
        invitation.revoked = Some(invitation.drafted);
    });
    assert!(bench.steps().is_empty(), "it was taken back");
    assert_eq!(bench.codes(), ["invitation-revoked"]);
    bench.world.appears("Adatum", Some("adatum.example"));
    assert_eq!(bench.steps(), ["adopt adatum"]);
}

#[test]
fn a_secret_that_cannot_be_sealed_is_told_and_the_step_is_done() {
    let bench = Bench::new([Company::new("adatum")]);
    bench.world.secret("hunter2");
    *bench.parts.sealer.refuse.lock().expect("not poisoned") = Some("no recipient".into());
    let report = bench.apply();
    assert_eq!(report.steps[0].outcome, Outcome::Done);
    assert!(report.steps[0].words[0].contains("could not be put away"));
    assert!(!format!("{:?}{:?}", bench.store.ledger(), bench.store.events()).contains("hunter2"));
}

#[test]
fn a_secret_is_sealed_before_its_operation_is_settled() {
    let bench = Bench::new([Company::new("adatum")]);
    bench.world.secret("hunter2");
    // observed, intent, sent, acked; the settling write dies.
    bench.store.crash_at(4, Crash::Before);
    assert!(bench.try_apply().is_err());
    assert_eq!(bench.parts.sealer.sealed.lock().expect("not poisoned").len(), 1);
}

#[test]
fn adoption_stores_what_is_observed_and_differences_come_next() {
    let mut company = Company::new("adatum");
    company.onboarding = tenantry_crd::customer::Onboarding::Existing;
    company.website = Some("new.example".into());
    let bench = Bench::new([company]);
    let id = bench.world.appears("Adatum GmbH", Some("adatum.example"));
    bench.world.edits(&id, "website", "old.example");
    bench.apply();
    assert_eq!(bench.world.arrived(), 0);
    assert_eq!(bench.steps(), ["update adatum"]);
    let reason = bench.plan().planned.plan.steps[0].because.code;
    assert_eq!(reason, crate::plan::reasons::ReasonCode::Declared);
}

#[test]
fn a_rename_moves_the_entry_and_asks_nothing_of_the_console() {
    let mut bench = Bench::new([Company::new("adatum")]);
    bench.apply();
    let arrived = bench.world.arrived();
    bench.declared.companies[0].name = "contoso".into();
    bench.declared.companies[0].formerly = vec!["adatum".into()];
    let report = bench.apply();
    assert_eq!(report.steps[0].action, Action::Adopt);
    assert_eq!(bench.world.arrived(), arrived);
    let ledger = bench.store.ledger();
    assert_eq!(ledger.entries.keys().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["contoso"]);
    assert_eq!(bench.steps(), Vec::<String>::new());
}

#[test]
fn a_rename_that_is_not_told_makes_no_second_customer() {
    let mut bench = Bench::new([Company::new("adatum")]);
    bench.apply();
    bench.declared.companies[0].name = "contoso".into();
    assert_eq!(bench.steps(), ["forget adatum"]);
    assert!(bench.codes().contains(&"possible-duplicate"));
    for _ in 0..3 {
        bench.pass(60);
        bench.apply();
    }
    assert_eq!(bench.made(), 1);
}

#[test]
fn a_rename_that_is_not_told_makes_no_second_customer_while_the_first_is_not_listed() {
    let mut bench = Bench::new([Company::new("adatum")]);
    bench.world.late([SignedDuration::from_mins(14)]);
    bench.apply();
    bench.declared.companies[0].name = "contoso".into();
    for _ in 0..20 {
        bench.apply();
        bench.pass(1);
    }
    assert_eq!(bench.made(), 1);
}

#[test]
fn a_rename_that_is_not_told_sends_no_second_invitation() {
    let mut bench = Bench::new([invited("adatum")]);
    bench.apply();
    bench.declared.companies[0] = Company { name: "contoso".into(), ..bench.declared.companies[0].clone() };
    bench.apply();
    assert!(bench.codes().contains(&"possible-duplicate"));
    assert_eq!(bench.store.events().iter().filter(|event| event.what == "drafted").count(), 1);
}

#[test]
fn what_is_forgotten_and_declared_again_is_bound_again() {
    let mut bench = Bench::new([Company::new("adatum")]);
    bench.apply();
    let company = bench.declared.companies.remove(0);
    bench.apply();
    assert_eq!(bench.entry("adatum").standing, Standing::Released);
    bench.declared.companies.push(company);
    assert_eq!(bench.steps(), ["adopt adatum"]);
    bench.apply();
    assert_eq!(bench.entry("adatum").standing, Standing::Declared);
    assert_eq!(bench.made(), 1);
}

#[test]
fn another_vendor_account_is_refused_before_anything_is_read() {
    let mut bench = Bench::new([Company::new("adatum")]);
    bench.account = "memory:two";
    let error = bench.try_apply().expect_err("another account");
    assert!(matches!(error, RunError::OtherAccount { .. }));
    assert_eq!(
        error.to_string(),
        "the ledger belongs to memory:one, the credentials of memory open memory:two; use the credentials of that \
         account, or another state directory for this one"
    );
    assert_eq!(bench.world.last_census(), None);
}

#[test]
fn an_approval_is_used_up_with_the_intent_and_given_back_by_a_refusal() {
    let mut bench = Bench::new([Company::new("adatum")]);
    bench.world.appears("Somebody", None);
    let step = bench.plan().planned.plan.steps[0].clone();
    assert!(step.held.is_some());
    bench.approvals.approve.insert(step.fingerprint.clone());
    bench.world.faults([Fault::Rejected]);
    bench.apply();
    assert!(!bench.store.ledger().header.used_approvals.contains(&step.fingerprint));
    bench.apply();
    let header = bench.store.ledger().header;
    assert!(header.used_approvals.contains(&step.fingerprint));
    assert!(header.confirmed.is_some());
    assert_eq!(header.guard_log.len(), 2);
}

#[test]
fn what_did_not_happen_has_reserved_its_share_and_needs_no_larger_one() {
    // As many as a day allows.
    let bench = Bench::new((0..20).map(|n| Company::new(&format!("adatum-{n:02}"))));
    bench.world.faults([Fault::LostOnTheWay]);
    bench.apply();
    assert_eq!((bench.made(), bench.store.ledger().header.guard_log.len()), (19, 20));
    bench.pass(18);
    bench.apply();
    assert_eq!((bench.made(), bench.store.ledger().header.guard_log.len()), (20, 20));
}

#[test]
fn a_saved_plan_carries_out_fewer_steps_and_never_others() {
    let bench = Bench::new([Company::new("adatum"), Company::new("fabrikam")]);
    let mut plan = bench.plan().planned.plan;
    let saved = [plan.steps[0].fingerprint.clone()].into();
    let moved = crate::run::constrain(&mut plan, &saved);
    assert_eq!(plan.steps.len(), 1);
    assert_eq!(moved[0].address.name, "fabrikam");
}

#[test]
fn a_request_in_doubt_keeps_its_phase_until_it_is_looked_at() {
    let bench = Bench::new([Company::new("adatum")]);
    bench.world.faults([Fault::DiesAfter]);
    assert!(bench.try_apply().is_err());
    let operation = bench.entry("adatum").operation.expect("sent");
    assert!(matches!(operation.phase, Phase::Sent { .. }));
}

#[test]
fn a_name_that_is_changed_back_takes_its_record_along() {
    for policy in [crate::ledger::DeletionPolicy::Retain, crate::ledger::DeletionPolicy::Remove] {
        let mut company = Company::new("adatum");
        company.policy = policy;
        let mut bench = Bench::new([company]);
        bench.world.late([SignedDuration::from_mins(14)]);
        bench.apply();
        for (name, old) in [("contoso", "adatum"), ("adatum", "contoso")] {
            bench.declared.companies[0].name = name.into();
            bench.declared.companies[0].formerly = vec![old.into()];
            bench.apply();
        }
        bench.pass(18);
        bench.apply();
        assert_eq!(bench.entry("adatum").remote_id.map(|id| id.to_string()), Some("t0001".into()));
        assert!(bench.world.tenants().values().all(crate::testing::console::Tenant::alive));
        assert_eq!(bench.made(), 1);
    }
}
