//! Carries a history out and judges it by the console's own log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use tenantry_crd::IsoDuration;
use tenantry_crd::customer::Onboarding;
use tenantry_engine::address::{Address, RemoteId};
use tenantry_engine::ledger::{DeletionPolicy, GuardKind, Ledger, Want};
use tenantry_engine::observe::{Settings, identify};
use tenantry_engine::observed::{Census, Details};
use tenantry_engine::operation::Phase;
use tenantry_engine::plan::{Approvals, send_task};
use tenantry_engine::run::{Before, Job, RunError, apply, look, prepare};
use tenantry_engine::store::{OpenLedger, StoreError};
use tenantry_engine::task::Outcome;
use tenantry_engine::testing::declared::CONSOLE;
use tenantry_engine::testing::store::Life;
use tenantry_engine::testing::{
    Company, Declared, EffectKind, MemoryConsole, MemoryStore, Parts, Terms, World, block_on,
};

use crate::counts::Counts;
use crate::history::{COMPANIES, Mode, Run, Step};
use crate::mutation::Mutation;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Slot {
    variant: u8,
    formerly: Option<u8>,
    mode: Mode,
    want: Want,
    policy: DeletionPolicy,
    website: u8,
    phone: u8,
}

/// One history under way.
pub struct Case {
    mutation: Option<Mutation>,
    parts: Parts,
    world: World,
    store: MemoryStore,
    terms: Terms,
    slots: [Option<Slot>; COMPANIES],
    broken: [bool; COMPANIES],
    declared: Declared,
    cache: Details,
    /// What the last run listed, and whether this run stands on it.
    list: Option<Census>,
    stands: bool,
    begun: bool,
    /// Somebody allowed this ledger's first run; what the ledger says about that is not asked.
    allowed: bool,
    /// Everything that was declared for an address in the last runs.
    past: BTreeMap<Address, Vec<(Want, DeletionPolicy)>>,
    /// Live records that we made, by company; made in this ledger's time.
    own: BTreeMap<RemoteId, usize>,
    made_in_this_ledger: BTreeSet<RemoteId>,
    judged_effects: usize,
    judged_arrivals: usize,
    judged_events: usize,
    drafted: [u32; COMPANIES],
    disturbed: [bool; COMPANIES],
    /// What a person wrote into the declaration: which of several look-alikes is ours.
    ids: [Option<String>; COMPANIES],
    pub counts: Counts,
}

fn name(c: usize, variant: u8) -> String {
    format!("c{c}-{}", if variant == 0 { "a" } else { "b" })
}

fn company_of(address: &Address) -> Option<usize> {
    address.name.get(1..2)?.parse().ok()
}

fn legal(c: usize) -> String {
    format!("Company{c} GmbH")
}

fn settle() -> SignedDuration {
    SignedDuration::from_mins(15)
}

const REQUEST_TIMEOUT: SignedDuration = SignedDuration::from_secs(120);

impl Case {
    pub fn new(mutation: Option<Mutation>) -> Self {
        let parts = Parts::default();
        let life = Life::default();
        let world = World::new(&parts, life.clone());
        let ledger = Ledger::new("memory:one".into(), "lineage-0".into());
        let store = MemoryStore::new(ledger, life).with(mutation.and_then(Mutation::mistake));
        let mut declared = Declared::default();
        let settle = if mutation == Some(Mutation::NoPatience) {
            IsoDuration::minutes(0)
        } else {
            IsoDuration::minutes(15)
        };
        declared.console.observe.settle = Some(settle);
        Self {
            mutation,
            parts,
            world,
            store,
            terms: Terms::default(),
            slots: [None; COMPANIES],
            broken: [false; COMPANIES],
            declared,
            cache: Details::new(),
            list: None,
            stands: false,
            begun: false,
            allowed: false,
            past: BTreeMap::new(),
            own: BTreeMap::new(),
            made_in_this_ledger: BTreeSet::new(),
            judged_effects: 0,
            judged_arrivals: 0,
            judged_events: 0,
            drafted: [0; COMPANIES],
            disturbed: [false; COMPANIES],
            ids: Default::default(),
            counts: Counts::default(),
        }
    }

    /// One step.
    pub fn step(&mut self, step: &Step) -> Result<(), String> {
        let first = !self.begun;
        self.begun = true;
        match step {
            Step::Console(kind) => {
                if first {
                    self.terms.two_requests = kind.two_requests;
                    self.terms.shows_domains = kind.shows_domains;
                    if kind.foreign {
                        self.world.appears("Somebody Else GmbH", Some("else.example"));
                    }
                }
            }
            Step::Declare(c, mode, policy) => {
                let old = self.slots[*c];
                self.disturbed[*c] |= old.is_some();
                let variant = old.map_or(0, |old| old.variant);
                let formerly = old.and_then(|old| old.formerly);
                self.slots[*c] = Some(Slot {
                    variant,
                    formerly,
                    mode: *mode,
                    want: Want::Present,
                    policy: *policy,
                    website: 0,
                    phone: 0,
                });
            }
            Step::Undeclare(c) => {
                self.slots[*c] = None;
                self.disturbed[*c] = true;
            }
            Step::Rename(c, told) => {
                self.disturbed[*c] |= !told;
                if let Some(slot) = &mut self.slots[*c] {
                    slot.formerly = told.then_some(slot.variant);
                    slot.variant = 1 - slot.variant;
                }
            }
            Step::Wants(c, want) => {
                self.disturbed[*c] |= *want != Want::Present;
                if let Some(slot) = &mut self.slots[*c] {
                    slot.want = *want;
                }
            }
            Step::Edit(c, value) => {
                if let Some(slot) = &mut self.slots[*c] {
                    slot.website = *value;
                }
            }
            Step::Phone(c, value) => {
                if let Some(slot) = &mut self.slots[*c] {
                    slot.phone = *value;
                }
            }
            Step::Breaks(c) => self.broken[*c] = !self.broken[*c],
            Step::Plan => self.plan()?,
            Step::Apply(run) => self.apply(run)?,
            Step::Pass(minutes) => self.parts.clock.pass(SignedDuration::from_mins(i64::from(*minutes))),
            Step::Resolve => self.resolve(),
            Step::Lose => self.lose(),
            Step::Appears(c) => {
                // Where ours is still on its way or unlisted, nobody could tell the two apart.
                if !self.world.hides() {
                    self.disturbed[*c] = true;
                    self.world.appears(&legal(*c), Some(&format!("c{c}.example")));
                }
            }
            Step::Vanishes(c) => {
                self.disturbed[*c] = true;
                self.observe_effects()?;
                let gone: Vec<RemoteId> = self
                    .world
                    .tenants()
                    .iter()
                    .filter(|(_, tenant)| tenant.alive() && tenant.name == legal(*c))
                    .map(|(id, _)| id.clone())
                    .collect();
                for id in gone {
                    self.world.vanishes(&id);
                    self.own.remove(&id);
                }
            }
            Step::Edited(c, value) => {
                for (id, tenant) in self.world.tenants() {
                    if tenant.name == legal(*c) {
                        self.world.edits(&id, "website", &format!("elsewhere{value}.example"));
                    }
                }
            }
            Step::Sent => self.mails_are_sent(),
        }
        Ok(())
    }

    fn declare(&mut self) {
        self.declared.companies.clear();
        self.declared.read.clear();
        self.declared.read.insert("console.yaml".into());
        for c in 0..COMPANIES {
            if self.broken[c] {
                if self.mutation == Some(Mutation::UnreadIsRead) {
                    self.declared.read.insert(format!("c{c}.yaml"));
                }
                continue;
            }
            self.declared.read.insert(format!("c{c}.yaml"));
            let Some(slot) = self.slots[c] else { continue };
            let mut company = Company::new(&name(c, slot.variant));
            company.legal = legal(c);
            company.domain = Some(format!("c{c}.example"));
            company.file = format!("c{c}.yaml");
            company.onboarding =
                if slot.mode == Mode::Create { Onboarding::Create } else { Onboarding::Existing };
            company.invited = slot.mode == Mode::Invite;
            company.want = slot.want;
            company.policy = slot.policy;
            company.website = (slot.website > 0).then(|| format!("WWW{}.example", slot.website));
            company.phone = (slot.phone > 0).then(|| format!("+49 30 000 00{}", slot.phone));
            company.id.clone_from(&self.ids[c]);
            company.formerly = slot.formerly.map(|old| name(c, old)).into_iter().collect();
            let past = self.past.entry(company.address()).or_default();
            past.push((slot.want, slot.policy));
            self.declared.companies.push(company);
        }
    }

    fn plan(&mut self) -> Result<(), String> {
        self.declare();
        let (arrived, commits) = (self.world.arrived(), self.store.commits());
        let built = self.declared.build();
        let desired = built.desired();
        let console = MemoryConsole::new(&self.world, self.terms);
        let runtime = self.parts.runtime();
        let identity = block_on(identify(&console, &runtime)).map_err(|error| error.to_string())?;
        let approvals = Approvals::default();
        let job = Job {
            console: &console,
            identity: &identity,
            desired: &desired,
            approvals: &approvals,
            runtime: &runtime,
            cache: &self.cache,
            settings: Settings { read_budget: 100 },
            request_timeout: REQUEST_TIMEOUT,
            run: "plan",
            before: None,
        };
        block_on(look(&job, &self.store.ledger())).map_err(|error| error.to_string())?;
        self.counts.count(|counts| &counts.plans);
        if self.world.arrived() != arrived || self.store.commits() != commits {
            return Err("planning wrote".into());
        }
        Ok(())
    }

    fn apply(&mut self, run: &Run) -> Result<(), String> {
        self.world.incomplete(run.incomplete);
        self.world.late(run.late.iter().map(|minutes| SignedDuration::from_mins(i64::from(*minutes))));
        self.world.faults(run.faults.iter().copied());
        if let Some((n, how)) = run.crash {
            self.store.crash_at(n, how);
        }
        let approvals = Approvals { first_run: run.first, ..Approvals::default() };
        let outcome = self.execute(&approvals, run.rival, run.incomplete);
        self.world.incomplete(false);
        self.world.calm();
        self.store.survive();
        outcome.map(|_| ())
    }

    /// One run; how many steps its plan had that nothing held.
    fn execute(&mut self, approvals: &Approvals, rival: bool, incomplete: bool) -> Result<usize, String> {
        self.declare();
        self.counts.count(|counts| &counts.runs);
        self.allowed |= approvals.first_run;
        if self.mutation == Some(Mutation::NoProbe) {
            self.store.tamper(|ledger| {
                for operation in ledger.entries.values_mut().filter_map(|entry| entry.operation.as_mut()) {
                    if matches!(operation.phase, Phase::Sent { .. } | Phase::Ambiguous { .. }) {
                        operation.phase = Phase::NotHappened { at: operation.intended };
                    }
                }
            });
        }
        let before = self.store.ledger();
        let built = self.declared.build();
        let desired = built.desired();
        let console = MemoryConsole::new(&self.world, self.terms);
        let runtime = self.parts.runtime();
        let identity = block_on(identify(&console, &runtime)).map_err(|error| error.to_string())?;
        let timeout =
            if self.mutation == Some(Mutation::NoPatience) { SignedDuration::ZERO } else { REQUEST_TIMEOUT };
        let cache = std::mem::take(&mut self.cache);
        // Every other run stands on the list that the last one read, as a controller does between two observations.
        self.stands = !self.stands;
        let list = self.list.take().filter(|_| self.stands);
        let job = Job {
            console: &console,
            identity: &identity,
            desired: &desired,
            approvals,
            runtime: &runtime,
            cache: &cache,
            settings: Settings { read_budget: 100 },
            request_timeout: timeout,
            run: "run",
            before: list.as_ref().map(|census| Before { census, just_read: false, about: None }),
        };
        let mut steps = 0;
        let mut died = false;
        let mut ledger = OpenLedger::new(before.clone(), &self.store);
        match block_on(prepare(&job, &mut ledger)) {
            Err(RunError::Store(_)) => died = true,
            Err(error) => return Err(error.to_string()),
            Ok(mut prepared) => {
                steps = prepared.planned.plan.steps.iter().filter(|step| step.held.is_none()).count();
                if rival {
                    let mut theirs = OpenLedger::new(self.store.ledger(), &self.store);
                    if let Ok(mut prepared) = block_on(prepare(&job, &mut theirs)) {
                        died |= block_on(apply(&job, &mut theirs, &mut prepared)).is_err();
                    }
                }
                if self.mutation != Some(Mutation::NeverExecutes) {
                    match block_on(apply(&job, &mut ledger, &mut prepared)) {
                        Ok(_) => {}
                        Err(StoreError::Conflict { .. }) => self.counts.count(|counts| &counts.conflicts),
                        Err(_) => died = true,
                    }
                }
                self.cache = prepared.observed.details;
                self.list = Some(prepared.observed.census);
            }
        }
        if died {
            self.counts.count(|counts| &counts.deaths);
            // A dead process has no cache to hand on.
            self.cache = Details::new();
            self.list = None;
        }
        let after = self.store.ledger();
        self.judge(&before, &after, incomplete)?;
        let open = after.entries.values().filter_map(|entry| entry.operation.as_ref());
        if open.into_iter().any(|operation| operation.sent_at().is_some()) {
            self.counts.count(|counts| &counts.in_doubt);
        }
        Ok(steps)
    }

    /// What the console says that our requests did.
    fn observe_effects(&mut self) -> Result<(), String> {
        let effects = self.world.effects();
        for effect in effects.iter().skip(self.judged_effects) {
            let Some(c) = (0..COMPANIES).find(|c| legal(*c) == effect.name) else { continue };
            match effect.kind {
                EffectKind::Created => {
                    self.counts.count(|counts| &counts.creations);
                    if let Some((id, _)) = self.own.iter().find(|(_, other)| **other == c) {
                        return Err(format!("{} was made twice: {id} and {}", effect.name, effect.id));
                    }
                    self.own.insert(effect.id.clone(), c);
                    self.made_in_this_ledger.insert(effect.id.clone());
                }
                EffectKind::Changed => self.counts.count(|counts| &counts.changes),
                EffectKind::Ended => {
                    self.counts.count(|counts| &counts.endings);
                    self.own.remove(&effect.id);
                }
            }
        }
        self.judged_effects = effects.len();
        Ok(())
    }

    fn judge(&mut self, before: &Ledger, after: &Ledger, incomplete: bool) -> Result<(), String> {
        self.observe_effects()?;
        let seen: BTreeSet<RemoteId> =
            self.world.last_census().map(|(_, ids)| ids.into_iter().collect()).unwrap_or_default();
        let tenants = self.world.tenants();
        let known: BTreeSet<&RemoteId> =
            before.entries.values().filter_map(|entry| entry.remote_id.as_ref()).collect();
        // What an operation in doubt was seen to have made is known, whoever really made it: nobody could tell.
        let settled: BTreeSet<&RemoteId> = after
            .entries
            .iter()
            .filter(|(address, _)| {
                before.entries.get(*address).is_some_and(|entry| entry.operation.is_some())
            })
            .filter_map(|(_, entry)| entry.remote_id.as_ref())
            .collect();
        let known: BTreeSet<&RemoteId> = known.union(&settled).copied().collect();
        let strangers = seen.iter().any(|id| !known.contains(id) && !self.made_in_this_ledger.contains(id));
        let first = !self.allowed && strangers;
        let arrivals = self.world.arrivals();
        for arrival in arrivals.iter().skip(self.judged_arrivals) {
            match arrival.request {
                "create-tenant" => {
                    let name = arrival.name.clone().unwrap_or_default();
                    let Some(c) = (0..COMPANIES).find(|c| legal(*c) == name) else { continue };
                    let asked = self.slots[c]
                        .is_some_and(|slot| slot.mode == Mode::Create && slot.want == Want::Present);
                    if !asked || self.broken[c] {
                        return Err(format!("{name} was made, unasked"));
                    }
                    if incomplete {
                        return Err(format!("{name} was made although the list was not whole"));
                    }
                    if let Some(twin) =
                        seen.iter().find(|id| tenants.get(*id).is_some_and(|one| one.name == name))
                    {
                        return Err(format!("{name} was made although {twin} is listed"));
                    }
                    if first {
                        return Err(format!("{name} was made by a new ledger beside unknown records"));
                    }
                }
                "invitation-link" if first => {
                    return Err("a new ledger invited beside unknown records".into());
                }
                "end-tenant" => {
                    let id = arrival.remote_id.clone().unwrap_or_else(|| RemoteId::from("nobody"));
                    let holders: Vec<&Address> = before
                        .entries
                        .iter()
                        .chain(&after.entries)
                        .filter(|(_, entry)| entry.remote_id.as_ref() == Some(&id))
                        .map(|(address, _)| address)
                        .collect();
                    if incomplete {
                        return Err(format!("{id} was ended although the list was not whole"));
                    }
                    if !holders.iter().any(|address| self.may_end(address)) {
                        return Err(format!("{id} was ended, unasked; bound to {holders:?}"));
                    }
                }
                "set-profile" => {
                    let id = arrival.remote_id.as_ref();
                    let bound =
                        |ledger: &Ledger| ledger.entries.values().any(|entry| entry.remote_id.as_ref() == id);
                    if !bound(before) && !bound(after) {
                        return Err(format!("{id:?} was changed and is bound to nothing"));
                    }
                }
                _ => {}
            }
        }
        self.judged_arrivals = arrivals.len();
        let events = self.store.events();
        for event in events.iter().skip(self.judged_events).filter(|event| event.what == "drafted") {
            let Some(c) = event.address.as_ref().and_then(company_of) else { continue };
            self.counts.count(|counts| &counts.invitations);
            self.drafted[c] += 1;
            if self.drafted[c] > 1 {
                return Err(format!("{} was invited twice", legal(c)));
            }
            let asked =
                self.slots[c].is_some_and(|slot| slot.mode == Mode::Invite && slot.want == Want::Present);
            if !asked || self.broken[c] {
                return Err(format!("{} was invited, unasked", legal(c)));
            }
        }
        self.judged_events = events.len();
        Ok(())
    }

    /// Whether somebody asks for the end of what this address is bound to: by its want, or by a policy that was
    /// declared in one of the last runs that read it, and that the declaration's file no longer holds.
    fn may_end(&self, address: &Address) -> bool {
        let Some(c) = company_of(address) else { return false };
        if self.broken[c] {
            return false;
        }
        match self.slots[c].filter(|slot| name(c, slot.variant) == address.name) {
            Some(slot) => matches!(slot.want, Want::Detached | Want::Removed),
            None => self.past.get(address).is_some_and(|past| {
                past.iter().rev().take(4).any(|(_, policy)| *policy != DeletionPolicy::Retain)
            }),
        }
    }

    /// A person looks at the vendor's and says what became of each operation in doubt.
    fn resolve(&mut self) {
        let now = self.parts.clock.peek();
        if self.world.hides() {
            return;
        }
        let effects = self.world.effects();
        for entry in self.store.ledger().entries.values() {
            let Some(operation) = &entry.operation else { continue };
            if operation.sent_at().is_none() || matches!(operation.phase, Phase::Acked { .. }) {
                continue;
            }
            let happened = effects.iter().any(|effect| effect.operation == operation.id);
            let outcome = if happened { Outcome::Happened } else { Outcome::NotHappened };
            self.declared.attest(&operation.id, outcome, now);
        }
    }

    /// The ledger is gone. What is on its way by then has arrived: a ledger cannot know what nobody shows.
    fn lose(&mut self) {
        while self.world.hides() {
            self.parts.clock.pass(SignedDuration::from_mins(5));
        }
        self.counts.count(|counts| &counts.lost);
        let lost = self.counts.lost.load(Ordering::Relaxed);
        let mut ledger = Ledger::new("memory:one".into(), format!("lineage-{lost}"));
        if self.mutation == Some(Mutation::LostIsConfirmed) {
            ledger.header.confirmed = Some(self.parts.clock.peek());
        }
        self.store.tamper(|old| *old = ledger);
        self.made_in_this_ledger.clear();
        self.allowed = false;
        self.drafted = [0; COMPANIES];
        self.disturbed = [true; COMPANIES];
        self.cache.clear();
    }

    /// A person writes down which record is ours where several look alike.
    fn names_ours(&mut self) {
        for (address, entry) in &self.store.ledger().entries {
            let unknown = entry.remote_id.is_none()
                && entry
                    .operation
                    .as_ref()
                    .is_some_and(|open| matches!(open.phase, Phase::Attested { .. } | Phase::Acked { .. }));
            let Some(c) = company_of(address).filter(|_| unknown) else { continue };
            self.ids[c] = self.own.iter().find(|(_, other)| **other == c).map(|(id, _)| id.to_string());
        }
    }

    fn mails_are_sent(&mut self) {
        let now = self.parts.clock.peek();
        for (address, entry) in &self.store.ledger().entries {
            let Some(invitation) = &entry.invitation else { continue };
            let mails = std::iter::once(&invitation.message_id)
                .chain(invitation.reminders.iter().map(|reminder| &reminder.message_id));
            for mail in mails {
                let task = send_task(CONSOLE, "Memory Console", &address.name, mail, &invitation.to);
                self.declared.attest(&task.id, Outcome::Done, now);
            }
        }
    }

    /// No more faults and enough time: a last run finds nothing to do, and who was left alone is there exactly once.
    pub fn calm(&mut self) -> Result<(), String> {
        self.world.calm();
        self.broken = [false; COMPANIES];
        let approvals = Approvals {
            first_run: true,
            allow: [GuardKind::Creations, GuardKind::Invitations, GuardKind::Removals, GuardKind::Seats]
                .into_iter()
                .map(|kind| (kind, 1_000))
                .collect(),
            ..Approvals::default()
        };
        let mut left = usize::MAX;
        for _ in 0..9 {
            self.resolve();
            self.names_ours();
            self.parts.clock.pass(settle() + REQUEST_TIMEOUT + SignedDuration::from_mins(1));
            // Time that passes ends in a list that is read anew.
            self.list = None;
            left = self.execute(&approvals, false, false)?;
            if left == 0
                && self.store.ledger().entries.values().all(|entry| {
                    entry
                        .operation
                        .as_ref()
                        .is_none_or(|open| matches!(open.phase, Phase::NotHappened { .. }))
                })
            {
                break;
            }
        }
        if left > 0 {
            return Err(format!("{left} steps are still planned after nine calm runs"));
        }
        let ledger = self.store.ledger();
        // What is declared no more and has a twin by somebody else waits for a person, for ever if need be.
        if let Some((address, entry)) = ledger.entries.iter().find(|(address, entry)| {
            let declared = company_of(address)
                .and_then(|c| self.slots[c].map(|slot| name(c, slot.variant)))
                .is_some_and(|name| name == address.name);
            declared
                && entry
                    .operation
                    .as_ref()
                    .is_some_and(|open| !matches!(open.phase, Phase::NotHappened { .. }))
        }) {
            return Err(format!("{address} is still in doubt: {:?}", entry.operation));
        }
        let mut holders: BTreeMap<&RemoteId, &Address> = BTreeMap::new();
        for (address, entry) in &ledger.entries {
            if let Some(id) =
                entry.bound().filter(|_| entry.standing == tenantry_engine::ledger::Standing::Declared)
                && let Some(other) = holders.insert(id, address)
            {
                return Err(format!("{id} is bound to {other} and {address}"));
            }
        }
        for c in 0..COMPANIES {
            let Some(slot) = self.slots[c].filter(|slot| slot.mode == Mode::Create && !self.disturbed[c])
            else {
                continue;
            };
            let own: Vec<&RemoteId> =
                self.own.iter().filter(|(_, one)| **one == c).map(|(id, _)| id).collect();
            let address = Address::account("default", &name(c, slot.variant), CONSOLE);
            let bound = ledger.entries.get(&address).and_then(|entry| entry.bound());
            match (own.as_slice(), bound) {
                ([one], Some(bound)) if *one == bound => self.counts.count(|counts| &counts.undisturbed),
                _ => return Err(format!("{address}: made {own:?}, bound to {bound:?}")),
            }
        }
        Ok(())
    }
}
