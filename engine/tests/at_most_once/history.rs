//! What may happen, at random: a partner's doings, the vendor's, the network's, and the process' death.

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use tenantry_engine::ledger::{DeletionPolicy, Want};
use tenantry_engine::testing::{Crash, Fault};

/// How many companies there are.
pub const COMPANIES: usize = 3;

/// How an account comes to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Create,
    Existing,
    Invite,
}

/// One apply, and what befalls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub faults: Vec<Fault>,
    pub crash: Option<(u32, Crash)>,
    /// Minutes by which the lists are late for its effects.
    pub late: Vec<u8>,
    pub incomplete: bool,
    pub first: bool,
    /// Another run begins before it and ends after it.
    pub rival: bool,
}

/// What the console is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    pub two_requests: bool,
    pub shows_domains: bool,
    /// Somebody's record is there from the beginning.
    pub foreign: bool,
}

/// One step of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Takes effect as the first step only.
    Console(Kind),
    Declare(usize, Mode, DeletionPolicy),
    Undeclare(usize),
    Rename(usize, bool),
    Wants(usize, Want),
    Edit(usize, u8),
    Phone(usize, u8),
    /// The file cannot be read, or can again.
    Breaks(usize),
    Plan,
    Apply(Run),
    Pass(u32),
    Resolve,
    Lose,
    Appears(usize),
    Vanishes(usize),
    Edited(usize, u8),
    Sent,
}

impl Step {
    pub const KINDS: [&'static str; 17] = [
        "appears",
        "apply",
        "breaks",
        "console",
        "declare",
        "edit",
        "edited",
        "lose",
        "pass",
        "phone",
        "plan",
        "rename",
        "resolve",
        "sent",
        "undeclare",
        "vanishes",
        "wants",
    ];

    pub fn kind(&self) -> &'static str {
        match self {
            Step::Console(_) => "console",
            Step::Declare(..) => "declare",
            Step::Undeclare(_) => "undeclare",
            Step::Rename(..) => "rename",
            Step::Wants(..) => "wants",
            Step::Edit(..) => "edit",
            Step::Phone(..) => "phone",
            Step::Breaks(_) => "breaks",
            Step::Plan => "plan",
            Step::Apply(_) => "apply",
            Step::Pass(_) => "pass",
            Step::Resolve => "resolve",
            Step::Lose => "lose",
            Step::Appears(_) => "appears",
            Step::Vanishes(_) => "vanishes",
            Step::Edited(..) => "edited",
            Step::Sent => "sent",
        }
    }
}

/// What the generator knows: which companies are declared, and whether anything has happened yet.
#[derive(Debug, Clone, Default)]
pub struct Sketch {
    declared: [bool; COMPANIES],
    begun: bool,
}

/// The generator.
pub struct Histories;

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let fault = prop_oneof![
        3 => Just(Fault::LostOnTheWay),
        4 => Just(Fault::LostOnTheWayBack),
        3 => prop_oneof![Just(5u32), Just(110)].prop_map(Fault::TakesEffectLater),
        1 => Just(Fault::Rejected),
        1 => Just(Fault::Throttled),
        1 => Just(Fault::NotSent),
        2 => Just(Fault::DiesBefore),
        3 => Just(Fault::DiesAfter),
        2 => Just(Fault::YesWithoutId),
    ];
    prop_oneof![
        2 => Just(vec![]),
        3 => proptest::collection::vec(fault, 1..3),
    ]
}

fn crash() -> impl Strategy<Value = Option<(u32, Crash)>> {
    let how =
        prop_oneof![Just(Crash::Before), Just(Crash::After), Just(Crash::Within(1)), Just(Crash::Within(2))];
    prop_oneof![
        2 => Just(None),
        2 => (0u32..10, how).prop_map(Some),
    ]
}

fn run() -> impl Strategy<Value = Run> {
    let late = proptest::collection::vec(
        prop_oneof![2 => Just(0u8), 1 => Just(1), 1 => Just(6), 2 => Just(14)],
        0..3,
    );
    (faults(), crash(), late, prop::bool::weighted(0.1), prop::bool::weighted(0.5), prop::bool::weighted(0.1))
        .prop_map(|(faults, crash, late, incomplete, first, rival)| Run {
            faults,
            crash,
            late,
            incomplete,
            first,
            rival,
        })
}

impl ReferenceStateMachine for Histories {
    type State = Sketch;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Sketch> {
        Just(Sketch::default()).boxed()
    }

    fn transitions(state: &Sketch) -> BoxedStrategy<Step> {
        let company = 0..COMPANIES;
        let mode = prop_oneof![4 => Just(Mode::Create), 1 => Just(Mode::Existing), 2 => Just(Mode::Invite)];
        let policy = prop_oneof![
            3 => Just(DeletionPolicy::Retain),
            1 => Just(DeletionPolicy::Detach),
            1 => Just(DeletionPolicy::Remove)
        ];
        let declare =
            (company.clone(), mode, policy).prop_map(|(c, mode, policy)| Step::Declare(c, mode, policy));
        if !state.begun {
            let kind = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.4)).prop_map(
                |(two_requests, shows_domains, foreign)| {
                    Step::Console(Kind { two_requests, shows_domains, foreign })
                },
            );
            return prop_oneof![1 => kind, 2 => declare].boxed();
        }
        let want = prop_oneof![
            2 => Just(Want::Present),
            2 => Just(Want::Detached),
            2 => Just(Want::Removed)
        ];
        prop_oneof![
            5 => declare,
            2 => company.clone().prop_map(Step::Undeclare),
            3 => (company.clone(), any::<bool>()).prop_map(|(c, told)| Step::Rename(c, told)),
            2 => (company.clone(), want).prop_map(|(c, want)| Step::Wants(c, want)),
            1 => (company.clone(), 0u8..3).prop_map(|(c, value)| Step::Edit(c, value)),
            1 => (company.clone(), 0u8..3).prop_map(|(c, value)| Step::Phone(c, value)),
            1 => company.clone().prop_map(Step::Breaks),
            1 => Just(Step::Plan),
            14 => run().prop_map(Step::Apply),
            5 => prop_oneof![Just(1u32), Just(10), Just(25), Just(60 * 25)].prop_map(Step::Pass),
            1 => Just(Step::Resolve),
            1 => Just(Step::Lose),
            1 => company.clone().prop_map(Step::Appears),
            1 => company.clone().prop_map(Step::Vanishes),
            1 => (company, 0u8..3).prop_map(|(c, value)| Step::Edited(c, value)),
            1 => Just(Step::Sent),
        ]
        .boxed()
    }

    fn apply(mut state: Sketch, step: &Step) -> Sketch {
        state.begun = true;
        match step {
            Step::Declare(c, ..) => state.declared[*c] = true,
            Step::Undeclare(c) => state.declared[*c] = false,
            _ => {}
        }
        state
    }

    fn preconditions(state: &Sketch, step: &Step) -> bool {
        match step {
            Step::Undeclare(c)
            | Step::Rename(c, _)
            | Step::Wants(c, _)
            | Step::Edit(c, _)
            | Step::Phone(c, _) => state.declared[*c],
            _ => true,
        }
    }
}
